//! `/ws/agent/{id}`: a WebSocket to an agent's own port. It is dialled before the upgrade is answered, so that whoever
//! asks is told at once where it can't be had; then messages go both ways, one at a time, and so does the close.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::{self, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Shared;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::node::NoRoute;

/// How long the agent may take to answer.
const DIAL_WITHIN: Duration = Duration::from_secs(5);

/// The largest message in either direction, in bytes; the relay holds one of each.
const MAX_RELAYED_BYTES: usize = 16 << 20;

/// A side that takes nothing for this long is given up.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// How long a goodbye may take, each way.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// The route.
pub(super) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Response {
    if caller != Caller::Owner {
        return NOT_FOR_NODES.into_response();
    }
    let Ok(place) = shared.relays.clone().try_acquire_owned() else { return TOO_MANY.into_response() };
    let address = match shared.nodes.roster.route(&id) {
        Ok(address) => address,
        Err(why) => return no_route(why).into_response(),
    };
    let (agent, protocol) = match dial(address, &headers).await {
        Ok(dialled) => dialled,
        Err(error) => {
            tracing::debug!(%id, %address, "cannot relay: {error}");
            return error.problem().into_response();
        }
    };
    let socket = socket
        .max_message_size(MAX_RELAYED_BYTES)
        .max_frame_size(MAX_RELAYED_BYTES)
        .max_write_buffer_size(2 * MAX_RELAYED_BYTES);
    let socket = match protocol {
        Some(protocol) => socket.protocols([protocol]),
        None => socket,
    };
    socket.on_upgrade(move |client| relay(shared, client, agent, place))
}

/// The guard sends no node here; this holds if it ever does.
const NOT_FOR_NODES: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "not_for_nodes",
    message: "A node token does not lead to agents; the gateway's own does.",
};

const TOO_MANY: Problem = Problem {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: "too_many_relays",
    message: "The gateway relays to as many agents as it may. Close one, or try again later.",
};

fn no_route(why: NoRoute) -> Problem {
    let (status, code, message) = match why {
        NoRoute::Unknown => (StatusCode::NOT_FOUND, "unknown_node", "There is no node of that id."),
        NoRoute::Offline => (StatusCode::BAD_GATEWAY, "node_offline", "The node is offline."),
        NoRoute::NoPort => (StatusCode::BAD_GATEWAY, "no_port", "The node registered no port to relay to."),
    };
    Problem { status, code, message }
}

// The agent.

type Agent = WebSocketStream<TcpStream>;

/// Why an agent can't be had.
#[derive(Debug, thiserror::Error)]
enum DialError {
    #[error("nothing listens there: {0}")]
    Connect(std::io::Error),
    #[error("what listens there is no WebSocket: {0}")]
    Handshake(Box<Error>),
    #[error("what listens there does not answer")]
    Late,
}

impl DialError {
    fn problem(&self) -> Problem {
        let (code, message) = match self {
            DialError::Connect(_) => {
                ("agent_unreachable", "Nothing answers at the port that the node registered.")
            }
            DialError::Handshake(_) => ("no_websocket", "What answers at the node's port is no WebSocket."),
            DialError::Late => ("agent_silent", "Nothing came from the node's port within 5 seconds."),
        };
        Problem { status: StatusCode::BAD_GATEWAY, code, message }
    }
}

/// Dials the agent, and passes on which subprotocols the client asked for, but no secret of ours. Also gives the
/// subprotocol that the agent chose.
async fn dial(address: SocketAddr, asked: &HeaderMap) -> Result<(Agent, Option<String>), DialError> {
    timeout(DIAL_WITHIN, connect(address, asked)).await.unwrap_or(Err(DialError::Late))
}

async fn connect(address: SocketAddr, asked: &HeaderMap) -> Result<(Agent, Option<String>), DialError> {
    let handshake = |error| DialError::Handshake(Box::new(error));
    let mut request = format!("ws://{address}/").into_client_request().map_err(handshake)?;
    for protocol in asked.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        request.headers_mut().append(header::SEC_WEBSOCKET_PROTOCOL, protocol.clone());
    }
    let stream = TcpStream::connect(address).await.map_err(DialError::Connect)?;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_RELAYED_BYTES))
        .max_frame_size(Some(MAX_RELAYED_BYTES))
        .max_write_buffer_size(2 * MAX_RELAYED_BYTES);
    let (agent, answer) = client_async_with_config(request, stream, Some(config)).await.map_err(handshake)?;
    let chosen = answer.headers().get(header::SEC_WEBSOCKET_PROTOCOL).map(HeaderValue::to_str);
    Ok((agent, chosen.and_then(Result::ok).map(str::to_owned)))
}

