//! When to look at which record. A sign of life does not move an entry: whoever comes up is asked again when it really
//! is due, so that a busy connection costs nothing here.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::id::NodeId;

/// At most one time per record, never later than the record's deadline.
#[derive(Debug, Clone, Default)]
pub(super) struct Deadlines {
    queue: BTreeSet<(Instant, NodeId)>,
    of: HashMap<NodeId, Instant>,
}

impl Deadlines {
    /// Looks at `id` at this time and no other.
    pub(super) fn set(&mut self, id: &NodeId, at: Instant) {
        self.clear(id);
        self.of.insert(id.clone(), at);
        self.queue.insert((at, id.clone()));
    }

    /// Does not look at `id`.
    pub(super) fn clear(&mut self, id: &NodeId) {
        if let Some((id, at)) = self.of.remove_entry(id) {
            self.queue.remove(&(at, id));
        }
    }

    /// The earliest.
    pub(super) fn first(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Whose turn it is by now, the longest overdue first.
    pub(super) fn due(&self, now: Instant) -> Option<NodeId> {
        self.queue.first().filter(|(at, _)| *at <= now).map(|(_, id)| id.clone())
    }
}
