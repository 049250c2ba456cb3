//! Changes of the layout by viewers: each operation applied, and panes made and forgotten by it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::hub::{Hub, Plan};
use super::nodes::LOCAL_NODE;
use super::panes::Slot;
use super::refusal::{Made, Refusal};
use super::viewer::{Framing, Viewer};
use crate::clock::Moment;
use crate::geometry::Size;
use crate::ids::{PaneId, SessionId, TabId};
use crate::layout::{self, Axis, Change, GAP, Op, Side, Zoom};
use crate::pane::respawn::Generation;
use crate::pane::{Birth, End, PaneSettings};
use crate::protocol::client::{
    ClientMessage, Direction, PaneFocus, PaneSplit, SplitOrientation, SplitSide, TabMove, ViewMode,
};

/// Where a new pane's terminals run, and what; what is left out follows from the pane beside it, or the session.
#[derive(Debug, Clone, Default)]
pub(super) struct Berth {
    pub(super) node: Option<String>,
    pub(super) cwd: Option<PathBuf>,
    pub(super) command: Option<Vec<String>>,
}

impl Berth {
    /// What a message says of it.
    pub(super) fn of(message: &ClientMessage) -> Berth {
        let (node, cwd) = match message {
            ClientMessage::SessionCreate(create) => (&create.node, &create.cwd),
            ClientMessage::TabCreate(create) => (&create.node, &create.cwd),
            ClientMessage::PaneSplit(split) => (&split.node, &split.cwd),
            _ => return Berth::default(),
        };
        Berth { node: node.clone(), cwd: cwd.as_ref().map(PathBuf::from), command: None }
    }
}

/// Where a new pane starts.
pub(super) struct Start {
    node: String,
    /// Empty: where the node has it.
    cwd: PathBuf,
    command: Option<Vec<String>>,
}

impl Hub {
    /// Applies an operation, and makes and forgets panes by it. `viewer` is who asks, if that is one; `sized` is the
    /// size of the pane it makes, where the viewer knows.
    pub(super) fn change_layout(
        self: &Arc<Self>,
        viewer: Option<&Arc<Viewer>>,
        op: &Op,
        sized: Option<Size>,
        berth: Berth,
    ) -> Result<Change, Refusal> {
        let opens = matches!(op, Op::CreateSession { .. } | Op::CreateTab { .. } | Op::SplitPane { .. });
        let start = self.start_for(op, berth)?;
        let viewport = viewer.and_then(|viewer| viewer.lock().viewport);
        // Who has a view of its own moves that, and no one else's.
        let own = viewer.filter(|viewer| viewer.lock().mode == ViewMode::Own);
        let mut plan = self.plan();
        if opens {
            self.check_room(viewer, &plan)?;
        }
        let shared = own.map(|own| (own, plan.layout.active_tab(), target_focus(&plan, op)));
        let change = plan.layout.apply(op)?;
        if let (Some((own, active_tab, focus)), true) = (shared, change.changed) {
            self.keep_view_own(own, &mut plan, op, &change, (active_tab, focus));
        }
        let sizes = viewport.map(|viewport| sizes_in(&plan, viewport)).unwrap_or_default();
        let opened = self.open_panes(&mut plan, &change, &start, |pane| {
            sized.or_else(|| sizes.get(&pane).copied()).unwrap_or(Size::DEFAULT)
        });
        self.close_panes(&mut plan, &change);
        drop(plan);
        if change.changed {
            self.note_change(&change);
            if let Some(own) = own {
                self.tell_view(own);
            }
            self.after_change(viewer, sizes, &opened, sized);
        }
        Ok(change)
    }

    /// Panes of a viewer's tab are resized with it; new panes get their first terminal.
    pub(super) fn after_change(
        self: &Arc<Self>,
        viewer: Option<&Arc<Viewer>>,
        sizes: HashMap<PaneId, Size>,
        opened: &[Arc<Slot>],
        sized: Option<Size>,
    ) {
        if let Some(viewer) = viewer.filter(|viewer| viewer.lock().sizing) {
            self.report_sizes(viewer, sizes.into_iter().collect());
            if let (Some(size), [slot]) = (sized, opened) {
                self.report(viewer, slot.id, size);
            }
        }
        for slot in opened {
            self.with_pane(slot, |state, _, effects| state.pane.ask_for_terminal(effects));
        }
    }

    pub(super) fn check_room(&self, viewer: Option<&Arc<Viewer>>, plan: &Plan) -> Result<(), Refusal> {
        self.check_limit()?;
        let compact = viewer.is_some_and(|viewer| viewer.framing == Framing::Compact);
        if compact && !plan.channels.has_compact() {
            return Err(Refusal::CompactFull);
        }
        Ok(())
    }

    pub(super) fn check_limit(&self) -> Result<(), Refusal> {
        let limit = self.settings.max_panes;
        (self.panes.len() < limit).then_some(()).ok_or(Refusal::TooManyPanes { limit })
    }

