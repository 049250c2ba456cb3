//! Which pane has the keys, which tab is in front, and what takes over when they close.

use super::Layout;
use super::change::Change;
use super::error::LayoutError;
use super::op::Direction;
use crate::ids::{PaneId, SessionId, TabId};

impl Layout {
    pub(super) fn switch_tab(&mut self, tab: TabId) -> Result<Change, LayoutError> {
        self.find_tab(tab)?;
        if self.active_tab == Some(tab) {
            return Ok(Change::nothing());
        }
        self.activate(tab)?;
        Ok(Change::something())
    }

    pub(super) fn focus_pane(&mut self, pane: PaneId) -> Result<Change, LayoutError> {
        let tab = self.find_pane_tab(pane)?;
        if tab.focus == pane && self.active_tab == Some(tab.id) {
            return Ok(Change::nothing());
        }
        let tab = tab.id;
        self.set_focus(tab, pane)?;
        if self.active_tab != Some(tab) {
            self.activate(tab)?;
        }
        Ok(Change::something())
    }

    pub(super) fn focus_direction(&mut self, direction: Direction) -> Result<Change, LayoutError> {
        let none = LayoutError::NoNeighbour { direction };
        let tab = self.active_tab.and_then(|tab| self.tab(tab)).ok_or(none.clone())?;
        let neighbour = self.neighbour(tab.id, tab.focus, direction).ok_or(none)?;
        self.focus_pane(neighbour)
    }

    /// Gives a tab's focus to one of its panes. A zoom ends unless it is this pane's.
    pub(super) fn set_focus(&mut self, tab: TabId, pane: PaneId) -> Result<(), LayoutError> {
        let now = self.now();
        let entry = self.tab_mut(tab)?;
        entry.focus = pane;
        entry.zoomed = entry.zoomed.filter(|zoomed| *zoomed == pane);
        self.pane_mut(pane)?.focused_at = now;
        Ok(())
    }

    /// Brings a tab to the front.
    pub(super) fn activate(&mut self, tab: TabId) -> Result<(), LayoutError> {
        let now = self.now();
        let entry = self.tab_mut(tab)?;
        entry.active_at = now;
        let session = entry.session;
        self.session_mut(session)?.active = tab;
        self.active_tab = Some(tab);
        Ok(())
    }

    /// After tabs of a session were closed: if the one in front was among them, the session's most recent one takes
    /// its place, or the most recent one of all if the session is gone too.
    pub(super) fn restore_active(&mut self, session: SessionId) {
        if self.active_tab.is_some_and(|tab| self.tabs.contains_key(&tab)) {
            return;
        }
        let heir = match self.session(session) {
            Some(session) => Some(session.active),
            None => self.latest_tab(self.tabs.keys().copied()),
        };
        self.active_tab = None;
        if let Some(tab) = heir {
            self.activate(tab).expect("the tab was found just now, and its session lists it");
        }
    }

    /// The tab that was last in front.
    pub(super) fn latest_tab(&self, tabs: impl Iterator<Item = TabId>) -> Option<TabId> {
        tabs.max_by_key(|tab| self.tab(*tab).map(|tab| tab.active_at))
    }

    /// The pane that was last focused.
    pub(super) fn latest_pane(&self, panes: impl Iterator<Item = PaneId>) -> Option<PaneId> {
        panes.max_by_key(|pane| self.pane(*pane).map(|pane| pane.focused_at))
    }
}
