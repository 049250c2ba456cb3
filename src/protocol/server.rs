//! What the gateway tells: every control message from the gateway to a viewer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client::{SizePolicy, WakePolicy};
use crate::ids::{PaneId, SessionId, TabId, ViewerId};

/// A session, as viewers see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The node its new panes start on.
    pub sandbox_id: String,
    /// Its name.
    pub name: String,
    /// When it was made, in milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub created_at: u64,
}

/// How a stack's children lie. The words are the wire's: a *vertical* stack has vertical dividers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum StackOrientation {
    /// Side by side.
    Vertical,
    /// One above the other.
    Horizontal,
}

/// One place in a tab's tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "tag", rename_all = "lowercase")]
pub enum LayoutTree {
    /// Two or more children.
    Stack {
        /// How they lie.
        orientation: StackOrientation,
        /// The children, left to right or top to bottom.
        children: Vec<LayoutTree>,
        /// Each child's share; they sum to 1.
        ratios: Vec<f64>,
    },
    /// A pane.
    Window {
        /// Which.
        key: PaneId,
    },
}

/// A tab's tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TabLayout {
    /// The whole tab.
    pub root: LayoutTree,
}

/// A tab, as viewers see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Tab {
    /// Its id.
    pub id: TabId,
    /// The session it belongs to.
    pub session_id: SessionId,
    /// Its name.
    pub name: String,
    /// Its panes.
    pub layout: TabLayout,
    /// The focused pane, as child indices from the root.
    pub focus: Vec<usize>,
    /// The pane that has the whole tab, if one does.
    #[serde(default)]
    pub zoomed: Option<PaneId>,
}

/// Why a pane is connected, or why it is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum PaneStatus {
    /// It has a terminal.
    Live,
    /// A terminal is being started.
    Starting,
    /// Its terminal ended. Neither code nor signal: the gateway was not there to see it.
    Exited {
        /// The exit code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        code: Option<i32>,
        /// The signal's name, such as `SIGKILL`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        signal: Option<String>,
        /// When, in milliseconds since the Unix epoch.
        #[cfg_attr(test, ts(type = "number"))]
        at: u64,
    },
    /// No terminal could be started.
    Failed {
        /// Why.
        reason: String,
        /// When the next input may try again, in milliseconds since the Unix epoch; left out once the gateway
        /// has given up and waits for `pane_respawn`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        retry_at: Option<u64>,
    },
    /// Its node can't be reached; its program may live on there. Input wakes the node, where somebody can.
    Lost {
        /// Since when, in milliseconds since the Unix epoch.
        #[cfg_attr(test, ts(type = "number"))]
        since: u64,
        /// Why the node could not be woken, if that was tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reason: Option<String>,
    },
    /// Its node said that it would sleep, and does. Input wakes it.
    Asleep {
        /// Since when, in milliseconds since the Unix epoch.
        #[cfg_attr(test, ts(type = "number"))]
        since: u64,
        /// Why the node could not be woken, if that was tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reason: Option<String>,
    },
    /// Its node is being woken, for input that waits.
    Waking {
        /// Which attempt this is, from 1.
        attempt: u32,
        /// Since when it is being woken, in milliseconds since the Unix epoch.
        #[cfg_attr(test, ts(type = "number"))]
        since: u64,
    },
}

/// What a pane's shell is doing, told by its prompt marks (OSC 133).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ShellState {
    /// Whether a command runs; else the shell waits at its prompt.
    pub running: bool,
    /// The exit code of the last command that ended, if the shell told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub exit: Option<i32>,
    /// The command that runs or ran last, if the shell told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub command: Option<String>,
    /// When it began to be so, in milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub since: u64,
}

/// What kind of progress a program reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum ProgressState {
    /// It gets on.
    Normal,
    /// Something went wrong.
    Error,
    /// It gets on, nobody knows how far.
    Indeterminate,
    /// It waits.
    Paused,
}

/// How far a pane's program says it is (OSC 9;4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Progress {
    /// What kind.
    pub state: ProgressState,
    /// How far, 0 to 100.
    pub percent: u8,
}

/// The last thing that a pane's program wanted people to notice (OSC 9, 777, 99).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Notification {
    /// Counts the pane's notifications; whoever has seen this number has seen it.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// Its heading; may be empty.
    pub title: String,
    /// Its text.
    pub body: String,
    /// When, in milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub at: u64,
}

/// What a native viewer is told of a pane besides its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PaneInfo {
    /// The name somebody gave it.
    #[serde(default)]
    pub name: Option<String>,
    /// The title its program set.
    pub title: String,
    /// The directory its shell is in, if that is known.
    #[serde(default)]
    pub cwd: Option<String>,
    /// Why it is connected, or why not.
    pub status: PaneStatus,
    /// How many bytes of input are held for it.
    #[cfg_attr(test, ts(type = "number"))]
    pub pending: usize,
    /// Its PTY's size: cells across.
    pub cols: u16,
    /// Its PTY's size: cells down.
    pub rows: u16,
    /// Which input wakes it.
    pub wake: WakePolicy,
    /// Whether it closes when its program exits.
    pub close_on_exit: bool,
    /// Who decides its size.
    pub size: SizePolicy,
    /// The node that its next terminal starts on.
    pub node: String,
    /// The program that its terminals run, with its arguments, if that is not the shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub command: Option<Vec<String>>,
    /// What its shell is doing, if the shell tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub shell: Option<ShellState>,
    /// How far its program says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub progress: Option<Progress>,
    /// The last notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub notification: Option<Notification>,
}

