//! Waking one node: when its wake provider is called, how often, and when nobody waits for the node any more. However
//! many keys come, one call is under way at a time; a call that its round outlived or that outlived its round is waited
//! for, and what it reports then changes nothing else.
//!
//! ```text
//!           key                 done                     in time
//! quiet ─────────▶ call n ────────────────▶ wait for node ──────▶ up: quiet
//!   ▲               ▲  └──failed──▶ wait ◀──── too late ──┘
//!   └── up, ever    └── n + 1 ──────┘ │ n was the last, or the last key is long ago
//!                                     └──────────▶ gave up ── key ──▶ call 1
//! ```

use std::time::{Duration, Instant};

/// The wait after the first attempt that came to nothing; it doubles with each.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// The longest wait between two attempts, jitter aside.
const MAX_BACKOFF: Duration = Duration::from_secs(15);

/// How patient a wake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WakeLimits {
    /// Attempts after which it is given up.
    pub attempts: u32,
    /// How long the node is waited for after its provider said that it did its part.
    pub return_within: Duration,
    /// How long after the last key it is given up, whatever is under way.
    pub give_up_after: Duration,
}

impl Default for WakeLimits {
    fn default() -> Self {
        Self { attempts: 5, return_within: Duration::from_secs(30), give_up_after: Duration::from_secs(60) }
    }
}

/// One call of the wake provider, to be reported back with [`Wake::ended`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Counts all calls for the node, so that a late report is told from one that is awaited.
    call: u64,
    number: u32,
}

impl Attempt {
    /// The how manyth it is since the key that started it all, from 1.
    #[must_use]
    pub fn number(self) -> u32 {
        self.number
    }
}

/// What a pane of the node may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeState<'a> {
    /// Nobody asked for the node, or it is there.
    Quiet,
    /// It is being woken.
    Waking {
        /// The attempt under way, or the last one; from 1.
        attempt: u32,
        /// When the first key came.
        since: Instant,
    },
    /// It was not to be woken. The next key tries anew.
    GaveUp {
        /// How many attempts were made.
        attempts: u32,
        /// What came of the last one.
        reason: &'a str,
    },
}

/// See the module.
#[derive(Debug)]
pub struct Wake {
    limits: WakeLimits,
    /// How many calls were ever made.
    calls: u64,
    /// The call that was not reported back, of this round or of an earlier one.
    under_way: Option<Attempt>,
    state: State,
}

#[derive(Debug)]
enum State {
    Quiet,
    Waking(Round),
    GaveUp { attempts: u32, reason: String },
}

/// From a first key until the node is up or given up.
#[derive(Debug)]
struct Round {
    since: Instant,
    last_key: Instant,
    attempt: u32,
    /// Why the last attempt came to nothing.
    reason: Option<String>,
    next: Next,
}

/// What a round waits for.
#[derive(Debug)]
enum Next {
    /// The end of an earlier round's call, to make its own.
    Turn,
    /// The report of its call.
    Report,
    /// The node, as its provider did its part.
    Return { until: Instant },
    /// The time of the next attempt.
    Retry { at: Instant },
}

impl Wake {
    /// A node that nobody asked for yet.
    #[must_use]
    pub fn new(limits: WakeLimits) -> Wake {
        Wake { limits, calls: 0, under_way: None, state: State::Quiet }
    }

    /// A key came for a pane of the node, which is away. `Some` is a call to be made now.
    #[must_use]
    pub fn wanted(&mut self, now: Instant) -> Option<Attempt> {
        self.expire(now);
        if let State::Waking(round) = &mut self.state {
            round.last_key = now;
            return None;
        }
        let round = Round { since: now, last_key: now, attempt: 1, reason: None, next: Next::Turn };
        self.state = State::Waking(round);
        self.call()
    }

    /// A call came to its end: the provider did its part, or why it did not. `Some` is a call to be made now: one that
    /// waited for an earlier round's to end. `jitter` is uniform in 0..1.
    #[must_use]
    pub fn ended(
        &mut self,
        attempt: Attempt,
        outcome: Result<(), String>,
        now: Instant,
        jitter: f64,
    ) -> Option<Attempt> {
        if self.under_way != Some(attempt) {
            return None;
        }
        self.under_way = None;
        self.expire(now);
        let State::Waking(round) = &mut self.state else { return None };
        match (&round.next, outcome) {
            (Next::Turn, _) => return self.call(),
            (_, Ok(())) => round.next = Next::Return { until: now + self.limits.return_within },
            (_, Err(reason)) => self.failed(reason, now, jitter),
        }
        None
    }

