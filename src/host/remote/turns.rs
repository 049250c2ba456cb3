//! Who may send next: terminals take turns, those with little to send before those with much.

use std::collections::{HashSet, VecDeque};

use super::frame::Number;

/// How much a terminal has to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// Little, like the echo of a key: it goes first.
    Small,
    /// As much as there is room for.
    Bulk,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Turns {
    small: VecDeque<Number>,
    bulk: VecDeque<Number>,
    waiting: HashSet<Number>,
}

impl Turns {
    /// A terminal has something to send. One that waits already keeps its place.
    pub(super) fn push(&mut self, number: Number, load: Load) {
        if self.waiting.insert(number) {
            match load {
                Load::Small => self.small.push_back(number),
                Load::Bulk => self.bulk.push_back(number),
            }
        }
    }

    /// Whose turn it is.
    pub(super) fn pop(&mut self) -> Option<Number> {
        let number = self.small.pop_front().or_else(|| self.bulk.pop_front())?;
        self.waiting.remove(&number);
        Some(number)
    }

    /// Nobody has anything to send any more.
    pub(super) fn clear(&mut self) {
        *self = Turns::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_round_and_little_goes_first() {
        let mut turns = Turns::default();
        for number in [1, 2, 1] {
            turns.push(Number(number), Load::Bulk);
        }
        turns.push(Number(3), Load::Small);
        assert_eq!(turns.pop(), Some(Number(3)));
        assert_eq!(turns.pop(), Some(Number(1)));
        turns.push(Number(1), Load::Bulk);
        let rest: Vec<_> = std::iter::from_fn(|| turns.pop()).collect();
        assert_eq!(rest, [Number(2), Number(1)]);
        turns.push(Number(4), Load::Small);
        turns.clear();
        assert_eq!(turns.pop(), None);
    }
}
