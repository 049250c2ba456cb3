//! How long a node waits before it dials again. Pure: chance is passed in.

use std::time::Duration;

/// The first wait, and the shortest.
const FIRST: Duration = Duration::from_millis(500);

/// The longest.
const LONGEST: Duration = Duration::from_secs(30);

/// A connection that lasted this long was a good one: the next failure is counted as the first.
const LASTED: Duration = Duration::from_secs(10);

/// How long to stay away when another process took over the same id: two that both dial at once would never stop.
const SUPERSEDED: Duration = Duration::from_secs(300);

/// See the module.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { next: FIRST }
    }
}

impl Backoff {
    /// The wait after a connection that `lasted` so long, or did not come about. `chance`, in 0..1, spreads what many
    /// nodes do at the same time over the upper half of it.
    pub(super) fn after(&mut self, lasted: Option<Duration>, chance: f64) -> Duration {
        if lasted.is_some_and(|lasted| lasted >= LASTED) {
            self.next = FIRST;
        }
        let wait = spread(self.next, chance);
        self.next = (self.next * 2).min(LONGEST);
        wait
    }

    /// The wait after somebody else took the id over.
    pub(super) fn after_superseded(&mut self, chance: f64) -> Duration {
        self.next = FIRST;
        spread(SUPERSEDED, chance)
    }
}

fn spread(wait: Duration, chance: f64) -> Duration {
    wait.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_good_connection() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..9).map(|_| backoff.after(None, 1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(backoff.after(Some(LASTED / 2), 1.0), LONGEST);
        assert_eq!(backoff.after(Some(LASTED), 1.0), FIRST);
        assert_eq!(backoff.after(Some(LASTED), 0.0), FIRST / 2);
        assert!(backoff.after_superseded(0.0) >= 2 * LONGEST);
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bounds(history in prop::collection::vec((0u64..60, 0.0f64..1.0), 0..30)) {
            let mut backoff = Backoff::default();
            for (lasted, chance) in history {
                let wait = backoff.after(Some(Duration::from_secs(lasted)), chance);
                prop_assert!((FIRST / 2..=LONGEST).contains(&wait));
            }
        }
    }
}
