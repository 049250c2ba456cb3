//! What a terminal is in: its two screens, pen, modes and colours, and how the screens are switched and scrolled.
//!
//! The reference is xterm.js, the browser's terminal: a screen restored from a snapshot goes on exactly like one
//! that was there from the start only if both read every sequence alike.

use std::collections::HashMap;
use std::mem;

use super::ScrollbackLimits;
use super::buffer::{Buffer, SavedCursor};
use super::cell::{Cell, ExtraId};
use super::charset::Charsets;
use super::colors::{ColorSlot, Rgb};
use super::extras::{Extra, Extras};
use super::history::History;
use super::kitty::KeyboardFlags;
use super::modes::Modes;
use super::paint::{flows_on, is_full};
use crate::geometry::Size;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Terminal {
    pub(super) size: Size,
    /// The screen that is shown.
    pub(super) active: Buffer,
    /// The other one.
    pub(super) other: Buffer,
    /// Whether the alternate screen is shown.
    pub(super) alternate: bool,
    /// What new characters look like.
    pub(super) pen: Cell,
    pub(super) charsets: Charsets,
    pub(super) modes: Modes,
    /// As in DECSCUSR; 0 is the viewer's own.
    pub(super) cursor_style: u8,
    /// Colours a program changed.
    pub(super) colors: HashMap<ColorSlot, Rgb>,
    /// The primary and the alternate screen's.
    pub(super) keyboard: [KeyboardFlags; 2],
    pub(super) extras: Extras,
    /// How many columns the character printed last took, if nothing came since: what combining characters go to
    /// and what REP repeats. 0 if something did.
    pub(super) preceding: usize,
    pub(super) history: History,
}

impl Terminal {
    pub(super) fn new(size: Size, limits: ScrollbackLimits) -> Terminal {
        Terminal {
            size,
            active: Buffer::new(size),
            other: Buffer::without_rows(size),
            alternate: false,
            pen: Cell::BLANK,
            charsets: Charsets::default(),
            modes: Modes::default(),
            cursor_style: 0,
            colors: HashMap::new(),
            keyboard: Default::default(),
            extras: Extras::new(),
            preceding: 0,
            history: History::new(limits),
        }
    }

    #[inline]
    pub(super) fn cols(&self) -> usize {
        usize::from(self.size.cols)
    }

    #[inline]
    pub(super) fn rows(&self) -> usize {
        usize::from(self.size.rows)
    }

    /// What erased cells are filled with: nothing but the pen's background.
    #[inline]
    pub(super) fn blank(&self) -> Cell {
        Cell::erased(self.pen.background)
    }

    /// The screen's keyboard flags.
    pub(super) fn keyboard(&mut self) -> &mut KeyboardFlags {
        &mut self.keyboard[usize::from(self.alternate)]
    }

    /// RIS. Changed colours outlive it.
    pub(super) fn reset(&mut self) {
        self.active = Buffer::new(self.size);
        self.other = Buffer::without_rows(self.size);
        self.alternate = false;
        self.pen = Cell::BLANK;
        self.charsets = Charsets::default();
        self.modes.reset();
        self.cursor_style = 0;
        self.keyboard = Default::default();
        self.extras = Extras::new();
        self.history.clear();
    }

    /// DECSTR.
    pub(super) fn soft_reset(&mut self) {
        self.modes.soft_reset();
        self.cursor_style = 0;
        self.active.top = 0;
        self.active.bottom = self.rows() - 1;
        self.pen = Cell::BLANK;
        self.charsets = Charsets::default();
        self.active.saved = SavedCursor::HOME;
    }

    /// Scrolls the region up by a row. What leaves the primary screen at its top goes into the history.
    pub(super) fn scroll(&mut self, wrapped: bool) {
        let blank = self.blank();
        let Buffer { top, bottom, .. } = self.active;
        let joined = top == 0 && !self.alternate && self.keep_top_row(wrapped);
        self.active.recycle(top, bottom, blank);
        self.active.rows[bottom].wrapped = wrapped;
        if top == 0 {
            self.active.rows[0].wrapped = joined;
        }
    }

