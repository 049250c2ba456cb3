//! Draws panes and what is between them into a picture of our terminal.

use ratatui::buffer::{Buffer, Cell, CellDiffOption, CellWidth};
use ratatui::style::{Color, Modifier, Style};

use super::card::Card;
use super::copy::CopyMode;
use super::page::{Line, Place};
use super::status::cut;
use super::tiles::{Tiling, contains};
use crate::geometry::{Rect, Size};
use crate::ids::PaneId;
use crate::layout::Axis;
use crate::screen::Screen;

/// What is selected, and what a search found.
const SELECTED: Style = Style::new().fg(Color::Black).bg(Color::Yellow);
const FOUND: Style = Style::new().fg(Color::Black).bg(Color::Cyan);
const BORDER: Style = Style::new().fg(Color::DarkGray);
const ACTIVE_BORDER: Style = Style::new().fg(Color::Green);

/// What a pane's place shows where the pane is smaller, as in tmux.
const OUTSIDE: &str = "·";

/// The part of a picture that a rectangle has in it.
fn visible(rect: Rect, cells: &Buffer) -> Rect {
    let room = |start: u16, length: u16, end: u16| length.min(end.saturating_sub(start));
    let size = Size {
        cols: room(rect.x, rect.size.cols, cells.area.width),
        rows: room(rect.y, rect.size.rows, cells.area.height),
    };
    Rect { size, ..rect }
}

/// How many of a screen's columns and rows are left of and above what its place shows of it: the cursor is in view.
pub(super) fn offset(screen: &Screen, rect: Rect) -> (u16, u16) {
    let (size, cursor) = (screen.size(), screen.cursor());
    let hidden = |at: u16, length: u16, room: u16| {
        let most = length.saturating_sub(room);
        (at + 1).saturating_sub(room).min(most)
    };
    (hidden(cursor.col, size.cols, rect.size.cols), hidden(cursor.row, size.rows, rect.size.rows))
}

/// Draws a pane's screen at its place. Where the two differ in size, dots fill the rest, or the screen is cut.
pub(super) fn draw_screen(cells: &mut Buffer, rect: Rect, screen: &Screen) {
    let shown = visible(rect, cells);
    let (left, top) = offset(screen, rect);
    for (y, row) in (shown.y..shown.y + shown.size.rows).zip(screen.rows().skip(usize::from(top))) {
        draw_line(cells, shown, y, &Line::of(row), usize::from(left));
    }
    let size = screen.size();
    for y in shown.y..shown.y + shown.size.rows {
        for x in shown.x..shown.x + shown.size.cols {
            if x - shown.x + left >= size.cols || y - shown.y + top >= size.rows {
                cells[(x, y)].set_symbol(OUTSIDE).set_style(BORDER);
            }
        }
    }
}

/// Draws a row from a column on; a wide character that is cut is left out.
fn draw_line(cells: &mut Buffer, shown: Rect, y: u16, line: &Line, left: usize) {
    for (x, cell) in (shown.x..shown.x + shown.size.cols).zip(line.cells.iter().skip(left)) {
        cells[(x, y)] = cell.clone();
        let next_is_its =
            line.cells.get(left + usize::from(x - shown.x) + 1).is_some_and(|next| next.symbol().is_empty());
        let cut_right = next_is_its && x + 1 == shown.x + shown.size.cols;
        let cut_left = cell.symbol().is_empty() && x == shown.x;
        if cut_right || cut_left {
            cells[(x, y)].set_symbol(" ");
        } else {
            hold_width(&mut cells[(x, y)], if next_is_its { 2 } else { 1 });
        }
    }
}

/// Makes a cell as wide as the pane's terminal has it, where others see that differently.
fn hold_width(cell: &mut Cell, columns: u16) {
    if !cell.symbol().is_empty() && cell.cell_width() != columns {
        let width = std::num::NonZeroU16::new(columns).unwrap_or(std::num::NonZeroU16::MIN);
        cell.set_diff_option(CellDiffOption::ForcedWidth(width));
    }
}

