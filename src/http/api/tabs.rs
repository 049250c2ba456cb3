//! Tabs.

use axum::Json;

use super::extract::{At, Body, Whole};
use super::refused::ApiError;
use super::table::Method::{Delete, Get, Patch, Post};
use super::table::{Done, Route, route};
use crate::gateway::Part;
use crate::protocol::api::{MoveRequest, Rename, TabRecord};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Get, "/tabs/{tab}", "getTab", "A tab", read),
        route(Patch, "/tabs/{tab}", "renameTab", "Renames a tab", rename),
        route(Delete, "/tabs/{tab}", "closeTab", "Closes a tab with its panes", close),
        route(Post, "/tabs/{tab}/focus", "focusTab", "Brings a tab to the front", focus),
        route(Post, "/tabs/{tab}/move", "moveTab", "Moves a tab in its session or to another", move_to),
    ]
}

async fn read(At { desk, place }: At) -> Result<Json<TabRecord>, ApiError> {
    Ok(Json(desk.tab(place)?))
}

async fn rename(At { desk, place }: At, Body(change): Body<Rename>) -> Result<Json<TabRecord>, ApiError> {
    if let Some(name) = change.name {
        desk.rename_tab(place, name)?;
    }
    Ok(Json(desk.tab(place)?))
}

async fn close(whole: Whole) -> Result<Done, ApiError> {
    whole.desk.close_tab(whole.place(Part::Tab)?)?;
    Ok(Done)
}

async fn focus(At { desk, place }: At) -> Result<Done, ApiError> {
    desk.focus_tab(place)?;
    Ok(Done)
}

async fn move_to(At { desk, place }: At, Body(to): Body<MoveRequest>) -> Result<Done, ApiError> {
    desk.move_tab(place, &to)?;
    Ok(Done)
}
