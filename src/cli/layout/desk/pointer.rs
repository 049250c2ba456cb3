//! The mouse on the layout: focus, edges, scrolling, selecting, and programs that want it for themselves.

use std::time::Instant;

use super::{Desk, Effect, Mode};
use crate::cli::layout::compose::offset;
use crate::cli::layout::copy::Outcome;
use crate::cli::layout::mouse::{Button, Deed};
use crate::cli::layout::page::Place;
use crate::cli::layout::stdin::MouseReport;
use crate::cli::layout::tiles::Divider;
use crate::geometry::Rect;
use crate::ids::{PaneId, TabId};
use crate::protocol::client::{ClientMessage, SplitResize};
use crate::screen::wants::MouseTracking;

/// How many rows a notch of the wheel is.
const WHEEL_ROWS: usize = 3;

/// What the button that is down does.
#[derive(Debug, Default)]
pub(super) struct Pointer {
    held: Held,
}

#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    /// It went down where it does no more than that: no pane hears where it goes from there.
    Elsewhere,
    /// It moves a line between panes or, where it has told no move by the time it goes up, is a click there.
    Divider { tab: TabId, divider: Divider, told: Vec<f64> },
    /// It will select from this cell of our terminal, or is a click.
    Pressed { pane: PaneId, x: u16, y: u16 },
    /// It selects.
    Selecting { anchor: Place },
    /// A pane's program has it until it goes up.
    Program(PaneId),
}

impl Desk {
    /// The mouse did something.
    pub(super) fn mouse(&mut self, report: MouseReport, now: Instant) -> Vec<Effect> {
        let Some(deed) = report.deed() else { return Vec::new() };
        match self.mode {
            Mode::Plain | Mode::Copy { .. } => {}
            _ => return self.mouse_elsewhere(deed),
        }
        if !matches!(self.pointer.held, Held::Nothing) && matches!(deed, Deed::Drag | Deed::Release) {
            return self.drag(report, deed, now);
        }
        if matches!((&self.pointer.held, deed), (Held::Nothing, Deed::Press(_))) {
            self.pointer.held = Held::Elsewhere;
        }
        if report.y + 1 >= self.size.rows {
            return self.mouse_on_status(report, deed, now);
        }
        if let (Deed::Press(Button::Left), Some(divider), Some(tab)) =
            (deed, self.tiling.divider_at(report.x, report.y), self.tab)
        {
            self.pointer.held = Held::Divider { tab, divider: divider.clone(), told: Vec::new() };
            return Vec::new();
        }
        if let (Deed::Press(Button::Left), Some(pane)) = (deed, self.tiling.titled_at(report.x, report.y)) {
            return self.focus_on(pane, now);
        }
        match self.tiling.pane_at(report.x, report.y) {
            Some(pane) => self.mouse_on_pane(pane, report, deed, now),
            None => Vec::new(),
        }
    }

    /// Over a list or the help.
    fn mouse_elsewhere(&mut self, deed: Deed) -> Vec<Effect> {
        use crate::cli::layout::key::{Code, Key};
        let Deed::Wheel { up } = deed else { return Vec::new() };
        let key = Key::plain(if up { Code::Up } else { Code::Down });
        match &mut self.mode {
            Mode::Help { .. } => self.help_key(key),
            Mode::Pick(picker) => _ = picker.press(key),
            _ => {}
        }
        Vec::new()
    }

    fn mouse_on_status(&mut self, report: MouseReport, deed: Deed, now: Instant) -> Vec<Effect> {
        match deed {
            Deed::Press(Button::Left) => {
                let tab = self.status_line(now).tab_at(report.x);
                tab.map(|tab| self.show_tab(tab, now)).unwrap_or_default()
            }
            Deed::Wheel { up } => self.turn_tab(if up { -1 } else { 1 }, now),
            _ => Vec::new(),
        }
    }

    fn mouse_on_pane(&mut self, pane: PaneId, report: MouseReport, deed: Deed, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        if matches!(deed, Deed::Press(_)) {
            effects.extend(self.focus_on(pane, now));
        }
        let copying = matches!(self.mode, Mode::Copy { pane: copied, .. } if copied == pane);
        if !copying && self.program_wants_mouse(pane) {
            if matches!(deed, Deed::Press(_)) {
                self.pointer.held = Held::Program(pane);
            }
            effects.extend(self.tell_program(pane, report));
            return effects;
        }
        match deed {
            Deed::Press(Button::Left) => self.pointer.held = Held::Pressed { pane, x: report.x, y: report.y },
            Deed::Press(Button::Middle) if self.pane == Some(pane) => effects.extend(self.paste_copied(now)),
            Deed::Wheel { up } => effects.extend(self.wheel(pane, up, now)),
            _ => {}
        }
        effects
    }

    fn program_wants_mouse(&self, pane: PaneId) -> bool {
        let wants = self.screens.get(&pane).map(|screen| screen.wants().mouse);
        !self.settings.read_only && wants.is_some_and(|mouse| mouse != MouseTracking::Off)
    }

    fn tell_program(&self, pane: PaneId, report: MouseReport) -> Option<Effect> {
        let (screen, rect) = (self.screens.get(&pane)?, self.tiling.rect_of(pane)?);
        let (left, top) = offset(screen, rect);
        let within = |at: u16, start: u16, hidden: u16, length: u16| {
            (at.saturating_sub(start) + hidden).min(length.saturating_sub(1))
        };
        let report = MouseReport {
            x: within(report.x, rect.x, left, screen.size().cols),
            y: within(report.y, rect.y, top, screen.size().rows),
            ..report
        };
        let bytes = report.encode(&screen.wants())?;
        Some(Effect::Report { pane, bytes })
    }

