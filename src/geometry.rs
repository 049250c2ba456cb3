//! Sizes in character cells, and the limits every size is held to.

use serde::{Deserialize, Serialize};

/// A terminal's size in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Size {
    /// Cells across.
    pub cols: u16,
    /// Cells down.
    pub rows: u16,
}

impl Size {
    /// What a terminal has before any viewer said how much room there is.
    pub const DEFAULT: Size = Size { cols: 80, rows: 24 };
    /// The smallest size a PTY is ever told.
    pub const MIN: Size = Size { cols: 2, rows: 1 };
    /// The largest size a PTY is ever told: beyond it a hostile viewer could make every redraw costly.
    pub const MAX: Size = Size { cols: 1000, rows: 500 };

    /// `cols` by `rows`, held to [`Size::MIN`] and [`Size::MAX`].
    #[must_use]
    pub fn clamped(cols: u16, rows: u16) -> Size {
        Size {
            cols: cols.clamp(Self::MIN.cols, Self::MAX.cols),
            rows: rows.clamp(Self::MIN.rows, Self::MAX.rows),
        }
    }
}

/// A rectangle of cells inside a viewport; `x` and `y` count from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Cells to the left of it.
    pub x: u16,
    /// Cells above it.
    pub y: u16,
    /// How large it is.
    pub size: Size,
}
