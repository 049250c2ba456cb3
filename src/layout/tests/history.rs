//! Random histories: whatever is asked, known ids or not, the layout stays whole.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::geometry::{Rect, Size};

/// Few ids, so that most are known at some time and some never.
fn session() -> impl Strategy<Value = SessionId> {
    (1u64..5).prop_map(SessionId)
}

fn tab() -> impl Strategy<Value = TabId> {
    (1u64..8).prop_map(TabId)
}

fn pane() -> impl Strategy<Value = PaneId> {
    (1u64..16).prop_map(PaneId)
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c]",
        1 => "[ \\x00-\\x1f]{0,3}",
        1 => any::<String>(),
        1 => Just("x".repeat(257)),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![6 => 1e-6f64..1.0, 1 => any::<f64>()]
}

fn axis() -> impl Strategy<Value = Axis> {
    prop_oneof![Just(Axis::Columns), Just(Axis::Rows)]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Left), Just(Direction::Right), Just(Direction::Up), Just(Direction::Down)]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Before), Just(Side::After)]
}

fn zoom() -> impl Strategy<Value = Zoom> {
    prop_oneof![Just(Zoom::In), Just(Zoom::Out), Just(Zoom::Toggle)]
}

fn session_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (option::of(name()), any::<u64>())
            .prop_map(|(name, created_at_ms)| Op::CreateSession { name, node: "local".into(), created_at_ms }),
        1 => session().prop_map(|session| Op::DestroySession { session }),
        1 => (session(), name()).prop_map(|(session, name)| Op::RenameSession { session, name }),
    ]
}

fn tab_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (session(), option::of(name())).prop_map(|(session, name)| Op::CreateTab { session, name }),
        1 => tab().prop_map(|tab| Op::CloseTab { tab }),
        1 => (tab(), name()).prop_map(|(tab, name)| Op::RenameTab { tab, name }),
        1 => (tab(), session(), 0usize..4)
            .prop_map(|(tab, session, index)| Op::MoveTab { tab, session, index }),
        1 => tab().prop_map(|tab| Op::SwitchTab { tab }),
    ]
}

fn pane_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (pane(), axis(), side(), option::of(number()))
            .prop_map(|(pane, axis, side, ratio)| Op::SplitPane { pane, axis, side, ratio }),
        2 => pane().prop_map(|pane| Op::ClosePane { pane }),
        2 => (tab(), vec(0usize..3, 0..3), vec(number(), 0..4))
            .prop_map(|(tab, path, ratios)| Op::ResizeSplit { tab, path, ratios }),
        2 => (pane(), direction(), number())
            .prop_map(|(pane, direction, step)| Op::ResizePane { pane, direction, step }),
        2 => (pane(), zoom()).prop_map(|(pane, zoom)| Op::ZoomPane { pane, zoom }),
        2 => (pane(), pane()).prop_map(|(a, b)| Op::SwapPanes { a, b }),
        2 => (pane(), option::of(tab()), axis())
            .prop_map(|(pane, tab, axis)| Op::MovePane { pane, tab, axis }),
        1 => (pane(), option::of(name())).prop_map(|(pane, name)| Op::RenamePane { pane, name }),
        2 => pane().prop_map(|pane| Op::FocusPane { pane }),
        2 => direction().prop_map(|direction| Op::FocusDirection { direction }),
    ]
}

/// A session to begin with, and then anything.
fn history() -> impl Strategy<Value = Vec<Op>> {
    vec(prop_oneof![1 => session_op(), 2 => tab_op(), 6 => pane_op()], 1..60).prop_map(|mut ops| {
        ops.insert(0, Op::CreateSession { name: None, node: "local".into(), created_at_ms: 0 });
        ops
    })
}

fn pane_ids(layout: &Layout) -> HashSet<PaneId> {
    layout.panes().map(|(pane, _)| pane).collect()
}

/// Does one operation and holds the outcome against what it says about itself.
fn step(layout: &mut Layout, op: &Op) -> Result<(), TestCaseError> {
    let before = layout.clone();
    let Ok(change) = layout.apply(op) else {
        prop_assert_eq!(&*layout, &before, "refused, but something changed");
        return Ok(());
    };
    layout.check().map_err(|damage| TestCaseError::fail(format!("{op:?}: {damage}")))?;
    prop_assert_eq!(change.revision, before.revision() + u64::from(change.changed));
    prop_assert_eq!(layout != &before, change.changed, "{:?}", op);

    let (old, new) = (pane_ids(&before), pane_ids(layout));
    prop_assert_eq!(change.opened.iter().copied().collect::<HashSet<_>>(), &new - &old);
    prop_assert_eq!(change.closed.iter().copied().collect::<HashSet<_>>(), &old - &new);
    let names = |layout: &Layout| layout.sessions().map(|s| (s.id, s.name.clone())).collect::<Vec<_>>();
    prop_assert_eq!(change.sessions_changed, names(&before) != names(layout));
    Ok(())
}

