//! The state in two generations, of which one is whole at every moment.

use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::OpenError;
use super::aside::{file_name, set_aside};
use super::disk::{Disk, if_there, temporary, write_temporary};
use super::seal::{self, Unreadable};

const STATE: &str = "state.json";
const PREVIOUS: &str = "state.json.previous";
const MAGIC: &str = "everpane-state";

/// Makes `json` the newest generation and gives the bytes written.
pub(super) fn save(disk: &dyn Disk, dir: &Path, json: &[u8]) -> io::Result<usize> {
    let (state, previous) = (dir.join(STATE), dir.join(PREVIOUS));
    let header = seal::header(MAGIC, &[json.len() as u64], &[json]);
    // The order is what makes this safe. Until the new generation is whole on the medium, nothing else is
    // touched. The first rename then gives up the older of two good generations, and between the renames, if
    // it ends there, the old state is the previous one. Two renames do that on every file system, where a hard
    // link would not. The next save, finding no newest generation, leaves the previous one alone.
    let temp = write_temporary(disk, &state, &[&header, json])?;
    if_there(disk.rename(&state, &previous))?;
    disk.rename(&temp, &state)?;
    disk.sync_dir(dir)?;
    Ok(header.len() + json.len())
}

/// The newest generation that is whole and passes `check`, and what a person should know. What a save left
/// half done is removed.
pub(super) fn load<S: DeserializeOwned>(
    disk: &dyn Disk,
    dir: &Path,
    check: impl Fn(&S) -> Result<(), String>,
) -> Result<(Option<S>, Vec<String>), OpenError> {
    let (state, previous) = (dir.join(STATE), dir.join(PREVIOUS));
    let temp = temporary(&state);
    if_there(disk.remove(&temp)).map_err(OpenError::io("remove", &temp))?;

    let mut warnings = Vec::new();
    if let Some(newest) = generation(disk, &state, &check, &mut warnings)? {
        return Ok((Some(newest), warnings));
    }
    let newest_was_damaged = !warnings.is_empty();
    let earlier = generation(disk, &previous, &check, &mut warnings)?;
    match (&earlier, newest_was_damaged) {
        (Some(_), true) => warnings.push("the state saved before it was loaded instead".to_owned()),
        (Some(_), false) => warnings.push(format!(
            "{STATE} was missing, as after a crash in the middle of a save: the state saved before was loaded"
        )),
        (None, _) if !warnings.is_empty() => {
            warnings.push("no saved state could be read: starting with an empty one".to_owned());
        }
        (None, _) => {}
    }
    Ok((earlier, warnings))
}

/// One generation, or `None` if the file is missing or had to be set aside.
fn generation<S: DeserializeOwned>(
    disk: &dyn Disk,
    path: &Path,
    check: impl Fn(&S) -> Result<(), String>,
    warnings: &mut Vec<String>,
) -> Result<Option<S>, OpenError> {
    // A file that is there and cannot be read may be fine on the next try: that is no damage, and starting
    // without it would end in writing over it.
    let Some(file) = if_there(disk.read(path)).map_err(OpenError::io("read", path))? else { return Ok(None) };
    match decode(&file).and_then(|state| match check(&state) {
        Ok(()) => Ok(state),
        Err(reason) => Err(Unreadable::damaged(format!("it contradicts itself: {reason}"))),
    }) {
        Ok(state) => Ok(Some(state)),
        Err(Unreadable::Newer { version }) => Err(OpenError::Newer { path: path.to_owned(), version }),
        Err(Unreadable::Damaged { reason }) => {
            let kept = set_aside(disk, path).map_err(OpenError::io("set aside", path))?;
            warnings.push(message(path, &reason, &kept));
            Ok(None)
        }
    }
}

fn message(path: &Path, reason: &str, kept: &Path) -> String {
    format!("{} is damaged: {reason}; it was kept as {}", path.display(), file_name(kept))
}

