//! The line at the bottom: session and tabs as tmux shows them, and how things are.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use super::compose::{width, write};
use crate::client::mirror::{Mirror, panes_in};
use crate::geometry::{Rect, Size};
use crate::ids::{SessionId, TabId};
use crate::protocol::server::Tab;

const LINE: Style = Style::new().fg(Color::Black).bg(Color::Green);
const URGENT: Style = Style::new().fg(Color::White).bg(Color::Red);
const MESSAGE: Style = Style::new().fg(Color::Black).bg(Color::Yellow);

/// The longest name of a session, in columns.
const SESSION_COLUMNS: usize = 20;

/// What stands at the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// What the focused pane is called.
    Title(String),
    /// Something that happened or that people should know.
    Message(String),
    /// Something that is wrong.
    Urgent(String),
}

/// The line, laid out for a width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatusLine {
    session: String,
    /// Columns, text, and whether it is the active one.
    tabs: Vec<(TabId, Range<u16>, String, bool)>,
    notice: Notice,
    cols: u16,
}

impl StatusLine {
    /// What it says of a session, whose `last` tab was looked at before.
    pub(super) fn new(
        mirror: &Mirror,
        session: Option<SessionId>,
        last: Option<TabId>,
        notice: Notice,
        cols: u16,
    ) -> StatusLine {
        let name =
            mirror.sessions.iter().find(|known| Some(known.id) == session).map_or("", |known| &known.name);
        let session_text = format!("[{}] ", cut(name, SESSION_COLUMNS));
        let active = mirror.active_tab().map(|tab| tab.id);
        let labels: Vec<(TabId, String, bool)> = tabs_of(mirror, session)
            .enumerate()
            .map(|(index, tab)| (tab.id, label(mirror, index, tab, active, last), Some(tab.id) == active))
            .collect();
        let room = usize::from(cols).saturating_sub(width(&session_text));
        let tabs = place(labels, width(&session_text) as u16, room);
        StatusLine { session: session_text, tabs, notice, cols }
    }

    /// The tab whose label is in a column.
    pub(super) fn tab_at(&self, x: u16) -> Option<TabId> {
        self.tabs.iter().find(|(_, columns, ..)| columns.contains(&x)).map(|(tab, ..)| *tab)
    }

    /// Draws it into the last row.
    pub(super) fn draw(&self, cells: &mut Buffer) {
        let y = cells.area.height.saturating_sub(1);
        let row = Rect { x: 0, y, size: Size { cols: self.cols, rows: 1 } };
        write(cells, row, 0, y, &" ".repeat(usize::from(self.cols)), LINE);
        write(cells, row, 0, y, &self.session, LINE);
        for (_, columns, text, is_active) in &self.tabs {
            let style = if *is_active { LINE.add_modifier(Modifier::BOLD) } else { LINE };
            write(cells, row, columns.start, y, text, style);
        }
        let (text, style) = match &self.notice {
            Notice::Title(text) if text.is_empty() => return,
            Notice::Title(text) => (text, LINE),
            Notice::Message(text) => (text, MESSAGE),
            Notice::Urgent(text) => (text, URGENT),
        };
        let end = self.tabs.last().map_or(width(&self.session) as u16, |(_, columns, ..)| columns.end) + 1;
        let room = match self.notice {
            // A title gives way to the tabs, what matters does not.
            Notice::Title(_) => usize::from(self.cols.saturating_sub(end)).min(usize::from(self.cols) / 2),
            _ => usize::from(self.cols),
        };
        if room > 2 {
            let text = format!(" {} ", cut(text, room - 2));
            write(cells, row, self.cols - width(&text) as u16, y, &text, style);
        }
    }
}

/// The tabs of a session, in their order.
pub(super) fn tabs_of(mirror: &Mirror, session: Option<SessionId>) -> impl Iterator<Item = &Tab> {
    mirror.tabs.iter().filter(move |tab| Some(tab.session_id) == session)
}

