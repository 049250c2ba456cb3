//! What nodes, agents and those who watch them say at `/ws`: JSON-RPC requests and answers, and the gateway's events.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The version that `init` tells.
pub const NODE_PROTOCOL_VERSION: &str = "1";

/// The largest request, in bytes; more is refused unread.
pub const MAX_REQUEST_BYTES: usize = 64 << 10;

/// The longest id of a request, in bytes of JSON.
const MAX_REQUEST_ID_BYTES: usize = 256;

// Records.

/// Whether a node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum NodeStatus {
    /// Its connection proves it.
    Active,
    /// It was there, and is expected back for a while.
    Offline,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A program with a WebSocket of its own, which the gateway relays to.
    Agent,
    /// An `everpane node`: its PTYs come over the connection that it registered on.
    PtyHost,
    /// The gateway's own PTYs.
    Local,
}

/// Why a node is offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OfflineCause {
    /// It said that it would sleep, and then was gone.
    Asleep,
    /// Its connection broke.
    Lost,
    /// Its connection stood, and nothing came over it.
    Silent,
    /// It closed its connection in good order, without deregistering.
    Left,
    /// The gateway was restarted, and the node has not come back yet.
    GatewayRestarted,
}

/// A node, as everyone is shown it. Times are in seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NodeRecord {
    /// Its id, which it chose.
    pub id: String,
    /// The host name of its machine.
    pub machine: String,
    /// Its working directory.
    pub cwd: String,
    /// The local WebSocket port of an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub port: Option<u16>,
    /// Whether it is there.
    pub status: NodeStatus,
    /// Its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub pid: Option<u32>,
    /// When it went offline; only of one that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub offline_since: Option<u64>,
    /// When it last gave a sign of life; none of the local node, which can't be without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub last_seen: Option<u64>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub kind: Option<NodeKind>,
    /// Why it is offline; only of one that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub why: Option<OfflineCause>,
    /// `true`: active, but silent for longer than it should be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub suspect: bool,
    /// How many PTYs it says it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub panes: Option<u32>,
    /// For how many seconds none of its PTYs was used, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub idle_secs: Option<u64>,
}

// Requests.

macro_rules! node_requests {
    ($($(#[$doc:meta])* $tag:literal $name:ident { $($(#[$field_meta:meta])* $field:ident : $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name { $($(#[$field_meta])* pub $field: $type),* }
        )*

        /// What is asked, with its name in `method`.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum NodeMethod {
            $($(#[$doc])* $name($name)),*
        }

        impl NodeMethod {
            /// Every name that may stand in `method`.
            pub const NAMES: &[&str] = &[$($tag),*];

            /// Its name, and its parameters as JSON.
            fn to_params(&self) -> (&'static str, String) {
                match self {
                    $(NodeMethod::$name(params) => ($tag, to_json(params)),)*
                }
            }

            fn from_params(name: &str, params: &str) -> Result<NodeMethod, String> {
                match name {
                    $($tag => read_params(name, params).map(NodeMethod::$name),)*
                    _ => Err(unknown_method(name)),
                }
            }
        }
    };
}

node_requests! {
    /// Puts the sender into the roster. A whole node record may be sent; what only the gateway knows is ignored.
    "register" Register {
        /// The id it wants to go by.
        id: String,
        /// The host name of its machine.
        machine: String,
        /// Its working directory.
        cwd: String,
        /// The local WebSocket port of an agent.
        #[serde(default)]
        port: Option<u16>,
        /// Its process.
        #[serde(default)]
        pid: Option<u32>,
        /// What it is; left out: an agent.
        #[serde(default)]
        kind: Option<NodeKind>,
        /// A random name of the process, the same over all its connections.
        #[serde(default)]
        instance: Option<String>,
    }
    /// Takes the sender out of the roster.
    "deregister" Deregister {
        /// Its own id.
        id: String,
    }
    /// Asks for all node records.
    "list_nodes" ListNodes {}
    /// Asks whether the gateway is well. With an `id` it is that node's heartbeat.
    "ping" Ping {
        /// The sender's own id; the answer says whether it is registered.
        #[serde(default)]
        id: Option<String>,
        /// How many PTYs it has.
        #[serde(default)]
        panes: Option<u32>,
        /// For how many seconds none of them was used.
        #[serde(default)]
        idle_secs: Option<u64>,
    }
    /// Asks for the folders in a folder.
    "list_directories" ListDirectories {
        /// Left out: the root that is allowed, or home.
        #[serde(default)]
        path: Option<String>,
        /// The node whose folders they are; left out: the gateway's own.
        #[serde(default)]
        node: Option<String>,
    }
    /// Starts the configured agent in a pane.
    "spawn_agent" SpawnAgent {
        /// The folder to start it in.
        path: String,
        /// A folder to make in `path` first, and to start it in instead.
        #[serde(default)]
        new_folder: Option<String>,
    }
}

/// What a request is called by whoever sent it: a JSON number or string, which comes back letter for letter.
#[derive(Debug, Clone)]
pub struct RequestId(Box<RawValue>);

impl PartialEq for RequestId {
    fn eq(&self, other: &RequestId) -> bool {
        self.0.get() == other.0.get()
    }
}

impl RequestId {
    fn check(raw: &RawValue) -> Result<RequestId, String> {
        let text = raw.get();
        if !text.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit()) {
            return Err("`id` must be a number or a string".to_owned());
        }
        if text.len() > MAX_REQUEST_ID_BYTES {
            return Err(format!("`id` is longer than {MAX_REQUEST_ID_BYTES} bytes"));
        }
        Ok(RequestId(raw.to_owned()))
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> &str {
        self.0.get()
    }
}

/// A request that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRequest {
    /// Comes back in the answer.
    pub id: RequestId,
    /// What is asked.
    pub method: NodeMethod,
}

impl NodeMethod {
    /// As a request, in JSON.
    #[must_use]
    pub fn request(&self, id: u64) -> String {
        #[derive(Serialize)]
        struct Request<'a> {
            jsonrpc: &'a str,
            id: u64,
            method: &'a str,
            params: Box<RawValue>,
        }
        let (method, params) = self.to_params();
        let params = RawValue::from_string(params).expect("it was made as JSON");
        to_json(&Request { jsonrpc: "2.0", id, method, params })
    }
}

