//! What is still there after the gateway was killed, after its files were damaged, and while its disk is full.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use everpane::ids::PaneId;
use everpane::protocol::client::{SizePolicy, WakePolicy};
use everpane::protocol::server::{PaneStatus, Session, Tab};
use serde_json::json;
use support::Gateway;
use support::stage::{Stage, eventually};
use support::viewer::TestViewer;

/// A program that shows what it reads, and at first that it is there, as programs are given input then.
const CAT: &str = "printf '> '\nexec cat\n";

/// What the state may lag behind, and as much again for a busy machine.
const SAVED_WITHIN: Duration = Duration::from_millis(2200);

/// Waits until a file of the data directory holds `text`.
fn until_saved(stage: &Stage, file: &str, text: &str) {
    let path = format!("data/{file}");
    eventually(text, || memchr::memmem::find(&stage.content(&path), text.as_bytes()));
}

/// A viewer of a gateway that was started again.
fn back(stage: &Stage) -> TestViewer {
    let mut viewer = stage.viewer();
    viewer.until("the layout", |mirror| !mirror.tabs.is_empty());
    // The rest of the greeting.
    viewer.sync();
    viewer
}

#[test]
fn after_a_crash_everything_is_back_and_nothing_runs() {
    let mut stage = Stage::with_script(CAT);
    let mut viewer = stage.viewer();
    viewer.connect(121, 41);
    let made = viewer.ask(json!({"type":"session_create","name":"work"}));
    let first = made.pane.unwrap();
    viewer.watch(first);
    let second = viewer.split(first);
    let third = viewer.ask(json!({"type":"tab_create","sessionId":made.session,"name":"logs"})).pane.unwrap();
    viewer.watch(third);
    for message in [
        json!({"type":"split_resize","tabId":made.tab,"path":[],"ratios":[0.25,0.75]}),
        json!({"type":"pane_rename","paneId":first,"name":"server"}),
        json!({"type":"pane_set","paneId":second,"wake":"manual","size":{"policy":"fixed","cols":77,"rows":11}}),
        json!({"type":"pane_set","paneId":third,"wake":"enter","closeOnExit":true}),
        json!({"type":"tab_switch","tabId":made.tab}),
        json!({"type":"pane_focus","paneId":first}),
    ] {
        viewer.ask(message);
    }
    // A change of size between a line and its echo would show them otherwise.
    let sizes = [(first, (30, 41)), (second, (77, 11)), (third, (121, 41))];
    viewer.until("the sizes", |mirror| {
        sizes.iter().all(|(pane, size)| mirror.output.get(pane).is_some_and(|output| output.size == *size))
    });
    for pane in [first, second, third] {
        viewer.until_live(pane);
        viewer.type_in(pane, &format!("this is {pane}\r"));
        viewer.until_shows(pane, &format!("this is {pane}\r\nthis is {pane}"));
    }
    viewer.until("the directories", |mirror| {
        [first, second, third].iter().all(|pane| mirror.pane(*pane).cwd.is_some())
    });
    // With the last change everything before it is saved.
    viewer.ask(json!({"type":"session_rename","sessionId":made.session,"name":"the last change"}));
    viewer.until("the name", |mirror| mirror.sessions[0].name == "the last change");
    let before = viewer.mirror;
    for pane in [first, second, third] {
        until_saved(&stage, &format!("output/{pane}.out"), &format!("\r\nthis is {pane}"));
    }
    until_saved(&stage, "state.json", "the last change");
    stage.crash();
    stage.start_again();

    let mut viewer = back(&stage);
    let after = &viewer.mirror;
    assert_eq!((&after.sessions, &after.tabs), (&before.sessions, &before.tabs));
    assert_eq!((after.active_tab, &after.channels), (before.active_tab, &before.channels));
    assert!(after.connected.values().all(|live| !live) && after.connected.len() == 3);
    assert!(after.notices.is_empty(), "{:?}", after.notices);
    for pane in [first, second, third] {
        let (now, then) = (after.pane(pane), before.pane(pane));
        assert_eq!((&now.name, now.wake, now.close_on_exit), (&then.name, then.wake, then.close_on_exit));
        assert_eq!((now.size, now.cols, now.rows), (then.size, then.cols, then.rows));
        assert_eq!(now.cwd, then.cwd);
        assert!(matches!(now.status, PaneStatus::Exited { code: None, signal: None, at } if at > 0));
    }
    assert_eq!(after.pane(second).size, SizePolicy::Fixed { cols: 77, rows: 11 });
    assert_eq!(after.pane(third).wake, WakePolicy::Enter);

    for pane in [first, second, third] {
        viewer.watch(pane);
        viewer.until_shows(pane, &format!("this is {pane}\r\nthis is {pane}"));
    }
    viewer.connect(100, 30);
    viewer.sync();
    assert!(stage.programs().is_empty(), "looking starts nothing");

    viewer.type_in(first, "one key away\r");
    viewer.until_live(first);
    viewer.until_shows(first, "one key away\r\none key away");
    assert_eq!(stage.programs().len(), 1, "and only what was asked for");
    assert!(!viewer.mirror.connected(second) && !viewer.mirror.connected(third));
}

