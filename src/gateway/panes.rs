//! Panes in the gateway: each behind its own lock, its terminal in the terminals map, and what their events
//! ask for carried out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::time::sleep_until;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::checkpoints::Checkpoints;
use super::hub::Hub;
use super::lossless::Expected;
use super::nodes::LOCAL_NODE;
use super::screens::{Model, WORTH_A_THREAD};
use super::settings::{NewProgram, Settings};
use super::viewer::Subscription;
use crate::clock::Moment;
use crate::host::{Exit, HasRoom, Host, Sink, SpawnError, SpawnRequest, Spawned, Terminal, Unwritten};
use crate::ids::{PaneId, ViewerId};
use crate::pane::away::NodeState;
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;
use crate::pane::{Effects, Pane};
use crate::protocol::frame::Channel;
use crate::store::OutputMark;

/// So far behind, in bytes, a viewer that must get every byte stops the program.
const HOLD_AT: u64 = 512 << 10;

/// So near, in bytes, it lets the program go on.
const GO_ON_AT: u64 = 128 << 10;

/// A pane's place in the gateway.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: PaneId,
    pub(super) channel: Channel,
    /// The pane's screen; see [`super::screens`].
    pub(super) model: Mutex<Model>,
    /// Whether the screen waits for a thread to bring it up to date.
    pub(super) screen_queued: AtomicBool,
    state: Mutex<SlotState>,
    /// Whether the program is to be read no further, for a viewer that must get every byte.
    full: AtomicBool,
    /// Set off when it is to be read again.
    room: Notify,
    /// Set off, for those who wait for something, when anything about the pane may have changed.
    pub(super) news: Notify,
    saved: Option<OutputMark>,
}

/// What a slot's lock guards.
#[derive(Debug)]
pub(super) struct SlotState {
    pub(super) pane: Pane,
    /// The viewers to be told of output.
    pub(super) subscribers: Vec<Arc<Subscription>>,
    /// Those who wait for something, by the offset from which they need the output.
    pub(super) onlookers: Vec<Arc<AtomicU64>>,
    /// Viewers of the gateway before that must get every byte.
    pub(super) expected: Option<Expected>,
    pub(super) checkpoints: Checkpoints,
}

impl SlotState {
    fn mark_subscribers(&self) {
        for subscriber in &self.subscribers {
            subscriber.mark();
        }
    }
}

impl Slot {
    pub(super) fn new(pane: Pane, model: Model, saved: Option<OutputMark>) -> Arc<Slot> {
        let state = SlotState {
            pane,
            subscribers: Vec::new(),
            onlookers: Vec::new(),
            expected: None,
            checkpoints: Checkpoints::default(),
        };
        let (id, channel) = (state.pane.id, state.pane.channel);
        Arc::new(Slot {
            id,
            channel,
            model: Mutex::new(model),
            screen_queued: AtomicBool::new(false),
            state: Mutex::new(state),
            full: AtomicBool::new(false),
            room: Notify::new(),
            news: Notify::new(),
            saved,
        })
    }

    /// Guards [`SlotState`] and, for this pane, the entry in the terminals map: both change together.
    /// ARCHITECTURE.md has the lock order.
    pub(super) fn lock(&self) -> MutexGuard<'_, SlotState> {
        // A panic in another holder must not take the pane with it; its state is at worst one event behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks anew whether the program must wait for a viewer that must get every byte.
    pub(super) fn look_for_room(&self, state: &SlotState) {
        let lag = state.lossless_lag();
        if lag >= HOLD_AT || state.checkpoints.hold(state.pane.log.head(), state.owed()) {
            self.full.store(true, Ordering::Release);
        } else if lag <= GO_ON_AT && self.full.swap(false, Ordering::AcqRel) {
            self.room.notify_waiters();
        }
    }

    /// A viewer watches by this subscription from now on, or not at all.
    pub(super) fn set_watch(
        &self,
        state: &mut SlotState,
        viewer: ViewerId,
        subscription: Option<Arc<Subscription>>,
    ) {
        let was_lossless = state.subscribers.iter().any(|one| one.viewer_id() == viewer && one.lossless);
        state.subscribers.retain(|other| other.viewer_id() != viewer);
        if !was_lossless && subscription.as_ref().is_some_and(|new| new.lossless) {
            state.lossless_came();
        }
        state.subscribers.extend(subscription);
        self.look_for_room(state);
    }

