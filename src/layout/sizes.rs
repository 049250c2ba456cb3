//! From ratios to whole cells.

use super::Layout;
use super::share::share_out;
use super::tab::Tab;
use super::tree::{Axis, Tree};
use crate::geometry::{Rect, Size};
use crate::ids::PaneId;

/// Cells between two panes wherever sizes follow from a viewport: room for a divider.
pub const GAP: u16 = 1;

/// A length in cells along both axes, wide enough for sums that no terminal could show.
#[derive(Clone, Copy)]
struct Extent {
    cols: u64,
    rows: u64,
}

impl Extent {
    fn along(&mut self, axis: Axis) -> &mut u64 {
        match axis {
            Axis::Columns => &mut self.cols,
            Axis::Rows => &mut self.rows,
        }
    }

    fn max(self, other: Extent) -> Extent {
        Extent { cols: self.cols.max(other.cols), rows: self.rows.max(other.rows) }
    }
}

impl From<Size> for Extent {
    fn from(size: Size) -> Extent {
        Extent { cols: size.cols.into(), rows: size.rows.into() }
    }
}

impl Layout {
    /// Where every pane of every tab lies in a viewport, with `gap` cells between neighbours. See [`Tab::sizes`].
    pub fn sizes(&self, viewport: Size, gap: u16) -> impl Iterator<Item = (PaneId, Rect)> {
        self.tabs().flat_map(move |tab| tab.sizes(viewport, gap))
    }
}

impl Tab {
    /// Where every pane lies in a viewport. The panes and the gaps between them fill it exactly; if it is too small
    /// to give each pane [`Size::MIN`], they reach beyond its right and lower edge. A zoomed pane has the viewport
    /// for itself, and the others are where they will be after the zoom.
    #[must_use]
    pub fn sizes(&self, viewport: Size, gap: u16) -> Vec<(PaneId, Rect)> {
        let whole = Extent::from(viewport).max(Size::MIN.into());
        let mut rects = self.tree.tiles(viewport, gap);
        for (pane, rect) in &mut rects {
            if self.zoomed == Some(*pane) {
                *rect = to_rect((Extent { cols: 0, rows: 0 }, whole));
            }
        }
        rects
    }
}

impl Tree {
    /// As [`Tab::sizes`], whatever is zoomed.
    #[must_use]
    pub fn tiles(&self, viewport: Size, gap: u16) -> Vec<(PaneId, Rect)> {
        let whole = Extent::from(viewport).max(Size::MIN.into());
        let mut rects = Vec::new();
        self.lay_out((Extent { cols: 0, rows: 0 }, whole.max(self.least(gap))), gap, &mut rects);
        rects
    }

    /// The cells that it needs to give each pane the smallest size.
    fn least(&self, gap: u16) -> Extent {
        let Tree::Split { axis, children } = self else { return Size::MIN.into() };
        let mut least = Extent { cols: 0, rows: 0 };
        let mut length = gaps(children.len(), gap);
        for child in children {
            let mut part = child.tree.least(gap);
            length += *part.along(*axis);
            least = least.max(part);
        }
        *least.along(*axis) = length;
        least
    }

    /// Lays the panes out in a place: an offset and a size that is no less than [`Tree::least`].
    fn lay_out(&self, place: (Extent, Extent), gap: u16, rects: &mut Vec<(PaneId, Rect)>) {
        let (axis, children) = match self {
            Tree::Leaf { pane } => return rects.push((*pane, to_rect(place))),
            Tree::Split { axis, children } => (*axis, children),
        };
        let (mut offset, mut size) = place;
        let length = *size.along(axis) - gaps(children.len(), gap);
        let minimums: Vec<u64> = children.iter().map(|child| *child.tree.least(gap).along(axis)).collect();
        let ratios: Vec<f64> = children.iter().map(|child| child.ratio).collect();
        for (child, cells) in children.iter().zip(share_out(length, &minimums, &ratios)) {
            *size.along(axis) = cells;
            child.tree.lay_out((offset, size), gap, rects);
            *offset.along(axis) += cells + u64::from(gap);
        }
    }
}

/// The cells between `count` children.
fn gaps(count: usize, gap: u16) -> u64 {
    count.saturating_sub(1) as u64 * u64::from(gap)
}

/// Coordinates past what a terminal can have, which only absurd gaps bring about, stay at its edge.
fn to_rect((offset, size): (Extent, Extent)) -> Rect {
    let cells = |length: u64| u16::try_from(length).unwrap_or(u16::MAX);
    let size = Size { cols: cells(size.cols), rows: cells(size.rows) };
    Rect { x: cells(offset.cols), y: cells(offset.rows), size }
}