    /// Puts the first row into the history and says whether its line goes on in the next, which is a new one with
    /// this flag if there is no other. The saved cursor stays with the text it was saved at.
    fn keep_top_row(&mut self, wrapped: bool) -> bool {
        let rows = &self.active.rows;
        let joined = match rows.get(1) {
            Some(next) => next.wrapped && flows_on(&rows[0], next),
            None => wrapped && is_full(&rows[0]),
        };
        self.history.push(&rows[0], joined, &self.extras);
        self.active.saved.row = self.active.saved.row.saturating_sub(1);
        self.history.goes_on()
    }

    /// IND, and LF without its carriage return.
    pub(super) fn index(&mut self) {
        if self.active.row == self.active.bottom {
            self.scroll(false);
        } else if self.active.row + 1 < self.rows() {
            self.active.row += 1;
        }
    }

    pub(super) fn save_cursor(&mut self) {
        let mut pen = Cell { extra: ExtraId::NONE, ..self.pen };
        pen.style.set_underline(pen.style.underline().min(1));
        let col = self.active.col.min(self.cols() - 1);
        self.active.saved = SavedCursor { col, row: self.active.row, pen, charset: self.charsets.current };
    }

    pub(super) fn restore_cursor(&mut self) {
        let SavedCursor { col, row, pen, charset } = self.active.saved;
        self.pen = pen.restored_over(&self.pen);
        self.charsets.current = charset;
        (self.active.col, self.active.row) = (col, row);
        self.leave_margin();
    }

    /// Gives the pen an extra.
    pub(super) fn set_pen_extra(&mut self, extra: Extra) {
        self.pen.extra = self.extra_id(extra);
    }

    /// The id of an extra, after making room for it if there is none.
    fn extra_id(&mut self, extra: Extra) -> ExtraId {
        self.make_room_for_extras();
        self.extras.id(extra)
    }

    /// Forgets extras that no cell has, if there are many.
    pub(super) fn make_room_for_extras(&mut self) {
        if self.extras.wants_sweep() {
            let cells = self.active.rows.iter().chain(&self.other.rows).flat_map(|row| row.used());
            let pens = [&self.pen, &self.active.saved.pen, &self.other.saved.pen];
            self.extras.sweep(cells.chain(pens).map(|cell| cell.extra));
        }
    }

    /// Shows the alternate screen, empty, with the cursor where it is.
    pub(super) fn enter_alternate(&mut self) {
        if !self.alternate {
            let blank = self.blank();
            self.other.add_rows(self.size, blank);
            self.switch_screen();
        }
    }

    /// Shows the primary screen, with the cursor where it is.
    pub(super) fn leave_alternate(&mut self) {
        if self.alternate {
            self.switch_screen();
            self.other.drop_rows(self.size);
            // Ending it keeps every state one that can be restored: nothing else puts the cursor outside of the
            // region in origin mode, or at the end of a row that is not full.
            self.leave_margin();
        }
    }

    fn switch_screen(&mut self) {
        (self.other.col, self.other.row) = (self.active.col, self.active.row);
        mem::swap(&mut self.active, &mut self.other);
        self.alternate = !self.alternate;
        // A restored character set becomes the designated one: no output brings about the two on different screens.
        self.charsets.designate(self.charsets.level, self.charsets.current);
    }

    /// Keeps the cursor within the screen, or within the scroll region in origin mode.
    pub(super) fn confine_cursor(&mut self, max_col: usize) {
        let (first, last) = match self.modes.origin {
            true => (self.active.top, self.active.bottom),
            false => (0, self.rows() - 1),
        };
        self.active.col = self.active.col.min(max_col);
        self.active.row = self.active.row.clamp(first, last);
    }

    /// Keeps the cursor within the screen, and does away with a wrap that is due.
    pub(super) fn leave_margin(&mut self) {
        self.confine_cursor(self.cols() - 1);
    }

    /// Puts the cursor somewhere; in origin mode rows count from the region's first.
    pub(super) fn move_to(&mut self, col: usize, row: usize) {
        self.active.col = col;
        self.active.row = row + if self.modes.origin { self.active.top } else { 0 };
        self.leave_margin();
    }
}
