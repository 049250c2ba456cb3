//! The screen, and scrollback above it, for those who look at it from outside: as text, as text with escape sequences,
//! as a page, as a picture.

mod ansi;
mod html;
mod look;
mod plain;
mod svg;
#[cfg(test)]
mod tests;

use super::Screen;
use super::cell::Cell;
use super::extras::Extras;
use super::history::HistoryRow;
use super::paint::flows_on;
use super::row::Row;
use super::terminal::Terminal;
use super::unpack::Unpacked;

/// What it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text alone, without the blanks at the ends of lines.
    Plain,
    /// Text with SGR sequences and hyperlinks; each line is complete in itself.
    Ansi,
    /// An HTML page.
    Html,
    /// An SVG picture; the cursor is not in it.
    Svg,
}

/// How much of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many rows of scrollback, or fewer so as to begin with a whole line. The alternate screen has none.
    pub scrollback: usize,
    /// Whether rows that make up one line are put together.
    pub join: bool,
}

/// Takes rows one after the other and makes a document of them.
trait Document {
    /// More cells of a line.
    fn cells(&mut self, cells: &[Cell], extras: &Extras);
    /// The line is complete.
    fn end_line(&mut self);
    /// The document.
    fn finish(self: Box<Self>) -> String;
}

impl Screen {
    /// The screen in a format.
    #[must_use]
    pub fn render(&self, format: Format, extent: Extent) -> String {
        let terminal = &self.terminal;
        let mut document: Box<dyn Document + '_> = match format {
            Format::Plain => Box::new(plain::Plain::default()),
            Format::Ansi => Box::new(ansi::Ansi::default()),
            Format::Html => Box::new(html::Html::new(&terminal.colors)),
            Format::Svg => Box::new(svg::Svg::new(&terminal.colors, terminal.cols())),
        };
        write(terminal, extent, &mut *document);
        document.finish()
    }

    /// The lines on the screen: rows of one line are put together, and blanks that were written are kept.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = plain::Lines::default();
        write(&self.terminal, Extent { scrollback: 0, join: true }, &mut lines);
        lines.all
    }
}

fn write(terminal: &Terminal, extent: Extent, document: &mut dyn Document) {
    let rows = &terminal.active.rows;
    let mut open = false;
    if !terminal.alternate && extent.scrollback > 0 {
        let history: Vec<_> = terminal.history.newest(extent.scrollback).collect();
        for line in history.chunk_by(|row, _| row.joined) {
            open = write_history_line(terminal, line, extent, document);
        }
        if open && !rows.front().is_some_and(|row| row.wrapped) {
            document.end_line();
        }
    }
    for (index, row) in rows.iter().enumerate() {
        let joined =
            extent.join && rows.get(index + 1).is_some_and(|next| next.wrapped && flows_on(row, next));
        write_row(row, joined, &terminal.extras, document);
    }
}

/// Whether the line is still open: it goes on on the screen.
fn write_history_line(
    terminal: &Terminal,
    line: &[HistoryRow<'_>],
    extent: Extent,
    document: &mut dyn Document,
) -> bool {
    let mut unpacked = Unpacked::new(terminal.size.cols, Extras::new());
    line.iter().for_each(|row| unpacked.add(*row));
    let (rows, extras) = unpacked.finish();
    let goes_on = extent.join && line.last().is_some_and(|row| row.joined);
    let last = rows.len().saturating_sub(1);
    for (index, row) in rows.iter().enumerate() {
        write_row(row, if index == last { goes_on } else { extent.join }, &extras, document);
    }
    goes_on
}

/// A row, whose line goes on in the next one if they are `joined`.
fn write_row(row: &Row, joined: bool, extras: &Extras, document: &mut dyn Document) {
    let cells = if joined { &row.cells()[..row.content_len()] } else { row.used() };
    document.cells(cells, extras);
    if !joined {
        document.end_line();
    }
}
