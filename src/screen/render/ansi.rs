//! Rows as text with escape sequences, each line complete in itself.

use super::Document;
use crate::screen::cell::{Cell, Style};
use crate::screen::extras::Extras;
use crate::screen::paint::Painter;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ansi {
    bytes: Vec<u8>,
}

impl Document for Ansi {
    fn cells(&mut self, cells: &[Cell], extras: &Extras) {
        // What protects cells from being erased is no look.
        let plain = |cell: &Cell| {
            let mut cell = *cell;
            cell.style.set(Style::PROTECTED, false);
            cell
        };
        let cells: Vec<_> = cells.iter().map(plain).collect();
        Painter::new(&mut self.bytes, extras).free_cells(&cells);
    }

    fn end_line(&mut self) {
        self.bytes.push(b'\n');
    }

    fn finish(self: Box<Self>) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}
