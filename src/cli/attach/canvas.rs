//! What is drawn in our own terminal, and how it is left as it was found. Pure: it says what is to be written.
//!
//! While the pane is as large as our terminal and there is nothing to be said, its output goes through byte by byte.
//! Otherwise the part of it that fits is drawn row by row from a screen of our own, and what is to be said on the last
//! row; afterwards that screen is drawn as a whole, and output goes through again.

#[cfg(test)]
mod tests;

use std::io::Write;

use super::notice::fitted;
use super::terminal::MODES_OFF;
use crate::geometry::Size;
use crate::pane::filter::Filter;
use crate::pane::log::OutputBuf;
use crate::screen::{Screen, ScrollbackLimits};

/// What scrolls out of sight is our terminal's affair.
const NO_SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: 0, bytes: 0 };

/// Keeps our terminal's title, and gives it back.
const PUSH_TITLE: &[u8] = b"\x1b[22;0t";
const POP_TITLE: &[u8] = b"\x1b[23;0t";

/// Gives our terminal its own colours back.
const OWN_COLORS: &[u8] = b"\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\";

/// The usual tab stops, saved cursor and pen, on an empty screen.
const EMPTY: &[u8] = b"\x1b[0m\x1b[?5W\x1b[H\x1b7\x1b[J";

/// Ends whatever sequence was begun.
const CANCEL: &[u8] = b"\x18";

/// See the module.
pub(super) struct Canvas {
    /// How large our terminal is.
    ours: Size,
    /// The pane as it is; none before its first picture.
    pane: Option<Screen>,
    /// Follows what was written to our terminal, to know which modes it has left on.
    written: Filter,
    /// Whether the pane changed our terminal's colours.
    recolored: bool,
    /// Whether it was written to by somebody else, and may have any modes.
    is_untracked: bool,
    /// What is said on the last row.
    notice: Option<String>,
    /// The rows as they were drawn; none while output goes through.
    drawn: Option<Vec<Vec<u8>>>,
    /// The row and column of the pane that is drawn first.
    corner: (usize, usize),
}

impl Canvas {
    /// One for a terminal of this size.
    pub(super) fn new(ours: Size) -> Canvas {
        Canvas {
            ours,
            pane: None,
            written: Filter::new(),
            recolored: false,
            is_untracked: false,
            notice: None,
            drawn: None,
            corner: (0, 0),
        }
    }

    /// Makes room for the pane: what is on the screen scrolls up, out of sight.
    pub(super) fn enter(&mut self) -> Vec<u8> {
        let mut out = PUSH_TITLE.to_vec();
        out.extend(std::iter::repeat_n(b'\n', usize::from(self.ours.rows)));
        out.extend_from_slice(b"\r\x1b[H\x1b[J");
        out
    }

    /// Undoes everything. The picture stays, and the cursor goes below it.
    pub(super) fn leave(&mut self) -> Vec<u8> {
        let mut out = self.undo();
        let _ = write!(out, "\x1b[{}H\r\n", self.ours.rows);
        out.extend_from_slice(POP_TITLE);
        out
    }

    /// Our terminal may show, and have been left with, what we do not know of.
    pub(super) fn lose_track(&mut self) {
        self.is_untracked = true;
    }

    /// Undoes all modes, so that our terminal is like a fresh one but for what it shows.
    fn undo(&mut self) -> Vec<u8> {
        let mut out = CANCEL.to_vec();
        if std::mem::take(&mut self.is_untracked) {
            out.extend_from_slice(MODES_OFF);
            self.recolored = true;
        }
        let modes = *self.written.modes();
        modes.input_reset(&mut out);
        modes.screen_reset(&mut out);
        if self.recolored {
            out.extend_from_slice(OWN_COLORS);
            self.recolored = false;
        }
        out.extend_from_slice(b"\x1b[?25h\x1b[0m");
        self.written = Filter::new();
        out
    }

    /// A picture of the pane in place of what it showed.
    pub(super) fn restart(&mut self, size: Size, snapshot: &[u8]) -> Vec<u8> {
        let mut pane = Screen::new(size, NO_SCROLLBACK);
        pane.feed(snapshot);
        self.pane = Some(pane);
        self.draw_anew()
    }

    /// What the pane's program printed.
    pub(super) fn output(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(pane) = &mut self.pane else { return Vec::new() };
        pane.feed(bytes);
        match self.drawn {
            None => self.sent(bytes.to_vec()),
            Some(_) => self.draw_rows(),
        }
    }

    /// Whether the pane's output goes through as it is.
    pub(super) fn passes_through(&self) -> bool {
        self.pane.is_some() && self.drawn.is_none()
    }

    /// Our terminal has another size now.
    pub(super) fn resize(&mut self, ours: Size) -> Vec<u8> {
        self.ours = ours;
        self.draw_anew()
    }

