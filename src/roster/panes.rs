//! Where nodes' PTYs are shown.

use std::sync::Arc;

use crate::host::{Host, Kept};

/// Whoever shows the PTYs of nodes. Called in the order in which things happen, and with the roster locked: it must
/// return soon, and must not ask the roster.
pub trait Panes: Send + Sync {
    /// A node's PTYs can be had from `host`, and it still has `kept`.
    fn node_up(&self, node: &str, host: Arc<dyn Host>, kept: Vec<Kept>);

    /// They can't be had any more: because the node went to sleep, as it said, or for another reason.
    fn node_down(&self, node: &str, asleep: bool);

    /// A node with PTYs is known, but they can't be had yet. It may have gone to sleep before the gateway was restarted.
    fn node_expected(&self, node: &str, asleep: bool);

    /// A node with PTYs is not known any more.
    fn node_removed(&self, node: &str);

    /// How many PTYs of the gateway's own machine are live. The only one that is called without a lock.
    fn live_here(&self) -> u32;
}

/// Shows none.
#[derive(Debug, Clone, Copy)]
pub struct NoPanes;

impl Panes for NoPanes {
    fn node_up(&self, _node: &str, _host: Arc<dyn Host>, _kept: Vec<Kept>) {}
    fn node_down(&self, _node: &str, _asleep: bool) {}
    fn node_expected(&self, _node: &str, _asleep: bool) {}
    fn node_removed(&self, _node: &str) {}

    fn live_here(&self) -> u32 {
        0
    }
}
