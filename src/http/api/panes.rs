//! Panes, but for looking at them and waiting for what happens in them.

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{At, Body, Params};
use super::refused::ApiError;
use super::table::Method::{Delete, Get, Patch, Post};
use super::table::{Created, Done, Route, route};
use crate::protocol::api::{
    InputRequest, InputTaken, KillRequest, Made, MoveRequest, PaneChange, PaneRecord, ResizeRequest,
    SplitRequest, ZoomRequest,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Get, "/panes/{pane}", "getPane", "A pane", read),
        route(Patch, "/panes/{pane}", "changePane", "Changes a pane's name and settings", change),
        route(Delete, "/panes/{pane}", "closePane", "Closes a pane", close),
        route(Post, "/panes/{pane}/split", "splitPane", "Opens a pane beside another", split),
        route(Post, "/panes/{pane}/focus", "focusPane", "Focuses a pane", focus),
        route(Post, "/panes/{pane}/move", "movePane", "Moves a pane, or lets two change places", move_to),
        route(Post, "/panes/{pane}/resize", "resizePane", "Moves a pane's edge", resize),
        route(Post, "/panes/{pane}/zoom", "zoomPane", "Lets a pane fill its tab, or ends that", zoom),
        route(
            Post,
            "/panes/{pane}/respawn",
            "respawnPane",
            "Starts a terminal in a pane without one",
            respawn,
        ),
        route(Post, "/panes/{pane}/kill", "killPane", "Ends a pane's program; the pane stays", kill),
        route(Post, "/panes/{pane}/input", "sendInput", "Types, all of it or nothing", input),
    ]
}

async fn read(At { desk, place }: At) -> Result<Json<PaneRecord>, ApiError> {
    Ok(Json(desk.pane(place)?))
}

async fn change(
    At { desk, place }: At,
    Body(change): Body<PaneChange>,
) -> Result<Json<PaneRecord>, ApiError> {
    desk.change_pane(place, change)?;
    Ok(Json(desk.pane(place)?))
}

/// How a pane is closed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct CloseQuery {
    /// Refuse while a program other than the shell runs in it.
    if_idle: bool,
}

async fn close(At { desk, place }: At, Params(query): Params<CloseQuery>) -> Result<Done, ApiError> {
    desk.close_pane(place, query.if_idle)?;
    Ok(Done)
}

async fn split(At { desk, place }: At, Body(split): Body<SplitRequest>) -> Result<Created<Made>, ApiError> {
    Ok(Created(desk.split(place, split)?))
}

async fn focus(At { desk, place }: At) -> Result<Done, ApiError> {
    desk.focus_pane(place)?;
    Ok(Done)
}

async fn move_to(At { desk, place }: At, Body(to): Body<MoveRequest>) -> Result<Done, ApiError> {
    desk.move_pane(place, &to)?;
    Ok(Done)
}

async fn resize(At { desk, place }: At, Body(resize): Body<ResizeRequest>) -> Result<Done, ApiError> {
    desk.resize_pane(place, &resize)?;
    Ok(Done)
}

async fn zoom(At { desk, place }: At, Body(zoom): Body<ZoomRequest>) -> Result<Done, ApiError> {
    desk.zoom_pane(place, zoom.zoomed)?;
    Ok(Done)
}

async fn respawn(At { desk, place }: At) -> Result<Done, ApiError> {
    desk.respawn(place)?;
    Ok(Done)
}

async fn kill(At { desk, place }: At, Body(_): Body<KillRequest>) -> Result<Done, ApiError> {
    desk.kill(place)?;
    Ok(Done)
}

async fn input(
    At { desk, place }: At,
    Body(input): Body<InputRequest>,
) -> Result<Json<InputTaken>, ApiError> {
    Ok(Json(desk.input(place, input)?))
}
