//! Input on its way through a pane: written at once, held for a program that is not there or not ready, or refused.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::away::Wanted;
use super::input::{InputFull, Message, Undelivered};
use super::readiness::Verdict;
use super::reports::{self, Kind};
use super::respawn::Generation;
use super::{Effects, Pane};
use crate::host::{Terminal, Unwritten};
use crate::ids::ViewerId;
use crate::protocol::client::WakePolicy;
use crate::protocol::frame::InputKind;

/// How soon to look again at input that the line discipline has no room for.
const LINE_RETRY: Duration = Duration::from_millis(20);

/// How long after Enter the program's directory is asked for: what was typed has run by then, mostly.
pub(super) const CWD_AFTER_ENTER: Duration = Duration::from_millis(250);

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

impl Pane {
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

    /// Whether input for a terminal that there is goes to it at once: nothing waits, and nothing is waited for.
    #[must_use]
    pub fn delivers_at_once(&self) -> bool {
        self.queue.is_empty() && self.life.readiness.is_none()
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
            let taken = self.life.gate.write(terminal, &bytes);
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
        // Also a key that finds no room starts the program: what is in its way waits for that.
        let held = self.hold(typed, &keys, now, effects);
        self.note_typing(typed.viewer, &keys, now, None, effects);
        let wakes = match self.settings.wake {
            WakePolicy::AnyKey => true,
            WakePolicy::Enter => keys.iter().any(|byte| matches!(byte, b'\r' | b'\n')),
            WakePolicy::Manual => false,
        };
        if wakes && self.node_is_there(Wanted::Typed, effects) {
            let decision = self.respawn.wanted(now);
            self.decide(decision, effects);
        }
        self.look_at_expiry(effects);
        held
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
        // Who looks at nothing has no say in its size.
        if viewer != ViewerId::NOBODY && self.sizing.typist() != Some(viewer) {
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
    pub(super) fn deliver(&mut self, now: Instant, terminal: &dyn Terminal, effects: &mut Effects) {
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
        let taken = self.life.gate.write(terminal, self.queue.waiting());
        self.queue.delivered(taken);
        effects.info |= taken > 0;
        if !self.queue.waiting().is_empty() {
            // Either the PTY is full, which its host reports, or the line is, which nothing reports.
            effects.look_at(now + LINE_RETRY);
        }
    }

    /// Input that the terminal of a generation had taken did not get to its program, or perhaps did not. What surely
    /// did not waits for the next program, before all that was typed since.
    pub fn unwritten(
        &mut self,
        generation: Generation,
        input: Unwritten,
        now: Instant,
        effects: &mut Effects,
    ) {
        if generation != self.generation() {
            return;
        }
        // Whoever typed last, mostly; nobody knows whose each byte was.
        let owner = self.sizing.typist().unwrap_or(ViewerId::NOBODY);
        match input {
            Unwritten::Not(bytes) => self.queue.put_back(owner, &bytes, now),
            Unwritten::Perhaps(bytes) => {
                effects.give_back(vec![Undelivered { owner, bytes }], "input_uncertain");
            }
        }
        effects.info = true;
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
        self.forget_typed_start();
    }
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
