//! Looking at panes, and waiting for what happens in them.

use std::convert::Infallible;

use axum::Json;
use axum::body::Body as Content;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::extract::{At, Body, Params};
use super::refused::ApiError;
use super::table::Method::{Get, Post};
use super::table::{Describe, Description, Route, route};
use crate::gateway::Output;
use crate::protocol::api::{CaptureFormat, CaptureQuery, RunOutcome, RunRequest, WaitOutcome, WaitRequest};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Post, "/panes/{pane}/wait", "wait", "Waits for something of a pane", wait),
        route(Post, "/panes/{pane}/run", "run", "Runs a command at a pane's prompt", run),
        route(Get, "/panes/{pane}/capture", "capture", "A pane's screen, as text or as a picture", capture),
        route(Get, "/panes/{pane}/output", "output", "A pane's newest output, as it was printed", output),
    ]
}

async fn wait(
    At { desk, place }: At,
    Body(request): Body<WaitRequest>,
) -> Result<Json<WaitOutcome>, ApiError> {
    Ok(Json(desk.wait(place, request).await?))
}

async fn run(At { desk, place }: At, Body(request): Body<RunRequest>) -> Result<Json<RunOutcome>, ApiError> {
    Ok(Json(desk.run(place, request).await?))
}

async fn capture(At { desk, place }: At, Params(query): Params<CaptureQuery>) -> Result<Captured, ApiError> {
    let format = query.format;
    Ok(Captured { format, text: desk.capture(place, query).await? })
}

/// A screen in a format.
struct Captured {
    format: CaptureFormat,
    text: String,
}

impl IntoResponse for Captured {
    fn into_response(self) -> Response {
        let kind = match self.format {
            CaptureFormat::Plain | CaptureFormat::Ansi => "text/plain; charset=utf-8",
            CaptureFormat::Html => "text/html; charset=utf-8",
            CaptureFormat::Svg => "image/svg+xml",
        };
        ([(header::CONTENT_TYPE, kind)], self.text).into_response()
    }
}

impl Describe for Captured {
    fn describe(description: &mut Description<'_>) {
        description.answers(StatusCode::OK, Some(("text/plain", json!({ "type": "string" }))));
    }
}

/// Which output.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct OutputQuery {
    /// From this offset on; left out: all that is still there.
    from: Option<u64>,
}

async fn output(At { desk, place }: At, Params(query): Params<OutputQuery>) -> Result<Printed, ApiError> {
    Ok(Printed(desk.output(place, query.from)?))
}

/// Output as it was printed.
struct Printed(Output);

impl IntoResponse for Printed {
    fn into_response(self) -> Response {
        let Output { from, to, parts } = self.0;
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let mut response =
            Content::from_stream(stream::iter(parts.into_iter().map(Ok::<_, Infallible>))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers.insert("everpane-from", from.into());
        headers.insert("everpane-to", to.into());
        response
    }
}

impl Describe for Printed {
    fn describe(description: &mut Description<'_>) {
        description.answers(StatusCode::OK, Some(("application/octet-stream", json!({}))));
    }
}
