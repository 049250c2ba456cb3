//! Input that waits for a pane's terminal: one byte stream in arrival order, whoever typed it, bounded in
//! bytes, in messages and in age. A message is taken whole or refused whole. A paste of several messages stays in
//! one piece: what others type while it is open waits in a lane behind it.
//!
//! ```text
//! written next ─▶ lane: … a's paste, open │ lane: what others typed, b's paste, open │ lane: what came then
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};

use crate::ids::ViewerId;

/// More separate messages than this are refused even if they are short: each costs memory of its own.
const MAX_SEGMENTS: usize = 16 << 10;

/// Messages of one viewer that follow each other within this are kept as one.
const JOIN_WITHIN: Duration = Duration::from_millis(250);

/// A paste of which nothing came for so long holds others up no longer: whoever sent it is gone, or as good as.
pub const PASTE_STALLS: Duration = Duration::from_secs(2);

/// What is held at most.
#[derive(Debug, Clone, Copy)]
pub struct InputLimits {
    /// Bytes for one pane, and as many behind a paste that is not complete.
    pub bytes: usize,
    /// How long input waits for a terminal before it is given back.
    pub age: Duration,
}

/// Input as it is held.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Whose it is, over all connections of a client.
    pub owner: ViewerId,
    /// The bytes; may be none, for the sake of what `more` says.
    pub bytes: &'a [u8],
    /// Whether the owner's next message belongs to the same paste.
    pub more: bool,
}

#[derive(Debug)]
struct Segment {
    owner: ViewerId,
    length: usize,
    at: Instant,
    last: Instant,
}

/// A paste that is not complete.
#[derive(Debug)]
struct Paste {
    owner: ViewerId,
    /// When something of it came, or was refused.
    last: Instant,
}

/// Input that may go out one after the other, up to an open paste.
#[derive(Debug, Default)]
struct Lane {
    bytes: BytesMut,
    segments: VecDeque<Segment>,
    /// The paste at its end. Every lane but the last has one.
    paste: Option<Paste>,
}

impl Lane {
    fn is_open_to(&self, owner: ViewerId) -> bool {
        self.paste.as_ref().is_some_and(|paste| paste.owner == owner)
    }

    fn append(&mut self, owner: ViewerId, bytes: &[u8], now: Instant) {
        self.bytes.extend_from_slice(bytes);
        match self.segments.back_mut() {
            Some(last) if last.owner == owner && now.saturating_duration_since(last.at) < JOIN_WITHIN => {
                last.length += bytes.len();
                last.last = now;
            }
            _ => self.segments.push_back(Segment { owner, length: bytes.len(), at: now, last: now }),
        }
    }

    fn join(&mut self, next: Lane) {
        self.bytes.unsplit(next.bytes);
        self.segments.extend(next.segments);
        self.paste = next.paste;
    }
}

/// Input of one viewer that will not be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undelivered {
    /// Whose it is, as [`Message::owner`].
    pub owner: ViewerId,
    /// How many bytes.
    pub bytes: usize,
}

/// See the module.
#[derive(Debug)]
pub struct InputQueue {
    /// At least one.
    lanes: VecDeque<Lane>,
    /// How many bytes all lanes hold.
    length: usize,
    limits: InputLimits,
}

impl InputQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: InputLimits) -> InputQueue {
        InputQueue { lanes: VecDeque::from([Lane::default()]), length: 0, limits }
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The bytes that may be written now, oldest first. Others may wait behind a paste.
    #[must_use]
    pub fn waiting(&self) -> &[u8] {
        &self.lanes[0].bytes
    }

    /// Whether nothing stands between this owner's next message and the terminal.
    #[must_use]
    pub fn is_next(&self, owner: ViewerId) -> bool {
        let front = &self.lanes[0];
        front.bytes.is_empty() && (front.paste.is_none() || front.is_open_to(owner))
    }

    /// Whether this owner's next message belongs to a paste.
    #[must_use]
    pub fn is_pasting(&self, owner: ViewerId) -> bool {
        self.lanes.iter().any(|lane| lane.is_open_to(owner))
    }

