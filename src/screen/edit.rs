//! Erasing, inserting, deleting and scrolling, as sequences ask for it.

use super::cell::{Cell, ExtraId};
use super::terminal::Terminal;

impl Terminal {
    /// ED, and DECSED if protected cells are spared.
    pub(super) fn erase_in_display(&mut self, what: u16, spare_protected: bool) {
        let (row, rows) = (self.active.row, self.rows());
        match what {
            0 => {
                self.erase_in_line(0, spare_protected);
                self.erase_rows(row + 1, rows, spare_protected);
            }
            1 => {
                self.erase_in_line(1, spare_protected);
                self.active.current().wrapped = false;
                if self.active.col + 1 >= self.cols()
                    && let Some(next) = self.active.rows.get_mut(row + 1)
                {
                    next.wrapped = false;
                }
                self.erase_rows(0, row, spare_protected);
            }
            2 => self.erase_rows(0, rows, spare_protected),
            3 if !self.alternate => {
                self.history.clear();
                self.active.rows[0].wrapped = false;
            }
            _ => {}
        }
    }

    fn erase_rows(&mut self, from: usize, to: usize, spare_protected: bool) {
        let (blank, cols) = (self.blank(), self.cols());
        for row in self.active.rows.range_mut(from..to) {
            row.erase(0..cols, blank, spare_protected);
            row.wrapped = false;
        }
    }

    /// EL, and DECSEL.
    pub(super) fn erase_in_line(&mut self, what: u16, spare_protected: bool) {
        let (blank, cols, col) = (self.blank(), self.cols(), self.active.col);
        let row = self.active.current();
        let (range, unwraps) = match what {
            0 => (col..cols, col == 0),
            1 => (0..col + 1, false),
            2 => (0..cols, true),
            _ => return,
        };
        row.erase(range, blank, spare_protected);
        row.wrapped &= !unwraps;
    }

    /// ECH.
    pub(super) fn erase_characters(&mut self, count: usize) {
        let (blank, col) = (self.blank(), self.active.col);
        self.active.current().erase(col..col + count, blank, false);
    }

    /// ICH.
    pub(super) fn insert_characters(&mut self, count: usize) {
        let (blank, col) = (self.blank(), self.active.col);
        self.active.current().insert(col, count, blank);
    }

    /// DCH.
    pub(super) fn delete_characters(&mut self, count: usize) {
        let (blank, col) = (self.blank(), self.active.col);
        self.active.current().delete(col, count, blank);
    }

    /// IL.
    pub(super) fn insert_lines(&mut self, count: usize) {
        if self.cursor_in_region() {
            self.move_rows(self.active.bottom, self.active.row, count, self.blank());
            self.active.col = 0;
        }
    }

    /// DL.
    pub(super) fn delete_lines(&mut self, count: usize) {
        if self.cursor_in_region() {
            self.move_rows(self.active.row, self.active.bottom, count, self.blank());
            self.active.col = 0;
        }
    }

    /// SU. What leaves the screen is lost.
    pub(super) fn scroll_up(&mut self, count: usize) {
        self.move_rows(self.active.top, self.active.bottom, count, self.blank());
    }

    /// SD.
    pub(super) fn scroll_down(&mut self, count: usize) {
        self.move_rows(self.active.bottom, self.active.top, count, Cell::BLANK);
    }

    fn move_rows(&mut self, from: usize, to: usize, count: usize, blank: Cell) {
        for _ in 0..count.min(from.abs_diff(to) + 1) {
            self.active.recycle(from, to, blank);
        }
    }

    /// RI.
    pub(super) fn reverse_index(&mut self) {
        if self.active.row == self.active.top {
            self.active.recycle(self.active.bottom, self.active.top, self.blank());
        } else {
            self.active.row = self.active.row.saturating_sub(1);
            self.leave_margin();
        }
    }

    /// SL, SR, DECIC, DECDC: inserts or deletes columns in the rows of the scroll region.
    pub(super) fn shift_columns(&mut self, col: usize, count: usize, insert: bool) {
        if !self.cursor_in_region() {
            return;
        }
        // At the end of a full row the first column is meant.
        let col = col % self.cols();
        self.leave_margin();
        let blank = self.blank();
        let (top, bottom) = (self.active.top, self.active.bottom);
        for row in self.active.rows.range_mut(top..=bottom) {
            match insert {
                true => row.insert(col, count, blank),
                false => row.delete(col, count, blank),
            }
            row.wrapped = false;
        }
    }

    /// DECALN.
    pub(super) fn fill_with_e(&mut self) {
        self.move_to(0, 0);
        let mut cell = Cell { character: 'E', extra: ExtraId::NONE, ..self.pen };
        cell.style.set_underline(cell.style.underline().min(1));
        let first = self.active.row;
        self.active.rows.range_mut(first..).for_each(|row| row.clear(cell));
        self.move_to(0, 0);
    }

    fn cursor_in_region(&self) -> bool {
        (self.active.top..=self.active.bottom).contains(&self.active.row)
    }
}
