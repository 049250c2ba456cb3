//! What a node knows of its link: which connection counts, whose the terminals are, what the gateway is to be told.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;

use super::frame::{Facts, FrameError, Hello, MAX_FRAME_BYTES, Number, ToGateway, ToNode, WhenFull};
use super::hosted::Hosted;
use super::ring::Spare;
use super::turns::{Load, Turns};
use super::{MAX_CHECKPOINTS_BYTES, MAX_QUESTIONS, MAX_TERMINALS, RING_BYTES, clamped_ring};
use crate::host::directories::Listing;
use crate::host::{Checkpoint, SpawnRequest, Terminal};
use crate::pane::log::OutputBuf;

/// What a node puts in where a request to start a program leaves something open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The program that is started when the request names none.
    pub command: Vec<String>,
    /// Where, when the request does not say.
    pub cwd: PathBuf,
    /// Every program's environment. A request's own is of another machine; of that go in only what tells of the terminal
    /// and of the pane: `TERM`, `COLORTERM`, and what begins with `TERM_` or `EVERPANE`, a token for the pane among them.
    pub environment: Vec<(String, String)>,
    /// The directory that directories are shown within.
    pub root: PathBuf,
}

impl Defaults {
    pub(super) fn fill_in(&self, mut request: SpawnRequest) -> SpawnRequest {
        if request.command.is_empty() {
            request.command.clone_from(&self.command);
        }
        if request.cwd.as_os_str().is_empty() {
            request.cwd.clone_from(&self.cwd);
        }
        let told: Vec<_> = request.environment.into_iter().filter(|(name, _)| is_of_the_pane(name)).collect();
        let ours = self.environment.iter().filter(|(name, _)| !told.iter().any(|(other, _)| other == name));
        request.environment = ours.cloned().chain(told.iter().cloned()).collect();
        request
    }
}

fn is_of_the_pane(name: &str) -> bool {
    matches!(name, "TERM" | "COLORTERM") || name.starts_with("TERM_") || name.starts_with("EVERPANE")
}

/// What is to be done that takes time, or may call back.
pub(super) enum Task {
    Nothing,
    Spawn { number: Number, request: SpawnRequest },
    Directories { question: u32, path: String },
}

/// How far the link is.
enum Phase {
    /// No gateway is there.
    Down,
    /// One is, and has not said who it is.
    Connected,
    /// The gateway gets told what was kept: these terminals are left, and then that there are no more.
    Greeting(VecDeque<Number>),
    /// Everything may be said.
    Up,
}

/// See the module.
pub(super) struct Service {
    /// Counts connections; whatever an older one says changes nothing.
    epoch: u64,
    phase: Phase,
    /// Wakes the present connection's outbound end.
    pub(super) wake: Arc<Notify>,
    /// What the terminals' owner asked for last.
    hello: Option<Hello>,
    pub(super) ptys: HashMap<Number, Hosted>,
    /// Starts under way, of this connection.
    starting: HashSet<Number>,
    /// Questions being answered, of this connection.
    questions: usize,
    control: VecDeque<Bytes>,
    turns: Turns,
    next_serial: u64,
}

impl Service {
    pub(super) fn new() -> Service {
        Service {
            epoch: 0,
            phase: Phase::Down,
            wake: Arc::new(Notify::new()),
            hello: None,
            ptys: HashMap::new(),
            starting: HashSet::new(),
            questions: 0,
            control: VecDeque::new(),
            turns: Turns::default(),
            next_serial: 1,
        }
    }

    // Connections.

    pub(super) fn connect(&mut self) -> u64 {
        self.disconnect();
        self.wake = Arc::new(Notify::new());
        self.epoch += 1;
        self.phase = Phase::Connected;
        self.epoch
    }

    pub(super) fn hang_up(&mut self, epoch: u64) {
        if self.is_present(epoch) {
            self.disconnect();
        }
    }

    pub(super) fn is_present(&self, epoch: u64) -> bool {
        self.epoch == epoch && !matches!(self.phase, Phase::Down)
    }

    fn disconnect(&mut self) {
        self.phase = Phase::Down;
        self.control.clear();
        self.turns.clear();
        self.starting.clear();
        self.questions = 0;
        self.ptys.values_mut().for_each(Hosted::unlink);
        self.wake.notify_one();
    }

    /// The next frame for the gateway.
    pub(super) fn next_frame(&mut self, now: Instant) -> Option<Bytes> {
        if let Phase::Greeting(left) = &mut self.phase {
            while let Some(number) = left.pop_front() {
                if let Some(hosted) = self.ptys.get_mut(&number) {
                    return Some(hosted.kept(number).encode());
                }
            }
            self.phase = Phase::Up;
            return Some(ToGateway::Ready.encode());
        }
        if let Some(frame) = self.control.pop_front() {
            return Some(frame);
        }
        let hello = self.hello.as_ref()?;
        loop {
            let number = self.turns.pop()?;
            let Some(hosted) = self.ptys.get_mut(&number) else { continue };
            if let Some(frame) = hosted.next(number, hello, now) {
                self.turns.push(number, hosted.load());
                return Some(frame);
            }
        }
    }

