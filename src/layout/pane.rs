//! Panes: opening, closing and moving the leaves.

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::error::LayoutError;
use super::limits::{MAX_DEPTH, MAX_PANES, MAX_PANES_PER_TAB};
use super::op::{Side, Zoom};
use super::tab::Tab;
use super::tree::{Axis, Tree};
use super::{Layout, name};
use crate::ids::{PaneId, TabId};

/// What the layout knows of a pane besides its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pane {
    /// What people call it, if they do; need not be unique.
    pub name: Option<String>,
    /// The revision that last made it its tab's focus.
    pub focused_at: u64,
}

impl Layout {
    pub(super) fn split_pane(
        &mut self,
        pane: PaneId,
        axis: Axis,
        side: Side,
        ratio: Option<f64>,
    ) -> Result<Change, LayoutError> {
        let tab = self.find_pane_tab(pane)?;
        let share = ratio.unwrap_or(0.5);
        if !(share > 0.0 && share < 1.0) {
            let problem = format!("a new pane's ratio lies between 0 and 1, not at {share}");
            return Err(LayoutError::InvalidRatios { problem });
        }
        self.check_room_for_pane()?;
        let mut tree = tab.tree.clone();
        tree.split(pane, self.next.pane, axis, side, share);
        check_size(&tree)?;

        let tab = tab.id;
        let mut change = Change::something();
        let new = self.open_pane(&mut change);
        self.pane_tabs.insert(new, tab);
        self.tab_mut(tab)?.tree = tree;
        self.set_focus(tab, new)?;
        Ok(change)
    }

    pub(super) fn close_pane(&mut self, pane: PaneId) -> Result<Change, LayoutError> {
        let tab = self.find_pane_tab(pane)?;
        if tab.tree.is_leaf() {
            return self.close_tab(tab.id);
        }
        let mut change = Change::something();
        self.take_leaf(tab.id, pane)?;
        self.forget_pane(pane, &mut change);
        Ok(change)
    }

    pub(super) fn rename_pane(&mut self, pane: PaneId, raw: Option<&str>) -> Result<Change, LayoutError> {
        let entry = self.pane_mut(pane)?;
        let name = raw.map(name::clean).transpose()?;
        if entry.name == name {
            return Ok(Change::nothing());
        }
        entry.name = name;
        Ok(Change::something())
    }

    pub(super) fn zoom_pane(&mut self, pane: PaneId, zoom: Zoom) -> Result<Change, LayoutError> {
        let tab = self.find_pane_tab(pane)?;
        let is_zoomed = tab.zoomed == Some(pane);
        let wanted = match zoom {
            Zoom::In => true,
            Zoom::Out => false,
            Zoom::Toggle => !is_zoomed,
        };
        if wanted == is_zoomed || tab.tree.is_leaf() {
            return Ok(Change::nothing());
        }
        let (tab, focus) = (tab.id, tab.focus);
        if wanted && focus != pane {
            self.set_focus(tab, pane)?;
        }
        self.tab_mut(tab)?.zoomed = wanted.then_some(pane);
        Ok(Change::something())
    }

    pub(super) fn swap_panes(&mut self, a: PaneId, b: PaneId) -> Result<Change, LayoutError> {
        let (tab_a, tab_b) = (self.find_pane_tab(a)?.id, self.find_pane_tab(b)?.id);
        if a == b {
            return Ok(Change::nothing());
        }
        for (tab, leaves, comes) in [(tab_a, a, b), (tab_b, b, a)] {
            let entry = self.tab_mut(tab)?;
            entry.zoomed = None;
            if tab_a != tab_b {
                entry.tree.swap(a, b);
                if entry.focus == leaves {
                    self.set_focus(tab, comes)?;
                }
            }
        }
        if tab_a == tab_b {
            self.tab_mut(tab_a)?.tree.swap(a, b);
        }
        self.pane_tabs.insert(a, tab_b);
        self.pane_tabs.insert(b, tab_a);
        Ok(Change::something())
    }

    /// Moves a pane into a new tab of its session.
    pub(super) fn break_pane(&mut self, pane: PaneId) -> Result<Change, LayoutError> {
        let tab = self.find_pane_tab(pane)?;
        if tab.tree.is_leaf() {
            return Ok(Change::nothing());
        }
        let (tab, session) = (tab.id, tab.session);
        let name = self.free_tab_name(session)?;
        self.check_room_for_tab(session)?;
        let mut change = Change::something();
        self.take_leaf(tab, pane)?;
        self.add_tab(session, name, pane, &mut change)?;
        Ok(change)
    }

