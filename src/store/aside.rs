//! Sets damaged files aside: never overwritten, never deleted, out of the way.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Disk, with_suffix};

/// Renames `path` to the first free `path.damaged-N` after all that exist, and gives the new name. The lock on
/// the data directory keeps others from taking that name meanwhile.
pub(super) fn set_aside(disk: &dyn Disk, path: &Path) -> io::Result<PathBuf> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let stem = with_suffix(Path::new(path.file_name().unwrap_or_default()), ".damaged-");
    let stem = stem.to_string_lossy();
    let last = disk
        .list(dir)?
        .iter()
        .filter_map(|name| name.strip_prefix(&*stem)?.parse::<u32>().ok())
        .max()
        .unwrap_or(0);
    let kept = dir.join(format!("{stem}{}", last.saturating_add(1)));
    disk.rename(path, &kept)?;
    disk.sync_dir(dir)?;
    Ok(kept)
}

/// Only the last part of a path, for messages that name the directory already.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory_disk::MemoryDisk;

    #[test]
    fn every_damaged_file_is_kept_under_its_own_name() {
        let disk = MemoryDisk::default();
        let path = Path::new("/d/f");
        for n in [1, 2, 3] {
            disk.write_durably(path, &[n.to_string().as_bytes()]).unwrap();
            assert_eq!(set_aside(&disk, path).unwrap(), Path::new(&format!("/d/f.damaged-{n}")));
        }
        // A gap that somebody made is not filled: a higher number is always the later one.
        disk.remove(Path::new("/d/f.damaged-1")).unwrap();
        disk.write_durably(path, &[b"4"]).unwrap();
        assert_eq!(set_aside(&disk, path).unwrap(), Path::new("/d/f.damaged-4"));
        assert_eq!(disk.read(Path::new("/d/f.damaged-3")).unwrap(), b"3");
    }
}
