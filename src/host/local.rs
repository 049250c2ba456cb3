//! The local host: PTYs of this machine, one task each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::pty::{self, Master, Opened, Program, Reader, Turn};
use super::{Exit, Host, Sink, SpawnError, SpawnRequest, Spawned, Spawning, Terminal};
use crate::geometry::Size;
use crate::pane::respawn::Generation;

/// How long a program that is hung up on may take to end.
const KILL_AFTER: Duration = Duration::from_secs(1);

/// How long processes that a dead program left in its group may take to end.
const KILL_LEFTOVERS_AFTER: Duration = Duration::from_secs(5);

/// How long output is read on after a program ended, if others go on printing to its terminal.
const DRAIN_FOR: Duration = Duration::from_secs(1);

/// How soon a PTY is tried again when it can't be watched, for want of descriptors.
const ROOM_RETRY: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Debug, Default)]
pub struct LocalHost;

impl Host for LocalHost {
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning {
        Box::pin(async move {
            let (opened, note, generation) =
                tokio::task::spawn_blocking(move || open(request)).await.map_err(|error| SpawnError {
                    reason: format!("starting the program panicked: {error}"),
                })??;
            Ok(Spawned { terminal: LocalTerminal::run(opened, generation, sink), note })
        })
    }
}

fn open(request: SpawnRequest) -> Result<(Opened, Option<String>, Generation), SpawnError> {
    check_program(&request)?;
    let cwd = nearest_directory(&request.cwd);
    let note = (cwd != request.cwd)
        .then(|| format!("{} is gone; started in {}", request.cwd.display(), cwd.display()));
    let opened = pty::open(&request, &cwd).map_err(|error| SpawnError { reason: format!("{error:#}") })?;
    Ok((opened, note, request.generation))
}

/// Finds out what exec would say. After the fork it is too late: portable-pty closes the pipe that would tell.
fn check_program(request: &SpawnRequest) -> Result<(), SpawnError> {
    let Some(program) = request.command.first() else {
        return Err(SpawnError { reason: "no command given".to_owned() });
    };
    let path = request.environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
    crate::programs::find(program, path).map(|_| ()).map_err(|error| SpawnError { reason: error.to_string() })
}

/// `wanted`, or else its nearest parent that is a directory we may enter.
fn nearest_directory(wanted: &Path) -> PathBuf {
    let enterable =
        |path: &&Path| path.is_dir() && rustix::fs::access(*path, rustix::fs::Access::EXEC_OK).is_ok();
    wanted.ancestors().find(enterable).unwrap_or(Path::new("/")).to_owned()
}

/// A PTY of this machine.
#[derive(Debug)]
struct LocalTerminal {
    master: AsyncFd<Master>,
    pid: Pid,
    /// Set off by `start`.
    started: Notify,
    /// A write came to an end early, so the sink is to be told when there is room.
    blocked: AtomicBool,
    /// Set off when `blocked` was set.
    wants_room: Notify,
    killed: Notify,
}

impl LocalTerminal {
    fn run(opened: Opened, generation: Generation, sink: Arc<dyn Sink>) -> Arc<LocalTerminal> {
        let Opened { master, program, exit } = opened;
        let terminal = Arc::new(LocalTerminal {
            master,
            pid: program.pid(),
            started: Notify::new(),
            blocked: AtomicBool::new(false),
            wants_room: Notify::new(),
            killed: Notify::new(),
        });
        let watcher =
            Watcher { terminal: terminal.clone(), program, exit, generation, sink, reader: Reader::new() };
        tokio::spawn(watcher.run());
        terminal
    }

