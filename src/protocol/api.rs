//! What scripts and the command line say over `/api/v1`: the bodies of requests and answers, in JSON. docs/api.md has the
//! routes; `src/http/api` serves them.
//!
//! A *target* in a path or a body is an id (`s1`, `t1`, `p1`), the name of a session, or `session:tab.pane` as in tmux:
//! session, tab and pane each by id, by name, or (tab and pane) by place counted from 0. What is left out is the active
//! one: `work` is a session, `work:build` a tab of it, `work:build.1` the second pane of that, `:build` a tab of the
//! active session, `.1` a pane of the active tab. `.` is the active pane.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client::{Direction, SizePolicy, SplitOrientation, SplitSide, WakePolicy};
use super::server::PaneInfo;
use crate::ids::{PaneId, SessionId, TabId, ViewerId};

/// The version of these shapes: fields may be added to it, none is taken away or changes its meaning.
pub const API_VERSION: u32 = 1;

// Answers.

/// The gateway. `GET /api/v1`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayRecord {
    /// See [`API_VERSION`].
    pub api_version: u32,
    /// The gateway's own version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it was started, in milliseconds since the Unix epoch.
    pub started_at: u64,
    /// Its clock, in milliseconds since the Unix epoch.
    pub now: u64,
    /// How many sessions there are.
    pub sessions: usize,
    /// How many panes.
    pub panes: usize,
    /// How many of them are connected.
    pub connected: usize,
    /// How many viewers.
    pub viewers: usize,
    /// Why it works only in part, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
}

/// Everything there is. `GET /api/v1/sessions`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionList {
    /// See [`API_VERSION`].
    pub api_version: u32,
    /// The sessions, in their order.
    pub sessions: Vec<SessionRecord>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Its name, which no other session has.
    pub name: String,
    /// The node that its panes start on unless they say otherwise.
    pub node: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// Whether its tab is the one that viewers share. To a token of one session, that is the active one.
    pub active: bool,
    /// Its tabs, in their order.
    pub tabs: Vec<TabRecord>,
}

/// A tab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TabRecord {
    /// Its id.
    pub id: TabId,
    /// Its name.
    pub name: String,
    /// Its place in its session, from 0.
    pub index: usize,
    /// Whether it is the one that viewers share.
    pub active: bool,
    /// The pane that fills it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoomed: Option<PaneId>,
    /// Its panes, from left to right and top to bottom.
    pub panes: Vec<PaneRecord>,
}

/// A pane. `GET /api/v1/panes/{target}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaneRecord {
    /// Its id.
    pub id: PaneId,
    /// The session that it is in.
    pub session: SessionId,
    /// The tab that it is in.
    pub tab: TabId,
    /// Its place in its tab, from 0.
    pub index: usize,
    /// Whether it has its tab's focus.
    pub focused: bool,
    /// Whether it has a live terminal.
    pub connected: bool,
    /// The offset after the newest byte of its output.
    pub offset: u64,
    /// What else is known of it, as viewers are told.
    #[serde(flatten)]
    pub info: PaneInfo,
}

/// What a request made. With status 201.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// The session that was made, or that the tab or pane is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The tab that was made, or that the pane is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tab: Option<TabId>,
    /// The pane that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pane: Option<PaneId>,
}

/// Who is connected. `GET /api/v1/viewers`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewerList {
    /// See [`API_VERSION`].
    pub api_version: u32,
    /// The viewers, oldest first.
    pub viewers: Vec<ViewerRecord>,
}

/// A viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewerRecord {
    /// Its id.
    pub id: ViewerId,
    /// When it connected, in milliseconds since the Unix epoch.
    pub since: u64,
    /// Cells across and down, once it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<(u16, u16)>,
    /// Whether it speaks the native framing.
    pub native: bool,
    /// Whether it looks at a tab of its own.
    pub own_view: bool,
    /// The panes that it watches.
    pub watches: Vec<PaneId>,
}

/// A refusal, as problem details (RFC 9457), `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemDetails {
    /// `about:blank#code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, in a sentence.
    pub title: String,
    /// A word that programs can rely on, such as `unknown_pane`; docs/api.md lists them.
    pub code: String,
    /// The same sentence; older clients look here.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The field, parameter or part of the path that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

// Requests on the layout.

