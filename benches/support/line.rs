//! The line between a viewer and its server: the loopback device, or a slow one.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use socket2::{Domain, Socket, Type};

/// What the slow line carries to the viewer, in bytes per second.
pub(crate) const SLOW_RATE: usize = 2 << 20;

/// How much the slow line's own sockets buffer, in bytes, before the kernel's own allowance: little beside what a
/// server may have on its way, which is what is to be seen.
const SOCKET_BUFFER: usize = 16 << 10;

/// How much passes the slow line at once, in bytes.
const PIECE: usize = 4 << 10;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Loopback,
    /// [`SLOW_RATE`] towards the viewer; not slowed towards the server.
    Slow,
}

impl Line {
    /// Connects to `address` over this line.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn connect(self, address: &str) -> Result<TcpStream> {
        match self {
            Line::Loopback => Ok(TcpStream::connect(address)?),
            Line::Slow => slow(address.parse()?),
        }
    }
}

/// A connection to `address` through two threads that end with it.
fn slow(address: SocketAddr) -> Result<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let viewer = small(listener.local_addr()?)?;
    let (near, _) = listener.accept()?;
    socket2::SockRef::from(&near).set_send_buffer_size(SOCKET_BUFFER)?;
    near.set_nodelay(true)?;
    let far = small(address)?;
    far.set_nodelay(true)?;
    let (near_in, far_out) = (near.try_clone()?, far.try_clone()?);
    thread::spawn(move || pass(near_in, far_out, None));
    thread::spawn(move || pass(far, near, Some(SLOW_RATE)));
    Ok(viewer)
}

/// A connection that takes in little before it is read. That has to be said before it is made.
fn small(address: SocketAddr) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.connect(&address.into())?;
    Ok(socket.into())
}

/// Passes bytes on, no faster than so many per second, until an end closes.
fn pass(mut from: TcpStream, mut to: TcpStream, rate: Option<usize>) {
    let mut piece = [0; PIECE];
    let mut free_at = Instant::now();
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if let Some(rate) = rate {
            // A line that was idle has saved up nothing.
            free_at = free_at.max(Instant::now()) + Duration::from_secs_f64(length as f64 / rate as f64);
            thread::sleep(free_at.saturating_duration_since(Instant::now()));
        }
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