    fn send(&mut self, frame: Bytes) {
        self.control.push_back(frame);
        self.wake.notify_one();
    }

    fn has_news(&mut self, number: Number, load: Load) {
        self.turns.push(number, load);
        self.wake.notify_one();
    }

    /// Tells the gateway that we will be gone for a while. Whether there was one to tell.
    pub(super) fn announce_sleep(&mut self) -> bool {
        let up = matches!(self.phase, Phase::Up | Phase::Greeting(_));
        if up {
            self.send(ToGateway::Sleeping.encode());
        }
        up
    }

    // What the gateway says.

    pub(super) fn take(&mut self, frame: ToNode, now: Instant) -> Result<Task, FrameError> {
        if let ToNode::Hello(hello) = frame {
            return self.greet(hello).map(|()| Task::Nothing);
        }
        if matches!(self.phase, Phase::Connected) {
            return Err(FrameError::OutOfTurn { what: "the gateway has not said who it is" });
        }
        match frame {
            ToNode::Hello(_) => {}
            ToNode::Spawn { number, request } => return Ok(self.spawn(number, request)),
            ToNode::Directories { question, path } => {
                if self.questions >= MAX_QUESTIONS {
                    return Err(FrameError::OutOfTurn { what: "too many questions at once" });
                }
                self.questions += 1;
                return Ok(Task::Directories { question, path });
            }
            ToNode::Input { number, offset, bytes } => {
                self.type_in(number, offset, &bytes, now)?;
            }
            ToNode::Interrupt { number, offset, key } => {
                self.heed(number, |hosted| hosted.interrupt(offset, key, now));
            }
            ToNode::Resize { number, size } => self.heed(number, |hosted| hosted.resize(size, now)),
            ToNode::Kill { number } => self.heed(number, |hosted| hosted.terminal.kill()),
            ToNode::Ack { number, printed } => self.heed(number, |hosted| hosted.acknowledge(printed)),
            ToNode::Keep { number, checkpoint } => self.keep(number, checkpoint),
            ToNode::Resume { number, from } => self.resume(number, from)?,
            ToNode::Discard { number } => {
                if let Some(hosted) = self.ptys.remove(&number) {
                    hosted.terminal.kill();
                }
            }
        }
        Ok(Task::Nothing)
    }

    fn greet(&mut self, mut hello: Hello) -> Result<(), FrameError> {
        if !matches!(self.phase, Phase::Connected) {
            return Err(FrameError::OutOfTurn { what: "the gateway has said who it is" });
        }
        hello.ring_bytes = clamped_ring(hello.ring_bytes);
        if self.hello.as_ref().is_some_and(|owner| owner.gateway != hello.gateway) {
            for (_, hosted) in self.ptys.drain() {
                hosted.terminal.kill();
            }
        }
        for hosted in self.ptys.values_mut() {
            hosted.ring.set_capacity(hello.ring_bytes);
        }
        self.hello = Some(hello);
        self.phase = Phase::Greeting(self.ptys.keys().copied().collect());
        self.wake.notify_one();
        Ok(())
    }

    fn spawn(&mut self, number: Number, request: SpawnRequest) -> Task {
        let refusal = if self.ptys.contains_key(&number) || self.starting.contains(&number) {
            "another terminal has this number"
        } else if self.ptys.len() + self.starting.len() >= MAX_TERMINALS {
            "the node has as many terminals as it may"
        } else {
            self.starting.insert(number);
            return Task::Spawn { number, request };
        };
        self.send(ToGateway::Failed { number, reason: refusal.to_owned() }.encode());
        Task::Nothing
    }

    /// Types into a terminal; one that is gone heeds nothing. What comes of it is told when there is something.
    fn type_in(&mut self, number: Number, offset: u64, input: &[u8], now: Instant) -> Result<(), FrameError> {
        let Some(hosted) = self.ptys.get_mut(&number) else { return Ok(()) };
        hosted.type_in(offset, input, now)?;
        if hosted.has_applied_much() {
            self.has_news(number, Load::Small);
        }
        Ok(())
    }

    fn resume(&mut self, number: Number, from: u64) -> Result<(), FrameError> {
        let Some(hosted) = self.ptys.get_mut(&number) else { return Ok(()) };
        hosted.resume(from)?;
        let load = hosted.load();
        self.has_news(number, load);
        Ok(())
    }

    /// Does something to a terminal that the gateway asked for; one that is gone heeds nothing.
    fn heed(&mut self, number: Number, act: impl FnOnce(&mut Hosted)) {
        if let Some(serial) = self.ptys.get(&number).map(|hosted| hosted.serial) {
            self.note(number, serial, act);
        }
    }

