//! What viewers ask for, done: each control message becomes an operation on the layout, a pane or the viewer.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::hub::{Attached, Hub, LOCAL_NODE, Plan};
use super::panes::Slot;
use super::view::View;
use super::viewer::{Framing, Viewer};
use crate::clock::Moment;
use crate::geometry::Size;
use crate::ids::{PaneId, SessionId, TabId};
use crate::layout::{self, Axis, Change, LayoutError, Op, Side, Zoom};
use crate::pane::respawn::Generation;
use crate::pane::{Birth, End, InputRefused, PaneSettings, Typed};
use crate::protocol::client::{
    ClientMessage, Connect, Direction, PaneFocus, PaneSet, PaneSplit, Request, SplitOrientation, SplitSide,
    TabMove, ViewMode, WatchPane,
};
use crate::protocol::frame::InputFrame;
use crate::protocol::server::{ErrorMessage, ServerMessage};

/// Cells between two panes, for a divider.
const GAP: u16 = 1;

/// A request that is not done, and why.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("no pane {0}; it was closed, or never was")]
    UnknownPane(PaneId),
    #[error("{program} is still running in it; closing the pane ends that")]
    Busy { pane: PaneId, program: String },
    #[error(
        "all 255 channels of the compact framing are taken; close a pane, or connect with the subprotocol everpane.v1"
    )]
    CompactFull,
    #[error("the gateway has {limit} panes already, which is its limit")]
    TooManyPanes { limit: usize },
    #[error("pane_focus needs `direction` or `paneId`")]
    NoTarget,
    #[error("{0} is connected already")]
    Connected(PaneId),
}

impl Refusal {
    fn message(&self, request_id: Option<u64>) -> ErrorMessage {
        let (code, field, pane) = match self {
            Refusal::Layout(error) => (error.code(), layout_field(error), None),
            Refusal::UnknownPane(pane) => ("unknown_pane", Some("paneId"), Some(*pane)),
            Refusal::Busy { pane, .. } => ("pane_busy", None, Some(*pane)),
            Refusal::CompactFull => ("channels_exhausted", None, None),
            Refusal::TooManyPanes { .. } => ("limit_reached", None, None),
            Refusal::NoTarget => ("invalid_field", Some("direction"), None),
            Refusal::Connected(pane) => ("pane_connected", None, Some(*pane)),
        };
        ErrorMessage {
            code: code.to_owned(),
            message: self.to_string(),
            field: field.map(str::to_owned),
            pane_id: pane,
            bytes: None,
            request_id,
        }
    }
}

/// The field of a message that a layout error is about.
fn layout_field(error: &LayoutError) -> Option<&'static str> {
    Some(match error.code() {
        "unknown_session" => "sessionId",
        "unknown_tab" => "tabId",
        "unknown_pane" => "paneId",
        "unknown_split" => "path",
        "invalid_ratios" => "ratios",
        "invalid_name" | "duplicate_name" => "name",
        "no_neighbour" => "direction",
        _ => return None,
    })
}

/// What a request made.
#[derive(Debug, Default)]
struct Made {
    session: Option<SessionId>,
    tab: Option<TabId>,
    pane: Option<PaneId>,
}

impl From<Change> for Made {
    fn from(change: Change) -> Made {
        Made { session: change.session, tab: change.tab, pane: change.pane }
    }
}

impl Attached {
    /// Does what a viewer asks, and answers it.
    pub fn request(&self, request: Request) {
        let Request { request_id, message } = request;
        if matches!(message, ClientMessage::Ping(_)) {
            return self.viewer.send(ServerMessage::Pong { request_id });
        }
        match self.hub.handle(&self.viewer, message) {
            Ok(made) => {
                if let Some(request_id) = request_id {
                    let Made { session, tab, pane } = made;
                    self.viewer.send(ServerMessage::Ok {
                        request_id,
                        session_id: session,
                        tab_id: tab,
                        pane_id: pane,
                    });
                }
            }
            Err(refusal) => self.viewer.refuse(refusal.message(request_id)),
        }
    }

