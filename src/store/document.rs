//! A small file of its own beside the gateway's state: one JSON document, whole or not there. It is written seldom, by
//! whoever owns it; a document that several programs change is changed under the lock of its directory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::disk::{Disk, RealDisk, if_there};
use super::seal::{self, Unreadable};

/// The first word of each such file.
const MAGIC: &str = "everpane-document";

/// Where a document is, and how it is read and written.
#[derive(Debug, Clone)]
pub struct Document {
    path: PathBuf,
}

/// Why a document could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The operating system refused something.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What came back.
        source: io::Error,
    },
    /// The file is not what was written.
    #[error("{} is damaged: {reason}; move it away to begin anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A newer version wrote it.
    #[error("{} was written by a newer version of everpane (format {version})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format version.
        version: u64,
    },
}

impl Document {
    /// The document `name` in `dir`.
    #[must_use]
    pub fn new(dir: &Path, name: &str) -> Document {
        Document { path: dir.join(name) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds; `None` if it was never written.
    ///
    /// # Errors
    /// When it can't be read, or is not whole.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, DocumentError> {
        let read = if_there(RealDisk.read(&self.path)).map_err(|source| self.io(source))?;
        let Some(file) = read else { return Ok(None) };
        let ([], json) = seal::open::<0>(MAGIC, &file).map_err(|error| self.unreadable(error))?;
        let parsed = serde_json::from_slice(json);
        parsed.map(Some).map_err(|error| self.unreadable(Unreadable::damaged(error.to_string())))
    }

    /// Writes it, in place of what it held. Only its owner may read the file.
    ///
    /// # Errors
    /// When that fails; it then holds what it held before.
    pub fn write<T: Serialize>(&self, content: &T) -> Result<(), DocumentError> {
        let json = serde_json::to_vec(content).map_err(|error| self.io(error.into()))?;
        self.replace(&json).map_err(|source| self.io(source))
    }

    /// Reads it, lets `change` decide what it is to hold, and writes that, while no other program does the same.
    ///
    /// # Errors
    /// What `change` says, or when it can't be read or written.
    pub fn update<T, R, E>(&self, change: impl FnOnce(&mut T) -> Result<R, E>) -> Result<R, E>
    where
        T: Default + Serialize + DeserializeOwned,
        E: From<DocumentError>,
    {
        let _lock = self.lock().map_err(|source| self.io(source))?;
        let mut content = self.read()?.unwrap_or_default();
        let outcome = change(&mut content)?;
        self.write(&content)?;
        Ok(outcome)
    }

    /// Held until it is dropped.
    fn lock(&self) -> io::Result<File> {
        let dir = File::open(self.dir())?;
        flock(&dir, FlockOperation::LockExclusive)?;
        Ok(dir)
    }

    fn replace(&self, json: &[u8]) -> io::Result<()> {
        let aside = self.path.with_extension(format!("new-{}", std::process::id()));
        let written = RealDisk
            .write_durably(&aside, &[&seal::header(MAGIC, &[], &[json]), json])
            .and_then(|()| RealDisk.rename(&aside, &self.path))
            .and_then(|()| RealDisk.sync_dir(self.dir()));
        if written.is_err() {
            let _ = RealDisk.remove(&aside);
        }
        written
    }

    fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn io(&self, source: io::Error) -> DocumentError {
        DocumentError::Io { path: self.path.clone(), source }
    }

    fn unreadable(&self, error: Unreadable) -> DocumentError {
        let path = self.path.clone();
        match error {
            Unreadable::Newer { version } => DocumentError::Newer { path, version },
            Unreadable::Damaged { reason } => DocumentError::Damaged { path, reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn numbers(dir: &Path) -> Document {
        Document::new(dir, "numbers.json")
    }

    #[test]
    fn it_holds_what_was_written_last_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let document = numbers(dir.path());
        assert_eq!(document.read::<Vec<u8>>().unwrap(), None);
        document.write(&vec![1, 2, 3]).unwrap();
        document.write(&vec![4]).unwrap();
        assert_eq!(document.read::<Vec<u8>>().unwrap(), Some(vec![4]));
        let mode = fs::metadata(document.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left aside");
    }

    #[test]
    fn every_damage_is_told_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let document = numbers(dir.path());
        document.write(&vec![1_u8]).unwrap();
        let whole = fs::read(document.path()).unwrap();
        let wrong = [&b""[..], b"{}", &whole[..whole.len() - 1], b"everpane-document 9 x"];
        for bytes in wrong {
            fs::write(document.path(), bytes).unwrap();
            let error = document.read::<Vec<u8>>().unwrap_err();
            assert!(error.to_string().contains("numbers.json"), "{error}");
            let refused: Result<(), DocumentError> = document.update(|_: &mut Vec<u8>| Ok(()));
            assert!(refused.is_err());
            assert_eq!(fs::read(document.path()).unwrap(), bytes);
        }
        fs::write(document.path(), &whole).unwrap();
        assert!(document.read::<String>().is_err(), "of another type");
    }

    #[test]
    fn of_many_who_change_it_none_loses_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let document = numbers(dir.path());
        std::thread::scope(|scope| {
            for number in 0..8_u32 {
                let document = &document;
                scope.spawn(move || {
                    let add = |numbers: &mut Vec<u32>| {
                        numbers.push(number);
                        Ok::<_, DocumentError>(())
                    };
                    document.update(add).unwrap();
                });
            }
        });
        let mut numbers = document.read::<Vec<u32>>().unwrap().unwrap();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..8).collect::<Vec<_>>());
    }
}
