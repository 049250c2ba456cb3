//! `everpane attach` in a terminal of the test's own: keys in, screen out, and how it leaves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};

use everpane::ids::PaneId;
use everpane::protocol::api::ViewerList;

use support::TOKEN;
use support::attached::{SIZE, Terminal, settings};
use support::proxy::Proxy;
use support::stage::{Stage, eventually};
use support::viewer::TestViewer;

/// The settings of a gateway that is reached through another port.
const BEHIND_PROXY: &str = "allowed_hosts = [\"127.0.0.1\"]";

/// The keys that detach.
const LEAVE: &[u8] = b"\x1c\x1c";

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
fn who_is_sent_away_does_not_come_back() {
    let stage = Stage::with_script("echo ready; exec cat");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let mut terminal = Terminal::attach(stage.gateway.address, &[]);
    terminal.until_shows("ready");
    let viewers = stage.verb(&["viewers", "--json"]).json::<ViewerList>().viewers;
    let newest = viewers.last().unwrap().id.to_string();
    stage.verb(&["viewers", "--kick", &newest]).well();
    assert_eq!(terminal.ended(), 4);
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
    let mut stage = Stage::with_settings("stty raw -echo; echo ready; exec tee typed", BEHIND_PROXY);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let proxy = Proxy::before(stage.gateway.address);
    let mut terminal = Terminal::attach(proxy.address, &[]);
    terminal.until_shows("ready");
    terminal.press(b"before ");
    until_typed(&stage, b"before ");
    // Its acknowledgement came before its echo.
    terminal.until_shows("before");
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
fn a_gateway_that_is_gone_is_told_of_in_words() {
    let mut stage = Stage::with_script("echo ready; exec cat");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let mut terminal = Terminal::attach(stage.gateway.address, &[]);
    terminal.until_shows("ready");
    stage.crash_gateway();
    terminal.until_shows(&format!("nothing listens at {}", stage.gateway.address));
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
        eventually("what was there before", || (!terminal.shows("2/2")).then_some(()));
    }
}

/// A shell in which a line is a command, without a prompt.
const COMMANDS: &str = "stty -echo; echo ready; while read -r line; do eval \"$line\"; done";

#[test]
fn within_a_pane_it_is_refused_or_asked_for() {
    let stage = Stage::with_script(COMMANDS);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let other =
        viewer.ask(serde_json::json!({ "type": "pane_split", "paneId": pane, "orientation": "vertical" }));
    let other = other.pane.unwrap();
    viewer.until_live(other);
    let program = env!("CARGO_BIN_EXE_everpane");
    let mut count = 0;
    let mut attach = |arguments: &str, said: &str| {
        count += 1;
        viewer.type_in(pane, &format!("clear; {program} attach {arguments}; echo code $? of {count}\r"));
        viewer.until_shows(pane, &format!("code 4 of {count}"));
        viewer.until_shows(pane, said);
    };
    attach("", "--nested");
    attach(&other.to_string(), &format!("everpane focus {other}"));
    attach("--nested $EVERPANE_PANE", "the pane that we are in");
    // What programs in panes are given is not enough for this.
    attach(&format!("--nested {other}"), "EVERPANE_TOKEN");
    viewer.watch(other);
    viewer.until_shows(other, "ready");
    viewer.type_in(pane, &format!("clear; EVERPANE_TOKEN={TOKEN} {program} attach --nested {other}\r"));
    viewer.until_shows(pane, "ready");
    viewer.type_in(pane, "echo typed in $EVERPANE_PANE\r");
    viewer.until_shows(other, &format!("typed in {other}"));
    viewer.until_shows(pane, &format!("typed in {other}"));
}

