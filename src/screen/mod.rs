//! The server's terminal model of a pane: what a terminal that saw all of the pane's output shows.

pub mod answers;
mod buffer;
mod cell;
pub mod cells;
mod charset;
pub mod colors;
#[cfg(test)]
mod describe;
mod dispatch;
mod edit;
mod extras;
mod facts;
mod feed;
mod history;
mod kitty;
mod likeness;
mod modes;
mod osc;
mod paint;
mod print;
pub mod query;
pub mod render;
mod resize;
mod row;
mod sgr;
mod snapshot;
mod terminal;
#[cfg(test)]
mod tests;
mod unpack;
pub mod wants;
#[cfg(test)]
mod width_table;
mod window;

use self::feed::Feed;
use self::terminal::Terminal;
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
    terminal: Terminal,
    feed: Feed,
}

impl Screen {
    /// An empty screen.
    #[must_use]
    pub fn new(size: Size, scrollback: ScrollbackLimits) -> Screen {
        Screen {
            terminal: Terminal::new(Size::clamped(size.cols, size.rows), scrollback),
            feed: Feed::default(),
        }
    }

    /// Its size in cells.
    #[must_use]
    pub fn size(&self) -> Size {
        self.terminal.size
    }

    /// Takes output in: any part of a pane's *clean* output (see the filter), whole characters and whole
    /// sequences, except that a long string may go on in the next part.
    pub fn feed(&mut self, clean: &[u8]) {
        self.feed.feed(&mut self.terminal, clean);
    }

    /// Makes it this large; lines are wrapped anew.
    pub fn resize(&mut self, size: Size) {
        self.terminal.resize(Size::clamped(size.cols, size.rows));
    }

    /// Bytes that make a terminal of this size, whatever was on it, show this screen below as many of the newest
    /// `history` rows of scrollback as there are, and go on with what comes like this one.
    #[must_use]
    pub fn snapshot(&self, history: usize) -> Vec<u8> {
        let mut snapshot = snapshot::snapshot(&self.terminal, history);
        snapshot.extend_from_slice(self.feed.pending());
        snapshot
    }

    /// What a terminal that shows this answers to a query, if it answers.
    #[must_use]
    pub fn answer(&self, query: &query::Query) -> Option<Vec<u8>> {
        answers::answer(query, &self.terminal)
    }

    /// The text of the rows shown, without blanks at their ends.
    #[must_use]
    pub fn text(&self) -> Vec<String> {
        self.terminal.active.rows.iter().map(|row| row.text(&self.terminal.extras)).collect()
    }

    /// How many rows of scrollback are kept.
    #[must_use]
    pub fn history_rows(&self) -> usize {
        self.terminal.history.len()
    }
}

/// Two are the same if they show the same, scrollback included, and will go on alike whatever comes.
impl PartialEq for Screen {
    fn eq(&self, other: &Screen) -> bool {
        self.feed.pending() == other.feed.pending() && self.terminal.is_like(&other.terminal)
    }
}
