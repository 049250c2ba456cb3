//! Holds `docs/protocol.md` to the truth: every example in it is parsed, encoded or played, and nothing that the
//! gateway says is missing from it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;

use bytes::Bytes;
use everpane::gateway::Framing;
use everpane::protocol::client::{self, ClientMessage};
use everpane::protocol::frame::{
    Channel, CompactFrame, InputFrame, InputKind, OutputKind, ViewerFrame, compact_control, output_frame,
    parse_compact, parse_native, restart_frames,
};
use everpane::protocol::server::ServerMessage;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use support::Gateway;
use support::wire::Wire;

const DOC: &str = include_str!("../docs/protocol.md");

/// The types of messages from the gateway. A message of a type that is not here fails [`server_examples_parse`].
const SERVER_TYPES: [&str; 14] = [
    "hello",
    "state",
    "layout_update",
    "pane_update",
    "view",
    "watching",
    "resumed",
    "input_ack",
    "terminal_lent",
    "terminal_returned",
    "ok",
    "error",
    "notice",
    "pong",
];

/// The lines of all blocks that are fenced with ```` ```<info> ````, without empty ones.
fn lines(info: &str) -> Vec<&'static str> {
    blocks(info).concat()
}

fn blocks(info: &str) -> Vec<Vec<&'static str>> {
    let fence = format!("```{info}\n");
    let parts = DOC.split(fence.as_str()).skip(1);
    let blocks: Vec<Vec<_>> = parts
        .map(|rest| rest.split("```").next().unwrap().lines().filter(|line| !line.is_empty()).collect())
        .collect();
    assert!(!blocks.is_empty(), "the document has no block `{info}`");
    blocks
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether `whole` has everything that `part` has. Lists agree element by element, ratios only roughly.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            // `{}` and `[]` in an example mean nothing there, not anything.
            (!part.is_empty() || whole.is_empty())
                && part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| contains(whole, part))
        }
        (Value::Number(whole), Value::Number(part)) => {
            (whole.as_f64().unwrap() - part.as_f64().unwrap()).abs() < 1e-9
        }
        _ => whole == part,
    }
}

/// Every field of `example` is in what became of it, so the types have them all.
fn assert_kept(example: &str, back: Value) {
    let mut wanted = json(example);
    // Belongs to the envelope, in messages from viewers.
    if back.get("requestId").is_none() {
        wanted.as_object_mut().unwrap().remove("requestId");
    }
    assert!(contains(&back, &wanted), "{example}\nbecame\n{back}");
}

#[test]
fn client_examples_parse() {
    let mut seen = BTreeSet::new();
    for example in lines("json client") {
        let request = client::parse(example.as_bytes()).unwrap_or_else(|error| panic!("{error}: {example}"));
        assert_eq!(request.request_id, json(example)["requestId"].as_u64(), "{example}");
        seen.insert(request.message.tag());
        assert_kept(example, serde_json::to_value(&request.message).unwrap());
    }
    assert_eq!(seen, ClientMessage::TYPES.iter().copied().collect(), "each type has an example");
}

