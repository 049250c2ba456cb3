//! Who is connected.

use axum::Json;

use super::extract::Whole;
use super::refused::ApiError;
use super::table::Method::{Delete, Get};
use super::table::{Done, Route, route};
use crate::gateway::Desk;
use crate::protocol::api::{API_VERSION, ViewerList};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Get, "/viewers", "listViewers", "Who is connected", list),
        route(Delete, "/viewers/{viewer}", "closeViewer", "Closes a viewer's connection", close),
    ]
}

async fn list(desk: Desk) -> Result<Json<ViewerList>, ApiError> {
    Ok(Json(ViewerList { api_version: API_VERSION, viewers: desk.viewers()? }))
}

async fn close(whole: Whole) -> Result<Done, ApiError> {
    whole.desk.dismiss(&whole.target)?;
    Ok(Done)
}