    /// Scrolls: in what was shown or, where nothing is kept of that, by arrow keys.
    fn wheel(&mut self, pane: PaneId, up: bool, now: Instant) -> Vec<Effect> {
        if let Mode::Copy { pane: copied, copy, scrolled } = &mut self.mode
            && *copied == pane
        {
            copy.scroll(up, WHEEL_ROWS);
            if *scrolled && !up && copy.is_back() {
                self.leave_mode();
            }
            return Vec::new();
        }
        let Some(wants) = self.screens.get(&pane).map(|screen| screen.wants()) else { return Vec::new() };
        if wants.alternate {
            let arrow: &[u8] = match (wants.application_cursor, up) {
                (true, true) => b"\x1bOA",
                (true, false) => b"\x1bOB",
                (false, true) => b"\x1b[A",
                (false, false) => b"\x1b[B",
            };
            let is_dead = self.settings.read_only || !self.mirror.is_connected(pane);
            // Scrolling is no key that would wake a pane.
            return if is_dead {
                Vec::new()
            } else {
                vec![Effect::Report { pane, bytes: arrow.repeat(WHEEL_ROWS) }]
            };
        }
        if !up || self.pane != Some(pane) {
            return if self.pane == Some(pane) { Vec::new() } else { self.focus_on(pane, now) };
        }
        let effects = self.enter_copy(true);
        if let Mode::Copy { copy, .. } = &mut self.mode {
            copy.scroll(true, WHEEL_ROWS);
        }
        effects
    }

    /// The mouse moves with a button down, or that goes up.
    fn drag(&mut self, report: MouseReport, deed: Deed, now: Instant) -> Vec<Effect> {
        let is_over = deed == Deed::Release;
        let (held, effects) = match std::mem::take(&mut self.pointer.held) {
            held @ (Held::Nothing | Held::Elsewhere) => (held, Vec::new()),
            Held::Program(pane) => {
                (Held::Program(pane), self.tell_program(pane, report).into_iter().collect())
            }
            Held::Divider { told, .. } if is_over && told.is_empty() => {
                let titled = self.tiling.titled_at(report.x, report.y);
                (Held::Nothing, titled.map(|pane| self.focus_on(pane, now)).unwrap_or_default())
            }
            held @ Held::Divider { .. } if is_over => (held, Vec::new()),
            Held::Divider { tab, divider, told } => self.drag_divider(tab, divider, told, report),
            Held::Pressed { pane, x, y } if is_over => {
                self.click(pane, x, y);
                (Held::Nothing, Vec::new())
            }
            Held::Pressed { pane, x, y } => self.begin_selecting(pane, (x, y), report),
            Held::Selecting { .. } if is_over => (Held::Nothing, self.copy_selected(now)),
            Held::Selecting { anchor } => {
                if let Some(pane) = self.pane {
                    self.select(pane, anchor, report);
                }
                (Held::Selecting { anchor }, Vec::new())
            }
        };
        self.pointer.held = if is_over { Held::Nothing } else { held };
        effects
    }

    fn drag_divider(
        &self,
        tab_id: TabId,
        divider: Divider,
        told: Vec<f64>,
        report: MouseReport,
    ) -> (Held, Vec<Effect>) {
        let ratios = divider.dragged_to(report.x, report.y);
        let mut effects = Vec::new();
        if ratios != told && !self.settings.read_only {
            let (path, ratios) = (divider.path.clone(), ratios.clone());
            effects.push(Effect::Say(ClientMessage::SplitResize(SplitResize { tab_id, path, ratios })));
        }
        (Held::Divider { tab: tab_id, divider, told: ratios }, effects)
    }

    /// In copy mode a click puts the cursor somewhere.
    fn click(&mut self, pane: PaneId, x: u16, y: u16) {
        if let Some(place) = self.copy_place(pane, x, y)
            && let Mode::Copy { copy, .. } = &mut self.mode
        {
            copy.point(place);
        }
    }

    /// The mouse has left the cell in which the button went down.
    fn begin_selecting(
        &mut self,
        pane: PaneId,
        (x, y): (u16, u16),
        report: MouseReport,
    ) -> (Held, Vec<Effect>) {
        if (report.x, report.y) == (x, y) {
            return (Held::Pressed { pane, x, y }, Vec::new());
        }
        let effects = self.enter_copy(true);
        let Some(anchor) = self.copy_place(pane, x, y) else { return (Held::Nothing, effects) };
        self.select(pane, anchor, report);
        (Held::Selecting { anchor }, effects)
    }

    fn copy_place(&self, pane: PaneId, x: u16, y: u16) -> Option<Place> {
        let Mode::Copy { pane: copied, copy, .. } = &self.mode else { return None };
        let rect = self.tiling.rect_of(pane).filter(|_| *copied == pane)?;
        let Rect { x: left, y: top, size } = rect;
        let col = x.saturating_sub(left).min(size.cols.saturating_sub(1));
        let row = y.saturating_sub(top).min(size.rows.saturating_sub(1));
        Some(copy.place_at(col, row))
    }

    fn select(&mut self, pane: PaneId, anchor: Place, report: MouseReport) {
        let at_top = self.tiling.rect_of(pane).is_some_and(|rect| report.y <= rect.y);
        if at_top && let Mode::Copy { copy, .. } = &mut self.mode {
            copy.scroll(true, 1);
        }
        if let Some(place) = self.copy_place(pane, report.x, report.y)
            && let Mode::Copy { copy, .. } = &mut self.mode
        {
            copy.select(anchor, place);
        }
    }

    fn copy_selected(&mut self, now: Instant) -> Vec<Effect> {
        let Mode::Copy { copy, .. } = &self.mode else { return Vec::new() };
        let outcome = copy.selected().map_or(Outcome::Leave, Outcome::Copy);
        self.copy_outcome(outcome, now)
    }
}
