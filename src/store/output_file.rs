//! The last output of each pane: a header line with offset and lengths, the gateway's meta, the raw bytes.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::ids::PaneId;

use super::aside::{file_name, set_aside};
use super::disk::{Disk, TEMPORARY, if_there, write_temporary};
use super::seal::{self, Unreadable};
use super::source::SavedOutput;

const OUTPUTS: &str = "output";
const SUFFIX: &str = ".out";
const MAGIC: &str = "everpane-output";

/// Why a pane's saved output could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadOutputError {
    /// It was not as it had been written; it is out of the way now, so that the next load finds none.
    #[error("the saved output of {pane} is damaged: {reason}; it was kept as {kept_as}")]
    Damaged {
        /// Whose output it was.
        pane: PaneId,
        /// What is wrong with it.
        reason: String,
        /// The name it has now, beside where it was.
        kept_as: String,
    },
    /// It could not be read, or not be set aside.
    #[error("cannot read the saved output of {pane}: {source}")]
    Io {
        /// Whose output it is.
        pane: PaneId,
        /// What came back.
        source: io::Error,
    },
}

fn path(dir: &Path, pane: PaneId) -> PathBuf {
    dir.join(OUTPUTS).join(format!("{pane}{SUFFIX}"))
}

/// Makes the directory and removes what a crash left half written. With `output_bytes` 0, removes all saved
/// outputs too: who turned them off does not want the old ones to stay.
pub(super) fn prepare(disk: &dyn Disk, dir: &Path, output_bytes: usize) -> io::Result<()> {
    let outputs = dir.join(OUTPUTS);
    disk.create_dir(&outputs)?;
    for name in disk.list(&outputs)? {
        if name.ends_with(TEMPORARY) || (output_bytes == 0 && pane_of(&name).is_some()) {
            disk.remove(&outputs.join(name))?;
        }
    }
    Ok(())
}

/// The pane whose output has this file name.
fn pane_of(name: &str) -> Option<PaneId> {
    name.strip_suffix(SUFFIX)?.parse().ok()
}

