//! One viewer: a cursor per pane, and a short queue of what is for it alone.
//!
//! Output is pulled. A pane that grows marks the viewer's subscription and wakes it; the viewer's writer then
//! reads the pane's log from its cursor. A viewer that does not read is left behind and costs nobody anything.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::panes::Slot;
use super::typing::Membership;
use super::view::View;
use crate::geometry::Size;
use crate::ids::{PaneId, ViewerId};
use crate::protocol::client::ViewMode;
use crate::protocol::frame::{COMPACT_SKIP, OUTPUT_HEADER, OutputKind};
use crate::protocol::server::{ErrorMessage, ServerMessage};

/// How many messages for one viewer alone wait at most. A viewer that sends requests and takes no answers is
/// closed when it reaches this.
pub(super) const MAX_QUEUED: usize = 256;

/// How long a compact viewer may take to go through a pane's past output.
const REPLAYED_WITHIN: Duration = Duration::from_secs(2);

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
    /// The offset after the last byte handed to the viewer's writer.
    cursor: AtomicU64,
    /// The offset after the newest byte when the watch began.
    head: u64,
    /// Whether the viewer was told that its watch began. Told when first pulled, so that a watch of any number of
    /// panes takes no room in the queue of messages.
    announced: AtomicBool,
    /// Whether it waits in the viewer's ready queue.
    ready: AtomicBool,
    ended: AtomicBool,
    /// When the watch began.
    began: Instant,
}

impl Subscription {
    pub(super) fn viewer_id(&self) -> ViewerId {
        self.viewer.id
    }

    /// The pane has more. Nearly free when the viewer knows that already.
    pub(super) fn mark(self: &Arc<Self>) {
        if !self.ready.swap(true, Ordering::AcqRel) {
            self.viewer.lock().queue(self);
            self.viewer.wake.notify_one();
        }
    }

    /// Whether its viewer's terminal may still be answering queries of output from before it came. Native viewers
    /// know where that ends and keep such answers to themselves; a compact one is taken to be through with it
    /// after a while.
    pub(super) fn may_answer_the_past(&self) -> bool {
        self.viewer.framing == Framing::Compact && self.head > 0 && self.began.elapsed() < REPLAYED_WITHIN
    }

    fn announcement(&self) -> ServerMessage {
        let state = self.slot.lock();
        let (log, cursor) = (&state.pane.log, self.cursor.load(Ordering::Acquire));
        let held = (log.tail()..=log.head()).contains(&cursor);
        let from = if held { cursor } else { log.restart_offset() };
        ServerMessage::Watching { pane_id: self.slot.id, from, head: self.head.max(from), missed: None }
    }

    /// Nothing more of it goes out.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

/// What a viewer's writer pulls.
#[derive(Debug)]
pub enum Pulled {
    /// Output, as this viewer's framing has it.
    Output(Bytes),
    /// What must be said before the output that follows.
    Message(ServerMessage),
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
    /// How it speaks.
    pub framing: Framing,
    /// What it is to its client, if it numbers its input.
    pub(super) membership: Membership,
    state: Mutex<ViewerState>,
    /// Set off when `ready` got longer, or an acknowledgement is owed.
    wake: Notify,
    messages: mpsc::Sender<Box<ServerMessage>>,
    /// Set off when `messages` got shorter.
    drained: Notify,
    /// Set when the viewer must go because its answers piled up.
    overflow: CancellationToken,
}

impl Viewer {
    pub(super) fn new(id: ViewerId, framing: Framing) -> (Arc<Viewer>, mpsc::Receiver<Box<ServerMessage>>) {
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
            framing,
            membership: Membership::default(),
            state: Mutex::new(state),
            wake: Notify::new(),
            messages,
            drained: Notify::new(),
            overflow: CancellationToken::new(),
        };
        (Arc::new(viewer), messages_rx)
    }

    /// Guards [`ViewerState`]. Never held while a pane's lock is taken, as panes mark viewers under theirs.
    pub(super) fn lock(&self) -> MutexGuard<'_, ViewerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Its client is to be told that its input was dealt with up to a number.
    pub(super) fn acknowledge(&self, applied: u64) {
        self.membership.owe(applied);
        self.wake.notify_one();
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
        if subscription.has_ended() {
            return None;
        }
        if self.framing == Framing::Native && !subscription.announced.swap(true, Ordering::AcqRel) {
            subscription.mark();
            return Some(Pulled::Message(subscription.announcement()));
        }
        let cursor = subscription.cursor.load(Ordering::Acquire);
        let (output, more) = {
            let state = subscription.slot.lock();
            let output = state.pane.log.read(cursor)?;
            let more = output.next < state.pane.log.head();
            (output, more)
        };
        subscription.cursor.store(output.next, Ordering::Release);
        if more {
            subscription.mark();
        }
        Some(Pulled::Output(match (self.framing, output.kind) {
            (Framing::Native, _) => output.frame,
            (Framing::Compact, OutputKind::Output) => output.frame.slice(COMPACT_SKIP..),
            (Framing::Compact, OutputKind::Restart | OutputKind::RestartPart) => {
                compact_restart(&output.frame)
            }
        }))
    }

    /// Subscribes to a pane whose log ends at `head`, from `cursor` on.
    pub(super) fn subscribe(self: &Arc<Self>, slot: &Arc<Slot>, cursor: u64, head: u64) -> Arc<Subscription> {
        let subscription = Arc::new(Subscription {
            viewer: self.clone(),
            slot: slot.clone(),
            cursor: AtomicU64::new(cursor),
            head,
            announced: AtomicBool::new(false),
            ready: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            began: Instant::now(),
        });
        if let Some(old) = self.lock().subscriptions.insert(slot.id, subscription.clone()) {
            old.end();
        }
        subscription
    }
}

/// The compact framing has no kinds: a full reset (RIS) does what a restart asks for.
fn compact_restart(native: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(native.len());
    frame.put_slice(&native[COMPACT_SKIP..OUTPUT_HEADER]);
    frame.put_slice(b"\x1bc");
    frame.put_slice(&native[OUTPUT_HEADER..]);
    frame.freeze()
}
