//! The gateway itself, the document that describes the API, and nodes.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Api;
use super::table::Method::Get;
use super::table::{Describe, Description, Route, route};
use crate::gateway::Desk;
use crate::protocol::api::GatewayRecord;
use crate::protocol::node::NodeRecord;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Get, "", "getGateway", "The gateway", read),
        route(Get, "/openapi.json", "getDocument", "This document", document),
        route(Get, "/nodes", "listNodes", "The nodes that are there, or were a while ago", nodes),
    ]
}

async fn read(State(api): State<Api>, desk: Desk) -> Json<GatewayRecord> {
    Json(api.0.gateway.record(desk.scope()))
}

/// The OpenAPI document.
struct Document(String);

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

impl Describe for Document {
    fn describe(description: &mut Description<'_>) {
        description.answers(StatusCode::OK, Some(("application/json", json!({ "type": "object" }))));
    }
}

async fn document(State(api): State<Api>) -> Document {
    Document(api.0.document.clone())
}

async fn nodes(State(api): State<Api>, _: Desk) -> Json<Vec<NodeRecord>> {
    Json(api.0.roster.nodes())
}
