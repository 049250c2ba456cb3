//! The socket between a gateway and its host: messages kept apart by the kernel, with descriptors beside them, from and
//! to processes of the same user only.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, Mode, OFlags, open, statat, unlinkat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen, recvmsg, sendmsg, socket_with,
};
use rustix::process::umask;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::wire::{MAX_LINK_BYTES, MAX_LINK_DESCRIPTORS};
use crate::host::{own_peer, watch};

/// The socket's name in the data directory.
const NAME: &str = "host.sock";

/// What every socket here is.
const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

/// How many callers may wait to be taken.
const BACKLOG: i32 = 16;

/// A message as it came.
#[derive(Debug)]
pub(super) struct Received<T> {
    pub(super) message: T,
    /// Fewer than were sent, if this process has no room for more.
    pub(super) descriptors: Vec<OwnedFd>,
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Socket {
    fd: AsyncFd<OwnedFd>,
    /// The other process; 0 if it is in another process namespace.
    pub(super) peer: i32,
}

impl Socket {
    /// Takes over a connected socket. Who is at the other end must be of our user.
    fn new(fd: OwnedFd) -> io::Result<Socket> {
        let peer = own_peer(&fd)?.map_or(0, |peer| peer.as_raw_nonzero().get());
        Ok(Socket { fd: watch(fd, Interest::READABLE | Interest::WRITABLE)?, peer })
    }

    /// Calls the host of a data directory.
    pub(super) fn call(data_dir: &Path) -> io::Result<Socket> {
        let directory = open_directory(data_dir)?;
        let socket = seqpacket()?;
        // To a socket of this machine it is done at once, or fails, as when too many others wait.
        connect(&socket, &address(directory.as_fd())?)?;
        Socket::new(socket)
    }

    /// Whether the other end is gone, though what it said last may not have been received yet.
    pub(super) fn is_hung_up(&self) -> bool {
        let mut fds = [PollFd::new(self.fd.get_ref(), PollFlags::empty())];
        let now = Timespec::default();
        poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().contains(PollFlags::HUP)
    }

    /// Sends a message as soon as there is room.
    pub(super) async fn send<T: Serialize>(
        &self,
        message: &T,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let text = serde_json::to_vec(message)?;
        if text.len() > MAX_LINK_BYTES {
            let text = format!("a message of {} bytes; {MAX_LINK_BYTES} are allowed", text.len());
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        loop {
            let mut ready = self.fd.writable().await?;
            match ready.try_io(|fd| send(fd.get_ref(), &text, descriptors)) {
                Ok(sent) => return sent,
                Err(_would_block) => {}
            }
        }
    }

    /// Receives the next message; `None` when the other end is gone.
    pub(super) async fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<Received<T>>> {
        let mut text = vec![0; MAX_LINK_BYTES];
        loop {
            let mut ready = self.fd.readable().await?;
            let Ok(received) = ready.try_io(|fd| receive(fd.get_ref(), &mut text)) else { continue };
            let (length, descriptors) = match received {
                // Nobody sends empty messages.
                Ok((0, _)) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                other => other?,
            };
            let message = serde_json::from_slice(&text[..length])
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            return Ok(Some(Received { message, descriptors }));
        }
    }
}

/// Where a host is called.
pub(super) struct Listener {
    fd: AsyncFd<OwnedFd>,
    directory: OwnedFd,
    /// The number of the socket's file.
    file: u64,
}

impl Listener {
    /// Listens in a data directory. Who does must have the right to be its host: what an earlier one left is removed.
    pub(super) fn bind(data_dir: &Path) -> io::Result<Listener> {
        let directory = open_directory(data_dir)?;
        remove(&directory)?;
        let socket = seqpacket()?;
        // For us alone from the first moment on. Nothing else makes a file meanwhile: the host has one thread yet.
        let before = umask(Mode::from_raw_mode(0o177));
        let bound = bind(&socket, &address(directory.as_fd())?);
        umask(before);
        bound?;
        listen(&socket, BACKLOG)?;
        let file = statat(&directory, NAME, AtFlags::SYMLINK_NOFOLLOW)?.st_ino;
        Ok(Listener { fd: watch(socket, Interest::READABLE)?, directory, file })
    }

