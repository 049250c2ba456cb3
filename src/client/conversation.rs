//! What is said over a connection to the gateway, by either side, and what is kept from one connection to the next.
//! Does no I/O: it is given what came, and says what goes.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;

use super::event::{Event, Events, Loss, Returned, Status};
use super::mirror::Mirror;
use super::outbox::{Full, Numbered, Outbox, is_interrupt};
use super::requests::{Answer, Made, RequestError, Requests};
use super::watches::{OutputFrame, Watches, Watching};
use crate::geometry::Size;
use crate::ids::PaneId;
use crate::protocol::client::{
    ClientMessage, Connect, LayoutSeen, PaneResize, PaneUnwatch, PaneWatch, Ping, Resume, TerminalLend,
    TerminalTakeBack, ViewMode, WatchPane,
};
use crate::protocol::frame::Channel;
use crate::protocol::server::{ErrorMessage, ServerMessage};

/// How many messages may wait to be sent. A client says little that nobody waits for an answer to.
const MAX_SAYING: usize = 1024;

/// How many reports may wait to be sent; older ones are of no use to anybody.
const MAX_REPORTS: usize = 64;

/// The channel of no pane.
const NO_CHANNEL: Channel = Channel(u32::MAX);

/// How much room the owner has for the layout, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewport {
    /// Cells of the whole viewport.
    pub size: Size,
    /// Whose tab and focus it looks at.
    pub view: ViewMode,
    /// Whether it has a say in the sizes of panes.
    pub sizing: bool,
}

/// Something to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Saying {
    Text(String),
    Frame(Bytes),
}

/// A message with its number, as it goes over the wire.
#[derive(Serialize)]
struct Numbering<'a> {
    #[serde(flatten)]
    message: &'a ClientMessage,
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Conversation {
    /// What the gateway knows this client by.
    name: String,
    viewport: Viewport,
    /// As it was told on this connection.
    told_viewport: Option<Viewport>,
    /// How large the owner shows panes, where it said so.
    pane_sizes: BTreeMap<PaneId, Size>,
    mirror: Arc<Mirror>,
    outbox: Outbox,
    watches: Watches,
    requests: Requests,
    pub(super) events: Events,
    pub(super) status: Status,
    saying: VecDeque<String>,
    reports: VecDeque<(PaneId, Vec<u8>)>,
    /// The newest layout, if the gateway does not know that it was taken in.
    seen: Option<u64>,
    /// Whether the layout, and how far input came, were told on this connection.
    has_layout: bool,
    is_resumed: bool,
    /// Which memory of this client the gateway has, and how often it said there that input was given back.
    memory: Option<u64>,
    given_back: u64,
    lending: Lending,
}

/// The owner's terminal, as far as the gateway is concerned.
#[derive(Debug, Default)]
struct Lending {
    /// Whether it can be lent over this connection, for all that is known.
    is_possible: bool,
    /// Whether it was offered and has not come back.
    is_out: bool,
    /// Whether it was taken.
    is_lent: bool,
}

impl Conversation {
    /// One that has not begun, under a name that nobody can guess.
    pub(super) fn new(name: String, viewport: Viewport, now: Instant) -> Conversation {
        Conversation {
            name,
            viewport,
            told_viewport: None,
            pane_sizes: BTreeMap::new(),
            mirror: Arc::default(),
            outbox: Outbox::default(),
            watches: Watches::default(),
            requests: Requests::default(),
            events: Events::default(),
            status: Status::Reconnecting { since: now, attempt: 1, until: None, reason: String::new() },
            saying: VecDeque::new(),
            reports: VecDeque::new(),
            seen: None,
            has_layout: false,
            is_resumed: false,
            memory: None,
            given_back: 0,
            lending: Lending::default(),
        }
    }

    // What the owner says.

    pub(super) fn layout(&self) -> Arc<Mirror> {
        self.mirror.clone()
    }

    pub(super) fn held(&self) -> usize {
        self.outbox.held()
    }

