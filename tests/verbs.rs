//! The commands that drive a gateway, as scripts use them: what they print, what they do, how they fail.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Instant;

use everpane::ids::PaneId;
use everpane::protocol::CloseCode;
use everpane::protocol::api::{
    Event, InputTaken, Made, PaneRecord, ProblemDetails, RunOutcome, SessionList, SessionRecord, TabRecord,
    TokenMade, ViewerList, WaitOutcome,
};
use everpane::protocol::client::SizePolicy;

use serde_json::Value;
use support::PATIENCE;
use support::stage::{Stage, eventually};
use support::verbs::{Ran, lost};

/// A shell that says when it is there, and then gives back what it gets.
const ECHO: &str = "echo ready; exec cat";

fn pane(stage: &Stage, target: &str) -> PaneRecord {
    let list: SessionList = stage.verb(&["ls", "--json"]).json();
    let panes = list.sessions.into_iter().flat_map(|session| session.tabs).flat_map(|tab| tab.panes);
    panes.into_iter().find(|pane| pane.id.to_string() == target).unwrap()
}

fn sessions(stage: &Stage) -> Vec<SessionRecord> {
    stage.verb(&["ls", "--json"]).json::<SessionList>().sessions
}

/// The ids of the panes of each tab of the first session.
fn tabs(stage: &Stage) -> Vec<Vec<String>> {
    let ids = |tab: &TabRecord| tab.panes.iter().map(|pane| pane.id.to_string()).collect();
    sessions(stage)[0].tabs.iter().map(ids).collect()
}

/// Makes a session, and waits until its pane is live; its id.
fn new(stage: &Stage, words: &[&str]) -> String {
    let id = stage.verb(&[&["new"], words].concat()).well().trim().to_owned();
    eventually("a live pane", || pane(stage, &id).connected.then_some(()));
    id
}

#[track_caller]
fn fails(ran: Ran, code: i32, words: &str) {
    assert_eq!(ran.code, code, "{ran:?}");
    assert!(ran.stderr.contains(words), "{ran:?}");
    assert!(ran.stderr.starts_with("everpane: ") || ran.stderr.starts_with("error: "), "{ran:?}");
    assert_eq!(ran.stdout, "", "data is for success");
}

#[test]
fn what_is_made_is_listed_and_what_is_closed_is_not() {
    let stage = Stage::with_script(ECHO);
    let first = new(&stage, &["--name", "work"]);
    let made: Made = stage.verb(&["split", &first, "-v", "--percent", "25", "--json"]).json();
    let second = made.pane.unwrap().to_string();
    let third = stage.verb(&["new", "--tab", "-t", "work", "--name", "logs"]).well().trim().to_owned();
    assert_eq!(tabs(&stage), [vec![first.clone(), second.clone()], vec![third.clone()]]);

    let shown = stage.verb(&["list"]).well();
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("ID") && lines[0].contains("SIZE"), "{shown}");
    assert_eq!(lines.len(), 1 + 1 + 2 + 3, "{shown}");
    assert!(lines[1].contains("work*"), "{shown}");
    assert!(lines[5].contains("1:logs*"), "{shown}");
    assert!(lines[6].contains(&third) && lines[6].contains("local"), "{shown}");
    assert!(!shown.contains('\x1b'), "no colours in a pipe");

    stage.verb(&["close", &second]).well();
    stage.verb(&["close", "work:logs"]).well();
    assert_eq!(tabs(&stage), [[first]]);
    stage.verb(&["close", "work"]).well();
    assert_eq!(sessions(&stage), []);
}

#[test]
fn a_pane_runs_what_is_asked_for_where_it_is_asked_for() {
    let stage = Stage::with_script(ECHO);
    new(&stage, &[]);
    let words = ["split", "--cwd", "/usr", "--", "/bin/sh", "-c", "echo a\" \"b; exec sleep 1000"];
    let made: Made = stage.verb(&[&words[..1], &["--json"], &words[1..]].concat()).json();
    let id = made.pane.unwrap().to_string();
    eventually("a live pane", || pane(&stage, &id).connected.then_some(()));
    let shown = stage.verb(&["ls"]).well();
    assert!(shown.contains("/bin/sh -c echo a"), "{shown}");
    stage.verb(&["kill", &id]).well();
    eventually("its end", || (!pane(&stage, &id).connected).then_some(()));
    fails(stage.verb(&["kill", &id]), 4, &format!("`everpane respawn {id}`"));
    stage.verb(&["respawn", &id]).well();
    eventually("its return", || pane(&stage, &id).connected.then_some(()));
    fails(stage.verb(&["new", "--node", "nowhere"]), 3, "nowhere");
}

