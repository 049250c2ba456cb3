//! Where a node's PTYs are, for whoever wants to ask something there.

use std::sync::Arc;

use super::state::State;
use crate::clock::Moment;
use crate::host::remote::RemoteHost;
use crate::protocol::node::{NodeKind, NodeStatus};

/// See the module.
#[derive(Debug, Clone)]
pub enum Ptys {
    /// On the gateway's own machine.
    Here,
    /// On another one, which can be asked over this.
    There(Arc<RemoteHost>),
}

/// Why there is nobody to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPtys {
    /// Nobody goes by that id.
    #[error("there is no such node")]
    Unknown,
    /// The node is away.
    #[error("the node is offline")]
    Offline,
    /// It is an agent.
    #[error("the node has no PTYs, and shows no folders")]
    None,
}

impl State {
    pub(super) fn ptys(&self, id: &str, now: Moment) -> Result<Ptys, NoPtys> {
        let record = self.registry.record(id, now).ok_or(NoPtys::Unknown)?;
        match record.kind {
            Some(NodeKind::Local) => Ok(Ptys::Here),
            Some(NodeKind::PtyHost) if record.status == NodeStatus::Offline => Err(NoPtys::Offline),
            // One that has only just registered has no link yet.
            Some(NodeKind::PtyHost) => self.remotes.get(id).map(Ptys::There).ok_or(NoPtys::Offline),
            Some(NodeKind::Agent) | None => Err(NoPtys::None),
        }
    }
}
