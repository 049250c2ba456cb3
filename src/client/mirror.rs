//! The layout as the gateway has told it: its messages, folded. Pure.

use std::collections::BTreeMap;

use crate::ids::{PaneId, TabId, ViewerId};
use crate::protocol::frame::Channel;
use crate::protocol::server::{LayoutTree, LayoutUpdate, PaneInfo, ServerMessage, Session, Tab};

/// How many matters a gateway can draw attention to at once; more are not shown.
const MAX_NOTICES: usize = 16;

/// What this viewer looks at, if it has a view of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// Its tab.
    pub active_tab: Option<TabId>,
    /// The focused pane of each tab that it has looked at.
    pub focus: BTreeMap<TabId, PaneId>,
}

/// See the module. It outlives the connection that told it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mirror {
    /// All sessions.
    pub sessions: Vec<Session>,
    /// All tabs of all sessions, in their order.
    pub tabs: Vec<Tab>,
    /// The tab that all viewers share.
    pub shared_tab: Option<TabId>,
    /// What this viewer looks at instead.
    pub view: Option<View>,
    /// Each pane's channel.
    pub channels: BTreeMap<PaneId, Channel>,
    /// Whether each pane has a terminal.
    pub connected: BTreeMap<PaneId, bool>,
    /// More on each pane.
    pub panes: BTreeMap<PaneId, PaneInfo>,
    /// What people should know, by its code.
    pub notices: BTreeMap<String, String>,
    /// This connection's id.
    pub viewer: Option<ViewerId>,
    /// The gateway's version.
    pub version: String,
    /// The newest layout message.
    pub revision: u64,
}

impl Mirror {
    /// Takes a message in. Whether it was one about the layout.
    pub fn take(&mut self, message: ServerMessage) -> bool {
        match message {
            ServerMessage::Hello { version, viewer_id, .. } => {
                (self.version, self.viewer) = (version, Some(viewer_id));
                // A restarted gateway counts anew, and tells again what is not over.
                self.revision = 0;
                self.notices.clear();
            }
            ServerMessage::State(state) => {
                self.sessions = state.sessions;
                self.take_layout(state.layout);
            }
            ServerMessage::LayoutUpdate(layout) => self.take_layout(layout),
            ServerMessage::PaneUpdate { panes } => {
                let known = panes.into_iter().filter(|(pane, _)| self.channels.contains_key(pane));
                self.panes.extend(known.collect::<Vec<_>>());
            }
            ServerMessage::View { active_tab, focus } => self.view = Some(View { active_tab, focus }),
            ServerMessage::Notice { code, message } => self.take_notice(code, message),
            _ => return false,
        }
        true
    }

    fn take_layout(&mut self, layout: LayoutUpdate) {
        self.tabs = layout.tabs;
        self.shared_tab = layout.active_tab;
        self.channels = layout.channels.into_iter().map(|(pane, channel)| (pane, Channel(channel))).collect();
        self.connected = layout.connected;
        self.panes = layout.panes.unwrap_or_default();
        self.revision = layout.revision.unwrap_or_default();
    }

    fn take_notice(&mut self, code: String, message: String) {
        if message.is_empty() {
            self.notices.remove(&code);
        } else if self.notices.len() < MAX_NOTICES || self.notices.contains_key(&code) {
            self.notices.insert(code, message);
        }
    }

    /// Whether there is such a pane.
    #[must_use]
    pub fn has(&self, pane: PaneId) -> bool {
        self.channels.contains_key(&pane)
    }

    /// Whether a pane has a terminal.
    #[must_use]
    pub fn is_connected(&self, pane: PaneId) -> bool {
        self.connected.get(&pane).copied().unwrap_or_default()
    }

    /// How many bytes of input the gateway holds for a pane.
    #[must_use]
    pub fn pending(&self, pane: PaneId) -> usize {
        self.panes.get(&pane).map_or(0, |info| info.pending)
    }

    /// A tab by its id.
    #[must_use]
    pub fn tab(&self, tab: TabId) -> Option<&Tab> {
        self.tabs.iter().find(|known| known.id == tab)
    }

    /// The tab that a pane is in.
    #[must_use]
    pub fn tab_of(&self, pane: PaneId) -> Option<&Tab> {
        self.tabs.iter().find(|tab| panes_in(&tab.layout.root).contains(&pane))
    }

    /// The tab that this viewer looks at: its own, or the shared one.
    #[must_use]
    pub fn active_tab(&self) -> Option<&Tab> {
        self.tab(self.view.as_ref().map_or(self.shared_tab, |view| view.active_tab)?)
    }

    /// The focused pane of a tab: as this viewer looks at it, or the shared one.
    #[must_use]
    pub fn focus(&self, tab: &Tab) -> Option<PaneId> {
        let own = self.view.as_ref().and_then(|view| view.focus.get(&tab.id)).copied();
        own.or_else(|| pane_at(&tab.layout.root, &tab.focus))
    }

