//! The state machine. Every call takes the time, decides and acts in one step, and says what else is to be done.

use core::net::{IpAddr, SocketAddr};
use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::contest::Process;
use super::deadlines::Deadlines;
use super::effect::{Effect, Effects, Farewell, NoRoute, Refused};
use super::id::{Epoch, NodeId, TokenId};
use super::record::{Load, Record, State};
use super::registration::Registration;
use super::saved::SavedNode;
use super::table::Table;
use super::vigil::Vigil;
use crate::clock::Moment;
use crate::protocol::node::{NodeClose, NodeRecord, Outcome};

/// How many records one call of [`Registry::tick`] takes up; the rest is due at once again.
const MAX_PER_TICK: usize = 1024;

/// The longest TTL: an instant a year ahead can always be told.
const MAX_TTL: Duration = Duration::from_secs(365 * 24 * 3600);

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long an agent may be silent, and how long the record of any node that is offline stays; a year at most.
    pub ttl: Duration,
    /// How long a PTY host, which should speak every 5 s, may be silent before it is offline.
    pub host_silence: Duration,
    /// How many records there may be.
    pub max_nodes: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        let (ttl, host_silence) = (Duration::from_secs(90), Duration::from_secs(15));
        Settings { ttl, host_silence, max_nodes: 10_000 }
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The node token that the connection came with; none: the gateway's own.
    pub owner: Option<TokenId>,
    /// Where it came from.
    pub address: IpAddr,
}

/// An open connection.
#[derive(Debug, Clone)]
struct Connection {
    peer: Peer,
    /// The record that it speaks for, which is active with this connection's epoch.
    node: Option<NodeId>,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Registry {
    settings: Settings,
    /// The number of the newest connection.
    last_epoch: u64,
    /// Open ones, each an open socket of the caller's, who bounds their number.
    connections: HashMap<Epoch, Connection>,
    table: Table,
    deadlines: Deadlines,
    vigil: Vigil,
}

impl Registry {
    /// Knows nobody.
    #[must_use]
    pub fn new(settings: Settings) -> Registry {
        Registry {
            settings: Settings {
                ttl: settings.ttl.min(MAX_TTL),
                host_silence: settings.host_silence.min(MAX_TTL),
                ..settings
            },
            last_epoch: 0,
            connections: HashMap::new(),
            table: Table::default(),
            deadlines: Deadlines::default(),
            vigil: Vigil::default(),
        }
    }

    /// Knows who was there before the gateway was restarted; all of them are offline, and their time goes on. What is
    /// damaged, doubled or beyond the bound is left out.
    #[must_use]
    pub fn restored(settings: Settings, saved: Vec<SavedNode>, now: Moment) -> Registry {
        let mut registry = Registry::new(settings);
        registry.look(now);
        let ttl = registry.settings.ttl;
        for record in saved.into_iter().filter_map(|saved| Record::restore(saved, ttl, now)) {
            let registration = &record.registration;
            let known = registry.table.get(registration.id.as_str()).is_some();
            let fits = registry.table.len() < settings.max_nodes;
            if fits && !known && registry.table.rivals(registration).is_empty() {
                registry.put(record);
            }
        }
        registry
    }

    // Connections.

    /// A connection was opened.
    pub fn connected(&mut self, peer: Peer) -> Epoch {
        self.last_epoch += 1;
        let epoch = Epoch(self.last_epoch);
        self.connections.insert(epoch, Connection { peer, node: None });
        epoch
    }

    /// A connection has ended: its node is offline.
    pub fn closed(&mut self, epoch: Epoch, farewell: Farewell, now: Moment) -> Effects {
        self.look(now);
        let Some(connection) = self.connections.remove(&epoch) else { return Effects::new() };
        connection.node.map(|id| self.go_offline(&id, Some(farewell), now)).into_iter().collect()
    }

    /// Something came over a connection: a frame, a ping, anything.
    pub fn alive(&mut self, epoch: Epoch, now: Moment) {
        self.look(now);
        if let Some(record) = self.record_of(epoch) {
            record.heard(now);
        }
    }

