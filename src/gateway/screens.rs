//! The server's screen of each pane, kept up with the pane's output beside the way that the output takes to viewers.
//!
//! Whoever needs the screen brings it up to date first: a viewer that wants a snapshot, a program that waits for an
//! answer, the store. In between, what a flood prints is taken in by threads of its own, and by the reader of the
//! flood itself once they fall behind by as much as the output log holds.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use rustix::process::setpriority_process;
use rustix::thread::gettid;

use super::checkpoints::{Checkpoints, Offer};
use super::hub::Hub;
use super::panes::{Live, Slot, SlotState};
use super::saved::Checkpointed;
use crate::geometry::Size;
use crate::host::Due;
use crate::pane::cues::Cue;
use crate::pane::printing::Place;
use crate::screen::{Screen, ScrollbackLimits};

/// How much output is taken in before others that want the screen, or the thread, get their turn, in bytes.
const BATCH: usize = 128 << 10;

/// With less than this not taken in, in bytes, no thread is woken for it.
pub(super) const WORTH_A_THREAD: usize = 64 << 10;

/// How much scrollback a checkpoint has, in rows, if it fits: what a taller screen would show again.
const CHECKPOINT_ROWS: usize = 500;

/// How much the threads give way to others; see nice(1).
const NICENESS: i32 = 10;

/// A pane's screen, and how far it is.
#[derive(Debug)]
pub(super) struct Model {
    screen: Screen,
    scrollback: ScrollbackLimits,
    /// It has taken in everything before this.
    offset: u64,
    /// Where in the program's output `offset` is, if it is at a place that another gateway could go on from.
    place: Option<Place>,
    /// The newest snapshot without scrollback, for all who want one at the same offset.
    newest: Option<Arc<Snapshot>>,
    /// What is being taken in; kept for its memory.
    parts: Vec<Bytes>,
}

/// A screen as of one offset.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) offset: u64,
    pub(super) size: Size,
    /// See [`Model::place`].
    pub(super) place: Option<Place>,
    /// What makes a freshly reset terminal of that size show it.
    pub(super) bytes: Vec<u8>,
}

impl Model {
    pub(super) fn new(size: Size, scrollback: ScrollbackLimits, offset: u64) -> Model {
        let screen = Screen::new(size, scrollback);
        Model { screen, scrollback, offset, place: None, newest: None, parts: Vec::new() }
    }

    /// A screen as it was saved: `clean` is a snapshot that has passed the filter.
    pub(super) fn restored(size: Size, scrollback: ScrollbackLimits, offset: u64, clean: &[u8]) -> Model {
        let mut model = Model::new(size, scrollback, offset);
        model.screen.feed(clean);
        model
    }

    /// A snapshot with at most `history` rows of scrollback.
    fn snapshot(&mut self, history: usize) -> Arc<Snapshot> {
        let newest = self.newest.take_if(|newest| history == 0 && newest.offset == self.offset);
        let snapshot = newest.unwrap_or_else(|| {
            let bytes = self.screen.snapshot(history);
            let (offset, size, place) = (self.offset, self.screen.size(), self.place);
            Arc::new(Snapshot { offset, size, place, bytes })
        });
        if history == 0 {
            self.newest = Some(snapshot.clone());
        }
        snapshot
    }

    fn take_in(&mut self) {
        let taken = catch_unwind(AssertUnwindSafe(|| {
            for part in &self.parts {
                self.screen.feed(part);
            }
        }));
        self.parts.clear();
        if taken.is_err() {
            // Viewers that have the output show more than this; nobody else can be told what it was.
            tracing::error!("a screen could not take output in and begins anew");
            self.screen = Screen::new(self.screen.size(), self.scrollback);
        }
    }
}

impl Slot {
    /// Guards [`Model`]. ARCHITECTURE.md has the lock order.
    pub(super) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to do about a screen that is behind.
enum Behind {
    No,
    /// Take in what is in the model's `parts`, up to an offset, then do this.
    By(u64, Option<Cue>),
}

impl Hub {
    /// Brings a pane's screen up to date. Others get at it between batches.
    pub(super) fn keep_up(self: &Arc<Self>, slot: &Arc<Slot>) {
        while self.step(slot, &mut slot.model()) {}
    }

    /// The same, unless somebody is at it.
    pub(super) fn keep_up_if_free(self: &Arc<Self>, slot: &Arc<Slot>) {
        if let Ok(mut model) = slot.model.try_lock() {
            self.catch_up(slot, &mut model);
        }
    }

