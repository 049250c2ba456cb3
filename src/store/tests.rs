//! The store as a whole: through its thread, on a real directory or on a disk that fails.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, mpsc};

use serde_json::{Value, json};

use super::memory_disk::MemoryDisk;
use super::*;

const SOON: Duration = Duration::from_secs(10);
const P1: PaneId = PaneId(1);
const P2: PaneId = PaneId(2);

/// A gateway of one JSON value and some outputs.
#[derive(Default)]
struct Gateway {
    state: Mutex<Value>,
    outputs: Mutex<HashMap<PaneId, SavedOutput>>,
    /// When set, `state` waits for a word on it.
    gate: Mutex<Option<mpsc::Receiver<()>>>,
    /// While set, `output` of that pane panics.
    broken: Mutex<Option<PaneId>>,
}

impl Gateway {
    fn set_state(&self, state: Value) {
        *self.state.lock().unwrap() = state;
    }

    fn set_output(&self, pane: PaneId, text: &'static str) {
        let output = SavedOutput { offset: 40, meta: b"{\"alt\":1}".to_vec(), parts: vec![text.into()] };
        self.outputs.lock().unwrap().insert(pane, output);
    }
}

impl Source for Gateway {
    fn state(&self) -> Vec<u8> {
        if let Some(gate) = &*self.gate.lock().unwrap() {
            gate.recv().unwrap();
        }
        self.state.lock().unwrap().to_string().into_bytes()
    }

    fn output(&self, pane: PaneId) -> Option<SavedOutput> {
        let broken = *self.broken.lock().unwrap();
        assert!(broken != Some(pane), "broken on purpose");
        self.outputs.lock().unwrap().get(&pane).cloned()
    }
}

/// Limits under which a test has to wait for nothing but the threads.
fn fast() -> Limits {
    let ms = Duration::from_millis;
    let pace = Pace {
        state_wait: ms(1),
        state_gap: ms(1),
        output_wait: ms(1),
        output_gap: ms(1),
        retry_first: ms(1),
        retry_max: ms(5),
        ..Pace::default()
    };
    Limits { pace, ..Limits::default() }
}

/// Limits under which nothing is ever written but by a flush.
fn slow() -> Limits {
    let pace = Pace { state_wait: SOON * 100, output_wait: SOON * 100, ..Pace::default() };
    Limits { pace, ..Limits::default() }
}

fn fine(_: &Value) -> Result<(), String> {
    Ok(())
}

fn open(dir: &Path, limits: Limits) -> Opened<Value> {
    Store::open(dir, limits, fine).unwrap()
}

/// A running store and its gateway.
fn running(disk: Arc<dyn Disk>, dir: &Path, limits: Limits) -> (Store, Arc<Gateway>) {
    let mut store = Store::open_on(disk, dir, limits, fine).unwrap().store;
    let gateway = Arc::new(Gateway::default());
    store.run(Arc::clone(&gateway) as Arc<dyn Source>).unwrap();
    (store, gateway)
}

fn eventually(condition: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < end, "it never came");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The state that a gateway starting now would find, leaving the disk as it is.
fn state_on(disk: &MemoryDisk, dir: &Path) -> Option<Value> {
    state_file::load(&disk.copy(), dir, fine).unwrap().0
}

async fn health_becomes(store: &Store, wanted: impl Fn(&Option<String>) -> bool) {
    let mut changes = store.health_changes();
    tokio::time::timeout(SOON, changes.wait_for(wanted)).await.expect("in time").expect("a running store");
}

