//! What a pane's screen must do at certain offsets of the output, besides taking the output in.

use std::collections::VecDeque;

use super::respawn::Generation;
use crate::geometry::Size;
use crate::screen::query::Query;

/// More queries than this do not wait: a program that asks so much at once is not listening to the answers.
const MAX_QUERIES: usize = 1024;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cue {
    /// The screen gets another size.
    Resize(Size),
    /// The program of a generation gets an answer.
    Answer(Generation, Query),
}

/// What is to be done, in the order of the offsets.
#[derive(Debug, Default)]
pub struct Cues {
    waiting: VecDeque<(u64, Cue)>,
    queries: usize,
}

impl Cues {
    /// The screen gets another size once it has taken in everything before `offset`, the last byte of which
    /// stands for the resize. Of sizes between which nothing was printed only the last counts.
    pub fn resize(&mut self, offset: u64, size: Size) {
        self.waiting.pop_back_if(|(due, cue)| *due + 1 == offset && matches!(cue, Cue::Resize(_)));
        self.waiting.push_back((offset, Cue::Resize(size)));
    }

    /// A program asks something at `offset`. Asked beyond the bound, it gets no answer.
    pub fn query(&mut self, offset: u64, generation: Generation, query: Query) {
        if self.queries < MAX_QUERIES {
            self.queries += 1;
            self.waiting.push_back((offset, Cue::Answer(generation, query)));
        }
    }

    /// Whether somebody waits for an answer.
    #[must_use]
    pub fn has_queries(&self) -> bool {
        self.queries > 0
    }

    /// Where the next one is due.
    #[must_use]
    pub fn next_at(&self) -> Option<u64> {
        self.waiting.front().map(|(offset, _)| *offset)
    }

    /// Takes the next one, if it is due once everything before `offset` has been taken in.
    pub fn due(&mut self, offset: u64) -> Option<Cue> {
        let (_, cue) = self.waiting.pop_front_if(|(due, _)| *due <= offset)?;
        self.queries -= usize::from(matches!(cue, Cue::Answer(..)));
        Some(cue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_come_in_order_and_not_before_their_time() {
        let mut cues = Cues::default();
        let size = Size { cols: 90, rows: 30 };
        cues.query(3, Generation(1), Query::Unanswered);
        cues.resize(5, size);
        assert_eq!((cues.next_at(), cues.has_queries()), (Some(3), true));
        assert_eq!(cues.due(2), None);
        assert_eq!(cues.due(9), Some(Cue::Answer(Generation(1), Query::Unanswered)));
        assert!(!cues.has_queries());
        assert_eq!((cues.due(4), cues.due(5), cues.due(5)), (None, Some(Cue::Resize(size)), None));
    }

    #[test]
    fn of_sizes_with_nothing_between_only_the_last_counts() {
        let mut cues = Cues::default();
        let size = |cols| Size { cols, rows: 24 };
        cues.resize(4, size(80));
        cues.resize(5, size(90));
        cues.resize(7, size(100));
        assert_eq!((cues.due(9), cues.due(9)), (Some(Cue::Resize(size(90))), Some(Cue::Resize(size(100)))));
        assert_eq!(cues.due(9), None);
    }

    #[test]
    fn a_storm_of_queries_is_bounded_and_sizes_still_pass() {
        let mut cues = Cues::default();
        for _ in 0..10 * MAX_QUERIES {
            cues.query(0, Generation(1), Query::Unanswered);
        }
        cues.resize(1, Size::MIN);
        assert_eq!(cues.waiting.len(), MAX_QUERIES + 1);
    }
}
