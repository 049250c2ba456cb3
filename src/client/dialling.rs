//! Opens a WebSocket of a gateway, in the open or over TLS.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::trouble;
use crate::protocol::NATIVE_SUBPROTOCOL;

/// A connection to a gateway.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

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
    open(request(address, token)?, limits, within).await
}

/// Dials the `/mux` at `address`, for the native framing.
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
    open(request, WebSocketConfig::default(), within).await
}

fn request(address: &Uri, token: Option<&HeaderValue>) -> Result<Request, DialError> {
    let unfit = |error| DialError::Unreachable(trouble::of_dialling(&error, &address.to_string()));
    let mut request = address.clone().into_client_request().map_err(unfit)?;
    if let Some(token) = token {
        request.headers_mut().insert(AUTHORIZATION, token.clone());
    }
    Ok(request)
}

async fn open(request: Request, limits: WebSocketConfig, within: Duration) -> Result<Socket, DialError> {
    let at = request.uri().authority().map_or_else(String::new, ToString::to_string);
    match timeout(within, connect_async_with_config(request, Some(limits), true)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(answer))) if answer.status() == StatusCode::UNAUTHORIZED => {
            Err(DialError::Unauthorized)
        }
        Ok(Err(Error::Http(answer))) => Err(DialError::Refused(answer.status())),
        Ok(Err(error)) => Err(DialError::Unreachable(trouble::of_dialling(&error, &at))),
        Err(_) => Err(DialError::Silent),
    }
}