    /// A snapshot of a pane as it is now, with at most `history` rows of scrollback.
    pub(super) fn snapshot(self: &Arc<Self>, slot: &Arc<Slot>, history: usize) -> Arc<Snapshot> {
        let mut model = slot.model();
        self.catch_up(slot, &mut model);
        model.snapshot(history)
    }

    /// Looks at the screen of a pane as it is now, of which it is told the offset.
    pub(super) fn look_at_screen<T>(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        look: impl FnOnce(&Screen, u64) -> T,
    ) -> T {
        let mut model = slot.model();
        self.catch_up(slot, &mut model);
        look(&model.screen, model.offset)
    }

    /// A snapshot with as much scrollback as makes it no larger than `bytes`.
    pub(super) fn snapshot_within(self: &Arc<Self>, slot: &Arc<Slot>, bytes: usize) -> Arc<Snapshot> {
        let mut model = slot.model();
        self.catch_up(slot, &mut model);
        let mut rows = model.screen.history_rows();
        loop {
            let snapshot = model.snapshot(rows);
            if snapshot.bytes.len() <= bytes || rows == 0 {
                return snapshot;
            }
            // Rows differ in length, so a little less than the proportion.
            rows = rows * bytes / snapshot.bytes.len() * 9 / 10;
        }
    }

    /// Leaves a checkpoint with a terminal's host, or has a thread do it, if one is due. Whether all that was printed
    /// was taken in for it.
    pub(super) fn checkpoint_due(self: &Arc<Self>, slot: &Arc<Slot>) -> bool {
        let Some(live) = self.terminals.get(&slot.id).filter(|live| live.outlives) else { return false };
        let due = live.terminal.checkpoint_due();
        drop(live);
        let (unplaced, waiting, worth) = {
            let mut state = slot.lock();
            if due == Due::Late {
                state.checkpoints.urge();
            }
            let worth = state.owed().is_some() && state.checkpoints.is_worth(state.pane.printed());
            (state.pane.take_unplaced(), state.checkpoints.is_waiting(), worth)
        };
        if unplaced {
            // Only the newest knows of what was inserted.
            if !self.make_checkpoint(slot, Checkpoints::insist) {
                slot.lock().pane.set_unplaced();
            }
        } else if worth || (due >= Due::Now && !waiting) {
            self.make_checkpoint(slot, Checkpoints::offer);
        } else {
            match due {
                Due::Never => {}
                Due::Soon => self.screens.push(slot),
                Due::Now | Due::Late => self.leave_waiting(slot),
            }
            return false;
        }
        true
    }

    fn checkpoint_if_due(self: &Arc<Self>, slot: &Arc<Slot>) {
        let waiting = slot.lock().checkpoints.is_waiting();
        let due = |live: &Live| live.outlives && live.terminal.checkpoint_due() != Due::Never;
        if waiting {
            self.leave_waiting(slot);
        } else if self.terminals.get(&slot.id).is_some_and(|live| due(&live)) {
            self.make_checkpoint(slot, Checkpoints::offer);
        }
    }

    /// Makes a checkpoint, and leaves what `leave` makes of it. Whether one was left.
    fn make_checkpoint(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        leave: impl FnOnce(&mut Checkpoints, Offer, Option<u64>) -> Option<Offer>,
    ) -> bool {
        let lossless = slot.lock().lossless_viewers();
        let made = |rows: usize| {
            let snapshot = self.snapshot(slot, rows);
            // In the middle of a sequence there is none to leave; more output follows.
            let place = snapshot.place?;
            let checkpoint = Checkpointed::of(&snapshot, place, lossless).write()?;
            Some(Offer::new(snapshot.offset, place, checkpoint))
        };
        let Some(offer) = made(CHECKPOINT_ROWS).or_else(|| made(0)) else { return false };
        let mut state = slot.lock();
        let owed = state.owed();
        let offer = leave(&mut state.checkpoints, offer, owed);
        let is_left = offer.is_some();
        if let Some(offer) = offer {
            self.leave(slot, offer);
        }
        slot.look_for_room(&state);
        is_left
    }

    /// Leaves the checkpoint that waits, if it is ahead of nobody any more who must get every byte.
    pub(super) fn leave_waiting(&self, slot: &Slot) {
        let mut state = slot.lock();
        let owed = state.owed();
        if let Some(offer) = state.checkpoints.ready(owed) {
            self.leave(slot, offer);
        }
        slot.look_for_room(&state);
    }

