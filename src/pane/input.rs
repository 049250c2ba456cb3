//! Input that waits for a pane's terminal: one byte stream in arrival order, whoever typed it, bounded in
//! bytes, in messages and in age. A message is taken whole or refused whole.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};

use crate::ids::ViewerId;

/// More separate messages than this are refused even if they are short: each costs memory of its own.
const MAX_SEGMENTS: usize = 16 << 10;

/// Messages of one viewer that follow each other within this are kept as one.
const JOIN_WITHIN: Duration = Duration::from_millis(250);

/// What is held at most.
#[derive(Debug, Clone, Copy)]
pub struct InputLimits {
    /// Bytes for one pane.
    pub bytes: usize,
    /// How long input waits for a terminal before it is given back.
    pub age: Duration,
}

#[derive(Debug)]
struct Segment {
    viewer: ViewerId,
    length: usize,
    at: Instant,
    last: Instant,
}

/// Input of one viewer that will not be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undelivered {
    /// Who typed it.
    pub viewer: ViewerId,
    /// How many bytes.
    pub bytes: usize,
}

/// See the module.
#[derive(Debug)]
pub struct InputQueue {
    bytes: BytesMut,
    segments: VecDeque<Segment>,
    limits: InputLimits,
}

impl InputQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: InputLimits) -> InputQueue {
        InputQueue { bytes: BytesMut::new(), segments: VecDeque::new(), limits }
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes that wait, oldest first.
    #[must_use]
    pub fn waiting(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes a message, whole.
    ///
    /// # Errors
    /// When it does not fit; then nothing of it was taken.
    pub fn push(&mut self, viewer: ViewerId, message: &[u8], now: Instant) -> Result<(), InputFull> {
        if self.bytes.len() + message.len() > self.limits.bytes || self.segments.len() >= MAX_SEGMENTS {
            return Err(InputFull { bytes: message.len(), held: self.bytes.len(), limit: self.limits.bytes });
        }
        if message.is_empty() {
            return Ok(());
        }
        self.bytes.extend_from_slice(message);
        match self.segments.back_mut() {
            Some(last) if last.viewer == viewer && now.saturating_duration_since(last.at) < JOIN_WITHIN => {
                last.length += message.len();
                last.last = now;
            }
            _ => self.segments.push_back(Segment { viewer, length: message.len(), at: now, last: now }),
        }
        Ok(())
    }

    /// Forgets the first `count` bytes: they were written to a PTY.
    pub fn delivered(&mut self, count: usize) {
        self.bytes.advance(count);
        let mut left = count;
        while left > 0 {
            let first = self.segments.front_mut().expect("segments cover the bytes");
            let part = first.length.min(left);
            first.length -= part;
            left -= part;
            if first.length == 0 {
                self.segments.pop_front();
            }
        }
        if self.bytes.is_empty() {
            self.bytes = BytesMut::new();
        }
    }

    /// Drops everything, and says whose it was.
    pub fn discard(&mut self) -> Vec<Undelivered> {
        self.drop_while(|_| true)
    }

    /// Drops what has waited too long, and says whose it was.
    pub fn expire(&mut self, now: Instant) -> Vec<Undelivered> {
        let age = self.limits.age;
        self.drop_while(|segment| now.saturating_duration_since(segment.last) >= age)
    }

    /// When the oldest input will have waited too long.
    #[must_use]
    pub fn expires_at(&self) -> Option<Instant> {
        self.segments.front().map(|segment| segment.last + self.limits.age)
    }

    fn drop_while(&mut self, mut gone: impl FnMut(&Segment) -> bool) -> Vec<Undelivered> {
        let mut undelivered: Vec<Undelivered> = Vec::new();
        while let Some(segment) = self.segments.pop_front_if(|segment| gone(segment)) {
            self.bytes.advance(segment.length);
            match undelivered.iter_mut().find(|known| known.viewer == segment.viewer) {
                Some(known) => known.bytes += segment.length,
                None => undelivered.push(Undelivered { viewer: segment.viewer, bytes: segment.length }),
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

    #[test]
    fn a_message_that_does_not_fit_is_refused_whole() {
        let mut queue = InputQueue::new(LIMITS);
        let now = Instant::now();
        queue.push(ViewerId(1), &[b'a'; 90], now).unwrap();
        let full = queue.push(ViewerId(1), &[b'b'; 11], now).unwrap_err();
        assert_eq!(full, InputFull { bytes: 11, held: 90, limit: 100 });
        queue.push(ViewerId(1), &[b'c'; 10], now).unwrap();
        assert_eq!(queue.len(), 100);
    }

    #[test]
    fn old_input_is_given_back_to_whom_it_came_from() {
        let mut queue = InputQueue::new(LIMITS);
        let start = Instant::now();
        queue.push(ViewerId(1), b"one", start).unwrap();
        queue.push(ViewerId(2), b"two", start + Duration::from_secs(1)).unwrap();
        queue.push(ViewerId(1), b"three", start + Duration::from_secs(20)).unwrap();
        assert_eq!(queue.expire(start + Duration::from_secs(29)), []);
        assert_eq!(queue.expires_at(), Some(start + Duration::from_secs(30)));
        let expired = queue.expire(start + Duration::from_secs(31));
        let gone = |viewer, bytes| Undelivered { viewer: ViewerId(viewer), bytes };
        assert_eq!(expired, [gone(1, 3), gone(2, 3)]);
        assert_eq!(queue.waiting(), b"three");
        assert_eq!(queue.discard(), [gone(1, 5)]);
        assert!(queue.is_empty() && queue.expires_at().is_none());
    }

    proptest! {
        #[test]
        fn bytes_come_out_as_they_went_in(
            steps in proptest::collection::vec((0u64..3, proptest::collection::vec(any::<u8>(), 0..30), 0usize..40), 1..60),
        ) {
            let mut queue = InputQueue::new(LIMITS);
            let mut now = Instant::now();
            let (mut taken, mut out) = (Vec::new(), Vec::new());
            for (viewer, message, deliver) in steps {
                now += Duration::from_millis(100);
                if queue.push(ViewerId(viewer), &message, now).is_ok() {
                    taken.extend_from_slice(&message);
                }
                let count = deliver.min(queue.len());
                out.extend_from_slice(&queue.waiting()[..count]);
                queue.delivered(count);
                let covered: usize = queue.segments.iter().map(|segment| segment.length).sum();
                prop_assert_eq!(covered, queue.len());
                prop_assert!(queue.len() <= LIMITS.bytes);
            }
            out.extend_from_slice(queue.waiting());
            prop_assert_eq!(out, taken);
        }
    }
}