    fn keep(&mut self, number: Number, checkpoint: Checkpoint) {
        let size = |hosted: &Hosted| hosted.checkpoint.as_ref().map_or(0, |one| one.bytes.len());
        let others: usize =
            self.ptys.iter().filter(|(other, _)| **other != number).map(|(_, hosted)| size(hosted)).sum();
        let Some(hosted) = self.ptys.get_mut(&number) else { return };
        if others + checkpoint.bytes.len() <= MAX_CHECKPOINTS_BYTES {
            hosted.checkpoint = Some(checkpoint);
        }
    }

    // What came of tasks.

    pub(super) fn next_serial(&mut self) -> u64 {
        self.next_serial += 1;
        self.next_serial
    }

    /// How much output a new terminal keeps.
    pub(super) fn ring_bytes(&self) -> usize {
        self.hello.as_ref().map_or(*RING_BYTES.start(), |hello| hello.ring_bytes)
    }

    /// A start that was asked for over the connection `epoch` came to its end. Gives the terminal back if nobody waits
    /// for it any more.
    pub(super) fn started(
        &mut self,
        epoch: u64,
        number: Number,
        outcome: Result<(Hosted, Option<String>), String>,
    ) -> Option<Arc<dyn Terminal>> {
        let wanted = self.is_present(epoch) && self.starting.remove(&number);
        match outcome {
            Ok((hosted, _)) if !wanted => return Some(hosted.terminal.clone()),
            Err(_) if !wanted => {}
            Ok((hosted, note)) => {
                self.ptys.insert(number, hosted);
                self.send(ToGateway::Started { number, note }.encode());
            }
            Err(reason) => self.send(ToGateway::Failed { number, reason }.encode()),
        }
        None
    }

    pub(super) fn answered(&mut self, epoch: u64, question: u32, answer: Result<Listing, String>) {
        if !self.is_present(epoch) {
            return;
        }
        self.questions = self.questions.saturating_sub(1);
        let mut frame = ToGateway::Directories { question, answer }.encode();
        if frame.len() > MAX_FRAME_BYTES {
            let answer = Err("the folder's names are too long".to_owned());
            frame = ToGateway::Directories { question, answer }.encode();
        }
        self.send(frame);
    }

    // What programs do.

    fn hosted(&mut self, number: Number, serial: u64) -> Option<&mut Hosted> {
        self.ptys.get_mut(&number).filter(|hosted| hosted.serial == serial)
    }

    /// Takes what a program printed.
    pub(super) fn printed(&mut self, number: Number, serial: u64, output: OutputBuf, now: Instant) {
        let spare = if self.drops_oldest() { Spare::Nothing } else { Spare::Unacknowledged };
        self.note(number, serial, |hosted| hosted.printed(output, spare, now));
    }

    /// Whether a program should wait. One that nobody owns any more should not: it is to end.
    pub(super) fn is_full(&self, number: Number, serial: u64) -> bool {
        let hosted = self.ptys.get(&number).filter(|hosted| hosted.serial == serial);
        hosted.is_some_and(|hosted| hosted.is_full(self.is_away())) && !self.drops_oldest()
    }

    /// Whether no gateway is there that has said who it is.
    fn is_away(&self) -> bool {
        matches!(self.phase, Phase::Down | Phase::Connected)
    }

    /// Whether rings drop what no gateway has. A gateway that is there will have it.
    fn drops_oldest(&self) -> bool {
        self.is_away() && self.hello.as_ref().is_some_and(|hello| hello.when_full == WhenFull::Drop)
    }

    /// Something happened to a terminal's program.
    pub(super) fn note(&mut self, number: Number, serial: u64, event: impl FnOnce(&mut Hosted)) {
        if let Some(hosted) = self.hosted(number, serial) {
            event(hosted);
            let load = hosted.load();
            self.has_news(number, load);
        }
    }

    // What is looked at from time to time.

    /// The terminals to look at: those in use, or all that live.
    pub(super) fn to_look_at(&self, all: bool, now: Instant) -> Vec<(Number, u64, Arc<dyn Terminal>)> {
        let worth = |hosted: &Hosted| hosted.is_in_use(now) || (all && !hosted.has_exited());
        self.ptys
            .iter()
            .filter(|(_, hosted)| worth(hosted))
            .map(|(number, hosted)| (*number, hosted.serial, hosted.terminal.clone()))
            .collect()
    }

    /// Takes what was seen of a terminal, and gives its program what the line discipline had no room for.
    pub(super) fn looked(&mut self, number: Number, serial: u64, seen: Facts) {
        let Some(hosted) = self.hosted(number, serial) else { return };
        hosted.apply();
        if hosted.learn(seen) {
            self.has_news(number, Load::Small);
        }
    }

    pub(super) fn idle(&self, now: Instant) -> Option<Duration> {
        self.ptys.values().filter(|hosted| !hosted.has_exited()).map(|hosted| hosted.idle(now)).min()
    }

    /// Takes all terminals out, for their end.
    pub(super) fn end(&mut self) -> Vec<Arc<dyn Terminal>> {
        self.disconnect();
        let live = |(_, hosted): (Number, Hosted)| (!hosted.has_exited()).then_some(hosted.terminal.clone());
        self.ptys.drain().filter_map(live).collect()
    }
}