/// Draws what copy mode looks at, with what is selected and found, and where that is.
pub(super) fn draw_copy(cells: &mut Buffer, rect: Rect, mode: &CopyMode) {
    let shown = visible(rect, cells);
    for (y, (row, line)) in (shown.y..shown.y + shown.size.rows).zip(mode.lines()) {
        draw_line(cells, shown, y, line, 0);
        for x in shown.x..shown.x + shown.size.cols {
            let place = Place { row, col: usize::from(x - shown.x) };
            if mode.is_selected(place) {
                cells[(x, y)].set_style(SELECTED);
            }
        }
    }
    let first = mode.lines().next().map_or(0, |(row, _)| row);
    for (from, to) in mode
        .matches()
        .iter()
        .filter(|(from, to)| to.row >= first && from.row < first + usize::from(shown.size.rows))
    {
        for row in from.row.max(first)..=to.row {
            let start = if row == from.row { from.col } else { 0 };
            let end = if row == to.row { to.col } else { usize::MAX };
            for col in start..=end.min(usize::from(shown.size.cols).saturating_sub(1)) {
                let (x, y) = (shown.x + col as u16, shown.y + (row - first) as u16);
                let place = Place { row, col };
                if contains(shown, x, y) && !mode.is_selected(place) {
                    cells[(x, y)].set_style(FOUND);
                }
            }
        }
    }
    let (below, all) = mode.position();
    let found = match mode.matches().len() {
        0 => String::new(),
        count => format!("({count} found) "),
    };
    put_right(cells, shown, shown.y, &format!("{found}[{below}/{all}]"), SELECTED);
}

/// Dims a pane that has no terminal, and says why.
pub(super) fn draw_card(cells: &mut Buffer, rect: Rect, card: &Card) {
    let shown = visible(rect, cells);
    for y in shown.y..shown.y + shown.size.rows {
        for x in shown.x..shown.x + shown.size.cols {
            let cell = &mut cells[(x, y)];
            cell.set_fg(Color::DarkGray);
            cell.modifier.insert(Modifier::DIM);
            cell.modifier.remove(Modifier::BOLD);
        }
    }
    let style = match card.is_bad {
        true => Style::new().fg(Color::White).bg(Color::Red),
        false => Style::new().fg(Color::Black).bg(Color::Yellow),
    };
    let middle = shown.y + shown.size.rows / 2;
    put_centred(cells, shown, middle, &card.title, style.add_modifier(Modifier::BOLD));
    if !card.cause.is_empty() && middle + 1 < shown.y + shown.size.rows {
        put_centred(cells, shown, middle + 1, &card.cause, style);
    }
}

/// Shows a pane's number in its middle.
pub(super) fn draw_number(cells: &mut Buffer, rect: Rect, number: usize, is_focused: bool) {
    let shown = visible(rect, cells);
    let style = Style::new().fg(Color::White).bg(if is_focused { Color::Red } else { Color::Blue });
    let text = format!(" {number} — {}×{} ", rect.size.cols, rect.size.rows);
    put_centred(cells, shown, shown.y + shown.size.rows / 2, &text, style.add_modifier(Modifier::BOLD));
}

/// Draws the lines between and above panes, with the titles of those below a line in it.
pub(super) fn draw_borders(
    cells: &mut Buffer,
    tiling: &Tiling,
    focused: Option<PaneId>,
    title_of: impl Fn(PaneId) -> String,
) {
    let active = focused.and_then(|pane| tiling.rect_of(pane)).map(grown);
    let is_line = |x: i32, y: i32| {
        let cell = u16::try_from(x).ok().zip(u16::try_from(y).ok());
        cell.is_some_and(|(x, y)| tiling.lines().any(|(rect, _)| contains(rect, x, y)))
    };
    for (rect, axis) in tiling.lines() {
        let shown = visible(rect, cells);
        for y in shown.y..shown.y + shown.size.rows {
            for x in shown.x..shown.x + shown.size.cols {
                let (column, row) = (i32::from(x), i32::from(y));
                let joins = [(column, row - 1), (column, row + 1), (column - 1, row), (column + 1, row)];
                let symbol = line_symbol(axis, joins.map(|(x, y)| is_line(x, y)));
                let near = active.is_some_and(|rect| contains(rect, x + 1, y + 1));
                cells[(x, y)].set_symbol(symbol).set_style(if near { ACTIVE_BORDER } else { BORDER });
            }
        }
    }
    for (pane, rect) in tiling.panes.iter().filter(|(_, rect)| rect.y > 0) {
        let style = if focused == Some(*pane) { ACTIVE_BORDER } else { BORDER };
        let line =
            visible(Rect { x: rect.x, y: rect.y - 1, size: Size { cols: rect.size.cols, rows: 1 } }, cells);
        if line.size.rows > 0 && line.size.cols > 4 {
            // Of the line its ends are left, and a blank on either side of the title.
            let title = cut(title_of(*pane).trim(), usize::from(line.size.cols) - 4);
            cells.set_string(line.x + 1, line.y, format!(" {title} "), style);
        }
    }
}

/// A rectangle with the cells around it, moved by one so that none is left of the first.
fn grown(rect: Rect) -> Rect {
    Rect { x: rect.x, y: rect.y, size: Size { cols: rect.size.cols + 2, rows: rect.size.rows + 2 } }
}

