//! Numbered input, asked of the real program: typed over connections that are cut at any byte, and pasted by the
//! megabyte.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use everpane::gateway::Framing;
use everpane::protocol::CloseCode;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use support::stage::{Stage, eventually};
use support::typist::Typist;
use support::wire::{Told, Wire};

/// How large the largest paste is, in bytes.
const PASTE: usize = 10 << 20;

/// How many bytes of a paste go into one frame.
const PIECE: usize = 32 << 10;

/// How long a key in another pane may take to be shown while somebody pastes, on a busy machine.
const ECHO_WITHIN: Duration = Duration::from_secs(2);

fn until_typed(stage: &Stage, wanted: &[u8]) {
    eventually("all that was typed", || (stage.content("home/typed").len() >= wanted.len()).then_some(()));
    // What is doubled may come late.
    std::thread::sleep(Duration::from_millis(50));
    let typed = stage.content("home/typed");
    let same = typed.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    assert!(typed == wanted, "{} bytes, {} wanted; the first {same} agree", typed.len(), wanted.len());
}

/// Numbers that look random, below `bound`.
fn scattered(bound: usize) -> impl Iterator<Item = usize> {
    let mut state = 0x9e37_79b9_u32;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % bound
    })
}

#[test]
fn what_is_typed_over_broken_connections_arrives_once_and_in_order() {
    let stage = Stage::with_script("stty raw -echo; echo ready; exec cat > typed");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let mut typist = Typist::new(&stage.gateway, scattered(1500).take(60));
    let keys: Vec<String> = (0..2000).map(|number| format!("key {number}\n")).collect();
    for key in &keys {
        typist.type_in(key.as_bytes());
    }
    typist.finish();
    assert!(typist.connections > 30, "{} connections", typist.connections);
    until_typed(&stage, keys.concat().as_bytes());
}

#[test]
fn a_paste_over_broken_connections_is_not_torn() {
    let stage = Stage::with_script("stty raw -echo; echo ready; exec cat > typed");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let paste: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    let typing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut typist = Typist::new(&stage.gateway, scattered(40_000).take(20));
            typist.paste(&paste, 4 << 10);
            typing.store(false, Ordering::Relaxed);
        });
        eventually("the paste", || (!stage.content("home/typed").is_empty()).then_some(()));
        while typing.load(Ordering::Relaxed) {
            viewer.type_in(pane, "[not of it]");
            std::thread::sleep(Duration::from_millis(3));
        }
    });
    viewer.type_in(pane, "[the end]");
    let typed = eventually("the end", || {
        let typed = stage.content("home/typed");
        typed.ends_with(b"[the end]").then_some(typed)
    });
    assert!(memchr::memmem::find(&typed, &paste).is_some(), "torn or changed");
    assert_eq!(memchr::memmem::find_iter(&typed, &paste[..256 * 700]).count(), 1);
}

/// Pastes into the first pane, whose program ends with `keep`, while somebody types into another one.
fn paste_megabytes(keep: &str, paste: &[u8]) {
    let stage =
        Stage::with_script(&format!("if mkdir first; then {keep}; fi; stty raw -echo; echo ready; exec cat"));
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let other = viewer.split(pane);
    viewer.until_shows(other, "ready");
    viewer.ask(json!({ "type": "pane_unwatch", "paneIds": [pane] }));
    let pasting = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            Typist::new(&stage.gateway, []).paste(paste, PIECE);
            pasting.store(false, Ordering::Relaxed);
        });
        let mut key = 0;
        while pasting.load(Ordering::Relaxed) {
            let (text, typed) = (format!("<{key}>"), Instant::now());
            viewer.type_in(other, &text);
            viewer.until_shows(other, &text);
            assert!(typed.elapsed() < ECHO_WITHIN, "{:?} for {text}", typed.elapsed());
            key += 1;
        }
        assert!(key > 10, "{key} keys");
    });
    until_typed(&stage, paste);
}

#[test]
fn ten_megabytes_go_through_a_program_that_reads_raw() {
    let paste: Vec<u8> = (0..=255).cycle().take(PASTE).collect();
    paste_megabytes(&format!("stty raw -echo; echo ready; exec head -c {PASTE} > typed"), &paste);
}

