//! What the answers to programs' questions are made from.

use super::answers::Facts;
use super::colors::{ColorSlot, Rgb};
use super::paint;
use super::terminal::Terminal;
use crate::geometry::Size;

impl Facts for Terminal {
    fn size(&self) -> Size {
        self.size
    }

    fn cursor(&self) -> (u16, u16) {
        let first = if self.modes.origin { self.active.top } else { 0 };
        let row = self.active.row.saturating_sub(first);
        (row as u16 + 1, self.active.col.min(self.cols() - 1) as u16 + 1)
    }

    fn private_mode(&self, mode: u16) -> Option<bool> {
        match mode {
            47 | 1047 | 1049 => Some(self.alternate),
            _ => self.modes.private(mode),
        }
    }

    fn ansi_mode(&self, mode: u16) -> Option<bool> {
        match mode {
            4 => Some(self.modes.insert),
            20 => Some(self.modes.newline),
            _ => None,
        }
    }

    fn pen(&self) -> String {
        paint::sgr(&self.pen, &self.extras)
    }

    fn scroll_region(&self) -> (u16, u16) {
        (self.active.top as u16 + 1, self.active.bottom as u16 + 1)
    }

    fn cursor_style(&self) -> u8 {
        self.cursor_style
    }

    fn color(&self, slot: ColorSlot) -> Option<Rgb> {
        self.colors.get(&slot).copied()
    }
}
