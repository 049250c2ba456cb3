//! What a WebSocket goes over: the network or, to a gateway of this machine, a socket without one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::Uri;

use crate::near::Near;

/// See the module.
#[derive(Debug)]
pub enum Line {
    /// Through the network, if only this machine's own.
    Far(TcpStream),
    /// Within this machine.
    Near(Near),
}

impl Line {
    /// A connection to whom `address` names, through the network.
    ///
    /// # Errors
    /// When nobody is there.
    pub async fn far(address: &Uri) -> io::Result<Line> {
        let stream = TcpStream::connect((host(address), port(address))).await?;
        stream.set_nodelay(true)?;
        Ok(Line::Far(stream))
    }

    /// One without a network, where there is a gateway of our own user to be had so; else as above.
    ///
    /// # Errors
    /// As above.
    pub async fn nearest(address: &Uri) -> io::Result<Line> {
        match near(address) {
            Some(stream) => Ok(Line::Near(stream)),
            None => Line::far(address).await,
        }
    }
}

/// A connection to a gateway of this machine, if `address` may be one's.
fn near(address: &Uri) -> Option<Near> {
    let ip = match host(address) {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        host => host.parse().ok()?,
    };
    // Encrypted is what goes through a proxy.
    let may_be = address.scheme_str() == Some("ws") && ip.is_loopback();
    may_be.then(|| Near::call(SocketAddr::new(ip, port(address))).ok())?
}

fn host(address: &Uri) -> &str {
    address.host().unwrap_or_default().trim_matches(['[', ']'])
}

fn port(address: &Uri) -> u16 {
    let usual = if address.scheme_str() == Some("wss") { 443 } else { 80 };
    address.port_u16().unwrap_or(usual)
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Far(stream) => Pin::new(stream).poll_read(cx, buffer),
            Line::Near(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Line::Far(stream) => Pin::new(stream).poll_write(cx, bytes),
            Line::Near(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Far(stream) => Pin::new(stream).poll_flush(cx),
            Line::Near(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Far(stream) => Pin::new(stream).poll_shutdown(cx),
            Line::Near(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::near::Listener;

    async fn is_near(address: &str) -> bool {
        matches!(Line::nearest(&address.parse().unwrap()).await.unwrap(), Line::Near(_))
    }

    #[tokio::test]
    async fn a_gateway_of_this_machine_is_reached_without_the_network_where_it_can_be() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let by_name = format!("ws://localhost:{}/mux", at.port());
        assert!(
            !is_near(&format!("ws://{at}/mux")).await && !is_near(&by_name).await,
            "it has no such socket"
        );
        let _near = Listener::bind(at).unwrap();
        assert!(is_near(&format!("ws://{at}/mux")).await && is_near(&by_name).await);
        assert!(!is_near(&format!("wss://{at}/mux")).await, "a proxy encrypts, and no gateway");
    }

    #[test]
    fn the_port_follows_from_the_scheme() {
        let of = |address: &str| {
            let address: Uri = address.parse().unwrap();
            (host(&address).to_owned(), port(&address))
        };
        assert_eq!(of("ws://box/mux"), ("box".to_owned(), 80));
        assert_eq!(of("wss://box/mux"), ("box".to_owned(), 443));
        assert_eq!(of("ws://[::1]:7433/mux"), ("::1".to_owned(), 7433));
    }
}
