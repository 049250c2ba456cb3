//! A pretended host whose programs outlive gateways: what they print, and when the link breaks, is up to a test.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::geometry::Size;
use crate::host::{Checkpoint, Due, Exit, Host, Kept, Sink, SpawnRequest, Spawned, Spawning, Terminal};
use crate::ids::PaneId;
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;

/// Which terminal: of which pane, and the how manyth.
pub(super) type Name = (PaneId, Generation);

/// How much of its newest output a program's host has, in bytes.
pub(super) const KEEPS: usize = 2048;

#[derive(Default)]
struct Program {
    printed: Vec<u8>,
    /// How much of that was reported to any gateway.
    given: usize,
    checkpoint: Option<Checkpoint>,
    input: Vec<u8>,
    /// Of the gateway that has it now.
    sink: Option<Arc<dyn Sink>>,
    started: bool,
    ended: bool,
}

impl Program {
    fn oldest(&self) -> usize {
        self.printed.len().saturating_sub(KEEPS)
    }

    fn covered(&self) -> usize {
        self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.printed as usize)
    }
}

/// See the module. Clones are the same host.
#[derive(Clone, Default)]
pub(super) struct Keeping(Arc<Mutex<BTreeMap<Name, Program>>>);

struct KeptTerminal {
    host: Keeping,
    name: Name,
}

impl std::fmt::Debug for KeptTerminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.name)
    }
}

impl Keeping {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Program>> {
        self.0.lock().unwrap()
    }

    fn with<T>(&self, name: Name, act: impl FnOnce(&mut Program) -> T) -> T {
        act(self.lock().get_mut(&name).expect("there is such a program"))
    }

    /// The programs that run.
    pub(super) fn running(&self) -> Vec<Name> {
        self.lock().iter().filter(|(_, program)| !program.ended).map(|(name, _)| *name).collect()
    }

    pub(super) fn input(&self, name: Name) -> Vec<u8> {
        self.with(name, |program| program.input.clone())
    }

    pub(super) fn checkpoint(&self, name: Name) -> Option<Checkpoint> {
        self.with(name, |program| program.checkpoint.clone())
    }

    pub(super) fn printed(&self, name: Name) -> Vec<u8> {
        self.with(name, |program| program.printed.clone())
    }

    /// Whether a program can print so much more without losing what no gateway has seen to.
    pub(super) fn has_room(&self, name: Name, more: usize) -> bool {
        self.with(name, |program| program.sink.is_some()) || self.keeps(name, more)
    }

    /// Whether it would still have all that follows the checkpoint if the program printed so much more.
    pub(super) fn keeps(&self, name: Name, more: usize) -> bool {
        self.with(name, |program| program.printed.len() + more - program.covered() <= KEEPS)
    }

    /// A program prints; whoever has its terminal is told.
    pub(super) fn print(&self, name: Name, bytes: &[u8]) {
        self.with(name, |program| program.printed.extend_from_slice(bytes));
        self.report(name);
    }

    fn report(&self, name: Name) {
        let (sink, news) = self.with(name, |program| {
            let Some(sink) = program.sink.clone().filter(|_| program.started) else {
                return (None, Vec::new());
            };
            let news = program.printed[program.given..].to_vec();
            program.given = program.printed.len();
            (Some(sink), news)
        });
        if let Some(sink) = sink.filter(|_| !news.is_empty()) {
            // In pieces, as a PTY gives it.
            for piece in news.chunks(KEEPS / 8) {
                sink.output(name.1, OutputBuf::copy_of(piece));
            }
        }
    }

    /// A program ends.
    pub(super) fn end(&self, name: Name) {
        let sink = self.with(name, |program| {
            program.ended = true;
            program.sink.take()
        });
        if let Some(sink) = sink {
            sink.exited(name.1, Exit::Code(0));
        }
    }

    /// The link to the gateway is gone, and with it what was on its way.
    pub(super) fn cut(&self) {
        let sinks: Vec<_> = self.lock().values_mut().map(|program| program.sink.take()).collect();
        drop(sinks);
    }

    /// What a gateway finds that comes now.
    pub(super) fn kept(&self) -> Vec<Kept> {
        let programs = self.lock();
        let living = programs.iter().filter(|(_, program)| !program.ended);
        living
            .map(|(&(pane, generation), program)| Kept {
                pane,
                generation,
                output: program.oldest() as u64..program.printed.len() as u64,
                given: program.given as u64,
                checkpoint: program.checkpoint.clone(),
            })
            .collect()
    }

    fn terminal(&self, name: Name) -> Arc<dyn Terminal> {
        Arc::new(KeptTerminal { host: self.clone(), name })
    }
}

impl Host for Keeping {
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning {
        let name = (request.pane, request.generation);
        let program = Program { sink: Some(sink), ..Program::default() };
        assert!(self.lock().insert(name, program).is_none(), "a generation is started once");
        let terminal = self.terminal(name);
        Box::pin(async move { Ok(Spawned { terminal, note: None }) })
    }

    fn resume(&self, kept: &Kept, from: u64, sink: Arc<dyn Sink>) -> Option<Arc<dyn Terminal>> {
        let name = (kept.pane, kept.generation);
        self.with(name, |program| {
            assert!(program.oldest() as u64 <= from && from <= program.printed.len() as u64);
            (program.given, program.sink, program.started) = (from as usize, Some(sink), false);
        });
        Some(self.terminal(name))
    }

    fn discard(&self, kept: &Kept) {
        self.end((kept.pane, kept.generation));
    }

    fn outlives(&self) -> bool {
        true
    }
}

impl Terminal for KeptTerminal {
    fn start(&self) {
        self.host.with(self.name, |program| program.started = true);
        self.host.report(self.name);
    }

    fn write(&self, input: &[u8]) -> usize {
        self.host.with(self.name, |program| program.input.extend_from_slice(input));
        input.len()
    }

    fn interrupt(&self, _key: u8) -> bool {
        false
    }

    fn resize(&self, _size: Size) {}

    fn kill(&self) {
        self.host.end(self.name);
    }

    fn reads_raw(&self) -> bool {
        true
    }

    fn cwd(&self) -> Option<PathBuf> {
        None
    }

    fn foreground(&self) -> Option<String> {
        None
    }

    fn checkpoint_due(&self) -> Due {
        let uncovered = self.host.with(self.name, |program| program.printed.len() - program.covered());
        match uncovered {
            0..=1024 => Due::Never,
            1025..=1536 => Due::Soon,
            _ => Due::Now,
        }
    }

    fn keep(&self, checkpoint: Checkpoint) {
        self.host.with(self.name, |program| program.checkpoint = Some(checkpoint));
    }
}
