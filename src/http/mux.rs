//! The viewers' socket (this file gives way to the real one).

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::routing::any;

use crate::gateway::Gateway;

/// What needs a gateway.
pub fn routes(_gateway: Gateway) -> Router {
    Router::new().route("/mux", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(|_| async {}) }))
}
