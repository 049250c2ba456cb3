//! A host that is only pretended: what it starts prints, reads and ends when a test says so.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

use crate::geometry::Size;
use crate::host::{Exit, Host, Sink, SpawnError, SpawnRequest, Spawned, Spawning, Terminal};
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;

#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) written: Vec<u8>,
    /// How many bytes it takes yet.
    room: usize,
    /// Whether it may report anything yet.
    started: bool,
    pub(super) killed: bool,
    pub(super) ended: bool,
    /// Whether to be asked for its modes is too much for it.
    pub(super) broken: bool,
}

/// A terminal that notes what is done to it.
#[derive(Debug)]
pub(super) struct Pretended(Mutex<Condition>);

impl Pretended {
    pub(super) fn lock(&self) -> MutexGuard<'_, Condition> {
        self.0.lock().unwrap()
    }
}

impl Terminal for Pretended {
    fn start(&self) {
        self.lock().started = true;
    }

    fn write(&self, input: &[u8]) -> usize {
        let mut condition = self.lock();
        let taken = if condition.ended { 0 } else { input.len().min(condition.room) };
        condition.room -= taken;
        condition.written.extend_from_slice(&input[..taken]);
        taken
    }

    fn interrupt(&self, _key: u8) -> bool {
        false
    }

    fn resize(&self, _size: Size) {}

    fn kill(&self) {
        self.lock().killed = true;
    }

    fn reads_raw(&self) -> bool {
        let broken = self.lock().broken;
        assert!(!broken, "broken, as the test wants it");
        true
    }

    fn cwd(&self) -> Option<PathBuf> {
        None
    }

    fn foreground(&self) -> Option<String> {
        None
    }
}

/// One start that the host was asked for.
pub(super) struct Start {
    pub(super) request: SpawnRequest,
    /// Taken when nothing more will be reported.
    sink: Option<Arc<dyn Sink>>,
    /// Taken when it came up or failed.
    reply: Option<oneshot::Sender<Result<Spawned, SpawnError>>>,
    /// Once it came up.
    pub(super) terminal: Option<Arc<Pretended>>,
}

/// A host that does what a test says. Clones are the same host.
#[derive(Clone, Default)]
pub(super) struct Pretending(Arc<Mutex<Vec<Start>>>);

impl Host for Pretending {
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning {
        let (reply, outcome) = oneshot::channel();
        self.lock().push(Start { request, sink: Some(sink), reply: Some(reply), terminal: None });
        Box::pin(async move { outcome.await.expect("the test keeps what it has not answered") })
    }
}

impl Pretending {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Start>> {
        self.0.lock().unwrap()
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn terminal(&self, index: usize) -> Option<Arc<Pretended>> {
        self.lock()[index].terminal.clone()
    }

    /// Looks at a terminal that came up, or changes it.
    pub(super) fn with<T>(&self, index: usize, act: impl FnOnce(&mut Condition) -> T) -> T {
        act(&mut self.terminal(index).expect("it came up").lock())
    }

    fn sink(&self, index: usize) -> Option<(Arc<dyn Sink>, Generation)> {
        let starts = self.lock();
        starts[index].terminal.as_ref().filter(|terminal| terminal.lock().started)?;
        Some((starts[index].sink.clone()?, starts[index].request.generation))
    }

    /// A start comes up, in a PTY with so much room, unless it was answered before.
    pub(super) fn come_up(&self, index: usize, room: usize) {
        let mut starts = self.lock();
        let start = &mut starts[index];
        let Some(reply) = start.reply.take() else { return };
        let terminal = Arc::new(Pretended(Mutex::new(Condition { room, ..Condition::default() })));
        start.terminal = Some(terminal.clone());
        assert!(reply.send(Ok(Spawned { terminal, note: None })).is_ok(), "somebody waits for a start");
    }

    /// A start fails, unless it was answered before.
    pub(super) fn fail(&self, index: usize) {
        if let Some(reply) = self.lock()[index].reply.take() {
            let _ = reply.send(Err(SpawnError { reason: "told to".to_owned() }));
        }
    }

    /// Reports output, also of a program that is long gone.
    pub(super) fn print(&self, index: usize, bytes: &[u8]) {
        if let (Some(_), Some((sink, generation))) = (self.terminal(index), self.sink(index)) {
            sink.output(generation, OutputBuf::copy_of(bytes));
        }
    }

    /// Makes room in a PTY and reports it.
    pub(super) fn make_room(&self, index: usize, room: usize) {
        if let (Some(terminal), Some((sink, generation))) = (self.terminal(index), self.sink(index)) {
            terminal.lock().room += room;
            sink.writable(generation);
        }
    }

    /// Ends a program; again, if it has ended before.
    pub(super) fn end(&self, index: usize) {
        if let (Some(terminal), Some((sink, generation))) = (self.terminal(index), self.sink(index)) {
            terminal.lock().ended = true;
            sink.exited(generation, Exit::Code(0));
        }
    }

    /// Lets go of what reports a program, as a host does after its end.
    pub(super) fn let_go(&self, index: usize) {
        self.lock()[index].sink = None;
    }
}

/// What a host does in a random history. `start` chooses among its starts, counted round.
#[derive(Debug, Clone)]
pub(super) enum HostStep {
    ComeUp {
        start: usize,
        room: usize,
    },
    Fail {
        start: usize,
    },
    /// This and what follows also come from programs that have ended before.
    Print {
        start: usize,
    },
    MakeRoom {
        start: usize,
        room: usize,
    },
    End {
        start: usize,
    },
}

impl HostStep {
    /// Lets a host that was asked for a start do it.
    pub(super) fn take(self, host: &Pretending) {
        let starts = host.count();
        let started = |start: usize| start % starts;
        match self {
            HostStep::ComeUp { start, room } => host.come_up(started(start), room),
            HostStep::Fail { start } => host.fail(started(start)),
            HostStep::Print { start } => host.print(started(start), b"printed"),
            HostStep::MakeRoom { start, room } => host.make_room(started(start), room),
            HostStep::End { start } => host.end(started(start)),
        }
    }
}
