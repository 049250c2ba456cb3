//! Whether a viewer is still there and takes what it is sent: when it is asked, when it is looked at, when it is given
//! up. The time is passed in.

use std::time::{Duration, Instant};

/// How patient the gateway is with a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often a viewer is pinged.
    pub ping_every: Duration,
    /// How long after a ping a viewer that says nothing at all is taken for gone.
    pub pong_within: Duration,
    /// How long a viewer may take nothing of what waits for it.
    pub stalled_after: Duration,
}

/// A viewer that stalls is found late by this part of its time at most.
const LOOKS_WHILE_STALLED: u32 = 4;

/// What there is to do about a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// It is to be pinged.
    Ping,
    /// It is to be seen whether it takes what it is sent.
    Look,
    /// It is gone.
    GiveUp,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Liveness {
    patience: Patience,
    next_ping: Instant,
    next_look: Instant,
    /// When the first ping was sent since something was heard.
    asked: Option<Instant>,
}

impl Liveness {
    pub(super) fn new(patience: Patience, now: Instant) -> Liveness {
        let (next_ping, next_look) = (now + patience.ping_every, now + look_every(patience));
        Liveness { patience, next_ping, next_look, asked: None }
    }

    /// How long the viewer may take nothing.
    pub(super) fn stalled_after(&self) -> Duration {
        self.patience.stalled_after
    }

    /// When there will be something to do, unless something is heard.
    pub(super) fn next(&self) -> Instant {
        let next = self.next_ping.min(self.next_look);
        self.given_up_at().map_or(next, |given_up| next.min(given_up))
    }

    /// What there is to do now, one thing at a time. `heard`: whether the viewer said anything since this was asked
    /// last.
    pub(super) fn due(&mut self, heard: bool, now: Instant) -> Due {
        if heard {
            self.asked = None;
        }
        if self.given_up_at().is_some_and(|given_up| given_up <= now) {
            Due::GiveUp
        } else if self.next_look <= now {
            self.next_look = now + look_every(self.patience);
            Due::Look
        } else if self.next_ping <= now {
            self.next_ping = now + self.patience.ping_every;
            self.asked.get_or_insert(now);
            Due::Ping
        } else {
            Due::Nothing
        }
    }

    fn given_up_at(&self) -> Option<Instant> {
        self.asked.map(|asked| asked + self.patience.pong_within)
    }
}

fn look_every(patience: Patience) -> Duration {
    patience.stalled_after / LOOKS_WHILE_STALLED
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        ping_every: Duration::from_secs(15),
        pong_within: Duration::from_secs(45),
        stalled_after: Duration::from_secs(80),
    };

    /// What is done up to a second, and when, for a viewer that says something at the seconds `heard`.
    fn course(patience: Patience, heard: &[u64], until: u64) -> Vec<(u64, Due)> {
        let start = Instant::now();
        let mut liveness = Liveness::new(patience, start);
        let (mut course, mut before) = (Vec::new(), 0);
        loop {
            let now = liveness.next();
            let second = (now - start).as_secs();
            if second > until {
                return course;
            }
            let due = liveness.due(heard.iter().any(|at| (before..second).contains(at)), now);
            before = second;
            course.push((second, due));
            if due == Due::GiveUp {
                return course;
            }
        }
    }

    #[test]
    fn a_viewer_that_says_nothing_is_pinged_looked_at_and_given_up() {
        let wanted = [(15, Due::Ping), (20, Due::Look), (30, Due::Ping), (40, Due::Look), (45, Due::Ping)];
        assert_eq!(course(PATIENCE, &[], 45), wanted);
        assert_eq!(course(PATIENCE, &[], 500).last(), Some(&(60, Due::GiveUp)), "45 s after the first ping");
    }

    #[test]
    fn a_viewer_that_answers_is_never_given_up() {
        let answers: Vec<u64> = (0..40).map(|ping| 15 * ping + 14).collect();
        let course = course(PATIENCE, &answers, 500);
        assert!(!course.iter().any(|(_, due)| *due == Due::GiveUp), "{course:?}");
        assert_eq!(course.iter().filter(|(_, due)| *due == Due::Ping).count(), 33);
    }

    #[test]
    fn one_answer_counts_for_all_pings_before_it() {
        assert_eq!(course(PATIENCE, &[55], 500).last(), Some(&(105, Due::GiveUp)), "pinged next at 60");
    }

    #[test]
    fn an_answer_may_be_wanted_before_the_next_ping() {
        let patience = Patience { pong_within: Duration::from_secs(4), ..PATIENCE };
        assert_eq!(course(patience, &[], 500), [(15, Due::Ping), (19, Due::GiveUp)]);
        assert_eq!(course(patience, &[16, 31], 500).last(), Some(&(49, Due::GiveUp)));
    }

    #[test]
    fn what_was_held_up_is_done_once() {
        let start = Instant::now();
        let mut liveness = Liveness::new(PATIENCE, start);
        let late = start + Duration::from_secs(300);
        assert_eq!([(); 3].map(|()| liveness.due(false, late)), [Due::Look, Due::Ping, Due::Nothing]);
        assert_eq!(liveness.next(), late + PATIENCE.ping_every, "and the viewer has all its time to answer");
    }
}
