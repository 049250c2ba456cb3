//! What lies over the panes for a while: the keys there are, the list to pick from, questions.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use super::compose::{clear, width, write};
use super::copy_keys::COPY_BINDINGS;
use super::key::Key;
use super::keys::{BINDINGS, Group};
use super::picker::Picker;
use super::prompt::Prompt;
use super::status::cut;
use crate::geometry::{Rect, Size};

const BOX: Style = Style::new().fg(Color::White).bg(Color::Indexed(236));
const KEY: Style = Style::new().fg(Color::Yellow).bg(Color::Indexed(236)).add_modifier(Modifier::BOLD);
const HEADING: Style = Style::new().fg(Color::Green).bg(Color::Indexed(236)).add_modifier(Modifier::BOLD);
const CHOSEN: Style = Style::new().fg(Color::Black).bg(Color::Yellow);
const QUESTION: Style = Style::new().fg(Color::Black).bg(Color::Yellow);

/// Columns of the keys, and of a whole entry of the popup.
const KEY_COLUMNS: usize = 9;
const ENTRY_COLUMNS: usize = 46;

/// The rows of our terminal that are not the status line.
fn body(cells: &Buffer) -> Rect {
    Rect { x: 0, y: 0, size: Size { cols: cells.area.width, rows: cells.area.height.saturating_sub(1) } }
}

/// Shows what the keys do that may follow the prefix, at the bottom.
pub(super) fn draw_keys(cells: &mut Buffer, prefix: Key) {
    let body = body(cells);
    let columns = (usize::from(body.size.cols) / ENTRY_COLUMNS).max(1);
    let rows = BINDINGS.len().div_ceil(columns);
    let height = (rows + 1).min(usize::from(body.size.rows)) as u16;
    let area = Rect { x: 0, y: body.size.rows - height, size: Size { rows: height, ..body.size } };
    fill(cells, area);
    write(cells, area, 1, area.y, &format!("after {prefix}:"), HEADING);
    for (index, binding) in BINDINGS.iter().enumerate() {
        let (column, row) = (index / rows, index % rows);
        let x = (column * ENTRY_COLUMNS) as u16 + 1;
        let y = area.y + 1 + row as u16;
        write(cells, area, x, y, binding.shown, KEY);
        write(
            cells,
            area,
            x + KEY_COLUMNS as u16,
            y,
            &cut(binding.help, ENTRY_COLUMNS - KEY_COLUMNS - 1),
            BOX,
        );
    }
}

/// The lines of the help: a heading, or keys and what they do.
fn help_lines(prefix: Key) -> Vec<(String, String)> {
    let mut lines = vec![(format!("{prefix} {prefix}"), format!("send {prefix} to the pane"))];
    for group in Group::ALL {
        lines.push((String::new(), group.title().to_owned()));
        let bindings = BINDINGS.iter().filter(|binding| binding.group == group);
        lines
            .extend(bindings.map(|binding| (format!("{prefix} {}", binding.shown), binding.help.to_owned())));
    }
    lines.push((String::new(), "In copy mode".to_owned()));
    lines.extend(COPY_BINDINGS.iter().map(|binding| (binding.keys.join(" "), binding.help.to_owned())));
    lines
}

/// How many lines the help has.
pub(super) fn help_len(prefix: Key) -> usize {
    help_lines(prefix).len()
}

/// Shows all keys, from a line on.
pub(super) fn draw_help(cells: &mut Buffer, prefix: Key, first: usize) {
    let body = body(cells);
    fill(cells, body);
    write(cells, body, 1, 0, "Keys (arrows scroll, q closes)", HEADING);
    let lines = help_lines(prefix).into_iter().skip(first);
    for (y, (keys, help)) in (1..body.size.rows).zip(lines) {
        if keys.is_empty() {
            write(cells, body, 1, y, &help, HEADING);
        } else {
            write(cells, body, 2, y, &keys, KEY);
            write(cells, body, 24, y, &help, BOX);
        }
    }
}

