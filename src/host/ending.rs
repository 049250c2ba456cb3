//! The end of a program in a PTY: by itself or hung up on, seen, reaped, and that of what it leaves behind. Whoever
//! forked it does this.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::Exit;
use super::pty::{Master, Program};

/// How long a program that is hung up on may take to end.
const KILL_AFTER: Duration = Duration::from_secs(1);

/// How long processes that a dead program left in its group may take to end.
const KILL_LEFTOVERS_AFTER: Duration = Duration::from_secs(5);

/// How often to look for such leftovers, at the least.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Waits for the end of a program, and brings it about once `killed` is set off. What it leaves in its group is hung
/// up on; see [`end_leftovers`].
pub(super) async fn end(program: &mut Program, master: &Master, killed: &Notify) -> Exit {
    let mut kill_at: Option<Instant> = None;
    loop {
        tokio::select! {
            () = program.ended() => break,
            () = killed.notified() => {
                signal(program.pid(), master, Signal::HUP);
                // A stopped process does not get to see the hang-up.
                signal(program.pid(), master, Signal::CONT);
                kill_at.get_or_insert(Instant::now() + KILL_AFTER);
            }
            () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                signal(program.pid(), master, Signal::KILL);
                kill_at = Some(Instant::now() + KILL_AFTER);
            }
        }
    }
    // While the program is a zombie its id, and so its group's, belongs to nobody else.
    let _ = kill_process_group(program.pid(), Signal::HUP);
    program.reap().map_or(Exit::Unknown, exit_of)
}

/// Signals the program's group and the one in the foreground.
fn signal(program: Pid, master: &Master, signal: Signal) {
    let foreground = master.foreground().filter(|group| *group != program);
    for group in foreground.into_iter().chain([program]) {
        // A group that is gone needs no signal.
        let _ = kill_process_group(group, signal);
    }
}

/// Kills what is left of a dead program's process group and did not heed the hang-up.
pub(super) async fn end_leftovers(group: Pid) {
    let deadline = Instant::now() + KILL_LEFTOVERS_AFTER;
    // Most are gone at once.
    let mut pause = Duration::from_millis(1);
    while test_kill_process_group(group).is_ok() {
        if Instant::now() >= deadline {
            let _ = kill_process_group(group, Signal::KILL);
            return;
        }
        sleep(pause).await;
        pause = (2 * pause).min(LOOK_AGAIN);
    }
}

fn exit_of(status: ExitStatus) -> Exit {
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
