//! The gateway's end of the link to one node; it lives across connections.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::clamped_ring;
use super::frame::{FrameError, Hello, Number, ToGateway};
use super::link::{Link, Outcome, Report};
use crate::geometry::Size;
use crate::host::directories::Listing;
use crate::host::{
    Checkpoint, Due, Exit, Host, Kept, Sink, SpawnError, SpawnRequest, Spawned, Spawning, Terminal, Unwritten,
};
use crate::pane::respawn::Generation;
use crate::protocol::MAX_OUTPUT_BYTES;

/// The PTYs of one node, whatever connection leads to it.
///
/// The node's word about its terminals is reported in order, by whoever calls [`Inbound::take`], under a lock of its own
/// that is taken before any other: what an older connection was about to report comes before the newer one's first word,
/// or not at all. No other method reports anything to a sink.
#[derive(Debug)]
pub struct RemoteHost {
    shared: Arc<Shared>,
}

struct Shared {
    /// Held while a frame is taken and reported.
    delivering: Mutex<()>,
    link: Mutex<Link>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of a frame from the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Nothing for the owner of the connection.
    Nothing,
    /// The node has said what it kept, and takes requests from now on. Each terminal is to be resumed or discarded. What
    /// the gateway had of this node and is not among them was reported to have ended.
    Ready(Vec<Kept>),
    /// The node says that it will be gone for a while.
    Sleeping,
}

impl RemoteHost {
    /// Of a node that is not connected yet. What `hello` holds it is told at each connection.
    #[must_use]
    pub fn new(mut hello: Hello) -> Arc<RemoteHost> {
        hello.ring_bytes = clamped_ring(hello.ring_bytes);
        let link = Mutex::new(Link::new(hello));
        Arc::new(RemoteHost { shared: Arc::new(Shared { delivering: Mutex::new(()), link }) })
    }

    /// The two ends of a new connection, which supersedes an older one. When either end is dropped, it is over.
    #[must_use]
    pub fn connect(&self) -> (Inbound, Outbound) {
        let epoch = self.shared.link().connect();
        let end = || End { shared: self.shared.clone(), epoch };
        (Inbound { end: end() }, Outbound { end: end() })
    }

    /// The folders in a folder of the node; an empty path is where it would start a program, or else
    /// the root that it shows.
    ///
    /// # Errors
    /// When the node can't show it, or is not there to be asked; for people.
    pub async fn directories(&self, path: String) -> Result<Listing, String> {
        let asked = self.shared.link().ask(path);
        let Some(answer) = asked else {
            return Err("the node is not connected, or has not answered many such questions yet".to_owned());
        };
        answer.await.unwrap_or_else(|_| Err("the connection to the node was lost".to_owned()))
    }

    /// For how long none of the node's terminals has been used; `None` if it has none.
    #[must_use]
    pub fn idle(&self, now: Instant) -> Option<Duration> {
        self.shared.link().idle(now)
    }

    /// Lets go of all terminals, and of their sinks without a word: the node keeps them for the gateway's next run. Ends
    /// the connection, as it would have to be greeted anew.
    pub fn leave(&self) {
        self.shared.link().leave();
    }

    fn terminal(&self, number: Number, generation: Generation, sink: Arc<dyn Sink>) -> Arc<dyn Terminal> {
        let sink = Mutex::new(Some(sink));
        Arc::new(RemoteTerminal { shared: self.shared.clone(), number, generation, sink })
    }
}

/// One end of a connection.
#[derive(Debug)]
struct End {
    shared: Arc<Shared>,
    epoch: u64,
}

impl Drop for End {
    fn drop(&mut self) {
        self.shared.link().hang_up(self.epoch);
    }
}

/// Takes the frames of one connection.
#[derive(Debug)]
pub struct Inbound {
    end: End,
}

impl Inbound {
    /// Takes a frame from the node. Of a superseded connection it changes nothing.
    ///
    /// # Errors
    /// When it makes no sense. The connection is to be closed then.
    pub fn take(&mut self, frame: Bytes) -> Result<Taken, FrameError> {
        let shared = &self.end.shared;
        let _delivering = shared.delivering.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = {
            let mut link = shared.link();
            if !link.is_present(self.end.epoch) {
                return Ok(Taken::Nothing);
            }
            link.take(ToGateway::parse(frame)?, Instant::now())?
        };
        Ok(match outcome {
            Outcome::Nothing => Taken::Nothing,
            Outcome::Sleeping => Taken::Sleeping,
            Outcome::Report(report) => {
                deliver(shared, report);
                Taken::Nothing
            }
            Outcome::Ready { kept, lost } => {
                lost.into_iter().for_each(|report| deliver(shared, report));
                Taken::Ready(kept)
            }
        })
    }
}

