//! What was typed, on its way to the gateway: numbered, kept until the gateway says that it has it, held back while
//! there is no connection or no room. Pure: the time is passed in.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::ids::PaneId;
use crate::protocol::MAX_UNACKNOWLEDGED;

/// The most bytes of one frame, so that a paste does not hold up what is typed elsewhere.
const FRAME_BYTES: usize = 32 << 10;

/// The most bytes that may be on their way to one pane: little has to be sent again when a frame is not taken.
const LANE_BYTES: usize = 32 << 10;

/// The most bytes that are held, on their way or waiting, for all panes.
pub const HELD_BYTES: usize = 256 << 10;

/// The most pieces that are held: a piece costs more than the byte that may be all there is in it.
const MAX_PIECES: usize = 4096;

/// The most bytes that the gateway is to hold for one pane; it takes twice that.
const PENDING_BYTES: usize = 128 << 10;

/// How long a pane that had no room is left alone at first, and at the longest: the gateway takes an open paste of which
/// nothing comes for two seconds to be complete.
const FIRST_REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_millis(800);

/// What ends a bracketed paste.
const BRACKET_END: &[u8] = b"\x1b[201~";

/// There is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes were not taken: {held} are held already")]
pub struct Full {
    /// How many bytes were refused.
    pub bytes: usize,
    /// How many are held.
    pub held: usize,
}

/// A numbered frame, to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// The pane it is for. One that is no more gets nothing, but the number has to be used.
    pub pane: PaneId,
    /// Its number.
    pub number: u64,
    /// Whether the next one for this pane belongs to the same paste.
    pub more: bool,
    /// What was typed.
    pub bytes: Vec<u8>,
}

/// One frame's worth.
#[derive(Debug, Clone)]
struct Piece {
    /// Counts pieces, so that one that comes back finds its place again.
    place: u64,
    /// The same for all pieces of a paste.
    paste: u64,
    /// Whether the paste begins with it.
    first: bool,
    /// Whether the paste goes on with the next one.
    more: bool,
    /// At most [`FRAME_BYTES`].
    bytes: Vec<u8>,
}

/// A frame that is not known to have arrived.
#[derive(Debug)]
struct Sent {
    number: u64,
    pane: PaneId,
    piece: Piece,
    /// Whether this connection has carried it.
    carried: bool,
    /// Whether the gateway had no room for it. It stays until it is known what became of later ones for its pane.
    refused: bool,
}

/// One pane's share.
#[derive(Debug)]
struct Lane {
    /// What was not sent yet, oldest first.
    waiting: VecDeque<Piece>,
    /// The paste that what is typed next belongs to.
    open: Option<u64>,
    /// Until when nothing is sent, since the gateway had no room.
    rests_until: Option<Instant>,
    /// How long the next rest is.
    rest: Duration,
    /// The paste that was stopped last: of it, only its end is still sent.
    stopped: Option<u64>,
}

impl Default for Lane {
    fn default() -> Lane {
        Lane { waiting: VecDeque::new(), open: None, rests_until: None, rest: FIRST_REST, stopped: None }
    }
}

/// Keeps the order of each pane; panes do not wait for each other.
#[derive(Debug, Default)]
pub struct Outbox {
    lanes: BTreeMap<PaneId, Lane>,
    /// Not known to have arrived, by number; at most [`MAX_UNACKNOWLEDGED`].
    sent: VecDeque<Sent>,
    /// Bytes held, in `lanes` and `sent`.
    held: usize,
    /// Which memory of this client the gateway counts under; none before its first word.
    memory: Option<u64>,
    /// The last number that was given.
    number: u64,
    /// How many pieces there have been, and how many pastes.
    pieces: u64,
    pastes: u64,
}

impl Outbox {
    /// How many bytes are held: those that wait, and those that are not known to have arrived.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }

