//! What every layout is held to. Operations keep it so; a layout that was read from somewhere may not be.

use std::collections::HashSet;

use super::limits::{
    MAX_COUNTER, MAX_DEPTH, MAX_PANES, MAX_PANES_PER_TAB, MAX_SESSIONS, MAX_TABS_PER_SESSION,
};
use super::session::Session;
use super::share;
use super::tab::Tab;
use super::tree::{Axis, Child, Tree};
use super::{Layout, name};
use crate::ids::{PaneId, SessionId, TabId};

/// What is wrong with a layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Some counter is behind what it counted, or close to its end.
    #[error("the counter of {what} can't be right")]
    Counter {
        /// What it counts.
        what: &'static str,
    },
    /// There is more than a layout may hold.
    #[error("there are too many {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
    },
    /// A session is filed under another id, has a name that none can have, or one that another has too.
    #[error("session {session} has a wrong or doubled id or name")]
    Session {
        /// The session.
        session: SessionId,
    },
    /// A session's list of tabs is empty, names one twice, or names one that isn't its own, or its active tab isn't
    /// in it.
    #[error("the tabs of session {session} are not in order")]
    SessionTabs {
        /// The session.
        session: SessionId,
    },
    /// No session lists this tab, or it is filed under another id, or has a name that none can have.
    #[error("tab {tab} is in no session, or has a wrong id or name")]
    Tab {
        /// The tab.
        tab: TabId,
    },
    /// A split of this tab has too few children, or one along its own axis, or ratios that don't sum to 1.
    #[error("tab {tab} has a malformed split")]
    Split {
        /// The tab.
        tab: TabId,
    },
    /// The focused or zoomed pane of this tab isn't in it.
    #[error("tab {tab} has its focus or zoom on a pane that it doesn't have")]
    Focus {
        /// The tab.
        tab: TabId,
    },
    /// This pane is in no tab, in two, or only in a tab; or it has a name that none can have.
    #[error("pane {pane} is not in exactly one tab, or has a wrong name")]
    Pane {
        /// The pane.
        pane: PaneId,
    },
    /// The active tab isn't there, isn't its session's, or is missing although there are tabs.
    #[error("the active tab is wrong")]
    ActiveTab,
    /// The index from panes to tabs isn't what the trees say.
    #[error("the index of panes is wrong")]
    Index,
}

/// `Ok` if `whole`, else the damage.
fn ensure(whole: bool, damage: Damage) -> Result<(), Damage> {
    if whole { Ok(()) } else { Err(damage) }
}

fn is_clean(name: &str) -> bool {
    name::clean(name).is_ok_and(|clean| clean == name)
}

impl Layout {
    /// Checks all that operations rely on and keep.
    ///
    /// # Errors
    /// The first damage found.
    pub fn check(&self) -> Result<(), Damage> {
        self.check_counters()?;
        self.check_sessions()?;
        self.check_tabs()?;
        self.check_panes()?;
        self.check_active_tab()?;
        ensure(self.pane_tabs == self.index(), Damage::Index)
    }

    fn check_counters(&self) -> Result<(), Damage> {
        let next = &self.next;
        let focused_at = self.panes.values().map(|pane| pane.focused_at).max();
        let active_at = self.tabs.values().map(|tab| tab.active_at).max();
        for (what, last, count) in [
            ("sessions", self.sessions.keys().next_back().map(|id| id.0.saturating_add(1)), next.session.0),
            ("tabs", self.tabs.keys().next_back().map(|id| id.0.saturating_add(1)), next.tab.0),
            ("panes", self.panes.keys().next_back().map(|id| id.0.saturating_add(1)), next.pane.0),
            ("revisions", focused_at.max(active_at), self.revision),
        ] {
            ensure(last <= Some(count) && count <= MAX_COUNTER, Damage::Counter { what })?;
        }
        Ok(())
    }

    fn check_sessions(&self) -> Result<(), Damage> {
        ensure(self.sessions.len() <= MAX_SESSIONS, Damage::TooMany { what: "sessions" })?;
        let mut names = HashSet::new();
        for (id, session) in &self.sessions {
            let named = is_clean(&session.name) && is_clean(&session.node) && names.insert(&session.name);
            ensure(session.id == *id && named, Damage::Session { session: *id })?;
            self.check_session_tabs(session)?;
        }
        Ok(())
    }

