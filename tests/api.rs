//! The API as scripts use it: every route, what is refused and how, events, tokens of single sessions, many at once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::thread;

use everpane::protocol::api::Event;
use serde_json::{Value, json};
use support::rest::Rest;
use support::stage::{Stage, eventually};
use support::{Gateway, everpane};

/// Says what it reads, byte by byte.
const ECHO: &str = "stty raw -echo; printf ready; exec cat -v";

fn stage() -> (Stage, Rest) {
    let stage = Stage::with_script(ECHO);
    let rest = Rest::of(&stage.gateway);
    (stage, rest)
}

/// A session whose pane is live and has said so.
fn session(rest: &Rest, name: &str) -> Value {
    let made = rest.post("/sessions", &json!({ "name": name })).ok(201);
    printed(rest, made["pane"].as_str().unwrap(), "ready");
    made
}

/// Waits until a pane has printed this.
fn printed(rest: &Rest, pane: &str, text: &str) {
    eventually(text, || {
        let output = rest.get(&format!("/panes/{pane}/output"));
        output.body.as_str().is_some_and(|output| output.contains(text)).then_some(())
    });
}

fn pane(rest: &Rest, target: &str) -> Value {
    rest.get(&format!("/panes/{target}")).ok(200)
}

#[test]
fn sessions_tabs_and_panes_are_made_changed_and_closed() {
    let (_stage, rest) = stage();
    assert_eq!(rest.get("/sessions").ok(200), json!({ "apiVersion": 1, "sessions": [] }));
    let made = session(&rest, "work");
    assert_eq!(made, json!({ "session": "s1", "tab": "t1", "pane": "p1" }));
    let tab = rest.post("/sessions/work/tabs", &json!({ "name": "build", "cwd": "/" })).ok(201);
    assert_eq!(tab, json!({ "session": "s1", "tab": "t2", "pane": "p2" }));
    let split =
        json!({ "orientation": "vertical", "side": "before", "ratio": 0.25, "command": ["/bin/cat"] });
    let split = rest.post("/panes/work:build.0/split", &split).ok(201);
    assert_eq!(split, json!({ "session": "s1", "tab": "t2", "pane": "p3" }));

    let tab = rest.get("/tabs/work:build").ok(200);
    assert_eq!((&tab["index"], &tab["active"]), (&json!(1), &json!(true)));
    let ids: Vec<_> = tab["panes"].as_array().unwrap().iter().map(|pane| pane["id"].clone()).collect();
    assert_eq!(ids, ["p3", "p2"], "above it");
    eventually("the command", || (pane(&rest, "p3")["status"]["state"] == "live").then_some(()));

    assert_eq!(rest.patch("/sessions/work", &json!({ "name": "play" })).ok(200)["name"], "play");
    assert_eq!(rest.patch("/sessions/play", &json!({})).ok(200)["name"], "play");
    assert_eq!(rest.patch("/tabs/t2", &json!({ "name": "run" })).ok(200)["name"], "run");
    let change = json!({ "name": "logs", "wake": "manual", "closeOnExit": true,
        "size": { "policy": "fixed", "cols": 100, "rows": 30 } });
    let changed = rest.patch("/panes/p3", &change).ok(200);
    for (field, wanted) in [("name", "logs"), ("wake", "manual")] {
        assert_eq!(changed[field], wanted);
    }
    eventually("its size", || (pane(&rest, "play:run.logs")["cols"] == 100).then_some(()));
    assert_eq!(
        rest.patch("/panes/logs", &json!({})).code(),
        "unknown_session",
        "panes are named in their tab"
    );
    assert_eq!(rest.patch("/panes/p3", &json!({ "name": "" })).ok(200)["name"], Value::Null);

    rest.post("/panes/p2/focus", &json!({})).ok(204);
    assert_eq!(pane(&rest, ".")["id"], "p2");
    rest.post("/panes/p2/resize", &json!({ "direction": "up", "amount": 100 })).ok(204);
    rest.send("POST", "/panes/p2/zoom", "").ok(204);
    assert_eq!(rest.get("/tabs/t2").ok(200)["zoomed"], "p2");
    rest.post("/panes/p2/zoom", &json!({ "zoomed": false })).ok(204);
    assert_eq!(rest.get("/tabs/t2").ok(200).get("zoomed"), None);
    rest.post("/tabs/t1/focus", &json!({})).ok(204);
    assert_eq!(pane(&rest, ":.")["id"], "p1");

    rest.post("/panes/p2/move", &json!({ "to": "p3", "swap": true })).ok(204);
    assert_eq!(pane(&rest, "play:run.0")["id"], "p2");
    rest.post("/panes/p2/move", &json!({ "to": "t1" })).ok(204);
    assert_eq!(pane(&rest, "p2")["tab"], "t1");
    rest.post("/panes/p2/move", &json!({})).ok(204);
    let broken_out = pane(&rest, "p2")["tab"].clone();
    assert_eq!(broken_out, "t3");
    session(&rest, "other");
    rest.post("/tabs/t3/move", &json!({ "to": "other", "index": 0 })).ok(204);
    assert_eq!(
        (&pane(&rest, "other:0")["id"], &rest.get("/sessions").ok(200)["sessions"][1]["tabs"][0]["id"]),
        (&json!("p2"), &json!("t3"))
    );

    rest.delete("/panes/p3?ifIdle=true").ok(204);
    rest.get("/tabs/t2").refused(404, "unknown_tab");
    rest.delete("/tabs/t3").ok(204);
    rest.delete("/sessions/play").ok(204);
    assert_eq!(
        rest.get("/sessions/play").refused(404, "unknown_session")["hint"],
        "GET /api/v1/sessions lists what there is"
    );
    assert_eq!(rest.get("").ok(200)["panes"], 1);
}

