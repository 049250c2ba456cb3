//! `everpane attach` in a terminal of the test's own: keys in, screen out, and how it leaves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use everpane::geometry::Size;
use everpane::ids::PaneId;
use everpane::screen::{Screen, ScrollbackLimits};
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::termios::tcgetattr;

use support::TOKEN;
use support::proxy::Proxy;
use support::stage::{Stage, eventually};
use support::viewer::TestViewer;

const SIZE: Size = Size { cols: 100, rows: 12 };

/// The settings of a gateway that is reached through another port.
const BEHIND_PROXY: &str = "allowed_hosts = [\"127.0.0.1\"]";

/// The keys that detach.
const LEAVE: &[u8] = b"\x1c\x1c";

/// A terminal in which `everpane attach` runs.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    screen: Arc<Mutex<Screen>>,
    /// The terminal itself, to ask for its settings.
    tty: File,
    /// Its settings before.
    before: String,
}

impl Terminal {
    fn attach(address: impl std::fmt::Display, arguments: &[&str]) -> Terminal {
        let gateway = format!("http://{address}");
        let reach = ["--gateway", &gateway];
        Terminal::run(&[&reach, arguments].concat(), &[("HOME", "/"), ("EVERPANE_TOKEN", TOKEN)])
    }

    /// One in which `attach` has these arguments and variables, and no others.
    fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let size = PtySize { rows: SIZE.rows, cols: SIZE.cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let tty = OpenOptions::new().read(true).write(true).open(pair.master.tty_name().unwrap()).unwrap();
        let before = settings(&tty);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_everpane"));
        command.env_clear();
        variables.iter().for_each(|(name, value)| command.env(name, value));
        command.arg("attach");
        command.args(arguments);
        let child = pair.slave.spawn_command(command).unwrap();
        let screen = Arc::new(Mutex::new(Screen::new(SIZE, ScrollbackLimits { lines: 0, bytes: 0 })));
        let mut output = pair.master.try_clone_reader().unwrap();
        let fed = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                fed.lock().unwrap().feed(&bytes[..count]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Terminal { master: pair.master, keys, child, screen, tty, before }
    }

    fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
        self.keys.flush().unwrap();
    }

