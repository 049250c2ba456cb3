//! The nodes that panes are on, as the hub needs them: which can be reached and through which host, and what happens to
//! panes when that changes. Who may be a node, and whether it is alive, is decided elsewhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::checkpoints::Offer;
use super::hub::{Gateway, Hub};
use super::panes::{Live, Slot, jitter};
use super::saved::{CheckpointMeta, Checkpointed};
use super::screens::Model;
use crate::clock::Moment;
use crate::host::{Host, Kept};
use crate::ids::PaneId;
use crate::pane::away::NodeState;

/// The gateway's own node.
pub const LOCAL_NODE: &str = "local";

/// A node.
struct Node {
    /// What its PTYs are reached through; `None` while it is away.
    host: Option<Arc<dyn Host>>,
    state: NodeState,
}

/// All nodes that panes may be on. A leaf in the lock order.
#[derive(Default)]
pub(super) struct Nodes(Mutex<HashMap<String, Node>>);

impl Nodes {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Node>> {
        // Each change is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host of a node that can be reached.
    pub(super) fn host(&self, node: &str) -> Option<Arc<dyn Host>> {
        self.lock().get(node)?.host.clone()
    }

    /// A node's state; one that nobody has heard of is away.
    pub(super) fn state(&self, node: &str) -> NodeState {
        self.lock().get(node).map_or_else(|| NodeState::down(false, 0), |node| node.state.clone())
    }

    /// Whether panes may be put on a node.
    pub(super) fn is_known(&self, node: &str) -> bool {
        self.lock().contains_key(node)
    }

    /// Where a session's panes go if nobody says: the gateway's own node, else the first that can be reached.
    pub(super) fn default_node(&self) -> Option<String> {
        let nodes = self.lock();
        if nodes.contains_key(LOCAL_NODE) {
            return Some(LOCAL_NODE.to_owned());
        }
        nodes.iter().filter(|(_, node)| node.host.is_some()).map(|(id, _)| id.clone()).min()
    }

    pub(super) fn set(&self, node: &str, host: Option<Arc<dyn Host>>, state: NodeState) {
        self.lock().insert(node.to_owned(), Node { host, state });
    }

    /// A node that was there before may come back.
    pub(super) fn expect(&self, node: &str, since: u64) {
        let state = NodeState::down(false, since);
        self.lock().entry(node.to_owned()).or_insert(Node { host: None, state });
    }

    /// Changes the state of a node that is away. Whether it is.
    fn set_away(&self, node: &str, state: &NodeState) -> bool {
        let mut nodes = self.lock();
        let away = nodes.get_mut(node).filter(|node| node.host.is_none());
        away.map(|node| node.state = state.clone()).is_some()
    }

    fn forget(&self, node: &str) {
        self.lock().remove(node);
    }
}

impl Gateway {
    /// A node can be reached, and its host has these terminals from before. Those that panes own are live again, all
    /// others are ended.
    pub fn node_up(&self, node: &str, host: Arc<dyn Host>, kept: Vec<Kept>) {
        self.hub.node_up(node, &host, &kept);
    }

    /// A node can't be reached any more. Its panes, and only they, are disconnected at once.
    pub fn node_down(&self, node: &str, asleep: bool) {
        self.hub.node_down(node, NodeState::down(asleep, Moment::now().unix_ms));
    }

    /// A node that is away may have panes all the same: they wait for it.
    pub fn node_expected(&self, node: &str, asleep: bool) {
        if !self.hub.nodes.is_known(node) {
            self.node_down(node, asleep);
        }
    }

    /// A node is in the roster no more. Panes that are on it wait for it all the same; one without panes is forgotten.
    pub fn node_removed(&self, node: &str) {
        if self.hub.nodes.host(node).is_some() {
            self.node_down(node, false);
        }
        if self.panes_on(node) == 0 {
            self.hub.nodes.forget(node);
        }
    }

    /// How many panes have their next terminal on a node.
    #[must_use]
    pub fn panes_on(&self, node: &str) -> usize {
        self.hub.slots().iter().filter(|slot| slot.lock().pane.node() == node).count()
    }

