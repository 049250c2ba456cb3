//! What a reader of events was told of the layout, and what an update adds to that. Pure.

use crate::ids::{PaneId, SessionId, TabId};
use crate::protocol::api::{PaneRecord, SessionRecord, TabRecord};
use crate::protocol::server::{LayoutTree, ServerMessage, Session, State, Tab};

/// Something that a reader is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Sessions, tabs or panes came, went, moved or were renamed.
    Layout,
    /// Something else about a pane changed.
    Pane(PaneId),
    /// A pane was connected, or is not any more.
    Connection { pane: PaneId, connected: bool },
}

/// See the module.
#[derive(Debug)]
pub(super) struct Mirror {
    state: State,
    /// The one session that is told of, if it is one.
    scope: Option<SessionId>,
    /// The tab that is active to who is told.
    front: Option<TabId>,
}

/// A tab as far as [`News::Layout`] is about it.
#[derive(Debug, PartialEq)]
struct Outline<'a> {
    id: TabId,
    session: SessionId,
    name: &'a str,
    active: bool,
    zoomed: Option<PaneId>,
    focus: Option<PaneId>,
    panes: Vec<(PaneId, Option<&'a str>)>,
}

impl Mirror {
    pub(super) fn new(state: State, scope: Option<SessionId>, front: Option<TabId>) -> Mirror {
        Mirror { state, scope, front }
    }

    /// Takes an update in, and the tab that is active by now. What is news in it.
    pub(super) fn take(&mut self, message: &ServerMessage, front: Option<TabId>) -> Vec<News> {
        let mut state = self.state.clone();
        match message {
            ServerMessage::State(new) => state.clone_from(new),
            ServerMessage::LayoutUpdate(layout) => state.layout.clone_from(layout),
            ServerMessage::PaneUpdate { panes } => {
                let known = state.layout.panes.get_or_insert_default();
                let new = panes.iter().filter(|(pane, _)| known.contains_key(pane)).collect::<Vec<_>>();
                known.extend(new.into_iter().map(|(pane, info)| (*pane, info.clone())));
            }
            _ => return Vec::new(),
        }
        let (state, front_before) = (std::mem::replace(&mut self.state, state), self.front);
        let before = Mirror { state, scope: self.scope, front: front_before };
        // It may be newer than the update: then it is as before until the update comes that has it.
        if self.tabs().any(|tab| Some(tab.id) == front) {
            self.front = front;
        }
        self.news_since(&before)
    }

    fn news_since(&self, before: &Mirror) -> Vec<News> {
        let layout = self.sessions_told() != before.sessions_told() || self.outlines() != before.outlines();
        let mut news = Vec::from_iter(layout.then_some(News::Layout));
        for pane in self.tabs().flat_map(|tab| panes_of(&tab.layout.root)) {
            let (now, then) = (&self.state.layout, &before.state.layout);
            let connected = now.connected.get(&pane);
            if let Some(connected) = connected.copied().filter(|_| connected != then.connected.get(&pane)) {
                // Of a new one its record says so.
                if then.connected.contains_key(&pane) {
                    news.push(News::Connection { pane, connected });
                }
            }
            let info =
                |state: &State| state.layout.panes.as_ref().and_then(|panes| panes.get(&pane).cloned());
            if !layout && info(&self.state) != info(&before.state) {
                news.push(News::Pane(pane));
            }
        }
        news
    }

    /// All sessions told of. Offsets are not mirrored.
    pub(super) fn sessions(&self, offset: impl Fn(PaneId) -> u64) -> Vec<SessionRecord> {
        let record = |session: &Session| SessionRecord {
            id: session.id,
            name: session.name.clone(),
            node: session.sandbox_id.clone(),
            created_at: session.created_at,
            active: self.tabs().any(|tab| tab.session_id == session.id && self.is_active(tab)),
            tabs: self
                .tabs()
                .filter(|tab| tab.session_id == session.id)
                .enumerate()
                .map(|(index, tab)| self.tab(tab, index, &offset))
                .collect(),
        };
        self.sessions_told().into_iter().map(record).collect()
    }

    /// A pane, if it is told of.
    pub(super) fn pane(&self, pane: PaneId, offset: impl Fn(PaneId) -> u64) -> Option<PaneRecord> {
        self.tabs().find_map(|tab| {
            let index = panes_of(&tab.layout.root).iter().position(|other| *other == pane)?;
            self.pane_in(tab, pane, index, &offset)
        })
    }

    fn tab(&self, tab: &Tab, index: usize, offset: &impl Fn(PaneId) -> u64) -> TabRecord {
        let panes = panes_of(&tab.layout.root).into_iter().enumerate();
        TabRecord {
            id: tab.id,
            name: tab.name.clone(),
            index,
            active: self.is_active(tab),
            zoomed: tab.zoomed,
            panes: panes.filter_map(|(index, pane)| self.pane_in(tab, pane, index, offset)).collect(),
        }
    }

