//! Whole cells for every pane.

use super::*;
use crate::geometry::{Rect, Size};
use Axis::{Columns, Rows};

fn rects(desk: &Desk, cols: u16, rows: u16, gap: u16) -> Vec<(u64, [u16; 4])> {
    let flat = |Rect { x, y, size }: Rect| [x, y, size.cols, size.rows];
    desk.layout.sizes(Size { cols, rows }, gap).map(|(pane, rect)| (pane.0, flat(rect))).collect()
}

/// `(p1 | (p2 / p3))`
fn three_panes() -> Desk {
    let mut desk = Desk::new();
    desk.split(1, Columns);
    desk.split(2, Rows);
    desk
}

#[test]
fn panes_and_gaps_fill_the_viewport() {
    let desk = three_panes();
    assert_eq!(rects(&desk, 80, 24, 0), [(1, [0, 0, 40, 24]), (2, [40, 0, 40, 12]), (3, [40, 12, 40, 12])]);
    assert_eq!(rects(&desk, 81, 24, 1), [(1, [0, 0, 40, 24]), (2, [41, 0, 40, 12]), (3, [41, 13, 40, 11])]);
}

#[test]
fn a_viewport_that_is_too_small_gives_everyone_the_least_size() {
    let desk = three_panes();
    assert_eq!(rects(&desk, 1, 0, 1), [(1, [0, 0, 2, 3]), (2, [3, 0, 2, 1]), (3, [3, 2, 2, 1])]);
}

#[test]
fn a_small_ratio_still_gives_the_least_size() {
    let mut desk = three_panes();
    desk.apply(Op::ResizeSplit { tab: TabId(1), path: vec![1], ratios: vec![0.98, 0.02] });
    let sizes = rects(&desk, 80, 5, 0);
    assert_eq!(sizes[1..], [(2, [40, 0, 40, 4]), (3, [40, 4, 40, 1])]);
}

#[test]
fn a_zoomed_pane_has_the_viewport_and_the_others_keep_their_size() {
    let mut desk = three_panes();
    desk.apply(Op::ZoomPane { pane: PaneId(2), zoom: Zoom::In });
    assert_eq!(rects(&desk, 80, 24, 0), [(1, [0, 0, 40, 24]), (2, [0, 0, 80, 24]), (3, [40, 12, 40, 12])]);
}

#[test]
fn every_tab_has_the_viewport_to_itself() {
    let mut desk = Desk::new();
    desk.create_tab(1);
    assert_eq!(rects(&desk, 80, 24, 1), [(1, [0, 0, 80, 24]), (2, [0, 0, 80, 24])]);
}

#[test]
fn areas_fill_the_unit_square() {
    let mut desk = three_panes();
    desk.apply(Op::ResizeSplit { tab: TabId(1), path: vec![], ratios: vec![0.25, 0.75] });
    let area = |x, y, width, height| Area { x, y, width, height };
    assert_eq!(
        desk.tab(1).tree.areas(),
        [
            (PaneId(1), area(0.0, 0.0, 0.25, 1.0)),
            (PaneId(2), area(0.25, 0.0, 0.75, 0.5)),
            (PaneId(3), area(0.25, 0.5, 0.75, 0.5)),
        ]
    );
}