#[test]
fn ten_megabytes_go_through_a_program_that_reads_lines() {
    let mut paste = String::new();
    for number in 0_usize.. {
        paste += &format!("line {number} {}\n", "=".repeat(number * 37 % 4000));
        if paste.len() >= PASTE {
            break;
        }
    }
    paste_megabytes("stty -echo; echo ready; exec cat > typed", paste.as_bytes());
}

#[test]
fn a_client_that_is_back_ends_its_older_connection() {
    let stage = Stage::with_script("exec cat");
    let resume = json!({ "type": "resume", "client": "somebody-or-other" });
    let mut older = stage.viewer();
    older.ask(resume.clone());
    let mut newer = stage.viewer();
    newer.ask(resume);
    assert_eq!(older.until_closed().0, CloseCode::Superseded as u16);
    newer.sync();
}

#[test]
fn what_breaks_the_rules_is_refused() {
    let stage = Stage::with_script("exec cat");
    let (mut viewer, _) = stage.open();
    let numbered = |number: u64| [&[3, 0, 0, 0, 0], &number.to_be_bytes()[..], b"x"].concat();
    viewer.send_message(Message::binary(numbered(1)));
    viewer.until("the refusal", |mirror| mirror.errors_of("resume_first").count() == 1);
    viewer.send(&json!({ "type": "resume", "client": "too short" }));
    viewer.until("the refusal", |mirror| mirror.errors_of("invalid_field").count() == 1);
    viewer.ask(json!({ "type": "resume", "client": "long-enough-a-name" }));
    viewer.send_message(Message::binary(numbered(2)));
    viewer.until("the refusal", |mirror| mirror.errors_of("input_gap").count() == 1);
    let gap = viewer.mirror.errors_of("input_gap").next().unwrap();
    assert_eq!(gap.number, Some(2));
    viewer.send(&json!({ "type": "resume", "client": "somebody-else-again" }));
    viewer.until("the refusal", |mirror| mirror.errors_of("invalid_field").count() == 2);
}

/// A connection that speaks for a client, and the counts of what it was told to be given back before it may type.
fn come_back(stage: &Stage) -> (Wire, Vec<u64>) {
    let mut wire = Wire::connect(&stage.gateway, Framing::Native);
    wire.send_json(r#"{"type":"resume","client":"a-client-that-comes-back"}"#);
    let mut given_back = Vec::new();
    loop {
        let message = wire.expect("resumed", |told| told["type"] == "resumed" || told["type"] == "error");
        match message["givenBack"].as_u64() {
            Some(count) => given_back.push(count),
            None => return (wire, given_back),
        }
    }
}

#[test]
fn keys_that_print_nothing_are_acknowledged_all_the_same() {
    let stage = Stage::with_script("stty raw -echo; echo ready; exec cat > typed");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let channel = viewer.mirror.channels[&pane];
    let (mut wire, _) = come_back(&stage);
    for number in 1..=3_u64 {
        let frame = [&[3][..], &channel.to_be_bytes(), &number.to_be_bytes(), b"k"].concat();
        wire.send(Message::binary(frame));
        wire.expect("its acknowledgement", |told| told["type"] == "input_ack" && told["applied"] == number);
    }
    until_typed(&stage, b"kkk");
}

#[test]
fn what_was_given_back_is_told_again_until_a_ping_after_it_was_answered() {
    let stage = Stage::with_settings("exit\n", "[connection]\nping_secs = 1\n");
    let mut other = stage.viewer();
    let pane = other.create_session();
    other.until_exited(pane);
    other.ask(json!({ "type": "pane_set", "paneId": pane, "wake": "enter" }));
    let (mut first, _) = come_back(&stage);
    first.send(Message::binary(b"\x01\0\0\0\0held".to_vec()));
    other.until("what is held", |mirror| mirror.pane(pane).pending == 4);
    // To a connection from which nothing more is read.
    other.ask(json!({ "type": "pane_discard", "paneId": pane }));
    drop(first);
    let (mut wire, given_back) = come_back(&stage);
    assert_eq!(given_back, [1]);
    eventually("an end of it", || {
        // Pings come every second, and are answered by reading.
        let next_ping = Instant::now() + Duration::from_millis(1500);
        while let Some(told) = wire.next_before(next_ping) {
            assert!(!matches!(told, Told::Closed { .. }), "{told:?}");
        }
        let given_back;
        (wire, given_back) = come_back(&stage);
        given_back.is_empty().then_some(())
    });
}
