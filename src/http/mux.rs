//! The viewer socket, `/mux`: moves frames between one WebSocket and the gateway, in either framing.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{sleep, sleep_until, timeout};

use super::liveness::{Due, Liveness, Patience};
use super::server::PeerProcess;
use crate::gateway::{Attached, Framing, Gateway, Pulled, Update, Viewer, for_framing};
use crate::protocol::client::{self, MessageError};
use crate::protocol::frame::{
    CompactFrame, FrameError, ViewerFrame, compact_control, parse_compact, parse_native,
};
use crate::protocol::server::{ErrorMessage, ServerMessage};
use crate::protocol::{ABUSE_ERRORS, ABUSE_WINDOW_SECS, CloseCode, MAX_MESSAGE_BYTES, NATIVE_SUBPROTOCOL};

/// Longer messages than this are not even taken in to be refused: the connection ends.
const MAX_RECEIVED_BYTES: usize = 4 * MAX_MESSAGE_BYTES;

/// How long a goodbye may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How long an acknowledgement of keys waits for their echo: one message to the viewer wakes it once.
const ECHO_WITHIN: Duration = Duration::from_millis(1);

/// How late a viewer is told of output that is on its terminal already. Later than a program counts as quiet, since an
/// earlier timer than all others costs a system call.
const TOLD_WITHIN: Duration = Duration::from_millis(20);

/// What waits to be written before the socket is tried, in bytes: many small frames make one write.
const WRITE_BUFFER: usize = 64 << 10;

/// The largest message to a viewer, in bytes: ample for the layout of as many panes as there may be. While a viewer
/// takes nothing, one message waits at most, since the next is made only when that is gone.
const MAX_WRITE_BUFFER: usize = 256 << 20;

/// The route of the viewer socket.
pub fn routes(gateway: Gateway, patience: Patience) -> Router {
    Router::new().route("/mux", any(upgrade)).with_state((gateway, patience))
}

async fn upgrade(
    State((gateway, patience)): State<(Gateway, Patience)>,
    process: Option<Extension<PeerProcess>>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Response {
    let process = process.map(|Extension(process)| process);
    let Some(framing) = framing_asked_for(&headers) else {
        let hint =
            format!("unknown subprotocol; ask for {NATIVE_SUBPROTOCOL}, or for none (compact framing)\n");
        return (StatusCode::BAD_REQUEST, hint).into_response();
    };
    socket
        .protocols([NATIVE_SUBPROTOCOL])
        .max_message_size(MAX_RECEIVED_BYTES)
        .max_frame_size(MAX_RECEIVED_BYTES)
        .read_buffer_size(8 << 10)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .on_upgrade(move |socket| serve_viewer(gateway, patience, framing, process, socket))
}

fn framing_asked_for(headers: &HeaderMap) -> Option<Framing> {
    let mut asked = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().peekable();
    if asked.peek().is_none() {
        return Some(Framing::Compact);
    }
    let native = asked
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim() == NATIVE_SUBPROTOCOL);
    native.then_some(Framing::Native)
}

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// The viewer left, or its connection broke.
    Gone,
    /// The gateway ends it.
    Closed { code: CloseCode, reason: &'static str },
    /// It sent more than is taken in.
    TooLarge,
}

impl End {
    fn close_frame(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            End::Gone => return None,
            End::Closed { code, reason } => (*code as u16, *reason),
            End::TooLarge => (1009, "message larger than 4 MiB"),
        };
        Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })
    }
}

async fn serve_viewer(
    gateway: Gateway,
    patience: Patience,
    framing: Framing,
    process: Option<PeerProcess>,
    socket: WebSocket,
) {
    let (mut sink, stream) = socket.split();
    let end = match gateway.attach(framing) {
        Ok((attached, messages, updates)) => {
            if let Some(PeerProcess(process)) = process {
                attached.viewer.is_process(process);
            }
            let heard = AtomicBool::new(false);
            let mut writer = Writer {
                attached: &attached,
                sink: &mut sink,
                messages,
                updates,
                heard: &heard,
                liveness: Liveness::new(patience, Instant::now()),
                revision: 0,
                flush: Flush::Now,
            };
            let reader = Reader { attached: &attached, heard: &heard, framing, errors: Errors::new() };
            let end = tokio::select! {
                // The writer looks after what the reader took in. To be woken for that would have another thread of the
                // runtime woken along, at every key.
                biased;
                end = reader.run(stream) => end,
                end = writer.run() => end,
                () = gateway.shutting_down() => {
                    End::Closed { code: CloseCode::GoingAway, reason: "the gateway is shutting down" }
                }
                () = attached.viewer.superseded() => {
                    End::Closed { code: CloseCode::Superseded, reason: "the client came back over another connection" }
                }
                () = attached.viewer.dismissed() => {
                    End::Closed { code: CloseCode::Dismissed, reason: "somebody closed this connection" }
                }
                () = attached.viewer.overflowed() => {
                    End::Closed { code: CloseCode::Stalled, reason: "answers piled up unread" }
                }
            };
            tracing::debug!(viewer = %attached.viewer.id, "connection ends: {end:?}");
            // Keys that were read for the client and not given to it yet.
            let _ = timeout(CLOSE_WITHIN, writer.tell_of_terminal()).await;
            end
        }
        Err(error) => {
            tracing::warn!("viewer turned away: {error}");
            End::Closed { code: CloseCode::TryAgainLater, reason: "too many viewers" }
        }
    };
    if let Some(frame) = end.close_frame() {
        let _ = timeout(CLOSE_WITHIN, sink.send(Message::Close(Some(frame)))).await;
    }
}

