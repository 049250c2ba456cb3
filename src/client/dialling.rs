//! Opens a WebSocket of a gateway, in the open or over TLS.

use std::io;
use std::time::Duration;

use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use super::line::Line;
use super::trouble;
use crate::protocol::NATIVE_SUBPROTOCOL;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 16 << 10;

/// A connection to a gateway.
pub type Socket = WebSocketStream<MaybeTlsStream<Line>>;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// It wants a token, or another one.
    #[error("it does not know this token")]
    Unauthorized,
    /// It is there, and will not talk to us.
    #[error("{}", trouble::of_answer(*.0))]
    Refused(StatusCode),
    /// Nobody answered in time.
    #[error("no answer")]
    Silent,
    /// It can't be reached, or not safely; names the place.
    #[error("{0}")]
    Unreachable(String),
}

/// Dials the `/ws` at `address`, with `token` as the value of the header for it.
///
/// # Errors
/// When no connection came about within that time.
pub async fn dial(
    address: &Uri,
    token: Option<&HeaderValue>,
    limits: WebSocketConfig,
    within: Duration,
) -> Result<Socket, DialError> {
    open(request(address, token)?, Line::far(address), limits, within).await
}

/// Dials the `/mux` at `address`, for the native framing; without the network, if it is on this machine.
///
/// # Errors
/// When no connection came about within that time.
pub async fn dial_mux(
    address: &Uri,
    token: Option<&HeaderValue>,
    within: Duration,
) -> Result<Socket, DialError> {
    let mut request = request(address, token)?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(NATIVE_SUBPROTOCOL));
    // What is read into is cleared first, at every key's echo.
    let limits = WebSocketConfig::default().read_buffer_size(READ_BYTES);
    open(request, Line::nearest(address), limits, within).await
}

fn request(address: &Uri, token: Option<&HeaderValue>) -> Result<Request, DialError> {
    let unfit = |error| DialError::Unreachable(trouble::of_dialling(&error, &address.to_string()));
    let mut request = address.clone().into_client_request().map_err(unfit)?;
    if let Some(token) = token {
        request.headers_mut().insert(AUTHORIZATION, token.clone());
    }
    Ok(request)
}

async fn open(
    request: Request,
    line: impl Future<Output = io::Result<Line>>,
    limits: WebSocketConfig,
    within: Duration,
) -> Result<Socket, DialError> {
    let at = request.uri().authority().map_or_else(String::new, ToString::to_string);
    let opened = async { client_async_tls_with_config(request, line.await?, Some(limits), None).await };
    match timeout(within, opened).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(answer))) if answer.status() == StatusCode::UNAUTHORIZED => {
            Err(DialError::Unauthorized)
        }
        Ok(Err(Error::Http(answer))) => Err(DialError::Refused(answer.status())),
        Ok(Err(error)) => Err(DialError::Unreachable(trouble::of_dialling(&error, &at))),
        Err(_) => Err(DialError::Silent),
    }
}
