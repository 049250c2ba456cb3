//! What is known after a restart of the gateway.

use super::*;

/// Written down, read again, at a moment that has nothing to do with the one before.
fn restarted(world: &World, settings: Settings) -> World {
    restarted_at(world, settings, 1_900_000_000_000)
}

/// The same with the wall clock at that time, in milliseconds since the Unix epoch.
fn restarted_at(world: &World, settings: Settings, unix_ms: u64) -> World {
    let json = serde_json::to_string(&world.registry.saved(world.now)).unwrap();
    let now = Moment { at: world.now.at + seconds(5_000_000), unix_ms };
    World { registry: Registry::restored(settings, serde_json::from_str(&json).unwrap(), now), now }
}

#[test]
fn records_come_back_offline_and_their_countdown_goes_on() {
    let mut world = World::new();
    let (left, _) = world.join(with_token(1), agent("a", "m", 1));
    world.join(OWNER, Register { pid: Some(5), ..host("b", "x") });
    world.registry.closed(left, Farewell::Said, world.now);
    world.pass(seconds(10));
    let mut again = restarted(&world, Settings::default());
    let a = again.registry.record("a", again.now).unwrap();
    assert_eq!((a.status, a.why), (NodeStatus::Offline, Some(OfflineCause::Left)));
    assert_eq!((a.last_seen, a.offline_since), (Some(1_700_000_000), Some(1_700_000_000)));
    let b = again.registry.record("b", again.now).unwrap();
    assert_eq!((b.status, b.why), (NodeStatus::Offline, Some(OfflineCause::GatewayRestarted)));
    assert_eq!((b.kind, b.pid, b.last_seen), (Some(NodeKind::PtyHost), Some(5), Some(1_700_000_000)));
    assert_eq!(again.pass(seconds(79)), []);
    assert_eq!(again.pass(seconds(1)), [removed("a")]);
    assert_eq!(again.pass(seconds(10)), [removed("b")]);
}

#[test]
fn nothing_is_shown_to_be_in_the_future_when_the_clock_was_set_back() {
    let mut world = World::new();
    let (left, _) = world.join(OWNER, agent("a", "m", 1));
    world.join(OWNER, host("b", "x"));
    world.registry.closed(left, Farewell::Said, world.now);
    let mut again = restarted_at(&world, Settings::default(), 12_000);
    for id in ["a", "b"] {
        let record = again.registry.record(id, again.now).unwrap();
        assert_eq!((record.last_seen, record.offline_since), (Some(12), Some(12)));
    }
    assert_eq!(again.pass(seconds(90)), [removed("a"), removed("b")]);
}

#[test]
fn who_comes_back_after_a_restart_finds_its_record() {
    let mut world = World::new();
    world.join(with_token(1), host("a", "x"));
    world.join(with_token(1), agent("b", "m", 9000));
    let mut again = restarted(&world, Settings::default());
    let stranger = again.registry.connected(OWNER);
    assert!(again.register(stranger, host("a", "x")).is_err(), "still the token's");
    let (_, effects) = again.join(with_token(1), host("a", "x"));
    assert_eq!(besides_joined(&effects), []);
    let (_, effects) = again.join(with_token(1), agent("b2", "m", 9000));
    assert_eq!(besides_joined(&effects), [removed("b")]);
    assert_eq!(again.ids(), ["a", "b2"]);
}

#[test]
fn a_file_that_says_what_cannot_be_is_taken_as_far_as_it_can() {
    let mut world = World::new();
    let (a, _) = world.join(OWNER, agent("a", "m", 1));
    world.join(OWNER, agent("b", "m", 2));
    world.close(a);
    let mut saved = world.registry.saved(world.now);
    saved[0].offline.as_mut().unwrap().remaining_ms = u64::MAX;
    let good = saved.clone();
    saved.insert(1, SavedNode { port: None, ..good[0].clone() });
    saved.insert(2, SavedNode { id: "same-port".into(), ..good[0].clone() });
    saved.insert(3, SavedNode { id: "no id".into(), port: None, ..good[0].clone() });
    saved.insert(4, SavedNode { id: "l".into(), kind: NodeKind::Local, port: None, ..good[0].clone() });
    let mut again =
        World { registry: Registry::restored(Settings::default(), saved, world.now), now: world.now };
    assert_eq!(again.ids(), ["a", "b"]);
    assert_eq!(again.pass(seconds(90)), [removed("a"), removed("b")], "no later than the TTL");
    let few = Settings { max_nodes: 1, ..Settings::default() };
    assert_eq!(Registry::restored(few, good, world.now).count(), 1);
}

#[test]
fn the_local_node_is_not_displaced_by_what_was_saved() {
    let mut world = World::new();
    world.join(OWNER, agent("local", "m", 1));
    let mut again = restarted(&world, Settings::default());
    let local = Registration::local(portless("local", "m")).unwrap();
    again.registry.register_local(local, again.now);
    assert_eq!(again.ids(), ["local"]);
    assert_eq!(again.pass(seconds(200)), []);
}
