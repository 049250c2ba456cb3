//! Sessions, tabs and trees of splits: a plain data structure, changed only by [`Op`]s. It does no I/O, asks no
//! clock, and knows nothing of terminals: a pane is a leaf here and nothing more.
//!
//! ```text
//! Layout ─┬─ Session "work" ─┬─ Tab "1" ── Split columns ─┬─ 0.5 ─ Leaf p1
//!         │                  │                            └─ 0.5 ─ Split rows ─┬─ 0.3 ─ Leaf p2
//!         │                  │                                                 └─ 0.7 ─ Leaf p3
//!         │                  └─ Tab "2" ── Leaf p4
//!         └─ Session "2" ───── Tab "1" ── Leaf p5
//! ```

mod area;
mod change;
mod check;
mod divider;
mod error;
mod focus;
mod limits;
mod name;
mod neighbour;
mod op;
mod pane;
mod session;
mod share;
mod sizes;
mod stored;
mod tab;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

pub use area::Area;
pub use change::Change;
pub use check::Damage;
pub use error::LayoutError;
pub use op::{Direction, Op, Side, Zoom};
pub use pane::Pane;
pub use session::Session;
pub use sizes::GAP;
pub use tab::Tab;
pub use tree::{Axis, Child, Tree};

pub use limits::{MAX_DEPTH, MAX_PANES, MAX_PANES_PER_TAB, MAX_SESSIONS, MAX_TABS_PER_SESSION};

use crate::ids::{PaneId, SessionId, TabId};

/// All sessions with their tabs and panes.
///
/// It changes only through [`Layout::apply`], which either does the whole operation or leaves everything as it
/// was. Equal histories make equal layouts, ids included. Deserialising refuses what [`Layout::check`] refuses.
///
/// ```
/// use everpane::layout::{Axis, Direction, Layout, Op, Side};
///
/// let mut layout = Layout::default();
/// let made = layout.apply(&Op::CreateSession { name: None, node: "local".into(), created_at_ms: 0 })?;
/// let left = made.pane.expect("a session starts with one pane");
///
/// let split = Op::SplitPane { pane: left, axis: Axis::Columns, side: Side::After, ratio: None };
/// let right = layout.apply(&split)?.pane.expect("a split opens a pane");
/// assert_eq!(layout.revision(), 2);
///
/// layout.apply(&Op::FocusDirection { direction: Direction::Left })?;
/// let tab = layout.pane_tab(right).and_then(|tab| layout.tab(tab)).expect("the pane is open");
/// assert_eq!(tab.focus, left);
/// # Ok::<(), everpane::layout::LayoutError>(())
/// ```
// `remote = "Self"` makes the derives inherent functions, so that `stored.rs` can wrap them with its checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Layout {
    /// Counts the operations that changed something.
    revision: u64,
    /// The ids that the next session, tab and pane get. They only grow, so no id is ever given out twice.
    next: NextIds,
    /// The tab that viewers see unless they chose their own. `None` exactly while there are no tabs.
    active_tab: Option<TabId>,
    sessions: BTreeMap<SessionId, Session>,
    tabs: BTreeMap<TabId, Tab>,
    panes: BTreeMap<PaneId, Pane>,
    /// The tab that holds each pane. Follows from the trees, so it isn't stored.
    #[serde(skip)]
    pane_tabs: HashMap<PaneId, TabId>,
}

/// The ids to give out next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NextIds {
    session: SessionId,
    tab: TabId,
    pane: PaneId,
}

impl Default for Layout {
    fn default() -> Self {
        Layout {
            revision: 0,
            next: NextIds { session: SessionId(1), tab: TabId(1), pane: PaneId(1) },
            active_tab: None,
            sessions: BTreeMap::new(),
            tabs: BTreeMap::new(),
            panes: BTreeMap::new(),
            pane_tabs: HashMap::new(),
        }
    }
}

impl Layout {
    /// Does one operation. What would change nothing succeeds without a new revision.
    ///
    /// # Errors
    /// An unknown id, a refused name or ratio, or a limit; the layout is then exactly what it was.
    pub fn apply(&mut self, op: &Op) -> Result<Change, LayoutError> {
        let mut change = self.route(op)?;
        if change.changed {
            self.revision += 1;
        }
        change.revision = self.revision;
        Ok(change)
    }

