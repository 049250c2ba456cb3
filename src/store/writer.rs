//! The store's thread: waits for marks and for the time, pulls what is due from the source and writes it.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::ids::PaneId;

use super::disk::Disk;
use super::health::Health;
use super::marks::{Flag, Marks, Request};
use super::schedule::{Job, Next, Schedule};
use super::source::Source;
use super::{FlushError, Limits, output_file, state_file};

/// How long the thread sleeps when it has nothing to wait for; a request wakes it at once.
const IDLE: Duration = Duration::from_secs(3600);

/// Whether the thread goes on.
#[derive(Debug, PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

/// All that the thread owns.
pub(super) struct Writer {
    /// Where it writes.
    disk: Arc<dyn Disk>,
    /// The data directory.
    dir: PathBuf,
    /// What it writes from.
    source: Arc<dyn Source>,
    /// Bytes of output to keep per pane; 0 for none.
    output_bytes: usize,
    /// What is written when.
    schedule: Schedule,
    /// Holds the state's flag.
    marks: Marks,
    /// The raised flags of each marked pane, to be lowered when its output is read.
    flags: HashMap<PaneId, Vec<Flag>>,
    /// What the outside is shown.
    health: Health,
    /// Where the schedule's time begins.
    origin: Instant,
}

impl Writer {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        source: Arc<dyn Source>,
        limits: &Limits,
        marks: Marks,
        health: Health,
    ) -> Writer {
        Writer {
            disk,
            dir,
            source,
            output_bytes: limits.output_bytes,
            schedule: Schedule::new(limits.pace.clone()),
            marks,
            flags: HashMap::new(),
            health,
            origin: Instant::now(),
        }
    }

    /// Runs until it is told to stop.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            let wait = match self.schedule.next(self.now()) {
                Next::Write(job) => {
                    // How it went is in the health and in the schedule.
                    let _ = self.write(job);
                    Duration::ZERO
                }
                Next::Wait(wait) => wait,
                Next::Idle => IDLE,
            };
            let first = match requests.recv_timeout(wait) {
                Ok(request) => Some(request),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            for request in first.into_iter().chain(requests.try_iter()) {
                if self.take(request) == Flow::Stop {
                    return;
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn take(&mut self, request: Request) -> Flow {
        let now = self.now();
        match request {
            Request::State => self.schedule.mark(Job::State, now),
            // The flag stays up, so that none follows.
            Request::Output { .. } if self.output_bytes == 0 => {}
            Request::Output { pane, flag } => {
                self.flags.entry(pane).or_default().push(flag);
                self.schedule.mark(Job::Output(pane), now);
            }
            Request::Forget { pane } => self.forget(pane),
            Request::Flush { until, reply_tx } => {
                let outcome = self.flush(until);
                // Whoever asked may have given up waiting.
                let _ = reply_tx.try_send(outcome);
            }
            Request::Stop => return Flow::Stop,
        }
        Flow::Continue
    }

    fn flush(&mut self, until: Instant) -> Result<(), FlushError> {
        // A mark whose request has not arrived yet: another thread is between raising the flag and sending.
        if self.marks.state_flag().lower() {
            self.schedule.mark(Job::State, self.now());
        }
        let mut outcome = Ok(());
        let mut jobs = self.schedule.take_all(self.now()).into_iter();
        for job in jobs.by_ref() {
            if Instant::now() >= until {
                self.schedule.mark(job, self.now());
                outcome = Err(FlushError::Late);
                break;
            }
            // The others may still work: a small state may fit where an output does not.
            if let Err(message) = self.write(job) {
                outcome = outcome.and(Err(FlushError::Failed { message }));
            }
        }
        for job in jobs {
            self.schedule.mark(job, self.now());
        }
        outcome
    }

    /// Does a job that was begun and says how it went.
    fn write(&mut self, job: Job) -> Result<(), String> {
        let pulled = catch_unwind(AssertUnwindSafe(|| match job {
            Job::State => self.write_state(),
            Job::Output(pane) => self.write_output(pane),
        }));
        let outcome = match pulled {
            Ok(Ok(bytes)) => {
                self.schedule.done(job, bytes, self.now());
                self.health.settled(job);
                return Ok(());
            }
            Ok(Err(error)) => format!("cannot save to {}: {error}", self.dir.display()),
            // One broken pane must not end the saving of all others.
            Err(_) => format!("cannot save to {}: what is to be saved is in disorder", self.dir.display()),
        };
        self.schedule.failed(job, self.now());
        self.health.failed(job, outcome.clone());
        Err(outcome)
    }

    fn write_state(&mut self) -> io::Result<usize> {
        self.marks.state_flag().lower();
        state_file::save(&*self.disk, &self.dir, &self.source.state())
    }

    fn write_output(&mut self, pane: PaneId) -> io::Result<usize> {
        for flag in self.flags.remove(&pane).unwrap_or_default() {
            flag.lower();
        }
        let Some(output) = self.source.output(pane) else {
            self.schedule.forget(pane);
            return output_file::remove(&*self.disk, &self.dir, pane).map(|()| 0);
        };
        output_file::save(&*self.disk, &self.dir, pane, &output.newest(self.output_bytes))
    }

    fn forget(&mut self, pane: PaneId) {
        self.schedule.forget(pane);
        self.flags.remove(&pane);
        self.health.settled(Job::Output(pane));
        if let Err(error) = output_file::remove(&*self.disk, &self.dir, pane) {
            // The next start lists it among the outputs whose pane is gone.
            tracing::warn!(%error, %pane, "cannot remove the saved output of a closed pane");
        }
    }
}