    pub(super) fn open_panes(
        &self,
        plan: &mut Plan,
        change: &Change,
        start: &Start,
        size_of: impl Fn(PaneId) -> Size,
    ) -> Vec<Arc<Slot>> {
        let mut opened = Vec::new();
        for &id in &change.opened {
            let channel = plan.channels.open().expect("four thousand million channels outlast any gateway");
            opened.push(self.new_pane(Birth {
                id,
                channel,
                size: size_of(id),
                screen_size: size_of(id),
                cwd: start.cwd.clone(),
                settings: PaneSettings::default(),
                generation: Generation(0),
                title: String::new(),
                end: End::Never,
                offset: 0,
                node: start.node.clone(),
                command: start.command.clone(),
            }));
        }
        opened
    }

    pub(super) fn close_panes(&self, plan: &mut Plan, change: &Change) {
        // The update that is to come no longer has these panes.
        let revision = self.updates.revision() + 1;
        for pane in &change.closed {
            if let Some(slot) = self.slot(*pane) {
                plan.channels.close(slot.channel, revision, self.viewers.iter().map(|viewer| viewer.id));
            }
            self.forget_pane(*pane);
        }
    }

    /// An operation by a viewer with a view of its own moves that view, and leaves the shared one alone.
    pub(super) fn keep_view_own(
        &self,
        viewer: &Viewer,
        plan: &mut Plan,
        op: &Op,
        change: &Change,
        (active_tab, focus): (Option<TabId>, Option<PaneId>),
    ) {
        let mine = change.pane.or(match op {
            Op::MovePane { pane, .. } | Op::FocusPane { pane } => Some(*pane),
            _ => None,
        });
        // Refused where the old focus or tab is gone; the layout has then chosen new ones.
        for op in focus
            .map(|pane| Op::FocusPane { pane })
            .into_iter()
            .chain(active_tab.map(|tab| Op::SwitchTab { tab }))
        {
            let _ = plan.layout.apply(&op);
        }
        let mut state = viewer.lock();
        if let Some(pane) = mine {
            state.view.focus(&plan.layout, pane);
        }
        state.view.repair(&plan.layout);
    }

    /// Where an operation's new pane starts: on the session's node, or that of the pane that is split; beside a pane
    /// of the same node, in that one's directory.
    pub(super) fn start_for(&self, op: &Op, berth: Berth) -> Result<Start, Refusal> {
        let (beside, own) = match op {
            Op::SplitPane { pane, .. } => (Some(*pane), self.pane_node(*pane)),
            Op::CreateTab { session, .. } => {
                let plan = self.plan();
                let session = plan.layout.session(*session);
                let tab = session.and_then(|session| plan.layout.tab(session.active));
                (tab.map(|tab| tab.focus), session.map(|session| session.node.clone()))
            }
            Op::CreateSession { node, .. } => (None, Some(node.clone())),
            _ => (None, None),
        };
        let Berth { node, cwd, command } = berth;
        if let Some(node) = node.as_ref().filter(|node| !self.nodes.is_known(node)) {
            return Err(Refusal::UnknownNode(node.clone()));
        }
        let node = node.or(own).unwrap_or_else(|| LOCAL_NODE.to_owned());
        let cwd = cwd.or_else(|| beside.and_then(|pane| self.cwd_beside(pane, &node))).unwrap_or_default();
        Ok(Start { node, cwd, command })
    }

    /// The directory of a pane, for one beside it on `node`; of another node's directories nobody knows.
    fn cwd_beside(&self, pane: PaneId, node: &str) -> Option<PathBuf> {
        let slot = self.slot(pane)?;
        let terminal = self.terminals.get(&pane).map(|live| live.terminal.clone());
        let state = slot.lock();
        let same = state.pane.terminal_node() == node && state.pane.node() == node;
        same.then(|| state.pane.cwd_now(terminal.as_deref()))
    }

    pub(super) fn split_pane(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        split: &PaneSplit,
    ) -> Result<Made, Refusal> {
        let op = Op::SplitPane {
            pane: split.pane_id,
            axis: axis_of(split.orientation),
            side: layout_side(split.side),
            ratio: None,
        };
        let size = split.cols.zip(split.rows).map(|(cols, rows)| Size::clamped(cols, rows));
        let berth = Berth::of(&ClientMessage::PaneSplit(split.clone()));
        self.change_layout(Some(viewer), &op, size, berth).map(Made::from)
    }

    pub(super) fn close_pane(
        self: &Arc<Self>,
        viewer: Option<&Arc<Viewer>>,
        pane: PaneId,
        if_idle: bool,
    ) -> Result<Made, Refusal> {
        let terminal = self.terminals.get(&pane).map(|live| live.terminal.clone());
        if let Some(program) = terminal.filter(|_| if_idle).and_then(|terminal| terminal.foreground()) {
            return Err(Refusal::Busy { pane, program });
        }
        self.change_layout(viewer, &Op::ClosePane { pane }, None, Berth::default()).map(Made::from)
    }

