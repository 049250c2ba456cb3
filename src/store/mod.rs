//! What survives a restart, as plain files. The store knows bytes, JSON and pane ids, never the gateway's own
//! types, and it never stands in the gateway's way: it pulls what it writes from a [`Source`], on a thread of
//! its own, when a mark says that something changed.
//!
//! ```text
//! <data dir>/            0700
//!   gateway.lock         held for the store's life, holds the process id
//!   state.json           the newest generation: one header line, then JSON
//!   state.json.previous  the generation before it
//!   state.json.damaged-N what could not be read, kept for a person to look at
//!   output/<pane>.out    the last output of a pane: header line, meta, raw bytes
//!   *.json               a document of its own: header line, then JSON; see `Document`
//!
//! gateway ── mark ──▶ Schedule ── job ──▶ Writer ── pull ──▶ Source
//!                                           └── write, fsync, rename ──▶ Disk
//! ```

mod aside;
mod disk;
mod document;
mod health;
mod lock;
mod marks;
#[cfg(test)]
mod memory_disk;
mod output_file;
mod schedule;
mod seal;
mod source;
mod state_file;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::ids::PaneId;

use disk::{Disk, RealDisk};
use health::Health;
use lock::DirLock;
use marks::Request;
use writer::Writer;

pub use document::{Document, DocumentError};
pub use marks::{Marks, OutputMark};
pub use output_file::LoadOutputError;
pub use schedule::Pace;
pub use source::{SavedOutput, Source};

/// How much the store keeps, and how often it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of output kept per pane, the newest ones; 0 keeps no output on disk at all and removes what an
    /// earlier run left there.
    pub output_bytes: usize,
    /// How often files are written.
    pub pace: Pace,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { output_bytes: 1 << 20, pace: Pace::default() }
    }
}

/// Why a data directory could not be opened. None of these changes what is in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another gateway holds the lock.
    #[error("the data directory {} is in use by another gateway{}", dir.display(), holder(*pid))]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The process that holds it, where the lock file says so.
        pid: Option<u32>,
    },
    /// The state was written by a newer version, whose file this one could only destroy.
    #[error("{} was written by a newer version of everpane (format {version}): refusing to touch it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format version it has.
        version: u64,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What came back.
        source: io::Error,
    },
}

impl OpenError {
    /// For `map_err`: what was tried on which path.
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
        move |source| OpenError::Io { action, path: path.to_owned(), source }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Why [`Store::flush`] could not say that everything is on disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlushError {
    /// Time was up before everything was written.
    #[error("the disk was too slow to save everything in time")]
    Late,
    /// At least one file could not be written.
    #[error("{message}")]
    Failed {
        /// What failed, for a person.
        message: String,
    },
    /// [`Store::run`] was never called, so there is nothing to write from.
    #[error("the store is not running")]
    NotRunning,
}

/// An opened data directory.
#[derive(Debug)]
pub struct Opened<S> {
    /// The store, not yet writing: see [`Store::run`].
    pub store: Store,
    /// The newest good state; `None` in a new directory, or when no generation could be read.
    pub state: Option<S>,
    /// What a person should know about how the state was found.
    pub warnings: Vec<String>,
}

/// A data directory, locked for this process, and the thread that writes to it. Dropping it ends the thread
/// after the file it is writing; what is marked and not yet written is then lost, so call [`Store::flush`]
/// before.
#[derive(Debug)]
pub struct Store {
    /// The data directory.
    dir: PathBuf,
    /// Where files are written: the real disk, or a test's.
    disk: Arc<dyn Disk>,
    /// What to keep and how often to write.
    limits: Limits,
    /// The sending half of what the writer listens to.
    marks: Marks,
    /// What the writer shows of its health: `None` is well.
    health: watch::Receiver<Option<String>>,
    /// The other halves, until [`Store::run`] hands them to the writer.
    idle: Option<(Receiver<Request>, Health)>,
    /// The writer's thread, while it runs.
    thread: Option<JoinHandle<()>>,
    /// Kept until after the thread has ended.
    _lock: DirLock,
}

impl Store {
    /// Locks `dir` (made if missing) and loads the newest generation of the state that is whole and passes
    /// `check`. Files that do not are renamed and kept; `warnings` says so.
    ///
    /// # Errors
    /// The directory is in use, was written by a newer version, or cannot be used at all.
    pub fn open<S: DeserializeOwned>(
        dir: &Path,
        limits: Limits,
        check: impl Fn(&S) -> Result<(), String>,
    ) -> Result<Opened<S>, OpenError> {
        Store::open_on(Arc::new(RealDisk), dir, limits, check)
    }

