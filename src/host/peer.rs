//! Who is at the other end of a socket of this machine.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix;

use rustix::process::{Pid, geteuid};
use tokio::net::UnixStream;

/// The process that opened the other end, which must be of our own user; none where it is in another process namespace.
/// Needs a runtime around it.
///
/// # Errors
/// When it is of another user ([`ErrorKind::PermissionDenied`]).
pub(crate) fn own_peer(socket: &OwnedFd) -> io::Result<Option<Pid>> {
    // Asked by way of tokio: what rustix returns can't hold a process that has no number here.
    let same = unix::net::UnixStream::from(socket.try_clone()?);
    let peer = UnixStream::from_std(same)?.peer_cred()?;
    if peer.uid() != geteuid().as_raw() {
        let text = format!("the other end belongs to another user ({})", peer.uid());
        return Err(io::Error::new(ErrorKind::PermissionDenied, text));
    }
    Ok(peer.pid().and_then(Pid::from_raw))
}
