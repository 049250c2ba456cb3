//! Wakes a node with a program. It runs in a process group of its own, so that what it started ends with it when it
//! takes too long.

use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::reason::{Tail, too_long};

/// How long the last words of a program that failed are waited for. They are in the pipe by then; its end is not, if it
/// left somebody behind who holds it open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A program that wakes nodes.
pub struct WakeCommand {
    /// The program and its arguments.
    command: Vec<String>,
    environment: Vec<(String, String)>,
    timeout: Duration,
}

impl WakeCommand {
    /// `command` is a program and its arguments, `environment` all that it gets beside `EVERPANE_NODE` and
    /// `EVERPANE_WAKE_ATTEMPT`.
    ///
    /// # Panics
    /// When `command` is empty.
    #[must_use]
    pub fn new(command: Vec<String>, environment: Vec<(String, String)>, timeout: Duration) -> WakeCommand {
        assert!(!command.is_empty(), "the settings were checked");
        WakeCommand { command, environment, timeout }
    }

    /// Runs it. What it says on stderr is part of the reason if it fails; its whole group is killed when it takes too
    /// long, or the future is dropped.
    pub(super) async fn run(&self, node: &str, attempt: u32) -> Result<(), String> {
        let mut group =
            self.spawn(node, attempt).map_err(|error| format!("can't run {}: {error}", self.command[0]))?;
        let mut tail = Tail::default();
        match timeout(self.timeout, group.end(&mut tail)).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(tail.after(&status.to_string())),
            Ok(Err(error)) => Err(format!("can't wait for {}: {error}", self.command[0])),
            Err(_) => Err(tail.after(&too_long(self.timeout))),
        }
    }

    fn spawn(&self, node: &str, attempt: u32) -> std::io::Result<Group> {
        let child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("EVERPANE_NODE", node)
            .env("EVERPANE_WAKE_ATTEMPT", attempt.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        Ok(Group(child))
    }
}

/// A program and whatever it starts. Those it leaves behind when it ends by itself may be what keeps the node awake;
/// they are left alone.
struct Group(Child);

impl Group {
    /// Waits for the program, and takes its last words down.
    async fn end(&mut self, tail: &mut Tail) -> std::io::Result<ExitStatus> {
        let stderr = self.0.stderr.take();
        let mut listening = pin!(listen(stderr, tail));
        tokio::select! {
            status = self.0.wait() => {
                if status.as_ref().is_ok_and(|status| !status.success()) {
                    // Its end is known: whether its words come to theirs does not matter.
                    let _ = timeout(LAST_WORDS, listening).await;
                }
                status
            }
            () = &mut listening => self.0.wait().await,
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The id is gone once the program was waited for, so that it is never somebody else's.
        let leader = self.0.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(leader) = leader {
            // It may have ended this moment; then there is nobody to kill.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Reads to the end, or to an error, which ends what can be read as well.
async fn listen(from: Option<impl AsyncRead + Unpin>, tail: &mut Tail) {
    let Some(mut from) = from else { return };
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        tail.push(&buffer[..length]);
    }
}
