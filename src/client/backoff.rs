//! How long to wait before the next try to connect. Pure: chance is passed in.

use std::time::Duration;

/// A connection that lasted this long was a good one: the next failure is counted as the first.
const LASTED: Duration = Duration::from_secs(10);

/// Waits that double with every failure.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// One that begins with a wait of `first` and ends with `longest`.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff { first, longest, next: first }
    }

    /// The wait after a connection that `lasted` so long, or did not come about. `chance`, in 0..1, spreads what many
    /// clients do at the same time over the upper half of it.
    pub fn after(&mut self, lasted: Option<Duration>, chance: f64) -> Duration {
        if lasted.is_some_and(|lasted| lasted >= LASTED) {
            self.start_over();
        }
        let wait = spread(self.next, chance);
        self.next = (self.next * 2).min(self.longest);
        wait
    }

    /// The next failure is counted as the first.
    pub fn start_over(&mut self) {
        self.next = self.first;
    }
}

/// A wait in the upper half of `wait`.
#[must_use]
pub fn spread(wait: Duration, chance: f64) -> Duration {
    wait.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(15);

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_good_connection() {
        let mut backoff = Backoff::new(FIRST, LONGEST);
        let waits: Vec<_> = (0..8).map(|_| backoff.after(None, 1.0).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
        assert_eq!(backoff.after(Some(LASTED / 2), 1.0), LONGEST);
        assert_eq!(backoff.after(Some(LASTED), 1.0), FIRST);
        backoff.start_over();
        assert_eq!(backoff.after(None, 0.0), FIRST / 2);
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bounds(history in prop::collection::vec((0u64..60, 0.0f64..1.0), 0..30)) {
            let mut backoff = Backoff::new(FIRST, LONGEST);
            for (lasted, chance) in history {
                let wait = backoff.after(Some(Duration::from_secs(lasted)), chance);
                prop_assert!((FIRST / 2..=LONGEST).contains(&wait));
            }
        }
    }
}
