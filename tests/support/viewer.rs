//! A viewer in the native framing, over a real socket. It reads only while a test waits for something.

use std::net::TcpStream;
use std::time::Instant;

use everpane::ids::{PaneId, SessionId, TabId};
use everpane::protocol::NATIVE_SUBPROTOCOL;
use everpane::protocol::server::ServerMessage;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Error, Message, WebSocket};

use super::mirror::Mirror;
use super::{Gateway, PATIENCE, TOKEN};

/// See the module.
pub(crate) struct TestViewer {
    socket: WebSocket<TcpStream>,
    last_request: u64,
    /// What it was told.
    pub(crate) mirror: Mirror,
}

/// A pane that a viewer made, with what it is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    pub(crate) session: Option<SessionId>,
    pub(crate) tab: Option<TabId>,
    pub(crate) pane: Option<PaneId>,
}

impl TestViewer {
    /// Connects, and waits for the greeting.
    pub(crate) fn attach(gateway: &Gateway) -> Self {
        let stream = gateway.connect();
        stream.set_nodelay(true).unwrap();
        Self::attach_over(stream, gateway)
    }

    /// The same over a connection of the test's own.
    pub(crate) fn attach_over(stream: TcpStream, gateway: &Gateway) -> Self {
        let mut request = format!("ws://{}/mux", gateway.address).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("Authorization", format!("Bearer {TOKEN}").parse().unwrap());
        headers.insert("Sec-WebSocket-Protocol", NATIVE_SUBPROTOCOL.parse().unwrap());
        let (socket, _) = tungstenite::client(request, stream).unwrap();
        let mut viewer = Self { socket, last_request: 0, mirror: Mirror::default() };
        viewer.until("the greeting", |mirror| mirror.viewer.is_some());
        viewer
    }

    /// Reads until `condition` holds of what it was told.
    pub(crate) fn until(&mut self, what: &str, condition: impl Fn(&Mirror) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(&self.mirror) {
            if !self.read(deadline) {
                panic!("waited in vain for {what}; told so far: {:#?}", self.mirror);
            }
        }
    }

    /// Reads one message; `false` if none came before `deadline`, or none will come.
    pub(crate) fn read(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || self.mirror.closed.is_some() {
            return false;
        }
        self.socket.get_ref().set_read_timeout(Some(left)).unwrap();
        match self.socket.read() {
            Ok(Message::Text(text)) => match serde_json::from_str(&text) {
                Ok(message) => self.mirror.fold(message),
                Err(error) => panic!("{error}: {text}"),
            },
            Ok(Message::Binary(frame)) => {
                let (pane, offset) = self.mirror.output(&frame);
                self.consume(pane, offset);
            }
            Ok(Message::Close(frame)) => {
                let frame = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
                self.mirror.closed = Some(frame.unwrap_or((1005, String::new())));
            }
            Ok(_) => {}
            Err(Error::Io(error)) if is_timeout(&error) => return false,
            Err(error) => self.mirror.closed = Some((1006, error.to_string())),
        }
        true
    }

    /// Reads until the gateway has closed the connection: the code and the reason.
    pub(crate) fn until_closed(&mut self) -> (u16, String) {
        self.until("the close", |mirror| mirror.closed.is_some());
        self.mirror.closed.clone().unwrap()
    }

    /// Sends a control message.
    pub(crate) fn send(&mut self, message: &Value) {
        self.send_message(Message::text(message.to_string()));
    }

    /// Sends any message.
    pub(crate) fn send_message(&mut self, message: Message) {
        self.socket.send(message).unwrap();
    }

    /// Sends a control message with a request number, and waits for what answers it.
    pub(crate) fn request(&mut self, mut message: Value) -> ServerMessage {
        self.last_request += 1;
        let number = self.last_request;
        message["requestId"] = number.into();
        self.send(&message);
        self.until(&format!("the answer to {message}"), |mirror| mirror.answers.contains_key(&number));
        self.mirror.answers.remove(&number).unwrap()
    }

    /// A request that has to be granted.
    pub(crate) fn ask(&mut self, message: Value) -> Made {
        match self.request(message.clone()) {
            ServerMessage::Ok { session_id, tab_id, pane_id, .. } => {
                Made { session: session_id, tab: tab_id, pane: pane_id }
            }
            other => panic!("{message} was answered by {other:?}"),
        }
    }

    /// Waits until the gateway has taken in everything sent so far.
    pub(crate) fn sync(&mut self) {
        let answer = self.request(json!({ "type": "ping" }));
        assert!(matches!(answer, ServerMessage::Pong { .. }), "{answer:?}");
    }

    /// Says how much room it has.
    pub(crate) fn connect(&mut self, width: u16, height: u16) {
        self.ask(json!({ "type": "connect", "width": width, "height": height }));
    }