    /// Moves a pane beside the focus of a tab, or if it is that itself, beside the one focused before it.
    pub(super) fn join_pane(&mut self, pane: PaneId, tab: TabId, axis: Axis) -> Result<Change, LayoutError> {
        let from = self.find_pane_tab(pane)?.id;
        let target = self.find_tab(tab)?;
        let beside = if target.focus == pane {
            self.latest_pane(target.tree.panes().filter(|other| *other != pane))
        } else {
            Some(target.focus)
        };
        let Some(beside) = beside else { return Ok(Change::nothing()) };

        let mut tree = target.tree.clone();
        tree.remove(pane);
        tree.split(beside, pane, axis, Side::After, 0.5);
        check_size(&tree)?;
        let (in_focus, in_front) = (target.focus == pane, self.active_tab == Some(tab));
        if tree == target.tree && in_focus && in_front && target.zoomed.is_none() {
            return Ok(Change::nothing());
        }

        let mut change = Change::something();
        if from != tab {
            self.leave_tab(from, pane, &mut change)?;
            self.pane_tabs.insert(pane, tab);
        }
        let entry = self.tab_mut(tab)?;
        entry.tree = tree;
        entry.zoomed = None;
        self.set_focus(tab, pane)?;
        self.activate(tab)?;
        Ok(change)
    }

    /// Takes a pane that stays open out of its tab, and the tab out of the layout if nothing else is in it. The
    /// caller puts the pane elsewhere and brings that to the front.
    fn leave_tab(&mut self, tab: TabId, pane: PaneId, change: &mut Change) -> Result<(), LayoutError> {
        if self.find_tab(tab)?.tree.is_leaf() {
            self.unlist_tab(tab, change)?;
            self.tabs.remove(&tab);
            Ok(())
        } else {
            self.take_leaf(tab, pane)
        }
    }

    /// Takes a pane out of a tree with others, and hands its focus to the one focused before it.
    fn take_leaf(&mut self, tab: TabId, pane: PaneId) -> Result<(), LayoutError> {
        let entry = self.tab_mut(tab)?;
        entry.tree.remove(pane);
        // A zoom would hide nothing in a tab with one pane.
        entry.zoomed = entry.zoomed.filter(|_| !entry.tree.is_leaf());
        if self.find_tab(tab)?.focus == pane {
            let heir = self.latest_pane(self.find_tab(tab)?.tree.panes());
            self.set_focus(tab, heir.ok_or(LayoutError::UnknownPane { pane })?)?;
        }
        Ok(())
    }

    /// Makes a pane that is in no tree yet.
    pub(super) fn open_pane(&mut self, change: &mut Change) -> PaneId {
        let pane = self.next.pane;
        self.next.pane.0 += 1;
        self.panes.insert(pane, Pane::default());
        change.open(pane);
        pane
    }

    /// Removes a pane that is in no tree any more.
    pub(super) fn forget_pane(&mut self, pane: PaneId, change: &mut Change) {
        self.panes.remove(&pane);
        self.pane_tabs.remove(&pane);
        change.closed.push(pane);
    }

    pub(super) fn check_room_for_pane(&self) -> Result<(), LayoutError> {
        LayoutError::check_limit("panes", self.panes.len() + 1, MAX_PANES)
    }

    pub(super) fn find_pane_tab(&self, pane: PaneId) -> Result<&Tab, LayoutError> {
        self.pane_tab(pane).and_then(|tab| self.tab(tab)).ok_or(LayoutError::UnknownPane { pane })
    }

    pub(super) fn pane_mut(&mut self, pane: PaneId) -> Result<&mut Pane, LayoutError> {
        self.panes.get_mut(&pane).ok_or(LayoutError::UnknownPane { pane })
    }
}

/// Refuses a tree that has grown too large.
fn check_size(tree: &Tree) -> Result<(), LayoutError> {
    LayoutError::check_limit("panes in a tab", tree.panes().count(), MAX_PANES_PER_TAB)?;
    LayoutError::check_limit("splits inside each other", tree.depth(), MAX_DEPTH)
}
