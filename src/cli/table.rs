//! Tables for people: columns that line up whatever is in them, and no cell that a terminal would obey.

use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: &str = "  ";

/// The most columns of a terminal that a cell takes; what is longer ends in an ellipsis.
const CELL_COLUMNS: usize = 60;

/// A line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    cells: Vec<String>,
    /// What is put before it where there are colours.
    sgr: &'static str,
}

impl Row {
    /// One with these cells; those that are missing at its end are empty.
    pub(super) fn new<const N: usize>(cells: [String; N]) -> Row {
        Row { cells: cells.iter().map(|cell| shortened(&escaped(cell))).collect(), sgr: "" }
    }

    /// The same with cells of any length.
    pub(super) fn uncut<const N: usize>(cells: [String; N]) -> Row {
        Row { cells: cells.iter().map(|cell| escaped(cell)).collect(), sgr: "" }
    }

    /// One that stands out.
    pub(super) fn bold(self) -> Row {
        Row { sgr: "\x1b[1m", ..self }
    }

    /// One that stands back.
    pub(super) fn dim(self) -> Row {
        Row { sgr: "\x1b[2m", ..self }
    }
}

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// On a terminal of somebody who wants them.
    Coloured,
    /// Anywhere else.
    Plain,
}

impl Style {
    /// That of an output, which is a terminal or not.
    pub(super) fn of(terminal: bool) -> Style {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if terminal && !unwanted { Style::Coloured } else { Style::Plain }
    }
}

/// A line of `headings`, and below it one for each row.
pub(super) fn table(headings: &[&str], rows: &[Row], style: Style) -> String {
    let head = Row { cells: headings.iter().map(|heading| (*heading).to_owned()).collect(), sgr: "\x1b[2m" };
    let all: Vec<&Row> = std::iter::once(&head).chain(rows).collect();
    let widest = |at: usize| all.iter().filter_map(|row| row.cells.get(at)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..headings.len()).map(|at| widest(at).unwrap_or(0)).collect();
    all.iter().map(|row| line(row, &widths, style)).collect()
}

fn line(row: &Row, widths: &[usize], style: Style) -> String {
    let cell = |(text, wide): (&String, &usize)| {
        format!("{text}{}{GAP}", " ".repeat(wide.saturating_sub(text.width())))
    };
    let cells: String = row.cells.iter().zip(widths).map(cell).collect();
    match style {
        Style::Coloured if !row.sgr.is_empty() => format!("{}{}\x1b[m\n", row.sgr, cells.trim_end()),
        _ => format!("{}\n", cells.trim_end()),
    }
}

/// Without anything that moves the cursor, changes colours or turns the direction of writing.
pub(super) fn escaped(text: &str) -> String {
    let turns = |char: char| matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let letter = |char: char| match char {
        _ if char.is_control() || turns(char) => char.escape_default().to_string(),
        _ => char.to_string(),
    };
    text.chars().map(letter).collect()
}

fn shortened(text: &str) -> String {
    if text.width() <= CELL_COLUMNS {
        return text.to_owned();
    }
    let mut kept = String::new();
    for char in text.chars() {
        let longer = format!("{kept}{char}");
        if longer.width() >= CELL_COLUMNS {
            break;
        }
        kept = longer;
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<const N: usize>(cells: [&str; N]) -> Row {
        Row::new(cells.map(str::to_owned))
    }

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let rows = [row(["日本", "x", "1"]), row(["a"]), row(["", "y"])];
        let wanted = "A     B  C\n日本  x  1\na\n      y\n";
        assert_eq!(table(&["A", "B", "C"], &rows, Style::Plain), wanted);
    }

    #[test]
    fn nothing_in_a_cell_reaches_the_terminal_as_a_command() {
        let text = table(&["A"], &[row(["\x1b[2J\r\n\u{9b}x\u{202e}"])], Style::Plain);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(text.lines().last(), Some(r"\u{1b}[2J\r\n\u{9b}x\u{202e}"));
    }

    #[test]
    fn colours_are_around_a_line_and_only_where_they_are_wanted() {
        let rows = [row(["a"]).bold()];
        assert_eq!(table(&["A"], &rows, Style::Plain), "A\na\n");
        assert_eq!(table(&["A"], &rows, Style::Coloured), "\x1b[2mA\x1b[m\n\x1b[1ma\x1b[m\n");
        assert_eq!(Style::of(false), Style::Plain);
    }

    #[test]
    fn a_long_cell_is_cut() {
        let text = table(&["A"], &[row(["日".repeat(100).as_str()])], Style::Plain);
        let last = text.lines().last().unwrap();
        assert!(last.ends_with('…') && last.width() <= CELL_COLUMNS, "{last}");
    }
}