    fn check_session_tabs(&self, session: &Session) -> Result<(), Damage> {
        let what = "tabs in a session";
        ensure(session.tabs.len() <= MAX_TABS_PER_SESSION, Damage::TooMany { what })?;
        let mut seen = HashSet::new();
        let is_own = |tab: &TabId| self.tab(*tab).is_some_and(|tab| tab.session == session.id);
        let in_order = session.tabs.iter().all(|tab| is_own(tab) && seen.insert(*tab));
        ensure(in_order && seen.contains(&session.active), Damage::SessionTabs { session: session.id })
    }

    /// Needs the sessions checked.
    fn check_tabs(&self) -> Result<(), Damage> {
        let listed: HashSet<TabId> = self.sessions().flat_map(|session| &session.tabs).copied().collect();
        for (id, tab) in &self.tabs {
            let filed = tab.id == *id && listed.contains(id) && is_clean(&tab.name);
            ensure(filed, Damage::Tab { tab: *id })?;
            check_tab(tab)?;
        }
        Ok(())
    }

    fn check_panes(&self) -> Result<(), Damage> {
        ensure(self.panes.len() <= MAX_PANES, Damage::TooMany { what: "panes" })?;
        let mut placed = HashSet::new();
        for pane in self.tabs().flat_map(|tab| tab.tree.panes()) {
            ensure(placed.insert(pane) && self.panes.contains_key(&pane), Damage::Pane { pane })?;
        }
        for (pane, entry) in &self.panes {
            let named = entry.name.as_deref().is_none_or(is_clean);
            ensure(placed.contains(pane) && named, Damage::Pane { pane: *pane })?;
        }
        Ok(())
    }

    /// Needs the sessions checked.
    fn check_active_tab(&self) -> Result<(), Damage> {
        let right = match self.active_tab {
            None => self.tabs.is_empty(),
            Some(active) => self
                .tab(active)
                .and_then(|tab| self.session(tab.session))
                .is_some_and(|session| session.active == active),
        };
        ensure(right, Damage::ActiveTab)
    }
}

fn check_tab(tab: &Tab) -> Result<(), Damage> {
    // The depth first: the other checks walk down the tree.
    check_tree(&tab.tree, None, 0).map_err(|problem| match problem {
        Misshapen::TooDeep => Damage::TooMany { what: "splits inside each other" },
        Misshapen::Split => Damage::Split { tab: tab.id },
    })?;
    ensure(tab.tree.panes().count() <= MAX_PANES_PER_TAB, Damage::TooMany { what: "panes in a tab" })?;
    let has_focus = tab.tree.panes().any(|pane| pane == tab.focus);
    let zoom_fits = tab.zoomed.is_none_or(|zoomed| zoomed == tab.focus && !tab.tree.is_leaf());
    ensure(has_focus && zoom_fits, Damage::Focus { tab: tab.id })
}

/// How a tree can be wrong.
enum Misshapen {
    TooDeep,
    Split,
}

fn check_tree(tree: &Tree, above: Option<Axis>, depth: usize) -> Result<(), Misshapen> {
    let Tree::Split { axis, children } = tree else { return Ok(()) };
    if depth == MAX_DEPTH {
        return Err(Misshapen::TooDeep);
    }
    if children.len() < 2 || above == Some(*axis) || !is_whole(children) {
        return Err(Misshapen::Split);
    }
    children.iter().try_for_each(|child| check_tree(&child.tree, Some(*axis), depth + 1))
}

/// Whether the ratios are positive and, in billionths, sum to 1.
fn is_whole(children: &[Child]) -> bool {
    let fits = |ratio: f64| ratio > 0.0 && ratio < 1.0 && share::to_units(ratio) > 0;
    children.iter().all(|child| fits(child.ratio))
        && children.iter().map(|child| share::to_units(child.ratio)).sum::<u64>() == share::WHOLE
}