#[test]
fn programs_are_typed_to_killed_and_started_again() {
    let (_stage, rest) = stage();
    session(&rest, "work");
    let parts = json!([{ "text": "hé" }, { "base64": "AQI=" }, { "key": "up" }, { "key": "C-c" }, { "key": "enter" }]);
    let before = pane(&rest, "p1")["offset"].clone();
    let taken = rest.post("/panes/work/input", &json!({ "parts": parts })).ok(200);
    assert_eq!((&taken["bytes"], &taken["offset"]), (&json!(10), &before));
    printed(&rest, "p1", "hM-CM-)^A^B^[[A^C^M");
    let pasted = json!({ "parts": [{ "text": "a\nb" }, { "key": "tab" }], "paste": true });
    assert_eq!(rest.post("/panes/p1/input", &pasted).ok(200)["bytes"], 4);
    printed(&rest, "p1", "a^Mb\t");
    assert_eq!(rest.post("/panes/p1/input", &json!({})).ok(200)["bytes"], 0, "only to hear where it is");

    rest.post("/panes/p1/respawn", &json!({})).refused(409, "pane_connected");
    rest.patch("/panes/p1", &json!({ "wake": "manual" })).ok(200);
    rest.post("/panes/p1/kill", &json!({})).ok(204);
    eventually("the end", || (pane(&rest, "p1")["connected"] == false).then_some(()));
    rest.post("/panes/p1/kill", &json!({})).refused(409, "pane_disconnected");
    let typed = json!({ "parts": [{ "text": "x" }] });
    let refused = rest.post("/panes/p1/input", &typed).refused(409, "pane_manual");
    assert!(refused["hint"].as_str().unwrap().contains("/panes/p1/respawn"));
    rest.post("/panes/p1/respawn", &json!({})).ok(204);
    eventually("a new one", || (pane(&rest, "p1")["connected"] == true).then_some(()));

    rest.patch("/panes/p1", &json!({ "wake": "any-key" })).ok(200);
    rest.post("/panes/p1/kill", &json!({})).ok(204);
    eventually("the end", || (pane(&rest, "p1")["connected"] == false).then_some(()));
    let held = rest.post("/panes/p1/input", &json!({ "parts": [{ "text": "held" }] })).ok(200);
    assert_eq!((&held["bytes"], &held["delivered"]), (&json!(4), &json!(false)));
    printed(&rest, "p1", "readyheld");
}

