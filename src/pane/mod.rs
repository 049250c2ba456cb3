//! One pane: everything that stays when its PTY dies.
//!
//! [`Pane`] decides and does no I/O of its own: it is handed events, the time and, where there is one, the
//! terminal, and says in [`Effects`] what is to be done.

pub mod activity;
pub mod away;
pub mod cues;
pub mod filter;
pub mod input;
pub mod keys;
mod life;
pub mod line_gate;
pub mod log;
pub mod marks;
pub mod modes;
mod notice;
pub mod printing;
pub mod readiness;
pub mod reports;
pub mod respawn;
pub mod sizing;
#[cfg(test)]
mod tests;
pub mod transcript;
mod typing;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::activity::Activity;
use self::away::{NodeState, Wanted};
use self::cues::Cues;
use self::filter::Filter;
use self::input::{InputLimits, InputQueue, Undelivered};
use self::life::Life;
use self::log::{OutputBuf, OutputLog};
use self::marks::Marks;
use self::modes::Modes;
use self::printing::Place;
use self::respawn::{Generation, Respawn, RespawnLimits};
use self::sizing::{Resize, Sizing};
pub use self::typing::{InputRefused, Typed};
use crate::clock::Moment;
use crate::geometry::Size;
use crate::host::{Exit, Terminal};
use crate::ids::PaneId;
use crate::protocol::client::{SizePolicy, WakePolicy};
use crate::protocol::frame::Channel;
use crate::protocol::server::{PaneInfo, PaneStatus};

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
    /// How long input waits for a node that is away, before it is given back.
    pub away_age: Duration,
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
    /// Wake the pane's node.
    pub wake: bool,
    /// Something other than the program's output went into the log of a live program: whoever takes over must be told.
    pub checkpoint: bool,
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
    /// Where its shell shows prompts and runs commands.
    pub marks: Marks,
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
    /// What its terminals run instead of the shell.
    command: Option<Vec<String>>,
    /// Where the next terminal starts.
    node: String,
    /// Where the newest one was started.
    terminal_node: String,
    node_state: NodeState,
    /// The newest terminal may live on, on a node that can't be reached.
    away: bool,
    /// It comes from before a restart of the gateway: its terminal may be newer than what was saved.
    restored: bool,
    /// Its offsets go on from where they were saved, for viewers of the gateway before: only what its terminal printed
    /// then may come next.
    provisional: bool,
    /// It was moved to another node since that terminal was started.
    moved: bool,
    /// What is to be started once the node is there.
    wanted: Option<Wanted>,
    /// How much the newest terminal has printed, in bytes.
    printed: u64,
    /// How often something other than that went into the log since the terminal was started.
    insertions: u64,
    /// Such a thing did, so that a gateway that takes over must be told.
    unplaced: bool,
    /// Of that, how much was given to another gateway before: its queries are not answered again.
    given: u64,
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
    /// The node it is on.
    pub node: String,
    /// What its terminals run instead of the shell.
    pub command: Option<Vec<String>>,
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
            marks: Marks::default(),
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
            terminal_node: birth.node.clone(),
            node: birth.node,
            command: birth.command,
            node_state: NodeState::Up,
            away: false,
            restored: false,
            provisional: false,
            moved: false,
            wanted: None,
            printed: 0,
            insertions: 0,
            unplaced: false,
            given: 0,
        }
    }

    /// Puts back the screen from before a restart of the gateway, from a snapshot of it.
    pub fn restore_screen(&mut self, snapshot: &[u8], now: Moment) {
        self.print_own(snapshot, now);
        self.note_size(now.at, &mut Effects::default());
    }

    /// Turns off what a dead program left on.
    pub fn reset_input(&mut self, now: Moment) {
        let mut reset = self.filter.end().to_vec();
        self.filter.modes().input_reset(&mut reset);
        self.print_in_place(&reset, now);
    }

    /// Goes on at a place in the output of a program that outlived the gateway. Returns what to give a fresh screen,
    /// so that it shows what `snapshot` does; the log begins after it.
    pub fn restore_at(&mut self, place: Place, snapshot: &[u8]) -> Vec<u8> {
        self.at_line_start = place.at_line_start;
        self.insertions = place.insertions;
        self.log.continues(place.whole_from);
        let clean = self.filter.feed(OutputBuf::copy_of(snapshot), &mut |_, _| {}).payload().to_vec();
        self.filter.part(place.parted);
        self.marks = Marks::restored(place.prompt);
        clean
    }

    /// How many prompts its shells have shown.
    #[must_use]
    pub fn prompts(&self) -> u64 {
        self.marks.prompts()
    }

    /// The modes that its program has set.
    #[must_use]
    pub fn modes(&self) -> &Modes {
        self.filter.modes()
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

    /// What its terminals run, if that is not the shell.
    #[must_use]
    pub fn command(&self) -> Option<&[String]> {
        self.command.as_deref()
    }

    /// The directory of its last terminal means nothing for the next one: that starts where its node has it.
    fn forget_directory(&mut self) {
        (self.told_cwd, self.seen_cwd, self.first_cwd) = (None, None, PathBuf::new());
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
        if let Some(waiting) = self.waiting_status() {
            return waiting;
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
            node: self.node.clone(),
            command: self.command.clone(),
            shell: self.activity.shell().cloned(),
            progress: self.activity.progress(),
            notification: self.activity.notification().cloned(),
        }
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
            self.diverge();
            self.log.note_resize(now);
            self.unplaced = self.life.started.is_some();
            self.insertions += 1;
            effects.checkpoint = self.unplaced;
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

    /// How long input waits for a terminal before it is given back.
    fn held_for(&self) -> Duration {
        if self.waiting_status().is_some() { self.limits.away_age } else { self.limits.input.age }
    }

    fn look_at_expiry(&self, effects: &mut Effects) {
        if let Some(at) = self.queue.expires_at(self.held_for()) {
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
                effects.give_back(self.queue.expire(now, self.held_for()), "input_expired");
                self.forget_typed_start();
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
