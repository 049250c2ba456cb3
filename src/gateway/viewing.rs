//! What a viewer sees of the gateway: its room, the sizes it reports, the panes it watches, a view of its own.

use std::sync::Arc;
use std::time::Instant;

use super::edits::layout_direction;
use super::hub::Hub;
use super::panes::Slot;
use super::refusal::{Made, Refusal};
use super::view::View;
use super::viewer::{Viewer, Wanted};
use crate::geometry::Size;
use crate::ids::{PaneId, TabId};
use crate::layout::{GAP, LayoutError};
use crate::protocol::client::{Connect, PaneFocus, ViewMode, WatchPane};
use crate::protocol::server::ServerMessage;

impl Hub {
    pub(super) fn connect(self: &Arc<Self>, viewer: &Arc<Viewer>, connect: &Connect) -> Made {
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

    pub(super) fn report_sizes(self: &Arc<Self>, viewer: &Arc<Viewer>, sizes: Vec<(PaneId, Size)>) {
        let measured = viewer.lock().measured.clone();
        for (pane, size) in sizes.into_iter().filter(|(pane, _)| !measured.contains(pane)) {
            self.report(viewer, pane, size);
        }
    }

    pub(super) fn report(self: &Arc<Self>, viewer: &Arc<Viewer>, pane: PaneId, size: Size) {
        if let Some(slot) = self.slot(pane) {
            self.with_pane(&slot, |state, terminal, effects| {
                state.pane.sizing.report(viewer.id, size);
                state.pane.settle_size(Instant::now(), terminal, effects);
            });
        }
    }

    pub(super) fn forget_sizes(self: &Arc<Self>, viewer: &Arc<Viewer>) {
        for slot in self.slots() {
            self.with_pane(&slot, |state, terminal, effects| {
                state.pane.sizing.forget(viewer.id);
                state.pane.settle_size(Instant::now(), terminal, effects);
            });
        }
    }

    pub(super) fn report_size(
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

    pub(super) fn watch(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        panes: &[WatchPane],
    ) -> Result<Made, Refusal> {
        for wanted in panes {
            let slot = self.known(wanted.pane_id)?;
            let WatchPane { offset, history, lossless, .. } = *wanted;
            self.watch_pane(viewer, &slot, Wanted { offset, history, lossless });
        }
        Ok(Made::default())
    }

    pub(super) fn watch_pane(&self, viewer: &Arc<Viewer>, slot: &Arc<Slot>, wanted: Wanted) {
        let mut state = slot.lock();
        if state.pane.is_closed() {
            // Closed since it was looked up: nobody would end this watch.
            return;
        }
        let subscription = viewer.subscribe(slot, wanted, &state.pane.log);
        slot.set_watch(&mut state, viewer.id, Some(subscription.clone()));
        subscription.mark();
        if wanted.lossless {
            self.note_lossless(slot, &mut state);
        }
    }

    pub(super) fn unwatch(&self, viewer: &Arc<Viewer>, panes: &[PaneId]) -> Made {
        for pane in panes {
            // A pane that is gone is not watched any more either.
            let Some(slot) = self.slot(*pane) else { continue };
            slot.end_watch(viewer.id);
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
                self.watch_pane(viewer, &slot, Wanted::default());
            }
        }
    }

    // Views of viewers' own.

    pub(super) fn switch_own_view(&self, viewer: &Arc<Viewer>, tab: TabId) -> Result<Made, Refusal> {
        {
            let plan = self.plan();
            plan.layout.tab(tab).ok_or(LayoutError::UnknownTab { tab })?;
            viewer.lock().view.switch(tab);
        }
        self.tell_view(viewer);
        Ok(Made::default())
    }

    pub(super) fn focus_own_view(&self, viewer: &Arc<Viewer>, focus: &PaneFocus) -> Result<Made, Refusal> {
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

    pub(super) fn tell_view(&self, viewer: &Arc<Viewer>) {
        let state = viewer.lock();
        if state.mode == ViewMode::Own {
            let View { active_tab, focus } = state.view.clone();
            drop(state);
            viewer.send(ServerMessage::View { active_tab, focus });
        }
    }

    pub(super) fn repair_view(&self, viewer: &Arc<Viewer>) {
        let changed = {
            let plan = self.plan();
            let mut state = viewer.lock();
            state.mode == ViewMode::Own && state.view.repair(&plan.layout)
        };
        if changed {
            self.tell_view(viewer);
        }
    }
}
