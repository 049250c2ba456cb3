//! Reading PTYs: each in a task, or on a thread of its own while its program floods.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustix::io::Errno;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::pty::Master;
use super::tape::Tape;
use super::terminal::{PtyTerminal, WATCH_RETRY, wait_for_room};
use super::{Exit, Sink};
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;
use crate::protocol::MAX_OUTPUT_BYTES;
use crate::protocol::frame::OUTPUT_HEADER;

/// How long output is read on after a program ended, if others go on printing to its terminal.
const DRAIN_FOR: Duration = Duration::from_secs(1);

/// So many full turns in a row make a flood.
const FLOOD_AFTER: u32 = 4;

/// A flood that pauses for this long is over.
const FLOOD_PAUSE: Duration = Duration::from_millis(5);

/// How long a program that printed must pause before what can wait is seen to: whoever types goes first.
const QUIET_AFTER: Duration = Duration::from_millis(10);

/// How many programs may be read on threads of their own at a time.
pub(super) fn floods() -> Arc<Semaphore> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Arc::new(Semaphore::new(cores))
}

/// Where a program's output goes.
#[derive(Clone)]
pub(super) struct Output {
    pub(super) sink: Arc<dyn Sink>,
    pub(super) generation: Generation,
}

impl Output {
    fn read_turn(&self, reader: &mut Reader, master: &Master) -> Turn {
        let (output, turn) = reader.turn(master);
        if let Some(output) = output {
            self.sink.output(self.generation, output);
        }
        turn
    }
}

/// Serves a terminal from its start on: reports its output and the room in it, and once `end` says how its program
/// ended and all that it printed was reported, that too.
pub(super) async fn attend(
    terminal: Arc<PtyTerminal>,
    reader: Reader,
    output: Output,
    floods: Arc<Semaphore>,
    end: impl Future<Output = Exit>,
) {
    terminal.started.notified().await;
    let (ended, left) = (CancellationToken::new(), CancellationToken::new());
    // Set off also when this task is dropped: a thread that reads a flood must end then.
    let _left = left.clone().drop_guard();
    let reading_end = End { ended: ended.clone(), left, read_until: None };
    let mut reading = pin!(read(terminal.clone(), reader, output.clone(), floods, reading_end));
    let mut end = pin!(end);
    let mut read_all = false;
    let exit = loop {
        tokio::select! {
            () = reading.as_mut(), if !read_all => read_all = true,
            exit = end.as_mut() => break exit,
            () = wait_for_room(&terminal) => output.sink.writable(output.generation),
        }
    };
    ended.cancel();
    if !read_all {
        reading.await;
    }
    output.sink.exited(output.generation, exit);
}

/// Reads a PTY until nobody has its other side open, or until its program has `ended` and what it printed is
/// read. A program that prints a little is read in this task, with the fewest hops; one that floods, on a thread
/// of its own, so that reading and sending have a core each.
async fn read(
    terminal: Arc<PtyTerminal>,
    mut reader: Reader,
    output: Output,
    floods: Arc<Semaphore>,
    mut end: End,
) {
    let mut full_turns = 0;
    loop {
        let watched = match terminal.master.watch_output() {
            Ok(watched) => watched,
            Err(error) => {
                tracing::warn!("can't watch a PTY for output, looking again: {error}");
                sleep(WATCH_RETRY).await;
                continue;
            }
        };
        let turn = read_watched(&watched, &mut reader, &output, &mut full_turns, &mut end).await;
        // Unwatched while a thread reads: else each of its reads would wake a worker for nothing.
        drop(watched);
        if turn == Turn::HungUp || (turn == Turn::Drained && end.has_come()) {
            return;
        }
        full_turns = 0;
        let Ok(_thread) = floods.try_acquire() else { continue };
        let (terminal, output) = (terminal.clone(), output.clone());
        let flood = move || read_flood(reader, &terminal.master, &output, end);
        match tokio::task::spawn_blocking(flood).await {
            Ok((back, back_end, Turn::Drained)) => (reader, end) = (back, back_end),
            // A panic in the thread, or the end.
            Ok(_) | Err(_) => return,
        }
    }
}