#[test]
fn names_focus_and_places_change() {
    let stage = Stage::with_script(ECHO);
    let first = new(&stage, &["--name", "work"]);
    let second = stage.verb(&["split", &first]).well().trim().to_owned();
    let third = stage.verb(&["new", "--tab", "-t", "work", "--name", "second"]).well().trim().to_owned();

    let renamed: PaneRecord = stage.verb(&["rename", &first, "left one", "--json"]).json();
    assert_eq!(renamed.info.name.as_deref(), Some("left one"));
    assert_eq!(stage.verb(&["rename", "-t", &third, "two", "words"]).well(), "");
    assert_eq!(pane(&stage, &third).info.name.as_deref(), Some("two words"));
    let renamed: TabRecord = stage.verb(&["rename", "work:second", "logs", "--json"]).json();
    assert_eq!(renamed.name, "logs");
    let renamed: SessionRecord = stage.verb(&["rename", "work", "play", "--json"]).json();
    assert_eq!(renamed.name, "play");

    stage.verb(&["focus", &first]).well();
    assert!(pane(&stage, &first).focused && sessions(&stage)[0].tabs[0].active);
    stage.verb(&["focus", "play:logs"]).well();
    assert!(sessions(&stage)[0].tabs[1].active, "{}", stage.verb(&["ls"]).stdout);

    stage.verb(&["move", &first, "--swap", &second]).well();
    assert_eq!(tabs(&stage)[0], [second.clone(), first.clone()]);
    stage.verb(&["move", "play:logs", "--index", "0"]).well();
    assert_eq!(tabs(&stage)[0], [third.as_str()]);
    stage.verb(&["move", &first, "--to", "play:logs", "-v"]).well();
    assert_eq!(tabs(&stage), [vec![third.clone(), first.clone()], vec![second.clone()]]);
    stage.verb(&["move", &first]).well();
    assert_eq!(tabs(&stage).len(), 3, "a tab of its own");
}

#[test]
fn panes_get_the_room_and_the_size_that_is_asked_for() {
    let stage = Stage::with_script(ECHO);
    let first = new(&stage, &[]);
    let zoomed = || sessions(&stage)[0].tabs[0].zoomed.map(|pane| pane.to_string());
    stage.verb(&["split", &first]).well();
    stage.verb(&["zoom", &first]).well();
    assert_eq!(zoomed(), Some(first.clone()));
    stage.verb(&["zoom", &first, "on"]).well();
    assert_eq!(zoomed(), Some(first.clone()));
    assert!(stage.verb(&["ls"]).well().contains('Z'));
    stage.verb(&["zoom", "-t", &first, "off"]).well();
    assert_eq!(zoomed(), None);

    stage.verb(&["resize", &first, "right", "100"]).well();
    stage.verb(&["resize", "-t", &first, "left"]).well();
    let fixed: PaneRecord = stage.verb(&["resize", &first, "--cols", "97", "--rows", "31", "--json"]).json();
    assert_eq!(fixed.info.size, SizePolicy::Fixed { cols: 97, rows: 31 });
    eventually("that size", || {
        let info = pane(&stage, &first).info;
        ((info.cols, info.rows) == (97, 31)).then_some(())
    });
    stage.verb(&["resize", &first, "--policy", "smallest"]).well();
    assert_eq!(pane(&stage, &first).info.size, SizePolicy::Smallest);
}

#[test]
fn in_a_pane_that_pane_is_meant() {
    let stage = Stage::with_script(ECHO);
    let first = new(&stage, &[]);
    let second = stage.verb(&["split"]).well().trim().to_owned();
    assert!(pane(&stage, &second).focused, "the new one has the focus");
    let ours =
        |words: &[&str]| Ran::from(stage.everpane(words).env("EVERPANE_PANE", &first).output().unwrap());
    ours(&["rename", "ours"]).well();
    stage.verb(&["rename", "focused"]).well();
    assert_eq!(pane(&stage, &first).info.name.as_deref(), Some("ours"));
    assert_eq!(pane(&stage, &second).info.name.as_deref(), Some("focused"));
    assert_eq!(ours(&["new", "--tab"]).well().trim(), "p3");
}

