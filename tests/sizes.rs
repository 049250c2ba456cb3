//! Who decides a pane's size, and what its program hears of it, asked of the real program.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::{Duration, Instant};

use everpane::ids::PaneId;
use serde_json::{Value, json};

use support::stage::Stage;
use support::viewer::TestViewer;

/// Prints its size at first and whenever it is told one, and counts.
const TELLER: &str = r#"
n=0
tell() { echo "<$n: $(stty size)>"; }
trap 'n=$((n+1)); tell' WINCH
tell
while :; do read -r line; done
"#;

/// Waits until both the viewer and the program know that the size is `cols` by `rows`.
fn until_size(viewer: &mut TestViewer, pane: PaneId, cols: u16, rows: u16) {
    viewer.until(&format!("{cols} by {rows}"), |mirror| {
        (mirror.pane(pane).cols, mirror.pane(pane).rows) == (cols, rows)
    });
    viewer.until(&format!("{cols} by {rows} in the program"), |mirror| {
        mirror.text(pane).trim_end().ends_with(&format!(": {rows} {cols}>"))
    });
}

fn resize(viewer: &mut TestViewer, pane: PaneId, cols: u16, rows: u16) {
    viewer.ask(json!({ "type": "pane_resize", "paneId": pane, "cols": cols, "rows": rows }));
}

fn set_policy(viewer: &mut TestViewer, pane: PaneId, policy: Value) {
    viewer.ask(json!({ "type": "pane_set", "paneId": pane, "size": policy }));
}

/// A pane with two viewers of different shapes; nobody has typed.
fn two_viewers(stage: &Stage) -> (TestViewer, TestViewer, PaneId) {
    let (mut narrow, pane) = stage.open();
    narrow.until_shows(pane, "<0: ");
    let mut wide = stage.viewer();
    wide.watch(pane);
    resize(&mut narrow, pane, 40, 60);
    resize(&mut wide, pane, 120, 30);
    until_size(&mut narrow, pane, 40, 30);
    (narrow, wide, pane)
}

#[test]
fn the_size_follows_who_typed_last() {
    let stage = Stage::with_script(TELLER);
    let (mut narrow, mut wide, pane) = two_viewers(&stage);
    wide.type_in(pane, "\n");
    until_size(&mut narrow, pane, 120, 30);
    narrow.type_in(pane, "\n");
    // Seen by the same viewer: the other may have read no further than to the same size at the beginning.
    until_size(&mut narrow, pane, 40, 60);
    wide.type_in(pane, "\n");
    resize(&mut narrow, pane, 41, 61);
    resize(&mut wide, pane, 121, 31);
    until_size(&mut narrow, pane, 121, 31);
    // Who is gone has no say any more.
    drop(wide);
    until_size(&mut narrow, pane, 41, 61);
}

#[test]
fn the_smallest_viewer_may_decide() {
    let stage = Stage::with_script(TELLER);
    let (mut narrow, mut wide, pane) = two_viewers(&stage);
    set_policy(&mut narrow, pane, json!({ "policy": "smallest" }));
    wide.type_in(pane, "\n");
    resize(&mut wide, pane, 100, 20);
    until_size(&mut narrow, pane, 40, 20);
    drop(narrow);
    until_size(&mut wide, pane, 100, 20);
}

#[test]
fn a_size_may_be_fixed() {
    let stage = Stage::with_script(TELLER);
    let (mut narrow, mut wide, pane) = two_viewers(&stage);
    set_policy(&mut narrow, pane, json!({ "policy": "fixed", "cols": 132, "rows": 43 }));
    until_size(&mut wide, pane, 132, 43);
    let told = wide.mirror.text(pane).matches('<').count();
    wide.type_in(pane, "\n");
    resize(&mut wide, pane, 90, 20);
    set_policy(&mut wide, pane, json!({ "policy": "latest" }));
    until_size(&mut narrow, pane, 90, 20);
    wide.sync();
    assert!(narrow.mirror.text(pane).matches('<').count() <= told + 1, "{}", narrow.mirror.text(pane));
}

#[test]
fn a_viewer_may_have_no_say() {
    let stage = Stage::with_script(TELLER);
    let (mut narrow, mut silent, pane) = two_viewers(&stage);
    silent.ask(json!({ "type": "connect", "width": 120, "height": 30, "sizing": false }));
    until_size(&mut narrow, pane, 40, 60);
    resize(&mut silent, pane, 20, 5);
    silent.type_in(pane, "\n");
    resize(&mut narrow, pane, 50, 50);
    until_size(&mut silent, pane, 50, 50);
    assert!(!silent.mirror.shows(pane, ": 5 20>"), "{}", silent.mirror.text(pane));
}

#[test]
fn sizes_out_of_all_bounds_are_brought_into_them() {
    let stage = Stage::with_script(TELLER);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "<0: ");
    resize(&mut viewer, pane, 0, 0);
    until_size(&mut viewer, pane, 2, 1);
    resize(&mut viewer, pane, u16::MAX, u16::MAX);
    until_size(&mut viewer, pane, 1000, 500);
}

#[test]
fn a_storm_of_sizes_ends_at_the_last_with_few_told() {
    const BETWEEN: Duration = Duration::from_millis(50);
    let stage = Stage::with_script(TELLER);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "<0: ");
    let began = Instant::now();
    for step in 0..1000 {
        let size =
            json!({ "type": "pane_resize", "paneId": pane, "cols": 60 + step % 90, "rows": 20 + step % 31 });
        viewer.send(&size);
    }
    viewer.send(&json!({ "type": "pane_resize", "paneId": pane, "cols": 77, "rows": 55 }));
    until_size(&mut viewer, pane, 77, 55);
    let most = began.elapsed().div_duration_f64(BETWEEN) as usize + 2;
    let told = viewer.mirror.text(pane).matches('<').count() - 1;
    assert!((1..=most).contains(&told), "told {told} times, {most} at most");
}
