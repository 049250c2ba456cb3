//! One viewer: a cursor per pane, and a short queue of what is for it alone.
//!
//! Output is pulled. A pane that grows marks the viewer's subscription and wakes it; the viewer's writer then
//! reads the pane's log from its cursor. A viewer that does not read is left behind and costs nobody anything.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::hub::Attached;
use super::loan::Loans;
use super::panes::Slot;
use super::screens::Snapshot;
use super::typing::Membership;
use super::view::View;
use super::window::Window;
use crate::geometry::Size;
use crate::ids::{PaneId, ViewerId};
use crate::pane::log::{Next, OutputLog};
use crate::protocol::client::ViewMode;
use crate::protocol::frame::{COMPACT_SKIP, Channel, compact_restart, restart_frames};
use crate::protocol::server::{ErrorMessage, ServerMessage};

/// How many messages for one viewer alone wait at most. A viewer that sends requests and takes no answers is
/// closed when it reaches this.
pub(super) const MAX_QUEUED: usize = 256;

/// How many subscriptions that have ended may wait in a viewer's queue before they are looked for.
const SPARE_ENDED: usize = 16;

/// Which of the two framings a viewer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `everpane.v1`: JSON in text frames, bytes in binary ones.
    Native,
    /// One byte of channel, all binary.
    Compact,
}

/// A viewer's interest in one pane.
#[derive(Debug)]
pub(super) struct Subscription {
    viewer: Arc<Viewer>,
    pub(super) slot: Arc<Slot>,
    /// The offset that the viewer asked for, if it had one.
    asked_from: Option<u64>,
    /// Whether it gets every byte, and the program waits for it.
    pub(super) lossless: bool,
    /// How many rows of scrollback its next snapshot brings along.
    history: AtomicU32,
    /// The offset after the last byte handed to the viewer's writer.
    cursor: AtomicU64,
    /// The offset before which the viewer has said to have taken everything in.
    taken: AtomicU64,
    /// The offset after the newest byte when the watch began.
    head: u64,
    flow: Mutex<Flow>,
    /// Whether the viewer was told that its watch began. Told when first pulled, so that a watch of any number of
    /// panes takes no room in the queue of messages.
    announced: AtomicBool,
    /// Whether it waits in the viewer's ready queue.
    ready: AtomicBool,
    ended: AtomicBool,
}

/// What is on its way to a viewer from one pane.
#[derive(Debug)]
struct Flow {
    /// Absent in the compact framing, which can't say what was taken in.
    window: Option<Window>,
    /// Frames of a snapshot that are not sent yet.
    parts: VecDeque<Bytes>,
}

/// What a watch asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    /// The offset after the last byte that the viewer has, if it has any.
    pub(super) offset: Option<u64>,
    pub(super) history: u32,
    pub(super) lossless: bool,
}

impl Subscription {
    pub(super) fn viewer_id(&self) -> ViewerId {
        self.viewer.id
    }

    pub(super) fn cursor(&self) -> u64 {
        self.cursor.load(Ordering::Acquire)
    }

    /// The offset before which the viewer has everything, for all that is known.
    pub(super) fn taken(&self) -> u64 {
        match self.viewer.framing {
            Framing::Native => self.taken.load(Ordering::Acquire),
            // It can't say.
            Framing::Compact => self.cursor(),
        }
    }

