use proptest::prelude::*;

use super::*;
use crate::layout::{Axis, Op, Side};

/// Sessions `work` (tabs `1` of two panes, `build` of one that is called `logs`, `build.1`) and `a:b.c` (tab `1`), which
/// is in front.
fn layout() -> Layout {
    let mut layout = Layout::default();
    let session =
        |name: &str| Op::CreateSession { name: Some(name.into()), node: "local".into(), created_at_ms: 0 };
    let tab = |name: &str| Op::CreateTab { session: SessionId(1), name: Some(name.into()) };
    let split = Op::SplitPane { pane: PaneId(1), axis: Axis::Columns, side: Side::After, ratio: None };
    let name = Op::RenamePane { pane: PaneId(3), name: Some("logs".into()) };
    for op in [session("work"), split, tab("build"), tab("build.1"), name, session("a:b.c")] {
        layout.apply(&op).unwrap();
    }
    layout
}

#[track_caller]
fn found(target: &str) -> String {
    match resolve(&layout(), target, None) {
        Ok(Place { session, tab, pane, named }) => format!("{session} {tab} {pane} {}", named.word()),
        Err(Unresolved::Unknown { part, name, near }) => {
            format!(
                "no {} {name}{}",
                part.word(),
                near.iter().map(|near| format!(" ~{near}")).collect::<String>()
            )
        }
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn targets_are_read_as_in_tmux() {
    let table = [
        ("s1", "s1 t3 p4 session"),
        ("t1", "s1 t1 p2 tab"),
        ("p1", "s1 t1 p1 pane"),
        ("work", "s1 t3 p4 session"),
        ("work:", "s1 t3 p4 tab"),
        ("work:build", "s1 t2 p3 tab"),
        ("work:t1", "s1 t1 p2 tab"),
        ("work:1", "s1 t1 p2 tab"),
        ("work:0", "s1 t1 p2 tab"),
        ("work:2", "s1 t3 p4 tab"),
        ("work:1.0", "s1 t1 p1 pane"),
        ("work:1.1", "s1 t1 p2 pane"),
        ("work:1.p1", "s1 t1 p1 pane"),
        ("work:build.logs", "s1 t2 p3 pane"),
        ("work:build.0", "s1 t2 p3 pane"),
        ("work:build.1", "s1 t3 p4 tab"),
        ("work:build.1.0", "s1 t3 p4 pane"),
        ("work:.0", "s1 t3 p4 pane"),
        ("work.0", "s1 t3 p4 pane"),
        ("s1:1", "s1 t1 p2 tab"),
        ("a:b.c", "s2 t4 p5 session"),
        ("a:b.c:1.0", "s2 t4 p5 pane"),
        ("a:b.c.0", "s2 t4 p5 pane"),
        (".", "s2 t4 p5 pane"),
        (":", "s2 t4 p5 tab"),
        (":.", "s2 t4 p5 pane"),
        (":1", "s2 t4 p5 tab"),
        (".0", "s2 t4 p5 pane"),
        ("wrok", "no session wrok ~work"),
        ("s9", "no session s9"),
        ("t9", "no tab t9"),
        ("p9", "no pane p9"),
        ("work:biuld", "no tab biuld ~build ~build.1"),
        ("work:1.7", "no pane 7"),
        ("work:build.lgos", "no pane lgos ~logs"),
        ("work:+1", "no tab +1"),
        ("work:t4", "no tab t4"),
        ("", "no session "),
    ];
    for (target, wanted) in table {
        assert_eq!(found(target), wanted, "{target:?}");
    }
}

#[test]
fn what_is_called_alike_is_told_by_its_ids() {
    let mut layout = layout();
    layout.apply(&Op::RenameTab { tab: TabId(3), name: "build".into() }).unwrap();
    for pane in [1, 2] {
        layout.apply(&Op::RenamePane { pane: PaneId(pane), name: Some("x".into()) }).unwrap();
    }
    let ids = |target| match resolve(&layout, target, None) {
        Err(Unresolved::Ambiguous { ids, .. }) => ids.join(" "),
        other => format!("{other:?}"),
    };
    assert_eq!(ids("work:build"), "t2 t3");
    assert_eq!(ids("work:1.x"), "p1 p2");
}

#[test]
fn nothing_is_active_where_nothing_is() {
    for target in [".", ":", ".0"] {
        assert_eq!(resolve(&Layout::default(), target, None), Err(Unresolved::Empty), "{target}");
    }
}

#[test]
fn a_scope_finds_and_tells_of_its_session_alone() {
    let layout = layout();
    let in_work = |target| resolve(&layout, target, Some(SessionId(1)));
    for target in ["s2", "t4", "p5", "a:b.c", "a:b.c:1", "s2:1.0"] {
        assert_eq!(in_work(target), Err(Unresolved::OutOfScope), "{target}");
    }
    assert_eq!(in_work(".").unwrap().pane, PaneId(4), "what is active in it");
    assert_eq!(in_work("work:1.0").unwrap().pane, PaneId(1));
    let near = |target| match in_work(target) {
        Err(Unresolved::Unknown { near, .. }) => near,
        other => panic!("{other:?}"),
    };
    assert_eq!(near("wrok"), ["work"]);
    assert!(near("a:b.cc").is_empty());
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "0", "1", "s1", "t2", "p3", "a", "a.b", "a:b", ":", ".", "x.0", "s1:t1.p1"
        ])
        .prop_map(str::to_owned),
        "[a-c:.0-2stp]{1,4}",
    ]
}

