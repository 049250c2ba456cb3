//! What can be done to a layout.

use serde::{Deserialize, Serialize};

use super::tree::Axis;
use crate::ids::{PaneId, SessionId, TabId};

/// One operation on a layout, as viewers and the command line ask for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// Makes a session with one tab and one pane, and brings it to the front.
    CreateSession {
        /// Must differ from the other sessions' names; `None` takes the first free number.
        name: Option<String>,
        /// The node on which its panes run unless they say otherwise.
        node: String,
        /// Milliseconds since the Unix epoch.
        created_at_ms: u64,
    },
    /// Closes all tabs of a session.
    DestroySession {
        /// The session.
        session: SessionId,
    },
    /// Gives a session another name.
    RenameSession {
        /// The session.
        session: SessionId,
        /// Must differ from the other sessions' names.
        name: String,
    },
    /// Makes a tab with one pane at the end of a session, and brings it to the front.
    CreateTab {
        /// The session.
        session: SessionId,
        /// `None` takes the session's first free number.
        name: Option<String>,
    },
    /// Closes a tab with its panes; the last tab of a session takes the session with it.
    CloseTab {
        /// The tab.
        tab: TabId,
    },
    /// Gives a tab another name.
    RenameTab {
        /// The tab.
        tab: TabId,
        /// Need not be unique.
        name: String,
    },
    /// Moves a tab to a place in its own or another session. A session that loses its last tab is gone.
    MoveTab {
        /// The tab.
        tab: TabId,
        /// Where to.
        session: SessionId,
        /// Its place there afterwards, from 0; past the end means the end.
        index: usize,
    },
    /// Brings a tab to the front.
    SwitchTab {
        /// The tab.
        tab: TabId,
    },
    /// Opens a pane beside another one and focuses it. Unzooms.
    SplitPane {
        /// The pane that gives up room.
        pane: PaneId,
        /// How the two lie to each other.
        axis: Axis,
        /// On which side of `pane` the new one goes.
        #[serde(default)]
        side: Side,
        /// The new pane's share of the old one's room, between 0 and 1; `None` is half.
        ratio: Option<f64>,
    },
    /// Closes a pane; its neighbour gets the room. The last pane of a tab takes the tab with it.
    ClosePane {
        /// The pane.
        pane: PaneId,
    },
    /// Sets how a split shares its room, as dragging a divider does. Unzooms.
    ResizeSplit {
        /// The tab.
        tab: TabId,
        /// The child to take at each split, from the root, to reach the split.
        path: Vec<usize>,
        /// One positive number for each child; they are scaled to sum to 1.
        ratios: Vec<f64>,
    },
    /// Moves a pane's divider: the one on its far side, or the near one if it is last in its split. Does nothing
    /// where there is no such divider or it can't go further. Unzooms.
    ResizePane {
        /// The pane.
        pane: PaneId,
        /// Where the divider goes.
        direction: Direction,
        /// How far, as a positive fraction of the tab's width or height.
        step: f64,
    },
    /// Lets a pane fill its tab, or ends that. The pane gets the focus when it is zoomed in. Does nothing to a
    /// tab's only pane.
    ZoomPane {
        /// The pane.
        pane: PaneId,
        /// Which way.
        #[serde(default)]
        zoom: Zoom,
    },
    /// Lets two panes change places, also across tabs. Each tab's focus stays with its pane, or with the place if
    /// the pane has left. Unzooms.
    SwapPanes {
        /// One pane.
        a: PaneId,
        /// The other.
        b: PaneId,
    },
    /// Moves a pane beside the focus of a tab or into a new tab, and focuses it there.
    MovePane {
        /// The pane.
        pane: PaneId,
        /// Where to; `None` is a new tab at the end of its own session.
        tab: Option<TabId>,
        /// How it lies to the pane that it joins. Means nothing in a new tab.
        axis: Axis,
    },
    /// Gives a pane a name or takes it away.
    RenamePane {
        /// The pane.
        pane: PaneId,
        /// Need not be unique.
        name: Option<String>,
    },
    /// Focuses a pane and brings its tab to the front. Unzooms a tab if another pane fills it.
    FocusPane {
        /// The pane.
        pane: PaneId,
    },
    /// Focuses the active tab's next pane in a direction. Unzooms.
    FocusDirection {
        /// Where to look.
        direction: Direction,
    },
}

/// Which side of something in its axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Left of it or above it.
    Before,
    /// Right of it or below it.
    #[default]
    After,
}

/// What to do about a pane's zoom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Zoom {
    /// Let it fill its tab.
    In,
    /// Show it among the others.
    Out,
    /// The other one of the two.
    #[default]
    Toggle,
}

/// Where to look or move from a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards the first column.
    Left,
    /// Towards the last column.
    Right,
    /// Towards the first row.
    Up,
    /// Towards the last row.
    Down,
}

impl Direction {
    /// The axis it runs along.
    #[must_use]
    pub fn axis(self) -> Axis {
        match self {
            Direction::Left | Direction::Right => Axis::Columns,
            Direction::Up | Direction::Down => Axis::Rows,
        }
    }

    /// On which side of a pane it leads.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Direction::Left | Direction::Up => Side::Before,
            Direction::Right | Direction::Down => Side::After,
        }
    }
}
