//! `everpane node` as a process, before a gateway that is only pretended: it speaks the wire, and has no panes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use everpane::geometry::Size;
use everpane::host::remote::frame::{Hello, LINK_VERSION, WhenFull};
use everpane::host::remote::{Inbound, OUTPUT_WINDOW, Outbound, RemoteHost, Taken};
use everpane::host::{Host, Kept, SpawnRequest};
use everpane::ids::PaneId;
use everpane::pane::respawn::Generation;
use futures_util::{SinkExt, StreamExt};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::heard::Heard;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// How long anything may take to come about.
const SOON: Duration = Duration::from_secs(15);

const TOKEN: &str = "a-token-of-this-test";

/// A node's process, which ends with this.
struct Node {
    process: Child,
    /// Where it says what goes on.
    words: PathBuf,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Node {
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.words).unwrap()
    }

    async fn end(&mut self) -> ExitStatus {
        let mut status = None;
        eventually(|| {
            status = self.process.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }
}

async fn eventually(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A gateway that takes one node at a time.
struct Gateway {
    listener: TcpListener,
    host: Arc<RemoteHost>,
}

/// A connection of a node, registered.
struct Connection {
    socket: WebSocketStream<TcpStream>,
    link: (Inbound, Outbound),
    /// What the node told of itself.
    registered: Value,
}

impl Gateway {
    async fn new() -> Gateway {
        let hello = Hello {
            version: LINK_VERSION,
            gateway: "pretended".to_owned(),
            ring_bytes: 1 << 20,
            when_full: WhenFull::Wait,
            window_bytes: OUTPUT_WINDOW,
        };
        Gateway { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), host: RemoteHost::new(hello) }
    }

    fn node(&self, state: &tempfile::TempDir, token: &str) -> Node {
        let address = format!("http://{}", self.listener.local_addr().unwrap());
        let words = state.path().join("words");
        let process = Command::new(env!("CARGO_BIN_EXE_everpane"))
            .args(["node", "--gateway", &address, "--cwd", "/", "--root", "/", "--shell", "/bin/sh"])
            .arg("--state-dir")
            .arg(state.path())
            .env("EVERPANE_NODE_TOKEN", token)
            .env("EVERPANE_LOG", "info")
            .stderr(File::create(&words).unwrap())
            .spawn()
            .unwrap();
        Node { process, words }
    }

    #[allow(clippy::result_large_err, reason = "the type is tungstenite's")]
    async fn accept(&self) -> Option<Connection> {
        let (stream, _) = timeout(SOON, self.listener.accept()).await.unwrap().unwrap();
        let check = |request: &Request, response: Response| {
            assert_eq!(request.uri().path(), "/ws");
            let token = request.headers().get("authorization").and_then(|header| header.to_str().ok());
            if token == Some(&format!("Bearer {TOKEN}")) {
                return Ok(response);
            }
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = tokio_tungstenite::tungstenite::http::StatusCode::UNAUTHORIZED;
            Err(refusal)
        };
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, check).await.ok()?;
        let init = json!({ "event": "init", "nodes": [], "protocol_version": "1" });
        socket.send(Message::text(init.to_string())).await.unwrap();
        let request = next_request(&mut socket).await;
        assert_eq!(request["method"], "register");
        let answer = json!({ "id": request["id"], "result": { "status": "registered" } });
        socket.send(Message::text(answer.to_string())).await.unwrap();
        Some(Connection { socket, link: self.host.connect(), registered: request["params"].clone() })
    }
}

