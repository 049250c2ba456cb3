//! The HTTP edge: what is served where, and who may come in. Nothing behind it sees a request that was not let
//! through by `guard`.

pub mod api;
mod assets;
mod backoff;
mod caller;
mod credentials;
mod guard;
mod headers;
mod health;
mod hosts;
mod liveness;
mod login;
pub mod mux;
pub mod nodes;
mod origins;
mod problem;
mod server;
mod session_tokens;
mod unread;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

pub use caller::Caller;
pub use guard::Guard;
pub use health::Health;
pub use liveness::Patience;
pub use problem::Problem;
pub use server::{Peer, serve};
pub use session_tokens::SessionTokens;

/// Everything the gateway answers: `routes` (what needs a gateway), the page, the login and the health check,
/// all of it behind `guard`.
pub fn router(guard: Guard, health: Health, routes: Router) -> Router {
    let guard = Arc::new(guard);
    Router::new()
        .route("/healthz", get(health::answer).with_state(health))
        .merge(login::routes(guard.clone()))
        .merge(routes)
        .fallback(assets::answer)
        .layer(from_fn_with_state(guard, guard::check))
        .layer(from_fn(headers::add))
}