    /// A viewer no longer watches.
    pub(super) fn end_watch(&self, viewer: ViewerId) {
        self.set_watch(&mut self.lock(), viewer, None);
    }

    /// Lets those look again who wait for something.
    fn stir(&self, state: &SlotState) {
        if !state.onlookers.is_empty() {
            self.news.notify_waiters();
        }
    }

    fn grew(&self, state: &SlotState) {
        self.look_for_room(state);
        state.mark_subscribers();
        self.stir(state);
        if let Some(saved) = &self.saved {
            saved.mark();
        }
    }
}

/// A live terminal, as the terminals map holds it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) generation: Generation,
    pub(super) terminal: Arc<dyn Terminal>,
    /// Whether it outlives this gateway.
    pub(super) outlives: bool,
}

/// Where a terminal's host reports to.
struct PaneSink {
    hub: Weak<Hub>,
    slot: Arc<Slot>,
    /// Held until the host lets go of this, after the program's end: a shutdown waits for it, unless the program
    /// outlives the gateway.
    _running: Option<TaskTrackerToken>,
}

impl Sink for PaneSink {
    fn output(&self, generation: Generation, output: OutputBuf) {
        let mut effects = Effects::default();
        let (asked, unseen, room) = {
            let mut state = self.slot.lock();
            state.pane.output(generation, output, Moment::now(), &mut effects);
            if effects.output {
                self.slot.grew(&state);
                effects.output = false;
            }
            let SlotState { pane, .. } = &*state;
            (pane.cues.has_queries(), pane.log.needed(), pane.log.room())
        };
        let Some(hub) = self.hub.upgrade() else { return };
        hub.carry_out(&self.slot, effects);
        if hub.checkpoint_due(&self.slot) {
            return;
        }
        if asked || room == 0 {
            // The program waits for an answer, or prints faster than its screen takes it in.
            hub.keep_up(&self.slot);
        } else if unseen >= WORTH_A_THREAD {
            hub.screens.push(&self.slot);
        }
    }

    fn quiet(&self) {
        let Some(hub) = self.hub.upgrade() else { return };
        // Others wait for the host's task; what a flood left is too much to do in it.
        if self.slot.lock().pane.log.needed() >= WORTH_A_THREAD {
            hub.screens.push(&self.slot);
        } else {
            hub.keep_up_if_free(&self.slot);
        }
    }

    fn is_full(&self) -> bool {
        self.slot.full.load(Ordering::Acquire)
    }

    fn has_room(&self) -> HasRoom<'_> {
        Box::pin(async {
            loop {
                // Made before it is looked at: what is set off in between is not missed.
                let room = self.slot.room.notified();
                if !self.is_full() {
                    return;
                }
                let until = self.slot.lock().expected_until();
                tokio::select! {
                    () = room => {}
                    () = sleep_until(until.unwrap_or_else(Instant::now).into()), if until.is_some() => {
                        let mut state = self.slot.lock();
                        state.give_up_expected(Instant::now());
                        self.slot.look_for_room(&state);
                    }
                }
            }
        })
    }

    fn writable(&self, generation: Generation) {
        if let Some(hub) = self.hub.upgrade() {
            hub.with_pane(&self.slot, |state, terminal, effects| {
                state.pane.writable(generation, Instant::now(), terminal, effects);
            });
        }
    }

    fn unwritten(&self, generation: Generation, input: Unwritten) {
        if let Some(hub) = self.hub.upgrade() {
            hub.with_pane(&self.slot, |state, _, effects| {
                state.pane.unwritten(generation, input, Instant::now(), effects);
            });
        }
    }

    fn exited(&self, generation: Generation, exit: Exit) {
        if let Some(hub) = self.hub.upgrade() {
            hub.exited(&self.slot, generation, exit);
        }
    }
}

impl Hub {
    pub(super) fn slot(&self, pane: PaneId) -> Option<Arc<Slot>> {
        self.panes.get(&pane).map(|slot| slot.clone())
    }

