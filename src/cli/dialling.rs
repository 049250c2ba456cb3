//! Opens a gateway's `/ws`, in the open or over TLS.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// A connection to a gateway.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// It wants a token, or another one.
    #[error("it does not know this token")]
    Unauthorized,
    /// It is there, and will not talk to us.
    #[error("it answered {0}")]
    Refused(StatusCode),
    /// Nobody answered in time.
    #[error("no answer")]
    Silent,
    /// It can't be reached, or not safely.
    #[error("{0}")]
    Unreachable(String),
}

/// Dials `address`, with `token` as the value of the header for it.
///
/// # Errors
/// When no connection came about within that time.
pub(super) async fn dial(
    address: &Uri,
    token: Option<&HeaderValue>,
    limits: WebSocketConfig,
    within: Duration,
) -> Result<Socket, DialError> {
    let unreachable = |error: Error| DialError::Unreachable(error.to_string());
    let mut request = address.clone().into_client_request().map_err(unreachable)?;
    if let Some(token) = token {
        request.headers_mut().insert(AUTHORIZATION, token.clone());
    }
    match timeout(within, connect_async_with_config(request, Some(limits), true)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(answer))) if answer.status() == StatusCode::UNAUTHORIZED => {
            Err(DialError::Unauthorized)
        }
        Ok(Err(Error::Http(answer))) => Err(DialError::Refused(answer.status())),
        Ok(Err(error)) => Err(unreachable(error)),
        Err(_) => Err(DialError::Silent),
    }
}
