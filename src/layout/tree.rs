//! The tree of splits of one tab. Its shape is normal: a split has at least two children, none of them a split along
//! the same axis, and their ratios sum to 1.

use serde::{Deserialize, Serialize};

use super::op::Side;
use super::share;
use crate::ids::PaneId;

/// How the children of a split lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Side by side.
    Columns,
    /// One above the other.
    Rows,
}

/// A part of a tab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tree {
    /// Children that share the room along one axis.
    Split {
        /// How they lie to each other.
        axis: Axis,
        /// At least two, from the left or top.
        children: Vec<Child>,
    },
    /// One pane.
    Leaf {
        /// Which.
        pane: PaneId,
    },
}

/// A part of a split with its share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Its share of the split's room, above 0, in whole billionths; all children's sum to 1.
    pub ratio: f64,
    /// What it is.
    pub tree: Tree,
}

impl Tree {
    /// All panes, from the left or top.
    pub fn panes(&self) -> impl Iterator<Item = PaneId> {
        let mut ahead = vec![self];
        std::iter::from_fn(move || {
            loop {
                match ahead.pop()? {
                    Tree::Leaf { pane } => return Some(*pane),
                    Tree::Split { children, .. } => {
                        ahead.extend(children.iter().rev().map(|child| &child.tree))
                    }
                }
            }
        })
    }

    /// Whether it is one pane alone.
    #[must_use]
    pub fn is_leaf(&self) -> bool {
        matches!(self, Tree::Leaf { .. })
    }

    /// The most splits above any pane.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Tree::Leaf { .. } => 0,
            Tree::Split { children, .. } => {
                1 + children.iter().map(|child| child.tree.depth()).max().unwrap_or(0)
            }
        }
    }

    /// The child to take at each split to reach a pane. `None` if it isn't here.
    #[must_use]
    pub fn path_of(&self, pane: PaneId) -> Option<Vec<usize>> {
        let mut path = Vec::new();
        self.search(pane, &mut path).then_some(path)
    }

    fn search(&self, wanted: PaneId, path: &mut Vec<usize>) -> bool {
        match self {
            Tree::Leaf { pane } => *pane == wanted,
            Tree::Split { children, .. } => children.iter().enumerate().any(|(index, child)| {
                path.push(index);
                let found = child.tree.search(wanted, path);
                if !found {
                    path.pop();
                }
                found
            }),
        }
    }

    /// What a path leads to. `None` if it leads past a leaf or a split's children.
    #[must_use]
    pub fn at(&self, path: &[usize]) -> Option<&Tree> {
        path.iter().try_fold(self, |tree, index| match tree {
            Tree::Split { children, .. } => children.get(*index).map(|child| &child.tree),
            Tree::Leaf { .. } => None,
        })
    }

    fn at_mut(&mut self, path: &[usize]) -> Option<&mut Tree> {
        path.iter().try_fold(self, |tree, index| match tree {
            Tree::Split { children, .. } => children.get_mut(*index).map(|child| &mut child.tree),
            Tree::Leaf { .. } => None,
        })
    }

    /// How the split at `path` shares its room. `None` if there is no split.
    pub(super) fn ratios(&self, path: &[usize]) -> Option<Vec<f64>> {
        match self.at(path)? {
            Tree::Split { children, .. } => Some(children.iter().map(|child| child.ratio).collect()),
            Tree::Leaf { .. } => None,
        }
    }

    /// Makes the split at `path` share its room by these weights, one for each child, and says whether that is new.
    pub(super) fn set_ratios(&mut self, path: &[usize], weights: &[f64]) -> bool {
        match self.at_mut(path) {
            Some(Tree::Split { children, .. }) => set_weights(children, weights),
            _ => false,
        }
    }

    /// Puts the leaf `new` beside `pane`, with `share` (between 0 and 1) of its room. Does nothing without `pane`.
    pub(super) fn split(&mut self, pane: PaneId, new: PaneId, axis: Axis, side: Side, share: f64) {
        let Some(path) = self.path_of(pane) else { return };
        if let Some((index, parent)) = path.split_last()
            && let Some(Tree::Split { axis: parent_axis, children }) = self.at_mut(parent)
            && *parent_axis == axis
        {
            split_child(children, *index, new, side, share);
        } else if let Some(leaf) = self.at_mut(&path) {
            let mut children = vec![Child { ratio: 1.0, tree: Tree::Leaf { pane } }];
            split_child(&mut children, 0, new, side, share);
            *leaf = Tree::Split { axis, children };
        }
    }

    /// Takes a leaf out; the neighbour before it, or else after it, gets its room. Does nothing without `pane`, or
    /// if it is all there is.
    pub(super) fn remove(&mut self, pane: PaneId) {
        let path = self.path_of(pane).unwrap_or_default();
        let Some((index, parent)) = path.split_last() else { return };
        let Some(Tree::Split { children, .. }) = self.at_mut(parent) else { return };
        let gone = children.remove(*index);
        if let Some(heir) = children.get_mut(index.saturating_sub(1)) {
            heir.ratio += gone.ratio;
        }
        if children.len() > 1 {
            renormalise(children);
        } else {
            self.collapse(parent);
        }
    }

    /// Puts the only child of the split at `path` in the split's place, and that child's children into the split
    /// above if both run along the same axis.
    fn collapse(&mut self, path: &[usize]) {
        let Some(split) = self.at_mut(path) else { return };
        if let Tree::Split { children, .. } = split
            && let Some(only) = children.pop()
        {
            *split = only.tree;
        }
        if let Some((index, above)) = path.split_last()
            && let Some(Tree::Split { axis, children }) = self.at_mut(above)
        {
            merge_child(*axis, children, *index);
        }
    }

    /// Renames leaves: wherever `a` is there will be `b`, and the other way round.
    pub(super) fn swap(&mut self, a: PaneId, b: PaneId) {
        match self {
            Tree::Leaf { pane } if *pane == a => *pane = b,
            Tree::Leaf { pane } if *pane == b => *pane = a,
            Tree::Leaf { .. } => {}
            Tree::Split { children, .. } => children.iter_mut().for_each(|child| child.tree.swap(a, b)),
        }
    }
}

