//! Changes of the layout and of panes that a desk is asked for.

use std::path::PathBuf;

use super::{Desk, Place, Refused};
use crate::clock::Moment;
use crate::gateway::edits::{Berth, axis_of, layout_direction, layout_side};
use crate::gateway::refusal::Refusal;
use crate::ids::{PaneId, SessionId};
use crate::layout::{Change, Op, Zoom};
use crate::protocol::api::{
    Made, MoveRequest, NewSession, NewTab, PaneChange, ResizeRequest, SessionRecord, SplitRequest,
};
use crate::protocol::client::{PaneSet, SplitOrientation};

impl Desk {
    /// Makes a session with a tab with a pane.
    ///
    /// # Errors
    /// For its name, node or command, or when there is no room.
    pub fn create_session(&self, new: NewSession) -> Result<Made, Refused> {
        self.whole_gateway()?;
        let NewSession { name, node, cwd, command } = new;
        let berth = self.berth(None, node, cwd, command)?;
        let node = berth.node.clone().or_else(|| self.hub.nodes.default_node()).ok_or(Refusal::NoNode)?;
        let change =
            self.change(&Op::CreateSession { name, node, created_at_ms: Moment::now().unix_ms }, berth)?;
        Ok(Made { session: change.session, tab: change.tab, pane: change.pane })
    }

    /// Makes a tab with a pane in the session of a place.
    ///
    /// # Errors
    /// As for a session.
    pub fn create_tab(&self, place: Place, new: NewTab) -> Result<Made, Refused> {
        let NewTab { name, node, cwd, command } = new;
        let berth = self.berth(Some(place.session), node, cwd, command)?;
        let change = self.change(&Op::CreateTab { session: place.session, name }, berth)?;
        Ok(Made { session: Some(place.session), tab: change.tab, pane: change.pane })
    }

    /// Splits the pane of a place.
    ///
    /// # Errors
    /// As for a session, and for its ratio.
    pub fn split(&self, place: Place, split: SplitRequest) -> Result<Made, Refused> {
        let SplitRequest { orientation, side, ratio, node, cwd, command } = split;
        let berth = self.berth(Some(place.session), node, cwd, command)?;
        let op = Op::SplitPane {
            pane: place.pane,
            axis: axis_of(orientation.unwrap_or(SplitOrientation::Horizontal)),
            side: layout_side(side),
            ratio,
        };
        let change = self.change(&op, berth)?;
        Ok(Made { session: Some(place.session), tab: Some(place.tab), pane: change.pane })
    }

    /// Gives the session of a place a name.
    ///
    /// # Errors
    /// For the name.
    pub fn rename_session(&self, place: Place, name: String) -> Result<(), Refused> {
        self.apply(&Op::RenameSession { session: place.session, name })
    }

    /// Gives its tab a name.
    ///
    /// # Errors
    /// For the name.
    pub fn rename_tab(&self, place: Place, name: String) -> Result<(), Refused> {
        self.apply(&Op::RenameTab { tab: place.tab, name })
    }

    /// Changes its pane.
    ///
    /// # Errors
    /// For the name or the node; nothing is changed then.
    pub fn change_pane(&self, place: Place, change: PaneChange) -> Result<(), Refused> {
        let PaneChange { name, node, wake, close_on_exit, size } = change;
        if let Some(node) = &node {
            self.admit_node(place.session, node)?;
        }
        if let Some(name) = name {
            let name = Some(name).filter(|name| !name.is_empty());
            self.apply(&Op::RenamePane { pane: place.pane, name })?;
        }
        let set = PaneSet { pane_id: place.pane, wake, close_on_exit, size, node };
        if set != (PaneSet { pane_id: place.pane, wake: None, close_on_exit: None, size: None, node: None }) {
            self.hub.set_pane(&set)?;
        }
        Ok(())
    }

    /// Closes the session of a place, with all that is in it.
    ///
    /// # Errors
    /// When it is gone.
    pub fn close_session(&self, place: Place) -> Result<(), Refused> {
        self.apply(&Op::DestroySession { session: place.session })
    }

    /// Closes its tab.
    ///
    /// # Errors
    /// When it is gone.
    pub fn close_tab(&self, place: Place) -> Result<(), Refused> {
        self.apply(&Op::CloseTab { tab: place.tab })
    }

    /// Closes its pane.
    ///
    /// # Errors
    /// When it is gone; if it is to be idle, while a program other than the shell runs in it.
    pub fn close_pane(&self, place: Place, if_idle: bool) -> Result<(), Refused> {
        self.hub.close_pane(None, place.pane, if_idle)?;
        Ok(())
    }

    /// Brings its tab to the front.
    ///
    /// # Errors
    /// When it is gone.
    pub fn focus_tab(&self, place: Place) -> Result<(), Refused> {
        self.apply(&Op::SwitchTab { tab: place.tab })
    }

    /// Focuses its pane.
    ///
    /// # Errors
    /// When it is gone.
    pub fn focus_pane(&self, place: Place) -> Result<(), Refused> {
        self.apply(&Op::FocusPane { pane: place.pane })
    }

