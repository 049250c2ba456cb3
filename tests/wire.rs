//! What the gateway makes of what viewers send, in both framings: sense, nonsense and too much of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;
use std::time::Instant;

use everpane::gateway::Framing;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use support::stage::Stage;
use support::viewer::TestViewer;
use support::wire::Wire;
use tokio_tungstenite::tungstenite::Message;

const BOTH: [Framing; 2] = [Framing::Native, Framing::Compact];

const MIB: usize = 1 << 20;

/// A program that shows what it reads, and at first that it is there, as programs are given input then.
const CAT: &str = "printf '> '\nexec cat\n";

fn wire(stage: &Stage, framing: Framing) -> Wire {
    Wire::connect(&stage.gateway, framing)
}

/// A control message as a framing has it.
fn control(framing: Framing, json: &str) -> Message {
    match framing {
        Framing::Native => Message::text(json),
        Framing::Compact => Message::binary([&[255], json.as_bytes()].concat()),
    }
}

/// Input for a channel as a framing has it.
fn input(framing: Framing, channel: u8, bytes: &[u8]) -> Message {
    Message::binary(match framing {
        Framing::Native => [&[1, 0, 0, 0, channel], bytes].concat(),
        Framing::Compact => [&[channel], bytes].concat(),
    })
}

/// Sends nonsense, and checks that it is refused and that the connection lives on.
fn refused(wire: &mut Wire, message: Message, code: &str, field: Option<&str>) -> Value {
    let shown: String = format!("{message:?}").chars().take(200).collect();
    wire.send(message);
    let error = wire.expect(code, |told| told["type"] == "error");
    assert_eq!((error["code"].as_str(), error["field"].as_str()), (Some(code), field), "{shown}: {error}");
    assert!(!error["message"].as_str().unwrap().is_empty());
    assert_eq!(wire.sync(), Vec::<Value>::new(), "one answer to {shown}");
    error
}

