//! What an operation did.

use serde::Serialize;

use crate::ids::{PaneId, SessionId, TabId};

/// The outcome of one [`Op`](super::Op), for those who must act on it without comparing layouts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Whether anything is different. If not, the revision is what it was before.
    pub changed: bool,
    /// The layout's revision after the operation.
    pub revision: u64,
    /// Panes that exist since.
    pub opened: Vec<PaneId>,
    /// Panes that no longer exist.
    pub closed: Vec<PaneId>,
    /// The session that was created.
    pub session: Option<SessionId>,
    /// The tab that was created.
    pub tab: Option<TabId>,
    /// The pane that was created.
    pub pane: Option<PaneId>,
    /// Whether a session was created, destroyed or renamed.
    pub sessions_changed: bool,
}

impl Change {
    /// For an operation that found everything as it was to be.
    pub(super) fn nothing() -> Change {
        Change::default()
    }

    /// For an operation that made a difference; the caller adds what it opened and closed.
    pub(super) fn something() -> Change {
        Change { changed: true, ..Change::default() }
    }

    /// Notes a new pane.
    pub(super) fn open(&mut self, pane: PaneId) {
        self.opened.push(pane);
        self.pane = Some(pane);
    }
}