    /// Our terminal may show anything.
    pub(super) fn redraw(&mut self) -> Vec<u8> {
        self.draw_anew()
    }

    /// Says something on the last row, or nothing any more.
    pub(super) fn say(&mut self, notice: Option<String>) -> Vec<u8> {
        if self.notice == notice {
            return Vec::new();
        }
        let began = self.notice.is_some() != notice.is_some();
        self.notice = notice;
        if began { self.draw_anew() } else { self.draw_rows() }
    }

    /// The notice that is shown.
    #[cfg(test)]
    pub(super) fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    fn draw_anew(&mut self) -> Vec<u8> {
        let mut out = self.undo();
        out.extend_from_slice(EMPTY);
        self.drawn = None;
        let Some(pane) = &self.pane else {
            self.drawn = self.notice.is_some().then(Vec::new);
            out.append(&mut self.draw_rows());
            return out;
        };
        if pane.size() == self.ours && self.notice.is_none() {
            let drawing = pane.drawing();
            out.append(&mut self.sent(drawing));
            return out;
        }
        self.drawn = Some(Vec::new());
        self.corner = (0, 0);
        out.append(&mut self.draw_rows());
        out
    }

    /// Follows what goes to our terminal.
    fn sent(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.written.feed(OutputBuf::copy_of(&bytes), &mut |_, _| {});
        self.recolored |= self.pane.as_ref().is_some_and(Screen::has_colors);
        bytes
    }

    /// Draws the rows that changed, and puts the cursor where it belongs.
    fn draw_rows(&mut self) -> Vec<u8> {
        let Some(mut drawn) = self.drawn.take() else { return Vec::new() };
        self.follow_cursor();
        let mut out = b"\x1b[?2026h\x1b[?25l".to_vec();
        let rows = usize::from(self.ours.rows);
        drawn.resize(rows, Vec::new());
        for (at, before) in drawn.iter_mut().enumerate() {
            let row = self.row(at);
            if row != *before {
                let _ = write!(out, "\x1b[{}H", at + 1);
                out.extend_from_slice(b"\x1b[K");
                out.extend_from_slice(&row);
                *before = row;
            }
        }
        self.drawn = Some(drawn);
        self.place_cursor(&mut out);
        self.switch_keys(&mut out);
        out.extend_from_slice(b"\x1b[?2026l");
        out
    }

    /// A row of our terminal.
    fn row(&self, at: usize) -> Vec<u8> {
        let cols = usize::from(self.ours.cols);
        if let Some(notice) = self.notice.as_ref().filter(|_| at + 1 == usize::from(self.ours.rows)) {
            return format!("\x1b[7;2m{}\x1b[0m", fitted(notice, cols)).into_bytes();
        }
        let mut row = Vec::new();
        if let Some(pane) = &self.pane {
            pane.draw_row(self.corner.0 + at, self.corner.1, cols, &mut row);
        }
        row
    }

    /// Moves the part that is drawn so that the cursor is in it, and no further.
    fn follow_cursor(&mut self) {
        let Some(pane) = &self.pane else { return };
        let (row, col) = place(pane);
        let rows = usize::from(self.ours.rows) - usize::from(self.notice.is_some());
        let cols = usize::from(self.ours.cols);
        let along = |corner: usize, at: usize, room: usize, whole: u16| {
            let corner = corner.min(at).max((at + 1).saturating_sub(room));
            corner.min(usize::from(whole).saturating_sub(room))
        };
        // Lines are read from their beginnings.
        let left = if col < cols { 0 } else { self.corner.1 };
        self.corner = (
            along(self.corner.0, row, rows.max(1), pane.size().rows),
            along(left, col, cols, pane.size().cols),
        );
    }

    fn place_cursor(&mut self, out: &mut Vec<u8>) {
        let Some(pane) = &self.pane else { return };
        let (row, col) = place(pane);
        let (row, col) = (row - self.corner.0, col - self.corner.1);
        let _ = write!(out, "\x1b[{};{}H", row + 1, col + 1);
        if pane.cursor().visible && row < usize::from(self.ours.rows) {
            out.extend_from_slice(b"\x1b[?25h");
        }
    }

    /// Makes our terminal's keys send what the pane's program wants.
    fn switch_keys(&mut self, out: &mut Vec<u8>) {
        let Some(pane) = &self.pane else { return };
        let wanted = pane.input_modes();
        let mut has = Vec::new();
        self.written.modes().input_reset(&mut has);
        let mut followed = Filter::new();
        followed.feed(OutputBuf::copy_of(&wanted), &mut |_, _| {});
        if followed.modes() != self.written.modes() {
            out.append(&mut has);
            out.extend_from_slice(&wanted);
            self.written = followed;
        }
    }
}

/// The row and the column of a screen's cursor.
fn place(screen: &Screen) -> (usize, usize) {
    let cursor = screen.cursor();
    (usize::from(cursor.row), usize::from(cursor.col))
}