fn decode<S: DeserializeOwned>(file: &[u8]) -> Result<S, Unreadable> {
    let ([length], json) = seal::open(MAGIC, file)?;
    if length != json.len() as u64 {
        return Err(Unreadable::damaged("its length is not what its header says"));
    }
    let mut parser = serde_json::Deserializer::from_slice(json);
    let state = serde_path_to_error::deserialize(&mut parser)
        .map_err(|error| Unreadable::damaged(format!("its content is not understood: {error}")))?;
    parser.end().map_err(|error| Unreadable::damaged(format!("its content does not end: {error}")))?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory_disk::{Fault, MemoryDisk};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::path::PathBuf;

    const DIR: &str = "/data";

    fn path(name: &str) -> PathBuf {
        Path::new(DIR).join(name)
    }

    fn save_value(disk: &MemoryDisk, value: &Value) -> io::Result<usize> {
        save(disk, Path::new(DIR), value.to_string().as_bytes())
    }

    fn load_value(disk: &MemoryDisk) -> Result<(Option<Value>, Vec<String>), OpenError> {
        load(disk, Path::new(DIR), |value: &Value| match value["bad"].as_str() {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(()),
        })
    }

    /// A disk with two generations on it.
    fn two_generations() -> MemoryDisk {
        let disk = MemoryDisk::default();
        save_value(&disk, &json!({"n": 1})).unwrap();
        save_value(&disk, &json!({"n": 2})).unwrap();
        disk
    }

    #[test]
    fn the_newest_generation_comes_back_without_a_word() {
        let disk = two_generations();
        assert_eq!(load_value(&disk).unwrap(), (Some(json!({"n": 2})), vec![]));
        assert_eq!(load_value(&MemoryDisk::default()).unwrap(), (None, vec![]));
        let text = String::from_utf8(disk.read(&path(STATE)).unwrap()).unwrap();
        assert!(text.starts_with("everpane-state 1 ") && text.ends_with(" 7\n{\"n\":2}"), "{text}");
    }

    #[test]
    fn cut_at_any_byte_the_previous_generation_comes_back_and_the_file_is_kept() {
        let whole = two_generations().read(&path(STATE)).unwrap();
        for cut in 0..whole.len() {
            let disk = two_generations();
            disk.write_durably(&path(STATE), &[&whole[..cut]]).unwrap();
            let (state, warnings) = load_value(&disk).unwrap();
            assert_eq!(state, Some(json!({"n": 1})), "cut at {cut}");
            assert!(warnings[0].contains("kept as state.json.damaged-1"), "{warnings:?}");
            assert_eq!(disk.read(&path("state.json.damaged-1")).unwrap(), &whole[..cut]);
            // The generation that was saved by it stays when the next one is written.
            save_value(&disk, &json!({"n": 3})).unwrap();
            assert!(String::from_utf8_lossy(&disk.read(&path(PREVIOUS)).unwrap()).ends_with("{\"n\":1}"));
        }
    }

    #[test]
    fn with_both_generations_damaged_it_starts_empty_and_keeps_both() {
        let disk = two_generations();
        disk.write_durably(&path(STATE), &[b"garbage"]).unwrap();
        disk.write_durably(&path(PREVIOUS), &[b""]).unwrap();
        let (state, warnings) = load_value(&disk).unwrap();
        assert_eq!((state, warnings.len()), (None, 3), "{warnings:?}");
        assert!(warnings[2].contains("empty"), "{warnings:?}");
        assert_eq!(disk.read(&path("state.json.damaged-1")).unwrap(), b"garbage");
        assert_eq!(disk.read(&path("state.json.previous.damaged-1")).unwrap(), b"");
        assert_eq!(load_value(&disk).unwrap(), (None, vec![]));
    }

    #[test]
    fn a_well_formed_state_that_contradicts_itself_is_damaged() {
        let disk = two_generations();
        save_value(&disk, &json!({"bad": "two panes p1"})).unwrap();
        let (state, warnings) = load_value(&disk).unwrap();
        assert_eq!(state, Some(json!({"n": 2})));
        assert!(warnings[0].contains("two panes p1"), "{warnings:?}");
    }

    #[test]
    fn a_state_of_another_shape_names_the_field() {
        #[derive(Debug, serde::Deserialize)]
        struct Shape {
            #[serde(rename = "n")]
            _n: String,
        }
        let disk = two_generations();
        let (state, warnings) = load(&disk, Path::new(DIR), |_: &Shape| Ok(())).unwrap();
        assert!(state.is_none() && warnings[0].contains("n: invalid type"), "{warnings:?}");
    }

    #[test]
    fn a_newer_version_is_refused_and_left_alone() {
        for name in [STATE, PREVIOUS] {
            let disk = two_generations();
            disk.remove(&path(STATE)).unwrap();
            disk.write_durably(&path(name), &[b"everpane-state 2 whatever"]).unwrap();
            let error = load_value(&disk).unwrap_err();
            assert!(matches!(&error, OpenError::Newer { version: 2, path: at } if *at == path(name)));
            assert_eq!(disk.read(&path(name)).unwrap(), b"everpane-state 2 whatever");
        }
    }

    #[test]
    fn a_crash_at_any_step_of_a_save_leaves_the_old_state_or_the_new() {
        let mut outcomes = std::collections::BTreeSet::new();
        for steps in 0.. {
            let disk = two_generations();
            disk.fault_after(steps, Fault::Crash);
            let saved = save_value(&disk, &json!({"n": 3}));
            for survivor in disk.after_crash() {
                let (state, _) = load_value(&survivor).unwrap();
                let n = state.expect("a generation")["n"].as_i64().unwrap();
                assert!(n == 3 || (n == 2 && saved.is_err()), "{n} after {steps} steps");
                outcomes.insert(n);
                assert!(!survivor.list(Path::new(DIR)).unwrap().iter().any(|name| name.contains("tmp")));
                // And it goes on from there as if nothing had been.
                save_value(&survivor, &json!({"n": 4})).unwrap();
                assert_eq!(load_value(&survivor).unwrap(), (Some(json!({"n": 4})), vec![]));
            }
            if saved.is_ok() {
                assert!(steps >= 4, "a save has at least four steps");
                break;
            }
        }
        assert_eq!(outcomes, [2, 3].into(), "the test saw both");
    }

    #[test]
    fn an_error_at_any_step_of_a_save_leaves_the_old_state_or_the_new_and_a_retry_works() {
        for steps in 0..4 {
            let disk = two_generations();
            disk.fault_after(steps, Fault::Error(io::ErrorKind::StorageFull));
            let saved = save_value(&disk, &json!({"n": 3}));
            let now = load_value(&disk.copy()).unwrap().0.expect("a generation");
            assert!(now["n"] == 3 || (now["n"] == 2 && saved.is_err()), "{now} after {steps} steps");
            save_value(&disk, &json!({"n": 4})).unwrap();
            assert_eq!(load_value(&disk).unwrap(), (Some(json!({"n": 4})), vec![]));
        }
    }

    proptest! {
        #[test]
        fn random_bytes_are_set_aside(
            mut bytes in prop::collection::vec(any::<u8>(), 0..300),
            sealed: bool,
        ) {
            if sealed {
                // The seal of something that is no state at all.
                bytes.insert(0, b'}');
                let header = seal::header(MAGIC, &[bytes.len() as u64], &[&bytes]);
                bytes.splice(0..0, header);
            }
            let disk = two_generations();
            disk.write_durably(&path(STATE), &[&bytes]).unwrap();
            prop_assert_eq!(load_value(&disk).unwrap().0, Some(json!({"n": 1})));
            prop_assert_eq!(disk.read(&path("state.json.damaged-1")).unwrap(), bytes);
        }
    }
}
