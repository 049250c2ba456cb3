//! What stands around the link in tests: a host whose programs do what a test says, and a sink that notes what it is told.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::geometry::Size;
use crate::host::{Exit, HasRoom, Host, Sink, SpawnRequest, Spawned, Spawning, Terminal, Unwritten};
use crate::ids::PaneId;
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;

/// The keys that interrupt a pretended program.
pub(super) const INTERRUPT_KEYS: [u8; 3] = [3, 28, 26];

/// What a pretended program has seen.
#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) printed: Vec<u8>,
    /// Its input, with the keys that interrupted it.
    pub(super) read: Vec<u8>,
    /// How many bytes it takes yet.
    room: usize,
    pub(super) sizes: Vec<Size>,
    pub(super) killed: bool,
    pub(super) exit: Option<Exit>,
    /// Whether it prints nothing until it hears that there is room.
    pub(super) waits: bool,
    started: bool,
}

/// A terminal of a pretended host.
pub(super) struct Program {
    pub(super) request: SpawnRequest,
    condition: Mutex<Condition>,
    sink: Mutex<Option<Arc<dyn Sink>>>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Program")
    }
}

impl Program {
    pub(super) fn lock(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap()
    }

    fn sink(&self) -> Option<Arc<dyn Sink>> {
        self.sink.lock().unwrap().clone()
    }

    /// Prints, unless it has to wait. Whether it did. As with a real one, nobody looks for room for it once it waits.
    pub(super) fn print(self: &Arc<Self>, output: &[u8]) -> bool {
        let can_print = |condition: &Condition| condition.started && !condition.waits;
        let Some(sink) = self.sink().filter(|_| can_print(&self.lock())) else { return false };
        if sink.is_full() {
            self.wait(sink);
            return false;
        }
        self.lock().printed.extend_from_slice(output);
        sink.output(self.request.generation, OutputBuf::copy_of(output));
        true
    }

    fn wait(self: &Arc<Self>, sink: Arc<dyn Sink>) {
        self.lock().waits = true;
        let program = self.clone();
        tokio::spawn(async move {
            sink.has_room().await;
            program.lock().waits = false;
        });
    }

    pub(super) fn take_more(&self, bytes: usize) {
        let room = {
            let mut condition = self.lock();
            condition.room += bytes;
            condition.room
        };
        if let Some(sink) = self.sink().filter(|_| room > 0) {
            sink.writable(self.request.generation);
        }
    }

    pub(super) fn end(&self, exit: Exit) {
        if let Some(sink) = self.sink.lock().unwrap().take() {
            self.lock().exit = Some(exit.clone());
            sink.exited(self.request.generation, exit);
        }
    }
}

impl Terminal for Program {
    fn start(&self) {
        self.lock().started = true;
    }

    fn write(&self, input: &[u8]) -> usize {
        let mut condition = self.lock();
        let taken = if condition.exit.is_some() { 0 } else { input.len().min(condition.room) };
        condition.room -= taken;
        condition.read.extend_from_slice(&input[..taken]);
        taken
    }

    fn interrupt(&self, key: u8) -> bool {
        self.lock().read.push(key);
        true
    }

    fn interrupt_keys(&self) -> [u8; 3] {
        INTERRUPT_KEYS
    }

    fn resize(&self, size: Size) {
        self.lock().sizes.push(size);
    }

    fn kill(&self) {
        self.lock().killed = true;
    }

    fn reads_raw(&self) -> bool {
        true
    }

    fn cwd(&self) -> Option<PathBuf> {
        Some("/somewhere".into())
    }

    fn foreground(&self) -> Option<String> {
        None
    }
}

/// A host that remembers what it started.
#[derive(Debug, Default)]
pub(super) struct Pretending {
    pub(super) programs: Mutex<Vec<Arc<Program>>>,
}

impl Pretending {
    /// The newest program of a pane's terminal.
    pub(super) fn program(&self, pane: PaneId, generation: Generation) -> Option<Arc<Program>> {
        let programs = self.programs.lock().unwrap();
        let is_it = |program: &&Arc<Program>| {
            (program.request.pane, program.request.generation) == (pane, generation)
        };
        programs.iter().rev().find(is_it).cloned()
    }
}

impl Host for Pretending {
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning {
        let program = Arc::new(Program {
            request,
            condition: Mutex::new(Condition::default()),
            sink: Mutex::new(Some(sink)),
        });
        self.programs.lock().unwrap().push(program.clone());
        Box::pin(async move { Ok(Spawned { terminal: program, note: None }) })
    }
}

/// A sink that notes what it is told, of one generation.
#[derive(Debug, Default)]
pub(in super::super) struct Notes {
    pub(super) output: Mutex<Vec<u8>>,
    pub(super) unwritten: Mutex<Vec<Unwritten>>,
    pub(super) exits: Mutex<Vec<Exit>>,
    pub(super) writable: AtomicBool,
    full: AtomicBool,
    room: Notify,
}

impl Notes {
    pub(super) fn printed(&self) -> u64 {
        self.output.lock().unwrap().len() as u64
    }

    pub(super) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
        self.room.notify_waiters();
    }

    pub(super) fn exit(&self) -> Option<Exit> {
        self.exits.lock().unwrap().first().cloned()
    }
}

impl Sink for Notes {
    fn output(&self, _: Generation, output: OutputBuf) {
        assert!(self.exit().is_none(), "output after the end");
        self.output.lock().unwrap().extend_from_slice(output.payload());
    }

    fn quiet(&self) {}

    fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    fn has_room(&self) -> HasRoom<'_> {
        Box::pin(async {
            loop {
                let room = self.room.notified();
                if !self.is_full() {
                    return;
                }
                room.await;
            }
        })
    }

    fn writable(&self, _: Generation) {
        self.writable.store(true, Ordering::SeqCst);
    }

    fn unwritten(&self, _: Generation, input: Unwritten) {
        assert!(self.exit().is_none(), "input given back after the end");
        self.unwritten.lock().unwrap().push(input);
    }

    fn exited(&self, _: Generation, exit: Exit) {
        self.exits.lock().unwrap().push(exit);
    }
}