#[test]
fn who_leaves_the_size_to_others_shows_a_part() {
    let stage =
        Stage::with_script("echo ready; while read line; do echo \"$(stty size) after <$line>\"; done");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    viewer.type_in(pane, "one\r");
    viewer.until_shows(pane, "after <one>");
    let mut terminal = Terminal::attach(stage.gateway.address, &["--no-resize"]);
    terminal.until_shows("after <one>");
    let sizes = |rows: Vec<String>| -> Vec<String> {
        rows.iter().filter_map(|row| row.split_once(" after").map(|(size, _)| size.to_owned())).collect()
    };
    terminal.press(b"two\r");
    terminal.until_shows("after <two>");
    let sizes = sizes(terminal.rows());
    assert!(sizes.len() == 2 && sizes[0] == sizes[1], "{sizes:?}");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn after_it_was_stopped_it_draws_the_screen_and_takes_keys() {
    let stage = Stage::with_script("stty -echo; echo ready; while read line; do echo \"<$line>\"; done");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let mut terminal = Terminal::attach(stage.gateway.address, &[]);
    terminal.until_shows("ready");
    let raw = settings(&terminal.tty);
    terminal.signal("STOP");
    // As a shell would, which has the terminal meanwhile.
    assert!(
        Command::new("stty").arg("sane").stdin(terminal.tty.try_clone().unwrap()).status().unwrap().success()
    );
    terminal.tty.write_all(b"\x1b[H$ fg somewhere else").unwrap();
    terminal.until_shows("fg somewhere else");
    viewer.type_in(pane, "meanwhile\r");
    viewer.until_shows(pane, "<meanwhile>");
    terminal.signal("CONT");
    terminal.until_shows("<meanwhile>");
    eventually("the screen alone", || (terminal.rows()[0] == "ready").then_some(()));
    eventually("a raw terminal", || (settings(&terminal.tty) == raw).then_some(()));
    terminal.press(b"back\r");
    terminal.until_shows("<back>");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

/// How much memory a process has, in KiB.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_terminal_that_stalls_costs_little_and_interrupts_all_the_same() {
    // An interrupt ends the flood, and not the shell.
    let flood =
        "trap : INT; echo ready; read line; yes 0123456789012345678901234567890123456789 | head -c 16777216
        yes 'on and on'; echo silenced; touch silenced; exec cat";
    let stage = Stage::with_script(flood);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    drop(viewer);
    let mut terminal = Terminal::attach(stage.gateway.address, &[]);
    terminal.until_shows("ready");
    let pid = terminal.child.process_id().unwrap();
    let before = memory(pid);
    let screen = terminal.screen.clone();
    // While this is held, nobody reads what the terminal is sent.
    let stalled = screen.lock().unwrap();
    terminal.press(b"\r");
    // An interrupt before that would be the end of nothing.
    eventually("16 MiB, and what follows them", || {
        stage.programs().iter().any(|program| program.arguments() == ["yes", "on and on"]).then_some(())
    });
    let grown = memory(pid).saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more");
    terminal.press(b"\x03");
    eventually("the end of the flood", || stage.path("home/silenced").exists().then_some(()));
    drop(stalled);
    terminal.until_shows("silenced");
    terminal.press(b"still here\r");
    terminal.until_shows("still here");
    terminal.press(LEAVE);
    assert_eq!(terminal.ended(), 0);
}

/// The sockets of a process, by their numbers.
fn sockets(pid: u32) -> Vec<String> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = open.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    let number = |link: std::path::PathBuf| {
        Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
    };
    links.filter_map(number).collect()
}

#[test]
fn the_network_is_used_only_where_the_gateway_is_not_on_this_machine() {
    let stage = Stage::with_settings("echo ready; exec cat", BEHIND_PROXY);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let proxy = Proxy::before(stage.gateway.address);
    for (address, uses_network) in [(stage.gateway.address, false), (proxy.address, true)] {
        let mut terminal = Terminal::attach(address, &[]);
        terminal.until_shows("ready");
        let tcp = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let numbers: Vec<_> = tcp.lines().filter_map(|line| line.split_whitespace().nth(9)).collect();
        let ours = sockets(terminal.child.process_id().unwrap());
        assert_eq!(ours.iter().any(|number| numbers.contains(&number.as_str())), uses_network, "{address}");
        terminal.press(LEAVE);
        assert_eq!(terminal.ended(), 0);
    }
}

/// A server of tmux that runs no longer than this.
struct Tmux(std::path::PathBuf);

