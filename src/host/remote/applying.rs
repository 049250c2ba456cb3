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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::geometry::Size;

    /// A terminal that reads raw, takes so much input, and is interrupted or not.
    #[derive(Debug, Default)]
    struct Reader {
        room: usize,
        interrupts: bool,
        read: Mutex<Vec<u8>>,
    }

    impl Terminal for Reader {
        fn start(&self) {}

        fn write(&self, input: &[u8]) -> usize {
            let mut read = self.read.lock().unwrap();
            let taken = input.len().min(self.room - read.len());
            read.extend_from_slice(&input[..taken]);
            taken
        }

        fn interrupt(&self, key: u8) -> bool {
            if self.interrupts {
                self.read.lock().unwrap().push(key);
            }
            self.interrupts
        }

        fn resize(&self, _: Size) {}

        fn kill(&self) {}

        fn reads_raw(&self) -> bool {
            true
        }

        fn cwd(&self) -> Option<std::path::PathBuf> {
            None
        }

        fn foreground(&self) -> Option<String> {
            None
        }
    }

    #[test]
    fn each_offset_is_taken_once() {
        let reader = Reader { room: 4, ..Reader::default() };
        let mut input = Applying::default();
        for (offset, bytes) in [(0, &b"abc"[..]), (0, b"abc"), (1, b"bcde"), (5, b"f"), (2, b"cd")] {
            input.take(offset, bytes).unwrap();
            input.apply(&reader);
        }
        assert_eq!((input.received(), input.applied()), (6, 4));
        assert_eq!(*reader.read.lock().unwrap(), b"abcd");
        assert!(input.take(7, b"x").is_err(), "something is missing before it");
        assert!(input.take(6, &[b'x'; 2 * INPUT_WINDOW]).is_err(), "nobody may send so much");
    }

    #[test]
    fn an_interrupt_is_heard_once_and_voids_what_waits() {
        let reader = Reader { room: 1, interrupts: true, ..Reader::default() };
        let mut input = Applying::default();
        input.take(0, b"abc").unwrap();
        input.apply(&reader);
        input.interrupt(9, 3, &reader);
        input.interrupt(9, 3, &reader);
        assert_eq!(*reader.read.lock().unwrap(), b"a\x03");
        assert_eq!((input.received(), input.applied()), (10, 10));
    }

    #[test]
    fn a_key_that_does_not_interrupt_after_all_waits_its_turn() {
        let reader = Reader { room: 9, ..Reader::default() };
        let mut input = Applying::default();
        input.take(0, b"abc").unwrap();
        input.interrupt(5, 3, &reader);
        input.apply(&reader);
        assert_eq!(*reader.read.lock().unwrap(), b"abc\x03");
        assert_eq!((input.received(), input.applied()), (6, 6));
    }
}
