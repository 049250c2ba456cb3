//! Everything that can be told of a terminal, for tests to compare.

use std::fmt::Write;

use super::buffer::Buffer;
use super::cell::Cell;
use super::extras::Extras;
use super::terminal::Terminal;

impl Terminal {
    /// All there is that output can change or that can change what output does.
    pub(super) fn describe(&self) -> String {
        let mut text = String::new();
        for row in self.history.newest(usize::MAX) {
            let _ = writeln!(text, "{:?}", String::from_utf8_lossy(row.bytes));
        }
        let _ = writeln!(text, "{:?} alternate {}", self.size, self.alternate);
        let _ = writeln!(text, "pen {}", cell(&self.pen, &self.extras));
        let _ = writeln!(text, "{:?}\n{:?}", self.charsets, self.modes);
        let _ = writeln!(text, "style {} preceding {}", self.cursor_style, self.preceding);
        let mut colors: Vec<_> = self.colors.iter().map(|color| format!("{color:?}")).collect();
        colors.sort();
        let _ = writeln!(text, "{colors:?}\n{:?}", self.keyboard);
        let _ = writeln!(text, "shown at {} {}", self.active.col, self.active.row);
        for buffer in [&self.active, &self.other] {
            describe(&mut text, buffer, &self.extras);
        }
        text
    }
}

fn describe(text: &mut String, buffer: &Buffer, extras: &Extras) {
    let saved = &buffer.saved;
    let stops: Vec<_> = (0..buffer.tabs.len()).filter(|col| buffer.tabs[*col]).collect();
    let _ = writeln!(text, "region {}-{} tabs {stops:?}", buffer.top, buffer.bottom);
    let pen = cell(&saved.pen, extras);
    let _ = writeln!(text, "saved {} {} {pen} {:?}", saved.col, saved.row, saved.charset);
    for (index, row) in buffer.rows.iter().enumerate() {
        let wrapped = row.wrapped;
        let cells: String = row.cells().iter().map(|at| cell(at, extras)).collect();
        let _ = writeln!(text, "{index} {wrapped} {cells}");
    }
}

fn cell(cell: &Cell, extras: &Extras) -> String {
    if *cell == Cell::BLANK {
        return ".".to_owned();
    }
    let extra = extras.get(cell.extra);
    let mut text = format!("[{:?}", cell.character);
    if cell.foreground != Cell::BLANK.foreground || cell.background != Cell::BLANK.background {
        let _ = write!(text, " {:?} {:?}", cell.foreground.hue(), cell.background.hue());
    }
    if cell.style != Cell::BLANK.style {
        let _ = write!(text, " {:?}", cell.style);
    }
    if *extra != super::extras::Extra::default() {
        let _ = write!(text, " {extra:?}");
    }
    text + "]"
}
