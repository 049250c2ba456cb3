//! Dividers: the lines between the children of a split, and moving them.

use super::Layout;
use super::change::Change;
use super::error::LayoutError;
use super::op::{Direction, Side};
use super::share;
use super::tree::{Axis, Tree};
use crate::ids::{PaneId, TabId};

/// The line after one child of a split.
struct Divider<'a> {
    /// Leads to the split.
    path: &'a [usize],
    /// The child before it.
    index: usize,
}

impl Layout {
    pub(super) fn resize_split(
        &mut self,
        tab: TabId,
        path: &[usize],
        ratios: &[f64],
    ) -> Result<Change, LayoutError> {
        let current = self.find_tab(tab)?.tree.ratios(path).ok_or(LayoutError::UnknownSplit { tab })?;
        check_ratios(ratios, current.len())?;
        self.set_ratios(tab, path, ratios)
    }

    pub(super) fn resize_pane(
        &mut self,
        pane: PaneId,
        direction: Direction,
        step: f64,
    ) -> Result<Change, LayoutError> {
        let tab = self.find_pane_tab(pane)?;
        if !(step.is_finite() && step > 0.0) {
            return Err(LayoutError::InvalidRatios {
                problem: format!("a step is a positive number, not {step}"),
            });
        }
        let pane_path = tab.tree.path_of(pane).unwrap_or_default();
        let Some(divider) = tab.tree.divider(&pane_path, direction.axis()) else {
            return Ok(Change::nothing());
        };
        let step = step / tab.tree.length(divider.path, direction.axis());
        let mut ratios = tab.tree.ratios(divider.path).unwrap_or_default();
        let (giver, taker) = match direction.side() {
            Side::Before => (divider.index, divider.index + 1),
            Side::After => (divider.index + 1, divider.index),
        };
        let amount = step.min(ratios[giver] - share::least_ratio(ratios.len())).max(0.0);
        ratios[giver] -= amount;
        ratios[taker] += amount;
        let tab = tab.id;
        self.set_ratios(tab, divider.path, &ratios)
    }

    /// Gives a split new ratios, and shows the result.
    fn set_ratios(&mut self, tab: TabId, path: &[usize], ratios: &[f64]) -> Result<Change, LayoutError> {
        let entry = self.tab_mut(tab)?;
        if !entry.tree.set_ratios(path, ratios) {
            return Ok(Change::nothing());
        }
        entry.zoomed = None;
        Ok(Change::something())
    }
}

/// Refuses ratios that can't be scaled to sum to 1 for `count` children.
fn check_ratios(ratios: &[f64], count: usize) -> Result<(), LayoutError> {
    let problem = if ratios.len() != count {
        format!("the split has {count} children, not {}", ratios.len())
    } else if let Some(bad) = ratios.iter().find(|ratio| !(ratio.is_finite() && **ratio > 0.0)) {
        format!("a ratio is a positive number, not {bad}")
    } else if !ratios.iter().sum::<f64>().is_finite() {
        "the ratios are too large to add up".to_owned()
    } else {
        return Ok(());
    };
    Err(LayoutError::InvalidRatios { problem })
}

impl Tree {
    /// The divider that resizing a pane along an axis moves: in the innermost split along it, the one after the
    /// child that holds the pane, or before it if that is the last child.
    fn divider<'a>(&self, pane_path: &'a [usize], axis: Axis) -> Option<Divider<'a>> {
        (0..pane_path.len()).rev().find_map(|level| match self.at(&pane_path[..level])? {
            Tree::Split { axis: found, children } if *found == axis => {
                let index = pane_path[level].min(children.len().checked_sub(2)?);
                Some(Divider { path: &pane_path[..level], index })
            }
            _ => None,
        })
    }

    /// The share of the tab's length along an axis that the part at `path` takes up.
    fn length(&self, path: &[usize], axis: Axis) -> f64 {
        let (mut tree, mut length) = (self, 1.0);
        for index in path {
            let Tree::Split { axis: found, children } = tree else { break };
            if *found == axis {
                length *= children[*index].ratio;
            }
            tree = &children[*index].tree;
        }
        length
    }
}
