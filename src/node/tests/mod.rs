//! The registry, rule by rule, and over random histories.

mod contest;
mod expiry;
mod history;
mod registering;
mod restart;
mod trust;

use core::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use super::*;
use crate::clock::Moment;
use crate::protocol::node::{NodeClose, NodeKind, NodeStatus, OfflineCause, Outcome, Register};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

/// The gateway's own credential.
const OWNER: Peer = Peer { owner: None, address: ADDRESS };

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn with_token(token: u64) -> Peer {
    Peer { owner: Some(TokenId(token)), address: ADDRESS }
}

/// An agent on a machine, and on a port of it.
fn agent(id: &str, machine: &str, port: u16) -> Register {
    Register { port: Some(port), ..portless(id, machine) }
}

fn portless(id: &str, machine: &str) -> Register {
    let (id, machine, cwd) = (id.to_owned(), machine.to_owned(), "/work".to_owned());
    Register { id, machine, cwd, port: None, pid: None, kind: None, instance: None }
}

fn host(id: &str, instance: &str) -> Register {
    let (kind, instance) = (Some(NodeKind::PtyHost), Some(instance.to_owned()));
    Register { kind, instance, ..portless(id, "m") }
}

/// A registry and a clock of its own.
struct World {
    registry: Registry,
    now: Moment,
}

impl World {
    fn new() -> World {
        World::with(Settings::default())
    }

    fn with(settings: Settings) -> World {
        let now = Moment { at: Instant::now(), unix_ms: 1_700_000_000_000 };
        World { registry: Registry::new(settings), now }
    }

    /// Time passes all at once, and nobody looks.
    fn skip(&mut self, time: Duration) {
        self.now.at += time;
        self.now.unix_ms += u64::try_from(time.as_millis()).unwrap();
    }

    /// Time passes up to the next look that the registry wants, if that is before `end`.
    fn next_look(&mut self, end: Instant) -> Option<Effects> {
        let next = self.registry.next_tick().filter(|next| *next <= end)?;
        self.skip(next.saturating_duration_since(self.now.at));
        Some(self.registry.tick(self.now))
    }

    /// Time passes, and the registry is looked at whenever it wants to be.
    fn pass(&mut self, time: Duration) -> Effects {
        let end = self.now.at + time;
        let mut effects = self.registry.tick(self.now);
        while let Some(more) = self.next_look(end) {
            effects.extend(more);
        }
        self.skip(end - self.now.at);
        effects
    }

    fn register(&mut self, epoch: Epoch, register: Register) -> Result<Effects, Refused> {
        self.registry.register(epoch, Registration::check(register).unwrap(), self.now)
    }

    /// Over a new connection.
    #[track_caller]
    fn join(&mut self, peer: Peer, register: Register) -> (Epoch, Effects) {
        let epoch = self.registry.connected(peer);
        let effects = self.register(epoch, register).unwrap();
        (epoch, effects)
    }

    fn close(&mut self, epoch: Epoch) -> Effects {
        self.registry.closed(epoch, Farewell::Broken, self.now)
    }

    fn status(&self, id: &str) -> Option<NodeStatus> {
        self.registry.record(id, self.now).map(|record| record.status)
    }

    fn ids(&self) -> Vec<String> {
        self.registry.records(self.now).into_iter().map(|record| record.id).collect()
    }
}

fn id(text: &str) -> NodeId {
    NodeId::new(text).unwrap()
}

fn close(epoch: Epoch, why: NodeClose) -> Effect {
    Effect::Close { epoch, why }
}

fn removed(text: &str) -> Effect {
    Effect::Removed { id: id(text) }
}

fn offline(text: &str, why: OfflineCause) -> Effect {
    Effect::Offline { id: id(text), why }
}

/// The effects without what joined: those whose whole record does not matter.
fn besides_joined(effects: &[Effect]) -> Vec<Effect> {
    effects.iter().filter(|effect| !matches!(effect, Effect::Joined { .. })).cloned().collect()
}
