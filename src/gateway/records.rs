//! Sessions, tabs and panes as the API shows them.

use super::hub::{Hub, Plan};
use crate::clock::Moment;
use crate::ids::{PaneId, SessionId, TabId};
use crate::layout::{Session, Tab};
use crate::protocol::api::{PaneRecord, SessionRecord, TabRecord};

impl Hub {
    /// All sessions, or the one.
    pub(super) fn session_records(&self, only: Option<SessionId>) -> Vec<SessionRecord> {
        let plan = self.plan();
        let wanted = plan.layout.sessions().filter(|session| only.is_none_or(|only| only == session.id));
        wanted.map(|session| self.session_record(&plan, session)).collect()
    }

    /// A tab with its panes.
    pub(super) fn tab_record(&self, tab: TabId) -> Option<TabRecord> {
        let plan = self.plan();
        let tab = plan.layout.tab(tab)?;
        let index = plan.layout.tabs_of(tab.session).position(|other| other.id == tab.id)?;
        Some(self.record_of_tab(&plan, tab, index))
    }

    /// A pane.
    pub(super) fn pane_record(&self, pane: PaneId) -> Option<PaneRecord> {
        let plan = self.plan();
        let tab = plan.layout.pane_tab(pane).and_then(|tab| plan.layout.tab(tab))?;
        let index = tab.tree.panes().position(|other| other == pane)?;
        self.record_of_pane(&plan, tab, pane, index)
    }

    fn session_record(&self, plan: &Plan, session: &Session) -> SessionRecord {
        let tabs = plan.layout.tabs_of(session.id).enumerate();
        let front = plan.layout.active_tab().and_then(|tab| plan.layout.tab(tab));
        SessionRecord {
            id: session.id,
            name: session.name.clone(),
            node: session.node.clone(),
            created_at: session.created_at_ms,
            active: front.is_some_and(|tab| tab.session == session.id),
            tabs: tabs.map(|(index, tab)| self.record_of_tab(plan, tab, index)).collect(),
        }
    }

    fn record_of_tab(&self, plan: &Plan, tab: &Tab, index: usize) -> TabRecord {
        let panes = tab.tree.panes().enumerate();
        TabRecord {
            id: tab.id,
            name: tab.name.clone(),
            index,
            active: plan.layout.active_tab() == Some(tab.id),
            zoomed: tab.zoomed,
            panes: panes.filter_map(|(index, pane)| self.record_of_pane(plan, tab, pane, index)).collect(),
        }
    }

    fn record_of_pane(&self, plan: &Plan, tab: &Tab, pane: PaneId, index: usize) -> Option<PaneRecord> {
        let name = plan.layout.pane(pane)?.name.clone();
        let slot = self.slot(pane)?;
        let state = slot.lock();
        let connected = self.terminals.contains_key(&pane);
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
