//! The seam between the gateway and whatever hosts PTYs. The gateway's respawn, output and input code knows
//! only these traits; the local host is one side of them, a remote node will be another.

pub mod directories;
mod ending;
pub mod local;
mod peer;
pub mod process;
mod pty;
mod reading;
pub mod remote;
mod start;
mod tape;
mod terminal;

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub(crate) use self::peer::own_peer;
pub(crate) use self::pty::watch;
use crate::geometry::Size;
use crate::ids::PaneId;
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;

/// What to run in a new PTY.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpawnRequest {
    /// The pane that it is for: by this and the generation a terminal is known when it outlives its gateway.
    pub pane: PaneId,
    /// Which of the pane's terminals this is; comes back in every event.
    pub generation: Generation,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it starts. If that is gone, the nearest parent that exists is taken, and a note says so.
    pub cwd: PathBuf,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// The PTY's size from the first moment on.
    pub size: Size,
}

impl fmt::Debug for SpawnRequest {
    /// Without what the variables hold: there may be secrets among them, and this is for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SpawnRequest { pane, generation, command, cwd, environment, size } = self;
        let names: Vec<_> = environment.iter().map(|(name, _)| name).collect();
        f.debug_struct("SpawnRequest")
            .field("pane", pane)
            .field("generation", generation)
            .field("command", command)
            .field("cwd", cwd)
            .field("environment", &names)
            .field("size", size)
            .finish()
    }
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exit {
    /// By itself.
    Code(i32),
    /// By a signal, by name.
    Signal(String),
    /// With the gateway, or while there was none to see it.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(0) => f.write_str("exited"),
            Exit::Code(code) => write!(f, "exited with code {code}"),
            Exit::Signal(signal) => write!(f, "killed by {signal}"),
            Exit::Unknown => f.write_str("ended with the gateway"),
        }
    }
}

/// Why no PTY came up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SpawnError {
    /// For people: what is wrong and what to do.
    pub reason: String,
}

/// A PTY with its program. Dropping the last handle does not end it; [`Terminal::kill`] does.
pub trait Terminal: Send + Sync + fmt::Debug {
    /// Begins to report to the sink. Nothing is reported before.
    fn start(&self);

    /// Writes as many of the first bytes as the PTY takes without waiting, and returns how many. If that is
    /// not all, [`Sink::writable`] follows once it takes more.
    fn write(&self, input: &[u8]) -> usize;

    /// If the terminal takes `key` for an interrupt, a quit or a suspend: throws away the input that was not
    /// read yet and signals the foreground. Whether it did. For when [`Terminal::write`] takes no more.
    fn interrupt(&self, key: u8) -> bool;

    /// The keys that the terminal takes for interrupt, quit and suspend now; 0 where there is none. What
    /// [`Terminal::interrupt`] goes by.
    fn interrupt_keys(&self) -> [u8; 3] {
        [0; 3]
    }

    /// Tells the program a new size.
    fn resize(&self, size: Size);

    /// Hangs up, and kills what does not heed that within a second.
    fn kill(&self);

    /// Whether the program reads raw, byte by byte, instead of lines.
    fn reads_raw(&self) -> bool;

    /// The directory that the program is in, where the system can say.
    fn cwd(&self) -> Option<PathBuf>;

    /// The name of what runs in the foreground, if that is not the program itself.
    fn foreground(&self) -> Option<String>;

    /// Whether a checkpoint should be left. Asked after each report of output.
    fn checkpoint_due(&self) -> Due {
        Due::Never
    }

    /// Leaves a checkpoint with the host, in place of the one before, for a gateway that goes on with this
    /// terminal after this gateway's end. A host whose PTYs end with the gateway has no use for it.
    fn keep(&self, _checkpoint: Checkpoint) {}
}

/// How urgent a checkpoint is: a host keeps so much of a terminal's output, and what is older than that must not
/// be needed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The host keeps nothing, or enough.
    Never,
    /// Much of what the host can keep has no checkpoint after it.
    Soon,
    /// Most of it: before more output is reported.
    Now,
    /// All that can be waited with: if none can be left, no more output should be taken.
    Late,
}