    fn pane_in(
        &self,
        tab: &Tab,
        pane: PaneId,
        index: usize,
        offset: &impl Fn(PaneId) -> u64,
    ) -> Option<PaneRecord> {
        let layout = &self.state.layout;
        Some(PaneRecord {
            id: pane,
            session: tab.session_id,
            tab: tab.id,
            index,
            focused: focus_of(tab) == Some(pane),
            connected: layout.connected.get(&pane).copied().unwrap_or_default(),
            offset: offset(pane),
            info: layout.panes.as_ref()?.get(&pane)?.clone(),
        })
    }

    fn sessions_told(&self) -> Vec<&Session> {
        self.state.sessions.iter().filter(|session| self.tells_of(session.id)).collect()
    }

    fn tabs(&self) -> impl Iterator<Item = &Tab> {
        self.state.layout.tabs.iter().filter(|tab| self.tells_of(tab.session_id))
    }

    fn tells_of(&self, session: SessionId) -> bool {
        self.scope.is_none_or(|scope| scope == session)
    }

    fn is_active(&self, tab: &Tab) -> bool {
        self.front == Some(tab.id)
    }

    fn outlines(&self) -> Vec<Outline<'_>> {
        let names = self.state.layout.panes.as_ref();
        let name = |pane: PaneId| names.and_then(|panes| panes.get(&pane)?.name.as_deref());
        self.tabs()
            .map(|tab| Outline {
                id: tab.id,
                session: tab.session_id,
                name: &tab.name,
                active: self.is_active(tab),
                zoomed: tab.zoomed,
                focus: focus_of(tab),
                panes: panes_of(&tab.layout.root).into_iter().map(|pane| (pane, name(pane))).collect(),
            })
            .collect()
    }
}

/// The panes of a tree, from left to right and top to bottom.
fn panes_of(tree: &LayoutTree) -> Vec<PaneId> {
    match tree {
        LayoutTree::Window { key } => vec![*key],
        LayoutTree::Stack { children, .. } => children.iter().flat_map(panes_of).collect(),
    }
}

