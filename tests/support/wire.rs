//! A bare connection in either framing: sends what no decent client would, and shows what comes back as it comes.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use everpane::gateway::Framing;
use everpane::protocol::NATIVE_SUBPROTOCOL;
use everpane::protocol::frame::{Channel, OUTPUT_HEADER};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Error, Message, WebSocket};

use super::{Gateway, PATIENCE, TOKEN};

/// See the module.
pub(crate) struct Wire {
    socket: WebSocket<TcpStream>,
    framing: Framing,
    /// Whether it says what it has taken in.
    consumes: bool,
    /// What came on each channel and was not waited for yet.
    output: BTreeMap<u32, Vec<u8>>,
    /// The newest layout, with what was told of panes since.
    pub(crate) layout: Value,
}

/// What a gateway sends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// A control message.
    Message(Value),
    /// Bytes of a pane; whether they are a restart frame's.
    Output { channel: u32, restart: bool, payload: Vec<u8> },
    /// The end; 1006 without a close frame.
    Closed { code: u16, reason: String },
}

impl Wire {
    /// Connects, and reads nothing yet.
    pub(crate) fn connect(gateway: &Gateway, framing: Framing) -> Self {
        let mut request = format!("ws://{}/mux", gateway.address).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("Authorization", format!("Bearer {TOKEN}").parse().unwrap());
        if framing == Framing::Native {
            headers.insert("Sec-WebSocket-Protocol", NATIVE_SUBPROTOCOL.parse().unwrap());
        }
        let stream = gateway.connect();
        stream.set_nodelay(true).unwrap();
        let (socket, _) = tungstenite::client(request, stream).unwrap();
        Self { socket, framing, consumes: false, output: BTreeMap::new(), layout: json!({}) }
    }

    /// It says from now on what it has taken in, which the compact framing has no word for. Who does not may wait in vain
    /// for a second snapshot, and with it for all output after a change of size.
    pub(crate) fn consuming(self) -> Self {
        Self { consumes: self.framing == Framing::Native, ..self }
    }

    /// Sends a control message as this framing has it.
    pub(crate) fn send_json(&mut self, text: &str) {
        let message = match self.framing {
            Framing::Native => Message::text(text),
            Framing::Compact => Message::binary([&[Channel::COMPACT_CONTROL], text.as_bytes()].concat()),
        };
        self.send(message);
    }

    /// Sends any message. A gateway that has closed the connection meanwhile is found when reading.
    pub(crate) fn send(&mut self, message: Message) {
        match self.socket.send(message) {
            Ok(()) | Err(Error::Io(_) | Error::ConnectionClosed | Error::AlreadyClosed) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// The next thing that comes before `deadline`.
    pub(crate) fn next_before(&mut self, deadline: Instant) -> Option<Told> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.socket.get_ref().set_read_timeout(Some(left)).unwrap();
            let told = match self.socket.read() {
                Ok(Message::Text(text)) => self.message(text.as_bytes()),
                Ok(Message::Binary(frame)) => self.binary(&frame),
                Ok(Message::Close(frame)) => {
                    let (code, reason) =
                        frame.map_or((1005, String::new()), |f| (f.code.into(), f.reason.to_string()));
                    Told::Closed { code, reason }
                }
                Ok(_) => continue,
                Err(Error::Io(error)) if is_timeout(&error) => return None,
                Err(error) => Told::Closed { code: 1006, reason: error.to_string() },
            };
            return Some(told);
        }
    }

    fn message(&mut self, text: &[u8]) -> Told {
        let message: Value = serde_json::from_slice(text).unwrap();
        match message["type"].as_str().unwrap() {
            "state" | "layout_update" => merge(&mut self.layout, &message),
            "pane_update" => merge(&mut self.layout["panes"], &message["panes"]),
            _ => {}
        }
        Told::Message(message)
    }

