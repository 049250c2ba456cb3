//! Nodes that die, freeze and fall silent, asked of real processes: what their panes show, and that no shell, byte or key
//! is lost or doubled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::thread;
use std::time::{Duration, Instant};

use everpane::protocol::server::{ErrorMessage, PaneStatus};
use serde_json::json;
use support::Gateway;
use support::counter::{Counter, FLOOD, counting};
use support::machine::Machine;
use support::proxy::{Fault, Proxy, Way};
use support::roster::{NodeSocket, Said};
use support::service::ServiceNode;
use support::stage::{Stage, eventually};
use support::typist::Typist;

/// Both ways.
const BOTH: [Way; 2] = [Way::ToGateway, Way::ToNode];

/// How soon the panes of a node whose process is gone show it.
const DIMMED_WITHIN: Duration = Duration::from_secs(1);

/// A node may be silent for 15 s, which is looked at every second; on a busy machine.
const SILENT_WITHIN: Duration = Duration::from_millis(17_500);

/// How long the silence lasts that ends all patience.
const LONG_SILENCE: Duration = Duration::from_secs(30);

/// A gateway with a node of its own, which counts. Behind a proxy it goes by the proxy's address.
fn stage() -> Stage {
    Stage::with_settings(&counting("0.05"), "allowed_hosts = [\"127.0.0.1\"]\n")
}

/// Waits until a node is in the roster and alive.
#[track_caller]
fn until_active(gateway: &Gateway, node: &str) {
    let mut watcher = NodeSocket::connect(gateway);
    let active = (node.to_owned(), "active".to_owned());
    eventually("an active node", || watcher.nodes().contains(&active).then_some(()));
}

/// A pane on a machine whose node dials `address`, and the process of its shell.
#[track_caller]
fn open(gateway: &Gateway, machine: &mut Machine, proxy: Option<&Proxy>) -> (Counter, String) {
    machine.start(proxy.map_or(gateway.address, |proxy| proxy.address));
    until_active(gateway, &machine.name);
    let mut counter = Counter::open(gateway, &machine.name);
    let shell = counter.key("first");
    (counter, shell)
}

fn why_offline(watcher: &mut NodeSocket, node: &str) -> String {
    watcher.expect_event("node_offline", node)["why"].as_str().unwrap().to_owned()
}

/// More than a PTY and the program that reads it hold between them, in bytes: of small writes a PTY takes 20 KiB.
const HELD_BY_A_PTY: usize = 32 << 10;

#[test]
fn a_killed_node_dims_its_panes_at_once_and_nothing_starts_until_a_key() {
    let stage = stage();
    let mut watcher = NodeSocket::connect(&stage.gateway);
    let mut machine = Machine::new("killed", &counting("0.05"));
    let mut other_machine = Machine::new("other", &counting("0.05"));
    let (mut pane, shell) = open(&stage.gateway, &mut machine, None);
    let (mut other, _) = open(&stage.gateway, &mut other_machine, None);
    let mut local = Counter::open(&stage.gateway, "local");
    let before = (other.history().to_vec(), local.history().to_vec());

    let start = Instant::now();
    machine.kill();
    pane.until_connected(false);
    let dimmed = start.elapsed();
    assert!(dimmed < DIMMED_WITHIN, "{dimmed:?}");
    assert!(matches!(pane.viewer.mirror.pane(pane.pane).status, PaneStatus::Lost { .. }));
    assert_eq!(why_offline(&mut watcher, "killed"), "lost");
    eventually("the hang-up of its shell", || machine.programs().is_empty().then_some(()));

    machine.start(stage.gateway.address);
    watcher.expect_event("node_joined", "killed");
    let id = pane.pane;
    let has_ended = |status: &PaneStatus| matches!(status, PaneStatus::Exited { .. });
    pane.until("the end to be known", |mirror, _| has_ended(&mirror.pane(id).status));
    let mut newcomer = stage.viewer();
    newcomer.connect(100, 30);
    newcomer.watch(id);
    newcomer.sync();
    other.until_more(20);
    local.until_more(20);
    assert_eq!(machine.shells(), [], "looking wakes nothing");
    assert_eq!((other.history(), local.history()), (&before.0[..], &before.1[..]));

    pane.start_over();
    assert_ne!(pane.key("again"), shell);
    assert_eq!(machine.shells().len(), 1);
    eprintln!("a killed node's panes were dimmed after {dimmed:?}");
}

