//! Who is at the other end of a socket of this machine.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;

use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, geteuid};

/// The process that opened the other end, which must be of our own user.
///
/// # Errors
/// When it is of another ([`ErrorKind::PermissionDenied`]).
pub(crate) fn own_peer(socket: impl AsFd) -> io::Result<Pid> {
    let peer = socket_peercred(socket)?;
    if peer.uid != geteuid() {
        let text = format!("the other end belongs to another user ({})", peer.uid.as_raw());
        return Err(io::Error::new(ErrorKind::PermissionDenied, text));
    }
    Ok(peer.pid)
}
