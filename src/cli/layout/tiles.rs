//! Where the panes and dividers of a tab lie on our terminal: the gateway's own arithmetic, so that panes get the sizes
//! that their programs were told; and above each of them a line that has room for its title.

use crate::geometry::{Rect, Size};
use crate::ids::PaneId;
use crate::layout::{Axis, Child, GAP, Tree};
use crate::protocol::server::{LayoutTree, StackOrientation, Tab};

/// Our terminal has a line of titles from this many rows on: less is better spent on panes.
const TITLES_FROM: u16 = 8;

/// Where the panes are in a terminal of this size: below the line of titles, above the status line.
pub(super) fn room_in(terminal: Size) -> Rect {
    let y = if terminal.rows < TITLES_FROM { 0 } else { GAP };
    Rect { x: 0, y, size: Size::clamped(terminal.cols, terminal.rows.saturating_sub(y + 1)) }
}

/// The places of one tab. They fill their room; where that is too small for so many panes, they reach beyond it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Tiling {
    /// From the left or top, as in the tree. Of a zoomed tab only the zoomed pane.
    pub(super) panes: Vec<(PaneId, Rect)>,
    /// The lines between them.
    pub(super) dividers: Vec<Divider>,
    /// The line above all of them, if the terminal has one.
    pub(super) titles: Option<Rect>,
}

/// The line after one child of a split.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Divider {
    /// The cells that it takes.
    pub(super) rect: Rect,
    /// How the children lie that it parts.
    pub(super) axis: Axis,
    /// Child indices from the root to the split.
    pub(super) path: Vec<usize>,
    /// The child before it.
    index: usize,
    /// Where that child begins along the axis.
    start: u16,
    /// How long each child of the split is along the axis.
    lengths: Vec<u16>,
}

impl Tiling {
    /// The places of `tab` in a terminal.
    pub(super) fn of(tab: &Tab, terminal: Size) -> Tiling {
        let room = room_in(terminal);
        let titles =
            room.y.checked_sub(GAP).map(|y| Rect { y, size: Size { rows: GAP, ..room.size }, ..room });
        if let Some(pane) = tab.zoomed {
            return Tiling { panes: vec![(pane, room)], dividers: Vec::new(), titles };
        }
        let tree = tree_of(&tab.layout.root);
        let mut panes = tree.tiles(room.size, GAP);
        for (_, rect) in &mut panes {
            rect.y = rect.y.saturating_add(room.y);
        }
        let mut dividers = Vec::new();
        collect_dividers(&tree, &mut Vec::new(), &mut panes.iter().map(|(_, rect)| *rect), &mut dividers);
        Tiling { panes, dividers, titles }
    }

    /// The pane whose cells include this one.
    pub(super) fn pane_at(&self, x: u16, y: u16) -> Option<PaneId> {
        self.panes.iter().find(|(_, rect)| contains(*rect, x, y)).map(|(pane, _)| *pane)
    }

    /// The divider that takes this cell.
    pub(super) fn divider_at(&self, x: u16, y: u16) -> Option<&Divider> {
        self.dividers.iter().find(|divider| contains(divider.rect, x, y))
    }

    /// The pane whose title has this cell: one of the line above it.
    pub(super) fn titled_at(&self, x: u16, y: u16) -> Option<PaneId> {
        let below = y.saturating_add(GAP);
        let pane = self.panes.iter().find(|(_, rect)| rect.y == below && contains(*rect, x, below));
        pane.map(|(pane, _)| *pane)
    }

    /// All lines, with how those lie that they part.
    pub(super) fn lines(&self) -> impl Iterator<Item = (Rect, Axis)> {
        let dividers = self.dividers.iter().map(|divider| (divider.rect, divider.axis));
        dividers.chain(self.titles.map(|titles| (titles, Axis::Rows)))
    }

    /// Where a pane lies.
    pub(super) fn rect_of(&self, pane: PaneId) -> Option<Rect> {
        self.panes.iter().find(|(other, _)| *other == pane).map(|(_, rect)| *rect)
    }
}

impl Divider {
    /// The split's weights that put this divider at a column or row, or as near as its neighbours let it.
    pub(super) fn dragged_to(&self, x: u16, y: u16) -> Vec<f64> {
        let (place, least) = match self.axis {
            Axis::Columns => (x, Size::MIN.cols),
            Axis::Rows => (y, Size::MIN.rows),
        };
        let mut lengths = self.lengths.clone();
        let both = lengths[self.index] + lengths[self.index + 1];
        let before =
            place.saturating_sub(self.start).clamp(least.min(both), both.saturating_sub(least).max(least));
        lengths[self.index] = before;
        lengths[self.index + 1] = both.saturating_sub(before).max(1);
        lengths.into_iter().map(f64::from).collect()
    }
}