/// Stopped for eight seconds: nothing is to be seen.
fn frozen_for_a_while(gateway: &Gateway) {
    let mut machine = Machine::new("frozen-for-a-while", &counting("0.05"));
    let (mut counter, shell) = open(gateway, &mut machine, None);
    let before = counter.history().to_vec();
    machine.node().signal("STOP");
    counter.read_until(Instant::now() + Duration::from_secs(8));
    machine.node().signal("CONT");
    assert_eq!(counter.key("then"), shell);
    assert_eq!(counter.history(), before);
}

/// Stopped for longer than anybody waits, with a key typed meanwhile.
fn frozen_for_long(gateway: &Gateway) {
    let mut watcher = NodeSocket::connect(gateway);
    let mut machine = Machine::new("frozen-for-long", &counting("0.05"));
    let (mut counter, shell) = open(gateway, &mut machine, None);
    let start = Instant::now();
    machine.node().signal("STOP");
    assert_eq!(why_offline(&mut watcher, "frozen-for-long"), "silent");
    let silent = start.elapsed();
    assert!(silent < SILENT_WITHIN, "{silent:?}");
    counter.until_connected(false);
    counter.viewer.type_in(counter.pane, "held\n");
    counter.read_until(start + LONG_SILENCE);
    machine.node().signal("CONT");
    let back = counter.until_connected(true);
    assert_eq!(counter.until_answered("held"), shell, "its own shell answers, once");
    assert_eq!(machine.shells().len(), 1);
    assert!(counter.history().ends_with(&[true, false, true]), "{:?}", counter.history());
    eprintln!("a frozen node was offline after {silent:?}, and back {back:?} after it went on");
}

/// A connection that passes nothing on in some direction, for good; the next ones do from `heals_after` on.
fn black_hole(gateway: &Gateway, node: &str, ways: &[Way], why: &str, heals_after: Duration) {
    let mut watcher = NodeSocket::connect(gateway);
    let mut machine = Machine::new(node, &counting("0.05"));
    let proxy = Proxy::before(gateway.address);
    let (mut counter, shell) = open(gateway, &mut machine, Some(&proxy));
    let start = Instant::now();
    proxy.set(ways, Fault::Swallow);
    counter.until_connected(false);
    let dimmed = start.elapsed();
    assert!(dimmed < SILENT_WITHIN, "{dimmed:?}");
    assert_eq!(why_offline(&mut watcher, node), why);
    counter.read_until(start + heals_after);
    proxy.heal();
    let back = counter.until_connected(true);
    assert_eq!(counter.key("then"), shell);
    assert_eq!(machine.shells().len(), 1);
    eprintln!("{node}: dimmed after {dimmed:?}, and back {back:?} after the end of the fault");
}

/// All that was sent arrives, but late.
fn stalled(gateway: &Gateway) {
    let mut machine = Machine::new("stalled", &counting("0.05"));
    let proxy = Proxy::before(gateway.address);
    let (mut counter, shell) = open(gateway, &mut machine, Some(&proxy));
    let before = counter.history().to_vec();
    proxy.set(&BOTH, Fault::Stall);
    counter.viewer.type_in(counter.pane, "stalled\n");
    counter.read_until(Instant::now() + Duration::from_secs(5));
    proxy.heal();
    assert_eq!(counter.until_answered("stalled"), shell);
    assert_eq!(counter.history(), before);
}

