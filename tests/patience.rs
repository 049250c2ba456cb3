//! Viewers that the gateway loses patience with, and those beside them with whom it must not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use everpane::gateway::Framing;
use support::stage::{Stage, eventually};
use support::viewer::TestViewer;
use support::wire::{Told, Wire};
use tokio_tungstenite::tungstenite::Message;

const BOTH: [Framing; 2] = [Framing::Native, Framing::Compact];

/// Prints more than a window holds, again and again, until there is a file `enough`; then shows what is typed.
const CHATTER: &str = "while [ ! -e enough ]; do seq 1 4000; sleep 0.01; done\necho quiet\nexec cat\n";

/// How long a connection is read before something else is done.
const A_WHILE: Duration = Duration::from_millis(20);

/// Says that everything of channel 0 before `offset` was taken in.
fn consume(wire: &mut Wire, offset: u64) {
    wire.send(Message::binary([&[5, 0, 0, 0, 0], &offset.to_be_bytes()[..]].concat()));
}

/// Reads for a while.
fn read_a_little(wire: &mut Wire) {
    let until = Instant::now() + A_WHILE;
    while let Some(told) = wire.next_before(until) {
        assert!(!matches!(told, Told::Closed { .. }), "{told:?}");
        if Instant::now() >= until {
            return;
        }
    }
}

/// A viewer that has heard from the gateway, or `None` if it was turned away.
fn try_to_come(stage: &Stage, framing: Framing) -> Option<Wire> {
    let mut wire = Wire::connect(&stage.gateway, framing);
    wire.send_json(r#"{"type":"ping"}"#);
    match wire.next_before(Instant::now() + support::PATIENCE).expect("an answer or the end") {
        Told::Closed { .. } => None,
        Told::Message(_) | Told::Output { .. } => Some(wire),
    }
}

/// A viewer that comes as soon as there is room, which those that leave may take a moment to make.
fn come(stage: &Stage, framing: Framing) -> Wire {
    eventually("room", || try_to_come(stage, framing))
}

/// A native viewer that watches the first pane; where in its output that began.
fn come_and_watch(stage: &Stage) -> (Wire, u64) {
    let mut wire = come(stage, Framing::Native);
    wire.until("the pane", |layout| layout["channels"]["p1"] == 0);
    wire.send_json(r#"{"type":"pane_watch","panes":[{"paneId":"p1"}]}"#);
    let from = wire.expect_type("watching")["from"].as_u64().unwrap();
    (wire, from)
}

/// Goes on as any viewer does, until it is over.
fn go_on(viewer: &mut TestViewer, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        viewer.sync();
    }
}

#[test]
fn who_takes_nothing_in_is_closed_and_who_is_slow_is_not() {
    let stage = Stage::with_settings(CHATTER, "[connection]\nstalled_secs = 3\n");
    let (mut other, pane) = stage.open();
    let (mut slow, from) = come_and_watch(&stage);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| go_on(&mut other, &over));
        scope.spawn(|| {
            // A few bytes at a time: its window is never open again.
            for taken in 1.. {
                consume(&mut slow, from + 16 * taken);
                read_a_little(&mut slow);
                if over.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        // One after the other, so that the slow one lives through more than it would if it took nothing.
        let closed: Vec<_> = (0..2).map(|_| come_and_watch(&stage).0.expect_close()).collect();
        over.store(true, Ordering::Relaxed);
        let reason = "took nothing in for too long".to_owned();
        assert_eq!(closed, [(4008, reason.clone()), (4008, reason)]);
    });
    File::create(stage.path("home/enough")).unwrap();
    other.until_shows(pane, "quiet");
    other.type_in(pane, "undisturbed\r");
    other.until_shows(pane, "undisturbed\r\nundisturbed");
    // Brought up to date as soon as it takes in what it has.
    consume(&mut slow, u64::MAX);
    slow.expect_output(0, "undisturbed");
}

#[test]
fn who_reads_nothing_makes_room_for_others() {
    let settings = "[connection]\nstalled_secs = 3\n[limits]\nviewers = 2\n";
    let stage = Stage::with_settings(CHATTER, settings);
    let (mut other, pane) = stage.open();
    for framing in BOTH {
        let mut deaf = match framing {
            Framing::Native => come_and_watch(&stage).0,
            // It gets everything without being asked.
            Framing::Compact => come(&stage, framing),
        };
        eventually("room", || {
            other.sync();
            try_to_come(&stage, Framing::Native)
        });
        // What is said to a connection that is full may not get through.
        let (code, reason) = deaf.expect_close();
        assert!([4008, 1006].contains(&code), "{code} {reason}");
    }
    File::create(stage.path("home/enough")).unwrap();
    other.until_shows(pane, "quiet");
}

#[test]
fn who_answers_no_ping_is_gone_and_who_does_is_not() {
    let settings = "[connection]\nping_secs = 1\npong_within_secs = 3\n[limits]\nviewers = 2\n";
    let stage = Stage::with_settings("exec cat\n", settings);
    // It only answers pings, whenever it reads.
    let mut present = Wire::connect(&stage.gateway, Framing::Native);
    present.expect_type("hello");
    for framing in BOTH {
        let mut silent = come(&stage, framing);
        eventually("room", || {
            read_a_little(&mut present);
            try_to_come(&stage, Framing::Native)
        });
        let (code, reason) = silent.expect_close();
        assert_eq!(code, 1006, "without a code, as there is nobody to tell: {reason}");
    }
    present.sync();
}

#[test]
fn the_viewer_over_the_limit_is_told_so_and_comes_when_one_has_left() {
    let stage = Stage::with_settings("exec cat\n", "[limits]\nviewers = 2\n");
    let (mut first, _) = stage.open();
    let mut second = stage.viewer();
    for framing in BOTH {
        let mut third = Wire::connect(&stage.gateway, framing);
        assert_eq!(third.expect_close(), (1013, "too many viewers".to_owned()));
    }
    first.sync();
    second.sync();
    drop(second);
    come(&stage, Framing::Native).sync();
    // As often as viewers come and go.
    come(&stage, Framing::Compact).sync();
    first.sync();
}
