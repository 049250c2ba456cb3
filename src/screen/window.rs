//! A screen for a terminal that shows more than it, or less of it: row by row, and what its keys are to send.

use super::Screen;
use super::cell::{Cell, Span};
use super::paint::Painter;
use super::snapshot::{self, PRELUDE};

impl Screen {
    /// A snapshot of the screen alone, for a terminal of this size that has no modes left on and is empty, with the cursor
    /// at home: it does not reset the terminal, nor its colours.
    #[must_use]
    pub fn drawing(&self) -> Vec<u8> {
        let mut drawing = snapshot::snapshot(&self.terminal, 0).split_off(PRELUDE.len());
        drawing.extend_from_slice(self.feed.pending());
        drawing
    }

    /// Whether a program changed colours, so that they have to be changed back.
    #[must_use]
    pub fn has_colors(&self) -> bool {
        !self.terminal.colors.is_empty()
    }

    /// Draws `cols` columns of a row, from column `first` on, at the cursor of a terminal whose pen is fresh, and leaves
    /// it fresh. Of a character that is cut in two, nothing is drawn.
    pub fn draw_row(&self, row: usize, first: usize, cols: usize, out: &mut Vec<u8>) {
        let Some(row) = self.terminal.active.rows.get(row) else { return };
        let cells = row.cells().get(first..).unwrap_or_default();
        let mut cells = cells[..cells.len().min(cols)].to_vec();
        if let Some(cell) = cells.first_mut().filter(|cell| cell.span() == Span::Rest) {
            *cell = Cell::erased(cell.background);
        }
        if let Some(cell) = cells.last_mut().filter(|cell| cell.span() == Span::Wide) {
            *cell = Cell::erased(cell.background);
        }
        Painter::new(out, &self.terminal.extras).free_cells(&cells);
    }

    /// Switches on what changes what keys, mouse, focus and pastes send, in a terminal in which all of it is off.
    #[must_use]
    pub fn input_modes(&self) -> Vec<u8> {
        snapshot::input_modes(&self.terminal)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ScrollbackLimits;
    use super::*;
    use crate::geometry::Size;

    const NO_SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: 0, bytes: 0 };

    fn screen(cols: u16, rows: u16, output: &[u8]) -> Screen {
        let mut screen = Screen::new(Size { cols, rows }, NO_SCROLLBACK);
        screen.feed(output);
        screen
    }

    #[test]
    fn a_drawing_on_an_empty_terminal_is_the_screen() {
        for output in [&b"a\r\nb\x1b[31mc"[..], b"x\x1b[?1049hy\x1b[?2004h", b"\x1b[2;4r\x1b[?6hq"] {
            let wanted = screen(10, 5, output);
            assert!(screen(10, 5, &wanted.drawing()) == wanted);
        }
    }

    #[test]
    fn a_part_of_a_row_is_drawn_without_halves_of_characters() {
        let screen_of = screen(12, 1, "ab漢字\x1b[1mcd".as_bytes());
        let drawn = |first, cols| {
            let mut out = Vec::new();
            screen_of.draw_row(0, first, cols, &mut out);
            screen(12, 1, &out).text()[0].clone()
        };
        assert_eq!(drawn(0, 12), "ab漢字cd");
        assert_eq!(drawn(0, 3), "ab");
        assert_eq!(drawn(3, 4), " 字c");
        assert_eq!(drawn(9, 99), "");
    }

    #[test]
    fn input_modes_are_carried_over_and_nothing_else() {
        let output = b"\x1b[?1h\x1b=\x1b[?1002;1006h\x1b[?2004h\x1b[>5u\x1b[4h\x1b[2;3rtext";
        let modes = screen(10, 5, output).input_modes();
        let text = String::from_utf8(modes).unwrap();
        for wanted in ["\x1b[?1h", "\x1b[?66h", "\x1b[?1002h", "\x1b[?1006h", "\x1b[?2004h", "\x1b[>5u"] {
            assert!(text.contains(wanted), "{wanted:?} in {text:?}");
        }
        assert!(!text.contains("[4h") && !text.contains('r') && !text.contains("text"), "{text:?}");
    }
}
