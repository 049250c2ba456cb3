//! What happens, as it happens: a line of JSON for each event, and an empty one now and then where nothing does. Without
//! that nobody would find out that the other one is gone.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

use super::Api;
use super::refused::ApiError;
use super::table::Method::Get;
use super::table::{Describe, Description, Route, route};
use crate::gateway::{Desk, Events, Refused};
use crate::protocol::api::{ALIVE_EVERY_SECS, Event};

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
        let line = tokio::select! {
            line = next_line(events.next()) => line,
            () = lines.closed() => None,
        };
        let Some(line) = line else { return };
        if lines.send_timeout(line, STALLED_AFTER).await.is_err() {
            return;
        }
    }
}

/// The line of the next event; an empty one where none comes for long, none at all where none will.
async fn next_line(next: impl Future<Output = Option<Event>>) -> Option<Bytes> {
    let Ok(event) = timeout(Duration::from_secs(ALIVE_EVERY_SECS), next).await else {
        return Some(Bytes::from_static(b"\n"));
    };
    let mut line = serde_json::to_vec(&event?)
        .expect("events are made of strings, numbers, lists and maps with string keys");
    line.push(b'\n');
    Some(line.into())
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::protocol::api::API_VERSION;

    fn event() -> Event {
        Event::Snapshot { api_version: API_VERSION, at: 7, sessions: Vec::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_happens_an_empty_line_says_that_we_are_there() {
        let (start, alive_every) = (Instant::now(), Duration::from_secs(ALIVE_EVERY_SECS));
        for count in 1..=3 {
            assert_eq!(next_line(pending()).await.as_deref(), Some(&b"\n"[..]));
            assert_eq!(start.elapsed(), alive_every * count);
        }
        let late = async {
            sleep(alive_every - Duration::from_millis(1)).await;
            Some(event())
        };
        let line = next_line(late).await.expect("a line");
        assert_eq!(serde_json::from_slice::<Event>(&line).expect("an event"), event());
        assert_eq!(line.last(), Some(&b'\n'));
        assert_eq!(next_line(ready(None)).await, None, "the gateway ends");
    }
}
