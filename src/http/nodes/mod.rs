//! Where nodes, agents and those who watch them connect: `/ws`, and `/ws/agent/{id}`, which relays to an agent.
//! `docs/nodes.md` is the contract in prose.

mod folders;
mod relay;
mod requests;
mod socket;
mod terminals;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use tokio::sync::Semaphore;

use crate::roster::Roster;

/// How many agents are relayed to at a time.
const MAX_RELAYS: usize = 256;

/// How many requests to the disk are under way at a time, for everyone together.
const MAX_LISTINGS: usize = 8;

/// Starts a program in a pane of its own, in a directory; says why not.
pub type SpawnInPane = dyn Fn(&[String], &Path) -> Result<(), String> + Send + Sync;

/// What the routes need.
pub struct Nodes {
    /// Who is there.
    pub roster: Roster,
    /// How long whoever is connected may be silent.
    pub ttl: Duration,
    /// What may be looked at of this machine's folders.
    pub root: PathBuf,
    /// The agent and its arguments; empty: there is none to start.
    pub agent_command: Vec<String>,
    /// Starts it.
    pub spawn: Box<SpawnInPane>,
}

/// What the handlers share.
struct Shared {
    nodes: Nodes,
    relays: Arc<Semaphore>,
    listings: Arc<Semaphore>,
}

/// The routes of nodes.
pub fn routes(nodes: Nodes) -> Router {
    let (relays, listings) = (Semaphore::new(MAX_RELAYS), Semaphore::new(MAX_LISTINGS));
    let shared = Shared { nodes, relays: Arc::new(relays), listings: Arc::new(listings) };
    Router::new()
        .route("/ws", any(socket::upgrade))
        .route("/ws/agent/{id}", any(relay::upgrade))
        .with_state(Arc::new(shared))
}