#[test]
fn silence_is_told_from_death_and_ends_without_a_lost_byte() {
    let stage = stage();
    let gateway = &stage.gateway;
    thread::scope(|scope| {
        scope.spawn(|| frozen_for_a_while(gateway));
        scope.spawn(|| frozen_for_long(gateway));
        scope.spawn(|| stalled(gateway));
        let (soon, later) = (Duration::ZERO, Duration::from_secs(20));
        scope.spawn(move || black_hole(gateway, "hole", &BOTH, "silent", later));
        scope.spawn(move || black_hole(gateway, "hole-to-gateway", &[Way::ToGateway], "silent", soon));
        scope.spawn(move || black_hole(gateway, "hole-to-node", &[Way::ToNode], "lost", soon));
        // What has nothing to do with it.
        scope.spawn(|| {
            let mut local = Counter::open(gateway, "local");
            let before = local.history().to_vec();
            local.read_until(Instant::now() + LONG_SILENCE);
            assert_eq!(local.history(), before);
        });
    });
}

#[test]
fn flaps_cost_no_byte_and_leave_nothing_behind() {
    let stage = stage();
    let proxy = Proxy::before(stage.gateway.address);
    let node = ServiceNode::start(&["/bin/sh", "-c", FLOOD]);
    let mut connection = node.connect(proxy.address, "flapping");
    until_active(&stage.gateway, "flapping");
    let mut counter = Counter::open(&stage.gateway, "flapping");
    let shell = counter.key("first");
    let gateway = stage.process();
    let (descriptors, threads) = (gateway.descriptors(), gateway.threads());
    for flap in 0..200_u64 {
        eventually("the end of a connection that is cut", || {
            // One that the proxy has not taken yet is not cut.
            proxy.cut();
            connection.is_finished().then_some(())
        });
        node.runtime.block_on(connection).unwrap();
        connection = node.connect(proxy.address, "flapping");
        // Some are cut while they come up, or before.
        match flap % 4 {
            0 => {
                assert_eq!(counter.key(&format!("flap-{flap}")), shell);
                counter.until_connected(true);
            }
            rest => counter.read_until(Instant::now() + Duration::from_millis(rest * 20)),
        }
    }
    assert_eq!(counter.key("then"), shell);
    counter.until_connected(true);
    assert_eq!(node.service.terminals(), 1);
    let mut watcher = NodeSocket::connect(&stage.gateway);
    assert_eq!(watcher.nodes().len(), 2, "and the gateway's own");
    drop(watcher);
    eventually("descriptors are given back", || (gateway.descriptors() <= descriptors).then_some(()));
    assert!(gateway.threads() <= threads + 2, "{} threads, {threads} before", gateway.threads());
    assert!(counter.history().len() > 100, "{} changes", counter.history().len());
}

#[test]
fn a_node_that_is_cut_off_again_and_again_dials_less_often_and_leaks_nothing() {
    let stage = stage();
    let proxy = Proxy::before(stage.gateway.address);
    let mut machine = Machine::new("flapping", &counting("0.05"));
    let (mut counter, shell) = open(&stage.gateway, &mut machine, Some(&proxy));
    let (node, descriptors) = (machine.node(), machine.node().descriptors());
    for _ in 0..4 {
        proxy.cut();
        counter.until_connected(false);
        counter.until_connected(true);
    }
    assert_eq!(counter.key("then"), shell);
    eventually("descriptors are given back", || (node.descriptors() <= descriptors).then_some(()));
    let words = machine.words();
    let waits = words.split("dialling again in ").skip(1).map(|rest| rest.split(' ').next().unwrap());
    let waits: Vec<f64> = waits.map(|seconds| seconds.parse().unwrap()).collect();
    assert!(waits.len() >= 4 && waits[0] <= 0.5 && waits.last() >= Some(&2.0), "{waits:?}");
}

