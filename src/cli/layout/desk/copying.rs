//! Copy mode on the desk: how it begins, what comes of it, how it ends.

use std::time::Instant;

use super::{Desk, Effect, Mode};
use crate::cli::layout::copy::{COPY_ROWS, CopyMode, Outcome};
use crate::cli::layout::page::{Page, Place};
use crate::cli::layout::prompt::{Prompt, Purpose};

impl Desk {
    pub(super) fn leave_mode(&mut self) {
        self.mode = Mode::Plain;
        if self.prompt.as_ref().is_some_and(|prompt| matches!(prompt.purpose, Purpose::Search { .. })) {
            self.prompt = None;
        }
    }

    /// Begins to look at what the focused pane has shown; `scrolled`: by the wheel, so that it ends by itself.
    pub(super) fn enter_copy(&mut self, scrolled: bool) -> Vec<Effect> {
        let Some(pane) = self.pane else { return Vec::new() };
        if matches!(self.mode, Mode::Copy { .. }) {
            return Vec::new();
        }
        let (Some(screen), Some(rect)) = (self.screens.get(&pane), self.tiling.rect_of(pane)) else {
            return Vec::new();
        };
        let (cols, rows) = (usize::from(rect.size.cols), usize::from(rect.size.rows));
        let cursor = screen.cursor();
        let page = Page::of(screen, COPY_ROWS);
        let below = usize::from(screen.size().rows.saturating_sub(cursor.row + 1));
        let row = rows.min(page.lines.len()).saturating_sub(below + 1);
        let place = Place { row, col: usize::from(cursor.col) };
        let alternate = screen.wants().alternate;
        self.mode = Mode::Copy { pane, copy: Box::new(CopyMode::new(page, cols, rows, place)), scrolled };
        // What scrolled off before we came is with the gateway.
        if alternate { Vec::new() } else { vec![Effect::Watch { pane, history: COPY_ROWS as u32 }] }
    }

    pub(super) fn copy_outcome(&mut self, outcome: Outcome, now: Instant) -> Vec<Effect> {
        match outcome {
            Outcome::Stay => Vec::new(),
            Outcome::Leave => {
                self.leave_mode();
                Vec::new()
            }
            Outcome::Copy(text) => {
                self.leave_mode();
                self.copy(text, now)
            }
            Outcome::AskFor { forward } => {
                self.prompt = Some(Prompt::new(Purpose::Search { forward }, ""));
                Vec::new()
            }
            Outcome::NotFound => {
                self.say("not found", now);
                Vec::new()
            }
        }
    }

    pub(super) fn copy(&mut self, text: String, now: Instant) -> Vec<Effect> {
        let count = text.chars().count();
        self.say(format!("copied {count} character{}", if count == 1 { "" } else { "s" }), now);
        self.copied = Some(text.clone());
        vec![Effect::Clipboard(text)]
    }
}
