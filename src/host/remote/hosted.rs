//! One terminal as the node's end of the link knows it: what its program printed and was given, what the gateway is to
//! be told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;

use super::INPUT_WINDOW;
use super::applying::Applying;
use super::frame::{Ended, Facts, FrameError, Hello, KeptTerminal, Number, ToGateway};
use super::ring::{Ring, Spare};
use super::turns::Load;
use crate::geometry::Size;
use crate::host::{Checkpoint, Exit, Kept, Terminal, Unwritten};
use crate::ids::PaneId;
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;

/// So much unsent output, in bytes, is like the echo of a key, not like a flood.
const SMALL: u64 = 4 << 10;

/// So much applied input, in bytes, is told at once: a gateway may wait for room. Less goes behind the output that it
/// brings, or is told at the next look, so that no frame of its own is in the way of a key's echo.
const APPLIED_AT_ONCE: u64 = INPUT_WINDOW as u64 / 4;

/// For how long after it was used a terminal is looked at closely: what a key does to it shows by then, mostly.
const LOOK_FOR: Duration = Duration::from_millis(300);

/// What a program prints so soon after its size has changed is mostly its screen, drawn anew: nobody uses it for that.
const REDRAWS_FOR: Duration = Duration::from_millis(500);

/// See the module.
pub(super) struct Hosted {
    pub(super) pane: PaneId,
    pub(super) generation: Generation,
    /// Tells it from another terminal that had the same number.
    pub(super) serial: u64,
    pub(super) terminal: Arc<dyn Terminal>,
    pub(super) ring: Ring,
    /// Set off when there may be room in the ring again.
    room: Arc<Notify>,
    pub(super) input: Applying,
    pub(super) checkpoint: Option<Checkpoint>,
    /// Up to where its output was sent over this connection, if it is to be reported.
    sent: Option<u64>,
    /// Up to where it was ever sent.
    given: u64,
    /// How much input the gateway knows that the program has.
    applied_told: u64,
    /// Whether it should be told what it does not know, however little.
    applied_due: bool,
    facts: Facts,
    facts_told: bool,
    /// When something went in or out last.
    used_at: Instant,
    /// The same without what came of a change of its size.
    idle_since: Instant,
    /// When its size was last changed.
    resized_at: Option<Instant>,
    perhaps: usize,
    unwritten: Vec<u8>,
    exit: Option<Exit>,
    exit_told: bool,
}

impl Hosted {
    pub(super) fn new(
        (pane, generation): (PaneId, Generation),
        serial: u64,
        terminal: Arc<dyn Terminal>,
        ring: Ring,
        room: Arc<Notify>,
        now: Instant,
    ) -> Hosted {
        Hosted {
            pane,
            generation,
            serial,
            terminal,
            ring,
            room,
            input: Applying::default(),
            checkpoint: None,
            sent: None,
            given: 0,
            applied_told: 0,
            applied_due: false,
            facts: Facts::default(),
            facts_told: false,
            used_at: now,
            idle_since: now,
            resized_at: None,
            perhaps: 0,
            unwritten: Vec::new(),
            exit: None,
            exit_told: false,
        }
    }

    // What its program does.

    pub(super) fn printed(&mut self, output: OutputBuf, spare: Spare, now: Instant) {
        self.ring.push(output, spare);
        self.used_at = now;
        if self.resized_at.is_none_or(|at| now.saturating_duration_since(at) >= REDRAWS_FOR) {
            self.idle_since = now;
        }
    }

    /// Whether the program should wait. While the gateway is `away` it prints on for as long as all stays that follows
    /// the checkpoint: there the next gateway goes on.
    pub(super) fn is_full(&self, away: bool) -> bool {
        let held = self.ring.range();
        let checkpoint = self.checkpoint.as_ref().map(|checkpoint| checkpoint.printed);
        match checkpoint.filter(|printed| away && held.start <= *printed && *printed <= held.end) {
            Some(printed) => self.ring.is_full_from(printed),
            None => self.ring.is_full(),
        }
    }

    /// How much there is to report, if anything.
    pub(super) fn load(&self) -> Load {
        let unsent = self.sent.map_or(0, |sent| self.ring.head() - sent);
        if unsent <= SMALL { Load::Small } else { Load::Bulk }
    }

    /// Input that the terminal took did not get to its program.
    pub(super) fn unwritten(&mut self, input: Unwritten) {
        match input {
            Unwritten::Not(bytes) => {
                let fits = bytes.len().min(INPUT_WINDOW - self.unwritten.len());
                self.unwritten.extend_from_slice(&bytes[..fits]);
                self.perhaps += bytes.len() - fits;
            }
            Unwritten::Perhaps(bytes) => self.perhaps += bytes,
        }
        self.perhaps = self.perhaps.min(INPUT_WINDOW);
    }

    pub(super) fn exited(&mut self, exit: Exit) {
        self.exit = Some(exit);
    }

    pub(super) fn has_exited(&self) -> bool {
        self.exit.is_some()
    }

    /// Gives the program what waits for it. The gateway, which may wait for room, is told what became of it.
    pub(super) fn apply(&mut self) {
        self.applied_due = true;
        self.give();
    }

    fn give(&mut self) {
        if self.exit.is_none() {
            self.input.apply(&*self.terminal);
        }
    }

    // What the gateway says.