#[test]
fn restarts_of_nodes_leave_one_record_each_and_panes_wait_for_a_key() {
    let stage = stage();
    let mut watcher = NodeSocket::connect(&stage.gateway);
    let mut machines = ["a", "b", "c"].map(|name| Machine::new(name, &counting("0.05")));
    let mut panes: Vec<Counter> =
        machines.iter_mut().map(|machine| open(&stage.gateway, machine, None).0).collect();
    for round in 0..6 {
        for machine in &mut machines {
            if round % 2 == 0 {
                machine.kill()
            } else {
                machine.stop()
            }
            machine.start(stage.gateway.address);
        }
    }
    let wanted = ["a", "b", "c", "local"].map(|id| (id.to_owned(), "active".to_owned()));
    eventually("three nodes", || {
        let mut nodes = watcher.nodes();
        nodes.sort();
        (nodes == wanted).then_some(())
    });
    for (machine, pane) in machines.iter().zip(&mut panes) {
        let id = pane.pane;
        let has_ended = |status: &PaneStatus| matches!(status, PaneStatus::Exited { .. });
        pane.until("the end to be known", |mirror, _| has_ended(&mirror.pane(id).status));
        assert_eq!(machine.shells(), []);
        pane.start_over();
        pane.key("again");
        assert_eq!(machine.shells().len(), 1);
    }
}

#[test]
fn shells_on_nodes_outlive_killed_gateways_and_no_number_is_missing() {
    let mut stage = stage();
    let proxy = Proxy::before(stage.gateway.address);
    let mut machine = Machine::new("n", &counting("0.02"));
    let (mut pane, shell) = open(&stage.gateway, &mut machine, Some(&proxy));
    for round in 0..3 {
        let at = || String::from_utf8(machine.content("home/at")).unwrap().trim().parse::<u64>().unwrap_or(0);
        let before = at();
        if round == 0 {
            let saved = format!("data/output/{}.out", pane.pane);
            eventually("saved output", || memchr::memmem::find(&stage.content(&saved), b"line 2"));
        }
        stage.crash_gateway();
        eventually("the program to go on", || (at() > before + 30).then_some(()));
        stage.start_again();
        // The viewer is back before the node, with more than the gateway has.
        pane.come_back_early(&stage.gateway);
        proxy.lead_to(stage.gateway.address);
        assert_eq!(pane.key(&format!("round-{round}")), shell);
    }
    assert_eq!(machine.shells().len(), 1);
}

/// However far behind the viewer is, and what is on disk ahead of it.
#[test]
fn a_flood_on_a_node_loses_no_number_over_killed_gateways() {
    let mut stage = stage();
    let proxy = Proxy::before(stage.gateway.address);
    let mut machine = Machine::new("n", FLOOD);
    let (mut pane, shell) = open(&stage.gateway, &mut machine, Some(&proxy));
    let saved = format!("data/output/{}.out", pane.pane);
    eventually("saved output", || {
        pane.read_until(Instant::now() + Duration::from_millis(20));
        memchr::memmem::find(&stage.content(&saved), b"line ")
    });
    for lasts in [0, 150, 700, 1600] {
        // In which more is saved, or not.
        pane.read_until(Instant::now() + Duration::from_millis(lasts));
        stage.crash_gateway();
        stage.start_again();
        proxy.lead_to(stage.gateway.address);
        pane.come_back(&stage.gateway);
    }
    pane.until_more(50);
    assert_eq!(pane.key("last"), shell);
    assert_eq!(machine.shells().len(), 1);
}

/// What keeps the first shell's input apart from the next one's.
const KEEP: &str =
    "stty raw -echo; if mkdir first 2>/dev/null; then exec cat > first/typed; fi; exec cat > typed";

