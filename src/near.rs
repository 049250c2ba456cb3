//! How a gateway is reached from its own machine with less on the way than the network has: over a socket in the system's
//! abstract namespace, named after the address at which the gateway listens. As the loopback address it is seen wherever
//! the machine's network is, and nowhere else; both ends make sure that the other one is of the same user.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::{Errno, fcntl_dupfd_cloexec, retry_on_intr};
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustix::net::{
    AddressFamily, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen, send, shutdown, socket_with,
};
use rustix::process::Pid;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::task::coop;

use crate::host::{own_peer, watch};

/// What every socket here is.
const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

/// How many callers may wait to be taken.
const BACKLOG: i32 = 128;

/// The name of the socket of the gateway that is reached at `address`, or listens there. Whoever listens at every
/// address is reached at the loopback address of its kind.
#[must_use]
pub fn name(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("everpane-{}", SocketAddr::new(ip, address.port()))
}

/// A new socket, and where it is to be bound or connected.
fn socket(address: SocketAddr) -> io::Result<(OwnedFd, SocketAddrUnix)> {
    let place = SocketAddrUnix::new_abstract_name(name(address).as_bytes())?;
    Ok((socket_with(AddressFamily::UNIX, SocketType::STREAM, FLAGS, None)?, place))
}

/// Takes callers.
#[derive(Debug)]
pub struct Listener(AsyncFd<OwnedFd>);

impl Listener {
    /// The socket of a gateway that listens at `address`. Needs a runtime around it.
    ///
    /// # Errors
    /// When somebody has it already.
    pub fn bind(address: SocketAddr) -> io::Result<Listener> {
        let (socket, place) = socket(address)?;
        bind(&socket, &place)?;
        listen(&socket, BACKLOG)?;
        Ok(Listener(watch(socket, Interest::READABLE)?))
    }

    /// The next caller. May be dropped and asked for again.
    ///
    /// # Errors
    /// When there are no descriptors left, or the caller is of another user ([`io::ErrorKind::PermissionDenied`]).
    pub async fn accept(&self) -> io::Result<Near> {
        loop {
            let mut ready = self.0.readable().await?;
            if let Ok(accepted) = ready.try_io(|socket| Ok(accept_with(socket, FLAGS)?)) {
                return Near::new(accepted?);
            }
        }
    }
}

/// One end of a connection.
#[derive(Debug)]
pub struct Near {
    socket: AsyncFd<OwnedFd>,
    /// The process at the other end, if it can be known.
    peer: Option<Pid>,
    /// Watches for room to write, while there is none. All the time, each message that the other end takes would wake us
    /// to say that there is room.
    room: Option<AsyncFd<OwnedFd>>,
}

impl Near {
    /// Takes over a connected socket.
    fn new(socket: OwnedFd) -> io::Result<Near> {
        // Anybody may take a name, and call: what is said here is for our own user alone.
        let peer = own_peer(&socket)?;
        Ok(Near { socket: watch(socket, Interest::READABLE)?, peer, room: None })
    }

    /// Calls the gateway that is reached at `address`. Done at once, or refused, as when too many others wait. Needs a
    /// runtime around it.
    ///
    /// # Errors
    /// When it is not there, or not our own.
    pub fn call(address: SocketAddr) -> io::Result<Near> {
        let (socket, place) = socket(address)?;
        connect(&socket, &place)?;
        Near::new(socket)
    }

    /// The process at the other end: of who called, the one that did. None if it is in another process namespace.
    #[must_use]
    pub fn peer(&self) -> Option<Pid> {
        self.peer
    }

    /// Lets about so many bytes wait in the system for the other end.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn set_unsent(&self, bytes: usize) -> io::Result<()> {
        Ok(set_socket_send_buffer_size(self.socket.get_ref(), bytes)?)
    }
}

impl AsyncRead for Near {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.socket.poll_read_ready(cx))?;
            let room = buffer.initialize_unfilled();
            match retry_on_intr(|| rustix::io::read(ready.get_inner(), &mut *room)) {
                Ok(count) => {
                    // More wakes us anew; the end of all stays to be seen.
                    if (1..room.len()).contains(&count) {
                        ready.clear_ready();
                    }
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

impl AsyncWrite for Near {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // Who is always ready must let others have their turn.
        let progress = ready!(coop::poll_proceed(cx));
        loop {
            match retry_on_intr(|| send(&this.socket, bytes, SendFlags::NOSIGNAL)) {
                Ok(count) => {
                    this.room = None;
                    progress.made_progress();
                    return Poll::Ready(Ok(count));
                }
                Err(Errno::AGAIN) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
            if this.room.is_none() {
                let again = fcntl_dupfd_cloexec(this.socket.as_fd(), 3)?;
                this.room = Some(watch(again, Interest::WRITABLE)?);
            }
            if let Some(room) = &this.room {
                ready!(room.poll_write_ready(cx))?.clear_ready();
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(shutdown(&self.socket, Shutdown::Write)?))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn each_address_has_a_name_of_its_own() {
        let named = |address: &str| name(address.parse().unwrap());
        assert_eq!(named("127.0.0.1:7433"), "everpane-127.0.0.1:7433");
        assert_eq!(named("0.0.0.0:7433"), "everpane-127.0.0.1:7433");
        assert_eq!(named("[::]:1"), "everpane-[::1]:1");
        assert_eq!(named("192.0.2.1:65535"), "everpane-192.0.2.1:65535");
    }

    #[tokio::test]
    async fn what_one_end_says_comes_to_the_other_however_much_it_is() {
        // Its port is ours alone meanwhile.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = port.local_addr().unwrap();
        assert!(Near::call(address).is_err(), "nobody is there");
        let listener = Listener::bind(address).unwrap();
        assert!(Listener::bind(address).is_err(), "there is one already");
        let (mut here, mut there) = (Near::call(address).unwrap(), listener.accept().await.unwrap());
        here.set_unsent(4096).unwrap();
        let said: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        let saying = async {
            here.write_all(&said).await.unwrap();
            here.shutdown().await.unwrap();
            here
        };
        let mut heard = Vec::new();
        let (mut here, count) = tokio::join!(saying, there.read_to_end(&mut heard));
        assert!(count.unwrap() == said.len() && heard == said);
        there.write_all(b"and back").await.unwrap();
        let mut back = [0; 8];
        here.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"and back");
        drop(there);
        assert_eq!(here.read(&mut back).await.unwrap(), 0);
        assert_eq!(here.write_all(b"gone").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}
