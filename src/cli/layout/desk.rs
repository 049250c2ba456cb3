//! All that a layout in a terminal is, between what is pressed, what the gateway says and what is drawn: does no I/O,
//! and is told the time.
//!
//! ```text
//! our terminal ─Piece─▶ Desk ─Effect─▶ the gateway, our terminal
//! the gateway ─layout, output, answers─▶ Desk ─Frame─▶ our terminal
//! ```

mod act;
mod change;
mod copying;
mod draw;
mod pointer;
#[cfg(test)]
mod tests;
mod typing;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::change::Change;
use super::copy::{COPY_ROWS, CopyMode};
use super::copy_keys::Editor;
use super::key::Key;
use super::page::Page;
use super::picker::Picker;
use super::prompt::Prompt;
use super::stdin::Piece;
use super::tiles::{Tiling, room_in};
use crate::client::Status;
use crate::client::mirror::{Mirror, panes_in};
use crate::geometry::Size;
use crate::ids::{PaneId, SessionId, TabId};
use crate::protocol::client::{ClientMessage, PaneClose, TabClose};
use crate::protocol::server::Tab;
use crate::screen::{Screen, ScrollbackLimits};

/// After how long the keys that may follow the prefix are shown.
const HINT_AFTER: Duration = Duration::from_millis(600);

/// How long a key that moves an edge or the focus is taken again without the prefix, as in tmux.
const REPEAT_FOR: Duration = Duration::from_millis(500);

/// How long a message stands.
const MESSAGE_FOR: Duration = Duration::from_secs(4);

/// How long numbers of panes stand.
const NUMBERS_FOR: Duration = Duration::from_secs(2);

/// The most pieces of input that wait for a change.
const MAX_BACKLOG: usize = 4096;

/// How much text of a pane is kept above its screen between two visits of copy mode.
const SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: COPY_ROWS, bytes: 1 << 20 };

/// What there is to know at the start.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) prefix: Key,
    pub(super) editor: Editor,
    /// Nothing is typed into panes, and nothing changed.
    pub(super) read_only: bool,
    /// Whether the mouse is ours; else our terminal selects with it.
    pub(super) mouse: bool,
}

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// Type into a pane.
    Type { pane: PaneId, bytes: Vec<u8> },
    /// Paste into a pane; `more`: it goes on.
    Paste { pane: PaneId, bytes: Vec<u8>, more: bool },
    /// Tell a pane's program something that was not typed.
    Report { pane: PaneId, bytes: Vec<u8> },
    /// Say something to the gateway.
    Say(ClientMessage),
    /// Ask something of the gateway; [`Desk::answered`] wants to hear.
    Ask(ClientMessage),
    /// Watch a pane from now on, with that much of what is above its screen.
    Watch { pane: PaneId, history: u32 },
    /// Watch it no more.
    Unwatch(PaneId),
    /// Put text into our terminal's clipboard.
    Clipboard(String),
    /// Draw everything anew.
    Redraw,
    /// Leave.
    Leave(Leaving),
}

/// Why it is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leaving {
    /// Somebody wants it.
    Detached,
    /// There is nothing to show any more.
    Empty,
    /// A signal ended us.
    Signal(&'static str),
    /// The connection is gone for good.
    Closed(String),
}

/// What the keys mean.
#[derive(Debug)]
enum Mode {
    /// They are the focused pane's.
    Plain,
    /// They move about in what a pane has shown.
    Copy { pane: PaneId, copy: Box<CopyMode>, scrolled: bool },
    /// They are yes or no.
    Confirm { question: String, message: ClientMessage },
    /// They are a list's.
    Pick(Picker),
    /// They scroll the help.
    Help { first: usize },
    /// They are the number of a pane.
    Numbers { until: Instant },
}

/// The prefix was pressed.
#[derive(Debug, Clone)]
struct Prefix {
    since: Instant,
    /// How it came, to be sent on if it is pressed twice.
    bytes: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    settings: Settings,
    /// Of our whole terminal.
    size: Size,
    mirror: Arc<Mirror>,
    tiling: Tiling,
    screens: BTreeMap<PaneId, Screen>,
    /// The panes of the tab shown, and whether their screens have come.
    watched: BTreeMap<PaneId, bool>,
    mode: Mode,
    /// A line that is asked for; copy mode stays behind it.
    prompt: Option<Prompt>,
    prefix: Option<Prefix>,
    /// Until when keys that repeat need no prefix.
    repeat_until: Option<Instant>,
    change: Option<Change>,
    backlog: VecDeque<Piece>,
    /// Where a paste goes that is under way.
    pasting: Option<PaneId>,
    pointer: pointer::Pointer,
    message: Option<(String, Instant)>,
    copied: Option<String>,
    status: Status,
    /// Bytes that are not known to have arrived.
    held: usize,
    /// The tab and the pane focused before the current ones.
    tab: Option<TabId>,
    last_tab: Option<TabId>,
    pane: Option<PaneId>,
    last_panes: BTreeMap<TabId, PaneId>,
    /// Whether our terminal has the focus.
    has_focus: bool,
}