    /// The pane has more. Nearly free when the viewer knows that already.
    pub(super) fn mark(self: &Arc<Self>) {
        if !self.ready.swap(true, Ordering::AcqRel) {
            self.viewer.lock().queue(self);
            self.viewer.wake.notify_one();
        }
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announcement(&self) -> ServerMessage {
        let state = self.slot.lock();
        let (log, cursor) = (&state.pane.log, self.cursor());
        let held = log.has(cursor) && !log.resized_since(cursor) || self.waits_for(log, cursor);
        let from = if held { cursor } else { log.head() };
        let known = self.asked_from.filter(|asked| (log.first()..=log.head().max(from)).contains(asked));
        ServerMessage::Watching {
            pane_id: self.slot.id,
            from,
            head: self.head.max(from),
            missed: known.map(|asked| from - asked),
        }
    }

    /// Whether it must have what is gone, and may get it yet.
    fn waits_for(&self, log: &OutputLog, cursor: u64) -> bool {
        self.lossless && log.may_go_back_to(cursor)
    }

    /// What the viewer gets next.
    fn next(self: &Arc<Self>) -> Option<Pulled> {
        if self.viewer.framing == Framing::Native && !self.announced.swap(true, Ordering::AcqRel) {
            self.mark();
            return Some(Pulled::Message(self.announcement()));
        }
        let (now, cursor) = (Instant::now(), self.cursor());
        let mut flow = self.flow();
        if let Some(part) = flow.parts.pop_front() {
            self.mark();
            return Some(Pulled::Output(part));
        }
        let state = self.slot.lock();
        let log = &state.pane.log;
        if self.waits_for(log, cursor) {
            return None;
        }
        let native = self.viewer.framing == Framing::Native;
        let stale = !self.lossless && (native && log.resized_since(cursor) || log.is_stale(cursor, now));
        let output = match if stale { Next::Snapshot } else { log.read(cursor) } {
            Next::Nothing => return None,
            Next::Output(output) => {
                if flow.window.as_mut().is_some_and(|window| !window.takes_output(cursor, now)) {
                    return None;
                }
                output
            }
            Next::Snapshot => {
                let open = flow.window.as_mut().is_none_or(|window| window.takes_snapshot(now));
                return open.then(|| Pulled::Snapshot(SnapshotFor(self.clone())));
            }
        };
        self.cursor.store(output.next, Ordering::Release);
        if self.lossless {
            self.slot.look_for_room(&state);
        }
        if output.next < log.head() {
            self.mark();
        }
        Some(Pulled::Output(if native { output.frame } else { output.frame.slice(COMPACT_SKIP..) }))
    }

    /// The viewer gets a snapshot.
    fn restart(self: &Arc<Self>, snapshot: &Snapshot) {
        let Snapshot { offset, size, bytes, .. } = snapshot;
        let channel = self.slot.channel;
        let mut flow = self.flow();
        flow.parts = match self.viewer.framing {
            Framing::Native => restart_frames(*offset, channel, size.cols, size.rows, bytes).into(),
            Framing::Compact => [compact_restart(channel, bytes)].into(),
        };
        if let Some(window) = &mut flow.window {
            window.sent_snapshot(*offset);
        }
        self.cursor.store(*offset, Ordering::Release);
        drop(flow);
        if self.lossless {
            // What it lacked is gone, and the program must not wait for it.
            self.slot.look_for_room(&self.slot.lock());
        }
        self.mark();
    }

    /// The viewer has taken in everything before `offset`.
    pub(super) fn took_in(self: &Arc<Self>, offset: u64) {
        let (now, cursor) = (Instant::now(), self.cursor());
        let mut flow = self.flow();
        let Some(window) = &mut flow.window else { return };
        let opened = window.took_in(offset, cursor, now);
        self.taken.store(window.consumed(), Ordering::Release);
        drop(flow);
        if opened {
            self.mark();
        }
    }

    fn stuck_since(&self) -> Option<Instant> {
        self.flow().window.as_ref().and_then(Window::stuck_since)
    }

    /// Nothing more of it goes out.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

/// A snapshot that a viewer is to get; see [`super::Attached::restart`].
#[derive(Debug)]
pub struct SnapshotFor(Arc<Subscription>);

/// What a viewer's writer pulls.
#[derive(Debug)]
pub enum Pulled {
    /// Output, as this viewer's framing has it.
    Output(Bytes),
    /// What must be said before the output that follows.
    Message(ServerMessage),
    /// A snapshot is due first.
    Snapshot(SnapshotFor),
}

/// What a viewer wants, and what waits for it.
#[derive(Debug)]
pub(super) struct ViewerState {
    /// Subscriptions whose panes have more, in turn.
    ready: VecDeque<Arc<Subscription>>,
    pub(super) subscriptions: HashMap<PaneId, Arc<Subscription>>,
    /// Its room, once it said so.
    pub(super) viewport: Option<Size>,
    /// Whether it has a say in sizes.
    pub(super) sizing: bool,
    /// Panes it told its own size of; the rest follow from its viewport.
    pub(super) measured: HashSet<PaneId>,
    pub(super) mode: ViewMode,
    pub(super) view: View,
}

impl ViewerState {
    /// Lets go of a pane that is closed.
    pub(super) fn forget(&mut self, pane: PaneId) {
        self.measured.remove(&pane);
        if let Some(subscription) = self.subscriptions.remove(&pane) {
            subscription.end();
            if subscription.ready.load(Ordering::Acquire) {
                self.drop_ended();
            }
        }
    }

    /// Lets go of every pane, for good: what is queued refers back to the viewer, and would keep it.
    pub(super) fn leave(&mut self) {
        for subscription in self.subscriptions.drain().map(|(_, subscription)| subscription) {
            subscription.end();
        }
        self.ready.clear();
    }

    /// Puts a subscription that has more at the end of the queue.
    fn queue(&mut self, subscription: &Arc<Subscription>) {
        // Looked at under the lock: once its viewer has left, nothing is queued.
        if subscription.has_ended() {
            return;
        }
        // Only ended ones, of panes that a viewer watches anew again and again, make it longer than this.
        if self.ready.len() > 2 * self.subscriptions.len() + SPARE_ENDED {
            self.drop_ended();
        }
        self.ready.push_back(subscription.clone());
    }

    fn drop_ended(&mut self) {
        self.ready.retain(|subscription| !subscription.has_ended());
    }
}

/// See the module.
#[derive(Debug)]
pub struct Viewer {
    /// Its id.
    pub id: ViewerId,
    /// When it connected, in milliseconds since the Unix epoch.
    pub(super) since: u64,
    /// How it speaks.
    pub framing: Framing,
    /// What it is to its client, if it numbers its input.
    pub(super) membership: Membership,
    pub(super) loans: Loans,
    state: Mutex<ViewerState>,
    /// Set off when `ready` got longer, or an acknowledgement is awaited.
    wake: Notify,
    messages: mpsc::Sender<Box<ServerMessage>>,
    /// Set off when `messages` got shorter.
    drained: Notify,
    /// Set when the viewer must go because its answers piled up.
    overflow: CancellationToken,
    /// Set when somebody asked for its end.
    dismissal: CancellationToken,
}

impl Viewer {
    pub(super) fn new(
        id: ViewerId,
        framing: Framing,
        since: u64,
    ) -> (Arc<Viewer>, mpsc::Receiver<Box<ServerMessage>>) {
        let (messages, messages_rx) = mpsc::channel(MAX_QUEUED);
        let state = ViewerState {
            ready: VecDeque::new(),
            subscriptions: HashMap::new(),
            viewport: None,
            sizing: true,
            measured: HashSet::new(),
            mode: ViewMode::Shared,
            view: View::default(),
        };
        let viewer = Viewer {
            id,
            since,
            framing,
            membership: Membership::default(),
            loans: Loans::default(),
            state: Mutex::new(state),
            wake: Notify::new(),
            messages,
            drained: Notify::new(),
            overflow: CancellationToken::new(),
            dismissal: CancellationToken::new(),
        };
        (Arc::new(viewer), messages_rx)
    }

    /// Guards [`ViewerState`]. Never held while a pane's lock is taken, as panes mark viewers under theirs.
    pub(super) fn lock(&self) -> MutexGuard<'_, ViewerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its writer is to look for what there is to write.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// The channel of a pane that it watches, if it tells what it took in.
    pub(super) fn channel_of(&self, pane: PaneId) -> Option<Channel> {
        let native = self.framing == Framing::Native;
        self.lock().subscriptions.get(&pane).filter(|_| native).map(|subscription| subscription.slot.channel)
    }

    /// Whether it was sent all output of a pane before `offset`, and nothing else is on its way.
    pub(super) fn was_sent(&self, pane: PaneId, offset: u64) -> bool {
        let subscription = self.lock().subscriptions.get(&pane).cloned();
        subscription.is_some_and(|subscription| {
            subscription.cursor() == offset && subscription.flow().parts.is_empty()
        })
    }

    /// Queues a message for this viewer alone; a viewer that lets them pile up is closed.
    pub fn send(&self, message: ServerMessage) {
        if self.messages.try_send(Box::new(message)).is_err() {
            self.overflow.cancel();
        }
    }

    /// Queues a refusal.
    pub fn refuse(&self, error: ErrorMessage) {
        self.send(ServerMessage::Error(error));
    }

    /// Its client is to be told that its input was dealt with up to a number: at once if that is `awaited`, else
    /// along with output, if some comes soon.
    pub(super) fn acknowledge(&self, applied: u64, awaited: bool) {
        self.membership.owe(applied);
        if awaited {
            self.wake.notify_one();
        }
    }

    /// Whether there is an acknowledgement to be told. Whoever passes on the viewer's input looks after that: an
    /// acknowledgement that is not awaited wakes nobody.
    #[must_use]
    pub fn owes_acknowledgement(&self) -> bool {
        self.membership.owes()
    }

    /// The number up to which the viewer's input was dealt with, if it is to be told. Whoever tells it must first
    /// send what is queued by now: refusals of that input.
    #[must_use]
    pub fn acknowledgement(&self) -> Option<u64> {
        self.membership.take_owed()
    }

    /// Resolves when its client came back over another connection.
    pub async fn superseded(&self) {
        self.membership.superseded().await;
    }

    /// Resolves when the viewer has let its answers pile up.
    pub async fn overflowed(&self) {
        self.overflow.cancelled().await;
    }

    /// Its connection is to be closed.
    pub(super) fn dismiss(&self) {
        self.dismissal.cancel();
    }

    /// Resolves when somebody asked for the end of its connection.
    pub async fn dismissed(&self) {
        self.dismissal.cancelled().await;
    }

    /// Resolves when there is ample room for the answers to one more request. A viewer that sends many at once and
    /// reads is served as fast as it reads.
    pub async fn room(&self) {
        while self.messages.capacity() < MAX_QUEUED / 2 {
            self.drained.notified().await;
        }
    }

    /// Messages were taken out of the queue.
    pub fn drained(&self) {
        self.drained.notify_one();
    }

    /// Resolves when there may be output to pull.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// The next slice of output, pane by pane in turn, or `None` when the viewer has everything.
    pub fn pull(&self) -> Option<Pulled> {
        loop {
            let subscription = self.lock().ready.pop_front()?;
            if let Some(pulled) = self.pull_from(&subscription) {
                return Some(pulled);
            }
        }
    }

    fn pull_from(&self, subscription: &Arc<Subscription>) -> Option<Pulled> {
        // Lowered before the log is read: output that comes in between marks the subscription again.
        subscription.ready.store(false, Ordering::Release);
        if subscription.has_ended() { None } else { subscription.next() }
    }

    /// Whether there is output that the viewer could have had, and for so long has not been ready to take.
    #[must_use]
    pub fn is_stuck(&self, patience: Duration) -> bool {
        let stuck = |subscription: &Arc<Subscription>| {
            subscription.stuck_since().is_some_and(|since| since.elapsed() >= patience)
        };
        let subscriptions: Vec<_> = self.lock().subscriptions.values().cloned().collect();
        subscriptions.iter().any(stuck)
    }

    /// Subscribes to a pane with this log.
    pub(super) fn subscribe(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        wanted: Wanted,
        log: &OutputLog,
    ) -> Arc<Subscription> {
        // No byte has the last offset: who has nothing, or wants scrollback, gets a snapshot.
        let cursor = wanted.offset.filter(|_| wanted.history == 0).unwrap_or(u64::MAX);
        let head = log.head();
        let window_at = if log.has(cursor) { cursor } else { cursor.min(head) };
        let window = (self.framing == Framing::Native).then(|| Window::new(window_at));
        let subscription = Arc::new(Subscription {
            viewer: self.clone(),
            slot: slot.clone(),
            asked_from: wanted.offset,
            lossless: wanted.lossless,
            history: AtomicU32::new(wanted.history),
            cursor: AtomicU64::new(cursor),
            taken: AtomicU64::new(window_at),
            head,
            flow: Mutex::new(Flow { window, parts: VecDeque::new() }),
            announced: AtomicBool::new(false),
            ready: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        if let Some(old) = self.lock().subscriptions.insert(slot.id, subscription.clone()) {
            old.end();
        }
        subscription
    }
}

impl Attached {
    /// Gives the viewer a snapshot of a pane as it is now.
    pub async fn restart(&self, SnapshotFor(subscription): SnapshotFor) {
        let (hub, slot) = (self.hub.clone(), subscription.slot.clone());
        let history = subscription.history.swap(0, Ordering::AcqRel) as usize;
        if history == 0 && hub.snapshot_is_near(&slot) {
            return subscription.restart(&hub.snapshot(&slot, 0));
        }
        // To bring the screen up to date may take milliseconds.
        match tokio::task::spawn_blocking(move || hub.snapshot(&slot, history)).await {
            Ok(snapshot) => subscription.restart(&snapshot),
            Err(error) => tracing::error!("no snapshot: {error}"),
        }
    }
}
