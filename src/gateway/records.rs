//! Sessions, tabs and panes as the API shows them.

use std::sync::MutexGuard;

use super::hub::{Hub, Plan};
use crate::clock::Moment;
use crate::ids::{PaneId, SessionId, TabId};
use crate::layout::{Layout, Session, Tab};
use crate::protocol::api::{PaneRecord, SessionRecord, TabRecord};

/// The tab that is active, and its session with it. To who knows of one session alone it is the one that is meant in
/// that where none is named, whatever is in front elsewhere.
pub(super) fn front(layout: &Layout, scope: Option<SessionId>) -> Option<TabId> {
    match scope {
        None => layout.active_tab(),
        Some(session) => layout.session(session).map(|session| session.active),
    }
}

/// The records of now. The layout is locked meanwhile.
pub(super) struct Records<'a> {
    hub: &'a Hub,
    plan: MutexGuard<'a, Plan>,
    scope: Option<SessionId>,
    front: Option<TabId>,
}

impl Hub {
    /// What is shown to all, or to who knows of one session alone.
    pub(super) fn records(&self, scope: Option<SessionId>) -> Records<'_> {
        let plan = self.plan();
        let front = front(&plan.layout, scope);
        Records { hub: self, plan, scope, front }
    }
}

impl Records<'_> {
    /// All sessions, or the one.
    pub(super) fn sessions(&self) -> Vec<SessionRecord> {
        let sessions = self.plan.layout.sessions();
        let told = sessions.filter(|session| self.scope.is_none_or(|scope| scope == session.id));
        told.map(|session| self.record_of_session(session)).collect()
    }

    /// A session with its tabs.
    pub(super) fn session(&self, session: SessionId) -> Option<SessionRecord> {
        self.plan.layout.session(session).map(|session| self.record_of_session(session))
    }

    /// A tab with its panes.
    pub(super) fn tab(&self, tab: TabId) -> Option<TabRecord> {
        let tab = self.plan.layout.tab(tab)?;
        let index = self.plan.layout.tabs_of(tab.session).position(|other| other.id == tab.id)?;
        Some(self.record_of_tab(tab, index))
    }

    /// A pane.
    pub(super) fn pane(&self, pane: PaneId) -> Option<PaneRecord> {
        let tab = self.plan.layout.pane_tab(pane).and_then(|tab| self.plan.layout.tab(tab))?;
        let index = tab.tree.panes().position(|other| other == pane)?;
        self.record_of_pane(tab, pane, index)
    }

    fn record_of_session(&self, session: &Session) -> SessionRecord {
        let tabs = self.plan.layout.tabs_of(session.id).enumerate();
        let front = self.front.and_then(|tab| self.plan.layout.tab(tab));
        SessionRecord {
            id: session.id,
            name: session.name.clone(),
            node: session.node.clone(),
            created_at: session.created_at_ms,
            active: front.is_some_and(|tab| tab.session == session.id),
            tabs: tabs.map(|(index, tab)| self.record_of_tab(tab, index)).collect(),
        }
    }

    fn record_of_tab(&self, tab: &Tab, index: usize) -> TabRecord {
        let panes = tab.tree.panes().enumerate();
        TabRecord {
            id: tab.id,
            name: tab.name.clone(),
            index,
            active: self.front == Some(tab.id),
            zoomed: tab.zoomed,
            panes: panes.filter_map(|(index, pane)| self.record_of_pane(tab, pane, index)).collect(),
        }
    }

    fn record_of_pane(&self, tab: &Tab, pane: PaneId, index: usize) -> Option<PaneRecord> {
        let name = self.plan.layout.pane(pane)?.name.clone();
        let slot = self.hub.slot(pane)?;
        let state = slot.lock();
        let connected = self.hub.terminals.contains_key(&pane);
        Some(PaneRecord {
            id: pane,
            session: tab.session,
            tab: tab.id,
            index,
            focused: tab.focus == pane,
            connected,
            offset: state.pane.log.head(),
            info: state.pane.info(name, connected, Moment::now()),
        })
    }
}
