//! Who is in the roster, and who makes room for whom.

use super::*;

#[test]
fn who_registers_is_shown_and_announced() {
    let mut world = World::new();
    let (epoch, effects) = world.join(OWNER, Register { pid: Some(7), ..agent("a", "m", 9000) });
    let record = world.registry.record("a", world.now).unwrap();
    assert_eq!(effects, [Effect::Joined { record: Box::new(record.clone()) }]);
    let shown = (record.machine.as_str(), record.cwd.as_str(), record.port, record.pid, record.status);
    assert_eq!(shown, ("m", "/work", Some(9000), Some(7), NodeStatus::Active));
    let times = (record.last_seen, record.offline_since, record.why);
    assert_eq!(times, (Some(1_700_000_000), None, None));
    assert_eq!(world.registry.epoch_of("a"), Some(epoch));
    assert_eq!(world.registry.node_of(epoch), Some(&id("a")));
}

#[test]
fn the_same_id_again_closes_the_older_connection_and_its_late_words_change_nothing() {
    let mut world = World::new();
    let (old, _) = world.join(OWNER, agent("a", "m", 9000));
    let (new, effects) = world.join(OWNER, agent("a", "m", 9001));
    assert_eq!(besides_joined(&effects), [close(old, NodeClose::Superseded)]);
    world.skip(seconds(1));
    let before = world.registry.records(world.now);
    assert_eq!(world.close(old), []);
    world.registry.alive(old, world.now);
    world.registry.going_to_sleep(old, world.now);
    assert_eq!(world.registry.heartbeat(old, Some("a"), None, world.now), []);
    assert_eq!(world.registry.deregister(old, "a", world.now), (Outcome::NotFound, vec![]));
    assert_eq!(world.register(old, agent("a", "m", 9000)), Err(Refused::Closed));
    assert_eq!(world.registry.records(world.now), before);
    assert_eq!(world.registry.epoch_of("a"), Some(new));
}

#[test]
fn the_same_machine_and_port_is_the_same_node_under_a_new_name() {
    let mut world = World::new();
    let (old, _) = world.join(OWNER, agent("a", "m", 9000));
    let (_, effects) = world.join(OWNER, agent("b", "m", 9000));
    assert_eq!(besides_joined(&effects), [close(old, NodeClose::Evicted), removed("a")]);
    world.join(OWNER, agent("c", "m", 9001));
    world.join(OWNER, agent("d", "other", 9000));
    assert_eq!(world.ids(), ["b", "c", "d"]);
}

#[test]
fn a_directory_is_shared_by_as_many_as_like() {
    let mut world = World::new();
    world.join(OWNER, portless("a", "m"));
    let (_, effects) = world.join(OWNER, portless("b", "m"));
    assert_eq!(besides_joined(&effects), []);
    assert_eq!(world.ids(), ["a", "b"]);
}

#[test]
fn a_process_is_one_node_whatever_it_calls_itself() {
    let mut world = World::new();
    let (old, _) = world.join(OWNER, host("a", "x"));
    let (_, effects) = world.join(OWNER, host("b", "x"));
    assert_eq!(besides_joined(&effects), [close(old, NodeClose::Evicted), removed("a")]);
    world.join(OWNER, Register { machine: "other".into(), ..host("c", "x") });
    assert_eq!(world.ids(), ["b", "c"]);
}

#[test]
fn a_connection_speaks_for_one_node() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, agent("a", "m", 9000));
    let effects = world.register(epoch, agent("b", "m", 9001)).unwrap();
    assert_eq!(besides_joined(&effects), [removed("a")], "and its connection stays");
    assert_eq!(world.registry.epoch_of("b"), Some(epoch));
    // By both its port and its connection: still one record that goes, once.
    let effects = world.register(epoch, agent("c", "m", 9001)).unwrap();
    assert_eq!(besides_joined(&effects), [removed("b")]);
    assert_eq!(world.close(epoch), [offline("c", OfflineCause::Lost)]);
}

#[test]
fn registering_again_over_the_same_connection_brings_the_record_up_to_date() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, agent("a", "m", 9000));
    for (pid, port) in [(1, 9001), (2, 9002), (3, 9001), (4, 9002), (5, 9003)] {
        let effects = world.register(epoch, Register { pid: Some(pid), ..agent("a", "m", port) }).unwrap();
        assert_eq!(besides_joined(&effects), []);
    }
    // The ports that it left are free.
    let (_, effects) = world.join(OWNER, agent("b", "m", 9002));
    assert_eq!(besides_joined(&effects), []);
    assert_eq!(world.registry.record("a", world.now).unwrap().port, Some(9003));
}

#[test]
fn a_node_names_only_itself_when_it_goes() {
    let mut world = World::new();
    let (a, _) = world.join(OWNER, agent("a", "m", 1));
    let (b, _) = world.join(OWNER, agent("b", "m", 2));
    let stranger = world.registry.connected(OWNER);
    for epoch in [b, stranger] {
        assert_eq!(world.registry.deregister(epoch, "a", world.now), (Outcome::NotFound, vec![]));
    }
    let gone = (Outcome::Deregistered, vec![removed("a")]);
    assert_eq!(world.registry.deregister(a, "a", world.now), gone);
    assert_eq!(world.registry.deregister(a, "a", world.now), (Outcome::NotFound, vec![]));
    assert_eq!(world.close(a), [], "the close that follows the goodbye");
    // And the connection could have been used again.
    assert!(world.register(b, agent("a", "m", 1)).is_ok());
}

