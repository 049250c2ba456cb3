//! Signs of life, silence, sleep, and what becomes of records with time.

use super::*;

/// Like time passing while a node speaks every `every`.
fn pass_speaking(world: &mut World, epoch: Epoch, time: Duration, every: Duration) -> Effects {
    let end = world.now.at + time;
    let mut effects = Effects::new();
    while world.now.at < end {
        effects.extend(world.pass(every));
        world.registry.alive(epoch, world.now);
    }
    effects
}

#[test]
fn a_silent_agent_goes_offline_after_the_ttl_and_is_removed_after_another() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, agent("a", "m", 9000));
    assert_eq!(pass_speaking(&mut world, epoch, seconds(600), seconds(89)), []);
    assert_eq!(world.pass(seconds(59)), []);
    assert!(!world.registry.record("a", world.now).unwrap().suspect);
    assert_eq!(world.pass(seconds(30)), []);
    assert!(world.registry.record("a", world.now).unwrap().suspect);
    let gone = [offline("a", OfflineCause::Silent), close(epoch, NodeClose::Silent)];
    assert_eq!(world.pass(seconds(1)), gone);
    let record = world.registry.record("a", world.now).unwrap();
    assert_eq!((record.status, record.why), (NodeStatus::Offline, Some(OfflineCause::Silent)));
    assert_eq!(record.offline_since.unwrap() - record.last_seen.unwrap(), 90);
    assert!(!record.suspect);
    assert_eq!(world.close(epoch), [], "the close that was asked for");
    assert_eq!(world.pass(seconds(89)), []);
    assert_eq!(world.pass(seconds(1)), [removed("a")]);
    assert_eq!(world.registry.next_tick(), None);
}

#[test]
fn a_pty_host_is_suspect_after_ten_seconds_and_offline_after_fifteen() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, host("a", "x"));
    assert_eq!(pass_speaking(&mut world, epoch, seconds(60), seconds(5)), []);
    world.pass(Duration::from_millis(9_999));
    assert!(!world.registry.record("a", world.now).unwrap().suspect);
    world.pass(Duration::from_millis(1));
    assert!(world.registry.record("a", world.now).unwrap().suspect);
    // It was only slow.
    world.registry.alive(epoch, world.now);
    assert!(!world.registry.record("a", world.now).unwrap().suspect);
    assert_eq!(world.pass(Duration::from_millis(14_999)), []);
    let gone = [offline("a", OfflineCause::Silent), close(epoch, NodeClose::Silent)];
    assert_eq!(world.pass(Duration::from_millis(1)), gone);
}

#[test]
fn the_ttl_counts_from_the_end_also_where_it_is_shorter_than_the_silence_allowed() {
    let mut world = World::with(Settings { ttl: seconds(3), ..Settings::default() });
    let (epoch, _) = world.join(OWNER, host("a", "x"));
    world.pass(seconds(1));
    world.close(epoch);
    assert_eq!(world.pass(Duration::from_millis(2_999)), []);
    assert_eq!(world.pass(Duration::from_millis(1)), [removed("a")]);
}

#[test]
fn every_word_counts_as_a_sign_of_life_and_is_shown() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, agent("a", "m", 9000));
    type Word = Box<dyn FnMut(&mut World)>;
    let mut words: Vec<Word> = vec![
        Box::new(move |world| world.registry.alive(epoch, world.now)),
        Box::new(move |world| _ = world.registry.heartbeat(epoch, None, None, world.now)),
        Box::new(move |world| _ = world.registry.deregister(epoch, "b", world.now)),
        Box::new(move |world| world.registry.going_to_sleep(epoch, world.now)),
        Box::new(move |world| _ = world.register(epoch, agent("a", "m", 9000)).unwrap()),
    ];
    for word in &mut words {
        assert_eq!(world.pass(seconds(80)), []);
        word(&mut world);
        let record = world.registry.record("a", world.now).unwrap();
        assert_eq!(record.last_seen, Some(world.now.unix_ms / 1000));
    }
}

#[test]
fn a_heartbeat_for_a_record_that_is_gone_is_told_to_register_again() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, agent("a", "m", 9000));
    assert_eq!(world.registry.heartbeat(epoch, Some("a"), None, world.now), []);
    world.registry.deregister(epoch, "a", world.now);
    let again = [Effect::RegisterAgain { epoch }];
    assert_eq!(world.registry.heartbeat(epoch, Some("a"), None, world.now), again);
    // One who never said a name believes nothing.
    assert_eq!(world.registry.heartbeat(epoch, None, None, world.now), []);
    // Naming somebody else moves nothing of theirs.
    let (other, _) = world.join(OWNER, agent("b", "m", 9001));
    let seen = world.registry.record("b", world.now);
    world.now.unix_ms += 5000;
    assert_eq!(world.registry.heartbeat(epoch, Some("b"), None, world.now), again);
    assert_eq!(world.registry.record("b", world.now), seen);
    assert_eq!(world.registry.epoch_of("b"), Some(other));
    // Who is somebody else is told as well, and stays who it is.
    assert_eq!(
        world.registry.heartbeat(other, Some("a"), None, world.now),
        [Effect::RegisterAgain { epoch: other }]
    );
    assert_eq!(world.registry.epoch_of("b"), Some(other));
}