/// The character that joins lines above, below, to the left and to the right.
fn line_symbol(axis: Axis, joins: [bool; 4]) -> &'static str {
    match (axis, joins) {
        (_, [true, true, true, true]) => "┼",
        (_, [true, true, true, false]) => "┤",
        (_, [true, true, false, true]) => "├",
        (_, [true, false, true, true]) => "┴",
        (_, [false, true, true, true]) => "┬",
        (Axis::Columns, _) => "│",
        (Axis::Rows, _) => "─",
    }
}

/// Writes text in the middle of a row, or as much of it as there is room for.
pub(super) fn put_centred(cells: &mut Buffer, shown: Rect, y: u16, text: &str, style: Style) {
    let room = usize::from(shown.size.cols);
    let text = format!(" {} ", text.trim());
    let len = width(&text).min(room);
    let x = shown.x + ((room - len) / 2) as u16;
    write(cells, shown, x, y, &text, style);
}

/// Writes text at the end of a row.
fn put_right(cells: &mut Buffer, shown: Rect, y: u16, text: &str, style: Style) {
    let x = (shown.x + shown.size.cols).saturating_sub(width(text) as u16).max(shown.x);
    write(cells, shown, x, y, text, style);
}

/// Writes text within a rectangle; halves of wide characters that it leaves are blanked.
pub(super) fn write(cells: &mut Buffer, shown: Rect, x: u16, y: u16, text: &str, style: Style) {
    let end = shown.x + shown.size.cols;
    if !contains(shown, x, y) {
        return;
    }
    let len = width(text).min(usize::from(end - x)) as u16;
    clear(cells, Rect { x, y, size: Size { cols: len, rows: 1 } });
    cells.set_stringn(x, y, text, usize::from(len), style);
}

/// Empties a rectangle, with the other halves of wide characters at its edges.
pub(super) fn clear(cells: &mut Buffer, rect: Rect) {
    let rect = visible(rect, cells);
    let end = rect.x + rect.size.cols;
    for y in rect.y..rect.y + rect.size.rows {
        if rect.x > 0 && rect.x < cells.area.width && cells[(rect.x, y)].symbol().is_empty() {
            cells[(rect.x - 1, y)].set_symbol(" ");
        }
        if end < cells.area.width && cells[(end, y)].symbol().is_empty() {
            cells[(end, y)].set_symbol(" ");
        }
        for x in rect.x..end {
            cells[(x, y)].reset();
        }
    }
}