    /// Whether its file is still where callers look for it.
    pub(super) fn can_be_found(&self) -> bool {
        statat(&self.directory, NAME, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| stat.st_ino == self.file)
    }

    /// Listens no more, and leaves nothing to be called.
    pub(super) fn close(self) {
        if let Err(error) = remove(&self.directory) {
            tracing::warn!("cannot remove the socket: {error}");
        }
    }

    /// The next caller of our user; others are turned away.
    pub(super) async fn accept(&self) -> io::Result<Socket> {
        loop {
            let mut ready = self.fd.readable().await?;
            let accept = |fd: &AsyncFd<OwnedFd>| Ok(accept_with(fd.get_ref(), FLAGS)?);
            match ready.try_io(accept).map(|accepted| accepted.and_then(Socket::new)) {
                Ok(Err(error)) if error.kind() == ErrorKind::PermissionDenied => {
                    tracing::warn!("a caller was turned away: {error}");
                }
                Ok(accepted) => return accepted,
                Err(_would_block) => {}
            }
        }
    }
}

/// Removes the socket of a host that has ended, or is about to, so that nobody calls it in vain.
fn remove(directory: &OwnedFd) -> io::Result<()> {
    match unlinkat(directory, NAME, AtFlags::empty()) {
        Err(error) if error != Errno::NOENT => Err(error.into()),
        _ => Ok(()),
    }
}

fn seqpacket() -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, FLAGS, None)?)
}

fn open_directory(data_dir: &Path) -> io::Result<OwnedFd> {
    Ok(open(data_dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// The socket's address by way of its directory's descriptor: an address has room for a hundred bytes, a path may
/// have thousands.
fn address(directory: BorrowedFd<'_>) -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new(format!("/proc/self/fd/{}/{NAME}", directory.as_raw_fd()))?)
}

fn send(socket: &OwnedFd, text: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_LINK_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "too many descriptors"));
    }
    sendmsg(socket, &[IoSlice::new(text)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(socket: &OwnedFd, text: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_LINK_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received = recvmsg(socket, &mut [IoSliceMut::new(text)], &mut control, flags)?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(passed) = message {
            descriptors.extend(passed);
        }
    }
    if received.flags.contains(ReturnFlags::TRUNC) {
        return Err(io::Error::new(ErrorKind::InvalidData, "a message that is too long"));
    }
    Ok((received.bytes, descriptors))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn messages_and_descriptors_pass_also_where_paths_are_long() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(200));
        fs::create_dir(&deep).unwrap();
        assert_eq!(Socket::call(&deep).unwrap_err().kind(), ErrorKind::NotFound);
        let listener = Listener::bind(&deep).unwrap();
        let mode = fs::metadata(deep.join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let here = Socket::call(&deep).unwrap();
        let there = listener.accept().await.unwrap();
        assert!(!there.is_hung_up());
        assert_eq!(here.peer, std::process::id() as i32);

        let file = fs::File::open(&deep).unwrap();
        here.send(&"one", &[]).await.unwrap();
        here.send(&"two", &[file.as_fd(), file.as_fd()]).await.unwrap();
        let one = there.receive::<String>().await.unwrap().unwrap();
        assert_eq!((one.message.as_str(), one.descriptors.len()), ("one", 0));
        let two = there.receive::<String>().await.unwrap().unwrap();
        assert_eq!((two.message.as_str(), two.descriptors.len()), ("two", 2));
        here.send(&"x".repeat(MAX_LINK_BYTES - 2), &[]).await.unwrap();
        assert_eq!(there.receive::<String>().await.unwrap().unwrap().message.len(), MAX_LINK_BYTES - 2);
        let error = here.send(&"x".repeat(MAX_LINK_BYTES), &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        here.send(&1, &[]).await.unwrap();
        assert!(there.receive::<String>().await.is_err(), "not what was expected");
        drop(here);
        assert!(there.is_hung_up());
        assert!(there.receive::<String>().await.unwrap().is_none());

        drop(listener);
        assert_eq!(Socket::call(&deep).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        Listener::bind(&deep).expect("what is left of the one before is removed");
    }
}
