//! A PTY of this machine as the gateway has it: written, resized and asked by its master side, whoever forked its
//! program.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Pid;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::pty::Master;
use super::tape::Tape;
use super::{Checkpoint, Due, Terminal};
use crate::geometry::Size;

/// How soon a PTY is tried again when it can't be watched, for want of descriptors.
pub(super) const WATCH_RETRY: Duration = Duration::from_millis(50);

/// The way to who forked a program.
pub(super) trait HangUp: fmt::Debug + Send + Sync {
    /// See [`Terminal::kill`].
    fn hang_up(&self);
}

impl HangUp for Arc<Notify> {
    fn hang_up(&self) {
        self.notify_one();
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct PtyTerminal {
    pub(super) master: Arc<Master>,
    pid: Pid,
    /// What it is read into first, if it is to outlive this process.
    tape: Option<Arc<Tape>>,
    end: Box<dyn HangUp>,
    /// Set off by `start`.
    pub(super) started: Notify,
    /// A write came to an end early, so the sink is to be told when there is room.
    blocked: AtomicBool,
    /// Set off when `blocked` was set.
    wants_room: Notify,
}

impl PtyTerminal {
    pub(super) fn new(
        master: Arc<Master>,
        pid: Pid,
        tape: Option<Arc<Tape>>,
        end: Box<dyn HangUp>,
    ) -> Arc<PtyTerminal> {
        Arc::new(PtyTerminal {
            master,
            pid,
            tape,
            end,
            started: Notify::new(),
            blocked: AtomicBool::new(false),
            wants_room: Notify::new(),
        })
    }
}

impl Terminal for PtyTerminal {
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
        self.end.hang_up();
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

    fn checkpoint_due(&self) -> Due {
        self.tape.as_ref().map_or(Due::Never, |tape| tape.due())
    }

    fn keep(&self, checkpoint: Checkpoint) {
        if let Some(tape) = &self.tape {
            tape.keep(&checkpoint);
        }
    }
}

/// Resolves when a write that came to an end early can go on.
pub(super) async fn wait_for_room(terminal: &PtyTerminal) {
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

/// The directory behind a link of `/proc`, where the system marks one that was removed by a word after its name.
fn as_it_was_called(link: PathBuf) -> PathBuf {
    let name = link.to_str().and_then(|text| text.strip_suffix(" (deleted)"));
    match name {
        Some(name) if !link.exists() => PathBuf::from(name),
        _ => link,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_gone_is_called_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join("odd (deleted)");
        assert_eq!(as_it_was_called(odd.clone()), dir.path().join("odd"));
        std::fs::create_dir(&odd).unwrap();
        assert_eq!(as_it_was_called(odd.clone()), odd);
        assert_eq!(as_it_was_called(dir.path().join("gone")), dir.path().join("gone"));
    }
}