/// Splits one child of a split along the split's own axis: the new leaf becomes its sibling.
fn split_child(children: &mut Vec<Child>, index: usize, new: PaneId, side: Side, share: f64) {
    let room = children[index].ratio;
    // Below the least ratio the new pane would be raised at the cost of all its siblings, not of this one.
    let least = share::least_ratio(children.len() + 1).min(room / 2.0);
    let given = (room * share).clamp(least, room - least);
    children[index].ratio = room - given;
    let place = match side {
        Side::Before => index,
        Side::After => index + 1,
    };
    children.insert(place, Child { ratio: given, tree: Tree::Leaf { pane: new } });
    renormalise(children);
}

/// Replaces a child that runs along the split's own axis by that child's children.
fn merge_child(axis: Axis, children: &mut Vec<Child>, index: usize) {
    if !matches!(&children[index].tree, Tree::Split { axis: inner, .. } if *inner == axis) {
        return;
    }
    let Child { ratio, tree } = children.remove(index);
    if let Tree::Split { children: inner, .. } = tree {
        let scaled = inner.into_iter().map(|child| Child { ratio: child.ratio * ratio, ..child });
        children.splice(index..index, scaled);
    }
    renormalise(children);
}

fn renormalise(children: &mut [Child]) {
    let weights: Vec<f64> = children.iter().map(|child| child.ratio).collect();
    set_weights(children, &weights);
}

/// Says whether any ratio is new.
fn set_weights(children: &mut [Child], weights: &[f64]) -> bool {
    let mut changed = false;
    for (child, ratio) in children.iter_mut().zip(share::normalised(weights)) {
        changed |= child.ratio != ratio;
        child.ratio = ratio;
    }
    changed
}