    /// Whether a message fits; one without bytes does, so that any paste can end. One that does not still shows
    /// that its paste goes on. What waits behind a paste takes no room from it, else the two would wait for each other.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn admit(&mut self, message: Message<'_>, now: Instant) -> Result<(), InputFull> {
        let index = self.lane_of(message.owner);
        let beside = if index == 0 { 0..1 } else { 1..self.lanes.len() };
        let segments: usize = self.lanes.range(beside.clone()).map(|lane| lane.segments.len()).sum();
        let held: usize = self.lanes.range(beside).map(|lane| lane.bytes.len()).sum();
        let (bytes, limit) = (message.bytes.len(), self.limits.bytes);
        let fits = held + bytes <= limit && self.length + bytes <= 2 * limit;
        if bytes == 0 || fits && segments < MAX_SEGMENTS {
            return Ok(());
        }
        let pasted = self.lanes.get_mut(index).and_then(|lane| lane.paste.as_mut());
        if let Some(paste) = pasted.filter(|paste| paste.owner == message.owner) {
            paste.last = now;
        }
        Err(InputFull { bytes, held, limit })
    }

    /// Where an owner's next message goes: the lane of its paste, or the last one, or a new one.
    fn lane_of(&self, owner: ViewerId) -> usize {
        let own = self.lanes.iter().position(|lane| lane.is_open_to(owner));
        let last = self.lanes.len() - 1;
        own.unwrap_or(last + usize::from(self.lanes[last].paste.is_some()))
    }

    /// Takes a message, whole: at the end of its paste, or else behind everything.
    ///
    /// # Errors
    /// When it does not fit; then nothing of it was taken.
    pub fn push(&mut self, message: Message<'_>, now: Instant) -> Result<(), InputFull> {
        self.admit(message, now)?;
        let Message { owner, bytes, more } = message;
        if bytes.is_empty() && !more && !self.is_pasting(owner) {
            return Ok(());
        }
        let index = self.lane_of(owner);
        if index == self.lanes.len() {
            self.lanes.push_back(Lane::default());
        }
        let lane = &mut self.lanes[index];
        if !bytes.is_empty() {
            lane.append(owner, bytes, now);
            self.length += bytes.len();
        }
        lane.paste = more.then_some(Paste { owner, last: now });
        self.join_from(index);
        Ok(())
    }

    /// Lets the lane behind `index` follow at once, if no paste stands between any more.
    fn join_from(&mut self, index: usize) {
        while self.lanes[index].paste.is_none() && index + 1 < self.lanes.len() {
            let next = self.lanes.remove(index + 1).expect("the lane behind is there");
            self.lanes[index].join(next);
        }
    }

    /// Ends the pastes of which nothing came for long.
    pub fn end_stalled(&mut self, now: Instant) {
        let mut index = 0;
        while index < self.lanes.len() {
            let stalled = |paste: &mut Paste| now.saturating_duration_since(paste.last) >= PASTE_STALLS;
            if self.lanes[index].paste.take_if(stalled).is_some() {
                self.join_from(index);
            } else {
                index += 1;
            }
        }
    }

    /// When to call [`InputQueue::end_stalled`], if a paste holds others up.
    #[must_use]
    pub fn stalls_at(&self) -> Option<Instant> {
        let open = self.lanes.iter().take(self.lanes.len() - 1).filter_map(|lane| lane.paste.as_ref());
        open.map(|paste| paste.last + PASTE_STALLS).min()
    }

    /// Forgets the first `count` of the bytes that wait: they were written to a PTY.
    pub fn delivered(&mut self, count: usize) {
        let Lane { bytes, segments, .. } = &mut self.lanes[0];
        bytes.advance(count);
        self.length -= count;
        let mut left = count;
        while left > 0 {
            let first = segments.front_mut().expect("segments cover the bytes");
            let part = first.length.min(left);
            first.length -= part;
            left -= part;
            if first.length == 0 {
                segments.pop_front();
            }
        }
        if bytes.is_empty() {
            *bytes = BytesMut::new();
        }
    }

    /// Puts bytes that were taken as delivered, and were not, back in front of all others; they count as input of
    /// `owner`, typed now. May go beyond the limits, by as much as a terminal takes at most.
    pub fn put_back(&mut self, owner: ViewerId, returned: &[u8], now: Instant) {
        if returned.is_empty() {
            return;
        }
        let Lane { bytes, segments, .. } = &mut self.lanes[0];
        let behind = std::mem::replace(bytes, BytesMut::from(returned));
        bytes.unsplit(behind);
        segments.push_front(Segment { owner, length: returned.len(), at: now, last: now });
        self.length += returned.len();
    }

    /// Drops everything, and says whose it was. A paste that is open stays open: more of it will come.
    pub fn discard(&mut self) -> Vec<Undelivered> {
        self.drop_while(|_| true)
    }

    /// Drops what has waited for `age`, and says whose it was.
    pub fn expire(&mut self, now: Instant, age: Duration) -> Vec<Undelivered> {
        self.drop_while(|segment| now.saturating_duration_since(segment.last) >= age)
    }

    /// When the oldest input will have waited for `age`.
    #[must_use]
    pub fn expires_at(&self, age: Duration) -> Option<Instant> {
        let oldest = self.lanes.iter().filter_map(|lane| lane.segments.front());
        oldest.map(|segment| segment.last + age).min()
    }

    fn drop_while(&mut self, mut gone: impl FnMut(&Segment) -> bool) -> Vec<Undelivered> {
        let mut undelivered: Vec<Undelivered> = Vec::new();
        for lane in &mut self.lanes {
            while let Some(Segment { owner, length, .. }) =
                lane.segments.pop_front_if(|segment| gone(segment))
            {
                lane.bytes.advance(length);
                self.length -= length;
                match undelivered.iter_mut().find(|known| known.owner == owner) {
                    Some(known) => known.bytes += length,
                    None => undelivered.push(Undelivered { owner, bytes: length }),
                }
            }
        }
        undelivered
    }
}

