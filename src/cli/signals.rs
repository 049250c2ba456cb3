//! What ends the gateway from outside.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a program that ctrl-c ended, as shells count.
const INTERRUPTED: i32 = 130;

/// The signals that ask us to stop, being listened for.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes over from the system's defaults.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the first, and names it.
    pub(super) async fn first(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }

    /// From here on ctrl-c ends the process at once: whoever presses it again does not want to wait.
    pub(super) fn give_way(mut self) {
        tokio::spawn(async move {
            self.interrupt.recv().await;
            std::process::exit(INTERRUPTED);
        });
    }
}
