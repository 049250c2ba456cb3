//! How a request ends: what it made, or why it is not done.

use crate::ids::{PaneId, SessionId, TabId};
use crate::layout::{Change, LayoutError};
use crate::protocol::server::ErrorMessage;

/// A request that is not done, and why.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("no pane {0}; it was closed, or never was")]
    UnknownPane(PaneId),
    #[error("{program} is still running in it; closing the pane ends that")]
    Busy { pane: PaneId, program: String },
    #[error(
        "all 255 channels of the compact framing are taken; close a pane, or connect with the subprotocol everpane.v1"
    )]
    CompactFull,
    #[error("the gateway has {limit} panes already, which is its limit")]
    TooManyPanes { limit: usize },
    #[error("pane_focus needs `direction` or `paneId`")]
    NoTarget,
    #[error("no node `{0}`; one that is to have panes must have joined once")]
    UnknownNode(String),
    #[error("there is no node to start a shell on; start one with `everpane node`")]
    NoNode,
    #[error("{0} is connected already")]
    Connected(PaneId),
    #[error("the name of a client has 16 to 64 characters of A-Z a-z 0-9 _ -")]
    ClientName,
    #[error("this connection speaks for another client already")]
    OtherClient,
    #[error("the terminal was offered already and has not come back")]
    TerminalLent,
}

impl Refusal {
    /// What kind it is, for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Refusal::Layout(error) => error.code(),
            Refusal::UnknownPane(_) => "unknown_pane",
            Refusal::Busy { .. } => "pane_busy",
            Refusal::CompactFull => "channels_exhausted",
            Refusal::TooManyPanes { .. } => "limit_reached",
            Refusal::UnknownNode(_) | Refusal::NoNode => "unknown_node",
            Refusal::NoTarget | Refusal::ClientName | Refusal::OtherClient => "invalid_field",
            Refusal::Connected(_) => "pane_connected",
            Refusal::TerminalLent => "terminal_lent",
        }
    }

    /// As the viewer is told.
    pub(super) fn message(&self, request_id: Option<u64>) -> ErrorMessage {
        let (field, pane) = match self {
            Refusal::Layout(error) => (layout_field(error), None),
            Refusal::UnknownPane(pane) => (Some("paneId"), Some(*pane)),
            Refusal::Busy { pane, .. } | Refusal::Connected(pane) => (None, Some(*pane)),
            Refusal::CompactFull | Refusal::TooManyPanes { .. } | Refusal::TerminalLent => (None, None),
            Refusal::UnknownNode(_) | Refusal::NoNode => (Some("node"), None),
            Refusal::NoTarget => (Some("direction"), None),
            Refusal::ClientName | Refusal::OtherClient => (Some("client"), None),
        };
        ErrorMessage {
            code: self.code().to_owned(),
            message: self.to_string(),
            field: field.map(str::to_owned),
            pane_id: pane,
            bytes: None,
            number: None,
            given_back: None,
            request_id,
        }
    }
}

/// The field of a message that a layout error is about.
fn layout_field(error: &LayoutError) -> Option<&'static str> {
    Some(match error.code() {
        "unknown_session" => "sessionId",
        "unknown_tab" => "tabId",
        "unknown_pane" => "paneId",
        "unknown_split" => "path",
        "invalid_ratios" => "ratios",
        "invalid_name" | "duplicate_name" => "name",
        "no_neighbour" => "direction",
        _ => return None,
    })
}

/// What a request made.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) session: Option<SessionId>,
    pub(super) tab: Option<TabId>,
    pub(super) pane: Option<PaneId>,
}

impl From<Change> for Made {
    fn from(change: Change) -> Made {
        Made { session: change.session, tab: change.tab, pane: change.pane }
    }
}
