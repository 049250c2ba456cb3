//! Splitting, closing, resizing, zooming, swapping, moving and renaming panes.

use super::*;
use Axis::{Columns, Rows};

fn split(pane: u64, axis: Axis, side: Side, ratio: Option<f64>) -> Op {
    Op::SplitPane { pane: PaneId(pane), axis, side, ratio }
}

fn resize(pane: u64, direction: Direction, step: f64) -> Op {
    Op::ResizePane { pane: PaneId(pane), direction, step }
}

fn resize_split(path: &[usize], ratios: &[f64]) -> Op {
    Op::ResizeSplit { tab: TabId(1), path: path.to_vec(), ratios: ratios.to_vec() }
}

fn zoom(pane: u64, zoom: Zoom) -> Op {
    Op::ZoomPane { pane: PaneId(pane), zoom }
}

fn move_pane(pane: u64, tab: Option<u64>, axis: Axis) -> Op {
    Op::MovePane { pane: PaneId(pane), tab: tab.map(TabId), axis }
}

/// `(p1 | (p2 / p3))`, the last one focused.
fn three_panes() -> Desk {
    let mut desk = Desk::new();
    desk.split(1, Columns);
    desk.split(2, Rows);
    desk
}

#[test]
fn a_split_nests_across_and_inserts_along_its_axis() {
    let mut desk = Desk::new();
    desk.split(1, Columns);
    assert_eq!(desk.sketch(1), "(p1 | p2)");
    desk.split(2, Rows);
    assert_eq!(desk.sketch(1), "(p1 | (p2 / p3))");
    desk.split(1, Columns);
    assert_eq!(desk.sketch(1), "(p1 | p4 | (p2 / p3))");
    assert_eq!(desk.ratios(1, &[]), [0.25, 0.25, 0.5]);
    desk.apply(split(2, Rows, Side::Before, Some(0.2)));
    assert_eq!(desk.sketch(1), "(p1 | p4 | (p5 / p2 / p3))");
    assert_eq!(desk.ratios(1, &[2]), [0.1, 0.4, 0.5]);
    assert_eq!(desk.tab(1).focus, PaneId(5), "the new pane gets the keys");
    assert_eq!(desk.layout.path_of(TabId(1), PaneId(2)), Some(vec![2, 1]));
    assert_eq!(desk.layout.path_of(TabId(1), PaneId(9)), None);
}

#[test]
fn a_split_elsewhere_leaves_the_active_tab_in_front() {
    let mut desk = Desk::new();
    desk.create_tab(1);
    desk.split(1, Rows);
    assert_eq!(desk.layout.active_tab(), Some(TabId(2)));
    assert_eq!(desk.layout.pane_tab(PaneId(3)), Some(TabId(1)));
}

#[test]
fn splits_of_impossible_ratio_are_refused_and_tiny_ones_raised() {
    let mut desk = Desk::new();
    for bad in [0.0, 1.0, -0.5, 1.5, f64::NAN, f64::INFINITY] {
        assert_eq!(desk.refuse(split(1, Rows, Side::After, Some(bad))), "invalid_ratios", "{bad}");
    }
    assert_eq!(desk.refuse(split(9, Rows, Side::After, None)), "unknown_pane");
    desk.apply(split(1, Rows, Side::After, Some(1e-9)));
    assert_eq!(desk.ratios(1, &[]), [0.98, 0.02]);
}

#[test]
fn closing_what_was_split_off_brings_the_old_shares_back() {
    let mut desk = three_panes();
    desk.apply(resize_split(&[], &[0.3, 0.7]));
    for (pane, axis) in [(1, Columns), (1, Rows), (2, Columns), (3, Rows)] {
        let before = desk.tab(1).tree.clone();
        let new = desk.split(pane, axis);
        desk.close(new.0);
        assert_eq!(desk.tab(1).tree, before, "p{pane} by {axis:?}");
    }
}