    /// Passes input to its pane.
    ///
    /// # Errors
    /// When the channel is nobody's. Input that the pane does not take is answered to the viewer.
    pub fn input(&self, frame: &InputFrame) -> Result<(), UnknownChannel> {
        let unknown = UnknownChannel { channel: frame.channel.0 };
        let slot = self.hub.by_channel.get(&frame.channel).map(|slot| slot.clone()).ok_or(unknown)?;
        let typed = Typed { viewer: self.viewer.id, kind: frame.kind, bytes: &frame.payload };
        let taken = self.hub.with_pane(&slot, |state, terminal, effects| {
            if state.pane.is_closed() {
                // Since it was looked up.
                return Err(unknown);
            }
            let answers = state.answers(typed.viewer);
            Ok(state.pane.input(typed, answers, Instant::now(), terminal, effects))
        })?;
        if let Err(InputRefused { code, message, bytes }) = taken {
            self.viewer.refuse(ErrorMessage {
                code: code.to_owned(),
                message,
                pane_id: Some(slot.id),
                bytes: Some(bytes),
                ..ErrorMessage::default()
            });
        }
        Ok(())
    }

    /// The viewer has taken in everything up to a layout revision.
    pub fn seen(&self, revision: u64) {
        self.hub.plan().channels.viewer_seen(self.viewer.id, revision);
    }

    /// The newest layout revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.hub.updates.revision()
    }

    /// The whole state, for a viewer that fell behind the updates.
    #[must_use]
    pub fn state(&self) -> ServerMessage {
        ServerMessage::State(self.hub.state())
    }

    /// All notices, also those that are over, for a viewer that fell behind the updates.
    #[must_use]
    pub fn notices(&self) -> Vec<ServerMessage> {
        self.hub.updates.notices()
    }

    /// After an update of the layout: panes that came or went, as far as this viewer is concerned.
    pub fn follow_layout(&self) {
        if self.viewer.framing == Framing::Compact {
            self.hub.watch_everything(&self.viewer);
        }
        self.hub.repair_view(&self.viewer);
    }
}

/// A channel that no pane has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no pane has channel {channel}; it was closed, or never was")]
pub struct UnknownChannel {
    /// The channel.
    pub channel: u32,
}

impl Hub {
    fn handle(self: &Arc<Self>, viewer: &Arc<Viewer>, message: ClientMessage) -> Result<Made, Refusal> {
        match message {
            ClientMessage::Connect(connect) => Ok(self.connect(viewer, &connect)),
            ClientMessage::PaneSplit(split) => self.split_pane(viewer, &split),
            ClientMessage::PaneClose(close) => self.close_pane(viewer, close.pane_id, close.if_idle),
            ClientMessage::PaneFocus(focus) => self.focus_pane(viewer, &focus),
            ClientMessage::PaneResize(report) => {
                self.report_size(viewer, report.pane_id, Size { cols: report.cols, rows: report.rows })
            }
            ClientMessage::PaneRespawn(respawn) => self.respawn(respawn.pane_id),
            ClientMessage::PaneDiscard(discard) => {
                let slot = self.known(discard.pane_id)?;
                self.with_pane(&slot, |state, _, effects| state.pane.discard(effects));
                Ok(Made::default())
            }
            ClientMessage::PaneSet(set) => self.set_pane(&set),
            ClientMessage::PaneWatch(watch) => self.watch(viewer, &watch.panes),
            ClientMessage::PaneUnwatch(unwatch) => Ok(self.unwatch(viewer, &unwatch.pane_ids)),
            ClientMessage::LayoutSeen(seen) => {
                self.plan().channels.viewer_seen(viewer.id, seen.revision);
                Ok(Made::default())
            }
            ClientMessage::TabSwitch(switch) if viewer.lock().mode == ViewMode::Own => {
                self.switch_own_view(viewer, switch.tab_id)
            }
            other => {
                let op = layout_op(other, &self.plan());
                // Every message is one or the other; `ping` is answered before.
                op.map_or(Ok(Made::default()), |op| self.change_layout(viewer, &op, None).map(Made::from))
            }
        }
    }

    fn known(&self, pane: PaneId) -> Result<Arc<Slot>, Refusal> {
        self.slot(pane).ok_or(Refusal::UnknownPane(pane))
    }

    // The viewer.

    fn connect(self: &Arc<Self>, viewer: &Arc<Viewer>, connect: &Connect) -> Made {
        let viewport = Size::clamped(connect.width, connect.height);
        {
            let plan = self.plan();
            let mut state = viewer.lock();
            state.viewport = Some(viewport);
            state.sizing = connect.sizing;
            if connect.view == ViewMode::Own && state.mode == ViewMode::Shared {
                state.view = View::of(&plan.layout);
            }
            state.mode = connect.view;
        }
        if connect.sizing {
            let plan = self.plan();
            let sizes: Vec<_> =
                plan.layout.sizes(viewport, GAP).map(|(pane, rect)| (pane, rect.size)).collect();
            drop(plan);
            self.report_sizes(viewer, sizes);
        } else {
            self.forget_sizes(viewer);
        }
        viewer.send(ServerMessage::State(self.state()));
        self.tell_view(viewer);
        Made::default()
    }

