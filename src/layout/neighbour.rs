//! Which pane is next to another one on the screen.

use std::collections::HashMap;

use super::Layout;
use super::area::Area;
use super::op::{Direction, Side};
use super::tree::{Axis, Child, Tree};
use crate::ids::{PaneId, TabId};

/// The part of the shorter edge that two panes must share to lie beside each other. Only there to swallow rounding,
/// where two panes meet in a corner.
const TOLERANCE: f64 = 1e-6;

impl Layout {
    /// The pane that shares an edge with `pane` in this direction; the most recently focused among several. There
    /// is none past the tab's edge. A zoom doesn't matter.
    #[must_use]
    pub fn neighbour(&self, tab: TabId, pane: PaneId, direction: Direction) -> Option<PaneId> {
        let tree = &self.tab(tab)?.tree;
        let across = match direction.axis() {
            Axis::Columns => Axis::Rows,
            Axis::Rows => Axis::Columns,
        };
        let areas: HashMap<PaneId, Area> = tree.areas().into_iter().collect();
        let own = areas.get(&pane)?.span(across);
        // Panes far too small to see may all be within the tolerance; then any of them is better than none.
        let rank = |other: &PaneId| {
            (overlap(own, areas[other].span(across)), self.panes.get(other).map(|pane| pane.focused_at))
        };
        tree.facing(pane, direction).into_iter().max_by_key(rank)
    }
}

/// Whether two spans share more than a point.
fn overlap(a: (f64, f64), b: (f64, f64)) -> bool {
    let shared = (a.0 + a.1).min(b.0 + b.1) - a.0.max(b.0);
    shared > TOLERANCE * a.1.min(b.1)
}

impl Tree {
    /// The panes along the other side of the divider that `pane` has in this direction. It may be longer than the
    /// pane's own edge. Found by shape, not by coordinates, so no rounding can hide a pane.
    fn facing(&self, pane: PaneId, direction: Direction) -> Vec<PaneId> {
        let path = self.path_of(pane).unwrap_or_default();
        let mut panes = Vec::new();
        for level in (0..path.len()).rev() {
            let Some(Tree::Split { axis, children }) = self.at(&path[..level]) else { continue };
            if *axis == direction.axis()
                && let Some(next) = beside(children, path[level], direction.side())
            {
                next.tree.edge(direction, &mut panes);
                break;
            }
        }
        panes
    }

    /// The panes that one meets first when entering in this direction.
    fn edge(&self, direction: Direction, panes: &mut Vec<PaneId>) {
        match self {
            Tree::Leaf { pane } => panes.push(*pane),
            Tree::Split { axis, children } if *axis == direction.axis() => {
                let first = match direction.side() {
                    Side::Before => children.last(),
                    Side::After => children.first(),
                };
                if let Some(child) = first {
                    child.tree.edge(direction, panes);
                }
            }
            Tree::Split { children, .. } => {
                children.iter().for_each(|child| child.tree.edge(direction, panes))
            }
        }
    }
}

fn beside(children: &[Child], index: usize, side: Side) -> Option<&Child> {
    match side {
        Side::Before => children.get(index.checked_sub(1)?),
        Side::After => children.get(index + 1),
    }
}