async fn next_request(socket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        if let Message::Text(text) = timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

impl Connection {
    /// Carries frames until `done`, or until the node says something in text that is no heartbeat.
    async fn carry(&mut self, on_ready: impl Fn(Vec<Kept>), done: impl Fn(&Taken) -> bool) -> Option<Value> {
        let (inbound, outbound) = &mut self.link;
        let carrying = async {
            loop {
                tokio::select! {
                    Some(frame) = outbound.next() => self.socket.send(Message::Binary(frame)).await.unwrap(),
                    message = self.socket.next() => match message.unwrap().unwrap() {
                        Message::Binary(frame) => {
                            let taken = inbound.take(frame).unwrap();
                            if done(&taken) {
                                return None;
                            }
                            if let Taken::Ready(kept) = taken {
                                on_ready(kept);
                            }
                        }
                        Message::Text(text) => {
                            let request: Value = serde_json::from_str(&text).unwrap();
                            if request["method"] != "ping" {
                                return Some(request);
                            }
                        }
                        _ => {}
                    },
                }
            }
        };
        timeout(SOON, carrying).await.unwrap()
    }
}

fn request(script: &str) -> SpawnRequest {
    SpawnRequest {
        pane: PaneId(1),
        generation: Generation(1),
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        cwd: "".into(),
        environment: vec![
            ("TERM".to_owned(), "xterm-256color".to_owned()),
            ("HOME".to_owned(), "no".to_owned()),
        ],
        size: Size::DEFAULT,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_hosts_programs_over_broken_connections_and_leaves_in_good_order() {
    let state = tempfile::tempdir().unwrap();
    let gateway = Gateway::new().await;
    let mut node = gateway.node(&state, TOKEN);
    let mut first = gateway.accept().await.unwrap();
    assert_eq!(first.registered["kind"], "pty_host");
    assert_eq!(first.registered["pid"], node.process.id());

    let notes = Arc::new(Heard::default());
    let (host, sink) = (gateway.host.clone(), notes.clone());
    let start = move |kept: Vec<Kept>| {
        assert!(kept.is_empty());
        let spawning = host.spawn(request("echo $TERM $PWD; read word; echo got $word"), sink.clone());
        tokio::spawn(async move { spawning.await.unwrap().terminal.start() });
    };
    first.carry(start, |_| notes.text().contains("xterm-256color /\r\n")).await;
    let (id, instance) = (first.registered["id"].clone(), first.registered["instance"].clone());
    drop(first);

    let mut second = gateway.accept().await.unwrap();
    let resumed = (gateway.host.clone(), notes.clone());
    let resume = |kept: Vec<Kept>| {
        let (host, notes) = &resumed;
        let from = notes.len() as u64;
        let terminal = host.resume(&kept[0], from, notes.clone()).unwrap();
        terminal.start();
        assert_eq!(terminal.write(b"word\r"), 5);
    };
    second.carry(resume, |_| notes.exit().is_some()).await;
    assert_eq!(notes.text(), "xterm-256color /\r\nword\r\ngot word\r\n");
    assert_eq!((&second.registered["id"], &second.registered["instance"]), (&id, &instance));

    node.signal(Signal::USR1);
    second.carry(|_| (), |taken| *taken == Taken::Sleeping).await;
    node.signal(Signal::TERM);
    let goodbye = second.carry(|_| (), |_| false).await.unwrap();
    assert_eq!(
        (&goodbye["method"], &goodbye["params"]["id"]),
        (&json!("deregister"), &second.registered["id"])
    );
    let answer = json!({ "id": goodbye["id"], "result": { "status": "deregistered" } });
    second.socket.send(Message::text(answer.to_string())).await.unwrap();
    assert!(node.end().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_known_ends_the_node_with_a_word() {
    let state = tempfile::tempdir().unwrap();
    let gateway = Gateway::new().await;
    let mut node = gateway.node(&state, "another-token-of-this-test");
    assert!(gateway.accept().await.is_none());
    assert_eq!(node.end().await.code(), Some(1));
    assert!(node.said().contains("does not know this token"), "{}", node.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_superseded_does_not_dial_at_once() {
    let state = tempfile::tempdir().unwrap();
    let gateway = Gateway::new().await;
    let node = gateway.node(&state, TOKEN);
    let mut connection = gateway.accept().await.unwrap();
    let close = CloseFrame { code: 4409.into(), reason: "superseded".into() };
    connection.socket.send(Message::Close(Some(close))).await.unwrap();
    // Its own words tell when it would dial again.
    eventually(|| node.said().contains("dialling again in ")).await;
    let said = node.said();
    let wait = said.rsplit("dialling again in ").next().unwrap().split(' ').next().unwrap();
    assert!(wait.parse::<f64>().unwrap() >= 60.0, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_not_there_is_named_once_in_a_line() {
    let state = tempfile::tempdir().unwrap();
    let gateway = Gateway::new().await;
    let address = gateway.listener.local_addr().unwrap().to_string();
    let mut node = gateway.node(&state, TOKEN);
    drop(gateway.accept().await.unwrap());
    drop(gateway);
    let about = |said: &str| said.lines().find(|line| line.contains("nothing listens")).map(str::to_owned);
    eventually(|| about(&node.said()).is_some()).await;
    let line = about(&node.said()).unwrap();
    assert_eq!(line.matches(&address).count(), 1, "{line}");
    node.signal(Signal::TERM);
    assert!(node.end().await.success());
}