    pub(super) fn is_all_sent(&self) -> bool {
        self.outbox.is_empty()
    }

    pub(super) fn watch(&mut self, pane: PaneId, how: Watching) {
        self.events.forget(pane);
        let watch = self.watches.add(pane, how);
        self.say_watch(watch);
    }

    pub(super) fn unwatch(&mut self, pane: PaneId) {
        self.events.forget(pane);
        if self.watches.remove(pane) {
            self.say(ClientMessage::PaneUnwatch(PaneUnwatch { pane_ids: vec![pane] }));
        }
    }

    pub(super) fn consumed(&mut self, pane: PaneId, offset: u64) {
        self.watches.consumed(pane, offset);
    }

    pub(super) fn input(&mut self, pane: PaneId, bytes: &[u8], more: bool) -> Result<(), Full> {
        // What was typed without a connection is not in anybody's way.
        if self.is_ready() && !more && is_interrupt(bytes) {
            let lost = self.outbox.interrupt(pane);
            self.lose(Some(pane), "input_interrupted", "an interrupt key went past it", lost);
        }
        self.outbox.push(pane, bytes, more)
    }

    /// Reports make no sense later, so they are never held.
    pub(super) fn report(&mut self, pane: PaneId, bytes: &[u8]) {
        if self.is_ready() && self.reports.len() < MAX_REPORTS {
            self.reports.push_back((pane, bytes.to_vec()));
        }
    }

    pub(super) fn resize(&mut self, size: Size) {
        self.viewport.size = size;
        self.say_viewport();
    }

    pub(super) fn resize_pane(&mut self, pane: PaneId, size: Size) {
        if self.pane_sizes.insert(pane, size) != Some(size) {
            self.say_size(pane, size);
        }
    }

    pub(super) fn send(&mut self, message: ClientMessage) {
        self.say(message);
    }

    pub(super) fn request(&mut self, message: &ClientMessage, answer: Answer) {
        if !self.is_ready() || self.saying.len() >= MAX_SAYING {
            // Who does not wait any more does not hear it.
            let _ = answer.send(Err(RequestError::Disconnected));
        } else if let Some(number) = self.requests.add(answer) {
            self.saying.push_back(encode(message, Some(number)));
        }
    }

    /// Offers the owner's terminal. Whether that was done; then [`Event::Returned`] comes in the end.
    pub(super) fn lend(&mut self, lend: TerminalLend) -> bool {
        let Lending { is_possible, is_out, .. } = self.lending;
        if !self.is_ready() || !is_possible || is_out || self.saying.len() >= MAX_SAYING / 2 {
            return false;
        }
        (self.lending.is_out, self.lending.is_lent) = (true, false);
        self.say(ClientMessage::TerminalLend(lend));
        true
    }

    pub(super) fn take_back(&mut self) {
        if self.lending.is_out {
            self.say(ClientMessage::TerminalTakeBack(TerminalTakeBack {}));
        }
    }

    pub(super) fn ping(&mut self) {
        self.say(ClientMessage::Ping(Ping {}));
    }

    // The connection's life.

    /// A socket was opened; `is_near`: to a gateway on this machine.
    pub(super) fn opened(&mut self, is_near: bool) {
        self.lending = Lending { is_possible: is_near, ..Lending::default() };
        self.saying = [ClientMessage::Resume(Resume { client: self.name.clone() }), self.connect()]
            .iter()
            .map(|message| encode(message, None))
            .collect();
        self.told_viewport = Some(self.viewport);
    }

    /// It is gone.
    pub(super) fn closed(&mut self) {
        self.saying.clear();
        self.reports.clear();
        self.seen = None;
        (self.has_layout, self.is_resumed) = (false, false);
        self.outbox.disconnected();
        self.requests.disconnected();
        self.returned(Returned { is_lost: true, ..Returned::default() });
    }

    pub(super) fn set_status(&mut self, status: Status) {
        self.status = status.clone();
        self.events.status(status);
    }

    /// Whether both sides know all that they need to.
    pub(super) fn is_ready(&self) -> bool {
        self.has_layout && self.is_resumed
    }

