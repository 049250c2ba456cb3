//! PTYs of a node in the gateway's panes, over the connection that the node registered on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::process::{Child, Command};

use everpane::gateway::Framing;
use everpane::ids::PaneId;
use everpane::protocol::api::SessionList;
use serde_json::json;
use support::machine::Machine;
use support::processes::Process;
use support::roster::NodeSocket;
use support::service::ServiceNode;
use support::stage::{Stage, eventually};
use support::wire::Wire;
use support::{Gateway, TOKEN, everpane};
use tokio_tungstenite::tungstenite::Message;

fn gateway(data: &Path) -> Gateway {
    Gateway::run(everpane(data).env("EVERPANE_TOKEN", TOKEN).arg("--no-local-node"))
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Changes node tokens with the program; what it printed.
fn node_token(data: &Path, action: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everpane"));
    command.env_clear().env("HOME", "/").arg("node-token").args(action).arg("--data-dir").arg(data);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The program that joins as a node.
fn program(gateway: &Gateway, state: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everpane"));
    command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("HOME", "/"), ("EVERPANE_NODE_TOKEN", TOKEN)]);
    command.args(["node", "--shell", "/bin/sh", "--gateway", &gateway.origin(), "--state-dir"]).arg(state);
    command.args(arguments);
    command
}

/// A process that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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

    let mut again = NodeSocket::connect(&gateway);
    let id = again.ask("register", &json!({"id": "n", "machine": "box", "cwd": "/", "kind": "pty_host"}));
    let refused = again.expect("a refusal", |message| message["id"] == id);
    assert!(refused["error"].as_str().unwrap().contains("kept out"), "{refused}");
    assert!((1..=60).contains(&refused["retry_secs"].as_u64().unwrap()), "{refused}");
    again.register(&json!({"id": "another", "machine": "box", "cwd": "/", "kind": "pty_host"}));
}

/// What `everpane split` says in a pane on another machine, the panes there are then, and the machine.
fn split_on_a_node(settings: &str) -> (String, Vec<PaneId>, Machine) {
    let stage = Stage::with_settings("exec cat", settings);
    let mut machine = Machine::new("box", "exec cat");
    machine.start(stage.gateway.address);
    let split =
        format!("{} split -- cat >said 2>&1; echo $? >code; exec cat", env!("CARGO_BIN_EXE_everpane"));
    eventually("the node", || {
        let made = stage.verb(&["new", "--node", "box", "--", "/bin/sh", "-c", &split]);
        (made.code == 0).then_some(())
    });
    eventually("the command's end", || (!machine.content("home/code").is_empty()).then_some(()));
    let list: SessionList = stage.verb(&["ls", "--json"]).json();
    let panes = list.sessions.iter().flat_map(|session| &session.tabs).flat_map(|tab| &tab.panes);
    let said = String::from_utf8(machine.content("home/said")).unwrap();
    (said, panes.map(|pane| pane.id).collect(), machine)
}

#[test]
fn a_command_in_a_pane_on_a_node_finds_its_pane_where_tokens_may_go_there() {
    let (said, panes, machine) = split_on_a_node("pane_tokens = \"everywhere\"\n");
    assert_eq!((said.as_str(), &panes[..]), ("p2\n", &[PaneId(1), PaneId(2)][..]));
    let environments: Vec<_> = machine.programs().iter().map(Process::environment).collect();
    let tokens = environments.iter().flatten().filter_map(|name| name.strip_prefix("EVERPANE_PANE_TOKEN="));
    let tokens: Vec<_> = tokens.collect();
    assert!(!tokens.is_empty() && tokens.iter().all(|token| token.starts_with("ep1.s1.")), "{tokens:?}");
    let found = Command::new("grep").args(["-rlF", tokens[0]]).arg(machine.path(".")).output().unwrap();
    assert_eq!(String::from_utf8(found.stdout).unwrap(), "", "it is neither kept nor logged");
}

#[test]
fn a_command_in_a_pane_on_a_node_without_a_token_says_what_is_missing() {
    let (said, panes, machine) = split_on_a_node("");
    assert_eq!((panes, machine.content("home/code")), (vec![PaneId(1)], b"4\n".to_vec()));
    assert!(said.contains("hint: this pane has no token; `pane_tokens`"), "{said}");
    let environments: Vec<_> = machine.programs().iter().map(Process::environment).collect();
    let secret = environments.iter().flatten().find(|name| name.starts_with("EVERPANE_PANE_TOKEN"));
    assert_eq!(secret, None);
}