/// Reads as output comes, until the program floods, ends, or hangs up.
async fn read_watched(
    watched: &AsyncFd<Arc<Master>>,
    reader: &mut Reader,
    output: &Output,
    full_turns: &mut u32,
    end: &mut End,
) -> Turn {
    loop {
        if output.sink.is_full() && !end.has_come() {
            tokio::select! {
                () = output.sink.has_room() => {}
                () = end.ended.cancelled() => {}
            }
        }
        let turn = output.read_turn(reader, watched.get_ref());
        match turn {
            Turn::HungUp => return Turn::HungUp,
            Turn::Drained if end.has_come() => return Turn::Drained,
            Turn::Drained => *full_turns = 0,
            Turn::Full if end.is_over() => return Turn::Drained,
            Turn::Full => {
                *full_turns += 1;
                if *full_turns >= FLOOD_AFTER {
                    return Turn::Full;
                }
                tokio::task::yield_now().await;
                continue;
            }
        }
        tokio::select! {
            ready = more_or_quiet(watched, output) => match ready {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return Turn::HungUp,
            },
            // One more turn, for what the program printed last.
            () = end.ended.cancelled() => {}
        }
    }
}

/// Waits for output, and says so if there is none for a while. Not by letting others go first: where nobody wants to, the
/// runtime wakes another of its threads to look for work, and that at every key.
async fn more_or_quiet<'a>(
    watched: &'a AsyncFd<Arc<Master>>,
    output: &Output,
) -> io::Result<AsyncFdReadyGuard<'a, Arc<Master>>> {
    match timeout(QUIET_AFTER, watched.readable()).await {
        Ok(ready) => ready,
        Err(_) => {
            output.sink.quiet();
            watched.readable().await
        }
    }
}

/// Reads a flooding program on a thread of its own, until it pauses, ends, or hangs up.
fn read_flood(mut reader: Reader, master: &Master, output: &Output, mut end: End) -> (Reader, End, Turn) {
    loop {
        // Before the first turn, too: what filled the sink may be what made a flood of it.
        if output.sink.is_full() && !end.has_come() {
            return (reader, end, Turn::Drained);
        }
        let turn = match output.read_turn(&mut reader, master) {
            Turn::HungUp => Turn::HungUp,
            Turn::Full if !end.is_over() => continue,
            Turn::Drained if !end.has_come() && master.wait_for_output(FLOOD_PAUSE) => continue,
            Turn::Full | Turn::Drained => Turn::Drained,
        };
        return (reader, end, turn);
    }
}

/// Ends the reading of a terminal whose program has ended, also while others print to it for ever. One for all of
/// the reading, whoever does it: else each that takes over would begin to wait anew.
struct End {
    /// Set off when the program has ended.
    ended: CancellationToken,
    /// Set off when nobody wants its output any more.
    left: CancellationToken,
    /// When to read no more, once that was seen.
    read_until: Option<Instant>,
}

impl End {
    fn has_come(&self) -> bool {
        self.ended.is_cancelled() || self.left.is_cancelled()
    }

    fn is_over(&mut self) -> bool {
        let until = || Instant::now() + DRAIN_FOR;
        self.left.is_cancelled()
            || self.has_come() && Instant::now() >= *self.read_until.get_or_insert_with(until)
    }
}

/// What one turn of reading ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing more to read now.
    Drained,
    /// There may be more.
    Full,
    /// No process has the other side open any more.
    HungUp,
}

/// The smallest block that output is read into: an idle shell needs little.
const SMALL_BLOCK: usize = 4 << 10;

/// Reads a master in turns of up to [`MAX_OUTPUT_BYTES`], into blocks that the output log keeps as they are.
pub(super) struct Reader {
    block: BytesMut,
    /// What is read into first, and how much of it was put into blocks.
    tape: Option<(Arc<Tape>, u64)>,
    /// The size of the next block; follows how much is printed.
    block_size: usize,
}

