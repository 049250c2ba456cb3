//! Why an operation was refused.

use super::op::Direction;
use crate::ids::{PaneId, SessionId, TabId};

/// An operation that can't be done. The layout is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// No session has this id (any more).
    #[error("there is no session {session}")]
    UnknownSession {
        /// The id asked for.
        session: SessionId,
    },
    /// No tab has this id (any more).
    #[error("there is no tab {tab}")]
    UnknownTab {
        /// The id asked for.
        tab: TabId,
    },
    /// No pane has this id (any more).
    #[error("there is no pane {pane}")]
    UnknownPane {
        /// The id asked for.
        pane: PaneId,
    },
    /// The path leads past the leaves or to a leaf.
    #[error("tab {tab} has no split at the path given")]
    UnknownSplit {
        /// The tab asked for.
        tab: TabId,
    },
    /// A ratio or step that no split can have.
    #[error("{problem}")]
    InvalidRatios {
        /// What is wrong, with the value.
        problem: String,
    },
    /// A name with nothing to show, or too much.
    #[error("{problem}")]
    InvalidName {
        /// What is wrong.
        problem: String,
    },
    /// Another session has this name.
    #[error("there is a session `{name}` already")]
    DuplicateName {
        /// The name asked for.
        name: String,
    },
    /// The layout is as large as it may be.
    #[error("no more than {limit} {what}")]
    LimitReached {
        /// What there would be too many of.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The focused pane is the outermost one in this direction, or there is none.
    #[error("there is no pane {}", match direction {
        Direction::Left => "to the left",
        Direction::Right => "to the right",
        Direction::Up => "above",
        Direction::Down => "below",
    })]
    NoNeighbour {
        /// Where there is nothing.
        direction: Direction,
    },
}

impl LayoutError {
    /// The same for machines: a word that stays when the sentence changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LayoutError::UnknownSession { .. } => "unknown_session",
            LayoutError::UnknownTab { .. } => "unknown_tab",
            LayoutError::UnknownPane { .. } => "unknown_pane",
            LayoutError::UnknownSplit { .. } => "unknown_split",
            LayoutError::InvalidRatios { .. } => "invalid_ratios",
            LayoutError::InvalidName { .. } => "invalid_name",
            LayoutError::DuplicateName { .. } => "duplicate_name",
            LayoutError::LimitReached { .. } => "limit_reached",
            LayoutError::NoNeighbour { .. } => "no_neighbour",
        }
    }

    /// Refuses `count` of something where only `limit` are allowed.
    pub(super) fn check_limit(what: &'static str, count: usize, limit: usize) -> Result<(), LayoutError> {
        if count > limit { Err(LayoutError::LimitReached { what, limit }) } else { Ok(()) }
    }
}
