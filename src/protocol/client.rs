//! What viewers ask: every control message from a viewer to the gateway.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{PaneId, SessionId, TabId};

/// Which way a split puts its panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum SplitOrientation {
    /// Side by side.
    Horizontal,
    /// One above the other.
    Vertical,
}

/// A direction on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Direction {
    Left,
    Right,
    Up,
    Down,
}

/// Where a new pane goes, seen from the one that is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum SplitSide {
    /// Left of it, or above.
    Before,
    /// Right of it, or below.
    #[default]
    After,
}

/// Whose tab and focus a viewer looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum ViewMode {
    /// The active tab and the focus that all viewers share.
    #[default]
    Shared,
    /// An active tab and a focus of its own.
    Own,
}

/// Which input wakes a pane that has no terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum WakePolicy {
    /// Any key.
    #[default]
    AnyKey,
    /// Keys are held; Enter wakes.
    Enter,
    /// Only an explicit `pane_respawn`; keys are refused.
    Manual,
}

/// Who decides the size of a pane's PTY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", tag = "policy")]
pub enum SizePolicy {
    /// The viewer that typed last.
    #[default]
    Latest,
    /// The smallest of all viewers.
    Smallest,
    /// Always this size.
    Fixed {
        /// Cells across.
        cols: u16,
        /// Cells down.
        rows: u16,
    },
}

/// A pane that a viewer wants the output of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct WatchPane {
    /// The pane.
    pub pane_id: PaneId,
    /// The offset of the first byte the viewer does not have; left out by one that has nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub offset: Option<u64>,
    /// How many rows of scrollback a snapshot brings along, at most as many as are kept.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<u32>"))]
    pub history: u32,
    /// `true`: the viewer gets every byte from now on, and slows the program down instead of being sent a
    /// snapshot when it is behind. For recorders and pipes.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub lossless: bool,
}