    /// How many panes have a live terminal on a node.
    #[must_use]
    pub fn live_on(&self, node: &str) -> usize {
        let is_live = |slot: &&Arc<Slot>| {
            let state = slot.lock();
            state.pane.terminal_node() == node && self.hub.terminals.contains_key(&slot.id)
        };
        self.hub.slots().iter().filter(is_live).count()
    }
}

impl Hub {
    pub(super) fn node_up(self: &Arc<Self>, node: &str, host: &Arc<dyn Host>, kept: &[Kept]) {
        self.nodes.set(node, Some(host.clone()), NodeState::Up);
        self.wakes.up(node);
        for kept in kept {
            let slot = self.slot(kept.pane).filter(|slot| slot.lock().pane.terminal_node() == node);
            if !slot.is_some_and(|slot| self.adopt(&slot, host, kept)) {
                tracing::info!(node, pane = %kept.pane, "a terminal that nobody owns is ended");
                host.discard(kept);
            }
        }
        for slot in self.slots() {
            self.with_pane(&slot, |state, terminal, effects| {
                let (pane, now) = (&mut state.pane, Moment::now());
                if terminal.is_none() && pane.terminal_node() == node {
                    pane.gone(now, jitter(), effects);
                }
                if pane.node() == node {
                    pane.node_changed(NodeState::Up, now, effects);
                }
            });
        }
    }

    /// Puts a terminal that a host kept back into its pane. Whether it is the pane's.
    fn adopt(self: &Arc<Self>, slot: &Arc<Slot>, host: &Arc<dyn Host>, kept: &Kept) -> bool {
        let checkpoint = kept.checkpoint.as_ref().and_then(Checkpointed::read);
        let mut model = slot.model();
        let (from, _) = self.at_pane(slot, |state, terminal, effects| {
            if terminal.is_some() || !state.pane.knows(kept.generation) {
                return None;
            }
            if let Some(there) = checkpoint.as_ref().filter(|checkpoint| state.goes_to(kept, checkpoint)) {
                let CheckpointMeta { offset, size, place, .. } = there.meta;
                let clean = state.pane.go_to(offset, place, there.screen);
                *model = Model::restored(size, self.settings.scrollback, offset, &clean);
                // Those who waited for it.
                effects.output = true;
            }
            let screen = checkpoint.as_ref().map(Checkpointed::screen);
            Some(state.pane.take_up(kept, screen, Moment::now(), effects))
        });
        drop(model);
        let Some(from) = from else { return false };
        tracing::debug!(pane = %slot.id, from, kept = ?kept.output, "a terminal is taken over");
        let sink = self.sink(slot, &**host);
        let Some(terminal) = host.resume(kept, from, sink) else { return false };
        let found = checkpoint
            .zip(kept.checkpoint.clone())
            .filter(|(_, checkpoint)| kept.reaches(checkpoint.printed));
        let found = found.map(|(read, checkpoint)| Offer::new(read.meta.offset, read.meta.place, checkpoint));
        let returned = self.with_pane(slot, |state, _, effects| {
            let returned = state.pane.returned(kept.generation, Moment::now(), &*terminal, effects);
            if returned {
                if let Some(offer) = found {
                    state.checkpoints.found(offer);
                }
                let (generation, outlives) = (kept.generation, host.outlives());
                self.connected(slot, Live { generation, terminal: terminal.clone(), outlives });
            }
            returned
        });
        if !returned {
            terminal.kill();
        }
        terminal.start();
        true
    }

    pub(super) fn node_down(self: &Arc<Self>, node: &str, state: NodeState) {
        self.nodes.set(node, None, state);
        for slot in self.slots() {
            self.leave_if_away(&slot, node);
        }
    }

    /// If a pane's node is away, its terminal, if it has one there, is not connected any more. Also takes out one that
    /// came up while its node went away.
    pub(super) fn leave_if_away(self: &Arc<Self>, slot: &Arc<Slot>, node: &str) {
        self.with_pane(slot, |state, _, effects| {
            // Asked for with the pane locked: nobody has told the pane what is newer.
            let node_state = self.nodes.state(node);
            if node_state == NodeState::Up {
                return;
            }
            let (pane, now) = (&mut state.pane, Moment::now());
            if pane.node() == node {
                pane.node_changed(node_state, now, effects);
            }
            if pane.terminal_node() == node {
                let live = self.terminals.get(&slot.id).map(|live| live.generation);
                if let Some(generation) = live
                    && pane.detached(generation, now, jitter(), effects)
                {
                    self.disconnected(slot, generation);
                }
            }
        });
    }

    /// A node that is away is being woken, or could not be.
    pub(super) fn node_waking(self: &Arc<Self>, node: &str, state: &NodeState) {
        if !self.nodes.set_away(node, state) {
            return;
        }
        for slot in self.slots() {
            self.with_pane(&slot, |state, _, effects| {
                let pane = &mut state.pane;
                if pane.node() == node {
                    // It may be there by now.
                    pane.node_changed(self.nodes.state(node), Moment::now(), effects);
                }
            });
        }
    }

    /// The node that a pane's next terminal starts on.
    pub(super) fn pane_node(&self, pane: PaneId) -> Option<String> {
        self.slot(pane).map(|slot| slot.lock().pane.node().to_owned())
    }
}