#[test]
fn hostile_names_stay_in_their_cells_and_in_their_paths() {
    let stage = Stage::with_script(ECHO);
    let id = new(&stage, &["--name", "a/b?c#d e%f"]);
    stage.verb(&["rename", "a/b?c#d e%f", "../ü&日本"]).well();
    assert_eq!(sessions(&stage)[0].name, "../ü&日本");
    stage.verb(&["focus", "../ü&日本"]).well();
    stage.verb(&["rename", &id, "--", "-- -x \u{202e}"]).well();
    let shown = stage.verb(&["ls"]).well();
    assert_eq!(shown.lines().count(), 4, "{shown}");
    assert!(shown.contains(r"-- -x \u{202e}"), "{shown}");
    stage.verb(&["rename", &id, "two\nlines\x1b[2J"]).well();
    let shown = stage.verb(&["ls"]).well();
    assert!(shown.lines().count() == 4 && !shown.contains('\x1b'), "{shown}");
}

#[test]
fn what_is_not_there_is_3_whatever_is_asked_of_it() {
    let stage = Stage::with_script(ECHO);
    new(&stage, &[]);
    let verbs: [&[&str]; 13] = [
        &["split", "p999"],
        &["close", "p999"],
        &["close", "nobody"],
        &["close", "nobody:logs"],
        &["rename", "p999", "x"],
        &["focus", "p999"],
        &["move", "p999"],
        &["resize", "p999", "left"],
        &["zoom", "p999"],
        &["respawn", "p999"],
        &["kill", "p999"],
        &["send", "p999", "x"],
        &["new", "--tab", "-t", "nobody"],
    ];
    for words in verbs {
        let ran = stage.verb(words);
        assert!(ran.stderr.starts_with("everpane: "), "{words:?}: {ran:?}");
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn what_is_refused_is_4_with_a_hint() {
    let stage = Stage::with_script(ECHO);
    let id = new(&stage, &["--name", "work"]);
    fails(stage.verb(&["new", "--name", "work"]), 4, "work");
    fails(stage.verb(&["respawn", &id]), 4, "");
    let stranger = stage.everpane(&["ls"]).env("EVERPANE_TOKEN", "not-the-right-token").output().unwrap();
    fails(stranger.into(), 4, "hint: ");
}

#[test]
fn who_is_not_there_is_6() {
    let home = tempfile::tempdir().unwrap();
    let lost = |words: &[&str]| Ran::from(lost(home.path(), words).output().unwrap());
    fails(lost(&["ls"]), 6, "hint: `everpane serve`");
    // Nothing can listen on port 1 of this machine but what root starts; here it is nobody.
    fails(lost(&["ls", "--gateway", "http://127.0.0.1:1"]), 6, "no gateway listens");
    fails(lost(&["nodes", "--gateway", "http://127.0.0.1:1"]), 6, "no gateway listens");
    fails(lost(&["nodes", "--watch", "--gateway", "http://127.0.0.1:1"]), 6, "cannot reach");
    let ran = lost(&["send", "p1", "x", "--json"]);
    let problem: ProblemDetails = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((ran.code, problem.code.as_str()), (6, "unreachable"));
}

#[test]
fn what_cannot_be_meant_is_2() {
    let stage = Stage::with_script(ECHO);
    new(&stage, &[]);
    let lines: [&[&str]; 15] = [
        &["ls", "--colour"],
        &["split", "-h", "-v"],
        &["split", "--ratio", "1.5"],
        &["split", "--percent", "0"],
        &["send", "p1"],
        &["send", "p1", "x", "--wait", "rain"],
        &["send", "p1", "--key", "no-such-key"],
        &["wait", "p1", "--for", "rain"],
        &["wait", "p1", "--for", "text"],
        &["resize", "p1", "sideways"],
        &["resize", "p1"],
        &["zoom", "p1", "perhaps"],
        &["move", "p1", "--index", "0"],
        &["close", "work", "--if-idle"],
        &["ls", "--gateway", "box"],
    ];
    for words in lines {
        let ran = stage.verb(words);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{words:?}: {}", ran.stderr);
        assert!(!ran.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn with_json_a_refusal_is_the_gateways_problem_details() {
    let stage = Stage::with_script(ECHO);
    new(&stage, &[]);
    let ran = stage.verb(&["kill", "p999", "--json"]);
    let problem: ProblemDetails = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((ran.code, problem.status, problem.code.as_str()), (3, 404, "unknown_pane"));
}

#[test]
fn the_gateway_of_this_machine_is_found_with_its_token() {
    let mut stage = Stage::with_script(ECHO);
    let home = stage.path("home");
    let address = format!("http://localhost:{}", stage.gateway.address.port());
    fs::write(stage.path("data/token"), "a-token-for-the-tests").unwrap();
    let data = stage.path("data");
    let local = |words: &[&str]| Ran::from(lost(&home, words).arg("--data-dir").arg(&data).output().unwrap());
    assert_eq!(local(&["token"]).well(), "a-token-for-the-tests\n");
    assert!(local(&["ls"]).well().starts_with("ID"));
    assert!(local(&["ls", "--gateway", &address]).well().starts_with("ID"));
    fs::create_dir_all(home.join(".config/everpane")).unwrap();
    let config = format!("data_dir = {data:?}\n[client]\ngateway = {address:?}\n");
    fs::write(home.join(".config/everpane/config.toml"), config).unwrap();
    assert!(Ran::from(lost(&home, &["ls"]).output().unwrap()).well().starts_with("ID"));
    stage.crash_gateway();
    fails(local(&["ls"]), 6, "hint: `everpane serve`");
}

#[test]
fn who_stops_reading_is_no_failure() {
    let stage = Stage::with_script(ECHO);
    new(&stage, &[]);
    let mut child = stage.everpane(&["ls"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut words = String::new();
    child.stderr.take().unwrap().read_to_string(&mut words).unwrap();
    assert_eq!((child.wait().unwrap().code(), words.as_str()), (Some(0), ""));
}

#[test]
fn input_is_taken_with_where_to_look_for_its_answer() {
    let stage = Stage::with_script(ECHO);
    let id = new(&stage, &[]);
    stage.verb(&["wait", &id, "--for", "text=ready"]).well();
    assert_eq!(stage.verb(&["send", &id, "echo", "hello", "--enter"]).well(), "");
    let typed = || stage.verb(&["send", &id, "x", "-k", "tab", "--json"]).json::<InputTaken>();
    // What a shell has just started is held until it is ready.
    let taken = eventually("delivery", || Some(typed()).filter(|taken| taken.delivered));
    assert_eq!(taken.bytes, 2);
    let taken: InputTaken =
        stage.verb_with_stdin(&["send", &id, "--stdin", "--json"], &[0xff, 0xfe, b'a']).json();
    assert_eq!(taken.bytes, 3);
    let taken: InputTaken = stage.verb_with_stdin(&["paste", &id, "--json"], b"pasted").json();
    assert_eq!(taken.bytes, 6);
    let taken: InputTaken = stage.verb(&["paste", "-t", &id, "two", "words", "--json"]).json();
    assert_eq!(taken.bytes, 9);
}

#[test]
fn viewers_are_listed_and_sent_away() {
    let stage = Stage::with_script(ECHO);
    let mut viewer = stage.viewer();
    let list = || stage.verb(&["viewers", "--json"]).json::<ViewerList>().viewers;
    let id = eventually("a viewer", || list().first().map(|viewer| viewer.id));
    assert!(stage.verb(&["viewers"]).well().contains(&id.to_string()));
    stage.verb(&["viewers", "--kick", &id.to_string()]).well();
    assert_eq!(viewer.until_closed().0, CloseCode::Dismissed as u16);
    fails(stage.verb(&["viewers", "--kick", &id.to_string()]), 3, "");
    fails(stage.verb(&["viewers", "--kick", "x"]), 2, "");
}

#[test]
fn a_token_for_one_session_is_given_out() {
    let stage = Stage::with_script(ECHO);
    new(&stage, &["--name", "work"]);
    let made: TokenMade = stage.verb(&["token", "--session", "work", "--json"]).json();
    assert_eq!(stage.verb(&["token", "--session", "work"]).well().trim(), made.token);
    let ours = |words: &[&str]| {
        let mut command = stage.everpane(words);
        Ran::from(
            command.env_remove("EVERPANE_TOKEN").env("EVERPANE_PANE_TOKEN", &made.token).output().unwrap(),
        )
    };
    ours(&["split", "work"]).well();
    new(&stage, &["--name", "another"]);
    stage.verb(&["focus", "another"]).well();
    let SessionList { sessions, .. } = ours(&["ls", "--json"]).json();
    assert!(sessions[0].active && sessions[0].tabs[0].active, "its own is the active one: {sessions:?}");
    let printed = ours(&["token"]);
    assert!(printed.stderr.contains("the token of s1: it reaches that session"), "{printed:?}");
    assert_eq!(printed.well().trim(), made.token);
    eventually("a count of the three panes here", || {
        let nodes: Value = ours(&["nodes", "--json"]).json();
        (nodes[0]["id"] == "local" && nodes[0]["panes"] == 3).then_some(())
    });
    fails(ours(&["nodes", "--watch"]), 4, "the gateway's own token");
    fails(ours(&["new"]), 4, "");
}

#[test]
fn events_come_as_lines_until_the_gateway_goes() {
    let mut stage = Stage::with_script(ECHO);
    let mut watching =
        stage.everpane(&["watch"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(watching.stdout.take().unwrap());
    let (lines_tx, lines_rx) = mpsc::channel();
    let reading =
        std::thread::spawn(move || stdout.lines().for_each(|line| _ = lines_tx.send(line.unwrap())));
    let next = || serde_json::from_str::<Event>(&lines_rx.recv_timeout(PATIENCE).unwrap()).unwrap();
    assert!(matches!(next(), Event::Snapshot { sessions, .. } if sessions.is_empty()));
    let id = new(&stage, &[]);
    // Whatever is told first: that there is a live pane, or a pane and then that it is live.
    let shown = |event: &Event| match event {
        Event::Layout { sessions, .. } | Event::Snapshot { sessions, .. } => sessions
            .iter()
            .flat_map(|session| &session.tabs)
            .flat_map(|tab| &tab.panes)
            .any(|pane| pane.connected),
        Event::Pane { pane, .. } => pane.connected,
        Event::Connection { pane, connected, .. } => *connected && pane.to_string() == id,
    };
    while !shown(&next()) {}
    stage.crash_gateway();
    assert_eq!(Ran::from(watching.wait_with_output().unwrap()).code, 6);
    reading.join().unwrap();
}

#[test]
fn watching_ends_with_its_reader_though_nothing_happens() {
    let stage = Stage::with_script(ECHO);
    let mut watching = stage.everpane(&["watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(watching.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("snapshot"), "{first}");
    let status = eventually("its end", || watching.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn what_is_typed_is_waited_for_and_never_taken_for_its_own_answer() {
    let stage = Stage::with_script("stty -echo; echo ready; exec cat");
    let id = new(&stage, &[]);
    let line = stage.verb(&["wait", "--for", "text", "read", "-t", &id]).well();
    assert_eq!(line, "ready\n", "the whole line");
    for round in 0..200 {
        let text = format!("answer {}", round % 2);
        let wait = format!("regex=^answer {}$", round % 2);
        let line = stage.verb(&["send", &id, &text, "--enter", "--wait", &wait]).well();
        assert_eq!(line.trim_end(), text);
    }
    let outcome: WaitOutcome = stage.verb(&["wait", &id, "--for", "idle", "50ms", "--json"]).json();
    assert!(outcome.met && outcome.elapsed_ms < 20_000);
    stage.verb(&["wait", "--for", "connected", &id]).well();

    let late = stage.verb(&["send", &id, "x", "--enter", "--wait", "text=never", "--timeout", "50ms"]);
    fails(late, 5, "`never`");
    let late = stage.verb(&["wait", &id, "--for", "text=never", "--timeout", "50ms", "--json"]);
    let outcome: WaitOutcome = serde_json::from_str(&late.stdout).unwrap();
    let problem: ProblemDetails = serde_json::from_str(&late.stderr).unwrap();
    assert_eq!((late.code, outcome.met, problem.code.as_str()), (5, false, "timed_out"));
    fails(stage.verb(&["wait", &id, "--for", "regex=("]), 2, "");
    fails(stage.verb(&["wait", &id, "--for", "prompt", &id]), 2, &id);
    fails(stage.verb(&["wait", "p999", "--for", "exit"]), 3, "");
}

#[test]
fn a_wait_tells_what_was_no_longer_there_to_be_looked_at() {
    let stage = Stage::with_script("yes rain | head -c 3M; echo; echo over; exec cat");
    let id = new(&stage, &[]);
    stage.verb(&["wait", &id, "--for", "text=over"]).well();
    let since = ["wait", &id, "--for", "text=over", "--since", "0"];
    let outcome: WaitOutcome = stage.verb(&[&since[..], &["--json"]].concat()).json();
    assert!(outcome.met && outcome.missed > 0 && outcome.missed < outcome.offset, "{outcome:?}");
    let told = stage.verb(&since);
    assert!(told.stderr.contains(&format!("{} bytes", outcome.missed)), "{told:?}");
    assert_eq!(told.well(), "over\n");
}

#[test]
fn the_end_of_a_program_is_waited_for_with_its_status() {
    let stage = Stage::with_script("read status; exit $status");
    let id = new(&stage, &[]);
    assert_eq!(stage.verb(&["send", &id, "7", "--enter", "--wait", "exit"]).well(), "7\n");
}

#[test]
fn a_capture_is_what_is_on_the_screen() {
    let stage = Stage::with_script("seq 100; printf '\\033[31mred\\033[m'; exec cat");
    let id = new(&stage, &[]);
    stage.verb(&["wait", &id, "--for", "text=red"]).well();
    let screen = stage.verb(&["capture", &id]).well();
    assert!(screen.contains("100\nred") && !screen.contains("\n5\n"), "{screen}");
    let all = stage.verb(&["capture", &id, "--scrollback", "all", "--join"]).well();
    assert!(all.starts_with("1\n2\n3\n"), "{all}");
    assert!(stage.verb(&["capture", "-t", &id, "--format", "ansi"]).well().contains("\x1b[31mred"));
    let file = stage.path("screen.svg");
    assert_eq!(stage.verb(&["capture", &id, "-f", "svg", "-o", file.to_str().unwrap()]).well(), "");
    assert!(fs::read_to_string(&file).unwrap().contains("<svg"));
    let json: serde_json::Value = stage.verb(&["capture", &id, "--format", "html", "--json"]).json();
    assert_eq!((&json["apiVersion"], &json["format"]), (&1.into(), &"html".into()));
    assert!(json["content"].as_str().unwrap().contains("red"));
    fails(stage.verb(&["capture", &id, "-o", "nowhere/at/all"]), 1, "nowhere/at/all");
    fails(stage.verb(&["capture", "p999"]), 3, "");
}

/// What `doctor` found: whether all is well, and how each thing is, with what to do.
fn findings(ran: &Ran) -> (bool, Vec<(String, String, Option<String>)>) {
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&report["apiVersion"], report["version"].as_str()),
        (&1.into(), Some(env!("CARGO_PKG_VERSION")))
    );
    let text = |finding: &serde_json::Value, name: &str| finding[name].as_str().map(str::to_owned);
    let found = |finding| {
        assert!(text(finding, "seen").is_some(), "{finding}");
        (text(finding, "subject").unwrap(), text(finding, "verdict").unwrap(), text(finding, "advice"))
    };
    (report["healthy"].as_bool().unwrap(), report["findings"].as_array().unwrap().iter().map(found).collect())
}

#[test]
fn a_doctor_finds_nothing_wrong_with_what_works() {
    let stage = Stage::with_script(ECHO);
    let ran = stage.verb(&["doctor", "--json"]);
    let (healthy, found) = findings(&ran);
    assert!(ran.code == 0 && healthy, "{ran:?}");
    for subject in ["terminal", "settings", "data", "shell", "gateway", "version", "pace", "clock"] {
        assert!(found.iter().any(|finding| finding.0 == subject), "{subject}: {ran:?}");
    }
    assert!(found.iter().all(|(_, verdict, advice)| (verdict == "good") == advice.is_none()), "{ran:?}");
    let shown = stage.verb(&["doctor"]).well();
    assert!(
        shown.lines().any(|line| line.starts_with("ok    gateway")) && !shown.contains("FAIL"),
        "{shown}"
    );
    let stranger =
        stage.everpane(&["doctor", "--json"]).env("EVERPANE_TOKEN", "not-the-right-token").output();
    let ran = Ran::from(stranger.unwrap());
    let gateway = findings(&ran).1.into_iter().find(|finding| finding.0 == "gateway").unwrap();
    assert!(ran.code == 1 && gateway.1 == "bad" && gateway.2.unwrap().contains("EVERPANE_TOKEN"), "{ran:?}");
}

#[test]
fn a_doctor_says_what_to_do_about_what_does_not_work() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let doctor = |more: &[&str]| {
        let words = [&["doctor", "--data-dir", data.to_str().unwrap()], more].concat();
        Ran::from(lost(home.path(), &words).output().unwrap())
    };
    /// The line of what does not work, and the one below.
    fn failed(ran: &Ran, subject: &str) -> Option<(String, String)> {
        let mut lines = ran.stdout.lines().skip_while(|line| !line.starts_with(&format!("FAIL  {subject} ")));
        Some((lines.next()?.to_owned(), lines.next()?.to_owned()))
    }
    let ran = doctor(&[]);
    let (_, advice) = failed(&ran, "gateway").unwrap();
    assert!(ran.code == 1 && advice.contains("everpane serve"), "{ran:?}");
    assert_eq!(failed(&ran, "token"), None, "there is none yet");
    let config = home.path().join(".config/everpane/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, "lisen = 1\n").unwrap();
    let (seen, advice) = failed(&doctor(&[]), "settings").unwrap();
    assert!(seen.contains("`lisen`") && advice.contains("config check"), "{seen}\n{advice}");
    fs::remove_file(&config).unwrap();

    fs::create_dir(&data).unwrap();
    let token = data.join("token");
    fs::write(&token, "a-token-for-the-tests").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let (seen, advice) = failed(&doctor(&[]), "token").unwrap();
    assert!(seen.contains("can be read by others") && advice.contains("chmod 600"), "{seen}\n{advice}");
    let ran = doctor(&["--json"]);
    let (healthy, found) = findings(&ran);
    let bad = |(subject, verdict, _): &(String, String, _)| subject == "token" && verdict == "bad";
    assert!(ran.code == 1 && !healthy && found.iter().any(bad), "{ran:?}");
}

/// A shell that marks its prompt and its commands, as shell integration makes one do.
const MARKING: &str = r"
    printf '\033]133;A\007$ \033]133;B\007'
    while IFS= read -r line; do
        printf '\033]133;C\007'
        (eval $line)
        printf '\033]133;D;%d\007\033]133;A\007$ \033]133;B\007' $?
    done";

#[test]
fn a_command_run_in_a_pane_is_as_one_run_here() {
    let stage = Stage::with_script(MARKING);
    let id = new(&stage, &[]);
    stage.verb(&["wait", &id, "--for", "text=$"]).well();
    stage.verb(&["wait", &id, "--for", "prompt"]).well();
    let ran = stage.verb(&["run", &id, "--", "echo", "one;", "echo", "two;", "exit", "42"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (42, "one\ntwo\n", ""));
    assert_eq!(stage.verb(&["run", "-t", &id, "--", "true"]).well(), "");
    let outcome: RunOutcome = stage.verb(&["run", &id, "--json", "--", "echo", "x"]).json();
    assert_eq!((outcome.exit, outcome.output.as_str()), (Some(0), "x\n"));
    assert_eq!(stage.verb(&["send", &id, "exit 3", "--enter", "--wait", "prompt"]).well(), "3\n");

    fails(stage.verb(&["run", "p999", "--", "true"]), 125, "p999");
    let late = stage.verb(&["run", &id, "--timeout", "100ms", "--", "sleep", "1000"]);
    assert_eq!(late.code, 125, "{late:?}");
    assert!(late.stderr.contains("did not end in time"), "{late:?}");
}

#[test]
fn ls_is_quick() {
    let stage = Stage::with_script(ECHO);
    new(&stage, &[]);
    let timed = |words: &[&str]| {
        let began = Instant::now();
        stage.verb(words).well();
        began.elapsed()
    };
    // Side by side with a command that asks nobody: the machine may be busy.
    let (asking, alone): (Vec<_>, Vec<_>) =
        (0..20).map(|_| (timed(&["ls"]), timed(&["config", "path"]))).unzip();
    let (asking, alone) = (asking.iter().min().unwrap(), alone.iter().min().unwrap());
    assert!(*asking < *alone * 8, "{asking:?}, where nothing takes {alone:?}");
}

#[test]
fn ids_are_printed_as_they_are_taken() {
    let stage = Stage::with_script(ECHO);
    let id = new(&stage, &[]);
    assert!(id.parse::<PaneId>().is_ok(), "{id}");
}