    /// A node says that it is well, by what name it believes to be registered, and what it has to do.
    pub fn heartbeat(
        &mut self,
        epoch: Epoch,
        named: Option<&str>,
        load: Option<Load>,
        now: Moment,
    ) -> Effects {
        self.alive(epoch, now);
        let Some(connection) = self.connections.get(&epoch) else { return Effects::new() };
        let held = connection.node.as_ref().map(NodeId::as_str);
        if named.is_some() && named != held {
            return vec![Effect::RegisterAgain { epoch }];
        }
        if let (Some(load), Some(record)) = (load, self.record_of(epoch)) {
            record.load = Some((load, now.at));
        }
        Effects::new()
    }

    /// A node says that it will sleep: if it is gone soon, that is why.
    pub fn going_to_sleep(&mut self, epoch: Epoch, now: Moment) {
        self.alive(epoch, now);
        if let Some(record) = self.record_of(epoch) {
            record.announce_sleep(now);
        }
    }

    // The roster.

    /// Puts a node into the roster, in place of whatever it was there as before: under its id, on its machine and
    /// port, as the same process, or over the same connection. A connection that loses its record by that is closed.
    ///
    /// # Errors
    /// See [`Refused`]; nothing has changed then.
    pub fn register(
        &mut self,
        epoch: Epoch,
        registration: Registration,
        now: Moment,
    ) -> Result<Effects, Refused> {
        self.look(now);
        let Connection { peer, node: before } = self.connections.get(&epoch).ok_or(Refused::Closed)?.clone();
        let mut evicted = self.evictable(&registration, peer.owner)?;
        evicted.extend(before.filter(|before| *before != registration.id && !evicted.contains(before)));
        self.check_room(&registration, evicted.len())?;
        self.contend(epoch, &registration, now)?;

        let mut effects: Effects = evicted.iter().flat_map(|id| self.evict(id, epoch)).collect();
        let mut record = Record::active(registration, peer, epoch, now);
        let id = record.registration.id.clone();
        if let Some(old) = self.table.get(id.as_str()) {
            let (holder, newcomer) = (Process::of(&old.registration), Process::of(&record.registration));
            let superseded = old.epoch().filter(|old| *old != epoch);
            record.contest = old.contest.clone();
            if superseded.is_some() && holder != newcomer {
                record.contest.switched(holder, now.at);
            }
            effects.extend(self.hang_up(superseded, NodeClose::Superseded));
        }
        if let Some(connection) = self.connections.get_mut(&epoch) {
            connection.node = Some(id);
        }
        effects.push(self.join(record, now));
        Ok(effects)
    }

    /// Puts the gateway's own node into the roster: it never expires, and nobody takes its place.
    pub fn register_local(&mut self, registration: Registration, now: Moment) -> Effects {
        self.look(now);
        let rivals = self.table.rivals(&registration);
        let mut effects: Effects =
            rivals.iter().flat_map(|(id, _)| self.expel(id, NodeClose::Evicted)).collect();
        let before = self.epoch_of(registration.id.as_str());
        effects.extend(self.hang_up(before, NodeClose::Superseded));
        effects.push(self.join(Record::local(registration, now), now));
        effects
    }

    /// Takes a node out of the roster, which only it can ask for, over its own connection. That stays open.
    pub fn deregister(&mut self, epoch: Epoch, id: &str, now: Moment) -> (Outcome, Effects) {
        self.alive(epoch, now);
        let held = self
            .connections
            .get_mut(&epoch)
            .and_then(|connection| connection.node.take_if(|held| held.as_str() == id));
        let Some(held) = held else { return (Outcome::NotFound, Effects::new()) };
        (Outcome::Deregistered, vec![self.remove(&held)])
    }

