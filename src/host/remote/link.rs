//! What the gateway knows of a node's link: which connection counts, the terminals, what was asked. Pure; what it wants
//! told to others it returns as [`Report`]s, to be delivered when it is no longer locked.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::frame::{Ended, FrameError, Hello, KeptTerminal, MAX_FRAME_BYTES, Number, ToGateway, ToNode};
use super::remote_terminal::RemoteState;
use super::turns::{Load, Turns};
use super::{MAX_CHECKPOINTS_BYTES, MAX_QUESTIONS, MAX_TERMINALS};
use crate::host::directories::Listing;
use crate::host::{Exit, Kept, Sink, SpawnError, SpawnRequest};
use crate::ids::PaneId;
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;

/// No gateway gets as far as this in numbering terminals.
const LAST_NUMBER: u32 = 1 << 31;

/// How far the link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nobody is connected.
    Down,
    /// The node says what it kept.
    Greeting,
    /// Everything may be said.
    Up,
}

/// What a sink is to be told.
pub(super) enum Report {
    Output { number: Number, sink: Arc<dyn Sink>, generation: Generation, output: OutputBuf },
    Writable { sink: Arc<dyn Sink>, generation: Generation },
    Ended { sink: Arc<dyn Sink>, generation: Generation, perhaps: usize, not: Vec<u8>, exit: Exit },
}

/// What came of a frame.
pub(super) enum Outcome {
    Nothing,
    Report(Report),
    /// The node has said what it kept; some terminals that we knew are not among it.
    Ready {
        kept: Vec<Kept>,
        lost: Vec<Report>,
    },
    Sleeping,
}

/// The answer to a spawn: what people should know, or why there is none.
pub(super) type Spawn = Result<Option<String>, SpawnError>;

struct Starting {
    pane: PaneId,
    generation: Generation,
    sink: Arc<dyn Sink>,
    answer: oneshot::Sender<Spawn>,
}

/// See the module.
pub(super) struct Link {
    hello: Hello,
    /// Counts connections; whatever an older one says changes nothing.
    epoch: u64,
    phase: Phase,
    /// Wakes the present connection's outbound end.
    pub(super) wake: Arc<Notify>,
    known: HashMap<Number, RemoteState>,
    /// What the node kept and nobody has resumed or discarded yet.
    kept: BTreeMap<Number, KeptTerminal>,
    starting: HashMap<Number, Starting>,
    questions: HashMap<u32, oneshot::Sender<Result<Listing, String>>>,
    /// Frames that belong to no terminal that we have.
    control: VecDeque<Bytes>,
    turns: Turns,
    next_number: u32,
    next_question: u32,
}

impl Link {
    pub(super) fn new(hello: Hello) -> Link {
        Link {
            hello,
            epoch: 0,
            phase: Phase::Down,
            wake: Arc::new(Notify::new()),
            known: HashMap::new(),
            kept: BTreeMap::new(),
            starting: HashMap::new(),
            questions: HashMap::new(),
            control: VecDeque::new(),
            turns: Turns::default(),
            next_number: 1,
            next_question: 1,
        }
    }

    // Connections.

    /// A new connection takes over; returns what it is called.
    pub(super) fn connect(&mut self) -> u64 {
        self.disconnect();
        self.wake = Arc::new(Notify::new());
        self.epoch += 1;
        self.phase = Phase::Greeting;
        self.control.push_back(ToNode::Hello(self.hello.clone()).encode());
        self.epoch
    }

    /// A connection is gone; an older one changes nothing.
    pub(super) fn hang_up(&mut self, epoch: u64) {
        if self.is_present(epoch) {
            self.disconnect();
        }
    }

    /// Forgets all terminals, and ends the connection.
    pub(super) fn leave(&mut self) {
        self.disconnect();
        self.known.clear();
    }

    pub(super) fn is_present(&self, epoch: u64) -> bool {
        self.epoch == epoch && self.phase != Phase::Down
    }