    /// The pane that this viewer's keys go to.
    #[must_use]
    pub fn active_pane(&self) -> Option<PaneId> {
        self.focus(self.active_tab()?)
    }
}

/// The panes of a tree, left to right and top to bottom.
#[must_use]
pub fn panes_in(tree: &LayoutTree) -> Vec<PaneId> {
    match tree {
        LayoutTree::Window { key } => vec![*key],
        LayoutTree::Stack { children, .. } => children.iter().flat_map(panes_in).collect(),
    }
}

/// The pane at the end of a path of child indices.
#[must_use]
pub fn pane_at(tree: &LayoutTree, path: &[usize]) -> Option<PaneId> {
    match (tree, path) {
        (LayoutTree::Window { key }, _) => Some(*key),
        (LayoutTree::Stack { children, .. }, [child, rest @ ..]) => pane_at(children.get(*child)?, rest),
        (LayoutTree::Stack { .. }, []) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take(mirror: &mut Mirror, message: serde_json::Value) -> bool {
        mirror.take(serde_json::from_value(message).unwrap())
    }

    fn pane(pending: usize) -> serde_json::Value {
        json!({
            "title": "", "status": { "state": "live" }, "pending": pending, "cols": 80, "rows": 24,
            "wake": "any-key", "closeOnExit": false, "size": { "policy": "latest" }, "node": "local",
        })
    }

    fn told() -> Mirror {
        let mut mirror = Mirror::default();
        take(&mut mirror, json!({ "type": "hello", "version": "1", "viewerId": "v7", "maxMessageBytes": 1 }));
        let window = |pane| json!({ "tag": "window", "key": pane });
        let tree = json!({
            "tag": "stack", "orientation": "vertical", "ratios": [0.5, 0.5],
            "children": [window("p1"), window("p2")],
        });
        let tab = |id, root, focus| json!({ "id": id, "sessionId": "s1", "name": "1", "layout": { "root": root }, "focus": focus });
        take(
            &mut mirror,
            json!({
                "type": "state", "revision": 3, "activeTab": "t1",
                "sessions": [{ "id": "s1", "sandboxId": "local", "name": "work", "createdAt": 0 }],
                "tabs": [tab("t1", tree, json!([1])), tab("t2", window("p3"), json!([]))],
                "channels": { "p1": 0, "p2": 1, "p3": 300 },
                "connected": { "p1": true, "p2": false, "p3": true },
                "panes": { "p1": pane(0), "p2": pane(5), "p3": pane(0) },
            }),
        );
        mirror
    }

    #[test]
    fn the_layout_is_as_it_was_told() {
        let mut mirror = told();
        assert_eq!((mirror.viewer, mirror.revision), (Some(ViewerId(7)), 3));
        assert_eq!(mirror.active_pane(), Some(PaneId(2)));
        assert_eq!(mirror.tab_of(PaneId(3)).map(|tab| tab.id), Some(TabId(2)));
        assert_eq!(mirror.channels[&PaneId(3)], Channel(300));
        assert!(mirror.is_connected(PaneId(1)) && !mirror.is_connected(PaneId(2)));
        assert_eq!(mirror.pending(PaneId(2)), 5);
        assert!(take(
            &mut mirror,
            json!({ "type": "pane_update", "panes": { "p2": pane(9), "p9": pane(1) } })
        ));
        assert_eq!((mirror.pending(PaneId(2)), mirror.panes.len()), (9, 3));
        assert!(!take(&mut mirror, json!({ "type": "pong" })));
    }

    #[test]
    fn a_view_of_its_own_goes_first() {
        let mut mirror = told();
        take(&mut mirror, json!({ "type": "view", "activeTab": "t1", "focus": { "t1": "p1" } }));
        assert_eq!(mirror.active_pane(), Some(PaneId(1)));
        take(&mut mirror, json!({ "type": "view", "activeTab": "t2", "focus": { "t1": "p1" } }));
        assert_eq!(mirror.active_pane(), Some(PaneId(3)), "the shared focus counts elsewhere");
    }

    #[test]
    fn notices_are_replaced_and_end_and_are_bounded() {
        let mut mirror = Mirror::default();
        let notice = |code: &str, message| json!({ "type": "notice", "code": code, "message": message });
        for number in 0..2 * MAX_NOTICES {
            take(&mut mirror, notice(&format!("matter {number}"), "is on"));
        }
        assert_eq!(mirror.notices.len(), MAX_NOTICES);
        take(&mut mirror, notice("matter 0", "goes on"));
        assert_eq!(mirror.notices["matter 0"], "goes on");
        take(&mut mirror, notice("matter 0", ""));
        assert!(!mirror.notices.contains_key("matter 0"));
    }
}
