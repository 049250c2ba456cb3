//! Late = early, over real sockets and PTYs: whoever comes when, whatever was being printed, ends with the same screen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use everpane::ids::PaneId;
use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::json;

use support::stage::{Stage, eventually};
use support::viewer::TestViewer;

/// Prints what comes through a pipe that the test writes, byte for byte.
const PRINTER: &str = "stty raw -echo; exec cat ../pipe\n";

/// A pane that prints what the test writes.
struct Printer {
    stage: Stage,
    early: TestViewer,
    pane: PaneId,
    pipe: File,
}

impl Printer {
    fn new(cols: u16, rows: u16) -> Printer {
        let stage = Stage::with_script(PRINTER);
        mkfifoat(CWD, stage.path("pipe"), Mode::RWXU).unwrap();
        let (mut early, pane) = stage.open();
        early.ask(json!({ "type": "pane_resize", "paneId": pane, "cols": cols, "rows": rows }));
        early.until("its size", |mirror| {
            mirror.output.get(&pane).is_some_and(|output| output.size == (cols, rows))
        });
        // Opened for both, so that it can be opened before the program has.
        let pipe = OpenOptions::new().read(true).write(true).open(stage.path("pipe")).unwrap();
        Printer { stage, early, pane, pipe }
    }

    fn print(&mut self, bytes: &[u8]) {
        self.pipe.write_all(bytes).unwrap();
    }

    fn late_viewer(&self, history: u32) -> TestViewer {
        let mut viewer = self.stage.viewer();
        viewer.watch_with_history(self.pane, history);
        viewer
    }

    /// Whatever mode the output has left the screen in, the last row then says that it is over.
    fn end(&mut self) {
        self.print(b"\x18\x1b[r\x1b[?6l\x1b(B\x0f\x1b[0m\x1b[999;1H\x1b[Kend of it");
        self.early.until_on_screen(self.pane, "end of it");
    }
}

