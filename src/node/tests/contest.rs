//! Two running processes under one id.

use super::*;

/// Registers and says whether it was let in; refused, its connection stays open.
fn tries(world: &mut World, instance: &str) -> bool {
    let epoch = world.registry.connected(OWNER);
    match world.register(epoch, host("a", instance)) {
        Ok(_) => true,
        Err(refused) => {
            assert_eq!(refused, Refused::Conflict { id: id("a"), wait: seconds(60) });
            false
        }
    }
}

fn holder(world: &World) -> Option<String> {
    world.registry.saved(world.now).into_iter().next()?.instance
}

#[test]
fn two_processes_switch_three_times_and_then_the_holder_stays() {
    let mut world = World::new();
    let mut switches = 0;
    let mut before = None;
    // For five minutes each comes back as soon as it has lost the id, and the holder speaks.
    for second in 0..300u64 {
        if second % 5 == 0 {
            let loser = if holder(&world).as_deref() == Some("x") { "y" } else { "x" };
            tries(&mut world, loser);
        }
        let now = holder(&world);
        switches += usize::from(before.is_some() && before != now);
        before = now;
        let epoch = world.registry.epoch_of("a").unwrap();
        world.registry.alive(epoch, world.now);
        assert_eq!(world.pass(seconds(1)), []);
    }
    assert_eq!(switches, 3);
    let refused = Refused::conflict(&id("a")).to_string();
    assert!(refused.contains("give one of them another id"), "{refused}");
}

/// After three switches: `y` holds, `x` was refused.
fn fight(world: &mut World) {
    for instance in ["x", "y", "x", "y"] {
        assert!(tries(world, instance));
    }
    assert!(!tries(world, "x"));
}

fn speak_for(world: &mut World, time: u64) {
    for _ in 0..time {
        let epoch = world.registry.epoch_of("a").unwrap();
        world.registry.alive(epoch, world.now);
        world.pass(seconds(1));
    }
}

#[test]
fn the_holder_reconnects_all_the_same_and_nobody_else_gets_in() {
    let mut world = World::new();
    fight(&mut world);
    assert!(tries(&mut world, "y"));
    assert!(!tries(&mut world, "z"), "a third");
}

#[test]
fn a_minute_without_an_attempt_ends_it() {
    let mut world = World::new();
    fight(&mut world);
    speak_for(&mut world, 59);
    assert!(!tries(&mut world, "x"), "and this begins a new minute");
    speak_for(&mut world, 59);
    assert!(!tries(&mut world, "x"));
    speak_for(&mut world, 60);
    assert!(tries(&mut world, "x"));
}

#[test]
fn the_end_of_the_holder_ends_it() {
    let mut world = World::new();
    fight(&mut world);
    let epoch = world.registry.epoch_of("a").unwrap();
    world.close(epoch);
    assert!(tries(&mut world, "x"));
}

#[test]
fn reconnecting_and_restarting_are_no_fight() {
    let mut world = World::new();
    for _ in 0..20 {
        assert!(tries(&mut world, "x"), "the same process, over and over");
    }
    for restart in 0..20 {
        assert!(tries(&mut world, &format!("x{restart}")), "none that lost the id comes back");
    }
    // Slow switches: no three within a minute.
    for instance in ["x", "y"].repeat(5) {
        assert!(tries(&mut world, instance));
        speak_for(&mut world, 31);
    }
}

#[test]
fn processes_without_a_name_are_told_apart_by_their_number() {
    let mut world = World::new();
    let mut tries = |pid: Option<u32>| {
        let epoch = world.registry.connected(OWNER);
        world.register(epoch, Register { pid, ..agent("a", "m", 9000) }).is_ok()
    };
    for pid in [1, 2, 1, 2] {
        assert!(tries(Some(pid)));
    }
    assert!(!tries(Some(1)));
    assert!(tries(Some(2)));
}
