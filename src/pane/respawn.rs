//! Which generation of a pane's terminal is wanted, and when the next may be tried. At most one start is
//! under way; whatever an older generation reports changes nothing.
//!
//! This does not say whether the pane is connected: only the gateway's terminals map does.

use std::time::{Duration, Instant};

/// Counts a pane's terminals, from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Generation(pub u64);

/// A start counts as failed when its program is gone within this time and printed nothing.
pub const TOO_SHORT: Duration = Duration::from_secs(1);

/// The longest wait between two tries.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// How failures are answered.
#[derive(Debug, Clone, Copy)]
pub struct RespawnLimits {
    /// The wait after the first failure; it doubles with each further one.
    pub first_backoff: Duration,
    /// After so many failures in a row only an explicit request tries again.
    pub attempts: u32,
}

/// What to do about a pane without a terminal that was given a reason to have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Start this generation now.
    Start(Generation),
    /// A start is under way already.
    UnderWay,
    /// The last try failed; look again then.
    NotBefore(Instant),
    /// Too many failures in a row: only an explicit request tries again.
    GivenUp,
    /// The pane was closed.
    Closed,
}

/// See the module.
#[derive(Debug)]
pub struct Respawn {
    limits: RespawnLimits,
    /// The newest generation handed out.
    generation: Generation,
    /// The generation that is being started.
    starting: Option<Generation>,
    /// Failures in a row.
    failures: u32,
    retry_at: Option<Instant>,
    closed: bool,
}

impl Respawn {
    /// A pane whose last terminal had this generation (0: it never had one).
    #[must_use]
    pub fn after(generation: Generation, limits: RespawnLimits) -> Respawn {
        Respawn { limits, generation, starting: None, failures: 0, retry_at: None, closed: false }
    }