    fn report_sizes(self: &Arc<Self>, viewer: &Arc<Viewer>, sizes: Vec<(PaneId, Size)>) {
        let measured = viewer.lock().measured.clone();
        for (pane, size) in sizes.into_iter().filter(|(pane, _)| !measured.contains(pane)) {
            self.report(viewer, pane, size);
        }
    }

    fn report(self: &Arc<Self>, viewer: &Arc<Viewer>, pane: PaneId, size: Size) {
        if let Some(slot) = self.slot(pane) {
            self.with_pane(&slot, |state, terminal, effects| {
                state.pane.sizing.report(viewer.id, size);
                state.pane.settle_size(Instant::now(), terminal, effects);
            });
        }
    }

    fn forget_sizes(self: &Arc<Self>, viewer: &Arc<Viewer>) {
        for slot in self.slots() {
            self.with_pane(&slot, |state, terminal, effects| {
                state.pane.sizing.forget(viewer.id);
                state.pane.settle_size(Instant::now(), terminal, effects);
            });
        }
    }

    fn report_size(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        pane: PaneId,
        size: Size,
    ) -> Result<Made, Refusal> {
        self.known(pane)?;
        let sizing = {
            let mut state = viewer.lock();
            state.measured.insert(pane);
            state.sizing
        };
        if sizing {
            self.report(viewer, pane, size);
        }
        Ok(Made::default())
    }

    fn watch(self: &Arc<Self>, viewer: &Arc<Viewer>, panes: &[WatchPane]) -> Result<Made, Refusal> {
        for wanted in panes {
            let slot = self.known(wanted.pane_id)?;
            self.watch_pane(viewer, &slot, wanted.offset);
        }
        Ok(Made::default())
    }

    pub(super) fn watch_pane(&self, viewer: &Arc<Viewer>, slot: &Arc<Slot>, offset: Option<u64>) {
        let mut state = slot.lock();
        if state.pane.is_closed() {
            // Closed since it was looked up: nobody would end this watch.
            return;
        }
        let log = &state.pane.log;
        // A newcomer to a log that no longer reaches back to its beginning must restart, like one whose
        // offset is gone: no byte has this offset.
        let newcomer = if log.tail() == 0 { 0 } else { u64::MAX };
        let subscription = viewer.subscribe(slot, offset.unwrap_or(newcomer), log.head());
        state.subscribers.retain(|other| other.viewer_id() != viewer.id);
        state.subscribers.push(subscription.clone());
        subscription.mark();
    }

    fn unwatch(&self, viewer: &Arc<Viewer>, panes: &[PaneId]) -> Made {
        for pane in panes {
            // A pane that is gone is not watched any more either.
            let Some(slot) = self.slot(*pane) else { continue };
            slot.lock().subscribers.retain(|subscription| subscription.viewer_id() != viewer.id);
            if let Some(subscription) = viewer.lock().subscriptions.remove(pane) {
                subscription.end();
            }
        }
        Made::default()
    }

    /// Subscribes a compact viewer to every pane that it reaches and does not have yet.
    pub(super) fn watch_everything(&self, viewer: &Arc<Viewer>) {
        for slot in self.slots() {
            let new = slot.channel.is_compact() && !viewer.lock().subscriptions.contains_key(&slot.id);
            if new {
                self.watch_pane(viewer, &slot, None);
            }
        }
    }

    // Views of viewers' own.

    fn switch_own_view(&self, viewer: &Arc<Viewer>, tab: TabId) -> Result<Made, Refusal> {
        {
            let plan = self.plan();
            plan.layout.tab(tab).ok_or(LayoutError::UnknownTab { tab })?;
            viewer.lock().view.switch(tab);
        }
        self.tell_view(viewer);
        Ok(Made::default())
    }

    fn focus_own_view(&self, viewer: &Arc<Viewer>, focus: &PaneFocus) -> Result<Made, Refusal> {
        {
            let plan = self.plan();
            let mut state = viewer.lock();
            let pane = match (focus.pane_id, focus.direction) {
                (Some(pane), _) => plan.layout.pane(pane).map(|_| pane).ok_or(Refusal::UnknownPane(pane))?,
                (None, Some(direction)) => {
                    let direction = layout_direction(direction);
                    let from = state.view.focused(&plan.layout);
                    from.and_then(|(tab, pane)| plan.layout.neighbour(tab, pane, direction))
                        .ok_or(LayoutError::NoNeighbour { direction })?
                }
                (None, None) => return Err(Refusal::NoTarget),
            };
            state.view.focus(&plan.layout, pane);
        }
        self.tell_view(viewer);
        Ok(Made::default())
    }