impl Tmux {
    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let variables =
            [("PATH", "/usr/bin:/bin"), ("HOME", "/"), ("LANG", "C.UTF-8"), ("EVERPANE_TOKEN", TOKEN)];
        let mut command = Command::new("tmux");
        command.env_clear().envs(variables).args(["-f", "/dev/null", "-S"]).arg(&self.0).args(arguments);
        command.output().unwrap()
    }

    /// What a command printed, which was to succeed.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn until_shows(&self, text: &str) {
        eventually(text, || self.says(&["capture-pane", "-p"]).contains(text).then_some(()));
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

#[test]
fn it_works_within_tmux() {
    if Command::new("tmux").arg("-V").output().is_err() {
        eprintln!("there is no tmux here");
        return;
    }
    let stage = Stage::with_script(
        "stty -echo; printf '\\033[1;31mready\\033[0m\\n'; while read line; do echo \"<$line>\"; done",
    );
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let tmux = Tmux(stage.path("tmux"));
    let program = env!("CARGO_BIN_EXE_everpane");
    let attach =
        format!("{program} attach --gateway http://{}; echo code $?; exec cat", stage.gateway.address);
    tmux.says(&["new-session", "-d", "-x", "70", "-y", "20", &attach]);
    tmux.until_shows("ready");
    let styled = tmux.says(&["capture-pane", "-p", "-e"]);
    assert!(styled.contains("\x1b[31m"), "{styled:?}");
    tmux.says(&["send-keys", "through tmux", "Enter"]);
    tmux.until_shows("<through tmux>");
    viewer.until_shows(pane, "<through tmux>");
    viewer.until("the size of the pane of tmux", |mirror| {
        let pane = mirror.pane(pane);
        (pane.cols, pane.rows) == (70, 20)
    });
    tmux.says(&["send-keys", "C-\\", "C-\\"]);
    tmux.until_shows("code 0");
}

/// A gateway that may run in the background of a home, and not longer than this.
struct Background<'a>(&'a std::path::Path);

impl Background<'_> {
    fn everpane(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everpane"));
        command.env_clear().envs([("PATH", "/usr/bin:/bin")]).env("HOME", self.0);
        command.args(arguments).arg("--config").arg(self.0.join("config.toml")).output().unwrap()
    }

    /// `everpane attach`, which says what it was asked.
    fn attach(&self) -> Terminal {
        let (home, config) = (self.0.to_str().unwrap(), self.0.join("config.toml"));
        let variables = [("PATH", "/usr/bin:/bin"), ("HOME", home), ("SHELL", "/bin/sh")];
        Terminal::run(&["--config", config.to_str().unwrap()], &variables)
    }
}

impl Drop for Background<'_> {
    fn drop(&mut self) {
        self.everpane(&["shutdown"]);
    }
}

#[test]
fn a_gateway_is_started_in_the_background_if_somebody_says_so() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("config.toml"), "listen = \"127.0.0.1:0\"\n[host]\nprocess = false\n")
        .unwrap();
    let background = Background(home.path());
    let log = home.path().join(".local/state/everpane/serve.log");

    let mut refused = background.attach();
    refused.until_shows("Start one in the background?");
    refused.press(b"n\r");
    assert_eq!(refused.ended(), 6);
    assert!(!log.exists());

    let mut wanted = background.attach();
    wanted.until_shows("Start one in the background?");
    wanted.press(b"y\r");
    eventually("a prompt", || (wanted.shows("$") || wanted.shows("#")).then_some(()));
    wanted.press(b"echo $((30 + 3))\r");
    wanted.until_shows("33");
    wanted.press(LEAVE);
    assert_eq!(wanted.ended(), 0);
    assert!(log.exists());

    let mut second = background.attach();
    eventually("a prompt", || (second.shows("$") || second.shows("#")).then_some(()));
    assert!(!second.shows("Start one"), "it was found");
    second.press(b"echo $((40 + 2))\r");
    second.until_shows("42");
    second.press(LEAVE);
    assert_eq!(second.ended(), 0);

    assert!(background.everpane(&["shutdown"]).status.success());
    eventually("its end", || (background.everpane(&["ls"]).status.code() == Some(6)).then_some(()));
}
