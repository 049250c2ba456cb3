//! The list of sessions, or of all their tabs, to pick one from.

use super::key::{Code, Key};
use crate::client::mirror::{Mirror, panes_in};
use crate::ids::TabId;

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) text: String,
    /// What is shown when it is picked.
    pub(super) tab: TabId,
    /// Whether it is a session's line.
    is_session: bool,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picker {
    entries: Vec<Entry>,
    chosen: usize,
    /// Whether it lists tabs.
    tabs: bool,
}

/// What a key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pick {
    /// Nothing is picked yet.
    Looking,
    /// This one.
    Picked(TabId),
    /// None.
    Cancelled,
}

impl Picker {
    /// A list of sessions or, with `tabs`, of their tabs as well.
    pub(super) fn new(mirror: &Mirror, tabs: bool) -> Picker {
        let entries = entries(mirror, tabs);
        let active = mirror.active_tab();
        let is_active = |entry: &Entry| match tabs {
            true => active.is_some_and(|tab| tab.id == entry.tab),
            false => {
                let session = mirror.tab(entry.tab).map(|tab| tab.session_id);
                active.is_some_and(|tab| Some(tab.session_id) == session)
            }
        };
        let chosen = entries.iter().rposition(is_active).unwrap_or(0);
        Picker { entries, chosen, tabs }
    }

    /// The layout changed.
    pub(super) fn refresh(&mut self, mirror: &Mirror) {
        let before = self.entries.get(self.chosen).map(|entry| (entry.tab, entry.is_session));
        self.entries = entries(mirror, self.tabs);
        let found = self.entries.iter().position(|entry| Some((entry.tab, entry.is_session)) == before);
        self.chosen = found.unwrap_or(self.chosen.min(self.entries.len().saturating_sub(1)));
    }

    /// The lines that have room, and which of them is chosen.
    pub(super) fn view(&self, rows: usize) -> (&[Entry], usize) {
        let first = (self.chosen + 1).saturating_sub(rows.max(1));
        let end = self.entries.len().min(first + rows);
        (&self.entries[first..end], self.chosen - first)
    }

    /// Presses a key.
    pub(super) fn press(&mut self, key: Key) -> Pick {
        let last = self.entries.len().saturating_sub(1);
        match (key.code, key.ctrl) {
            (Code::Enter, _) | (Code::Char('j' | 'm'), true) => {
                return self
                    .entries
                    .get(self.chosen)
                    .map_or(Pick::Cancelled, |entry| Pick::Picked(entry.tab));
            }
            (Code::Escape, _) | (Code::Char('q'), false) | (Code::Char('c' | 'g'), true) => {
                return Pick::Cancelled;
            }
            (Code::Up, _) | (Code::Char('k'), false) | (Code::Char('p'), true) => {
                self.chosen = self.chosen.checked_sub(1).unwrap_or(last);
            }
            (Code::Down, _) | (Code::Char('j'), false) | (Code::Char('n'), true) => {
                self.chosen = if self.chosen == last { 0 } else { self.chosen + 1 };
            }
            (Code::Home, _) | (Code::Char('g'), false) => self.chosen = 0,
            (Code::End, _) | (Code::Char('G'), false) => self.chosen = last,
            (Code::Char(digit @ '0'..='9'), false) => {
                let index = digit as usize - '0' as usize;
                return self.entries.get(index).map_or(Pick::Looking, |entry| Pick::Picked(entry.tab));
            }
            _ => {}
        }
        Pick::Looking
    }
}

/// A session stands for its active tab if that is shown, else for its first.
fn entries(mirror: &Mirror, with_tabs: bool) -> Vec<Entry> {
    let active = mirror.active_tab();
    let mut entries = Vec::new();
    for session in &mirror.sessions {
        let tabs: Vec<_> = mirror.tabs.iter().filter(|tab| tab.session_id == session.id).collect();
        let shown = tabs.iter().find(|tab| active.is_some_and(|active| active.id == tab.id));
        let Some(stands_for) = shown.or(tabs.first()) else { continue };
        let count = tabs.len();
        let here = if shown.is_some() { " (here)" } else { "" };
        let text = format!("({}) {}: {count} tab{}{here}", entries.len(), session.name, plural(count));
        entries.push(Entry { text, tab: stands_for.id, is_session: true });
        for (index, tab) in tabs.iter().enumerate().filter(|_| with_tabs) {
            let panes = panes_in(&tab.layout.root);
            let dead = panes.iter().filter(|pane| !mirror.is_connected(**pane)).count();
            let dead = if dead > 0 { format!(", {dead} dead") } else { String::new() };
            let (number, count) = (entries.len(), panes.len());
            let text = format!("({number})   {index}: {} ({count} pane{}{dead})", tab.name, plural(count));
            entries.push(Entry { text, tab: tab.id, is_session: false });
        }
    }
    entries
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{PaneId, SessionId};
    use crate::protocol::server::{LayoutTree, Session, Tab, TabLayout};

    fn mirror() -> Mirror {
        let session = |id, name: &str| Session {
            id: SessionId(id),
            sandbox_id: "local".into(),
            name: name.into(),
            created_at: 0,
        };
        let tab = |id, session| Tab {
            id: TabId(id),
            session_id: SessionId(session),
            name: format!("tab{id}"),
            layout: TabLayout { root: LayoutTree::Window { key: PaneId(id) } },
            focus: vec![],
            zoomed: None,
        };
        Mirror {
            sessions: vec![session(1, "work"), session(2, "play")],
            tabs: vec![tab(1, 1), tab(2, 1), tab(3, 2)],
            shared_tab: Some(TabId(2)),
            connected: [(PaneId(1), true)].into(),
            ..Mirror::default()
        }
    }

    fn press(picker: &mut Picker, key: &str) -> Pick {
        picker.press(Key::parse(key).expect(key))
    }

    #[test]
    fn a_session_is_picked() {
        let mut picker = Picker::new(&mirror(), false);
        let texts: Vec<&str> = picker.view(9).0.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["(0) work: 2 tabs (here)", "(1) play: 1 tab"]);
        assert_eq!(press(&mut picker, "Enter"), Pick::Picked(TabId(2)), "where we are");
        press(&mut picker, "Down");
        assert_eq!(press(&mut picker, "Enter"), Pick::Picked(TabId(3)));
        assert_eq!(press(&mut picker, "0"), Pick::Picked(TabId(2)));
        assert_eq!(press(&mut picker, "9"), Pick::Looking);
        assert_eq!(press(&mut picker, "q"), Pick::Cancelled);
    }

    #[test]
    fn a_tab_is_picked_also_if_the_list_changes_meanwhile() {
        let mut mirror = mirror();
        let mut picker = Picker::new(&mirror, true);
        assert_eq!(picker.view(9).0[1].text, "(1)   0: tab1 (1 pane)");
        assert_eq!(picker.view(2), (&picker.entries[1..3], 1), "the chosen one is in view");
        press(&mut picker, "G");
        mirror.tabs.remove(0);
        picker.refresh(&mirror);
        assert_eq!(press(&mut picker, "Enter"), Pick::Picked(TabId(3)));
        press(&mut picker, "j");
        assert_eq!(press(&mut picker, "Enter"), Pick::Picked(TabId(2)), "after the last comes the first");
    }
}
