//! Wall clocks that are set forward and back by hours while everything runs, asked of real processes: what is shown goes
//! with the clock, and nothing that is decided does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::thread;
use std::time::Instant;

use chrono::DateTime;
use everpane::ids::PaneId;
use everpane::protocol::server::PaneStatus;
use serde_json::{Value, json};
use support::counter::{Counter, counting};
use support::machine::Machine;
use support::proxy::Proxy;
use support::rest::Rest;
use support::roster::NodeSocket;
use support::stage::{Stage, eventually};
use support::typist::Typist;
use support::wall_clock::{HOUR, WallClock};
use support::{Gateway, TOKEN};

/// An hour too late, then one too early.
const STEPS: [i64; 2] = [HOUR, -2 * HOUR];

/// Behind a proxy a gateway goes by the proxy's address.
const BEHIND_A_PROXY: &str = "allowed_hosts = [\"127.0.0.1\"]\n";

/// What tells a time from one that is an hour off, in seconds: more than anything here takes.
const ABOUT: u64 = 300;

/// How many numbers are counted while the gateway looks at least once who is overdue.
const A_WHILE: u64 = 75;

/// And how many while the five seconds pass that it gives to all when it finds that it was stopped.
const BEYOND_THE_GRACE: u64 = 300;

fn counts() -> String {
    counting("0.02")
}

/// What the roster says of a node.
#[track_caller]
fn record(watcher: &mut NodeSocket, node: &str) -> Value {
    let nodes = watcher.call("list_nodes", &json!({})).unwrap();
    let is_it = |record: &&Value| record["id"] == node;
    nodes.as_array().unwrap().iter().find(is_it).unwrap_or_else(|| panic!("no {node} in {nodes}")).clone()
}

/// Waits until a node has been heard at what this clock calls now.
fn until_heard_now(watcher: &mut NodeSocket, node: &str, clock: &WallClock) {
    eventually("a sign of life that is dated anew", || {
        let seen = record(watcher, node)["last_seen"].as_u64().unwrap();
        (seen.abs_diff(clock.now()) < ABOUT).then_some(())
    });
}

/// An agent that has registered, and says nothing any more.
fn agent(gateway: &Gateway, id: &str, port: u16) -> NodeSocket {
    let mut socket = NodeSocket::connect(gateway);
    socket.register(&json!({"id": id, "machine": "box", "cwd": "/", "port": port}));
    socket
}

/// One that has left.
fn gone(gateway: &Gateway, id: &str, port: u16) {
    let mut watcher = NodeSocket::connect(gateway);
    agent(gateway, id, port).close();
    watcher.expect_event("node_offline", id);
}

/// Starts the machine's node, and opens a pane there. Its shell's process.
fn open(gateway: &Gateway, machine: &mut Machine, proxy: &Proxy) -> (Counter, String) {
    machine.start(proxy.address);
    let mut watcher = NodeSocket::connect(gateway);
    let active = (machine.name.clone(), "active".to_owned());
    eventually("an active node", || watcher.nodes().contains(&active).then_some(()));
    let mut counter = Counter::open(gateway, &machine.name);
    let shell = counter.key("first");
    (counter, shell)
}

/// Goes on printing and answering without a break, as the same program.
#[track_caller]
fn goes_on(counter: &mut Counter, shell: &str, key: &str) {
    counter.until_more(A_WHILE);
    assert_eq!(counter.key(key), shell);
    assert!(counter.history().ends_with(&[true]), "{:?}", counter.history());
}

