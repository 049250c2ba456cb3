//! `everpane attach --layout` in a terminal: keys in, screen out, and what other viewers see of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::process::Command;

use everpane::client::mirror::{pane_at, panes_in};
use everpane::protocol::server::{LayoutTree, StackOrientation, Tab};
use serde_json::json;
use support::proxy::Proxy;
use support::stage::{Stage, eventually};
use support::terminal::Terminal;
use support::viewer::TestViewer;

/// A shell whose prompt is told from everything else.
const SHELL: &str = "export PS1='ready$ '\nexec /bin/sh -i 2>&1\n";

/// Lets the gateway be reached at any port.
const BEHIND_PROXY: &str = "allowed_hosts = [\"127.0.0.1\"]";

/// A terminal in which the only pane's shell is ready, and another viewer.
fn begin(stage: &Stage, arguments: &[&str]) -> (Terminal, TestViewer) {
    let terminal = Terminal::attach(stage.gateway.address, arguments);
    terminal.until_shows("ready$");
    let mut viewer = stage.viewer();
    viewer.until("the layout", |mirror| mirror.tabs.len() == 1);
    (terminal, viewer)
}

fn focused(tab: &Tab) -> Option<everpane::ids::PaneId> {
    pane_at(&tab.layout.root, &tab.focus)
}

fn orientation(tab: &Tab) -> Option<StackOrientation> {
    match &tab.layout.root {
        LayoutTree::Stack { orientation, .. } => Some(*orientation),
        LayoutTree::Window { .. } => None,
    }
}

/// The column where a text begins.
fn column(rows: &[String], text: &str) -> usize {
    let row = rows.iter().find(|row| row.contains(text)).unwrap();
    row[..row.find(text).unwrap()].chars().count()
}

#[test]
fn keys_split_focus_zoom_and_close_for_all_viewers() {
    let stage = Stage::with_script(SHELL);
    let (mut terminal, mut viewer) = begin(&stage, &[]);
    // What follows the split at once is for the new pane.
    terminal.press("\x02%echo right-$((1 + 1))\r");
    viewer.until("a split", |mirror| orientation(&mirror.tabs[0]) == Some(StackOrientation::Vertical));
    assert_eq!(column(&terminal.until_shows("right-2"), "right-2"), 41);
    let panes = panes_in(&viewer.mirror.tabs[0].layout.root);
    viewer.until("sizes", |mirror| (mirror.pane(panes[0]).cols, mirror.pane(panes[1]).cols) == (40, 39));

    terminal.press("\x02\x1b[Decho left-$((1 + 2))\r");
    assert_eq!(column(&terminal.until_shows("left-3"), "left-3"), 0);
    viewer.until("the focus", |mirror| focused(&mirror.tabs[0]) == Some(panes[0]));

    terminal.press("\x02z");
    viewer.until("the zoom", |mirror| mirror.tabs[0].zoomed == Some(panes[0]));
    terminal.until_gone("│");
    terminal.until_shows("0:1*Z");
    terminal.press("\x02z");
    terminal.until_shows("│");

    terminal.press("\x02\"");
    terminal.until_shows("┤");
    terminal.press("\x02x");
    terminal.until_shows("(y/n)");
    terminal.press("n");
    terminal.until_gone("(y/n)");
    viewer.until("three panes", |mirror| panes_in(&mirror.tabs[0].layout.root).len() == 3);
    terminal.press("\x02xy");
    terminal.until_gone("┤");
    viewer.until("the two", |mirror| panes_in(&mirror.tabs[0].layout.root) == panes);

    terminal.press("\x02c");
    terminal.until_shows("0:1- 1:2*");
    terminal.press("\x02,\x15work\r");
    terminal.until_shows("1:work*");
    terminal.press("\x020");
    terminal.until_shows("0:1* 1:work-");

    terminal.press("\x02d");
    assert_eq!(terminal.until_left(), 0);
}

#[test]
fn what_another_viewer_changes_is_shown() {
    let stage = Stage::with_script(SHELL);
    let (terminal, mut viewer) = begin(&stage, &[]);
    let (tab, pane) = (viewer.mirror.tabs[0].id, panes_in(&viewer.mirror.tabs[0].layout.root)[0]);
    viewer.ask(json!({"type":"pane_split","paneId":pane,"orientation":"vertical"}));
    let is_line = |row: &&String| row.contains("─────");
    terminal.until("a line above either pane", |rows| rows.iter().filter(is_line).count() == 2);
    viewer.ask(json!({"type":"tab_rename","tabId":tab,"name":"elsewhere"}));
    terminal.until_shows("0:elsewhere*");
    viewer.until_live(pane);
    viewer.watch(pane);
    viewer.type_in(pane, "echo from-$((40 + 2))\r");
    terminal.until_shows("from-42");
}

