//! What happens when a pane's program ends, asked of the real program with real PTYs: everything stays, and the next
//! key brings a program back with nothing lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;

use everpane::ids::PaneId;
use everpane::protocol::server::{PaneStatus, ServerMessage};
use serde_json::json;

use support::processes::Process;
use support::stage::{Stage, eventually};
use support::viewer::TestViewer;

/// Notes that it started, then keeps what is typed, byte by byte.
const KEEPER: &str = "echo started >> starts; stty raw -echo; echo ready; exec cat >> typed";

/// How often [`KEEPER`] was started.
fn starts(stage: &Stage) -> usize {
    stage.content("home/starts").split(|byte| *byte == b'\n').count() - 1
}

/// A pane whose [`KEEPER`] has noted its start: one that was killed before would not be counted.
fn open_keeper(stage: &Stage) -> (TestViewer, PaneId) {
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    (viewer, pane)
}

/// Waits until all that was kept is `wanted`.
fn until_typed(stage: &Stage, wanted: &[u8]) {
    eventually("all that was typed", || (stage.content("home/typed").len() >= wanted.len()).then_some(()));
    assert_eq!(String::from_utf8_lossy(&stage.content("home/typed")), String::from_utf8_lossy(wanted));
}

/// Kills the only shell there is, and waits until it is known.
fn kill_shell(stage: &Stage, viewer: &mut TestViewer, pane: PaneId) {
    // It may have been dead before, which is not the death waited for here.
    viewer.until_live(pane);
    let shells = stage.shells();
    assert_eq!(shells.len(), 1, "{shells:?}");
    shells[0].signal("KILL");
    viewer.until_exited(pane);
    assert_eq!(stage.shells(), [], "reaped before it is told");
}

fn code(status: &PaneStatus) -> Option<i32> {
    match status {
        PaneStatus::Exited { code, .. } => *code,
        _ => None,
    }
}

#[test]
fn a_killed_shell_is_shown_to_every_viewer_and_comes_back_with_the_next_key() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    let mut other = stage.viewer();
    other.watch(pane);
    let (tabs, channels) = (viewer.mirror.tabs.clone(), viewer.mirror.channels.clone());
    kill_shell(&stage, &mut viewer, pane);
    for viewer in [&mut viewer, &mut other] {
        viewer.until_exited(pane);
        let PaneStatus::Exited { code, signal, .. } = &viewer.mirror.pane(pane).status else {
            unreachable!()
        };
        assert_eq!((code, signal.as_deref()), (&None, Some("SIGKILL")));
        assert_eq!((&viewer.mirror.tabs, &viewer.mirror.channels), (&tabs, &channels));
    }
    viewer.type_in(pane, "echo $((6*7))\n");
    for viewer in [&mut viewer, &mut other] {
        viewer.until_shows(pane, "\r42\r\n");
        viewer.until_live(pane);
        assert_eq!((&viewer.mirror.tabs, &viewer.mirror.channels), (&tabs, &channels));
        assert_eq!(viewer.mirror.text(pane).matches("\r42\r\n").count(), 1);
    }
    assert_eq!(stage.shells().len(), 1);
}

#[test]
fn the_exit_code_is_told() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    viewer.type_in(pane, "exit 7\n");
    viewer.until_exited(pane);
    assert_eq!(code(&viewer.mirror.pane(pane).status), Some(7));
}

#[test]
fn output_printed_right_before_the_end_is_complete() {
    const LENGTH: usize = 1 << 20;
    let flood = format!("head -c {LENGTH} /dev/zero | tr '\\0' x; printf END; exit 3");
    let stage = Stage::with_script(&format!("stty -echo; printf ready; read line; {flood}"));
    let mut viewer = stage.viewer();
    let first = viewer.create_session();
    let session = viewer.mirror.sessions[0].id;
    let mut panes = vec![first];
    for _ in 1..12 {
        let pane = viewer.ask(json!({ "type": "tab_create", "sessionId": session })).pane.unwrap();
        panes.push(pane);
    }
    for pane in &panes {
        viewer.watch_all(*pane);
        viewer.until_shows(*pane, "ready");
    }
    for pane in &panes {
        viewer.type_in(*pane, "\n");
    }
    for pane in panes {
        viewer.until_shows(pane, "END");
        viewer.until_exited(pane);
        assert_eq!(code(&viewer.mirror.pane(pane).status), Some(3));
        let output = viewer.mirror.output[&pane].stream();
        let printed = output.strip_suffix(b"END").unwrap();
        assert!(printed[printed.len() - LENGTH..].iter().all(|byte| *byte == b'x'));
    }
    assert_eq!(stage.shells(), []);
}