impl Desk {
    /// One that knows nothing of the layout yet.
    pub(super) fn new(settings: Settings, size: Size) -> Desk {
        Desk {
            settings,
            size,
            mirror: Arc::default(),
            tiling: Tiling::default(),
            screens: BTreeMap::new(),
            watched: BTreeMap::new(),
            mode: Mode::Plain,
            prompt: None,
            prefix: None,
            repeat_until: None,
            change: None,
            backlog: VecDeque::new(),
            pasting: None,
            pointer: pointer::Pointer::default(),
            message: None,
            copied: None,
            status: Status::Connected,
            held: 0,
            tab: None,
            last_tab: None,
            pane: None,
            last_panes: BTreeMap::new(),
            has_focus: true,
        }
    }

    /// The room for panes in a terminal of this size.
    pub(super) fn viewport(size: Size) -> Size {
        room_in(size).size
    }

    // What the gateway says.

    /// The layout is this now.
    pub(super) fn layout(&mut self, mirror: Arc<Mirror>, now: Instant) -> Vec<Effect> {
        let had_tabs = !self.mirror.tabs.is_empty();
        self.mirror = mirror;
        if let Some(change) = &mut self.change {
            change.moved();
        }
        let mut effects = self.follow_focus();
        self.tile(&mut effects);
        if let Mode::Pick(picker) = &mut self.mode {
            picker.refresh(&self.mirror);
        }
        // At the start the first one may be on its way.
        if had_tabs && self.mirror.tabs.is_empty() {
            effects.push(Effect::Leave(Leaving::Empty));
        }
        effects.extend(self.settle(now));
        effects
    }

    /// Remembers where the focus was, and tells programs that want to know.
    fn follow_focus(&mut self) -> Vec<Effect> {
        let tab = self.mirror.active_tab().map(|tab| tab.id);
        if tab != self.tab {
            self.last_tab = std::mem::replace(&mut self.tab, tab);
        }
        let pane = self.mirror.active_pane();
        let mut effects = Vec::new();
        if pane != self.pane {
            let before = std::mem::replace(&mut self.pane, pane);
            effects.extend(self.focus_report(before, false));
            effects.extend(self.focus_report(pane, true));
            if let Some((tab, before)) =
                before.and_then(|before| Some((self.mirror.tab_of(before)?.id, before)))
            {
                self.last_panes.insert(tab, before);
            }
            if let Mode::Copy { pane: copied, .. } = &self.mode
                && Some(*copied) != pane
            {
                self.leave_mode();
            }
        }
        self.last_panes.retain(|_, pane| self.mirror.has(*pane));
        effects
    }

    fn focus_report(&self, pane: Option<PaneId>, focused: bool) -> Option<Effect> {
        let pane = pane.filter(|_| self.has_focus)?;
        let wants = self.screens.get(&pane)?.wants();
        let bytes = if focused { b"\x1b[I" } else { b"\x1b[O" };
        wants.focus.then(|| Effect::Report { pane, bytes: bytes.to_vec() })
    }

    /// Lays the panes out anew, and watches those that are shown.
    fn tile(&mut self, effects: &mut Vec<Effect>) {
        let tab = self.mirror.active_tab();
        self.tiling = tab.map(|tab| Tiling::of(tab, self.size)).unwrap_or_default();
        let shown = tab.map(|tab| panes_in(&tab.layout.root)).unwrap_or_default();
        self.watched.retain(|pane, _| {
            let stays = shown.contains(pane);
            if !stays {
                effects.push(Effect::Unwatch(*pane));
            }
            stays
        });
        for pane in shown {
            if let std::collections::btree_map::Entry::Vacant(entry) = self.watched.entry(pane) {
                entry.insert(false);
                effects.push(Effect::Watch { pane, history: 0 });
            }
        }
        self.screens.retain(|pane, _| self.watched.contains_key(pane));
        self.fit_copy();
    }

    /// A watched pane shows this now.
    pub(super) fn restart(&mut self, pane: PaneId, size: Size, bytes: &[u8]) {
        let Some(has_come) = self.watched.get_mut(&pane) else { return };
        *has_come = true;
        let mut screen = Screen::new(size, SCROLLBACK);
        screen.feed(bytes);
        if let Mode::Copy { pane: copied, copy, .. } = &mut self.mode
            && *copied == pane
            && screen.size() == size
        {
            copy.extend(Page::of(&screen, COPY_ROWS));
        }
        self.screens.insert(pane, screen);
    }

    /// A watched pane printed this.
    pub(super) fn output(&mut self, pane: PaneId, bytes: &[u8]) {
        if let Some(screen) = self.screens.get_mut(&pane) {
            screen.feed(bytes);
        }
    }

    /// Whether the panes shown have all come, and none is in the middle of a picture of its own.
    pub(super) fn is_complete(&self) -> bool {
        let has_come = self.watched.values().all(|has_come| *has_come);
        has_come && !self.screens.values().any(|screen| screen.wants().synchronized)
    }