fn label(mirror: &Mirror, index: usize, tab: &Tab, active: Option<TabId>, last: Option<TabId>) -> String {
    let mut flags = String::new();
    if Some(tab.id) == active {
        flags.push('*');
    } else if Some(tab.id) == last {
        flags.push('-');
    }
    if tab.zoomed.is_some() {
        flags.push('Z');
    }
    if panes_in(&tab.layout.root).iter().any(|pane| !mirror.is_connected(*pane)) {
        flags.push('!');
    }
    format!("{index}:{}{flags}", tab.name)
}

/// Gives labels their columns; if not all have room, the active one is among those that do.
fn place(
    labels: Vec<(TabId, String, bool)>,
    start: u16,
    room: usize,
) -> Vec<(TabId, Range<u16>, String, bool)> {
    let ends: Vec<usize> = labels
        .iter()
        .scan(0, |end, (_, text, _)| {
            *end += width(text) + 1;
            Some(*end)
        })
        .collect();
    let active_end =
        labels.iter().zip(&ends).find(|((.., is_active), _)| *is_active).map_or(0, |(_, end)| *end);
    let skipped = ends
        .iter()
        .copied()
        .find(|begin| active_end <= begin + room)
        .filter(|_| active_end > room)
        .unwrap_or(0);
    let mut placed = Vec::new();
    for ((tab, text, is_active), end) in labels.into_iter().zip(ends) {
        let begin = end - 1 - width(&text);
        if begin < skipped || end - 1 > skipped + room {
            continue;
        }
        let columns = start + (begin - skipped) as u16..start + (end - 1 - skipped) as u16;
        placed.push((tab, columns, text, is_active));
    }
    placed
}

/// As much of a text as has room, with a mark if that is not all.
pub(super) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut cut = String::new();
    for char in text.chars() {
        if width(&cut) + width(char.encode_utf8(&mut [0; 4])) >= room {
            break;
        }
        cut.push(char);
    }
    if room > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::super::outer::canvas;
    use super::*;
    use crate::ids::PaneId;
    use crate::protocol::server::{LayoutTree, Session, TabLayout};

    fn mirror(tabs: u64, active: u64) -> Mirror {
        let tab = |id| Tab {
            id: TabId(id),
            session_id: SessionId(1),
            name: format!("tab{id}"),
            layout: TabLayout { root: LayoutTree::Window { key: PaneId(id) } },
            focus: vec![],
            zoomed: None,
        };
        Mirror {
            sessions: vec![Session {
                id: SessionId(1),
                sandbox_id: "local".into(),
                name: "work".into(),
                created_at: 0,
            }],
            tabs: (1..=tabs).map(tab).collect(),
            shared_tab: Some(TabId(active)),
            connected: (1..=tabs).map(|id| (PaneId(id), id != 2)).collect(),
            ..Mirror::default()
        }
    }

    fn drawn(mirror: &Mirror, notice: Notice, cols: u16) -> (StatusLine, String) {
        let line = StatusLine::new(mirror, Some(SessionId(1)), Some(TabId(3)), notice, cols);
        let mut cells = canvas(Size { cols, rows: 1 });
        line.draw(&mut cells);
        let text = (0..cols).map(|x| cells[(x, 0)].symbol()).collect();
        (line, text)
    }

    #[test]
    fn it_looks_as_in_tmux() {
        let (line, text) = drawn(&mirror(3, 1), Notice::Title("vim".into()), 50);
        assert_eq!(text, "[work] 0:tab1* 1:tab2! 2:tab3-                vim ");
        assert_eq!((line.tab_at(0), line.tab_at(7), line.tab_at(16)), (None, Some(TabId(1)), Some(TabId(2))));
    }

    #[test]
    fn the_active_tab_is_always_there() {
        for active in 1..=30 {
            let (line, text) = drawn(&mirror(30, active), Notice::Title("a long title".into()), 40);
            assert!(text.contains(&format!("{}:tab{active}*", active - 1)), "{active}: {text}");
            let column = text.find('*').map(|at| at as u16);
            assert_eq!(column.and_then(|column| line.tab_at(column)), Some(TabId(active)));
        }
    }

    #[test]
    fn what_is_wrong_goes_over_the_tabs() {
        let (_, text) = drawn(&mirror(9, 1), Notice::Urgent("reconnecting".into()), 30);
        assert!(text.ends_with(" reconnecting "), "{text}");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
