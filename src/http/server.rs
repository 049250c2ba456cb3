//! Accepts connections and bounds what each may cost before a request has been let in: how many there are, how
//! long a request's head may take, and how large it may be.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::Pid;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::unread;
use crate::near::{self, Near};

/// Connections that speak HTTP at once; the next one waits in the system's queue. A viewer's or
/// a node's socket does not count, as those have limits of their own; but after a restart all of them come at once.
const MAX_CONNECTIONS: usize = 4096;

/// How long a request's head may take, from the connection's start or the answer before. An idle connection is
/// closed as well.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// The largest head, in bytes. The address of a page with the longest token fits.
const MAX_HEAD_BYTES: usize = 8 << 10;

/// How long answers under way may take once we are shutting down.
const DRAIN: Duration = Duration::from_secs(1);

/// The pause after a failed accept: short of descriptors, the next try would fail as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How many bytes may wait in the system for a connection that takes them slowly. What waits there is stale by the
/// time that it is seen; what waits in our own logs can still be replaced by a snapshot.
const UNSENT_BYTES: u32 = 16 << 10;

/// Who comes without the network is at this address.
const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Who sent a request; found in its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The process that sent a request, if it did without the network; found in the extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeerProcess(pub(super) Pid);

/// Serves `router` at `listener`, and to our own user also without the network (see [`near`]), until `shutdown` is
/// cancelled, then lets answers under way come to their end.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let connections = TaskTracker::new();
    let near = listener
        .local_addr()
        .and_then(near::Listener::bind)
        .inspect_err(|error| tracing::debug!(%error, "reached through the network only"))
        .ok();
    let door = Door { far: listener, near };
    shutdown.run_until_cancelled(accept(&door, &router, &shutdown, &connections)).await;
    drop(door);
    connections.close();
    if tokio::time::timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::info!(left = connections.len(), "answers under way were cut off");
    }
}

/// Where connections come in.
struct Door {
    far: TcpListener,
    near: Option<near::Listener>,
}

/// A connection that came in.
enum Arrival {
    Far(TcpStream, SocketAddr),
    Near(Near),
}

impl Door {
    async fn arrival(&self) -> io::Result<Arrival> {
        let far = async { self.far.accept().await.map(|(stream, peer)| Arrival::Far(stream, peer)) };
        match &self.near {
            None => far.await,
            Some(near) => tokio::select! {
                arrival = far => arrival,
                arrival = near.accept() => arrival.map(Arrival::Near),
            },
        }
    }
}

async fn accept(door: &Door, router: &Router, shutdown: &CancellationToken, connections: &TaskTracker) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
        let (router, shutdown) = (router.clone(), shutdown.clone());
        match door.arrival().await {
            Ok(Arrival::Far(stream, peer)) => {
                tune_far(&stream);
                connections.spawn(converse(stream, Peer(peer), None, router, shutdown, place));
            }
            Ok(Arrival::Near(stream)) => {
                if let Err(error) = stream.set_unsent(UNSENT_BYTES as usize) {
                    tracing::debug!(%error, "cannot set SO_SNDBUF");
                }
                let process = stream.peer().map(PeerProcess);
                connections.spawn(converse(stream, Peer(HERE), process, router, shutdown, place));
            }
            // Other users come through the network.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                tracing::debug!(%error, "turned a connection away");
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn tune_far(stream: &TcpStream) {
    // A keystroke's echo must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    if let Err(error) = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
        tracing::debug!(%error, "cannot set TCP_NOTSENT_LOWAT");
    }
}

/// One connection, up to its end or to its upgrade.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    process: Option<PeerProcess>,
    router: Router,
    shutdown: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        if let Some(process) = process {
            request.extensions_mut().insert(process);
        }
        let service = service.clone();
        unread::answered(request, move |request| service.call(request))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %peer.0, "a connection ended early");
    }
}
