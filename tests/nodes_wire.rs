//! What nodes, agents and those who watch them get at `/ws`, asked of the real program over bare WebSockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::processes::Process;
use support::roster::{NodeSocket, Said};
use support::stage::eventually;
use support::{Gateway, PATIENCE, TOKEN, everpane};
use tokio_tungstenite::tungstenite::Message;

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A gateway without a node of its own, so that tests see theirs alone.
fn gateway(data: &Path, arguments: &[&str]) -> Gateway {
    Gateway::run(everpane(data).env("EVERPANE_TOKEN", TOKEN).arg("--no-local-node").args(arguments))
}

fn agent(id: &str, port: u16) -> Value {
    json!({"id": id, "machine": "box", "cwd": "/work", "port": port, "status": "active"})
}

fn node(id: &str, machine: &str) -> Value {
    json!({"id": id, "machine": machine, "cwd": "/work"})
}

fn active(id: &str) -> (String, String) {
    (id.to_owned(), "active".to_owned())
}

fn offline(id: &str) -> (String, String) {
    (id.to_owned(), "offline".to_owned())
}

/// Makes a node token with the program.
fn node_token(data: &Path, name: &str) -> String {
    let output = command(data, &["node-token", "create", name]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everpane"));
    command.env_clear().env("HOME", "/").args(arguments).arg("--data-dir").arg(data);
    command
}

/// Whether `whole` has everything that `part` has.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| contains(whole, part))
        }
        _ => whole == part,
    }
}

#[test]
fn the_exchanges_of_the_document_happen() {
    let document = include_str!("../docs/nodes.md");
    let blocks: Vec<_> = document.split("```exchange\n").skip(1).collect();
    assert!(blocks.len() >= 3, "the document shows exchanges");
    for block in blocks {
        let data = dir();
        let gateway = gateway(data.path(), &[]);
        let mut sockets = std::collections::BTreeMap::new();
        for line in block.split("```").next().unwrap().lines() {
            let (who, said) = line.split_once(' ').unwrap();
            let (name, sends) = (who.trim_end_matches(['<', '>']), who.ends_with('>'));
            let connect = || NodeSocket::try_connect(&gateway, TOKEN).unwrap();
            let socket = sockets.entry(name).or_insert_with(connect);
            if sends {
                socket.send(Message::text(said));
            } else if let Some(code) = said.strip_prefix("close ") {
                assert_eq!(socket.expect_close().0.to_string(), code, "{line}");
            } else {
                let wanted = serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {line}"));
                socket.expect(line, |message| contains(message, &wanted));
            }
        }
    }
}

#[test]
fn the_document_has_every_method_event_and_code() {
    use everpane::protocol::node::{NodeClose, NodeMethod};
    let document = include_str!("../docs/nodes.md");
    let has = |what: String| assert!(document.contains(&what), "not in the document: {what}");
    NodeMethod::NAMES.iter().for_each(|method| has(format!("| `{method}` |")));
    for event in ["init", "node_joined", "node_offline", "node_removed"] {
        has(format!("| `{event}` |"));
    }
    for why in [NodeClose::Revoked, NodeClose::Silent, NodeClose::Superseded, NodeClose::Evicted] {
        has(format!("| {} |", why.code()));
    }
    for code in
        ["unknown_node", "node_offline", "no_port", "agent_unreachable", "no_websocket", "agent_silent"]
    {
        has(format!("`{code}`"));
    }
}