#[test]
fn what_scrolled_off_is_found_copied_and_pasted() {
    let stage = Stage::with_script(SHELL);
    let (mut terminal, _viewer) = begin(&stage, &[]);
    terminal.press("printf 'nee%s here\\n' dle; seq 300\r");
    terminal.until("the numbers", |rows| rows.iter().any(|row| row == "300"));
    // It came before this client looked into the past, and may be with the gateway alone.
    terminal.press("\x02[?needle\r");
    let rows = terminal.until_shows("(1 found)");
    assert_eq!(column(&rows, "needle here"), 0);
    terminal.press("Vy");
    // "needle here"
    terminal.until_came(b"\x1b]52;c;bmVlZGxlIGhlcmU=\x1b\\");
    terminal.until_gone("needle here");
    terminal.press("echo \x02]\r");
    terminal.until("the copy", |rows| rows.iter().any(|row| row == "needle here"));
}

#[test]
fn a_dead_pane_is_dimmed_and_a_key_revives_it() {
    let stage = Stage::with_script(SHELL);
    let (mut terminal, _viewer) = begin(&stage, &[]);
    terminal.press("exit 3\r");
    terminal.until_shows("Disconnected — press any key to reconnect");
    terminal.until_shows("Exited with code 3");
    terminal.until_shows("0:1*!");
    terminal.press("echo back-$((1 + 1))\r");
    terminal.until_shows("back-2");
    terminal.until_gone("Disconnected");
}

#[test]
fn keys_reach_the_program_byte_for_byte() {
    let stage = Stage::with_script("printf '\\033[?1h\\033[?2004hgo\\n'\nstty raw -echo\nexec cat -v\n");
    let mut terminal = Terminal::attach(stage.gateway.address, &[]);
    terminal.until_shows("go");
    // The program's modes are our terminal's.
    terminal.until_came(b"\x1b[?1h");
    terminal.press(b"\x02\x02");
    terminal.until_shows("^B");
    terminal.press(b"\x1bOA");
    terminal.until_shows("^B^[OA");
    terminal.press(b"\x1b[1;6D\x1b[97;5u");
    terminal.until_shows("^B^[OA^[[1;6D^[[97;5u");
    terminal.press(b"\x1b[200~a\x02b\x1b[201~");
    terminal.until_shows("^[[200~a^Bb^[[201~");
    // A lone escape is not kept for ever.
    terminal.press(b"\x1b");
    terminal.until_shows("^[[201~^[");
}

#[test]
fn the_mouse_and_a_new_size_reach_the_layout() {
    let stage = Stage::with_script(SHELL);
    let (mut terminal, mut viewer) = begin(&stage, &[]);
    terminal.press("\x02%");
    terminal.until_shows("│");
    viewer.until("the split", |mirror| panes_in(&mirror.tabs[0].layout.root).len() == 2);
    let panes = panes_in(&viewer.mirror.tabs[0].layout.root);
    viewer.until("the focus", |mirror| focused(&mirror.tabs[0]) == Some(panes[1]));
    terminal.press("\x1b[<0;10;5M\x1b[<0;10;5m");
    viewer.until("the click", |mirror| focused(&mirror.tabs[0]) == Some(panes[0]));
    terminal.press("\x1b[<0;41;5M\x1b[<32;31;5M\x1b[<0;31;5m");
    viewer.until("the edge", |mirror| (mirror.pane(panes[0]).cols, mirror.pane(panes[1]).cols) == (30, 49));
    terminal.until("the line", |rows| {
        (rows[0].chars().nth(30), rows[1].chars().nth(30)) == (Some('┬'), Some('│'))
    });
    terminal.press("\x1b[<0;50;1M\x1b[<0;50;1m");
    viewer.until("the click on a title", |mirror| focused(&mirror.tabs[0]) == Some(panes[1]));
    terminal.resize(101, 31);
    viewer.until("the size", |mirror| {
        let (left, right) = (mirror.pane(panes[0]), mirror.pane(panes[1]));
        left.cols + right.cols == 100 && left.rows == 29
    });
    terminal.until("the status line", |rows| rows.len() == 31 && rows[30].contains("0:1*"));
    terminal.resize(101, 7);
    viewer.until("all rows of a small one", |mirror| mirror.pane(panes[0]).rows == 6);
    terminal.until("no titles", |rows| rows.len() == 7 && !rows[0].contains('─'));
}

