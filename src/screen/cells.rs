//! A screen's cells, as those see them who draw them elsewhere.

use std::collections::VecDeque;

use super::Screen;
use super::cell::{Cell, Color, Hue, Span, Style};
use super::extras::{Extra, Extras};
use super::row::Row;
use super::unpack::Unpacked;

/// A colour of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// The terminal's own.
    Default,
    /// One of the 16 that have names; terminals may brighten the first eight in bold.
    Named(u8),
    /// One of 256.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

impl From<Color> for Ink {
    fn from(color: Color) -> Ink {
        match color.hue() {
            Hue::Default => Ink::Default,
            Hue::Named(index) => Ink::Named(index),
            Hue::Indexed(index) => Ink::Indexed(index),
            Hue::Rgb(red, green, blue) => Ink::Rgb(red, green, blue),
        }
    }
}

/// One cell.
#[derive(Debug, Clone, Copy)]
pub struct CellView<'a> {
    cell: &'a Cell,
    extra: &'a Extra,
}

impl CellView<'_> {
    /// Its character; a blank if nothing was written to it.
    #[must_use]
    pub fn character(&self) -> char {
        if self.cell.has_character() { self.cell.character } else { ' ' }
    }

    /// Characters drawn over its own.
    #[must_use]
    pub fn combining(&self) -> &str {
        &self.extra.combining
    }

    /// How many columns its character takes: 2 if it is wide, and 0 of the cell after that.
    #[must_use]
    pub fn columns(&self) -> usize {
        match self.cell.span() {
            Span::Wide => 2,
            Span::Rest => 0,
            Span::Narrow | Span::Zero => 1,
        }
    }

    /// The colour of its character.
    #[must_use]
    pub fn foreground(&self) -> Ink {
        self.cell.foreground.into()
    }

    /// The colour behind its character.
    #[must_use]
    pub fn background(&self) -> Ink {
        self.cell.background.into()
    }

    /// The colour of the line below its character; the default is the character's.
    #[must_use]
    pub fn underline_color(&self) -> Ink {
        self.extra.underline.into()
    }

    /// 0 for none, then as in `CSI 4 : n m`: single, double, curly, dotted, dashed.
    #[must_use]
    pub fn underline(&self) -> u8 {
        self.cell.style.underline()
    }

    /// Whether it has all of these attributes.
    #[must_use]
    pub fn has(&self, attribute: Attribute) -> bool {
        self.cell.style.has(match attribute {
            Attribute::Bold => Style::BOLD,
            Attribute::Dim => Style::DIM,
            Attribute::Italic => Style::ITALIC,
            Attribute::Blink => Style::BLINK,
            Attribute::Inverse => Style::INVERSE,
            Attribute::Hidden => Style::HIDDEN,
            Attribute::Struck => Style::STRUCK,
        })
    }

    /// Whether nothing was written to it and it has no background of its own.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        !self.cell.has_character() && self.cell.span() != Span::Rest && self.cell.background == Color::DEFAULT
    }
}

/// What a character may be besides coloured and underlined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Attribute {
    Bold,
    Dim,
    Italic,
    Blink,
    Inverse,
    Hidden,
    Struck,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct RowView<'a> {
    row: &'a Row,
    extras: &'a Extras,
}

impl<'a> RowView<'a> {
    /// Its cells from the left; blank ones at its end may be missing.
    pub fn cells(self) -> impl Iterator<Item = CellView<'a>> {
        let RowView { row, extras } = self;
        row.used().iter().map(move |cell| CellView { cell, extra: extras.get(cell.extra) })
    }

    /// Whether it goes on from the row above: a line too long for one row.
    #[must_use]
    pub fn continues(self) -> bool {
        self.row.wrapped
    }
}

/// Rows above a screen, as of when they were asked for.
#[derive(Debug)]
pub struct Scrollback {
    rows: VecDeque<Row>,
    extras: Extras,
}

impl Scrollback {
    /// Oldest first.
    pub fn rows(&self) -> impl Iterator<Item = RowView<'_>> {
        self.rows.iter().map(|row| RowView { row, extras: &self.extras })
    }
}

impl Screen {
    /// The rows shown, from the top.
    pub fn rows(&self) -> impl Iterator<Item = RowView<'_>> {
        let extras = &self.terminal.extras;
        self.terminal.active.rows.iter().map(move |row| RowView { row, extras })
    }

    /// The newest `count` rows above the primary screen or, so as to begin with a whole line, a little fewer; wrapped
    /// at the screen's width.
    #[must_use]
    pub fn scrollback(&self, count: usize) -> Scrollback {
        let mut unpacked = Unpacked::new(self.terminal.size.cols, Extras::new());
        self.terminal.history.newest(count).for_each(|row| unpacked.add(row));
        let (rows, extras) = unpacked.finish();
        Scrollback { rows, extras }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Size;
    use crate::screen::ScrollbackLimits;

    fn screen(output: &str) -> Screen {
        let limits = ScrollbackLimits { lines: 100, bytes: 100_000 };
        let mut screen = Screen::new(Size { cols: 10, rows: 2 }, limits);
        screen.feed(output.as_bytes());
        screen
    }

    fn text(row: RowView<'_>) -> String {
        row.cells().filter(|cell| cell.columns() > 0).map(|cell| cell.character()).collect()
    }

    #[test]
    fn cells_say_what_they_show() {
        let screen = screen("\x1b[1;3;38;2;1;2;3;48;5;9;4:3;58;5;7m日e\u{301}\x1b[0;31;7mx");
        let row = screen.rows().next().expect("a row");
        let cells: Vec<_> = row.cells().take(4).collect();
        assert_eq!(cells.iter().map(CellView::columns).collect::<Vec<_>>(), [2, 0, 1, 1]);
        assert_eq!((cells[0].character(), cells[2].combining()), ('日', "\u{301}"));
        assert_eq!((cells[0].foreground(), cells[0].background()), (Ink::Rgb(1, 2, 3), Ink::Indexed(9)));
        assert_eq!((cells[0].underline(), cells[0].underline_color()), (3, Ink::Indexed(7)));
        assert!(cells[0].has(Attribute::Bold) && cells[0].has(Attribute::Italic));
        assert!(!cells[0].has(Attribute::Inverse) && cells[3].has(Attribute::Inverse));
        assert_eq!(cells[3].foreground(), Ink::Named(1));
        assert!(row.cells().skip(4).all(|cell| cell.is_blank()));
    }

    #[test]
    fn scrollback_comes_in_rows_of_the_screens_width() {
        let screen = screen("one\r\nabcdefghijklmno\r\n\x1b[32mthree\x1b[m\r\nfour\r\nfive");
        let scrollback = screen.scrollback(50);
        let rows: Vec<_> = scrollback.rows().map(|row| (text(row), row.continues())).collect();
        let wanted = [("one", false), ("abcdefghij", false), ("klmno", true), ("three", false)];
        assert_eq!(rows, wanted.map(|(text, continues)| (text.to_owned(), continues)));
        let green = scrollback.rows().nth(3).and_then(|row| row.cells().next().map(|cell| cell.foreground()));
        assert_eq!(green, Some(Ink::Named(2)));
        assert_eq!(screen.scrollback(1).rows().count(), 1);
        assert_eq!(screen.rows().map(text).collect::<Vec<_>>(), ["four", "five"]);
    }
}