    // What the gateway says.

    pub(super) fn hear(&mut self, message: ServerMessage, now: Instant) {
        let was_ready = self.is_ready();
        match message {
            ServerMessage::Resumed { memory, applied, .. } => self.resumed(memory, applied, now),
            ServerMessage::InputAck { applied } => {
                let lost = self.outbox.acknowledged(applied, now);
                self.lose(None, "input_full", "the pane had no room for it", lost);
            }
            ServerMessage::Ok { request_id, session_id, tab_id, pane_id } => {
                let made = Made { session: session_id, tab: tab_id, pane: pane_id };
                self.requests.answer(request_id, Ok(made));
            }
            ServerMessage::Error(error) => self.refused(error, now),
            ServerMessage::Watching { pane_id, head, missed, .. } => {
                self.events.push(Event::Watching { pane: pane_id, head, missed });
            }
            ServerMessage::TerminalLent => {
                self.lending.is_lent = true;
                self.events.push(Event::Lent);
            }
            ServerMessage::TerminalReturned { keys, passed, refused } => {
                if let Some(reason) = refused {
                    tracing::debug!("the terminal stays here: {reason}");
                    self.lending.is_possible = false;
                }
                let keys = STANDARD.decode(keys).unwrap_or_default();
                self.returned(Returned { keys, passed, is_lost: false });
            }
            message => self.told(message),
        }
        if !was_ready && self.is_ready() {
            self.ready();
        }
    }

    /// A binary frame came. Whether it made sense, and there was room for it.
    pub(super) fn hear_frame(&mut self, frame: Bytes) -> bool {
        // A newer gateway may send frames that we do not know.
        let Some(frame) = OutputFrame::parse(frame) else { return true };
        let is_its = |pane: &PaneId| self.mirror.channels.get(pane) == Some(&frame.channel);
        let Some(pane) = self.watches.panes().find(is_its) else { return true };
        let lossless = self.watches.is_lossless(pane);
        self.watches.take(pane, frame).is_none_or(|piece| self.events.output(pane, piece, lossless))
    }

    fn returned(&mut self, returned: Returned) {
        if std::mem::take(&mut self.lending.is_out) {
            self.events.push(Event::Returned(returned));
        }
    }

    fn told(&mut self, message: ServerMessage) {
        let is_layout = matches!(message, ServerMessage::State(_) | ServerMessage::LayoutUpdate(_));
        let revision = message.revision();
        if Arc::make_mut(&mut self.mirror).take(message) {
            self.events.layout();
        }
        if !is_layout {
            return;
        }
        self.seen = revision.or(self.seen);
        self.has_layout = true;
        let mirror = self.mirror.clone();
        self.watches.retain(|pane| mirror.has(pane));
        self.pane_sizes.retain(|pane, _| mirror.has(*pane));
        let lost = self.outbox.retain(|pane| mirror.has(pane));
        self.lose(None, "unknown_pane", "its pane was closed", lost);
    }

    fn resumed(&mut self, memory: u64, applied: u64, now: Instant) {
        self.is_resumed = true;
        if self.memory.replace(memory) != Some(memory) {
            self.given_back = 0;
        }
        let unknown = self.outbox.resumed(memory, applied, now);
        self.lose(None, "input_unknown", "it was on its way when the gateway restarted", unknown);
    }

    fn ready(&mut self) {
        self.say_viewport();
        for watch in self.watches.resume() {
            self.say_watch(watch);
        }
        for (pane, size) in self.pane_sizes.clone() {
            self.say_size(pane, size);
        }
        self.set_status(Status::Connected);
    }

