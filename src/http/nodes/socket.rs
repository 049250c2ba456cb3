//! One connection at `/ws`: moves messages between a WebSocket and the roster.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::Extensions;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use super::Shared;
use super::requests::Requests;
use super::terminals::Terminals;
use crate::host::remote::Outbound;
use crate::host::remote::frame::MAX_FRAME_BYTES;
use crate::http::caller::Caller;
use crate::http::guard::peer;
use crate::http::mux::{Errors, is_too_large};
use crate::node::Peer;
use crate::protocol::CloseCode;
use crate::protocol::node::{NodeClose, parse};
use crate::roster::{Admitted, Connection, TurnedAway};

/// Longer messages than this are not even taken in to be refused: the connection ends. The largest frame fits.
const MAX_RECEIVED_BYTES: usize = MAX_FRAME_BYTES;

/// The largest message to a node, in bytes: ample for the records of as many nodes as there may be.
const MAX_WRITE_BUFFER: usize = 256 << 20;

/// Answers that wait to be written; while there are as many, no more requests are read. A list of nodes is long.
const MAX_ANSWERS: usize = 8;

/// Whoever takes nothing for this long is closed.
const STALLED_AFTER: Duration = Duration::from_secs(10);

/// The longest time between two pings; with a short TTL they are more frequent.
const PING_EVERY: Duration = Duration::from_secs(30);

/// How long a goodbye may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// The other side said goodbye.
    Left,
    /// The connection broke, or nobody answers.
    Broken,
    /// It sent more than is taken in.
    TooLarge,
    /// The registry ends it.
    Node(NodeClose),
    /// The gateway ends it.
    Closed { code: CloseCode, reason: &'static str },
}

impl End {
    fn close_frame(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            End::Left | End::Broken => return None,
            End::TooLarge => (1009, "message larger than 1 MiB"),
            End::Node(why) => (why.code(), why.reason()),
            End::Closed { code, reason } => (*code as u16, *reason),
        };
        Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })
    }
}

/// The route.
pub(super) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    extensions: Extensions,
    socket: WebSocketUpgrade,
) -> Response {
    let peer = Peer { owner: caller.node_token(), address: peer(&extensions) };
    socket
        .max_message_size(MAX_RECEIVED_BYTES)
        .max_frame_size(MAX_RECEIVED_BYTES)
        .read_buffer_size(32 << 10)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .on_upgrade(move |socket| converse(shared, caller, peer, socket))
}

async fn converse(shared: Arc<Shared>, caller: Caller, peer: Peer, socket: WebSocket) {
    let (mut sink, stream) = socket.split();
    let end = match shared.nodes.roster.connect(peer) {
        Ok(admitted) => serve(&shared, caller, admitted, &mut sink, stream).await,
        Err(TurnedAway::Revoked) => End::Node(NodeClose::Revoked),
        Err(TurnedAway::Full) => {
            End::Closed { code: CloseCode::TryAgainLater, reason: "there are too many connections" }
        }
    };
    tracing::debug!(address = %peer.address, "a connection of nodes ends: {end:?}");
    if let Some(frame) = end.close_frame() {
        let _ = timeout(CLOSE_WITHIN, sink.send(Message::Close(Some(frame)))).await;
    }
}

/// Serves a connection to its end, which the roster knows of when this returns.
async fn serve(
    shared: &Arc<Shared>,
    caller: Caller,
    admitted: Admitted,
    sink: &mut Sink,
    stream: SplitStream<WebSocket>,
) -> End {
    let Admitted { mut connection, init, events } = admitted;
    let closed = connection.closed();
    let (answers_tx, answers) = mpsc::channel(MAX_ANSWERS);
    let (links_tx, links) = mpsc::channel(1);
    let heard = AtomicBool::new(true);
    let end = {
        let requests = Requests::new(shared.clone(), caller, &connection, answers_tx);
        let terminals = Terminals::new(&connection, links_tx);
        let reader =
            Reader { requests, terminals, connection: &connection, heard: &heard, errors: Errors::new() };
        let ttl = shared.nodes.ttl;
        let mut writer = Writer { sink, answers, events, links, link: None, heard: &heard, ttl };
        tokio::select! {
            // Whoever is told to close is told why, whatever else happens at the same time.
            biased;
            why = closed => why.map_or(End::Broken, End::Node),
            () = shared.nodes.roster.shutting_down() => {
                End::Closed { code: CloseCode::GoingAway, reason: "the gateway is shutting down" }
            }
            end = reader.run(stream) => end,
            end = writer.run(init) => end,
        }
    };
    if matches!(end, End::Left) {
        connection.said_goodbye();
    }
    end
}

// To the other side.

type Sink = SplitSink<WebSocket, Message>;

struct Writer<'a> {
    sink: &'a mut Sink,
    answers: mpsc::Receiver<String>,
    events: broadcast::Receiver<Arc<str>>,
    /// Where the frames for the PTYs of a node come from, each time that changes.
    links: mpsc::Receiver<Option<Outbound>>,
    link: Option<Outbound>,
    /// Whether anything came since the last ping.
    heard: &'a AtomicBool,
    ttl: Duration,
}

