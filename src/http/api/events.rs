//! What happens, as it happens: a line of JSON for each event.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::Api;
use super::refused::ApiError;
use super::table::Method::Get;
use super::table::{Describe, Description, Route, route};
use crate::gateway::{Desk, Events, Refused};
use crate::protocol::api::Event;

/// How many read events at a time.
pub(super) const MAX_READERS: usize = 64;

/// How many lines wait for a reader's connection.
const MAX_LINES: usize = 4;

/// A reader that takes nothing for so long is let go.
const STALLED_AFTER: Duration = Duration::from_secs(60);

pub(super) fn routes() -> Vec<Route> {
    vec![route(Get, "/events", "readEvents", "What happens, a JSON line each, for ever", read)]
}

/// Lines without an end.
struct Lines(mpsc::Receiver<Bytes>);

impl IntoResponse for Lines {
    fn into_response(self) -> Response {
        let lines =
            stream::unfold(self.0, async |mut lines| Some((Ok::<_, Infallible>(lines.recv().await?), lines)));
        ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
    }
}

impl Describe for Lines {
    fn describe(description: &mut Description<'_>) {
        let schema = description.schema::<Event>();
        description.answers(StatusCode::OK, Some(("application/x-ndjson", schema)));
    }
}

async fn read(State(api): State<Api>, desk: Desk) -> Result<Lines, ApiError> {
    let place = api.0.readers.clone().try_acquire_owned().map_err(|_| {
        Refused::new("too_many_readers", format!("{MAX_READERS} read events already"))
            .hint("end one, or ask now and then instead")
    })?;
    let (lines_tx, lines_rx) = mpsc::channel(MAX_LINES);
    tokio::spawn(write(desk.events(), lines_tx, place));
    Ok(Lines(lines_rx))
}

/// Writes until the reader is gone or takes nothing, or the gateway ends.
async fn write(mut events: Events, lines: mpsc::Sender<Bytes>, _place: OwnedSemaphorePermit) {
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = lines.closed() => None,
        };
        let Some(event) = event else { return };
        let mut line = serde_json::to_vec(&event)
            .expect("events are made of strings, numbers, lists and maps with string keys");
        line.push(b'\n');
        if lines.send_timeout(line.into(), STALLED_AFTER).await.is_err() {
            return;
        }
    }
}
