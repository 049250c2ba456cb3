//! What goes through `/ws/agent/{id}` to an agent's own port, and what it says where there is none.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Instant;

use serde_json::json;
use support::roster::NodeSocket;
use support::{Answer, Gateway, PATIENCE, TOKEN, everpane};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket, accept, accept_hdr};

fn gateway(data: &Path) -> Gateway {
    Gateway::run(everpane(data).env("EVERPANE_TOKEN", TOKEN).arg("--no-local-node"))
}

/// An agent at a port of its own, served one connection after the other by `serve`.
fn agent(gateway: &Gateway, id: &str, serve: impl Fn(TcpStream) + Send + 'static) -> NodeSocket {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap())));
    register(gateway, id, port)
}

fn register(gateway: &Gateway, id: &str, port: u16) -> NodeSocket {
    let mut socket = NodeSocket::connect(gateway);
    socket.register(&json!({"id": id, "machine": "box", "cwd": "/", "port": port}));
    socket
}

/// Sends back what comes, up to a close, which it returns.
fn echo(stream: TcpStream) {
    let mut socket = accept(stream).unwrap();
    loop {
        match socket.read() {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => socket.send(message).unwrap(),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn connect(gateway: &Gateway, id: &str) -> WebSocket<TcpStream> {
    let request = format!("ws://{}/ws/agent/{id}?token={TOKEN}", gateway.address);
    tungstenite::client(request, gateway.connect()).unwrap().0
}

fn refused(gateway: &Gateway, id: &str) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    let host = gateway.host();
    gateway.upgrade(&format!("/ws/agent/{id}"), &[("Host", &host), ("Authorization", &bearer)])
}

/// Reads on to the close frame.
fn close_of(socket: &mut WebSocket<TcpStream>) -> Option<(u16, String)> {
    loop {
        match socket.read() {
            Ok(Message::Close(frame)) => return frame.map(|f| (f.code.into(), f.reason.to_string())),
            Ok(_) => {}
            Err(error) => panic!("{error} instead of a close frame"),
        }
    }
}

#[test]
fn messages_go_both_ways_as_they_are() {
    let data = tempfile::tempdir().unwrap();
    let gateway = gateway(data.path());
    let _agent = agent(&gateway, "a", echo);
    let mut client = connect(&gateway, "a");
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
    let messages = [
        Message::text(""),
        Message::text("grüß"),
        Message::binary(vec![]),
        Message::binary(vec![0, 255]),
        Message::binary(large),
    ];
    for message in &messages {
        client.send(message.clone()).unwrap();
    }
    for message in messages {
        let mut echoed = client.read().unwrap();
        while echoed.is_ping() || echoed.is_pong() {
            echoed = client.read().unwrap();
        }
        assert!(echoed == message, "{} bytes came back instead of {}", echoed.len(), message.len());
    }
    client.send(Message::Ping(vec![7].into())).unwrap();
    client.flush().unwrap();
    assert_eq!(client.read().unwrap(), Message::Pong(vec![7].into()));
}

#[test]
fn closes_are_passed_on_with_code_and_reason() {
    let data = tempfile::tempdir().unwrap();
    let gateway = gateway(data.path());
    let (told_tx, told) = std::sync::mpsc::channel();
    // Ends as it is asked to, and tells how the client ended.
    let serve = move |stream: TcpStream| {
        let mut socket = accept(stream).unwrap();
        match socket.read().unwrap() {
            Message::Text(text) if text == "vanish" => socket.get_ref().shutdown(Shutdown::Both).unwrap(),
            Message::Text(text) => {
                let code: u16 = text.parse().unwrap();
                socket.close(Some(CloseFrame { code: code.into(), reason: "because".into() })).unwrap();
                while socket.read().is_ok() {}
            }
            Message::Close(frame) => {
                told_tx.send(frame.map(|f| (u16::from(f.code), f.reason.to_string()))).unwrap();
                while socket.read().is_ok() {}
            }
            other => panic!("{other}"),
        }
    };
    let _agent = agent(&gateway, "a", serve);
    for code in [1000_u16, 1011, 3000, 4321] {
        let mut client = connect(&gateway, "a");
        client.send(Message::text(code.to_string())).unwrap();
        assert_eq!(close_of(&mut client), Some((code, "because".to_owned())));

        let mut client = connect(&gateway, "a");
        client.close(Some(CloseFrame { code: code.into(), reason: "enough".into() })).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), Some((code, "enough".to_owned())));
    }
    let mut client = connect(&gateway, "a");
    client.close(None).unwrap();
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), None, "without a code");

    let mut client = connect(&gateway, "a");
    client.send(Message::text("vanish")).unwrap();
    assert_eq!(close_of(&mut client), Some((1011, "the agent is gone".to_owned())));

    let client = connect(&gateway, "a");
    drop(client);
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), Some((1001, "the client is gone".to_owned())));
}