// The relay.

/// Why one direction ends.
enum Stop {
    /// Its source said goodbye, in these words if in any.
    Said(Option<CloseFrame>),
    /// Its source is gone.
    SourceGone,
    /// Its target is gone, or takes nothing.
    TargetGone,
}

/// Who is told of the end, and how.
enum Goodbye {
    ToClient(Option<CloseFrame>),
    ToAgent(Option<CloseFrame>),
}

fn client_gone() -> Goodbye {
    Goodbye::ToAgent(Some(CloseFrame { code: CloseCode::Away, reason: "the client is gone".into() }))
}

fn agent_gone() -> Goodbye {
    Goodbye::ToClient(Some(CloseFrame { code: CloseCode::Error, reason: "the agent is gone".into() }))
}

async fn relay(shared: Arc<Shared>, client: WebSocket, agent: Agent, place: OwnedSemaphorePermit) {
    let (client_sink, client_stream) = client.split();
    let (mut agent_sink, mut agent_stream) = agent.split();
    let mut client_sink =
        client_sink.with(|message| std::future::ready(Ok::<_, axum::Error>(to_client(message))));
    let mut client_stream = client_stream.map(|message| message.map(from_client));
    let goodbye = tokio::select! {
        stop = carry(&mut client_stream, &mut agent_sink) => match stop {
            Stop::Said(frame) => Goodbye::ToAgent(frame),
            Stop::SourceGone => client_gone(),
            Stop::TargetGone => agent_gone(),
        },
        stop = carry(&mut agent_stream, &mut client_sink) => match stop {
            Stop::Said(frame) => Goodbye::ToClient(frame),
            Stop::SourceGone => agent_gone(),
            Stop::TargetGone => client_gone(),
        },
        () = shared.nodes.roster.shutting_down() => {
            let reason = "the gateway is shutting down".into();
            Goodbye::ToClient(Some(CloseFrame { code: CloseCode::Away, reason }))
        }
    };
    match goodbye {
        Goodbye::ToClient(frame) => say(&mut client_sink, &mut client_stream, frame).await,
        Goodbye::ToAgent(frame) => say(&mut agent_sink, &mut agent_stream, frame).await,
    }
    drop(place);
}

/// Carries messages until either side ends; the next one is read when the one before is written.
async fn carry<E, F>(
    source: &mut (impl Stream<Item = Result<Message, E>> + Unpin),
    target: &mut (impl Sink<Message, Error = F> + Unpin),
) -> Stop {
    loop {
        let message = match source.next().await {
            // Each side's own business, and answered there.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Close(frame))) => return Stop::Said(frame),
            Some(Ok(message)) => message,
            Some(Err(_)) | None => return Stop::SourceGone,
        };
        if !matches!(timeout(STALLED_AFTER, target.send(message)).await, Ok(Ok(()))) {
            return Stop::TargetGone;
        }
    }
}

/// Passes a close on, and waits a little for it to be returned, so that it is not cut off with the connection.
async fn say<E, F>(
    sink: &mut (impl Sink<Message, Error = F> + Unpin),
    stream: &mut (impl Stream<Item = Result<Message, E>> + Unpin),
    frame: Option<CloseFrame>,
) {
    let _ = timeout(CLOSE_WITHIN, sink.send(Message::Close(frame))).await;
    let returned = async { while let Some(Ok(_)) = stream.next().await {} };
    let _ = timeout(CLOSE_WITHIN, returned).await;
}

fn to_client(message: Message) -> ws::Message {
    match message {
        Message::Text(text) => ws::Message::Text(text.as_str().into()),
        Message::Binary(bytes) => ws::Message::Binary(bytes),
        Message::Ping(payload) => ws::Message::Ping(payload),
        Message::Pong(payload) => ws::Message::Pong(payload),
        Message::Close(frame) => ws::Message::Close(frame.map(|CloseFrame { code, reason }| {
            ws::CloseFrame { code: code.into(), reason: reason.as_str().into() }
        })),
        Message::Frame(_) => unreachable!("frames are never read as such"),
    }
}

fn from_client(message: ws::Message) -> Message {
    match message {
        ws::Message::Text(text) => Message::text(text.as_str()),
        ws::Message::Binary(bytes) => Message::Binary(bytes),
        ws::Message::Ping(payload) => Message::Ping(payload),
        ws::Message::Pong(payload) => Message::Pong(payload),
        ws::Message::Close(frame) => Message::Close(frame.map(|ws::CloseFrame { code, reason }| {
            CloseFrame { code: code.into(), reason: reason.as_str().into() }
        })),
    }
}
