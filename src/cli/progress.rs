//! A line on stderr that says what is waited for, for people who begin to wonder.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::table::escaped;

/// How long nobody wonders, and how often the line is written anew.
const EVERY: Duration = Duration::from_secs(1);

/// The line, until it is dropped. It is shown on a terminal only.
pub(super) struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Says that `what` is waited for, once it takes longer than a second; nothing if that is not `wanted`.
    pub(super) fn start(what: &str, wanted: bool) -> Progress {
        if !wanted || !io::stderr().is_terminal() {
            return Progress { running: None };
        }
        let what = escaped(what);
        let (stop_tx, stop_rx) = mpsc::channel();
        let thread = thread::spawn(move || {
            let began = Instant::now();
            let mut shown = false;
            while let Err(RecvTimeoutError::Timeout) = stop_rx.recv_timeout(EVERY) {
                shown = true;
                write(&format!("\r\x1b[Kwaiting for {what} … {} s", began.elapsed().as_secs()));
            }
            if shown {
                write("\r\x1b[K");
            }
        });
        Progress { running: Some((stop_tx, thread)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop_tx, thread)) = self.running.take() {
            drop(stop_tx);
            let _ = thread.join();
        }
    }
}

/// Nobody watching is no reason to fail.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
