//! The local host: PTYs of this machine, one task each.

use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

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
const WATCH_RETRY: Duration = Duration::from_millis(50);

/// So many full turns in a row make a flood.
const FLOOD_AFTER: u32 = 4;

/// A flood that pauses for this long is over.
const FLOOD_PAUSE: Duration = Duration::from_millis(5);

/// See the module.
#[derive(Debug)]
pub struct LocalHost {
    /// How many more programs may be read on threads of their own.
    floods: Arc<Semaphore>,
}

impl Default for LocalHost {
    fn default() -> LocalHost {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        LocalHost { floods: Arc::new(Semaphore::new(cores)) }
    }
}

impl Host for LocalHost {
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning {
        let floods = self.floods.clone();
        Box::pin(async move {
            let (opened, note, generation) =
                tokio::task::spawn_blocking(move || open(request)).await.map_err(|error| SpawnError {
                    reason: format!("starting the program panicked: {error}"),
                })??;
            let output = Output { sink, generation };
            Ok(Spawned { terminal: LocalTerminal::run(opened, output, floods), note })
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

/// The directory behind a link of `/proc`, where the system marks one that was removed by a word after its name.
fn as_it_was_called(link: PathBuf) -> PathBuf {
    let name = link.to_str().and_then(|text| text.strip_suffix(" (deleted)"));
    match name {
        Some(name) if !link.exists() => PathBuf::from(name),
        _ => link,
    }
}

/// A PTY of this machine.
#[derive(Debug)]
struct LocalTerminal {
    master: Arc<Master>,
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
    fn run(opened: Opened, output: Output, floods: Arc<Semaphore>) -> Arc<LocalTerminal> {
        let Opened { master, program, exit } = opened;
        let terminal = Arc::new(LocalTerminal {
            master,
            pid: program.pid(),
            started: Notify::new(),
            blocked: AtomicBool::new(false),
            wants_room: Notify::new(),
            killed: Notify::new(),
        });
        tokio::spawn(Watcher { terminal: terminal.clone(), program, exit, output, floods }.run());
        terminal
    }

    /// Signals the program's group and the one in the foreground.
    fn signal(&self, signal: Signal) {
        let foreground = self.master.foreground().filter(|group| *group != self.pid);
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
        let master = &self.master;
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
        if !self.master.signals(key) {
            return false;
        }
        self.master.discard_input();
        // Now there is room for it, and the line discipline does with it what it does.
        self.write(&[key]) == 1
    }

    fn interrupt_keys(&self) -> [u8; 3] {
        self.master.interrupt_keys()
    }

    fn resize(&self, size: Size) {
        self.master.resize(size);
    }

    fn kill(&self) {
        self.killed.notify_one();
    }

    fn reads_raw(&self) -> bool {
        self.master.reads_raw()
    }

    fn cwd(&self) -> Option<PathBuf> {
        let link = std::fs::read_link(format!("/proc/{}/cwd", self.pid.as_raw_nonzero())).ok()?;
        link.is_absolute().then(|| as_it_was_called(link))
    }

    fn foreground(&self) -> Option<String> {
        let group = self.master.foreground().filter(|group| *group != self.pid)?;
        let name = std::fs::read_to_string(format!("/proc/{}/comm", group.as_raw_nonzero())).ok()?;
        Some(name.trim_end().to_owned())
    }
}

/// Where a program's output goes.
#[derive(Clone)]
struct Output {
    sink: Arc<dyn Sink>,
    generation: Generation,
}

impl Output {
    fn read_turn(&self, reader: &mut Reader, master: &Master) -> Turn {
        let (output, turn) = reader.turn(master);
        if let Some(output) = output {
            self.sink.output(self.generation, output);
        }
        turn
    }
}

/// The task of one terminal: it moves events, and ends with the program.
struct Watcher {
    terminal: Arc<LocalTerminal>,
    program: Program,
    exit: AsyncFd<std::os::fd::OwnedFd>,
    output: Output,
    floods: Arc<Semaphore>,
}

impl Watcher {
    async fn run(mut self) {
        self.terminal.started.notified().await;
        let ended = CancellationToken::new();
        let reading =
            read(self.terminal.master.clone(), self.output.clone(), self.floods.clone(), ended.clone());
        // Set off also when the runtime drops this task: a thread that reads a flood must end then.
        let ended = ended.drop_guard();
        let mut reading = pin!(reading);
        let read_all = self.until_exit(reading.as_mut()).await;
        // While the program is a zombie its id, and so its group's, belongs to nobody else.
        let group = self.program.pid();
        let _ = kill_process_group(group, Signal::HUP);
        let exit = self.program.reap().map_or(Exit::Unknown, exit_of);
        drop(ended);
        if !read_all {
            reading.await;
        }
        let Watcher { terminal, output, .. } = self;
        output.sink.exited(output.generation, exit);
        // Nothing more is reported, and what reports holds the pane.
        drop((output, terminal));
        end_leftovers(group).await;
    }

    /// Serves the terminal until its program ends. Whether `reading` came to its end before.
    async fn until_exit(&mut self, mut reading: Pin<&mut impl Future<Output = ()>>) -> bool {
        let terminal = self.terminal.clone();
        let mut kill_at: Option<Instant> = None;
        let mut read_all = false;
        loop {
            tokio::select! {
                () = reading.as_mut(), if !read_all => read_all = true,
                _ = self.exit.readable() => return read_all,
                () = wait_for_room(&terminal) => self.output.sink.writable(self.output.generation),
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
}

/// Reads a PTY until nobody has its other side open, or until its program has `ended` and what it printed is
/// read. A program that prints a little is read in this task, with the fewest hops; one that floods, on a thread
/// of its own, so that reading and sending have a core each.
async fn read(master: Arc<Master>, output: Output, floods: Arc<Semaphore>, ended: CancellationToken) {
    let mut reader = Reader::new();
    let mut end = End { ended, read_until: None };
    let mut full_turns = 0;
    loop {
        let watched = match master.watch_output() {
            Ok(watched) => watched,
            Err(error) => {
                tracing::warn!("can't watch a PTY for output, looking again: {error}");
                sleep(WATCH_RETRY).await;
                continue;
            }
        };
        let turn = read_watched(&watched, &mut reader, &output, &mut full_turns, &mut end).await;
        // Unwatched while a thread reads: else each of its reads would wake a worker for nothing.
        drop(watched);
        if turn == Turn::HungUp || (turn == Turn::Drained && end.has_come()) {
            return;
        }
        full_turns = 0;
        let Ok(_thread) = floods.try_acquire() else { continue };
        let (master, output) = (master.clone(), output.clone());
        match tokio::task::spawn_blocking(move || read_flood(reader, &master, &output, end)).await {
            Ok((back, back_end, Turn::Drained)) => (reader, end) = (back, back_end),
            // A panic in the thread, or the end.
            Ok(_) | Err(_) => return,
        }
    }
}

/// Reads as output comes, until the program floods, ends, or hangs up.
async fn read_watched(
    watched: &AsyncFd<Arc<Master>>,
    reader: &mut Reader,
    output: &Output,
    full_turns: &mut u32,
    end: &mut End,
) -> Turn {
    loop {
        if output.sink.is_full() && !end.has_come() {
            tokio::select! {
                () = output.sink.has_room() => {}
                () = end.ended.cancelled() => {}
            }
        }
        let turn = output.read_turn(reader, watched.get_ref());
        match turn {
            Turn::HungUp => return Turn::HungUp,
            Turn::Drained if end.has_come() => return Turn::Drained,
            Turn::Drained => {
                *full_turns = 0;
                // The viewers' writers, which were just woken, go first.
                tokio::task::yield_now().await;
                output.sink.quiet();
            }
            Turn::Full if end.is_over() => return Turn::Drained,
            Turn::Full => {
                *full_turns += 1;
                if *full_turns >= FLOOD_AFTER {
                    return Turn::Full;
                }
                tokio::task::yield_now().await;
                continue;
            }
        }
        tokio::select! {
            ready = watched.readable() => match ready {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return Turn::HungUp,
            },
            // One more turn, for what the program printed last.
            () = end.ended.cancelled() => {}
        }
    }
}

/// Reads a flooding program on a thread of its own, until it pauses, ends, or hangs up.
fn read_flood(mut reader: Reader, master: &Master, output: &Output, mut end: End) -> (Reader, End, Turn) {
    loop {
        let turn = match output.read_turn(&mut reader, master) {
            Turn::HungUp => Turn::HungUp,
            Turn::Full if !end.is_over() && !output.sink.is_full() => continue,
            Turn::Drained if !end.has_come() && master.wait_for_output(FLOOD_PAUSE) => continue,
            Turn::Full | Turn::Drained => Turn::Drained,
        };
        return (reader, end, turn);
    }
}

/// Ends the reading of a terminal whose program has ended, also while others print to it for ever. One for all of
/// the reading, whoever does it: else each that takes over would begin to wait anew.
struct End {
    /// Set off when the program has ended.
    ended: CancellationToken,
    /// When to read no more, once that was seen.
    read_until: Option<Instant>,
}

impl End {
    fn has_come(&self) -> bool {
        self.ended.is_cancelled()
    }

    fn is_over(&mut self) -> bool {
        let until = || Instant::now() + DRAIN_FOR;
        self.has_come() && Instant::now() >= *self.read_until.get_or_insert_with(until)
    }
}

/// Resolves when a write that came to an end early can go on.
async fn wait_for_room(terminal: &LocalTerminal) {
    while !terminal.blocked.load(Ordering::Acquire) {
        terminal.wants_room.notified().await;
    }
    let room = match terminal.master.watch_room() {
        Ok(room) => room.writable().await.map(|_| ()),
        Err(error) => Err(error),
    };
    if let Err(error) = room {
        tracing::warn!("can't watch a PTY for room, looking again: {error}");
        sleep(WATCH_RETRY).await;
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::host::{HasRoom, Unwritten};
    use crate::ids::PaneId;
    use crate::pane::log::OutputBuf;

    /// How long anything may take to come about.
    const SOON: Duration = Duration::from_secs(6);

    #[derive(Default)]
    struct Notes {
        printed: AtomicUsize,
        exit: Mutex<Option<Exit>>,
        /// How long output keeps its reader.
        slowness: Duration,
        full: AtomicBool,
    }

    impl Sink for Notes {
        fn output(&self, _: Generation, output: OutputBuf) {
            self.printed.fetch_add(output.payload().len(), Ordering::Relaxed);
            std::thread::sleep(self.slowness);
        }

        fn quiet(&self) {}

        fn is_full(&self) -> bool {
            self.full.load(Ordering::Relaxed)
        }

        fn has_room(&self) -> HasRoom<'_> {
            Box::pin(async {
                while self.is_full() {
                    tokio::task::yield_now().await;
                }
            })
        }

        fn writable(&self, _: Generation) {}

        fn unwritten(&self, _: Generation, _: Unwritten) {}

        fn exited(&self, _: Generation, exit: Exit) {
            *self.exit.lock().unwrap() = Some(exit);
        }
    }

    async fn until(mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + SOON;
        while !holds() {
            assert!(Instant::now() < deadline, "waited in vain");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn run(host: &LocalHost, script: &str, slowness: Duration) -> (Arc<dyn Terminal>, Arc<Notes>) {
        let notes = Arc::new(Notes { slowness, ..Notes::default() });
        let request = SpawnRequest {
            pane: PaneId(1),
            generation: Generation(1),
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            cwd: "/".into(),
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            size: Size::DEFAULT,
        };
        let terminal = host.spawn(request, notes.clone()).await.unwrap().terminal;
        terminal.start();
        (terminal, notes)
    }

    async fn eventually(mut condition: impl FnMut() -> bool) {
        let waiting = async {
            while !condition() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, waiting).await.unwrap();
    }

    #[tokio::test]
    async fn an_end_is_reported_while_others_print_on_and_no_thread_is_left_to_read_them() {
        let host = LocalHost { floods: Arc::new(Semaphore::new(0)) };
        // It prints faster than it is read, so there is always more.
        let script = "(trap '' HUP; exec yes) & sleep 0.1; exit 4";
        let (_, notes) = run(&host, script, Duration::from_millis(3)).await;
        eventually(|| *notes.exit.lock().unwrap() == Some(Exit::Code(4))).await;
    }

    #[test]
    fn a_flood_does_not_hold_up_the_end_of_its_runtime() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_, notes) = run(&LocalHost::default(), "exec yes", Duration::ZERO).await;
            eventually(|| notes.printed.load(Ordering::Relaxed) > 16 << 20).await;
        });
        let (ended_tx, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            drop(runtime);
            ended_tx.send(())
        });
        ended.recv_timeout(SOON).unwrap();
    }

    #[test]
    fn a_directory_that_is_gone_is_called_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join("odd (deleted)");
        assert_eq!(as_it_was_called(odd.clone()), dir.path().join("odd"));
        std::fs::create_dir(&odd).unwrap();
        assert_eq!(as_it_was_called(odd.clone()), odd);
        assert_eq!(as_it_was_called(dir.path().join("gone")), dir.path().join("gone"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_program_waits_while_its_sink_is_full_and_ends_all_the_same() {
        let host = LocalHost::default();
        let (terminal, notes) = run(&host, "echo start; exec yes", Duration::ZERO).await;
        until(|| notes.printed.load(Ordering::Relaxed) > 1 << 20).await;
        notes.full.store(true, Ordering::Relaxed);
        // What was being reported still comes.
        let printed = || notes.printed.load(Ordering::Relaxed);
        let (mut before, mut unchanged) = (0, 0);
        until(|| {
            unchanged = if before == printed() { unchanged + 1 } else { 0 };
            before = printed();
            unchanged == 10
        })
        .await;
        notes.full.store(false, Ordering::Relaxed);
        until(|| printed() > before + (1 << 20)).await;
        notes.full.store(true, Ordering::Relaxed);
        terminal.kill();
        until(|| notes.exit.lock().unwrap().is_some()).await;
    }
}
