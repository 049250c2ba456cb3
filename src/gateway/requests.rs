//! What viewers ask for, answered: each control message goes to where it is done.

use std::sync::Arc;
use std::time::Instant;

use super::edits::{Berth, layout_op};
use super::hub::{Attached, Hub};
use super::panes::{Slot, jitter};
use super::refusal::{Made, Refusal};
use super::viewer::{Framing, Viewer};
use crate::clock::Moment;
use crate::geometry::Size;
use crate::ids::PaneId;
use crate::pane::PaneSettings;
use crate::protocol::client::{ClientMessage, PaneSet, Request, ViewMode};
use crate::protocol::frame::Channel;
use crate::protocol::server::ServerMessage;

impl Attached {
    /// Does what a viewer asks, and answers it.
    pub fn request(&self, request: Request) {
        let Request { request_id, message } = request;
        if self.viewer.membership.is_superseded() {
            return;
        }
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

    /// The viewer's terminal has taken in a pane's output up to an offset.
    pub fn consumed(&self, channel: Channel, offset: u64) {
        let pane = self.hub.by_channel.get(&channel).map(|slot| slot.id);
        let watched = pane.and_then(|pane| self.viewer.lock().subscriptions.get(&pane).cloned());
        // Nothing was watched, or the pane is closed: there is nothing to go on with.
        if let Some(subscription) = watched {
            subscription.took_in(offset);
            if subscription.lossless {
                self.hub.leave_waiting(&subscription.slot);
            }
        }
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

impl Hub {
    fn handle(self: &Arc<Self>, viewer: &Arc<Viewer>, message: ClientMessage) -> Result<Made, Refusal> {
        match message {
            ClientMessage::Connect(connect) => Ok(self.connect(viewer, &connect)),
            ClientMessage::PaneSplit(split) => self.split_pane(viewer, &split),
            ClientMessage::PaneClose(close) => self.close_pane(Some(viewer), close.pane_id, close.if_idle),
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
            ClientMessage::Resume(resume) => self.resume(viewer, &resume.client),
            ClientMessage::TerminalLend(lend) => viewer.offer_terminal(lend),
            ClientMessage::TerminalTakeBack(_) => {
                viewer.return_terminal();
                Ok(Made::default())
            }
            ClientMessage::LayoutSeen(seen) => {
                self.plan().channels.viewer_seen(viewer.id, seen.revision);
                Ok(Made::default())
            }
            ClientMessage::TabSwitch(switch) if viewer.lock().mode == ViewMode::Own => {
                self.switch_own_view(viewer, switch.tab_id)
            }
            other => {
                let berth = Berth::of(&other);
                let default_node = self.nodes.default_node();
                if matches!(&other, ClientMessage::SessionCreate(create) if create.node.is_none() && default_node.is_none())
                {
                    return Err(Refusal::NoNode);
                }
                let op = layout_op(other, &self.plan(), &default_node.unwrap_or_default());
                // Every message is one or the other; `ping` is answered before.
                op.map_or(Ok(Made::default()), |op| {
                    self.change_layout(Some(viewer), &op, None, berth).map(Made::from)
                })
            }
        }
    }

    pub(super) fn known(&self, pane: PaneId) -> Result<Arc<Slot>, Refusal> {
        self.slot(pane).ok_or(Refusal::UnknownPane(pane))
    }

    pub(super) fn respawn(self: &Arc<Self>, pane: PaneId) -> Result<Made, Refusal> {
        let slot = self.known(pane)?;
        self.with_pane(&slot, |state, terminal, effects| {
            if terminal.is_some() {
                return Err(Refusal::Connected(pane));
            }
            state.pane.ask_for_terminal(effects);
            Ok(Made::default())
        })
    }

    pub(super) fn set_pane(self: &Arc<Self>, set: &PaneSet) -> Result<Made, Refusal> {
        let slot = self.known(set.pane_id)?;
        if let Some(node) = set.node.as_ref().filter(|node| !self.nodes.is_known(node)) {
            return Err(Refusal::UnknownNode(node.clone()));
        }
        self.with_pane(&slot, |state, terminal, effects| {
            if let Some(node) = &set.node {
                let node_state = self.nodes.state(node);
                state.pane.move_to(node, node_state, Moment::now(), jitter(), effects);
            }
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
