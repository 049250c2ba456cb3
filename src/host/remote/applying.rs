//! The node's end of a terminal's input: takes each offset once, and gives the program as much as it takes.

use super::INPUT_WINDOW;
use super::frame::FrameError;
use crate::host::Terminal;
use crate::pane::line_gate::LineGate;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Applying {
    /// The offset after the last byte received.
    received: u64,
    /// What was received and the program has not got.
    waiting: Vec<u8>,
    gate: LineGate,
}

impl Applying {
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// How much the program got, or will never get.
    pub(super) fn applied(&self) -> u64 {
        self.received - self.waiting.len() as u64
    }

    /// Whether some of it waits for the program.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes input of which the first byte is at `offset`; what was received before is left out.
    pub(super) fn take(&mut self, offset: u64, input: &[u8]) -> Result<(), FrameError> {
        let known =
            self.received.checked_sub(offset).ok_or(FrameError::OutOfTurn { what: "input is missing" })?;
        let known = usize::try_from(known).unwrap_or(usize::MAX).min(input.len());
        let new = &input[known..];
        // What a key that did not interrupt after all left waiting is not counted by the gateway any more.
        if self.waiting.len() + new.len() > 2 * INPUT_WINDOW {
            return Err(FrameError::OutOfTurn { what: "more input than the window" });
        }
        self.waiting.extend_from_slice(new);
        self.received += new.len() as u64;
        Ok(())
    }

    /// Takes a key at `offset` that interrupts. If the terminal takes it for something else by now, it is a key like
    /// any other, behind what waits.
    pub(super) fn interrupt(&mut self, offset: u64, key: u8, terminal: &dyn Terminal) {
        if offset < self.received {
            return;
        }
        let interrupted = terminal.interrupt(key);
        if interrupted || self.waiting.len() >= INPUT_WINDOW {
            self.waiting.clear();
            self.gate.clear();
        }
        if !interrupted {
            self.waiting.push(key);
        }
        self.received = offset + 1;
    }

    /// Gives the program as much as it takes now.
    pub(super) fn apply(&mut self, terminal: &dyn Terminal) {
        if self.is_waiting() {
            let taken = self.gate.write(terminal, &self.waiting);
            self.waiting.drain(..taken);
        }
    }
}
