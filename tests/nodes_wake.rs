//! Sandboxes that sleep and are woken, asked of real processes: what their panes show, that keys alone wake them, and that
//! what was typed meanwhile arrives once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use everpane::ids::PaneId;
use everpane::protocol::server::PaneStatus;
use serde_json::json;
use support::counter::{Counter, counting};
use support::machine::Machine;
use support::mirror::Mirror;
use support::proxy::Proxy;
use support::roster::NodeSocket;
use support::stage::{Stage, eventually};
use support::viewer::TestViewer;
use support::wall_clock::{HOUR, WallClock};
use support::{Gateway, PATIENCE};

/// Writes down what is typed, of one program after another, and prints nothing.
const TYPED: &str = "stty raw -echo; exec cat >> typed";

/// A setting: what wakes the machine's node writes down when it was called, for whom, and which attempt it is, and goes on
/// with `then`.
fn wakes(machine: &Machine, then: &str) -> String {
    let (id, calls) = (&machine.name, machine.path("calls"));
    let note = "echo $EVERPANE_NODE $EVERPANE_WAKE_ATTEMPT $(date +%s%3N)";
    let script = format!("{note} >> {}; {then}", calls.display());
    format!("[wake.nodes.{id:?}]\ncommand = ['/bin/sh', '-c', '{script}']\n")
}

/// The calls so far: for whom with which attempt, and when in milliseconds since the Unix epoch.
fn calls(machine: &Machine) -> Vec<(String, u64)> {
    let text = String::from_utf8(machine.content("calls")).unwrap();
    let call = |line: &str| {
        let (call, at) = line.rsplit_once(' ').unwrap();
        (call.to_owned(), at.parse().unwrap())
    };
    text.lines().map(call).collect()
}

/// Waits until the machine's node was called so often, and expects no more.
fn until_called(machine: &Machine, wanted: &[&str]) {
    let called = eventually("the call", || {
        let calls = calls(machine);
        (calls.len() >= wanted.len()).then_some(calls)
    });
    assert!(called.iter().map(|(call, _)| call).eq(wanted), "{called:?}");
}

/// Waits until a node is all there: who asks for a pane while it is coming up has it woken.
fn until_up(watcher: &mut NodeSocket, node: &str) {
    let list = json!({ "node": node });
    eventually("an answer of the node", || watcher.call("list_directories", &list).ok());
}

/// A live pane on a node that is coming up.
fn open(viewer: &mut TestViewer, watcher: &mut NodeSocket, node: &str) -> PaneId {
    until_up(watcher, node);
    let pane = viewer.ask(json!({ "type": "session_create", "node": node })).pane.unwrap();
    viewer.watch(pane);
    viewer.until_live(pane);
    pane
}

/// Has the node say that it will sleep, and waits until the gateway knows.
fn announce_sleep(machine: &Machine, watcher: &mut NodeSocket) {
    let said = |words: String| words.matches("about to sleep").count();
    let before = said(machine.words());
    machine.node().signal("USR1");
    eventually("its word", || (said(machine.words()) > before).then_some(()));
    // What it answers after that, it says behind it.
    watcher.call("list_directories", &json!({ "node": machine.name })).unwrap();
}

fn status(mirror: &Mirror, pane: PaneId) -> &PaneStatus {
    &mirror.pane(pane).status
}

fn until_status(viewer: &mut TestViewer, pane: PaneId, is_wanted: impl Fn(&PaneStatus) -> bool) {
    viewer.until("the status", |mirror| is_wanted(status(mirror, pane)));
    assert!(!viewer.mirror.connected(pane));
}

fn is_asleep(status: &PaneStatus) -> bool {
    matches!(status, PaneStatus::Asleep { reason: None, .. })
}

fn is_lost(status: &PaneStatus) -> bool {
    matches!(status, PaneStatus::Lost { reason: None, .. })
}