#[test]
fn everyone_is_told_who_is_there_and_what_happens() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let mut watcher = NodeSocket::connect(&gateway);
    let init = watcher.events[0].clone();
    assert_eq!(init["protocol_version"], "1");
    let local = &init["nodes"][0];
    assert_eq!(
        (&local["id"], &local["kind"], &local["status"]),
        (&json!("local"), &json!("local"), &json!("active"))
    );
    assert!(local["pid"].is_u64() && local["machine"].is_string() && local["cwd"].is_string(), "{local}");

    let mut node = NodeSocket::connect(&gateway);
    node.register(&agent("a", 9000));
    let joined = watcher.expect_event("node_joined", "a")["node"].clone();
    assert_eq!(
        (&joined["port"], &joined["machine"], &joined["cwd"]),
        (&json!(9000), &json!("box"), &json!("/work"))
    );
    assert!(joined["last_seen"].as_u64().unwrap() > 1_600_000_000, "{joined}");
    node.close();
    let offline = watcher.expect_event("node_offline", "a");
    assert_eq!(offline["why"], "left");
    let again = NodeSocket::connect(&gateway);
    let known = again.events[0]["nodes"].as_array().unwrap().clone();
    assert_eq!(known.len(), 2);
    assert!(known[0]["offline_since"].is_u64(), "{known:?}");
    let mut node = NodeSocket::connect(&gateway);
    node.register(&agent("a", 9000));
    assert_eq!(node.call("deregister", &json!({"id": "a"})), Ok(json!({"status": "deregistered"})));
    watcher.expect_event("node_removed", "a");
    assert_eq!(node.call("deregister", &json!({"id": "a"})), Ok(json!({"status": "not_found"})));
}

#[test]
fn each_method_answers_and_each_mistake_is_told() {
    let (data, root) = (dir(), dir());
    for folder in ["b", "a", ".hidden"] {
        fs::create_dir(root.path().join(folder)).unwrap();
    }
    let config = data.path().join("everpane.toml");
    fs::write(&config, format!("[nodes]\nroot = {:?}\n", root.path())).unwrap();
    let gateway = gateway(data.path(), &["--config", config.to_str().unwrap()]);
    let mut socket = NodeSocket::connect(&gateway);

    let health = socket.call("ping", &json!({})).unwrap();
    assert_eq!(health, json!({"status": "healthy", "nodes": 0, "version": env!("CARGO_PKG_VERSION")}));
    assert_eq!(socket.call("ping", &json!({"id": "a"})).unwrap()["registered"], false);
    socket.register(&node("a", "box"));
    let health = socket.call("ping", &json!({"id": "a", "panes": 3, "idle_secs": 60})).unwrap();
    assert_eq!((&health["registered"], &health["nodes"]), (&json!(true), &json!(1)));
    let nodes = socket.call("list_nodes", &Value::Null).unwrap();
    assert_eq!((&nodes[0]["panes"], &nodes[0]["idle_secs"]), (&json!(3), &json!(60)));

    let current = root.path().canonicalize().unwrap().to_str().unwrap().to_owned();
    let listing = socket.call("list_directories", &json!({})).unwrap();
    assert_eq!(listing, json!({"current": current, "directories": ["a", "b"]}));
    let listing = socket.call("list_directories", &json!({"path": "a"})).unwrap();
    assert_eq!(listing["current"], format!("{current}/a"));

    let mistakes = [
        ("list_directories", json!({"path": "/"}), "outside"),
        ("list_directories", json!({"path": "c"}), "no folder"),
        ("list_directories", json!({"path": 1}), "`path`"),
        ("spawn_agent", json!({"path": "a"}), "agent_command"),
        ("spawn_agent", json!({}), "missing field `path`"),
        ("register", json!({"id": "a"}), "missing field `machine`"),
        ("register", node("", "box"), "`id` must be"),
        ("register", json!({"id": "a", "machine": "b\u{1b}[2J", "cwd": "/"}), "`machine` has control"),
        ("register", json!({"id": "a", "machine": "b", "cwd": "/", "kind": "local"}), "`kind`"),
        ("register", agent("a", 0), "`port`"),
        ("deregister", json!({}), "missing field `id`"),
        ("reboot", json!({}), "unknown method `reboot`"),
    ];
    for (method, params, wanted) in mistakes {
        let error = socket.call(method, &params).unwrap_err();
        assert!(error.contains(wanted), "{method} {params}: {error}");
    }
    assert_eq!(socket.nodes(), [active("a")], "a mistake changes nothing");
}

