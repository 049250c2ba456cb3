//! Rows of history made cells again, wrapped at a width that need not be the one they had.

use std::collections::VecDeque;

use super::ScrollbackLimits;
use super::extras::Extras;
use super::feed::Feed;
use super::history::HistoryRow;
use super::row::Row;
use super::terminal::Terminal;
use crate::geometry::Size;

/// See the module.
pub(super) struct Unpacked {
    /// The rows so far, but for the one that more may go to.
    rows: VecDeque<Row>,
    /// Has that row as its first, and below it nothing but blanks.
    scratch: Terminal,
    feed: Feed,
}

impl Unpacked {
    /// No rows, to be wrapped at `cols`. What their cells have is kept in `extras`, where ids of other cells stay.
    pub(super) fn new(cols: u16, mut extras: Extras) -> Unpacked {
        extras.hold(true);
        let mut scratch = Terminal::new(Size { cols, rows: 1 }, ScrollbackLimits { lines: 0, bytes: 0 });
        scratch.extras = extras;
        Unpacked { rows: VecDeque::new(), scratch, feed: Feed::default() }
    }

    /// Adds a row below the others, to the last one's line if that goes on.
    pub(super) fn add(&mut self, row: HistoryRow<'_>) {
        let cols = usize::from(self.scratch.size.cols);
        // It begins in the first, and a column takes a byte at least.
        self.make_room(row.bytes.len() / cols + 3);
        self.feed.feed(&mut self.scratch, row.bytes);
        if !row.joined {
            self.feed.feed(&mut self.scratch, b"\r\n");
        }
        let whole = self.scratch.active.row;
        self.rows.extend(self.scratch.active.rows.drain(..whole));
        self.scratch.active.row = 0;
    }

    fn make_room(&mut self, rows: usize) {
        let Terminal { active, size, .. } = &mut self.scratch;
        let rows = rows.min(usize::from(u16::MAX));
        active.rows.resize_with(rows, || Row::new(usize::from(size.cols)));
        active.bottom = rows - 1;
        size.rows = rows as u16;
    }

    /// The rows, and what their cells have. The last row's line goes on in one that is not among them.
    pub(super) fn finish(mut self) -> (VecDeque<Row>, Extras) {
        if self.scratch.active.col > 0 {
            self.rows.extend(self.scratch.active.rows.pop_front());
        }
        self.scratch.extras.hold(false);
        (self.rows, self.scratch.extras)
    }
}
