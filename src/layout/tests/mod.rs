//! Tests of the whole layout, with what they share.

mod focus;
mod history;
mod limits;
mod panes;
mod sessions;
mod sizes;
mod stored;
mod tabs;

use super::*;

/// A layout in which things have short names.
struct Desk {
    layout: Layout,
}

impl Desk {
    /// One session `s1` with tab `t1` and pane `p1`.
    fn new() -> Desk {
        let mut desk = Desk { layout: Layout::default() };
        desk.create_session(None);
        desk
    }

    /// Does an operation that must succeed and leave the layout whole.
    fn apply(&mut self, op: Op) -> Change {
        let before = self.layout.clone();
        let change = self.layout.apply(&op).unwrap_or_else(|error| panic!("{op:?}: {error}"));
        self.layout.check().unwrap_or_else(|damage| panic!("{op:?}: {damage}"));
        assert_eq!(change.revision, self.layout.revision());
        assert_eq!(change.revision, before.revision() + u64::from(change.changed));
        if !change.changed {
            assert_eq!(self.layout, before, "{op:?} said that it changed nothing");
        }
        change
    }

    /// Does an operation that must be refused, and gives the error's code.
    fn refuse(&mut self, op: Op) -> &'static str {
        let before = self.layout.clone();
        let error = self.layout.apply(&op).expect_err("it should be refused");
        assert_eq!(self.layout, before, "{op:?} was refused but changed something");
        error.code()
    }

    fn create_session(&mut self, name: Option<&str>) -> Change {
        self.apply(Op::CreateSession {
            name: name.map(str::to_owned),
            node: "local".to_owned(),
            created_at_ms: 1_700_000_000_000,
        })
    }

    fn create_tab(&mut self, session: u64) -> Change {
        self.apply(Op::CreateTab { session: SessionId(session), name: None })
    }

    fn split(&mut self, pane: u64, axis: Axis) -> PaneId {
        let op = Op::SplitPane { pane: PaneId(pane), axis, side: Side::After, ratio: None };
        self.apply(op).pane.expect("a split opens a pane")
    }

    fn focus(&mut self, pane: u64) -> Change {
        self.apply(Op::FocusPane { pane: PaneId(pane) })
    }

    fn close(&mut self, pane: u64) -> Change {
        self.apply(Op::ClosePane { pane: PaneId(pane) })
    }

    fn tab(&self, tab: u64) -> &Tab {
        self.layout.tab(TabId(tab)).expect("the tab is there")
    }

    /// The panes of a tab's tree: `|` between columns, `/` between rows.
    fn sketch(&self, tab: u64) -> String {
        sketch(&self.tab(tab).tree)
    }

    /// A split's ratios.
    fn ratios(&self, tab: u64, path: &[usize]) -> Vec<f64> {
        self.tab(tab).tree.ratios(path).expect("a split is there")
    }
}

fn sketch(tree: &Tree) -> String {
    match tree {
        Tree::Leaf { pane } => pane.to_string(),
        Tree::Split { axis, children } => {
            let parts: Vec<String> = children.iter().map(|child| sketch(&child.tree)).collect();
            let line = match axis {
                Axis::Columns => " | ",
                Axis::Rows => " / ",
            };
            format!("({})", parts.join(line))
        }
    }
}
