//! What happens at the limits.

use super::super::share;
use super::*;
use crate::geometry::Size;
use Axis::{Columns, Rows};

fn refusal(layout: &mut Layout, op: Op) -> LayoutError {
    layout.apply(&op).expect_err("the limit is reached")
}

#[test]
fn sessions_and_tabs_are_limited() {
    let mut layout = Layout::default();
    let session = Op::CreateSession { name: None, node: "local".into(), created_at_ms: 0 };
    for _ in 0..MAX_SESSIONS {
        layout.apply(&session).unwrap();
    }
    let error = refusal(&mut layout, session);
    assert_eq!((error.code(), error.to_string().as_str()), ("limit_reached", "no more than 1000 sessions"));

    let tab = Op::CreateTab { session: SessionId(1), name: Some("x".into()) };
    for _ in 1..MAX_TABS_PER_SESSION {
        layout.apply(&tab).unwrap();
    }
    assert_eq!(refusal(&mut layout, tab).code(), "limit_reached");
    let into_full = Op::MoveTab { tab: TabId(2), session: SessionId(1), index: 0 };
    assert_eq!(refusal(&mut layout, into_full).code(), "limit_reached");
    layout.check().unwrap();
}

#[test]
fn nesting_is_limited_but_not_the_growth_of_a_split() {
    let mut desk = Desk::new();
    for level in 0..MAX_DEPTH {
        let axis = if level % 2 == 0 { Columns } else { Rows };
        desk.split(level as u64 + 1, axis);
    }
    let last = PaneId(MAX_DEPTH as u64 + 1);
    let nest = Op::SplitPane { pane: last, axis: Columns, side: Side::After, ratio: None };
    assert_eq!(desk.refuse(nest), "limit_reached");
    desk.split(last.0, Rows);

    let stored = serde_json::to_string(&desk.layout).unwrap();
    assert_eq!(serde_json::from_str::<Layout>(&stored).unwrap(), desk.layout, "readers get down to it");
    for (_, rect) in desk.layout.sizes(Size { cols: 80, rows: 24 }, 1) {
        assert!(rect.size.cols >= Size::MIN.cols && rect.size.rows >= Size::MIN.rows);
    }
}

#[test]
fn a_tab_of_many_panes_gives_each_its_share() {
    let mut desk = Desk::new();
    for _ in 0..299 {
        desk.layout
            .apply(&Op::SplitPane { pane: PaneId(1), axis: Columns, side: Side::After, ratio: None })
            .unwrap();
    }
    desk.layout.check().unwrap();
    let least = share::least_ratio(300);
    assert!(desk.ratios(1, &[]).iter().all(|ratio| *ratio >= least));
}

#[test]
fn panes_are_limited_over_all_tabs() {
    let per_tab = (MAX_PANES / MAX_TABS_PER_SESSION) as u64;
    let mut layout = Layout::default();
    layout.apply(&Op::CreateSession { name: None, node: "local".into(), created_at_ms: 0 }).unwrap();
    for tab in 0..MAX_TABS_PER_SESSION as u64 {
        if tab > 0 {
            layout.apply(&Op::CreateTab { session: SessionId(1), name: Some("x".into()) }).unwrap();
        }
        for pane in 1..per_tab {
            let axis = if pane % 2 == 0 { Columns } else { Rows };
            let pane = PaneId(tab * per_tab + pane.div_ceil(2));
            layout.apply(&Op::SplitPane { pane, axis, side: Side::After, ratio: None }).unwrap();
        }
    }
    assert_eq!(layout.panes().count(), MAX_PANES);
    let split = Op::SplitPane { pane: PaneId(1), axis: Rows, side: Side::After, ratio: None };
    assert_eq!(refusal(&mut layout, split).code(), "limit_reached");
    let tab = Op::CreateTab { session: SessionId(1), name: None };
    assert_eq!(refusal(&mut layout, tab).code(), "limit_reached");
    layout.check().unwrap();
    assert_eq!(layout.sizes(Size { cols: 200, rows: 60 }, 1).count(), MAX_PANES);
    let change = layout.apply(&Op::DestroySession { session: SessionId(1) }).unwrap();
    assert_eq!(change.closed.len(), MAX_PANES);
    assert!(layout.is_empty());
}

/// One tab of columns, as many as it may have. Built at once, because one split after the other takes long.
fn full_tab() -> Layout {
    let mut layout = Desk::new().layout;
    let panes = (1..=MAX_PANES_PER_TAB as u64).map(PaneId);
    let ratios = share::normalised(&[1.0; MAX_PANES_PER_TAB]);
    let leaves = panes.clone().zip(ratios).map(|(pane, ratio)| Child { ratio, tree: Tree::Leaf { pane } });
    layout.tabs.get_mut(&TabId(1)).unwrap().tree = Tree::Split { axis: Columns, children: leaves.collect() };
    layout.panes = panes.map(|pane| (pane, Pane::default())).collect();
    layout.next.pane = PaneId(MAX_PANES_PER_TAB as u64 + 1);
    layout.pane_tabs = layout.index();
    layout.check().unwrap();
    layout
}

#[test]
fn the_panes_of_a_tab_are_limited_so_that_coordinates_suffice() {
    let mut layout = full_tab();
    for axis in [Columns, Rows] {
        let split = Op::SplitPane { pane: PaneId(7), axis, side: Side::After, ratio: None };
        assert_eq!(refusal(&mut layout, split).to_string(), "no more than 10000 panes in a tab");
    }
    let mut x = 0;
    for (_, rect) in layout.sizes(Size { cols: 80, rows: 24 }, 1) {
        assert_eq!((rect.x, rect.size), (x, Size { cols: 2, rows: 24 }));
        x += 3;
    }
    layout.apply(&Op::CreateTab { session: SessionId(1), name: None }).unwrap();
    let moved = PaneId(MAX_PANES_PER_TAB as u64 + 1);
    let join = Op::MovePane { pane: moved, tab: Some(TabId(1)), axis: Rows };
    assert_eq!(refusal(&mut layout, join).code(), "limit_reached");
}
