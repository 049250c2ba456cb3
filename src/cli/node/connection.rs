//! One connection of a node to its gateway, from dialling to its end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::identity::Identity;
use super::rpc::{self, Heard};
use crate::client::dialling::{DialError, Socket, dial};
use crate::host::remote::frame::MAX_FRAME_BYTES;
use crate::host::remote::{NodeInbound, NodeOutbound, PtyService};

/// How long dialling may take.
const DIAL_WITHIN: Duration = Duration::from_secs(10);

/// How often we give a sign of life, and ask for one.
const BEAT_EVERY: Duration = Duration::from_secs(5);

/// A gateway that is silent for this long is gone.
const SILENT_AFTER: Duration = Duration::from_secs(15);

/// How long we wait for the gateway to hear that we leave.
const FAREWELL_WITHIN: Duration = Duration::from_secs(1);

/// How many frames may be made before they are sent together.
const BATCH: usize = 16;

/// How many texts may wait to be sent; more are not said.
const MAX_TEXTS: usize = 8;

/// The close codes that a node must tell apart.
const REVOKED: u16 = 4401;
const SUPERSEDED: u16 = 4409;

const UNKNOWN_TOKEN: &str = "the gateway does not know this token; make one there with `everpane node-token create \
                             NAME`, and give it in EVERPANE_NODE_TOKEN or with --token-file";

/// Why a connection is over, or did not come about.
#[derive(Debug)]
pub(super) enum Ended {
    /// Nobody was reached, as these words say, which name the place. Dialling again may help.
    Unreached(String),
    /// Dialling again may help.
    Lost(String),
    /// We are not to be here now; mostly another process has our id, and dialling at once would throw that out.
    Superseded(String),
    /// Dialling again does not help.
    Rejected(String),
    /// We were asked to stop, and have said so.
    Stopped,
}

/// What all connections of a node have in common.
pub(super) struct Dialler {
    pub(super) address: Uri,
    pub(super) token: Option<HeaderValue>,
    pub(super) identity: Identity,
    pub(super) service: PtyService,
    /// Ends the node.
    pub(super) stop: CancellationToken,
}

impl Dialler {
    /// Dials, and stays connected for as long as it goes. Why it is over, and how long it lasted if it came about.
    pub(super) async fn connect(&self) -> (Ended, Option<Duration>) {
        let socket = tokio::select! {
            socket = self.dial() => socket,
            () = self.stop.cancelled() => return (Ended::Stopped, None),
        };
        match socket {
            Ok(socket) => {
                let since = Instant::now();
                (self.carry(socket).await, Some(since.elapsed()))
            }
            Err(ended) => (ended, None),
        }
    }

    async fn dial(&self) -> Result<Socket, Ended> {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        dial(&self.address, self.token.as_ref(), limits, DIAL_WITHIN).await.map_err(|error| match error {
            DialError::Unauthorized => Ended::Rejected(UNKNOWN_TOKEN.to_owned()),
            DialError::Unreachable(why) => Ended::Unreached(why),
            error => Ended::Lost(error.to_string()),
        })
    }

    /// Reads and writes side by side, so that neither holds the other up.
    async fn carry(&self, socket: Socket) -> Ended {
        let (mut sink, stream) = socket.split();
        let (inbound, outbound) = self.service.connect();
        let (texts, texts_rx) = mpsc::channel(MAX_TEXTS);
        let ended = tokio::select! {
            ended = self.read(stream, inbound, texts) => ended,
            ended = self.write(&mut sink, outbound, texts_rx) => ended,
        };
        // Only who leaves says goodbye: from who dials again, the gateway would take it that its shells are not to be
        // expected back.
        if matches!(ended, Ended::Stopped) {
            let goodbye = CloseFrame { code: 1000.into(), reason: "".into() };
            // Whoever is gone does not hear it.
            let _ = timeout(FAREWELL_WITHIN, sink.send(Message::Close(Some(goodbye)))).await;
        }
        ended
    }

