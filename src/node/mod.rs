//! The roster of nodes: who is there, over which connection, since when not, and why. Pure: events and the time come
//! in, [`Effect`]s go out; nothing here waits, dials or looks at a clock.
//!
//! A node counts as alive only while its *current* connection proves it. Each connection is an [`Epoch`], and one that
//! was closed, superseded or told to close is forgotten at once: what it says afterwards finds nobody.
//!
//! ```text
//!              register                          silence, close
//! (unknown) ─────────────▶ active (epoch) ────────────────────────▶ offline (why, until)
//!     ▲                      │    ▲   the same id, newer connection        │        │
//!     └── deregister, evict ─┘    └────────────────────────────────────────┘        │
//!     └──────────────────────────────────── the TTL has passed ─────────────────────┘
//! ```
//!
//! A record that goes after its TTL leaves the roster and nothing else, also one of a node that sleeps: what its panes
//! show, and whether a key wakes it, is decided where the panes are.

mod contest;
mod deadlines;
mod effect;
mod id;
mod record;
mod registration;
mod registry;
mod saved;
mod table;
mod vigil;

#[cfg(test)]
mod tests;

pub use effect::{Effect, Effects, Farewell, NoRoute, Refused};
pub use id::{Epoch, InvalidId, NodeId, TokenId};
pub use record::Load;
pub use registration::{InvalidField, Registration};
pub use registry::{Peer, Registry, Settings};
pub use saved::{SavedNode, SavedOffline};