    /// Moves its tab.
    ///
    /// # Errors
    /// For where to.
    pub fn move_tab(&self, place: Place, to: &MoveRequest) -> Result<(), Refused> {
        let session = self.find_to(to)?.map_or(place.session, |to| to.session);
        self.apply(&Op::MoveTab { tab: place.tab, session, index: to.index.unwrap_or(usize::MAX) })
    }

    /// Moves its pane.
    ///
    /// # Errors
    /// For where to.
    pub fn move_pane(&self, place: Place, to: &MoveRequest) -> Result<(), Refused> {
        let target = self.find_to(to)?;
        let op = match (to.swap, target) {
            (true, Some(other)) => Op::SwapPanes { a: place.pane, b: other.pane },
            (true, None) => {
                let message = "`swap` needs `to`: the pane to change places with";
                return Err(Refused::new("invalid_field", message).field("to"));
            }
            (false, target) => Op::MovePane {
                pane: place.pane,
                tab: target.map(|target| target.tab),
                axis: axis_of(to.orientation.unwrap_or(SplitOrientation::Horizontal)),
            },
        };
        self.apply(&op)
    }

    /// Moves an edge of its pane.
    ///
    /// # Errors
    /// For how far.
    pub fn resize_pane(&self, place: Place, resize: &ResizeRequest) -> Result<(), Refused> {
        let direction = layout_direction(resize.direction);
        let step = f64::from(resize.amount) / 1000.0;
        let resized = self.apply(&Op::ResizePane { pane: place.pane, direction, step });
        resized.map_err(|refused| match refused.code {
            "invalid_ratios" => refused.field("amount"),
            _ => refused,
        })
    }

    /// Lets its pane fill the tab, or ends that; without a word the other of the two.
    ///
    /// # Errors
    /// When it is gone.
    pub fn zoom_pane(&self, place: Place, zoomed: Option<bool>) -> Result<(), Refused> {
        let zoom = match zoomed {
            None => Zoom::Toggle,
            Some(true) => Zoom::In,
            Some(false) => Zoom::Out,
        };
        self.apply(&Op::ZoomPane { pane: place.pane, zoom })
    }

    /// Starts a terminal in its pane.
    ///
    /// # Errors
    /// When it has one.
    pub fn respawn(&self, place: Place) -> Result<(), Refused> {
        self.hub.respawn(place.pane)?;
        Ok(())
    }

    /// Ends the program of its pane; the pane stays.
    ///
    /// # Errors
    /// When there is none.
    pub fn kill(&self, place: Place) -> Result<(), Refused> {
        let slot = self.hub.known(place.pane)?;
        let terminal = self.hub.terminals.get(&slot.id).map(|live| live.terminal.clone());
        terminal.ok_or_else(|| disconnected(place.pane))?.kill();
        Ok(())
    }

    fn find_to(&self, to: &MoveRequest) -> Result<Option<Place>, Refused> {
        let found = to.to.as_deref().map(|to| self.find(to)).transpose();
        found.map_err(|refused| refused.field("to"))
    }

    fn change(&self, op: &Op, berth: Berth) -> Result<Change, Refused> {
        Ok(self.hub.change_layout(None, op, None, berth)?)
    }

    fn apply(&self, op: &Op) -> Result<(), Refused> {
        self.change(op, Berth::default()).map(|_| ())
    }

    fn berth(
        &self,
        session: Option<SessionId>,
        node: Option<String>,
        cwd: Option<String>,
        command: Option<Vec<String>>,
    ) -> Result<Berth, Refused> {
        if let (Some(session), Some(node)) = (session, &node) {
            self.admit_node(session, node)?;
        }
        let nameless = |command: &Vec<String>| command.first().is_none_or(String::is_empty);
        if command.as_ref().is_some_and(nameless) {
            return Err(Refused::new("invalid_field", "`command` begins with a program").field("command"));
        }
        Ok(Berth { node, cwd: cwd.map(PathBuf::from), command })
    }

    /// A node must be known. Who may reach one session alone gets no shells on nodes where that has none.
    fn admit_node(&self, session: SessionId, node: &str) -> Result<(), Refused> {
        if self.scope.is_some() {
            let record = self.hub.records(self.scope).session(session);
            let own = |record: &SessionRecord| {
                let panes = record.tabs.iter().flat_map(|tab| &tab.panes);
                record.node == node || panes.map(|pane| &pane.info.node).any(|other| other == node)
            };
            if !record.as_ref().is_some_and(own) {
                let message = format!("{session} has no pane on that node, and this token is for it alone");
                return Err(Refused::out_of_scope(message).field("node"));
            }
        }
        match self.hub.nodes.is_known(node) {
            true => Ok(()),
            false => Err(Refusal::UnknownNode(node.to_owned()).into()),
        }
    }
}

fn disconnected(pane: PaneId) -> Refused {
    Refused::new("pane_disconnected", format!("{pane} has no live terminal"))
        .hint(format!("start one with POST /api/v1/panes/{pane}/respawn"))
}
