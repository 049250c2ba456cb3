//! One pane: everything that stays when its PTY dies.
//!
//! [`Pane`] decides and does no I/O of its own: it is handed events, the time and, where there is one, the
//! terminal, and says in [`Effects`] what is to be done.

pub mod activity;
pub mod cues;
pub mod filter;
pub mod input;
pub mod line_gate;
pub mod log;
pub mod modes;
mod notice;
pub mod readiness;
pub mod reports;
pub mod respawn;
pub mod sizing;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::activity::Activity;
use self::cues::Cues;
use self::filter::{Event, Filter};
use self::input::{InputFull, InputLimits, InputQueue, Message, Undelivered};
use self::line_gate::LineGate;
use self::log::{OutputBuf, OutputLog};
use self::modes::ActiveScreen;
use self::readiness::{Readiness, Verdict};
use self::reports::Kind;
use self::respawn::{Decision, Generation, Respawn, RespawnLimits};
use self::sizing::{Resize, Sizing};
use crate::clock::Moment;
use crate::geometry::Size;
use crate::host::{Exit, Terminal};
use crate::ids::{PaneId, ViewerId};
use crate::protocol::client::{SizePolicy, WakePolicy};
use crate::protocol::frame::{Channel, InputKind};
use crate::protocol::server::{PaneInfo, PaneStatus};

/// How soon to look again at input that the line discipline has no room for.
const LINE_RETRY: Duration = Duration::from_millis(20);

/// How long after Enter the program's directory is asked for: what was typed has run by then, mostly.
const CWD_AFTER_ENTER: Duration = Duration::from_millis(250);

/// Settings that all panes share.
#[derive(Debug, Clone, Copy)]
pub struct PaneLimits {
    /// Held input.
    pub input: InputLimits,
    /// Recent output, in bytes.
    pub ring_bytes: usize,
    /// After so long a fresh program gets its input, ready or not.
    pub ready_ceiling: Duration,
    /// Failing starts.
    pub respawn: RespawnLimits,
}

/// Settings of one pane that its users can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct PaneSettings {
    /// Which input wakes it.
    pub wake: WakePolicy,
    /// Whether it closes when its program exits.
    pub close_on_exit: bool,
    /// Who decides its size.
    pub size: SizePolicy,
}

/// Why a pane has no terminal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// It has not had one yet.
    Never,
    /// The last one ended.
    Exited {
        /// How.
        exit: Exit,
        /// When, in milliseconds since the Unix epoch.
        at: u64,
    },
    /// The last start failed.
    Failed {
        /// Why.
        reason: String,
    },
}

/// What is to be done after an event.
#[derive(Debug, Default)]
pub struct Effects {
    /// Start a terminal of this generation.
    pub start: Option<Generation>,
    /// The pane's connection or its cause may have changed.
    pub status: bool,
    /// Something else in [`PaneInfo`] may have changed.
    pub info: bool,
    /// There is new output for viewers.
    pub output: bool,
    /// Input that will not be delivered, and why.
    pub undelivered: Option<(Vec<Undelivered>, &'static str)>,
    /// Close the pane.
    pub close: bool,
    /// Call [`Pane::tick`] then.
    pub look_at: Option<Instant>,
}

impl Effects {
    fn look_at(&mut self, at: Instant) {
        self.look_at = Some(self.look_at.map_or(at, |earlier| earlier.min(at)));
    }

    fn give_back(&mut self, undelivered: Vec<Undelivered>, why: &'static str) {
        if !undelivered.is_empty() {
            self.info = true;
            self.undelivered = Some((undelivered, why));
        }
    }
}

/// Input that was not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputRefused {
    /// For programs: `input_full`, `pane_manual` or `pane_failed`.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// How many bytes were not taken: all of the message.
    pub bytes: usize,
}

/// Input from a viewer.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// Who.
    pub viewer: ViewerId,
    /// Whose it stays when the viewer's connection ends: of several connections of one client, always the same.
    pub owner: ViewerId,
    /// What the viewer says it is.
    pub kind: InputKind,
    /// Whether the owner's next input belongs to the same paste.
    pub more: bool,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// The life of the newest terminal.