    /// Leaves the newest checkpoint once more, which may know of nobody yet that must get every byte.
    pub(super) fn note_lossless(&self, slot: &Slot, state: &mut SlotState) {
        let Some(left) = state.checkpoints.left() else { return };
        let noted = Checkpointed::read(&left.checkpoint).and_then(|mut checkpoint| {
            checkpoint.meta.lossless = state.lossless_viewers();
            checkpoint.write()
        });
        if let Some(checkpoint) = noted {
            let offer = Offer { checkpoint, ..left.clone() };
            state.checkpoints.found(offer.clone());
            self.leave(slot, offer);
        }
    }

    /// Called with the slot locked, so that a newer one is not followed by an older one.
    fn leave(&self, slot: &Slot, Offer { generation, checkpoint, .. }: Offer) {
        let live = self.terminals.get(&slot.id).filter(|live| live.generation == generation);
        let terminal = live.map(|live| live.terminal.clone());
        if let Some(terminal) = terminal {
            terminal.keep(checkpoint);
        }
    }

    /// Whether a snapshot can be had at once: nobody has the screen, and it is not far behind.
    pub(super) fn snapshot_is_near(&self, slot: &Slot) -> bool {
        slot.model.try_lock().is_ok_and(|model| {
            let head = slot.lock().pane.log.head();
            head - model.offset <= BATCH as u64
        })
    }

    /// Brings a screen up to date and keeps it locked meanwhile, so that nothing comes between that and its use.
    fn catch_up(self: &Arc<Self>, slot: &Arc<Slot>, model: &mut Model) {
        while self.step(slot, model) {}
    }

    /// One batch. Whether there may be more.
    fn step(self: &Arc<Self>, slot: &Arc<Slot>, model: &mut Model) -> bool {
        let Behind::By(offset, cue) = slot.behind(model) else { return false };
        model.take_in();
        model.offset = offset;
        match cue {
            Some(Cue::Resize(size)) => model.screen.resize(size),
            // Given while the screen is locked, so that answers keep the order of their questions.
            Some(Cue::Answer(generation, query)) => {
                if let Some(answer) = model.screen.answer(&query) {
                    self.with_pane(slot, |state, terminal, _| {
                        state.pane.answer(generation, &answer, terminal);
                    });
                }
            }
            None => {}
        }
        true
    }
}

impl Slot {
    /// Looks up what the screen has not taken in yet, and lets go of what it has.
    fn behind(&self, model: &mut Model) -> Behind {
        let mut state = self.lock();
        // Offsets may have jumped, with nothing in between.
        model.offset = model.offset.max(state.pane.log.first());
        state.release(model.offset);
        let pane = &mut state.pane;
        let to = pane.cues.next_at().unwrap_or(u64::MAX).min(pane.log.head());
        let end = pane.log.slices(model.offset, to, BATCH, &mut model.parts);
        match pane.cues.due(end) {
            None if end == model.offset => {
                model.place = pane.place();
                Behind::No
            }
            cue => Behind::By(end, cue),
        }
    }
}

/// Threads that take in what floods print. They end when nobody holds this any more.
#[derive(Debug, Default)]
pub(super) struct Screens {
    queue: Mutex<Queue>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    slots: VecDeque<Arc<Slot>>,
    closed: bool,
}

impl Screens {
    /// Starts the threads: one for every two cores, as the readers and the viewers' writers need the rest.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(super) fn start(hub: &Arc<Hub>) -> std::io::Result<()> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores.div_ceil(2).min(4) {
            let (screens, hub) = (hub.screens.clone(), Arc::downgrade(hub));
            std::thread::Builder::new().name("screens".to_owned()).spawn(move || screens.run(&hub))?;
        }
        Ok(())
    }

    /// A pane's screen has fallen behind.
    pub(super) fn push(&self, slot: &Arc<Slot>) {
        if !slot.screen_queued.swap(true, Ordering::AcqRel) {
            self.lock().slots.push_back(slot.clone());
            self.more.notify_one();
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.more.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, hub: &Weak<Hub>) {
        // On Linux a thread has a priority of its own. Keystrokes go first; whoever needs a screen sooner brings it
        // up to date itself.
        let _ = setpriority_process(Some(gettid()), NICENESS);
        while let Some(slot) = self.next() {
            let Some(hub) = hub.upgrade() else { return };
            hub.checkpoint_if_due(&slot);
            // Lowered before the output is looked at: what comes in meanwhile queues the pane again.
            slot.screen_queued.store(false, Ordering::Release);
            let more = hub.step(&slot, &mut slot.model());
            if more {
                self.push(&slot);
            }
        }
    }

    fn next(&self) -> Option<Arc<Slot>> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(slot) = queue.slots.pop_front() {
                return Some(slot);
            }
            queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