/// Whether two rectangles have at least the gap between them in one axis.
fn are_apart(a: Rect, b: Rect, gap: u16) -> bool {
    let after = |start: u16, length: u16, next: u16| start + length + gap <= next;
    after(a.x, a.size.cols, b.x)
        || after(b.x, b.size.cols, a.x)
        || after(a.y, a.size.rows, b.y)
        || after(b.y, b.size.rows, a.y)
}

/// The room that a tree takes up, which its panes must fill but for the gaps.
fn filled(tree: &Tree, rects: &[(PaneId, Rect)], gap: u16) -> Result<Rect, TestCaseError> {
    let (axis, children) = match tree {
        Tree::Leaf { pane } => {
            let found = rects.iter().find(|(id, _)| id == pane);
            return found.map(|(_, rect)| *rect).ok_or_else(|| TestCaseError::fail("no size"));
        }
        Tree::Split { axis, children } => (axis, children),
    };
    let mut parts = children.iter().map(|child| filled(&child.tree, rects, gap));
    let mut whole = parts.next().expect("a split has children")?;
    for part in parts {
        let part = part?;
        match axis {
            Axis::Columns => {
                prop_assert_eq!((whole.x + whole.size.cols + gap, whole.y), (part.x, part.y));
                prop_assert_eq!(whole.size.rows, part.size.rows);
                whole.size.cols += gap + part.size.cols;
            }
            Axis::Rows => {
                prop_assert_eq!((whole.x, whole.y + whole.size.rows + gap), (part.x, part.y));
                prop_assert_eq!(whole.size.cols, part.size.cols);
                whole.size.rows += gap + part.size.rows;
            }
        }
    }
    Ok(whole)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_history_keeps_the_layout_whole(ops in history()) {
        let mut layout = Layout::default();
        for op in &ops {
            step(&mut layout, op)?;
        }
    }

    #[test]
    fn replaying_what_succeeded_gives_the_same_layout(ops in history()) {
        let mut layout = Layout::default();
        let done: Vec<&Op> = ops.iter().filter(|op| layout.apply(op).is_ok()).collect();
        let mut replayed = Layout::default();
        for op in done {
            // On the way to disk and back at every step, too: ids and ratios must survive exactly.
            let text = serde_json::to_string(&replayed).unwrap();
            replayed = serde_json::from_str(&text).unwrap();
            prop_assert!(replayed.apply(op).is_ok());
        }
        prop_assert_eq!(replayed, layout);
    }

    #[test]
    fn sizes_fill_every_tab_without_overlap(
        ops in history(), cols in 0u16..300, rows in 0u16..100, gap in 0u16..3,
    ) {
        let mut layout = Layout::default();
        for op in &ops {
            let _refused_or_not = layout.apply(op);
        }
        for tab in layout.tabs() {
            let unzoomed = Tab { zoomed: None, ..tab.clone() };
            let rects = unzoomed.sizes(Size { cols, rows }, gap);
            let whole = filled(&tab.tree, &rects, gap)?;
            prop_assert_eq!((whole.x, whole.y), (0, 0));
            for (index, (_, rect)) in rects.iter().enumerate() {
                prop_assert!(rect.size.cols >= Size::MIN.cols && rect.size.rows >= Size::MIN.rows);
                prop_assert!(rects[..index].iter().all(|(_, other)| are_apart(*rect, *other, gap)));
            }
            // With room for all panes in a row or column there is room for them in any shape.
            let count = rects.len() as u16;
            let fits = cols >= count * (Size::MIN.cols + gap) && rows >= count * (Size::MIN.rows + gap);
            if fits {
                prop_assert_eq!(whole.size, Size { cols, rows });
            }
            prop_assert!(whole.size.cols >= cols && whole.size.rows >= rows);
        }
    }

    #[test]
    fn a_neighbour_is_there_unless_the_border_is(ops in history(), direction in direction()) {
        let mut layout = Layout::default();
        for op in &ops {
            let _refused_or_not = layout.apply(op);
        }
        for tab in layout.tabs() {
            let rects = Tab { zoomed: None, ..tab.clone() }.sizes(Size { cols: 1000, rows: 500 }, 0);
            for (pane, Rect { x, y, size }) in rects {
                let at_border = match direction {
                    Direction::Left => x == 0,
                    Direction::Up => y == 0,
                    Direction::Right => x + size.cols == 1000,
                    Direction::Down => y + size.rows == 500,
                };
                let neighbour = layout.neighbour(tab.id, pane, direction);
                prop_assert_eq!(neighbour.is_none(), at_border, "{} {:?}", pane, direction);
            }
        }
    }
}