#[test]
fn no_program_waits_for_a_viewer_that_lacks_what_is_gone() {
    let stage = Stage::with_script("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo done; exec cat");
    let mut viewer = stage.viewer();
    let pane = viewer.create_session();
    viewer.watch(pane);
    viewer.until_shows(pane, "done");
    // Farther back than the log reaches: it gets a snapshot, and is level with everybody then.
    let mut recorder = stage.viewer();
    recorder.watch_all_from(pane, 1);
    recorder.until("a snapshot", |mirror| mirror.restarts(pane) == 1);
    recorder.type_in(pane, "still there\n");
    recorder.until_shows(pane, "still there");
}

#[test]
fn a_thousand_deaths_leave_nothing_behind() {
    const DEATHS: usize = 1000;
    // With the line's end: a snapshot prints the last character twice, so that combining ones find it.
    let stage = Stage::with_script("echo X");
    let mut viewer = stage.viewer();
    let pane = viewer.create_session();
    viewer.watch_all(pane);
    viewer.until("both snapshots", |mirror| mirror.restarts(pane) == 2);
    let mut seen = 0;
    let mut die_again = |viewer: &mut TestViewer| {
        viewer.until("the output of a program that ends at once", |mirror| {
            mirror.output.get(&pane).is_some_and(|output| output.stream()[seen..].contains(&b'X'))
        });
        // Granted once the dead program is known to be dead.
        loop {
            match viewer.request(json!({ "type": "pane_respawn", "paneId": pane })) {
                ServerMessage::Ok { .. } => break,
                ServerMessage::Error(error) => assert_eq!(error.code, "pane_connected"),
                other => panic!("{other:?}"),
            }
        }
        let output = viewer.mirror.output[&pane].stream();
        seen = output.iter().rposition(|byte| *byte == b'X').unwrap() + 1;
    };
    let used = |stage: &Stage| (stage.process().descriptors(), stage.process().threads());
    for _ in 0..DEATHS / 10 {
        die_again(&mut viewer);
    }
    let (descriptors, threads) = used(&stage);
    for _ in 0..DEATHS {
        die_again(&mut viewer);
    }
    viewer.until("the last one's output", |mirror| {
        mirror.text(pane).matches('X').count() == DEATHS / 10 + DEATHS + 1
    });
    viewer.until_exited(pane);
    eventually("descriptors and threads to be as before", || {
        let (descriptors_now, threads_now) = used(&stage);
        (descriptors_now <= descriptors && threads_now <= threads).then_some(())
    });
    assert_eq!(stage.shells(), []);
    assert_eq!(stage.programs(), []);
    let text = viewer.mirror.text(pane);
    assert_eq!(text.matches('X').count(), DEATHS / 10 + DEATHS + 1, "each once: {text:?}");
}

#[test]
fn what_is_typed_at_a_dead_pane_arrives_once_and_in_order() {
    let stage = Stage::with_script(KEEPER);
    let (mut viewer, pane) = open_keeper(&stage);
    let mut typed = Vec::new();
    for round in 0..20 {
        let before = starts(&stage);
        for key in 0..50 {
            let message = format!("{round}.{key} ");
            typed.extend_from_slice(message.as_bytes());
            viewer.type_in(pane, &message);
        }
        until_typed(&stage, &typed);
        assert_eq!(starts(&stage), if round == 0 { 1 } else { before + 1 });
        kill_shell(&stage, &mut viewer, pane);
    }
    assert_eq!(viewer.mirror.errors, []);
    assert_eq!(stage.programs(), []);
}

#[test]
fn a_storm_of_keys_starts_one_program() {
    let stage = Stage::with_script(KEEPER);
    let (mut viewer, pane) = open_keeper(&stage);
    kill_shell(&stage, &mut viewer, pane);
    let mut typed = Vec::new();
    for number in 0..10_000 {
        let key = [b'a' + u8::try_from(number % 26).unwrap()];
        typed.extend_from_slice(&key);
        viewer.paste(pane, &key);
    }
    until_typed(&stage, &typed);
    assert_eq!((starts(&stage), stage.shells().len()), (2, 1));
    assert_eq!(viewer.mirror.errors, []);
}

