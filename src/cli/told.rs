//! What programs in panes are told of the gateway, so that commands that are given there find their way back.

use std::net::SocketAddr;

use super::whereabouts::reachable;
use crate::gateway::{LOCAL_NODE, Told};

/// Programs get the ids of their pane and session and, on the gateway's own machine, its address.
pub(super) fn told(listen: SocketAddr) -> Told {
    let gateway = ("EVERPANE_GATEWAY".to_owned(), format!("http://{}", reachable(listen)));
    Told::new(move |program| {
        let mut variables = program.ids();
        // From another machine it may be known by another name, and what is told there is up to that machine.
        if program.node == LOCAL_NODE {
            variables.push(gateway.clone());
        }
        variables
    })
}
