//! What becomes of typed bytes, asked of the real program: delivered byte for byte, held within bounds, or refused out
//! loud, and never cut.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use everpane::ids::PaneId;
use everpane::protocol::server::PaneStatus;
use serde_json::json;

use support::stage::{Stage, eventually};
use support::viewer::TestViewer;

/// The default bound on held input, in bytes.
const HELD_BYTES: usize = 256 << 10;

/// How much of one line a canonical-mode line discipline takes, in bytes.
const MAX_LINE: usize = 4095;

const RAW_KEEPER: &str = "stty raw -echo; echo ready; exec cat > typed";
const COOKED_KEEPER: &str = "echo ready; exec cat > typed";

/// Waits until what was kept is `wanted`.
fn until_typed(stage: &Stage, wanted: &[u8]) {
    eventually("all that was typed", || (stage.content("home/typed").len() >= wanted.len()).then_some(()));
    let typed = stage.content("home/typed");
    assert!(typed == wanted, "{} bytes, {} wanted", typed.len(), wanted.len());
}

/// Whether a program of this name runs. Until it does, it is a copy of its shell.
fn runs(stage: &Stage, name: &str) -> bool {
    stage.programs().iter().any(|program| program.arguments().first().is_some_and(|first| first == name))
}

/// A pane without a terminal and with this wake policy.
fn dead_pane(stage: &Stage, wake: &str) -> (TestViewer, PaneId) {
    let (mut viewer, pane) = stage.open();
    viewer.ask(json!({ "type": "pane_set", "paneId": pane, "wake": wake }));
    stage.shells()[0].signal("KILL");
    viewer.until_exited(pane);
    (viewer, pane)
}

#[test]
fn a_raw_program_gets_every_byte_value_as_it_is() {
    let stage = Stage::with_script(RAW_KEEPER);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let all: Vec<u8> = (0..=255).collect();
    let paste = all.repeat(512);
    viewer.paste(pane, &paste);
    for byte in &all {
        viewer.paste(pane, &[*byte]);
    }
    until_typed(&stage, &[paste, all].concat());
    assert_eq!(viewer.mirror.errors, []);
}

#[test]
fn a_large_paste_of_lines_arrives_whole_at_a_program_that_reads_lines() {
    let stage = Stage::with_script(COOKED_KEEPER);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let lines: String =
        (0..2000).map(|number| format!("line {number} {}\n", "=".repeat(number % 90))).collect();
    assert!(lines.len() > 100_000);
    viewer.type_in(pane, &lines);
    until_typed(&stage, lines.as_bytes());
    viewer.until("nothing held", |mirror| mirror.pane(pane).pending == 0);
}

#[test]
fn a_line_that_the_terminal_cannot_hold_waits() {
    let stage = Stage::with_script(COOKED_KEEPER);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    viewer.type_in(pane, &"x".repeat(6000));
    viewer.until("the rest held", |mirror| mirror.pane(pane).pending == 6000 - MAX_LINE);
    // Held in plain sight until the line can go on: here the program is killed, and the next one gets the rest.
    stage.shells()[0].signal("KILL");
    viewer.until_exited(pane);
    viewer.type_in(pane, "!\n");
    until_typed(&stage, format!("{}!\n", "x".repeat(6000 - MAX_LINE)).as_bytes());
}

#[test]
fn an_interrupt_passes_a_line_that_waits() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    viewer.type_in(pane, "cat > typed\n");
    eventually("cat", || runs(&stage, "cat").then_some(()));
    viewer.type_in(pane, &"x".repeat(6000));
    viewer.until("the rest held", |mirror| mirror.pane(pane).pending == 6000 - MAX_LINE);
    viewer.type_in(pane, "\x03");
    viewer.until("nothing held", |mirror| mirror.pane(pane).pending == 0);
    let error = viewer.mirror.errors_of("input_discarded").next().expect("what was not delivered is told");
    assert_eq!((error.pane_id, error.bytes), (Some(pane), Some(6000 - MAX_LINE)));
    // A program that is about to die may read one more line.
    eventually("the end of cat", || (!runs(&stage, "cat")).then_some(()));
    viewer.type_in(pane, "echo al''ive\n");
    viewer.until_shows(pane, "alive");
    assert_eq!(stage.content("home/typed"), b"");
}