    fn tell_view(&self, viewer: &Arc<Viewer>) {
        let state = viewer.lock();
        if state.mode == ViewMode::Own {
            let View { active_tab, focus } = state.view.clone();
            drop(state);
            viewer.send(ServerMessage::View { active_tab, focus });
        }
    }

    fn repair_view(&self, viewer: &Arc<Viewer>) {
        let changed = {
            let plan = self.plan();
            let mut state = viewer.lock();
            state.mode == ViewMode::Own && state.view.repair(&plan.layout)
        };
        if changed {
            self.tell_view(viewer);
        }
    }

    // The layout.

    /// Applies an operation, and makes and forgets panes by it. `sized` is the size of the pane it makes, where
    /// the viewer knows.
    fn change_layout(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        op: &Op,
        sized: Option<Size>,
    ) -> Result<Change, Refusal> {
        let opens = matches!(op, Op::CreateSession { .. } | Op::CreateTab { .. } | Op::SplitPane { .. });
        let cwd = self.cwd_for(op);
        let (own, viewport) = {
            let state = viewer.lock();
            (state.mode == ViewMode::Own, state.viewport)
        };
        let mut plan = self.plan();
        if opens {
            self.check_room(viewer, &plan)?;
        }
        let shared = own.then(|| (plan.layout.active_tab(), target_focus(&plan, op)));
        let change = plan.layout.apply(op)?;
        if let (Some(before), true) = (shared, change.changed) {
            self.keep_view_own(viewer, &mut plan, op, &change, before);
        }
        let sizes = viewport.map(|viewport| sizes_in(&plan, viewport)).unwrap_or_default();
        let opened = self.open_panes(&mut plan, &change, cwd, |pane| {
            sized.or_else(|| sizes.get(&pane).copied()).unwrap_or(Size::DEFAULT)
        });
        self.close_panes(&mut plan, &change);
        drop(plan);
        if change.changed {
            self.updates.mark(|changes| {
                changes.layout = true;
                changes.sessions |= change.sessions_changed;
            });
            self.mark_state();
            if own {
                self.tell_view(viewer);
            }
            self.after_change(viewer, sizes, &opened, sized);
        }
        Ok(change)
    }

    /// Panes of a viewer's tab are resized with it; new panes get their first terminal.
    fn after_change(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        sizes: HashMap<PaneId, Size>,
        opened: &[Arc<Slot>],
        sized: Option<Size>,
    ) {
        if viewer.lock().sizing {
            self.report_sizes(viewer, sizes.into_iter().collect());
            if let (Some(size), [slot]) = (sized, opened) {
                self.report(viewer, slot.id, size);
            }
        }
        for slot in opened {
            self.with_pane(slot, |state, _, effects| state.pane.ask_for_terminal(effects));
        }
    }

    fn check_room(&self, viewer: &Viewer, plan: &Plan) -> Result<(), Refusal> {
        let limit = self.settings.max_panes;
        if self.panes.len() >= limit {
            return Err(Refusal::TooManyPanes { limit });
        }
        if viewer.framing == Framing::Compact && !plan.channels.has_compact() {
            return Err(Refusal::CompactFull);
        }
        Ok(())
    }

    fn open_panes(
        &self,
        plan: &mut Plan,
        change: &Change,
        cwd: PathBuf,
        size_of: impl Fn(PaneId) -> Size,
    ) -> Vec<Arc<Slot>> {
        let mut opened = Vec::new();
        for &id in &change.opened {
            let channel = plan.channels.open().expect("four thousand million channels outlast any gateway");
            opened.push(self.new_pane(Birth {
                id,
                channel,
                size: size_of(id),
                cwd: cwd.clone(),
                settings: PaneSettings::default(),
                generation: Generation(0),
                title: String::new(),
                end: End::Never,
                offset: 0,
            }));
        }
        opened
    }