// To the viewer.

type Sink = SplitSink<WebSocket, Message>;

struct Writer<'a> {
    attached: &'a Attached,
    sink: &'a mut Sink,
    messages: mpsc::Receiver<Box<ServerMessage>>,
    updates: broadcast::Receiver<Arc<Update>>,
    /// Whether the viewer said anything since that was looked at.
    heard: &'a AtomicBool,
    liveness: Liveness,
    /// The newest layout revision that the viewer was sent.
    revision: u64,
    flush: Flush,
}

/// When what waits in the sink goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flush {
    /// Nothing waits.
    Done,
    /// All that waits is on the viewer's terminal already: whoever typed goes first.
    Late(Instant),
    /// As soon as there is nothing more to write.
    Now,
}

impl Flush {
    /// Resolves when it is to be done although nothing else is to be written.
    async fn is_due(self) {
        match self {
            Flush::Late(at) => sleep_until(at.into()).await,
            Flush::Done | Flush::Now => pending().await,
        }
    }
}

impl Writer<'_> {
    async fn run(&mut self) -> End {
        match self.write_all().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn write_all(&mut self) -> Result<std::convert::Infallible, End> {
        let viewer = self.attached.viewer.clone();
        loop {
            // Asked for before the messages: a refusal goes out before what acknowledges the frame.
            let applied = viewer.acknowledgement();
            self.write_messages().await?;
            if let Some(applied) = applied {
                self.message(&ServerMessage::InputAck { applied }).await?;
            }
            viewer.drained();
            self.tell_of_terminal().await?;
            match viewer.pull() {
                Some(Pulled::Output(frame)) => self.output(frame).await?,
                Some(Pulled::Message(message)) => self.message(&message).await?,
                Some(Pulled::Snapshot(wanted)) => self.attached.restart(wanted).await,
                None => self.wait(&viewer).await?,
            }
        }
    }

    /// Output of a pane. The viewer knows whether it is on its terminal already by what it was told of that before.
    async fn output(&mut self, frame: Bytes) -> Result<(), End> {
        let (drawn, left) = self.attached.viewer.draw(frame);
        if let Some(drawn) = drawn {
            let flush = match self.flush {
                Flush::Done => Flush::Late(Instant::now() + TOLD_WITHIN),
                before => before,
            };
            self.feed(Message::Binary(drawn)).await?;
            self.flush = flush;
        }
        if let Some(left) = left {
            self.tell_of_terminal().await?;
            self.feed(Message::Binary(left)).await?;
        }
        Ok(())
    }

    async fn tell_of_terminal(&mut self) -> Result<(), End> {
        match self.attached.viewer.word_of_terminal() {
            Some(word) => self.message(&word).await,
            None => Ok(()),
        }
    }

    /// Everything is written; waits for one more thing to write.
    async fn wait(&mut self, viewer: &Viewer) -> Result<(), End> {
        if self.flush == Flush::Now {
            in_time(self.liveness.stalled_after(), self.sink.flush()).await?;
            self.flush = Flush::Done;
        }
        tokio::select! {
            () = viewer.woken() => {}
            message = self.messages.recv() => {
                let message = message.ok_or(End::Gone)?;
                self.message(&message).await?;
            }
            update = self.updates.recv() => match update {
                Ok(update) => self.update(&update).await?,
                Err(broadcast::error::RecvError::Lagged(_)) => self.catch_up().await?,
                Err(broadcast::error::RecvError::Closed) => return Err(End::Gone),
            },
            () = is_overdue(viewer) => {}
            () = self.flush.is_due() => self.flush = Flush::Now,
            () = sleep_until(self.liveness.next().into()) => self.see_to(viewer).await?,
        }
        Ok(())
    }

    /// Does what is due about the viewer itself.
    async fn see_to(&mut self, viewer: &Viewer) -> Result<(), End> {
        match self.liveness.due(self.heard.swap(false, Ordering::Relaxed), Instant::now()) {
            Due::GiveUp => return Err(End::Gone),
            Due::Look if viewer.is_stuck(self.liveness.stalled_after()) => {
                return Err(End::Closed { code: CloseCode::Stalled, reason: "took nothing in for too long" });
            }
            Due::Ping => {
                // Made before the messages: who answers it has what it speaks of.
                let ping = Ping { revision: self.attached.revision(), told: self.attached.told() };
                self.write_messages().await?;
                self.feed(Message::Ping(ping.payload())).await?;
            }
            Due::Look | Due::Nothing => {}
        }
        Ok(())
    }

    /// What waits for the viewer besides output; it goes first.
    async fn write_messages(&mut self) -> Result<(), End> {
        while let Ok(message) = self.messages.try_recv() {
            self.message(&message).await?;
        }
        loop {
            match self.updates.try_recv() {
                Ok(update) => self.update(&update).await?,
                Err(TryRecvError::Lagged(_)) => self.catch_up().await?,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(()),
            }
        }
    }

    async fn update(&mut self, update: &Update) -> Result<(), End> {
        if let Some(revision) = update.revision() {
            // A `state` of its own may have overtaken it, and an older layout never follows a newer one.
            if revision <= self.revision {
                self.attached.follow_layout();
                return Ok(());
            }
            self.revision = revision;
        }
        let message = match self.attached.viewer.framing {
            Framing::Native => Some(Message::Text(update.native())),
            Framing::Compact => update.compact().map(Message::Binary),
        };
        if let Some(message) = message {
            self.feed(message).await?;
        }
        if update.revision().is_some() {
            self.attached.follow_layout();
        }
        Ok(())
    }

    /// What the viewer missed when it fell behind the updates.
    async fn catch_up(&mut self) -> Result<(), End> {
        self.whole_state().await?;
        for notice in self.attached.notices() {
            self.message(&notice).await?;
        }
        Ok(())
    }

    async fn whole_state(&mut self) -> Result<(), End> {
        let state = self.attached.state();
        // Boxed, as the two call each other; once, as this state is newer than all that was sent.
        Box::pin(self.message(&state)).await?;
        self.attached.follow_layout();
        Ok(())
    }

    async fn message(&mut self, message: &ServerMessage) -> Result<(), End> {
        let framing = self.attached.viewer.framing;
        if let Some(revision) = message.revision() {
            if revision < self.revision {
                // An update overtook it in turn.
                return self.whole_state().await;
            }
            self.revision = revision;
        }
        let Some(json) = for_framing(message, framing) else { return Ok(()) };
        let message = match framing {
            Framing::Native => Message::Text(json.into()),
            Framing::Compact => Message::Binary(compact_control(&json)),
        };
        self.feed(message).await
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        self.flush = Flush::Now;
        in_time(self.liveness.stalled_after(), self.sink.feed(message)).await
    }
}