    /// Signals the program's group and the one in the foreground.
    fn signal(&self, signal: Signal) {
        let foreground = self.master.get_ref().foreground().filter(|group| *group != self.pid);
        for group in foreground.into_iter().chain([self.pid]) {
            // A group that is gone needs no signal.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Terminal for LocalTerminal {
    fn start(&self) {
        self.started.notify_one();
    }

    fn write(&self, input: &[u8]) -> usize {
        let master = self.master.get_ref();
        let mut written = 0;
        while written < input.len() {
            match master.write(&input[written..]) {
                Ok(count) => written += count,
                Err(error) => {
                    // Any other error means that the PTY is gone; its end is reported by the exit.
                    if error.kind() == std::io::ErrorKind::WouldBlock {
                        self.blocked.store(true, Ordering::Release);
                        self.wants_room.notify_one();
                    }
                    break;
                }
            }
        }
        written
    }

    fn interrupt(&self, key: u8) -> bool {
        let master = self.master.get_ref();
        let Some(signal) = master.signal_of(key) else { return false };
        master.discard_input();
        // A group that is gone needs no signal.
        let _ = kill_process_group(master.foreground().unwrap_or(self.pid), signal);
        true
    }

    fn resize(&self, size: Size) {
        self.master.get_ref().resize(size);
    }

    fn kill(&self) {
        self.killed.notify_one();
    }

    fn reads_raw(&self) -> bool {
        self.master.get_ref().reads_raw()
    }

    fn cwd(&self) -> Option<PathBuf> {
        let link = std::fs::read_link(format!("/proc/{}/cwd", self.pid.as_raw_nonzero())).ok()?;
        link.is_absolute().then_some(link)
    }

    fn foreground(&self) -> Option<String> {
        let group = self.master.get_ref().foreground().filter(|group| *group != self.pid)?;
        let name = std::fs::read_to_string(format!("/proc/{}/comm", group.as_raw_nonzero())).ok()?;
        Some(name.trim_end().to_owned())
    }
}

/// The task of one terminal: it moves events, and ends with the program.
struct Watcher {
    terminal: Arc<LocalTerminal>,
    program: Program,
    exit: AsyncFd<std::os::fd::OwnedFd>,
    generation: Generation,
    sink: Arc<dyn Sink>,
    reader: Reader,
}

impl Watcher {
    async fn run(mut self) {
        self.terminal.started.notified().await;
        self.until_exit().await;
        // While the program is a zombie its id, and so its group's, belongs to nobody else.
        let group = self.program.pid();
        let _ = kill_process_group(group, Signal::HUP);
        let exit = self.program.reap().map_or(Exit::Unknown, exit_of);
        self.drain().await;
        let Watcher { terminal, sink, generation, .. } = self;
        sink.exited(generation, exit);
        drop(terminal);
        end_leftovers(group).await;
    }

    async fn until_exit(&mut self) {
        let terminal = self.terminal.clone();
        let mut kill_at: Option<Instant> = None;
        let mut hung_up = false;
        loop {
            tokio::select! {
                ready = terminal.master.readable(), if !hung_up => match ready {
                    Ok(mut ready) => match self.read_turn() {
                        Turn::Drained => ready.clear_ready(),
                        Turn::Full => tokio::task::yield_now().await,
                        Turn::HungUp => hung_up = true,
                    },
                    Err(_) => hung_up = true,
                },
                _ = self.exit.readable() => return,
                () = wait_for_room(&terminal) => self.sink.writable(self.generation),
                () = terminal.killed.notified() => {
                    terminal.signal(Signal::HUP);
                    // A stopped process does not get to see the hang-up.
                    terminal.signal(Signal::CONT);
                    kill_at.get_or_insert(Instant::now() + KILL_AFTER);
                }
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                    terminal.signal(Signal::KILL);
                    kill_at = Some(Instant::now() + KILL_AFTER);
                }
            }
        }
    }

    fn read_turn(&mut self) -> Turn {
        let (output, turn) = self.reader.turn(self.terminal.master.get_ref());
        if let Some(output) = output {
            self.sink.output(self.generation, output);
        }
        turn
    }

    /// Reads what the dead program left in the PTY. Its own bytes are all there to read; a process that it
    /// left behind may print for ever, hence the deadline.
    async fn drain(&mut self) {
        let deadline = Instant::now() + DRAIN_FOR;
        while self.read_turn() == Turn::Full && Instant::now() < deadline {
            tokio::task::yield_now().await;
        }
    }
}

/// Resolves when a write that came to an end early can go on.
async fn wait_for_room(terminal: &LocalTerminal) {
    while !terminal.blocked.load(Ordering::Acquire) {
        terminal.wants_room.notified().await;
    }
    let room = match terminal.master.get_ref().watch_room() {
        Ok(room) => room.writable().await.map(|_| ()),
        Err(error) => Err(error),
    };
    if let Err(error) = room {
        tracing::warn!("can't watch a PTY for room, looking again: {error}");
        sleep(ROOM_RETRY).await;
    }
    terminal.blocked.store(false, Ordering::Release);
}

/// Kills what is left of a dead program's process group and did not heed the hang-up.
async fn end_leftovers(group: Pid) {
    let deadline = Instant::now() + KILL_LEFTOVERS_AFTER;
    while test_kill_process_group(group).is_ok() {
        if Instant::now() >= deadline {
            let _ = kill_process_group(group, Signal::KILL);
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

fn exit_of(status: std::process::ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal_name(signal)),
        (None, None) => Exit::Unknown,
    }
}

fn signal_name(number: i32) -> String {
    const NAMES: &[(Signal, &str)] = &[
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
        (Signal::SYS, "SIGSYS"),
    ];
    let known = NAMES.iter().find(|(signal, _)| signal.as_raw() == number);
    known.map_or_else(|| format!("signal {number}"), |(_, name)| (*name).to_owned())
}