    fn route(&mut self, op: &Op) -> Result<Change, LayoutError> {
        match op {
            Op::CreateSession { name, node, created_at_ms } => {
                self.create_session(name.as_deref(), node, *created_at_ms)
            }
            Op::DestroySession { session } => self.destroy_session(*session),
            Op::RenameSession { session, name } => self.rename_session(*session, name),
            Op::CreateTab { session, name } => self.create_tab(*session, name.as_deref()),
            Op::CloseTab { tab } => self.close_tab(*tab),
            Op::RenameTab { tab, name } => self.rename_tab(*tab, name),
            Op::MoveTab { tab, session, index } => self.move_tab(*tab, *session, *index),
            Op::SwitchTab { tab } => self.switch_tab(*tab),
            Op::SplitPane { pane, axis, side, ratio } => self.split_pane(*pane, *axis, *side, *ratio),
            Op::ClosePane { pane } => self.close_pane(*pane),
            Op::ResizeSplit { tab, path, ratios } => self.resize_split(*tab, path, ratios),
            Op::ResizePane { pane, direction, step } => self.resize_pane(*pane, *direction, *step),
            Op::ZoomPane { pane, zoom } => self.zoom_pane(*pane, *zoom),
            Op::SwapPanes { a, b } => self.swap_panes(*a, *b),
            Op::MovePane { pane, tab: Some(tab), axis } => self.join_pane(*pane, *tab, *axis),
            Op::MovePane { pane, tab: None, .. } => self.break_pane(*pane),
            Op::RenamePane { pane, name } => self.rename_pane(*pane, name.as_deref()),
            Op::FocusPane { pane } => self.focus_pane(*pane),
            Op::FocusDirection { direction } => self.focus_direction(*direction),
        }
    }

    /// How many operations have changed this layout.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether there is no session, and so no tab and no pane.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// The tab in front; `None` exactly while the layout is empty.
    #[must_use]
    pub fn active_tab(&self) -> Option<TabId> {
        self.active_tab
    }

    /// One session.
    #[must_use]
    pub fn session(&self, session: SessionId) -> Option<&Session> {
        self.sessions.get(&session)
    }

    /// All sessions, oldest first.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// One tab.
    #[must_use]
    pub fn tab(&self, tab: TabId) -> Option<&Tab> {
        self.tabs.get(&tab)
    }

    /// All tabs of all sessions, oldest first.
    pub fn tabs(&self) -> impl Iterator<Item = &Tab> {
        self.tabs.values()
    }

    /// The tabs of one session in their order; none if the session is unknown.
    pub fn tabs_of(&self, session: SessionId) -> impl Iterator<Item = &Tab> {
        let order = self.sessions.get(&session).map_or(&[][..], |session| &session.tabs);
        order.iter().filter_map(|tab| self.tabs.get(tab))
    }

    /// One pane.
    #[must_use]
    pub fn pane(&self, pane: PaneId) -> Option<&Pane> {
        self.panes.get(&pane)
    }

    /// All panes of all tabs, oldest first.
    pub fn panes(&self) -> impl Iterator<Item = (PaneId, &Pane)> {
        self.panes.iter().map(|(id, pane)| (*id, pane))
    }

    /// The tab that holds a pane.
    #[must_use]
    pub fn pane_tab(&self, pane: PaneId) -> Option<TabId> {
        self.pane_tabs.get(&pane).copied()
    }

    /// The session that holds a pane.
    #[must_use]
    pub fn pane_session(&self, pane: PaneId) -> Option<SessionId> {
        self.pane_tab(pane).and_then(|tab| self.tab(tab)).map(|tab| tab.session)
    }

    /// Where in its tab a pane is: the child to take at each split, from the root. `None` if it isn't there.
    #[must_use]
    pub fn path_of(&self, tab: TabId, pane: PaneId) -> Option<Vec<usize>> {
        // The index answers for foreign panes without a walk through the tree.
        (self.pane_tab(pane) == Some(tab)).then(|| self.tab(tab)?.tree.path_of(pane)).flatten()
    }

    /// The revision that the operation under way is about to make: the time by which "most recent" is told.
    fn now(&self) -> u64 {
        self.revision + 1
    }
}
