//! Both sides' words, one after the other.

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::*;
use crate::protocol::client::PaneRespawn;
use crate::protocol::frame::{
    InputFrame, OutputKind, ViewerFrame, output_frame, parse_native, restart_frames,
};

const PANE: PaneId = PaneId(1);

fn conversation() -> Conversation {
    let viewport = Viewport { size: Size::DEFAULT, view: ViewMode::Own, sizing: true };
    Conversation::new("a-name-nobody-can-guess".to_owned(), viewport, Instant::now())
}

fn hear(conversation: &mut Conversation, message: Value) {
    conversation.hear(serde_json::from_value(message).unwrap(), Instant::now());
}

/// All that is to be sent: messages, and frames taken apart.
fn said(conversation: &mut Conversation) -> (Vec<Value>, Vec<ViewerFrame>) {
    let (mut texts, mut frames) = (Vec::new(), Vec::new());
    while let Some(saying) = conversation.next_saying(Instant::now()) {
        match saying {
            Saying::Text(text) => texts.push(serde_json::from_str(&text).unwrap()),
            Saying::Frame(frame) => frames.push(parse_native(frame).unwrap()),
        }
    }
    (texts, frames)
}

fn types(texts: &[Value]) -> Vec<&str> {
    texts.iter().map(|text| text["type"].as_str().unwrap()).collect()
}

fn events(conversation: &mut Conversation) -> Vec<Event> {
    std::iter::from_fn(|| conversation.events.next()).collect()
}

fn layout(channel: u32) -> Value {
    json!({
        "type": "state", "sessions": [], "tabs": [], "activeTab": null, "revision": 4,
        "channels": { "p1": channel }, "connected": { "p1": true }, "panes": {},
    })
}

fn open(conversation: &mut Conversation, channel: u32, applied: u64) {
    conversation.opened(false);
    hear(conversation, json!({ "type": "resumed", "known": applied > 0, "memory": 9, "applied": applied }));
    hear(conversation, layout(channel));
}

#[test]
fn it_says_who_it_is_and_waits_for_the_answers_before_it_types() {
    let mut conversation = conversation();
    conversation.input(PANE, b"early", false).unwrap();
    conversation.watch(PANE, Watching::default());
    conversation.opened(false);
    let (texts, frames) = said(&mut conversation);
    assert_eq!(types(&texts), ["resume", "connect"]);
    assert_eq!((&texts[1]["view"], &texts[1]["width"], frames.len()), (&json!("own"), &json!(80), 0));
    hear(&mut conversation, layout(3));
    assert!(said(&mut conversation).1.is_empty(), "nobody knows yet what arrived");
    hear(&mut conversation, json!({ "type": "resumed", "known": false, "memory": 9, "applied": 0 }));
    let (texts, frames) = said(&mut conversation);
    assert_eq!(types(&texts), ["pane_watch", "layout_seen"]);
    let [ViewerFrame::Input(InputFrame { channel, number, payload, .. })] = &frames[..] else {
        panic!("{frames:?}")
    };
    assert_eq!((*channel, *number, &payload[..]), (Channel(3), Some(1), &b"early"[..]));
    assert_eq!(events(&mut conversation), [Event::Status(Status::Connected), Event::Layout]);
}

#[test]
fn after_a_break_it_goes_on_where_it_was() {
    let mut conversation = conversation();
    conversation.watch(PANE, Watching { history: 10, lossless: false });
    conversation.resize_pane(PANE, Size { cols: 9, rows: 9 });
    open(&mut conversation, 3, 0);
    for frame in restart_frames(100, Channel(3), 80, 24, b"screen") {
        assert!(conversation.hear_frame(frame));
    }
    assert!(conversation.hear_frame(output_frame(OutputKind::Output, 100, Channel(3), &[b"ab"])));
    conversation.input(PANE, b"one", false).unwrap();
    assert_eq!(said(&mut conversation).1.len(), 1);
    conversation.input(PANE, b"two", false).unwrap();
    conversation.closed();
    assert_eq!((said(&mut conversation).0.len(), conversation.held()), (0, 6));
    open(&mut conversation, 300, 1);
    let (texts, frames) = said(&mut conversation);
    assert_eq!(types(&texts), ["resume", "connect", "pane_watch", "pane_resize", "layout_seen"]);
    assert_eq!(
        texts[2]["panes"],
        json!([{ "paneId": "p1", "offset": 102, "history": 0, "lossless": false }])
    );
    let [ViewerFrame::Input(InputFrame { channel, number, payload, .. })] = &frames[..] else {
        panic!("{frames:?}")
    };
    assert_eq!((*channel, *number, &payload[..]), (Channel(300), Some(2), &b"two"[..]));
}

#[test]
fn what_does_not_arrive_is_told_of_once() {
    let mut conversation = conversation();
    open(&mut conversation, 3, 0);
    conversation.input(PANE, b"lost", false).unwrap();
    said(&mut conversation);
    events(&mut conversation);
    let refusal = json!({ "type": "error", "code": "pane_manual", "message": "no", "paneId": "p1", "bytes": 4, "number": 1 });
    let expiry = json!({ "type": "error", "code": "input_expired", "message": "late", "paneId": "p1", "bytes": 3, "givenBack": 1 });
    for message in [&refusal, &refusal, &expiry, &expiry] {
        hear(&mut conversation, message.clone());
    }
    let lost = |code: &str, message: &str, bytes| {
        Event::Lost(Loss { pane: Some(PANE), code: code.to_owned(), message: message.to_owned(), bytes })
    };
    assert_eq!(events(&mut conversation), [lost("pane_manual", "no", 4), lost("input_expired", "late", 3)]);
}

