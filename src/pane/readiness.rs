//! When a fresh program is ready for the input that waited for it.
//!
//! Input given too early is echoed twice, or thrown away by a program that empties its input when it sets up
//! the terminal. Signs, the surest first: its prompt mark; terminal modes that say it reads raw; its first
//! quiet moment after output; and a ceiling, since a program may do none of these.

use std::time::{Duration, Instant};

/// A program that printed something and then nothing for this long waits for input, we take it.
const QUIET: Duration = Duration::from_millis(60);

/// How often the terminal modes are looked at, as nothing tells of their change.
const POLL: Duration = Duration::from_millis(5);

/// What is known of a program that has just started.
#[derive(Debug)]
pub struct Readiness {
    ceiling: Instant,
    last_output: Option<Instant>,
    prompted: bool,
}

/// Whether to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Deliver now.
    Ready,
    /// Look again then.
    Wait {
        /// When.
        until: Instant,
    },
}

impl Readiness {
    /// A program that started `now`; it counts as ready after `ceiling` whatever it does.
    #[must_use]
    pub fn started(now: Instant, ceiling: Duration) -> Readiness {
        Readiness { ceiling: now + ceiling, last_output: None, prompted: false }
    }

    /// It printed something.
    pub fn printed(&mut self, now: Instant) {
        self.last_output = Some(now);
    }

    /// It marked the end of its prompt.
    pub fn prompted(&mut self) {
        self.prompted = true;
    }

    /// Whether it is ready; `raw` is whether its terminal reads raw, byte by byte.
    #[must_use]
    pub fn verdict(&self, now: Instant, raw: bool) -> Verdict {
        let quiet_at = self.last_output.map(|at| at + QUIET);
        if self.prompted || raw || now >= self.ceiling || quiet_at.is_some_and(|at| now >= at) {
            return Verdict::Ready;
        }
        Verdict::Wait { until: quiet_at.into_iter().chain([self.ceiling, now + POLL]).min().unwrap_or(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILING: Duration = Duration::from_secs(1);

    #[test]
    fn each_sign_suffices() {
        let start = Instant::now();
        let soon = start + Duration::from_millis(10);
        let fresh = || Readiness::started(start, CEILING);
        assert!(matches!(fresh().verdict(soon, false), Verdict::Wait { .. }));
        assert_eq!(fresh().verdict(soon, true), Verdict::Ready);
        assert_eq!(fresh().verdict(start + CEILING, false), Verdict::Ready);
        let mut marked = fresh();
        marked.prompted();
        assert_eq!(marked.verdict(soon, false), Verdict::Ready);
    }

    #[test]
    fn output_restarts_the_quiet_moment() {
        let start = Instant::now();
        let mut readiness = Readiness::started(start, CEILING);
        readiness.printed(start);
        readiness.printed(start + QUIET / 2);
        assert!(matches!(readiness.verdict(start + QUIET, false), Verdict::Wait { .. }));
        assert_eq!(readiness.verdict(start + QUIET * 3 / 2, false), Verdict::Ready);
    }

    #[test]
    fn waiting_ends_at_the_ceiling_however_often_one_looks() {
        let start = Instant::now();
        let readiness = Readiness::started(start, CEILING);
        let (mut now, mut looks) = (start, 0);
        while let Verdict::Wait { until } = readiness.verdict(now, false) {
            assert!(until > now && until <= start + CEILING);
            (now, looks) = (until, looks + 1);
        }
        assert_eq!(now, start + CEILING);
        assert!(looks <= 200);
    }
}