/// A request that can't be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// The request's id, if it could be read.
    pub id: Option<RequestId>,
    /// What was wrong, and what would be right.
    pub message: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// Reads a request. Unknown fields are ignored, so that newer nodes may say more.
///
/// # Errors
/// When it is too long, no JSON object, lacks `id` or `method`, or a parameter is missing or of the wrong kind.
pub fn parse(json: &[u8]) -> Result<NodeRequest, RequestError> {
    let anonymous = |message: String| RequestError { id: None, message };
    let envelope = read_envelope(json).map_err(anonymous)?;
    let id = envelope.id.ok_or_else(|| "missing field `id`".to_owned()).and_then(RequestId::check);
    let id = id.map_err(anonymous)?;
    match read_method(&envelope) {
        Ok(method) => Ok(NodeRequest { id, method }),
        Err(message) => Err(RequestError { id: Some(id), message }),
    }
}

fn read_envelope(json: &[u8]) -> Result<Envelope<'_>, String> {
    if json.len() > MAX_REQUEST_BYTES {
        return Err(format!("a request has at most {MAX_REQUEST_BYTES} bytes, this one has {}", json.len()));
    }
    let text = str::from_utf8(json).map_err(|_| "a request is UTF-8 text".to_owned())?;
    // A list would be read as well: its first element as the first field.
    if !is_object(text) {
        return Err("a request is a JSON object".to_owned());
    }
    serde_json::from_str(text).map_err(|error| format!("malformed request: {error}"))
}

fn read_method(envelope: &Envelope<'_>) -> Result<NodeMethod, String> {
    let name = envelope.method.ok_or("missing field `method`")?;
    let name: Cow<'_, str> =
        serde_json::from_str(name.get()).map_err(|_| "`method` must be a string".to_owned())?;
    NodeMethod::from_params(&name, envelope.params.map_or("{}", RawValue::get))
}

fn read_params<'a, T: Deserialize<'a>>(method: &str, params: &'a str) -> Result<T, String> {
    if !is_object(params) {
        return Err(format!("{method}: `params` must be an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(params);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (path, text) = (error.path().to_string(), error.inner().to_string());
        // Where in the parameters it stood says little to who sent one line.
        let text = text.split(" at line ").next().unwrap_or_default();
        match path.as_str() {
            "." => format!("{method}: {text}"),
            field => format!("{method}: `{field}`: {text}"),
        }
    })
}

fn is_object(json: &str) -> bool {
    json.trim_start().starts_with('{')
}

fn unknown_method(name: &str) -> String {
    let name: String = name.chars().take(64).collect();
    format!("unknown method `{name}`; there are {}", NodeMethod::NAMES.join(", "))
}

// Answers.

/// The answer to a request that was granted, as JSON.
#[must_use]
pub fn answer<T: Serialize>(id: &RequestId, result: &T) -> String {
    #[derive(Serialize)]
    struct Answer<'a, T> {
        id: &'a RawValue,
        result: &'a T,
    }
    to_json(&Answer { id: &id.0, result })
}

