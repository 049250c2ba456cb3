//! `everpane attach` whose terminal is lent to the gateway: keys and echoes go past it, and it is as if they did not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::Read;

use everpane::ids::PaneId;
use rustix::termios::{OptionalActions, OutputModes, tcgetattr, tcsetattr};

use support::attached::{SIZE, Terminal};
use support::stage::{Stage, eventually};
use support::viewer::TestViewer;

/// What is typed goes to a file, and comes back.
const TEE: &str = "stty raw -echo; echo ready; exec tee typed";

/// The keys that detach.
const LEAVE: &[u8] = b"\x1c\x1c";

/// A gateway, another viewer of its pane, and a terminal that shows it.
fn attached(script: &str) -> (Stage, TestViewer, PaneId, Terminal) {
    let stage = Stage::with_script(script);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let terminal = Terminal::attach(stage.gateway.address, &[]);
    terminal.until_shows("ready");
    (stage, viewer, pane, terminal)
}

fn has(stage: &Stage, terminal: &Terminal) -> bool {
    stage.process().has_open(&terminal.path())
}

#[track_caller]
fn until_lent(stage: &Stage, terminal: &Terminal) {
    eventually("the terminal with the gateway", || has(stage, terminal).then_some(()));
}

#[track_caller]
fn until_returned(stage: &Stage, terminal: &Terminal) {
    eventually("the terminal out of the gateway's hands", || (!has(stage, terminal)).then_some(()));
}

#[track_caller]
fn until_typed(stage: &Stage, wanted: &[u8]) {
    eventually("all that was typed", || (stage.content("home/typed").len() >= wanted.len()).then_some(()));
    let typed = stage.content("home/typed");
    assert!(typed == wanted, "{:?} where {:?} was typed", typed.escape_ascii(), wanted.escape_ascii());
}

#[test]
fn whatever_is_typed_arrives_once_in_order_and_is_seen_once() {
    let (stage, mut viewer, pane, mut terminal) = attached(TEE);
    let long = [b'l'; 700];
    let pieces: [&[u8]; 14] = [
        b"plain",
        b"~",
        b"\x1b",
        b"\x1b[A",
        b"\r",
        b"~~",
        b"\x1b[200~pasted ~. \x1c\x1c\x1b[201~",
        &long,
        b"\x1c",
        b"x",
        b"\x1b[2",
        b"0~",
        "\u{e9}\u{4e16}".as_bytes(),
        b"\r\n",
    ];
    // The escape character at the start of a line is typed twice to be sent once.
    let sent = |piece: &[u8]| if piece == b"~~" { b"~".to_vec() } else { piece.to_vec() };
    let mut wanted = Vec::new();
    for round in 0..3 {
        for (at, piece) in pieces.iter().enumerate() {
            // After what may begin a paste, its process waits for the next key.
            let is_awaited = wanted.ends_with(b"\x1b") || wanted.ends_with(b"\x1b[2");
            if (at + round) % 3 == 0 && !is_awaited {
                until_lent(&stage, &terminal);
            }
            terminal.press(piece);
            wanted.extend(sent(piece));
            if (at + round) % 2 == 0 {
                until_typed(&stage, &wanted);
            }
        }
        until_typed(&stage, &wanted);
    }
    until_lent(&stage, &terminal);
    terminal.press(b"the end");
    terminal.until_shows("the end");
    viewer.until_shows(pane, "the end");
    let shown = stage.verb(&["capture", &pane.to_string()]).well();
    let trimmed = |rows: Vec<String>| rows.join("\n").trim_end().to_owned();
    let rows = shown.lines().map(|row| row.trim_end().to_owned()).collect();
    let own = terminal.rows().iter().map(|row| row.trim_end().to_owned()).collect();
    assert_eq!(trimmed(own), trimmed(rows));
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
    until_returned(&stage, &terminal);
}