/// Waits until a pane shows this attempt: since when it is being woken.
fn until_waking(viewer: &mut TestViewer, pane: PaneId, wanted: u32) -> u64 {
    until_status(
        viewer,
        pane,
        |status| matches!(status, PaneStatus::Waking { attempt, .. } if *attempt == wanted),
    );
    match status(&viewer.mirror, pane) {
        PaneStatus::Waking { since, .. } => *since,
        other => panic!("{other:?}"),
    }
}

/// A pane on a sandbox that was killed once the pane was live, with a viewer of it.
fn open_and_lose(stage: &Stage, sandbox: &mut Machine) -> (TestViewer, PaneId) {
    sandbox.start(stage.gateway.address);
    let mut watcher = NodeSocket::connect(&stage.gateway);
    let mut viewer = stage.viewer();
    let pane = open(&mut viewer, &mut watcher, &sandbox.name);
    sandbox.kill();
    until_status(&mut viewer, pane, is_lost);
    (viewer, pane)
}

/// Viewers that come in several sizes, look and go.
fn look_around(gateway: &Gateway, pane: PaneId) {
    for (cols, rows) in [(100, 30), (60, 20), (120, 40)] {
        let mut viewer = TestViewer::attach(gateway);
        viewer.connect(cols, rows);
        viewer.watch(pane);
        viewer.watch_with_history(pane, 100);
        viewer.ask(json!({ "type": "pane_resize", "paneId": pane, "cols": cols - 1, "rows": rows - 1 }));
        viewer.ask(json!({ "type": "pane_focus", "paneId": pane }));
    }
}

