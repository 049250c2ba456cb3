//! Changes of size: rows are pushed into the history or taken back from it, and lines are wrapped anew.
//!
//! All of it goes as in xterm.js, since the viewers' terminals do the same on their own. The line that the cursor is
//! in is not wrapped anew there: shells write it again.

use std::collections::VecDeque;
use std::mem;

use super::buffer::Buffer;
use super::cell::{Cell, Span};
use super::extras::Extras;
use super::history::HistoryRow;
use super::paint::flows_on;
use super::row::Row;
use super::terminal::Terminal;
use super::unpack::Unpacked;
use crate::geometry::Size;

/// How many rows of history take part in a resize at most: of the lines above only as many as the screen has rows,
/// for more cannot come onto it, but these may be long.
const RESIZED_ROWS: usize = 2000;

impl Terminal {
    /// Makes it this large. The scroll region becomes the whole screen.
    pub(super) fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        self.preceding = 0;
        let old = self.size;
        let (history, extras) = self.take_newest_history(usize::from(old.rows.max(size.rows)));
        self.extras = extras;
        self.size = size;
        let alternate = if self.alternate { &mut self.active } else { &mut self.other };
        if !alternate.rows.is_empty() {
            let mut lines = Lines::of(alternate, VecDeque::new());
            lines.resize(old, size, false);
            lines.settle(alternate, size);
            // What it continued is gone.
            alternate.rows[0].wrapped = false;
        }
        adapt(alternate, size);
        let primary = if self.alternate { &mut self.other } else { &mut self.active };
        let mut lines = Lines::of(primary, history);
        lines.resize(old, size, true);
        let above = lines.settle(primary, size);
        adapt(primary, size);
        self.put_back(above);
    }

    /// Takes the newest lines of history out, whole, and wraps them at the present width: they were at another one if
    /// they are from before the last resize.
    fn take_newest_history(&mut self, lines: usize) -> (VecDeque<Row>, Extras) {
        let (mut taken, mut ended) = (Vec::new(), 0);
        while taken.len() < RESIZED_ROWS
            && ended < lines
            && let Some(row) = self.history.pop()
        {
            taken.push(row);
            ended += usize::from(!self.history.goes_on());
        }
        let extras = mem::replace(&mut self.extras, Extras::new());
        let mut unpacked = Unpacked::new(self.size.cols, extras);
        for (bytes, joined) in taken.iter().rev() {
            unpacked.add(HistoryRow { bytes, joined: *joined });
        }
        let (mut rows, extras) = unpacked.finish();
        if let Some(first) = rows.front_mut() {
            first.wrapped = self.history.goes_on();
        }
        (rows, extras)
    }

    /// Puts rows that are above the primary screen into the history.
    fn put_back(&mut self, above: VecDeque<Row>) {
        let primary = if self.alternate { &mut self.other } else { &mut self.active };
        let mut above = above.into_iter().peekable();
        while let Some(row) = above.next() {
            let last = above.peek().is_none();
            let next = above.peek().unwrap_or(&primary.rows[0]);
            let joined = next.wrapped && flows_on(&row, next);
            self.history.push(&row, joined, &self.extras);
            if last {
                primary.rows[0].wrapped = self.history.goes_on();
            }
        }
    }
}

/// What else of a screen depends on its size.
fn adapt(buffer: &mut Buffer, size: Size) {
    (buffer.top, buffer.bottom) = (0, usize::from(size.rows) - 1);
    buffer.resize_tabs(usize::from(size.cols));
    buffer.saved.col = buffer.saved.col.min(usize::from(size.cols) - 1);
    buffer.saved.row = buffer.saved.row.min(usize::from(size.rows) - 1);
}

/// The rows of history and screen, one below the other.
struct Lines {
    rows: VecDeque<Row>,
    /// How many are above the screen.
    base: usize,
    /// The cursor's row and column on the screen.
    row: usize,
    col: usize,
    /// The saved cursor's row, counted from the first of all.
    saved: usize,
}

impl Lines {
    /// Takes a screen's rows.
    fn of(buffer: &mut Buffer, mut above: VecDeque<Row>) -> Lines {
        let base = above.len();
        above.append(&mut buffer.rows);
        Lines { rows: above, base, row: buffer.row, col: buffer.col, saved: base + buffer.saved.row }
    }

    /// Gives a screen its rows, and returns those above it.
    fn settle(mut self, buffer: &mut Buffer, size: Size) -> VecDeque<Row> {
        let (rows, cols) = (usize::from(size.rows), usize::from(size.cols));
        buffer.rows = self.rows.split_off(self.base.min(self.rows.len()));
        buffer.rows.resize_with(rows, || Row::new(cols));
        (buffer.row, buffer.col) = (self.row.min(rows - 1), self.col.min(cols - 1));
        buffer.saved.row = self.saved.saturating_sub(self.base);
        self.rows
    }

    fn resize(&mut self, old: Size, new: Size, reflow: bool) {
        let (cols, rows) = (usize::from(new.cols), usize::from(new.rows));
        if old.cols < new.cols {
            self.rows.iter_mut().for_each(|row| row.resize(cols));
        }
        let from_history = match old.rows < new.rows {
            true => self.grow(usize::from(new.rows - old.rows), rows, cols),
            false => {
                self.shrink(usize::from(old.rows - new.rows), rows);
                0
            }
        };
        self.col = self.col.min(cols - 1);
        self.row = self.row.min(rows - 1) + from_history;
        if reflow {
            match old.cols < new.cols {
                true => self.join(usize::from(old.cols), cols, rows),
                false if old.cols > new.cols => self.split(usize::from(old.cols), cols, rows),
                false => {}
            }
        }
        self.rows.iter_mut().for_each(|row| row.resize(cols));
    }

