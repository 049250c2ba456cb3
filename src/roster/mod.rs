//! The registry of nodes, put to work: one lock around it, a task that lets what is due expire, events for whoever
//! watches, and the files that outlive the gateway. What is decided is decided in `node`; here it is carried out.
//!
//! ```text
//! /ws socket ── Connection ──▶ State (one lock): Registry, NodeTokens ── effects ─┬─▶ events, to every socket
//!     ▲                                                                           ├─▶ Panes: node_up, node_down, …
//!     └───────────────────────────── close codes ─────────────────────────────────┴─▶ nodes.json
//! ```

mod bindings;
mod connection;
mod identity;
mod keeper;
mod panes;
mod ptys;
mod quarantine;
mod records;
mod remotes;
mod state;
mod token_file;
mod tokens;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Moment;
use crate::host::remote::OUTPUT_WINDOW;
use crate::host::remote::frame::{Hello, LINK_VERSION};
use crate::node::{self, NoRoute, Peer, Registration, Registry, TokenId};
use crate::protocol::node::{NODE_PROTOCOL_VERSION, NodeEvent, NodeKind, NodeRecord};

use identity::identity;
use records::Records;
use remotes::Remotes;
use state::State;

pub use crate::host::remote::frame::WhenFull;
pub use connection::Connection;
pub use panes::{NoPanes, Panes};
pub use ptys::{NoPtys, Ptys};
pub use token_file::{TokenFile, TokenFileError};
pub use tokens::{MAX_TOKENS, NodeToken, NodeTokens, TokenNameError};

/// How many events a connection may be behind before it is closed.
pub const MAX_BEHIND: usize = 8192;

/// How many connections there may be beyond one for each node that there may be.
pub const MAX_WATCHERS: usize = 512;

/// How long a shutdown waits for the disk.
const SAVE_WITHIN: Duration = Duration::from_secs(1);

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// See there.
    pub registry: node::Settings,
    /// How much of each terminal's output a node keeps, in bytes.
    pub ring_bytes: usize,
    /// What it does when that is full.
    pub when_full: WhenFull,
    /// Where the records and the tokens are; none: nothing is kept, and there are no tokens.
    pub data_dir: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Settings {
        let (registry, when_full) = (node::Settings::default(), WhenFull::Wait);
        Settings { registry, ring_bytes: 1 << 20, when_full, data_dir: None }
    }
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// Its token was revoked since it was checked.
    #[error("the token was revoked")]
    Revoked,
    /// There are as many connections as there may be.
    #[error("there are too many connections")]
    Full,
}

/// What a new connection begins with.
#[derive(Debug)]
pub struct Admitted {
    /// Speaks for it.
    pub connection: Connection,
    /// The first message: all nodes, as JSON.
    pub init: String,
    /// What happened since, as JSON.
    pub events: broadcast::Receiver<Arc<str>>,
}

/// Who is there. Cheap to clone; all clones are the same roster.
#[derive(Clone)]
pub struct Roster {
    shared: Arc<Shared>,
}

struct Shared {
    /// Held while an effect is carried out, so that what is told is in the order in which it was decided; never
    /// across an await. What it calls ([`Panes`]) must not call the roster.
    state: Mutex<State>,
    events: broadcast::Sender<Arc<str>>,
    /// Counts what there is to write down, or to look at sooner.
    changes: watch::Sender<u64>,
    records: Arc<Records>,
    max_connections: usize,
    shutdown: CancellationToken,
}

impl std::fmt::Debug for Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roster").field("nodes", &self.count()).finish_non_exhaustive()
    }
}

impl Roster {
    /// Opens the roster that the data directory has, which its lock must protect already. Needs a tokio runtime around
    /// it. What can't be read is left where it is, and begins empty.
    #[must_use]
    pub fn open(settings: Settings, panes: Arc<dyn Panes>) -> Roster {
        let (records, saved) = Records::open(settings.data_dir.as_deref());
        let registry = Registry::restored(settings.registry, saved.nodes, Moment::now());
        let Settings { ring_bytes, when_full, .. } = settings;
        let gateway = identity(settings.data_dir.as_deref());
        let hello =
            Hello { version: LINK_VERSION, gateway, ring_bytes, when_full, window_bytes: OUTPUT_WINDOW };
        let shared = Shared {
            state: Mutex::new(State::new(registry, saved.bindings, Remotes::new(hello), panes)),
            events: broadcast::Sender::new(MAX_BEHIND),
            changes: watch::Sender::new(0),
            records: Arc::new(records),
            max_connections: settings.registry.max_nodes.saturating_add(MAX_WATCHERS),
            shutdown: CancellationToken::new(),
        };
        let roster = Roster { shared: Arc::new(shared) };
        roster.state().expect_hosts(Moment::now());
        roster.look_after(settings.data_dir.map(|dir| TokenFile::in_dir(&dir)));
        roster
    }

