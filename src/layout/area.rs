//! Where panes lie in the unit square, whatever the viewport.

use super::tree::{Axis, Tree};
use crate::ids::PaneId;

/// A part of the unit square; `x` and `y` count from the top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Distance from the left edge.
    pub x: f64,
    /// Distance from the top edge.
    pub y: f64,
    /// Share of the tab's width.
    pub width: f64,
    /// Share of the tab's height.
    pub height: f64,
}

impl Area {
    /// The whole tab.
    pub const WHOLE: Area = Area { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };

    /// The part that starts `offset` into it along an axis and is `ratio` of it long.
    fn part(self, axis: Axis, offset: f64, ratio: f64) -> Area {
        match axis {
            Axis::Columns => Area { x: self.x + offset * self.width, width: ratio * self.width, ..self },
            Axis::Rows => Area { y: self.y + offset * self.height, height: ratio * self.height, ..self },
        }
    }

    /// Start and length along an axis.
    pub(super) fn span(self, axis: Axis) -> (f64, f64) {
        match axis {
            Axis::Columns => (self.x, self.width),
            Axis::Rows => (self.y, self.height),
        }
    }
}

impl Tree {
    /// Where each pane lies, ignoring any zoom.
    #[must_use]
    pub fn areas(&self) -> Vec<(PaneId, Area)> {
        let mut areas = Vec::new();
        self.place(Area::WHOLE, &mut areas);
        areas
    }

    fn place(&self, area: Area, areas: &mut Vec<(PaneId, Area)>) {
        match self {
            Tree::Leaf { pane } => areas.push((*pane, area)),
            Tree::Split { axis, children } => {
                let mut offset = 0.0;
                for child in children {
                    child.tree.place(area.part(*axis, offset, child.ratio), areas);
                    offset += child.ratio;
                }
            }
        }
    }
}
