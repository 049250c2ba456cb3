//! What one viewer was told, folded into what it would show. Panics where the gateway breaks its word: output with a
//! gap, or a revision that goes back.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use everpane::geometry::Size;
use everpane::ids::{PaneId, TabId, ViewerId};
use everpane::protocol::frame::{OUTPUT_HEADER, RESTART_SIZE};
use everpane::protocol::server::{
    ErrorMessage, LayoutUpdate, PaneInfo, PaneStatus, ServerMessage, Session, State, Tab,
};
use everpane::screen::{Screen, ScrollbackLimits};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    /// Its own id, once it was greeted.
    pub(crate) viewer: Option<ViewerId>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) active_tab: Option<TabId>,
    pub(crate) channels: BTreeMap<PaneId, u32>,
    pub(crate) connected: BTreeMap<PaneId, bool>,
    pub(crate) panes: BTreeMap<PaneId, PaneInfo>,
    /// The newest revision.
    pub(crate) revision: u64,
    /// How many messages carried a layout.
    pub(crate) layouts: usize,
    /// The changes of each pane's connection, the first state included.
    pub(crate) connections: BTreeMap<PaneId, Vec<bool>>,
    /// What each watched pane printed.
    pub(crate) output: BTreeMap<PaneId, Output>,
    /// A view of its own.
    pub(crate) view: Option<(Option<TabId>, BTreeMap<TabId, PaneId>)>,
    /// Refusals, oldest first, those that answer a request too.
    pub(crate) errors: Vec<ErrorMessage>,
    /// Notices by code, without those that are over.
    pub(crate) notices: BTreeMap<String, String>,
    /// What came with a request's number.
    pub(crate) answers: HashMap<u64, ServerMessage>,
    /// How the gateway closed the connection; without a close frame, code 1006.
    pub(crate) closed: Option<(u16, String)>,
}

/// The output of one pane, as far as a viewer has it.
#[derive(Default)]
pub(crate) struct Output {
    /// The offset of the first byte that is here.
    pub(crate) from: u64,
    /// The bytes that the pane printed, without those of snapshots.
    pub(crate) bytes: Vec<u8>,
    /// How often it began with a snapshot.
    pub(crate) restarts: usize,
    /// The snapshot that it began with last.
    pub(crate) snapshot: Vec<u8>,
    /// The size of the screen in cells: columns, rows.
    pub(crate) size: (u16, u16),
    /// How much of what followed the offset that was asked for does not come.
    pub(crate) missed: Option<u64>,
    /// Parts of a snapshot whose last part has not come.
    parts: Vec<u8>,
}

impl Output {
    /// The offset after the last byte.
    pub(crate) fn head(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }

    /// Forgets what is here; what comes next follows it.
    pub(crate) fn forget(&mut self) {
        self.from = self.head();
        self.bytes.clear();
    }

    /// What a terminal is given, from its reset on.
    pub(crate) fn stream(&self) -> Vec<u8> {
        [&self.snapshot[..], &self.bytes].concat()
    }

    /// The same as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stream()).into_owned()
    }

    /// What a terminal shows that was given all this: the screen as it stands, scrollback included, in a form that
    /// is equal for equal screens.
    pub(crate) fn screen(&self) -> Screen {
        let mut screen = self.blank_screen();
        screen.feed(&self.stream());
        screen
    }

    /// A screen of the same size on which nothing is.
    pub(crate) fn blank_screen(&self) -> Screen {
        let (cols, rows) = self.size;
        Screen::new(Size { cols, rows }, ScrollbackLimits { lines: 100_000, bytes: 64 << 20 })
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = &self.bytes[self.bytes.len().saturating_sub(1500)..];
        let (from, head) = (self.from, self.head());
        write!(f, "{from}..{head}, {} restarts, ends {:?}", self.restarts, String::from_utf8_lossy(end))
    }
}

impl Mirror {
    /// What is known of a pane; it has to be known.
    pub(crate) fn pane(&self, pane: PaneId) -> &PaneInfo {
        &self.panes[&pane]
    }

    /// Whether a pane has a terminal.
    pub(crate) fn connected(&self, pane: PaneId) -> bool {
        self.connected.get(&pane) == Some(&true)
    }

    /// Whether a pane had a program and has none now.
    pub(crate) fn exited(&self, pane: PaneId) -> bool {
        self.connected.get(&pane) == Some(&false)
            && self.panes.get(&pane).is_some_and(|info| matches!(info.status, PaneStatus::Exited { .. }))
    }

    /// A pane's output as text, empty if there is none yet.
    pub(crate) fn text(&self, pane: PaneId) -> String {
        self.output.get(&pane).map(Output::text).unwrap_or_default()
    }