/// A message that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes were not taken: {held} of at most {limit} bytes are held already")]
pub struct InputFull {
    /// The message's length.
    pub bytes: usize,
    /// What is held.
    pub held: usize,
    /// What may be held.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: InputLimits = InputLimits { bytes: 100, age: Duration::from_secs(30) };

    fn typed(owner: u64, bytes: &[u8]) -> Message<'_> {
        Message { owner: ViewerId(owner), bytes, more: false }
    }

    fn pasted(owner: u64, bytes: &[u8]) -> Message<'_> {
        Message { more: true, ..typed(owner, bytes) }
    }

    fn taken(queue: &mut InputQueue) -> Vec<u8> {
        let bytes = queue.waiting().to_vec();
        queue.delivered(bytes.len());
        bytes
    }

    #[test]
    fn a_message_that_does_not_fit_is_refused_whole() {
        let mut queue = InputQueue::new(LIMITS);
        let now = Instant::now();
        queue.push(typed(1, &[b'a'; 90]), now).unwrap();
        let full = queue.push(typed(1, &[b'b'; 11]), now).unwrap_err();
        assert_eq!(full, InputFull { bytes: 11, held: 90, limit: 100 });
        queue.push(typed(1, &[b'c'; 10]), now).unwrap();
        assert_eq!(queue.len(), 100);
    }

    #[test]
    fn old_input_is_given_back_to_whom_it_came_from() {
        let mut queue = InputQueue::new(LIMITS);
        let start = Instant::now();
        queue.push(typed(1, b"one"), start).unwrap();
        queue.push(typed(2, b"two"), start + Duration::from_secs(1)).unwrap();
        queue.push(typed(1, b"three"), start + Duration::from_secs(20)).unwrap();
        assert_eq!(queue.expire(start + Duration::from_secs(29), LIMITS.age), []);
        assert_eq!(queue.expires_at(LIMITS.age), Some(start + Duration::from_secs(30)));
        let expired = queue.expire(start + Duration::from_secs(31), LIMITS.age);
        let gone = |owner, bytes| Undelivered { owner: ViewerId(owner), bytes };
        assert_eq!(expired, [gone(1, 3), gone(2, 3)]);
        assert_eq!(queue.waiting(), b"three");
        assert_eq!(queue.discard(), [gone(1, 5)]);
        assert!(queue.is_empty() && queue.expires_at(LIMITS.age).is_none());
    }

    #[test]
    fn others_wait_behind_an_open_paste_and_pastes_behind_each_other() {
        let (mut queue, now) = (InputQueue::new(LIMITS), Instant::now());
        queue.push(pasted(1, b"A1"), now).unwrap();
        queue.push(typed(2, b"b"), now).unwrap();
        queue.push(pasted(3, b"C1"), now).unwrap();
        queue.push(typed(2, b"d"), now).unwrap();
        queue.push(pasted(1, b"A2"), now).unwrap();
        assert_eq!(taken(&mut queue), b"A1A2");
        assert!(queue.is_next(ViewerId(1)) && !queue.is_next(ViewerId(3)) && !queue.is_next(ViewerId(2)));
        queue.push(typed(3, b"C2"), now).unwrap();
        assert_eq!((queue.waiting(), queue.len()), (&b""[..], 6));
        queue.push(typed(1, b"A3"), now).unwrap();
        assert_eq!(taken(&mut queue), b"A3bC1C2d");
        assert!(queue.is_next(ViewerId(2)) && queue.stalls_at().is_none());
    }

    #[test]
    fn a_paste_ends_also_with_an_empty_message() {
        let (mut queue, now) = (InputQueue::new(LIMITS), Instant::now());
        queue.push(pasted(1, b""), now).unwrap();
        queue.push(typed(2, b"b"), now).unwrap();
        assert_eq!(queue.waiting(), b"");
        queue.push(typed(1, b""), now).unwrap();
        assert_eq!(queue.waiting(), b"b");
    }

    #[test]
    fn a_paste_ends_also_where_there_is_no_room() {
        let (mut queue, now) = (InputQueue::new(LIMITS), Instant::now());
        queue.push(pasted(1, &[b'A'; 90]), now).unwrap();
        queue.push(pasted(2, &[b'B'; 90]), now).unwrap();
        queue.push(typed(1, b""), now).unwrap();
        queue.push(typed(3, b"c"), now).unwrap();
        queue.push(pasted(2, b"B"), now).unwrap_err();
        queue.push(typed(2, b""), now).unwrap();
        assert_eq!((queue.waiting().len(), queue.len()), (181, 181));
    }

    #[test]
    fn a_paste_that_stalls_holds_nobody_up() {
        let (mut queue, start) = (InputQueue::new(LIMITS), Instant::now());
        queue.push(pasted(1, b"A1"), start).unwrap();
        assert_eq!(queue.stalls_at(), None, "nobody waits");
        queue.push(typed(2, b"b"), start + PASTE_STALLS / 2).unwrap();
        // Refused for now, but its sender is there.
        queue.push(pasted(1, &[b'A'; 99]), start + PASTE_STALLS).unwrap_err();
        assert_eq!(queue.stalls_at(), Some(start + 2 * PASTE_STALLS));
        queue.end_stalled(start + 2 * PASTE_STALLS - Duration::from_millis(1));
        assert_eq!(queue.waiting(), b"A1");
        queue.end_stalled(start + 2 * PASTE_STALLS);
        assert_eq!(queue.waiting(), b"A1b");
        assert!(!queue.is_pasting(ViewerId(1)));
    }

    #[test]
    fn what_waits_behind_a_paste_takes_no_room_from_it() {
        let (mut queue, now) = (InputQueue::new(LIMITS), Instant::now());
        queue.push(pasted(1, &[b'A'; 50]), now).unwrap();
        queue.push(typed(2, &[b'b'; 60]), now).unwrap();
        assert_eq!(queue.push(typed(3, &[b'c'; 41]), now).unwrap_err().held, 60);
        queue.push(typed(3, &[b'c'; 40]), now).unwrap();
        assert_eq!(queue.push(pasted(1, &[b'A'; 51]), now).unwrap_err().held, 50);
        queue.push(typed(1, &[b'A'; 50]), now).unwrap();
        assert_eq!((queue.waiting().len(), queue.len()), (200, 200));
        queue.push(typed(1, b"A"), now).unwrap_err();
    }

    #[test]
    fn what_is_thrown_away_leaves_pastes_open() {
        let (mut queue, now) = (InputQueue::new(LIMITS), Instant::now());
        queue.push(pasted(1, b"A1"), now).unwrap();
        queue.push(typed(2, b"b"), now).unwrap();
        assert_eq!(queue.discard().len(), 2);
        queue.push(typed(2, b"c"), now).unwrap();
        assert_eq!((queue.waiting(), queue.len()), (&b""[..], 1));
        queue.push(typed(1, b"A2"), now).unwrap();
        assert_eq!(queue.waiting(), b"A2c");
    }

    fn message() -> impl Strategy<Value = (u64, bool, Vec<u8>)> {
        (0u64..4, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..30))
    }

    proptest! {
        #[test]
        fn bytes_come_out_as_they_went_in(
            steps in proptest::collection::vec((message(), 0usize..40), 1..60),
        ) {
            let mut queue = InputQueue::new(LIMITS);
            let mut now = Instant::now();
            let (mut taken, mut out) = (Vec::new(), Vec::new());
            for ((owner, _, bytes), deliver) in steps {
                now += Duration::from_millis(100);
                if queue.push(typed(owner, &bytes), now).is_ok() {
                    taken.extend_from_slice(&bytes);
                }
                let count = deliver.min(queue.len());
                out.extend_from_slice(&queue.waiting()[..count]);
                queue.delivered(count);
                prop_assert!(queue.len() <= LIMITS.bytes);
            }
            out.extend_from_slice(queue.waiting());
            prop_assert_eq!(out, taken);
        }

        /// Each owner's bytes are marked by who and which paste it was: in what comes out, nothing stands between
        /// the first and the last byte of a paste, and each owner's are in order.
        #[test]
        fn pastes_come_out_in_one_piece(
            steps in proptest::collection::vec((0u8..4, any::<bool>(), 0usize..20, 0usize..40), 1..80),
        ) {
            let mut queue = InputQueue::new(LIMITS);
            let now = Instant::now();
            let mut out: Vec<u8> = Vec::new();
            // Of each owner: the number of the paste or key that is typed, and whether it is open.
            let mut pastes = [(0u8, false); 4];
            let mut lengths = std::collections::BTreeMap::<u8, usize>::new();
            let last = (0u8..4).map(|owner| (owner, false, 0, 100));
            for (owner, more, length, deliver) in steps.into_iter().chain(last) {
                let (number, open) = &mut pastes[usize::from(owner)];
                *number += u8::from(!*open);
                // 80 steps leave each owner's numbers below 64.
                let mark = owner << 6 | *number & 63;
                prop_assume!(*number < 64);
                let message = Message { owner: ViewerId(owner.into()), bytes: &vec![mark; length], more };
                if queue.push(message, now).is_ok() {
                    *lengths.entry(mark).or_default() += length;
                    *open = more;
                }
                let covered: usize = queue.lanes.iter().flat_map(|lane| &lane.segments).map(|part| part.length).sum();
                prop_assert_eq!(covered, queue.len());
                prop_assert!(queue.len() <= 2 * LIMITS.bytes);
                let count = deliver.min(queue.waiting().len());
                out.extend_from_slice(&queue.waiting()[..count]);
                queue.delivered(count);
            }
            out.extend_from_slice(queue.waiting());
            prop_assert_eq!(out.len(), lengths.values().sum::<usize>());
            let pieces: Vec<u8> = out.chunk_by(|a, b| a == b).map(|piece| piece[0]).collect();
            for owner in 0u8..4 {
                let own: Vec<u8> = pieces.iter().copied().filter(|mark| mark >> 6 == owner).collect();
                prop_assert!(own.is_sorted_by(|a, b| a < b), "torn or out of order: {:?}", own);
            }
        }
    }
}