/// Shows a list to pick from.
pub(super) fn draw_picker(cells: &mut Buffer, picker: &Picker) {
    let body = body(cells);
    fill(cells, body);
    write(cells, body, 1, 0, "Pick one (arrows and Enter, or its number; q closes)", HEADING);
    let (entries, chosen) = picker.view(usize::from(body.size.rows.saturating_sub(1)));
    for (row, entry) in entries.iter().enumerate() {
        let style = if row == chosen { CHOSEN } else { BOX };
        let room = usize::from(body.size.cols).saturating_sub(2);
        write(cells, body, 1, 1 + row as u16, &cut(&entry.text, room), style);
    }
}

/// Asks in the place of the status line; gives the column of the cursor.
pub(super) fn draw_prompt(cells: &mut Buffer, prompt: &Prompt) -> u16 {
    let (text, cursor) = prompt.line();
    let question = prompt.purpose.question();
    let before: String = text.chars().take(cursor).collect();
    let room = usize::from(cells.area.width.saturating_sub(1)).saturating_sub(width(question));
    // What does not fit is left out at the start.
    let mut hidden = 0;
    while width(&before.chars().skip(hidden).collect::<String>()) > room {
        hidden += 1;
    }
    let shown: String = text.chars().skip(hidden).collect();
    draw_question(cells, &format!("{question}{shown}"));
    (width(question) + width(&before.chars().skip(hidden).collect::<String>())) as u16
}

/// Asks in the place of the status line.
pub(super) fn draw_question(cells: &mut Buffer, text: &str) {
    let y = cells.area.height.saturating_sub(1);
    let row = Rect { x: 0, y, size: Size { cols: cells.area.width, rows: 1 } };
    write(cells, row, 0, y, &" ".repeat(usize::from(cells.area.width)), QUESTION);
    write(cells, row, 0, y, text, QUESTION);
}

fn fill(cells: &mut Buffer, area: Rect) {
    clear(cells, area);
    for y in area.y..area.y + area.size.rows {
        write(cells, area, area.x, y, &" ".repeat(usize::from(area.size.cols)), BOX);
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::DEFAULT_PREFIX;
    use super::super::outer::canvas;
    use super::super::prompt::Purpose;
    use super::*;
    use crate::ids::TabId;

    fn text(cells: &Buffer) -> String {
        let row = |y| (0..cells.area.width).map(|x| cells[(x, y)].symbol()).collect::<String>();
        (0..cells.area.height).map(row).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_popup_shows_every_binding_if_there_is_room() {
        let prefix = Key::parse(DEFAULT_PREFIX).expect("a key");
        let mut cells = canvas(Size { cols: 120, rows: 30 });
        draw_keys(&mut cells, prefix);
        let shown = text(&cells);
        assert!(shown.contains("after C-b:"));
        for binding in BINDINGS {
            assert!(shown.contains(binding.help), "{}", binding.help);
        }
        // No size is too small to be drawn on.
        for (cols, rows) in [(1, 1), (3, 2), (38, 5)] {
            let mut cells = canvas(Size { cols, rows });
            draw_keys(&mut cells, prefix);
            draw_help(&mut cells, prefix, 3);
        }
    }

    #[test]
    fn the_help_scrolls_to_its_end() {
        let prefix = Key::parse("C-a").expect("a key");
        let mut cells = canvas(Size { cols: 80, rows: 12 });
        draw_help(&mut cells, prefix, 0);
        assert!(text(&cells).contains("C-a c") && text(&cells).contains("new tab"));
        draw_help(&mut cells, prefix, help_len(prefix) - 3);
        assert!(text(&cells).contains("q C-c"));
    }

    #[test]
    fn a_long_line_is_shown_around_its_end() {
        let mut cells = canvas(Size { cols: 20, rows: 2 });
        let prompt = Prompt::new(Purpose::RenameTab(TabId(1)), "abcdefghijkl");
        assert_eq!(draw_prompt(&mut cells, &prompt), 19);
        assert!(text(&cells).ends_with("(rename tab) ghijkl "), "{}", text(&cells));
    }
}