    fn open_on<S: DeserializeOwned>(
        disk: Arc<dyn Disk>,
        dir: &Path,
        limits: Limits,
        check: impl Fn(&S) -> Result<(), String>,
    ) -> Result<Opened<S>, OpenError> {
        disk.create_dir(dir).map_err(OpenError::io("create", dir))?;
        let lock = DirLock::take(dir)?;
        output_file::prepare(&*disk, dir, limits.output_bytes)
            .map_err(OpenError::io("prepare the output files in", dir))?;
        let (state, warnings) = state_file::load(&*disk, dir, check)?;
        let (request_tx, request_rx) = mpsc::channel();
        let (health, health_rx) = Health::new();
        let store = Store {
            dir: dir.to_owned(),
            disk,
            limits,
            marks: Marks::new(request_tx),
            health: health_rx,
            idle: Some((request_rx, health)),
            thread: None,
            _lock: lock,
        };
        Ok(Opened { store, state, warnings })
    }

    /// Starts the writer; marks made before count. A second call changes nothing. The source must not own the
    /// store, or neither is ever dropped: give it the [`Marks`].
    ///
    /// # Errors
    /// The system has no thread left; the store then never writes.
    pub fn run(&mut self, source: Arc<dyn Source>) -> io::Result<()> {
        let Some((requests, health)) = self.idle.take() else { return Ok(()) };
        let (disk, dir) = (Arc::clone(&self.disk), self.dir.clone());
        let writer = Writer::new(disk, dir, source, &self.limits, self.marks.clone(), health);
        let thread = thread::Builder::new().name("everpane-store".to_owned());
        self.thread = Some(thread.spawn(move || writer.run(&requests))?);
        Ok(())
    }

    /// The handle by which the gateway says that something changed.
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.marks.clone()
    }

    /// What keeps the store from writing, for a person; `None` is well.
    #[must_use]
    pub fn health(&self) -> Option<String> {
        self.health.borrow().clone()
    }

    /// Follows [`Store::health`].
    #[must_use]
    pub fn health_changes(&self) -> watch::Receiver<Option<String>> {
        self.health.clone()
    }

    /// Writes everything that is marked now, ahead of its pace and of any retry's delay: the state first, then
    /// outputs. Blocks for at most `deadline`: call it off the async runtime.
    ///
    /// # Errors
    /// Time was up, a file could not be written, or the store is not running.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushError> {
        if self.thread.is_none() {
            return Err(FlushError::NotRunning);
        }
        let (reply_tx, reply_rx) = mpsc::sync_channel(1);
        self.marks.request(Request::Flush { until: Instant::now() + deadline, reply_tx });
        reply_rx.recv_timeout(deadline).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(FlushError::Late),
            RecvTimeoutError::Disconnected => Err(FlushError::NotRunning),
        })
    }

    /// The panes whose output is on disk, in order, so that the gateway can forget those it no longer has.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn saved_outputs(&self) -> io::Result<Vec<PaneId>> {
        output_file::list(&*self.disk, &self.dir)
    }

    /// Sets the output that was saved for `pane` aside, where nothing overwrites it, and gives its new name.
    ///
    /// # Errors
    /// There is none, or it cannot be renamed.
    pub fn set_output_aside(&self, pane: PaneId) -> io::Result<String> {
        output_file::keep_aside(&*self.disk, &self.dir, pane)
    }

    /// The output that was saved for `pane`; `None` if there is none.
    ///
    /// # Errors
    /// The file is damaged (it is then set aside) or cannot be read.
    pub fn load_output(&self, pane: PaneId) -> Result<Option<SavedOutput>, LoadOutputError> {
        output_file::load(&*self.disk, &self.dir, pane)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.marks.request(Request::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread panicked");
        }
    }
}