    /// Puts the gateway's own node into it.
    pub fn register_local(&self, registration: Registration) {
        let effects = |state: &mut State| state.registry.register_local(registration, Moment::now());
        self.carry_out(effects);
    }

    /// The node token whose text is `presented`.
    #[must_use]
    pub fn token(&self, presented: &str) -> Option<TokenId> {
        self.state().tokens.find(presented)
    }

    /// Lets a connection in: what it is told first and what it is told then leave nothing out between them.
    ///
    /// # Errors
    /// When its token is not valid any more, or there are too many.
    pub fn connect(&self, peer: Peer) -> Result<Admitted, TurnedAway> {
        let mut state = self.state();
        if peer.owner.is_some_and(|token| !state.tokens.has(token)) {
            return Err(TurnedAway::Revoked);
        }
        if state.open() >= self.shared.max_connections {
            return Err(TurnedAway::Full);
        }
        let (epoch, closed) = state.connect(peer);
        let nodes = state.registry.records(Moment::now());
        let init = NodeEvent::Init { nodes, protocol_version: NODE_PROTOCOL_VERSION.into() }.json();
        let events = self.shared.events.subscribe();
        drop(state);
        Ok(Admitted { connection: Connection::new(self.clone(), epoch, closed), init, events })
    }

    /// How many nodes are known.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state().registry.count()
    }

    /// All nodes, by id, with how many PTYs each has: others say so, and of this machine the gateway knows.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeRecord> {
        let panes = self.state().panes.clone();
        let here = panes.live_here();
        let mut nodes = self.state().registry.records(Moment::now());
        let local = nodes.iter_mut().filter(|node| node.kind == Some(NodeKind::Local));
        local.for_each(|node| node.panes = Some(here));
        nodes
    }

    /// Where to relay to for a node.
    ///
    /// # Errors
    /// When it is unknown, offline, or has no port.
    pub fn route(&self, id: &str) -> Result<SocketAddr, NoRoute> {
        self.state().registry.route(id)
    }

    /// Where the PTYs of a node are.
    ///
    /// # Errors
    /// When it is unknown, away, or has none.
    pub fn ptys(&self, id: &str) -> Result<Ptys, NoPtys> {
        self.state().ptys(id, Moment::now())
    }

    /// Resolves when the gateway begins to shut down.
    pub async fn shutting_down(&self) {
        self.shared.shutdown.cancelled().await;
    }

    /// Ends it: who is there now is written down as being there, nodes keep their terminals for the gateway's next run,
    /// and connections are to end.
    pub async fn shutdown(&self) {
        let saved = {
            let mut state = self.state();
            state.ended = true;
            state.remotes.leave();
            state.saved(Moment::now())
        };
        self.shared.shutdown.cancel();
        if tokio::time::timeout(SAVE_WITHIN, self.write(saved)).await.is_err() {
            tracing::warn!("the disk was too slow to save the nodes in time");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic between two steps leaves a registry that still answers.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides and carries out, in one step.
    fn carry_out(&self, decide: impl FnOnce(&mut State) -> node::Effects) {
        let decide = |state: &mut State| (decide(state), ());
        self.carry_out_and_answer(decide);
    }

    fn carry_out_and_answer<T>(&self, decide: impl FnOnce(&mut State) -> (node::Effects, T)) -> T {
        let mut state = self.state();
        let (effects, answer) = decide(&mut state);
        let changed = !effects.is_empty();
        for event in state.apply(effects) {
            // Nobody watching is nobody to tell.
            let _ = self.shared.events.send(event.json().into());
        }
        drop(state);
        if changed {
            self.shared.changes.send_modify(|count| *count += 1);
        }
        answer
    }
}

#[cfg(test)]
mod tests;