#[test]
fn closing_a_pane_merges_splits_of_the_same_axis() {
    let mut desk = three_panes();
    desk.split(3, Columns);
    assert_eq!(desk.sketch(1), "(p1 | (p2 / (p3 | p4)))");
    desk.close(2);
    assert_eq!(desk.sketch(1), "(p1 | p3 | p4)");
    assert_eq!(desk.ratios(1, &[]), [0.5, 0.25, 0.25]);
    desk.close(1);
    assert_eq!(desk.ratios(1, &[]), [0.75, 0.25], "the first one's room goes to the next");
}

#[test]
fn closing_hands_the_focus_to_the_pane_used_before() {
    let mut desk = three_panes();
    desk.split(1, Rows);
    for pane in [2, 1, 3, 4] {
        desk.focus(pane);
    }
    for next in [3, 1, 2] {
        let change = desk.close(desk.tab(1).focus.0);
        assert_eq!(change.closed.len(), 1);
        assert_eq!(desk.tab(1).focus, PaneId(next));
    }
}

#[test]
fn the_last_pane_takes_tab_and_session_with_it() {
    let mut desk = Desk::new();
    let change = desk.close(1);
    assert!(desk.layout.is_empty());
    assert_eq!(change.closed, [PaneId(1)]);
    assert!(change.sessions_changed);
    assert_eq!(desk.refuse(Op::ClosePane { pane: PaneId(1) }), "unknown_pane");
}

#[test]
fn dragging_a_divider_scales_the_ratios() {
    let mut desk = three_panes();
    desk.apply(resize_split(&[1], &[3.0, 1.0]));
    assert_eq!(desk.ratios(1, &[1]), [0.75, 0.25]);
    assert_eq!(desk.ratios(1, &[]), [0.5, 0.5]);
    assert!(!desk.apply(resize_split(&[1], &[0.75, 0.25])).changed);
    desk.apply(resize_split(&[], &[1e-30, 1.0]));
    assert_eq!(desk.ratios(1, &[]), [0.02, 0.98], "nothing gets lost");
    assert!(!desk.apply(resize_split(&[], &[0.001, 0.999])).changed, "it was as small as can be");
}

#[test]
fn garbage_ratios_and_paths_are_refused() {
    let mut desk = three_panes();
    for bad in [
        &[][..],
        &[1.0],
        &[0.2, 0.3, 0.5],
        &[f64::NAN, 1.0],
        &[f64::INFINITY, 1.0],
        &[-0.5, 1.5],
        &[0.0, 1.0],
        &[f64::MAX, f64::MAX],
    ] {
        assert_eq!(desk.refuse(resize_split(&[], bad)), "invalid_ratios", "{bad:?}");
    }
    for path in [&[0][..], &[2], &[1, 0], &[1, 0, 0], &[usize::MAX]] {
        assert_eq!(desk.refuse(resize_split(path, &[0.5, 0.5])), "unknown_split", "{path:?}");
    }
    let elsewhere = Op::ResizeSplit { tab: TabId(9), path: vec![], ratios: vec![] };
    assert_eq!(desk.refuse(elsewhere), "unknown_tab");
}

#[test]
fn resizing_a_pane_moves_its_divider_that_way() {
    use Direction::*;
    // (p1 | p2 | p3): the last pane has no divider after it, so the one before it moves.
    for (pane, direction, expected) in [
        (1, Right, [0.35, 0.15, 0.5]),
        (1, Left, [0.15, 0.35, 0.5]),
        (2, Right, [0.25, 0.35, 0.4]),
        (2, Left, [0.25, 0.15, 0.6]),
        (3, Right, [0.25, 0.35, 0.4]),
        (3, Left, [0.25, 0.15, 0.6]),
        (3, Up, [0.25, 0.25, 0.5]),
    ] {
        let mut desk = Desk::new();
        desk.split(1, Columns);
        desk.split(1, Columns);
        desk.apply(move_pane(2, Some(1), Columns));
        desk.apply(Op::SwapPanes { a: PaneId(2), b: PaneId(3) });
        desk.apply(resize_split(&[], &[0.25, 0.25, 0.5]));
        assert_eq!(desk.sketch(1), "(p1 | p2 | p3)");
        desk.apply(resize(pane, direction, 0.1));
        assert_eq!(desk.ratios(1, &[]), expected, "p{pane} {direction:?}");
    }
}

