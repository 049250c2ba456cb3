//! Which checkpoint of a pane is left with its terminal's host, and when.
//!
//! Whoever takes the terminal over goes on at the newest one that was left. That is as good as any for who looks at
//! the screen. A viewer that must get every byte needs one that is not ahead of what it has: a checkpoint that is waits
//! until all of them have got there, and the program with it, once the host can't keep much more. So that this is rare
//! they are made more often than for others.

use std::collections::VecDeque;

use crate::host::Checkpoint;
use crate::pane::printing::Place;
use crate::pane::respawn::Generation;
use crate::protocol::WINDOW_BYTES;

/// How many wait at most.
const MAX_WAITING: usize = 4;

/// For viewers that must get every byte one is made whenever their program has printed so much, in bytes: with what
/// they may lag behind that fits into what a host keeps.
const SPACING: u64 = 192 << 10;

/// A checkpoint, and what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// The terminal.
    pub(super) generation: Generation,
    /// The place in the pane's log.
    pub(super) offset: u64,
    /// See [`Place::insertions`].
    pub(super) insertions: u64,
    pub(super) checkpoint: Checkpoint,
}

impl Offer {
    pub(super) fn new(offset: u64, place: Place, checkpoint: Checkpoint) -> Offer {
        let Place { generation, insertions, .. } = place;
        Offer { generation, offset, insertions, checkpoint }
    }

    /// Whether it is of a later state of the same terminal. What was inserted is known to few.
    fn is_after(&self, other: &Offer) -> bool {
        let is_same = self.generation == other.generation;
        is_same && self.offset > other.offset && self.insertions >= other.insertions
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    /// The newest that was left.
    left: Option<Offer>,
    /// Those that are ahead of somebody, in order.
    waiting: VecDeque<Offer>,
    /// Whether the host can't keep much more without it.
    urgent: bool,
}

impl Checkpoints {
    /// Takes a new one; gives what is to be left now. `owed` is the offset before which all have everything that must
    /// get every byte; `None` if there are none.
    pub(super) fn offer(&mut self, new: Offer, owed: Option<u64>) -> Option<Offer> {
        if self.has_newer(&new) {
            return None;
        }
        if owed.is_none_or(|owed| new.offset <= owed) {
            return Some(self.leave(new));
        }
        if self.waiting.len() < MAX_WAITING && self.newest().is_none_or(|newest| newest.offset < new.offset) {
            self.waiting.push_back(new);
        }
        None
    }

    /// Takes one that must not wait, whoever is behind it.
    pub(super) fn insist(&mut self, new: Offer, _owed: Option<u64>) -> Option<Offer> {
        (!self.has_newer(&new)).then(|| self.leave(new))
    }

    fn has_newer(&self, new: &Offer) -> bool {
        self.left.as_ref().is_some_and(|left| left.is_after(new))
    }

    /// What waited and is to be left now.
    pub(super) fn ready(&mut self, owed: Option<u64>) -> Option<Offer> {
        let ready = |waiting: &mut Offer| owed.is_none_or(|owed| waiting.offset <= owed);
        let mut last = None;
        while let Some(next) = self.waiting.pop_front_if(ready) {
            last = Some(next);
        }
        last.map(|last| self.leave(last))
    }

    fn leave(&mut self, offer: Offer) -> Offer {
        self.waiting.retain(|waiting| waiting.offset > offer.offset);
        self.urgent = false;
        self.left.insert(offer).clone()
    }

    /// The newest that was left.
    pub(super) fn left(&self) -> Option<&Offer> {
        self.left.as_ref()
    }

    /// The host has this from before.
    pub(super) fn found(&mut self, offer: Offer) {
        self.left = Some(offer);
    }

    /// Whether one waits.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn newest(&self) -> Option<&Offer> {
        self.waiting.back().or(self.left.as_ref())
    }

    /// Whether one is to be made for viewers that must get every byte, when a program has printed so much.
    pub(super) fn is_worth(&self, printed: u64) -> bool {
        let since = self.newest().map_or(0, |newest| printed.saturating_sub(newest.checkpoint.printed));
        since >= SPACING && self.waiting.len() < MAX_WAITING
    }

    /// The host can't keep much more of what follows the newest that was left.
    pub(super) fn urge(&mut self) {
        self.urgent = self.is_waiting();
    }

