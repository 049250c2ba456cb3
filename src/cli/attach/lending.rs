//! When our terminal is lent to the gateway, so that keys and their echoes do not go through us. Pure: the time is passed
//! in.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

/// How soon a terminal that came back is offered again. A flood has it come back each time.
const FIRST_REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_secs(3);

/// Where our terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Here.
    Home,
    /// Neither side may draw, but for output that we are sent: then the gateway does not take it.
    Offered,
    /// With the gateway.
    Lent,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lending {
    place: Place,
    is_wanted_back: bool,
    rest: Duration,
    rests_until: Option<Instant>,
}

impl Lending {
    /// At home.
    pub(super) fn new() -> Lending {
        Lending { place: Place::Home, is_wanted_back: false, rest: FIRST_REST, rests_until: None }
    }

    /// Whether we may read and write there.
    pub(super) fn is_home(&self) -> bool {
        self.place == Place::Home
    }

    /// Whether the gateway writes there what it sends.
    pub(super) fn is_lent(&self) -> bool {
        self.place == Place::Lent
    }

    /// Whether it may be offered now.
    pub(super) fn may_be_offered(&self, now: Instant) -> bool {
        self.is_home() && self.rests_until.is_none_or(|until| until <= now)
    }

    /// It was offered; `is_out`: and may be taken.
    pub(super) fn offered(&mut self, is_out: bool, now: Instant) {
        match is_out {
            true => (self.place, self.is_wanted_back) = (Place::Offered, false),
            false => self.rests_until = Some(now + LONGEST_REST),
        }
    }

    /// The gateway has it.
    pub(super) fn lent(&mut self) {
        if self.place == Place::Offered {
            self.place = Place::Lent;
        }
    }

    /// We want it back. Whether the gateway is to be asked.
    pub(super) fn want_back(&mut self) -> bool {
        !self.is_home() && !std::mem::replace(&mut self.is_wanted_back, true)
    }

    /// It came back; `was_of_use`: something was typed there.
    pub(super) fn returned(&mut self, was_of_use: bool, now: Instant) {
        self.place = Place::Home;
        self.rest = if was_of_use { FIRST_REST } else { (self.rest * 2).min(LONGEST_REST) };
        self.rests_until = Some(now + self.rest);
    }
}