#[test]
fn what_was_flushed_is_there_after_a_restart() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    let (store, gateway) = running(Arc::new(RealDisk), &dir, slow());
    gateway.set_state(json!({"tabs": [1, 2]}));
    gateway.set_output(P1, "hello");
    store.marks().mark_state();
    store.marks().output_mark(P1).mark();
    store.flush(SOON).unwrap();
    drop(store);

    let Opened { store, state, warnings } = open(&dir, slow());
    assert_eq!((state, warnings), (Some(json!({"tabs": [1, 2]})), vec![]));
    assert_eq!(store.saved_outputs().unwrap(), [P1]);
    assert_eq!(store.load_output(P1).unwrap().as_ref(), gateway.outputs.lock().unwrap().get(&P1));
    assert_eq!(store.load_output(P2).unwrap(), None);
    let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("state.json"), mode("output/p1.out"), mode("gateway.lock")], [0o600; 3]);
    assert_eq!([mode(""), mode("output")], [0o700; 2]);
}

#[test]
fn marks_alone_bring_it_to_the_disk_again_and_again() {
    let root = tempfile::tempdir().unwrap();
    let (store, gateway) = running(Arc::new(RealDisk), root.path(), fast());
    let (marks, mark) = (store.marks(), store.marks().output_mark(P1));
    for text in ["one", "two", "three"] {
        gateway.set_state(json!(text));
        gateway.set_output(P1, text);
        marks.mark_state();
        mark.mark();
        eventually(|| {
            fs::read(root.path().join("state.json"))
                .is_ok_and(|file| file.ends_with(json!(text).to_string().as_bytes()))
        });
        eventually(|| {
            store.load_output(P1).unwrap().is_some_and(|output| output.parts.concat() == text.as_bytes())
        });
    }
    assert_eq!(store.health(), None);
}

#[test]
fn a_second_gateway_on_the_directory_is_told_and_disturbs_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (store, gateway) = running(Arc::new(RealDisk), root.path(), slow());
    gateway.set_state(json!(1));
    store.marks().mark_state();
    store.flush(SOON).unwrap();
    fs::write(root.path().join("state.json.tmp"), "of the first, being written").unwrap();
    let error = Store::open(root.path(), slow(), fine).unwrap_err();
    assert!(matches!(error, OpenError::InUse { pid: Some(_), .. }), "{error}");
    assert!(root.path().join("state.json.tmp").exists());
    drop(store);
    assert_eq!(open(root.path(), slow()).state, Some(json!(1)));
    assert!(!root.path().join("state.json.tmp").exists(), "left over by a crash");
}

#[test]
fn a_newer_state_refuses_the_start_and_gives_the_lock_back() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("state.json"), "everpane-state 9 anything").unwrap();
    for _ in 0..2 {
        let error = Store::open(root.path(), slow(), fine).unwrap_err();
        assert!(matches!(error, OpenError::Newer { version: 9, .. }), "{error}");
    }
    assert_eq!(fs::read_to_string(root.path().join("state.json")).unwrap(), "everpane-state 9 anything");
}

#[tokio::test]
async fn a_full_disk_shows_keeps_the_old_state_and_mends_by_itself() {
    let root = tempfile::tempdir().unwrap();
    for kind in [ErrorKind::StorageFull, ErrorKind::ReadOnlyFilesystem, ErrorKind::Other] {
        let disk = Arc::new(MemoryDisk::default());
        let (store, gateway) = running(Arc::clone(&disk) as Arc<dyn Disk>, root.path(), fast());
        gateway.set_state(json!("old"));
        store.marks().mark_state();
        store.flush(SOON).unwrap();

        disk.refuse_writes(Some(kind));
        gateway.set_state(json!("new"));
        gateway.set_output(P1, "text");
        store.marks().mark_state();
        store.marks().output_mark(P1).mark();
        health_becomes(&store, Option::is_some).await;
        assert!(store.health().unwrap().contains(&root.path().display().to_string()));
        assert!(matches!(store.flush(SOON), Err(FlushError::Failed { .. })));
        assert_eq!(state_on(&disk, root.path()), Some(json!("old")));

        disk.refuse_writes(None);
        health_becomes(&store, Option::is_none).await;
        assert_eq!(state_on(&disk, root.path()), Some(json!("new")));
        assert_eq!(store.saved_outputs().unwrap(), [P1]);
    }
}