    /// Makes a session and watches its pane. Does not wait for the pane's terminal.
    pub(crate) fn create_session(&mut self) -> PaneId {
        let pane = self.ask(json!({ "type": "session_create" })).pane.unwrap();
        self.until("the new pane", |mirror| mirror.channels.contains_key(&pane));
        self.watch(pane);
        pane
    }

    /// Splits a pane and watches the new one.
    pub(crate) fn split(&mut self, pane: PaneId) -> PaneId {
        let split = json!({ "type": "pane_split", "paneId": pane, "orientation": "horizontal" });
        let new = self.ask(split).pane.unwrap();
        self.until("the new pane", |mirror| mirror.channels.contains_key(&new));
        self.watch(new);
        new
    }

    /// Asks for a pane's output, from the beginning.
    pub(crate) fn watch(&mut self, pane: PaneId) {
        self.until("the pane", |mirror| mirror.channels.contains_key(&pane));
        self.ask(json!({ "type": "pane_watch", "panes": [{ "paneId": pane }] }));
    }

    /// Asks for a pane's screen with so much scrollback, and then its output.
    pub(crate) fn watch_with_history(&mut self, pane: PaneId, rows: u32) {
        self.until("the pane", |mirror| mirror.channels.contains_key(&pane));
        self.ask(json!({ "type": "pane_watch", "panes": [{ "paneId": pane, "history": rows }] }));
    }

    /// Asks for every byte of a pane's output, however long it takes.
    pub(crate) fn watch_all(&mut self, pane: PaneId) {
        self.until("the pane", |mirror| mirror.channels.contains_key(&pane));
        self.ask(json!({ "type": "pane_watch", "panes": [{ "paneId": pane, "lossless": true }] }));
    }

    /// The same from an offset on.
    pub(crate) fn watch_all_from(&mut self, pane: PaneId, offset: u64) {
        self.until("the pane", |mirror| mirror.channels.contains_key(&pane));
        let watch = json!({ "paneId": pane, "offset": offset, "lossless": true });
        self.ask(json!({ "type": "pane_watch", "panes": [watch] }));
    }

    /// Asks for a pane's output from an offset on.
    pub(crate) fn watch_from(&mut self, pane: PaneId, offset: u64) {
        self.until("the pane", |mirror| mirror.channels.contains_key(&pane));
        self.ask(json!({ "type": "pane_watch", "panes": [{ "paneId": pane, "offset": offset }] }));
    }

    /// Waits until it has a pane's output up to an offset.
    pub(crate) fn until_has(&mut self, pane: PaneId, offset: u64) {
        let has = |mirror: &Mirror| mirror.output.get(&pane).is_some_and(|output| output.head() >= offset);
        self.until(&format!("{pane} up to {offset}"), has);
    }

    /// Types or pastes `bytes` as one message.
    pub(crate) fn paste(&mut self, pane: PaneId, bytes: &[u8]) {
        self.send_frame(1, pane, bytes);
    }

    /// Types `text` as one message.
    pub(crate) fn type_in(&mut self, pane: PaneId, text: &str) {
        self.paste(pane, text.as_bytes());
    }

    /// Sends `bytes` as what the viewer's terminal says by itself.
    pub(crate) fn report(&mut self, pane: PaneId, bytes: &[u8]) {
        self.send_frame(2, pane, bytes);
    }

    /// Says that it has taken in a pane's output up to an offset.
    fn consume(&mut self, pane: PaneId, offset: u64) {
        let channel = self.mirror.channels[&pane].to_be_bytes();
        let frame = [&[5], &channel[..], &offset.to_be_bytes()].concat();
        // A connection that is gone is noticed where it is read.
        let _ = self.socket.send(Message::binary(frame));
    }

    fn send_frame(&mut self, kind: u8, pane: PaneId, bytes: &[u8]) {
        let channel = self.mirror.channels[&pane].to_be_bytes();
        self.send_message(Message::binary([&[kind], &channel[..], bytes].concat()));
    }

    /// Waits until a pane has a terminal.
    pub(crate) fn until_live(&mut self, pane: PaneId) {
        self.until("a live pane", |mirror| mirror.connected(pane));
    }

    /// Waits until a pane's program has exited.
    pub(crate) fn until_exited(&mut self, pane: PaneId) {
        self.until("a dead pane", |mirror| mirror.exited(pane));
    }

    /// Waits until a terminal that shows the pane has `text` in one of its rows.
    pub(crate) fn until_on_screen(&mut self, pane: PaneId, text: &str) {
        self.until(&format!("{text:?} on the screen"), |mirror| {
            let output = mirror.output.get(&pane).filter(|output| output.restarts > 0);
            output.is_some_and(|output| output.screen().text().iter().any(|row| row.contains(text)))
        });
    }

    /// Waits until `text` is in a pane's output.
    pub(crate) fn until_shows(&mut self, pane: PaneId, text: &str) {
        self.until(&format!("{text:?}"), |mirror| mirror.shows(pane, text));
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