#[derive(Debug, Default)]
struct Life {
    started: Option<Instant>,
    printed: bool,
    /// Until the fresh program is ready for the input that waited.
    readiness: Option<Readiness>,
    gate: LineGate,
    /// When to ask for the program's directory.
    cwd_at: Option<Instant>,
}

/// See the module.
#[derive(Debug)]
pub struct Pane {
    /// Its id.
    pub id: PaneId,
    /// Its number on the wire.
    pub channel: Channel,
    /// Its recent output.
    pub log: OutputLog,
    /// What its screen is to do besides taking the output in.
    pub cues: Cues,
    /// Who decides its size.
    pub sizing: Sizing,
    /// The size its screen has once it has come to the end of the log.
    screen_size: Size,
    limits: PaneLimits,
    filter: Filter,
    queue: InputQueue,
    respawn: Respawn,
    life: Life,
    settings: PaneSettings,
    title: String,
    activity: Activity,
    /// The directory told by the program's output (OSC 7).
    told_cwd: Option<PathBuf>,
    /// The directory the system says the program is, or was last, in.
    seen_cwd: Option<PathBuf>,
    /// Where the first terminal starts.
    first_cwd: PathBuf,
    end: End,
    /// Whether the last byte of output ended a line.
    at_line_start: bool,
    /// Input came while the wait after a failure was on, so the end of that wait is a time to try again.
    retry_wanted: bool,
}

/// What a pane is made of: at its birth, or after a restart of the gateway.
#[derive(Debug)]
pub struct Birth {
    /// Its id.
    pub id: PaneId,
    /// Its number on the wire.
    pub channel: Channel,
    /// Its size.
    pub size: Size,
    /// The size of its screen, as saved; else its own.
    pub screen_size: Size,
    /// The directory of its next terminal.
    pub cwd: PathBuf,
    /// Its settings.
    pub settings: PaneSettings,
    /// The generation of its last terminal.
    pub generation: Generation,
    /// The title its program set last.
    pub title: String,
    /// Why it has no terminal.
    pub end: End,
    /// The offset its output goes on from.
    pub offset: u64,
}

impl Pane {
    /// A pane without a terminal.
    #[must_use]
    pub fn new(birth: Birth, limits: PaneLimits) -> Pane {
        Pane {
            id: birth.id,
            channel: birth.channel,
            log: OutputLog::new(birth.channel, limits.ring_bytes, birth.offset),
            cues: Cues::default(),
            sizing: Sizing::new(birth.size, birth.settings.size),
            screen_size: birth.screen_size,
            limits,
            filter: Filter::default(),
            queue: InputQueue::new(limits.input),
            respawn: Respawn::after(birth.generation, limits.respawn),
            life: Life::default(),
            settings: birth.settings,
            title: birth.title,
            activity: Activity::default(),
            told_cwd: None,
            seen_cwd: None,
            first_cwd: birth.cwd,
            end: birth.end,
            at_line_start: true,
            retry_wanted: false,
        }
    }

    /// Puts back the screen from before a restart of the gateway, from a snapshot of it, and turns off what a dead
    /// program left on.
    pub fn restore_screen(&mut self, snapshot: &[u8], now: Moment) {
        self.print_own(snapshot, now);
        let mut reset = self.filter.end().to_vec();
        self.filter.modes().input_reset(&mut reset);
        self.print_in_place(&reset, now);
        self.note_size(now.at, &mut Effects::default());
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> PaneSettings {
        self.settings
    }

    /// Changes its settings.
    pub fn set(&mut self, settings: PaneSettings) {
        self.settings = settings;
        self.retry_wanted &= settings.wake != WakePolicy::Manual;
        self.sizing.set_policy(settings.size);
    }

    /// Whether a start of this generation is under way, and its terminal still wanted.
    #[must_use]
    pub fn awaits(&self, generation: Generation) -> bool {
        generation == self.respawn.generation() && self.respawn.is_starting()
    }

    /// The newest generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.respawn.generation()
    }

    /// Why it has no terminal, if it has none.
    #[must_use]
    pub fn end(&self) -> &End {
        &self.end
    }