    /// Closes a pane whose program ended and that is to close then.
    pub(super) fn close_pane_of_its_own(self: &Arc<Self>, pane: PaneId) {
        let mut plan = self.plan();
        let Ok(change) = plan.layout.apply(&Op::ClosePane { pane }) else { return };
        self.close_panes(&mut plan, &change);
        drop(plan);
        self.note_change(&change);
    }

    /// The layout was changed: viewers are told, and it is saved.
    pub(super) fn note_change(&self, change: &Change) {
        self.updates.mark(|changes| {
            changes.layout = true;
            changes.sessions |= change.sessions_changed;
        });
        self.mark_state();
    }

    pub(super) fn focus_pane(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        focus: &PaneFocus,
    ) -> Result<Made, Refusal> {
        if viewer.lock().mode == ViewMode::Own {
            return self.focus_own_view(viewer, focus);
        }
        let op = match (focus.pane_id, focus.direction) {
            (Some(pane), _) => Op::FocusPane { pane },
            (None, Some(direction)) => Op::FocusDirection { direction: layout_direction(direction) },
            (None, None) => return Err(Refusal::NoTarget),
        };
        self.change_layout(Some(viewer), &op, None, Berth::default()).map(Made::from)
    }
}

pub(super) fn sizes_in(plan: &Plan, viewport: Size) -> HashMap<PaneId, Size> {
    plan.layout.sizes(viewport, GAP).map(|(pane, rect)| (pane, rect.size)).collect()
}

/// The focus that an operation may take from the tab it is about.
pub(super) fn target_focus(plan: &Plan, op: &Op) -> Option<PaneId> {
    let tab = match op {
        Op::SplitPane { pane, .. } | Op::FocusPane { pane } | Op::ZoomPane { pane, .. } => {
            plan.layout.pane_tab(*pane)
        }
        Op::MovePane { tab, .. } => *tab,
        _ => None,
    };
    tab.and_then(|tab| plan.layout.tab(tab)).map(|tab| tab.focus)
}

/// The operation that a message asks for, if it asks for one on the layout alone.
pub(super) fn layout_op(message: ClientMessage, plan: &Plan, default_node: &str) -> Option<Op> {
    Some(match message {
        ClientMessage::SessionCreate(create) => Op::CreateSession {
            name: create.name,
            node: create.node.unwrap_or_else(|| default_node.to_owned()),
            created_at_ms: Moment::now().unix_ms,
        },
        ClientMessage::SessionDestroy(destroy) => Op::DestroySession { session: destroy.session_id },
        ClientMessage::SessionRename(rename) => {
            Op::RenameSession { session: rename.session_id, name: rename.name }
        }
        ClientMessage::TabCreate(create) => Op::CreateTab { session: create.session_id, name: create.name },
        ClientMessage::TabClose(close) => Op::CloseTab { tab: close.tab_id },
        ClientMessage::TabRename(rename) => Op::RenameTab { tab: rename.tab_id, name: rename.name },
        ClientMessage::TabSwitch(switch) => Op::SwitchTab { tab: switch.tab_id },
        ClientMessage::TabMove(TabMove { tab_id, session_id, index }) => {
            let own = || plan.layout.tab(tab_id).map(|tab| tab.session);
            // Of an unknown tab the session does not matter: the layout refuses the tab.
            let session = session_id.or_else(own).unwrap_or(SessionId(0));
            Op::MoveTab { tab: tab_id, session, index }
        }
        ClientMessage::PaneRename(rename) => Op::RenamePane { pane: rename.pane_id, name: rename.name },
        ClientMessage::PaneZoom(zoom) => Op::ZoomPane {
            pane: zoom.pane_id,
            zoom: match zoom.zoomed {
                None => Zoom::Toggle,
                Some(true) => Zoom::In,
                Some(false) => Zoom::Out,
            },
        },
        ClientMessage::PaneSwap(swap) => Op::SwapPanes { a: swap.pane_id, b: swap.with_pane_id },
        ClientMessage::PaneMove(to) => {
            Op::MovePane { pane: to.pane_id, tab: to.tab_id, axis: axis_of(to.orientation) }
        }
        ClientMessage::PaneGrow(grow) => Op::ResizePane {
            pane: grow.pane_id,
            direction: layout_direction(grow.direction),
            step: f64::from(grow.amount) / 1000.0,
        },
        ClientMessage::SplitResize(resize) => {
            Op::ResizeSplit { tab: resize.tab_id, path: resize.path, ratios: resize.ratios }
        }
        _ => return None,
    })
}

pub(super) fn axis_of(orientation: SplitOrientation) -> Axis {
    match orientation {
        SplitOrientation::Horizontal => Axis::Columns,
        SplitOrientation::Vertical => Axis::Rows,
    }
}

pub(super) fn layout_side(side: SplitSide) -> Side {
    match side {
        SplitSide::Before => Side::Before,
        SplitSide::After => Side::After,
    }
}

pub(super) fn layout_direction(direction: Direction) -> layout::Direction {
    match direction {
        Direction::Left => layout::Direction::Left,
        Direction::Right => layout::Direction::Right,
        Direction::Up => layout::Direction::Up,
        Direction::Down => layout::Direction::Down,
    }
}