#[test]
fn what_cannot_be_reached_is_told_at_once() {
    let data = tempfile::tempdir().unwrap();
    let gateway = gateway(data.path());
    let told = |id: &str| {
        let answer = refused(&gateway, id);
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        (answer.status, problem["code"].as_str().unwrap().to_owned())
    };
    let bad_gateway = |code: &str| (502, code.to_owned());
    assert_eq!(told("nobody"), (404, "unknown_node".to_owned()));

    let nothing_listens = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let unreachable = register(&gateway, "unreachable", nothing_listens);
    assert_eq!(told("unreachable"), bad_gateway("agent_unreachable"));
    unreachable.close();
    let mut watcher = NodeSocket::connect(&gateway);
    while watcher.nodes() != [("unreachable".to_owned(), "offline".to_owned())] {}
    assert_eq!(told("unreachable"), bad_gateway("node_offline"));

    let mut portless = NodeSocket::connect(&gateway);
    portless.register(&json!({"id": "portless", "machine": "box", "cwd": "/"}));
    assert_eq!(told("portless"), bad_gateway("no_port"));

    let _rude = agent(&gateway, "rude", |stream| {
        use std::io::{Read, Write};
        let mut stream = stream;
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    assert_eq!(told("rude"), bad_gateway("no_websocket"));

    let (keep_tx, keep) = std::sync::mpsc::channel();
    let _mute = agent(&gateway, "mute", move |stream| keep_tx.send(stream).unwrap());
    let start = Instant::now();
    assert_eq!(told("mute"), bad_gateway("agent_silent"));
    assert!(start.elapsed().as_secs() < 8, "{:?}", start.elapsed());
    drop(keep);
}

#[test]
fn the_agent_sees_the_subprotocol_and_no_secret() {
    let data = tempfile::tempdir().unwrap();
    let gateway = gateway(data.path());
    let (seen_tx, seen) = std::sync::mpsc::channel();
    let serve = move |stream: TcpStream| {
        #[allow(clippy::result_large_err, reason = "the library's own type")]
        let choose = |request: &Request, mut response: Response| {
            seen_tx.send(format!("{:?} {}", request.headers(), request.uri())).unwrap();
            response.headers_mut().insert("sec-websocket-protocol", "two".parse().unwrap());
            Ok(response)
        };
        let mut socket = accept_hdr(stream, choose).unwrap();
        while socket.read().is_ok() {}
    };
    let _agent = agent(&gateway, "a", serve);
    let mut request = format!("ws://{}/ws/agent/a", gateway.address).into_client_request().unwrap();
    request.headers_mut().insert("Authorization", format!("Bearer {TOKEN}").parse().unwrap());
    request.headers_mut().insert("Sec-WebSocket-Protocol", "one, two".parse().unwrap());
    let (_client, answer) = tungstenite::client(request, gateway.connect()).unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "two");
    let seen = seen.recv_timeout(PATIENCE).unwrap();
    assert!(seen.contains("one, two") && !seen.contains(TOKEN), "{seen}");
}

#[test]
fn a_client_that_does_not_read_holds_the_agent_up() {
    let data = tempfile::tempdir().unwrap();
    let gateway = gateway(data.path());
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = sent.clone();
    let _agent = agent(&gateway, "a", move |stream| {
        let mut socket = accept(stream).unwrap();
        let message = Message::binary(vec![0_u8; 1 << 20]);
        while socket.send(message.clone()).is_ok() {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let mut client = connect(&gateway, "a");
    client.read().unwrap();
    // It has come to a halt when it sends nothing more for a second.
    let mut before = (0, Instant::now());
    while before.1.elapsed().as_secs() < 1 {
        let now = sent.load(std::sync::atomic::Ordering::Relaxed);
        if now != before.0 {
            before = (now, Instant::now());
        }
        assert!(now < 64, "{now} MiB are held somewhere");
        thread::yield_now();
    }
    for _ in 0..100 {
        client.read().unwrap();
    }
}