    /// The title its program set.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where its next terminal starts: the directory of the last one, as far as is known.
    #[must_use]
    pub fn cwd(&self) -> &PathBuf {
        self.told_cwd.as_ref().or(self.seen_cwd.as_ref()).unwrap_or(&self.first_cwd)
    }

    /// The directory its program is in now, or was last.
    #[must_use]
    pub fn cwd_now(&self, terminal: Option<&dyn Terminal>) -> PathBuf {
        let seen = || terminal.and_then(Terminal::cwd);
        self.told_cwd.clone().or_else(seen).unwrap_or_else(|| self.cwd().clone())
    }

    /// How many bytes of input are held.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Why it is connected, or why not. `connected` comes from the terminals map.
    #[must_use]
    pub fn status(&self, connected: bool, now: Moment) -> PaneStatus {
        if connected {
            return PaneStatus::Live;
        }
        if self.respawn.is_starting() {
            return PaneStatus::Starting;
        }
        match &self.end {
            // It is about to get its first.
            End::Never => PaneStatus::Starting,
            End::Exited { exit, at } => {
                let (code, signal) = match exit {
                    Exit::Code(code) => (Some(*code), None),
                    Exit::Signal(signal) => (None, Some(signal.clone())),
                    Exit::Unknown => (None, None),
                };
                PaneStatus::Exited { code, signal, at: *at }
            }
            End::Failed { reason } => {
                let retry_at = self.respawn.retry_at().filter(|_| !self.respawn.given_up());
                let retry_at = retry_at.map(|at| now.unix_ms_at(at));
                PaneStatus::Failed { reason: reason.clone(), retry_at }
            }
        }
    }

    /// What native viewers are told. `name` is the one that users gave it, from the layout.
    #[must_use]
    pub fn info(&self, name: Option<String>, connected: bool, now: Moment) -> PaneInfo {
        let Size { cols, rows } = self.sizing.current();
        PaneInfo {
            name,
            title: self.title.clone(),
            cwd: self.cwd().to_str().map(str::to_owned),
            status: self.status(connected, now),
            pending: self.queue.len(),
            cols,
            rows,
            wake: self.settings.wake,
            close_on_exit: self.settings.close_on_exit,
            size: self.settings.size,
            shell: self.activity.shell().cloned(),
            progress: self.activity.progress(),
            notification: self.activity.notification().cloned(),
        }
    }

    // Input.

    /// Takes input from a viewer: writes it, holds it, or refuses all of it. Answers to queries are left out,
    /// whoever sends them: the pane's screen has answered.
    ///
    /// # Errors
    /// When it is not taken; nothing of it is then.
    pub fn input(
        &mut self,
        typed: Typed<'_>,
        now: Instant,
        terminal: Option<&dyn Terminal>,
        effects: &mut Effects,
    ) -> Result<(), InputRefused> {
        match terminal {
            Some(terminal) => self.input_live(typed, now, terminal, effects),
            None => self.input_dead(typed, now, effects),
        }
    }

    fn input_live(
        &mut self,
        typed: Typed<'_>,
        now: Instant,
        terminal: &dyn Terminal,
        effects: &mut Effects,
    ) -> Result<(), InputRefused> {
        let pasted = self.is_pasted(typed);
        let bytes = if pasted { Cow::Borrowed(typed.bytes) } else { without_answers(typed.bytes) };
        if typed.kind == InputKind::Report {
            // A report is worth nothing later: it goes past what waits, or nowhere.
            terminal.write(&bytes);
            return Ok(());
        }
        if bytes.is_empty() && !pasted {
            return Ok(());
        }
        self.note_typing(typed.viewer, &bytes, now, Some(terminal), effects);
        self.queue.end_stalled(now);
        if self.queue.is_next(typed.owner) && self.life.readiness.is_none() {
            let message = Message { owner: typed.owner, bytes: &bytes, more: typed.more };
            self.queue.admit(message, now).map_err(|full| self.full(full))?;
            let taken = write(&mut self.life.gate, terminal, &bytes);
            self.hold(typed, &bytes[taken..], now, effects)?;
            if self.queue.is_empty() {
                return Ok(());
            }
        } else if pasted {
            self.hold(typed, &bytes, now, effects)?;
        } else if !self.interrupt(&bytes, terminal, effects) {
            // A report is about now: it does not wait for what was typed.
            for (_, report) in reports::split(&bytes).filter(|(kind, _)| *kind != Kind::Keys) {
                terminal.write(report);
            }
            self.hold(typed, &reports::only_keys(&bytes), now, effects)?;
        }
        self.deliver(now, terminal, effects);
        Ok(())
    }