#[test]
fn malformed_control_messages_are_refused_by_code_and_field() {
    let stage = Stage::with_script(CAT);
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_type = format!(r#"{{"type":{nested}}}"#);
    let deep_field = format!(r#"{{"type":"split_resize","tabId":"t1","path":[],"ratios":{nested}}}"#);
    let cases: &[(&str, &str, Option<&str>)] = &[
        ("", "malformed_json", None),
        ("{", "malformed_json", None),
        ("nonsense", "malformed_json", None),
        (r#"{"type":"ping"} {"type":"ping"}"#, "malformed_json", None),
        (&deep_type, "invalid_field", Some("type")),
        (&deep_field, "invalid_field", Some("ratios[0]")),
        (r#"{"type":"pane_splat","requestId":3}"#, "unknown_type", Some("type")),
        (r#"{"type":"__proto__"}"#, "unknown_type", Some("type")),
        ("{}", "invalid_field", Some("type")),
        (r#"{"type":7}"#, "invalid_field", Some("type")),
        (r#"{"type":"ping","requestId":"1"}"#, "invalid_field", Some("requestId")),
        (r#"{"type":"ping","requestId":-1}"#, "invalid_field", Some("requestId")),
        (r#"{"type":"connect","height":1}"#, "invalid_field", Some("width")),
        (r#"{"type":"connect","width":65536,"height":1}"#, "invalid_field", Some("width")),
        (r#"{"type":"connect","width":-1,"height":1}"#, "invalid_field", Some("width")),
        (r#"{"type":"connect","width":1e400,"height":1}"#, "malformed_json", None),
        (r#"{"type":"connect","width":"80","height":24}"#, "invalid_field", Some("width")),
        (r#"{"type":"session_destroy","sessionId":"p1"}"#, "invalid_field", Some("sessionId")),
        (r#"{"type":"pane_close","paneId":1}"#, "invalid_field", Some("paneId")),
        (
            r#"{"type":"pane_split","paneId":"p1","orientation":"diagonal"}"#,
            "invalid_field",
            Some("orientation"),
        ),
        (
            r#"{"type":"pane_watch","panes":[{"paneId":"p1","offset":-5}]}"#,
            "invalid_field",
            Some("panes[0].offset"),
        ),
        (
            r#"{"type":"split_resize","tabId":"t1","path":[],"ratios":[null]}"#,
            "invalid_field",
            Some("ratios[0]"),
        ),
    ];
    for framing in BOTH {
        // Fewer in a row than count as abuse.
        for cases in cases.chunks(12) {
            let mut wire = wire(&stage, framing);
            for (json, code, field) in cases {
                refused(&mut wire, control(framing, json), code, *field);
            }
        }
    }
    let mut wire = wire(&stage, Framing::Native);
    let error = refused(
        &mut wire,
        Message::text(r#"{"type":"pane_splot","requestId":3}"#),
        "unknown_type",
        Some("type"),
    );
    assert_eq!(error["requestId"], 3);
    assert!(error["message"].as_str().unwrap().contains("did you mean `pane_split`?"), "{error}");
}

#[test]
fn malformed_frames_are_refused_by_code_and_field() {
    let stage = Stage::with_script(CAT);
    let (mut other, pane) = stage.open();
    let mut native = wire(&stage, Framing::Native);
    native.expect_type("state");
    let binary = |bytes: &[u8]| Message::binary(bytes.to_vec());
    refused(&mut native, binary(&[]), "malformed_frame", Some("frame"));
    refused(&mut native, binary(&[1]), "malformed_frame", Some("frame"));
    refused(&mut native, binary(&[2, 0, 0, 0]), "malformed_frame", Some("frame"));
    refused(&mut native, binary(&[0, 0, 0, 0, 0, 1]), "malformed_frame", Some("kind"));
    refused(&mut native, binary(&[9]), "malformed_frame", Some("kind"));
    refused(&mut native, binary(&[1, 255, 255, 255, 255, b'x']), "unknown_channel", Some("channel"));
    refused(&mut native, binary(&[2, 0, 0, 0, 255]), "unknown_channel", Some("channel"));
    refused(&mut native, Message::text("x".repeat(MIB + 1)), "message_too_large", Some("frame"));
    refused(&mut native, Message::binary(vec![1; MIB + 1]), "message_too_large", Some("frame"));

    let mut compact = wire(&stage, Framing::Compact);
    compact.expect_type("state");
    refused(&mut compact, Message::text(r#"{"type":"ping"}"#), "unexpected_text", Some("frame"));
    refused(&mut compact, binary(&[]), "malformed_frame", Some("frame"));
    refused(&mut compact, binary(&[7, b'x']), "unknown_channel", Some("channel"));
    refused(&mut compact, Message::binary(vec![0; MIB + 1]), "message_too_large", Some("frame"));

    other.type_in(pane, "still here\r");
    other.until_shows(pane, "still here\r\nstill here");
}

#[test]
fn a_message_of_exactly_the_limit_is_taken() {
    let stage = Stage::with_script(CAT);
    for framing in BOTH {
        let mut wire = wire(&stage, framing);
        let empty = r#"{"type":"ping","requestId":1,"padding":""}"#;
        let header = usize::from(framing == Framing::Compact);
        let padding = "x".repeat(MIB - empty.len() - header);
        wire.send(control(framing, &empty.replace(r#""""#, &format!("\"{padding}\""))));
        wire.expect("pong", |told| told["type"] == "pong" && told["requestId"] == 1);
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let stage = Stage::with_script(CAT);
    let mut wire = wire(&stage, Framing::Native);
    wire.send_json(r#"{"type":"ping","requestId":1,"since":{"v":[9]},"colour":null}"#);
    wire.expect("pong", |told| told["requestId"] == 1);
    // However deep.
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    wire.send_json(&format!(r#"{{"type":"ping","requestId":2,"x":{nested}}}"#));
    wire.expect("pong", |told| told["requestId"] == 2);
}

#[test]
fn abuse_ends_the_connection_and_no_other() {
    let stage = Stage::with_script(CAT);
    let (mut other, pane) = stage.open();
    for framing in BOTH {
        let mut wire = wire(&stage, framing);
        for _ in 0..19 {
            wire.send(control(framing, "{"));
        }
        assert_eq!(wire.sync().iter().filter(|told| told["type"] == "error").count(), 19);
        wire.send(control(framing, "{"));
        assert_eq!(wire.expect_close(), (1008, "too many malformed messages".to_owned()));
    }
    other.type_in(pane, "undisturbed\r");
    other.until_shows(pane, "undisturbed\r\nundisturbed");
}

#[test]
fn what_is_refused_for_good_reasons_is_no_abuse() {
    let stage = Stage::with_script(CAT);
    for framing in BOTH {
        let mut wire = wire(&stage, framing);
        for _ in 0..50 {
            wire.send_json(r#"{"type":"pane_close","paneId":"p99"}"#);
            wire.send(input(framing, 99, b"keys for a pane that was closed"));
        }
        let refusals = wire.sync();
        for code in ["unknown_pane", "unknown_channel"] {
            assert_eq!(refusals.iter().filter(|told| told["code"] == code).count(), 50, "{code}");
        }
    }
}

#[test]
fn more_than_four_mebibytes_are_not_taken_in() {
    let stage = Stage::with_script(CAT);
    let (mut other, pane) = stage.open();
    for message in [Message::text("x".repeat(4 * MIB + 1)), Message::binary(vec![1; 6 * MIB])] {
        let mut wire = wire(&stage, Framing::Native);
        wire.send(message);
        assert_eq!(wire.expect_close(), (1009, "message larger than 4 MiB".to_owned()));
    }
    // In pieces too.
    let mut wire = wire(&stage, Framing::Compact);
    wire.send(Message::binary(vec![255; 5 * MIB]));
    assert_eq!(wire.expect_close().0, 1009);
    other.type_in(pane, "undisturbed\r");
    other.until_shows(pane, "undisturbed\r\nundisturbed");
}

/// A frame of any kind: nonsense, near sense, and sense about things that are not there.
fn frame() -> impl Strategy<Value = Message> {
    let words = prop_oneof![
        proptest::sample::select(everpane::protocol::client::ClientMessage::TYPES).prop_map(str::to_owned),
        "[a-z_]{0,12}",
    ];
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        "[spt][0-9]{1,3}".prop_map(Value::from),
        Just(Value::Null),
        vec(any::<u16>(), 0..4).prop_map(Value::from),
    ];
    let names = proptest::sample::select(
        &["paneId", "tabId", "sessionId", "width", "height", "direction", "name", "path", "ratios", "panes"]
            [..],
    );
    let message = (words, vec((names, value), 0..5)).prop_map(|(word, fields)| {
        let mut message = json!({ "type": word });
        for (name, value) in fields {
            message[name] = value;
        }
        message.to_string()
    });
    prop_oneof![
        2 => message.clone().prop_map(Message::text),
        2 => message.prop_map(|text| control(Framing::Compact, &text)),
        1 => "\\PC{0,60}".prop_map(Message::text),
        3 => vec(any::<u8>(), 0..40).prop_map(Message::binary),
        1 => (0u8..4, any::<u32>(), vec(any::<u8>(), 0..200)).prop_map(|(kind, channel, bytes)| {
            Message::binary([&[kind], &channel.to_be_bytes()[..], &bytes].concat())
        }),
        1 => vec(any::<u8>(), 0..100).prop_map(|bytes| Message::Ping(bytes.into())),
        1 => vec(any::<u8>(), 0..100).prop_map(|bytes| Message::Pong(bytes.into())),
    ]
}

#[test]
fn random_frames_disturb_nobody_else() {
    let stage = Stage::with_script(CAT);
    let (mut other, pane) = stage.open();
    let mut runner = TestRunner::deterministic();
    let mut sent = 0;
    for round in 0..40 {
        let mut wire = wire(&stage, BOTH[round % 2]);
        for _ in 0..60 {
            let frame = frame().new_tree(&mut runner).unwrap().current();
            // Pane 0 belongs to the other viewer, and this one may type like anybody.
            let types = matches!(&frame, Message::Binary(bytes) if bytes.first() == Some(&0) || bytes.starts_with(&[1, 0, 0, 0, 0]));
            if !types {
                wire.send(frame);
                sent += 1;
            }
        }
        other.type_in(pane, &format!("round {round}\r"));
        other.until_shows(pane, &format!("round {round}\r\nround {round}"));
    }
    assert!(sent > 2000, "{sent}");
    assert!(other.mirror.errors.is_empty(), "{:?}", other.mirror.errors);
    assert!(other.mirror.connected(pane));
}

// The compact framing from end to end.

/// The children of a node of the tree, and which way they lie.
fn stack(node: &Value) -> (&str, Vec<&Value>) {
    (node["orientation"].as_str().unwrap(), node["children"].as_array().unwrap().iter().collect())
}

fn window(pane: &str) -> Value {
    json!({ "tag": "window", "key": pane })
}

#[test]
fn the_compact_framing_from_end_to_end() {
    let stage = Stage::with_script(CAT);
    let mut first = wire(&stage, Framing::Compact);
    assert!(first.sync().is_empty(), "nothing is sent while there is no layout");
    first.send_json(r#"{"type":"connect","width":80,"height":24}"#);
    let state = first.expect_type("state");
    let empty = json!({"type":"state","sessions":[],"tabs":[],"activeTab":null,"channels":{},"connected":{}});
    assert_eq!(state, empty, "and no other field");

    first.send_json(r#"{"type":"session_create","name":"work"}"#);
    let state = first.expect("the session", |told| told["sessions"][0]["name"] == "work");
    assert_eq!(state["sessions"][0]["sandboxId"], "local");
    assert!(state["sessions"][0]["createdAt"].as_u64().unwrap() > 1_600_000_000_000);
    assert_eq!(state["tabs"][0]["layout"]["root"], window("p1"));
    assert_eq!(state["tabs"][0]["focus"], json!([]));
    first.until("a shell", |layout| layout["connected"]["p1"] == true);
    first.send(input(Framing::Compact, 0, b"one\r"));
    first.expect_output(0, "one\r\none");

    first.send_json(r#"{"type":"pane_split","paneId":"p1","orientation":"horizontal","cols":39,"rows":24}"#);
    first
        .until("the right pane", |layout| layout["channels"]["p2"] == 1 && layout["connected"]["p2"] == true);
    let root = &first.layout["tabs"][0]["layout"]["root"];
    let (orientation, children) = stack(root);
    assert_eq!((orientation, children), ("vertical", vec![&window("p1"), &window("p2")]), "side by side");
    assert_eq!(first.layout["tabs"][0]["focus"], json!([1]));

    first.send_json(r#"{"type":"pane_split","paneId":"p2","orientation":"vertical","cols":39,"rows":11}"#);
    first.until("the lower pane", |layout| layout["connected"]["p3"] == true);
    let root = first.layout["tabs"][0]["layout"]["root"].clone();
    let (orientation, children) = stack(stack(&root).1[1]);
    assert_eq!(
        (orientation, children),
        ("horizontal", vec![&window("p2"), &window("p3")]),
        "one above the other"
    );
    assert_eq!(first.layout["tabs"][0]["focus"], json!([1, 1]));

    first.send_json(r#"{"type":"pane_focus","direction":"left"}"#);
    first.until("the focus", |layout| layout["tabs"][0]["focus"] == json!([0]));
    first.send(input(Framing::Compact, 2, b"three\r"));
    first.expect_output(2, "three\r\nthree");

    let mut second = wire(&stage, Framing::Compact);
    let state = second.expect_type("state");
    assert_eq!(state["channels"], json!({"p1":0,"p2":1,"p3":2}), "on opening, without connect");
    assert_eq!(state["connected"], json!({"p1":true,"p2":true,"p3":true}));
    second.expect_output(0, "one\r\none");
    second.expect_output(2, "three\r\nthree");

    second.send_json(r#"{"type":"pane_close","paneId":"p2"}"#);
    for wire in [&mut first, &mut second] {
        wire.until("the close", |layout| layout["channels"] == json!({"p1":0,"p3":2}));
        assert_eq!(wire.layout["tabs"][0]["layout"]["root"]["children"], json!([window("p1"), window("p3")]));
    }
    second.send_json(r#"{"type":"tab_create","sessionId":"s1","name":"logs"}"#);
    first.until("the tab", |layout| layout["tabs"][1]["name"] == "logs" && layout["activeTab"] == "t2");
    second.send_json(r#"{"type":"tab_rename","tabId":"t2","name":"tests"}"#);
    second.send_json(r#"{"type":"tab_switch","tabId":"t1"}"#);
    first.until("the switch", |layout| layout["tabs"][1]["name"] == "tests" && layout["activeTab"] == "t1");
    second.send_json(r#"{"type":"tab_close","tabId":"t2"}"#);
    second.send_json(r#"{"type":"session_rename","sessionId":"s1","name":"play"}"#);
    first.until("the name", |layout| layout["sessions"][0]["name"] == "play");
    second.send_json(r#"{"type":"session_destroy","sessionId":"s1"}"#);
    first.until("the end", |layout| layout["sessions"] == json!([]) && layout["channels"] == json!({}));
}

/// Opens tabs until there are `count` panes, none of which starts a program that is waited for.
fn fill(viewer: &mut TestViewer, count: usize) {
    let session = viewer.ask(json!({ "type": "session_create" })).session.unwrap();
    for _ in 1..count {
        viewer.ask(json!({ "type": "tab_create", "sessionId": session }));
    }
    viewer.until("all panes", |mirror| mirror.channels.len() == count);
}

#[test]
fn the_compact_framing_reaches_255_panes_and_says_so_at_the_next() {
    let stage = Stage::with_script(CAT);
    let mut native = stage.viewer();
    fill(&mut native, 254);
    let mut compact = wire(&stage, Framing::Compact);
    compact.send_json(r#"{"type":"pane_split","paneId":"p1","orientation":"vertical","requestId":1}"#);
    compact.expect("the last pane", |told| told["requestId"] == 1 && told["type"] == "ok");
    compact.until("its channel", |layout| layout["channels"]["p255"] == 254);
    let channels = compact.layout["channels"].as_object().unwrap();
    let numbers: BTreeSet<u64> = channels.values().map(|channel| channel.as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..255).collect());
    compact.until("its shell", |layout| layout["connected"]["p255"] == true);
    for channel in [0, 100, 254] {
        compact.send(input(Framing::Compact, channel, b"reached\r"));
        compact.expect_output(channel.into(), "reached\r\nreached");
    }

    for (id, message) in [
        (2, r#"{"type":"pane_split","paneId":"p1","orientation":"vertical","requestId":2}"#),
        (3, r#"{"type":"tab_create","sessionId":"s1","requestId":3}"#),
        (4, r#"{"type":"session_create","requestId":4}"#),
    ] {
        compact.send_json(message);
        let error = compact.expect("the refusal", |told| told["requestId"] == id);
        assert_eq!(error["code"], "channels_exhausted");
        assert!(error["message"].as_str().unwrap().contains("everpane.v1"), "{error}");
    }
    assert!(compact.layout["tabs"].as_array().unwrap().len() == 254, "nothing was made");

    let pane = native.ask(json!({ "type": "tab_create", "sessionId": "s1" })).pane.unwrap();
    native.watch(pane);
    native.until_live(pane);
    assert_eq!(native.mirror.channels[&pane], 256, "255 is the compact control channel");
    native.type_in(pane, "beyond\r");
    native.until_shows(pane, "beyond\r\nbeyond");
    compact.until("the pane", |layout| layout["connected"]["p256"] == true);
    assert!(compact.layout["channels"]["p256"].is_null(), "out of reach, so without a channel");
}

#[test]
fn a_channel_rests_while_somebody_may_hold_frames_for_its_old_pane() {
    let stage = Stage::with_script(CAT);
    let (mut viewer, first) = stage.open();
    let mut witness = stage.viewer();
    witness.until("the pane", |mirror| mirror.channels.contains_key(&first));
    let second = viewer.split(first);
    assert_eq!(viewer.mirror.channels[&second], 1);
    viewer.ask(json!({ "type": "pane_close", "paneId": second }));
    viewer.until("the close", |mirror| !mirror.channels.contains_key(&second));
    let revision = viewer.mirror.revision;
    viewer.ask(json!({ "type": "layout_seen", "revision": revision }));

    // The witness was there at the close and has not said that it knows.
    let third = viewer.split(first);
    assert_eq!(viewer.mirror.channels[&third], 2);
    // Late keys for the closed pane reach no other.
    witness.send_message(Message::binary(vec![1, 0, 0, 0, 1, b'!', b'\r']));
    witness.until("the refusal", |mirror| mirror.errors_of("unknown_channel").count() == 1);

    witness
        .until("the close", |mirror| mirror.revision >= revision && !mirror.channels.contains_key(&second));
    // An older layout is not enough.
    witness.ask(json!({ "type": "layout_seen", "revision": revision - 1 }));
    let fourth = viewer.split(first);
    assert_eq!(viewer.mirror.channels[&fourth], 3);
    witness.ask(json!({ "type": "layout_seen", "revision": revision }));
    let fifth = viewer.split(first);
    assert_eq!(viewer.mirror.channels[&fifth], 1, "now nobody can mean the old pane");
    assert!(!viewer.mirror.text(fifth).contains('!'));
}

#[test]
fn a_viewer_that_leaves_no_longer_keeps_a_channel() {
    let stage = Stage::with_script(CAT);
    let (mut viewer, first) = stage.open();
    let witness = stage.viewer();
    let second = viewer.split(first);
    viewer.ask(json!({ "type": "pane_close", "paneId": second }));
    viewer.until("the close", |mirror| !mirror.channels.contains_key(&second));
    viewer.ask(json!({ "type": "layout_seen", "revision": viewer.mirror.revision }));
    drop(witness);
    let deadline = Instant::now() + support::PATIENCE;
    loop {
        let pane = viewer.split(first);
        if viewer.mirror.channels[&pane] == 1 {
            return;
        }
        assert!(Instant::now() < deadline, "the channel is never used again");
    }
}

#[test]
fn whoever_reads_may_ask_a_thousand_things_at_once() {
    let stage = Stage::with_script(CAT);
    for framing in BOTH {
        let mut wire = wire(&stage, framing);
        // Read on the other side in few pieces, so that hundreds of requests are there in the same moment.
        for id in 0..1000 {
            wire.send_json(&format!(r#"{{"type":"ping","requestId":{id}}}"#));
        }
        for id in 0..1000 {
            wire.expect("an answer", |told| told["requestId"] == id);
        }
    }
}

#[test]
fn any_number_of_panes_is_watched_with_one_message() {
    let stage = Stage::with_script(CAT);
    let mut native = stage.viewer();
    fill(&mut native, 300);
    let panes: Vec<Value> = native.mirror.channels.keys().map(|pane| json!({ "paneId": pane })).collect();
    native.ask(json!({ "type": "pane_watch", "panes": panes }));
    let last = *native.mirror.channels.keys().max().unwrap();
    native.until_live(last);
    native.type_in(last, "watched\r");
    native.until_shows(last, "watched\r\nwatched");
}

#[test]
fn the_screen_answers_queries_and_no_viewer_does() {
    // The answer comes back as cat shows it.
    let stage = Stage::with_script("stty raw -echo; printf 'ready\\033[c'; exec cat -v\n");
    let (mut early, pane) = stage.open();
    early.until_on_screen(pane, "ready^[[?1;2c");

    let mut late = wire(&stage, Framing::Compact);
    late.expect_output(0, "ready");
    late.send(input(Framing::Compact, 0, b"x"));
    early.until_on_screen(pane, "ready^[[?1;2cx");
    // A terminal that answers what it was never asked.
    late.send(input(Framing::Compact, 0, b"\x1b[?1;2c"));
    late.send(input(Framing::Compact, 0, b"y"));
    early.until_on_screen(pane, "ready^[[?1;2cxy");
}
