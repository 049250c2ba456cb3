//! What happens when a pane's program ends, asked of the real program with real PTYs: everything stays, and the next
//! key brings a program back with nothing lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use everpane::protocol::server::PaneStatus;

use support::stage::Stage;

#[test]
fn a_killed_shell_is_shown_to_every_viewer_and_comes_back_with_the_next_key() {
    let stage = Stage::with_bash();
    let (mut viewer, pane) = stage.open();
    let mut other = stage.viewer();
    other.watch(pane);
    let (tabs, channels) = (viewer.mirror.tabs.clone(), viewer.mirror.channels.clone());
    stage.shells()[0].signal("KILL");
    for viewer in [&mut viewer, &mut other] {
        viewer.until_exited(pane);
        let PaneStatus::Exited { code, signal, .. } = &viewer.mirror.pane(pane).status else {
            unreachable!()
        };
        assert_eq!((code, signal.as_deref()), (&None, Some("SIGKILL")));
        assert_eq!((&viewer.mirror.tabs, &viewer.mirror.channels), (&tabs, &channels));
    }
    assert_eq!(stage.shells(), []);
    viewer.type_in(pane, "echo $((6*7))\n");
    for viewer in [&mut viewer, &mut other] {
        viewer.until_shows(pane, "\r42\r\n");
        viewer.until_live(pane);
    }
    assert_eq!(stage.shells().len(), 1);
}
