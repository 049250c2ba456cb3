//! Creating, closing, renaming, moving and switching tabs.

use super::*;

/// Sessions `s1` with `t1`, `t3`, `t4` and `s2` with `t2`; `t4` in front.
fn two_sessions() -> Desk {
    let mut desk = Desk::new();
    desk.create_session(None);
    desk.create_tab(1);
    desk.create_tab(1);
    desk
}

fn order(desk: &Desk, session: u64) -> Vec<u64> {
    desk.layout.tabs_of(SessionId(session)).map(|tab| tab.id.0).collect()
}

fn close(tab: u64) -> Op {
    Op::CloseTab { tab: TabId(tab) }
}

fn move_tab(tab: u64, session: u64, index: usize) -> Op {
    Op::MoveTab { tab: TabId(tab), session: SessionId(session), index }
}

#[test]
fn a_new_tab_is_last_in_front_and_numbered() {
    let mut desk = two_sessions();
    assert_eq!(order(&desk, 1), [1, 3, 4]);
    assert_eq!(desk.layout.active_tab(), Some(TabId(4)));
    let names: Vec<&str> = desk.layout.tabs_of(SessionId(1)).map(|tab| tab.name.as_str()).collect();
    assert_eq!(names, ["1", "2", "3"]);
    desk.apply(close(3));
    desk.create_tab(1);
    assert_eq!(desk.tab(5).name, "2");
    let unknown = Op::CreateTab { session: SessionId(9), name: Some("x".into()) };
    assert_eq!(desk.refuse(unknown), "unknown_session");
}

#[test]
fn a_closed_tab_hands_over_to_the_last_used_one_of_its_session() {
    let mut desk = two_sessions();
    for tab in [3, 1, 2, 4] {
        desk.apply(Op::SwitchTab { tab: TabId(tab) });
    }
    desk.apply(close(4));
    assert_eq!(desk.layout.active_tab(), Some(TabId(1)), "t2 was in front since, but in another session");
    desk.apply(close(1));
    assert_eq!(desk.layout.active_tab(), Some(TabId(3)));
    let change = desk.apply(close(3));
    assert!(change.sessions_changed, "the last tab takes its session with it");
    assert_eq!(desk.layout.active_tab(), Some(TabId(2)));
    assert_eq!(desk.refuse(close(3)), "unknown_tab");
}

#[test]
fn each_session_remembers_its_tab() {
    let mut desk = two_sessions();
    desk.apply(Op::SwitchTab { tab: TabId(3) });
    desk.apply(Op::SwitchTab { tab: TabId(2) });
    assert_eq!(desk.layout.session(SessionId(1)).unwrap().active, TabId(3));
    desk.apply(close(3));
    assert_eq!(desk.layout.session(SessionId(1)).unwrap().active, TabId(4));
    assert_eq!(desk.layout.active_tab(), Some(TabId(2)));
    assert!(!desk.apply(Op::SwitchTab { tab: TabId(2) }).changed);
}

#[test]
fn tabs_move_within_their_session() {
    for (tab, index, expected) in [
        (1, 0, [1, 3, 4]),
        (1, 1, [3, 1, 4]),
        (1, 2, [3, 4, 1]),
        (1, usize::MAX, [3, 4, 1]),
        (4, 0, [4, 1, 3]),
        (4, 9, [1, 3, 4]),
    ] {
        let mut desk = two_sessions();
        let change = desk.apply(move_tab(tab, 1, index));
        assert_eq!(order(&desk, 1), expected, "t{tab} to {index}");
        assert_eq!(change.changed, expected != [1, 3, 4]);
    }
}

#[test]
fn tabs_move_to_another_session() {
    let mut desk = two_sessions();
    desk.apply(move_tab(4, 2, 0));
    assert_eq!((order(&desk, 1), order(&desk, 2)), (vec![1, 3], vec![4, 2]));
    assert_eq!(desk.layout.active_tab(), Some(TabId(4)), "it stays in front");
    assert_eq!(desk.layout.session(SessionId(1)).unwrap().active, TabId(3));

    desk.apply(move_tab(1, 2, 1));
    assert_eq!(order(&desk, 2), [4, 1, 2]);
    let change = desk.apply(move_tab(3, 2, 9));
    assert!(change.sessions_changed && change.closed.is_empty());
    assert!(desk.layout.session(SessionId(1)).is_none(), "it lost its last tab");
    assert_eq!(desk.refuse(move_tab(3, 1, 0)), "unknown_session");
    assert_eq!(desk.refuse(move_tab(9, 2, 0)), "unknown_tab");
}

#[test]
fn tabs_are_renamed_and_need_not_be_unique() {
    let mut desk = two_sessions();
    let rename = |tab, name: &str| Op::RenameTab { tab: TabId(tab), name: name.into() };
    assert!(desk.apply(rename(1, "logs\n")).changed);
    assert!(!desk.apply(rename(1, " logs ")).changed);
    assert!(!desk.apply(rename(3, "logs")).sessions_changed);
    assert_eq!(desk.refuse(rename(1, "\t")), "invalid_name");
    assert_eq!(desk.refuse(rename(9, "x")), "unknown_tab");
}
