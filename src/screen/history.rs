//! Rows that left the primary screen at its top, as text with SGR sequences: about a byte per character.

use std::collections::VecDeque;

use super::ScrollbackLimits;
use super::cell::Span;
use super::extras::Extras;
use super::paint::{Painter, can_begin, is_taken};
use super::row::Row;

/// How many bytes of rows are kept in one allocation, about.
const CHUNK_BYTES: usize = 16 << 10;

/// What a row costs besides its bytes.
const ROW_OVERHEAD: usize = size_of::<u32>();

/// A row of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HistoryRow<'a> {
    /// What a terminal with a fresh pen, at the start of a row, shows as the row; the pen is fresh again afterwards.
    pub(super) bytes: &'a [u8],
    /// Whether its line goes on in the next row; for the newest row, whether it did when that left the screen.
    pub(super) joined: bool,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct History {
    limits: ScrollbackLimits,
    /// Oldest first; none is empty.
    chunks: VecDeque<Chunk>,
    /// How many of the first chunk's rows are dropped already.
    dropped: usize,
    /// How many rows there are.
    rows: usize,
    /// How many bytes these take.
    bytes: usize,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// Where each row ends in `bytes`; [`Chunk::JOINED`] is set if its line goes on,
    /// [`Chunk::FULL`] if its last column is taken.
    ends: Vec<u32>,
}

impl Chunk {
    const JOINED: u32 = 1 << 31;
    const FULL: u32 = 1 << 30;

    fn end(&self, row: usize) -> usize {
        (self.ends[row] & !(Self::JOINED | Self::FULL)) as usize
    }

    fn start(&self, row: usize) -> usize {
        row.checked_sub(1).map_or(0, |before| self.end(before))
    }

    fn row(&self, row: usize) -> HistoryRow<'_> {
        HistoryRow {
            bytes: &self.bytes[self.start(row)..self.end(row)],
            joined: self.ends[row] & Self::JOINED != 0,
        }
    }

    fn cost(&self, row: usize) -> usize {
        self.end(row) - self.start(row) + ROW_OVERHEAD
    }
}

impl History {
    pub(super) fn new(limits: ScrollbackLimits) -> History {
        History { limits, chunks: VecDeque::new(), dropped: 0, rows: 0, bytes: 0 }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn clear(&mut self) {
        *self = History::new(self.limits);
    }

    /// Adds the newest row.
    pub(super) fn push(&mut self, row: &Row, joined: bool, extras: &Extras) {
        if !(row.wrapped && self.flows_into(row)) {
            self.end_line();
        }
        let full = row.cells().last().is_some_and(is_taken);
        // A last column that is free only because the next character is wide is left out: wrapping leaves it.
        let len = row.cells().len() - usize::from(joined && !full);
        let chunk = self.chunk_with_room();
        let before = chunk.bytes.len();
        Painter::new(&mut chunk.bytes, extras).row_for_any_width(row, len);
        let cost = chunk.bytes.len() - before + ROW_OVERHEAD;
        chunk.ends.push(
            chunk.bytes.len() as u32
                | if joined { Chunk::JOINED } else { 0 }
                | if full { Chunk::FULL } else { 0 },
        );
        self.rows += 1;
        self.bytes += cost;
        while self.rows > self.limits.lines || self.bytes > self.limits.bytes {
            self.drop_oldest();
        }
    }

    /// The newest chunk, or a new one if that is full.
    fn chunk_with_room(&mut self) -> &mut Chunk {
        if self.chunks.back().is_none_or(|chunk| chunk.bytes.len() >= CHUNK_BYTES) {
            if let Some(full) = self.chunks.back_mut() {
                full.bytes.shrink_to_fit();
                full.ends.shrink_to_fit();
            }
            self.chunks.push_back(Chunk::default());
        }
        let last = self.chunks.len() - 1;
        &mut self.chunks[last]
    }

    /// Whether a row still goes on where the newest row of history stopped: at the row's end, or just before it if
    /// a wide character did not fit.
    pub(super) fn flows_into(&self, row: &Row) -> bool {
        let first = &row.cells()[0];
        can_begin(first) && (self.is_full() || first.span() == Span::Wide)
    }

    /// Whether the newest row's last column is taken.
    pub(super) fn is_full(&self) -> bool {
        self.newest_end().is_some_and(|end| end & Chunk::FULL != 0)
    }

    /// Whether the newest row's line went on when that left the screen.
    pub(super) fn goes_on(&self) -> bool {
        self.newest_end().is_some_and(|end| end & Chunk::JOINED != 0)
    }

    fn newest_end(&self) -> Option<u32> {
        self.chunks.back().and_then(|chunk| chunk.ends.last().copied())
    }

    /// Ends the newest row's line: what it went on in is no longer there.
    fn end_line(&mut self) {
        if let Some(end) = self.chunks.back_mut().and_then(|chunk| chunk.ends.last_mut()) {
            *end &= !Chunk::JOINED;
        }
    }

    fn drop_oldest(&mut self) {
        let Some(chunk) = self.chunks.front() else { return };
        self.bytes -= chunk.cost(self.dropped);
        self.rows -= 1;
        self.dropped += 1;
        if self.dropped == chunk.ends.len() {
            self.chunks.pop_front();
            self.dropped = 0;
        }
    }

    /// Takes the newest row out.
    pub(super) fn pop(&mut self) -> Option<(Vec<u8>, bool)> {
        if self.rows == 0 {
            return None;
        }
        let chunk = self.chunks.back_mut()?;
        let last = chunk.ends.len() - 1;
        let HistoryRow { bytes, joined } = chunk.row(last);
        let popped = (bytes.to_vec(), joined);
        self.bytes -= chunk.cost(last);
        self.rows -= 1;
        chunk.bytes.truncate(chunk.start(last));
        chunk.ends.truncate(last);
        if chunk.ends.is_empty() || self.rows == 0 {
            self.chunks.pop_back();
        }
        if self.rows == 0 {
            self.dropped = 0;
        }
        Some(popped)
    }

    /// The newest `count` rows, or fewer so as to begin with a whole line.
    pub(super) fn newest(&self, count: usize) -> impl Iterator<Item = HistoryRow<'_>> {
        let cut = self.rows.saturating_sub(count);
        let mut skip = cut;
        if cut > 0 {
            // Where the last of the rows before ends its line, if one does.
            let mut cut_line = self.rows_from(cut - 1).take_while(|row| row.joined);
            skip += cut_line.by_ref().count();
            if skip >= self.rows {
                skip = cut;
            }
        }
        self.rows_from(skip)
    }

    fn rows_from(&self, skip: usize) -> impl Iterator<Item = HistoryRow<'_>> {
        let mut before = skip + self.dropped;
        let mut first = 0;
        while let Some(chunk) = self.chunks.get(first)
            && before >= chunk.ends.len()
        {
            before -= chunk.ends.len();
            first += 1;
        }
        let rows =
            self.chunks.range(first..).flat_map(|chunk| (0..chunk.ends.len()).map(|row| chunk.row(row)));
        rows.skip(before)
    }
}