/// Whether a cell is one of a rectangle's.
pub(super) fn contains(rect: Rect, x: u16, y: u16) -> bool {
    let within = |at: u16, from: u16, length: u16| at.checked_sub(from).is_some_and(|offset| offset < length);
    within(x, rect.x, rect.size.cols) && within(y, rect.y, rect.size.rows)
}

/// A tree as the wire has it, as the layout has it.
fn tree_of(wire: &LayoutTree) -> Tree {
    match wire {
        LayoutTree::Window { key } => Tree::Leaf { pane: *key },
        LayoutTree::Stack { orientation, children, ratios } => Tree::Split {
            axis: match orientation {
                StackOrientation::Vertical => Axis::Columns,
                StackOrientation::Horizontal => Axis::Rows,
            },
            children: children
                .iter()
                .zip(ratios)
                .map(|(child, ratio)| Child { ratio: *ratio, tree: tree_of(child) })
                .collect(),
        },
    }
}

/// Adds the dividers of a tree whose leaves lie at the next `leaves`, and gives the room that it fills.
fn collect_dividers(
    tree: &Tree,
    path: &mut Vec<usize>,
    leaves: &mut impl Iterator<Item = Rect>,
    dividers: &mut Vec<Divider>,
) -> Option<Rect> {
    let Tree::Split { axis, children } = tree else { return leaves.next() };
    let mut rooms = Vec::with_capacity(children.len());
    for (index, child) in children.iter().enumerate() {
        path.push(index);
        rooms.extend(collect_dividers(&child.tree, path, leaves, dividers));
        path.pop();
    }
    let lengths: Vec<u16> = rooms.iter().map(|room| span(*room, *axis).1).collect();
    for (index, room) in rooms.iter().enumerate().take(rooms.len().saturating_sub(1)) {
        let (start, length) = span(*room, *axis);
        let end = start.saturating_add(length);
        let rect = match axis {
            Axis::Columns => Rect { x: end, y: room.y, size: Size { cols: GAP, rows: room.size.rows } },
            Axis::Rows => Rect { x: room.x, y: end, size: Size { cols: room.size.cols, rows: GAP } },
        };
        dividers.push(Divider {
            rect,
            axis: *axis,
            path: path.clone(),
            index,
            start,
            lengths: lengths.clone(),
        });
    }
    let (first, last) = (*rooms.first()?, *rooms.last()?);
    let size = Size {
        cols: (last.x + last.size.cols).saturating_sub(first.x),
        rows: (last.y + last.size.rows).saturating_sub(first.y),
    };
    Some(Rect { size, ..first })
}