    /// The node is there, whoever woke it.
    pub fn up(&mut self) {
        self.state = State::Quiet;
    }

    /// Does what is due. `Some` is a call to be made now. `jitter` is uniform in 0..1.
    #[must_use]
    pub fn tick(&mut self, now: Instant, jitter: f64) -> Option<Attempt> {
        self.expire(now);
        let State::Waking(round) = &mut self.state else { return None };
        match round.next {
            Next::Return { until } if now >= until => {
                let waited = self.limits.return_within.as_secs();
                self.failed(format!("the node did not come back within {waited} s"), now, jitter);
                None
            }
            Next::Retry { at } if now >= at => {
                round.attempt += 1;
                self.call()
            }
            _ => None,
        }
    }

    /// When [`Wake::tick`] has something to do.
    #[must_use]
    pub fn next_tick(&self) -> Option<Instant> {
        let State::Waking(round) = &self.state else { return None };
        let end = round.end(&self.limits);
        match round.next {
            Next::Return { until: due } | Next::Retry { at: due } => Some(due.min(end)),
            Next::Turn | Next::Report => Some(end),
        }
    }

    /// How it stands. Every other method may change that.
    #[must_use]
    pub fn state(&self) -> WakeState<'_> {
        match &self.state {
            State::Quiet => WakeState::Quiet,
            State::Waking(round) => WakeState::Waking { attempt: round.attempt, since: round.since },
            State::GaveUp { attempts, reason } => WakeState::GaveUp { attempts: *attempts, reason },
        }
    }

    /// Makes the round's call, or lets it wait for the one that is under way.
    fn call(&mut self) -> Option<Attempt> {
        let State::Waking(round) = &mut self.state else { return None };
        if self.under_way.is_some() {
            // It began before the node was last seen, or before it was given up: it may wake the node yet, but two
            // calls at a time could get in each other's way.
            round.next = Next::Turn;
            return None;
        }
        self.calls += 1;
        self.under_way = Some(Attempt { call: self.calls, number: round.attempt });
        round.next = Next::Report;
        self.under_way
    }

    /// The round's last attempt came to nothing.
    fn failed(&mut self, reason: String, now: Instant, jitter: f64) {
        let State::Waking(round) = &mut self.state else { return };
        if round.attempt >= self.limits.attempts {
            self.state = State::GaveUp { attempts: round.attempt, reason };
        } else {
            round.reason = Some(reason);
            round.next = Next::Retry { at: now + backoff(round.attempt, jitter) };
        }
    }

    /// Gives up when the last key is too long ago.
    fn expire(&mut self, now: Instant) {
        let State::Waking(round) = &mut self.state else { return };
        if now < round.end(&self.limits) {
            return;
        }
        let waited = self.limits.give_up_after.as_secs();
        let reason = round.reason.take().unwrap_or_else(|| format!("the node is not back after {waited} s"));
        self.state = State::GaveUp { attempts: round.attempt, reason };
    }
}

impl Round {
    fn end(&self, limits: &WakeLimits) -> Instant {
        self.last_key + limits.give_up_after
    }
}