    /// Whether input is part of a paste of several messages. No message of such a paste is looked into: a piece of
    /// it may look like anything.
    fn is_pasted(&self, typed: Typed<'_>) -> bool {
        typed.more || self.queue.is_pasting(typed.owner)
    }

    /// Lets an interrupt key past input that a program does not read, as the line discipline does: it throws
    /// away what was typed before. Whether it did.
    fn interrupt(&mut self, keys: &[u8], terminal: &dyn Terminal, effects: &mut Effects) -> bool {
        let [key] = keys else { return false };
        if self.life.readiness.is_some() || !terminal.interrupt(*key) {
            return false;
        }
        // Whichever key it is that this terminal takes for an interrupt.
        self.life.gate.clear();
        self.discard(effects);
        true
    }

    fn input_dead(
        &mut self,
        typed: Typed<'_>,
        now: Instant,
        effects: &mut Effects,
    ) -> Result<(), InputRefused> {
        // Reports of the viewer's terminal are no keys: nobody typed them, and they are meaningless to the
        // next program.
        let keys = match typed.kind {
            InputKind::Input if self.is_pasted(typed) => Cow::Borrowed(typed.bytes),
            InputKind::Input => reports::only_keys(typed.bytes),
            InputKind::Report => return Ok(()),
        };
        self.queue.end_stalled(now);
        if keys.is_empty() {
            return self.hold(typed, &keys, now, effects);
        }
        let refused = |code, message: String| Err(InputRefused { code, message, bytes: keys.len() });
        if self.settings.wake == WakePolicy::Manual && !self.respawn.is_starting() {
            return refused("pane_manual", format!("{} starts only when asked to (pane_respawn)", self.id));
        }
        if self.respawn.given_up() && !self.respawn.is_starting() {
            let message =
                format!("{} failed to start too often; ask for it outright (pane_respawn)", self.id);
            return refused("pane_failed", message);
        }
        self.hold(typed, &keys, now, effects)?;
        self.note_typing(typed.viewer, &keys, now, None, effects);
        let wakes = match self.settings.wake {
            WakePolicy::AnyKey => true,
            WakePolicy::Enter => keys.iter().any(|byte| matches!(byte, b'\r' | b'\n')),
            WakePolicy::Manual => false,
        };
        if wakes {
            let decision = self.respawn.wanted(now);
            self.decide(decision, effects);
        }
        self.look_at_expiry(effects);
        Ok(())
    }

    fn decide(&mut self, decision: Decision, effects: &mut Effects) {
        match decision {
            Decision::Start(generation) => {
                self.retry_wanted = false;
                effects.start = Some(generation);
                effects.status = true;
            }
            Decision::NotBefore(at) => {
                self.retry_wanted = true;
                effects.look_at(at);
            }
            Decision::UnderWay | Decision::GivenUp | Decision::Closed => {}
        }
    }

    fn hold(
        &mut self,
        typed: Typed<'_>,
        bytes: &[u8],
        now: Instant,
        effects: &mut Effects,
    ) -> Result<(), InputRefused> {
        effects.info |= !bytes.is_empty();
        let message = Message { owner: typed.owner, bytes, more: typed.more };
        self.queue.push(message, now).map_err(|full| self.full(full))?;
        self.look_at_stalls(effects);
        Ok(())
    }

    fn full(&self, full: InputFull) -> InputRefused {
        InputRefused { code: "input_full", message: format!("{}: {full}", self.id), bytes: full.bytes }
    }

