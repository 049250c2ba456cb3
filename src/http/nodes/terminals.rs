//! The PTYs that come over one connection, as long as a node with PTYs is registered over it.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::host::remote::{FrameError, Inbound, Outbound, RemoteHost, Taken};
use crate::node::NodeId;
use crate::roster::Connection;

struct Link {
    node: NodeId,
    host: Arc<RemoteHost>,
    inbound: Inbound,
}

/// See the module.
pub(super) struct Terminals<'a> {
    connection: &'a Connection,
    link: Option<Link>,
    /// Takes the other direction.
    outbound: mpsc::Sender<Option<Outbound>>,
}

impl<'a> Terminals<'a> {
    pub(super) fn new(connection: &'a Connection, outbound: mpsc::Sender<Option<Outbound>>) -> Terminals<'a> {
        Terminals { connection, link: None, outbound }
    }

    /// Links up with the node that is registered over the connection now, and with no other one.
    pub(super) async fn follow(&mut self) {
        let hosting = self.connection.hosting();
        let node = |link: &Link| link.node.clone();
        if self.link.as_ref().map(node) == hosting.as_ref().map(|(node, _)| node.clone()) {
            return;
        }
        let linked = self.connection.link();
        let linked = linked.map(|(node, host, inbound, outbound)| (Link { node, host, inbound }, outbound));
        let (link, outbound) = linked.unzip();
        self.link = link;
        // Nobody takes it if the connection is ending.
        let _ = self.outbound.send(outbound).await;
    }

    /// Takes a frame from the node. Whether any was expected.
    ///
    /// # Errors
    /// When it makes no sense; the connection is to be closed.
    pub(super) fn take(&mut self, frame: Bytes) -> Result<bool, FrameError> {
        let Some(link) = &mut self.link else { return Ok(false) };
        match link.inbound.take(frame)? {
            Taken::Nothing => {}
            Taken::Ready(kept) => _ = self.connection.host_up(link.host.clone(), kept),
            Taken::Sleeping => self.connection.going_to_sleep(),
        }
        Ok(true)
    }
}