impl Reader {
    pub(super) fn new() -> Reader {
        Reader { block: BytesMut::new(), tape: None, block_size: SMALL_BLOCK }
    }

    /// One that gives what is on the tape from `from` on, then reads on to it.
    pub(super) fn on_tape(tape: Arc<Tape>, from: u64) -> Reader {
        Reader { tape: Some((tape, from)), ..Reader::new() }
    }

    /// Reads what is there. The kernel hands out at most one page at a time, so one turn takes many reads:
    /// one large frame costs a viewer a fraction of many small ones.
    fn turn(&mut self, master: &Master) -> (Option<OutputBuf>, Turn) {
        if self.block.len() < OUTPUT_HEADER + self.block_size / 4 {
            self.block = BytesMut::zeroed(OUTPUT_HEADER + self.block_size);
        }
        let mut filled = OUTPUT_HEADER;
        let turn = loop {
            if filled == self.block.len() {
                break Turn::Full;
            }
            match self.read(master, filled) {
                Ok(0) => break Turn::HungUp,
                Ok(count) => filled += count,
                Err(Errno::AGAIN) => break Turn::Drained,
                // Linux reports the close of the last other side as an input/output error.
                Err(_) => break Turn::HungUp,
            }
        };
        self.block_size = (filled * 4).next_power_of_two().clamp(SMALL_BLOCK, MAX_OUTPUT_BYTES);
        if let Some((tape, at)) = &self.tape {
            tape.give(*at);
        }
        let output =
            (filled > OUTPUT_HEADER).then(|| OutputBuf::with_header_room(self.block.split_to(filled)));
        (output, turn)
    }

    fn read(&mut self, master: &Master, filled: usize) -> Result<usize, Errno> {
        let room = &mut self.block[filled..];
        let Some((tape, at)) = &mut self.tape else { return master.read(room) };
        if *at >= tape.head() {
            tape.read(room.len(), |area| master.read(area))?;
        }
        let count = tape.copy(*at, room);
        *at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::host::{HasRoom, Unwritten};

    /// A sink that one report fills.
    #[derive(Default)]
    struct Narrow {
        full: AtomicBool,
        printed: Mutex<Vec<u8>>,
    }

    impl Sink for Narrow {
        fn output(&self, _: Generation, output: OutputBuf) {
            assert!(!self.full.swap(true, Ordering::Relaxed), "nothing is reported to a full sink");
            self.printed.lock().unwrap().extend_from_slice(output.payload());
        }

        fn quiet(&self) {}

        fn is_full(&self) -> bool {
            self.full.load(Ordering::Relaxed)
        }

        fn has_room(&self) -> HasRoom<'_> {
            self.full.store(false, Ordering::Relaxed);
            Box::pin(async {})
        }

        fn writable(&self, _: Generation) {}

        fn unwritten(&self, _: Generation, _: Unwritten) {}

        fn exited(&self, _: Generation, _: Exit) {}
    }

    #[tokio::test]
    async fn a_flood_is_read_turn_by_turn_as_its_sink_has_room() {
        let (reading, mut writing) = io::pipe().unwrap();
        let printed: Vec<u8> = (0..3 * SMALL_BLOCK).map(|at| at as u8).collect();
        writing.write_all(&printed).unwrap();
        drop(writing);
        let master = Master::new(reading.into());
        let sink = Arc::new(Narrow::default());
        // By the turn that made a flood of it.
        sink.full.store(true, Ordering::Relaxed);
        let output = Output { sink: sink.clone(), generation: Generation(1) };
        let mut reader = Reader::new();
        loop {
            let end =
                End { ended: CancellationToken::new(), left: CancellationToken::new(), read_until: None };
            let turn;
            (reader, _, turn) = read_flood(reader, &master, &output, end);
            if turn == Turn::HungUp {
                break;
            }
            sink.has_room().await;
        }
        assert_eq!(*sink.printed.lock().unwrap(), printed);
    }
}
