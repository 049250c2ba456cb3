//! Which pane to attach to: a list of all panes, narrowed down by what is typed. Pure.

pub(super) mod draw;
pub(super) mod keys;
pub(super) mod show;

#[cfg(test)]
mod tests;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use self::keys::Press;
use crate::client::mirror::{Mirror, panes_in};
use crate::ids::PaneId;

/// The longest search, in characters; more is not taken.
const MAX_QUERY: usize = 100;

/// A pane in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) pane: PaneId,
    /// Where it is, as in `work:build.1`, and what it is called or runs.
    pub(super) text: String,
    /// Whether it has no terminal.
    pub(super) dead: bool,
}

/// An entry that fits the search.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    /// Its index in the list of all.
    entry: usize,
    /// Which characters of its text fit, in ascending order.
    matched: Vec<u32>,
}

/// What a key led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    /// Nothing yet.
    Looking,
    /// This one is to be attached to.
    Picked(PaneId),
    /// None is.
    Cancelled,
}

/// See the module.
pub(super) struct Picker {
    /// Not offered: a pane can't show itself.
    around: Option<PaneId>,
    entries: Vec<Entry>,
    query: String,
    /// The best first; as in the layout while nothing is searched for.
    found: Vec<Found>,
    /// An index in `found`; 0 if nothing was.
    chosen: usize,
    matcher: Matcher,
}

impl Picker {
    /// A list of all panes but the one that we are in, if we are. The active one is chosen.
    pub(super) fn new(mirror: &Mirror, around: Option<PaneId>) -> Picker {
        let mut picker = Picker {
            around,
            entries: entries(mirror, around),
            query: String::new(),
            found: Vec::new(),
            chosen: 0,
            matcher: Matcher::new(Config::DEFAULT),
        };
        picker.search();
        picker.choose(mirror.active_pane());
        picker
    }

    /// The layout changed. What was chosen stays so if it is still there.
    pub(super) fn refresh(&mut self, mirror: &Mirror) {
        let chosen = self.chosen();
        self.entries = entries(mirror, self.around);
        self.search();
        self.choose(chosen);
    }

    /// What is searched for.
    pub(super) fn query(&self) -> &str {
        &self.query
    }

    /// The pane that is chosen; none if nothing was found.
    pub(super) fn chosen(&self) -> Option<PaneId> {
        self.found.get(self.chosen).map(|found| self.entries[found.entry].pane)
    }

    /// How many panes were found, and how many there are.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.found.len(), self.entries.len())
    }

    /// The entries that have room in `rows` rows, with the characters that fit the search and whether it is the chosen
    /// one, which is always among them.
    pub(super) fn view(&self, rows: usize) -> impl Iterator<Item = (&Entry, &[u32], bool)> {
        let first = (self.chosen + 1).saturating_sub(rows);
        let shown = self.found.iter().enumerate().skip(first).take(rows);
        shown.map(|(at, found)| (&self.entries[found.entry], &found.matched[..], at == self.chosen))
    }

    /// Presses a key. `rows` is how many entries a page has.
    pub(super) fn press(&mut self, press: Press, rows: usize) -> Pick {
        let count = self.found.len().max(1);
        match press {
            Press::Enter => return self.chosen().map_or(Pick::Looking, Pick::Picked),
            Press::Cancel => return Pick::Cancelled,
            Press::Up => self.chosen = (self.chosen + count - 1) % count,
            Press::Down => self.chosen = (self.chosen + 1) % count,
            Press::PageUp => self.chosen = self.chosen.saturating_sub(rows),
            Press::PageDown => self.chosen = (self.chosen + rows).min(count - 1),
            Press::Erase => self.edit(|query| _ = query.pop()),
            Press::EraseWord => self.edit(erase_word),
            Press::EraseAll => self.edit(String::clear),
            Press::Type(char) if self.query.chars().count() < MAX_QUERY => {
                self.edit(|query| query.push(char))
            }
            Press::Type(_) => {}
        }
        Pick::Looking
    }

    fn edit(&mut self, edit: impl FnOnce(&mut String)) {
        edit(&mut self.query);
        self.search();
        self.chosen = 0;
    }

    fn choose(&mut self, pane: Option<PaneId>) {
        let at = self.found.iter().position(|found| Some(self.entries[found.entry].pane) == pane);
        self.chosen = at.unwrap_or(self.chosen.min(self.found.len().saturating_sub(1)));
    }

    fn search(&mut self) {
        let pattern = Pattern::parse(&self.query, CaseMatching::Smart, Normalization::Smart);
        let mut found = Vec::new();
        let mut buffer = Vec::new();
        for (entry, Entry { text, .. }) in self.entries.iter().enumerate() {
            let mut matched = Vec::new();
            let text = Utf32Str::new(text, &mut buffer);
            let Some(score) = pattern.indices(text, &mut self.matcher, &mut matched) else { continue };
            matched.sort_unstable();
            matched.dedup();
            found.push((score, Found { entry, matched }));
        }
        // Those that are equally good stay in the layout's order.
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        self.found = found.into_iter().map(|(_, found)| found).collect();
    }
}

/// Erases the last word and the blanks after it.
fn erase_word(query: &mut String) {
    let words = query.trim_end();
    let end = words.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    query.truncate(end);
}

fn entries(mirror: &Mirror, around: Option<PaneId>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for session in &mirror.sessions {
        for tab in mirror.tabs.iter().filter(|tab| tab.session_id == session.id) {
            let panes = panes_in(&tab.layout.root).into_iter().enumerate();
            for (index, pane) in panes.filter(|(_, pane)| Some(*pane) != around) {
                let place = format!("{}:{}.{index}", session.name, tab.name);
                let text = [place, what(mirror, pane)].join("  ");
                let text = text.trim_end().chars().filter(|char| !char.is_control()).collect();
                entries.push(Entry { pane, text, dead: !mirror.is_connected(pane) });
            }
        }
    }
    entries
}

/// What a pane is called, what it runs and which title that gave it, as far as that is known.
fn what(mirror: &Mirror, pane: PaneId) -> String {
    let Some(info) = mirror.panes.get(&pane) else { return String::new() };
    let command = info.shell.as_ref().and_then(|shell| shell.command.clone());
    let parts = [info.name.clone(), command, Some(info.title.clone())].into_iter().flatten();
    let mut parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.dedup();
    parts.join(" — ")
}