    /// A token is not valid any more: whoever came with it goes, and what they were registered as is free again.
    pub fn revoke(&mut self, owner: TokenId, now: Moment) -> Effects {
        self.look(now);
        let theirs = |peer_owner: Option<TokenId>| peer_owner == Some(owner);
        let records = self.table.iter().filter(|(_, record)| theirs(record.owner));
        let ids: Vec<_> = records.map(|(id, _)| id.clone()).collect();
        let mut effects: Effects = ids.iter().flat_map(|id| self.expel(id, NodeClose::Revoked)).collect();
        let open = self.connections.iter().filter(|(_, connection)| theirs(connection.peer.owner));
        let mut epochs: Vec<_> = open.map(|(epoch, _)| *epoch).collect();
        epochs.sort_unstable();
        effects.extend(epochs.into_iter().flat_map(|epoch| self.hang_up(Some(epoch), NodeClose::Revoked)));
        effects
    }

    // Time.

    /// Lets expire what is due: the silent go offline, and those offline for the TTL go. After a time in which the
    /// gateway was stopped, everyone first gets some seconds to speak.
    pub fn tick(&mut self, now: Moment) -> Effects {
        self.look(now);
        let mut effects = Effects::new();
        for _ in 0..MAX_PER_TICK {
            let Some(id) = self.deadlines.due(now.at) else { break };
            // It may have been heard since it was queued.
            if self.schedule(&id).is_some_and(|deadline| deadline <= now.at) {
                effects.extend(self.expire(&id, now));
            }
        }
        effects
    }

    /// When to call [`Registry::tick`] next, if no other call comes before.
    #[must_use]
    pub fn next_tick(&self) -> Option<Instant> {
        self.deadlines.first().map(|first| self.vigil.next(first))
    }

    // To be shown and kept.

    /// How many nodes are known.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table.len()
    }

    /// Every node, by id.
    #[must_use]
    pub fn records(&self, now: Moment) -> Vec<NodeRecord> {
        self.table.iter().map(|(_, record)| record.show(&self.settings, now)).collect()
    }

    /// One node.
    #[must_use]
    pub fn record(&self, id: &str, now: Moment) -> Option<NodeRecord> {
        Some(self.table.get(id)?.show(&self.settings, now))
    }

    /// The node that a connection speaks for.
    #[must_use]
    pub fn node_of(&self, epoch: Epoch) -> Option<&NodeId> {
        self.connections.get(&epoch)?.node.as_ref()
    }

    /// The connection that speaks for a node.
    #[must_use]
    pub fn epoch_of(&self, id: &str) -> Option<Epoch> {
        self.table.get(id)?.epoch()
    }

    /// Where to relay to for a node: the port that it registered, at the address that it came from itself.
    ///
    /// # Errors
    /// When it is unknown, offline, or has no port.
    pub fn route(&self, id: &str) -> Result<SocketAddr, NoRoute> {
        let record = self.table.get(id).ok_or(NoRoute::Unknown)?;
        if matches!(record.state, State::Offline { .. }) {
            return Err(NoRoute::Offline);
        }
        let connection = record.epoch().and_then(|epoch| self.connections.get(&epoch));
        let address = connection.map(|connection| connection.peer.address);
        address.zip(record.registration.port).map(SocketAddr::from).ok_or(NoRoute::NoPort)
    }

    /// What is to be written down, as of this moment.
    #[must_use]
    pub fn saved(&self, now: Moment) -> Vec<SavedNode> {
        self.table.iter().filter_map(|(_, record)| record.save(now)).collect()
    }

    // Whether a node may register.

    /// The records of other ids that the registration replaces, if all of them are its sender's to replace.
    fn evictable(&self, registration: &Registration, owner: Option<TokenId>) -> Result<Vec<NodeId>, Refused> {
        let rivals = self.table.rivals(registration);
        for (id, field) in rivals.iter().chain([&(registration.id.clone(), "id")]) {
            match self.table.get(id.as_str()) {
                Some(Record { state: State::Local, .. }) => {
                    return Err(Refused::Reserved { id: id.clone() });
                }
                Some(record) if record.owner != owner => return Err(Refused::OtherToken { field }),
                _ => {}
            }
        }
        Ok(rivals.into_iter().map(|(id, _)| id).collect())
    }