/// The answer to a request that was not, as JSON; its id is `null` where the request's could not be read.
#[must_use]
pub fn refusal(id: Option<&RequestId>, error: &str) -> String {
    refusal_for_now(id, error, None)
}

/// The same for what may be granted if it is asked again after so many seconds.
#[must_use]
pub fn refusal_for_now(id: Option<&RequestId>, error: &str, retry_secs: Option<u64>) -> String {
    #[derive(Serialize)]
    struct Refusal<'a> {
        id: Option<&'a RawValue>,
        error: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_secs: Option<u64>,
    }
    to_json(&Refusal { id: id.map(|id| &*id.0), error, retry_secs })
}

fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("texts, numbers and lists of them are JSON")
}

/// What became of a `register`, `deregister` or `spawn_agent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Outcome {
    /// The sender is in the roster.
    Registered,
    /// The sender is out of it.
    Deregistered,
    /// The sender holds no record of that id.
    NotFound,
    /// An agent is being started.
    Spawning {
        /// Where.
        path: String,
    },
}

/// The result of `ping`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `healthy`.
    pub status: Cow<'static, str>,
    /// How many nodes are known.
    pub nodes: usize,
    /// The gateway's version.
    pub version: Cow<'static, str>,
    /// Told to those that named their id; `false`: register again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<bool>,
}

/// The result of `list_directories`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Directories {
    /// The folder that was listed.
    pub current: String,
    /// The folders in it, by name.
    pub directories: Vec<String>,
}

// Events.

/// What everyone at `/ws` is told without asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NodeEvent {
    /// The first message of a connection.
    Init {
        /// All records.
        nodes: Vec<NodeRecord>,
        /// [`NODE_PROTOCOL_VERSION`].
        protocol_version: Cow<'static, str>,
    },
    /// A node is there, or told of itself anew.
    NodeJoined {
        /// Its record.
        node: NodeRecord,
    },
    /// A node is gone, and expected back.
    NodeOffline {
        /// Its id.
        id: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        why: Option<OfflineCause>,
    },
    /// A node is not in the roster any more.
    NodeRemoved {
        /// Its id.
        id: String,
    },
}

impl NodeEvent {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> String {
        to_json(self)
    }
}

/// Why the gateway closes a node's WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum NodeClose {
    /// The token that it came with is not valid any more.
    Revoked = 4401,
    /// Nothing was heard for too long.
    Silent = 4408,
    /// Its id was registered over another connection; whoever reads this must not dial again at once.
    Superseded = 4409,
    /// Its machine and port, or its process, registered under another id.
    Evicted = 4410,
}

impl NodeClose {
    /// The WebSocket close code.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }

    /// For people; fits into a close frame.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            NodeClose::Revoked => "the token was revoked",
            NodeClose::Silent => "nothing was heard for too long",
            NodeClose::Superseded => "this id was registered over another connection",
            NodeClose::Evicted => "another id was registered for this machine and port, or by this process",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(json: &str) -> String {
        parse(json.as_bytes()).unwrap_err().message
    }