    /// Whether what is shown changes as time goes by.
    pub(super) fn shows_times(&self) -> bool {
        let is_dead = |(pane, _): &(PaneId, _)| !self.mirror.is_connected(*pane);
        self.status != Status::Connected || self.tiling.panes.iter().any(is_dead)
    }

    /// The connection is like this.
    pub(super) fn status(&mut self, status: Status) -> Vec<Effect> {
        let closed = match &status {
            Status::Closed(closed) => Some(Effect::Leave(Leaving::Closed(closed.to_string()))),
            _ => None,
        };
        self.status = status;
        closed.into_iter().collect()
    }

    /// So many bytes that were typed are not known to have arrived.
    pub(super) fn held(&mut self, bytes: usize) {
        self.held = bytes;
    }

    /// What was asked was done, and made a pane perhaps; or it was not, for this reason.
    pub(super) fn answered(&mut self, outcome: Result<Option<PaneId>, String>, now: Instant) -> Vec<Effect> {
        match outcome {
            Ok(made) => {
                if let Some(change) = &mut self.change {
                    change.answered(made, now);
                }
            }
            Err(reason) => {
                self.change = None;
                self.say(reason, now);
            }
        }
        self.settle(now)
    }

    /// Tells people something.
    pub(super) fn say(&mut self, message: impl Into<String>, now: Instant) {
        self.message = Some((message.into(), now + MESSAGE_FOR));
    }

    // Time.

    /// When [`Desk::tick`] is due.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        let hint = self.prefix.as_ref().map(|prefix| prefix.since + HINT_AFTER);
        let message = self.message.as_ref().map(|(_, until)| *until);
        let numbers = match self.mode {
            Mode::Numbers { until } => Some(until),
            _ => None,
        };
        let change = self.change.map(|change| change.gives_up_at());
        [hint, message, numbers, change, self.repeat_until].into_iter().flatten().min()
    }

    /// It is this late.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Effect> {
        self.message.take_if(|(_, until)| *until <= now);
        self.repeat_until.take_if(|until| *until <= now);
        if matches!(self.mode, Mode::Numbers { until } if until <= now) {
            self.leave_mode();
        }
        self.settle(now)
    }

    /// Whether the keys are shown that may follow the prefix.
    fn shows_hint(&self, now: Instant) -> bool {
        self.prefix.as_ref().is_some_and(|prefix| now >= prefix.since + HINT_AFTER)
    }

    /// Goes on with what waited for a change of the layout, if that is there.
    fn settle(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.change.is_some_and(|change| change.is_over(&self.mirror, self.pane, now)) {
            self.change = None;
        }
        while self.change.is_none()
            && let Some(piece) = self.backlog.pop_front()
        {
            effects.extend(self.take(piece, now));
        }
        effects
    }

    /// Asks for a change that what is typed next is to wait for.
    fn ask(&mut self, message: ClientMessage, now: Instant) -> Vec<Effect> {
        self.change = Some(Change::asked(&message, now));
        vec![Effect::Ask(message)]
    }

    // What comes from our terminal.

    /// It is this large.
    pub(super) fn resize(&mut self, size: Size) -> Vec<Effect> {
        self.size = size;
        let mut effects = Vec::new();
        self.tile(&mut effects);
        effects
    }

    /// Copy mode has as much room as its pane.
    fn fit_copy(&mut self) {
        if let Mode::Copy { pane, copy, .. } = &mut self.mode
            && let Some(rect) = self.tiling.rect_of(*pane)
        {
            copy.resize(usize::from(rect.size.cols), usize::from(rect.size.rows));
        }
    }

    // What the layout is.

    fn active_tab(&self) -> Option<&Tab> {
        self.mirror.active_tab()
    }

    fn session(&self) -> Option<SessionId> {
        self.active_tab().map(|tab| tab.session_id)
    }

    /// Asks before something is closed.
    fn confirm_close(&mut self, tab: bool) {
        let Some(active) = self.active_tab() else { return };
        let closing = if tab {
            let message = ClientMessage::TabClose(TabClose { tab_id: active.id });
            Some((format!("close tab {}? (y/n)", active.name), message))
        } else {
            self.pane.map(|pane| {
                let title = self.title_of(pane);
                let message = ClientMessage::PaneClose(PaneClose { pane_id: pane, if_idle: false });
                (format!("close pane {title}? (y/n)"), message)
            })
        };
        if let Some((question, message)) = closing {
            self.mode = Mode::Confirm { question, message };
        }
    }

    /// What a pane is called.
    fn title_of(&self, pane: PaneId) -> String {
        let info = self.mirror.panes.get(&pane);
        let name = info.and_then(|info| info.name.clone()).or_else(|| info.map(|info| info.title.clone()));
        name.filter(|name| !name.is_empty()).unwrap_or_else(|| pane.to_string())
    }
}