#[test]
fn a_revoked_token_takes_the_panes_of_its_node_with_it() {
    let data = tempfile::tempdir().unwrap();
    let gateway = gateway(data.path());
    let token = node_token(data.path(), &["create", "box"]);
    eventually("the gateway to know the token", || NodeSocket::try_connect(&gateway, token.trim_end()).ok());
    let mut watcher = NodeSocket::connect(&gateway);
    let node = ServiceNode::start(&["/bin/sh"]);
    let connection = node.connect_with(gateway.address, "n", token.trim_end());
    watcher.expect_event("node_joined", "n");
    let mut viewer = Wire::connect(&gateway, Framing::Compact);
    viewer.send_json(r#"{"type":"session_create","node":"n"}"#);
    viewer.until("a shell of the node", |layout| layout["connected"]["p1"] == true);

    node_token(data.path(), &["revoke", "box"]);
    watcher.expect_event("node_removed", "n");
    viewer.until("the pane to be dimmed", |layout| layout["connected"]["p1"] == false);
    assert_eq!(node.runtime.block_on(connection).unwrap(), Some(4401));
}

#[test]
fn folders_of_a_node_are_asked_of_it() {
    let (data, root, state) = (dir(), dir(), dir());
    for folder in ["src", "docs", "docs/old"] {
        std::fs::create_dir(root.path().join(folder)).unwrap();
    }
    let gateway = gateway(data.path());
    let mut socket = NodeSocket::connect(&gateway);
    let mut program = program(&gateway, state.path(), &["--id", "n"]);
    let mut process = Running(program.arg("--root").arg(root.path()).spawn().unwrap());
    socket.expect_event("node_joined", "n");
    let listing =
        eventually("the node to answer", || socket.call("list_directories", &json!({"node": "n"})).ok());
    let current = root.path().canonicalize().unwrap().to_str().unwrap().to_owned();
    assert_eq!(listing, json!({"current": current, "directories": ["docs", "src"]}));
    let listing = socket.call("list_directories", &json!({"node": "n", "path": "docs"}));
    assert_eq!(listing.unwrap()["directories"], json!(["old"]));
    let refused = |socket: &mut NodeSocket, params| socket.call("list_directories", &params).unwrap_err();
    assert!(refused(&mut socket, json!({"node": "n", "path": "/"})).contains("outside"));
    assert!(refused(&mut socket, json!({"node": "nobody"})).contains("no such node"));
    assert!(refused(&mut socket, json!({"node": "local"})).contains("no such node"), "this gateway has none");
    process.0.kill().unwrap();
    socket.expect_event("node_offline", "n");
    assert!(refused(&mut socket, json!({"node": "n"})).contains("offline"));
}

#[test]
fn an_agent_gets_a_pane_in_the_folder_that_was_chosen() {
    let (data, root) = (dir(), dir());
    let config = root.path().join("everpane.toml");
    let agent = r#"["/bin/sh", "-c", "echo agent-in $PWD; exec cat"]"#;
    let settings =
        format!("[host]\nprocess = false\n[nodes]\nroot = {:?}\nagent_command = {agent}\n", root.path());
    std::fs::write(&config, settings).unwrap();
    let gateway =
        Gateway::run(everpane(data.path()).env("EVERPANE_TOKEN", TOKEN).arg("--config").arg(&config));
    let mut viewer = Wire::connect(&gateway, Framing::Compact);
    let mut socket = NodeSocket::connect(&gateway);
    let folder = root.path().canonicalize().unwrap().join("new");
    let asked = socket.call("spawn_agent", &json!({"path": "", "new_folder": "new"}));
    assert_eq!(asked, Ok(json!({"status": "spawning", "path": folder})));
    viewer.until("the agent's pane", |layout| layout["connected"]["p1"] == true);
    viewer.expect_output(0, &format!("agent-in {}", folder.display()));
}

#[test]
fn a_registration_that_is_refused_for_good_ends_the_node_with_a_word() {
    let (data, state) = (dir(), dir());
    let gateway = gateway(data.path());
    let refused = program(&gateway, state.path(), &["--id", "no id"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("`id` must be"), "{said}");
}
