//! A disk for tests that fills up, fails and crashes. Bytes are on the medium once a write succeeded; names are
//! only after their directory was synced, and a crash before that may keep any number of the renames, in order,
//! as a journal does.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use super::disk::Disk;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What happens to a file operation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// It fails, and the next ones work again.
    Error(io::ErrorKind),
    /// It is the last one, and may be half done.
    Crash,
}

#[derive(Debug, Default)]
struct Medium {
    /// What a reader sees now.
    files: Files,
    /// What was there at each step since the last sync, oldest first.
    unsynced: Vec<Files>,
    /// The fault that comes after so many more changing operations.
    fault: Option<(usize, Fault)>,
    /// Whether it has crashed: nothing works any more.
    crashed: bool,
    /// What every write fails with, half done, until it is cleared.
    refuses: Option<io::ErrorKind>,
}

impl Medium {
    /// Counts a changing operation, which goes ahead unless this gives an error.
    fn step(&mut self) -> io::Result<()> {
        if self.crashed {
            return Err(io::Error::other("crashed"));
        }
        match &mut self.fault {
            Some((0, Fault::Error(kind))) => {
                let kind = *kind;
                self.fault = None;
                Err(kind.into())
            }
            Some((0, Fault::Crash)) => {
                self.crashed = true;
                Err(io::Error::other("crashed"))
            }
            Some((steps, _)) => {
                *steps -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Files)) {
        self.unsynced.push(self.files.clone());
        change(&mut self.files);
    }
}

#[derive(Debug, Default)]
pub(super) struct MemoryDisk {
    /// One lock for all of it; never held across a call.
    medium: Mutex<Medium>,
}

impl MemoryDisk {
    fn medium(&self) -> MutexGuard<'_, Medium> {
        self.medium.lock().unwrap()
    }

    /// Lets `steps` changing operations through and then faults once.
    pub(super) fn fault_after(&self, steps: usize, fault: Fault) {
        self.medium().fault = Some((steps, fault));
    }

    /// Makes every write fail, until it is called with `None`.
    pub(super) fn refuse_writes(&self, kind: Option<io::ErrorKind>) {
        self.medium().refuses = kind;
    }

    /// A disk with the files that a reader sees now.
    pub(super) fn copy(&self) -> MemoryDisk {
        MemoryDisk::with(self.medium().files.clone())
    }

    /// Every disk that one may find after a crash at this moment.
    pub(super) fn after_crash(&self) -> Vec<MemoryDisk> {
        let medium = self.medium();
        medium.unsynced.iter().chain([&medium.files]).cloned().map(MemoryDisk::with).collect()
    }

    fn with(files: Files) -> MemoryDisk {
        MemoryDisk { medium: Mutex::new(Medium { files, ..Medium::default() }) }
    }
}

impl Disk for MemoryDisk {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let medium = self.medium();
        let inside = medium.files.keys().filter_map(|path| path.strip_prefix(dir).ok());
        Ok(inside.filter(|rest| rest.iter().count() == 1).map(|rest| rest.display().to_string()).collect())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.medium().files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write_durably(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let mut medium = self.medium();
        let bytes = parts.concat();
        if medium.crashed {
            return Err(io::Error::other("crashed"));
        }
        // Torn on the way: a part of it is there if it fails, or if it crashes before the end.
        medium.change(|files| drop(files.insert(path.to_owned(), Vec::new())));
        medium.change(|files| drop(files.insert(path.to_owned(), bytes[..bytes.len() / 2].to_vec())));
        if let Some(kind) = medium.refuses {
            return Err(kind.into());
        }
        medium.step()?;
        medium.change(|files| drop(files.insert(path.to_owned(), bytes)));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut medium = self.medium();
        medium.step()?;
        let bytes = medium.files.get(from).cloned().ok_or(io::ErrorKind::NotFound)?;
        medium.change(|files| {
            files.remove(from);
            files.insert(to.to_owned(), bytes);
        });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut medium = self.medium();
        medium.step()?;
        if !medium.files.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        medium.change(|files| drop(files.remove(path)));
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        let mut medium = self.medium();
        medium.step()?;
        medium.unsynced.clear();
        Ok(())
    }
}
