//! Our standard input and output. Of a terminal, descriptors of our own that never block: a key's way has no thread in
//! it. Anything else, and what a terminal does not take at once, is moved by a thread: it may block, and making it not
//! block would change it for everybody who shares it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::{Errno, ioctl_fionread, read, write};
use rustix::termios::ttyname;
use tokio::io::Interest;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::host;

/// How soon a terminal is tried again when it can't be watched, for want of descriptors.
const WATCH_RETRY: Duration = Duration::from_millis(50);

/// How much is read at once, in bytes.
const READ_BYTES: usize = 32 << 10;

/// The longest path of a terminal that is looked for, in bytes.
const PATH_BYTES: usize = 64;

/// What comes in, piece by piece; it ends where the input does. What is not taken waits in the system.
pub(in crate::cli) struct Input {
    pieces: mpsc::Receiver<Vec<u8>>,
    /// Whether it is read; none if nobody can be told to stop.
    is_read: Option<watch::Sender<bool>>,
}

impl Input {
    /// Begins to read. Needs a runtime around it.
    pub(in crate::cli) fn new() -> Input {
        let (pieces, pieces_rx) = mpsc::channel(1);
        let is_read = again(io::stdin(), OFlags::RDONLY).map(|terminal| {
            let (is_read, is_read_rx) = watch::channel(true);
            tokio::spawn(read_terminal(Arc::new(terminal), pieces.clone(), is_read_rx));
            is_read
        });
        if is_read.is_none() {
            thread::spawn(move || read_stdin(&pieces));
        }
        Input { pieces: pieces_rx, is_read }
    }

    /// The next piece; none at the end. May be dropped and asked for again.
    pub(in crate::cli) async fn recv(&mut self) -> Option<Vec<u8>> {
        self.pieces.recv().await
    }

    /// Whether nothing is left of what was read.
    pub(super) fn is_taken(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether something was typed that nobody has read.
    pub(super) fn has_unread(&self) -> bool {
        ioctl_fionread(io::stdin()).is_ok_and(|unread| unread > 0)
    }

    /// Leaves to others what comes from now on, or no longer. Whether it can be left to them.
    pub(super) fn leave_to_others(&self, is_left: bool) -> bool {
        self.is_read.as_ref().is_some_and(|is_read| is_read.send(!is_left).is_ok())
    }
}

async fn read_terminal(
    terminal: Arc<OwnedFd>,
    pieces: mpsc::Sender<Vec<u8>>,
    mut is_read: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; READ_BYTES];
    while is_read.wait_for(|is_read| *is_read).await.is_ok() {
        // Unwatched while others read: each key would wake us.
        let Ok(watched) = host::watch(terminal.clone(), Interest::READABLE) else {
            sleep(WATCH_RETRY).await;
            continue;
        };
        while *is_read.borrow_and_update() {
            // Nothing is read that could not be passed on at once.
            let Ok(room) = pieces.reserve().await else { return };
            let mut ready = tokio::select! {
                biased;
                _ = is_read.changed() => continue,
                ready = watched.readable() => match ready {
                    Ok(ready) => ready,
                    Err(_) => return,
                },
            };
            match ready.try_io(|terminal| Ok(read(terminal, &mut buffer)?)) {
                Ok(Ok(0)) => return,
                Ok(Ok(count)) => room.send(buffer[..count].to_vec()),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                // Not ready after all.
                Err(_) => {}
                Ok(Err(_)) => return,
            }
        }
    }
}

fn read_stdin(pieces: &mpsc::Sender<Vec<u8>>) {
    let mut stdin = io::stdin().lock();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match stdin.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) if pieces.blocking_send(buffer[..count].to_vec()).is_ok() => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

/// What goes out, one piece at a time.
pub(in crate::cli) struct Output {
    /// The terminal, if it is one.
    terminal: Option<OwnedFd>,
    pieces: mpsc::Sender<Vec<u8>>,
    written: mpsc::Receiver<io::Result<()>>,
    /// Whether a piece is being written.
    busy: bool,
}

impl Output {
    pub(in crate::cli) fn new() -> Output {
        let (pieces, mut pieces_rx) = mpsc::channel::<Vec<u8>>(1);
        let (written, written_rx) = mpsc::channel(1);
        thread::spawn(move || {
            let mut stdout = io::stdout();
            while let Some(piece) = pieces_rx.blocking_recv() {
                let outcome = stdout.write_all(&piece).and_then(|()| stdout.flush());
                if written.blocking_send(outcome).is_err() {
                    return;
                }
            }
        });
        let terminal = again(io::stdout(), OFlags::WRONLY);
        Output { terminal, pieces, written: written_rx, busy: false }
    }

    /// Whether a piece can be written now.
    pub(in crate::cli) fn is_idle(&self) -> bool {
        !self.busy
    }

    /// Begins to write a piece. To be called while idle.
    pub(in crate::cli) fn write(&mut self, mut piece: Vec<u8>) {
        if let Some(terminal) = &self.terminal {
            piece.drain(..write_some(terminal, &piece));
        }
        if !piece.is_empty() {
            // There is room for one.
            self.busy = self.pieces.try_send(piece).is_ok();
        }
    }

    /// Waits until everything is written. May be dropped and asked for again.
    ///
    /// # Errors
    /// When it can't be.
    pub(in crate::cli) async fn idle(&mut self) -> io::Result<()> {
        if self.busy {
            let outcome = self.written.recv().await;
            self.busy = false;
            outcome.unwrap_or(Err(io::ErrorKind::BrokenPipe.into()))?;
        }
        Ok(())
    }
}

/// The device that our input and our output are, if they are the same terminal.
pub(super) fn device() -> Option<u64> {
    let input = ttyname(io::stdin(), Vec::with_capacity(PATH_BYTES)).ok()?;
    let is_both = ttyname(io::stdout(), Vec::with_capacity(PATH_BYTES)).is_ok_and(|output| output == input);
    is_both.then(|| fstat(io::stdin()).ok().map(|status| status.st_rdev))?
}

/// Writes what is taken at once: how many bytes. What goes wrong is found by whoever writes the rest.
fn write_some(terminal: &OwnedFd, piece: &[u8]) -> usize {
    let mut done = 0;
    while done < piece.len() {
        match write(terminal, &piece[done..]) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(_) => break,
        }
    }
    done
}

/// The terminal that `shared` is, opened anew: what is set for this descriptor is nobody else's.
fn again(shared: impl AsFd, way: OFlags) -> Option<OwnedFd> {
    let path = ttyname(shared, Vec::with_capacity(PATH_BYTES)).ok()?;
    open(path, way | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).ok()
}