    async fn read(
        &self,
        mut stream: SplitStream<Socket>,
        mut inbound: NodeInbound,
        texts: mpsc::Sender<String>,
    ) -> Ended {
        let mut leave_by: Option<tokio::time::Instant> = None;
        loop {
            let message = tokio::select! {
                message = timeout(SILENT_AFTER, stream.next()) => message,
                () = self.stop.cancelled(), if leave_by.is_none() => {
                    leave_by = Some(tokio::time::Instant::now() + FAREWELL_WITHIN);
                    if texts.try_send(rpc::deregister(&self.identity.id)).is_err() {
                        return Ended::Stopped;
                    }
                    continue;
                }
                () = until(leave_by) => return Ended::Stopped,
            };
            let message = match message {
                Err(_) => return Ended::Lost("it fell silent".to_owned()),
                Ok(None) => return Ended::Lost("it closed the connection".to_owned()),
                Ok(Some(Err(error))) => return Ended::Lost(error.to_string()),
                Ok(Some(Ok(message))) => message,
            };
            let text = match message {
                Message::Binary(frame) => match inbound.take(frame) {
                    Ok(()) => continue,
                    Err(error) => return Ended::Lost(format!("it sent nonsense: {error}")),
                },
                Message::Close(close) => return closed(close),
                Message::Text(text) => text,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            match self.heard(rpc::hear(&text)) {
                Ok(None) => {}
                // It asks without reading our answers, if there is no room; then it does not need this one.
                Ok(Some(answer)) => _ = texts.try_send(answer),
                Err(ended) => return ended,
            }
        }
    }

    /// What is to be said to what was heard.
    fn heard(&self, heard: Heard) -> Result<Option<String>, Ended> {
        match heard {
            Heard::Init | Heard::Forgotten => Ok(Some(rpc::register(&self.identity))),
            Heard::Registered => {
                tracing::info!("registered as {} at {}", self.identity.id, self.address);
                Ok(None)
            }
            Heard::RefusedForNow(reason) => Err(Ended::Superseded(reason)),
            Heard::Refused(reason) => Err(Ended::Rejected(reason)),
            Heard::Deregistered => Err(Ended::Stopped),
            Heard::Nothing => Ok(None),
        }
    }

    async fn write(
        &self,
        sink: &mut SplitSink<Socket, Message>,
        mut outbound: NodeOutbound,
        mut texts: mpsc::Receiver<String>,
    ) -> Ended {
        let mut beats = interval(BEAT_EVERY);
        // The first one comes at once, when nobody knows us yet.
        beats.tick().await;
        loop {
            let sent = tokio::select! {
                biased;
                text = texts.recv() => match text {
                    Some(text) => sink.send(Message::text(text)).await,
                    None => return Ended::Stopped,
                },
                _ = beats.tick() => {
                    let idle_secs = self.service.idle(Instant::now()).map(|idle| idle.as_secs());
                    let beat = rpc::ping(&self.identity.id, self.service.terminals(), idle_secs);
                    match sink.feed(Message::text(beat)).await {
                        Ok(()) => sink.send(Message::Ping(Bytes::new())).await,
                        failed => failed,
                    }
                }
                frame = outbound.next() => match frame {
                    Some(frame) => send_batch(sink, frame, &mut outbound).await,
                    None => return Ended::Stopped,
                },
            };
            if let Err(error) = sent {
                return Ended::Lost(error.to_string());
            }
        }
    }
}

/// Sends a frame, and with it those that are at hand already: a system call costs more than most frames.
async fn send_batch(
    sink: &mut SplitSink<Socket, Message>,
    first: Bytes,
    outbound: &mut NodeOutbound,
) -> Result<(), Error> {
    sink.feed(Message::Binary(first)).await?;
    for _ in 1..BATCH {
        let Some(Some(frame)) = outbound.next().now_or_never() else { break };
        sink.feed(Message::Binary(frame)).await?;
    }
    sink.flush().await
}

async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn closed(close: Option<CloseFrame>) -> Ended {
    let Some(CloseFrame { code, reason }) = close else {
        return Ended::Lost("it closed the connection".to_owned());
    };
    let said = format!("it closed the connection with {code}: {}", reason.escape_debug());
    match u16::from(code) {
        REVOKED => Ended::Rejected("the token of this node was revoked".to_owned()),
        SUPERSEDED => Ended::Superseded(said),
        _ => Ended::Lost(said),
    }
}
