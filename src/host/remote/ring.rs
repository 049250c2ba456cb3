//! The newest output of one terminal, as frames ready to be sent, addressed by the offset since its program's start.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

use super::frame::{Number, into_output_frame, output_frame, output_payload};
use super::unacknowledged_share;
use crate::pane::log::OutputBuf;
use crate::protocol::MAX_OUTPUT_BYTES;

/// What small pieces are joined into when there are too many of them, at most: as they are dropped whole, not more than
/// an eighth of the ring.
const JOINED: usize = 16 << 10;

/// More pieces than this, and what a full ring of joined ones has, are joined.
const MAX_PIECES: usize = 512;

/// What goes when the ring is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spare {
    /// Nothing that is not acknowledged: the program has to wait.
    Unacknowledged,
    /// Nothing.
    Nothing,
}

#[derive(Debug)]
struct Piece {
    offset: u64,
    frame: Bytes,
}

impl Piece {
    fn payload(&self) -> &[u8] {
        output_payload(&self.frame)
    }

    fn end(&self) -> u64 {
        self.offset + self.payload().len() as u64
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Ring {
    number: Number,
    capacity: usize,
    pieces: VecDeque<Piece>,
    /// How many bytes they hold.
    held: usize,
    /// How much was printed.
    head: u64,
    /// How much of that is acknowledged.
    acknowledged: u64,
}

impl Ring {
    /// An empty one. It holds the newest `capacity` bytes, and what a piece has that begins before them.
    pub(super) fn new(number: Number, capacity: usize) -> Ring {
        Ring { number, capacity, pieces: VecDeque::new(), held: 0, head: 0, acknowledged: 0 }
    }

    /// What it holds.
    pub(super) fn range(&self) -> Range<u64> {
        self.head - self.held as u64..self.head
    }

    pub(super) fn head(&self) -> u64 {
        self.head
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Whether so much waits to be acknowledged that the program should wait.
    pub(super) fn is_full(&self) -> bool {
        self.head.saturating_sub(self.acknowledged) >= unacknowledged_share(self.capacity)
    }

    /// Whether the program should wait, so that nothing goes of what follows `offset` or was not acknowledged.
    pub(super) fn is_full_from(&self, offset: u64) -> bool {
        self.head + MAX_OUTPUT_BYTES as u64 > offset.min(self.acknowledged) + self.capacity as u64
    }

    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    /// Takes what the program printed.
    pub(super) fn push(&mut self, output: OutputBuf, spare: Spare) {
        if output.payload().len() <= MAX_OUTPUT_BYTES {
            self.append(into_output_frame(self.number, self.head, output));
        } else {
            for part in output.payload().chunks(MAX_OUTPUT_BYTES) {
                self.append(output_frame(self.number, self.head, &[part]));
            }
        }
        let (held_from, acknowledged) = (self.head.saturating_sub(self.capacity as u64), self.acknowledged);
        let may_go = |piece: &mut Piece| {
            piece.end() <= held_from && (spare == Spare::Nothing || piece.end() <= acknowledged)
        };
        while let Some(oldest) = self.pieces.pop_front_if(may_go) {
            self.held -= oldest.payload().len();
        }
        if self.pieces.len() > MAX_PIECES + 2 * self.held / self.joined() {
            self.join();
        }
    }

    fn append(&mut self, frame: Bytes) {
        let (offset, length) = (self.head, output_payload(&frame).len());
        if length > 0 {
            self.pieces.push_back(Piece { offset, frame });
            self.head += length as u64;
            self.held += length;
        }
    }

    /// Output up to `offset` is in the gateway's hands.
    pub(super) fn acknowledge(&mut self, offset: u64) {
        self.acknowledged = self.acknowledged.max(offset).min(self.head);
    }

    /// A gateway has what is before `offset`, and not what follows, whatever was acknowledged before.
    pub(super) fn rewind(&mut self, offset: u64) {
        self.acknowledged = offset;
    }

    /// The frame with the output from `offset` on, and where the next one begins; `None` if there is none yet.
    pub(super) fn read(&self, offset: u64) -> Option<(Bytes, u64)> {
        let index = self.pieces.partition_point(|piece| piece.end() <= offset);
        let piece = self.pieces.get(index)?;
        let skip = usize::try_from(offset.checked_sub(piece.offset)?).ok()?;
        let frame = match skip {
            0 => piece.frame.clone(),
            skip => output_frame(self.number, offset, &[&piece.payload()[skip..]]),
        };
        Some((frame, piece.end()))
    }

    fn joined(&self) -> usize {
        JOINED.min(self.capacity / 8).max(1)
    }

    fn join(&mut self) {
        let mut joined: VecDeque<Piece> = VecDeque::with_capacity(self.pieces.len() / 2);
        let mut run: Vec<Piece> = Vec::new();
        let mut run_bytes = 0;
        for piece in std::mem::take(&mut self.pieces) {
            let length = piece.payload().len();
            if run_bytes + length > self.joined() {
                joined.extend(self.join_run(&mut run));
                run_bytes = 0;
            }
            run_bytes += length;
            run.push(piece);
        }
        joined.extend(self.join_run(&mut run));
        self.pieces = joined;
    }

    fn join_run(&self, run: &mut Vec<Piece>) -> Option<Piece> {
        if run.len() <= 1 {
            return run.pop();
        }
        let offset = run.first()?.offset;
        let parts: Vec<&[u8]> = run.iter().map(Piece::payload).collect();
        let frame = output_frame(self.number, offset, &parts);
        run.clear();
        Some(Piece { offset, frame })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(ring: &Ring, from: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut at = from;
        while let Some((frame, next)) = ring.read(at) {
            assert!(next > at);
            bytes.extend_from_slice(output_payload(&frame));
            at = next;
        }
        assert_eq!(at, ring.head());
        bytes
    }

    #[test]
    fn it_is_full_of_what_is_not_acknowledged_and_drops_only_what_is() {
        let mut ring = Ring::new(Number(1), 100);
        for _ in 0..7 {
            ring.push(OutputBuf::copy_of(&[b'x'; 20]), Spare::Unacknowledged);
        }
        assert!(ring.is_full());
        assert_eq!(ring.range(), 0..140);
        ring.acknowledge(116);
        assert!(!ring.is_full());
        ring.push(OutputBuf::copy_of(b"y"), Spare::Unacknowledged);
        assert_eq!(ring.range(), 40..141, "the newest 100, and the rest of a piece");
        ring.push(OutputBuf::copy_of(&[b'z'; 100]), Spare::Nothing);
        assert_eq!(ring.range(), 141..241);
    }

    #[test]
    fn what_follows_a_checkpoint_is_kept_though_most_of_it_is_acknowledged() {
        let mut ring = Ring::new(Number(1), 16 * MAX_OUTPUT_BYTES);
        let print = |ring: &mut Ring| {
            ring.push(OutputBuf::copy_of(&[b'x'; MAX_OUTPUT_BYTES]), Spare::Unacknowledged);
        };
        print(&mut ring);
        let checkpoint = ring.head() - 1;
        for _ in 0..10 {
            print(&mut ring);
            ring.acknowledge(ring.head());
        }
        while !ring.is_full() {
            print(&mut ring);
        }
        assert!(ring.range().contains(&checkpoint));
    }

    #[test]
    fn it_is_full_from_where_something_would_go_that_follows() {
        let mut ring = Ring::new(Number(1), 3 * MAX_OUTPUT_BYTES);
        let print = |ring: &mut Ring| {
            ring.push(OutputBuf::copy_of(&[b'x'; MAX_OUTPUT_BYTES]), Spare::Unacknowledged);
        };
        print(&mut ring);
        let checkpoint = ring.head() - 1;
        ring.acknowledge(checkpoint);
        let mut times = 0;
        while !ring.is_full_from(checkpoint) {
            print(&mut ring);
            times += 1;
        }
        assert_eq!(times, 2);
        assert!(ring.is_full_from(ring.head()), "of what is not acknowledged");
        ring.acknowledge(ring.head());
        assert!(!ring.is_full_from(ring.head()));
        assert!(ring.range().contains(&checkpoint));
        print(&mut ring);
        assert!(!ring.range().contains(&checkpoint), "not before there was no room for it");
    }

    #[test]
    fn large_output_is_cut_into_frames() {
        let mut ring = Ring::new(Number(1), 1 << 20);
        let output: Vec<u8> = (0..3 * MAX_OUTPUT_BYTES / 2).map(|at| at as u8).collect();
        ring.push(OutputBuf::copy_of(&output), Spare::Unacknowledged);
        assert_eq!(ring.read(0).unwrap().1, MAX_OUTPUT_BYTES as u64);
        assert_eq!(all(&ring, 0), output);
    }

    proptest! {
        #[test]
        fn it_holds_the_newest_output_whatever_is_printed(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..300),
            capacity in 100usize..4000,
            from in any::<prop::sample::Index>(),
        ) {
            let mut ring = Ring::new(Number(9), capacity);
            let mut printed = Vec::new();
            for piece in pieces {
                ring.push(OutputBuf::copy_of(&piece), Spare::Nothing);
                printed.extend(piece);
            }
            for _ in 0..MAX_PIECES {
                ring.push(OutputBuf::copy_of(b"."), Spare::Nothing);
            }
            printed.extend([b'.'; MAX_PIECES]);
            let range = ring.range();
            prop_assert_eq!(range.end, printed.len() as u64);
            prop_assert!(range.start == 0 || ring.held >= capacity);
            prop_assert!(ring.held <= capacity + 40 + capacity / 8);
            prop_assert!(ring.pieces.len() <= MAX_PIECES + 2 * ring.held / ring.joined() + 1);
            let from = range.start + from.index(ring.held + 1) as u64;
            prop_assert_eq!(&all(&ring, from)[..], &printed[from as usize..]);
        }
    }
}