    fn check_room(&self, registration: &Registration, evicted: usize) -> Result<(), Refused> {
        let max_nodes = self.settings.max_nodes;
        let known = self.table.get(registration.id.as_str()).is_some();
        let has_room = known || self.table.len() - evicted < max_nodes;
        has_room.then_some(()).ok_or(Refused::Full { max_nodes })
    }

    /// Whether the id may go to another process than the one that is connected under it.
    fn contend(&mut self, epoch: Epoch, registration: &Registration, now: Moment) -> Result<(), Refused> {
        let Some(record) = self.table.get_mut(&registration.id) else { return Ok(()) };
        if record.epoch().is_none_or(|holder| holder == epoch) {
            return Ok(());
        }
        let (holder, newcomer) = (Process::of(&record.registration), Process::of(registration));
        let admitted = record.contest.admits(&holder, &newcomer, now.at);
        admitted.then_some(()).ok_or_else(|| Refused::conflict(&registration.id))
    }

    // Changes of the table, each of which keeps connections and deadlines in step.

    fn look(&mut self, now: Moment) {
        self.vigil.look(now.at, self.deadlines.first().is_some());
    }

    fn record_of(&mut self, epoch: Epoch) -> Option<&mut Record> {
        let id = self.connections.get(&epoch)?.node.as_ref()?;
        self.table.get_mut(id)
    }

    fn put(&mut self, record: Record) {
        let id = record.registration.id.clone();
        self.table.insert(record);
        self.schedule(&id);
    }

    fn join(&mut self, record: Record, now: Moment) -> Effect {
        let shown = record.show(&self.settings, now);
        self.put(record);
        Effect::Joined { record: Box::new(shown) }
    }

    /// Removes a record in favour of another one of the connection `heir`.
    fn evict(&mut self, id: &NodeId, heir: Epoch) -> Effects {
        if self.epoch_of(id.as_str()) == Some(heir) {
            return vec![self.remove(id)];
        }
        self.expel(id, NodeClose::Evicted)
    }

    /// Removes a record and closes its connection, if it has one.
    fn expel(&mut self, id: &NodeId, why: NodeClose) -> Effects {
        let close = self.hang_up(self.epoch_of(id.as_str()), why);
        close.into_iter().chain([self.remove(id)]).collect()
    }

    /// Removes a record that is there.
    fn remove(&mut self, id: &NodeId) -> Effect {
        self.deadlines.clear(id);
        self.table.remove(id);
        Effect::Removed { id: id.clone() }
    }

    /// Forgets a connection, and has it closed.
    fn hang_up(&mut self, epoch: Option<Epoch>, why: NodeClose) -> Option<Effect> {
        let epoch = epoch?;
        self.connections.remove(&epoch)?;
        Some(Effect::Close { epoch, why })
    }

    /// `farewell`: how its connection ended, if it did.
    fn go_offline(&mut self, id: &NodeId, farewell: Option<Farewell>, now: Moment) -> Effect {
        let ttl = self.settings.ttl;
        let record = self.table.get_mut(id).expect("a connection speaks for a record that is there");
        let why = record.cause(farewell);
        record.go_offline(why, ttl, now);
        self.schedule(id);
        Effect::Offline { id: id.clone(), why }
    }

    /// Queues a record for its deadline, and gives that.
    fn schedule(&mut self, id: &NodeId) -> Option<Instant> {
        let deadline = self.table.get(id.as_str()).and_then(|record| record.deadline(&self.settings));
        let deadline = deadline.map(|deadline| self.vigil.postponed(deadline));
        match deadline {
            Some(deadline) => self.deadlines.set(id, deadline),
            None => self.deadlines.clear(id),
        }
        deadline
    }

    fn expire(&mut self, id: &NodeId, now: Moment) -> Effects {
        match self.epoch_of(id.as_str()) {
            Some(epoch) => {
                let close = self.hang_up(Some(epoch), NodeClose::Silent);
                [self.go_offline(id, None, now)].into_iter().chain(close).collect()
            }
            None => vec![self.remove(id)],
        }
    }
}
