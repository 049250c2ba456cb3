//! What the registry asks its caller to do, and what it answers.

use std::time::Duration;

use super::contest::WINDOW;
use super::id::{Epoch, NodeId};
use crate::protocol::node::{NodeClose, NodeRecord, OfflineCause};

/// What there is to do, in order.
pub type Effects = Vec<Effect>;

/// One thing to do. The first three go to everyone who watches; played back in order they give the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A record is new, or was replaced.
    Joined {
        /// As it is shown.
        record: Box<NodeRecord>,
    },
    /// A node is gone, and expected back.
    Offline {
        /// Which.
        id: NodeId,
        /// Why.
        why: OfflineCause,
    },
    /// A record is no more.
    Removed {
        /// Whose.
        id: NodeId,
    },
    /// A connection is to be closed; it is forgotten already.
    Close {
        /// Which.
        epoch: Epoch,
        /// With which code and words.
        why: NodeClose,
    },
    /// Whoever is at the other end believes to be registered, and isn't.
    RegisterAgain {
        /// Which connection to tell.
        epoch: Epoch,
    },
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// With a close frame.
    Said,
    /// Without one.
    Broken,
}

/// When a registration that there was no room for may be tried again.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Why a node is not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its connection was told to close.
    #[error("this connection was closed; register over a new one")]
    Closed,
    /// What it would take is the gateway's own.
    #[error("node `{id}` is the gateway's own; choose another id")]
    Reserved {
        /// The local node.
        id: NodeId,
    },
    /// The id, the port or the process is that of a node that came with another token.
    #[error(
        "`{field}` belongs to a node that joined with another token; use that token, revoke it, or choose another `{field}`"
    )]
    OtherToken {
        /// The field of the registration.
        field: &'static str,
    },
    /// Two processes take the id from each other.
    #[error(
        "two running processes use the id `{id}`; give one of them another id, or stop one and wait {} seconds",
        .wait.as_secs()
    )]
    Conflict {
        /// The id.
        id: NodeId,
        /// How long nobody may try before the next one is admitted.
        wait: Duration,
    },
    /// What it sent before made no sense.
    #[error("node `{id}` sent what makes no sense, and is kept out for {} seconds more", .left.as_secs() + 1)]
    KeptOut {
        /// The id.
        id: NodeId,
        /// For how long yet.
        left: Duration,
    },
    /// There are as many records as there may be.
    #[error("the gateway has {max_nodes} nodes, and takes no more")]
    Full {
        /// How many there may be.
        max_nodes: usize,
    },
}

impl Refused {
    /// After what time it may be worth another try; none: the same registration is never taken.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Refused::Reserved { .. } | Refused::OtherToken { .. } => None,
            Refused::Conflict { wait, .. } => Some(*wait),
            Refused::KeptOut { left, .. } => Some(*left),
            Refused::Closed | Refused::Full { .. } => Some(RETRY_AFTER),
        }
    }

    pub(super) fn conflict(id: &NodeId) -> Refused {
        Refused::Conflict { id: id.clone(), wait: WINDOW }
    }
}

/// Why there is nowhere to relay to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// Nobody goes by that id.
    #[error("there is no such node")]
    Unknown,
    /// The node is away.
    #[error("the node is offline")]
    Offline,
    /// The node registered no port.
    #[error("the node has no port")]
    NoPort,
}
