//! Layouts on disk: equal after a round trip, and refused when damaged.

use serde_json::{Value, json};

use super::*;

/// Two sessions; `(p1 | p2)` zoomed on p2 in `t1`.
fn stored() -> Value {
    let mut desk = Desk::new();
    desk.split(1, Axis::Columns);
    desk.apply(Op::ZoomPane { pane: PaneId(2), zoom: Zoom::In });
    desk.create_session(Some("work"));
    serde_json::to_value(&desk.layout).unwrap()
}

#[test]
fn the_stored_form_is_plain() {
    let stored = stored();
    assert_eq!(
        stored["tabs"]["t1"]["tree"],
        json!({"split": {"axis": "columns", "children": [
            {"ratio": 0.5, "tree": {"leaf": {"pane": "p1"}}},
            {"ratio": 0.5, "tree": {"leaf": {"pane": "p2"}}},
        ]}})
    );
    assert!(stored.get("pane_tabs").is_none(), "what follows from the trees isn't stored");
    let layout: Layout = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(layout.pane_tab(PaneId(2)), Some(TabId(1)));
    assert_eq!(serde_json::to_value(&layout).unwrap(), stored);
}

#[test]
fn damage_is_refused_by_name() {
    for (place, value, damage) in [
        ("/next/pane", json!("p3"), "the counter of panes can't be right"),
        ("/next/tab", json!("t18446744073709551615"), "the counter of tabs can't be right"),
        ("/revision", json!(1), "the counter of revisions can't be right"),
        ("/active_tab", json!(null), "the active tab is wrong"),
        ("/active_tab", json!("t9"), "the active tab is wrong"),
        ("/sessions/s2/tabs/0", json!("t1"), "the tabs of session s2 are not in order"),
        ("/sessions/s2/tabs", json!([]), "the tabs of session s2 are not in order"),
        ("/sessions/s1/active", json!("t2"), "the tabs of session s1 are not in order"),
        ("/sessions/s1/name", json!("work"), "session s2 has a wrong or doubled id or name"),
        ("/sessions/s1/id", json!("s2"), "session s1 has a wrong or doubled id or name"),
        ("/tabs/t2/name", json!("\u{7}"), "tab t2 is in no session, or has a wrong id or name"),
        ("/tabs/t1/focus", json!("p3"), "tab t1 has its focus or zoom on a pane that it doesn't have"),
        ("/tabs/t1/zoomed", json!("p1"), "tab t1 has its focus or zoom on a pane that it doesn't have"),
        ("/tabs/t1/tree/split/children/0/ratio", json!(0.4), "tab t1 has a malformed split"),
        ("/tabs/t1/tree/split/children/0/ratio", json!(-0.5), "tab t1 has a malformed split"),
        ("/tabs/t1/tree/split/children", json!([]), "tab t1 has a malformed split"),
        (
            "/tabs/t1/tree/split/children/0/tree/leaf/pane",
            json!("p3"),
            "pane p3 is not in exactly one tab, or has a wrong name",
        ),
        ("/panes/p1/name", json!(""), "pane p1 is not in exactly one tab, or has a wrong name"),
    ] {
        let mut stored = stored();
        *stored.pointer_mut(place).expect(place) = value;
        let error = serde_json::from_value::<Layout>(stored).expect_err(place);
        assert_eq!(error.to_string(), damage, "{place}");
    }
}

#[test]
fn a_split_inside_one_of_its_own_axis_is_damage() {
    let mut stored = stored();
    let tree = stored["tabs"]["t1"]["tree"].clone();
    stored["tabs"]["t1"]["tree"]["split"]["children"][0]["tree"] = tree;
    let error = serde_json::from_value::<Layout>(stored).unwrap_err();
    assert_eq!(error.to_string(), "tab t1 has a malformed split");
}

#[test]
fn operations_are_tagged_by_name() {
    for (text, op) in [
        (
            r#"{"op":"split_pane","pane":"p1","axis":"rows"}"#,
            Op::SplitPane { pane: PaneId(1), axis: Axis::Rows, side: Side::After, ratio: None },
        ),
        (
            r#"{"op":"split_pane","pane":"p1","axis":"columns","side":"before","ratio":0.3}"#,
            Op::SplitPane { pane: PaneId(1), axis: Axis::Columns, side: Side::Before, ratio: Some(0.3) },
        ),
        (r#"{"op":"zoom_pane","pane":"p1"}"#, Op::ZoomPane { pane: PaneId(1), zoom: Zoom::Toggle }),
        (
            r#"{"op":"resize_split","tab":"t1","path":[0,1],"ratios":[1,2]}"#,
            Op::ResizeSplit { tab: TabId(1), path: vec![0, 1], ratios: vec![1.0, 2.0] },
        ),
        (r#"{"op":"focus_direction","direction":"up"}"#, Op::FocusDirection { direction: Direction::Up }),
    ] {
        assert_eq!(serde_json::from_str::<Op>(text).unwrap(), op, "{text}");
        let again = serde_json::to_string(&op).unwrap();
        assert_eq!(serde_json::from_str::<Op>(&again).unwrap(), op);
    }
}
