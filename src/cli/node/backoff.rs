//! How long a node waits before it dials again. Pure: chance is passed in.

use std::time::Duration;

use crate::client::backoff::{self, spread};

/// The first wait, and the shortest.
const FIRST: Duration = Duration::from_millis(500);

/// The longest.
const LONGEST: Duration = Duration::from_secs(30);

/// How long to stay away when another process took over the same id: two that both dial at once would never stop.
const SUPERSEDED: Duration = Duration::from_secs(300);

/// See the module.
#[derive(Debug)]
pub(super) struct Backoff(backoff::Backoff);

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff(backoff::Backoff::new(FIRST, LONGEST))
    }
}

impl Backoff {
    /// The wait after a connection that `lasted` so long, or did not come about; `chance` is in 0..1.
    pub(super) fn after(&mut self, lasted: Option<Duration>, chance: f64) -> Duration {
        self.0.after(lasted, chance)
    }

    /// The wait after somebody else took the id over.
    pub(super) fn after_superseded(&mut self, chance: f64) -> Duration {
        self.0.start_over();
        spread(SUPERSEDED, chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_superseded_stays_away_and_begins_anew() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.after(None, 1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert!(backoff.after_superseded(0.0) >= 2 * LONGEST);
        assert_eq!(backoff.after(None, 1.0), FIRST);
    }
}
