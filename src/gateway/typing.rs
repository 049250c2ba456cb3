//! Input on its way from a viewer to its pane: in turn and once, if it is numbered, and answered if it is not taken.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::clients::{Client, GivenBack, Turn, is_name};
use super::hub::{Attached, Hub};
use super::panes::Slot;
use super::refusal::{Made, Refusal};
use super::viewer::Viewer;
use crate::clock::Moment;
use crate::ids::{PaneId, ViewerId};
use crate::pane::input::Undelivered;
use crate::pane::{Effects, InputRefused, Typed};
use crate::protocol::frame::{Channel, InputFrame, InputKind};
use crate::protocol::server::{ErrorMessage, ServerMessage};

/// Up to how many bytes input is taken to be keys, of which an echo is expected.
const KEYS_BYTES: usize = 64;

/// What a viewer is to its client.
#[derive(Debug, Default)]
pub(super) struct Membership {
    /// Whose connection it is, once it said so; for good.
    client: OnceLock<Arc<Client>>,
    /// The number of the last frame that was dealt with.
    applied: AtomicU64,
    /// Whether the viewer is to be told of it.
    owed: AtomicBool,
    /// Set off when a newer connection of the client took its place.
    superseded: CancellationToken,
}

impl Membership {
    /// The client, once the viewer said which.
    pub(super) fn client(&self) -> Option<&Arc<Client>> {
        self.client.get()
    }

    pub(super) fn supersede(&self) {
        self.superseded.cancel();
    }

    pub(super) fn is_superseded(&self) -> bool {
        self.superseded.is_cancelled()
    }

    /// Resolves when a newer connection of the client has taken its place.
    pub(super) async fn superseded(&self) {
        self.superseded.cancelled().await;
    }

    pub(super) fn owe(&self, applied: u64) {
        self.applied.store(applied, Ordering::Release);
        self.owed.store(true, Ordering::Release);
    }

    pub(super) fn owes(&self) -> bool {
        self.owed.load(Ordering::Acquire)
    }

    pub(super) fn take_owed(&self) -> Option<u64> {
        self.owed.swap(false, Ordering::AcqRel).then(|| self.applied.load(Ordering::Acquire))
    }
}

/// What came of passing input on: its refusal, if it was not taken, and what its pane then wants done.
type Passed = (Option<ErrorMessage>, Option<(Arc<Slot>, Effects)>);

impl Attached {
    /// Passes input to its pane. What is not taken is answered to the viewer.
    pub fn input(&self, frame: &InputFrame) {
        let membership = &self.viewer.membership;
        if membership.is_superseded() {
            return;
        }
        match (frame.number, membership.client()) {
            (None, client) => {
                let owner = client.map_or(self.viewer.id, |client| client.owner);
                let (refusal, after) = self.hub.pass_on(&self.viewer, owner, frame);
                if let Some(refusal) = refusal {
                    self.viewer.refuse(refusal);
                }
                self.hub.follow_up(after);
            }
            (Some(number), Some(client)) => self.numbered(number, client, frame),
            (Some(number), None) => self.viewer.refuse(refused_number(
                "resume_first",
                "numbered input needs to know whose it is: send `resume` first".to_owned(),
                number,
            )),
        }
    }

    /// Types into a pane what its program can be given at once. Whether it was; if not, nothing was taken.
    pub(super) fn type_at_once(&self, channel: Channel, keys: &[u8]) -> bool {
        let membership = &self.viewer.membership;
        let slot = self.hub.by_channel.get(&channel).map(|slot| slot.clone());
        let Some(slot) = slot.filter(|_| !membership.is_superseded()) else { return false };
        let owner = membership.client().map_or(self.viewer.id, |client| client.owner);
        let typed = Typed { viewer: self.viewer.id, owner, kind: InputKind::Input, more: false, bytes: keys };
        self.hub.with_pane(&slot, |state, terminal, effects| {
            let can = !state.pane.is_closed() && state.pane.delivers_at_once() && terminal.is_some();
            can && state.pane.input(typed, Instant::now(), terminal, effects).is_ok()
        })
    }

    /// Up to which count the viewer's client was told, over this connection, of what was given back to it. Whoever
    /// asks the viewer whether it heard must first send what is queued by now.
    #[must_use]
    pub fn told(&self) -> u64 {
        self.viewer.membership.client().map_or(0, |client| client.lock().told(self.viewer.id))
    }

    /// The viewer has heard of what was given back up to a count.
    pub fn heard(&self, count: u64) {
        if let Some(client) = self.viewer.membership.client() {
            client.lock().heard(count);
        }
    }