    fn close_panes(&self, plan: &mut Plan, change: &Change) {
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
    fn keep_view_own(
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

    /// Where an operation's new pane starts: beside the pane that is split, in its directory.
    fn cwd_for(&self, op: &Op) -> PathBuf {
        let beside = match op {
            Op::SplitPane { pane, .. } => Some(*pane),
            Op::CreateTab { session, .. } => {
                let plan = self.plan();
                let tab = plan.layout.session(*session).and_then(|session| plan.layout.tab(session.active));
                tab.map(|tab| tab.focus)
            }
            _ => None,
        };
        let slot = beside.and_then(|pane| self.slot(pane));
        let cwd = slot.map(|slot| {
            let terminal = self.terminals.get(&slot.id).map(|live| live.terminal.clone());
            let state = slot.lock();
            state.pane.cwd_now(terminal.as_deref())
        });
        cwd.unwrap_or_else(|| self.settings.cwd.clone())
    }

    fn split_pane(self: &Arc<Self>, viewer: &Arc<Viewer>, split: &PaneSplit) -> Result<Made, Refusal> {
        let op = Op::SplitPane {
            pane: split.pane_id,
            axis: axis_of(split.orientation),
            side: match split.side {
                SplitSide::Before => Side::Before,
                SplitSide::After => Side::After,
            },
            ratio: None,
        };
        let size = split.cols.zip(split.rows).map(|(cols, rows)| Size::clamped(cols, rows));
        self.change_layout(viewer, &op, size).map(Made::from)
    }

    fn close_pane(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        pane: PaneId,
        if_idle: bool,
    ) -> Result<Made, Refusal> {
        let terminal = self.terminals.get(&pane).map(|live| live.terminal.clone());
        if let Some(program) = terminal.filter(|_| if_idle).and_then(|terminal| terminal.foreground()) {
            return Err(Refusal::Busy { pane, program });
        }
        self.change_layout(viewer, &Op::ClosePane { pane }, None).map(Made::from)
    }

    /// Closes a pane whose program ended and that is to close then.
    pub(super) fn close_pane_of_its_own(self: &Arc<Self>, pane: PaneId) {
        let mut plan = self.plan();
        let Ok(change) = plan.layout.apply(&Op::ClosePane { pane }) else { return };
        self.close_panes(&mut plan, &change);
        drop(plan);
        self.updates.mark(|changes| {
            changes.layout = true;
            changes.sessions |= change.sessions_changed;
        });
        self.mark_state();
    }

    fn focus_pane(self: &Arc<Self>, viewer: &Arc<Viewer>, focus: &PaneFocus) -> Result<Made, Refusal> {
        if viewer.lock().mode == ViewMode::Own {
            return self.focus_own_view(viewer, focus);
        }
        let op = match (focus.pane_id, focus.direction) {
            (Some(pane), _) => Op::FocusPane { pane },
            (None, Some(direction)) => Op::FocusDirection { direction: layout_direction(direction) },
            (None, None) => return Err(Refusal::NoTarget),
        };
        self.change_layout(viewer, &op, None).map(Made::from)
    }

    // Panes.

    fn respawn(self: &Arc<Self>, pane: PaneId) -> Result<Made, Refusal> {
        let slot = self.known(pane)?;
        self.with_pane(&slot, |state, terminal, effects| {
            if terminal.is_some() {
                return Err(Refusal::Connected(pane));
            }
            state.pane.ask_for_terminal(effects);
            Ok(Made::default())
        })
    }

    fn set_pane(self: &Arc<Self>, set: &PaneSet) -> Result<Made, Refusal> {
        let slot = self.known(set.pane_id)?;
        self.with_pane(&slot, |state, terminal, effects| {
            let old = state.pane.settings();
            state.pane.set(PaneSettings {
                wake: set.wake.unwrap_or(old.wake),
                close_on_exit: set.close_on_exit.unwrap_or(old.close_on_exit),
                size: set.size.unwrap_or(old.size),
            });
            state.pane.settle_size(Instant::now(), terminal, effects);
            effects.info = true;
        });
        self.mark_state();
        Ok(Made::default())
    }
}

fn sizes_in(plan: &Plan, viewport: Size) -> HashMap<PaneId, Size> {
    plan.layout.sizes(viewport, GAP).map(|(pane, rect)| (pane, rect.size)).collect()
}

/// The focus that an operation may take from the tab it is about.
fn target_focus(plan: &Plan, op: &Op) -> Option<PaneId> {
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
fn layout_op(message: ClientMessage, plan: &Plan) -> Option<Op> {
    Some(match message {
        ClientMessage::SessionCreate(create) => Op::CreateSession {
            name: create.name,
            node: LOCAL_NODE.to_owned(),
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

fn axis_of(orientation: SplitOrientation) -> Axis {
    match orientation {
        SplitOrientation::Horizontal => Axis::Columns,
        SplitOrientation::Vertical => Axis::Rows,
    }
}

fn layout_direction(direction: Direction) -> layout::Direction {
    match direction {
        Direction::Left => layout::Direction::Left,
        Direction::Right => layout::Direction::Right,
        Direction::Up => layout::Direction::Up,
        Direction::Down => layout::Direction::Down,
    }
}
