//! `/api/v1`: what scripts and the command line ask for. docs/api.md is the contract in prose, `src/protocol/api.rs` has
//! the shapes; every route stands in one table, from which both the router and the OpenAPI document are made.

mod events;
mod extract;
mod gateway;
mod looking;
mod openapi;
mod panes;
mod refused;
mod sessions;
mod table;
mod tabs;
mod tokens;
mod viewers;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::any;

use tokio::sync::Semaphore;

use self::events::MAX_READERS;
use self::refused::ApiError;
use self::table::Route;
use super::session_tokens::SessionTokens;
use crate::config::Token;
use crate::gateway::{Gateway, Refused};
use crate::roster::Roster;

/// Where it is served.
const ROOT: &str = "/api/v1";

/// The largest body of a request, in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

/// What the handlers share.
#[derive(Clone)]
struct Api(Arc<Shared>);

struct Shared {
    gateway: Gateway,
    roster: Roster,
    /// The OpenAPI document.
    document: String,
    /// None where nobody is asked for a token.
    tokens: Option<SessionTokens>,
    /// A permit for each reader of events.
    readers: Arc<Semaphore>,
}

/// The routes of the API. `token` is the gateway's own, from which those of sessions are made.
pub fn routes(gateway: Gateway, roster: Roster, token: Option<&Token>) -> Router {
    let table = table();
    let document = openapi::document(&table).to_string();
    let tokens = token.map(SessionTokens::new);
    let readers = Arc::new(Semaphore::new(MAX_READERS));
    let api = Api(Arc::new(Shared { gateway, roster, document, tokens, readers }));
    let mut router = Router::new();
    for Route { path, serve, .. } in table {
        router = router.route(&format!("{ROOT}{path}"), serve);
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .route("/api", any(nothing_there))
        .route("/api/{*rest}", any(nothing_there))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(api)
}

/// Every route.
fn table() -> Vec<Route> {
    let all = [
        gateway::routes(),
        sessions::routes(),
        tabs::routes(),
        panes::routes(),
        looking::routes(),
        viewers::routes(),
        events::routes(),
        tokens::routes(),
        looking::routes(),
    ];
    all.into_iter().flatten().collect()
}

async fn wrong_method() -> ApiError {
    Refused::new("wrong_method", "this takes other methods; `allow` says which").into()
}

async fn nothing_there() -> ApiError {
    Refused::new("not_found", "there is nothing here")
        .hint(format!("{ROOT}/openapi.json lists what there is"))
        .into()
}

#[cfg(test)]
mod tests;
