//! Rows of text that stand still: what copy mode looks at while the pane's program goes on.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use crate::screen::Screen;
use crate::screen::cells::{Attribute, CellView, Ink, RowView};

/// A column of a row of a page, both from 0. They compare in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) row: usize,
    pub(super) col: usize,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Line {
    /// As they are drawn; the cell after a wide character has no text. Blanks at the end may be left out.
    pub(super) cells: Vec<Cell>,
    /// Whether it goes on from the row above.
    pub(super) continues: bool,
}

impl Line {
    pub(super) fn of(row: RowView<'_>) -> Line {
        Line { cells: row.cells().map(|cell| cell_of(&cell)).collect(), continues: row.continues() }
    }

    /// Leaves out the blanks at its end.
    fn trim(&mut self) {
        let end = self.cells.iter().rposition(|cell| *cell != Cell::EMPTY).map_or(0, |last| last + 1);
        self.cells.truncate(end);
    }

    /// Its text from one column up to another, which is not included.
    pub(super) fn text(&self, from: usize, to: usize) -> String {
        let cells = self.cells.iter().take(to).skip(from);
        cells.map(Cell::symbol).collect()
    }

    /// The column of its last character.
    pub(super) fn last_col(&self) -> usize {
        let last = self.cells.iter().rposition(|cell| !matches!(cell.symbol(), "" | " "));
        last.unwrap_or(0)
    }
}

/// Rows with what was above them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Page {
    /// Oldest first.
    pub(super) lines: Vec<Line>,
}

impl Page {
    /// What a screen shows below as much of its scrollback as there is, at most `history` rows.
    pub(super) fn of(screen: &Screen, history: usize) -> Page {
        let scrollback = if screen.wants().alternate { None } else { Some(screen.scrollback(history)) };
        let above = scrollback.iter().flat_map(|scrollback| scrollback.rows().map(Line::of));
        let mut lines: Vec<Line> = above.chain(screen.rows().map(Line::of)).collect();
        for row in 0..lines.len() {
            // Of a line that goes on, blanks at a row's end are in the middle.
            if !lines.get(row + 1).is_some_and(|next| next.continues) {
                lines[row].trim();
            }
        }
        Page { lines }
    }

    /// The text between two places, both included; lines that were wrapped are put together again.
    pub(super) fn text(&self, from: Place, to: Place) -> String {
        let mut text = String::new();
        for row in from.row..=to.row.min(self.lines.len().saturating_sub(1)) {
            let line = &self.lines[row];
            if row > from.row && !line.continues {
                text.truncate(text.trim_end_matches(' ').len());
                text.push('\n');
            }
            let start = if row == from.row { from.col } else { 0 };
            let end = if row == to.row { to.col + 1 } else { usize::MAX };
            text += &line.text(start, end);
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    }
}

/// A cell of a screen as it is drawn. Kinds of underlines, overlines and links have no place in it.
pub(super) fn cell_of(view: &CellView<'_>) -> Cell {
    let mut cell = Cell::EMPTY;
    if view.columns() == 0 {
        cell.set_symbol("");
    } else if view.combining().is_empty() {
        if view.character() != ' ' {
            cell.set_char(view.character());
        }
    } else {
        cell.set_symbol(&format!("{}{}", view.character(), view.combining()));
    }
    cell.set_fg(color_of(view.foreground())).set_bg(color_of(view.background()));
    cell.underline_color = color_of(view.underline_color());
    cell.modifier = modifiers_of(view);
    cell
}

fn modifiers_of(view: &CellView<'_>) -> Modifier {
    let mut modifier = Modifier::empty();
    for (attribute, flag) in [
        (Attribute::Bold, Modifier::BOLD),
        (Attribute::Dim, Modifier::DIM),
        (Attribute::Italic, Modifier::ITALIC),
        (Attribute::Blink, Modifier::SLOW_BLINK),
        (Attribute::Inverse, Modifier::REVERSED),
        (Attribute::Hidden, Modifier::HIDDEN),
        (Attribute::Struck, Modifier::CROSSED_OUT),
    ] {
        modifier.set(flag, view.has(attribute));
    }
    modifier.set(Modifier::UNDERLINED, view.underline() > 0);
    modifier
}

fn color_of(ink: Ink) -> Color {
    const NAMED: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match ink {
        Ink::Default => Color::Reset,
        Ink::Named(index) => NAMED[usize::from(index) % NAMED.len()],
        Ink::Indexed(index) => Color::Indexed(index),
        Ink::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::geometry::Size;
    use crate::screen::ScrollbackLimits;

    /// A page of ten columns that shows `output`.
    pub(in super::super) fn page(output: &str, rows: u16) -> Page {
        let mut screen =
            Screen::new(Size { cols: 10, rows }, ScrollbackLimits { lines: 1000, bytes: 100_000 });
        screen.feed(output.as_bytes());
        Page::of(&screen, 1000)
    }

    #[test]
    fn text_comes_out_as_it_was_written() {
        let page = page("one\r\nabcdefghijklmno  \r\n日本 x\r\nlast", 3);
        assert_eq!(page.lines.len(), 5);
        let all = page.text(Place { row: 0, col: 0 }, Place { row: 4, col: 99 });
        assert_eq!(all, "one\nabcdefghijklmno\n日本 x\nlast");
        assert_eq!(page.text(Place { row: 1, col: 8 }, Place { row: 2, col: 1 }), "ijkl");
        assert_eq!(page.text(Place { row: 3, col: 2 }, Place { row: 3, col: 2 }), "本");
        assert_eq!((page.lines[3].last_col(), page.lines[1].last_col()), (5, 9));
    }

    #[test]
    fn cells_keep_their_looks() {
        let page = page("\x1b[1;4;7;31;48;2;1;2;3mx\x1b[0;38;5;9me\u{301}\x1b[92my", 1);
        let [x, e, y] = &page.lines[0].cells[..] else { panic!("{:?}", page.lines[0]) };
        assert_eq!((x.symbol(), x.fg, x.bg), ("x", Color::Red, Color::Rgb(1, 2, 3)));
        assert_eq!(x.modifier, Modifier::BOLD | Modifier::UNDERLINED | Modifier::REVERSED);
        assert_eq!((e.symbol(), e.fg), ("e\u{301}", Color::Indexed(9)));
        assert_eq!(y.fg, Color::LightGreen);
    }
}