/// Resolves when the viewer is to be told that its keys were dealt with although they print nothing. To be polled after
/// each of its messages.
async fn is_overdue(viewer: &Viewer) {
    poll_fn(|_| if viewer.owes_acknowledgement() { Poll::Ready(()) } else { Poll::Pending }).await;
    sleep(ECHO_WITHIN).await;
}

/// A step of writing, which a viewer that takes nothing does not hold up for ever.
async fn in_time(
    stalled_after: Duration,
    step: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), End> {
    match timeout(stalled_after, step).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Closed { code: CloseCode::Stalled, reason: "took nothing for too long" }),
    }
}

/// What a ping carries, and the pong brings back: how far the viewer was told of things when it was sent.
#[derive(Debug, Clone, Copy)]
struct Ping {
    /// The newest layout.
    revision: u64,
    /// The newest input that was given back; see [`Attached::told`].
    told: u64,
}

impl Ping {
    fn payload(self) -> Bytes {
        Bytes::from([self.revision.to_be_bytes(), self.told.to_be_bytes()].concat())
    }

    fn parse(payload: &[u8]) -> Option<Ping> {
        let (revision, told) = payload.split_first_chunk()?;
        Some(Ping {
            revision: u64::from_be_bytes(*revision),
            told: u64::from_be_bytes(told.try_into().ok()?),
        })
    }
}

// From the viewer.

struct Reader<'a> {
    attached: &'a Attached,
    heard: &'a AtomicBool,
    framing: Framing,
    errors: Errors,
}

