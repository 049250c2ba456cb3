//! What is known of one node.

use std::time::{Duration, Instant};

use super::contest::Contest;
use super::id::{Epoch, TokenId};
use super::registration::Registration;
use super::{Farewell, Peer, Settings};
use crate::clock::Moment;
use crate::protocol::node::{NodeKind, NodeRecord, NodeStatus, OfflineCause};

/// How long after it said that it would sleep a node may still be heard: one that is heard later did not go to sleep.
const FALLS_ASLEEP_WITHIN: Duration = Duration::from_secs(30);

/// How busy a node says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// How many PTYs it has.
    pub panes: Option<u32>,
    /// For how long none of them was used.
    pub idle: Option<Duration>,
}

/// Whether a node is there. Wall-clock times, in milliseconds since the Unix epoch, are for show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It is the gateway's own: always.
    Local,
    /// Its connection says so.
    Active {
        epoch: Epoch,
        last_heard: Instant,
        /// When it said that it would sleep.
        sleep_announced: Option<Instant>,
    },
    /// It is not, and the record goes at `until`.
    Offline { why: OfflineCause, since_ms: u64, until: Instant },
}

/// One row of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) registration: Registration,
    /// The token that it joined with; none: the gateway's own.
    pub(super) owner: Option<TokenId>,
    pub(super) state: State,
    /// When it was last heard, in milliseconds since the Unix epoch.
    pub(super) last_seen_ms: u64,
    /// What it said of its load, and when.
    pub(super) load: Option<(Load, Instant)>,
    pub(super) contest: Contest,
}

impl Record {
    /// A node that registers.
    pub(super) fn active(registration: Registration, peer: Peer, epoch: Epoch, now: Moment) -> Record {
        let state = State::Active { epoch, last_heard: now.at, sleep_announced: None };
        Record { state, owner: peer.owner, ..Record::local(registration, now) }
    }

    /// The gateway's own node.
    pub(super) fn local(registration: Registration, now: Moment) -> Record {
        Record {
            registration,
            owner: None,
            state: State::Local,
            last_seen_ms: now.unix_ms,
            load: None,
            contest: Contest::default(),
        }
    }

    /// The connection that proves it to be there.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        match self.state {
            State::Active { epoch, .. } => Some(epoch),
            State::Local | State::Offline { .. } => None,
        }
    }

    /// Something came from it.
    pub(super) fn heard(&mut self, now: Moment) {
        if let State::Active { last_heard, .. } = &mut self.state {
            *last_heard = now.at.max(*last_heard);
            self.last_seen_ms = now.unix_ms;
        }
    }

    /// It says that it will sleep.
    pub(super) fn announce_sleep(&mut self, now: Moment) {
        if let State::Active { sleep_announced, .. } = &mut self.state {
            *sleep_announced = Some(now.at);
        }
    }

    /// It is gone; the record stays for `ttl`.
    pub(super) fn go_offline(&mut self, why: OfflineCause, ttl: Duration, now: Moment) {
        self.state = State::Offline { why, since_ms: now.unix_ms, until: now.at + ttl };
        self.contest = Contest::default();
    }

    /// Why it is gone, if it is gone now; `farewell` is how its connection ended, if it did.
    pub(super) fn cause(&self, farewell: Option<Farewell>) -> OfflineCause {
        if self.fell_asleep() {
            return OfflineCause::Asleep;
        }
        match farewell {
            Some(Farewell::Said) => OfflineCause::Left,
            Some(Farewell::Broken) => OfflineCause::Lost,
            None => OfflineCause::Silent,
        }
    }

    fn fell_asleep(&self) -> bool {
        match self.state {
            State::Active { last_heard, sleep_announced: Some(announced), .. } => {
                last_heard.saturating_duration_since(announced) <= FALLS_ASLEEP_WITHIN
            }
            _ => false,
        }
    }

    /// When it goes offline, or the record goes, if nothing comes from it.
    pub(super) fn deadline(&self, settings: &Settings) -> Option<Instant> {
        match self.state {
            State::Local => None,
            State::Active { last_heard, .. } => Some(last_heard + self.silence(settings)),
            State::Offline { until, .. } => Some(until),
        }
    }

    /// How long it may be silent.
    fn silence(&self, settings: &Settings) -> Duration {
        match self.registration.kind {
            NodeKind::PtyHost => settings.host_silence,
            NodeKind::Agent | NodeKind::Local => settings.ttl,
        }
    }

    /// Whether two thirds of its silence are up: two heartbeats are missing.
    fn is_suspect(&self, settings: &Settings, now: Moment) -> bool {
        match self.state {
            State::Active { last_heard, .. } => {
                now.at.saturating_duration_since(last_heard) >= self.silence(settings) * 2 / 3
            }
            State::Local | State::Offline { .. } => false,
        }
    }

    /// As it is shown at this moment.
    pub(super) fn show(&self, settings: &Settings, now: Moment) -> NodeRecord {
        let Registration { id, kind, machine, cwd, port, pid, .. } = self.registration.clone();
        let (status, why, since_ms) = match self.state {
            State::Local | State::Active { .. } => (NodeStatus::Active, None, None),
            State::Offline { why, since_ms, .. } => (NodeStatus::Offline, Some(why), Some(since_ms)),
        };
        // What was told by a clock that has been set back since is not to be in the future.
        let shown = |stamp_ms: u64| stamp_ms.min(now.unix_ms) / 1000;
        let idle = |(load, at): (Load, Instant)| {
            Some(load.idle?.saturating_add(now.at.saturating_duration_since(at)))
        };
        NodeRecord {
            id: id.into(),
            machine,
            cwd,
            port,
            status,
            pid,
            offline_since: since_ms.map(shown),
            last_seen: (self.state != State::Local).then(|| shown(self.last_seen_ms)),
            kind: Some(kind),
            why,
            suspect: self.is_suspect(settings, now),
            panes: self.load.and_then(|(load, _)| load.panes),
            idle_secs: self.load.and_then(idle).map(|idle| idle.as_secs()),
        }
    }
}