#[test]
fn who_resumes_after_a_crash_is_not_given_new_bytes_for_old_ones() {
    let mut stage = Stage::with_script(CAT);
    let (mut viewer, pane) = stage.open();
    viewer.type_in(pane, "before\r");
    viewer.until_shows(pane, "before\r\nbefore");
    let offset = viewer.mirror.output[&pane].head();
    until_saved(&stage, &format!("output/{pane}.out"), "before\r\nbefore");
    until_saved(&stage, "state.json", "\"panes\"");
    stage.crash();
    stage.start_again();
    let mut viewer = back(&stage);
    viewer.watch_from(pane, offset);
    viewer.until_shows(pane, "before\r\nbefore");
    let output = &viewer.mirror.output[&pane];
    assert_eq!(output.restarts, 1);
    assert!(output.from > offset + (1 << 30), "{output:?}");
}

/// What users made, as far as the edits below change it.
type Made = (Vec<Session>, Vec<Tab>);

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Makes any edit of the layout and waits until it shows. Keeps between one pane and a dozen.
fn edit(viewer: &mut TestViewer, dice: &mut Dice) {
    let panes: Vec<PaneId> = viewer.mirror.channels.keys().copied().collect();
    let pane = panes[usize::try_from(dice.roll(panes.len() as u64)).unwrap()];
    let (session, tab) = (viewer.mirror.tabs[0].session_id, viewer.mirror.tabs[0].id);
    let opens = match dice.roll(5) {
        0 if panes.len() < 12 => json!({"type":"pane_split","paneId":pane,"orientation":"vertical"}),
        1 if panes.len() < 12 => json!({"type":"tab_create","sessionId":session}),
        2 if panes.len() > 1 => {
            viewer.ask(json!({"type":"pane_close","paneId":pane}));
            return viewer.until("the close", |mirror| !mirror.channels.contains_key(&pane));
        }
        _ => {
            let name = format!("name {}", dice.roll(1 << 30));
            viewer.ask(json!({"type":"tab_rename","tabId":tab,"name":name}));
            return viewer.until("the name", |mirror| mirror.tabs.iter().any(|tab| tab.name == name));
        }
    };
    let new = viewer.ask(opens).pane.unwrap();
    viewer.until("the new pane", |mirror| mirror.channels.contains_key(&new));
}

#[test]
fn killed_at_random_moments_it_comes_back_with_what_was_there() {
    let script = "printf '> '\nwhile read line; do echo \"got $line\"; done\n";
    let mut stage = Stage::with_script(script);
    let mut dice = Dice(7);
    let mut viewer = stage.viewer();
    viewer.create_session();
    until_saved(&stage, "state.json", "\"panes\"");
    for turn in 0..15 {
        let made = |viewer: &TestViewer| (viewer.mirror.sessions.clone(), viewer.mirror.tabs.clone());
        let born = Instant::now();
        let mut history: Vec<(Instant, Made)> = vec![(born, made(&viewer))];
        let alive_for = Duration::from_millis(20 + dice.roll(500));
        while born.elapsed() < alive_for {
            edit(&mut viewer, &mut dice);
            history.push((Instant::now(), made(&viewer)));
            let pane = *viewer.mirror.channels.keys().next().unwrap();
            viewer.type_in(pane, "line\r");
        }
        let killed = Instant::now();
        stage.crash();
        stage.start_again();

        viewer = back(&stage);
        let found = made(&viewer);
        let at = history.iter().rposition(|(_, made)| *made == found);
        let at = at.unwrap_or_else(|| panic!("turn {turn}: this never was: {found:#?}"));
        // What came after it is lost, so that must have been new.
        let next = history.get(at + 1).map_or(killed, |(at, _)| *at);
        assert!(killed - next < SAVED_WITHIN, "turn {turn}: {:?} were lost", killed - next);
        viewer.connect(80, 24);
        assert!(viewer.mirror.connected.values().all(|live| !live), "turn {turn}");
        assert!(stage.programs().is_empty(), "turn {turn}: a restart starts nothing");
        assert!(set_aside(&stage).is_empty(), "turn {turn}: {:?}", viewer.mirror.notices);

        let pane = *viewer.mirror.channels.keys().next().unwrap();
        viewer.watch(pane);
        viewer.type_in(pane, &format!("turn {turn}\r"));
        viewer.until_shows(pane, &format!("got turn {turn}"));
        assert_eq!(stage.shells().len(), 1);
    }
}