/// The whole layout with the sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// All sessions.
    pub sessions: Vec<Session>,
    /// The layout.
    #[serde(flatten)]
    pub layout: LayoutUpdate,
}

/// The whole layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct LayoutUpdate {
    /// All tabs of all sessions, session by session, in their order.
    pub tabs: Vec<Tab>,
    /// The tab that is shown; `null` when there is none.
    pub active_tab: Option<TabId>,
    /// Each pane's channel.
    pub channels: BTreeMap<PaneId, u32>,
    /// Whether each pane has a terminal.
    pub connected: BTreeMap<PaneId, bool>,
    /// Counts updates; only ever grows. Native viewers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub revision: Option<u64>,
    /// More on each pane. Native viewers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub panes: Option<BTreeMap<PaneId, PaneInfo>>,
}

/// A refusal. The connection lives on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage {
    /// What kind, for programs.
    pub code: String,
    /// What was wrong and what to do, for people.
    pub message: String,
    /// The offending field of the message, as a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub field: Option<String>,
    /// The pane it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub pane_id: Option<PaneId>,
    /// How many bytes of input were not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub bytes: Option<usize>,
    /// The number of the input frame that was not taken, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub number: Option<u64>,
    /// Which giving back it is of all that the client was told of, counted from 1. Told again, it is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub given_back: Option<u64>,
    /// The request it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub request_id: Option<u64>,
}

/// A control message to a viewer: JSON with its name in `type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ServerMessage {
    /// The first message on a native connection.
    Hello {
        /// The gateway's version.
        version: String,
        /// This connection's id.
        viewer_id: ViewerId,
        /// The largest message it takes, in bytes.
        #[cfg_attr(test, ts(type = "number"))]
        max_message_bytes: usize,
    },
    /// Everything: on connecting once a layout exists, after `connect`, and when sessions changed.
    State(State),
    /// The layout changed.
    LayoutUpdate(LayoutUpdate),
    /// Panes changed in something else than their place or connection. Native viewers only.
    PaneUpdate {
        /// The panes that changed.
        panes: BTreeMap<PaneId, PaneInfo>,
    },
    /// What this viewer looks at, for one with a view of its own.
    View {
        /// Its tab.
        active_tab: Option<TabId>,
        /// The focused pane of each tab it has looked at.
        focus: BTreeMap<TabId, PaneId>,
    },
    /// A watch began: output before `head` is history.
    Watching {
        /// The pane.
        pane_id: PaneId,
        /// The offset of the first byte that will come.
        #[cfg_attr(test, ts(type = "number"))]
        from: u64,
        /// The offset of the first byte that is new.
        #[cfg_attr(test, ts(type = "number"))]
        head: u64,
        /// How many bytes after the viewer's offset will not come, since a snapshot takes their place. Left out
        /// where that is not known: it had no offset, or one from before an end of the gateway that the pane's
        /// program did not outlive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        missed: Option<u64>,
    },
    /// The answer to `resume`.
    Resumed {
        /// Whether the gateway knew this client before.
        known: bool,
        /// Which memory of this client it is. If the client began to count its input under another one, the gateway
        /// has forgotten it since: nobody can tell whether input that was not acknowledged was taken, so it must not
        /// be sent again.
        #[cfg_attr(test, ts(type = "number"))]
        memory: u64,
        /// The number of the last input frame that was taken or refused; 0: none.
        #[cfg_attr(test, ts(type = "number"))]
        applied: u64,
    },
    /// Every numbered input frame up to this one was written or is held for its pane, or was refused before.
    InputAck {
        /// The number.
        #[cfg_attr(test, ts(type = "number"))]
        applied: u64,
    },
    /// The gateway has the viewer's terminal: from here on it reads what is typed there, and what it sends of the pane's
    /// output is there already.
    TerminalLent,
    /// The viewer has its terminal again: what follows of the pane's output is not there yet. Also the answer to a
    /// `terminal_lend` that is not granted.
    TerminalReturned {
        /// What was typed last and is for the client to look at; in base64.
        keys: String,
        /// The last byte that was typed before that and passed on to the pane, if any was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        passed: Option<u8>,
        /// Why the gateway can't have the terminal, also later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        refused: Option<String>,
    },
    /// A request with a `requestId` was done.
    Ok {
        /// The request it answers.
        #[cfg_attr(test, ts(type = "number"))]
        request_id: u64,
        /// The session it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        session_id: Option<SessionId>,
        /// The tab it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        tab_id: Option<TabId>,
        /// The pane it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        pane_id: Option<PaneId>,
    },
    /// A refusal.
    Error(ErrorMessage),
    /// Something that people should know and that nobody asked for. Native viewers only.
    Notice {
        /// What kind, for programs; a later notice of the same code replaces it.
        code: String,
        /// The text; empty when the matter is over.
        message: String,
    },
    /// The answer to `ping`.
    Pong {
        /// The request it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        request_id: Option<u64>,
    },
}

impl ServerMessage {
    /// The revision of the layout that it brings, if it brings one with a revision.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        match self {
            ServerMessage::State(State { layout, .. }) | ServerMessage::LayoutUpdate(layout) => {
                layout.revision
            }
            _ => None,
        }
    }
}