    #[test]
    fn requests_are_read_whatever_else_they_carry() {
        let json = r#"{"jsonrpc":"2.0","id":7,"method":"register","params":{"id":"a","machine":"m","cwd":"/",
            "port":9000,"status":"active","last_seen":12}}"#;
        let register = Register {
            id: "a".into(),
            machine: "m".into(),
            cwd: "/".into(),
            port: Some(9000),
            pid: None,
            kind: None,
            instance: None,
        };
        let request = parse(json.as_bytes()).unwrap();
        assert_eq!(request.method, NodeMethod::Register(register));
        assert_eq!(request.id.json(), "7");
        for params in ["", r#","params":null"#, r#","params":{}"#] {
            let json = format!(r#"{{"id":1,"method":"list_nodes"{params}}}"#);
            assert_eq!(parse(json.as_bytes()).unwrap().method, NodeMethod::ListNodes(ListNodes {}));
        }
    }

    #[test]
    fn errors_name_what_is_wrong() {
        assert_eq!(message("[1]"), "a request is a JSON object");
        assert_eq!(message(r#"{"method":"ping"}"#), "missing field `id`");
        assert_eq!(message(r#"{"id":null,"method":"ping"}"#), "missing field `id`");
        assert_eq!(message(r#"{"id":[1],"method":"ping"}"#), "`id` must be a number or a string");
        assert_eq!(message(r#"{"id":1}"#), "missing field `method`");
        assert_eq!(message(r#"{"id":1,"method":2}"#), "`method` must be a string");
        assert!(
            message(r#"{"id":1,"method":"nope"}"#).starts_with("unknown method `nope`; there are register,")
        );
        assert_eq!(message(r#"{"id":1,"method":"ping","params":[]}"#), "ping: `params` must be an object");
        assert_eq!(
            message(r#"{"id":1,"method":"register","params":{"id":"a","cwd":"/"}}"#),
            "register: missing field `machine`"
        );
        assert_eq!(
            message(
                r#"{"id":1,"method":"register","params":{"id":"a","cwd":"/","machine":"m","port":70000}}"#
            ),
            "register: `port`: invalid value: integer `70000`, expected u16"
        );
        assert_eq!(
            message(r#"{"id":1,"method":"spawn_agent","params":{"path":7}}"#),
            "spawn_agent: `path`: invalid type: integer `7`, expected a string"
        );
        assert!(message(r#"{"id":1,"method":"ping"} x"#).starts_with("malformed request: "));
        assert!(message(r#"{"id":1,"method":"ping","id":2}"#).contains("duplicate field `id`"));
        let long =
            format!(r#"{{"id":1,"method":"ping","params":{{"x":"{}"}}}}"#, "x".repeat(MAX_REQUEST_BYTES));
        assert!(message(&long).starts_with("a request has at most 65536 bytes"));
        let long = format!(r#"{{"id":"{}","method":"ping"}}"#, "x".repeat(MAX_REQUEST_ID_BYTES));
        assert_eq!(message(&long), "`id` is longer than 256 bytes");
    }

    #[test]
    fn ids_come_back_as_they_came() {
        for id in ["1", "-3", "1.50", "18446744073709551616", r#""a\u0041""#, r#""""#] {
            let request = parse(format!(r#"{{"id": {id} ,"method":"ping"}}"#).as_bytes()).unwrap();
            let outcome = Outcome::Registered;
            let expected = format!(r#"{{"id":{id},"result":{{"status":"registered"}}}}"#);
            assert_eq!(answer(&request.id, &outcome), expected);
        }
        let error = parse(br#"{"id":"x","method":"?"}"#).unwrap_err();
        assert_eq!(refusal(error.id.as_ref(), "no"), r#"{"id":"x","error":"no"}"#);
        assert_eq!(refusal(None, "no"), r#"{"id":null,"error":"no"}"#);
    }

    #[test]
    fn records_and_events_look_as_agreed() {
        let node = NodeRecord {
            id: "a".into(),
            machine: "m".into(),
            cwd: "/w".into(),
            port: None,
            status: NodeStatus::Offline,
            pid: Some(3),
            offline_since: Some(100),
            last_seen: Some(90),
            kind: Some(NodeKind::PtyHost),
            why: Some(OfflineCause::Asleep),
            suspect: false,
            panes: None,
            idle_secs: None,
        };
        let event = NodeEvent::NodeJoined { node };
        let json = concat!(
            r#"{"event":"node_joined","node":{"id":"a","machine":"m","cwd":"/w","status":"offline","pid":3,"#,
            r#""offline_since":100,"last_seen":90,"kind":"pty_host","why":"asleep"}}"#,
        );
        assert_eq!(event.json(), json);
        assert_eq!(serde_json::from_str::<NodeEvent>(json).unwrap(), event);
        let init = NodeEvent::Init { nodes: vec![], protocol_version: NODE_PROTOCOL_VERSION.into() };
        assert_eq!(init.json(), r#"{"event":"init","nodes":[],"protocol_version":"1"}"#);
    }

    /// Bytes that come near a request, more often than chance would.
    fn near_requests() -> impl Strategy<Value = Vec<u8>> {
        let method = prop::sample::select(NodeMethod::NAMES);
        let value = prop_oneof![
            Just("null".to_owned()),
            Just("{}".to_owned()),
            Just("[[[{".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            Just(r#"{"id":"a","machine":"m","cwd":"/"}"#.to_owned()),
        ];
        let near = (value.clone(), method, value).prop_map(|(id, method, params)| {
            format!(r#"{{"id":{id},"method":"{method}","params":{params}}}"#).into_bytes()
        });
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), near]
    }

    proptest! {
        #[test]
        fn any_request_is_read_or_refused(bytes in near_requests(), cut in any::<prop::sample::Index>()) {
            for bytes in [&bytes[..], &bytes[..cut.index(bytes.len() + 1)]] {
                match parse(bytes) {
                    Ok(request) => prop_assert!(!request.id.json().is_empty()),
                    Err(error) => {
                        prop_assert!(!error.message.is_empty());
                        let told: serde_json::Value =
                            serde_json::from_str(&refusal(error.id.as_ref(), &error.message)).unwrap();
                        prop_assert!(told["error"].is_string());
                    }
                }
            }
        }
    }
}
