//! Sessions.

use axum::Json;

use super::extract::{At, Body, Whole};
use super::refused::ApiError;
use super::table::Method::{Delete, Get, Patch, Post};
use super::table::{Created, Done, Route, route};
use crate::gateway::{Desk, Part};
use crate::protocol::api::{API_VERSION, Made, NewSession, NewTab, Rename, SessionList, SessionRecord};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Get, "/sessions", "listSessions", "Everything there is", list),
        route(Post, "/sessions", "createSession", "Makes a session with a tab with a pane", create),
        route(Get, "/sessions/{session}", "getSession", "A session", read),
        route(Patch, "/sessions/{session}", "renameSession", "Renames a session", rename),
        route(
            Delete,
            "/sessions/{session}",
            "closeSession",
            "Closes a session with all that is in it",
            close,
        ),
        route(Post, "/sessions/{session}/tabs", "createTab", "Makes a tab with a pane", create_tab),
    ]
}

async fn list(desk: Desk) -> Json<SessionList> {
    Json(SessionList { api_version: API_VERSION, sessions: desk.sessions() })
}

async fn create(desk: Desk, Body(new): Body<NewSession>) -> Result<Created<Made>, ApiError> {
    Ok(Created(desk.create_session(new)?))
}

async fn read(At { desk, place }: At) -> Result<Json<SessionRecord>, ApiError> {
    Ok(Json(desk.session(place)?))
}

async fn rename(At { desk, place }: At, Body(change): Body<Rename>) -> Result<Json<SessionRecord>, ApiError> {
    if let Some(name) = change.name {
        desk.rename_session(place, name)?;
    }
    Ok(Json(desk.session(place)?))
}

async fn close(whole: Whole) -> Result<Done, ApiError> {
    whole.desk.close_session(whole.place(Part::Session)?)?;
    Ok(Done)
}

async fn create_tab(At { desk, place }: At, Body(new): Body<NewTab>) -> Result<Created<Made>, ApiError> {
    Ok(Created(desk.create_tab(place, new)?))
}