    fn rows(&self) -> Vec<String> {
        self.screen.lock().unwrap().text()
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    fn resize(&self, cols: u16, rows: u16) {
        self.screen.lock().unwrap().resize(Size { cols, rows });
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    fn shows(&self, text: &str) -> bool {
        self.rows().iter().any(|row| row.contains(text))
    }

    #[track_caller]
    fn until_shows(&self, text: &str) {
        eventually(&format!("{text:?} in the terminal"), || self.shows(text).then_some(()));
    }

    /// Waits for its end, and returns the exit code. The terminal is as it was.
    fn ended(&mut self) -> u32 {
        let code = eventually("the end", || self.child.try_wait().unwrap()).exit_code();
        assert_eq!(settings(&self.tty), self.before, "the settings of the terminal");
        eventually("the end of all modes", || {
            let screen = self.screen.lock().unwrap();
            (screen.input_modes().is_empty() && screen.cursor().visible).then_some(())
        });
        code
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn settings(tty: &File) -> String {
    format!("{:?}", tcgetattr(tty).unwrap())
}

/// The end of a file that is to hold `wanted`.
fn until_typed(stage: &Stage, wanted: &[u8]) {
    eventually("all that was typed", || (stage.content("home/typed").len() >= wanted.len()).then_some(()));
    let typed = stage.content("home/typed");
    assert!(typed == wanted, "{:?} where {:?} was typed", typed.escape_ascii(), wanted.escape_ascii());
}

#[test]
fn a_pane_is_shown_and_typed_into_and_both_ways_lead_out() {
    let stage = Stage::with_script(
        "printf 'before\\033[?2004h\\033[?1003h\\n'; while read line; do echo \"<$line>\"; done",
    );
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "before");
    for (number, way) in [LEAVE, b"\r~."].into_iter().enumerate() {
        let mut terminal = Terminal::attach(stage.gateway.address, &[]);
        terminal.until_shows("before");
        terminal.press(format!("key {number}\r").as_bytes());
        terminal.until_shows(&format!("<key {number}>"));
        terminal.press(way);
        assert_eq!(terminal.ended(), 0);
    }
    viewer.until_shows(pane, "<key 1>");
}

#[test]
fn the_pane_takes_the_size_of_the_terminal_in_which_somebody_types() {
    let stage =
        Stage::with_script("trap 'stty size' WINCH; echo ready; while :; do read line && stty size; done");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let mut terminal = Terminal::attach(stage.gateway.address, &[&pane.to_string()]);
    terminal.until_shows("ready");
    terminal.press(b"\r");
    terminal.until_shows("12 100");
    terminal.resize(60, 9);
    eventually("the new size", || {
        terminal.press(b"\r");
        terminal.shows("9 60").then_some(())
    });
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_dead_pane_says_so_and_any_key_brings_it_back() {
    let stage = Stage::with_script("echo up $$; read line; exit 3");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "up");
    let mut terminal = Terminal::attach(stage.gateway.address, &[]);
    terminal.until_shows("up");
    let first = terminal.rows();
    terminal.press(b"\r");
    terminal.until_shows("Disconnected: exited with code 3");
    terminal.until_shows("press any key to reconnect");
    terminal.press(b" ");
    eventually("a new shell and no notice", || {
        let ups = terminal.rows().iter().filter(|row| row.starts_with("up ")).count();
        (ups == 2 && !terminal.shows("reconnect")).then_some(())
    });
    assert!(terminal.shows(first.iter().find(|row| row.starts_with("up")).unwrap()), "what was there stays");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn what_ends_it_gives_the_terminal_back() {
    let stage = Stage::with_script(
        "printf '\\033[?1049h\\033[?1002;1006h\\033[?25l\\033[>5u\\033[2;4rfull'; exec cat",
    );
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "full");
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let mut terminal = Terminal::attach(stage.gateway.address, &[]);
        terminal.until_shows("full");
        terminal.signal(signal);
        assert_eq!(terminal.ended(), code, "{signal}");
    }
    let mut terminal = Terminal::attach(stage.gateway.address, &[]);
    terminal.until_shows("full");
    viewer.ask(serde_json::json!({ "type": "pane_close", "paneId": pane }));
    assert_eq!(terminal.ended(), 0);
    terminal.until_shows("the pane was closed");
}

#[test]
fn what_is_typed_while_the_gateway_is_away_arrives_once() {
    let mut stage = Stage::with_settings("stty raw -echo; echo ready; exec cat > typed", BEHIND_PROXY);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let proxy = Proxy::before(stage.gateway.address);
    let mut terminal = Terminal::attach(proxy.address, &[]);
    terminal.until_shows("ready");
    terminal.press(b"before ");
    until_typed(&stage, b"before ");
    stage.crash_gateway();
    terminal.until_shows("reconnecting");
    terminal.press(b"meanwhile ");
    terminal.until_shows("10 bytes held");
    stage.start_again();
    proxy.lead_to(stage.gateway.address);
    until_typed(&stage, b"before meanwhile ");
    terminal.press(b"after");
    until_typed(&stage, b"before meanwhile after");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn what_is_typed_through_two_hundred_cuts_arrives_once_and_in_order() {
    let stage = Stage::with_settings("stty raw -echo; echo ready; exec cat > typed", BEHIND_PROXY);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let proxy = Proxy::before(stage.gateway.address);
    let mut terminal = Terminal::attach(proxy.address, &[]);
    terminal.until_shows("ready");
    let mut wanted = Vec::new();
    for cut in 0..200 {
        let line = format!("line {cut}\r");
        terminal.press(line.as_bytes());
        wanted.extend_from_slice(line.as_bytes());
        if cut % 3 == 0 {
            // Some cuts fall between connections, and some on their way.
            eventually("some of it", || {
                (stage.content("home/typed").len() + 200 > wanted.len()).then_some(())
            });
        }
        proxy.cut();
    }
    until_typed(&stage, &wanted);
}

#[test]
fn who_only_looks_types_nothing() {
    let stage = Stage::with_script("stty raw -echo; echo ready; exec cat > typed");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let mut terminal = Terminal::attach(stage.gateway.address, &["--read-only"]);
    terminal.until_shows("ready");
    terminal.press(b"nothing");
    viewer.type_in(pane, "something");
    until_typed(&stage, b"something");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
    until_typed(&stage, b"something");
}

#[test]
fn a_recording_has_every_byte() {
    let stage = Stage::with_script("read line; seq 1 20000; echo the end; exec cat");
    let (mut viewer, pane) = stage.open();
    let recording = stage.path("recording");
    let mut recorder = Command::new(env!("CARGO_BIN_EXE_everpane"))
        .env_clear()
        .envs([("EVERPANE_TOKEN", TOKEN), ("HOME", "/")])
        .args(["attach", "--lossless", "--gateway", &format!("http://{}", stage.gateway.address)])
        .stdin(Stdio::null())
        .stdout(File::create(&recording).unwrap())
        .spawn()
        .unwrap();
    eventually("the screen", || (!stage.content("recording").is_empty()).then_some(()));
    viewer.type_in(pane, "\r");
    let recorded = eventually("the end", || {
        let recorded = stage.content("recording");
        memchr::memmem::find(&recorded, b"the end").map(|_| recorded)
    });
    let wanted: String = (1..=20_000).map(|number| format!("{number}\r\n")).collect();
    assert!(memchr::memmem::find(&recorded, wanted.as_bytes()).is_some());
    viewer.ask(serde_json::json!({ "type": "pane_close", "paneId": pane }));
    assert!(recorder.wait().unwrap().success());
}

#[test]
fn what_cannot_be_attached_is_said_with_its_exit_code() {
    let stage = Stage::with_script("exec cat");
    let attach = |gateway: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        let output = Command::new(env!("CARGO_BIN_EXE_everpane"))
            .env_clear()
            .envs([("EVERPANE_TOKEN", TOKEN), ("HOME", "/")])
            .envs(variables.iter().copied())
            .args(["attach", "--gateway", gateway])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let gateway = format!("http://{}", stage.gateway.address);
    let recorded = ["--lossless"];
    let own_pane = ["--lossless", "."];
    assert_eq!(attach(&gateway, &[], &[]).0, 2, "stdout is no terminal");
    let (code, said) = attach(&gateway, &recorded, &[]);
    assert!(code == 3 && said.contains("everpane new"), "{code}: {said}");
    let (_viewer, pane) = stage.open();
    assert_eq!(attach(&gateway, &["--lossless", "nobody"], &[]).0, 3);
    let inside = [("EVERPANE_PANE", pane.to_string()), ("EVERPANE_GATEWAY", gateway.clone())];
    let inside: Vec<_> = inside.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (code, said) = attach(&gateway, &own_pane, &inside);
    assert!(code == 4 && said.contains("the pane that we are in"), "{code}: {said}");
    let (code, said) = attach(&gateway, &recorded, &inside);
    assert!(code == 4 && said.contains("--nested"), "{code}: {said}");
    assert_eq!(attach("http://127.0.0.1:9", &recorded, &[]).0, 6);
    let (code, said) = attach(&gateway, &recorded, &[("EVERPANE_TOKEN", "another-token-altogether")]);
    assert!(code == 4 && said.contains("token"), "{code}: {said}");
}

/// Two sessions with a pane each, of which the second one's says `second` and can be typed into.
fn two_sessions(stage: &Stage) -> (TestViewer, PaneId, PaneId) {
    let (mut viewer, first) = stage.open();
    viewer.ask(serde_json::json!({ "type": "session_create", "name": "other" }));
    viewer.until("two panes", |mirror| mirror.connected.len() == 2);
    let second = *viewer.mirror.connected.keys().find(|pane| **pane != first).unwrap();
    viewer.until_live(second);
    (viewer, first, second)
}

#[test]
fn a_pane_is_picked_from_a_list_with_what_it_shows() {
    let stage = Stage::with_script(
        "stty -echo; echo \"I am $EVERPANE_PANE\"; while read line; do echo \"<$line>\"; done",
    );
    let (mut viewer, first, second) = two_sessions(&stage);
    let mut terminal = Terminal::attach(stage.gateway.address, &[]);
    terminal.until_shows("2/2");
    // What was made last is active, and chosen.
    terminal.until_shows(&format!("I am {second}"));
    terminal.press(b"\x1b[A");
    terminal.until_shows(&format!("I am {first}"));
    terminal.press(b"oth");
    terminal.until_shows("1/2");
    terminal.until_shows(&format!("I am {second}"));
    // It is live.
    viewer.watch(second);
    viewer.type_in(second, "meanwhile\r");
    terminal.until_shows("<meanwhile>");
    terminal.resize(40, 5);
    eventually("no room for a preview", || {
        (terminal.rows()[0] == "> oth" && terminal.rows()[1].contains("1/2")).then_some(())
    });
    terminal.resize(SIZE.cols, SIZE.rows);
    terminal.until_shows("<meanwhile>");
    terminal.press(b"\r");
    eventually("the pane alone", || (terminal.rows()[0] == format!("I am {second}")).then_some(()));
    terminal.press(b"picked\r");
    terminal.until_shows("<picked>");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_dead_pane_is_marked_in_the_list_and_who_picks_none_gets_the_terminal_back() {
    let stage = Stage::with_script("echo up; read line; exit 3");
    let (mut viewer, first, _) = two_sessions(&stage);
    for (way, code) in [(&b"\x1b"[..], 0), (b"\x03", 0), (b"", 143)] {
        let mut terminal = Terminal::attach(stage.gateway.address, &[]);
        terminal.until_shows("2/2");
        if code == 143 {
            viewer.watch(first);
            viewer.type_in(first, "\r");
            terminal.until_shows("✗ ");
            terminal.press(b"\x0e");
            terminal.until_shows("Disconnected: exited with code 3");
            assert!(!terminal.shows("press any key"), "none of these keys is for the pane");
            terminal.signal("TERM");
        } else {
            terminal.press(way);
        }
        assert_eq!(terminal.ended(), code);
        assert!(!terminal.shows("2/2"), "what was there before is back");
    }
}
