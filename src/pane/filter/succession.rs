//! What a filter of another gateway needs to go on in this one's place.

use super::{Filter, State};

impl Filter {
    /// From how many bytes before the end of the output a filter that knows no more than the modes, and whether this one
    /// is parted, could go on in its place; `None` in the middle of something that is left out or passed in part.
    #[must_use]
    pub fn resumes_before(&self) -> Option<usize> {
        let whole = self.held.is_empty() || self.held_as_printed;
        (self.state == State::Ground && whole).then_some(self.held.len())
    }

    /// Whether something was left out after the last byte of clean output.
    #[must_use]
    pub fn is_parted(&self) -> bool {
        self.parted
    }

    /// Goes on in place of a filter that was.
    pub fn part(&mut self, parted: bool) {
        self.parted = parted;
    }
}
