//! A client that numbers its input, over connections that may be cut at any byte: it comes back and sends again what was
//! not acknowledged, as the protocol says.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use everpane::protocol::server::{ErrorMessage, ServerMessage};
use everpane::protocol::{MAX_UNACKNOWLEDGED, NATIVE_SUBPROTOCOL};
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Error, Message, WebSocket};

use super::{Gateway, PATIENCE, TOKEN};

/// How soon input that found no room is sent again.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// A connection that breaks after so many bytes to the gateway.
struct Frayed {
    stream: TcpStream,
    left: usize,
}

impl Read for Frayed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.read(into)
    }
}

impl Write for Frayed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            let _ = self.stream.shutdown(Shutdown::Both);
            return Err(ErrorKind::BrokenPipe.into());
        }
        let written = self.stream.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A frame that was not answered.
#[derive(Clone)]
struct Sent {
    number: u64,
    more: bool,
    bytes: Vec<u8>,
}

/// See the module. It types into the pane of channel 0.
pub(crate) struct Typist<'a> {
    gateway: &'a Gateway,
    socket: Option<WebSocket<Frayed>>,
    /// After how many bytes the next connections break; without one, they don't.
    cuts: VecDeque<usize>,
    memory: Option<u64>,
    next: u64,
    sent: VecDeque<Sent>,
    /// Refusals that were not looked at.
    refused: VecDeque<(Sent, ErrorMessage)>,
    /// What it was told of input that had been taken.
    pub(crate) told: Vec<ErrorMessage>,
    /// How often it connected.
    pub(crate) connections: usize,
}

impl<'a> Typist<'a> {
    pub(crate) fn new(gateway: &'a Gateway, cuts: impl IntoIterator<Item = usize>) -> Self {
        Self {
            gateway,
            socket: None,
            cuts: cuts.into_iter().collect(),
            memory: None,
            next: 1,
            sent: VecDeque::new(),
            refused: VecDeque::new(),
            told: Vec::new(),
            connections: 0,
        }
    }

    /// Types, and goes on before it is acknowledged.
    pub(crate) fn type_in(&mut self, bytes: &[u8]) {
        self.wait_for(MAX_UNACKNOWLEDGED as usize - 1);
        self.send(bytes.to_vec(), false);
    }

    /// Pastes in pieces of so many bytes, each sent when the one before was taken.
    pub(crate) fn paste(&mut self, bytes: &[u8], piece: usize) {
        let mut pieces = bytes.chunks(piece).peekable();
        while let Some(bytes) = pieces.next() {
            self.send(bytes.to_vec(), pieces.peek().is_some());
            self.finish();
        }
    }

    /// Waits until everything was answered, and sends again what found no room.
    pub(crate) fn finish(&mut self) {
        self.wait_for(0);
        while let Some((Sent { more, bytes, .. }, error)) = self.refused.pop_front() {
            assert_eq!(error.code, "input_full", "{error:?}");
            std::thread::sleep(TRY_AGAIN);
            self.send(bytes, more);
            self.wait_for(0);
        }
    }

    fn send(&mut self, bytes: Vec<u8>, more: bool) {
        let sent = Sent { number: self.next, more, bytes };
        self.next += 1;
        let frame = frame(&sent);
        self.sent.push_back(sent);
        // Without a connection it goes out with the next one.
        self.write(frame);
    }

    fn write(&mut self, message: Message) {
        if self.socket.as_mut().is_some_and(|socket| socket.send(message).is_err()) {
            self.socket = None;
        }
    }

    /// Reads until no more than `count` frames are unanswered.
    fn wait_for(&mut self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.sent.len() > count {
            assert!(Instant::now() < deadline, "{} frames were not answered", self.sent.len());
            match self.socket.as_mut().map(WebSocket::read) {
                Some(Ok(Message::Text(text))) => self.hear(serde_json::from_str(&text).unwrap()),
                Some(Ok(_)) => {}
                Some(Err(Error::Io(error))) if error.kind() == ErrorKind::WouldBlock => {}
                Some(Err(_)) => self.socket = None,
                None => self.connect(),
            }
        }
    }

    fn hear(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Resumed { memory, applied, .. } => {
                let before = self.memory.replace(memory);
                assert!(before.is_none_or(|before| before == memory), "the gateway forgot its client");
                self.settle(applied);
                for frame in self.sent.iter().map(frame).collect::<Vec<_>>() {
                    self.write(frame);
                }
            }
            ServerMessage::InputAck { applied } => self.settle(applied),
            ServerMessage::Error(error) => {
                let at = self.sent.iter().position(|sent| Some(sent.number) == error.number);
                match at.and_then(|at| self.sent.remove(at)) {
                    Some(sent) => self.refused.push_back((sent, error)),
                    None => self.told.push(error),
                }
            }
            _ => {}
        }
    }

    fn settle(&mut self, applied: u64) {
        while self.sent.pop_front_if(|sent| sent.number <= applied).is_some() {}
    }

    fn connect(&mut self) {
        self.connections += 1;
        let stream = self.gateway.connect();
        stream.set_nodelay(true).unwrap();
        let mut request = format!("ws://{}/mux", self.gateway.address).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("Authorization", format!("Bearer {TOKEN}").parse().unwrap());
        headers.insert("Sec-WebSocket-Protocol", NATIVE_SUBPROTOCOL.parse().unwrap());
        let (mut socket, _) = tungstenite::client(request, Frayed { stream, left: usize::MAX }).unwrap();
        socket.get_mut().left = self.cuts.pop_front().unwrap_or(usize::MAX);
        self.socket = Some(socket);
        self.write(Message::text(
            json!({ "type": "resume", "client": "the-typist-of-the-tests" }).to_string(),
        ));
    }
}

/// As it goes to channel 0.
fn frame(sent: &Sent) -> Message {
    let kind = if sent.more { 4 } else { 3 };
    Message::binary([&[kind, 0, 0, 0, 0], &sent.number.to_be_bytes()[..], &sent.bytes].concat())
}