    /// Runs `event` on a pane and its terminal, then carries out what it asks for.
    pub(super) fn with_pane<R>(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        event: impl FnOnce(&mut SlotState, Option<&dyn Terminal>, &mut Effects) -> R,
    ) -> R {
        let (result, effects) = self.at_pane(slot, event);
        self.carry_out(slot, effects);
        result
    }

    /// Runs `event` on a pane and its terminal; what it asks for is left to [`Hub::carry_out`].
    pub(super) fn at_pane<R>(
        &self,
        slot: &Slot,
        event: impl FnOnce(&mut SlotState, Option<&dyn Terminal>, &mut Effects) -> R,
    ) -> (R, Effects) {
        let mut effects = Effects::default();
        let mut state = slot.lock();
        let terminal = self.terminals.get(&slot.id).map(|live| live.terminal.clone());
        let result = event(&mut state, terminal.as_deref(), &mut effects);
        if effects.output {
            slot.grew(&state);
        } else if effects.status {
            slot.stir(&state);
        }
        (result, effects)
    }

    pub(super) fn carry_out(self: &Arc<Self>, slot: &Arc<Slot>, effects: Effects) {
        let Effects { start, status, info, output: _, undelivered, close, wake, checkpoint, look_at } =
            effects;
        if status {
            self.updates.mark(|changes| changes.layout = true);
            self.mark_state();
        }
        if info {
            self.updates.mark(|changes| _ = changes.panes.insert(slot.id));
            // The directory, the title and the size are saved as well.
            self.mark_state();
        }
        self.give_back(slot.id, undelivered);
        if let Some(at) = look_at {
            self.timers.set(slot.id, at);
        }
        if let Some(generation) = start {
            self.start(slot, generation);
        }
        if checkpoint {
            self.checkpoint_due(slot);
        }
        if wake {
            let node = slot.lock().pane.node().to_owned();
            self.wakes.ask(&node);
        }
        // Programs that end with the gateway say nothing about their panes, which are to be there after it.
        if close && !self.shutdown.is_cancelled() {
            self.close_pane_of_its_own(slot.id);
        }
    }

    /// Starts a terminal of this generation, in its turn.
    fn start(self: &Arc<Self>, slot: &Arc<Slot>, generation: Generation) {
        let (hub, slot) = (self.clone(), slot.clone());
        self.running.spawn(async move {
            let Ok(_turn) = hub.spawns.acquire().await else { return };
            let Some((node, request)) = hub.spawn_request(&slot, generation) else { return };
            let Some(host) = hub.nodes.host(&node) else {
                hub.leave_if_away(&slot, &node);
                // If the node has come since, it starts at once.
                hub.unstarted(&slot, generation);
                return;
            };
            match host.spawn(request, hub.sink(&slot, &*host)).await {
                Ok(spawned) => hub.started(&slot, generation, spawned, host.outlives()),
                Err(error) => hub.not_started(&slot, &node, generation, error),
            }
            hub.leave_if_away(&slot, &node);
        });
    }

    /// Where the host of one of a pane's terminals reports to.
    pub(super) fn sink(self: &Arc<Self>, slot: &Arc<Slot>, host: &dyn Host) -> Arc<dyn Sink> {
        let running = (!host.outlives()).then(|| self.running.token());
        Arc::new(PaneSink { hub: Arc::downgrade(self), slot: slot.clone(), _running: running })
    }

    fn not_started(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        node: &str,
        generation: Generation,
        error: SpawnError,
    ) {
        tracing::warn!(pane = %slot.id, node, "no terminal: {error}");
        if self.nodes.state(node) != NodeState::Up {
            return self.unstarted(slot, generation);
        }
        self.with_pane(slot, |state, _, effects| {
            state.pane.failed(generation, error.reason, Moment::now(), jitter(), effects);
        });
    }

    /// A start came to nothing because its node is away.
    fn unstarted(self: &Arc<Self>, slot: &Arc<Slot>, generation: Generation) {
        self.with_pane(slot, |state, _, effects| {
            state.pane.unstarted(generation, Moment::now(), effects);
        });
    }