#[test]
fn many_viewers_typing_at_a_dead_pane_share_one_start() {
    const VIEWERS: usize = 8;
    const MESSAGES: usize = 60;
    let stage = Stage::with_script(KEEPER);
    let (mut first, pane) = open_keeper(&stage);
    kill_shell(&stage, &mut first, pane);
    let mut viewers: Vec<TestViewer> = (0..VIEWERS).map(|_| stage.viewer()).collect();
    for viewer in &mut viewers {
        viewer.watch(pane);
    }
    let message = |viewer: usize, number: usize| {
        // Some long ones: a message is never torn.
        let filling = "x".repeat(if number.is_multiple_of(7) { 1500 } else { 1 });
        format!("<{viewer}.{number}.{filling}>")
    };
    let mut length = 0;
    for number in 0..MESSAGES {
        for (index, viewer) in viewers.iter_mut().enumerate() {
            let text = message(index, number);
            length += text.len();
            viewer.type_in(pane, &text);
        }
    }
    eventually("all that was typed", || (stage.content("home/typed").len() >= length).then_some(()));
    let typed = String::from_utf8(stage.content("home/typed")).unwrap();
    assert_eq!(typed.len(), length);
    for index in 0..VIEWERS {
        let mut rest = typed.as_str();
        for number in 0..MESSAGES {
            let wanted = message(index, number);
            let at = rest.find(&wanted).unwrap_or_else(|| panic!("no {wanted} in {rest}"));
            rest = &rest[at + wanted.len()..];
        }
    }
    assert_eq!((starts(&stage), stage.shells().len()), (2, 1));
}

#[test]
fn the_directory_is_that_of_the_dead_shell() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    let inner = stage.path("home/outer/inner");
    viewer.type_in(pane, "mkdir -p outer/inner; cd outer/inner\n");
    // Nothing is printed that would tell.
    viewer.until("the directory", |mirror| mirror.pane(pane).cwd.as_deref() == inner.to_str());
    kill_shell(&stage, &mut viewer, pane);
    viewer.type_in(pane, "pwd; echo do''ne\n");
    viewer.until_shows(pane, "done");
    let pwd = format!("\r{}\r\n", inner.display());
    assert!(viewer.mirror.shows(pane, &pwd), "{}", viewer.mirror.text(pane));
}

#[test]
fn the_directory_told_by_the_program_counts() {
    let script =
        r#"pwd; mkdir -p "$HOME/a b"; printf '\033]7;file://host%s/a%%20b\033\\ready' "$HOME"; exec cat"#;
    let stage = Stage::with_script(script);
    let (mut viewer, pane) = stage.open();
    let told = stage.path("home/a b");
    viewer.until("the directory told", |mirror| mirror.pane(pane).cwd.as_deref() == told.to_str());
    kill_shell(&stage, &mut viewer, pane);
    viewer.type_in(pane, "x");
    viewer.until_shows(pane, &format!("{}\r\n", told.display()));
}

#[test]
fn a_directory_that_is_gone_is_replaced_by_its_parent_and_said() {
    let script =
        r#"pwd; mkdir -p outer/inner; printf '\033]7;file://%s/outer/inner\033\\ready' "$PWD"; exec cat"#;
    let stage = Stage::with_script(script);
    let (mut viewer, pane) = stage.open();
    let inner = stage.path("home/outer/inner");
    viewer.until("the directory told", |mirror| mirror.pane(pane).cwd.as_deref() == inner.to_str());
    kill_shell(&stage, &mut viewer, pane);
    fs::remove_dir(&inner).unwrap();
    let outer = stage.path("home/outer");
    viewer.type_in(pane, "x");
    viewer.until_shows(pane, &format!("{}\r\n", outer.display()));
    let note = format!("{} is gone; started in {}", inner.display(), outer.display());
    assert!(viewer.mirror.shows(pane, &note), "{}", viewer.mirror.text(pane));
}

#[test]
fn the_environment_and_the_size_are_kept() {
    let stage = Stage::with_script(
        r#"env >> environments; echo end >> environments; echo "size $(stty size)."; exec cat"#,
    );
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "size 24 80.");
    viewer.connect(101, 33);
    viewer.until("the size", |mirror| mirror.pane(pane).cols == 101 && mirror.pane(pane).rows == 33);
    kill_shell(&stage, &mut viewer, pane);
    viewer.type_in(pane, "x");
    viewer.until_shows(pane, "size 33 101.");
    // Sizes that come while nothing runs hold for the next program from its first moment on.
    kill_shell(&stage, &mut viewer, pane);
    viewer.ask(json!({ "type": "pane_resize", "paneId": pane, "cols": 57, "rows": 19 }));
    viewer.type_in(pane, "x");
    viewer.until_shows(pane, "size 19 57.");
    let text = eventually("three environments", || {
        let text = String::from_utf8(stage.content("home/environments")).unwrap();
        (text.matches("end\n").count() == 3).then_some(text)
    });
    assert!(text.contains("\nTERM=xterm-256color\n"), "{text}");
    for line in text.lines() {
        assert_eq!(text.lines().filter(|other| *other == line).count() % 3, 0, "{line}");
    }
}

