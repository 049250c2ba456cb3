//! One open connection at `/ws`, as the roster sees it.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Roster;
use crate::clock::Moment;
use crate::host::remote::{Inbound, Outbound, RemoteHost};
use crate::host::{Host, Kept};
use crate::node::{Effect, Effects, Epoch, Farewell, Load, NodeId, Refused, Registration};
use crate::protocol::node::{NodeClose, Outcome};

/// Dropped, it tells the roster that the connection has ended: broken, unless [`Connection::said_goodbye`].
#[derive(Debug)]
pub struct Connection {
    roster: Roster,
    epoch: Epoch,
    closed: Option<oneshot::Receiver<NodeClose>>,
    farewell: Farewell,
}

impl Connection {
    pub(super) fn new(roster: Roster, epoch: Epoch, closed: oneshot::Receiver<NodeClose>) -> Connection {
        Connection { roster, epoch, closed: Some(closed), farewell: Farewell::Broken }
    }

    /// Tells, once, with which code to close. To be taken once.
    ///
    /// # Panics
    /// If it was taken before.
    pub fn closed(&mut self) -> oneshot::Receiver<NodeClose> {
        self.closed.take().expect("taken once")
    }

    /// It ends with a close frame from the other side.
    pub fn said_goodbye(&mut self) {
        self.farewell = Farewell::Said;
    }

    /// Something came over it.
    pub fn alive(&self) {
        self.roster.state().registry.alive(self.epoch, Moment::now());
    }

    /// Whoever is at the other end says that it is well, under which id, and how busy. Whether it is registered under
    /// that id.
    #[must_use]
    pub fn heartbeat(&self, id: Option<&str>, load: Option<Load>) -> bool {
        let mut state = self.roster.state();
        let effects = state.registry.heartbeat(self.epoch, id, load, Moment::now());
        !effects.iter().any(|effect| matches!(effect, Effect::RegisterAgain { .. }))
    }

    /// Registers a node over it.
    ///
    /// # Errors
    /// When the registry refuses it.
    pub fn register(&self, registration: Registration) -> Result<(), Refused> {
        self.roster.carry_out_and_answer(|state| {
            match state.register(self.epoch, registration, Moment::now()) {
                Ok(effects) => (effects, Ok(())),
                Err(refused) => (Effects::new(), Err(refused)),
            }
        })
    }

    /// The node that it speaks for, and the gateway's end of the link to its PTYs, if it has any.
    #[must_use]
    pub fn hosting(&self) -> Option<(NodeId, Arc<RemoteHost>)> {
        self.roster.state().hosting(self.epoch, Moment::now())
    }

    /// The two ends of a new link to the PTYs of the node that is registered over it. Made while nobody else can
    /// register: else a connection that was just superseded could supersede its successor's link.
    pub fn link(&self) -> Option<(NodeId, Arc<RemoteHost>, Inbound, Outbound)> {
        let mut state = self.roster.state();
        let (node, host) = state.hosting(self.epoch, Moment::now())?;
        let (inbound, outbound) = host.connect();
        Some((node, host, inbound, outbound))
    }

    /// The PTYs of its node can be had from `host`, which still has `kept`. Whether a node is registered over it.
    pub fn host_up(&self, host: Arc<dyn Host>, kept: Vec<Kept>) -> bool {
        self.roster.state().host_up(self.epoch, host, kept)
    }

    /// Its node sends what makes no sense: the connection is to be closed, and the node is not let in again for a while.
    pub fn keep_out(&self) {
        self.roster.state().keep_out(self.epoch, Moment::now());
    }

    /// Its node says that it will sleep.
    pub fn going_to_sleep(&self) {
        self.roster.state().registry.going_to_sleep(self.epoch, Moment::now());
    }

    /// Takes its node out of the roster.
    #[must_use]
    pub fn deregister(&self, id: &str) -> Outcome {
        self.roster.carry_out_and_answer(|state| {
            let (outcome, effects) = state.registry.deregister(self.epoch, id, Moment::now());
            (effects, outcome)
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.roster.carry_out(|state| {
            state.forget(self.epoch);
            match state.ended {
                // Written down as being there, it stays so.
                true => Effects::new(),
                false => state.registry.closed(self.epoch, self.farewell, Moment::now()),
            }
        });
    }
}