fn deliver(shared: &Arc<Shared>, report: Report) {
    match report {
        Report::Output { number, sink, generation, output } => {
            // A node that has more at hand sends more at a time.
            let quiet = output.payload().len() < MAX_OUTPUT_BYTES / 4;
            sink.output(generation, output);
            if quiet {
                sink.quiet();
            }
            acknowledge(shared, number, sink);
        }
        Report::Writable { sink, generation } => sink.writable(generation),
        Report::Ended { sink, generation, perhaps, not, exit } => {
            if perhaps > 0 {
                sink.unwritten(generation, Unwritten::Perhaps(perhaps));
            }
            if !not.is_empty() {
                sink.unwritten(generation, Unwritten::Not(not));
            }
            sink.exited(generation, exit);
        }
    }
}

/// Lets the node know that output was taken, as soon as the sink has room for more.
fn acknowledge(shared: &Arc<Shared>, number: Number, sink: Arc<dyn Sink>) {
    if !sink.is_full() {
        return shared.link().took_output(number, &sink);
    }
    if shared.link().sink_is_full(number, &sink) {
        let shared = Arc::downgrade(shared);
        tokio::spawn(async move {
            sink.has_room().await;
            if let Some(shared) = shared.upgrade() {
                shared.link().took_output(number, &sink);
            }
        });
    }
}

/// Gives the frames that one connection is to carry.
#[derive(Debug)]
pub struct Outbound {
    end: End,
}

impl Outbound {
    /// The next frame, once there is one; `None` when the connection was superseded or is over. Nothing is lost when
    /// this is dropped unfinished.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let wake = {
                let mut link = self.end.shared.link();
                if !link.is_present(self.end.epoch) {
                    return None;
                }
                if let Some(frame) = link.next_frame() {
                    return Some(frame);
                }
                link.wake.clone()
            };
            wake.notified().await;
        }
    }
}

impl Host for RemoteHost {
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning {
        let host = RemoteHost { shared: self.shared.clone() };
        Box::pin(async move {
            let generation = request.generation;
            let asked = host.shared.link().spawn(request, sink.clone());
            let (number, answer) = asked?;
            let lost = SpawnError { reason: "the connection to the node was lost".to_owned() };
            let note = answer.await.unwrap_or(Err(lost))?;
            Ok(Spawned { terminal: host.terminal(number, generation, sink), note })
        })
    }

    fn resume(&self, kept: &Kept, from: u64, sink: Arc<dyn Sink>) -> Option<Arc<dyn Terminal>> {
        let number = self.shared.link().resume(kept, from, sink.clone(), Instant::now())?;
        Some(self.terminal(number, kept.generation, sink))
    }

    fn discard(&self, kept: &Kept) {
        self.shared.link().discard(kept);
    }

    fn outlives(&self) -> bool {
        true
    }
}

/// A PTY of a node. What it tells of its program is what the node last said.
struct RemoteTerminal {
    shared: Arc<Shared>,
    number: Number,
    generation: Generation,
    /// Until it is started.
    sink: Mutex<Option<Arc<dyn Sink>>>,
}

impl fmt::Debug for RemoteTerminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteTerminal").field(&self.number.0).finish()
    }
}

impl RemoteTerminal {
    fn facts<R: Default>(&self, look: impl FnOnce(&super::frame::Facts) -> R) -> R {
        self.shared.link().look_at(self.number, |terminal, _| look(&terminal.facts)).unwrap_or_default()
    }
}

impl Terminal for RemoteTerminal {
    fn start(&self) {
        let sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner).take();
        let known = self.shared.link().at(self.number, |terminal| terminal.start());
        if let (None, Some(sink)) = (known, sink) {
            // It was lost before anybody knew that it was there. Whoever starts it may hold locks that a sink takes.
            let generation = self.generation;
            tokio::spawn(async move { sink.exited(generation, Exit::Unknown) });
        }
    }

    fn write(&self, input: &[u8]) -> usize {
        let now = Instant::now();
        self.shared.link().at(self.number, |terminal| terminal.write(input, now)).unwrap_or(0)
    }

    fn interrupt(&self, key: u8) -> bool {
        self.shared.link().at(self.number, |terminal| terminal.interrupt(key)).unwrap_or(false)
    }

    fn interrupt_keys(&self) -> [u8; 3] {
        self.facts(|facts| facts.interrupt_keys)
    }

    fn resize(&self, size: Size) {
        self.shared.link().at(self.number, |terminal| terminal.resize(size));
    }

    fn kill(&self) {
        self.shared.link().at(self.number, |terminal| terminal.kill());
    }

    fn reads_raw(&self) -> bool {
        self.facts(|facts| facts.raw)
    }

    fn cwd(&self) -> Option<PathBuf> {
        self.facts(|facts| facts.cwd.clone())
    }

    fn foreground(&self) -> Option<String> {
        self.facts(|facts| facts.foreground.clone())
    }

    fn checkpoint_due(&self) -> Due {
        let due = self.shared.link().look_at(self.number, |terminal, hello| terminal.checkpoint_due(hello));
        due.unwrap_or(Due::Never)
    }

    fn keep(&self, checkpoint: Checkpoint) {
        self.shared.link().at(self.number, |terminal| terminal.keep(checkpoint));
    }
}