    fn disconnect(&mut self) {
        self.phase = Phase::Down;
        self.control.clear();
        self.turns.clear();
        self.kept.clear();
        self.questions.clear();
        // Whoever waits for an answer learns from the end of its channel that none comes.
        self.starting.clear();
        self.known.values_mut().for_each(RemoteState::unlink);
        self.wake.notify_one();
    }

    /// The next frame for the node.
    pub(super) fn next_frame(&mut self) -> Option<Bytes> {
        if let Some(frame) = self.control.pop_front() {
            return Some(frame);
        }
        loop {
            let number = self.turns.pop()?;
            let Some(terminal) = self.known.get_mut(&number) else { continue };
            if let Some(frame) = terminal.next(number) {
                self.turns.push(number, Load::Bulk);
                return Some(frame);
            }
        }
    }

    fn send(&mut self, frame: &ToNode) {
        self.control.push_back(frame.encode());
        self.wake.notify_one();
    }

    // What the hub asks.

    pub(super) fn spawn(
        &mut self,
        request: SpawnRequest,
        sink: Arc<dyn Sink>,
    ) -> Result<(Number, oneshot::Receiver<Spawn>), SpawnError> {
        let refused = |reason: &str| Err(SpawnError { reason: reason.to_owned() });
        if self.phase != Phase::Up {
            return refused("the node is not connected");
        }
        if self.known.len() + self.starting.len() >= MAX_TERMINALS {
            return refused("the node has as many terminals as it may");
        }
        let number = Number(self.next_number);
        let (pane, generation) = (request.pane, request.generation);
        let frame = ToNode::Spawn { number, request }.encode();
        if frame.len() > MAX_FRAME_BYTES {
            return refused("the program's arguments and environment are too long");
        }
        self.next_number += 1;
        self.control.push_back(frame);
        self.wake.notify_one();
        let (answer, answered) = oneshot::channel();
        self.starting.insert(number, Starting { pane, generation, sink, answer });
        Ok((number, answered))
    }

    /// The number by which the hub goes on with a terminal.
    pub(super) fn resume(
        &mut self,
        kept: &Kept,
        from: u64,
        sink: Arc<dyn Sink>,
        now: Instant,
    ) -> Option<Number> {
        let number = self.kept_number(kept)?;
        if !self.kept[&number].kept.reaches(from) {
            return None;
        }
        let kept = self.kept.remove(&number)?;
        let terminal =
            self.known.entry(number).or_insert_with(|| RemoteState::adopted(&kept, sink.clone(), now));
        terminal.resume(&kept, from, sink);
        Some(number)
    }

    pub(super) fn discard(&mut self, kept: &Kept) {
        if let Some(number) = self.kept_number(kept) {
            self.kept.remove(&number);
            self.known.remove(&number);
            self.send(&ToNode::Discard { number });
        }
    }

    fn kept_number(&self, kept: &Kept) -> Option<Number> {
        let is_it =
            |held: &KeptTerminal| (held.kept.pane, held.kept.generation) == (kept.pane, kept.generation);
        self.kept.iter().find(|(_, held)| is_it(held)).map(|(number, _)| *number)
    }

    pub(super) fn ask(&mut self, path: String) -> Option<oneshot::Receiver<Result<Listing, String>>> {
        self.questions.retain(|_, answer| !answer.is_closed());
        if self.phase != Phase::Up || self.questions.len() >= MAX_QUESTIONS {
            return None;
        }
        let question = self.next_question;
        self.next_question = self.next_question.wrapping_add(1);
        let (answer, answered) = oneshot::channel();
        self.questions.insert(question, answer);
        self.send(&ToNode::Directories { question, path });
        Some(answered)
    }

    /// Does something to a terminal, and sends what is owed after it. `None` if there is no such terminal any more.
    pub(super) fn at<R>(&mut self, number: Number, act: impl FnOnce(&mut RemoteState) -> R) -> Option<R> {
        let result = self.known.get_mut(&number).map(act)?;
        if self.phase == Phase::Up {
            self.turns.push(number, Load::Small);
            self.wake.notify_one();
        }
        Some(result)
    }

