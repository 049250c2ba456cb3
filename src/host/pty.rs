//! A PTY's master side: opened by portable-pty, then read and written without blocking.
//!
//! This and `tape.rs` are the files that may hold `unsafe`: portable-pty hands out a bare descriptor number.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer};
use rustix::termios::{
    LocalModes, QueueSelector, SpecialCodeIndex, Winsize, tcflush, tcgetattr, tcgetpgrp, tcsetwinsize,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::SpawnRequest;
use crate::descriptors;
use crate::geometry::Size;

/// Opens a PTY and starts a program in it: its master side, non-blocking and closed on exec, and the program. Blocks
/// for the time of a fork; needs a runtime around it.
pub(super) fn open(request: &SpawnRequest, cwd: &Path) -> anyhow::Result<(Arc<Master>, Program)> {
    let pair = native_pty_system().openpty(PtySize {
        rows: request.size.rows,
        cols: request.size.cols,
        pixel_width: 0,
        pixel_height: 0,
    })?;
    let number = pair.master.as_raw_fd().ok_or_else(|| anyhow::anyhow!("the PTY has no descriptor"))?;
    // SAFETY: the descriptor belongs to `pair.master`, which lives until the end of this function.
    let fd = fcntl_dupfd_cloexec(unsafe { BorrowedFd::borrow_raw(number) }, 3)?;
    fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)?;

    let mut command = CommandBuilder::new(&request.command[0]);
    command.args(&request.command[1..]);
    command.env_clear();
    for (name, value) in &request.environment {
        command.env(name, value);
    }
    command.cwd(cwd);
    let mut child = pair.slave.spawn_command(command)?;
    match watch_exit(&*child) {
        Ok((pid, exit)) => {
            descriptors::restore_for(pid);
            Ok((Arc::new(Master::new(fd)), Program { child, pid, exit }))
        }
        Err(error) => {
            // Out of descriptors, mostly. Nobody would ever notice the end of this program, or reap it.
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

fn watch_exit(child: &(dyn Child + Send + Sync)) -> anyhow::Result<(Pid, AsyncFd<OwnedFd>)> {
    let pid = child.process_id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let pid = pid.ok_or_else(|| anyhow::anyhow!("the program has no process id"))?;
    Ok((pid, watch(pidfd_open(pid, PidfdFlags::NONBLOCK)?, Interest::READABLE)?))
}

/// Registers a descriptor with the reactor.
pub(crate) fn watch<T: AsFd + AsRawFd>(fd: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: `AsFd` borrows the descriptor from `fd`, which keeps it open for as long as the `AsyncFd` has it.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}

/// The child that leads the PTY's session.
pub(super) struct Program {
    child: Box<dyn Child + Send + Sync>,
    pid: Pid,
    /// Becomes readable when the program ends.
    exit: AsyncFd<OwnedFd>,
}

impl Program {
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Resolves when the program has ended; it is still to be reaped.
    pub(super) async fn ended(&self) {
        // It fails only when the runtime ends.
        let _ = self.exit.readable().await;
    }

    /// Takes the dead program's status, so that no zombie stays.
    pub(super) fn reap(&mut self) -> Option<ExitStatus> {
        // portable-pty's own status has a description in place of the signal's number.
        let child: &mut dyn Child = &mut *self.child;
        child.downcast_mut::<std::process::Child>()?.try_wait().ok()?
    }
}

/// The master side of a PTY.
#[derive(Debug)]
pub(super) struct Master {
    fd: OwnedFd,
}

impl AsFd for Master {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Master {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl Master {
    /// The master side by its descriptor, which is non-blocking.
    pub(super) fn new(fd: OwnedFd) -> Master {
        Master { fd }
    }

    /// Reads what fits and is there. Linux reports the close of the last other side as an input/output error.
    pub(super) fn read(&self, into: &mut [u8]) -> Result<usize, Errno> {
        rustix::io::retry_on_intr(|| rustix::io::read(&self.fd, &mut *into))
    }

    pub(super) fn write(&self, input: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::write(&self.fd, input))?)
    }

    /// Watches for output. Room for input is watched apart: else every key that a program takes would wake us to
    /// say that there is room.
    pub(super) fn watch_output(self: &Arc<Self>) -> io::Result<AsyncFd<Arc<Master>>> {
        watch(self.clone(), Interest::READABLE)
    }

    /// Watches for room to write.
    pub(super) fn watch_room(&self) -> io::Result<AsyncFd<OwnedFd>> {
        watch(fcntl_dupfd_cloexec(&self.fd, 3)?, Interest::WRITABLE)
    }

    /// Whether there is output within `timeout`; blocks for as long.
    pub(super) fn wait_for_output(&self, timeout: Duration) -> bool {
        let timeout = Timespec::try_from(timeout).ok();
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        // An interrupted wait counts as output: the next read tells.
        !matches!(poll(&mut fds, timeout.as_ref()), Ok(0))
    }

    pub(super) fn resize(&self, size: Size) {
        let size = Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
        // It fails only when the PTY is gone, which is reported by its end.
        let _ = tcsetwinsize(&self.fd, size);
    }

    pub(super) fn reads_raw(&self) -> bool {
        tcgetattr(&self.fd).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ICANON))
    }

    /// The keys that the line discipline now makes a signal of, and drops unread input with; 0 where there is none.
    pub(super) fn interrupt_keys(&self) -> [u8; 3] {
        let Ok(modes) = tcgetattr(&self.fd) else { return [0; 3] };
        let flushes =
            modes.local_modes.contains(LocalModes::ISIG) && !modes.local_modes.contains(LocalModes::NOFLSH);
        let keys = [SpecialCodeIndex::VINTR, SpecialCodeIndex::VQUIT, SpecialCodeIndex::VSUSP];
        // A key of 0 is how "none" is written.
        keys.map(|index| if flushes { modes.special_codes[index] } else { 0 })
    }

    /// Whether the line discipline now makes a signal of a key, and drops unread input with it.
    pub(super) fn signals(&self, key: u8) -> bool {
        key != 0 && self.interrupt_keys().contains(&key)
    }

    /// Throws away what was written and the program has not been given yet.
    pub(super) fn discard_input(&self) {
        // What the master sends is what the program gets as input, but this reaches only what the line discipline
        // has not taken yet. The rest is flushed from the program's side. Both fail only when the PTY is gone.
        let _ = tcflush(&self.fd, QueueSelector::OFlush);
        if let Ok(other) =
            ioctl_tiocgptpeer(&self.fd, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        {
            let _ = tcflush(&other, QueueSelector::IFlush);
        }
    }

    /// The process group in the foreground.
    pub(super) fn foreground(&self) -> Option<Pid> {
        tcgetpgrp(&self.fd).ok()
    }
}