#[test]
fn a_gateway_that_restarts_is_waited_for() {
    let mut stage = Stage::with_settings(SHELL, BEHIND_PROXY);
    let proxy = Proxy::before(stage.gateway.address);
    let mut terminal = Terminal::attach(proxy.address, &[]);
    terminal.until_shows("ready$");
    terminal.press("echo before-$((1 + 1))\r");
    terminal.until_shows("before-2");
    stage.crash_gateway();
    proxy.cut();
    terminal.until_shows("reconnecting");
    terminal.press("echo after-$((1 + 2))\r");
    terminal.until_shows("bytes held");
    stage.start_again();
    proxy.lead_to(stage.gateway.address);
    terminal.until_gone("reconnecting");
    terminal.until_shows("before-2");
    // What was typed meanwhile is delivered, to the same shell.
    terminal.until_shows("after-3");
}

#[test]
fn help_hints_and_lists_come_and_go() {
    let stage = Stage::with_script(SHELL);
    let (mut terminal, mut viewer) = begin(&stage, &[]);
    terminal.press("\x02");
    terminal.until_shows("after C-b:");
    terminal.press("?");
    terminal.until_shows("Keys (arrows scroll");
    terminal.press("q");
    terminal.until_gone("Keys (arrows scroll");
    let session = viewer.ask(json!({"type":"session_create","name":"other"})).session;
    assert!(session.is_some());
    terminal.until_shows("[other]");
    terminal.press("\x02s");
    terminal.until_shows("other: 1 tab (here)");
    terminal.press("\x1b[A\r");
    terminal.until_gone("Pick one");
    terminal.until("the first session", |rows| rows.last().is_some_and(|row| !row.contains("[other]")));
    terminal.press("\x02:");
    terminal.until_shows("there is no command prompt here");
}

#[test]
fn who_only_looks_types_nothing_and_moves_nobody() {
    let stage = Stage::with_script(SHELL);
    let (_terminal, mut viewer) = begin(&stage, &[]);
    let session = viewer.mirror.sessions[0].id;
    viewer.ask(json!({"type":"tab_create","sessionId":session,"name":"second"}));
    let mut looking = Terminal::attach(stage.gateway.address, &["--read-only", "1"]);
    looking.until_shows("1:second*");
    looking.press("x");
    looking.until_shows("only for looking");
    looking.press("\x02p");
    looking.until_shows("0:1*");
    viewer.sync();
    assert_eq!(viewer.mirror.active_tab, Some(viewer.mirror.tabs[1].id), "the others stay where they are");
    looking.signal("TERM");
    assert_eq!(looking.until_left(), 143);
}

#[test]
fn an_unknown_session_and_a_bad_prefix_are_refused() {
    let stage = Stage::with_script(SHELL);
    let (_terminal, _viewer) = begin(&stage, &[]);
    for (arguments, code) in [(&["nowhere"][..], 3), (&["--prefix", "x"], 2)] {
        let mut refused = Terminal::attach(stage.gateway.address, arguments);
        assert_eq!(refused.until_left(), code, "{arguments:?}");
    }
}

#[test]
fn it_works_within_tmux() {
    let Ok(version) = Command::new("tmux").arg("-V").output() else {
        eprintln!("there is no tmux here");
        return;
    };
    assert!(version.status.success());
    let stage = Stage::with_script(SHELL);
    let socket = stage.path("tmux");
    let tmux = |arguments: &[&str]| {
        let output = Command::new("tmux")
            .env_clear()
            .envs([
                ("PATH", "/usr/bin:/bin"),
                ("HOME", "/"),
                ("LANG", "C.UTF-8"),
                ("EVERPANE_TOKEN", support::TOKEN),
            ])
            .args(["-f", "/dev/null", "-S"])
            .arg(&socket)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let attach = format!(
        "{} attach --layout --gateway http://{}; exec cat",
        env!("CARGO_BIN_EXE_everpane"),
        stage.gateway.address
    );
    tmux(&["new-session", "-d", "-x", "80", "-y", "24", &attach]);
    let shows = |text: &str| {
        eventually(text, || tmux(&["capture-pane", "-p"]).contains(text).then_some(()));
    };
    shows("ready$");
    tmux(&["send-keys", "C-b", "%"]);
    shows("│");
    tmux(&["send-keys", "echo in-$((1 + 1))", "Enter"]);
    shows("in-2");
    tmux(&["send-keys", "C-b", "d"]);
    shows("everpane: detached");
    tmux(&["kill-server"]);
}
