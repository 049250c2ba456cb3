//! Rows as text alone.

use super::Document;
use crate::screen::cell::{Cell, Span};
use crate::screen::extras::Extras;

/// Lines with a line feed each, without the blanks at their ends.
#[derive(Debug, Default)]
pub(super) struct Plain {
    text: String,
    line: String,
}

/// Lines with the blanks that were written at their ends.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) all: Vec<String>,
    line: String,
    /// Where the last character that was written ends.
    written: usize,
}

impl Document for Plain {
    fn cells(&mut self, cells: &[Cell], extras: &Extras) {
        cells.iter().for_each(|cell| push(cell, extras, &mut self.line));
    }

    fn end_line(&mut self) {
        self.text.push_str(self.line.trim_end_matches(' '));
        self.text.push('\n');
        self.line.clear();
    }

    fn finish(self: Box<Self>) -> String {
        self.text
    }
}

impl Document for Lines {
    fn cells(&mut self, cells: &[Cell], extras: &Extras) {
        for cell in cells {
            push(cell, extras, &mut self.line);
            if cell.has_character() {
                self.written = self.line.len();
            }
        }
    }

    fn end_line(&mut self) {
        self.line.truncate(self.written);
        self.all.push(std::mem::take(&mut self.line));
        self.written = 0;
    }

    fn finish(self: Box<Self>) -> String {
        self.all.join("\n")
    }
}

/// The text of a cell; of a wide character's right half none.
pub(super) fn push(cell: &Cell, extras: &Extras, text: &mut String) {
    if cell.span() != Span::Rest {
        text.push(if cell.has_character() { cell.character } else { ' ' });
        text.push_str(&extras.get(cell.extra).combining);
    }
}