/// Files that were set aside, in order.
fn set_aside(stage: &Stage) -> Vec<PathBuf> {
    let entries = fs::read_dir(stage.path("data")).unwrap().map(|entry| entry.unwrap().path());
    let mut damaged: Vec<_> = entries.filter(|path| path.to_string_lossy().contains(".damaged-")).collect();
    damaged.sort();
    damaged
}

/// A stage whose gateway was killed after it saved the names `older`, then `newer`.
fn two_generations() -> Stage {
    let mut stage = Stage::with_script(CAT);
    let (mut viewer, _) = stage.open();
    for name in ["older", "newer"] {
        viewer.ask(json!({"type":"tab_rename","tabId":"t1","name":name}));
        until_saved(&stage, "state.json", name);
    }
    until_saved(&stage, "state.json.previous", "older");
    until_saved(&stage, "output/p1.out", "> ");
    stage.crash();
    stage
}

#[test]
fn a_damaged_state_is_set_aside_and_the_one_before_is_used() {
    let mut stage = two_generations();
    let state = stage.path("data/state.json");
    let whole = fs::read(&state).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let damages: [&[u8]; 5] =
        [&whole[..whole.len() / 2], &whole[..whole.len() - 1], b"", b"\0garbage\xff", &flipped];
    for (turn, damaged) in damages.into_iter().enumerate() {
        fs::write(&state, damaged).unwrap();
        stage.start_again();
        let viewer = back(&stage);
        assert_eq!(viewer.mirror.tabs[0].name, "older");
        let notice = &viewer.mirror.notices["state_damaged"];
        let kept = format!("state.json.damaged-{}", turn + 1);
        assert!(notice.contains("is damaged") && notice.contains(&kept), "{notice}");
        assert_eq!(fs::read(stage.path("data").join(kept)).unwrap(), damaged, "kept as it was");
        assert!(stage.programs().is_empty());
        stage.crash();
    }
    assert_eq!(set_aside(&stage).len(), 5);
}

#[test]
fn with_no_state_left_it_starts_empty_and_says_so() {
    let mut stage = two_generations();
    let output = stage.path("data/output/p1.out");
    let printed = fs::read(&output).unwrap();
    for file in ["state.json", "state.json.previous"] {
        fs::write(stage.path("data").join(file), "garbage").unwrap();
    }
    stage.start_again();
    let mut viewer = stage.viewer();
    viewer.until("the notice", |mirror| mirror.notices.contains_key("state_damaged"));
    assert!(viewer.mirror.tabs.is_empty());
    let notice = &viewer.mirror.notices["state_damaged"];
    assert!(notice.contains("starting with an empty one") && notice.contains("p1.out.damaged-1"), "{notice}");
    assert_eq!(set_aside(&stage).len(), 2);
    viewer.create_session();
    assert!(!output.exists() || fs::read(&output).unwrap() != printed);
    assert_eq!(
        fs::read(stage.path("data/output/p1.out.damaged-1")).unwrap(),
        printed,
        "what it printed is kept"
    );
}

#[test]
fn a_damaged_output_costs_only_that_output() {
    let mut stage = Stage::with_script(CAT);
    let (mut viewer, first) = stage.open();
    let second = viewer.split(first);
    for pane in [first, second] {
        viewer.until_live(pane);
        viewer.type_in(pane, &format!("this is {pane}\r"));
        until_saved(&stage, &format!("output/{pane}.out"), &format!("this is {pane}"));
    }
    until_saved(&stage, "state.json", &second.to_string());
    stage.crash();
    fs::write(stage.path("data").join(format!("output/{first}.out")), "garbage").unwrap();
    stage.start_again();
    let mut viewer = back(&stage);
    assert!(viewer.mirror.notices["state_damaged"].contains(&format!("{first}.out")));
    assert_eq!(viewer.mirror.channels.len(), 2);
    viewer.watch(second);
    viewer.until_shows(second, &format!("this is {second}"));
    viewer.watch(first);
    viewer.type_in(first, "still of use\r");
    viewer.until_shows(first, "still of use\r\nstill of use");
}

/// Runs what has to fail at once; what it says.
fn failure(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_state_of_a_newer_version_is_not_touched() {
    let stage = two_generations();
    let state = stage.path("data/state.json");
    let text = fs::read_to_string(&state).unwrap();
    let newer = text.replacen("everpane-state 1 ", "everpane-state 2 ", 1);
    assert_ne!(text, newer);
    fs::write(&state, &newer).unwrap();
    let said = failure(&mut stage.command());
    assert!(said.contains("newer version") && said.lines().count() == 1, "{said}");
    assert_eq!(fs::read_to_string(&state).unwrap(), newer);
}

#[test]
fn what_is_logged_to_a_file_has_no_colours() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("state.json"), "garbage").unwrap();
    let log = data.path().join("log");
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_everpane"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.path())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    eventually("the warning", || fs::read_to_string(&log).unwrap().contains("is damaged").then_some(()));
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    assert!(!fs::read_to_string(&log).unwrap().contains('\u{1b}'));
}