    /// Whether the program is to wait until those have got to the checkpoint that must get every byte.
    pub(super) fn hold(&self, head: u64, owed: Option<u64>) -> bool {
        let behind = |waiting: &Offer| {
            // A viewer says what it has not before it has so much: all it is sent has to bring it past the checkpoint.
            let enough = head.saturating_sub(waiting.offset) >= WINDOW_BYTES;
            enough && owed.is_some_and(|owed| owed < waiting.offset)
        };
        self.urgent && self.waiting.front().is_some_and(behind)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn at(offset: u64) -> Offer {
        let checkpoint = Checkpoint { printed: offset, bytes: Bytes::new() };
        Offer { generation: Generation(1), offset, insertions: 0, checkpoint }
    }

    #[test]
    fn without_such_viewers_each_is_left_at_once_and_none_after_a_newer_one() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(checkpoints.offer(at(10), None), Some(at(10)));
        assert_eq!(checkpoints.offer(at(5), None), None);
        assert_eq!(checkpoints.offer(at(10), None), Some(at(10)), "at the same place, and newer");
    }

    #[test]
    fn what_is_ahead_waits_until_all_are_there() {
        let mut checkpoints = Checkpoints::default();
        for offset in [10, 20, 20, 30, 40, 50] {
            assert_eq!(checkpoints.offer(at(offset), Some(9)), None);
        }
        assert_eq!(checkpoints.ready(Some(9)), None);
        assert_eq!(checkpoints.ready(Some(29)), Some(at(20)), "the newest that is not ahead");
        assert_eq!(checkpoints.ready(Some(100)), Some(at(40)), "there was no place for more");
        assert_eq!(checkpoints.ready(Some(100)), None);
    }

    #[test]
    fn one_is_worth_it_whenever_so_much_was_printed() {
        let mut checkpoints = Checkpoints::default();
        assert!(!checkpoints.is_worth(u64::MAX), "none of the program was made yet");
        checkpoints.insist(at(0), None);
        for times in 1..=MAX_WAITING as u64 {
            assert!(!checkpoints.is_worth(times * SPACING - 1));
            assert!(checkpoints.is_worth(times * SPACING));
            checkpoints.offer(at(times * SPACING), Some(0));
        }
        assert!(!checkpoints.is_worth(u64::MAX));
    }

    #[test]
    fn one_that_must_not_wait_takes_the_place_of_one_that_does() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(checkpoints.offer(at(10), Some(0)), None);
        assert_eq!(checkpoints.insist(at(12), Some(0)), Some(at(12)));
        assert!(!checkpoints.is_waiting());
        assert_eq!(checkpoints.insist(at(11), None), None);
        let inserted = Offer { insertions: 1, ..at(11) };
        assert_eq!(
            checkpoints.insist(inserted.clone(), None),
            Some(inserted),
            "the newer one does not know of that"
        );
    }

    #[test]
    fn the_program_waits_when_the_host_is_nearly_full_and_those_are_surely_to_speak() {
        let mut checkpoints = Checkpoints::default();
        checkpoints.urge();
        assert!(!checkpoints.hold(u64::MAX, Some(0)), "nothing waits");
        assert_eq!(checkpoints.offer(at(10), Some(0)), None);
        assert!(!checkpoints.hold(u64::MAX, Some(0)), "the host has room");
        checkpoints.urge();
        assert!(!checkpoints.hold(9 + WINDOW_BYTES, Some(9)));
        assert!(checkpoints.hold(10 + WINDOW_BYTES, Some(9)));
        assert!(!checkpoints.hold(10 + WINDOW_BYTES, Some(10)), "they are there");
        assert!(!checkpoints.hold(10 + WINDOW_BYTES, None), "they have left");
    }

    proptest! {
        /// A step is a checkpoint made, or the viewer getting further.
        #[test]
        fn none_is_left_ahead_of_who_must_get_every_byte(
            steps in prop::collection::vec((any::<bool>(), 1_u64..1000), 1..80),
        ) {
            let (mut checkpoints, mut head, mut owed, mut left) = (Checkpoints::default(), 0, 0, 0);
            for (made, by) in steps {
                let offer = if made {
                    head += by;
                    checkpoints.offer(at(head), Some(owed))
                } else {
                    owed = head.min(owed + by);
                    checkpoints.ready(Some(owed))
                };
                if let Some(offer) = offer {
                    prop_assert!(left <= offer.offset && offer.offset <= owed);
                    left = offer.offset;
                }
            }
            // Once it has everything, so has the host.
            checkpoints.ready(Some(head));
            prop_assert_eq!(checkpoints.offer(at(head), Some(head)), Some(at(head)));
        }
    }
}
