//! What keys after the prefix do, and what becomes of what was asked for.

use std::time::Instant;

use super::{Desk, Effect, Leaving, Mode, NUMBERS_FOR};
use crate::cli::layout::copy::Outcome;
use crate::cli::layout::copy_keys::{Command, Move};
use crate::cli::layout::keys::{Action, changes_the_layout};
use crate::cli::layout::picker::Picker;
use crate::cli::layout::prompt::{Prompt, Purpose};
use crate::cli::layout::status::tabs_of;
use crate::cli::layout::tiles::Tiling;
use crate::geometry::{Rect, Size};
use crate::ids::{PaneId, SessionId, TabId};
use crate::protocol::client::{
    ClientMessage, Direction, PaneFocus, PaneGrow, PaneMove, PaneRespawn, PaneSplit, PaneSwap, PaneZoom,
    SessionCreate, SessionRename, SplitOrientation, SplitSide, TabCreate, TabMove, TabRename, TabSwitch,
};

/// What brackets a paste that a program wants to know of.
const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

impl Desk {
    /// Does something.
    pub(super) fn act(&mut self, action: Action, now: Instant) -> Vec<Effect> {
        if self.settings.read_only && changes_the_layout(action) {
            return self.refuse_to_change(now);
        }
        match action {
            Action::NewTab => match self.session() {
                Some(session_id) => self.ask(
                    ClientMessage::TabCreate(TabCreate { session_id, name: None, node: None, cwd: None }),
                    now,
                ),
                None => Vec::new(),
            },
            Action::NextTab => self.turn_tab(1, now),
            Action::PreviousTab => self.turn_tab(-1, now),
            Action::LastTab => match self.last_tab.filter(|tab| self.mirror.tab(*tab).is_some()) {
                Some(tab) => self.show_tab(tab, now),
                None => self.complain("no other tab was shown before", now),
            },
            Action::SelectTab(index) => match self.session_tabs().get(index) {
                Some(tab) => self.show_tab(*tab, now),
                None => self.complain(format!("there is no tab {index}"), now),
            },
            Action::RenameTab => self.prompt_for_tab(Purpose::RenameTab, true),
            Action::MoveTab => self.prompt_for_tab(Purpose::MoveTab, false),
            Action::CloseTab => {
                self.confirm_close(true);
                Vec::new()
            }
            Action::ClosePane => {
                self.confirm_close(false);
                Vec::new()
            }
            Action::Split(orientation) => self.split(orientation, now),
            Action::ZoomPane => {
                self.ask_of_pane(now, |pane_id| ClientMessage::PaneZoom(PaneZoom { pane_id, zoomed: None }))
            }
            Action::RespawnPane => {
                self.ask_of_pane(now, |pane_id| ClientMessage::PaneRespawn(PaneRespawn { pane_id }))
            }
            Action::BreakPane => self.ask_of_pane(now, |pane_id| {
                let orientation = SplitOrientation::Horizontal;
                ClientMessage::PaneMove(PaneMove { pane_id, tab_id: None, orientation })
            }),
            Action::NextPane => match self.pane_beside(1) {
                Some(pane) => self.focus_on(pane, now),
                None => Vec::new(),
            },
            Action::LastPane => self.last_pane(now),
            Action::Focus(direction) => match self.neighbour(direction) {
                Some(pane) => self.focus_on(pane, now),
                None => Vec::new(),
            },
            Action::Resize(direction, cells) => self.grow(direction, cells),
            Action::SwapWithPrevious => self.swap(-1, now),
            Action::SwapWithNext => self.swap(1, now),
            Action::ShowNumbers => {
                self.mode = Mode::Numbers { until: now + NUMBERS_FOR };
                Vec::new()
            }
            Action::CopyMode => self.enter_copy(false),
            Action::CopyPageUp => {
                let effects = self.enter_copy(false);
                if let Mode::Copy { copy, .. } = &mut self.mode {
                    copy.command(Command::Move(Move::PageUp));
                }
                effects
            }
            Action::Paste => self.paste_copied(now),
            Action::PickSession => self.pick(false),
            Action::PickTab => self.pick(true),
            Action::NewSession => self
                .ask(ClientMessage::SessionCreate(SessionCreate { name: None, node: None, cwd: None }), now),
            Action::RenameSession => {
                if let Some(session) =
                    self.mirror.sessions.iter().find(|known| Some(known.id) == self.session())
                {
                    self.prompt = Some(Prompt::new(Purpose::RenameSession(session.id), &session.name));
                }
                Vec::new()
            }
            Action::NextSession => self.turn_session(1, now),
            Action::PreviousSession => self.turn_session(-1, now),
            Action::Help => {
                self.mode = Mode::Help { first: 0 };
                Vec::new()
            }
            Action::Redraw => vec![Effect::Redraw],
            Action::Detach => vec![Effect::Leave(Leaving::Detached)],
            Action::Absent(why) => self.complain(why, now),
        }
    }

