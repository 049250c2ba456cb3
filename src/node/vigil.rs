//! Notices that the gateway itself was stopped, so that nobody is declared dead for what it could not hear.

use std::time::{Duration, Instant};

/// How often the registry wants to be looked at while anything can expire.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A look that comes so late means that the process was stopped, or the machine asleep.
const STOPPED: Duration = LOOK_EVERY.saturating_mul(2);

/// How long everyone may take to speak after that.
const GRACE: Duration = Duration::from_secs(5);

/// When the registry was last called, and until when nothing expires.
#[derive(Debug, Clone, Default)]
pub(super) struct Vigil {
    looked: Option<Instant>,
    grace: Option<Instant>,
}

impl Vigil {
    /// The registry is called. `owed`: something can expire, so a call is due at least every [`LOOK_EVERY`].
    pub(super) fn look(&mut self, now: Instant, owed: bool) {
        let Some(before) = self.looked else {
            self.looked = Some(now);
            return;
        };
        if owed && now.saturating_duration_since(before) > STOPPED {
            self.grace = Some(now + GRACE);
        }
        self.looked = Some(before.max(now));
    }

    /// When what would expire at `deadline` does.
    pub(super) fn postponed(&self, deadline: Instant) -> Instant {
        self.grace.map_or(deadline, |grace| grace.max(deadline))
    }

    /// When to look next, if the first thing to expire does so at `deadline`.
    pub(super) fn next(&self, deadline: Instant) -> Instant {
        self.looked.map_or(deadline, |looked| deadline.min(looked + LOOK_EVERY))
    }
}