/// A layout of some sessions, tabs and panes with awkward names.
fn layouts() -> impl Strategy<Value = Layout> {
    let thing = (0..4_u8, name(), any::<prop::sample::Index>());
    prop::collection::vec(thing, 1..20).prop_map(|things| {
        let mut layout = Layout::default();
        for (what, name, of) in things {
            let sessions: Vec<_> = layout.sessions().map(|session| session.id).collect();
            let panes: Vec<_> = layout.panes().map(|(pane, _)| pane).collect();
            let op = match what {
                1 if !sessions.is_empty() => {
                    Op::CreateTab { session: sessions[of.index(sessions.len())], name: Some(name) }
                }
                2 if !panes.is_empty() => Op::SplitPane {
                    pane: panes[of.index(panes.len())],
                    axis: Axis::Rows,
                    side: Side::After,
                    ratio: None,
                },
                3 if !panes.is_empty() => {
                    Op::RenamePane { pane: panes[of.index(panes.len())], name: Some(name) }
                }
                _ => Op::CreateSession { name: Some(name), node: "local".into(), created_at_ms: 0 },
            };
            // A name that is taken is left out.
            let _ = layout.apply(&op);
        }
        layout
    })
}

proptest! {
    #[test]
    fn whatever_a_target_says_it_leads_to_what_exists(
        layout in layouts(),
        target in prop_oneof!["[a-c:.0-3stp]{0,8}", ".{0,6}"],
        scope in prop::option::of(1..5_u64),
    ) {
        let scope = scope.map(SessionId).filter(|scope| layout.session(*scope).is_some());
        match resolve(&layout, &target, scope) {
            Ok(place) => {
                let tab = layout.tab(place.tab).unwrap();
                prop_assert_eq!(tab.session, place.session);
                prop_assert!(tab.tree.panes().any(|pane| pane == place.pane));
                prop_assert!(scope.is_none_or(|scope| scope == place.session));
                prop_assert!(place.named == Part::Pane || place.pane == tab.focus);
                prop_assert!(place.named != Part::Session || layout.session(place.session).unwrap().active == place.tab);
            }
            Err(Unresolved::Unknown { near, .. }) => {
                let foreign = |name: &String| layout.sessions().any(|s| Some(s.id) == scope || s.name != *name);
                prop_assert!(scope.is_none() || near.iter().all(foreign));
            }
            Err(Unresolved::Ambiguous { ids, .. }) => prop_assert!(ids.len() > 1),
            Err(Unresolved::OutOfScope) => prop_assert!(scope.is_some()),
            Err(Unresolved::Empty) => prop_assert!(layout.is_empty()),
        }
    }

    #[test]
    fn ids_lead_to_what_has_them_whatever_it_is_called(layout in layouts()) {
        for tab in layout.tabs() {
            let place = resolve(&layout, &tab.id.to_string(), None);
            prop_assert_eq!(place, Ok(Place { session: tab.session, tab: tab.id, pane: tab.focus, named: Part::Tab }));
            for pane in tab.tree.panes() {
                let place = resolve(&layout, &pane.to_string(), None);
                prop_assert_eq!(place, Ok(Place { session: tab.session, tab: tab.id, pane, named: Part::Pane }));
            }
        }
        for session in layout.sessions() {
            prop_assert_eq!(resolve(&layout, &session.id.to_string(), None).map(|place| place.session), Ok(session.id));
            let named = resolve(&layout, &session.name, None).map(|place| place.session);
            let is_id = ["s", "t", "p"].iter().any(|prefix| session.name.starts_with(prefix));
            prop_assert!(is_id || named == Ok(session.id), "{:?} {named:?}", session.name);
        }
    }
}
