//! The lives of a pane's terminals: each is asked for, comes up or fails, and ends.

use std::time::Instant;

use super::away::Wanted;
use super::line_gate::LineGate;
use super::readiness::Readiness;
use super::respawn::{Decision, Generation};
use super::{Effects, End, Pane, notice};
use crate::clock::Moment;
use crate::host::{Exit, Terminal};

/// The life of the newest terminal.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) started: Option<Instant>,
    pub(super) printed: bool,
    /// Until the fresh program is ready for the input that waited.
    pub(super) readiness: Option<Readiness>,
    pub(super) gate: LineGate,
    /// When to ask for the program's directory.
    pub(super) cwd_at: Option<Instant>,
}

impl Pane {
    /// Somebody asks outright for a terminal.
    pub fn ask_for_terminal(&mut self, effects: &mut Effects) {
        if self.life.started.is_some() && !self.away {
            return;
        }
        if self.node_is_there(Wanted::Asked, effects) {
            let decision = self.respawn.requested();
            self.decide(decision, effects);
        }
    }

    pub(super) fn decide(&mut self, decision: Decision, effects: &mut Effects) {
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
        if self.end != End::Never {
            let mut line = self.filter.end().to_vec();
            self.filter.modes().screen_reset(&mut line);
            notice::separator(&mut line, self.on_fresh_line(), &self.end, note, now.unix_ms);
            self.print_own(&line, now);
        } else if let Some(note) = note {
            let mut line = Vec::new();
            notice::line(&mut line, true, note);
            self.print_own(&line, now);
        }
        (self.printed, self.given, self.insertions, self.wanted) = (0, 0, 0, None);
        (self.moved, self.restored, self.unplaced) = (false, false, true);
        self.node.clone_into(&mut self.terminal_node);
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
        let was_away = std::mem::take(&mut self.away);
        self.activity.end();
        effects.output |= self.diverge();
        // Nothing more comes in again.
        self.log.set_refilling(false);
        self.marks.end(self.log.head());
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
        if was_away && !effects.close {
            self.start_if_wanted(now, effects);
        }
        true
    }

    /// Whether its last program has ended, and no other is about to start.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.end != End::Never && !self.away && self.life.started.is_none() && !self.respawn.is_starting()
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
}
