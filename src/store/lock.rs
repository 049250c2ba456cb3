//! One gateway per data directory.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::OpenError;

const LOCK: &str = "gateway.lock";

/// The exclusive right to a data directory. The kernel takes it back when the process ends, however it ends;
/// the file stays, since removing it would race with the next gateway's open.
#[derive(Debug)]
pub(super) struct DirLock {
    /// Closing it gives the lock back.
    _file: File,
}

impl DirLock {
    pub(super) fn take(dir: &Path) -> Result<DirLock, OpenError> {
        let path = dir.join(LOCK);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(OpenError::io("open", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                return Err(OpenError::InUse { dir: dir.to_owned(), pid: holder(&mut file) });
            }
            Err(errno) => return Err(OpenError::io("lock", &path)(errno.into())),
        }
        if let Err(error) = write_pid(&mut file) {
            // The lock holds without it: the id only makes the other gateway's message better.
            tracing::warn!(%error, "cannot write the process id to {}", path.display());
        }
        Ok(DirLock { _file: file })
    }
}

/// Who says that it holds the lock; `None` if it has not yet said.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = DirLock::take(dir.path()).unwrap();
        let error = DirLock::take(dir.path()).unwrap_err();
        assert!(matches!(&error, OpenError::InUse { pid: Some(pid), .. } if *pid == process::id()));
        let text = error.to_string();
        assert!(text.contains(&dir.path().display().to_string()), "{text}");
        assert!(text.contains(&process::id().to_string()), "{text}");
        drop(first);
        DirLock::take(dir.path()).unwrap();
    }
}