    fn complain(&mut self, message: impl Into<String>, now: Instant) -> Vec<Effect> {
        self.say(message, now);
        Vec::new()
    }

    fn ask_of_pane(&mut self, now: Instant, message: impl FnOnce(PaneId) -> ClientMessage) -> Vec<Effect> {
        match self.pane {
            Some(pane) => self.ask(message(pane), now),
            None => Vec::new(),
        }
    }

    fn split(&mut self, orientation: SplitOrientation, now: Instant) -> Vec<Effect> {
        self.ask_of_pane(now, |pane_id| {
            ClientMessage::PaneSplit(PaneSplit {
                pane_id,
                orientation,
                cols: None,
                rows: None,
                side: SplitSide::After,
                node: None,
                cwd: None,
            })
        })
    }

    fn prompt_for_tab(&mut self, purpose: impl FnOnce(TabId) -> Purpose, with_name: bool) -> Vec<Effect> {
        if let Some(tab) = self.active_tab() {
            let text = if with_name { tab.name.as_str() } else { "" };
            self.prompt = Some(Prompt::new(purpose(tab.id), text));
        }
        Vec::new()
    }

    /// A line was written.
    pub(super) fn written(&mut self, purpose: Purpose, text: &str, now: Instant) -> Vec<Effect> {
        match purpose {
            Purpose::Search { forward } => {
                let Mode::Copy { copy, .. } = &mut self.mode else { return Vec::new() };
                let outcome = if text.is_empty() { Outcome::Stay } else { copy.search(text, forward) };
                self.copy_outcome(outcome, now)
            }
            _ if text.trim().is_empty() => Vec::new(),
            Purpose::RenameTab(tab_id) => {
                self.ask(ClientMessage::TabRename(TabRename { tab_id, name: text.to_owned() }), now)
            }
            Purpose::RenameSession(session_id) => self
                .ask(ClientMessage::SessionRename(SessionRename { session_id, name: text.to_owned() }), now),
            Purpose::MoveTab(tab_id) => match text.trim().parse() {
                Ok(index) => {
                    self.ask(ClientMessage::TabMove(TabMove { tab_id, session_id: None, index }), now)
                }
                Err(_) => self.complain(format!("`{text}` is no number"), now),
            },
        }
    }

    // Tabs and sessions.

    fn session_tabs(&self) -> Vec<TabId> {
        tabs_of(&self.mirror, self.session()).map(|tab| tab.id).collect()
    }

    pub(super) fn show_tab(&mut self, tab_id: TabId, now: Instant) -> Vec<Effect> {
        if self.tab == Some(tab_id) {
            return Vec::new();
        }
        self.ask(ClientMessage::TabSwitch(TabSwitch { tab_id }), now)
    }

    pub(super) fn turn_tab(&mut self, by: isize, now: Instant) -> Vec<Effect> {
        let tabs = self.session_tabs();
        let current = tabs.iter().position(|tab| Some(*tab) == self.tab);
        current.map(|current| self.show_tab(tabs[turned(current, by, tabs.len())], now)).unwrap_or_default()
    }

    fn turn_session(&mut self, by: isize, now: Instant) -> Vec<Effect> {
        let sessions: Vec<SessionId> = self.mirror.sessions.iter().map(|session| session.id).collect();
        let current = sessions.iter().position(|session| Some(*session) == self.session());
        let Some(current) = current else { return Vec::new() };
        let next = sessions[turned(current, by, sessions.len())];
        let tab = tabs_of(&self.mirror, Some(next)).next().map(|tab| tab.id);
        match tab.filter(|_| next != sessions[current]) {
            Some(tab) => self.show_tab(tab, now),
            None => self.complain("there is no other session", now),
        }
    }

    fn pick(&mut self, tabs: bool) -> Vec<Effect> {
        self.mode = Mode::Pick(Picker::new(&self.mirror, tabs));
        Vec::new()
    }

    // Panes.

    pub(super) fn focus_on(&mut self, pane: PaneId, now: Instant) -> Vec<Effect> {
        if self.pane == Some(pane) {
            return Vec::new();
        }
        self.ask(ClientMessage::PaneFocus(PaneFocus { direction: None, pane_id: Some(pane) }), now)
    }

    /// The panes of the tab, whatever is zoomed.
    fn all_panes(&self) -> Vec<PaneId> {
        self.watched_in_order()
    }

    fn watched_in_order(&self) -> Vec<PaneId> {
        self.active_tab().map(|tab| crate::client::mirror::panes_in(&tab.layout.root)).unwrap_or_default()
    }

    fn pane_beside(&self, by: isize) -> Option<PaneId> {
        let panes = self.all_panes();
        let current = panes.iter().position(|pane| Some(*pane) == self.pane)?;
        let next = panes[turned(current, by, panes.len())];
        (Some(next) != self.pane).then_some(next)
    }

