//! A change of the layout that keys wait for: they are for the pane that is focused after it.

use std::time::{Duration, Instant};

use crate::client::mirror::Mirror;
use crate::ids::{PaneId, TabId};
use crate::protocol::client::{ClientMessage, PaneClose, PaneFocus, TabClose, TabSwitch};

/// How long what is typed after a change waits for it, at most.
pub(super) const SETTLES_WITHIN: Duration = Duration::from_millis(1000);

/// How long after its answer a change may take to be seen of which is not known what it looks like; some change nothing.
const SEEN_WITHIN: Duration = Duration::from_millis(50);

/// What there is to be seen of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// Something else than before.
    Anything,
    /// A new pane.
    Pane(PaneId),
    /// This pane has the focus.
    Focus(PaneId),
    /// This tab is in front.
    Front(TabId),
    /// A pane is gone.
    NoPane(PaneId),
    /// A tab is gone.
    NoTab(TabId),
}

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    since: Instant,
    answered: Option<Instant>,
    sight: Sight,
    /// Whether the layout has changed since the answer.
    moved: bool,
}

impl Change {
    /// What `message` asks for.
    pub(super) fn asked(message: &ClientMessage, now: Instant) -> Change {
        let sight = match *message {
            ClientMessage::PaneFocus(PaneFocus { pane_id: Some(pane), .. }) => Sight::Focus(pane),
            ClientMessage::TabSwitch(TabSwitch { tab_id }) => Sight::Front(tab_id),
            ClientMessage::PaneClose(PaneClose { pane_id, .. }) => Sight::NoPane(pane_id),
            ClientMessage::TabClose(TabClose { tab_id }) => Sight::NoTab(tab_id),
            _ => Sight::Anything,
        };
        Change { since: now, answered: None, sight, moved: false }
    }

    /// It was done, and made a pane perhaps.
    pub(super) fn answered(&mut self, made: Option<PaneId>, now: Instant) {
        self.answered = Some(now);
        self.sight = made.map_or(self.sight, Sight::Pane);
    }

    /// The layout is another now.
    pub(super) fn moved(&mut self) {
        self.moved = self.answered.is_some();
    }

    /// When nobody waits for it any longer.
    pub(super) fn gives_up_at(&self) -> Instant {
        match (self.answered, self.sight) {
            (Some(answered), Sight::Anything) => answered + SEEN_WITHIN,
            _ => self.since + SETTLES_WITHIN,
        }
    }

    /// Whether it is there, with the focus on `focus`, or is waited for no longer.
    pub(super) fn is_over(&self, mirror: &Mirror, focus: Option<PaneId>, now: Instant) -> bool {
        let there = match self.sight {
            Sight::Anything => self.moved,
            Sight::Pane(pane) => mirror.has(pane),
            Sight::Focus(pane) => focus == Some(pane),
            Sight::Front(tab) => mirror.active_tab().is_some_and(|active| active.id == tab),
            Sight::NoPane(pane) => !mirror.has(pane),
            Sight::NoTab(tab) => mirror.tabs.iter().all(|other| other.id != tab),
        };
        self.answered.is_some() && there || now >= self.gives_up_at()
    }
}
