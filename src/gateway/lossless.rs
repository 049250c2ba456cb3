//! Those who must get every byte of a pane: viewers that asked for it, those who wait for something, and, after the
//! gateway's restart, such viewers of the gateway before that are not back yet.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::panes::SlotState;
use super::saved::{Behind, CheckpointMeta, Checkpointed};
use crate::host::Kept;

/// How long viewers that must get every byte are waited for after a restart: longer than a client that could not reach
/// the gateway for hours lets pass before it tries again.
pub(super) const BACK_WITHIN: Duration = Duration::from_secs(20);

/// Viewers of the gateway before, which may come back to get the rest. They hold the program as if they were there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// They have everything before this offset, and perhaps more.
    from: u64,
    viewers: u32,
    until: Instant,
}

impl Expected {
    pub(super) fn new(from: u64, viewers: u32, now: Instant) -> Expected {
        Expected { from, viewers, until: now + BACK_WITHIN }
    }

    /// One of them is back. Who is still expected, if anybody is.
    fn one_less(self) -> Option<Expected> {
        let viewers = self.viewers.checked_sub(1).filter(|left| *left > 0)?;
        Some(Expected { viewers, ..self })
    }
}

impl SlotState {
    /// A viewer that must get every byte has come, perhaps one that was expected.
    pub(super) fn lossless_came(&mut self) {
        self.expected = self.expected.and_then(Expected::one_less);
    }

    fn expected(&self) -> Option<Expected> {
        self.expected.filter(|expected| Instant::now() < expected.until)
    }

    /// Until when viewers are waited for that are not back, if any are, or were until they were not waited for any more.
    pub(super) fn expected_until(&self) -> Option<Instant> {
        self.expected.map(|expected| expected.until)
    }

    /// Those who are not back in time are not waited for.
    pub(super) fn give_up_expected(&mut self, now: Instant) {
        self.expected.take_if(|expected| expected.until <= now);
    }

    /// How many viewers must get every byte, those that are expected included.
    pub(super) fn lossless_viewers(&self) -> u32 {
        let here = self.subscribers.iter().filter(|one| one.lossless).count();
        u32::try_from(here).unwrap_or(u32::MAX).saturating_add(self.expected().map_or(0, |one| one.viewers))
    }

    /// The offset before which all such viewers have everything, for all that they have said.
    pub(super) fn owed(&self) -> Option<u64> {
        let viewers = self.subscribers.iter().filter(|one| one.lossless).map(|one| one.taken());
        viewers.chain(self.expected().map(|expected| expected.from)).min()
    }

    /// The viewers that must get every byte, and from where on they may lack some if what was saved is as of `offset`.
    pub(super) fn behind(&self, offset: u64) -> Option<Behind> {
        let (owed, viewers) = (self.owed()?, self.lossless_viewers());
        let left = self.checkpoints.left().filter(|left| left.generation == self.pane.generation());
        let from = left.map_or(offset, |left| if owed < offset { left.offset } else { offset });
        Some(Behind { from, viewers })
    }

    /// Whether a terminal that was kept goes on at its checkpoint, not at the place that was saved: its host has not all
    /// that came after that, or a viewer must get what lies in between. None lacks anything before the checkpoint.
    pub(super) fn goes_to(&self, kept: &Kept, checkpoint: &Checkpointed<'_>) -> bool {
        let CheckpointMeta { offset, place, lossless, .. } = checkpoint.meta;
        let saved_at = self.pane.log.tail();
        let is_gone = !kept.reaches(self.pane.printed());
        let is_behind = lossless > 0 && self.owed().is_some_and(|owed| owed < saved_at);
        (is_gone || is_behind && offset < saved_at) && self.pane.can_go_to(kept, place)
    }

    /// Where the one is that has been sent the fewest.
    fn slowest_lossless(&self) -> Option<u64> {
        let viewers = self.subscribers.iter().filter(|one| one.lossless).map(|one| one.cursor());
        let onlookers = self.onlookers.iter().map(|one| one.load(Ordering::Acquire));
        viewers.chain(onlookers).chain(self.expected().map(|expected| expected.from)).min()
    }

    /// Lets go of output that neither the screen needs, which has everything before `offset`, nor anybody who must get
    /// it.
    pub(super) fn release(&mut self, offset: u64) {
        let needed = self.slowest_lossless().map_or(offset, |slowest| slowest.min(offset));
        self.pane.log.release(needed);
    }

    /// How many bytes the one lacks that has been sent the fewest.
    pub(super) fn lossless_lag(&self) -> u64 {
        self.slowest_lossless().map_or(0, |slowest| self.pane.log.head().saturating_sub(slowest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_expected_as_were_there() {
        let now = Instant::now();
        let two = Expected::new(7, 2, now);
        let one = two.one_less().unwrap();
        assert_eq!((one.from, one.until), (7, now + BACK_WITHIN));
        assert!(one.one_less().is_none());
    }
}
