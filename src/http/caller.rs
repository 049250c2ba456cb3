//! Who a request that was let in comes from.

use crate::ids::SessionId;
use crate::node::TokenId;

/// Found in a request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Who holds the gateway's own token, or anybody where none is asked for: may do everything.
    Owner,
    /// Who holds a token of one session: may do what is about that one, over the API.
    Session(SessionId),
    /// A machine that joins as a node: may do that.
    Node(TokenId),
}

impl Caller {
    /// The node token that it came with.
    #[must_use]
    pub fn node_token(self) -> Option<TokenId> {
        match self {
            Caller::Owner | Caller::Session(_) => None,
            Caller::Node(token) => Some(token),
        }
    }
}
