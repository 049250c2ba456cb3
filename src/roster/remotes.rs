//! The gateway's ends of the links to nodes' PTYs. Each lives across connections, so that what was typed or printed while
//! there was none is neither lost nor doubled.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::host::remote::RemoteHost;
use crate::host::remote::frame::Hello;
use crate::node::{NodeId, TokenId};

/// How many nodes that left the roster are remembered for their terminals' sake.
const MAX_GONE: usize = 1024;

struct Remote {
    /// The token that the node came with.
    owner: Option<TokenId>,
    host: Arc<RemoteHost>,
    /// It left the roster.
    gone: bool,
}

/// See the module.
pub(super) struct Remotes {
    hello: Hello,
    remotes: HashMap<NodeId, Remote>,
}

impl Remotes {
    pub(super) fn new(hello: Hello) -> Remotes {
        Remotes { hello, remotes: HashMap::new() }
    }

    /// The end for a node that came with the token `owner`. One that comes with another token is another node.
    pub(super) fn of(&mut self, node: &NodeId, owner: Option<TokenId>) -> Arc<RemoteHost> {
        if let Some(known) = self.remotes.get_mut(node) {
            if known.owner == owner {
                known.gone = false;
                return known.host.clone();
            }
            known.host.leave();
        }
        let host = RemoteHost::new(self.hello.clone());
        self.remotes.insert(node.clone(), Remote { owner, host: host.clone(), gone: false });
        host
    }

    /// The end for a node, if there is one.
    pub(super) fn get(&self, node: &str) -> Option<Arc<RemoteHost>> {
        Some(self.remotes.get(&NodeId::new(node).ok()?)?.host.clone())
    }

    /// Lets go of all terminals: their nodes keep them for the gateway's next run.
    pub(super) fn leave(&self) {
        self.remotes.values().for_each(|remote| remote.host.leave());
    }

    /// A node left the roster. If it has terminals it may come back for them.
    pub(super) fn left(&mut self, node: &NodeId, now: Instant) {
        let full = self.remotes.values().filter(|remote| remote.gone).count() >= MAX_GONE;
        let Some(remote) = self.remotes.get_mut(node) else { return };
        remote.gone = true;
        if full || remote.host.idle(now).is_none() {
            remote.host.leave();
            self.remotes.remove(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::remote::OUTPUT_WINDOW;
    use crate::host::remote::frame::{LINK_VERSION, WhenFull};

    #[test]
    fn a_node_keeps_its_end_unless_it_comes_with_another_token_or_has_nothing() {
        let hello = Hello {
            version: LINK_VERSION,
            gateway: "test".to_owned(),
            ring_bytes: 1 << 16,
            when_full: WhenFull::Wait,
            window_bytes: OUTPUT_WINDOW,
        };
        let mut remotes = Remotes::new(hello);
        let node = NodeId::new("a").unwrap();
        let ours = remotes.of(&node, None);
        assert!(Arc::ptr_eq(&ours, &remotes.of(&node, None)));
        let theirs = remotes.of(&node, Some(TokenId(1)));
        assert!(!Arc::ptr_eq(&ours, &theirs));
        remotes.left(&node, Instant::now());
        assert!(!Arc::ptr_eq(&theirs, &remotes.of(&node, Some(TokenId(1)))), "it had no terminals");
    }
}