#[test]
fn a_node_killed_during_a_paste_and_a_flood_loses_nothing_in_silence() {
    let stage = stage();
    let mut machine = Machine::new("n", KEEP);
    machine.start(stage.gateway.address);
    until_active(&stage.gateway, "n");
    let mut viewer = stage.viewer();
    let pane = viewer.ask(json!({ "type": "session_create", "node": "n" })).pane.unwrap();
    viewer.until_live(pane);
    let mut flooding = Machine::new("flooding", FLOOD);
    let (mut flood, shell) = open(&stage.gateway, &mut flooding, None);

    let paste: String = (0..1 << 17).map(|number| format!("{number:07}\n")).collect();
    let mut typist = Typist::new(&stage.gateway, []);
    let before = viewer.mirror.connections[&pane].len();
    thread::scope(|scope| {
        scope.spawn(|| typist.paste(paste.as_bytes(), 16 << 10));
        eventually("some of it", || (machine.content("home/first/typed").len() > 300_000).then_some(()));
        flooding.kill();
        machine.kill();
        let dimmed = flood.until_connected(false);
        assert!(dimmed < DIMMED_WITHIN, "{dimmed:?}");
        machine.start(stage.gateway.address);
        flooding.start(stage.gateway.address);
    });
    viewer.until("the loss to be known", |mirror| mirror.connections[&pane].len() > before);
    // If all of the paste was taken before, it waits for a key.
    typist.type_in(b"end\n");
    typist.finish();
    let read = |name: &str| machine.content(name);
    eventually("the end of it", || read("home/typed").ends_with(b"end\n").then_some(()));
    // Whatever there is to be told comes before the answer to this.
    typist.type_in(b"");
    typist.finish();
    let typed = [paste.as_bytes(), b"end\n"].concat();
    let (first, next) = (read("home/first/typed"), read("home/typed"));
    assert!(typed.starts_with(&first) && typed.ends_with(&next), "in order, and each byte once");
    let lost = typed.len().checked_sub(first.len() + next.len()).expect("nothing is doubled");
    let uncertain = |error: &&ErrorMessage| error.code == "input_uncertain";
    let told: usize = typist.told.iter().filter(uncertain).filter_map(|error| error.bytes).sum();
    // Delivered means that the PTY took it; what its program had not read, or not written yet, is lost with both.
    assert!(lost <= told + HELD_BY_A_PTY, "{lost} bytes are lost, {told} were told of: {:?}", typist.told);

    let id = flood.pane;
    let has_ended = |status: &PaneStatus| matches!(status, PaneStatus::Exited { .. });
    flood.until("the end to be known", |mirror, _| has_ended(&mirror.pane(id).status));
    flood.start_over();
    assert_ne!(flood.key("again"), shell);
    eprintln!("of a paste {lost} bytes were lost, {told} told to be uncertain");
}

#[test]
fn a_stopped_gateway_finds_nobody_dead_who_may_speak_yet() {
    let stage = stage();
    let mut machine = Machine::new("n", &counting("0.05"));
    let (mut counter, shell) = open(&stage.gateway, &mut machine, None);
    let mut bare = NodeSocket::connect(&stage.gateway);
    bare.register(&json!({"id": "bare", "machine": "box", "cwd": "/", "kind": "pty_host"}));

    stage.process().signal("STOP");
    counter.read_until(Instant::now() + Duration::from_secs(20));
    stage.process().signal("CONT");
    let may_speak_until = Instant::now() + Duration::from_millis(4500);
    // It reads, so it answers pings, but there are none so soon.
    while let Some(said) = bare.next_before(may_speak_until) {
        let is_dead = |said: &Said| match said {
            Said::Message(message) => message["event"] == "node_offline" && message["id"] == "bare",
            Said::Closed { .. } => true,
        };
        assert!(!is_dead(&said), "{said:?}");
    }
    assert_eq!(bare.call("ping", &json!({"id": "bare"})).unwrap()["registered"], true);
    let back = counter.until_connected(true);
    assert_eq!(counter.key("then"), shell);
    eprintln!("{back:?} after that the node's pane was live");
}