#[test]
fn a_node_tells_its_load_and_idle_time_goes_on() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, agent("a", "m", 9000));
    let load = Load { panes: Some(3), idle: Some(seconds(60)) };
    world.registry.heartbeat(epoch, None, Some(load), world.now);
    world.pass(seconds(30));
    world.registry.heartbeat(epoch, None, None, world.now);
    let record = world.registry.record("a", world.now).unwrap();
    assert_eq!((record.panes, record.idle_secs), (Some(3), Some(90)));
    let load = Load { panes: None, idle: Some(Duration::MAX) };
    world.registry.heartbeat(epoch, None, Some(load), world.now);
    world.pass(seconds(1));
    assert_eq!(world.registry.record("a", world.now).unwrap().idle_secs, Some(u64::MAX));
}

#[test]
fn what_a_connection_ended_with_is_told() {
    let mut world = World::new();
    let (a, _) = world.join(OWNER, agent("a", "m", 1));
    let (b, _) = world.join(OWNER, agent("b", "m", 2));
    let now = world.now;
    let left = [offline("a", OfflineCause::Left)];
    assert_eq!(world.registry.closed(a, Farewell::Said, now), left);
    let lost = [offline("b", OfflineCause::Lost)];
    assert_eq!(world.registry.closed(b, Farewell::Broken, now), lost);
}

#[test]
fn an_announced_sleep_is_why_a_node_is_gone_soon_after() {
    let mut world = World::new();
    let asleep = |id: &str| offline(id, OfflineCause::Asleep);
    let (closes, _) = world.join(OWNER, agent("a", "m", 1));
    world.registry.going_to_sleep(closes, world.now);
    assert_eq!(world.close(closes), [asleep("a")]);
    // It freezes, and its connection stands.
    let (freezes, _) = world.join(OWNER, host("b", "x"));
    world.registry.going_to_sleep(freezes, world.now);
    world.pass(seconds(3));
    world.registry.alive(freezes, world.now);
    assert_eq!(world.pass(seconds(15)), [asleep("b"), close(freezes, NodeClose::Silent)]);
    // It stayed up after all, and broke much later.
    let (wakes, _) = world.join(OWNER, agent("c", "m", 3));
    world.registry.going_to_sleep(wakes, world.now);
    pass_speaking(&mut world, wakes, seconds(40), seconds(10));
    assert_eq!(world.close(wakes), [offline("c", OfflineCause::Lost)]);
    // Their records go like any other.
    assert_eq!(world.pass(seconds(90)), [removed("a"), removed("b"), removed("c")]);
}

#[test]
fn who_comes_back_is_the_same_record_without_a_countdown() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, agent("a", "m", 9000));
    world.close(epoch);
    world.pass(seconds(89));
    let (epoch, effects) = world.join(OWNER, agent("a", "m", 9000));
    assert_eq!(besides_joined(&effects), []);
    assert_eq!(pass_speaking(&mut world, epoch, seconds(200), seconds(30)), []);
    let record = world.registry.record("a", world.now).unwrap();
    assert_eq!((record.status, record.why, record.offline_since), (NodeStatus::Active, None, None));
}

#[test]
fn the_wall_clock_decides_nothing() {
    let mut world = World::new();
    let (epoch, _) = world.join(OWNER, host("a", "x"));
    let (b, _) = world.join(OWNER, host("b", "y"));
    world.close(b);
    world.now.unix_ms += 3_600_000;
    assert_eq!(world.pass(seconds(14)), []);
    world.now.unix_ms -= 7_200_000;
    world.registry.alive(epoch, world.now);
    assert_eq!(world.pass(seconds(14)), []);
    assert_eq!(world.status("a"), Some(NodeStatus::Active));
}

#[test]
fn after_the_gateway_was_stopped_everyone_has_five_seconds_to_speak() {
    let mut world = World::new();
    let (speaks, _) = world.join(OWNER, host("a", "x"));
    let (silent, _) = world.join(OWNER, host("b", "y"));
    let (gone, _) = world.join(OWNER, host("c", "z"));
    world.close(gone);
    world.pass(seconds(4));
    world.skip(seconds(600));
    assert_eq!(world.registry.tick(world.now), []);
    assert_eq!(world.pass(Duration::from_millis(4_999)), []);
    world.registry.alive(speaks, world.now);
    let effects = world.pass(Duration::from_millis(1));
    assert_eq!(effects, [offline("b", OfflineCause::Silent), close(silent, NodeClose::Silent), removed("c")]);
    assert_eq!(world.status("a"), Some(NodeStatus::Active));
}

#[test]
fn a_stop_is_noticed_whoever_calls_first_and_however_short_a_time_is_left() {
    let mut world = World::new();
    let (a, _) = world.join(OWNER, host("a", "x"));
    world.join(OWNER, host("b", "y"));
    // Stopped from the first to the fifteenth second: the tick of the fifteenth would come in time.
    world.pass(seconds(1));
    world.skip(seconds(14) - Duration::from_millis(1));
    world.registry.alive(a, world.now);
    assert_eq!(world.pass(Duration::from_millis(4_999)), []);
    assert_eq!(world.status("b"), Some(NodeStatus::Active));
    world.pass(Duration::from_millis(1));
    assert_eq!(world.status("b"), Some(NodeStatus::Offline));
}

#[test]
fn many_that_are_due_at_once_are_taken_in_turns() {
    let mut world = World::new();
    for node in 0..3000 {
        let (epoch, _) = world.join(OWNER, portless(&format!("n{node}"), "m"));
        world.close(epoch);
    }
    world.pass(seconds(89));
    world.skip(seconds(1));
    let first = world.registry.tick(world.now);
    assert_eq!(first.len(), 1024);
    assert!(world.registry.next_tick().unwrap() <= world.now.at, "at once again");
    assert_eq!(world.pass(Duration::ZERO).len(), 3000 - 1024);
    assert_eq!(world.registry.count(), 0);
}