#[test]
fn processes_left_behind_do_not_keep_a_pane_connected() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    for leave in ["sleep 1000 &", "setsid sleep 1000 &", "(sleep 1000 & ) &", "nohup sleep 1000 &"] {
        // What was printed may be told before what printed it is; and the last one's end is not the one waited for here.
        viewer.until_live(pane);
        viewer.type_in(pane, &format!("{leave} kill -9 $$\n"));
        viewer.until_exited(pane);
        viewer.type_in(pane, "echo al''ive-again\n");
        viewer.until_shows(pane, "alive-again");
        viewer.until_live(pane);
        assert_eq!(stage.shells().len(), 1, "{leave}");
        let shells = stage.shells();
        let sleeps = stage
            .programs()
            .into_iter()
            .filter(|process| !shells.iter().any(|shell| shell.pid == process.pid));
        sleeps.for_each(|process| process.signal("KILL"));
        kill_shell(&stage, &mut viewer, pane);
        viewer.type_in(pane, "clear; echo ne''xt\n");
        viewer.until_shows(pane, "next");
        viewer.mirror.output.get_mut(&pane).unwrap().forget();
    }
}

#[test]
fn a_process_that_prints_on_does_not_keep_a_pane_connected() {
    let stage = Stage::with_script(r"(trap '' HUP; exec yes) & sleep 0.1; exit 4");
    let mut viewer = stage.viewer();
    let pane = viewer.create_session();
    viewer.until_exited(pane);
    assert_eq!(code(&viewer.mirror.pane(pane).status), Some(4));
    eventually("the end of what heeds no hang-up", || stage.programs().is_empty().then_some(()));
}

#[test]
fn looking_never_wakes() {
    let stage = Stage::with_script(KEEPER);
    let (mut first, pane) = open_keeper(&stage);
    kill_shell(&stage, &mut first, pane);
    let status = first.mirror.pane(pane).status.clone();
    let tab = first.mirror.active_tab.unwrap();
    let mut viewers: Vec<TestViewer> = (0..50).map(|_| stage.viewer()).collect();
    let reports: [&[u8]; 9] = [
        b"\x1b[I",
        b"\x1b[O",
        b"\x1b[<35;10;5M\x1b[<0;1;1m",
        b"\x1b[M !!",
        b"\x1b[?62;4c",
        b"\x1b[12;40R",
        b"\x1b]11;rgb:0000/0000/0000\x07",
        b"\x1bP>|xterm(367)\x1b\\",
        b"\x1b[?2026;2$y",
    ];
    for (index, viewer) in (1u16..).zip(&mut viewers) {
        viewer.watch(pane);
        viewer.connect(60 + index, 20 + index);
        viewer.send(&json!({ "type": "pane_resize", "paneId": pane, "cols": 40 + index, "rows": 10 }));
        viewer.send(&json!({ "type": "pane_focus", "paneId": pane }));
        viewer.send(&json!({ "type": "tab_switch", "tabId": tab }));
        viewer.send(&json!({ "type": "pane_zoom", "paneId": pane }));
        for report in reports {
            viewer.report(pane, report);
            // A viewer that does not tell its reports from keys.
            viewer.paste(pane, report);
        }
        viewer.report(pane, b"anything");
        viewer.sync();
        viewer.send(&json!({ "type": "pane_unwatch", "paneIds": [pane] }));
        viewer.watch(pane);
        viewer.until_shows(pane, "ready");
    }
    for mut viewer in viewers {
        viewer.sync();
        assert_eq!(viewer.mirror.errors, []);
        assert_eq!((&viewer.mirror.pane(pane).status, viewer.mirror.pane(pane).pending), (&status, 0));
    }
    assert_eq!((stage.shells(), starts(&stage)), (vec![], 1));
    first.type_in(pane, "key");
    until_typed(&stage, b"key");
    first.until_live(pane);
    assert_eq!(starts(&stage), 2);
    assert_eq!(first.mirror.connections[&pane].iter().filter(|live| **live).count(), 2, "once each");
}