    /// Whether `text` is in a pane's output.
    pub(crate) fn shows(&self, pane: PaneId, text: &str) -> bool {
        let bytes = self.output.get(&pane).map(Output::stream).unwrap_or_default();
        memchr::memmem::find(&bytes, text.as_bytes()).is_some()
    }

    /// How many snapshots of a pane came.
    pub(crate) fn restarts(&self, pane: PaneId) -> usize {
        self.output.get(&pane).map_or(0, |output| output.restarts)
    }

    /// The refusals of one code.
    pub(crate) fn errors_of<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a ErrorMessage> {
        self.errors.iter().filter(move |error| error.code == code)
    }

    /// Takes in a control message.
    pub(crate) fn fold(&mut self, message: ServerMessage) {
        match &message {
            ServerMessage::Ok { request_id, .. }
            | ServerMessage::Error(ErrorMessage { request_id: Some(request_id), .. })
            | ServerMessage::Pong { request_id: Some(request_id) } => {
                self.answers.insert(*request_id, message.clone());
            }
            _ => {}
        }
        match message {
            ServerMessage::Hello { viewer_id, .. } => self.viewer = Some(viewer_id),
            ServerMessage::State(State { sessions, layout }) => {
                self.sessions = sessions;
                self.layout(layout);
            }
            ServerMessage::LayoutUpdate(layout) => self.layout(layout),
            ServerMessage::PaneUpdate { panes } => self.panes.extend(panes),
            ServerMessage::View { active_tab, focus } => self.view = Some((active_tab, focus)),
            ServerMessage::Error(error) => self.errors.push(error),
            ServerMessage::Notice { code, message } if message.is_empty() => {
                self.notices.remove(&code);
            }
            ServerMessage::Notice { code, message } => {
                self.notices.insert(code, message);
            }
            ServerMessage::Watching { pane_id, from, head, missed } => {
                assert!(from <= head, "{from} after {head}");
                let output = self.output.entry(pane_id).or_default();
                if from != output.head() {
                    *output = Output { from, restarts: output.restarts, ..Output::default() };
                }
                output.missed = missed;
            }
            ServerMessage::Ok { .. }
            | ServerMessage::Pong { .. }
            | ServerMessage::Resumed { .. }
            | ServerMessage::InputAck { .. }
            | ServerMessage::TerminalLent
            | ServerMessage::TerminalReturned { .. } => {}
        }
    }

    fn layout(&mut self, layout: LayoutUpdate) {
        let LayoutUpdate { tabs, active_tab, channels, connected, revision, panes } = layout;
        let revision = revision.expect("a native viewer is told the revision");
        assert!(revision >= self.revision, "revision {revision} after {}", self.revision);
        assert!(channels.keys().eq(connected.keys()), "{channels:?} {connected:?}");
        self.layouts += 1;
        for (pane, live) in &connected {
            let history = self.connections.entry(*pane).or_default();
            if history.last() != Some(live) {
                history.push(*live);
            }
        }
        (self.tabs, self.active_tab, self.revision) = (tabs, active_tab, revision);
        (self.channels, self.connected) = (channels, connected);
        self.panes = panes.expect("a native viewer is told of its panes");
    }

    /// Takes in a binary frame.
    /// The pane, and the offset that it has everything before.
    pub(crate) fn output(&mut self, frame: &[u8]) -> (PaneId, u64) {
        let (header, payload) = frame.split_at(OUTPUT_HEADER);
        let offset = u64::from_be_bytes(header[1..9].try_into().unwrap());
        let channel = u32::from_be_bytes(header[9..].try_into().unwrap());
        let owner = self.channels.iter().find(|(_, known)| **known == channel);
        let pane = *owner.unwrap_or_else(|| panic!("output on unknown channel {channel}: {self:?}")).0;
        let output = self.output.entry(pane).or_default();
        match header[0] {
            1 => {
                assert_eq!(offset, output.head(), "a gap in the output of {pane}: {output:?}");
                output.bytes.extend_from_slice(payload);
            }
            2 => {
                let (size, payload) = payload.split_at(RESTART_SIZE);
                let cells = |at: usize| u16::from_be_bytes([size[at], size[at + 1]]);
                let snapshot = [&output.parts[..], payload].concat();
                let (restarts, size) = (output.restarts + 1, (cells(0), cells(2)));
                let missed = output.missed;
                *output = Output { from: offset, restarts, snapshot, size, missed, ..Output::default() };
            }
            3 => output.parts.extend_from_slice(payload),
            kind => panic!("output of kind {kind}"),
        }
        (pane, output.head())
    }
}