/// The panes whose output is saved, in order.
pub(super) fn list(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<PaneId>> {
    let names = disk.list(&dir.join(OUTPUTS))?;
    let mut panes: Vec<PaneId> = names.iter().filter_map(|name| pane_of(name)).collect();
    panes.sort_unstable();
    Ok(panes)
}

/// Replaces the saved output of `pane` and gives the bytes written.
pub(super) fn save(disk: &dyn Disk, dir: &Path, pane: PaneId, output: &SavedOutput) -> io::Result<usize> {
    let mut payload = vec![output.meta.as_slice()];
    payload.extend(output.parts.iter().map(Bytes::as_ref));
    let numbers = [output.offset, output.meta.len() as u64, output.byte_count() as u64];
    let header = seal::header(MAGIC, &numbers, &payload);
    payload.insert(0, &header);

    let path = path(dir, pane);
    let temp = write_temporary(disk, &path, &payload)?;
    // The directory is not synced: if the new name is lost with the power, the old output is still whole, and
    // it is not worth a second wait for the disk per pane.
    disk.rename(&temp, &path)?;
    Ok(payload.iter().map(|part| part.len()).sum())
}

/// Removes the saved output of `pane`, if there is any.
pub(super) fn remove(disk: &dyn Disk, dir: &Path, pane: PaneId) -> io::Result<()> {
    if_there(disk.remove(&path(dir, pane))).map(drop)
}

/// The saved output of `pane`; `None` if there is none.
pub(super) fn load(
    disk: &dyn Disk,
    dir: &Path,
    pane: PaneId,
) -> Result<Option<SavedOutput>, LoadOutputError> {
    let io_error = |source| LoadOutputError::Io { pane, source };
    let path = path(dir, pane);
    let Some(file) = if_there(disk.read(&path)).map_err(io_error)? else { return Ok(None) };
    let reason = match decode(file) {
        Ok(output) => return Ok(Some(output)),
        Err(Unreadable::Damaged { reason }) => reason,
        Err(Unreadable::Newer { version }) => format!("it has the newer format {version}"),
    };
    let kept = set_aside(disk, &path).map_err(io_error)?;
    Err(LoadOutputError::Damaged { pane, reason, kept_as: file_name(&kept) })
}

/// Sets the saved output of `pane` aside, whole as it is, and gives its new name.
pub(super) fn keep_aside(disk: &dyn Disk, dir: &Path, pane: PaneId) -> io::Result<String> {
    set_aside(disk, &path(dir, pane)).map(|kept| file_name(&kept))
}

fn decode(file: Vec<u8>) -> Result<SavedOutput, Unreadable> {
    let ([offset, meta_length, length], payload) = seal::open(MAGIC, &file)?;
    let lengths_match = meta_length.checked_add(length) == Some(payload.len() as u64);
    let (Some((meta, data)), true) =
        (usize::try_from(meta_length).ok().and_then(|at| payload.split_at_checked(at)), lengths_match)
    else {
        return Err(Unreadable::damaged("its lengths are not what its header says"));
    };
    let (meta, data_at) = (meta.to_vec(), file.len() - data.len());
    // The rest of the file is the output: no second copy of it is made.
    let data = Bytes::from(file).slice(data_at..);
    Ok(SavedOutput { offset, meta, parts: if data.is_empty() { vec![] } else { vec![data] } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory_disk::{Fault, MemoryDisk};
    use proptest::prelude::*;

    const PANE: PaneId = PaneId(7);

    fn dir() -> &'static Path {
        Path::new("/data")
    }

    fn output(offset: u64, text: &'static str) -> SavedOutput {
        SavedOutput { offset, meta: b"{\"mouse\":true}".to_vec(), parts: vec![text.into()] }
    }

    #[test]
    fn panes_are_listed_and_nothing_else_is() {
        let disk = MemoryDisk::default();
        for pane in [12, 3] {
            save(&disk, dir(), PaneId(pane), &output(0, "x")).unwrap();
        }
        for name in ["p4.out.tmp", "p5.out.damaged-1", "t6.out", "p7", "notes"] {
            disk.write_durably(&dir().join(OUTPUTS).join(name), &[b"x"]).unwrap();
        }
        assert_eq!(list(&disk, dir()).unwrap(), [PaneId(3), PaneId(12)]);
        prepare(&disk, dir(), 1).unwrap();
        let names = disk.list(&dir().join(OUTPUTS)).unwrap();
        assert!(names.len() == 6 && !names.contains(&"p4.out.tmp".to_owned()), "{names:?}");
        remove(&disk, dir(), PaneId(3)).unwrap();
        remove(&disk, dir(), PaneId(3)).unwrap();
        assert_eq!(load(&disk, dir(), PaneId(3)).unwrap(), None);
        prepare(&disk, dir(), 0).unwrap();
        assert_eq!(list(&disk, dir()).unwrap(), []);
    }

    #[test]
    fn cut_at_any_byte_it_is_set_aside_once() {
        let disk = MemoryDisk::default();
        save(&disk, dir(), PANE, &output(5, "hello")).unwrap();
        let whole = disk.read(&path(dir(), PANE)).unwrap();
        for cut in 0..whole.len() {
            disk.write_durably(&path(dir(), PANE), &[&whole[..cut]]).unwrap();
            let error = load(&disk, dir(), PANE).unwrap_err();
            assert!(error.to_string().contains(&format!("p7.out.damaged-{}", cut + 1)), "{error}");
            assert_eq!(load(&disk, dir(), PANE).unwrap(), None);
        }
    }

    #[test]
    fn lengths_that_lie_are_damage_even_under_a_good_checksum() {
        let disk = MemoryDisk::default();
        for numbers in [[0, 3, 3], [0, 6, 0], [0, u64::MAX, 6], [0, u64::MAX, 0], [0, 4, u64::MAX]] {
            let header = seal::header(MAGIC, &numbers, &[b"hello"]);
            disk.write_durably(&path(dir(), PANE), &[&header, b"hello"]).unwrap();
            assert!(matches!(load(&disk, dir(), PANE), Err(LoadOutputError::Damaged { .. })), "{numbers:?}");
        }
    }

    #[test]
    fn a_crash_at_any_step_of_a_save_leaves_the_old_output_or_the_new() {
        for steps in 0.. {
            let disk = MemoryDisk::default();
            let (old, new) = (output(0, "old"), output(3, "new"));
            save(&disk, dir(), PANE, &old).unwrap();
            disk.sync_dir(&dir().join(OUTPUTS)).unwrap();
            disk.fault_after(steps, Fault::Crash);
            let saved = save(&disk, dir(), PANE, &new);
            for survivor in disk.after_crash() {
                prepare(&survivor, dir(), 1).unwrap();
                let loaded = load(&survivor, dir(), PANE).unwrap().unwrap();
                assert!(loaded == old || loaded == new, "{loaded:?} after {steps} steps");
            }
            if saved.is_ok() {
                break;
            }
        }
    }

    proptest! {
        #[test]
        fn an_output_comes_back_as_it_was(
            offset: u64,
            meta in prop::collection::vec(any::<u8>(), 0..40),
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5),
        ) {
            let disk = MemoryDisk::default();
            let saved = SavedOutput { offset, meta, parts: parts.into_iter().map(Bytes::from).collect() };
            save(&disk, dir(), PANE, &saved).unwrap();
            let loaded = load(&disk, dir(), PANE).unwrap().unwrap();
            prop_assert_eq!(loaded.offset, saved.offset);
            prop_assert_eq!(loaded.parts.concat(), saved.parts.concat());
            prop_assert_eq!(loaded.meta, saved.meta);
        }

        #[test]
        fn random_bytes_are_set_aside(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let disk = MemoryDisk::default();
            disk.write_durably(&path(dir(), PANE), &[&bytes]).unwrap();
            prop_assert!(load(&disk, dir(), PANE).is_err());
            prop_assert_eq!(load(&disk, dir(), PANE).unwrap(), None);
        }
    }
}
