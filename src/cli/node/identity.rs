//! Who a node is: an id that it keeps over its restarts, and a name of its process.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

/// The file in the state directory that the id is kept in.
const FILE_NAME: &str = "node-id";

/// The most characters of the machine's name that go into an id.
const MAX_NAME_CHARS: usize = 40;

/// What a node tells of itself when it registers.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// Its id.
    pub(super) id: String,
    /// What people know its machine by.
    pub(super) machine: String,
    /// The directory of its programs.
    pub(super) cwd: String,
    /// A random name of this process.
    pub(super) instance: String,
}

/// The id that is kept in `dir`, made at the first time from the machine's name and chance.
///
/// # Errors
/// When it can't be read, or kept.
pub(super) fn kept_id(dir: &Path, machine: &str) -> anyhow::Result<String> {
    let path = dir.join(FILE_NAME);
    let about = || format!("the id of this node in {}", path.display());
    fs::create_dir_all(dir).with_context(about)?;
    let new = format!("{}-{}", plain(machine), random_name()?);
    // Two that start at once agree on what the first one wrote.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            file.write_all(format!("{new}\n").as_bytes()).with_context(about)?;
            Ok(new)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let id = fs::read_to_string(&path).with_context(about)?.trim().to_owned();
            anyhow::ensure!(!id.is_empty(), "{} is empty; remove it to get a new id", path.display());
            Ok(id)
        }
        Err(error) => Err(error).with_context(about),
    }
}

/// A name that no other process has.
///
/// # Errors
/// When the system has no randomness.
pub(super) fn random_name() -> anyhow::Result<String> {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The machine's name, as far as it is fit for an id, which begins with a letter or a digit.
fn plain(machine: &str) -> String {
    let fit = |char: &char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_');
    let start = machine.trim_start_matches(|char: char| !char.is_ascii_alphanumeric());
    let plain: String = start.chars().filter(fit).take(MAX_NAME_CHARS).collect();
    if plain.is_empty() { "node".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/b");
        let id = kept_id(&state, "my box!").unwrap();
        assert!(id.starts_with("mybox-") && id.len() == "mybox-".len() + 12, "{id}");
        assert_eq!(kept_id(&state, "another").unwrap(), id);
        fs::write(state.join(FILE_NAME), "\n").unwrap();
        assert!(kept_id(&state, "box").unwrap_err().to_string().contains("remove it"));
        assert!(kept_id(&dir.path().join("other"), "-é").unwrap().starts_with("node-"));
    }
}
