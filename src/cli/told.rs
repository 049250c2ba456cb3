//! What programs in panes are told of the gateway, so that commands that are given there find their way back.

use std::net::SocketAddr;

use super::whereabouts::reachable;
use crate::config::PaneTokens;
use crate::gateway::{LOCAL_NODE, Told};
use crate::http::SessionTokens;

/// Programs get the ids of their pane and session, on the gateway's own machine its address, and those that are to have
/// one a token for their session, if there are such tokens.
pub(super) fn told(listen: SocketAddr, tokens: Option<SessionTokens>, theirs: PaneTokens) -> Told {
    let gateway = format!("http://{}", reachable(listen));
    Told::new(move |program| {
        let is_local = program.node == LOCAL_NODE;
        let mut variables = program.ids();
        if is_local {
            // From another machine it may go by another name: there the node tells how itself got here.
            variables.push(("EVERPANE_GATEWAY".to_owned(), gateway.clone()));
        }
        let gets_one = match theirs {
            PaneTokens::None => false,
            PaneTokens::Local => is_local,
            PaneTokens::Everywhere => true,
        };
        let token = tokens.as_ref().filter(|_| gets_one).map(|tokens| tokens.make(program.session));
        variables.extend(token.map(|token| ("EVERPANE_PANE_TOKEN".to_owned(), token)));
        variables
    })
}