#[test]
fn what_is_no_request_is_refused_and_a_flood_of_it_ends_the_connection() {
    let data = dir();
    let gateway = gateway(data.path(), &[]);
    let mut socket = NodeSocket::connect(&gateway);
    let mut refused = |message: Message| {
        socket.send(message);
        let answer = socket.expect("a refusal", |message| message.get("error").is_some());
        (answer["id"].clone(), answer["error"].as_str().unwrap().to_owned())
    };
    for text in ["", "{", "[]", "7", r#"{"method":"ping"}"#, r#"{"id":null,"method":"ping"}"#] {
        assert_eq!(refused(Message::text(text)).0, Value::Null, "{text}");
    }
    assert_eq!(refused(Message::text(r#"{"id":"x"}"#)), (json!("x"), "missing field `method`".to_owned()));
    assert!(refused(Message::binary(vec![1, 2, 3])).1.contains("binary"));
    let long = json!({"id": 1, "method": "ping", "params": {"x": "y".repeat(65_536)}});
    assert!(refused(Message::text(long.to_string())).1.contains("65536"));
    for _ in 0..20 {
        socket.send(Message::text("{"));
    }
    assert_eq!(socket.expect_close(), (1008, "too many malformed messages".to_owned()));

    let mut socket = NodeSocket::connect(&gateway);
    socket.send(Message::text(" ".repeat((1 << 20) + 1)));
    assert_eq!(socket.expect_close().0, 1009);
    assert!(NodeSocket::connect(&gateway).nodes().is_empty(), "the gateway goes on");
}

#[test]
fn requests_of_one_connection_do_not_wait_for_each_other() {
    let data = dir();
    let gateway = gateway(data.path(), &[]);
    let mut socket = NodeSocket::connect(&gateway);
    let listings: Vec<_> = (0..30).map(|_| socket.ask("list_directories", &json!({"path": "/"}))).collect();
    let pings: Vec<_> = (0..30).map(|_| socket.ask("ping", &json!({}))).collect();
    let mut waiting: std::collections::BTreeSet<u64> = listings.into_iter().chain(pings).collect();
    while !waiting.is_empty() {
        let answer = socket.expect("an answer", |message| message.get("id").is_some());
        assert!(waiting.remove(&answer["id"].as_u64().unwrap()), "{answer}");
    }
}

#[test]
fn restarts_of_a_node_leave_one_record() {
    let data = dir();
    let gateway = gateway(data.path(), &[]);
    let mut watcher = NodeSocket::connect(&gateway);
    let mut old = Vec::new();
    for restart in 0..6 {
        // A new session of the same agent: another id and process, the same machine and port; nobody said goodbye.
        for (port, name) in [(9001, "x"), (9002, "y"), (9003, "z")] {
            let mut socket = NodeSocket::connect(&gateway);
            socket.register(&agent(&format!("{name}-{restart}"), port));
            old.push(socket);
        }
    }
    assert_eq!(watcher.nodes(), [active("x-5"), active("y-5"), active("z-5")]);
    let last = old.split_off(15);
    for mut socket in old {
        assert_eq!(socket.expect_close().0, 4410);
    }
    // Their ends, which the gateway notices only now, change nothing.
    assert_eq!(watcher.nodes().len(), 3);
    let removed = watcher.events.iter().filter(|event| event["event"] == "node_removed").count();
    assert_eq!(removed, 15);
    drop(last);
    eventually("all to be offline", || (watcher.nodes() == ["x-5", "y-5", "z-5"].map(offline)).then_some(()));
}

#[test]
fn a_newer_connection_takes_an_id_over_and_the_older_one_is_closed() {
    let data = dir();
    let gateway = gateway(data.path(), &[]);
    let mut first = NodeSocket::connect(&gateway);
    first.register(&node("a", "box"));
    let mut second = NodeSocket::connect(&gateway);
    second.register(&node("a", "box"));
    assert_eq!(first.expect_close().0, 4409);
    drop(first);
    assert_eq!(second.nodes(), [active("a")], "a late close changes nothing");
    assert_eq!(second.call("ping", &json!({"id": "a"})).unwrap()["registered"], true);

    let mut stranger = NodeSocket::connect(&gateway);
    let not_found = Ok(json!({"status": "not_found"}));
    assert_eq!(stranger.call("deregister", &json!({"id": "a"})), not_found, "only a node itself can");
    stranger.register(&node("b", "box"));
    assert_eq!(stranger.call("deregister", &json!({"id": "a"})), not_found);
    assert_eq!(stranger.nodes(), [active("a"), active("b")]);
}

#[test]
fn two_processes_that_fight_over_an_id_do_not_go_on_for_ever() {
    let data = dir();
    let gateway = gateway(data.path(), &[]);
    let process = |instance: &str| json!({"id": "a", "machine": "box", "cwd": "/", "instance": instance});
    let mut sockets = Vec::new();
    for turn in 0..20 {
        let mut socket = NodeSocket::connect(&gateway);
        let outcome = socket.call("register", &process(if turn % 2 == 0 { "one" } else { "two" }));
        if let Err(error) = outcome {
            assert!(error.contains("two running processes"), "{error}");
            assert!(turn <= 5, "after {turn} turns");
            return;
        }
        sockets.push(socket);
    }
    panic!("nobody was refused");
}

#[test]
fn a_thousand_nodes_register_at_once() {
    let data = dir();
    let gateway = gateway(data.path(), &[]);
    let mut watcher = NodeSocket::connect(&gateway);
    let start = Instant::now();
    let mut sockets: Vec<_> = (0..1000).map(|_| NodeSocket::try_connect(&gateway, TOKEN).unwrap()).collect();
    for (number, socket) in sockets.iter_mut().enumerate() {
        socket.ask("register", &node(&format!("n{number}"), "box"));
    }
    let mut joined = 0;
    while joined < 1000 {
        watcher.expect("node_joined", |message| message["event"] == "node_joined");
        joined += 1;
    }
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    assert_eq!(watcher.call("ping", &json!({})).unwrap()["nodes"], 1000);
    drop(sockets);
    for _ in 0..1000 {
        watcher.expect("node_offline", |message| message["event"] == "node_offline");
    }
}

#[test]
fn flaps_leave_nothing_behind() {
    let data = dir();
    let gateway = gateway(data.path(), &[]);
    let mut watcher = NodeSocket::connect(&gateway);
    let process = Process::of(gateway.pid()).unwrap();
    let flap = |number: u32| {
        let mut socket = NodeSocket::connect(&gateway);
        socket.register(&node("a", "box"));
        if number.is_multiple_of(2) { socket.close() } else { drop(socket) }
    };
    flap(0);
    watcher.expect_event("node_offline", "a");
    let before = process.descriptors();
    (0..200).for_each(flap);
    eventually("descriptors to be given back", || (process.descriptors() <= before).then_some(()));
    eventually("it to be offline", || (watcher.nodes() == [offline("a")]).then_some(()));
}

#[test]
fn the_silent_are_offline_then_gone_and_signs_of_life_keep_the_others() {
    let data = dir();
    let gateway = gateway(data.path(), &["--node-ttl", "2"]);
    let mut silent = NodeSocket::connect(&gateway);
    silent.register(&node("silent", "box"));
    let mut pinging = NodeSocket::connect(&gateway);
    pinging.register(&node("pinging", "box"));
    let mut watcher = NodeSocket::connect(&gateway);
    // Nobody reads the silent one's socket, so nobody answers its pings; the watcher's are answered as it is read.
    let deadline = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    while seen.last().is_none_or(|event| event != "node_removed") {
        assert!(Instant::now() < deadline, "after {seen:?}");
        pinging.send(Message::Ping(Vec::new().into()));
        if let Some(Said::Message(event)) = watcher.next_before(Instant::now() + Duration::from_millis(300)) {
            assert_eq!(event["id"], "silent", "{event}");
            seen.push(event["event"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen, ["node_offline", "node_removed"]);
    let closed =
        [&[0x88][..], &[2 + "nothing was heard for too long".len() as u8], &4408_u16.to_be_bytes()].concat();
    let sent = silent.unread();
    assert!(sent.windows(closed.len()).any(|bytes| bytes == closed), "{:?}", String::from_utf8_lossy(&sent));
    assert_eq!(pinging.nodes(), [active("pinging")]);
}

#[test]
fn a_node_token_lets_a_node_in_until_it_is_revoked() {
    let data = dir();
    let token = node_token(data.path(), "sandbox");
    let other = node_token(data.path(), "other");
    let gateway = gateway(data.path(), &[]);
    let mut node = NodeSocket::connect_with(&gateway, &token);
    node.register(&self::node("a", "box"));
    assert_eq!(node.nodes(), [active("a")]);
    let mut foreign = NodeSocket::connect_with(&gateway, &other);
    let error = foreign.call("register", &self::node("a", "box")).unwrap_err();
    assert!(error.contains("another token"), "{error}");
    let mut ours = NodeSocket::connect(&gateway);
    assert!(ours.call("register", &self::node("a", "box")).is_err(), "nor does the gateway's own token");

    let bearer = format!("Bearer {token}");
    let host = gateway.host();
    for target in ["/mux", "/ws/agent/a", "/"] {
        let headers = [("Host", host.as_str()), ("Authorization", bearer.as_str())];
        assert_eq!(gateway.upgrade(target, &headers).status, 401, "{target}");
    }
    assert_eq!(gateway.upgrade(&format!("/ws?token={token}"), &[("Host", &host)]).status, 101);

    let list = command(data.path(), &["node-token", "list"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.contains("  sandbox\n") && !list.contains(&token), "{list}");
    let revoked = Instant::now();
    assert!(command(data.path(), &["node-token", "revoke", "sandbox"]).status().unwrap().success());
    assert_eq!(node.expect_close().0, 4401);
    assert!(revoked.elapsed() < Duration::from_secs(5), "{:?}", revoked.elapsed());
    ours.expect_event("node_removed", "a");
    assert!(NodeSocket::try_connect(&gateway, &token).is_err());
    foreign.register(&self::node("a", "box"));
    let again = command(data.path(), &["node-token", "revoke", "sandbox"]).output().unwrap();
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("no node token"));
}

#[test]
fn a_node_token_may_not_look_around_or_start_things() {
    let data = dir();
    let token = node_token(data.path(), "sandbox");
    let gateway = gateway(data.path(), &[]);
    let mut node = NodeSocket::connect_with(&gateway, &token);
    for (method, params) in [("list_directories", json!({})), ("spawn_agent", json!({"path": "/"}))] {
        let error = node.call(method, &params).unwrap_err();
        assert!(error.contains("node token"), "{method}: {error}");
    }
}

#[test]
fn records_outlive_a_killed_gateway() {
    let data = dir();
    let gateway = self::gateway(data.path(), &[]);
    let mut socket = NodeSocket::connect(&gateway);
    socket.register(&agent("a", 9000));
    let file = data.path().join("nodes.json");
    let saved = || fs::read_to_string(&file).unwrap_or_default().contains(r#""id":"a""#);
    eventually("the record to be saved", || saved().then_some(()));
    Process::of(gateway.pid()).unwrap().signal("KILL");
    drop(gateway);

    let gateway = self::gateway(data.path(), &[]);
    let mut watcher = NodeSocket::connect(&gateway);
    let restored = watcher.events[0]["nodes"][0].clone();
    let wanted = json!({"id": "a", "status": "offline", "why": "gateway_restarted", "port": 9000});
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(&restored[key], value, "{restored}");
    }
    assert!(restored["last_seen"].is_u64(), "{restored}");
    let mut socket = NodeSocket::connect(&gateway);
    socket.register(&agent("b", 9000));
    watcher.expect_event("node_removed", "a");
    assert_eq!(watcher.nodes(), [active("b")]);
}

#[test]
fn an_orderly_end_says_goodbye_and_remembers_who_was_there() {
    let data = dir();
    let mut gateway = self::gateway(data.path(), &[]);
    let mut socket = NodeSocket::connect(&gateway);
    socket.register(&node("a", "box"));
    gateway.signal("TERM");
    assert_eq!(socket.expect_close().0, 1001);
    assert!(gateway.wait().success());
    let gateway = self::gateway(data.path(), &[]);
    let watcher = NodeSocket::connect(&gateway);
    assert_eq!(watcher.events[0]["nodes"][0]["why"], "gateway_restarted");
}

#[test]
fn who_does_not_read_is_closed_and_costs_the_others_nothing() {
    let data = dir();
    let gateway = gateway(data.path(), &[]);
    let mut slow = NodeSocket::try_connect(&gateway, TOKEN).unwrap();
    let mut node = NodeSocket::connect(&gateway);
    let long = json!({"id": "a", "machine": "m".repeat(255), "cwd": format!("/{}", "d".repeat(4000))});
    let process = Process::of(gateway.pid()).unwrap();
    let before = process.descriptors();
    // More than the system's buffers and the gateway's queue hold together, and the gateway's patience.
    let deadline = Instant::now() + 2 * PATIENCE;
    while process.descriptors() >= before {
        assert!(Instant::now() < deadline, "the slow one is never closed");
        for _ in 0..100 {
            node.register(&long);
        }
        node.events.clear();
    }
    assert_eq!(node.nodes(), [active("a")]);
    let mut read = 0;
    while let Some(Said::Message(_)) = slow.next_before(Instant::now() + PATIENCE) {
        read += 1;
    }
    assert!(read > 0, "it got what was on the way");
}

#[test]
fn the_program_shows_the_nodes() {
    let data = dir();
    let gateway = Gateway::run(&mut everpane(data.path()));
    let token = fs::read_to_string(data.path().join("token")).unwrap();
    let mut socket = NodeSocket::connect_with(&gateway, token.trim());
    socket.register(&agent("agent-7", 9000));
    let run = |arguments: &[&str]| {
        let output = command(data.path(), arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = run(&["nodes"]);
    assert!(shown.starts_with("ID "), "{shown}");
    assert!(shown.contains("agent-7  active  box") && shown.contains("local"), "{shown}");
    let nodes: Value = serde_json::from_str(&run(&["nodes", "--json"])).unwrap();
    assert_eq!((&nodes[0]["id"], &nodes[1]["id"]), (&json!("agent-7"), &json!("local")));
    let url = format!("http://{}", gateway.address);
    let elsewhere = dir();
    let refused = command(elsewhere.path(), &["nodes", "--gateway", &url]).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("EVERPANE_TOKEN"), "{refused:?}");
    run(&["nodes", "--gateway", &url, "--token", token.trim()]);
}

#[test]
fn the_program_shows_what_happens() {
    use std::io::{BufRead, BufReader};
    let data = dir();
    let gateway = gateway(data.path(), &[]);
    let mut watching = command(data.path(), &["nodes", "--json", "--watch"])
        .env("EVERPANE_TOKEN", TOKEN)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["event"], "init");
    let mut socket = NodeSocket::connect(&gateway);
    socket.register(&node("a", "box"));
    assert_eq!(next()["event"], "node_joined");
    drop(socket);
    assert_eq!(next()["event"], "node_offline");
    drop(gateway);
    assert!(!watching.wait().unwrap().success(), "the gateway is gone");
}

#[test]
fn a_gateway_behind_tls_is_asked_over_tls() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for scheme in ["https", "wss"] {
        let gateway = format!("{scheme}://{address}");
        let mut asking = command(dir().path(), &["nodes", "--gateway", &gateway]);
        let asking = asking.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut first = [0; 3];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(first[..2], [0x16, 0x03], "the greeting of TLS");
        drop(stream);
        let output = asking.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("cannot reach the gateway at https://"), "{said}");
    }
}
