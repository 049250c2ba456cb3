//! A PTY with a program in it: what the raw baseline reads and the bare relay serves.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};
use portable_pty::{Child, CommandBuilder, PtySize};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal};

use super::search::Search;

/// Ends its program when dropped.
pub(crate) struct Pty {
    /// The program.
    child: Box<dyn Child + Send + Sync>,
    /// The master side.
    fd: OwnedFd,
}

impl Pty {
    /// Starts `program` in a new PTY.
    ///
    /// # Errors
    /// When there are no more PTYs, or no such program.
    pub(crate) fn spawn(program: &Path) -> Result<Pty> {
        let size = PtySize { rows: 24, cols: 80, ..PtySize::default() };
        let pair = portable_pty::native_pty_system().openpty(size)?;
        let child = pair.slave.spawn_command(CommandBuilder::new(program))?;
        let raw = pair.master.as_raw_fd().context("a PTY without a descriptor")?;
        // The one way to own a descriptor known by number that needs no unsafe code.
        let this = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())?;
        let fd = rustix::process::pidfd_getfd(this, raw, PidfdGetfdFlags::empty())?;
        Ok(Pty { child, fd })
    }

    /// The master side, for reading and writing.
    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Its program's process.
    ///
    /// # Errors
    /// When that has no id.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.process_id().context("a program without an id")
    }

    /// Reads what there is, waiting for the first byte; 0 at the end.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        match rustix::io::read(&self.fd, buffer) {
            // What Linux answers once the last program has gone.
            Err(rustix::io::Errno::IO) => Ok(0),
            other => Ok(other?),
        }
    }

    /// Types `bytes`.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn write(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.fd, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(rustix::io::Errno::AGAIN) => std::thread::yield_now(),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads until `text` was seen.
    ///
    /// # Errors
    /// When the program ends before that.
    pub(crate) fn read_to(&self, text: &str) -> Result<()> {
        let (mut search, mut buffer) = (Search::new(text), vec![0; 64 << 10]);
        loop {
            let length = self.read(&mut buffer)?;
            anyhow::ensure!(length > 0, "the program ended without {text:?}");
            if search.found_in(&buffer[..length]) {
                return Ok(());
            }
        }
    }

    /// Reads until `text` and the end of its line were seen.
    ///
    /// # Errors
    /// When the program ends before that.
    pub(crate) fn wait_for(&self, text: &str) -> Result<()> {
        let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
        while memchr::memmem::find(&seen, text.as_bytes()).is_none() || !seen.ends_with(b"\n") {
            let length = self.read(&mut buffer)?;
            anyhow::ensure!(length > 0, "the program ended without {text:?}");
            seen.extend_from_slice(&buffer[..length]);
        }
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(pid) = self.child.process_id().and_then(|pid| Pid::from_raw(pid as i32)) {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