impl Reader<'_> {
    async fn run(mut self, stream: SplitStream<WebSocket>) -> End {
        let mut stream = pin!(stream);
        let mut pinged: Option<Ping> = None;
        loop {
            let message = tokio::select! {
                // Whoever hung up has its terminal again.
                biased;
                message = stream.next() => message,
                loan = self.attached.viewer.typed() => {
                    self.attached.pass_on_typed(&loan);
                    continue;
                }
            };
            let message = match message {
                Some(Ok(message)) => message,
                Some(Err(error)) if is_too_large(&error) => return End::TooLarge,
                Some(Err(_)) | None => return End::Gone,
            };
            self.heard.store(true, Ordering::Relaxed);
            let taken = match message {
                Message::Text(text) => self.text(text.as_bytes()),
                Message::Binary(frame) => self.binary(frame),
                Message::Pong(payload) => {
                    self.pong(&payload, &mut pinged);
                    Ok(())
                }
                Message::Ping(_) => Ok(()),
                Message::Close(_) => return End::Gone,
            };
            if let Err(error) = taken {
                self.attached.viewer.refuse(*error);
                if self.errors.one_more(Instant::now()) {
                    return End::Closed {
                        code: CloseCode::PolicyViolation,
                        reason: "too many malformed messages",
                    };
                }
            }
            self.attached.viewer.room().await;
        }
    }

    fn text(&self, text: &[u8]) -> Result<(), Box<ErrorMessage>> {
        check_length(text.len())?;
        match self.framing {
            Framing::Native => self.control(text),
            Framing::Compact => {
                let hint = "the compact framing is all binary: JSON goes into a binary frame on channel 255";
                Err(frame_error("unexpected_text", hint.to_owned(), "frame"))
            }
        }
    }

    fn binary(&self, frame: Bytes) -> Result<(), Box<ErrorMessage>> {
        check_length(frame.len())?;
        let malformed = |error: FrameError| frame_error("malformed_frame", error.to_string(), error.field());
        match self.framing {
            Framing::Native => match parse_native(frame).map_err(malformed)? {
                ViewerFrame::Input(input) => self.attached.input(&input),
                ViewerFrame::Consumed { channel, offset } => self.attached.consumed(channel, offset),
            },
            Framing::Compact => match parse_compact(frame).map_err(malformed)? {
                CompactFrame::Control(json) => self.control(&json)?,
                CompactFrame::Input(input) => self.attached.input(&input),
            },
        }
        Ok(())
    }

    fn control(&self, json: &[u8]) -> Result<(), Box<ErrorMessage>> {
        let request = client::parse(json).map_err(|MessageError { code, message, field, request_id }| {
            let code = code.to_owned();
            Box::new(ErrorMessage { code, message, field, request_id, ..ErrorMessage::default() })
        })?;
        self.attached.request(request);
        Ok(())
    }

    /// A compact viewer can't say which layouts it has seen. Its network layer answers pings by itself, maybe
    /// ahead of a program that is behind; so what counts is the ping before, some time ago.
    fn pong(&self, payload: &[u8], pinged: &mut Option<Ping>) {
        let Some(ping) = Ping::parse(payload) else { return };
        self.attached.heard(ping.told);
        if let (Framing::Compact, Some(earlier)) = (self.framing, pinged.replace(ping)) {
            self.attached.seen(earlier.revision);
        }
    }
}

fn check_length(length: usize) -> Result<(), Box<ErrorMessage>> {
    if length <= MAX_MESSAGE_BYTES {
        return Ok(());
    }
    let message = format!("message of {length} bytes; at most {MAX_MESSAGE_BYTES} are taken");
    Err(frame_error("message_too_large", message, "frame"))
}

fn frame_error(code: &str, message: String, field: &str) -> Box<ErrorMessage> {
    let (code, field) = (code.to_owned(), Some(field.to_owned()));
    Box::new(ErrorMessage { code, message, field, ..ErrorMessage::default() })
}

/// Whether a message was larger than the connection takes.
pub(super) fn is_too_large(error: &axum::Error) -> bool {
    use tokio_tungstenite::tungstenite;
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}

/// Counts a connection's malformed messages.
pub(super) struct Errors {
    since: Instant,
    count: u32,
}

impl Errors {
    pub(super) fn new() -> Errors {
        Errors { since: Instant::now(), count: 0 }
    }

    /// Whether this one is too many.
    pub(super) fn one_more(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= Duration::from_secs(ABUSE_WINDOW_SECS) {
            (self.since, self.count) = (now, 0);
        }
        self.count += 1;
        self.count >= ABUSE_ERRORS
    }
}