impl Writer<'_> {
    async fn run(&mut self, init: String) -> End {
        match self.write_all(init).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn write_all(&mut self, init: String) -> Result<std::convert::Infallible, End> {
        let every = (self.ttl / 3).clamp(Duration::from_millis(1), PING_EVERY);
        let mut pings = interval_at(Instant::now() + every, every);
        // After a time in which the gateway stood still, everyone first gets the time to answer.
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent = Duration::ZERO;
        self.feed(Message::text(init)).await?;
        loop {
            while let Some(message) = self.at_hand()? {
                self.feed(message).await?;
            }
            in_time(self.sink.flush()).await?;
            if let Some(message) = self.next(&mut pings, &mut silent).await? {
                self.feed(message).await?;
            }
        }
    }

    /// What is there to be written.
    fn at_hand(&mut self) -> Result<Option<Message>, End> {
        if let Ok(answer) = self.answers.try_recv() {
            return Ok(Some(Message::text(answer)));
        }
        match self.events.try_recv() {
            Ok(event) => Ok(Some(Message::text(&*event))),
            Err(TryRecvError::Lagged(_)) => Err(BEHIND),
            Err(TryRecvError::Empty | TryRecvError::Closed) => {
                Ok(next_frame(&mut self.link).now_or_never().flatten().map(Message::Binary))
            }
        }
    }

    /// Waits for something to write, if it is not another link.
    async fn next(&mut self, pings: &mut Interval, silent: &mut Duration) -> Result<Option<Message>, End> {
        let message = tokio::select! {
            Some(answer) = self.answers.recv() => Message::text(answer),
            event = self.events.recv() => match event {
                Ok(event) => Message::text(&*event),
                Err(RecvError::Lagged(_)) => return Err(BEHIND),
                Err(RecvError::Closed) => return Err(End::Broken),
            },
            Some(link) = self.links.recv() => {
                self.link = link;
                return Ok(None);
            }
            Some(frame) = next_frame(&mut self.link) => Message::Binary(frame),
            _ = pings.tick() => {
                let heard = self.heard.swap(false, Ordering::Relaxed);
                *silent = if heard { Duration::ZERO } else { *silent + pings.period() };
                // Nodes are judged by the registry, and more finely; this is for those who only watch.
                if *silent > self.ttl {
                    return Err(End::Broken);
                }
                Message::Ping(Bytes::new())
            }
        };
        Ok(Some(message))
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        in_time(self.sink.feed(message)).await
    }
}

/// The next frame for a node's PTYs; `None` if there can be none.
async fn next_frame(link: &mut Option<Outbound>) -> Option<Bytes> {
    let frame = link.as_mut()?.next().await;
    if frame.is_none() {
        // A newer connection has taken over.
        *link = None;
    }
    frame
}

/// Events were lost on the way to it; connected anew it is told all nodes.
const BEHIND: End =
    End::Closed { code: CloseCode::Stalled, reason: "too slow for the events; connect again" };

/// A step of writing, which nobody holds up for ever.
async fn in_time(step: impl Future<Output = Result<(), axum::Error>>) -> Result<(), End> {
    match timeout(STALLED_AFTER, step).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Broken),
        Err(_) => Err(End::Closed { code: CloseCode::Stalled, reason: "took nothing for ten seconds" }),
    }
}

// From the other side.

struct Reader<'a> {
    requests: Requests<'a>,
    terminals: Terminals<'a>,
    connection: &'a Connection,
    heard: &'a AtomicBool,
    errors: Errors,
}

impl Reader<'_> {
    async fn run(mut self, stream: SplitStream<WebSocket>) -> End {
        let mut stream = pin!(stream);
        loop {
            let message = match stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) if is_too_large(&error) => return End::TooLarge,
                Some(Err(_)) | None => return End::Broken,
            };
            self.heard.store(true, Ordering::Relaxed);
            self.connection.alive();
            let understood = match message {
                Message::Text(text) => self.text(text.as_bytes()).await,
                Message::Binary(frame) => match self.terminals.take(frame) {
                    Ok(expected) => expected || self.refuse_binary().await,
                    Err(error) => {
                        tracing::warn!("a node's frame makes no sense: {error}");
                        self.connection.keep_out();
                        return End::Closed { code: CloseCode::PolicyViolation, reason: "broken PTY frame" };
                    }
                },
                Message::Ping(_) | Message::Pong(_) => true,
                Message::Close(_) => return End::Left,
            };
            if !understood && self.errors.one_more(Instant::now().into()) {
                let reason = "too many malformed messages";
                return End::Closed { code: CloseCode::PolicyViolation, reason };
            }
        }
    }

    async fn text(&mut self, text: &[u8]) -> bool {
        match parse(text) {
            Ok(request) => {
                if self.requests.carry_out(request).await {
                    self.terminals.follow().await;
                }
                true
            }
            Err(error) => {
                self.requests.refuse(error.id.as_ref(), &error.message).await;
                false
            }
        }
    }

    async fn refuse_binary(&self) -> bool {
        let hint = "binary frames are for nodes that registered with the kind `pty_host`; requests are text";
        self.requests.refuse(None, hint).await;
        false
    }
}
