//! Tabs: each shows one tree of splits.

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::error::LayoutError;
use super::limits::MAX_TABS_PER_SESSION;
use super::tree::Tree;
use super::{Layout, name};
use crate::ids::{PaneId, SessionId, TabId};

/// A tab with its panes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tab {
    /// Its own id.
    pub id: TabId,
    /// The session that lists it.
    pub session: SessionId,
    /// What people call it; need not be unique.
    pub name: String,
    /// How its panes share the room.
    pub tree: Tree,
    /// The pane that gets the keys.
    pub focus: PaneId,
    /// The pane that fills the tab for now. Always the focused one, and never a tab's only pane.
    pub zoomed: Option<PaneId>,
    /// The revision that last brought it to the front.
    pub active_at: u64,
}

impl Layout {
    pub(super) fn create_tab(
        &mut self,
        session: SessionId,
        name: Option<&str>,
    ) -> Result<Change, LayoutError> {
        let name = match name {
            Some(raw) => self.find_session(session).and_then(|_| name::clean(raw))?,
            None => self.free_tab_name(session)?,
        };
        self.check_room_for_tab(session)?;
        self.check_room_for_pane()?;
        let mut change = Change::something();
        self.open_tab(session, name, &mut change)?;
        Ok(change)
    }

    pub(super) fn close_tab(&mut self, tab: TabId) -> Result<Change, LayoutError> {
        let session = self.find_tab(tab)?.session;
        let mut change = Change::something();
        self.discard_tab(tab, &mut change)?;
        self.restore_active(session);
        Ok(change)
    }

    pub(super) fn rename_tab(&mut self, tab: TabId, raw: &str) -> Result<Change, LayoutError> {
        let entry = self.tab_mut(tab)?;
        let name = name::clean(raw)?;
        if entry.name == name {
            return Ok(Change::nothing());
        }
        entry.name = name;
        Ok(Change::something())
    }

    pub(super) fn move_tab(
        &mut self,
        tab: TabId,
        session: SessionId,
        index: usize,
    ) -> Result<Change, LayoutError> {
        let from = self.find_tab(tab)?.session;
        self.find_session(session)?;
        if from == session {
            return self.reorder_tab(tab, session, index);
        }
        self.check_room_for_tab(session)?;
        let mut change = Change::something();
        self.unlist_tab(tab, &mut change)?;
        self.tab_mut(tab)?.session = session;
        let is_active = self.active_tab == Some(tab);
        let entry = self.session_mut(session)?;
        entry.tabs.insert(index.min(entry.tabs.len()), tab);
        if is_active {
            entry.active = tab;
        }
        Ok(change)
    }

    fn reorder_tab(&mut self, tab: TabId, session: SessionId, index: usize) -> Result<Change, LayoutError> {
        let tabs = &mut self.session_mut(session)?.tabs;
        let before = tabs.clone();
        tabs.retain(|other| *other != tab);
        tabs.insert(index.min(tabs.len()), tab);
        Ok(if *tabs == before { Change::nothing() } else { Change::something() })
    }

    /// Makes a tab with a new pane at the end of a session, and brings it to the front.
    pub(super) fn open_tab(
        &mut self,
        session: SessionId,
        name: String,
        change: &mut Change,
    ) -> Result<(), LayoutError> {
        let pane = self.open_pane(change);
        self.add_tab(session, name, pane, change)
    }

    /// Makes a tab for a pane that is in no tree, at the end of a session, and brings it to the front.
    pub(super) fn add_tab(
        &mut self,
        session: SessionId,
        name: String,
        pane: PaneId,
        change: &mut Change,
    ) -> Result<(), LayoutError> {
        let id = self.next.tab;
        self.next.tab.0 += 1;
        let tree = Tree::Leaf { pane };
        self.tabs.insert(id, Tab { id, session, name, tree, focus: pane, zoomed: None, active_at: 0 });
        self.pane_tabs.insert(pane, id);
        self.session_mut(session)?.tabs.push(id);
        self.set_focus(id, pane)?;
        self.activate(id)?;
        change.tab = Some(id);
        Ok(())
    }

    /// Takes a tab out of the layout with whatever panes it has. The caller looks after the active tab.
    pub(super) fn discard_tab(&mut self, tab: TabId, change: &mut Change) -> Result<(), LayoutError> {
        self.unlist_tab(tab, change)?;
        let panes = self.tabs.remove(&tab).into_iter().flat_map(|tab| tab.tree.panes().collect::<Vec<_>>());
        for pane in panes {
            self.forget_pane(pane, change);
        }
        Ok(())
    }

    /// Takes a tab out of its session's list. A session left without tabs is gone.
    pub(super) fn unlist_tab(&mut self, tab: TabId, change: &mut Change) -> Result<(), LayoutError> {
        let session = self.find_tab(tab)?.session;
        let entry = self.session_mut(session)?;
        entry.tabs.retain(|other| *other != tab);
        if entry.tabs.is_empty() {
            self.sessions.remove(&session);
            change.sessions_changed = true;
        } else if entry.active == tab {
            let tabs = entry.tabs.clone();
            let latest = self.latest_tab(tabs.into_iter()).ok_or(LayoutError::UnknownTab { tab })?;
            self.session_mut(session)?.active = latest;
        }
        Ok(())
    }

    /// The session's first free number.
    pub(super) fn free_tab_name(&self, session: SessionId) -> Result<String, LayoutError> {
        self.find_session(session)?;
        Ok(name::free_number(self.tabs_of(session).map(|tab| tab.name.as_str())))
    }

    pub(super) fn check_room_for_tab(&self, session: SessionId) -> Result<(), LayoutError> {
        let count = self.find_session(session)?.tabs.len() + 1;
        LayoutError::check_limit("tabs in a session", count, MAX_TABS_PER_SESSION)
    }

    pub(super) fn find_tab(&self, tab: TabId) -> Result<&Tab, LayoutError> {
        self.tabs.get(&tab).ok_or(LayoutError::UnknownTab { tab })
    }

    pub(super) fn tab_mut(&mut self, tab: TabId) -> Result<&mut Tab, LayoutError> {
        self.tabs.get_mut(&tab).ok_or(LayoutError::UnknownTab { tab })
    }
}
