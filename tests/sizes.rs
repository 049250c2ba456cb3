//! Who decides a pane's size, and what its program hears of it, asked of the real program.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::{Duration, Instant};

use everpane::ids::PaneId;
use serde_json::{Value, json};

use support::stage::{Stage, eventually};
use support::viewer::TestViewer;

/// Notes its size at first and whenever it is told one, and counts.
const TELLER: &str = r#"
n=0
tell() { echo "<$n: $(stty size)>" | tee -a told; }
trap 'n=$((n+1)); tell' WINCH
tell
while :; do read -r line; done
"#;

/// What the program was told.
fn told(stage: &Stage) -> String {
    String::from_utf8(stage.content("home/told")).unwrap()
}

/// Waits until the viewer, its terminal and the program know that the size is `cols` by `rows`.
fn until_size(stage: &Stage, viewer: &mut TestViewer, pane: PaneId, cols: u16, rows: u16) {
    viewer.until(&format!("{cols} by {rows}"), |mirror| {
        let shown = mirror.output.get(&pane).map(|output| output.size);
        (mirror.pane(pane).cols, mirror.pane(pane).rows) == (cols, rows) && shown == Some((cols, rows))
    });
    eventually(&format!("{cols} by {rows} in the program"), || {
        told(stage).ends_with(&format!(": {rows} {cols}>\n")).then_some(())
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
    narrow.until_on_screen(pane, "<0: ");
    let mut wide = stage.viewer();
    wide.watch(pane);
    resize(&mut narrow, pane, 40, 60);
    resize(&mut wide, pane, 120, 30);
    until_size(stage, &mut narrow, pane, 40, 30);
    (narrow, wide, pane)
}

#[test]
fn the_size_follows_who_typed_last() {
    let stage = Stage::with_script(TELLER);
    let (mut narrow, mut wide, pane) = two_viewers(&stage);
    wide.type_in(pane, "\n");
    until_size(&stage, &mut narrow, pane, 120, 30);
    narrow.type_in(pane, "\n");
    // Seen by the same viewer: the other may have read no further than to the same size at the beginning.
    until_size(&stage, &mut narrow, pane, 40, 60);
    wide.type_in(pane, "\n");
    resize(&mut narrow, pane, 41, 61);
    resize(&mut wide, pane, 121, 31);
    until_size(&stage, &mut narrow, pane, 121, 31);
    // Who is gone has no say any more.
    drop(wide);
    until_size(&stage, &mut narrow, pane, 41, 61);
}

#[test]
fn the_smallest_viewer_may_decide() {
    let stage = Stage::with_script(TELLER);
    let (mut narrow, mut wide, pane) = two_viewers(&stage);
    set_policy(&mut narrow, pane, json!({ "policy": "smallest" }));
    wide.type_in(pane, "\n");
    resize(&mut wide, pane, 100, 20);
    until_size(&stage, &mut narrow, pane, 40, 20);
    drop(narrow);
    until_size(&stage, &mut wide, pane, 100, 20);
}

#[test]
fn a_size_may_be_fixed() {
    let stage = Stage::with_script(TELLER);
    let (mut narrow, mut wide, pane) = two_viewers(&stage);
    set_policy(&mut narrow, pane, json!({ "policy": "fixed", "cols": 132, "rows": 43 }));
    until_size(&stage, &mut wide, pane, 132, 43);
    let times = told(&stage).lines().count();
    wide.type_in(pane, "\n");
    resize(&mut wide, pane, 90, 20);
    set_policy(&mut wide, pane, json!({ "policy": "latest" }));
    until_size(&stage, &mut narrow, pane, 90, 20);
    wide.sync();
    assert!(told(&stage).lines().count() <= times + 1, "{}", told(&stage));
}

#[test]
fn a_viewer_may_have_no_say() {
    let stage = Stage::with_script(TELLER);
    let (mut narrow, mut silent, pane) = two_viewers(&stage);
    silent.ask(json!({ "type": "connect", "width": 120, "height": 30, "sizing": false }));
    until_size(&stage, &mut narrow, pane, 40, 60);
    resize(&mut silent, pane, 20, 5);
    silent.type_in(pane, "\n");
    resize(&mut narrow, pane, 50, 50);
    until_size(&stage, &mut silent, pane, 50, 50);
    assert!(!told(&stage).contains(": 5 20>"), "{}", told(&stage));
}

#[test]
fn sizes_out_of_all_bounds_are_brought_into_them() {
    let stage = Stage::with_script(TELLER);
    let (mut viewer, pane) = stage.open();
    viewer.until_on_screen(pane, "<0: ");
    resize(&mut viewer, pane, 0, 0);
    until_size(&stage, &mut viewer, pane, 2, 1);
    resize(&mut viewer, pane, u16::MAX, u16::MAX);
    until_size(&stage, &mut viewer, pane, 1000, 500);
}

#[test]
fn a_storm_of_sizes_ends_at_the_last_with_few_told() {
    const BETWEEN: Duration = Duration::from_millis(50);
    let stage = Stage::with_script(TELLER);
    let (mut viewer, pane) = stage.open();
    viewer.until_on_screen(pane, "<0: ");
    let began = Instant::now();
    for step in 0..1000 {
        let size =
            json!({ "type": "pane_resize", "paneId": pane, "cols": 60 + step % 90, "rows": 20 + step % 31 });
        viewer.send(&size);
    }
    viewer.send(&json!({ "type": "pane_resize", "paneId": pane, "cols": 77, "rows": 55 }));
    until_size(&stage, &mut viewer, pane, 77, 55);
    let most = began.elapsed().div_duration_f64(BETWEEN) as usize + 2;
    let times = told(&stage).lines().count() - 1;
    assert!((1..=most).contains(&times), "told {times} times, {most} at most");
}
