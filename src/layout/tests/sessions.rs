//! Creating, destroying and renaming sessions.

use super::*;

#[test]
fn the_first_session_comes_with_a_tab_and_a_pane_in_front() {
    let mut layout = Layout::default();
    assert!(layout.is_empty());
    assert_eq!(layout.active_tab(), None);

    let op = Op::CreateSession { name: Some(" work ".into()), node: "local".into(), created_at_ms: 7 };
    let change = layout.apply(&op).unwrap();
    let expected = Change {
        changed: true,
        revision: 1,
        opened: vec![PaneId(1)],
        closed: vec![],
        session: Some(SessionId(1)),
        tab: Some(TabId(1)),
        pane: Some(PaneId(1)),
        sessions_changed: true,
    };
    assert_eq!(change, expected);
    let session = layout.session(SessionId(1)).unwrap();
    assert_eq!((session.name.as_str(), session.node.as_str(), session.created_at_ms), ("work", "local", 7));
    assert_eq!(session.tabs, [TabId(1)]);
    assert_eq!(layout.active_tab(), Some(TabId(1)));
    assert_eq!(layout.tab(TabId(1)).unwrap().name, "1");
}

#[test]
fn sessions_without_a_name_take_the_first_free_number() {
    let mut desk = Desk::new();
    desk.create_session(Some("3"));
    desk.create_session(None);
    desk.create_session(None);
    let names: Vec<&str> = desk.layout.sessions().map(|session| session.name.as_str()).collect();
    assert_eq!(names, ["1", "3", "2", "4"]);
}

#[test]
fn session_names_are_unique() {
    let mut desk = Desk::new();
    desk.create_session(Some("work"));
    let create =
        |name: &str| Op::CreateSession { name: Some(name.into()), node: "n".into(), created_at_ms: 0 };
    let rename = |session, name: &str| Op::RenameSession { session: SessionId(session), name: name.into() };
    assert_eq!(desk.refuse(create("work\u{7} ")), "duplicate_name");
    assert_eq!(desk.refuse(rename(1, "work")), "duplicate_name");
    assert_eq!(desk.refuse(rename(1, " ")), "invalid_name");
    assert_eq!(desk.refuse(rename(9, "x")), "unknown_session");
    assert!(desk.apply(rename(1, "play")).sessions_changed);
    assert!(!desk.apply(rename(2, " work")).changed);
}

#[test]
fn a_destroyed_session_takes_its_panes_and_hands_over_to_the_last_used_one() {
    let mut desk = Desk::new();
    desk.create_session(None);
    desk.create_session(None);
    desk.create_tab(1);
    desk.split(4, Axis::Rows);
    desk.apply(Op::SwitchTab { tab: TabId(2) });
    desk.apply(Op::SwitchTab { tab: TabId(1) });

    let change = desk.apply(Op::DestroySession { session: SessionId(1) });
    assert_eq!(change.closed, [PaneId(1), PaneId(4), PaneId(5)]);
    assert!(change.sessions_changed);
    assert_eq!(desk.layout.active_tab(), Some(TabId(2)), "s2 was in front after s3");

    desk.apply(Op::DestroySession { session: SessionId(3) });
    assert_eq!(desk.layout.active_tab(), Some(TabId(2)), "another session's end doesn't matter");
    desk.apply(Op::DestroySession { session: SessionId(2) });
    assert!(desk.layout.is_empty());
    assert_eq!(desk.layout.active_tab(), None);
    assert_eq!(desk.refuse(Op::DestroySession { session: SessionId(2) }), "unknown_session");
}

#[test]
fn ids_are_never_given_out_twice() {
    let mut desk = Desk::new();
    desk.apply(Op::DestroySession { session: SessionId(1) });
    let stored = serde_json::to_string(&desk.layout).unwrap();
    desk.layout = serde_json::from_str(&stored).unwrap();
    let change = desk.create_session(None);
    let ids = (change.session, change.tab, change.pane);
    assert_eq!(ids, (Some(SessionId(2)), Some(TabId(2)), Some(PaneId(2))));
}
