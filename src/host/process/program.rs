//! One terminal in its host: the program is forked, seen to its end and reaped here, and its output read on to the
//! tape while there is no gateway to do that.

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::WhenFull;
use crate::host::ending::{end, end_leftovers};
use crate::host::pty::{Master, Program};
use crate::host::start::{Started, start};
use crate::host::tape::Tape;
use crate::host::terminal::WATCH_RETRY;
use crate::host::{Exit, SpawnError, SpawnRequest};

/// How often a PTY is read before the others have their turn.
const READS_PER_TURN: usize = 16;

/// How often it is read at most after its program's end.
const LAST_READS: usize = 256;

/// Who reads PTYs now. One of the two: it is looked at before each read, in the one thread that changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    Gateway,
    Host(WhenFull),
}

/// What of a terminal is passed to gateways.
#[derive(Debug)]
pub(super) struct Tracks {
    pub(super) master: Arc<Master>,
    pub(super) tape: Tape,
    pub(super) tape_fd: OwnedFd,
}

/// A program that was started.
pub(super) struct Running {
    pub(super) tracks: Arc<Tracks>,
    pub(super) program: Program,
    pub(super) note: Option<String>,
}

/// Starts a program in a PTY with a tape of so many bytes.
pub(super) async fn begin(request: SpawnRequest, tape_bytes: usize) -> Result<Running, SpawnError> {
    let no_tape = |error| SpawnError { reason: format!("no memory for its output: {error}") };
    let (tape, tape_fd) = Tape::create(tape_bytes).map_err(no_tape)?;
    let Started { master, program, note } = start(request).await?;
    Ok(Running { tracks: Arc::new(Tracks { master, tape, tape_fd }), program, note })
}

/// Sees a program to its end, and ends it once `killed` is set off; `ended` is told how. Then ends what it left.
pub(super) async fn see_to(
    mut program: Program,
    tracks: Arc<Tracks>,
    killed: Arc<Notify>,
    reads: watch::Receiver<Reads>,
    ended: impl AsyncFnOnce(Exit),
) {
    let exit = tokio::select! {
        exit = end(&mut program, &tracks.master, &killed) => exit,
        never = read_on(&tracks, reads.clone()) => match never {},
    };
    for _ in 0..LAST_READS {
        if tracks.read(*reads.borrow()) != Read::Some {
            break;
        }
    }
    drop(tracks);
    ended(exit).await;
    end_leftovers(program.pid()).await;
}

#[derive(Debug, PartialEq, Eq)]
enum Read {
    Some,
    /// Nothing is there now.
    Nothing,
    /// It is not for us to read, or there is no room, or nobody prints any more.
    Never,
}

impl Tracks {
    fn read(&self, reads: Reads) -> Read {
        match reads {
            Reads::Gateway => return Read::Never,
            Reads::Host(WhenFull::Wait) if !self.tape.has_room() => return Read::Never,
            Reads::Host(_) => {}
        }
        match self.tape.read(usize::MAX, |area| self.master.read(area)) {
            Ok(0) => Read::Never,
            Ok(_) => Read::Some,
            Err(Errno::AGAIN) => Read::Nothing,
            Err(_) => Read::Never,
        }
    }
}

/// Reads a terminal whenever it is the host's turn.
async fn read_on(tracks: &Tracks, mut reads: watch::Receiver<Reads>) -> Infallible {
    loop {
        let whose = *reads.borrow_and_update();
        if whose != Reads::Gateway {
            match tracks.master.watch_output() {
                Ok(watched) => read_watched(tracks, &watched, &reads).await,
                Err(error) => {
                    tracing::warn!("can't watch a PTY for output, looking again: {error}");
                    sleep(WATCH_RETRY).await;
                    continue;
                }
            }
        }
        if reads.changed().await.is_err() {
            // The host ends, and all its tasks with it.
            std::future::pending::<()>().await;
        }
    }
}

/// Reads until there is no more to be read by us for now.
async fn read_watched(tracks: &Tracks, watched: &AsyncFd<Arc<Master>>, reads: &watch::Receiver<Reads>) {
    let mut turned = reads.clone();
    loop {
        for _ in 0..READS_PER_TURN {
            // Apart: what is borrowed must not be held while we wait.
            let read = tracks.read(*reads.borrow());
            match read {
                Read::Some => {}
                Read::Never => return,
                Read::Nothing => {
                    tokio::select! {
                        ready = watched.readable() => match ready {
                            Ok(mut ready) => ready.clear_ready(),
                            Err(_) => return,
                        },
                        _ = turned.changed() => return,
                    }
                }
            }
        }
        tokio::task::yield_now().await;
    }
}