/// The wait after the attempt of this number. Up to a quarter more, so that nodes that went to sleep together don't
/// all ask their provider together again.
fn backoff(attempt: u32, jitter: f64) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    doubled.min(MAX_BACKOFF).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fresh() -> (Wake, Instant) {
        (Wake::new(WakeLimits::default()), Instant::now())
    }

    fn no() -> Result<(), String> {
        Err("no".to_owned())
    }

    fn is_waking(wake: &Wake) -> bool {
        matches!(wake.state(), WakeState::Waking { .. })
    }

    #[test]
    fn a_thousand_keys_make_one_call() {
        let (mut wake, now) = fresh();
        assert_eq!(wake.state(), WakeState::Quiet);
        assert_eq!(wake.next_tick(), None, "looking wakes nothing");
        assert_eq!(wake.wanted(now).map(Attempt::number), Some(1));
        for ms in 1..1000 {
            assert_eq!(wake.wanted(now + Duration::from_millis(ms)), None);
        }
        assert_eq!(wake.state(), WakeState::Waking { attempt: 1, since: now });
    }

    #[test]
    fn a_node_that_comes_back_is_quiet_and_can_be_woken_again() {
        let (mut wake, now) = fresh();
        let first = wake.wanted(now).unwrap();
        assert_eq!(wake.ended(first, Ok(()), now + SECOND, 0.0), None);
        assert_eq!(wake.next_tick(), Some(now + 31 * SECOND), "it is waited for");
        wake.up();
        assert_eq!((wake.state(), wake.next_tick()), (WakeState::Quiet, None));
        assert_eq!(wake.wanted(now + 9 * SECOND).map(Attempt::number), Some(1));
    }

    #[test]
    fn failures_back_off_and_the_last_one_gives_up() {
        let (mut wake, mut now) = fresh();
        let since = now;
        let mut attempt = wake.wanted(now).unwrap();
        for (number, wait) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
            assert_eq!(attempt.number(), number);
            assert_eq!(wake.ended(attempt, no(), now, 0.0), None);
            assert_eq!(wake.wanted(now), None, "keys don't shorten the wait");
            assert_eq!(wake.next_tick(), Some(now + wait * SECOND));
            assert_eq!(wake.tick(now + wait * SECOND - Duration::from_millis(1), 0.0), None);
            now += wait * SECOND;
            attempt = wake.tick(now, 0.0).unwrap();
            assert_eq!(wake.state(), WakeState::Waking { attempt: number + 1, since });
        }
        assert_eq!(wake.ended(attempt, no(), now, 0.0), None);
        assert_eq!(wake.state(), WakeState::GaveUp { attempts: 5, reason: "no" });
        assert_eq!((wake.next_tick(), wake.tick(now + 99 * SECOND, 0.0)), (None, None));
        assert_eq!(wake.wanted(now).map(Attempt::number), Some(1), "the next key tries anew");
        assert!(is_waking(&wake));
    }

    #[test]
    fn the_wait_grows_to_a_limit_and_is_jittered() {
        let seconds = [1, 2, 3, 4, 5, 40, u32::MAX].map(|attempt| backoff(attempt, 0.0).as_secs());
        assert_eq!(seconds, [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(backoff(1, 1.0), Duration::from_millis(1250));
        assert_eq!(backoff(1, 7.0), Duration::from_millis(1250), "whatever is passed for jitter");
    }

    #[test]
    fn a_node_that_stays_away_after_a_good_call_counts_as_a_failure() {
        let (mut wake, now) = fresh();
        let first = wake.wanted(now).unwrap();
        assert_eq!(wake.ended(first, Ok(()), now, 0.0), None);
        let late = now + 30 * SECOND;
        assert_eq!(wake.tick(late, 0.0), None);
        assert_eq!(wake.next_tick(), Some(late + SECOND));
        assert_eq!(wake.tick(late + SECOND, 0.0).map(Attempt::number), Some(2));
        assert_eq!(wake.tick(now + 60 * SECOND, 0.0), None);
        let reason = "the node did not come back within 30 s";
        assert_eq!(wake.state(), WakeState::GaveUp { attempts: 2, reason });
    }

    #[test]
    fn it_is_given_up_so_long_after_the_last_key() {
        let (mut wake, now) = fresh();
        let attempt = wake.wanted(now);
        assert!(attempt.is_some());
        let last_key = now + 50 * SECOND;
        assert_eq!(wake.wanted(last_key), None);
        assert_eq!(wake.next_tick(), Some(last_key + 60 * SECOND));
        assert_eq!(wake.tick(last_key + 59 * SECOND, 0.0), None);
        assert!(is_waking(&wake));
        assert_eq!(wake.tick(last_key + 60 * SECOND, 0.0), None);
        let reason = "the node is not back after 60 s";
        assert_eq!(wake.state(), WakeState::GaveUp { attempts: 1, reason });
    }

    #[test]
    fn a_key_after_the_time_starts_anew_even_if_nobody_ticked() {
        let (mut wake, now) = fresh();
        let first = wake.wanted(now).unwrap();
        assert_eq!(wake.ended(first, no(), now, 0.0), None);
        let later = now + 60 * SECOND;
        assert_eq!(wake.wanted(later).map(Attempt::number), Some(1));
        assert_eq!(wake.state(), WakeState::Waking { attempt: 1, since: later });
    }

    #[test]
    fn a_call_that_outlived_its_round_is_waited_for() {
        for outcome in [Ok(()), no()] {
            let (mut wake, now) = fresh();
            let old = wake.wanted(now).unwrap();
            wake.up();
            assert_eq!(wake.wanted(now + SECOND), None, "the old call is under way");
            assert_eq!(wake.state(), WakeState::Waking { attempt: 1, since: now + SECOND });
            let new = wake.ended(old, outcome.clone(), now + 2 * SECOND, 0.0).unwrap();
            assert_eq!(new.number(), 1, "what the old one reports is not this round's");
            assert_eq!(wake.ended(old, outcome, now + 3 * SECOND, 0.0), None);
            assert_eq!(wake.next_tick(), Some(now + 61 * SECOND), "the new call's report is awaited");
        }
    }

    #[test]
    fn a_report_after_the_node_is_up_changes_nothing() {
        let (mut wake, now) = fresh();
        let attempt = wake.wanted(now).unwrap();
        wake.up();
        assert_eq!(wake.ended(attempt, no(), now, 0.0), None);
        assert_eq!((wake.state(), wake.next_tick()), (WakeState::Quiet, None));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Key,
        Up,
        /// A report of the call so many before the newest.
        Report {
            back: usize,
            good: bool,
        },
        /// Time passes, and what is due by then is done.
        Wait {
            ms: u64,
        },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Key),
            1 => Just(Step::Up),
            4 => (0usize..3, any::<bool>()).prop_map(|(back, good)| Step::Report { back, good }),
            4 => (0u64..40_000).prop_map(|ms| Step::Wait { ms }),
        ]
    }

    proptest! {
        #[test]
        fn one_call_at_a_time_and_never_for_ever(
            steps in proptest::collection::vec(step(), 1..120),
            attempts in 1u32..6,
            jitter in 0.0..1.0,
        ) {
            let limits = WakeLimits { attempts, ..WakeLimits::default() };
            let (mut wake, mut now) = (Wake::new(limits), Instant::now());
            let mut made: Vec<Attempt> = Vec::new();
            let mut under_way = None;
            let mut last_key = now;
            for step in steps {
                let before = format!("{wake:?}");
                let was_waking = is_waking(&wake);
                let call = match step {
                    Step::Key => {
                        last_key = now;
                        wake.wanted(now)
                    }
                    Step::Up => {
                        wake.up();
                        None
                    }
                    Step::Report { back, good } => {
                        let Some(attempt) = made.iter().rev().nth(back).copied() else { continue };
                        let outcome = if good { Ok(()) } else { no() };
                        let call = wake.ended(attempt, outcome, now, jitter);
                        if under_way == Some(attempt) {
                            under_way = None;
                        } else {
                            prop_assert_eq!(&before, &format!("{wake:?}"), "an old report changed something");
                        }
                        call
                    }
                    Step::Wait { ms } => {
                        now += Duration::from_millis(ms);
                        wake.tick(now, jitter)
                    }
                };
                if matches!(step, Step::Key) {
                    prop_assert!(is_waking(&wake));
                    let first = call.is_some_and(|call| call.number() == 1);
                    prop_assert!(was_waking || first || under_way.is_some(), "a key that did nothing");
                }
                if let Some(call) = call {
                    prop_assert!(under_way.is_none(), "two calls at a time");
                    prop_assert!(!made.contains(&call), "a call made twice");
                    let before = made.last().map_or(0, |last| last.number());
                    prop_assert!(call.number() == 1 || call.number() == before + 1);
                    prop_assert!(call.number() <= attempts);
                    let shown = matches!(wake.state(), WakeState::Waking { attempt, .. } if attempt == call.number());
                    prop_assert!(shown);
                    under_way = Some(call);
                    made.push(call);
                }
                match wake.next_tick() {
                    Some(at) => {
                        prop_assert!(is_waking(&wake) && now < last_key + limits.give_up_after);
                        prop_assert!(at > now && at <= last_key + limits.give_up_after);
                    }
                    None => prop_assert!(!is_waking(&wake), "nothing would ever happen"),
                }
            }
        }
    }
}