#[tokio::test]
async fn a_source_that_panics_for_one_pane_leaves_the_others_saved() {
    let root = tempfile::tempdir().unwrap();
    let disk = Arc::new(MemoryDisk::default());
    let (store, gateway) = running(Arc::clone(&disk) as Arc<dyn Disk>, root.path(), fast());
    *gateway.broken.lock().unwrap() = Some(P1);
    for pane in [P1, P2] {
        gateway.set_output(pane, "text");
        store.marks().output_mark(pane).mark();
    }
    health_becomes(&store, Option::is_some).await;
    eventually(|| store.saved_outputs().unwrap() == [P2]);
    *gateway.broken.lock().unwrap() = None;
    health_becomes(&store, Option::is_none).await;
    assert_eq!(store.saved_outputs().unwrap(), [P1, P2]);
}

#[test]
fn a_closed_pane_leaves_no_output_behind() {
    let root = tempfile::tempdir().unwrap();
    let (store, gateway) = running(Arc::new(RealDisk), root.path(), slow());
    let marks = [P1, P2].map(|pane| store.marks().output_mark(pane));
    for (pane, mark) in [P1, P2].into_iter().zip(&marks) {
        gateway.set_output(pane, "text");
        mark.mark();
    }
    store.flush(SOON).unwrap();
    assert_eq!(store.saved_outputs().unwrap(), [P1, P2]);
    gateway.outputs.lock().unwrap().clear();
    // One is forgotten with a mark under way, the other is only found missing.
    marks[0].mark();
    store.marks().forget_output(P1);
    marks[1].mark();
    store.flush(SOON).unwrap();
    assert_eq!(store.saved_outputs().unwrap(), []);
}

#[test]
fn only_the_newest_output_is_kept_and_none_if_so_wished() {
    let root = tempfile::tempdir().unwrap();
    let save = |output_bytes| {
        let (store, gateway) = running(Arc::new(RealDisk), root.path(), Limits { output_bytes, ..slow() });
        gateway.set_output(P1, "0123456789");
        store.marks().output_mark(P1).mark();
        store.flush(SOON).unwrap();
        store.load_output(P1).unwrap()
    };
    let output = save(4).unwrap();
    assert_eq!((output.offset, output.parts.concat()), (46, b"6789".to_vec()));
    assert_eq!(save(0), None);
}

#[test]
fn a_flush_that_cannot_end_in_time_says_so_and_a_later_one_ends() {
    let root = tempfile::tempdir().unwrap();
    let (store, gateway) = running(Arc::new(RealDisk), root.path(), slow());
    let (open_tx, gate) = mpsc::channel();
    *gateway.gate.lock().unwrap() = Some(gate);
    gateway.set_output(P1, "text");
    store.marks().mark_state();
    store.marks().output_mark(P1).mark();
    assert_eq!(store.flush(Duration::from_millis(20)), Err(FlushError::Late));
    open_tx.send(()).unwrap();
    store.flush(SOON).unwrap();
    assert_eq!(store.saved_outputs().unwrap(), [P1]);
}

#[test]
fn marks_made_before_it_runs_count_and_after_its_end_do_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut store = open(root.path(), slow()).store;
    let marks = store.marks();
    marks.mark_state();
    assert_eq!(store.flush(SOON), Err(FlushError::NotRunning));
    let gateway = Arc::new(Gateway::default());
    gateway.set_state(json!(5));
    for _ in 0..2 {
        store.run(Arc::clone(&gateway) as Arc<dyn Source>).unwrap();
    }
    store.flush(SOON).unwrap();
    drop(store);
    marks.mark_state();
    marks.output_mark(P1).mark();
    assert_eq!(Arc::strong_count(&gateway), 1, "the thread has ended");
    assert_eq!(open(root.path(), slow()).state, Some(json!(5)));
}
