//! The picture of it all.

use std::time::Instant;

use super::{Desk, Mode};
use crate::cli::layout::card::Card;
use crate::cli::layout::compose::{draw_borders, draw_card, draw_copy, draw_number, draw_screen, offset};
use crate::cli::layout::outer::{Cursor, Frame, Modes, canvas};
use crate::cli::layout::popup::{draw_help, draw_keys, draw_picker, draw_prompt, draw_question};
use crate::cli::layout::status::{Notice, StatusLine};
use crate::client::Status;
use crate::geometry::Rect;
use crate::ids::PaneId;

impl Desk {
    /// What our terminal is to show; `unix_ms` is the time since the Unix epoch.
    pub(in crate::cli::layout) fn frame(&self, now: Instant, unix_ms: u64) -> Frame {
        let mut cells = canvas(self.size);
        for (pane, rect) in &self.tiling.panes {
            self.draw_pane(&mut cells, *pane, *rect, unix_ms);
        }
        draw_borders(&mut cells, &self.tiling, self.pane, |pane| self.title_of(pane));
        if matches!(self.mode, Mode::Numbers { .. }) {
            for (number, (pane, rect)) in self.tiling.panes.iter().enumerate() {
                draw_number(&mut cells, *rect, number, self.pane == Some(*pane));
            }
        }
        self.status_line(now).draw(&mut cells);
        let mut cursor = self.pane_cursor();
        match &self.mode {
            Mode::Plain | Mode::Copy { .. } | Mode::Numbers { .. } => {}
            Mode::Confirm { question, .. } => {
                draw_question(&mut cells, question);
                cursor = None;
            }
            Mode::Pick(picker) => {
                draw_picker(&mut cells, picker);
                cursor = None;
            }
            Mode::Help { first } => {
                draw_help(&mut cells, self.settings.prefix, *first);
                cursor = None;
            }
        }
        if let Some(prompt) = &self.prompt {
            let x = draw_prompt(&mut cells, prompt).min(self.size.cols.saturating_sub(1));
            cursor = Some(Cursor { x, y: self.size.rows.saturating_sub(1), style: 0 });
        }
        if self.shows_hint(now) {
            draw_keys(&mut cells, self.settings.prefix);
        }
        Frame { cells, cursor, modes: self.modes() }
    }

    fn draw_pane(&self, cells: &mut ratatui::buffer::Buffer, pane: PaneId, rect: Rect, unix_ms: u64) {
        if let Mode::Copy { pane: copied, copy, .. } = &self.mode
            && *copied == pane
        {
            return draw_copy(cells, rect, copy);
        }
        if let Some(screen) = self.screens.get(&pane) {
            draw_screen(cells, rect, screen);
        }
        if !self.mirror.is_connected(pane)
            && let Some(info) = self.mirror.panes.get(&pane)
        {
            draw_card(cells, rect, &Card::of(info, unix_ms));
        }
    }

    /// How keys are to come: as the focused pane's program wants them, unless they are ours.
    fn modes(&self) -> Modes {
        let is_ours = self.takes_keys() || self.prefix.is_some();
        let screen = self.pane.filter(|_| !is_ours).and_then(|pane| self.screens.get(&pane));
        Modes::of(screen.map(|screen| screen.wants()).as_ref(), self.settings.mouse)
    }

    fn pane_cursor(&self) -> Option<Cursor> {
        let pane = self.pane?;
        let rect = self.tiling.rect_of(pane)?;
        let (x, y, style) = match &self.mode {
            Mode::Copy { copy, .. } => {
                let (x, y) = copy.cursor();
                (x, y, 0)
            }
            _ => {
                let screen = self.screens.get(&pane)?;
                let cursor = screen.cursor();
                if !cursor.visible || !self.mirror.is_connected(pane) {
                    return None;
                }
                let (left, top) = offset(screen, rect);
                (cursor.col - left.min(cursor.col), cursor.row - top.min(cursor.row), cursor.style)
            }
        };
        let (x, y) = (rect.x + x.min(rect.size.cols - 1), rect.y + y.min(rect.size.rows - 1));
        (x < self.size.cols && y + 1 < self.size.rows).then_some(Cursor { x, y, style })
    }

    pub(super) fn status_line(&self, now: Instant) -> StatusLine {
        StatusLine::new(&self.mirror, self.session(), self.last_tab, self.notice(now), self.size.cols)
    }

    /// What matters most comes first.
    fn notice(&self, now: Instant) -> Notice {
        if let Status::Reconnecting { reason, until, .. } = &self.status {
            let when = until.map_or(0, |until| until.saturating_duration_since(now).as_secs());
            let wait = if when > 0 { format!(" in {when} s") } else { String::new() };
            let held = if self.held > 0 { format!(", {} bytes held", self.held) } else { String::new() };
            return Notice::Urgent(format!("reconnecting{wait}{held} ({reason})"));
        }
        if let Some((message, _)) = &self.message {
            return Notice::Message(message.clone());
        }
        if self.prefix.is_some() {
            return Notice::Message(format!("{}-", self.settings.prefix));
        }
        if let Some(notice) = self.mirror.notices.values().next() {
            return Notice::Urgent(notice.clone());
        }
        Notice::Title(self.pane.map(|pane| self.title_of(pane)).unwrap_or_default())
    }
}