#[test]
fn a_second_gateway_leaves_the_first_alone() {
    let stage = Stage::with_script(CAT);
    let (mut viewer, pane) = stage.open();
    let said = failure(&mut stage.command());
    assert!(said.contains("in use by another gateway") && said.lines().count() == 1, "{said}");
    viewer.type_in(pane, "undisturbed\r");
    viewer.until_shows(pane, "undisturbed\r\nundisturbed");
    until_saved(&stage, "state.json", "\"panes\"");
}

/// A small file system in memory, unmounted at the end.
struct SmallDisk<'a>(&'a Path);

impl SmallDisk<'_> {
    /// `None` for who may not mount.
    fn mount(at: &Path) -> Option<SmallDisk<'_>> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"]).arg(at).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(SmallDisk(at))
    }

    /// Leaves no room.
    fn fill(&self) {
        let piece = vec![0; 4096];
        let mut file = fs::File::create(self.0.join("ballast")).unwrap();
        while std::io::Write::write_all(&mut file, &piece).is_ok() {}
    }

    /// Makes room again.
    fn empty(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn health(gateway: &Gateway) -> String {
    let answer = gateway.request("GET", "/healthz", &[]);
    assert_eq!(answer.status, 200);
    answer.body
}

#[test]
fn a_full_disk_is_told_and_serving_goes_on() {
    let mut stage = Stage::with_script(CAT);
    stage.crash();
    let data = stage.path("data");
    let Some(disk) = SmallDisk::mount(&data) else {
        eprintln!("skipped: it takes root to mount a small disk");
        return;
    };
    stage.start_again();
    let (mut viewer, pane) = stage.open();
    viewer.ask(json!({"type":"tab_rename","tabId":"t1","name":"before"}));
    until_saved(&stage, "state.json", "before");
    assert_eq!(health(&stage.gateway), r#"{"status":"ok"}"#);

    disk.fill();
    viewer.ask(json!({"type":"tab_rename","tabId":"t1","name":"while it is full"}));
    viewer.until("the notice", |mirror| mirror.notices.contains_key("not_saved"));
    assert_eq!(health(&stage.gateway), r#"{"status":"degraded","reason":"not_saved"}"#, "and no path");
    assert!(viewer.mirror.notices["not_saved"].contains("No space left"), "{:?}", viewer.mirror.notices);
    viewer.type_in(pane, "still serving\r");
    viewer.until_shows(pane, "still serving\r\nstill serving");
    let split = viewer.split(pane);
    viewer.until_live(split);
    assert!(back(&stage).mirror.notices.contains_key("not_saved"), "newcomers are told too");
    assert!(
        memchr::memmem::find(&stage.content("data/state.json"), b"before").is_some(),
        "the old one is whole"
    );

    disk.empty();
    viewer.until("the all-clear", |mirror| !mirror.notices.contains_key("not_saved"));
    assert_eq!(health(&stage.gateway), r#"{"status":"ok"}"#);
    until_saved(&stage, "state.json", "while it is full");
    stage.crash();
    stage.start_again();
    let viewer = back(&stage);
    assert_eq!((viewer.mirror.tabs[0].name.as_str(), viewer.mirror.channels.len()), ("while it is full", 2));
    // Its files are on the small disk.
    stage.crash();
}

#[test]
fn told_to_end_it_waits_for_no_stalled_viewer_and_no_stubborn_program() {
    let script = "trap '' HUP TERM INT\nyes | head -c 10000000\nwhile :; do sleep 1; done\n";
    let mut stage = Stage::with_arguments(script, &["--stop-host"]);
    let mut stalled = stage.viewer();
    let pane = stalled.create_session();
    let mut viewer = stage.viewer();
    viewer.until_live(pane);
    viewer.ask(json!({"type":"tab_rename","tabId":"t1","name":"the last change"}));
    let told = Instant::now();
    stage.gateway.signal("TERM");
    let (code, reason) = viewer.until_closed();
    assert_eq!((code, reason.as_str()), (1001, "the gateway is shutting down"));
    assert_eq!(stage.gateway.wait().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    eventually("the end of the programs", || stage.programs().is_empty().then_some(()));
    stage.start_again();
    assert_eq!(back(&stage).mirror.tabs[0].name, "the last change");
}