/// Start and length along an axis.
fn span(rect: Rect, axis: Axis) -> (u16, u16) {
    match axis {
        Axis::Columns => (rect.x, rect.size.cols),
        Axis::Rows => (rect.y, rect.size.rows),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::{SessionId, TabId};
    use crate::protocol::server::TabLayout;

    /// Trees of up to a few dozen panes, numbered from the left.
    fn trees() -> impl Strategy<Value = LayoutTree> {
        let leaf = Just(LayoutTree::Window { key: PaneId(0) });
        let tree = leaf.prop_recursive(3, 20, 4, |inner| {
            (proptest::collection::vec((inner, 1u32..100), 2..4), any::<bool>()).prop_map(
                |(parts, upright)| {
                    let sum: u32 = parts.iter().map(|(_, weight)| weight).sum();
                    let ratios =
                        parts.iter().map(|(_, weight)| f64::from(*weight) / f64::from(sum)).collect();
                    let orientation =
                        if upright { StackOrientation::Vertical } else { StackOrientation::Horizontal };
                    let children = parts.into_iter().map(|(child, _)| child).collect();
                    LayoutTree::Stack { orientation, children, ratios }
                },
            )
        });
        tree.prop_map(|mut tree| {
            number(&mut tree, &mut 0);
            tree
        })
    }

    fn root_panes(tree: &LayoutTree) -> usize {
        match tree {
            LayoutTree::Window { .. } => 1,
            LayoutTree::Stack { children, .. } => children.iter().map(root_panes).sum(),
        }
    }

    fn number(tree: &mut LayoutTree, next: &mut u64) {
        match tree {
            LayoutTree::Window { key } => {
                *next += 1;
                *key = PaneId(*next);
            }
            LayoutTree::Stack { children, .. } => children.iter_mut().for_each(|child| number(child, next)),
        }
    }

    fn tab(root: LayoutTree, zoomed: Option<PaneId>) -> Tab {
        let layout = TabLayout { root };
        Tab { id: TabId(1), session_id: SessionId(1), name: "1".into(), layout, focus: vec![], zoomed }
    }

    fn halves(orientation: StackOrientation) -> LayoutTree {
        let children = vec![LayoutTree::Window { key: PaneId(1) }, LayoutTree::Window { key: PaneId(2) }];
        LayoutTree::Stack { orientation, children, ratios: vec![0.5, 0.5] }
    }

    fn side_by_side() -> LayoutTree {
        halves(StackOrientation::Vertical)
    }

    proptest! {
        #[test]
        fn panes_and_lines_take_every_cell_once(root in trees(), cols in 60u16..200, rows in 41u16..91) {
            let tiling = Tiling::of(&tab(root.clone(), None), Size { cols, rows: rows + 1 });
            let mut taken = vec![0u8; usize::from(cols) * usize::from(rows)];
            let rects = tiling.panes.iter().map(|(_, rect)| *rect);
            for rect in rects.chain(tiling.lines().map(|(rect, _)| rect)) {
                for y in rect.y..rect.y + rect.size.rows {
                    for x in rect.x..rect.x + rect.size.cols {
                        taken[usize::from(y) * usize::from(cols) + usize::from(x)] += 1;
                    }
                }
            }
            prop_assert!(taken.iter().all(|count| *count == 1));
            let ids: Vec<PaneId> = tiling.panes.iter().map(|(pane, _)| *pane).collect();
            prop_assert_eq!(ids.len(), root_panes(&root));
        }

        #[test]
        fn a_divider_goes_where_it_is_dragged(root in trees(), x in 0u16..120, y in 0u16..62, pick in any::<usize>()) {
            let tiling = Tiling::of(&tab(root.clone(), None), Size { cols: 120, rows: 62 });
            prop_assume!(!tiling.dividers.is_empty());
            let divider = &tiling.dividers[pick % tiling.dividers.len()];
            let weights = divider.dragged_to(x, y);
            prop_assert_eq!(weights.len(), divider.lengths.len());
            prop_assert!(weights.iter().all(|weight| *weight > 0.0));
            let length = |weights: &[f64]| weights.iter().sum::<f64>();
            let old: Vec<f64> = divider.lengths.iter().copied().map(f64::from).collect();
            prop_assert_eq!(length(&weights), length(&old), "the others keep their room");
            let place = if divider.axis == Axis::Columns { x } else { y };
            let after = f64::from(divider.start) + weights[divider.index];
            let room = (f64::from(divider.start), f64::from(divider.start) + old[divider.index] + old[divider.index + 1]);
            if f64::from(place) > room.0 + 2.0 && f64::from(place) < room.1 - 2.0 {
                prop_assert_eq!(after, f64::from(place));
            }
        }
    }

    #[test]
    fn a_zoomed_pane_has_all_of_it() {
        let root = side_by_side();
        let terminal = Size { cols: 80, rows: 24 };
        let tiling = Tiling::of(&tab(root.clone(), Some(PaneId(2))), terminal);
        assert_eq!(tiling.panes, [(PaneId(2), Rect { x: 0, y: 1, size: Size { cols: 80, rows: 22 } })]);
        assert!(tiling.dividers.is_empty());
        assert_eq!(tiling.titled_at(0, 0), Some(PaneId(2)));
        let tiling = Tiling::of(&tab(root, None), terminal);
        assert_eq!(tiling.divider_at(40, 5).map(|divider| divider.path.clone()), Some(vec![]));
        assert_eq!((tiling.pane_at(39, 1), tiling.pane_at(41, 22)), (Some(PaneId(1)), Some(PaneId(2))));
        assert_eq!((tiling.pane_at(40, 1), tiling.pane_at(80, 1)), (None, None));
    }

    #[test]
    fn titles_are_above_the_panes_of_all_but_small_terminals() {
        let tiling = |rows| Tiling::of(&tab(side_by_side(), None), Size { cols: 80, rows });
        let large = tiling(TITLES_FROM);
        assert_eq!((large.titled_at(0, 0), large.titled_at(41, 0)), (Some(PaneId(1)), Some(PaneId(2))));
        assert_eq!((large.titled_at(40, 0), large.titled_at(0, 1)), (None, None));
        assert_eq!((large.pane_at(0, 0), large.divider_at(40, 0)), (None, None));
        let small = tiling(TITLES_FROM - 1);
        assert_eq!((small.titles, small.titled_at(0, 0), small.pane_at(0, 0)), (None, None, Some(PaneId(1))));
        assert_eq!(room_in(Size { cols: 1, rows: 1 }).size, Size::MIN);
    }

    #[test]
    fn a_line_between_panes_has_the_title_of_the_pane_below() {
        let tab = tab(halves(StackOrientation::Horizontal), None);
        for (rows, line) in [(TITLES_FROM - 1, 3), (12, 6)] {
            let tiling = Tiling::of(&tab, Size { cols: 80, rows });
            assert!(tiling.divider_at(0, line).is_some(), "{tiling:?}");
            assert_eq!(
                (tiling.titled_at(0, line), tiling.titled_at(79, line)),
                (Some(PaneId(2)), Some(PaneId(2)))
            );
            assert_eq!((tiling.titled_at(80, line), tiling.titled_at(0, line + 1)), (None, None));
        }
    }
}
