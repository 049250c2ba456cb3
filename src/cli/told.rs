//! What programs in panes are told of the gateway, so that commands that are given there find their way back.

use std::net::SocketAddr;

use super::whereabouts::reachable;
use crate::gateway::{LOCAL_NODE, Told};
use crate::http::SessionTokens;

/// Programs get the ids of their pane and session and, on the gateway's own machine, its address and a token for their
/// session, if there are such tokens.
pub(super) fn told(listen: SocketAddr, tokens: Option<SessionTokens>) -> Told {
    let gateway = format!("http://{}", reachable(listen));
    Told::new(move |program| {
        let mut variables = program.ids();
        // From another machine the gateway may be known by another name, and secrets stay on this one.
        if program.node == LOCAL_NODE {
            variables.push(("EVERPANE_GATEWAY".to_owned(), gateway.clone()));
            let token = tokens.as_ref().map(|tokens| tokens.make(program.session));
            variables.extend(token.map(|token| ("EVERPANE_PANE_TOKEN".to_owned(), token)));
        }
        variables
    })
}
