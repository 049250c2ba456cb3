//! Draws the list on the left and the chosen pane on the right. Pure: it says what is to be written.

use std::io::Write;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::{Entry, Picker};
use crate::cli::attach::notice::fitted;
use crate::geometry::Size;
use crate::screen::Screen;

/// Shows the other screen, keeping what was there.
pub(super) const ENTER: &[u8] = b"\x1b[?1049h\x1b[m";

/// Shows what was there before.
pub(super) const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?25h\x1b[?1049l";

/// A terminal with fewer columns has no room for a preview.
const PREVIEW_FROM_COLS: u16 = 50;

/// The widest list, in columns.
const WIDEST_LIST: u16 = 60;

/// The rows above the list: what is searched for, and a line.
const HEAD_ROWS: u16 = 2;

const PROMPT: &str = "> ";
const HELP: &str = " enter attaches, esc leaves ";

const FAINT: Style = Style::new().fg(Color::DarkGray);
const DEAD: Style = Style::new().fg(Color::Red);
const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);
const MATCHED: Style = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);

/// What the chosen pane looks like.
#[derive(Clone, Copy, Default)]
pub(super) struct Preview<'a> {
    /// None until it came.
    pub(super) screen: Option<&'a Screen>,
    /// What is to be said about it, on its last row.
    pub(super) notice: Option<&'a str>,
}

/// See the module. It knows what is on the terminal, and writes what changed.
pub(super) struct Easel {
    size: Size,
    /// The list as it was drawn; none if nobody knows what the terminal shows.
    list: Option<Buffer>,
    /// The rows of the preview as they were drawn.
    preview: Vec<Vec<u8>>,
    /// The column of the cursor, from 1.
    cursor: usize,
}

impl Easel {
    /// One for a terminal of this size.
    pub(super) fn new(size: Size) -> Easel {
        Easel { size, list: None, preview: Vec::new(), cursor: 0 }
    }

    /// The terminal may show anything, and has this size now.
    pub(super) fn forget(&mut self, size: Size) {
        *self = Easel::new(size);
    }

    /// How many entries have room.
    pub(super) fn rows(&self) -> usize {
        usize::from(self.size.rows.saturating_sub(HEAD_ROWS)).max(1)
    }

    /// What makes the terminal show this; nothing if it does.
    pub(super) fn draw(&mut self, picker: &Picker, preview: Preview<'_>) -> Vec<u8> {
        let mut changes = Vec::new();
        let list = self.list(picker);
        let before = self.list.take().unwrap_or_else(|| {
            changes.extend_from_slice(b"\x1b[m\x1b[2J");
            Buffer::empty(list.area)
        });
        let changed = before.diff(&list);
        if !changed.is_empty() {
            // Writing to memory does not fail.
            let _ = CrosstermBackend::new(&mut changes).draw(changed.into_iter());
        }
        self.list = Some(list);
        self.draw_preview(preview, &mut changes);
        let cursor = 1 + PROMPT.len() + picker.query().width();
        let cursor = cursor.min(usize::from(self.list_cols()));
        if changes.is_empty() && cursor == self.cursor {
            return Vec::new();
        }
        self.cursor = cursor;
        let mut out = b"\x1b[?2026h\x1b[?25l".to_vec();
        out.append(&mut changes);
        let _ = write!(out, "\x1b[1;{cursor}H\x1b[?25h\x1b[?2026l");
        out
    }

    /// How many columns the list takes; the next one is a line.
    fn list_cols(&self) -> u16 {
        match self.size.cols {
            cols @ ..PREVIEW_FROM_COLS => cols,
            cols => (cols * 2 / 5).min(WIDEST_LIST),
        }
    }

    /// The list, and the lines around it.
    fn list(&self, picker: &Picker) -> Buffer {
        let cols = self.list_cols();
        let with_line = if cols < self.size.cols { cols + 1 } else { cols };
        let mut cells = Buffer::empty(Rect { x: 0, y: 0, width: with_line, height: self.size.rows });
        let width = usize::from(cols);
        cells.set_stringn(0, 0, format!("{PROMPT}{}", picker.query()), width, Style::new());
        if self.size.rows > 1 {
            let (found, all) = picker.counts();
            let line = format!("─ {found}/{all} ─{HELP}");
            let filled = format!("{line}{}", "─".repeat(width.saturating_sub(line.width())));
            cells.set_stringn(0, 1, filled, width, FAINT);
        }
        for (y, (entry, matched, chosen)) in (HEAD_ROWS..self.size.rows).zip(picker.view(self.rows())) {
            draw_entry(&mut cells, y, cols, entry, matched, chosen);
        }
        for y in 0..if with_line > cols { self.size.rows } else { 0 } {
            cells[(cols, y)].set_symbol("│").set_style(FAINT);
        }
        cells
    }

    fn draw_preview(&mut self, preview: Preview<'_>, out: &mut Vec<u8>) {
        let first = self.list_cols() + 1;
        let room = Size { cols: self.size.cols.saturating_sub(first), rows: self.size.rows };
        if room.cols == 0 {
            return;
        }
        self.preview.resize(usize::from(room.rows), Vec::new());
        // Where the cursor is, something happens.
        let top = preview.screen.map_or(0, |screen| {
            let most = screen.size().rows.saturating_sub(room.rows);
            (screen.cursor().row + 1).saturating_sub(room.rows).min(most)
        });
        for (at, before) in self.preview.iter_mut().enumerate() {
            let mut row = Vec::new();
            match preview.notice.filter(|_| at + 1 == usize::from(room.rows)) {
                Some(notice) => draw_notice(notice, usize::from(room.cols), &mut row),
                None => preview.screen.into_iter().for_each(|screen| {
                    screen.draw_row(usize::from(top) + at, 0, usize::from(room.cols), &mut row);
                }),
            }
            if row != *before {
                let _ = write!(out, "\x1b[{};{}H\x1b[K", at + 1, first + 1);
                out.extend_from_slice(&row);
                *before = row;
            }
        }
    }
}

fn draw_entry(cells: &mut Buffer, y: u16, cols: u16, entry: &Entry, matched: &[u32], chosen: bool) {
    let style = if chosen { CHOSEN } else { Style::new() };
    cells.set_style(Rect { x: 0, y, width: cols, height: 1 }, style);
    cells.set_stringn(0, y, if entry.dead { "✗ " } else { "  " }, usize::from(cols), style.patch(DEAD));
    let mut x = 2;
    // The search counts characters as people do, as this does.
    for (at, grapheme) in Line::raw(&entry.text).styled_graphemes(style).enumerate() {
        let room = usize::from(cols.saturating_sub(x));
        let is_matched = u32::try_from(at).is_ok_and(|at| matched.binary_search(&at).is_ok());
        let style = if is_matched { style.patch(MATCHED) } else { style };
        (x, _) = cells.set_stringn(x.min(cols), y, grapheme.symbol, room, style);
    }
}

/// Writes on a row of the preview, as the notice of an attached terminal.
fn draw_notice(notice: &str, cols: usize, out: &mut Vec<u8>) {
    let text = fitted(notice, cols);
    let _ = write!(out, "\x1b[7;2m{text}\x1b[0m");
}