#[test]
fn a_step_counts_in_the_whole_tab_and_stops_at_the_least_ratio() {
    let mut desk = three_panes();
    desk.split(3, Columns);
    // p3 and p4 share half of the tab's width, so a tenth of the tab is a fifth of their split.
    desk.apply(resize(4, Direction::Left, 0.1));
    assert_eq!(desk.ratios(1, &[1, 1]), [0.3, 0.7]);
    desk.apply(resize(2, Direction::Down, 1e9));
    assert_eq!(desk.ratios(1, &[1]), [0.98, 0.02]);
    assert!(!desk.apply(resize(2, Direction::Down, 0.1)).changed);
    for bad in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        assert_eq!(desk.refuse(resize(2, Direction::Up, bad)), "invalid_ratios", "{bad}");
    }
    assert_eq!(desk.refuse(resize(9, Direction::Up, 0.1)), "unknown_pane");
}

#[test]
fn zoom_goes_in_and_out_and_takes_the_focus() {
    let mut desk = three_panes();
    desk.apply(zoom(1, Zoom::Toggle));
    assert_eq!((desk.tab(1).zoomed, desk.tab(1).focus), (Some(PaneId(1)), PaneId(1)));
    assert!(!desk.apply(zoom(1, Zoom::In)).changed);
    assert!(!desk.apply(zoom(2, Zoom::Out)).changed, "another pane is zoomed");
    desk.apply(zoom(2, Zoom::In));
    assert_eq!(desk.tab(1).zoomed, Some(PaneId(2)));
    desk.apply(zoom(2, Zoom::Toggle));
    assert_eq!((desk.tab(1).zoomed, desk.tab(1).focus), (None, PaneId(2)));
    assert_eq!(desk.refuse(zoom(9, Zoom::Out)), "unknown_pane");
}

#[test]
fn the_only_pane_of_a_tab_is_never_zoomed() {
    let mut desk = Desk::new();
    assert!(!desk.apply(zoom(1, Zoom::In)).changed);
    desk.split(1, Rows);
    desk.apply(zoom(2, Zoom::In));
    desk.close(1);
    assert_eq!(desk.tab(1).zoomed, None);
}

#[test]
fn what_ends_a_zoom() {
    let pane = PaneId(3);
    for (op, is_zoomed) in [
        (split(3, Rows, Side::After, None), false),
        (split(1, Rows, Side::After, None), false),
        (Op::ClosePane { pane }, false),
        (Op::ClosePane { pane: PaneId(2) }, true),
        (Op::FocusPane { pane: PaneId(1) }, false),
        (Op::FocusDirection { direction: Direction::Left }, false),
        (Op::SwapPanes { a: PaneId(1), b: PaneId(2) }, false),
        (resize(3, Direction::Up, 0.1), false),
        (resize_split(&[], &[0.4, 0.6]), false),
        (move_pane(3, None, Rows), false),
        (move_pane(1, None, Rows), true),
        (Op::RenamePane { pane, name: Some("logs".into()) }, true),
        (Op::CreateTab { session: SessionId(1), name: None }, true),
    ] {
        let mut desk = three_panes();
        desk.apply(zoom(3, Zoom::In));
        desk.apply(op.clone());
        assert_eq!(desk.tab(1).zoomed, is_zoomed.then_some(pane), "{op:?}");
    }
}

