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
    /// Neither side may read or draw there yet.
    Offered,
    /// With us, and the gateway will say so: it was sent output before it could answer, and so does not take it.
    Kept,
    /// With the gateway.
    Lent,
}

/// What to do about keys in a terminal that is lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing.
    Wait,
    /// Whoever has it does not read it: have it back.
    WantBack,
    /// Nor is it given back: whoever has it does nothing any more.
    GiveUp,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lending {
    place: Place,
    is_wanted_back: bool,
    /// How often in a row keys were seen there that nobody had read.
    unread: u32,
    rest: Duration,
    rests_until: Option<Instant>,
}

impl Lending {
    /// At home.
    pub(super) fn new() -> Lending {
        Lending { place: Place::Home, is_wanted_back: false, unread: 0, rest: FIRST_REST, rests_until: None }
    }

    /// Whether we may read and write there.
    pub(super) fn is_home(&self) -> bool {
        matches!(self.place, Place::Home | Place::Kept)
    }

    /// Whether the gateway writes there what it sends.
    pub(super) fn is_lent(&self) -> bool {
        self.place == Place::Lent
    }

    /// Whether it may be offered now.
    pub(super) fn may_be_offered(&self, now: Instant) -> bool {
        self.place == Place::Home && self.rests_until.is_none_or(|until| until <= now)
    }

    /// It was offered; `is_out`: and may be taken.
    pub(super) fn offered(&mut self, is_out: bool, now: Instant) {
        match is_out {
            true => (self.place, self.is_wanted_back, self.unread) = (Place::Offered, false, 0),
            false => self.rests_until = Some(now + LONGEST_REST),
        }
    }

    /// Output came that is not there yet. Whether that has it here.
    pub(super) fn kept(&mut self) -> bool {
        let is_kept = self.place == Place::Offered;
        if is_kept {
            self.place = Place::Kept;
        }
        is_kept
    }

    /// The gateway has it after all. Whether we still read there.
    pub(super) fn lent(&mut self) -> bool {
        let (is_news, was_kept) = (self.place != Place::Home, self.place == Place::Kept);
        if is_news {
            self.place = Place::Lent;
        }
        was_kept
    }

    /// A while has passed; `has_unread`: something was typed there that nobody has read. What to do.
    pub(super) fn look(&mut self, has_unread: bool) -> Look {
        let is_stuck = has_unread && !self.is_home();
        self.unread = if is_stuck { self.unread + 1 } else { 0 };
        match self.unread {
            0 | 1 => Look::Wait,
            2 => Look::WantBack,
            _ => Look::GiveUp,
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
