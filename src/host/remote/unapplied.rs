//! The gateway's end of a terminal's input: what its program may not have got yet, so that it can be sent again over the
//! next connection. Each byte has an offset; the node takes each offset once.

use std::collections::VecDeque;

use bytes::Bytes;

use super::INPUT_WINDOW;
use super::frame::{FrameError, Number, ToNode};

/// How much of it goes into one frame: enough for any key, little enough not to hold up others' keys.
const SLICE: usize = 16 << 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Unapplied {
    /// The offset of the first byte of `bytes`: what came before was applied, or is void.
    base: u64,
    bytes: VecDeque<u8>,
    /// Up to here it was sent over this connection.
    sent: u64,
    /// Where the key is that interrupts. Everything before it is void, so it is the first byte when it is there.
    interrupt: Option<u64>,
}

/// What became of input when its terminal ended without a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forgotten {
    /// So many bytes were sent: nobody knows.
    pub(super) perhaps: usize,
    /// These were not.
    pub(super) not: Vec<u8>,
}

impl Unapplied {
    /// None, of a terminal that got `offset` bytes before.
    pub(super) fn at(offset: u64) -> Unapplied {
        Unapplied { base: offset, bytes: VecDeque::new(), sent: offset, interrupt: None }
    }

    fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    pub(super) fn has_room(&self) -> bool {
        self.bytes.len() < INPUT_WINDOW
    }

    /// Takes as many of the first bytes as there is room for, and returns how many.
    pub(super) fn push(&mut self, input: &[u8]) -> usize {
        let taken = input.len().min(INPUT_WINDOW.saturating_sub(self.bytes.len()));
        self.bytes.extend(&input[..taken]);
        taken
    }

    /// Takes a key that interrupts: what was typed before is void.
    pub(super) fn interrupt(&mut self, key: u8) {
        self.base = self.end();
        self.bytes = VecDeque::from([key]);
        self.sent = self.base;
        self.interrupt = Some(self.base);
    }

    /// The next frame for the node, if anything is left to send.
    pub(super) fn next(&mut self, number: Number) -> Option<ToNode> {
        let offset = self.sent;
        let start = usize::try_from(offset - self.base).ok()?;
        if self.interrupt == Some(offset) {
            self.sent += 1;
            return self.bytes.front().map(|key| ToNode::Interrupt { number, offset, key: *key });
        }
        let bytes: Bytes = self.bytes.range(start..).take(SLICE).copied().collect();
        self.sent += bytes.len() as u64;
        (!bytes.is_empty()).then_some(ToNode::Input { number, offset, bytes })
    }

    pub(super) fn is_all_sent(&self) -> bool {
        self.sent == self.end()
    }

    /// The node says that the program has input up to `offset`.
    pub(super) fn applied(&mut self, offset: u64) -> Result<(), FrameError> {
        if offset > self.sent.max(self.base) {
            return Err(FrameError::OutOfTurn { what: "input was applied that was never sent" });
        }
        let count = usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.bytes.drain(..count.min(self.bytes.len()));
        self.base = self.base.max(offset);
        self.interrupt = self.interrupt.filter(|at| *at >= self.base);
        Ok(())
    }

    /// Goes on over a new connection, where the node has `received` so much and its program `applied` so much.
    pub(super) fn resume(&mut self, received: u64, applied: u64) {
        if received > self.end() {
            // Another process spoke for this gateway meanwhile: what it sent came after ours.
            *self = Unapplied::at(received);
            return;
        }
        self.sent = received.max(self.base);
        self.applied(applied).expect("no more is applied than was received");
    }

    /// What a program that got input up to `applied` did not get; not the key that was to interrupt it.
    pub(super) fn after(&self, applied: u64) -> Vec<u8> {
        let start = applied.max(self.base).max(self.interrupt.map_or(0, |at| at + 1));
        let skip = usize::try_from(start - self.base).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes.range(skip..).copied().collect()
    }

    /// What became of it, if the node knows the terminal no more.
    pub(super) fn forgotten(&self) -> Forgotten {
        let not = self.after(self.sent);
        Forgotten { perhaps: self.after(self.base).len() - not.len(), not }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: Number = Number(1);

    fn input(offset: u64, bytes: &'static [u8]) -> Option<ToNode> {
        Some(ToNode::Input { number: NUMBER, offset, bytes: Bytes::from_static(bytes) })
    }

    #[test]
    fn what_was_not_received_is_sent_again() {
        let mut unapplied = Unapplied::at(10);
        assert_eq!(unapplied.push(b"abcdef"), 6);
        assert_eq!(unapplied.next(NUMBER), input(10, b"abcdef"));
        assert!(unapplied.is_all_sent());
        unapplied.resume(13, 12);
        assert_eq!(unapplied.next(NUMBER), input(13, b"def"));
        assert_eq!(unapplied.next(NUMBER), None);
        assert_eq!(unapplied.after(14), b"ef");
    }

    #[test]
    fn an_interrupt_voids_what_was_typed_before_it() {
        let mut unapplied = Unapplied::at(0);
        unapplied.push(b"abc");
        unapplied.next(NUMBER);
        unapplied.push(b"def");
        unapplied.interrupt(3);
        unapplied.push(b"x");
        let interrupt = Some(ToNode::Interrupt { number: NUMBER, offset: 6, key: 3 });
        assert_eq!(unapplied.next(NUMBER), interrupt);
        assert_eq!(unapplied.next(NUMBER), input(7, b"x"));
        unapplied.applied(2).unwrap();
        unapplied.resume(3, 2);
        assert_eq!(unapplied.next(NUMBER), interrupt);
        assert_eq!(unapplied.forgotten(), Forgotten { perhaps: 0, not: b"x".to_vec() });
        assert_eq!(unapplied.next(NUMBER), input(7, b"x"));
        assert_eq!(unapplied.forgotten(), Forgotten { perhaps: 1, not: vec![] });
        unapplied.applied(7).unwrap();
        assert_eq!(unapplied.after(7), b"x");
    }

    #[test]
    fn no_more_is_taken_than_the_window_and_none_is_applied_that_was_not_sent() {
        let mut unapplied = Unapplied::at(0);
        assert_eq!(unapplied.push(&[b'x'; INPUT_WINDOW + 1]), INPUT_WINDOW);
        assert!(!unapplied.has_room());
        assert_eq!(unapplied.push(b"y"), 0);
        assert!(unapplied.applied(1).is_err());
        unapplied.next(NUMBER);
        unapplied.applied(1).unwrap();
        assert_eq!(unapplied.push(b"yz"), 1);
        unapplied.resume(1 << 40, 0);
        assert_eq!(unapplied.push(b"yz"), 2);
        assert_eq!(unapplied.next(NUMBER), input(1 << 40, b"yz"));
    }
}