#[test]
fn panes_swap_within_a_tab_and_the_focus_goes_with_its_pane() {
    let mut desk = three_panes();
    desk.apply(Op::SwapPanes { a: PaneId(1), b: PaneId(3) });
    assert_eq!(desk.sketch(1), "(p3 | (p2 / p1))");
    assert_eq!(desk.tab(1).focus, PaneId(3));
    assert!(!desk.apply(Op::SwapPanes { a: PaneId(1), b: PaneId(1) }).changed);
    assert_eq!(desk.refuse(Op::SwapPanes { a: PaneId(1), b: PaneId(9) }), "unknown_pane");
}

#[test]
fn panes_swap_across_tabs_and_the_focus_stays_in_its_place() {
    let mut desk = three_panes();
    desk.create_tab(1);
    desk.apply(Op::SwapPanes { a: PaneId(4), b: PaneId(3) });
    assert_eq!((desk.sketch(1), desk.sketch(2)), ("(p1 | (p2 / p4))".into(), "p3".into()));
    assert_eq!((desk.tab(1).focus, desk.tab(2).focus), (PaneId(4), PaneId(3)));
    assert_eq!(desk.layout.pane_tab(PaneId(3)), Some(TabId(2)));
    desk.apply(Op::SwapPanes { a: PaneId(1), b: PaneId(3) });
    assert_eq!((desk.tab(1).focus, desk.tab(2).focus), (PaneId(4), PaneId(1)));
}

#[test]
fn a_pane_moves_into_a_tab_of_its_own() {
    let mut desk = three_panes();
    desk.create_tab(1);
    let change = desk.apply(move_pane(3, None, Rows));
    assert_eq!(change.tab, Some(TabId(3)));
    assert!(change.opened.is_empty() && change.closed.is_empty() && change.pane.is_none());
    assert_eq!((desk.sketch(1), desk.sketch(3)), ("(p1 | p2)".into(), "p3".into()));
    assert_eq!(desk.layout.active_tab(), Some(TabId(3)));
    assert_eq!(desk.tab(3).name, "3");
    assert!(!desk.apply(move_pane(3, None, Rows)).changed, "it has one already");
}

#[test]
fn a_pane_moves_beside_another_tab_s_focus() {
    let mut desk = three_panes();
    desk.create_session(None);
    let change = desk.apply(move_pane(4, Some(1), Columns));
    assert_eq!(desk.sketch(1), "(p1 | (p2 / (p3 | p4)))");
    assert!(change.sessions_changed && change.closed.is_empty(), "its session had nothing else");
    assert_eq!(desk.layout.active_tab(), Some(TabId(1)));
    assert_eq!(desk.tab(1).focus, PaneId(4));
    assert_eq!(desk.refuse(move_pane(4, Some(2), Rows)), "unknown_tab");
    assert_eq!(desk.refuse(move_pane(9, Some(1), Rows)), "unknown_pane");
}

#[test]
fn a_pane_moves_within_its_tab() {
    let mut desk = three_panes();
    desk.apply(move_pane(1, Some(1), Columns));
    assert_eq!(desk.sketch(1), "(p2 / (p3 | p1))");
    assert!(!desk.apply(move_pane(1, Some(1), Columns)).changed, "it is there already");
    desk.apply(move_pane(1, Some(1), Rows));
    assert_eq!(desk.sketch(1), "(p2 / p3 / p1)");
    let mut single = Desk::new();
    assert!(!single.apply(move_pane(1, Some(1), Rows)).changed);
}

#[test]
fn panes_are_named_and_unnamed() {
    let mut desk = Desk::new();
    let rename =
        |pane, name: Option<&str>| Op::RenamePane { pane: PaneId(pane), name: name.map(str::to_owned) };
    assert!(!desk.apply(rename(1, None)).changed);
    desk.apply(rename(1, Some(" tail\x1b ")));
    assert_eq!(desk.layout.pane(PaneId(1)).unwrap().name.as_deref(), Some("tail"));
    assert_eq!(desk.refuse(rename(1, Some(" "))), "invalid_name");
    assert_eq!(desk.refuse(rename(9, None)), "unknown_pane");
    assert!(desk.apply(rename(1, None)).changed);
}