    /// What is to be started, and on which node. Other nodes than our own know best what their shell is, and where it
    /// starts.
    fn spawn_request(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        generation: Generation,
    ) -> Option<(String, SpawnRequest)> {
        let session = self.plan().layout.pane_session(slot.id)?;
        self.with_pane(slot, |state, _, effects| {
            let pane = &mut state.pane;
            pane.settle_size(Instant::now(), None, effects);
            if !pane.awaits(generation) {
                return None;
            }
            let command = pane.command().map(<[String]>::to_vec).unwrap_or_default();
            let program = NewProgram { session, pane: slot.id, node: pane.node() };
            let environment = [&self.settings.environment[..], &self.settings.told.about(program)].concat();
            let cwd = pane.cwd().clone();
            let size = pane.sizing.current();
            let mut request = SpawnRequest { pane: slot.id, generation, command, cwd, environment, size };
            if pane.node() == LOCAL_NODE {
                let Settings { command, cwd, .. } = &self.settings;
                if request.command.is_empty() {
                    request.command.clone_from(command);
                }
                if request.cwd.as_os_str().is_empty() {
                    request.cwd.clone_from(cwd);
                }
            }
            Some((pane.node().to_owned(), request))
        })
    }

    fn started(self: &Arc<Self>, slot: &Arc<Slot>, generation: Generation, spawned: Spawned, outlives: bool) {
        let Spawned { terminal, note } = spawned;
        self.with_pane(slot, |state, _, effects| {
            let wanted = state.pane.started(generation, note.as_deref(), Moment::now(), &*terminal, effects);
            if wanted {
                self.connected(slot, Live { generation, terminal: terminal.clone(), outlives });
            }
            // Looked at after it is in the map: a shutdown that begins later finds it there.
            if !wanted || (self.shutdown.is_cancelled() && !outlives) {
                terminal.kill();
            }
        });
        // Before it prints anything, so that whoever takes over knows where its output begins.
        self.checkpoint_due(slot);
        terminal.start();
    }

    /// A pane has a terminal. Called with the slot locked, as is the next.
    pub(super) fn connected(&self, slot: &Slot, live: Live) {
        self.terminals.insert(slot.id, live);
    }

    /// It has that one no more.
    pub(super) fn disconnected(&self, slot: &Slot, generation: Generation) {
        self.terminals.remove_if(&slot.id, |_, live| live.generation == generation);
    }

    fn exited(self: &Arc<Self>, slot: &Arc<Slot>, generation: Generation, exit: Exit) {
        tracing::debug!(pane = %slot.id, generation = generation.0, "program {exit}");
        // What the gateway itself hung up on was well, for all that anybody knows.
        let exit = if self.shutdown.is_cancelled() { Exit::Unknown } else { exit };
        self.with_pane(slot, |state, _, effects| {
            if state.pane.exited(generation, exit, Moment::now(), jitter(), effects) {
                self.disconnected(slot, generation);
            }
        });
    }

    /// Rings the alarms of panes, for ever.
    pub(super) async fn run_timers(self: Arc<Self>) {
        loop {
            let pane = self.timers.next().await;
            let Some(slot) = self.slot(pane) else { continue };
            let ring = || {
                self.with_pane(&slot, |state, terminal, effects| {
                    state.pane.tick(Instant::now(), terminal, effects);
                });
            };
            // One broken pane must not stop the alarms of all others.
            if catch_unwind(AssertUnwindSafe(ring)).is_err() {
                tracing::error!(%pane, "an alarm came to no good end");
            }
        }
    }

    /// Takes a pane that left the layout out of everything, and ends its terminal.
    pub(super) fn forget_pane(&self, pane: PaneId) {
        let Some((_, slot)) = self.panes.remove(&pane) else { return };
        self.by_channel.remove(&slot.channel);
        let mut effects = Effects::default();
        let subscribers = {
            let mut state = slot.lock();
            state.pane.close(&mut effects);
            if let Some((_, live)) = self.terminals.remove(&pane) {
                live.terminal.kill();
            }
            let subscribers = std::mem::take(&mut state.subscribers);
            slot.look_for_room(&state);
            slot.stir(&state);
            subscribers
        };
        self.give_back(pane, effects.undelivered);
        for subscription in subscribers {
            subscription.end();
        }
        for viewer in &self.viewers {
            viewer.lock().forget(pane);
        }
        self.timers.clear(pane);
        if let Some(marks) = self.marks() {
            marks.forget_output(pane);
        }
    }
}

/// A number in 0..1, for spreading retries.
pub(super) fn jitter() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness retries are merely not spread.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