    pub(super) fn type_in(&mut self, offset: u64, input: &[u8], now: Instant) -> Result<(), FrameError> {
        self.input.take(offset, input)?;
        self.used(now);
        self.give();
        Ok(())
    }

    pub(super) fn interrupt(&mut self, offset: u64, key: u8, now: Instant) {
        self.input.interrupt(offset, key, &*self.terminal);
        self.used(now);
        self.give();
    }

    fn used(&mut self, now: Instant) {
        (self.used_at, self.idle_since) = (now, now);
    }

    pub(super) fn resize(&mut self, size: Size, now: Instant) {
        self.resized_at = Some(now);
        self.terminal.resize(size);
    }

    pub(super) fn resume(&mut self, from: u64) -> Result<(), FrameError> {
        let held = self.ring.range();
        if from < held.start || from > held.end {
            return Err(FrameError::OutOfTurn { what: "output is asked for that is not kept" });
        }
        self.ring.rewind(from);
        // Less than it looked like while the gateway was greeted, and perhaps too little to be acknowledged soon.
        self.room.notify_waiters();
        self.sent = Some(from);
        // The answer says how much input is there: whoever waits to write learns whether there is room.
        (self.applied_told, self.applied_due) = (u64::MAX, true);
        (self.facts_told, self.exit_told) = (false, false);
        Ok(())
    }

    pub(super) fn acknowledge(&mut self, printed: u64) {
        self.ring.acknowledge(printed);
        self.room.notify_waiters();
    }

    /// The connection is gone.
    pub(super) fn unlink(&mut self) {
        self.sent = None;
        // A ring may hold more, or drop what is oldest, while nobody is there.
        self.room.notify_waiters();
    }

    /// Whether so much input was applied that the gateway is to be told at once.
    pub(super) fn has_applied_much(&self) -> bool {
        self.input.applied().saturating_sub(self.applied_told) >= APPLIED_AT_ONCE
    }

    // What is looked at from time to time.

    /// Whether it is worth a close look.
    pub(super) fn is_in_use(&self, now: Instant) -> bool {
        self.exit.is_none()
            && (self.input.is_waiting() || now.saturating_duration_since(self.used_at) < LOOK_FOR)
    }

    /// Takes what was seen of it; whether there is anything to tell.
    pub(super) fn learn(&mut self, seen: Facts) -> bool {
        let news = Facts { idle_ms: self.facts.idle_ms, ..seen.clone() } != self.facts;
        if news {
            self.facts = seen;
            self.facts_told = false;
        }
        news || self.applied_told != self.input.applied()
    }

    /// For how long neither its user nor its program did anything.
    pub(super) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.idle_since)
    }

    // What is said to the gateway.

    /// What is said of it to a new connection. All of it stays as it was said until it is resumed.
    pub(super) fn kept(&mut self, number: Number) -> ToGateway {
        self.ring.rewind(self.ring.range().start);
        let kept = Kept {
            pane: self.pane,
            generation: self.generation,
            output: self.ring.range(),
            given: self.given,
            checkpoint: self.checkpoint.clone(),
        };
        let (received, applied) = (self.input.received(), self.input.applied());
        ToGateway::Kept(Box::new(KeptTerminal { number, kept, received, applied }))
    }

    /// The next frame that the gateway is to be sent.
    pub(super) fn next(&mut self, number: Number, hello: &Hello, now: Instant) -> Option<Bytes> {
        let sent = self.sent?;
        if !self.facts_told {
            self.facts_told = true;
            let idle_ms = u64::try_from(self.idle(now).as_millis()).unwrap_or(u64::MAX);
            return Some(
                ToGateway::Facts { number, facts: Facts { idle_ms, ..self.facts.clone() } }.encode(),
            );
        }
        if self.has_applied_much() {
            return Some(self.tell_applied(number));
        }
        if sent.saturating_sub(self.ring.acknowledged()) < u64::from(hello.window_bytes)
            && let Some((frame, next)) = self.ring.read(sent)
        {
            self.sent = Some(next);
            self.given = self.given.max(next);
            self.applied_due = true;
            return Some(frame);
        }
        if self.applied_due && self.applied_told != self.input.applied() {
            return Some(self.tell_applied(number));
        }
        let exit = self.exit.clone().filter(|_| !self.exit_told && sent == self.ring.head())?;
        self.exit_told = true;
        let ended = Ended {
            exit,
            printed: sent,
            applied: self.input.applied(),
            perhaps: self.perhaps,
            unwritten: self.unwritten.clone().into(),
        };
        Some(ToGateway::Exited { number, ended }.encode())
    }

    fn tell_applied(&mut self, number: Number) -> Bytes {
        (self.applied_told, self.applied_due) = (self.input.applied(), false);
        ToGateway::Applied { number, offset: self.applied_told }.encode()
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        // Nobody waits for what a forgotten terminal prints: it is to end.
        self.room.notify_waiters();
    }
}

/// What there is to see of a terminal. Asks the system, and so may take a moment.
pub(super) fn look(terminal: &dyn Terminal) -> Facts {
    Facts {
        raw: terminal.reads_raw(),
        interrupt_keys: terminal.interrupt_keys(),
        // What is no text has no place in JSON.
        cwd: terminal.cwd().filter(|cwd| cwd.to_str().is_some()),
        foreground: terminal.foreground(),
        idle_ms: 0,
    }
}
