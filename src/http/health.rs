//! `GET /healthz`: whether the gateway serves, for whoever watches over it. Needs no token, so it tells no more.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

/// Says why the gateway is degraded; `None` is well.
pub type Health = Arc<dyn Fn() -> Option<String> + Send + Sync>;

#[derive(Serialize)]
pub(super) struct Report {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(super) async fn answer(State(health): State<Health>) -> Json<Report> {
    let reason = health();
    Json(Report { status: if reason.is_some() { "degraded" } else { "ok" }, reason })
}