macro_rules! client_messages {
    ($($(#[$doc:meta])* $tag:literal $name:ident { $($(#[$field_meta:meta])* $field:ident : $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            #[cfg_attr(test, derive(ts_rs::TS))]
            #[serde(rename_all = "camelCase")]
            pub struct $name { $($(#[$field_meta])* pub $field: $type),* }
        )*

        /// A control message from a viewer: JSON with its name in `type`.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        #[serde(tag = "type")]
        pub enum ClientMessage {
            $($(#[$doc])* #[serde(rename = $tag)] $name($name)),*
        }

        impl ClientMessage {
            /// Every name that may stand in `type`.
            pub const TYPES: &[&str] = &[$($tag),*];

            fn from_fields(tag: &str, fields: &[u8]) -> Result<ClientMessage, MessageError> {
                match tag {
                    $($tag => parse_fields(fields).map(ClientMessage::$name),)*
                    _ => Err(MessageError::unknown_type(tag)),
                }
            }

            /// Its name in `type`.
            #[must_use]
            pub fn tag(&self) -> &'static str {
                match self { $(ClientMessage::$name(_) => $tag),* }
            }
        }
    };
}

client_messages! {
    /// Says how much room the viewer has; sent first, and again when that changes.
    "connect" Connect {
        /// Cells across of the whole viewport.
        width: u16,
        /// Cells down of the whole viewport.
        height: u16,
        /// Whose tab and focus to look at. Native viewers only.
        #[serde(default)]
        #[cfg_attr(test, ts(optional, as = "Option<ViewMode>"))]
        view: ViewMode,
        /// `false`: this viewer never decides a pane's size. Native viewers only.
        #[serde(default = "yes")]
        #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
        sizing: bool,
    }
    /// Makes a session with one tab and one pane.
    "session_create" SessionCreate {
        /// Left out: the gateway picks one.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        name: Option<String>,
        /// The node that its panes start on; left out: the gateway's own.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        node: Option<String>,
        /// The directory that it starts in; left out: as set for the node.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        cwd: Option<String>,
    }
    /// Closes a session with all its tabs.
    "session_destroy" SessionDestroy {
        /// The session.
        session_id: SessionId,
    }
    /// Renames a session.
    "session_rename" SessionRename {
        /// The session.
        session_id: SessionId,
        /// Its new name.
        name: String,
    }
    /// Makes a tab with one pane and switches to it.
    "tab_create" TabCreate {
        /// The session it goes into.
        session_id: SessionId,
        /// Left out: the gateway picks one.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        name: Option<String>,
        /// The node that its pane starts on; left out: the session's.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        node: Option<String>,
        /// The directory that it starts in; left out: that of the session's active pane, if on the same node.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        cwd: Option<String>,
    }
    /// Closes a tab with all its panes.
    "tab_close" TabClose {
        /// The tab.
        tab_id: TabId,
    }
    /// Renames a tab.
    "tab_rename" TabRename {
        /// The tab.
        tab_id: TabId,
        /// Its new name.
        name: String,
    }
    /// Shows a tab.
    "tab_switch" TabSwitch {
        /// The tab.
        tab_id: TabId,
    }
    /// Moves a tab within its session or to another one.
    "tab_move" TabMove {
        /// The tab.
        tab_id: TabId,
        /// The session it goes to; left out: it stays in its own.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        session_id: Option<SessionId>,
        /// Its new place, counted from 0; past the end means last.
        index: usize,
    }
    /// Splits a pane in two; the new one gets the focus.
    "pane_split" PaneSplit {
        /// The pane to split.
        pane_id: PaneId,
        /// `horizontal`: side by side.
        orientation: SplitOrientation,
        /// The new pane's size, if the viewer knows it.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        cols: Option<u16>,
        /// The new pane's size, if the viewer knows it.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        rows: Option<u16>,
        /// Which side the new pane goes to.
        #[serde(default)]
        #[cfg_attr(test, ts(optional, as = "Option<SplitSide>"))]
        side: SplitSide,
        /// The node that its terminals start on; left out: that of the pane that is split.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        node: Option<String>,
        /// The directory that it starts in; left out: that of the pane that is split, if on the same node.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        cwd: Option<String>,
    }
    /// Closes a pane for good, with its terminal.
    "pane_close" PaneClose {
        /// The pane.
        pane_id: PaneId,
        /// `true`: refuse with `pane_busy` if a program other than the shell runs in it.
        #[serde(default)]
        #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
        if_idle: bool,
    }
    /// Says how large this viewer shows a pane.
    "pane_resize" PaneResize {
        /// The pane.
        pane_id: PaneId,
        /// Cells across.
        cols: u16,
        /// Cells down.
        rows: u16,
    }
    /// Moves the focus: in a direction from the focused pane, or to a pane by id.
    "pane_focus" PaneFocus {
        /// Where to, from the focused pane of the active tab.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        direction: Option<Direction>,
        /// Which pane; shows its tab too.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        pane_id: Option<PaneId>,
    }
    /// Names a pane; without a name, it goes back to its program's title.
    "pane_rename" PaneRename {
        /// The pane.
        pane_id: PaneId,
        /// Its new name.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        name: Option<String>,
    }
    /// Gives a pane the whole tab, or takes that back.
    "pane_zoom" PaneZoom {
        /// The pane.
        pane_id: PaneId,
        /// Left out: the other of the two.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        zoomed: Option<bool>,
    }
    /// Exchanges the places of two panes.
    "pane_swap" PaneSwap {
        /// One.
        pane_id: PaneId,
        /// The other.
        with_pane_id: PaneId,
    }
    /// Moves a pane to another tab, beside that tab's focused pane.
    "pane_move" PaneMove {
        /// The pane.
        pane_id: PaneId,
        /// The tab; left out: a new tab of the same session.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        tab_id: Option<TabId>,
        /// How it is put beside that pane.
        #[serde(default = "side_by_side")]
        #[cfg_attr(test, ts(optional, as = "Option<SplitOrientation>"))]
        orientation: SplitOrientation,
    }
    /// Moves a pane's edge.
    "pane_grow" PaneGrow {
        /// The pane.
        pane_id: PaneId,
        /// Which way its edge moves.
        direction: Direction,
        /// How far, in thousandths of the tab.
        amount: u16,
    }
    /// Sets the ratios of one split, as when a divider is dragged.
    "split_resize" SplitResize {
        /// The tab.
        tab_id: TabId,
        /// Child indices from the root to the split.
        path: Vec<usize>,
        /// One ratio per child, greater than 0; they are scaled to sum to 1.
        ratios: Vec<f64>,
    }
    /// Starts a new terminal in a pane that has none, whatever its wake policy, at once.
    "pane_respawn" PaneRespawn {
        /// The pane.
        pane_id: PaneId,
    }
    /// Throws away the input that is held for a pane.
    "pane_discard" PaneDiscard {
        /// The pane.
        pane_id: PaneId,
    }
    /// Changes settings of a pane; what is left out stays.
    "pane_set" PaneSet {
        /// The pane.
        pane_id: PaneId,
        /// Which input wakes it.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        wake: Option<WakePolicy>,
        /// Close the pane when its program exits.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        close_on_exit: Option<bool>,
        /// Who decides its size.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        size: Option<SizePolicy>,
        /// The node that its next terminal starts on; one that it has stays where it is.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        node: Option<String>,
    }
    /// Asks for the output of panes, from an offset on. Native viewers only: compact ones get every pane.
    "pane_watch" PaneWatch {
        /// The panes.
        panes: Vec<WatchPane>,
    }
    /// Ends a watch.
    "pane_unwatch" PaneUnwatch {
        /// The panes.
        pane_ids: Vec<PaneId>,
    }
    /// Says that every message up to a layout revision was taken in, so that channels of panes closed before
    /// it may be used again.
    "layout_seen" LayoutSeen {
        /// The revision of the newest `state` or `layout_update` taken in.
        #[cfg_attr(test, ts(type = "number"))]
        revision: u64,
    }
    /// Says who the viewer is over all its connections, so that numbered input that is sent again is taken once.
    /// The first message of a connection that sends any. Native viewers only.
    "resume" Resume {
        /// A name that nobody else can guess, 16 to 64 characters of `A-Z a-z 0-9 _ -`.
        client: String,
    }
    /// Lends the gateway the terminal that the client's own process is in, so that keys and their echoes go through no
    /// other process: see `terminal_lent`. Native viewers on the gateway's machine only.
    "terminal_lend" TerminalLend {
        /// The pane that the terminal shows.
        pane_id: PaneId,
        /// The offset after the last byte that it shows.
        #[cfg_attr(test, ts(type = "number"))]
        offset: u64,
        /// The number of the terminal's device, as `stat` tells it (`st_rdev`).
        #[cfg_attr(test, ts(type = "number"))]
        device: u64,
        /// What only the client knows the meaning of: what is typed with one of these in it comes back to the client.
        stops: Vec<String>,
    }
    /// Asks for the terminal back.
    "terminal_take_back" TerminalTakeBack {}
    /// Asks for a `pong`.
    "ping" Ping {}
}

impl TerminalLend {
    /// Whether one of the stops is in `keys`, or may begin at their end.
    #[must_use]
    pub fn is_stopped(&self, keys: &[u8]) -> bool {
        self.stops.iter().map(String::as_bytes).any(|stop| {
            let may_begin = (1..stop.len()).any(|length| keys.ends_with(&stop[..length]));
            may_begin || memchr::memmem::find(keys, stop).is_some()
        })
    }
}

fn yes() -> bool {
    true
}

fn side_by_side() -> SplitOrientation {
    SplitOrientation::Horizontal
}

/// A message with the number the viewer gave it, if any.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Comes back in the `ok` or `error` that answers.
    pub request_id: Option<u64>,
    /// The message.
    pub message: ClientMessage,
}

/// A control message that can't be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct MessageError {
    /// `malformed_json`, `unknown_type` or `invalid_field`.
    pub code: &'static str,
    /// What was wrong, and what would be right.
    pub message: String,
    /// The offending field, as a path.
    pub field: Option<String>,
    /// The request's number, if it could be read.
    pub request_id: Option<u64>,
}

impl MessageError {
    fn unknown_type(tag: &str) -> MessageError {
        let tag: String = tag.chars().take(64).collect();
        let nearest = ClientMessage::TYPES
            .iter()
            .map(|known| (strsim::damerau_levenshtein(known, &tag), known))
            .min()
            .filter(|(distance, _)| *distance <= 3);
        let hint = nearest.map(|(_, known)| format!("; did you mean `{known}`?")).unwrap_or_default();
        MessageError {
            code: "unknown_type",
            message: format!("unknown message type `{tag}`{hint}"),
            field: Some("type".to_owned()),
            request_id: None,
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    tag: std::borrow::Cow<'a, str>,
    #[serde(rename = "requestId", default)]
    request_id: Option<u64>,
}

/// Reads a control message. Unknown fields are ignored, so that newer viewers may say more.
///
/// # Errors
/// When it is no JSON object, its `type` is missing or unknown, or a field is missing or of the wrong kind.
pub fn parse(json: &[u8]) -> Result<Request, MessageError> {
    let envelope: Envelope<'_> = parse_fields(json)?;
    ClientMessage::from_fields(&envelope.tag, json)
        .map(|message| Request { request_id: envelope.request_id, message })
        .map_err(|error| MessageError { request_id: envelope.request_id, ..error })
}

fn parse_fields<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, MessageError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize(&mut deserializer) {
        // The value must be all there is.
        Ok(value) => deserializer.end().map(|()| value).map_err(|error| refusal(&error, String::new())),
        Err(error) => Err(refusal(error.inner(), error.path().to_string())),
    }
}

fn refusal(error: &serde_json::Error, path: String) -> MessageError {
    let about_data = error.classify() == serde_json::error::Category::Data;
    MessageError {
        code: if about_data { "invalid_field" } else { "malformed_json" },
        field: about_data.then(|| missing_field(error).unwrap_or(path)),
        message: error.to_string(),
        request_id: None,
    }
}

/// A missing field is reported at the object that lacks it; viewers want the field's own name.
fn missing_field(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let name = text.strip_prefix("missing field `")?;
    name.split('`').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> (&'static str, Option<String>) {
        let error = parse(json.as_bytes()).unwrap_err();
        (error.code, error.field)
    }

    #[test]
    fn errors_name_the_field() {
        let field = |name: &str| Some(name.to_owned());
        assert_eq!(error("{"), ("malformed_json", None));
        assert_eq!(error(""), ("malformed_json", None));
        assert_eq!(error(r#"{"type":"ping"} x"#), ("malformed_json", None));
        assert_eq!(error("[]").0, "invalid_field");
        assert_eq!(error("{}"), ("invalid_field", field("type")));
        assert_eq!(error(r#"{"type":"pane_splat"}"#), ("unknown_type", field("type")));
        assert_eq!(error(r#"{"type":"tab_close"}"#), ("invalid_field", field("tabId")));
        assert_eq!(error(r#"{"type":"tab_close","tabId":"p1"}"#), ("invalid_field", field("tabId")));
        assert_eq!(error(r#"{"type":"connect","width":80,"height":-1}"#), ("invalid_field", field("height")));
        assert_eq!(
            error(r#"{"type":"pane_watch","panes":[{"paneId":7}]}"#),
            ("invalid_field", field("panes[0].paneId"))
        );
        let nested = format!(r#"{{"deep":{}"#, "[".repeat(100_000));
        assert_eq!(error(&nested), ("malformed_json", None));
    }

    #[test]
    fn a_mistyped_type_gets_a_suggestion_and_keeps_its_request_id() {
        let error = parse(br#"{"type":"tab_clsoe","requestId":4}"#).unwrap_err();
        assert!(error.message.contains("`tab_close`"), "{}", error.message);
        assert_eq!(error.request_id, Some(4));
    }

    #[test]
    fn what_holds_a_stop_or_may_begin_one_is_stopped() {
        let stops = vec!["\x1c".to_owned(), "\x1b[200~".to_owned()];
        let lend = TerminalLend { pane_id: PaneId(1), offset: 0, device: 0, stops };
        for plain in [&b""[..], b"a", b"\x1b[A", b"200~", b"\x1b[20~", b"[200~"] {
            assert!(!lend.is_stopped(plain), "{}", plain.escape_ascii());
        }
        for stopped in [&b"\x1c"[..], b"a\x1cb", b"\x1b", b"a\x1b[20", b"\x1b[200~", b"x\x1b[200~y"] {
            assert!(lend.is_stopped(stopped), "{}", stopped.escape_ascii());
        }
    }

    #[test]
    fn defaults_and_unknown_fields() {
        let request = parse(br#"{"width":80,"future":[1],"type":"connect","height":24}"#).unwrap();
        let expected = Connect { width: 80, height: 24, view: ViewMode::Shared, sizing: true };
        assert_eq!(request.message, ClientMessage::Connect(expected));
    }
}
