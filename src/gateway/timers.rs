//! One alarm per pane, for all panes, in one task.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::ids::PaneId;

#[derive(Debug, Default)]
struct Alarms {
    by_time: BTreeSet<(Instant, PaneId)>,
    by_pane: HashMap<PaneId, Instant>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Timers {
    alarms: Mutex<Alarms>,
    /// Set off when the earliest alarm changed.
    changed: Notify,
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, Alarms> {
        // The maps are whole after a panic in another holder: each call leaves them so.
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a pane's alarm, unless it already rings earlier.
    pub(super) fn set(&self, pane: PaneId, at: Instant) {
        let mut alarms = self.lock();
        match alarms.by_pane.get(&pane) {
            Some(earlier) if *earlier <= at => return,
            Some(&later) => _ = alarms.by_time.remove(&(later, pane)),
            None => {}
        }
        alarms.by_pane.insert(pane, at);
        alarms.by_time.insert((at, pane));
        if alarms.by_time.first() == Some(&(at, pane)) {
            self.changed.notify_one();
        }
    }

    /// Forgets a pane's alarm.
    pub(super) fn clear(&self, pane: PaneId) {
        let mut alarms = self.lock();
        if let Some(at) = alarms.by_pane.remove(&pane) {
            alarms.by_time.remove(&(at, pane));
        }
    }

    fn take_due(&self, now: Instant) -> Result<PaneId, Option<Instant>> {
        let mut alarms = self.lock();
        match alarms.by_time.first().copied() {
            Some((at, pane)) if at <= now => {
                alarms.by_time.pop_first();
                alarms.by_pane.remove(&pane);
                Ok(pane)
            }
            next => Err(next.map(|(at, _)| at)),
        }
    }

    /// The next pane whose alarm rings; waits for it.
    pub(super) async fn next(&self) -> PaneId {
        loop {
            // Asked for before looking, so that an alarm set in between is not missed.
            let changed = self.changed.notified();
            match self.take_due(Instant::now()) {
                Ok(pane) => return pane,
                Err(None) => changed.await,
                Err(Some(at)) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(at.into()) => {}
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn alarms_ring_in_order_once_and_the_earlier_wins() {
        let timers = Timers::default();
        let now = Instant::now();
        timers.set(PaneId(1), now + Duration::from_millis(20));
        timers.set(PaneId(2), now + Duration::from_millis(10));
        timers.set(PaneId(1), now + Duration::from_millis(5));
        timers.set(PaneId(1), now + Duration::from_secs(60));
        timers.set(PaneId(3), now);
        timers.clear(PaneId(3));
        assert_eq!(timers.next().await, PaneId(1));
        assert_eq!(timers.next().await, PaneId(2));
        assert_eq!(timers.take_due(now + Duration::from_secs(120)), Err(None));
    }
}