#[test]
fn a_pane_closed_while_its_program_starts_leaves_no_process() {
    let stage = Stage::with_script("echo started >> starts; exec sleep 1000");
    let (mut viewer, pane) = stage.open();
    for _ in 0..60 {
        let split = json!({ "type": "pane_split", "paneId": pane, "orientation": "vertical" });
        let new = viewer.ask(split).pane.unwrap();
        viewer.ask(json!({ "type": "pane_close", "paneId": new }));
    }
    viewer.until("one pane", |mirror| mirror.channels.len() == 1);
    eventually("only the first pane's program", || (stage.programs().len() == 1).then_some(()));
    eventually("no zombies", || (stage.shells().len() == 1).then_some(()));
    assert!(viewer.mirror.connected(pane));
}

#[test]
fn a_start_that_runs_out_of_descriptors_leaves_no_process() {
    for spare in 0..12 {
        let stage = Stage::with_script("exec sleep 1000");
        let (mut viewer, pane) = stage.open();
        let process = stage.process();
        process.limit_descriptors(process.descriptors() + spare);
        let split = json!({ "type": "pane_split", "paneId": pane, "orientation": "vertical" });
        let new = viewer.ask(split).pane.unwrap();
        viewer.until("how it went", |mirror| {
            let known = mirror.channels.contains_key(&new);
            known && !matches!(mirror.pane(new).status, PaneStatus::Starting)
        });
        let live = 1 + usize::from(viewer.mirror.connected(new));
        eventually("no process that nobody knows of", || (stage.shells().len() == live).then_some(()));
    }
}

#[test]
fn a_start_that_fails_says_why_and_keeps_what_was_typed() {
    let stage = Stage::with_script(KEEPER);
    let (mut viewer, pane) = open_keeper(&stage);
    fs::rename(stage.path("shell"), stage.path("away")).unwrap();
    kill_shell(&stage, &mut viewer, pane);
    viewer.type_in(pane, "first ");
    viewer.until("the failure", |mirror| matches!(mirror.pane(pane).status, PaneStatus::Failed { .. }));
    let PaneStatus::Failed { reason, retry_at } = &viewer.mirror.pane(pane).status else { unreachable!() };
    let path = stage.path("shell");
    assert!(reason.contains(path.to_str().unwrap()) && retry_at.is_some(), "{reason} {retry_at:?}");
    viewer.until_shows(pane, "could not start");
    viewer.until("the held input", |mirror| mirror.pane(pane).pending == 6);
    fs::rename(stage.path("away"), stage.path("shell")).unwrap();
    viewer.type_in(pane, "second");
    until_typed(&stage, b"first second");
    assert_eq!(starts(&stage), 2);
    viewer.until("nothing held", |mirror| mirror.connected(pane) && mirror.pane(pane).pending == 0);
}

#[test]
fn after_five_failures_only_an_outright_request_tries_again() {
    let stage = Stage::with_settings(KEEPER, "[respawn]\nfirst_backoff_ms = 10");
    let (mut viewer, pane) = open_keeper(&stage);
    fs::rename(stage.path("shell"), stage.path("away")).unwrap();
    kill_shell(&stage, &mut viewer, pane);
    let mut held = 0;
    for failures in 1..=5 {
        viewer.type_in(pane, "x");
        held += 1;
        viewer.until("one more failure", |mirror| {
            mirror.text(pane).matches("could not start").count() == failures
        });
    }
    viewer.until("the end of trying", |mirror| {
        matches!(mirror.pane(pane).status, PaneStatus::Failed { retry_at: None, .. })
    });
    fs::rename(stage.path("away"), stage.path("shell")).unwrap();
    viewer.type_in(pane, "more");
    viewer.until("the refusal", |mirror| !mirror.errors.is_empty());
    let error = &viewer.mirror.errors[0];
    assert_eq!((error.code.as_str(), error.pane_id, error.bytes), ("pane_failed", Some(pane), Some(4)));
    assert_eq!((viewer.mirror.pane(pane).pending, starts(&stage)), (held, 1));
    viewer.ask(json!({ "type": "pane_respawn", "paneId": pane }));
    until_typed(&stage, &vec![b'x'; held]);
    assert_eq!(starts(&stage), 2);
}