#[test]
fn steps_of_the_gateways_clock_end_nothing() {
    let clock = WallClock::new();
    let stage = Stage::under(&clock, &counts(), BEHIND_A_PROXY);
    let gateway = &stage.gateway;
    assert!(clock.is_of(&stage.process()) && clock.is_of(&stage.host().unwrap()));
    let proxy = Proxy::before(gateway.address);
    let mut machine = Machine::new("n", &counts());
    let mut near = Counter::open(gateway, "local");
    let near_shell = near.key("first");
    let (mut far, far_shell) = open(gateway, &mut machine, &proxy);
    let silent = agent(gateway, "silent", 9000);
    gone(gateway, "gone", 9001);
    let mut watcher = NodeSocket::connect(gateway);
    // It types into the first pane.
    let mut typist = Typist::new(gateway, [400; 8]);

    for (round, step) in STEPS.into_iter().enumerate() {
        let changes = [&near, &far].map(|counter| counter.history().len());
        let key = |what: &str| format!("{what}-{round}");
        typist.type_in(format!("{}\n", key("before")).as_bytes());
        clock.step(step);
        until_heard_now(&mut watcher, "n", &clock);
        typist.type_in(format!("{}\n", key("after")).as_bytes());
        if step > 0 {
            near.until_more(BEYOND_THE_GRACE);
        }
        goes_on(&mut near, &near_shell, &key("near"));
        goes_on(&mut far, &far_shell, &key("far"));
        typist.finish();
        for typed in [key("before"), key("after")] {
            assert_eq!(near.until_answered(&typed), near_shell);
        }
        assert_eq!([&near, &far].map(|counter| counter.history().len()), changes);

        let mut nodes = watcher.nodes();
        nodes.sort();
        let status = |id: &str, status: &str| (id.to_owned(), status.to_owned());
        let active = ["local", "n", "silent"].map(|id| status(id, "active"));
        assert_eq!(nodes, [&[status("gone", "offline")], &active[..]].concat());
        assert_ne!(record(&mut watcher, "silent")["suspect"], true);
        assert_eq!(watcher.events.len(), 1, "nothing after init: {:?}", watcher.events);

        near.come_back(gateway);
        far.come_back(gateway);
        assert_eq!(near.key(&key("near-again")), near_shell);
        assert_eq!(far.key(&key("far-again")), far_shell);
    }

    proxy.cut();
    far.until_connected(false);
    far.until_connected(true);
    assert_eq!(far.key("far-at-last"), far_shell);
    assert!(typist.told.is_empty(), "{:?}", typist.told);
    drop(silent);
}

#[test]
fn nobody_stays_longer_when_the_gateways_clock_is_set_back() {
    let clock = WallClock::new();
    let stage = Stage::under(&clock, "exec cat", "[nodes]\nttl_secs = 5\n");
    assert!(clock.is_of(&stage.process()));
    let mut watcher = NodeSocket::connect(&stage.gateway);
    gone(&stage.gateway, "gone", 9001);
    let _silent = agent(&stage.gateway, "silent", 9000);
    clock.step(-HOUR);
    for node in ["gone", "silent"] {
        let seen = record(&mut watcher, node)["last_seen"].as_u64().unwrap();
        assert!(seen <= clock.now(), "{node} will be seen at {seen}, it is {}", clock.now());
    }
    watcher.expect_event("node_removed", "gone");
    assert_eq!(watcher.expect_event("node_offline", "silent")["why"], "silent");
    watcher.expect_event("node_removed", "silent");
}

#[test]
fn no_proof_of_who_one_is_depends_on_the_clock() {
    let clock = WallClock::new();
    let stage = Stage::under(&clock, "exec cat", "");
    let (gateway, rest) = (&stage.gateway, Rest::of(&stage.gateway));
    let (_viewer, _pane) = stage.open();
    let made = rest.post("/tokens", &json!({ "session": "s1" })).ok(201);
    let of_session = rest.with_token(made["token"].as_str().unwrap());
    let of_node = node_token(&stage, &clock, &["create", "sandbox"]);
    let answer = gateway.request("GET", &format!("/?token={TOKEN}"), &[]);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let guess = || gateway.request("GET", "/", &[("Authorization", "Bearer nonsense")]);
    eventually("guesses that are slowed", || (guess().status == 429).then_some(()));

    for step in STEPS {
        clock.step(step);
        let told = rest.get("").ok(200)["now"].as_u64().unwrap() / 1000;
        assert!(told.abs_diff(clock.now()) < ABOUT, "{told} at {}", clock.now());
        of_session.get("/sessions/s1").ok(200);
        assert_eq!(gateway.request("GET", "/", &[("Cookie", &cookie)]).status, 200);
        eventually("the node's token to be known", || NodeSocket::try_connect(gateway, &of_node).ok());
        // A minute's patience, and no hour's.
        let slowed = guess();
        assert_eq!(slowed.status, 429);
        assert!((1..=60).contains(&slowed.header("retry-after").parse().unwrap()), "{slowed:?}");
    }
    let mut node = NodeSocket::connect_with(gateway, &of_node);
    node_token(&stage, &clock, &["revoke", "sandbox"]);
    assert_eq!(node.expect_close().0, 4401);
}

