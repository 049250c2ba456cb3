//! Printing: the path nearly all output takes.

use unicode_width::UnicodeWidthChar;

use super::cell::{Cell, Span};
use super::charset::Charset;
use super::terminal::Terminal;

impl Terminal {
    /// Prints ASCII characters, a row's rest at a time.
    pub(super) fn print_ascii(&mut self, mut text: &[u8]) {
        if self.modes.insert || !self.modes.autowrap || self.charsets.current != Charset::Ascii {
            text.iter().for_each(|byte| self.print(char::from(*byte)));
            return;
        }
        let cols = self.cols();
        while !text.is_empty() {
            if self.active.col >= cols {
                self.wrap();
            }
            let col = self.active.col;
            let (now, later) = text.split_at(text.len().min(cols - col));
            self.write_ascii(col, now);
            text = later;
        }
        self.preceding = 1;
    }

    #[inline]
    fn write_ascii(&mut self, col: usize, text: &[u8]) {
        let (pen, blank, cols) = (self.pen, self.blank(), self.cols());
        let end = col + text.len();
        self.active.col = end;
        let row = self.active.current();
        if col > 0 && row.cells()[col - 1].span() == Span::Wide {
            row.set(col - 1, blank);
        }
        for (cell, byte) in row.write(col..end).iter_mut().zip(text) {
            *cell = Cell { character: char::from(*byte), ..pen };
        }
        if end < cols && row.cells()[end].span() == Span::Rest {
            row.set(end, blank);
        }
    }

    /// Prints a character.
    pub(super) fn print(&mut self, character: char) {
        let character = self.charsets.current.map(character);
        let width = character.width().unwrap_or(0).min(2);
        if width == 0 && self.preceding > 0 {
            self.combine(character);
            return;
        }
        let cols = self.cols();
        if self.active.col + width > cols {
            self.part_wide();
            if self.modes.autowrap {
                self.wrap();
            } else {
                self.active.col = cols - 1;
                if width == 2 {
                    self.preceding = 0;
                    return;
                }
            }
        }
        if self.active.col < cols {
            self.put(character, width);
        }
        self.preceding = width;
    }

    /// Erases the left half of a wide character that the cursor is on the right half of.
    fn part_wide(&mut self) {
        let (blank, col, cols) = (self.blank(), self.active.col, self.cols());
        let row = self.active.current();
        if (1..cols).contains(&col) && row.cells()[col - 1].span() == Span::Wide {
            row.set(col - 1, blank);
        }
    }

    /// Goes to the start of the next row, which is the same line still.
    fn wrap(&mut self) {
        let (blank, cols, old_row) = (self.blank(), self.cols(), self.active.row);
        // A wide character may not have fitted.
        let (old_col, scrolls) = (self.active.col, old_row == self.active.bottom);
        if old_col < cols {
            self.active.rows[old_row].fill(old_col..cols, blank);
        }
        self.active.col = 0;
        if scrolls {
            self.scroll(true);
        } else {
            self.active.row = (old_row + 1).min(self.rows() - 1);
            self.active.current().wrapped = true;
        }
    }

    /// Writes a character at the cursor, where there is room for it.
    fn put(&mut self, character: char, width: usize) {
        let (blank, cols, col) = (self.blank(), self.cols(), self.active.col);
        let insert = self.modes.insert;
        let pen = self.pen;
        self.active.col = col + width.max(1);
        let row = self.active.current();
        if col > 0 && row.cells()[col - 1].span() == Span::Wide {
            row.set(col - 1, blank);
        }
        if insert {
            row.insert(col, width, blank);
        }
        let span = match width {
            0 => Span::Zero,
            1 => Span::Narrow,
            _ => Span::Wide,
        };
        row.set(col, Cell { character, style: pen.style.with_span(span), ..pen });
        if span == Span::Wide {
            row.set(col + 1, Cell { character: '\0', style: pen.style.with_span(Span::Rest), ..pen });
        }
        let end = col + width.max(1);
        if end < cols && row.cells()[end].span() == Span::Rest {
            row.set(end, blank);
        }
    }

    /// Adds a character without width to the one printed last.
    fn combine(&mut self, character: char) {
        let Some(last) = self.active.col.checked_sub(1) else { return };
        self.make_room_for_extras();
        let row = &mut self.active.rows[self.active.row];
        let col = match row.cells()[last].span() {
            Span::Rest if last > 0 => last - 1,
            _ => last,
        };
        let mut cell = row.cells()[col];
        if !cell.has_character() {
            return;
        }
        cell.extra = self.extras.combined(cell.extra, character);
        row.set(col, cell);
    }

    /// REP: prints the last character again.
    pub(super) fn repeat(&mut self, count: usize) {
        let Some(col) = self.active.col.checked_sub(self.preceding.max(1)).filter(|_| self.preceding > 0)
        else {
            return;
        };
        let cell = self.active.current().cells()[col];
        if !cell.has_character() {
            return;
        }
        let combining = self.extras.get(cell.extra).combining.clone();
        for _ in 0..count {
            self.print(cell.character);
            combining.chars().for_each(|character| self.print(character));
        }
    }
}
