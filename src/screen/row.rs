//! One row of cells.

use std::ops::Range;

use super::cell::{Cell, Span, Style};
use super::extras::Extras;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Row {
    cells: Vec<Cell>,
    /// All cells from here on are blank: clearing and reading stop here.
    used: usize,
    /// Whether it goes on from the row above: a line too long for one row.
    pub(super) wrapped: bool,
}

impl Row {
    pub(super) fn new(cols: usize) -> Row {
        Row { cells: vec![Cell::BLANK; cols], used: 0, wrapped: false }
    }

    /// All cells.
    #[inline]
    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The cells up to the last that is not blank, or further.
    #[inline]
    pub(super) fn used(&self) -> &[Cell] {
        &self.cells[..self.used]
    }

    /// Some cells, to be written.
    #[inline]
    pub(super) fn write(&mut self, range: Range<usize>) -> &mut [Cell] {
        self.used = self.used.max(range.end);
        &mut self.cells[range]
    }

    #[inline]
    pub(super) fn set(&mut self, col: usize, cell: Cell) {
        self.used = self.used.max(col + 1);
        self.cells[col] = cell;
    }

    /// Makes it a new row full of `fill`.
    pub(super) fn clear(&mut self, fill: Cell) {
        self.wrapped = false;
        self.fill(0..self.cells.len(), fill);
    }

    /// Overwrites a range, which is cut to the row.
    pub(super) fn fill(&mut self, range: Range<usize>, fill: Cell) {
        let end = range.end.min(self.cells.len());
        if fill != Cell::BLANK {
            self.used = self.used.max(end);
            self.cells[range.start.min(end)..end].fill(fill);
            return;
        }
        let dirty_end = end.min(self.used);
        self.cells[range.start.min(dirty_end)..dirty_end].fill(fill);
        if dirty_end == self.used {
            self.used = self.used.min(range.start);
        }
    }

    /// As [`Row::fill`], but for protected cells; wide characters cut in halves are erased whole.
    pub(super) fn erase(&mut self, range: Range<usize>, fill: Cell, spare_protected: bool) {
        let end = range.end.min(self.cells.len());
        let start = range.start.min(end);
        self.erase_left_half(start, fill, spare_protected);
        self.erase_right_half(end, fill, spare_protected);
        if spare_protected {
            for col in start..end {
                if !is_protected(&self.cells[col]) {
                    self.set(col, fill);
                }
            }
        } else {
            self.fill(start..end, fill);
        }
    }

    /// Moves the cells from `col` on `count` to the right; what leaves the row is lost.
    pub(super) fn insert(&mut self, col: usize, count: usize, fill: Cell) {
        let cols = self.cells.len();
        self.erase_left_half(col, fill, false);
        self.erase_right_half(col, fill, false);
        if count < cols - col {
            self.cells.copy_within(col..cols - count, col + count);
            self.cells[col..col + count].fill(fill);
        } else {
            self.cells[col..].fill(fill);
        }
        self.used = cols;
        if self.cells[cols - 1].span() == Span::Wide {
            self.cells[cols - 1] = fill;
        }
    }

    /// Removes `count` cells; those to their right move up.
    pub(super) fn delete(&mut self, col: usize, count: usize, fill: Cell) {
        let cols = self.cells.len();
        if count < cols - col {
            self.cells.copy_within(col + count.., col);
            self.cells[cols - count..].fill(fill);
        } else {
            self.cells[col..].fill(fill);
        }
        self.used = cols;
        self.erase_left_half(col, fill, false);
        self.erase_right_half(col, fill, false);
    }

    /// Makes it this wide; what no longer fits is lost.
    pub(super) fn resize(&mut self, cols: usize) {
        self.cells.resize(cols, Cell::BLANK);
        self.used = self.used.min(cols);
        if self.cells[cols - 1].span() == Span::Wide {
            self.cells[cols - 1] = Cell::BLANK;
        }
    }

    /// How many cells there are up to the last with a character.
    pub(super) fn content_len(&self) -> usize {
        let last = self.used().iter().rposition(Cell::has_character);
        last.map_or(0, |col| col + if self.cells[col].span() == Span::Wide { 2 } else { 1 })
    }

    /// Its text, without blanks at its end.
    pub(super) fn text(&self, extras: &Extras) -> String {
        let mut text = String::with_capacity(self.used);
        for cell in self.used().iter().filter(|cell| cell.span() != Span::Rest) {
            text.push(if cell.has_character() { cell.character } else { ' ' });
            text.push_str(&extras.get(cell.extra).combining);
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    }

    /// Erases the left half of a wide character that `col` would cut.
    fn erase_left_half(&mut self, col: usize, fill: Cell, spare_protected: bool) {
        if col > 0
            && self.cells[col - 1].span() == Span::Wide
            && !(spare_protected && is_protected(&self.cells[col - 1]))
        {
            self.set(col - 1, fill);
        }
    }

    /// Erases the right half of a wide character that `col` would cut.
    fn erase_right_half(&mut self, col: usize, fill: Cell, spare_protected: bool) {
        if col < self.cells.len()
            && self.cells[col].span() == Span::Rest
            && !(spare_protected && is_protected(&self.cells[col]))
        {
            self.set(col, fill);
        }
    }
}

fn is_protected(cell: &Cell) -> bool {
    cell.style.has(Style::PROTECTED)
}