/// How many columns text takes.
pub(super) fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::super::outer::canvas;
    use super::super::page::tests::page;
    use super::*;
    use crate::ids::{SessionId, TabId};
    use crate::protocol::server::{LayoutTree, StackOrientation, Tab, TabLayout};
    use crate::screen::ScrollbackLimits;

    fn text(cells: &Buffer) -> Vec<String> {
        let rows = 0..cells.area.height;
        rows.map(|y| (0..cells.area.width).map(|x| cells[(x, y)].symbol()).collect::<String>()).collect()
    }

    fn screen(cols: u16, rows: u16, output: &str) -> Screen {
        let mut screen = Screen::new(Size { cols, rows }, ScrollbackLimits { lines: 10, bytes: 1000 });
        screen.feed(output.as_bytes());
        screen
    }

    fn rect(x: u16, y: u16, cols: u16, rows: u16) -> Rect {
        Rect { x, y, size: Size { cols, rows } }
    }

    #[test]
    fn a_small_pane_is_framed_with_dots_and_a_large_one_shows_its_cursor() {
        let mut cells = canvas(Size { cols: 8, rows: 3 });
        draw_screen(&mut cells, rect(1, 0, 6, 3), &screen(4, 2, "ab\r\n日x"));
        assert_eq!(text(&cells), [" ab  ·· ", " 日x ·· ", " ······ "]);
        for (column, shown) in [(4, ["top ", "abc "]), (6, ["p   ", "c日e"]), (8, ["    ", " efg"])] {
            let mut cells = canvas(Size { cols: 4, rows: 2 });
            let output = format!("top\r\nabc日efg\r\n\x1b[2;{column}H");
            draw_screen(&mut cells, rect(0, 0, 4, 2), &screen(8, 3, &output));
            assert_eq!(text(&cells), shown, "the cursor is in view, and no character is cut in two");
        }
    }

    #[test]
    fn lines_are_joined_and_carry_titles() {
        let window = |id| LayoutTree::Window { key: PaneId(id) };
        let stack =
            |orientation, children| LayoutTree::Stack { orientation, children, ratios: vec![0.5, 0.5] };
        let right = stack(StackOrientation::Horizontal, vec![window(2), window(3)]);
        let root = stack(StackOrientation::Vertical, vec![window(1), right]);
        let layout = TabLayout { root };
        let tab = Tab {
            id: TabId(1),
            session_id: SessionId(1),
            name: "1".into(),
            layout,
            focus: vec![],
            zoomed: None,
        };
        let drawn = |tab: &Tab, rows, focused| {
            let size = Size { cols: 21, rows };
            let mut cells = canvas(size);
            draw_borders(&mut cells, &Tiling::of(tab, size), Some(PaneId(focused)), |pane| {
                format!("pane {}", pane.0)
            });
            cells
        };
        let colours = |cells: &Buffer, places: [(u16, u16); 3]| places.map(|place| cells[place].fg);
        let cells = drawn(&tab, 9, 3);
        let rows = text(&cells);
        assert_eq!(rows[0], "─ pane 1 ─┬─ pane 2 ─");
        assert_eq!(rows[1], "          │          ");
        assert_eq!(rows[4], "          ├─ pane 3 ─");
        assert_eq!(rows[8].trim(), "");
        assert_eq!(
            colours(&cells, [(13, 4), (10, 7), (10, 1)]),
            [Color::Green, Color::Green, Color::DarkGray]
        );
        let cells = drawn(&tab, 9, 1);
        assert_eq!(
            colours(&cells, [(2, 0), (10, 0), (11, 0)]),
            [Color::Green, Color::Green, Color::DarkGray]
        );
        assert_eq!(text(&drawn(&tab, 6, 3))[0], "          │          ");
        let zoomed = Tab { zoomed: Some(PaneId(3)), ..tab };
        assert_eq!(text(&drawn(&zoomed, 9, 3))[0], "─ pane 3 ────────────");
    }

    #[test]
    fn a_title_that_does_not_fit_ends_with_a_mark() {
        let layout = TabLayout { root: LayoutTree::Window { key: PaneId(1) } };
        let (id, session_id, name) = (TabId(1), SessionId(1), "1".to_owned());
        let tab = Tab { id, session_id, name, layout, focus: vec![], zoomed: None };
        for (cols, title, shown) in [
            (10, "sixsix", "─ sixsix ─"),
            (10, "seventh", "─ seven… ─"),
            (10, "日本語", "─ 日 本 語  ─"),
            (10, "日本語x", "─ 日 本 … ──"),
            (9, "日本語", "─ 日 本 … ─"),
            (5, "ab", "─ … ─"),
            (4, "ab", "────"),
        ] {
            let size = Size { cols, rows: 9 };
            let mut cells = canvas(size);
            draw_borders(&mut cells, &Tiling::of(&tab, size), None, |_| title.to_owned());
            assert_eq!(text(&cells)[0], shown, "{title} in {cols} columns");
        }
    }

    #[test]
    fn what_lies_over_a_pane_leaves_no_half_characters() {
        let mut cells = canvas(Size { cols: 8, rows: 1 });
        draw_screen(&mut cells, rect(0, 0, 8, 1), &screen(8, 1, "日本日本"));
        write(&mut cells, rect(0, 0, 8, 1), 3, 0, "ab", Style::new());
        assert_eq!(text(&cells), ["日 ab 本"]);
    }

    #[test]
    fn copy_mode_shows_where_it_is_and_what_it_found() {
        let mut mode = CopyMode::new(page("one\r\ntwo\r\nthree\r\nfour", 2), 10, 2, Place { row: 1, col: 0 });
        mode.search("two", false);
        let mut cells = canvas(Size { cols: 20, rows: 2 });
        draw_copy(&mut cells, rect(0, 0, 20, 2), &mode);
        assert_eq!(text(&cells), ["two  (1 found) [1/2]", "three               "]);
        assert_eq!((cells[(0, 0)].bg, cells[(3, 0)].bg), (Color::Cyan, Color::Reset));
    }

    #[test]
    fn a_dead_pane_is_dimmed_and_says_why() {
        let mut cells = canvas(Size { cols: 30, rows: 3 });
        draw_screen(&mut cells, rect(0, 0, 30, 3), &screen(30, 3, "last words"));
        let card = Card { title: "Disconnected — press".into(), cause: "Exited".into(), is_bad: false };
        draw_card(&mut cells, rect(0, 0, 30, 3), &card);
        assert!(cells[(0, 0)].modifier.contains(Modifier::DIM));
        assert_eq!(text(&cells)[1].trim(), "Disconnected — press");
        assert_eq!(text(&cells)[2].trim(), "Exited");
    }
}
