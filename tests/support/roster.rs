//! A bare connection to `/ws`: a node, an agent, or whoever watches them.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Error, Message, WebSocket};

use super::{Gateway, PATIENCE, TOKEN};

/// See the module.
pub(crate) struct NodeSocket {
    socket: WebSocket<TcpStream>,
    last_id: u64,
    /// Every event so far, the first `init` among them.
    pub(crate) events: Vec<Value>,
}

/// What a gateway sends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    /// An answer or an event.
    Message(Value),
    /// The end; 1006 without a close frame.
    Closed { code: u16, reason: String },
}

impl NodeSocket {
    /// Connects with the gateway's own token and takes the first message in.
    pub(crate) fn connect(gateway: &Gateway) -> Self {
        Self::connect_with(gateway, TOKEN)
    }

    /// Connects with this token.
    pub(crate) fn connect_with(gateway: &Gateway, token: &str) -> Self {
        let mut socket = Self::try_connect(gateway, token).unwrap();
        match socket.next("init") {
            Said::Message(init) => assert_eq!(init["event"], "init", "{init}"),
            closed => panic!("{closed:?} instead of init"),
        }
        socket
    }

    /// Connects and reads nothing.
    pub(crate) fn try_connect(gateway: &Gateway, token: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let mut request = format!("ws://{}/ws", gateway.address).into_client_request()?;
        request.headers_mut().insert("Authorization", format!("Bearer {token}").parse()?);
        let stream = gateway.connect();
        stream.set_nodelay(true)?;
        let (socket, _) = tungstenite::client(request, stream).map_err(|error| error.to_string())?;
        Ok(Self { socket, last_id: 0, events: Vec::new() })
    }

    /// Sends any message. A gateway that has closed the connection meanwhile is found when reading.
    pub(crate) fn send(&mut self, message: Message) {
        match self.socket.send(message) {
            Ok(()) | Err(Error::Io(_) | Error::ConnectionClosed | Error::AlreadyClosed) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a request and returns its id.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> u64 {
        self.last_id += 1;
        let request = json!({"id": self.last_id, "method": method, "params": params});
        self.send(Message::text(request.to_string()));
        self.last_id
    }

    /// Reads on to the answer of a request: its result, or its error.
    pub(crate) fn answer(&mut self, id: u64) -> Result<Value, String> {
        let answer = self.expect("an answer", |message| message["id"] == id);
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["result"].clone()),
        }
    }

    /// Asks and waits for the answer.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// Registers a node and expects to be let.
    pub(crate) fn register(&mut self, params: &Value) {
        assert_eq!(self.call("register", params), Ok(json!({"status": "registered"})));
    }

    /// All nodes by id, with their status.
    pub(crate) fn nodes(&mut self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let nodes = self.call("list_nodes", &json!({})).unwrap();
        nodes.as_array().unwrap().iter().map(|node| (text(&node["id"]), text(&node["status"]))).collect()
    }

    /// The next thing that comes before `deadline`.
    pub(crate) fn next_before(&mut self, deadline: Instant) -> Option<Said> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.socket.get_ref().set_read_timeout(Some(left)).unwrap();
            return Some(match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let message: Value = serde_json::from_str(text.as_str()).unwrap();
                    if message.get("event").is_some() {
                        self.events.push(message.clone());
                    }
                    Said::Message(message)
                }
                Ok(Message::Close(frame)) => {
                    let (code, reason) =
                        frame.map_or((1005, String::new()), |f| (f.code.into(), f.reason.to_string()));
                    Said::Closed { code, reason }
                }
                Ok(_) => continue,
                Err(Error::Io(error)) if is_timeout(&error) => return None,
                Err(error) => Said::Closed { code: 1006, reason: error.to_string() },
            });
        }
    }

    fn next(&mut self, what: &str) -> Said {
        let said = self.next_before(Instant::now() + PATIENCE);
        said.unwrap_or_else(|| panic!("waited in vain for {what} after {:#?}", self.events))
    }

    /// Reads on to a message that `is_wanted`.
    pub(crate) fn expect(&mut self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            match self.next(what) {
                Said::Message(message) if is_wanted(&message) => return message,
                Said::Message(_) => {}
                closed => panic!("{closed:?} instead of {what}"),
            }
        }
    }

    /// Reads on to an event about a node.
    pub(crate) fn expect_event(&mut self, event: &str, id: &str) -> Value {
        let about = |message: &Value| message["id"] == id || message["node"]["id"] == id;
        self.expect(&format!("{event} of {id}"), |message| message["event"] == event && about(message))
    }

    /// Reads on to the end of the connection.
    pub(crate) fn expect_close(&mut self) -> (u16, String) {
        loop {
            if let Said::Closed { code, reason } = self.next("the close") {
                return (code, reason);
            }
        }
    }

    /// All bytes that came and were never read, up to the connection's end.
    pub(crate) fn unread(mut self) -> Vec<u8> {
        let stream = self.socket.get_mut();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Says goodbye and waits for it to be returned.
    pub(crate) fn close(mut self) {
        let _ = self.socket.close(None);
        self.expect_close();
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