    fn numbered(&self, number: u64, client: &Client, frame: &InputFrame) {
        let viewer = &self.viewer;
        let mut progress = client.lock();
        let after = match progress.turn(viewer.id, number) {
            Turn::Superseded => return,
            Turn::Gap { expected } => {
                let message = format!("input {number} came where {expected} is expected; it was not taken");
                return viewer.refuse(refused_number("input_gap", message, number));
            }
            Turn::Again => None,
            Turn::Take => {
                let (refusal, after) = self.hub.pass_on(viewer, client.owner, frame);
                if let Some(refusal) = refusal {
                    // Told before the acknowledgement that covers it: see the writer.
                    viewer.refuse(refusal.clone());
                    progress.refuse(refusal);
                }
                after
            }
        };
        // The rest of a paste waits for it at the other side; after keys, it goes with what they print.
        let awaited = frame.more || frame.payload.len() > KEYS_BYTES;
        viewer.acknowledge(progress.applied(), awaited);
        drop(progress);
        // What follows may lock the layout, or have something to tell this very client.
        self.hub.follow_up(after);
    }
}

fn refused_number(code: &str, message: String, number: u64) -> ErrorMessage {
    ErrorMessage { code: code.to_owned(), message, number: Some(number), ..ErrorMessage::default() }
}

impl Hub {
    /// Hands a frame to its pane. What the pane wants done is left to [`Hub::follow_up`].
    fn pass_on(&self, viewer: &Viewer, owner: ViewerId, frame: &InputFrame) -> Passed {
        let Some(slot) = self.by_channel.get(&frame.channel).map(|slot| slot.clone()) else {
            return (Some(unknown_channel(frame)), None);
        };
        let InputFrame { kind, more, payload, .. } = frame;
        let typed = Typed { viewer: viewer.id, owner, kind: *kind, more: *more, bytes: payload };
        let (refusal, effects) = self.at_pane(&slot, |state, terminal, effects| {
            if state.pane.is_closed() {
                // Since it was looked up.
                return Some(unknown_channel(frame));
            }
            let taken = state.pane.input(typed, Instant::now(), terminal, effects);
            taken.err().map(|InputRefused { code, message, bytes }| ErrorMessage {
                code: code.to_owned(),
                message,
                pane_id: Some(slot.id),
                bytes: Some(bytes),
                number: frame.number,
                ..ErrorMessage::default()
            })
        });
        (refusal, Some((slot, effects)))
    }

    fn follow_up(self: &Arc<Self>, after: Option<(Arc<Slot>, Effects)>) {
        if let Some((slot, effects)) = after {
            self.carry_out(&slot, effects);
        }
    }

    /// A viewer says whose connection it is.
    pub(super) fn resume(&self, viewer: &Arc<Viewer>, name: &str) -> Result<Made, Refusal> {
        if !is_name(name) {
            return Err(Refusal::ClientName);
        }
        let membership = &viewer.membership;
        let mut known = true;
        let client = membership.client.get_or_init(|| {
            let client;
            (client, known) = self.clients().enter(name, viewer.id, new_memory(), Instant::now());
            client
        });
        if client.name() != name {
            return Err(Refusal::OtherClient);
        }
        let mut progress = client.lock();
        // Looked at under the lock: whoever took its place did that under it too.
        if membership.is_superseded() {
            return Ok(Made::default());
        }
        let before = progress.hold(viewer.id).and_then(|before| self.viewers.get(&before));
        if let Some(before) = before {
            before.membership.supersede();
        }
        for news in progress.news() {
            viewer.refuse(news);
        }
        viewer.send(ServerMessage::Resumed { known, memory: client.memory, applied: progress.applied() });
        Ok(Made::default())
    }

    /// The connection of a viewer has ended.
    pub(super) fn leave_client(&self, viewer: &Viewer) {
        if let Some(client) = viewer.membership.client() {
            client.lock().leave(viewer.id);
            self.clients().left(client, Instant::now());
        }
    }

    /// Tells those whose input a pane gave back: a client over the connection that it has now or has next.
    pub(super) fn give_back(&self, pane: PaneId, undelivered: Option<(Vec<Undelivered>, &'static str)>) {
        let (undelivered, why) = undelivered.unwrap_or_default();
        for Undelivered { owner, bytes } in undelivered {
            let given_back = GivenBack { pane, bytes, why };
            let Some(client) = self.clients().of_owner(owner) else {
                if let Some(viewer) = self.viewers.get(&owner) {
                    viewer.refuse(given_back.message(None));
                }
                continue;
            };
            let mut progress = client.lock();
            progress.keep(given_back);
            if let Some(viewer) = progress.holder().and_then(|holder| self.viewers.get(&holder)) {
                progress.untold().into_iter().for_each(|message| viewer.refuse(message));
            }
        }
    }
}

/// A number that no memory of a client had before, also in an earlier run of the gateway; below 2^53, as all numbers on
/// the wire.
fn new_memory() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes) >> 11,
        Err(_) => Moment::now().unix_ms,
    }
}

fn unknown_channel(frame: &InputFrame) -> ErrorMessage {
    let Channel(channel) = frame.channel;
    ErrorMessage {
        code: "unknown_channel".to_owned(),
        message: format!("no pane has channel {channel}; it was closed, or never was"),
        field: Some("channel".to_owned()),
        number: frame.number,
        ..ErrorMessage::default()
    }
}
