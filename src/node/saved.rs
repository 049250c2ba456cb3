//! What survives a restart of the gateway. A monotonic clock says nothing of how long the gateway was away, and the
//! wall clock may have jumped: that time counts for nobody. Who was there gets the whole TTL to come back, who was
//! offline gets what was left when it was saved.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::contest::Contest;
use super::id::TokenId;
use super::record::{Record, State};
use super::registration::Registration;
use crate::clock::Moment;
use crate::protocol::node::{NodeKind, OfflineCause, Register};

/// A node, to be written down. Times are in milliseconds, wall-clock ones since the Unix epoch and for show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedNode {
    /// Its id.
    pub id: String,
    /// What it is; never local.
    pub kind: NodeKind,
    /// The host name of its machine.
    pub machine: String,
    /// Its working directory.
    pub cwd: String,
    /// The port that it registered.
    #[serde(default)]
    pub port: Option<u16>,
    /// Its process.
    #[serde(default)]
    pub pid: Option<u32>,
    /// The random name of its process.
    #[serde(default)]
    pub instance: Option<String>,
    /// The token that it joined with; none: the gateway's own.
    #[serde(default)]
    pub owner: Option<TokenId>,
    /// When it was last heard.
    pub last_seen_ms: u64,
    /// How it went; none of one that was there.
    #[serde(default)]
    pub offline: Option<SavedOffline>,
}

/// How a node went offline before it was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedOffline {
    /// Why.
    pub why: OfflineCause,
    /// When.
    pub since_ms: u64,
    /// How long its record would have stayed.
    pub remaining_ms: u64,
}

impl Record {
    /// None of the local node, which a restarted gateway has anyway.
    pub(super) fn save(&self, now: Moment) -> Option<SavedNode> {
        let offline = match self.state {
            State::Local => return None,
            State::Active { .. } => None,
            State::Offline { why, since_ms, until } => {
                let remaining = until.saturating_duration_since(now.at).as_millis();
                let remaining_ms = u64::try_from(remaining).unwrap_or(u64::MAX);
                Some(SavedOffline { why, since_ms, remaining_ms })
            }
        };
        let Registration { id, kind, machine, cwd, port, pid, instance } = self.registration.clone();
        let (owner, last_seen_ms) = (self.owner, self.last_seen_ms);
        let id = id.into();
        Some(SavedNode { id, kind, machine, cwd, port, pid, instance, owner, last_seen_ms, offline })
    }

    /// Offline, whatever it was. None where the file says what no node could have said.
    pub(super) fn restore(saved: SavedNode, ttl: Duration, now: Moment) -> Option<Record> {
        let SavedNode { id, kind, machine, cwd, port, pid, instance, owner, last_seen_ms, offline } = saved;
        let register = Register { id, machine, cwd, port, pid, kind: Some(kind), instance };
        let registration = Registration::check(register).ok()?;
        let SavedOffline { why, since_ms, remaining_ms } = offline.unwrap_or(SavedOffline {
            why: OfflineCause::GatewayRestarted,
            since_ms: last_seen_ms,
            remaining_ms: u64::MAX,
        });
        let until = now.at + Duration::from_millis(remaining_ms).min(ttl);
        let state = State::Offline { why, since_ms, until };
        Some(Record { registration, owner, state, last_seen_ms, load: None, contest: Contest::default() })
    }
}
