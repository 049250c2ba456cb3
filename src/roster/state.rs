//! What the roster's lock protects: the registry, the tokens, and how to reach each connection.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::bindings::Bindings;
use super::panes::Panes;
use super::quarantine::Quarantine;
use super::records::Saved;
use super::remotes::Remotes;
use super::tokens::NodeTokens;
use crate::clock::Moment;
use crate::host::remote::RemoteHost;
use crate::host::{Host, Kept};
use crate::node::{Effect, Effects, Epoch, NodeId, Peer, Refused, Registration, Registry, TokenId};
use crate::protocol::node::{NodeClose, NodeEvent, NodeKind, NodeRecord, OfflineCause};

/// The way to one open connection.
struct Line {
    /// Tells it to close.
    close: oneshot::Sender<NodeClose>,
    /// The token that it came with.
    owner: Option<TokenId>,
    /// The node whose PTYs come over it.
    hosts: Option<NodeId>,
}

/// See the module.
pub(super) struct State {
    pub(super) registry: Registry,
    pub(super) tokens: NodeTokens,
    pub(super) bindings: Bindings,
    /// The gateway shuts down: who goes now does so because of that.
    pub(super) ended: bool,
    lines: HashMap<Epoch, Line>,
    /// The nodes whose PTYs can be had, and over which connection.
    hosts: HashMap<NodeId, Epoch>,
    quarantine: Quarantine,
    /// The nodes with PTYs that panes were told of; none without a record.
    told: HashSet<NodeId>,
    pub(super) remotes: Remotes,
    pub(super) panes: Arc<dyn Panes>,
}

impl State {
    pub(super) fn new(
        registry: Registry,
        bindings: Bindings,
        remotes: Remotes,
        panes: Arc<dyn Panes>,
    ) -> State {
        let (tokens, lines) = (NodeTokens::default(), HashMap::new());
        let (hosts, told, quarantine) = (HashMap::new(), HashSet::new(), Quarantine::default());
        State { registry, tokens, bindings, ended: false, lines, hosts, quarantine, told, remotes, panes }
    }

    /// Tells panes which nodes with PTYs there were before the gateway was restarted.
    pub(super) fn expect_hosts(&mut self, now: Moment) {
        for record in self.registry.records(now) {
            self.expect_host(&record);
        }
    }

    fn expect_host(&mut self, record: &NodeRecord) {
        let Ok(id) = NodeId::new(&record.id) else { return };
        if record.kind == Some(NodeKind::PtyHost) {
            if self.told.insert(id.clone()) {
                self.panes.node_expected(id.as_str(), record.why == Some(OfflineCause::Asleep));
            }
        } else {
            // Another kind of node took the id.
            self.host_removed(&id);
        }
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.lines.len()
    }

    /// A new connection, and what tells it to close.
    pub(super) fn connect(&mut self, peer: Peer) -> (Epoch, oneshot::Receiver<NodeClose>) {
        let epoch = self.registry.connected(peer);
        let (close, closed) = oneshot::channel();
        self.lines.insert(epoch, Line { close, owner: peer.owner, hosts: None });
        (epoch, closed)
    }

    /// Registers a node over a connection.
    pub(super) fn register(
        &mut self,
        epoch: Epoch,
        registration: Registration,
        now: Moment,
    ) -> Result<Effects, Refused> {
        let owner = self.lines.get(&epoch).ok_or(Refused::Closed)?.owner;
        let id = registration.id().clone();
        if !self.bindings.admit(&id, owner) {
            return Err(Refused::OtherToken { field: "id" });
        }
        if let Some(left) = self.quarantine.of(&id, owner, now.at) {
            return Err(Refused::KeptOut { id, left });
        }
        let effects = self.registry.register(epoch, registration, now)?;
        self.bindings.bind(&id, owner);
        Ok(effects)
    }

    /// The node that `epoch` speaks for sends what makes no sense: it is not let in again for a while.
    pub(super) fn keep_out(&mut self, epoch: Epoch, now: Moment) {
        let (node, line) = (self.registry.node_of(epoch), self.lines.get(&epoch));
        if let (Some(node), Some(line)) = (node, line) {
            self.quarantine.keep_out(node.clone(), line.owner, now.at);
        }
    }

    /// What is to be written down.
    pub(super) fn saved(&self, now: Moment) -> Saved {
        Saved { nodes: self.registry.saved(now), bindings: self.bindings.clone() }
    }

    /// A connection has ended, and can't be told anything any more.
    pub(super) fn forget(&mut self, epoch: Epoch) {
        self.lines.remove(&epoch);
    }

    /// The node that `epoch` speaks for, and the gateway's end of the link to its PTYs, if it has any.
    pub(super) fn hosting(&mut self, epoch: Epoch, now: Moment) -> Option<(NodeId, Arc<RemoteHost>)> {
        let node = self.registry.node_of(epoch)?.clone();
        let kind = self.registry.record(node.as_str(), now)?.kind;
        let owner = self.lines.get(&epoch)?.owner;
        (kind == Some(NodeKind::PtyHost)).then(|| (node.clone(), self.remotes.of(&node, owner)))
    }

    /// The PTYs of the node that `epoch` speaks for can be had from `host`. Whether it speaks for one.
    pub(super) fn host_up(&mut self, epoch: Epoch, host: Arc<dyn Host>, kept: Vec<Kept>) -> bool {
        let Some(node) = self.registry.node_of(epoch).cloned() else { return false };
        let Some(line) = self.lines.get_mut(&epoch) else { return false };
        line.hosts = Some(node.clone());
        self.hosts.insert(node.clone(), epoch);
        self.panes.node_up(node.as_str(), host, kept);
        true
    }

    /// Carries out what the registry asks for; gives what everyone is to be told.
    pub(super) fn apply(&mut self, effects: Effects) -> Vec<NodeEvent> {
        effects.into_iter().filter_map(|effect| self.apply_one(effect)).collect()
    }

    fn apply_one(&mut self, effect: Effect) -> Option<NodeEvent> {
        match effect {
            Effect::Joined { record } => {
                self.expect_host(&record);
                Some(NodeEvent::NodeJoined { node: *record })
            }
            Effect::Offline { id, why } => {
                self.host_down(&id, why == OfflineCause::Asleep);
                Some(NodeEvent::NodeOffline { id: id.into(), why: Some(why) })
            }
            Effect::Removed { id } => {
                self.host_removed(&id);
                self.remotes.left(&id, Moment::now().at);
                Some(NodeEvent::NodeRemoved { id: id.into() })
            }
            Effect::Close { epoch, why } => {
                self.close(epoch, why);
                None
            }
            // The answer to the heartbeat says so.
            Effect::RegisterAgain { .. } => None,
        }
    }

    fn host_down(&mut self, node: &NodeId, asleep: bool) {
        if self.hosts.remove(node).is_some() {
            self.panes.node_down(node.as_str(), asleep);
        }
    }

    fn host_removed(&mut self, node: &NodeId) {
        self.host_down(node, false);
        if self.told.remove(node) {
            self.panes.node_removed(node.as_str());
        }
    }

    fn close(&mut self, epoch: Epoch, why: NodeClose) {
        let Some(line) = self.lines.remove(&epoch) else { return };
        // A node that was superseded is not offline, but its PTYs are those of the newer connection.
        let superseded = line.hosts.filter(|node| self.hosts.get(node) == Some(&epoch));
        if let Some(node) = superseded {
            self.host_down(&node, false);
        }
        // One that is closing by itself does not listen any more.
        let _ = line.close.send(why);
    }
}