    /// Adds rows to the screen: from above if the cursor is in the last row, else empty ones below. Returns how many
    /// came from above.
    fn grow(&mut self, count: usize, rows: usize, cols: usize) -> usize {
        let mut from_above = 0;
        for _ in 0..count {
            if self.rows.len() >= rows + self.base {
                break;
            }
            if self.base > 0 && self.rows.len() <= self.base + self.row + from_above + 1 {
                self.base -= 1;
                from_above += 1;
            } else {
                self.rows.push_back(Row::new(cols));
            }
        }
        from_above
    }

    /// Takes rows off the screen: those below the cursor first.
    fn shrink(&mut self, count: usize, rows: usize) {
        for _ in 0..count {
            if self.rows.len() <= rows + self.base {
                break;
            }
            if self.rows.len() > self.base + self.row + 1 {
                self.rows.pop_back();
            } else {
                self.base += 1;
            }
        }
    }

    /// The rows of the line that begins at `start`.
    fn line_end(&self, start: usize) -> usize {
        let continued = self.rows.iter().skip(start + 1).take_while(|row| row.wrapped).count();
        start + 1 + continued
    }

    fn holds_cursor(&self, start: usize, end: usize) -> bool {
        (start..end).contains(&(self.base + self.row))
    }

    /// After the screen got wider: joins the pieces of lines.
    fn join(&mut self, old_cols: usize, cols: usize, rows: usize) {
        let (mut start, mut removed) = (0, 0);
        // Rows that are removed are only counted at first: the cursor's place is that from before.
        let mut kept = VecDeque::with_capacity(self.rows.len());
        while start < self.rows.len() {
            let end = self.line_end(start);
            if end - start == 1 || self.holds_cursor(start, end) {
                kept.extend(self.rows.range(start..end).cloned());
            } else {
                let pieces = self.pieces(start, end, old_cols, cols);
                removed += (end - start).saturating_sub(pieces.len());
                kept.extend(pieces);
            }
            start = end;
        }
        self.rows = kept;
        self.saved = self.saved.saturating_sub(removed);
        for _ in 0..removed {
            if self.base > 0 {
                self.base -= 1;
            } else {
                self.row = self.row.saturating_sub(1);
                if self.rows.len() < rows {
                    self.rows.push_back(Row::new(cols));
                }
            }
        }
    }

    /// After the screen got narrower: cuts lines into more pieces. From the last line on, as in xterm.js, for the
    /// rows that go are the last ones.
    fn split(&mut self, old_cols: usize, cols: usize, rows: usize) {
        let mut end = self.rows.len();
        while end > 0 {
            let start = (0..end).rev().find(|row| !self.rows[*row].wrapped).unwrap_or(0);
            let fits = end - start == 1 && self.rows[start].content_len() <= cols;
            if !fits && !self.holds_cursor(start, end) {
                let pieces = self.pieces(start, end, old_cols, cols);
                let added = pieces.len().saturating_sub(end - start);
                self.replace(start, end, pieces);
                self.make_room(added, rows);
            }
            end = start;
        }
    }

    /// Moves the screen down by rows that were added above or on it.
    fn make_room(&mut self, added: usize, rows: usize) {
        for _ in 0..added {
            if self.base == 0 && self.row + 1 < rows {
                self.row += 1;
                self.rows.pop_back();
            } else if self.base == 0 || self.base + rows < self.rows.len() {
                self.base += 1;
            }
        }
        self.saved = (self.saved + added).min(self.base + rows - 1);
    }

    fn replace(&mut self, start: usize, end: usize, pieces: Vec<Row>) {
        let after = self.rows.split_off(end);
        self.rows.truncate(start);
        self.rows.extend(pieces);
        self.rows.extend(after);
    }

    /// A line in rows of `cols`.
    fn pieces(&self, start: usize, end: usize, old_cols: usize, cols: usize) -> Vec<Row> {
        let mut cells = Vec::new();
        for index in start..end {
            let row = &self.rows[index];
            let len = if index + 1 == end {
                row.content_len()
            } else if ends_before_wide(row, &self.rows[index + 1], old_cols) {
                old_cols - 1
            } else {
                old_cols
            };
            cells.extend_from_slice(&row.cells()[..len]);
        }
        let mut pieces = Vec::new();
        let mut rest = &cells[..];
        while !rest.is_empty() || pieces.is_empty() {
            let mut len = rest.len().min(cols);
            if len == cols && rest[len - 1].span() == Span::Wide {
                len -= 1;
            }
            let mut row = Row::new(cols);
            row.write(0..len).copy_from_slice(&rest[..len]);
            row.wrapped = if pieces.is_empty() { self.rows[start].wrapped } else { true };
            pieces.push(row);
            rest = &rest[len..];
        }
        pieces
    }
}

/// Whether a row's last cell is empty only because the wide character that begins the next row did not fit.
fn ends_before_wide(row: &Row, next: &Row, cols: usize) -> bool {
    let last = row.cells()[cols - 1];
    let empty = !last.has_character() && last.span() == Span::Narrow;
    empty && next.cells().first().is_some_and(|first: &Cell| first.span() == Span::Wide)
}