/// The largest checkpoint that a host keeps, in bytes; a larger one is not kept.
pub const MAX_CHECKPOINT_BYTES: usize = 256 << 10;

/// What a gateway needs to go on with a terminal from one place in its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The place: how many bytes the program had printed.
    pub printed: u64,
    /// Known to gateways alone; at most [`MAX_CHECKPOINT_BYTES`].
    pub bytes: Bytes,
}

/// A terminal that outlived its gateway, or the connection to it; its program may have ended meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The pane it is of.
    pub pane: PaneId,
    /// Which of the pane's terminals it is.
    pub generation: Generation,
    /// The output that the host still has, counted in bytes from the first that the program printed.
    pub output: Range<u64>,
    /// How much of its output was given to a gateway before: what is asked in there was answered, or never will be.
    pub given: u64,
    /// The newest checkpoint that was left.
    pub checkpoint: Option<Checkpoint>,
}

impl Kept {
    /// Whether its output can go on from `printed`: everything after that is still there.
    #[must_use]
    pub fn reaches(&self, printed: u64) -> bool {
        self.output.start <= printed && printed <= self.output.end
    }
}

/// The outcome of [`Sink::has_room`], in time.
pub type HasRoom<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What a host reports, about the terminal of one generation. Called from the host's own tasks; must not block.
pub trait Sink: Send + Sync {
    /// The program printed something.
    fn output(&self, generation: Generation, output: OutputBuf);

    /// All that the program has printed was reported, and nothing more came for a moment: time for work that can wait.
    fn quiet(&self);

    /// Whether to report no more output until [`Sink::has_room`]; nobody reads on then, and the program waits.
    fn is_full(&self) -> bool;

    /// Resolves when more output is taken.
    fn has_room(&self) -> HasRoom<'_>;

    /// The PTY takes input again.
    fn writable(&self, generation: Generation);

    /// Input that the terminal took did not get to its program; follows [`Sink::writable`]'s rules, and comes before
    /// [`Sink::exited`].
    fn unwritten(&self, generation: Generation, input: Unwritten);

    /// The program ended and all its output has been reported. The last event of a generation.
    fn exited(&self, generation: Generation, exit: Exit);
}

/// What became of input that a terminal took and has not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwritten {
    /// Its program never got this.
    Not(Vec<u8>),
    /// Nobody can tell of so many bytes whether its program got them.
    Perhaps(usize),
}

/// A PTY that came up.
#[derive(Debug)]
pub struct Spawned {
    /// The terminal; it reports nothing until [`Terminal::start`].
    pub terminal: Arc<dyn Terminal>,
    /// What people should know about how it was started.
    pub note: Option<String>,
}

/// The outcome of [`Host::spawn`], in time.
pub type Spawning = Pin<Box<dyn Future<Output = Result<Spawned, SpawnError>> + Send>>;

/// Hosts PTYs.
pub trait Host: Send + Sync {
    /// Starts a program in a new PTY.
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning;

    /// Goes on with a terminal that it kept: once started, that reports its output from `from` on, which lies in
    /// [`Kept::output`], and its end, if it has ended. `None` if it is not there.
    fn resume(&self, _kept: &Kept, _from: u64, _sink: Arc<dyn Sink>) -> Option<Arc<dyn Terminal>> {
        None
    }

    /// Ends a terminal that it kept and nobody owns.
    fn discard(&self, _kept: &Kept) {}

    /// Whether its terminals outlive the gateway.
    fn outlives(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_of_a_request_holds_no_secret() {
        let request = SpawnRequest {
            pane: PaneId(1),
            generation: Generation(1),
            command: vec!["/bin/sh".to_owned()],
            cwd: "/".into(),
            environment: vec![("EVERPANE_PANE_TOKEN".to_owned(), "ep1.s1.secret".to_owned())],
            size: Size::DEFAULT,
        };
        let logged = format!("{request:?}");
        assert!(logged.contains("EVERPANE_PANE_TOKEN") && !logged.contains("secret"), "{logged}");
    }
}
