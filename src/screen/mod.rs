//! The server's terminal model of a pane: what a terminal that saw all of the pane's output shows.

pub mod query;
#[cfg(test)]
mod width_table;

use crate::geometry::Size;

/// How much scrollback is kept.
#[derive(Debug, Clone, Copy)]
pub struct ScrollbackLimits {
    /// Rows.
    pub lines: usize,
    /// Bytes, as encoded.
    pub bytes: usize,
}

/// See the module.
#[derive(Debug)]
pub struct Screen {
    size: Size,
}

impl Screen {
    /// An empty screen.
    #[must_use]
    pub fn new(size: Size, _scrollback: ScrollbackLimits) -> Screen {
        Screen { size }
    }

    /// Its size in cells.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Takes output in: any part of a pane's *clean* output (see the filter), whole characters and whole
    /// sequences, except that a long string may go on in the next part.
    pub fn feed(&mut self, _clean: &[u8]) {}

    /// Makes it this large; lines are wrapped anew.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
    }

    /// How many rows of scrollback there are.
    #[must_use]
    pub fn history_rows(&self) -> usize {
        0
    }

    /// Bytes that make a freshly reset terminal of this size show this screen, below as many of the newest
    /// `history` rows of scrollback as there are.
    #[must_use]
    pub fn snapshot(&mut self, _history: usize) -> Vec<u8> {
        Vec::new()
    }

    /// What a terminal that shows this answers to a query, if it answers.
    #[must_use]
    pub fn answer(&self, _query: &query::Query) -> Option<Vec<u8>> {
        None
    }
}