/// The pane that a tab's focus leads to.
fn focus_of(tab: &Tab) -> Option<PaneId> {
    let mut tree = &tab.layout.root;
    for index in &tab.focus {
        tree = match tree {
            LayoutTree::Stack { children, .. } => children.get(*index)?,
            LayoutTree::Window { .. } => return None,
        };
    }
    match tree {
        LayoutTree::Window { key } => Some(*key),
        LayoutTree::Stack { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::protocol::server::LayoutUpdate;

    /// Two sessions of a tab each; the first tab has two panes, the second of which has the focus.
    fn state() -> State {
        let tab = |id: u64, session: u64, root, focus: &[usize]| {
            serde_json::json!({
                "id": format!("t{id}"), "sessionId": format!("s{session}"), "name": "1",
                "layout": { "root": root }, "focus": focus, "zoomed": null,
            })
        };
        let info = serde_json::json!({
            "title": "", "status": { "state": "live" }, "pending": 0, "cols": 80, "rows": 24,
            "wake": "any-key", "closeOnExit": false, "size": { "policy": "latest" }, "node": "local",
        });
        let window = |pane: u64| serde_json::json!({ "tag": "window", "key": format!("p{pane}") });
        let session = |id: u64| serde_json::json!({ "id": format!("s{id}"), "sandboxId": "local", "name": id.to_string(), "createdAt": 1 });
        let both = serde_json::json!({
            "tag": "stack", "orientation": "vertical", "ratios": [0.5, 0.5], "children": [window(1), window(2)],
        });
        let state = serde_json::json!({
            "sessions": [session(1), session(2)],
            "tabs": [tab(1, 1, both, &[1]), tab(2, 2, window(3), &[])],
            "activeTab": "t1",
            "channels": { "p1": 1, "p2": 2, "p3": 3 },
            "connected": { "p1": true, "p2": true, "p3": true },
            "revision": 1,
            "panes": { "p1": info, "p2": info, "p3": info },
        });
        serde_json::from_value(state).unwrap()
    }

    fn changed(change: impl FnOnce(&mut LayoutUpdate)) -> ServerMessage {
        let mut layout = state().layout;
        change(&mut layout);
        ServerMessage::LayoutUpdate(layout)
    }

    /// To whom all is told, or one session.
    fn mirror(scope: Option<u64>) -> Mirror {
        Mirror::new(state(), scope.map(SessionId), Some(TabId(scope.unwrap_or(1))))
    }

    fn news(scope: Option<u64>, message: &ServerMessage) -> Vec<News> {
        let mut mirror = mirror(scope);
        mirror.take(message, mirror.front)
    }

    fn pane_update(pane: u64) -> ServerMessage {
        let (pane, mut info) =
            state().layout.panes.unwrap().pop_first().map(|(_, info)| (PaneId(pane), info)).unwrap();
        info.title = "new".to_owned();
        ServerMessage::PaneUpdate { panes: BTreeMap::from([(pane, info)]) }
    }

    #[test]
    fn what_is_as_it_was_is_no_news() {
        assert_eq!(news(None, &ServerMessage::State(state())), []);
        assert_eq!(news(None, &changed(|_| {})), []);
        let dragged = changed(|layout| {
            if let LayoutTree::Stack { ratios, .. } = &mut layout.tabs[0].layout.root {
                *ratios = vec![0.3, 0.7];
            }
        });
        assert_eq!(news(None, &dragged), [], "no record tells of dividers");
        assert_eq!(news(None, &ServerMessage::Pong { request_id: None }), []);
        assert_eq!(news(None, &pane_update(9)), [], "a pane that is not there any more");
    }

    #[test]
    fn each_change_is_told_once() {
        let focus = changed(|layout| layout.tabs[0].focus = vec![0]);
        assert_eq!(news(None, &focus), [News::Layout]);
        let mut renamed = state();
        renamed.sessions[1].name = "work".to_owned();
        assert_eq!(news(None, &ServerMessage::State(renamed)), [News::Layout]);
        let named = changed(|layout| {
            layout.panes.as_mut().unwrap().get_mut(&PaneId(3)).unwrap().name = Some("logs".to_owned());
        });
        assert_eq!(news(None, &named), [News::Layout], "its record is in that already");
        let lost = changed(|layout| {
            layout.connected.insert(PaneId(2), false);
        });
        assert_eq!(news(None, &lost), [News::Connection { pane: PaneId(2), connected: false }]);
        assert_eq!(news(None, &pane_update(1)), [News::Pane(PaneId(1))]);
        let mut mirror = mirror(None);
        assert_eq!(mirror.take(&pane_update(1), mirror.front).len(), 1);
        assert_eq!(mirror.take(&pane_update(1), mirror.front), [], "told already");
        assert_eq!(
            mirror.pane(PaneId(1), |_| 7).map(|pane| (pane.info.title, pane.offset)),
            Some(("new".into(), 7))
        );
    }

    #[test]
    fn a_scope_hears_of_its_session_alone() {
        assert_eq!(news(Some(2), &pane_update(1)), []);
        assert_eq!(news(Some(1), &pane_update(1)), [News::Pane(PaneId(1))]);
        assert_eq!(news(Some(2), &changed(|layout| layout.tabs[0].name = "x".to_owned())), []);
        let front = changed(|layout| layout.active_tab = Some(TabId(2)));
        assert_eq!(news(Some(2), &front), [], "to who knows of it alone it was in front before");
        let mut without = state();
        without.sessions.remove(0);
        assert_eq!(news(Some(2), &ServerMessage::State(without)), []);
        let mirror = mirror(Some(2));
        let sessions = mirror.sessions(|_| 0);
        let told: Vec<_> =
            sessions.iter().map(|session| (session.id, session.active, session.tabs[0].active)).collect();
        assert_eq!(told, [(SessionId(2), true, true)]);
        assert_eq!(mirror.pane(PaneId(1), |_| 0), None);
    }

    #[test]
    fn a_tab_comes_to_the_front_with_the_update_that_has_it() {
        let active = |mirror: &Mirror| {
            let tabs = mirror.sessions(|_| 0).into_iter().flat_map(|session| session.tabs);
            tabs.filter(|tab| tab.active).map(|tab| tab.id).collect::<Vec<_>>()
        };
        let mut mirror = mirror(Some(2));
        assert_eq!(mirror.take(&changed(|_| {}), Some(TabId(3))), []);
        assert_eq!(active(&mirror), [TabId(2)], "the other is not told of yet");
        let added = changed(|layout| {
            let tab = Tab { id: TabId(3), ..layout.tabs[1].clone() };
            layout.tabs.push(tab);
        });
        assert_eq!(mirror.take(&added, Some(TabId(3))), [News::Layout]);
        assert_eq!(active(&mirror), [TabId(3)]);
        assert_eq!(mirror.take(&added, Some(TabId(2))), [News::Layout]);
        assert_eq!(active(&mirror), [TabId(2)]);
    }

    #[test]
    fn records_say_where_everything_is() {
        let sessions = mirror(None).sessions(|pane| pane.0 * 10);
        let panes = &sessions[0].tabs[0].panes;
        let told: Vec<_> =
            panes.iter().map(|pane| (pane.id, pane.index, pane.focused, pane.offset)).collect();
        assert_eq!(told, [(PaneId(1), 0, false, 10), (PaneId(2), 1, true, 20)]);
        assert_eq!((sessions[0].active, sessions[1].active), (true, false));
        assert!(sessions[0].tabs[0].active && !sessions[1].tabs[0].active);
    }
}