    /// Whether nothing is held: everything was dealt with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.lanes.values().all(|lane| lane.waiting.is_empty())
    }

    /// Takes all of `bytes`. `more`: what is typed into the pane next belongs to the same paste.
    ///
    /// # Errors
    /// When there is no room for them; then none was taken.
    pub fn push(&mut self, pane: PaneId, bytes: &[u8], more: bool) -> Result<(), Full> {
        let pieces = self.sent.len() + self.lanes.values().map(|lane| lane.waiting.len()).sum::<usize>();
        if self.held + bytes.len() > HELD_BYTES || (pieces >= MAX_PIECES && !bytes.is_empty()) {
            return Err(Full { bytes: bytes.len(), held: self.held });
        }
        let lane = self.lanes.entry(pane).or_default();
        let open = lane.open;
        if bytes.is_empty() && open.is_none() {
            return Ok(());
        }
        self.held += bytes.len();
        let paste = open.unwrap_or_else(|| {
            self.pastes += 1;
            self.pastes
        });
        lane.open = more.then_some(paste);
        let is_part = open.is_some() || more;
        if let Some(last) = lane.waiting.back_mut().filter(|last| joins(last, open, is_part, bytes)) {
            last.bytes.extend_from_slice(bytes);
            last.more = more;
            return Ok(());
        }
        let count = bytes.len().div_ceil(FRAME_BYTES).max(1);
        for index in 0..count {
            let end = bytes.len().min((index + 1) * FRAME_BYTES);
            self.pieces += 1;
            lane.waiting.push_back(Piece {
                place: self.pieces,
                paste,
                first: index == 0 && open.is_none(),
                more: more || index + 1 < count,
                bytes: bytes[index * FRAME_BYTES..end].to_vec(),
            });
        }
        Ok(())
    }

    /// What is to be sent next, if anything is: first what an older connection carried. `pending` tells what the gateway
    /// holds for a pane, in bytes.
    pub fn take(&mut self, pending: impl Fn(PaneId) -> usize, now: Instant) -> Option<Numbered> {
        if let Some(again) = self.sent.iter_mut().find(|sent| !sent.carried && !sent.refused) {
            again.carried = true;
            return Some(again.frame());
        }
        let ready = |(pane, lane): (&PaneId, &Lane)| {
            let next = lane.waiting.front()?;
            let rests = lane.rests_until.is_some_and(|until| until > now);
            (!rests && self.may_go(*pane, next, pending(*pane))).then_some(*pane)
        };
        let pane = self.lanes.iter().find_map(ready)?;
        let piece = self.lanes.get_mut(&pane)?.waiting.pop_front()?;
        self.number += 1;
        let sent = Sent { number: self.number, pane, piece, carried: true, refused: false };
        let frame = sent.frame();
        self.sent.push_back(sent);
        Some(frame)
    }

    /// When the first pane has rested that something waits for.
    #[must_use]
    pub fn rests_until(&self, now: Instant) -> Option<Instant> {
        let waiting = self.lanes.values().filter(|lane| !lane.waiting.is_empty());
        waiting.filter_map(|lane| lane.rests_until).filter(|until| *until > now).min()
    }

    /// The gateway has everything up to a number. How many bytes are lost: there was no room for them, and then there was
    /// for what was typed after them; or they are given up, see [`Outbox::not_taken`].
    pub fn acknowledged(&mut self, applied: u64, now: Instant) -> usize {
        let (mut lost, mut given_up) = (0, 0);
        let taken = |sent: &Sent| !sent.refused && sent.number <= applied;
        while let Some(at) = self.sent.iter().position(taken) {
            let Some(Sent { number, pane, piece, .. }) = self.sent.remove(at) else { break };
            self.held -= piece.bytes.len();
            let too_late = |sent: &Sent| sent.refused && sent.pane == pane && sent.number < number;
            lost += self
                .sent
                .iter()
                .filter(|sent| too_late(sent))
                .map(|sent| sent.piece.bytes.len())
                .sum::<usize>();
            self.sent.retain(|sent| !too_late(sent));
            if let Some(lane) = self.lanes.get_mut(&pane) {
                lane.rest = FIRST_REST;
            }
            given_up += self.put_back_if_known(pane, now);
            self.forget_if_idle(pane);
        }
        self.held -= lost;
        lost + given_up
    }

    /// The gateway had no room for a frame: its bytes are sent again, under a new number, before anything later for that
    /// pane. How many are given up instead, since their paste was interrupted.
    pub fn not_taken(&mut self, number: u64, now: Instant) -> usize {
        let Some(sent) = self.sent.iter_mut().find(|sent| sent.number == number && !sent.refused) else {
            return 0;
        };
        sent.refused = true;
        let pane = sent.pane;
        self.put_back_if_known(pane, now)
    }

    /// Puts back what the gateway had no room for, once it is known what became of all that was sent to the pane: a later
    /// frame may be taken yet, and then it would be too late for an earlier one. How many bytes are given up instead.
    fn put_back_if_known(&mut self, pane: PaneId, now: Instant) -> usize {
        let mut of_pane = self.sent.iter().filter(|sent| sent.pane == pane).peekable();
        let is_known = of_pane.peek().is_some() && of_pane.all(|sent| sent.refused);
        if is_known { self.put_back(pane, now) } else { 0 }
    }

    /// Puts back what the gateway had no room for.
    fn put_back(&mut self, pane: PaneId, now: Instant) -> usize {
        let lane = self.lanes.entry(pane).or_default();
        let mut given_up = 0;
        let goes_back = |sent: &Sent| sent.pane == pane && sent.refused;
        let (back, kept) = self.sent.drain(..).partition::<VecDeque<_>, _>(goes_back);
        self.sent = kept;
        for mut sent in back {
            if lane.stopped == Some(sent.piece.paste) {
                // There may never be room for it.
                given_up += std::mem::take(&mut sent.piece.bytes).len();
            }
            lane.put_back(sent.piece);
        }
        self.held -= given_up;
        lane.rests_until = Some(now + lane.rest);
        lane.rest = (2 * lane.rest).min(LONGEST_REST);
        given_up
    }

    /// The gateway refused a frame for good. How many bytes are lost, as the rest of its paste goes with it; 0 if that was
    /// known.
    pub fn refused(&mut self, number: u64, now: Instant) -> usize {
        let Some(sent) = self.remove(number) else { return 0 };
        let paste = sent.piece.paste;
        let lost = sent.piece.bytes.len() + self.drop_waiting(sent.pane, |piece| piece.paste == paste);
        if let Some(lane) = self.lanes.get_mut(&sent.pane).filter(|lane| lane.open == Some(paste)) {
            // What comes of it still is typed anew: to be lost without a word would be worse.
            lane.open = None;
        }
        let given_up = self.put_back_if_known(sent.pane, now);
        self.forget_if_idle(sent.pane);
        lost + given_up
    }

    /// The connection is gone. What it carried is kept.
    pub fn disconnected(&mut self) {
        self.sent.iter_mut().for_each(|sent| sent.carried = false);
    }

    /// A new connection, to a gateway that remembers under `memory` that everything up to `applied` was dealt with. If the
    /// numbers were counted under another one, nobody knows whether what was sent has arrived: it is not sent again, nor
    /// is the rest of a paste without its beginning. How many bytes those were, lost ones among them.
    pub fn resumed(&mut self, memory: u64, applied: u64, now: Instant) -> usize {
        if self.memory.replace(memory) == Some(memory) {
            return self.acknowledged(applied, now);
        }
        let mut unknown: usize = self.sent.drain(..).map(|sent| sent.piece.bytes.len()).sum();
        self.held -= unknown;
        for pane in self.lanes.keys().copied().collect::<Vec<_>>() {
            unknown += self.drop_begun(pane);
        }
        self.number = applied;
        unknown
    }

    /// Drops what waits for a pane, so that an interrupt key goes past it. How many bytes those were.
    pub fn interrupt(&mut self, pane: PaneId) -> usize {
        let Some(lane) = self.lanes.get_mut(&pane) else { return 0 };
        lane.rests_until = None;
        let begun = lane.waiting.front().filter(|next| !next.first).cloned();
        let last =
            begun.as_ref().and_then(|begun| lane.waiting.iter().rfind(|piece| piece.paste == begun.paste));
        let is_bracketed = last.is_some_and(|last| last.bytes.ends_with(BRACKET_END));
        let dropped = self.drop_waiting(pane, |_| true);
        let Some(begun) = begun else { return dropped };
        // The gateway keeps everybody else's keys back until a paste has ended, and so does a program that was told of
        // its beginning.
        let end = if is_bracketed { BRACKET_END.to_vec() } else { Vec::new() };
        self.held += end.len();
        let lane = self.lanes.entry(pane).or_default();
        lane.stopped = Some(begun.paste);
        lane.open = lane.open.filter(|open| *open != begun.paste);
        let kept = end.len();
        lane.put_back(Piece { more: false, bytes: end, ..begun });
        dropped - kept
    }

    /// Drops what is meant for panes that are no more, unless this connection has carried it: then the gateway tells what
    /// became of it. Numbers that were given stay, without bytes. How many bytes were dropped.
    pub fn retain(&mut self, is_open: impl Fn(PaneId) -> bool) -> usize {
        let before = self.held;
        for sent in self.sent.iter_mut().filter(|sent| !sent.carried && !is_open(sent.pane)) {
            self.held -= sent.piece.bytes.len();
            sent.piece.bytes = Vec::new();
        }
        for pane in self.lanes.keys().copied().filter(|pane| !is_open(*pane)).collect::<Vec<_>>() {
            self.drop_waiting(pane, |_| true);
            self.lanes.remove(&pane);
        }
        before - self.held
    }

    fn may_go(&self, pane: PaneId, piece: &Piece, pending: usize) -> bool {
        if self.sent.len() as u64 >= MAX_UNACKNOWLEDGED
            || self.sent.iter().any(|sent| sent.pane == pane && sent.refused)
        {
            return false;
        }
        let mut underway =
            self.sent.iter().filter(|sent| sent.pane == pane).map(|sent| &sent.piece).peekable();
        // Of two frames the second may be taken and the first not: nothing goes along with a piece of a paste.
        if underway.peek().is_some() && (piece.is_part() || underway.clone().any(Piece::is_part)) {
            return false;
        }
        // An interrupt key makes room. A paste that was begun goes on: the gateway refuses what it has no room for, but
        // takes a pause for the end.
        let bytes: usize = underway.map(|piece| piece.bytes.len()).sum();
        let room = LANE_BYTES.min(PENDING_BYTES.saturating_sub(pending));
        !piece.first || is_interrupt(&piece.bytes) || bytes + piece.bytes.len() <= room
    }

    /// Drops what is left of a paste that was begun. How many bytes those were.
    fn drop_begun(&mut self, pane: PaneId) -> usize {
        let front = self.lanes.get(&pane).and_then(|lane| lane.waiting.front());
        match front.filter(|piece| !piece.first).map(|piece| piece.paste) {
            Some(begun) => self.drop_waiting(pane, |piece| piece.paste == begun),
            None => 0,
        }
    }

    fn drop_waiting(&mut self, pane: PaneId, goes: impl Fn(&Piece) -> bool) -> usize {
        let Some(lane) = self.lanes.get_mut(&pane) else { return 0 };
        let dropped = lane.waiting.iter().filter(|piece| goes(piece)).map(|piece| piece.bytes.len()).sum();
        lane.waiting.retain(|piece| !goes(piece));
        self.held -= dropped;
        dropped
    }

    /// Forgets a frame that was sent.
    fn remove(&mut self, number: u64) -> Option<Sent> {
        let at = self.sent.iter().position(|sent| sent.number == number && !sent.refused)?;
        let sent = self.sent.remove(at)?;
        self.held -= sent.piece.bytes.len();
        Some(sent)
    }

    fn forget_if_idle(&mut self, pane: PaneId) {
        let is_idle = |lane: &Lane| lane.waiting.is_empty() && lane.open.is_none();
        if self.lanes.get(&pane).is_some_and(is_idle) && !self.sent.iter().any(|sent| sent.pane == pane) {
            self.lanes.remove(&pane);
        }
    }
}