    /// The newest generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Whether a start is under way.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        self.starting.is_some()
    }

    /// Whether the pane is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// When the next try may be made after a failure, if there was one.
    #[must_use]
    pub fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Whether only an explicit request tries again.
    #[must_use]
    pub fn given_up(&self) -> bool {
        self.failures >= self.limits.attempts
    }

    /// Input came for a pane that has no terminal.
    pub fn wanted(&mut self, now: Instant) -> Decision {
        if self.closed {
            return Decision::Closed;
        }
        if self.starting.is_some() {
            return Decision::UnderWay;
        }
        if self.given_up() {
            return Decision::GivenUp;
        }
        match self.retry_at {
            Some(at) if now < at => Decision::NotBefore(at),
            _ => self.start(),
        }
    }

    /// Somebody asked outright: earlier failures no longer count.
    pub fn requested(&mut self) -> Decision {
        if self.closed {
            return Decision::Closed;
        }
        if self.starting.is_some() {
            return Decision::UnderWay;
        }
        (self.failures, self.retry_at) = (0, None);
        self.start()
    }

    fn start(&mut self) -> Decision {
        self.generation.0 += 1;
        self.starting = Some(self.generation);
        Decision::Start(self.generation)
    }

    /// A start came up. Whether it is still wanted: if not, its terminal must be killed.
    #[must_use]
    pub fn started(&mut self, generation: Generation) -> bool {
        let wanted = self.starting == Some(generation) && !self.closed;
        if wanted {
            self.starting = None;
        }
        wanted
    }

    /// A start was called off before it could fail. Whether it was under way.
    pub fn cancelled(&mut self, generation: Generation) -> bool {
        let under_way = self.starting == Some(generation);
        if under_way {
            self.starting = None;
        }
        under_way
    }

    /// A terminal of this generation is known to exist: no older one will be handed out.
    pub fn raise(&mut self, generation: Generation) {
        self.generation = self.generation.max(generation);
    }

    /// A start failed. Whether that is news: an older generation's is not. `jitter` is uniform in 0..1.
    pub fn failed(&mut self, generation: Generation, now: Instant, jitter: f64) -> bool {
        if self.starting != Some(generation) {
            return false;
        }
        self.starting = None;
        self.count_failure(now, jitter);
        true
    }

    /// The terminal of this generation ended after `lived`, having printed something or not.
    pub fn ended(&mut self, lived: Duration, printed: bool, now: Instant, jitter: f64) {
        if lived < TOO_SHORT && !printed {
            self.count_failure(now, jitter);
        } else {
            (self.failures, self.retry_at) = (0, None);
        }
    }

    fn count_failure(&mut self, now: Instant, jitter: f64) {
        let doubled = self.limits.first_backoff.saturating_mul(1u32 << self.failures.min(16));
        // Up to a quarter more, so that panes that failed together do not all try again together.
        let backoff = doubled.min(MAX_BACKOFF).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 4.0);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(now + backoff);
    }

    /// The pane is closed: whatever comes up from now on is not wanted.
    pub fn close(&mut self) {
        self.closed = true;
        self.starting = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: RespawnLimits = RespawnLimits { first_backoff: Duration::from_millis(250), attempts: 5 };

    fn fresh() -> Respawn {
        Respawn::after(Generation(0), LIMITS)
    }

    #[test]
    fn many_keys_share_one_start() {
        let (mut respawn, now) = (fresh(), Instant::now());
        assert_eq!(respawn.wanted(now), Decision::Start(Generation(1)));
        assert_eq!(respawn.wanted(now), Decision::UnderWay);
        assert_eq!(respawn.requested(), Decision::UnderWay);
        assert!(respawn.started(Generation(1)));
        assert!(!respawn.started(Generation(1)), "once");
    }

    #[test]
    fn failures_back_off_then_give_up_until_asked() {
        let (mut respawn, mut now) = (fresh(), Instant::now());
        for (generation, wait_ms) in [(1, 250), (2, 500), (3, 1000), (4, 2000), (5, 4000)] {
            assert_eq!(respawn.wanted(now), Decision::Start(Generation(generation)));
            assert!(respawn.failed(Generation(generation), now, 0.0));
            let at = now + Duration::from_millis(wait_ms);
            assert_eq!(respawn.retry_at(), Some(at));
            if generation < 5 {
                assert_eq!(respawn.wanted(now), Decision::NotBefore(at));
            }
            now = at;
        }
        assert_eq!(respawn.wanted(now), Decision::GivenUp);
        assert_eq!(respawn.requested(), Decision::Start(Generation(6)));
        assert!(respawn.started(Generation(6)));
        respawn.ended(Duration::from_secs(60), true, now, 0.0);
        assert!(!respawn.given_up() && respawn.retry_at().is_none());
    }

    #[test]
    fn a_program_that_ends_at_once_without_a_word_counts_as_a_failure() {
        let (mut respawn, now) = (fresh(), Instant::now());
        respawn.wanted(now);
        assert!(respawn.started(Generation(1)));
        respawn.ended(Duration::from_millis(3), false, now, 1.0);
        assert_eq!(respawn.retry_at(), Some(now + Duration::from_micros(312_500)));
    }

    #[test]
    fn what_comes_up_after_the_close_is_not_wanted() {
        let (mut respawn, now) = (fresh(), Instant::now());
        respawn.wanted(now);
        respawn.close();
        assert!(!respawn.started(Generation(1)));
        assert_eq!(respawn.wanted(now), Decision::Closed);
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Key,
        Ask,
        Started(u64),
        Failed(u64),
        Close,
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            5 => Just(Step::Key),
            1 => Just(Step::Ask),
            4 => (0u64..3).prop_map(Step::Started),
            4 => (0u64..3).prop_map(Step::Failed),
            1 => Just(Step::Close),
            3 => (0u64..10_000).prop_map(Step::Wait),
        ]
    }

    proptest! {
        /// `terminals` stands for the gateway's map: whatever reports come, in whatever order and however
        /// late, it holds at most the newest generation, and nothing once the pane is closed.
        #[test]
        fn only_the_start_that_was_asked_for_comes_up(steps in proptest::collection::vec(step(), 1..100)) {
            let (mut respawn, mut now, mut closed) = (fresh(), Instant::now(), false);
            let mut terminal: Option<Generation> = None;
            let mut under_way = 0;
            for step in steps {
                let decision = match step {
                    Step::Key if terminal.is_none() => Some(respawn.wanted(now)),
                    Step::Ask if terminal.is_none() => Some(respawn.requested()),
                    _ => None,
                };
                if let Some(Decision::Start(generation)) = decision {
                    under_way += 1;
                    prop_assert_eq!(generation, respawn.generation());
                }
                let back = |back: u64| Generation(respawn.generation().0.saturating_sub(back));
                match step {
                    Step::Started(age) => {
                        let generation = back(age);
                        if respawn.started(generation) {
                            prop_assert!(age == 0 && !closed && terminal.is_none());
                            (terminal, under_way) = (Some(generation), under_way - 1);
                        }
                    }
                    Step::Failed(age) => {
                        let generation = back(age);
                        if respawn.failed(generation, now, 0.5) {
                            under_way -= 1;
                        }
                        if terminal == Some(generation) && age == 0 {
                            // The same report, read as the end of a live terminal.
                            terminal = None;
                            respawn.ended(Duration::from_secs(5), true, now, 0.5);
                        }
                    }
                    Step::Close => {
                        respawn.close();
                        (closed, terminal, under_way) = (true, None, 0);
                    }
                    Step::Wait(ms) => now += Duration::from_millis(ms),
                    Step::Key | Step::Ask => {}
                }
                prop_assert!(under_way <= 1);
                prop_assert_eq!(respawn.is_starting(), under_way == 1);
            }
        }
    }
}
