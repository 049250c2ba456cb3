//! Our standard input and output, each moved by a thread of its own: they may block, and making them not block would
//! change them for everybody who shares them.

use std::io::{self, Read, Write};
use std::thread;

use tokio::sync::mpsc;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 32 << 10;

/// What comes in, piece by piece; it ends where the input does. What is not taken waits in the system.
pub(in crate::cli) fn input() -> mpsc::Receiver<Vec<u8>> {
    let (pieces, pieces_rx) = mpsc::channel(1);
    thread::spawn(move || {
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
    });
    pieces_rx
}

/// What goes out, one piece at a time.
pub(in crate::cli) struct Output {
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
        Output { pieces, written: written_rx, busy: false }
    }

    /// Whether a piece can be written now.
    pub(in crate::cli) fn is_idle(&self) -> bool {
        !self.busy
    }

    /// Begins to write a piece. To be called while idle.
    pub(in crate::cli) fn write(&mut self, piece: Vec<u8>) {
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
