//! Our standard input and output. Of a terminal, descriptors of our own that never block: a key's way has no thread in
//! it. Anything else, and what a terminal does not take at once, is moved by a thread: it may block, and making it not
//! block would change it for everybody who shares it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, read, write};
use rustix::termios::ttyname;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use crate::host::watch;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 32 << 10;

/// The longest path of a terminal that is looked for, in bytes.
const PATH_BYTES: usize = 64;

/// What comes in, piece by piece; it ends where the input does. What is not taken waits in the system. Needs a runtime
/// around it.
pub(in crate::cli) fn input() -> mpsc::Receiver<Vec<u8>> {
    let (pieces, pieces_rx) = mpsc::channel(1);
    let ours = again(io::stdin(), OFlags::RDONLY);
    match ours.and_then(|ours| watch(ours, Interest::READABLE).ok()) {
        Some(terminal) => drop(tokio::spawn(read_terminal(terminal, pieces))),
        None => drop(thread::spawn(move || read_stdin(&pieces))),
    }
    pieces_rx
}

async fn read_terminal(terminal: AsyncFd<OwnedFd>, pieces: mpsc::Sender<Vec<u8>>) {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let Ok(mut ready) = terminal.readable().await else { return };
        let outcome = ready.try_io(|terminal| Ok(read(terminal, &mut buffer)?));
        let count = match outcome {
            Ok(Ok(count)) => count,
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
            // Not ready after all.
            Err(_) => continue,
            Ok(Err(_)) => return,
        };
        if count == 0 || pieces.send(buffer[..count].to_vec()).await.is_err() {
            return;
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