/// Does this to the gateway's node tokens, on its machine. What it prints.
fn node_token(stage: &Stage, clock: &WallClock, action: &[&str]) -> String {
    let mut command = stage.everpane(&["node-token"]);
    command.envs(clock.variables()).args(action).arg("--data-dir").arg(stage.path("data"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// When a node last said something to people, in seconds since the Unix epoch as its own clock has them.
fn last_words(machine: &Machine) -> u64 {
    let words = machine.words();
    let stamp = words.lines().last().unwrap().split(' ').next().unwrap();
    DateTime::parse_from_rfc3339(stamp).unwrap().timestamp().try_into().unwrap()
}

/// A node whose clock steps under a viewer's eyes.
fn a_node_steps(gateway: &Gateway) {
    let clock = WallClock::new();
    let proxy = Proxy::before(gateway.address);
    let mut machine = Machine::under(&clock, "busy", &counts());
    let (mut counter, shell) = open(gateway, &mut machine, &proxy);
    assert!(clock.is_of(&machine.node()));
    for (round, step) in STEPS.into_iter().enumerate() {
        let changes = counter.history().len();
        clock.step(step);
        goes_on(&mut counter, &shell, &format!("stepped-{round}"));
        assert_eq!(counter.history().len(), changes);
        counter.come_back(gateway);
        proxy.cut();
        counter.until_connected(false);
        eventually("words of the time that it has", || {
            (last_words(&machine).abs_diff(clock.now()) < ABOUT).then_some(())
        });
        counter.until_connected(true);
        assert_eq!(counter.key(&format!("back-{round}")), shell);
    }
    assert_eq!(machine.shells().len(), 1);
}

/// A node that is asked for how long nobody used it, when its clock has stepped meanwhile.
fn a_node_is_idle(stage: &Stage, name: &str, step: i64) {
    let clock = WallClock::new();
    let proxy = Proxy::before(stage.gateway.address);
    let mut machine = Machine::under(&clock, name, "stty raw -echo; exec cat >> typed");
    let mut watcher = NodeSocket::connect(&stage.gateway);
    machine.start(proxy.address);
    watcher.expect_event("node_joined", name);
    let list = json!({ "node": name });
    eventually("an answer of the node", || watcher.call("list_directories", &list).ok());
    let mut viewer = stage.viewer();
    let panes = [(); 2].map(|()| {
        let pane = viewer.ask(json!({ "type": "session_create", "node": name })).pane.unwrap();
        viewer.until_live(pane);
        viewer.type_in(pane, "key");
        pane
    });
    eventually("what was typed", || (machine.content("home/typed").len() == 6).then_some(()));
    let used = Instant::now();
    // The second word of it tells that the first was some seconds ago.
    for left in [2, 1] {
        eventually("its word of how busy it is", || {
            (record(&mut watcher, name)["panes"] == left).then_some(())
        });
        if left == 2 {
            clock.step(step);
            viewer.ask(json!({ "type": "pane_close", "paneId": panes[1] }));
        }
    }
    let idle = record(&mut watcher, name)["idle_secs"].as_u64().unwrap();
    // It may have been rounded twice.
    let unused = used.elapsed().as_secs();
    assert!(unused > 2 && idle + 2 >= unused && idle < unused + ABOUT, "{idle} of {unused} s");
}

#[test]
fn steps_of_a_nodes_clock_end_nothing_and_are_no_idle_time() {
    let stage = Stage::with_settings(&counts(), BEHIND_A_PROXY);
    thread::scope(|scope| {
        scope.spawn(|| a_node_steps(&stage.gateway));
        scope.spawn(|| a_node_is_idle(&stage, "forward", HOUR));
        scope.spawn(|| a_node_is_idle(&stage, "back", -2 * HOUR));
    });
}

/// Since when a pane has no terminal, in seconds since the Unix epoch.
fn without_terminal_since(counter: &Counter, pane: PaneId) -> u64 {
    match counter.viewer.mirror.pane(pane).status {
        PaneStatus::Lost { since, .. } => since / 1000,
        PaneStatus::Exited { at, .. } => at / 1000,
        ref other => panic!("{pane} is {other:?}"),
    }
}

/// A gateway that is killed and comes back at a time that its clock puts elsewhere.
fn comes_back_at_another_time(step: i64) {
    let clock = WallClock::new();
    let settings = [BEHIND_A_PROXY, "[nodes]\nttl_secs = 6\n"].concat();
    let mut stage = Stage::under(&clock, &counts(), &settings);
    let proxy = Proxy::before(stage.gateway.address);
    let mut machine = Machine::new("n", &counts());
    let mut near = Counter::open(&stage.gateway, "local");
    let near_shell = near.key("first");
    let (mut far, far_shell) = open(&stage.gateway, &mut machine, &proxy);
    for pane in [near.pane, far.pane] {
        let saved = format!("data/output/{pane}.out");
        eventually("saved output", || memchr::memmem::find(&stage.content(&saved), b"line 2"));
    }
    let mut viewer = stage.viewer();
    let ended = viewer.create_session();
    viewer.until_live(ended);
    Rest::of(&stage.gateway).post(&format!("/panes/{ended}/kill"), &json!({})).ok(204);
    viewer.until_exited(ended);
    let saved = || memchr::memmem::find(&stage.content("data/state.json"), b"\"exited\"");
    eventually("a saved end", saved);
    let _there = agent(&stage.gateway, "there", 9000);
    gone(&stage.gateway, "gone", 9001);
    eventually("saved records", || {
        let saved = stage.content("data/nodes.json");
        let has = |text: &[u8]| memchr::memmem::find(&saved, text).is_some();
        (has(b"\"there\"") && has(b"\"left\"")).then_some(())
    });

    stage.crash_gateway();
    // What was on its way is older than what was saved at last.
    for counter in [&mut near, &mut far] {
        counter.viewer.until_closed();
    }
    clock.step(step);
    stage.start_again();
    let mut watcher = NodeSocket::connect(&stage.gateway);
    let records = watcher.events[0]["nodes"].as_array().unwrap();
    for (id, why) in [("gone", "left"), ("there", "gateway_restarted"), ("n", "gateway_restarted")] {
        let record = records.iter().find(|record| record["id"] == id).unwrap();
        assert_eq!((&record["status"], &record["why"]), (&json!("offline"), &json!(why)), "{record}");
        for stamp in ["last_seen", "offline_since"] {
            let at = record[stamp].as_u64().unwrap();
            assert!(at <= clock.now(), "{stamp} is to come at {}: {record}", clock.now());
            assert!(at + step.unsigned_abs() + ABOUT > clock.now(), "{stamp} is long ago: {record}");
        }
    }
    near.come_back(&stage.gateway);
    far.come_back_early(&stage.gateway);
    for pane in [far.pane, ended] {
        let since = without_terminal_since(&near, pane);
        assert!(since <= clock.now(), "{pane} will be gone at {since}, it is {}", clock.now());
    }
    proxy.lead_to(stage.gateway.address);
    assert_eq!(near.key("near"), near_shell);
    assert_eq!(far.key("far"), far_shell);
    watcher.expect_event("node_removed", "gone");
    watcher.expect_event("node_removed", "there");
    assert_eq!((stage.shells().len(), machine.shells().len()), (1, 1));
    assert_eq!(watcher.nodes().len(), 2, "the gateway's own, and the one that is back");
}

#[test]
fn a_gateway_that_comes_back_an_hour_later_gives_everyone_the_time_that_was_left() {
    comes_back_at_another_time(HOUR);
}

#[test]
fn a_gateway_that_comes_back_before_it_went_keeps_no_ghost() {
    comes_back_at_another_time(-2 * HOUR);
}