#[test]
fn server_examples_parse() {
    let mut seen = BTreeSet::new();
    for example in lines("json server") {
        let message: ServerMessage =
            serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        let back = serde_json::to_value(&message).unwrap();
        assert_eq!(json(example), back, "nothing is left out or added");
        seen.insert(back["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, SERVER_TYPES.map(str::to_owned).into(), "each type has an example");
}

#[test]
fn every_message_has_its_section() {
    let headings: Vec<_> = DOC.lines().filter(|line| line.starts_with("### ")).collect();
    for tag in ClientMessage::TYPES.iter().chain(&SERVER_TYPES) {
        let quoted = format!("`{tag}`");
        assert!(headings.iter().any(|heading| heading.contains(&quoted)), "no section on {quoted}");
    }
}

/// The words in quotes in a source file that look like a code, without its tests and the names of messages.
fn codes_in(source: &'static str) -> impl Iterator<Item = &'static str> {
    let before_tests = source.split("\nmod tests {").next().unwrap();
    let lines =
        before_tests.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains("serde("));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2)).filter(|word| {
        let snake = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        snake && word.contains('_') && !ClientMessage::TYPES.contains(word)
    })
}

#[test]
fn every_code_is_explained() {
    let sources = [
        include_str!("../src/gateway/refusal.rs"),
        include_str!("../src/gateway/requests.rs"),
        include_str!("../src/gateway/typing.rs"),
        include_str!("../src/gateway/clients.rs"),
        include_str!("../src/gateway/panes.rs"),
        include_str!("../src/gateway/hub.rs"),
        include_str!("../src/http/mux.rs"),
        include_str!("../src/pane/mod.rs"),
        include_str!("../src/pane/typing.rs"),
        include_str!("../src/protocol/client.rs"),
        include_str!("../src/layout/error.rs"),
    ];
    let codes: BTreeSet<&str> = sources.iter().flat_map(|source| codes_in(source)).collect();
    for known in
        ["unknown_type", "unknown_channel", "input_expired", "input_full", "not_saved", "no_neighbour"]
    {
        assert!(codes.contains(known), "{known} is not found in the source any more");
    }
    for code in codes {
        assert!(DOC.contains(&format!("`{code}`")), "{code} is not in the document");
    }
}

#[test]
fn the_numbers_are_the_real_ones() {
    use everpane::pane::input::PASTE_STALLS;
    use everpane::protocol::{
        ABUSE_ERRORS, ABUSE_WINDOW_SECS, CloseCode, MAX_MESSAGE_BYTES, MAX_OUTPUT_BYTES, MAX_UNACKNOWLEDGED,
        NATIVE_SUBPROTOCOL, WINDOW_BYTES, WINDOW_LOW_BYTES,
    };
    use everpane::screen::ScrollbackLimits;
    let limit = |what: String| assert!(DOC.contains(&what), "not in the document: {what}");
    limit(format!("a message to the gateway | {} MiB", MAX_MESSAGE_BYTES >> 20));
    limit(format!("payload of one output frame | {} KiB", MAX_OUTPUT_BYTES >> 10));
    limit(format!("malformed messages of one viewer | {ABUSE_ERRORS} in {ABUSE_WINDOW_SECS} s"));
    limit(format!("`Sec-WebSocket-Protocol: {NATIVE_SUBPROTOCOL}`"));
    use CloseCode::{Dismissed, GoingAway, PolicyViolation, Stalled, Superseded, TryAgainLater};
    for code in [GoingAway, PolicyViolation, TryAgainLater, Stalled, Dismissed, Superseded] {
        limit(format!("\n| {} |", code as u16));
    }
    let defaults = everpane::gateway::Settings::default();
    limit(format!("viewers | {} *", defaults.max_viewers));
    limit(format!("output kept of a pane | {} MiB *", defaults.pane.ring_bytes >> 20));
    let input = defaults.pane.input;
    let ScrollbackLimits { lines, bytes } = defaults.scrollback;
    limit(format!("scrollback kept of a pane | {},000 rows, {} MiB *", lines / 1000, bytes >> 20));
    limit(format!("at most {},000 bytes of a pane beyond that", WINDOW_BYTES / 1000));
    limit(format!("until no more than {},000 are left", WINDOW_LOW_BYTES / 1000));
    limit(format!("input held for a pane | {} KiB, {} s *", input.bytes >> 10, input.age.as_secs()));
    limit(format!("numbered frames that are not acknowledged | {MAX_UNACKNOWLEDGED} |"));
    limit(format!("without a connection | {} minutes *", defaults.resume_within.as_secs() / 60));
    limit(format!("a paste of which nothing comes | {} s", PASTE_STALLS.as_secs()));
    limit(format!("({} by default) make one message", defaults.coalesce.as_millis()));
}

/// A line of a `hex` block, taken apart.
struct Frame {
    to_gateway: bool,
    bytes: Bytes,
    kind: &'static str,
    channel: Channel,
    payload: String,
    offset: u64,
    number: u64,
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

impl Frame {
    /// `> 01 00000003 6c73 = input, channel 3, "ls"`, and `, offset 1024` where there is one.
    fn read(line: &'static str) -> Frame {
        let (bytes, meaning) = line.split_once(" = ").unwrap();
        let (direction, bytes) = bytes.split_once(' ').unwrap();
        let (kind, rest) = meaning.split_once(", ").unwrap();
        if kind == "control" {
            let (bytes, channel) = (hex(bytes).into(), Channel(255));
            let payload = rest.to_owned();
            let to_gateway = direction == ">";
            return Frame { to_gateway, bytes, kind, channel, payload, offset: 0, number: 0 };
        }
        let (channel, rest) = rest.strip_prefix("channel ").unwrap().split_once(", ").unwrap();
        let (rest, number) = rest.split_once(", number ").unwrap_or((rest, "0"));
        let (payload, offset) = rest.split_once(", offset ").unwrap_or((rest, "0"));
        Frame {
            to_gateway: direction == ">",
            bytes: hex(bytes).into(),
            kind,
            channel: Channel(channel.parse().unwrap()),
            payload: serde_json::from_str(payload).unwrap(),
            offset: offset.parse().unwrap(),
            number: number.parse().unwrap(),
        }
    }

    fn input(&self, kind: InputKind) -> InputFrame {
        InputFrame {
            kind,
            channel: self.channel,
            number: None,
            more: false,
            payload: self.payload.clone().into(),
        }
    }

    fn output(&self, kind: OutputKind) -> Bytes {
        output_frame(kind, self.offset, self.channel, &[self.payload.as_bytes()])
    }
}

#[test]
fn native_frames_are_as_shown() {
    for line in lines("hex native") {
        let frame = Frame::read(line);
        match (frame.to_gateway, frame.kind) {
            (true, kind) => {
                let is = |kind| ViewerFrame::Input(frame.input(kind));
                let numbered = |more| {
                    let number = Some(frame.number);
                    ViewerFrame::Input(InputFrame { number, more, ..frame.input(InputKind::Input) })
                };
                let meant = match kind {
                    "input" => is(InputKind::Input),
                    "report" => is(InputKind::Report),
                    "numbered" => numbered(false),
                    "more" => numbered(true),
                    "consumed" => ViewerFrame::Consumed { channel: frame.channel, offset: frame.number },
                    _ => panic!("{line}"),
                };
                assert_eq!(parse_native(frame.bytes.clone()), Ok(meant));
            }
            (false, "output") => assert_eq!(frame.bytes, frame.output(OutputKind::Output)),
            (false, "part") => assert_eq!(frame.bytes, frame.output(OutputKind::RestartPart)),
            (false, "restart") => {
                let frames = restart_frames(frame.offset, frame.channel, 80, 24, frame.payload.as_bytes());
                assert_eq!(frames, [frame.bytes]);
            }
            _ => panic!("{line}"),
        }
    }
}

#[test]
fn compact_frames_are_as_shown() {
    for line in lines("hex compact") {
        let frame = Frame::read(line);
        match (frame.to_gateway, frame.kind) {
            (true, "input") => assert_eq!(
                parse_compact(frame.bytes.clone()),
                Ok(CompactFrame::Input(frame.input(InputKind::Input)))
            ),
            (true, "control") => {
                let json = frame.payload.clone().into();
                assert_eq!(parse_compact(frame.bytes), Ok(CompactFrame::Control(json)));
            }
            (false, "control") => assert_eq!(frame.bytes, compact_control(&frame.payload)),
            (false, "output") => {
                let native = frame.output(OutputKind::Output);
                assert_eq!(frame.bytes, native.slice(everpane::protocol::frame::COMPACT_SKIP..));
            }
            _ => panic!("{line}"),
        }
    }
}

/// Splits `01 00000000 "text"` of an exchange into its header and its text.
fn header_and_text(line: &str) -> (Vec<u8>, String) {
    let (header, text) = line.split_once(" \"").unwrap();
    (hex(header), serde_json::from_str(&format!("\"{text}")).unwrap())
}

/// Plays an exchange of the document against a new gateway.
fn play(framing: Framing, exchange: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(data.path());
    let mut viewer = Wire::connect(&gateway, framing).consuming();
    for line in exchange {
        match line.split_once(' ').unwrap() {
            (">", message) if message.starts_with('{') => viewer.send_json(message),
            (">", frame) => {
                let (header, text) = header_and_text(frame);
                viewer.send(Message::binary([header, text.into_bytes()].concat()));
            }
            ("<", message) if message.starts_with('{') => {
                let wanted = json(message);
                // Without a type it is about the layout known by then, whichever messages told of it.
                match wanted.get("type") {
                    Some(_) => _ = viewer.expect(line, |message| contains(message, &wanted)),
                    None => viewer.until(line, |layout| contains(layout, &wanted)),
                }
            }
            ("<", frame) => {
                let (header, text) = header_and_text(frame);
                viewer.expect_output(channel_of(framing, &header), &text);
            }
            _ => panic!("neither sent nor expected: {line}"),
        }
    }
}

/// The channel in the header of an exchange's output line, which leaves out the offset.
fn channel_of(framing: Framing, header: &[u8]) -> u32 {
    match framing {
        Framing::Native => u32::from_be_bytes(header[1..5].try_into().unwrap()),
        Framing::Compact => u32::from(header[0]),
    }
}

#[test]
fn the_native_exchange_happens() {
    for exchange in blocks("session native") {
        play(Framing::Native, &exchange);
    }
}

#[test]
fn the_compact_exchange_happens() {
    for exchange in blocks("session compact") {
        play(Framing::Compact, &exchange);
    }
}