/// Where a new pane runs, and what. Left out: as beside it, or as the session has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewSession {
    /// Its name; left out: the first free number.
    pub name: Option<String>,
    /// The node of its panes.
    pub node: Option<String>,
    /// The directory that its first pane starts in.
    pub cwd: Option<String>,
    /// A program with its arguments, in the place of a shell.
    pub command: Option<Vec<String>>,
}

/// `POST /api/v1/sessions/{target}/tabs`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewTab {
    /// Its name; left out: the first free number.
    pub name: Option<String>,
    /// The node of its pane.
    pub node: Option<String>,
    /// The directory that its pane starts in.
    pub cwd: Option<String>,
    /// A program with its arguments, in the place of a shell.
    pub command: Option<Vec<String>>,
}

/// `POST /api/v1/panes/{target}/split`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SplitRequest {
    /// `horizontal` (the default): side by side.
    pub orientation: Option<SplitOrientation>,
    /// Which side the new pane goes to.
    pub side: SplitSide,
    /// The new pane's share of the room, between 0 and 1; left out: half.
    pub ratio: Option<f64>,
    /// The node of the new pane.
    pub node: Option<String>,
    /// The directory that it starts in.
    pub cwd: Option<String>,
    /// A program with its arguments, in the place of a shell.
    pub command: Option<Vec<String>>,
}

/// `PATCH /api/v1/sessions/{target}`, `PATCH /api/v1/tabs/{target}`: what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Rename {
    /// The new name.
    pub name: Option<String>,
}

/// `PATCH /api/v1/panes/{target}`: what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PaneChange {
    /// A name; an empty one gives it back its program's title.
    pub name: Option<String>,
    /// The node that its next terminal starts on.
    pub node: Option<String>,
    /// Which input wakes it.
    pub wake: Option<WakePolicy>,
    /// Close it when its program exits.
    pub close_on_exit: Option<bool>,
    /// Who decides its size.
    pub size: Option<SizePolicy>,
}

/// `POST /api/v1/panes/{target}/move`, `POST /api/v1/tabs/{target}/move`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct MoveRequest {
    /// Of a pane: the tab that it goes to (left out: a new one), or with `swap` the pane that it changes places with. Of a
    /// tab: the session that it goes to (left out: it stays).
    pub to: Option<String>,
    /// Of a pane: whether it changes places with another pane.
    pub swap: bool,
    /// Of a pane: how it lies to the pane that it joins; `horizontal` (the default) is side by side.
    pub orientation: Option<SplitOrientation>,
    /// Of a tab: its new place, from 0; left out or past the end: last.
    pub index: Option<usize>,
}

/// `POST /api/v1/panes/{target}/resize`: moves an edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResizeRequest {
    /// Which way.
    pub direction: Direction,
    /// How far, in thousandths of the tab.
    pub amount: u16,
}

/// `POST /api/v1/panes/{target}/zoom`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ZoomRequest {
    /// Left out: the other of the two.
    pub zoomed: Option<bool>,
}

/// `POST /api/v1/panes/{target}/kill`: signals the pane's program; the pane stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct KillRequest {}

// Input.

/// `POST /api/v1/panes/{target}/input`: parts are typed one after the other, and arrive whole or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct InputRequest {
    /// What is typed, in turn.
    pub parts: Vec<InputPart>,
    /// Whether it is pasted: bracketed if the program asked for that, line ends as the enter key.
    pub paste: bool,
}

/// A part of what is typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InputPart {
    /// Text, as it is.
    Text(String),
    /// Bytes, in base64.
    Base64(String),
    /// A key by its name, such as `enter`, `ctrl-c`, `alt-f`, `shift-tab`, `up`, `f5`, as the program wants it now (the
    /// modes of cursor keys and keypad are heeded).
    Key(String),
}

/// What became of input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InputTaken {
    /// How many bytes.
    pub bytes: usize,
    /// The offset after the newest output when it was taken: what comes after may be an answer to it. For
    /// [`WaitRequest::since`].
    pub offset: u64,
    /// How many prompts the pane's shell had shown by then, for [`WaitRequest::since_prompt`].
    pub prompts: u64,
    /// Whether it went to a live terminal; if not, it is held, and wakes one.
    pub delivered: bool,
}

// Waiting.