    fn refused(&mut self, error: ErrorMessage, now: Instant) {
        let ErrorMessage { code, message, pane_id, bytes, number, given_back, request_id, .. } = &error;
        if let Some(count) = given_back {
            let is_news = *count > self.given_back;
            self.given_back = self.given_back.max(*count);
            if is_news {
                self.lose(*pane_id, code, message, bytes.unwrap_or_default());
            }
        } else if let Some(number) = number {
            let is_full = code == "input_full";
            let lost =
                if is_full { self.outbox.not_taken(*number, now) } else { self.outbox.refused(*number, now) };
            self.lose(*pane_id, code, message, lost);
        } else if let Some(number) = request_id {
            self.requests.answer(*number, Err(error.clone()));
        } else if code == "unknown_type" && self.lending.is_out && !self.lending.is_lent {
            // An older gateway.
            self.lending.is_possible = false;
            self.returned(Returned::default());
        } else if code != "unknown_channel" {
            // A report for a pane that was closed meanwhile is nobody's concern.
            self.events.push(Event::Refused { code: code.clone(), message: message.clone() });
        }
    }

    fn lose(&mut self, pane: Option<PaneId>, code: &str, message: &str, bytes: usize) {
        if bytes > 0 {
            let loss = Loss { pane, code: code.to_owned(), message: message.to_owned(), bytes };
            self.events.push(Event::Lost(loss));
        }
    }

    // What goes to the gateway.

    /// What is to be sent next, if anything is.
    pub(super) fn next_saying(&mut self, now: Instant) -> Option<Saying> {
        if let Some(text) = self.saying.pop_front() {
            return Some(Saying::Text(text));
        }
        if !self.is_ready() {
            return None;
        }
        if let Some(revision) = self.seen.take() {
            return Some(Saying::Text(encode(&ClientMessage::LayoutSeen(LayoutSeen { revision }), None)));
        }
        if let Some((pane, offset)) = self.watches.next_owed() {
            return Some(Saying::Frame(frame(5, self.channel(pane), Some(offset), &[])));
        }
        if let Some((pane, bytes)) = self.reports.pop_front() {
            return Some(Saying::Frame(frame(2, self.channel(pane), None, &bytes)));
        }
        let Numbered { pane, number, more, bytes } =
            self.outbox.take(|pane| self.mirror.pending(pane), now)?;
        Some(Saying::Frame(frame(3 + u8::from(more), self.channel(pane), Some(number), &bytes)))
    }

    /// When to ask again although nothing happened.
    pub(super) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        self.outbox.rests_until(now).filter(|_| self.is_ready())
    }

    fn channel(&self, pane: PaneId) -> Channel {
        self.mirror.channels.get(&pane).copied().unwrap_or(NO_CHANNEL)
    }

    fn connect(&self) -> ClientMessage {
        let Viewport { size, view, sizing } = self.viewport;
        ClientMessage::Connect(Connect { width: size.cols, height: size.rows, view, sizing })
    }

    fn say_viewport(&mut self) {
        if self.is_ready() && self.told_viewport.replace(self.viewport) != Some(self.viewport) {
            self.say(self.connect());
        }
    }

    fn say_watch(&mut self, watch: WatchPane) {
        self.say(ClientMessage::PaneWatch(PaneWatch { panes: vec![watch] }));
    }

    fn say_size(&mut self, pane: PaneId, size: Size) {
        self.say(ClientMessage::PaneResize(PaneResize { pane_id: pane, cols: size.cols, rows: size.rows }));
    }

    /// Without a connection nothing is said: what matters is said again on the next one.
    fn say(&mut self, message: ClientMessage) {
        if self.is_ready() && self.saying.len() < MAX_SAYING {
            self.saying.push_back(encode(&message, None));
        }
    }
}

fn encode(message: &ClientMessage, request_id: Option<u64>) -> String {
    serde_json::to_string(&Numbering { message, request_id }).unwrap_or_default()
}

/// A binary frame: of its kind, with or without a number.
fn frame(kind: u8, channel: Channel, number: Option<u64>, payload: &[u8]) -> Bytes {
    let mut frame = vec![kind];
    frame.extend_from_slice(&channel.0.to_be_bytes());
    frame.extend(number.into_iter().flat_map(u64::to_be_bytes));
    frame.extend_from_slice(payload);
    frame.into()
}