    fn binary(&mut self, frame: &[u8]) -> Told {
        let (channel, restart, payload) = match (self.framing, frame[0]) {
            (Framing::Compact, Channel::COMPACT_CONTROL) => {
                return self.message(&frame[1..]);
            }
            (Framing::Compact, channel) => (u32::from(channel), false, &frame[1..]),
            (Framing::Native, kind) => {
                if self.consumes {
                    self.consume(frame);
                }
                let channel = u32::from_be_bytes(frame[9..OUTPUT_HEADER].try_into().unwrap());
                (channel, kind == 2, &frame[OUTPUT_HEADER..])
            }
        };
        self.output.entry(channel).or_default().extend_from_slice(payload);
        Told::Output { channel, restart, payload: payload.to_vec() }
    }

    /// Says that it has taken in everything up to the end of a native output frame.
    fn consume(&mut self, frame: &[u8]) {
        let offset = u64::from_be_bytes(frame[1..9].try_into().unwrap());
        let offset = match frame[0] {
            1 => offset + (frame.len() - OUTPUT_HEADER) as u64,
            2 => offset,
            // There is more of that snapshot.
            _ => return,
        };
        self.send(Message::binary([&[5], &frame[9..OUTPUT_HEADER], &offset.to_be_bytes()].concat()));
    }

    fn next(&mut self, what: &str) -> Told {
        let told = self.next_before(Instant::now() + PATIENCE);
        told.unwrap_or_else(|| panic!("waited in vain for {what}; so far: {} {:?}", self.layout, self.text()))
    }

    fn text(&self) -> BTreeMap<u32, String> {
        let text =
            |(channel, bytes): (&u32, &Vec<u8>)| (*channel, String::from_utf8_lossy(bytes).into_owned());
        self.output.iter().map(text).collect()
    }

    /// Reads on to a message that `is_wanted`.
    pub(crate) fn expect(&mut self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut passed = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.next_before(deadline) {
                Some(Told::Message(message)) if is_wanted(&message) => return message,
                // Layouts can be long.
                Some(Told::Message(message)) => {
                    passed.push(message.to_string().chars().take(300).collect::<String>())
                }
                Some(Told::Output { .. }) => {}
                end => panic!("waited in vain for {what}: {end:?} after {passed:#?} and {:?}", self.text()),
            }
        }
    }

    /// Reads on until the layout is as wanted; it may be already.
    pub(crate) fn until(&mut self, what: &str, is_wanted: impl Fn(&Value) -> bool) {
        while !is_wanted(&self.layout) {
            if let closed @ Told::Closed { .. } = self.next(what) {
                panic!("{closed:?} instead of {what}");
            }
        }
    }

    /// Reads on to the next message of this type.
    pub(crate) fn expect_type(&mut self, tag: &str) -> Value {
        self.expect(tag, |message| message["type"] == tag)
    }

    /// Reads on until `text` came on `channel`, and forgets the channel's output up to there.
    pub(crate) fn expect_output(&mut self, channel: u32, text: &str) {
        loop {
            let bytes = self.output.entry(channel).or_default();
            if let Some(at) = memchr::memmem::find(bytes, text.as_bytes()) {
                bytes.drain(..at + text.len());
                return;
            }
            if let closed @ Told::Closed { .. } = self.next(text) {
                panic!("{closed:?} instead of {text:?}");
            }
        }
    }

    /// Reads on until everything sent so far was taken in; gives the messages before the answer.
    pub(crate) fn sync(&mut self) -> Vec<Value> {
        self.send_json(r#"{"type":"ping","requestId":9007199254740991}"#);
        let mut passed = Vec::new();
        loop {
            match self.next("pong") {
                Told::Message(message) if message["type"] == "pong" => return passed,
                Told::Message(message) => passed.push(message),
                Told::Output { .. } => {}
                Told::Closed { code, reason } => panic!("closed {code} {reason} after {passed:?}"),
            }
        }
    }

    /// Reads on to the end of the connection.
    pub(crate) fn expect_close(&mut self) -> (u16, String) {
        loop {
            if let Told::Closed { code, reason } = self.next("the close") {
                return (code, reason);
            }
        }
    }
}

/// Puts the fields of `new` into `old`.
fn merge(old: &mut Value, new: &Value) {
    for (key, value) in new.as_object().unwrap() {
        old[key] = value.clone();
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