#[test]
fn a_program_that_does_not_read_costs_the_others_nothing() {
    let first = "if mkdir first; then echo ready; exec sleep 1000; fi";
    let stage = Stage::with_script(&format!("stty raw -echo; {first}; echo ready; exec cat"));
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let other = viewer.split(pane);
    viewer.until_shows(other, "ready");
    let message = vec![b'x'; 32 << 10];
    eventually("the refusal", || {
        viewer.paste(pane, &message);
        viewer.sync();
        (!viewer.mirror.errors.is_empty()).then_some(())
    });
    let error = &viewer.mirror.errors[0];
    assert_eq!((error.code.as_str(), error.pane_id), ("input_full", Some(pane)));
    assert_eq!(error.bytes, Some(message.len()), "nothing of a message that is refused was taken");
    viewer.until("what is held", |mirror| {
        let held = mirror.pane(pane).pending;
        held <= HELD_BYTES && held > HELD_BYTES - message.len()
    });
    viewer.type_in(other, "the other lives");
    viewer.until_shows(other, "the other lives");
}

#[test]
fn what_is_held_is_bounded_shown_and_discarded_out_loud() {
    let stage = Stage::with_script(RAW_KEEPER);
    let (mut viewer, pane) = dead_pane(&stage, "enter");
    viewer.paste(pane, &vec![b'x'; HELD_BYTES + 1]);
    viewer.until("the refusal", |mirror| mirror.errors.len() == 1);
    viewer.paste(pane, &vec![b'x'; HELD_BYTES]);
    viewer.until("what is held", |mirror| mirror.pane(pane).pending == HELD_BYTES);
    viewer.paste(pane, b"y");
    viewer.until("the refusal", |mirror| mirror.errors.len() == 2);
    let told = |bytes| ("input_full", Some(pane), Some(bytes));
    for (error, bytes) in viewer.mirror.errors.iter().zip([HELD_BYTES + 1, 1]) {
        assert_eq!((error.code.as_str(), error.pane_id, error.bytes), told(bytes));
    }
    assert_eq!(stage.shells(), [], "there was no Enter");
    viewer.ask(json!({ "type": "pane_discard", "paneId": pane }));
    viewer.until("nothing held", |mirror| mirror.pane(pane).pending == 0);
    let error = viewer.mirror.errors.last().unwrap();
    assert_eq!((error.code.as_str(), error.bytes), ("input_discarded", Some(HELD_BYTES)));
    let mut typed = vec![b'x'; HELD_BYTES];
    viewer.paste(pane, &typed);
    viewer.until("what is held", |mirror| mirror.pane(pane).pending == HELD_BYTES);
    // Refused, and it wakes: nothing else would ever make room.
    viewer.type_in(pane, "\r");
    until_typed(&stage, &typed);
    viewer.type_in(pane, "after\r");
    typed.extend(b"after\r");
    until_typed(&stage, &typed);
}

#[test]
fn everything_that_may_be_held_arrives() {
    let stage = Stage::with_script(RAW_KEEPER);
    let (mut viewer, pane) = dead_pane(&stage, "any-key");
    let mut typed: Vec<u8> = (0..=255).collect::<Vec<u8>>().repeat(HELD_BYTES / 256);
    // No reports among them, which would not be keys.
    typed.iter_mut().for_each(|byte| *byte = if *byte == 0x1b || *byte >= 0x80 { b'.' } else { *byte });
    viewer.paste(pane, &typed);
    until_typed(&stage, &typed);
    assert_eq!(viewer.mirror.errors, []);
}

#[test]
fn what_waits_too_long_is_given_back_out_loud() {
    let stage = Stage::with_settings(RAW_KEEPER, "[input]\nheld_secs = 1");
    let (mut viewer, pane) = dead_pane(&stage, "enter");
    let mut other = stage.viewer();
    other.watch(pane);
    other.type_in(pane, "abc");
    viewer.type_in(pane, "defgh");
    for (viewer, bytes) in [(&mut viewer, 5), (&mut other, 3)] {
        viewer.until("the news", |mirror| !mirror.errors.is_empty());
        let error = &viewer.mirror.errors[0];
        assert_eq!((error.code.as_str(), error.pane_id), ("input_expired", Some(pane)));
        assert_eq!((viewer.mirror.errors.len(), error.bytes), (1, Some(bytes)));
    }
    viewer.until("nothing held", |mirror| mirror.pane(pane).pending == 0);
    assert_eq!(stage.shells(), []);
}

