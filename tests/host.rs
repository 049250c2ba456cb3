//! Shells that outlive their gateway: a host of its own process, asked by its link, and by real gateways.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use everpane::geometry::Size;
use everpane::host::process::{Link, LinkError, MIN_TAPE_BYTES, Settings, WhenFull};
use everpane::host::{Checkpoint, Due, Exit, Host, Kept, SpawnRequest, Terminal};
use everpane::ids::PaneId;
use everpane::pane::respawn::Generation;
use everpane::protocol::server::PaneStatus;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use support::Gateway;
use support::heard::Heard;
use support::processes::Process;
use support::stage::{Stage, eventually};
use tempfile::TempDir;

const EVERPANE: &str = env!("CARGO_BIN_EXE_everpane");

/// Prints lines with numbers, for ever.
const COUNT: &str = "i=0; while :; do echo line $i; i=$((i+1)); done";

/// A data directory with a host, which ends with it.
struct Home {
    dir: TempDir,
    when_full: WhenFull,
    generations: AtomicU64,
}

impl Home {
    fn new(when_full: WhenFull) -> Home {
        Home { dir: tempfile::tempdir().unwrap(), when_full, generations: AtomicU64::new(0) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    async fn connect(&self) -> Result<(Link, Vec<Kept>), LinkError> {
        let settings = Settings {
            data_dir: self.dir.path().to_owned(),
            program: EVERPANE.into(),
            tape_bytes: MIN_TAPE_BYTES,
            when_full: self.when_full,
            stop: false,
        };
        Link::connect(settings).await
    }

    /// Starts `script`; with what is heard of it.
    async fn run(&self, link: &Link, script: &str) -> (Arc<dyn Terminal>, Arc<Heard>) {
        let heard = Arc::new(Heard::default());
        let request = SpawnRequest {
            pane: PaneId(1),
            generation: Generation(1 + self.generations.fetch_add(1, Ordering::Relaxed)),
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            cwd: self.dir.path().to_owned(),
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            size: Size::DEFAULT,
        };
        let terminal = link.spawn(request, heard.clone()).await.unwrap().terminal;
        terminal.start();
        (terminal, heard)
    }

    /// Ends a gateway's part, as its process's end would.
    async fn leave(&self, link: Link, terminals: Vec<Arc<dyn Terminal>>) {
        link.leave().await;
        drop((link, terminals));
    }

    /// The next gateway, as soon as the host has seen the end of the last one.
    async fn come_back(&self) -> (Link, Vec<Kept>) {
        let deadline = Instant::now() + support::PATIENCE;
        loop {
            match self.connect().await {
                Err(LinkError::Busy { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                connected => return connected.unwrap(),
            }
        }
    }

    fn host(&self) -> Option<Process> {
        host_of(self.dir.path())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(host) = self.host() {
            host.signal("TERM");
            eventually("the host's end", || self.host().is_none().then_some(()));
        }
    }
}

fn host_of(dir: &Path) -> Option<Process> {
    let is_host = |process: &Process| {
        let arguments = process.arguments();
        arguments.get(1).is_some_and(|word| word == "host")
            && arguments.last().is_some_and(|last| Path::new(last) == dir)
    };
    Process::all().into_iter().find(is_host)
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + support::PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Goes on with a terminal from where it was given to the gateway before.
fn resume(link: &Link, kept: &Kept) -> (Arc<dyn Terminal>, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let terminal = link.resume(kept, kept.given, heard.clone()).unwrap();
    terminal.start();
    (terminal, heard)
}

/// Whether this is what [`COUNT`] prints, from its start on.
#[track_caller]
fn assert_counts(output: &[u8]) {
    let text = String::from_utf8(output.to_vec()).unwrap();
    let (whole, _) = text.rsplit_once("\r\n").unwrap();
    for (number, line) in whole.split("\r\n").enumerate() {
        assert_eq!(line, format!("line {number}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_printed_without_a_gateway_is_there_for_the_next() {
    let home = Home::new(WhenFull::Wait);
    let (link, kept) = home.connect().await.unwrap();
    assert_eq!(kept, []);
    let (terminal, heard) = home.run(&link, COUNT).await;
    until("output", || heard.len() > 1 << 20).await;
    let mut all = Vec::new();
    let mut last = (link, terminal, heard);
    for turn in 0..3 {
        let (link, terminal, heard) = last;
        home.leave(link, vec![terminal]).await;
        let (link, kept) = home.come_back().await;
        all.extend_from_slice(&heard.output.lock().unwrap());
        let [kept] = &kept[..] else { panic!("{kept:?}") };
        assert_eq!((kept.pane, kept.generation, kept.given), (PaneId(1), Generation(1), all.len() as u64));
        let (terminal, heard) = resume(&link, kept);
        until("more output", || heard.len() > 1 << 20).await;
        assert_eq!(link.resume(kept, kept.given, heard.clone()).map(|_| ()), None, "turn {turn}: only once");
        last = (link, terminal, heard);
    }
    let (link, terminal, heard) = last;
    terminal.kill();
    until("the end", || heard.exit().is_some()).await;
    assert_eq!(heard.exit(), Some(Exit::Signal("SIGHUP".to_owned())));
    all.extend_from_slice(&heard.output.lock().unwrap());
    assert_counts(&all);
    home.leave(link, vec![terminal]).await;
    assert_eq!(home.come_back().await.1, [], "what has ended, and was told, is forgotten");
}

#[tokio::test]
async fn a_checkpoint_and_an_end_are_kept_for_the_next_gateway() {
    let home = Home::new(WhenFull::Wait);
    let (link, _) = home.connect().await.unwrap();
    let (terminal, heard) = home.run(&link, "echo one; read line; echo two; exit 7").await;
    until("output", || heard.len() == 5).await;
    let shell = Process::children_of(home.host().unwrap().pid).pop().unwrap();
    assert_eq!(terminal.checkpoint_due(), Due::Never);
    terminal.keep(Checkpoint { printed: 3, bytes: Bytes::from_static(b"older") });
    let newer = Checkpoint { printed: 5, bytes: Bytes::from_static(b"newer") };
    terminal.keep(newer.clone());
    assert_eq!(terminal.write(b"\n"), 1);
    home.leave(link, vec![terminal]).await;
    until("the shell's end", || Process::of(shell.pid).is_none()).await;

    let (link, kept) = home.come_back().await;
    let kept = &kept[0];
    assert_eq!(kept.checkpoint, Some(newer));
    let (_terminal, again) = resume(&link, kept);
    until("the end", || again.exit().is_some()).await;
    assert_eq!(again.exit(), Some(Exit::Code(7)));
    let all = [&heard.output.lock().unwrap()[..], &again.output.lock().unwrap()[..]].concat();
    assert_eq!(String::from_utf8(all).unwrap(), "one\r\n\r\ntwo\r\n");
}

#[tokio::test]
async fn a_terminal_that_nobody_wants_ends() {
    let home = Home::new(WhenFull::Wait);
    let (link, _) = home.connect().await.unwrap();
    let (terminal, heard) = home.run(&link, "trap '' HUP; echo ready; while :; do sleep 1; done").await;
    until("output", || heard.len() > 0).await;
    home.leave(link, vec![terminal]).await;
    let (link, kept) = home.come_back().await;
    link.discard(&kept[0]);
    let host = home.host().unwrap();
    until("the program's end", || Process::children_of(host.pid).is_empty()).await;
    home.leave(link, Vec::new()).await;
    assert_eq!(home.come_back().await.1, []);
}

/// Three times what a tape holds, then a word in a file.
const MUCH: &str = "head -c 1572864 /dev/zero | tr '\\0' x; echo done > done; read line";

#[tokio::test]
async fn without_a_gateway_a_program_waits_when_its_tape_is_full() {
    let home = Home::new(WhenFull::Wait);
    let (link, _) = home.connect().await.unwrap();
    let (terminal, heard) = home.run(&link, &format!("read line; {MUCH}")).await;
    terminal.write(b"\n");
    home.leave(link, vec![terminal]).await;
    // It is seen to wait by what it printed, which the next gateway has to read on.
    let deadline = Instant::now() + support::PATIENCE;
    loop {
        let (link, kept) = home.come_back().await;
        let kept = &kept[0];
        if kept.output.end - kept.given > (MIN_TAPE_BYTES - (8 << 10)) as u64 {
            assert!(!home.path("done").exists(), "it waits");
            assert!(kept.output.start <= kept.given, "nothing is lost");
            let (_terminal, again) = resume(&link, kept);
            until("its end", || home.path("done").exists()).await;
            until("all output", || heard.len() + again.len() >= 1_572_864).await;
            return;
        }
        assert!(Instant::now() < deadline, "the tape is not filled: {kept:?}");
        home.leave(link, Vec::new()).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn or_it_goes_on_and_its_oldest_output_is_lost() {
    let home = Home::new(WhenFull::Drop);
    let (link, _) = home.connect().await.unwrap();
    let (terminal, _) = home.run(&link, &format!("read line; {MUCH}")).await;
    terminal.write(b"\n");
    home.leave(link, vec![terminal]).await;
    until("its end", || home.path("done").exists()).await;
    let (link, kept) = home.come_back().await;
    let kept = &kept[0];
    assert!(kept.output.start > kept.given && kept.output.end > 1_500_000, "{kept:?}");
    let heard = Arc::new(Heard::default());
    assert!(link.resume(kept, kept.output.start - 1, heard).is_none(), "from what is gone nobody can go on");
}

#[tokio::test]
async fn a_second_gateway_is_refused() {
    let home = Home::new(WhenFull::Wait);
    let (link, _) = home.connect().await.unwrap();
    let error = home.connect().await.unwrap_err();
    assert!(matches!(error, LinkError::Busy { pid, .. } if pid == std::process::id() as i32));
    assert!(error.to_string().contains("in use by another gateway"), "{error}");
    let (_terminal, heard) = home.run(&link, "echo still here").await;
    until("output", || heard.len() > 0).await;
}

#[tokio::test]
async fn a_host_that_ends_takes_its_programs_along_and_the_next_start_brings_another() {
    let home = Home::new(WhenFull::Wait);
    let (link, _) = home.connect().await.unwrap();
    let (terminal, heard) = home.run(&link, "echo ready; exec cat").await;
    until("output", || heard.len() > 0).await;
    let host = home.host().unwrap();
    let shell = Process::children_of(host.pid).pop().unwrap();
    host.signal("KILL");
    until("the end", || heard.exit() == Some(Exit::Unknown)).await;
    drop(terminal);
    until("the shell's end", || Process::of(shell.pid).is_none_or(|shell| shell.state == 'Z')).await;
    let (_terminal, heard) = home.run(&link, "echo again").await;
    until("output", || heard.len() > 0).await;
    assert_ne!(home.host().unwrap().pid, host.pid);
}

#[tokio::test]
async fn a_host_without_programs_and_gateway_ends() {
    let home = Home::new(WhenFull::Wait);
    let (link, _) = home.connect().await.unwrap();
    assert!(home.host().is_some());
    home.leave(link, Vec::new()).await;
    until("the host's end", || home.host().is_none()).await;
    assert!(!home.path("host.sock").exists());
}

#[tokio::test]
async fn a_host_of_another_version_is_named_and_how_to_end_it() {
    let home = Home::new(WhenFull::Wait);
    let flags = SocketFlags::CLOEXEC;
    let socket =
        || rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    let listener = socket();
    rustix::net::bind(&listener, &SocketAddrUnix::new(home.path("host.sock")).unwrap()).unwrap();
    rustix::net::listen(&listener, 1).unwrap();
    let other = std::thread::spawn(move || {
        let caller = rustix::net::accept(&listener).unwrap();
        let hello = br#"{"hello":{"version":99,"build":"9.9","pid":123}}"#;
        rustix::net::send(&caller, hello, rustix::net::SendFlags::empty()).unwrap();
        caller
    });
    let error = home.connect().await.unwrap_err().to_string();
    let wanted = ["everpane 9.9", "process 123", "everpane shutdown --data-dir"];
    assert!(wanted.iter().all(|word| error.contains(word)), "{error}");
    other.join().unwrap();
    fs::remove_file(home.path("host.sock")).unwrap();

    // And the other way round: who speaks another one is told ours, and no more.
    let (link, _) = home.connect().await.unwrap();
    home.leave(link, Vec::new()).await;
    let caller = socket();
    rustix::net::connect(&caller, &SocketAddrUnix::new(home.path("host.sock")).unwrap()).unwrap();
    let hello = br#"{"hello":{"version":99,"build":"9.9"}}"#;
    rustix::net::send(&caller, hello, rustix::net::SendFlags::empty()).unwrap();
    let mut text = [0; 1024];
    let mut receive =
        || rustix::net::recv(&caller, &mut text[..], rustix::net::RecvFlags::empty()).unwrap().0;
    assert!(receive() > 0);
    assert_eq!(receive(), 0);
}

#[tokio::test]
async fn what_belongs_to_another_user_is_not_spoken_to() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: it takes root to be somebody else");
        return;
    }
    let home = Home::new(WhenFull::Wait);
    let (_link, _) = home.connect().await.unwrap();
    for (path, mode) in [(home.dir.path().to_owned(), 0o755), (home.path("host.sock"), 0o666)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    // Where anybody may run it.
    let program = home.path("everpane");
    fs::copy(EVERPANE, &program).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command.args(["shutdown", "--data-dir"]).arg(home.dir.path());
    let said = command.env_clear().env("HOME", "/").output().unwrap();
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("belongs to another user"), "{said}");
    assert!(home.host().is_some());
}

// With a real gateway.

/// A program that shows what it reads, and at first that it is there.
const CAT: &str = "printf '> '\nexec cat\n";

fn shutdown(data_dir: &Path) -> Output {
    let mut command = Command::new(EVERPANE);
    command.args(["shutdown", "--data-dir"]).arg(data_dir).env_clear().env("HOME", "/");
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_shell_outlives_a_gateway_that_is_killed() {
    let script = "echo ready; read line; i=0\nwhile [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done\n\
                  echo done > \"$HOME/done\"; read line";
    let mut stage = Stage::with_script(script);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let shell = stage.shells().pop().unwrap();
    viewer.type_in(pane, "go\r");
    viewer.until_shows(pane, "line 10\r\n");
    stage.crash_gateway();
    // What it prints is more than a PTY holds that nobody reads.
    eventually("the shell's work", || stage.path("home/done").exists().then_some(()));
    assert_eq!(Process::of(shell.pid).unwrap().session, shell.session);
}

#[test]
fn viewers_go_on_with_a_shell_that_outlived_the_gateway() {
    let script = "echo ready; read line; i=0\nwhile [ $i -lt 40000 ]; do echo line $i; i=$((i+1)); done\n\
                  echo done; exec cat";
    let mut stage = Stage::with_script(script);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let shell = stage.shells().pop().unwrap();
    viewer.type_in(pane, "go\r");
    viewer.until_shows(pane, "line 100\r\n");
    let offset = viewer.mirror.output[&pane].head();
    stage.crash_gateway();
    stage.start_again();
    let mut viewer = stage.viewer();
    viewer.until("the pane", |mirror| mirror.channels.contains_key(&pane));
    viewer.until_live(pane);
    assert_eq!(Process::of(shell.pid).unwrap().session, shell.session);
    viewer.watch_all_from(pane, offset);
    viewer.until_shows(pane, "line 39999\r\ndone\r\n");
    assert_eq!(viewer.mirror.output[&pane].restarts, 0, "by offset, without a snapshot");
    viewer.type_in(pane, "still the same\r");
    viewer.until_shows(pane, "still the same\r\nstill the same");
}

#[test]
fn when_the_host_dies_panes_are_disconnected_and_the_next_key_starts_both_again() {
    let stage = Stage::with_script(CAT);
    let (mut viewer, pane) = stage.open();
    let other = viewer.split(pane);
    viewer.until_live(other);
    stage.host().unwrap().signal("KILL");
    viewer.until("both are disconnected", |mirror| !mirror.connected(pane) && !mirror.connected(other));
    assert!(matches!(viewer.mirror.pane(pane).status, PaneStatus::Exited { code: None, signal: None, .. }));
    eventually("no program left", || stage.programs().is_empty().then_some(()));
    viewer.type_in(pane, "again\r");
    viewer.until_live(pane);
    viewer.until_shows(pane, "again\r\nagain");
    assert_eq!(stage.shells().len(), 1);
}

#[test]
fn told_to_the_gateway_ends_its_shells_and_their_host() {
    let mut stage = Stage::with_arguments(CAT, &["--stop-host"]);
    let (_viewer, _pane) = stage.open();
    assert_eq!(stage.shells().len(), 1);
    stage.gateway.signal("TERM");
    assert!(stage.gateway.wait().success());
    eventually("no program left", || stage.programs().is_empty().then_some(()));
    eventually("no host left", || stage.host().is_none().then_some(()));
}

#[test]
fn else_it_leaves_them_and_says_so() {
    let mut stage = Stage::with_script(CAT);
    stage.gateway.kill();
    let log = stage.path("log");
    stage.gateway = Gateway::run_with_stderr(&mut stage.command(), fs::File::create(&log).unwrap());
    let (_viewer, _pane) = stage.open();
    stage.gateway.signal("TERM");
    assert!(stage.gateway.wait().success());
    let (shell, host) = (stage.shells().pop().unwrap(), stage.host().unwrap());
    assert_eq!(Process::of(shell.pid).unwrap().parent, host.pid);
    let said = fs::read_to_string(log).unwrap();
    let data = stage.path("data");
    let wanted =
        format!("1 shell lives on for the next gateway; `everpane shutdown --data-dir {}`", data.display());
    assert!(said.contains(&wanted) && said.lines().count() == 1, "{said}");

    assert!(shutdown(&data).status.success());
    assert!(stage.host().is_none() && stage.programs().is_empty());
    let nothing = shutdown(&data);
    assert_eq!(nothing.status.code(), Some(1));
    let said = String::from_utf8(nothing.stderr).unwrap();
    assert!(said.contains("nothing runs in the data directory") && said.lines().count() == 1, "{said}");
}

#[test]
fn shutdown_ends_a_gateway_and_its_shells_and_shells_without_a_gateway() {
    for crash in [false, true] {
        let mut stage = Stage::with_script(CAT);
        let (_viewer, _pane) = stage.open();
        if crash {
            stage.crash_gateway();
        }
        let ended = shutdown(&stage.path("data"));
        assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
        assert!(stage.host().is_none() && stage.programs().is_empty());
    }
}

#[test]
fn shutdown_waits_for_what_does_not_heed_the_hang_up() {
    let stage = Stage::with_script("(trap '' HUP; printf deaf; exec sleep 1) &\nexec cat\n");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "deaf");
    assert!(shutdown(&stage.path("data")).status.success());
    assert!(stage.host().is_none() && stage.programs().is_empty());
}