    fn last_pane(&mut self, now: Instant) -> Vec<Effect> {
        let last = self.tab.and_then(|tab| self.last_panes.get(&tab)).copied();
        match last.filter(|pane| self.all_panes().contains(pane)) {
            Some(pane) => self.focus_on(pane, now),
            None => self.complain("no other pane was focused before", now),
        }
    }

    fn swap(&mut self, by: isize, now: Instant) -> Vec<Effect> {
        match (self.pane, self.pane_beside(by)) {
            (Some(pane_id), Some(with_pane_id)) => {
                self.ask(ClientMessage::PaneSwap(PaneSwap { pane_id, with_pane_id }), now)
            }
            _ => Vec::new(),
        }
    }

    /// The pane to go to in a direction, round the edge as in tmux; of several the one focused last, or the first.
    fn neighbour(&self, direction: Direction) -> Option<PaneId> {
        let tab = self.active_tab()?;
        let unzoomed = crate::protocol::server::Tab { zoomed: None, ..tab.clone() };
        let tiling = Tiling::of(&unzoomed, self.size);
        let from = tiling.rect_of(self.pane?)?;
        let beside = |rect: &Rect| is_beside(from, *rect, direction);
        let mut found: Vec<(PaneId, Rect)> =
            tiling.panes.iter().copied().filter(|(_, rect)| beside(rect)).collect();
        if found.is_empty() {
            // Round the edge: what is farthest the other way.
            let others = tiling.panes.iter().copied().filter(|(_, rect)| overlaps(from, *rect, direction));
            let farthest = others.clone().map(|(_, rect)| edge(rect, opposite(direction))).max()?;
            found = others.filter(|(_, rect)| edge(*rect, opposite(direction)) == farthest).collect();
        }
        let last = self.last_panes.get(&tab.id);
        let best = found.iter().find(|(pane, _)| Some(pane) == last).or(found.first());
        best.map(|(pane, _)| *pane).filter(|pane| Some(*pane) != self.pane)
    }

    fn grow(&self, direction: Direction, cells: u16) -> Vec<Effect> {
        let Size { cols, rows } = Desk::viewport(self.size);
        let whole = match direction {
            Direction::Left | Direction::Right => cols,
            Direction::Up | Direction::Down => rows,
        };
        // Rounded up, so that a cell is never less than one.
        let amount = (u32::from(cells) * 1000).div_ceil(u32::from(whole.max(1))).min(1000) as u16;
        let grow = self.pane.map(|pane_id| ClientMessage::PaneGrow(PaneGrow { pane_id, direction, amount }));
        grow.map(Effect::Say).into_iter().collect()
    }

    // Text.

    pub(super) fn paste_copied(&mut self, now: Instant) -> Vec<Effect> {
        if self.settings.read_only {
            return self.refuse_to_change(now);
        }
        let (Some(text), Some(pane)) = (self.copied.clone(), self.pane) else {
            return self.complain("nothing was copied yet", now);
        };
        let marked = self.screens.get(&pane).is_some_and(|screen| screen.wants().bracketed_paste);
        let text = text.replace('\n', "\r").into_bytes();
        let bytes = if marked { [PASTE_START, &text, PASTE_END].concat() } else { text };
        vec![Effect::Paste { pane, bytes, more: false }]
    }
}

fn turned(current: usize, by: isize, count: usize) -> usize {
    (current as isize + by).rem_euclid(count.max(1) as isize) as usize
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Left => Direction::Right,
        Direction::Right => Direction::Left,
        Direction::Up => Direction::Down,
        Direction::Down => Direction::Up,
    }
}

/// How far a rectangle reaches in a direction; larger is farther.
fn edge(rect: Rect, direction: Direction) -> i32 {
    match direction {
        Direction::Left => -i32::from(rect.x),
        Direction::Right => i32::from(rect.x + rect.size.cols),
        Direction::Up => -i32::from(rect.y),
        Direction::Down => i32::from(rect.y + rect.size.rows),
    }
}

/// Whether two rectangles share rows or, of a way up or down, columns.
fn overlaps(a: Rect, b: Rect, direction: Direction) -> bool {
    let share = |start_a: u16, len_a: u16, start_b: u16, len_b: u16| {
        start_a < start_b + len_b && start_b < start_a + len_a
    };
    match direction {
        Direction::Left | Direction::Right => share(a.y, a.size.rows, b.y, b.size.rows),
        Direction::Up | Direction::Down => share(a.x, a.size.cols, b.x, b.size.cols),
    }
}

/// Whether `other` is next to `from` in a direction, with nothing but a divider in between.
fn is_beside(from: Rect, other: Rect, direction: Direction) -> bool {
    let gap = i32::from(crate::layout::GAP);
    overlaps(from, other, direction) && edge(from, direction) + gap == -edge(other, opposite(direction))
}