/// All that a viewer's terminal says by itself.
fn report(viewer: &mut TestViewer, pane: PaneId) {
    for report in ["\x1b[I", "\x1b[O", "\x1b[<35;3;4M", "\x1b[?62;22c", "\x1b[5;7R"] {
        viewer.report(pane, report.as_bytes());
        // From one that can't tell.
        viewer.type_in(pane, report);
    }
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// A sandbox comes up, and its program gets what was typed meanwhile.
fn comes_for(sandbox: &mut Machine, stage: &Stage, typed: &[u8]) {
    sandbox.start(stage.gateway.address);
    eventually("what was typed", || (sandbox.content("home/typed").len() >= typed.len()).then_some(()));
    assert_eq!(sandbox.content("home/typed"), typed);
}

#[test]
fn looking_wakes_no_sandbox_and_all_keys_make_one_call() {
    let [mut sandbox, mut later] = ["box", "later"].map(|name| Machine::new(name, TYPED));
    let stage = Stage::with_settings("exec cat", &[wakes(&sandbox, ""), wakes(&later, "")].concat());
    let mut watcher = NodeSocket::connect(&stage.gateway);
    let mut viewer = stage.viewer();
    let [pane, later_pane] = [&mut sandbox, &mut later].map(|machine| {
        machine.start(stage.gateway.address);
        open(&mut viewer, &mut watcher, &machine.name)
    });
    announce_sleep(&sandbox, &mut watcher);
    sandbox.kill();
    until_status(&mut viewer, pane, is_asleep);
    assert_eq!(watcher.expect_event("node_offline", "box")["why"], "asleep");
    later.kill();
    until_status(&mut viewer, later_pane, is_lost);
    assert_eq!(watcher.expect_event("node_offline", "later")["why"], "lost");

    look_around(&stage.gateway, pane);
    report(&mut viewer, pane);
    // What the gateway is asked for it sees to in turn: had anything woken the sandbox, that would show by now.
    viewer.type_in(later_pane, "key");
    until_waking(&mut viewer, later_pane, 1);
    assert!(is_asleep(status(&viewer.mirror, pane)), "{:?}", viewer.mirror.pane(pane));
    until_called(&later, &["later 1"]);
    until_called(&sandbox, &[]);

    let before = unix_ms();
    let mut typed = String::new();
    let mut viewers = [(); 3].map(|()| stage.viewer());
    for round in 0..4 {
        for (number, viewer) in viewers.iter_mut().enumerate() {
            viewer.watch(pane);
            let key = format!("{number}.{round} ");
            viewer.type_in(pane, &key);
            viewer.sync();
            typed += &key;
        }
    }
    let since = until_waking(&mut viewer, pane, 1);
    assert!((before..=unix_ms()).contains(&since), "{since}");
    viewer.until("all of it to wait", |mirror| mirror.pane(pane).pending == typed.len());
    until_called(&sandbox, &["box 1"]);

    sandbox.start(stage.gateway.address);
    viewer.until_live(pane);
    let home = "home/typed";
    eventually("what was typed", || (sandbox.content(home).len() >= typed.len()).then_some(()));
    viewer.type_in(pane, "live");
    typed += "live";
    eventually("and more", || sandbox.content(home).ends_with(b"live").then_some(()));
    assert_eq!(String::from_utf8(sandbox.content(home)).unwrap(), typed);
    assert!(viewer.mirror.connections[&pane].ends_with(&[true, false, true]));
    assert_eq!(sandbox.shells().len(), 1);
    until_called(&sandbox, &["box 1"]);
}

#[test]
fn a_call_that_fails_is_made_again_later_and_shown() {
    let mut sandbox = Machine::new("box", TYPED);
    let stage = Stage::with_settings("exec cat", &wakes(&sandbox, "test $EVERPANE_WAKE_ATTEMPT -gt 1"));
    let (mut viewer, pane) = open_and_lose(&stage, &mut sandbox);

    let mut other = stage.viewer();
    other.watch(pane);
    viewer.type_in(pane, "first ");
    let since = until_waking(&mut viewer, pane, 1);
    other.type_in(pane, "second ");
    other.sync();
    assert_eq!(until_waking(&mut viewer, pane, 2), since);
    viewer.type_in(pane, "third");
    until_called(&sandbox, &["box 1", "box 2"]);
    let [first, second] = calls(&sandbox).try_into().unwrap();
    assert!(second.1 >= first.1 + 1000, "not before a second has passed: {first:?} {second:?}");

    comes_for(&mut sandbox, &stage, b"first second third");
    viewer.until_live(pane);
    until_called(&sandbox, &["box 1", "box 2"]);
}

#[test]
fn a_sandbox_that_was_given_up_is_called_again_for_the_next_key() {
    let mut sandbox = Machine::new("box", TYPED);
    let settings = ["[wake]\nattempts = 1\n", &wakes(&sandbox, "echo no quota >&2; exit 3")].concat();
    let stage = Stage::with_settings("exec cat", &settings);
    let mut watcher = NodeSocket::connect(&stage.gateway);
    sandbox.start(stage.gateway.address);
    let mut viewer = stage.viewer();
    let pane = open(&mut viewer, &mut watcher, "box");
    announce_sleep(&sandbox, &mut watcher);
    sandbox.kill();
    until_status(&mut viewer, pane, is_asleep);
    let wanted = Some("exit status: 3: no quota".to_owned());
    let mut called = Vec::new();
    for key in ["first ", "second"] {
        viewer.type_in(pane, key);
        called.push("box 1");
        until_called(&sandbox, &called);
        until_status(
            &mut viewer,
            pane,
            |status| matches!(status, PaneStatus::Asleep { reason, .. } if *reason == wanted),
        );
    }
    comes_for(&mut sandbox, &stage, b"first second");
}

/// Answers requests, the first time that there is no room, and passes on what it was asked.
fn provider() -> (SocketAddr, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, requests) = channel();
    thread::spawn(move || {
        let answers = ["503 Service Unavailable"].into_iter().chain(std::iter::repeat("204 No Content"));
        for (stream, answer) in listener.incoming().zip(answers) {
            let mut stream = BufReader::new(stream.unwrap());
            let lines = stream.by_ref().lines().map(Result::unwrap);
            let head = lines.take_while(|line| !line.is_empty()).collect();
            let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if asked.send(head).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

#[test]
fn a_request_wakes_a_sandbox_too() {
    let (address, requests) = provider();
    let settings = format!(
        "[wake]\nhttp = {{ url = 'http://{address}/sandboxes/{{node}}/wake?now', headers = {{ Authorization = 'Bearer t' }} }}\n"
    );
    let mut sandbox = Machine::new("box:1", TYPED);
    let stage = Stage::with_settings("exec cat", &settings);
    let (mut viewer, pane) = open_and_lose(&stage, &mut sandbox);
    look_around(&stage.gateway, pane);
    report(&mut viewer, pane);
    viewer.type_in(pane, "typed");
    for attempt in [1, 2] {
        until_waking(&mut viewer, pane, attempt);
        let head = requests.recv_timeout(PATIENCE).unwrap();
        assert_eq!(head[0], "POST /sandboxes/box%3A1/wake?now HTTP/1.1");
        assert!(head.iter().any(|line| line.eq_ignore_ascii_case("authorization: bearer t")), "{head:?}");
    }
    comes_for(&mut sandbox, &stage, b"typed");
    assert!(requests.try_recv().is_err(), "that was enough");
}

/// Stops the node's process as a sandbox that is frozen, connections and all.
fn freeze(machine: &Machine, proxy: &Proxy, watcher: &mut NodeSocket) {
    announce_sleep(machine, watcher);
    machine.node().signal("STOP");
    proxy.cut();
}

#[test]
fn a_frozen_sandbox_goes_on_by_itself_or_for_a_key() {
    let mut sandbox = Machine::new("box", &counting("0.05"));
    let pid = sandbox.path("pid");
    let thaws = wakes(&sandbox, &format!("kill -s CONT $(cat {})", pid.display()));
    let stage = Stage::with_settings("exec cat", &["allowed_hosts = [\"127.0.0.1\"]\n", &thaws].concat());
    let mut watcher = NodeSocket::connect(&stage.gateway);
    let proxy = Proxy::before(stage.gateway.address);
    sandbox.start(proxy.address);
    std::fs::write(pid, sandbox.node().pid.to_string()).unwrap();
    until_up(&mut watcher, "box");
    let mut counter = Counter::open(&stage.gateway, "box");
    let (pane, shell) = (counter.pane, counter.key("first"));

    freeze(&sandbox, &proxy, &mut watcher);
    counter.until("sleep", |mirror, _| is_asleep(status(mirror, pane)));
    look_around(&stage.gateway, pane);
    report(&mut counter.viewer, pane);
    sandbox.node().signal("CONT");
    counter.until_connected(true);
    counter.until_more(3);

    // Only this one is paid for with a call.
    freeze(&sandbox, &proxy, &mut watcher);
    counter.until("sleep", |mirror, _| is_asleep(status(mirror, pane)));
    assert_eq!(counter.key("held"), shell);
    counter.until_connected(true);
    until_called(&sandbox, &["box 1"]);
    assert!(counter.history().ends_with(&[true, false, true, false, true]), "{:?}", counter.history());
    assert_eq!(sandbox.shells().len(), 1);
}

#[test]
fn what_waited_too_long_for_a_sandbox_is_given_back() {
    let mut sandbox = Machine::new("box", TYPED);
    let settings = ["[input]\nheld_away_secs = 1\n", &wakes(&sandbox, "")].concat();
    let stage = Stage::with_settings("exec cat", &settings);
    let (mut viewer, pane) = open_and_lose(&stage, &mut sandbox);
    let start = Instant::now();
    viewer.type_in(pane, "too early");
    viewer.until("the error", |mirror| mirror.errors_of("input_expired").next().is_some());
    assert!(start.elapsed().as_secs() >= 1, "{:?}", start.elapsed());
    let error = viewer.mirror.errors_of("input_expired").next().unwrap();
    assert_eq!((error.pane_id, error.bytes), (Some(pane), Some("too early".len())));
    viewer.until("nothing held", |mirror| mirror.pane(pane).pending == 0);

    sandbox.start(stage.gateway.address);
    until_status(&mut viewer, pane, |status| matches!(status, PaneStatus::Exited { .. }));
    assert_eq!(sandbox.shells(), [], "nobody waits for one");
    viewer.type_in(pane, "now");
    eventually("what was typed", || (!sandbox.content("home/typed").is_empty()).then_some(()));
    assert_eq!(sandbox.content("home/typed"), b"now");
}

/// For how long nobody used the node's PTYs, in seconds, as far as it has told.
fn idle_secs(watcher: &mut NodeSocket, node: &str) -> Option<u64> {
    let nodes = watcher.call("list_nodes", &json!({})).unwrap();
    nodes.as_array().unwrap().iter().find(|record| record["id"] == node)?["idle_secs"].as_u64()
}

/// Draws its prompt anew in each size, as shells do.
const REDRAWS: &str = "exec bash --norc --noprofile -i";

#[test]
fn a_node_tells_for_how_long_nobody_used_it() {
    let mut sandbox = Machine::new("box", REDRAWS);
    let stage = Stage::with_script("exec cat");
    sandbox.start(stage.gateway.address);
    let mut watcher = NodeSocket::connect(&stage.gateway);
    let mut viewer = stage.viewer();
    let pane = open(&mut viewer, &mut watcher, "box");
    viewer.type_in(pane, "echo us''ed\n");
    viewer.until_shows(pane, "used\r\n");
    let used = Instant::now();
    let idle = eventually("a heartbeat", || {
        look_around(&stage.gateway, pane);
        idle_secs(&mut watcher, "box")
    });
    // It may have been said up to a second ago, and rounded twice.
    let unused = used.elapsed().as_secs();
    assert!(idle + 2 >= unused && unused >= 2, "{idle} of {unused} s");
    eventually("a heartbeat after keys", || {
        viewer.type_in(pane, " ");
        viewer.sync();
        idle_secs(&mut watcher, "box").filter(|idle| *idle == 0)
    });
}

#[test]
fn what_waits_for_a_sandbox_waits_on_while_the_clock_steps() {
    let clock = WallClock::new();
    let mut sandbox = Machine::new("box", TYPED);
    let stage = Stage::under(&clock, "exec cat", &wakes(&sandbox, "test $EVERPANE_WAKE_ATTEMPT -gt 1"));
    assert!(clock.is_of(&stage.process()));
    let (mut viewer, pane) = open_and_lose(&stage, &mut sandbox);

    let before = unix_ms();
    viewer.type_in(pane, "first ");
    let since = until_waking(&mut viewer, pane, 1);
    assert!((before..=unix_ms()).contains(&since), "{since}");
    clock.step(HOUR);
    assert_eq!(until_waking(&mut viewer, pane, 2), since, "what has passed since is what is shown");
    viewer.type_in(pane, "second ");
    viewer.sync();
    clock.step(-2 * HOUR);
    viewer.type_in(pane, "third");
    viewer.until("all of it to wait", |mirror| mirror.pane(pane).pending == "first second third".len());
    assert!(viewer.mirror.errors.is_empty(), "{:?}", viewer.mirror.errors);
    assert_eq!(until_waking(&mut viewer, pane, 2), since);

    comes_for(&mut sandbox, &stage, b"first second third");
    viewer.until_live(pane);
    until_called(&sandbox, &["box 1", "box 2"]);
}

#[test]
fn no_patience_with_a_sandbox_grows_when_the_clock_is_set_back() {
    let clock = WallClock::new();
    let mut sandbox = Machine::new("box", TYPED);
    let limits = "[input]\nheld_away_secs = 2\n[wake]\nattempts = 2\ntimeout_secs = 1\n";
    let stage = Stage::under(&clock, "exec cat", &[limits, &wakes(&sandbox, "exec sleep 1000")].concat());
    assert!(clock.is_of(&stage.process()));
    let (mut viewer, pane) = open_and_lose(&stage, &mut sandbox);
    viewer.type_in(pane, "too early");
    until_waking(&mut viewer, pane, 1);
    clock.step(-HOUR);
    until_waking(&mut viewer, pane, 2);
    viewer.until("the error", |mirror| mirror.errors_of("input_expired").next().is_some());
    until_status(&mut viewer, pane, |status| !matches!(status, PaneStatus::Waking { .. }));
    until_called(&sandbox, &["box 1", "box 2"]);
}