/// `POST /api/v1/panes/{target}/wait`: answers when it is so, or when the time is up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WaitRequest {
    /// What for.
    #[serde(rename = "for")]
    pub what: WaitFor,
    /// Only output after this offset counts; left out: what is on the screen now counts as well.
    #[serde(default)]
    pub since: Option<u64>,
    /// Only a prompt after so many counts; left out: one that is shown now counts as well.
    #[serde(default)]
    pub since_prompt: Option<u64>,
    /// How long to wait at most, in milliseconds; left out: 30 s. At most an hour.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

/// What to wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WaitFor {
    /// This text.
    Text(String),
    /// Text that this regular expression finds, in a line.
    Regex(String),
    /// The shell's prompt (OSC 133), no command running.
    Prompt,
    /// The end of the program.
    Exit,
    /// No output for so many milliseconds.
    Idle(u64),
    /// A live terminal.
    Connected,
}

/// What a wait saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitOutcome {
    /// Whether it was so; else the time was up.
    pub met: bool,
    /// The offset after the newest output that was looked at.
    pub offset: u64,
    /// How many prompts the pane's shell has shown.
    pub prompts: u64,
    /// What was found, of text and regular expressions: the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The exit code, where it is known: of the program for `exit`, of the last command for `prompt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// Of text and regular expressions: how far the oldest output that was still there lay behind the offset to look
    /// from, in bytes. What was printed in between was not looked at.
    #[serde(default)]
    pub missed: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// `POST /api/v1/panes/{target}/run`: types a command at the shell's prompt and waits for its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunRequest {
    /// The command line.
    pub command: String,
    /// How long to wait at most, in milliseconds; left out: as long as it takes, at most an hour.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunOutcome {
    /// Whether it ended in time.
    pub ended: bool,
    /// Its exit code, where the shell or the end of the program told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// What it printed, without escape sequences.
    pub output: String,
    /// Where its output begins and ends, as offsets.
    pub from: u64,
    /// See `from`.
    pub to: u64,
    /// How many bytes of the beginning are no longer there.
    pub missed: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

// Looking.

/// What a capture looks like. `GET /api/v1/panes/{target}/capture?format=…&scrollback=…&join=…`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CaptureFormat {
    /// Text alone, without what is blank at the ends of lines.
    #[default]
    Plain,
    /// Text with its colours and styles, as escape sequences (SGR).
    Ansi,
    /// A page of its own.
    Html,
    /// A picture of its own.
    Svg,
}

/// The query of a capture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CaptureQuery {
    /// See [`CaptureFormat`].
    pub format: CaptureFormat,
    /// How many rows of scrollback before the screen.
    pub scrollback: usize,
    /// Whether lines that were wrapped are put together again.
    pub join: bool,
}

// Events.

/// Where nothing happens for so long, in seconds, `GET /api/v1/events` sends an empty line: the connection is alive.
pub const ALIVE_EVERY_SECS: u64 = 15;

/// A line of `GET /api/v1/events`, which never ends by itself. Lines may be empty: see [`ALIVE_EVERY_SECS`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "event")]
pub enum Event {
    /// Comes first, and again when the reader was too slow for what happened: how everything is.
    Snapshot {
        /// See [`API_VERSION`].
        api_version: u32,
        /// When, in milliseconds since the Unix epoch.
        at: u64,
        /// The sessions.
        sessions: Vec<SessionRecord>,
    },
    /// Sessions, tabs or panes came, went, moved or were renamed.
    Layout {
        /// When, in milliseconds since the Unix epoch.
        at: u64,
        /// The sessions.
        sessions: Vec<SessionRecord>,
    },
    /// Something about a pane changed.
    Pane {
        /// When, in milliseconds since the Unix epoch.
        at: u64,
        /// How it is now.
        pane: Box<PaneRecord>,
    },
    /// A pane was connected, or is not any more.
    Connection {
        /// When, in milliseconds since the Unix epoch.
        at: u64,
        /// Which.
        pane: PaneId,
        /// Whether it has a live terminal.
        connected: bool,
    },
}

// Tokens.

/// `POST /api/v1/tokens`: a token that reaches one session alone, over `/api/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRequest {
    /// The session, as a target.
    pub session: String,
}

/// The token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenMade {
    /// The session.
    pub session: SessionId,
    /// The token; it is the same each time, and ends with the gateway's own.
    pub token: String,
}