#[test]
fn a_program_that_ends_at_once_without_a_word_is_not_started_for_ever() {
    let stage = Stage::with_settings("echo started >> starts", "[respawn]\nfirst_backoff_ms = 10");
    let mut viewer = stage.viewer();
    let pane = viewer.create_session();
    let given_up = |status: &PaneStatus| matches!(status, PaneStatus::Failed { retry_at: None, .. });
    eventually("five starts", || {
        viewer.type_in(pane, "x");
        viewer.sync();
        given_up(&viewer.mirror.pane(pane).status).then_some(())
    });
    assert_eq!(starts(&stage), 5);
}

#[test]
fn modes_that_a_killed_program_left_on_are_off_before_the_next_one_prints() {
    let modes = r"\033[?1049h\033[?1000h\033[?1002h\033[?1006h\033[?1004h\033[?2004h\033[?1h\033=\033[?25l\033[5;10r\033[?6h\033[?7l\033[4 q\033(0\033[>1u\033[31;1m\033[?2026h";
    // Waits for a line first, so that what it prints is output and not part of the first snapshot.
    let script = format!("read line; printf '{modes}ready'; stty raw -echo; exec cat");
    let first = "if mkdir first; then ";
    let stage = Stage::with_script(&format!("{first}{script}; else printf FRESH; exec cat; fi"));
    let (mut viewer, pane) = stage.open();
    viewer.until("the screen", |mirror| mirror.restarts(pane) == 1);
    viewer.type_in(pane, "\n");
    // The character set makes lines of the letters.
    viewer.until_shows(pane, "ready");
    kill_shell(&stage, &mut viewer, pane);
    viewer.type_in(pane, "x");
    viewer.until_shows(pane, "FRESH");
    let text = viewer.mirror.text(pane);
    let after = &text[text.find("ready").unwrap()..];
    let line = after.find("killed by SIGKILL").unwrap();
    let resets = [
        "\x1b[?1049l",
        "\x1b[?1002l",
        "\x1b[?1006l",
        "\x1b[?1004l",
        "\x1b[?2004l",
        "\x1b[?1l",
        "\x1b[?66l",
        "\x1b[?25h",
        "\x1b[r",
        "\x1b[?6l",
        "\x1b[?7h",
        "\x1b[0 q",
        "\x1b(B",
        "\x1b[?2026l",
        "\x1b[0m",
    ];
    for reset in resets {
        let at = after.find(reset).unwrap_or_else(|| panic!("no {reset:?} in {after:?}"));
        assert!(at < line, "{reset:?} comes after the line: {after:?}");
    }
    assert!(after[..line].ends_with("\x1b[0;2m── "), "{after:?}");
    assert!(line < after.find("FRESH").unwrap(), "{after:?}");
    assert_eq!(viewer.mirror.output[&pane].restarts, 1, "the old output stays");
    // Who comes now finds nothing of the modes either.
    let mut late = stage.viewer();
    late.watch(pane);
    late.until_shows(pane, "FRESH");
    let (late, early) = (&late.mirror.output[&pane], &viewer.mirror.output[&pane]);
    assert_eq!(late.screen().snapshot(0), early.screen().snapshot(0));
}

#[test]
fn a_program_killed_inside_an_escape_sequence_swallows_nothing_of_what_follows() {
    let stage = Stage::with_script(
        r"if mkdir first; then printf 'ready\033]0;unfinished'; exec cat; else printf FRESH; exec cat; fi",
    );
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    kill_shell(&stage, &mut viewer, pane);
    viewer.type_in(pane, "x");
    viewer.until_shows(pane, "FRESH");
    let text = viewer.mirror.text(pane);
    assert!(!text.contains("unfinished"), "{text:?}");
}

#[test]
fn an_interrupt_ends_a_flood() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    viewer.type_in(pane, "yes\n");
    viewer.until_shows(pane, "y\r\ny\r\ny\r\n");
    viewer.type_in(pane, "\x03");
    viewer.type_in(pane, "echo qui''et\n");
    viewer.until_shows(pane, "quiet");
    eventually("the end of yes", || (stage.programs().len() == 1).then_some(()));
}

#[test]
fn a_pane_that_closes_on_exit_does() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    let other = viewer.split(pane);
    viewer.ask(json!({ "type": "pane_set", "paneId": other, "closeOnExit": true }));
    viewer.until_live(other);
    viewer.type_in(other, "exit\n");
    viewer.until("one pane", |mirror| mirror.channels.len() == 1);
    assert!(viewer.mirror.connected(pane));
    assert_eq!(Process::children_of(stage.gateway.pid()).len(), 1);
}
