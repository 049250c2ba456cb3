//! PTYs of another machine: both ends of the link between a gateway and a node. [`RemoteHost`] is the gateway's end, a
//! [`Host`](super::Host) like any other; [`PtyService`] is the node's, in front of the host that has the PTYs.
//!
//! Neither end knows what carries its frames. Each connection has an end that takes frames in and one that hands frames
//! out; the latter has no queue that could grow, but makes its frames from what is owed at that moment.

mod applying;
pub mod frame;
mod gateway;
mod hosted;
mod link;
mod node;
mod remote_terminal;
mod ring;
mod service;
#[cfg(test)]
mod tests;
mod turns;
mod unapplied;

pub use self::frame::FrameError;
pub use self::gateway::{Inbound, Outbound, RemoteHost, Taken};
pub use self::node::{NodeInbound, NodeOutbound, PtyService};
pub use self::service::Defaults;

/// The most terminals of one node; no more are started.
pub const MAX_TERMINALS: usize = 1024;

/// How much input of one terminal may be on its way without its program having got it, in bytes; no more is taken.
const INPUT_WINDOW: usize = 64 << 10;

/// How much output of one terminal may be on its way without having been acknowledged, in bytes, if a gateway does not
/// say otherwise.
pub const OUTPUT_WINDOW: u32 = 256 << 10;

/// How much the checkpoints of one node's terminals may hold together, in bytes; what does not fit is not kept.
const MAX_CHECKPOINTS_BYTES: usize = 64 << 20;

/// The most questions that wait for a node's answer; no more are asked.
const MAX_QUESTIONS: usize = 16;

/// The least and the most output of a terminal that a node keeps, in bytes, whatever a gateway asks for.
const RING_BYTES: std::ops::RangeInclusive<usize> = 128 << 10..=64 << 20;

/// The size of a ring that is to hold `bytes`, as both ends count.
fn clamped_ring(bytes: usize) -> usize {
    bytes.clamp(*RING_BYTES.start(), *RING_BYTES.end())
}

/// How many of `ring_bytes` may wait to be acknowledged before a program has to wait. The rest is for output that a
/// gateway which is started anew reads again: what follows the newest checkpoint, which viewers that must get every byte
/// may hold up while all that is on its way to the gateway is acknowledged.
fn unacknowledged_share(ring_bytes: usize) -> u64 {
    ring_bytes as u64 / 4
}