    fn note_typing(
        &mut self,
        viewer: ViewerId,
        bytes: &[u8],
        now: Instant,
        terminal: Option<&dyn Terminal>,
        effects: &mut Effects,
    ) {
        if self.sizing.typist() != Some(viewer) {
            self.sizing.typed(viewer);
            self.settle_size(now, terminal, effects);
        }
        let Some(terminal) = terminal else { return };
        if bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0x04)) {
            // What is typed now may end the program; the system knows its directory only while it lives.
            self.see_cwd(terminal, effects);
            let at = now + CWD_AFTER_ENTER;
            self.life.cwd_at.get_or_insert(at);
            effects.look_at(at);
        }
    }

    /// Delivers held input, as far as the program is ready and the PTY takes it.
    fn deliver(&mut self, now: Instant, terminal: &dyn Terminal, effects: &mut Effects) {
        if let Some(readiness) = &self.life.readiness {
            match readiness.verdict(now, terminal.reads_raw()) {
                Verdict::Ready => self.life.readiness = None,
                Verdict::Wait { until } if !self.queue.is_empty() => return effects.look_at(until),
                Verdict::Wait { .. } => return,
            }
        }
        if self.queue.waiting().is_empty() {
            return;
        }
        let taken = write(&mut self.life.gate, terminal, self.queue.waiting());
        self.queue.delivered(taken);
        effects.info |= taken > 0;
        if !self.queue.waiting().is_empty() {
            // Either the PTY is full, which its host reports, or the line is, which nothing reports.
            effects.look_at(now + LINE_RETRY);
        }
    }

    /// The PTY takes input again.
    pub fn writable(
        &mut self,
        generation: Generation,
        now: Instant,
        terminal: Option<&dyn Terminal>,
        effects: &mut Effects,
    ) {
        if let Some(terminal) = terminal.filter(|_| generation == self.generation()) {
            self.deliver(now, terminal, effects);
        }
    }

    /// Throws away what is held.
    pub fn discard(&mut self, effects: &mut Effects) {
        effects.give_back(self.queue.discard(), "input_discarded");
        self.retry_wanted = false;
    }

    /// Somebody asks outright for a terminal.
    pub fn ask_for_terminal(&mut self, effects: &mut Effects) {
        if self.life.started.is_some() {
            return;
        }
        let decision = self.respawn.requested();
        self.decide(decision, effects);
    }

    // Output.

    /// Takes what the program of a generation printed.
    pub fn output(&mut self, generation: Generation, output: OutputBuf, now: Moment, effects: &mut Effects) {
        if generation != self.generation() || self.life.started.is_none() {
            return;
        }
        self.life.printed = true;
        if let Some(readiness) = &mut self.life.readiness {
            readiness.printed(now.at);
            if !self.queue.is_empty() {
                effects.look_at(now.at);
            }
        }
        self.print(output, now, effects);
    }

    fn print(&mut self, output: OutputBuf, now: Moment, effects: &mut Effects) {
        let (from, generation) = (self.log.head(), self.generation());
        let Pane { filter, cues, activity, title, told_cwd, life, .. } = self;
        let output = filter.feed(output, &mut |at, event| match event {
            Event::Title(text) if *title != text => {
                *title = text;
                effects.info = true;
            }
            Event::WorkingDirectory(path) => {
                *told_cwd = Some(PathBuf::from(path));
                effects.info = true;
            }
            Event::PromptEnd => {
                if let Some(readiness) = &mut life.readiness {
                    readiness.prompted();
                }
            }
            Event::Query(query) => cues.query(from + at as u64, generation, query),
            other => effects.info |= activity.take(other, now.unix_ms),
        });
        if let Some(last) = output.payload().last() {
            self.at_line_start = *last == b'\n';
        }
        self.log.append(output, now.at);
        effects.output = true;
    }

    /// Prints something of the gateway's own into the output.
    fn print_own(&mut self, bytes: &[u8], now: Moment) {
        if !bytes.is_empty() {
            self.print(OutputBuf::copy_of(bytes), now, &mut Effects::default());
        }
    }

    /// Prints something of the gateway's own that leaves the cursor where it is.
    fn print_in_place(&mut self, bytes: &[u8], now: Moment) {
        let at_line_start = self.at_line_start;
        self.print_own(bytes, now);
        self.at_line_start = at_line_start;
    }

    /// Whether a line drawn now may go where the cursor is. Where it will be on leaving an alternate screen is
    /// not known.
    fn on_fresh_line(&self) -> bool {
        self.at_line_start && self.filter.modes().screen == ActiveScreen::Main
    }

    /// Gives the program of a generation its terminal's answer to a query, if that program still runs.
    pub fn answer(&mut self, generation: Generation, answer: &[u8], terminal: Option<&dyn Terminal>) {
        if let Some(terminal) = terminal.filter(|_| generation == self.generation()) {
            terminal.write(answer);
        }
    }

    // The terminal's life.

    /// A start came up. Whether its terminal is wanted: if so, it belongs into the terminals map; if not, it
    /// must be killed.
    #[must_use]
    pub fn started(
        &mut self,
        generation: Generation,
        note: Option<&str>,
        now: Moment,
        terminal: &dyn Terminal,
        effects: &mut Effects,
    ) -> bool {
        if !self.respawn.started(generation) {
            return false;
        }
        if self.log.head() > 0 {
            let mut line = self.filter.end().to_vec();
            self.filter.modes().screen_reset(&mut line);
            notice::separator(&mut line, self.on_fresh_line(), &self.end, note, now.unix_ms);
            self.print_own(&line, now);
        } else if let Some(note) = note {
            let mut line = Vec::new();
            notice::line(&mut line, true, note);
            self.print_own(&line, now);
        }
        self.life = Life {
            started: Some(now.at),
            readiness: Some(Readiness::started(now.at, self.limits.ready_ceiling)),
            ..Life::default()
        };
        // Where the system can't say, the program is where it was started.
        let cwd = terminal.cwd().unwrap_or_else(|| self.cwd().clone());
        (self.told_cwd, self.seen_cwd) = (None, Some(cwd));
        (effects.status, effects.info, effects.output) = (true, true, true);
        // Viewers may have changed their minds on the size while it started.
        terminal.resize(self.sizing.current());
        self.settle_size(now.at, Some(terminal), effects);
        effects.look_at(now.at);
        true
    }

    /// A start failed. `jitter` is uniform in 0..1.
    pub fn failed(
        &mut self,
        generation: Generation,
        reason: String,
        now: Moment,
        jitter: f64,
        effects: &mut Effects,
    ) {
        if !self.respawn.failed(generation, now.at, jitter) {
            return;
        }
        let mut line = self.filter.end().to_vec();
        self.filter.modes().screen_reset(&mut line);
        let next = if self.respawn.given_up() {
            "giving up until asked outright"
        } else {
            "the next key tries again"
        };
        notice::line(&mut line, self.on_fresh_line(), &format!("could not start: {reason}; {next}"));
        self.print_own(&line, now);
        self.end = End::Failed { reason };
        (effects.status, effects.info, effects.output) = (true, true, true);
        self.look_at_expiry(effects);
    }

    /// The program of a generation ended. Whether that was the pane's terminal: if so, it must leave the
    /// terminals map.
    #[must_use]
    pub fn exited(
        &mut self,
        generation: Generation,
        exit: Exit,
        now: Moment,
        jitter: f64,
        effects: &mut Effects,
    ) -> bool {
        if generation != self.generation() {
            return false;
        }
        let Some(started) = self.life.started else { return false };
        let lived = now.at.saturating_duration_since(started);
        self.respawn.ended(lived, self.life.printed, now.at, jitter);
        self.life = Life::default();
        self.activity.end();
        self.end = if self.respawn.given_up() {
            End::Failed { reason: format!("{exit} at once, without printing anything") }
        } else {
            End::Exited { exit, at: now.unix_ms }
        };
        // What keys, mouse and paste send must not follow the dead program's wishes; the screen stays.
        let mut reset = self.filter.end().to_vec();
        self.filter.modes().input_reset(&mut reset);
        if self.filter.modes().synchronized {
            // Nobody is left to say that the drawing is complete.
            reset.extend_from_slice(b"\x1b[?2026l");
        }
        self.print_in_place(&reset, now);
        effects.output |= !reset.is_empty();
        (effects.status, effects.info) = (true, true);
        effects.close = self.settings.close_on_exit && !matches!(self.end, End::Failed { .. });
        self.look_at_expiry(effects);
        true
    }

    /// The pane is closed: nothing that comes up from now on is wanted, and what is held goes nowhere.
    pub fn close(&mut self, effects: &mut Effects) {
        self.respawn.close();
        self.discard(effects);
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.respawn.is_closed()
    }

    // Sizes, directories, time.

    /// Settles the PTY's size by what viewers reported.
    pub fn settle_size(&mut self, now: Instant, terminal: Option<&dyn Terminal>, effects: &mut Effects) {
        match terminal {
            None => effects.info |= self.sizing.settle_untold(),
            Some(terminal) => match self.sizing.settle(now) {
                Resize::Keep => {}
                Resize::Tell(size) => {
                    terminal.resize(size);
                    effects.info = true;
                }
                Resize::NotBefore(at) => effects.look_at(at),
            },
        }
        self.note_size(now, effects);
    }

    /// Lets the screen follow the size of the PTY, or of the next one.
    fn note_size(&mut self, now: Instant, effects: &mut Effects) {
        let size = self.sizing.current();
        if size != self.screen_size {
            self.screen_size = size;
            self.log.note_resize(now);
            self.cues.resize(self.log.head(), size);
            effects.output = true;
        }
    }

    fn see_cwd(&mut self, terminal: &dyn Terminal, effects: &mut Effects) {
        let cwd = terminal.cwd();
        if cwd.is_some() && cwd != self.seen_cwd {
            self.seen_cwd = cwd;
            effects.info |= self.told_cwd.is_none();
        }
    }

    fn look_at_stalls(&self, effects: &mut Effects) {
        if let Some(at) = self.queue.stalls_at() {
            effects.look_at(at);
        }
    }

    fn look_at_expiry(&self, effects: &mut Effects) {
        if let Some(at) = self.queue.expires_at() {
            effects.look_at(at);
        }
    }

    /// Does what has come due.
    pub fn tick(&mut self, now: Instant, terminal: Option<&dyn Terminal>, effects: &mut Effects) {
        self.settle_size(now, terminal, effects);
        self.queue.end_stalled(now);
        self.look_at_stalls(effects);
        match terminal {
            Some(terminal) => {
                match self.life.cwd_at {
                    Some(at) if at <= now => {
                        self.life.cwd_at = None;
                        self.see_cwd(terminal, effects);
                    }
                    Some(at) => effects.look_at(at),
                    None => {}
                }
                self.deliver(now, terminal, effects);
            }
            None if !self.respawn.is_starting() => {
                effects.give_back(self.queue.expire(now), "input_expired");
                self.retry(now, effects);
                self.look_at_expiry(effects);
            }
            None => {}
        }
    }

    /// Tries again, once the last failure's wait is over, for input that came during it.
    fn retry(&mut self, now: Instant, effects: &mut Effects) {
        // Whoever types after everything was given back decides anew.
        self.retry_wanted &= !self.queue.is_empty();
        if self.retry_wanted {
            let decision = self.respawn.wanted(now);
            self.decide(decision, effects);
        }
    }
}

/// Writes as much as the line discipline has room for and the PTY takes, and returns how much that was.
fn write(gate: &mut LineGate, terminal: &dyn Terminal, bytes: &[u8]) -> usize {
    let mut raw = false;
    let allowed = gate.allows(bytes, || {
        raw = terminal.reads_raw();
        !raw
    });
    let taken = terminal.write(&bytes[..allowed]);
    gate.wrote(&bytes[..taken]);
    if raw {
        gate.clear();
    }
    taken
}

/// The input without a terminal's answers to queries; mouse and focus reports stay.
fn without_answers(input: &[u8]) -> Cow<'_, [u8]> {
    if reports::split(input).all(|(kind, _)| kind != Kind::Reply) {
        return Cow::Borrowed(input);
    }
    Cow::Owned(
        reports::split(input)
            .filter(|(kind, _)| *kind != Kind::Reply)
            .flat_map(|(_, part)| part)
            .copied()
            .collect(),
    )
}
