//! `GET /healthz`: whether the gateway serves, for whoever watches over it. Needs no token, so it tells no more.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

/// Says by a word why the gateway is degraded; `None` is well. Never more than a word: the whole reason may hold
/// paths, and is for viewers and the log.
pub type Health = Arc<dyn Fn() -> Option<&'static str> + Send + Sync>;

#[derive(Serialize)]
pub(super) struct Report {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

pub(super) async fn answer(State(health): State<Health>) -> Json<Report> {
    let reason = health();
    Json(Report { status: if reason.is_some() { "degraded" } else { "ok" }, reason })
}
