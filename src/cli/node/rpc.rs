//! What a node says to a gateway in text, and what it makes of the answers. Pure.

use serde_json::Value;

use super::identity::Identity;
use crate::protocol::node::{Deregister, NodeKind, NodeMethod, Ping, Register};

/// The ids of our requests: one of each kind is under way at most, so its kind names it.
const REGISTER: u64 = 1;
const DEREGISTER: u64 = 2;
const PING: u64 = 3;

/// What a message of the gateway means to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// The first message of a connection: requests are taken now.
    Init,
    /// We are in the roster.
    Registered,
    /// We are not, and never will be as we are, for this reason.
    Refused(String),
    /// We are not as yet, for this reason: somebody else holds the id, mostly.
    RefusedForNow(String),
    /// We are out of it.
    Deregistered,
    /// The gateway knows us no more: register again.
    Forgotten,
    /// It is about others.
    Nothing,
}

/// Asks to be put into the roster.
pub(super) fn register(identity: &Identity) -> String {
    let Identity { id, machine, cwd, instance } = identity.clone();
    let (pid, kind, instance) = (Some(std::process::id()), Some(NodeKind::PtyHost), Some(instance));
    NodeMethod::Register(Register { id, machine, cwd, port: None, pid, kind, instance }).request(REGISTER)
}

/// Asks to be taken out of it.
pub(super) fn deregister(id: &str) -> String {
    NodeMethod::Deregister(Deregister { id: id.to_owned() }).request(DEREGISTER)
}

/// The heartbeat; tells how many PTYs there are and for how many seconds none was used.
pub(super) fn ping(id: &str, panes: usize, idle_secs: Option<u64>) -> String {
    let (id, panes) = (Some(id.to_owned()), u32::try_from(panes).ok());
    NodeMethod::Ping(Ping { id, panes, idle_secs }).request(PING)
}

/// Reads a message. What we don't understand is not for us: a newer gateway may say more.
pub(super) fn hear(text: &str) -> Heard {
    let Ok(message) = serde_json::from_str::<Value>(text) else { return Heard::Nothing };
    if message["event"] == "init" {
        return Heard::Init;
    }
    let refused = message.get("error").filter(|error| !error.is_null());
    match (message["id"].as_u64(), refused) {
        (Some(REGISTER), None) => Heard::Registered,
        (Some(REGISTER), Some(error)) if message["retry_secs"].is_u64() => {
            Heard::RefusedForNow(reason(error))
        }
        (Some(REGISTER), Some(error)) => Heard::Refused(reason(error)),
        (Some(DEREGISTER), _) => Heard::Deregistered,
        (Some(PING), _) if message["result"]["registered"] == false => Heard::Forgotten,
        _ => Heard::Nothing,
    }
}

/// An error is a text, or an object with one in it. It comes from elsewhere, and goes into one line.
fn reason(error: &Value) -> String {
    let text = error.as_str().or_else(|| error["message"].as_str()).unwrap_or("no reason was given");
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|char| !char.is_control())
        .take(500)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_look_as_agreed() {
        let identity = Identity {
            id: "n1".to_owned(),
            machine: "box".to_owned(),
            cwd: "/w".to_owned(),
            instance: "i".to_owned(),
        };
        let register: Value = serde_json::from_str(&register(&identity)).unwrap();
        assert_eq!(register["method"], "register");
        assert_eq!(register["params"]["id"], "n1");
        assert_eq!(register["params"]["kind"], "pty_host");
        assert_eq!(register["params"]["pid"], std::process::id());
        let ping: Value = serde_json::from_str(&ping("n1", 2, None)).unwrap();
        assert_eq!(ping["params"], json!({ "id": "n1", "panes": 2, "idle_secs": null }));
        let deregister: Value = serde_json::from_str(&deregister("n1")).unwrap();
        assert_eq!((&deregister["id"], &deregister["params"]["id"]), (&json!(2), &json!("n1")));
    }

    #[test]
    fn answers_are_told_apart() {
        let cases = [
            (r#"{"event":"init","nodes":[],"protocol_version":"1"}"#, Heard::Init),
            (r#"{"event":"node_joined","node":{}}"#, Heard::Nothing),
            (r#"{"id":1,"result":{"status":"registered"}}"#, Heard::Registered),
            (r#"{"id":1,"error":"no\n more\u001b[m"}"#, Heard::Refused("no more[m".to_owned())),
            (r#"{"id":1,"error":{"code":1,"message":"taken"}}"#, Heard::Refused("taken".to_owned())),
            (r#"{"id":1,"error":"not yet","retry_secs":60}"#, Heard::RefusedForNow("not yet".to_owned())),
            (r#"{"id":2,"result":{"status":"deregistered"}}"#, Heard::Deregistered),
            (r#"{"id":3,"result":{"status":"healthy","registered":true}}"#, Heard::Nothing),
            (r#"{"id":3,"result":{"status":"healthy","registered":false}}"#, Heard::Forgotten),
            (r#"{"id":"1","result":{}}"#, Heard::Nothing),
            ("nonsense", Heard::Nothing),
            ("[1]", Heard::Nothing),
        ];
        for (text, wanted) in cases {
            assert_eq!(hear(text), wanted, "{text}");
        }
    }
}
