//! PTYs of a node in the gateway's panes, over the connection that the node registered on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;

use everpane::gateway::Framing;
use serde_json::json;
use support::roster::NodeSocket;
use support::service::ServiceNode;
use support::wire::Wire;
use support::{Gateway, TOKEN, everpane};
use tokio_tungstenite::tungstenite::Message;

fn gateway(data: &Path) -> Gateway {
    Gateway::run(everpane(data).env("EVERPANE_TOKEN", TOKEN).arg("--no-local-node"))
}

fn input(channel: u8, text: &str) -> Message {
    Message::binary([&[channel], text.as_bytes()].concat())
}

#[test]
fn a_pane_on_a_node_outlives_the_connection_to_it() {
    let data = tempfile::tempdir().unwrap();
    let gateway = gateway(data.path());
    let mut watcher = NodeSocket::connect(&gateway);
    let node = ServiceNode::start(&["/bin/sh"]);
    let connection = node.connect(gateway.address, "n");
    watcher.expect_event("node_joined", "n");

    let mut viewer = Wire::connect(&gateway, Framing::Compact);
    // The node may still be saying what it kept; a pane waits for it.
    viewer.send_json(r#"{"type":"session_create","node":"n"}"#);
    viewer.until("a shell of the node", |layout| layout["connected"]["p1"] == true);
    viewer.send(input(0, "echo $((6*7)) here\n"));
    viewer.expect_output(0, "42 here");

    connection.abort();
    watcher.expect_event("node_offline", "n");
    viewer.until("the pane to be dimmed", |layout| layout["connected"]["p1"] == false);
    assert_eq!(node.service.terminals(), 1, "its shell lives on");

    let _connection = node.connect(gateway.address, "n");
    viewer.until("the pane to be live again", |layout| layout["connected"]["p1"] == true);
    viewer.send(input(0, "echo $((6*8)) there\n"));
    viewer.expect_output(0, "48 there");
    assert_eq!(node.service.terminals(), 1, "it is the same shell");
}

#[test]
fn frames_are_taken_from_a_registered_node_and_must_make_sense() {
    let data = tempfile::tempdir().unwrap();
    let gateway = gateway(data.path());
    let mut node = NodeSocket::connect(&gateway);
    node.register(&json!({"id": "n", "machine": "box", "cwd": "/", "kind": "pty_host"}));
    assert_eq!(node.call("deregister", &json!({"id": "n"})), Ok(json!({"status": "deregistered"})));
    node.send(Message::binary(vec![0]));
    let refused = node.expect("a refusal", |message| message.get("error").is_some());
    assert!(refused["error"].as_str().unwrap().contains("pty_host"), "{refused}");
    node.register(&json!({"id": "n", "machine": "box", "cwd": "/", "kind": "pty_host"}));
    node.send(Message::binary(vec![255, 255]));
    assert_eq!(node.expect_close(), (1008, "broken PTY frame".to_owned()));
}
