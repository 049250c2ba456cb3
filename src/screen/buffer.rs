//! One of a terminal's two screens: rows, cursor, scroll region, tab stops, saved cursor.

use std::collections::VecDeque;

use super::cell::Cell;
use super::charset::Charset;
use super::row::Row;
use crate::geometry::Size;

/// Columns between tab stops at first.
const TAB_WIDTH: usize = 8;

/// What `ESC 7` keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SavedCursor {
    pub(super) col: usize,
    pub(super) row: usize,
    /// The pen, without its hyperlink, and the style and colour of its underline.
    pub(super) pen: Cell,
    pub(super) charset: Charset,
}

impl SavedCursor {
    pub(super) const HOME: SavedCursor =
        SavedCursor { col: 0, row: 0, pen: Cell::BLANK, charset: Charset::Ascii };
}

/// See the module. The alternate screen has no rows while the primary one is shown.
#[derive(Debug, Clone)]
pub(super) struct Buffer {
    pub(super) rows: VecDeque<Row>,
    /// Where the next character goes; one past the last column when the row is full and the next character is to
    /// wrap.
    pub(super) col: usize,
    pub(super) row: usize,
    /// The first and the last row of the scroll region.
    pub(super) top: usize,
    pub(super) bottom: usize,
    /// By column.
    pub(super) tabs: Vec<bool>,
    pub(super) saved: SavedCursor,
}

impl Buffer {
    /// An empty screen.
    pub(super) fn new(size: Size) -> Buffer {
        let mut buffer = Buffer::without_rows(size);
        buffer.add_rows(size, Cell::BLANK);
        buffer
    }

    /// A screen that is not in use.
    pub(super) fn without_rows(size: Size) -> Buffer {
        Buffer {
            rows: VecDeque::new(),
            col: 0,
            row: 0,
            top: 0,
            bottom: usize::from(size.rows) - 1,
            tabs: default_tabs(usize::from(size.cols)),
            saved: SavedCursor::HOME,
        }
    }

    /// Gives a screen that was not in use its rows.
    pub(super) fn add_rows(&mut self, size: Size, fill: Cell) {
        self.rows = (0..size.rows).map(|_| Row::new(usize::from(size.cols))).collect();
        if fill != Cell::BLANK {
            self.rows.iter_mut().for_each(|row| row.clear(fill));
        }
    }

    /// Makes it a screen that is not in use. The saved cursor is kept.
    pub(super) fn drop_rows(&mut self, size: Size) {
        *self = Buffer { saved: self.saved, ..Buffer::without_rows(size) };
    }

    /// The row the cursor is in.
    #[inline]
    pub(super) fn current(&mut self) -> &mut Row {
        &mut self.rows[self.row]
    }

    /// Takes the row `from` out, makes it an empty one and puts it back in as row `to`. What the first row continued
    /// is gone if that was taken.
    pub(super) fn recycle(&mut self, from: usize, to: usize, fill: Cell) {
        let last = self.rows.len() - 1;
        let row = match from {
            0 => self.rows.pop_front(),
            _ if from == last => self.rows.pop_back(),
            _ => self.rows.remove(from),
        };
        let Some(mut row) = row else { return };
        row.clear(fill);
        match to {
            _ if to == last => self.rows.push_back(row),
            0 => self.rows.push_front(row),
            _ => self.rows.insert(to, row),
        }
        if from == 0 {
            self.rows[0].wrapped = false;
        }
    }

    /// The next tab stop right of the cursor, or the last column.
    pub(super) fn next_tab(&self) -> usize {
        let after = self.tabs.iter().enumerate().skip(self.col + 1).find(|(_, stop)| **stop);
        after.map_or(self.tabs.len() - 1, |(col, _)| col)
    }

    /// The next tab stop left of the cursor, or the first column.
    pub(super) fn previous_tab(&self) -> usize {
        self.tabs[..self.col].iter().rposition(|stop| *stop).unwrap_or(0)
    }

    pub(super) fn has_default_tabs(&self) -> bool {
        self.tabs == default_tabs(self.tabs.len())
    }

    /// Whether the scroll region is the whole screen.
    pub(super) fn has_full_region(&self, rows: usize) -> bool {
        self.top == 0 && self.bottom + 1 == rows
    }

    /// Continues the tab stops to a new width.
    pub(super) fn resize_tabs(&mut self, cols: usize) {
        self.tabs.resize(cols, false);
        let last = self.tabs.iter().rposition(|stop| *stop).unwrap_or(0);
        self.tabs.iter_mut().skip(last).step_by(TAB_WIDTH).for_each(|stop| *stop = true);
    }
}

fn default_tabs(cols: usize) -> Vec<bool> {
    (0..cols).map(|col| col % TAB_WIDTH == 0).collect()
}