impl Lane {
    /// Puts a piece before everything later.
    fn put_back(&mut self, piece: Piece) {
        let at = self.waiting.iter().position(|other| other.place > piece.place);
        self.waiting.insert(at.unwrap_or(self.waiting.len()), piece);
    }
}

impl Piece {
    /// Whether it is not all of what was pasted.
    fn is_part(&self) -> bool {
        self.more || !self.first
    }
}

impl Sent {
    fn frame(&self) -> Numbered {
        let Piece { more, bytes, .. } = &self.piece;
        Numbered { pane: self.pane, number: self.number, more: *more, bytes: bytes.clone() }
    }
}

/// Whether what is typed now may be added to the piece that waits last: keys to keys, a paste to itself.
fn joins(last: &Piece, open: Option<u64>, is_part: bool, bytes: &[u8]) -> bool {
    let alike = match open {
        Some(paste) => last.paste == paste,
        None => !is_part && !last.is_part(),
    };
    let alone = is_interrupt(&last.bytes) || is_interrupt(bytes);
    alike && (last.is_part() || !alone) && last.bytes.len() + bytes.len() <= FRAME_BYTES
}

/// Whether input is one interrupt, quit or suspend key and nothing else: alone in a frame, it goes past what a program
/// does not read.
#[must_use]
pub fn is_interrupt(bytes: &[u8]) -> bool {
    matches!(bytes, [0x03 | 0x1a | 0x1c])
}
