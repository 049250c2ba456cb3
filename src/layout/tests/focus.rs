//! Focus by id and by direction, and the choice among several neighbours.

use super::*;
use Axis::{Columns, Rows};
use Direction::{Down, Left, Right, Up};

/// ```text
/// p1 │ p2
/// ───┤────
/// p4 │ p3
/// ───┤
/// p5 │
/// ```
/// Rows of p1, p4, p5 on the left (a half and two quarters); p2 and p3 halves on the right.
fn five_panes() -> Desk {
    let mut desk = Desk::new();
    desk.split(1, Columns);
    desk.split(2, Rows);
    desk.split(1, Rows);
    desk.split(4, Rows);
    assert_eq!(desk.sketch(1), "((p1 / p4 / p5) | (p2 / p3))");
    desk
}

#[test]
fn a_neighbour_shares_an_edge_and_there_is_none_past_the_border() {
    let desk = five_panes();
    let next = |pane, direction| desk.layout.neighbour(TabId(1), PaneId(pane), direction).map(|pane| pane.0);
    for (pane, left, right, up, down) in [
        (1, None, Some(2), None, Some(4)),
        (2, Some(1), None, None, Some(3)),
        (4, None, Some(3), Some(1), Some(5)),
        (5, None, Some(3), Some(4), None),
    ] {
        let found = [Left, Right, Up, Down].map(|direction| next(pane, direction));
        assert_eq!(found, [left, right, up, down], "p{pane}");
    }
    assert_eq!(desk.layout.neighbour(TabId(1), PaneId(9), Left), None);
    assert_eq!(desk.layout.neighbour(TabId(9), PaneId(1), Left), None);
}

#[test]
fn among_several_neighbours_the_last_used_one_is_taken() {
    for (used, expected) in [([4, 5], 5), ([5, 4], 4)] {
        let mut desk = five_panes();
        for pane in used {
            desk.focus(pane);
        }
        desk.focus(1);
        desk.focus(3);
        desk.apply(Op::FocusDirection { direction: Left });
        assert_eq!(desk.tab(1).focus, PaneId(expected), "p1 was used since, but isn't beside p3");
    }
}

#[test]
fn a_corner_is_no_edge_whatever_the_ratios() {
    let mut desk = Desk::new();
    desk.split(1, Columns);
    desk.split(1, Rows);
    desk.split(2, Rows);
    for upper in [0.1, 0.3, 1.0 / 3.0, 0.7] {
        for path in [vec![0], vec![1]] {
            desk.apply(Op::ResizeSplit { tab: TabId(1), path, ratios: vec![upper, 1.0 - upper] });
        }
        let right = |pane| desk.layout.neighbour(TabId(1), PaneId(pane), Right);
        assert_eq!((right(1), right(3)), (Some(PaneId(2)), Some(PaneId(4))), "{upper}");
    }
}

#[test]
fn going_somewhere_and_back_ends_where_it_began() {
    let mut desk = five_panes();
    for pane in [1, 4, 5, 2, 3] {
        for (there, back) in [(Left, Right), (Right, Left), (Up, Down), (Down, Up)] {
            desk.focus(pane);
            if desk.layout.apply(&Op::FocusDirection { direction: there }).is_ok() {
                desk.apply(Op::FocusDirection { direction: back });
                assert_eq!(desk.tab(1).focus, PaneId(pane), "{there:?}");
            }
        }
    }
}

#[test]
fn no_neighbour_is_an_error() {
    let mut desk = Desk::new();
    assert_eq!(desk.refuse(Op::FocusDirection { direction: Up }), "no_neighbour");
    let mut empty = Desk { layout: Layout::default() };
    assert_eq!(empty.refuse(Op::FocusDirection { direction: Up }), "no_neighbour");
    let error = LayoutError::NoNeighbour { direction: Up };
    assert_eq!(error.to_string(), "there is no pane above");
}

#[test]
fn focusing_a_pane_brings_its_tab_to_the_front() {
    let mut desk = five_panes();
    desk.create_session(None);
    assert!(desk.focus(5).changed, "it has its tab's focus, but the tab isn't in front");
    assert_eq!(desk.layout.active_tab(), Some(TabId(1)));
    assert!(!desk.focus(5).changed);
    assert_eq!(desk.refuse(Op::FocusPane { pane: PaneId(9) }), "unknown_pane");
}

#[test]
fn a_neighbour_takes_over_the_zoomed_tab_unzoomed() {
    let mut desk = five_panes();
    desk.apply(Op::ZoomPane { pane: PaneId(1), zoom: Zoom::In });
    assert_eq!(desk.refuse(Op::FocusDirection { direction: Up }), "no_neighbour");
    desk.apply(Op::FocusDirection { direction: Down });
    assert_eq!((desk.tab(1).focus, desk.tab(1).zoomed), (PaneId(4), None));
}
