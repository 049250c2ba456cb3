//! The folders of a machine, for whoever looks for a place for a new pane: never outside of the root that is allowed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};

/// The most folders that one answer names; of a folder with more, the first by name that were come upon.
pub const MAX_DIRECTORIES: usize = 2000;

/// The most entries of one folder that are looked at.
const MAX_ENTRIES: usize = 50_000;

/// The folders in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The folder, links resolved.
    pub current: String,
    /// The names of the folders in it that can be entered and are not hidden, sorted.
    pub directories: Vec<String>,
}

/// Why a folder can't be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum DirectoryError {
    /// Nothing is there.
    #[error("there is no folder {}", path.display())]
    Missing { path: PathBuf },
    /// It is there, or would be, outside of the root.
    #[error("{} is outside of {}", path.display(), root.display())]
    Outside { path: PathBuf, root: PathBuf },
    /// It is no folder, or not ours to read.
    #[error("{}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
}

/// The folders in `path`, which is `root` or below it; a relative one counts from `root`. Hidden and unreadable ones
/// are left out, and so are links that lead out of `root`.
///
/// # Errors
/// When `path` is no readable folder, or outside of `root`, also by a link.
pub fn directories(root: &Path, path: &Path) -> Result<Listing, DirectoryError> {
    let unreadable = |path: &Path, reason: &dyn ToString| DirectoryError::Unreadable {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let root = root.canonicalize().map_err(|error| unreadable(root, &error))?;
    let current = resolve(&root, path)?;
    let text = current.to_str().ok_or_else(|| unreadable(path, &"its name is not UTF-8"))?.to_owned();
    let entries = fs::read_dir(&current).map_err(|error| unreadable(path, &error))?;
    let mut directories: Vec<String> = entries
        .take(MAX_ENTRIES)
        .filter_map(|entry| shown(&root, &current, &entry.ok()?.file_name()))
        .take(MAX_DIRECTORIES)
        .collect();
    directories.sort_unstable();
    Ok(Listing { current: text, directories })
}

/// The folder that `path` leads to, if that is within `root`. What lies outside is not even said to be missing.
fn resolve(root: &Path, path: &Path) -> Result<PathBuf, DirectoryError> {
    let asked = root.join(path);
    let outside = || DirectoryError::Outside { path: path.to_owned(), root: root.to_owned() };
    let Ok(found) = asked.canonicalize() else {
        let nearest = asked.ancestors().find_map(|parent| parent.canonicalize().ok());
        let climbs = asked.components().any(|part| part.as_os_str() == "..");
        let inside = !climbs && nearest.is_some_and(|nearest| nearest.starts_with(root));
        return Err(if inside { DirectoryError::Missing { path: path.to_owned() } } else { outside() });
    };
    if found.starts_with(root) { Ok(found) } else { Err(outside()) }
}

/// The name of an entry, if it is to be shown.
fn shown(root: &Path, current: &Path, name: &OsStr) -> Option<String> {
    let name = name.to_str().filter(|name| !name.starts_with('.'))?;
    let target = current.join(name).canonicalize().ok()?;
    let readable = target.is_dir() && access(&target, Access::READ_OK | Access::EXEC_OK).is_ok();
    (readable && target.starts_with(root)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A root with folders in it, and one beside it.
    fn tree() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        for folder in ["root/b/deep", "root/a", "root/.hidden", "root/locked", "beside/secret"] {
            fs::create_dir_all(base.join(folder)).unwrap();
        }
        fs::write(base.join("root/file"), "").unwrap();
        symlink(base.join("beside"), base.join("root/way-out")).unwrap();
        symlink("b/deep", base.join("root/inward")).unwrap();
        symlink("nowhere", base.join("root/broken")).unwrap();
        (dir, base)
    }

    #[test]
    fn folders_are_sorted_and_neither_hidden_nor_outside() {
        let (_dir, base) = tree();
        let root = base.join("root");
        let listing = directories(&root, Path::new("")).unwrap();
        assert_eq!(listing.current, root.to_str().unwrap());
        assert_eq!(listing.directories, ["a", "b", "inward", "locked"]);
        assert_eq!(directories(&root, Path::new("b")).unwrap().directories, ["deep"]);
        assert_eq!(
            directories(&root, &root.join("inward")).unwrap().current,
            root.join("b/deep").to_str().unwrap()
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let (_dir, base) = tree();
        let root = base.join("root");
        fs::set_permissions(root.join("locked"), fs::Permissions::from_mode(0)).unwrap();
        // Nothing is locked to the superuser.
        let locked = access(root.join("locked"), Access::READ_OK).is_err();
        let shown = directories(&root, &root).unwrap().directories;
        assert_eq!(shown.contains(&"locked".to_owned()), !locked);
        fs::set_permissions(root.join("locked"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn nothing_outside_of_the_root_is_shown_or_told_of() {
        let (_dir, base) = tree();
        let root = base.join("root");
        let error = |path: &str| directories(&root, Path::new(path)).unwrap_err();
        for path in [
            "..",
            "b/../..",
            "/",
            "way-out",
            "way-out/secret",
            "way-out/nothing",
            "../beside",
            "../nothing",
            "/nothing",
        ] {
            assert!(matches!(error(path), DirectoryError::Outside { .. }), "{path}: {:?}", error(path));
        }
        assert!(matches!(error("nothing"), DirectoryError::Missing { .. }));
        assert!(matches!(error("file"), DirectoryError::Unreadable { .. }));
        // A sibling whose name begins like the root's is no child of it.
        fs::create_dir(base.join("rooted")).unwrap();
        let sibling = base.join("rooted");
        assert!(matches!(directories(&root, &sibling), Err(DirectoryError::Outside { .. })));
    }

    #[test]
    fn a_huge_folder_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..=MAX_DIRECTORIES {
            fs::create_dir(dir.path().join(number.to_string())).unwrap();
        }
        assert_eq!(directories(dir.path(), Path::new("")).unwrap().directories.len(), MAX_DIRECTORIES);
    }
}
