//! The few file operations that the store is made of, as a seam: tests put a disk behind it that fills up,
//! fails, tears writes and crashes.

use std::fmt::Debug;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// File operations. Each may fail, and may be the last before a crash.
pub(super) trait Disk: Debug + Send + Sync + 'static {
    /// Makes a directory that only its owner enters, with its parents; one that exists is left as it is.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// The names in a directory, unordered; those that are not UTF-8 are none of ours and left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// A whole file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Makes or empties a file that only its owner reads, writes the parts one after the other and waits until
    /// the bytes are on the medium (the name may not be: see [`Disk::sync_dir`]). After an error the file may
    /// hold any part of it.
    fn write_durably(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()>;
    /// Renames atomically, replacing what has the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Waits until the names in a directory are on the medium.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// The operating system's disk.
#[derive(Debug)]
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(dir)?
            .map(|entry| Ok(entry?.file_name().into_string().ok()))
            .filter_map(Result::transpose)
            .collect()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn write_durably(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let mut buffered = BufWriter::new(&file);
        for part in parts {
            buffered.write_all(part)?;
        }
        buffered.flush()?;
        drop(buffered);
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

/// The name under which a file is written before it takes its place.
pub(super) fn temporary(path: &Path) -> PathBuf {
    with_suffix(path, TEMPORARY)
}

/// What [`temporary`] names end in.
pub(super) const TEMPORARY: &str = ".tmp";

/// `path` with `suffix` after its last letter.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Writes the temporary file of `path` and gives its name; a failed try leaves nothing behind, so that a full
/// disk does not stay full because of us.
pub(super) fn write_temporary(disk: &dyn Disk, path: &Path, parts: &[&[u8]]) -> io::Result<PathBuf> {
    let temp = temporary(path);
    match disk.write_durably(&temp, parts) {
        Ok(()) => Ok(temp),
        Err(error) => {
            // The error that matters is the first one; what stays is overwritten by the next try.
            let _ = disk.remove(&temp);
            Err(error)
        }
    }
}

/// Turns "no such file" into `None`.
pub(super) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_and_directories_are_for_their_owner_only() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        let file = dir.join("f");
        RealDisk.create_dir(&dir).unwrap();
        RealDisk.create_dir(&dir).unwrap();
        RealDisk.write_durably(&file, &[b"one", b"", b"two"]).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&file)), (0o700, 0o600));
        assert_eq!(RealDisk.read(&file).unwrap(), b"onetwo");
        assert_eq!(RealDisk.list(&dir).unwrap(), ["f"]);
        assert!(if_there(RealDisk.read(&dir.join("g"))).unwrap().is_none());
        assert!(if_there(RealDisk.read(&dir)).is_err());
    }
}
