//! Layout sync: changes are marked, and a few milliseconds later go out as one update, encoded once for all
//! viewers. A viewer that falls behind the short ring of updates is sent the whole state instead.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

// Nothing but a string that is cheap to clone, and the very one that the socket takes.
use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use tokio::sync::{Notify, broadcast};

use super::viewer::Framing;
use crate::ids::PaneId;
use crate::protocol::frame::{Channel, compact_control};
use crate::protocol::server::{LayoutUpdate, ServerMessage};

/// How many updates a viewer may be behind before it is sent the whole state.
const MAX_BEHIND: usize = 32;

/// After an update, others wait so many times as long as it took to make: a storm of changes in a large layout
/// must not keep a core busy.
const REST: u32 = 4;

/// What changed since the last update.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) layout: bool,
    pub(super) sessions: bool,
    pub(super) panes: HashSet<PaneId>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        !self.layout && !self.sessions && self.panes.is_empty()
    }
}

/// A message for all viewers.
#[derive(Debug)]
pub struct Update {
    /// The message, for native viewers.
    message: ServerMessage,
    native: OnceLock<Utf8Bytes>,
    compact: OnceLock<Option<Bytes>>,
    encodes: Arc<AtomicU64>,
}

impl Update {
    /// The revision of the layout that it brings, if it brings one.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.message.revision()
    }

    /// What it says.
    pub(super) fn message(&self) -> &ServerMessage {
        &self.message
    }

    /// Its text, encoded by the first who asks.
    #[must_use]
    pub fn native(&self) -> Utf8Bytes {
        self.native.get_or_init(|| self.encode(&self.message).into()).clone()
    }

    /// Its compact frame, encoded by the first who asks; `None` for what compact viewers are not told.
    #[must_use]
    pub fn compact(&self) -> Option<Bytes> {
        let encode = || compact_message(&self.message).map(|message| compact_control(&self.encode(&message)));
        self.compact.get_or_init(encode).clone()
    }

    fn encode(&self, message: &ServerMessage) -> String {
        self.encodes.fetch_add(1, Ordering::Relaxed);
        encode(message)
    }
}

/// A message's JSON.
fn encode(message: &ServerMessage) -> String {
    serde_json::to_string(message)
        .expect("messages are made of strings, numbers, lists and maps with string keys")
}

/// The message as compact viewers know it, or `None` if they don't.
pub(super) fn compact_message(message: &ServerMessage) -> Option<ServerMessage> {
    let without_extras = |layout: &LayoutUpdate| LayoutUpdate {
        revision: None,
        panes: None,
        channels: layout
            .channels
            .iter()
            .filter(|(_, channel)| Channel(**channel).is_compact())
            .map(|(pane, channel)| (*pane, *channel))
            .collect(),
        ..layout.clone()
    };
    match message {
        ServerMessage::State(state) => {
            let mut state = state.clone();
            state.layout = without_extras(&state.layout);
            Some(ServerMessage::State(state))
        }
        ServerMessage::LayoutUpdate(layout) => Some(ServerMessage::LayoutUpdate(without_extras(layout))),
        ServerMessage::Ok { .. } | ServerMessage::Error(_) | ServerMessage::Pong { .. } => {
            Some(message.clone())
        }
        ServerMessage::Hello { .. }
        | ServerMessage::PaneUpdate { .. }
        | ServerMessage::View { .. }
        | ServerMessage::Watching { .. }
        | ServerMessage::Resumed { .. }
        | ServerMessage::InputAck { .. }
        | ServerMessage::TerminalLent
        | ServerMessage::TerminalReturned { .. }
        | ServerMessage::Notice { .. } => None,
    }
}

/// What a viewer of this framing is sent for a message of its own, if anything.
#[must_use]
pub fn for_framing(message: &ServerMessage, framing: Framing) -> Option<String> {
    match framing {
        Framing::Native => Some(encode(message)),
        Framing::Compact => compact_message(message).map(|message| encode(&message)),
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Updates {
    changes: Mutex<Changes>,
    changed: Notify,
    updates: broadcast::Sender<Arc<Update>>,
    /// The newest revision given out.
    revision: AtomicU64,
    /// How often an update was turned into text: once for each and framing, however many viewers.
    encodes: Arc<AtomicU64>,
    /// What viewers were told of each matter last, by code; empty when it is over. There are two codes.
    notices: Mutex<BTreeMap<String, String>>,
}

impl Updates {
    pub(super) fn new() -> Updates {
        Updates {
            changes: Mutex::default(),
            changed: Notify::new(),
            updates: broadcast::Sender::new(MAX_BEHIND),
            revision: AtomicU64::new(0),
            encodes: Arc::default(),
            notices: Mutex::default(),
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Update>> {
        self.updates.subscribe()
    }

    /// The newest revision given out.
    pub(super) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    pub(super) fn encodes(&self) -> u64 {
        self.encodes.load(Ordering::Relaxed)
    }

    /// Notes a change, which goes out with the next update.
    pub(super) fn mark(&self, change: impl FnOnce(&mut Changes)) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let first = changes.is_empty();
        change(&mut changes);
        if first && !changes.is_empty() {
            self.changed.notify_one();
        }
    }

    /// Tells all viewers something, and those who come later too, until it is over (an empty message).
    pub(super) fn notice(&self, code: &str, message: String) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        // Kept when it is over, too: a viewer that was behind must hear of that.
        notices.insert(code.to_owned(), message.clone());
        drop(notices);
        self.send(ServerMessage::Notice { code: code.to_owned(), message });
    }

    /// Every notice there was, the newest of each code.
    pub(super) fn notices(&self) -> Vec<ServerMessage> {
        let notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        let notice = |(code, message): (&String, &String)| ServerMessage::Notice {
            code: code.clone(),
            message: message.clone(),
        };
        notices.iter().map(notice).collect()
    }

    fn send(&self, message: ServerMessage) {
        let update = Update {
            message,
            native: OnceLock::new(),
            compact: OnceLock::new(),
            encodes: self.encodes.clone(),
        };
        // Nobody listening is fine: a newcomer asks for the whole state.
        let _ = self.updates.send(Arc::new(update));
    }

    /// The revision of the update that is being made. Called with the layout locked, so that what is closed before
    /// is missing from that update, and what is closed after it from the next.
    pub(super) fn advance(&self) -> u64 {
        self.revision.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Sends updates for ever. `build` makes the message for some changes.
    pub(super) async fn run(&self, coalesce: Duration, build: impl Fn(Changes) -> Option<ServerMessage>) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(coalesce).await;
            let changes = std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner));
            let began = Instant::now();
            if let Some(message) = build(changes) {
                self.send(message);
            }
            tokio::time::sleep(began.elapsed() * REST).await;
        }
    }
}