#[test]
fn who_is_stopped_gets_what_is_typed_afterwards() {
    let (stage, mut viewer, pane, mut terminal) = attached(TEE);
    until_lent(&stage, &terminal);
    terminal.press(b"one ");
    until_typed(&stage, b"one ");
    terminal.signal("STOP");
    let pid = terminal.child.process_id().unwrap();
    eventually("a process that is stopped", || {
        support::processes::Process::of(pid).filter(|process| process.state == 'T')
    });
    // A shell takes the terminal back, and would read this.
    let ours = tcgetattr(&terminal.tty).unwrap();
    let mut shells = ours.clone();
    shells.output_modes |= OutputModes::OPOST;
    tcsetattr(&terminal.tty, OptionalActions::Now, &shells).unwrap();
    terminal.press(b"two ");
    until_returned(&stage, &terminal);
    viewer.type_in(pane, "meanwhile ");
    until_typed(&stage, b"one meanwhile ");
    assert!(!terminal.shows("meanwhile"), "nothing is written to the terminal of who is stopped");
    terminal.signal("CONT");
    until_typed(&stage, b"one meanwhile two ");
    terminal.until_shows("one meanwhile two");
    until_lent(&stage, &terminal);
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn the_terminal_of_who_was_killed_is_left_alone() {
    let (stage, mut viewer, pane, mut terminal) = attached(TEE);
    until_lent(&stage, &terminal);
    terminal.signal("KILL");
    terminal.child.wait().unwrap();
    terminal.press(b"for the shell");
    viewer.type_in(pane, "for the pane");
    until_typed(&stage, b"for the pane");
    until_returned(&stage, &terminal);
    let mut left = [0; 13];
    terminal.tty.read_exact(&mut left).unwrap();
    assert_eq!(&left, b"for the shell");
}

#[test]
fn what_is_typed_around_a_killed_gateway_arrives_once() {
    let (mut stage, _viewer, _, mut terminal) = attached(TEE);
    let mut wanted = Vec::new();
    for round in 0..3 {
        until_lent(&stage, &terminal);
        let before = format!("before {round} ");
        terminal.press(before.as_bytes());
        wanted.extend(before.as_bytes());
        until_typed(&stage, &wanted);
        stage.crash_gateway();
        terminal.until_shows("reconnecting");
        let meanwhile = format!("meanwhile {round} ");
        terminal.press(meanwhile.as_bytes());
        wanted.extend(meanwhile.as_bytes());
        terminal.until_shows("bytes held");
        stage.start_again_there();
        until_typed(&stage, &wanted);
    }
    terminal.until_shows("meanwhile 2");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_dead_pane_and_a_new_size_are_shown_by_its_own_process() {
    let (stage, mut viewer, pane, mut terminal) = attached(
        "trap 'stty size' WINCH; echo ready $$; while :; do read line && [ \"$line\" = end ] && exit 3; done",
    );
    until_lent(&stage, &terminal);
    terminal.press(b"end\r");
    terminal.until_shows("Disconnected: exited with code 3");
    terminal.press(b" ");
    eventually("a new shell and no notice", || {
        let ready = terminal.rows().iter().filter(|row| row.starts_with("ready")).count();
        (ready == 2 && !terminal.shows("Disconnected")).then_some(())
    });
    until_lent(&stage, &terminal);
    terminal.resize(SIZE.cols - 20, SIZE.rows - 2);
    eventually("the new size", || {
        terminal.press(b"\r");
        terminal.shows("10 80").then_some(())
    });
    until_lent(&stage, &terminal);
    viewer.type_in(pane, "end\r");
    terminal.until_shows("Disconnected");
    terminal.signal("TERM");
    assert_eq!(terminal.ended(), 143);
}

#[test]
fn a_flood_is_drawn_to_its_end() {
    let (stage, mut viewer, pane, mut terminal) =
        attached("stty -echo; echo ready; while read line; do seq 1 30000; echo \"end of $line\"; done");
    for round in 0..3 {
        until_lent(&stage, &terminal);
        let line = format!("flood {round}\r");
        match round {
            1 => viewer.type_in(pane, &line),
            _ => terminal.press(line.as_bytes()),
        }
        terminal.until_shows(&format!("end of flood {round}"));
        let rows = terminal.rows();
        let end = rows.iter().position(|row| row.contains("end of flood")).unwrap();
        let above: Vec<_> = rows[..end].iter().map(|row| row.trim_end()).collect();
        let numbers: Vec<_> = (30_001 - end..=30_000).map(|number| number.to_string()).collect();
        assert_eq!(above, numbers);
    }
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn who_only_looks_lends_nothing() {
    let stage = Stage::with_script(TEE);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let mut looking = Terminal::attach(stage.gateway.address, &["--read-only"]);
    looking.until_shows("ready");
    let mut typing = Terminal::attach(stage.gateway.address, &[]);
    typing.until_shows("ready");
    until_lent(&stage, &typing);
    typing.press(b"typed");
    looking.until_shows("typed");
    assert!(!has(&stage, &looking));
    for terminal in [&mut looking, &mut typing] {
        terminal.press(LEAVE);
        assert_eq!(terminal.ended(), 0);
    }
}

#[test]
fn keys_get_through_though_the_terminal_is_stuck() {
    let (stage, _viewer, _, mut terminal) = attached(
        "stty raw -echo; echo ready; head -c 1 > /dev/null; (while :; do seq 1 2000; done) & cat > typed; kill $!",
    );
    terminal.press(b"g");
    let mut wanted = Vec::new();
    for round in 0..6 {
        eventually("a flood", || terminal.shows("1999").then_some(()));
        let screen = terminal.screen.clone();
        // Nothing more is read from the terminal's other side.
        let stuck = screen.lock().unwrap();
        let key = [b'a' + round];
        terminal.press(&key);
        wanted.extend(key);
        until_typed(&stage, &wanted);
        drop(stuck);
    }
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn who_types_can_leave_a_gateway_that_hangs() {
    let (stage, _viewer, _, mut terminal) = attached(TEE);
    until_lent(&stage, &terminal);
    stage.process().signal("STOP");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
    stage.process().signal("CONT");
}

#[test]
fn what_a_killed_gateway_has_drawn_last_is_undone() {
    let (mut stage, _viewer, _, mut terminal) = attached(
        "stty raw -echo; echo ready; head -c 1 > /dev/null; printf '\\033[?1049h\\033[?1000h\\033[?1006h'; exec cat",
    );
    until_lent(&stage, &terminal);
    terminal.press(b"x");
    eventually("the program's modes", || {
        (!terminal.screen.lock().unwrap().input_modes().is_empty()).then_some(())
    });
    stage.crash_gateway();
    terminal.until_shows("reconnecting");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}