    pub(super) fn look_at<R>(
        &self,
        number: Number,
        look: impl FnOnce(&RemoteState, &Hello) -> R,
    ) -> Option<R> {
        self.known.get(&number).map(|terminal| look(terminal, &self.hello))
    }

    /// For how long none of the terminals has been used; `None` if there are none.
    pub(super) fn idle(&self, now: Instant) -> Option<Duration> {
        self.known.values().map(|terminal| terminal.idle(now)).min()
    }

    // What the node says.

    pub(super) fn take(&mut self, frame: ToGateway, now: Instant) -> Result<Outcome, FrameError> {
        if self.phase == Phase::Greeting {
            return match frame {
                ToGateway::Kept(kept) => self.add_kept(*kept).map(|()| Outcome::Nothing),
                ToGateway::Ready => Ok(self.ready()),
                ToGateway::Sleeping => Ok(Outcome::Sleeping),
                _ => Err(FrameError::OutOfTurn { what: "the node has not said what it kept" }),
            };
        }
        let report = match frame {
            ToGateway::Kept(_) | ToGateway::Ready => {
                return Err(FrameError::OutOfTurn { what: "the node has said what it kept" });
            }
            ToGateway::Sleeping => return Ok(Outcome::Sleeping),
            ToGateway::Started { number, note } => {
                self.started(number, note, now);
                None
            }
            ToGateway::Failed { number, reason } => {
                if let Some(starting) = self.starting.remove(&number) {
                    let _ = starting.answer.send(Err(SpawnError { reason }));
                }
                None
            }
            ToGateway::Output { number, offset, output } => self.output(number, offset, output, now)?,
            ToGateway::Applied { number, offset } => self.applied(number, offset)?,
            ToGateway::Facts { number, facts } => {
                if let Some(terminal) = self.known.get_mut(&number) {
                    terminal.learn(facts, now);
                }
                None
            }
            ToGateway::Exited { number, ended } => self.exited(number, ended)?,
            ToGateway::Directories { question, answer } => {
                if let Some(waiting) = self.questions.remove(&question) {
                    let _ = waiting.send(answer);
                }
                None
            }
        };
        Ok(report.map_or(Outcome::Nothing, Outcome::Report))
    }

    fn add_kept(&mut self, new: KeptTerminal) -> Result<(), FrameError> {
        let doubled = self.kept.contains_key(&new.number) || self.kept_number(&new.kept).is_some();
        let checkpoint = |kept: &KeptTerminal| kept.kept.checkpoint.as_ref().map_or(0, |one| one.bytes.len());
        let checkpoints: usize = self.kept.values().map(checkpoint).sum::<usize>() + checkpoint(&new);
        if new.number.0 >= LAST_NUMBER {
            return Err(FrameError::OutOfTurn { what: "no terminal has such a number" });
        }
        if doubled || self.kept.len() >= MAX_TERMINALS || checkpoints > MAX_CHECKPOINTS_BYTES {
            return Err(FrameError::OutOfTurn { what: "it keeps a terminal twice, or too much" });
        }
        self.kept.insert(new.number, new);
        Ok(())
    }

    /// The node has said all: what we knew and it does not, ended.
    fn ready(&mut self) -> Outcome {
        self.phase = Phase::Up;
        let gone: Vec<Number> = self.known.keys().filter(|number| !self.is_kept(**number)).copied().collect();
        let lost = gone.into_iter().filter_map(|number| self.lose(number)).collect();
        for (number, kept) in &mut self.kept {
            self.next_number = self.next_number.max(number.0 + 1);
            if let Some(terminal) = self.known.get(number) {
                // What was given, but never arrived, is new to us.
                kept.kept.given = kept.kept.given.min(terminal.printed());
            }
        }
        Outcome::Ready { kept: self.kept.values().map(|kept| kept.kept.clone()).collect(), lost }
    }

    fn is_kept(&self, number: Number) -> bool {
        let (terminal, kept) = (&self.known[&number], self.kept.get(&number));
        kept.is_some_and(|kept| {
            (kept.kept.pane, kept.kept.generation) == (terminal.pane, terminal.generation)
        })
    }