#[test]
fn a_pane_may_wait_for_enter() {
    let stage = Stage::with_script(RAW_KEEPER);
    let (mut viewer, pane) = dead_pane(&stage, "enter");
    viewer.type_in(pane, "held");
    viewer.until("what is held", |mirror| mirror.pane(pane).pending == 4);
    assert!(matches!(viewer.mirror.pane(pane).status, PaneStatus::Exited { .. }));
    viewer.type_in(pane, "\r");
    until_typed(&stage, b"held\r");
}

#[test]
fn a_pane_may_start_only_when_asked_to() {
    let stage = Stage::with_script(RAW_KEEPER);
    let (mut viewer, pane) = dead_pane(&stage, "manual");
    viewer.type_in(pane, "keys\r");
    viewer.until("the refusal", |mirror| !mirror.errors.is_empty());
    let error = &viewer.mirror.errors[0];
    assert_eq!((error.code.as_str(), error.pane_id, error.bytes), ("pane_manual", Some(pane), Some(5)));
    assert_eq!((viewer.mirror.pane(pane).pending, stage.shells()), (0, vec![]));
    viewer.ask(json!({ "type": "pane_respawn", "paneId": pane }));
    // From the request on, keys are for what is being started.
    viewer.type_in(pane, "more");
    until_typed(&stage, b"more");
}

#[test]
fn a_stopped_terminal_goes_on_where_it_stopped() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    viewer.type_in(pane, "stty ixon; cat\n");
    eventually("cat", || runs(&stage, "cat").then_some(()));
    viewer.type_in(pane, "before\n");
    viewer.until_shows(pane, "before\r\nbefore\r\n");
    viewer.type_in(pane, "\x13");
    viewer.type_in(pane, "after\n");
    viewer.sync();
    viewer.type_in(pane, "\x11");
    viewer.until_shows(pane, "after\r\nafter\r\n");
}

#[test]
fn an_interrupt_passes_lines_that_a_program_does_not_read() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    viewer.type_in(pane, "echo sle''eping; sleep 1000\n");
    viewer.until_shows(pane, "sleeping");
    // A copy of the shell would take the interrupt in the shell's way.
    eventually("the sleep", || runs(&stage, "sleep").then_some(()));
    viewer.type_in(pane, &"touch trap\n".repeat(20_000));
    viewer.until("lines held", |mirror| mirror.pane(pane).pending > 0);
    viewer.type_in(pane, "\x03");
    viewer.type_in(pane, "echo al''ive\n");
    viewer.until_shows(pane, "alive");
    assert!(!stage.path("home/trap").exists(), "the lines went with the interrupt");
    assert_eq!(viewer.mirror.errors_of("input_discarded").count(), 1);
}

#[test]
fn what_a_program_had_not_been_given_when_it_died_is_for_the_next() {
    // Takes a thousand lines and dies.
    let script = "stty -echo; echo ready; head -n 1000 >> typed; kill -9 $$";
    let stage = Stage::with_script(script);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let lines: Vec<String> = (0..20_000).map(|number| format!("line {number}\n")).collect();
    viewer.type_in(pane, &lines.concat());
    viewer.until_exited(pane);
    viewer.sync();
    let rest = viewer.mirror.pane(pane).pending;
    assert!(rest > 0, "more than any terminal holds was not delivered");
    viewer.ask(json!({ "type": "pane_respawn", "paneId": pane }));
    viewer.until("the second thousand", |mirror| mirror.text(pane).matches("ready").count() == 2);
    let typed = eventually("the second thousand", || {
        let typed = String::from_utf8(stage.content("home/typed")).unwrap();
        (typed.lines().count() == 2000).then_some(typed)
    });
    let first = lines[..1000].concat();
    assert!(typed.starts_with(&first));
    // What the dead program was given and did not read is gone; from there on nothing is missing or doubled.
    let all = lines.concat();
    let second = &typed[first.len()..];
    assert_eq!(all.len() - rest, all.find(second).expect("one piece of what was typed"));
}