#[test]
fn what_a_restarted_gateway_forgot_is_not_sent_again() {
    let mut conversation = conversation();
    open(&mut conversation, 3, 0);
    conversation.input(PANE, b"sent", false).unwrap();
    said(&mut conversation);
    conversation.closed();
    events(&mut conversation);
    conversation.opened(false);
    hear(&mut conversation, json!({ "type": "resumed", "known": false, "memory": 10, "applied": 0 }));
    hear(&mut conversation, layout(3));
    assert!(said(&mut conversation).1.is_empty());
    let unknown =
        |event: &Event| matches!(event, Event::Lost(Loss { code, bytes: 4, .. }) if code == "input_unknown");
    assert!(events(&mut conversation).iter().any(unknown));
}

#[test]
fn requests_are_answered_or_fail() {
    let mut conversation = conversation();
    let respawn = ClientMessage::PaneRespawn(PaneRespawn { pane_id: PANE });
    let ask = |conversation: &mut Conversation| {
        let (answer, answer_rx) = oneshot::channel();
        conversation.request(&respawn, answer);
        answer_rx
    };
    assert_eq!(ask(&mut conversation).try_recv(), Ok(Err(RequestError::Disconnected)));
    open(&mut conversation, 3, 0);
    let (mut done, mut refused, mut broken) =
        (ask(&mut conversation), ask(&mut conversation), ask(&mut conversation));
    let (texts, _) = said(&mut conversation);
    let numbers: Vec<_> = texts.iter().filter_map(|text| text["requestId"].as_u64()).collect();
    hear(&mut conversation, json!({ "type": "ok", "requestId": numbers[0], "paneId": "p1" }));
    let error = json!({ "type": "error", "code": "pane_connected", "message": "it has one", "requestId": numbers[1] });
    hear(&mut conversation, error);
    conversation.closed();
    assert_eq!(done.try_recv(), Ok(Ok(Made { pane: Some(PANE), ..Made::default() })));
    assert!(matches!(refused.try_recv(), Ok(Err(RequestError::Refused(_)))));
    assert_eq!(broken.try_recv(), Ok(Err(RequestError::Disconnected)));
}

/// One over a connection within the machine, on which nothing is left to be said.
fn near() -> Conversation {
    let mut conversation = conversation();
    conversation.opened(true);
    hear(&mut conversation, json!({ "type": "resumed", "known": false, "memory": 9, "applied": 0 }));
    hear(&mut conversation, layout(3));
    said(&mut conversation);
    events(&mut conversation);
    conversation
}

fn lend() -> TerminalLend {
    TerminalLend { pane_id: PANE, offset: 7, device: 5, stops: vec!["~".to_owned()] }
}

#[test]
fn a_terminal_that_was_offered_comes_back_once() {
    let mut conversation = near();
    assert!(conversation.lend(lend()) && !conversation.lend(lend()), "there is one terminal");
    let (texts, _) = said(&mut conversation);
    assert_eq!(
        texts,
        [json!({ "type": "terminal_lend", "paneId": "p1", "offset": 7, "device": 5, "stops": ["~"] })]
    );
    hear(&mut conversation, json!({ "type": "terminal_lent" }));
    conversation.take_back();
    assert_eq!(types(&said(&mut conversation).0), ["terminal_take_back"]);
    let returned = json!({ "type": "terminal_returned", "keys": "fg==", "passed": 13 });
    hear(&mut conversation, returned.clone());
    hear(&mut conversation, returned);
    let back = Event::Returned(Returned { keys: b"~".to_vec(), passed: Some(13), is_lost: false });
    assert_eq!(events(&mut conversation), [Event::Lent, back]);
    conversation.take_back();
    assert!(said(&mut conversation).0.is_empty(), "it is here");
    assert!(conversation.lend(lend()), "offered again");
    conversation.closed();
    let lost = Event::Returned(Returned { is_lost: true, ..Returned::default() });
    assert_eq!(events(&mut conversation), [lost], "with the connection");
}

#[test]
fn a_terminal_stays_where_it_is_of_no_use_or_not_understood() {
    let mut far = conversation();
    open(&mut far, 3, 0);
    assert!(!far.lend(lend()), "over the network");
    assert!(!conversation().lend(lend()), "without a connection");
    let mut lent = near();
    assert!(lent.lend(lend()));
    hear(&mut lent, json!({ "type": "terminal_lent" }));
    hear(&mut lent, json!({ "type": "error", "code": "unknown_type", "message": "another message" }));
    assert!(!lent.lend(lend()), "it is still there");
    let refused = json!({ "type": "terminal_returned", "keys": "", "refused": "no terminal" });
    let unknown = json!({ "type": "error", "code": "unknown_type", "message": "unknown message type" });
    for answer in [refused, unknown] {
        let mut conversation = near();
        assert!(conversation.lend(lend()));
        hear(&mut conversation, answer);
        assert_eq!(events(&mut conversation), [Event::Returned(Returned::default())]);
        assert!(!conversation.lend(lend()), "not asked again");
    }
}