#[test]
fn the_local_node_is_always_there_and_nobody_takes_its_place() {
    let mut world = World::new();
    let (ghost, _) = world.join(OWNER, agent("local", "m", 1));
    let local = Registration::local(Register { instance: Some("x".into()), ..portless("local", "m") });
    let local = local.unwrap();
    let effects = world.registry.register_local(local.clone(), world.now);
    assert_eq!(besides_joined(&effects), [close(ghost, NodeClose::Superseded)]);
    assert_eq!(world.registry.count(), 1);
    for register in [agent("local", "n", 1), host("other", "x")] {
        let epoch = world.registry.connected(OWNER);
        assert_eq!(world.register(epoch, register), Err(Refused::Reserved { id: id("local") }));
    }
    assert_eq!(world.registry.next_tick(), None);
    assert_eq!(world.pass(seconds(1_000_000)), []);
    let effects = world.registry.register_local(local, world.now);
    assert_eq!(besides_joined(&effects), []);
    let record = world.registry.record("local", world.now).unwrap();
    assert_eq!((record.status, record.kind), (NodeStatus::Active, Some(NodeKind::Local)));
    assert_eq!(record.last_seen, None);
    assert_eq!(world.registry.saved(world.now), []);
    assert_eq!(world.registry.route("local"), Err(NoRoute::NoPort));
}

#[test]
fn a_relay_goes_to_the_registered_port_at_the_address_the_node_came_from() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, agent("a", "elsewhere", 9000));
    world.join(OWNER, portless("b", "m"));
    assert_eq!(world.registry.route("a"), Ok("10.0.0.7:9000".parse().unwrap()));
    assert_eq!(world.registry.route("b"), Err(NoRoute::NoPort));
    assert_eq!(world.registry.route("c"), Err(NoRoute::Unknown));
    world.close(epoch);
    assert_eq!(world.registry.route("a"), Err(NoRoute::Offline));
}

#[test]
fn a_restart_storm_leaves_as_many_records_as_nodes() {
    let mut world = World::new();
    for restart in 0..=6 {
        for node in 0..3u16 {
            // The connection before stays open, and its close comes late or never.
            let (epoch, _) = world.join(OWNER, agent(&format!("n{node}-{restart}"), "m", 9000 + node));
            if restart % 2 == 1 {
                let older = Epoch(epoch.0 - 3);
                assert_eq!(world.close(older), []);
            }
        }
    }
    assert_eq!(world.ids(), ["n0-6", "n1-6", "n2-6"]);
    assert!(world.registry.records(world.now).iter().all(|record| record.status == NodeStatus::Active));
}

#[test]
fn beyond_the_bound_nodes_are_refused_but_those_known_are_not() {
    let mut world = World::with(Settings { max_nodes: 2, ..Settings::default() });
    world.join(OWNER, agent("a", "m", 1));
    let (b, _) = world.join(OWNER, agent("b", "m", 2));
    let epoch = world.registry.connected(OWNER);
    assert_eq!(world.register(epoch, agent("c", "m", 3)), Err(Refused::Full { max_nodes: 2 }));
    world.join(OWNER, agent("a", "m", 1));
    world.join(OWNER, agent("c", "m", 1));
    world.register(b, agent("d", "m", 4)).unwrap();
    assert_eq!(world.ids(), ["c", "d"]);
}

#[test]
fn a_registration_is_checked_field_by_field() {
    let field = |register: Register| Registration::check(register).unwrap_err().field;
    let good = || agent("a", "m", 1);
    for id in ["", "-a", "..", "a b", "a/b", "ä", "a\n", &"x".repeat(65)] {
        assert_eq!(field(Register { id: id.into(), ..good() }), "id", "{id:?}");
    }
    for id in ["a", "7", "agent-1.host_2:9000", &"x".repeat(64)] {
        assert!(Registration::check(Register { id: id.into(), ..good() }).is_ok(), "{id:?}");
    }
    for machine in ["", "m\x1b[2J", &"x".repeat(256)] {
        assert_eq!(field(Register { machine: machine.into(), ..good() }), "machine");
    }
    for cwd in ["", "/a\u{9b}", &"x".repeat(4097)] {
        assert_eq!(field(Register { cwd: cwd.into(), ..good() }), "cwd");
    }
    assert_eq!(field(Register { port: Some(0), ..good() }), "port");
    assert_eq!(field(Register { instance: Some(String::new()), ..good() }), "instance");
    assert_eq!(field(Register { kind: Some(NodeKind::Local), ..good() }), "kind");
    let long = Registration::check(Register { cwd: "x".repeat(5000), ..good() }).unwrap_err();
    assert_eq!(long.to_string(), "`cwd` has 5000 bytes, of at most 4096");
}