#[test]
fn input_that_does_not_fit_is_refused_whole() {
    let stage = Stage::with_script("stty raw -echo; printf ready; exec sleep 1000");
    let rest = Rest::of(&stage.gateway);
    session(&rest, "work");
    let much = json!({ "parts": [{ "text": "x".repeat(60 << 10) }] });
    let refused = eventually("the bound", || {
        let answer = rest.post("/panes/p1/input", &much);
        (answer.status != 200).then_some(answer)
    });
    refused.refused(429, "input_full");
    let held = pane(&rest, "p1")["pending"].clone();
    rest.post("/panes/p1/input", &much).refused(429, "input_full");
    assert_eq!(pane(&rest, "p1")["pending"], held);
}

#[test]
fn what_is_refused_is_told_with_a_code_a_field_and_a_hint() {
    let (_stage, rest) = stage();
    session(&rest, "work");
    rest.post("/sessions/work/tabs", &json!({ "name": "1" })).ok(201);
    let text = |problem: &Value, field: &str| problem[field].as_str().unwrap_or_default().to_owned();
    let table = [
        ("GET", "/sessions/wrok", "", 404, "unknown_session", "", "did you mean `work`?"),
        ("GET", "/tabs/work:9", "", 404, "unknown_tab", "", ""),
        ("GET", "/panes/p99", "", 404, "unknown_pane", "", ""),
        ("GET", "/panes/%FF", "", 400, "invalid_target", "", ""),
        ("GET", "/tabs/work:1", "", 409, "ambiguous_target", "", "name it by its id"),
        ("DELETE", "/sessions/p1", "", 400, "invalid_target", "", "name the session: s1"),
        ("DELETE", "/tabs/work:t1.0", "", 400, "invalid_target", "", "name the tab: t1"),
        ("POST", "/sessions", "{", 400, "invalid_json", "", ""),
        ("POST", "/sessions", "{} x", 400, "invalid_json", "", ""),
        ("POST", "/sessions", "[]", 400, "invalid_field", "", ""),
        ("POST", "/sessions", r#"{"name":7}"#, 400, "invalid_field", "name", ""),
        ("POST", "/sessions", r#"{"nmae":"x"}"#, 400, "invalid_field", "nmae", ""),
        ("POST", "/sessions", r#"{"name":" "}"#, 400, "invalid_name", "name", ""),
        ("POST", "/sessions", r#"{"name":"work"}"#, 409, "duplicate_name", "name", ""),
        ("POST", "/sessions", r#"{"node":"x"}"#, 404, "unknown_node", "node", "GET /api/v1/nodes lists them"),
        ("POST", "/sessions", r#"{"command":[]}"#, 400, "invalid_field", "command", ""),
        ("POST", "/panes/p1/split", r#"{"ratio":7}"#, 400, "invalid_ratios", "ratio", ""),
        ("POST", "/panes/p1/split", r#"{"side":"left"}"#, 400, "invalid_field", "side", ""),
        ("POST", "/panes/p1/resize", r#"{"direction":"up"}"#, 400, "invalid_field", "", ""),
        ("POST", "/panes/p1/resize", r#"{"direction":"up","amount":0}"#, 400, "invalid_ratios", "amount", ""),
        ("POST", "/panes/p1/move", r#"{"swap":true}"#, 400, "invalid_field", "to", ""),
        ("POST", "/panes/p1/move", r#"{"to":"nowhere"}"#, 404, "unknown_session", "to", ""),
        ("PATCH", "/panes/p1", r#"{"node":"x","name":"y"}"#, 404, "unknown_node", "node", ""),
        ("DELETE", "/panes/p1?ifidle=true", "", 400, "invalid_field", "", ""),
        (
            "POST",
            "/panes/p1/input",
            r#"{"parts":[{"key":"entr"}]}"#,
            400,
            "unknown_key",
            "parts",
            "did you mean `enter`?",
        ),
        ("POST", "/panes/p1/input", r#"{"parts":[{"base64":"*"}]}"#, 400, "invalid_field", "parts", ""),
        ("POST", "/panes/p1/input", r#"{"parts":[{"text":7}]}"#, 400, "invalid_field", "parts[0].text", ""),
        ("DELETE", "/viewers/v99", "", 404, "unknown_viewer", "", ""),
        ("DELETE", "/viewers/x", "", 404, "unknown_viewer", "", ""),
        ("PUT", "/panes/p1", "", 405, "wrong_method", "", ""),
        ("POST", "/panes/p1", "", 405, "wrong_method", "", ""),
        ("GET", "/nothing", "", 404, "not_found", "", ""),
        ("GET", "/panes/p1/nothing", "", 404, "not_found", "", ""),
        ("GET", "/", "", 404, "not_found", "", ""),
    ];
    for (method, path, body, status, code, field, hint) in table {
        let answer = rest.send(method, path, body);
        assert_eq!(answer.code(), code, "{method} {path} {body}: {answer:?}");
        let problem = answer.refused(status, code);
        assert_eq!(text(&problem, "field"), field, "{method} {path} {body}");
        assert!(text(&problem, "hint").contains(hint), "{method} {path} {body}: {problem}");
    }
    assert_eq!(pane(&rest, "p1")["name"], Value::Null, "what is refused changes nothing");
    let large = format!(r#"{{"parts":[{{"text":"{}"}}]}}"#, "x".repeat(1 << 20));
    rest.send("POST", "/panes/p1/input", &large).refused(413, "body_too_large");
    let stranger = rest.with_token("not-the-right-token");
    stranger.get("/sessions").refused(401, "unauthenticated");
    stranger.get("/nothing").refused(401, "unauthenticated");
}

#[test]
fn without_a_node_there_is_nowhere_to_start_and_without_a_token_none_to_make() {
    let data = tempfile::tempdir().unwrap();
    let gateway = Gateway::run(everpane(data.path()).args(["--no-auth", "--no-local-node"]));
    let rest = Rest::of(&gateway);
    rest.post("/sessions", &json!({})).refused(503, "no_node");
    rest.get("/panes/:.").refused(404, "unknown_session");
    rest.post("/tokens", &json!({ "session": "s1" })).refused(404, "unknown_session");
    let open = Stage::with_arguments(ECHO, &["--no-auth"]);
    let rest = Rest::of(&open.gateway);
    session(&rest, "work");
    rest.post("/tokens", &json!({ "session": "work" })).refused(409, "no_auth");
}

#[test]
fn viewers_are_listed_and_sent_away() {
    let (stage, rest) = stage();
    session(&rest, "work");
    assert_eq!(rest.get("/viewers").ok(200)["viewers"], json!([]), "who only asks is none");
    let (mut first, mut second) = (stage.viewer(), stage.viewer());
    first.request(json!({ "type": "connect", "width": 120, "height": 40, "view": "own" }));
    first.request(json!({ "type": "pane_watch", "panes": [{ "paneId": "p1" }] }));
    let viewers = rest.get("/viewers").ok(200)["viewers"].clone();
    let told = &viewers[0];
    assert_eq!(viewers.as_array().unwrap().len(), 2);
    assert_eq!((&told["size"], &told["watches"]), (&json!([120, 40]), &json!(["p1"])));
    assert_eq!((&told["ownView"], &told["native"]), (&json!(true), &json!(true)));
    assert!(told["since"].as_u64() >= rest.get("").ok(200)["startedAt"].as_u64());
    assert_eq!(viewers[1].get("size"), None);
    rest.delete(&format!("/viewers/{}", viewers[0]["id"].as_str().unwrap())).ok(204);
    assert_eq!(first.until_closed(), (4403, "somebody closed this connection".to_owned()));
    eventually("its end", || (rest.get("").ok(200)["viewers"] == 1).then_some(()));
    second.request(json!({ "type": "tab_create", "sessionId": "s1" }));
}

#[test]
fn the_gateway_its_nodes_and_its_document_are_told() {
    let (stage, rest) = stage();
    let gateway = rest.get("").ok(200);
    assert_eq!((&gateway["apiVersion"], &gateway["pid"]), (&json!(1), &json!(stage.gateway.pid())));
    assert!(gateway["startedAt"].as_u64() <= gateway["now"].as_u64());
    let nodes = rest.get("/nodes").ok(200);
    assert_eq!((&nodes[0]["id"], &nodes[0]["status"]), (&json!("local"), &json!("active")));
    assert_eq!(nodes[0]["panes"], 0);
    let document = rest.get("/openapi.json").ok(200);
    assert_eq!(document["openapi"], "3.1.0");
    session(&rest, "work");
    // Each operation of the document is served: whatever it says, it is not that there is nothing.
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1").unwrap();
        let path = path.replace("{session}", "s9").replace("{tab}", "t9").replace("{pane}", "p9");
        for method in operations.as_object().unwrap().keys().filter(|_| path != "/events") {
            let answer = rest.send(&method.to_uppercase(), &path.replace("{viewer}", "v9"), "");
            assert!(!["not_found", "wrong_method"].contains(&answer.code()), "{method} {path}: {answer:?}");
        }
    }
}

fn sessions_in(event: &Event) -> Option<&[everpane::protocol::api::SessionRecord]> {
    match event {
        Event::Snapshot { sessions, .. } | Event::Layout { sessions, .. } => Some(sessions),
        _ => None,
    }
}

#[test]
fn events_tell_what_happens_from_how_it_was() {
    let (mut stage, rest) = stage();
    session(&rest, "work");
    let mut events = rest.events().unwrap();
    let first = events.next().unwrap();
    assert!(matches!(&first, Event::Snapshot { api_version: 1, .. }), "{first:?}");
    assert_eq!(sessions_in(&first).unwrap()[0].name, "work");
    rest.post("/sessions/work/tabs", &json!({ "name": "build" })).ok(201);
    events.until("the tab", |event| {
        sessions_in(event).is_some_and(|sessions| sessions[0].tabs.iter().any(|tab| tab.name == "build"))
    });
    rest.patch("/sessions/work", &json!({ "name": "play" })).ok(200);
    events.until("its name", |event| sessions_in(event).is_some_and(|sessions| sessions[0].name == "play"));
    rest.patch("/panes/p1", &json!({ "wake": "enter" })).ok(200);
    events.until("the pane", |event| match event {
        Event::Pane { pane, .. } => serde_json::to_value(pane).unwrap()["wake"] == "enter",
        _ => false,
    });
    rest.post("/panes/p1/kill", &json!({})).ok(204);
    events.until(
        "its end",
        |event| matches!(event, Event::Connection { pane, connected: false, .. } if pane.to_string() == "p1"),
    );
    stage.gateway.signal("TERM");
    while events.next().is_some() {}
    assert!(stage.gateway.wait().success());
}

#[test]
fn events_have_so_many_readers_and_a_place_is_free_when_one_leaves() {
    let (_stage, rest) = stage();
    let mut readers: Vec<_> = (0..64).map(|_| rest.events().unwrap()).collect();
    assert_eq!(rest.events().err(), Some(429));
    rest.get("/events").refused(429, "too_many_readers");
    readers.truncate(10);
    eventually("a place", || rest.events().ok());
}

#[test]
fn a_reader_that_lags_is_told_how_everything_is() {
    let (_stage, rest) = stage();
    session(&rest, "work");
    let mut events = rest.events().unwrap();
    assert!(matches!(events.next(), Some(Event::Snapshot { .. })));
    // Large layouts fill its connection, and then more updates come than are kept.
    let long = "x".repeat(200);
    for _ in 0..60 {
        rest.post("/sessions/work/tabs", &json!({ "name": long })).ok(201);
    }
    let mut renames = 0;
    let snapshot = loop {
        renames += 1;
        rest.patch("/sessions/s1", &json!({ "name": format!("n{renames}") })).ok(200);
        if renames % 400 == 0 {
            let wanted = format!("n{renames}");
            let event = events.until("a snapshot, or the newest name", |event| {
                let newest = sessions_in(event).is_some_and(|sessions| sessions[0].name == wanted);
                newest || matches!(event, Event::Snapshot { .. })
            });
            if matches!(event, Event::Snapshot { .. }) {
                break event;
            }
        }
        assert!(renames < 4000, "it was never told anew");
    };
    assert_eq!(sessions_in(&snapshot).unwrap()[0].tabs.len(), 61);
}

#[test]
fn a_token_of_one_session_reaches_that_and_nothing_else() {
    let (stage, rest) = stage();
    session(&rest, "mine");
    session(&rest, "theirs");
    rest.patch("/panes/p2", &json!({ "name": "secret" })).ok(200);
    let made = rest.post("/tokens", &json!({ "session": "mine" })).ok(201);
    let token = made["token"].as_str().unwrap().to_owned();
    assert!(made["session"] == "s1" && token.starts_with("ep1.s1."), "{made}");
    assert_eq!(rest.post("/tokens", &json!({ "session": "s1" })).ok(201), made, "the same each time");
    rest.post("/tokens", &json!({ "session": "p1" })).refused(400, "invalid_target");
    let mine = rest.with_token(&token);

    let sessions = mine.get("/sessions").ok(200)["sessions"].clone();
    assert_eq!((sessions.as_array().unwrap().len(), &sessions[0]["name"]), (1, &json!("mine")));
    assert_eq!(pane(&mine, ".")["id"], "p1", "what is active in it, not in front");
    assert_eq!(mine.get("").ok(200)["panes"], 1);
    mine.post("/panes/p1/input", &json!({ "parts": [{ "text": "mine" }] })).ok(200);
    mine.post("/sessions/mine/tabs", &json!({})).ok(201);
    mine.post("/panes/p1/split", &json!({ "node": "local" })).ok(201);
    mine.get("/nodes").ok(200);
    mine.get("/openapi.json").ok(200);
    assert_eq!(mine.post("/tokens", &json!({ "session": "mine" })).ok(201), made);

    let typed = json!({ "parts": [{ "text": "x" }] });
    let table = [
        ("GET", "/sessions/theirs", json!({})),
        ("GET", "/tabs/t2", json!({})),
        ("GET", "/panes/p2", json!({})),
        ("GET", "/panes/theirs:0.secret", json!({})),
        ("GET", "/panes/p2/capture", json!({})),
        ("GET", "/panes/p2/output", json!({})),
        ("POST", "/panes/p2/input", typed),
        ("POST", "/panes/p2/wait", json!({ "for": "exit" })),
        ("POST", "/panes/p2/run", json!({ "command": "x" })),
        ("POST", "/panes/p2/split", json!({})),
        ("POST", "/panes/p2/kill", json!({})),
        ("POST", "/panes/p2/respawn", json!({})),
        ("POST", "/panes/p2/focus", json!({})),
        ("POST", "/panes/p1/move", json!({ "to": "theirs" })),
        ("POST", "/panes/p1/move", json!({ "to": "p2", "swap": true })),
        ("POST", "/tabs/t1/move", json!({ "to": "theirs" })),
        ("PATCH", "/sessions/theirs", json!({ "name": "x" })),
        ("PATCH", "/panes/p1", json!({ "node": "elsewhere" })),
        ("POST", "/panes/p1/split", json!({ "node": "elsewhere" })),
        ("DELETE", "/sessions/theirs", json!({})),
        ("DELETE", "/tabs/t2", json!({})),
        ("DELETE", "/panes/p2", json!({})),
        ("POST", "/sessions/theirs/tabs", json!({})),
        ("POST", "/sessions", json!({})),
        ("POST", "/tokens", json!({ "session": "theirs" })),
        ("GET", "/viewers", json!({})),
        ("DELETE", "/viewers/v1", json!({})),
    ];
    for (method, path, body) in table {
        let answer = mine.send(method, path, &body.to_string());
        assert_eq!((answer.status, answer.code()), (403, "out_of_scope"), "{method} {path} {answer:?}");
        assert!(!answer.body.to_string().contains("secret"), "{answer:?}");
    }
    let unknown = mine.get("/sessions/their").refused(404, "unknown_session");
    assert!(!unknown.to_string().contains("theirs"), "{unknown}");

    let bearer = format!("Bearer {token}");
    for target in ["/", "/mux", "/ws", "/api", "/assets/x.js"] {
        let answer = stage.gateway.request("GET", target, &[("Authorization", &bearer)]);
        assert_eq!(answer.status, 403, "{target}");
    }
    for wrong in [token.replace("s1", "s2"), token[..token.len() - 1].to_owned()] {
        rest.with_token(&wrong).get("/sessions").refused(401, "unauthenticated");
    }

    rest.post("/panes/p2/focus", &json!({})).ok(204);
    let mut events = mine.events().unwrap();
    let first = events.next().unwrap();
    let [session] = sessions_in(&first).unwrap() else { panic!("{first:?}") };
    let active: Vec<_> = session.tabs.iter().filter(|tab| tab.active).map(|tab| tab.id.to_string()).collect();
    assert!(session.active && active.len() == 1, "{session:?}");
    assert_eq!(mine.get(&format!("/tabs/{}", active[0])).ok(200)["active"], true);
    assert_eq!(json!(session.tabs), mine.get("/sessions").ok(200)["sessions"][0]["tabs"], "as lists have it");
    rest.patch("/sessions/theirs", &json!({ "name": "hidden" })).ok(200);
    rest.post("/panes/p2/kill", &json!({})).ok(204);
    eventually("the end", || (pane(&rest, "p2")["connected"] == false).then_some(()));
    rest.patch("/sessions/mine", &json!({ "name": "still-mine" })).ok(200);
    let next = events.until("its own name", |event| {
        assert!(!serde_json::to_string(event).unwrap().contains("hidden"), "{event:?}");
        assert!(!matches!(event, Event::Connection { pane, .. } if pane.to_string() == "p2"), "{event:?}");
        sessions_in(event).is_some_and(|sessions| sessions[0].name == "still-mine")
    });
    assert_eq!(sessions_in(&next).unwrap().len(), 1);
    mine.delete("/sessions/still-mine").ok(204);
    assert_eq!(mine.get("/sessions").ok(200)["sessions"], json!([]));
}

#[test]
fn a_hundred_may_make_sessions_at_once() {
    let stage = Stage::with_script("exec sleep 1000");
    let rest = Rest::of(&stage.gateway);
    let makers: Vec<_> = (0..100)
        .map(|number| {
            let rest = rest.clone();
            // Every other one fights for a name.
            let name = json!({ "name": format!("n{}", number / 2) });
            thread::spawn(move || rest.post("/sessions", &name))
        })
        .collect();
    let answers: Vec<_> = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 50);
    refused.into_iter().for_each(|answer| drop(answer.refused(409, "duplicate_name")));
    let list = rest.get("/sessions").ok(200);
    let names: std::collections::BTreeSet<_> =
        list["sessions"].as_array().unwrap().iter().map(|session| session["name"].to_string()).collect();
    assert_eq!(names.len(), 50);
    for session in list["sessions"].as_array().unwrap() {
        rest.delete(&format!("/sessions/{}", session["id"].as_str().unwrap())).ok(204);
    }
    assert_eq!(rest.get("").ok(200)["panes"], 0);
}
