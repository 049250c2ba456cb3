//! Whether two running processes fight over one id: told from restarts by processes that come *back* for it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::registration::Registration;

/// How often an id may go from one running process to another within [`WINDOW`].
const SWITCHES: usize = 3;

/// How long a switch counts, and how long nobody may try before the next newcomer is admitted.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// How many processes that lost an id are remembered; the oldest goes. A fight of more than so many goes unseen.
const MAX_LOSERS: usize = 8;

/// A process, as far as it can be told from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Process {
    /// It has a random name.
    Named { machine: String, instance: String },
    /// It has none. Without a `pid` as well, a restart looks like a reconnect, and is not counted.
    Anonymous { machine: String, port: Option<u16>, pid: Option<u32> },
}

impl Process {
    pub(super) fn of(registration: &Registration) -> Process {
        let machine = registration.machine.clone();
        match registration.instance.clone() {
            Some(instance) => Process::Named { machine, instance },
            None => Process::Anonymous { machine, port: registration.port, pid: registration.pid },
        }
    }
}

/// The fight over one id, since one of its holders last was gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contest {
    /// Who lost the id to another process while still connected, and when; the newest last.
    lost: VecDeque<(Instant, Process)>,
    /// When a newcomer was last refused.
    refused: Option<Instant>,
}

impl Contest {
    /// Whether `newcomer` may take the id from `holder`, whose connection stands. A refusal counts from its last
    /// attempt, so that one who keeps trying stays out.
    pub(super) fn admits(&mut self, holder: &Process, newcomer: &Process, now: Instant) -> bool {
        if holder == newcomer {
            return true;
        }
        let recent = |at: &Instant| now.saturating_duration_since(*at) < WINDOW;
        if self.refused.is_some() && !self.refused.as_ref().is_some_and(recent) {
            *self = Contest::default();
        }
        self.lost.retain(|(at, _)| recent(at));
        let is_back = self.lost.iter().any(|(_, loser)| loser == newcomer);
        if self.refused.is_some() || (is_back && self.lost.len() >= SWITCHES) {
            self.refused = Some(now);
            return false;
        }
        true
    }

    /// The holder has lost the id to another process.
    pub(super) fn switched(&mut self, holder: Process, now: Instant) {
        if self.lost.len() >= MAX_LOSERS {
            self.lost.pop_front();
        }
        self.lost.push_back((now, holder));
    }
}