    fn lose(&mut self, number: Number) -> Option<Report> {
        let RemoteState { sink, generation, input, .. } = self.known.remove(&number)?;
        let forgotten = input.forgotten();
        let (perhaps, not) = (forgotten.perhaps, forgotten.not);
        Some(Report::Ended { sink, generation, perhaps, not, exit: Exit::Unknown })
    }

    fn started(&mut self, number: Number, note: Option<String>, now: Instant) {
        let wanted = self.starting.remove(&number).filter(|starting| !starting.answer.is_closed());
        let Some(Starting { pane, generation, sink, answer }) = wanted else {
            // Never asked for, or nobody waits for it any more. What we have is not touched by a mere claim.
            if !self.known.contains_key(&number) {
                self.send(&ToNode::Discard { number });
            }
            return;
        };
        self.known.insert(number, RemoteState::started(pane, generation, sink, now));
        if answer.send(Ok(note)).is_err() {
            self.known.remove(&number);
            self.send(&ToNode::Discard { number });
        }
    }

    /// The terminal, if it may report; late words about one that we have no more are none of anybody's business.
    fn reporting(&mut self, number: Number) -> Option<&mut RemoteState> {
        self.known.get_mut(&number).filter(|terminal| terminal.is_reporting())
    }

    fn output(
        &mut self,
        number: Number,
        offset: u64,
        output: OutputBuf,
        now: Instant,
    ) -> Result<Option<Report>, FrameError> {
        let hello = &self.hello;
        let terminal = self.known.get_mut(&number).filter(|terminal| terminal.is_reporting());
        let Some(terminal) = terminal else { return Ok(None) };
        let new = terminal.output(number, offset, output, hello, now)?;
        let (sink, generation) = (terminal.sink.clone(), terminal.generation);
        Ok(new.map(|output| Report::Output { number, sink, generation, output }))
    }

    fn applied(&mut self, number: Number, offset: u64) -> Result<Option<Report>, FrameError> {
        let Some(terminal) = self.reporting(number) else { return Ok(None) };
        terminal.input.applied(offset)?;
        let writable = terminal.blocked && terminal.input.has_room();
        terminal.blocked &= !writable;
        let (sink, generation) = (terminal.sink.clone(), terminal.generation);
        Ok(writable.then_some(Report::Writable { sink, generation }))
    }

    fn exited(&mut self, number: Number, ended: Ended) -> Result<Option<Report>, FrameError> {
        let Some(terminal) = self.reporting(number) else { return Ok(None) };
        if ended.printed != terminal.printed() {
            let expected = terminal.printed();
            return Err(FrameError::Gap { number, expected, found: ended.printed });
        }
        let Some(RemoteState { sink, generation, input, .. }) = self.known.remove(&number) else {
            return Ok(None);
        };
        self.send(&ToNode::Discard { number });
        let not = [&ended.unwritten[..], &input.after(ended.applied)].concat();
        Ok(Some(Report::Ended { sink, generation, perhaps: ended.perhaps, not, exit: ended.exit }))
    }

    /// The sink of a terminal took output, or has room again.
    pub(super) fn took_output(&mut self, number: Number, sink: &Arc<dyn Sink>) {
        let terminal = self.known.get_mut(&number).filter(|terminal| Arc::ptr_eq(&terminal.sink, sink));
        let Some(terminal) = terminal else { return };
        terminal.sink_full = false;
        if terminal.took_output(&self.hello) {
            self.turns.push(number, Load::Small);
            self.wake.notify_one();
        }
    }

    /// The sink of a terminal is full. Whether somebody has to wait for it: nobody does yet. A sink from before the
    /// terminal was resumed is nobody's: who waits for it would keep the wait for the new one from being begun.
    pub(super) fn sink_is_full(&mut self, number: Number, sink: &Arc<dyn Sink>) -> bool {
        let terminal = self.known.get_mut(&number).filter(|terminal| Arc::ptr_eq(&terminal.sink, sink));
        terminal.is_some_and(|terminal| !std::mem::replace(&mut terminal.sink_full, true))
    }
}
