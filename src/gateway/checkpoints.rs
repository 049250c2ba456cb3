//! Which checkpoint of a pane is left with its terminal's host, and when.
//!
//! Whoever takes the terminal over goes on at the newest one that was left. That is as good as any for who looks at
//! the screen. A viewer that must get every byte needs one that is not ahead of what it has: a checkpoint that is waits
//! until all of them have got there, and the program with it, once the host can't keep much more.

use crate::host::Checkpoint;
use crate::pane::respawn::Generation;
use crate::protocol::WINDOW_BYTES;

/// A checkpoint, and what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// The terminal.
    pub(super) generation: Generation,
    /// The place in the pane's log.
    pub(super) offset: u64,
    pub(super) checkpoint: Checkpoint,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    /// The newest that was left.
    left: Option<Offer>,
    /// At most one: the first that is ahead of somebody.
    waiting: Option<Offer>,
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
        self.waiting.get_or_insert(new);
        None
    }

    /// Takes one that must not wait, whoever is behind it.
    pub(super) fn insist(&mut self, new: Offer, _owed: Option<u64>) -> Option<Offer> {
        (!self.has_newer(&new)).then(|| self.leave(new))
    }

    fn has_newer(&self, new: &Offer) -> bool {
        self.left.as_ref().is_some_and(|left| new.offset < left.offset)
    }

    /// What waited and is to be left now.
    pub(super) fn ready(&mut self, owed: Option<u64>) -> Option<Offer> {
        let ready = self.waiting.take_if(|waiting| owed.is_none_or(|owed| waiting.offset <= owed))?;
        Some(self.leave(ready))
    }

    fn leave(&mut self, offer: Offer) -> Offer {
        (self.waiting, self.urgent) = (None, false);
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
        self.waiting.is_some()
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
        self.urgent && self.waiting.as_ref().is_some_and(behind)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn at(offset: u64) -> Offer {
        let checkpoint = Checkpoint { printed: offset, bytes: Bytes::new() };
        Offer { generation: Generation(1), offset, checkpoint }
    }

    #[test]
    fn without_such_viewers_each_is_left_at_once_and_none_after_a_newer_one() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(checkpoints.offer(at(10), None), Some(at(10)));
        assert_eq!(checkpoints.offer(at(5), None), None);
        assert_eq!(checkpoints.offer(at(10), None), Some(at(10)), "at the same place, and newer");
    }

    #[test]
    fn the_first_that_is_ahead_waits_until_all_are_there() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(checkpoints.offer(at(10), Some(9)), None);
        assert_eq!(checkpoints.offer(at(20), Some(9)), None);
        assert_eq!(checkpoints.ready(Some(9)), None);
        assert_eq!(checkpoints.ready(Some(10)), Some(at(10)));
        assert_eq!(checkpoints.ready(Some(30)), None);
    }

    #[test]
    fn one_that_must_not_wait_takes_the_place_of_one_that_does() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(checkpoints.offer(at(10), Some(0)), None);
        assert_eq!(checkpoints.insist(at(12), Some(0)), Some(at(12)));
        assert!(!checkpoints.is_waiting());
        assert_eq!(checkpoints.insist(at(11), None), None);
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