fn recording(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pane/filter/testdata");
    let mut bytes = Vec::new();
    File::open(folder.join(name)).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Prints `output` in pieces of odd lengths, lets a viewer come after each, and compares all in the end.
fn assert_late_is_early(output: &[u8], cols: u16, rows: u16) {
    let mut printer = Printer::new(cols, rows);
    let mut late = Vec::new();
    for (number, piece) in output.chunks(output.len() / 12 + 1).enumerate() {
        printer.print(piece);
        late.push(printer.late_viewer(if number % 2 == 0 { 0 } else { 10_000 }));
    }
    printer.end();
    let pane = printer.pane;
    let early = &printer.early.mirror.output[&pane];
    for (number, viewer) in late.iter_mut().enumerate() {
        viewer.until_on_screen(pane, "end of it");
        let output = &viewer.mirror.output[&pane];
        assert_eq!(output.head(), early.head(), "viewer {number}");
        let (seen, expected) = (output.screen().snapshot(0), early.screen().snapshot(0));
        assert_eq!(String::from_utf8_lossy(&seen), String::from_utf8_lossy(&expected), "viewer {number}");
    }
}

#[test]
fn recordings_look_the_same_to_early_and_late_viewers() {
    for name in ["vim_simple_edit.bin", "tmux_git_log.bin", "fish_cc.bin", "ll.bin", "vttest_insert.bin"] {
        assert_late_is_early(&recording(name), 80, 24);
    }
}

#[test]
fn who_comes_inside_a_character_or_a_sequence_misses_nothing() {
    let parts: [&[u8]; 12] = [
        "plain ".as_bytes(),
        b"\xf0\x9f",
        b"\xa6\x80 wide \xe4",
        b"\xb8\xad\x1b",
        b"[3",
        b"1mred\x1b[4:3",
        b"mcurly\x1b]8;;https://example.org/",
        b"long\x1b",
        b"\\link\x1b]8;;\x07\x1b[5;",
        b"9r\x1b[?6h\x1b[2;3Horigin\x1b7\x1b(",
        b"0qqq\x1b[?1049h\x1b[Hother screen\x1b[?10",
        b"49l\x1b[?25l\x1bP1;2;",
    ];
    let mut printer = Printer::new(40, 12);
    let pane = printer.pane;
    let mut late = Vec::new();
    for part in parts {
        printer.print(part);
        late.push(printer.late_viewer(0));
    }
    printer.print(b"ignored\x1b\\");
    printer.end();
    let expected = printer.early.mirror.output[&pane].screen().snapshot(0);
    for viewer in &mut late {
        viewer.until_on_screen(pane, "end of it");
        assert_eq!(viewer.mirror.output[&pane].screen().snapshot(0), expected);
    }
    assert!(printer.early.mirror.output[&pane].screen().text()[0].starts_with("plain 🦀 wide 中red"));
}

/// Asks what a terminal answers, one question after the other, and keeps each answer in a file.
const ASKER: &str = r#"stty raw -echo
ask() { printf "$2"; dd bs=4096 count=1 of="answer-$1" 2>/dev/null; }
ask attributes '\033[c'; ask status '\033[5n'; ask cursor 'abc\033[6n'; ask mode '\033[?2004$p'
ask version '\033[>q'; ask colour '\033]11;?\033\\'; ask pen '\033[1;31m\033P$qm\033\\'; ask size '\033[18t'
mkdir asked; read never; exec cat
"#;

#[test]
fn a_program_gets_the_same_single_answer_however_many_look() {
    let mut heard = Vec::new();
    for viewers in [0, 1, 3] {
        let stage = Stage::with_script(ASKER);
        let mut maker = stage.viewer();
        let pane = maker.ask(json!({ "type": "session_create" })).pane.unwrap();
        let mut looking: Vec<TestViewer> = (0..viewers).map(|_| stage.viewer()).collect();
        for viewer in &mut looking {
            viewer.watch(pane);
        }
        eventually("the end of the questions", || stage.path("home/asked").exists().then_some(()));
        for viewer in &mut looking {
            // What reached it asks nothing any more.
            viewer.sync();
            let text = viewer.mirror.text(pane);
            assert!(!text.contains("\x1b[6n") && !text.contains("]11;?") && !text.contains("$q"), "{text:?}");
        }
        let names = ["attributes", "status", "cursor", "mode", "version", "colour", "pen", "size"];
        heard.push(
            names.map(|name| String::from_utf8(stage.content(&format!("home/answer-{name}"))).unwrap()),
        );
    }
    assert_eq!(heard[0][..4], ["\x1b[?1;2c", "\x1b[0n", "\x1b[1;4R", "\x1b[?2004;2$y"]);
    assert!(heard[0][4..].iter().all(|answer| answer.starts_with('\x1b')), "{heard:?}");
    assert!(heard[1] == heard[0] && heard[2] == heard[0], "{heard:?}");
}

#[test]
fn a_recorder_gets_every_byte_and_the_program_waits_for_it() {
    const COUNTER: &str = "stty raw -echo\nread go\nexec seq 1 400000\n";
    let stage = Stage::with_script(COUNTER);
    let (mut other, pane) = stage.open();
    let mut recorder = stage.viewer();
    recorder.watch_all(pane);
    recorder.until("its snapshot", |mirror| mirror.restarts(pane) == 1);
    other.type_in(pane, "\n");
    // The recorder does not read: the program stops when what it has to get is as much as is held for it.
    let far = |viewer: &TestViewer| viewer.mirror.output[&pane].head();
    other.until("output", |mirror| mirror.output.get(&pane).is_some_and(|output| output.head() > 100_000));
    let mut seen = 0;
    eventually("the program to wait", || {
        other.sync();
        (std::mem::replace(&mut seen, far(&other)) == far(&other)).then_some(())
    });
    assert!(seen < 2_500_000, "it printed {seen} bytes meanwhile");
    recorder.until("every number", |mirror| mirror.text(pane).ends_with("400000\n"));
    let text = recorder.mirror.text(pane);
    let numbers = text.lines().skip_while(|line| *line != "2").map(|line| line.parse::<u32>().unwrap());
    assert!(numbers.eq(2..=400_000), "a gap");
    assert_eq!(recorder.mirror.restarts(pane), 1);
}

#[test]
fn scrollback_comes_when_it_is_asked_for() {
    let mut printer = Printer::new(80, 24);
    for line in 1..=5000 {
        printer.print(format!("line {line}\r\n").as_bytes());
    }
    printer.end();
    let pane = printer.pane;
    let mut late = printer.stage.viewer();
    late.watch(pane);
    late.until_on_screen(pane, "end of it");
    let output = &late.mirror.output[&pane];
    assert!(output.snapshot.len() < 8 << 10, "{} bytes", output.snapshot.len());
    assert_eq!(output.screen().history_rows(), 0);
    late.watch_with_history(pane, 10_000);
    late.until("the scrollback", |mirror| mirror.output[&pane].screen().history_rows() > 4000);
    let early = printer.early.mirror.output[&pane].screen();
    assert_eq!(late.mirror.output[&pane].screen().snapshot(10_000), early.snapshot(10_000));
}
