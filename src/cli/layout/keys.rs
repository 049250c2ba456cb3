//! What the keys after the prefix do: one table, from which the popup, the help and docs/cli.md come as well.

use super::key::{Code, Key};
use crate::protocol::client::{Direction, SplitOrientation};

/// The prefix unless another one is set, as tmux has it.
pub(super) const DEFAULT_PREFIX: &str = "C-b";

/// Something that a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(super) enum Action {
    NewTab,
    NextTab,
    PreviousTab,
    LastTab,
    /// By its place, from 0.
    SelectTab(usize),
    RenameTab,
    MoveTab,
    CloseTab,
    Split(SplitOrientation),
    ClosePane,
    ZoomPane,
    NextPane,
    LastPane,
    Focus(Direction),
    /// By this many cells.
    Resize(Direction, u16),
    SwapWithPrevious,
    SwapWithNext,
    BreakPane,
    RespawnPane,
    ShowNumbers,
    CopyMode,
    /// Into copy mode, a page up.
    CopyPageUp,
    Paste,
    PickSession,
    PickTab,
    NewSession,
    RenameSession,
    NextSession,
    PreviousSession,
    Help,
    Redraw,
    Detach,
    /// There is no such thing here; says what there is.
    Absent(&'static str),
}

/// Under which heading the help lists a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(super) enum Group {
    Tabs,
    Panes,
    Text,
    Sessions,
    Other,
}

impl Group {
    /// All, in the help's order.
    pub(super) const ALL: [Group; 5] =
        [Group::Tabs, Group::Panes, Group::Text, Group::Sessions, Group::Other];

    /// Its heading.
    pub(super) fn title(self) -> &'static str {
        match self {
            Group::Tabs => "Tabs",
            Group::Panes => "Panes",
            Group::Text => "Text",
            Group::Sessions => "Sessions",
            Group::Other => "Other",
        }
    }
}

/// Some keys that do the same, or the same to different things.
pub(super) struct Binding {
    pub(super) group: Group,
    /// As people read them.
    pub(super) shown: &'static str,
    /// As [`Key::parse`] reads them.
    keys: &'static [&'static str],
    /// What each of the keys does.
    actions: &'static [Action],
    pub(super) help: &'static str,
}

const fn one(
    group: Group,
    shown: &'static str,
    keys: &'static [&'static str],
    actions: &'static [Action],
    help: &'static str,
) -> Binding {
    Binding { group, shown, keys, actions, help }
}

const ARROWS: &[&str] = &["Left", "Right", "Up", "Down"];

/// All of them; tmux's defaults, where there is the like.
pub(super) const BINDINGS: &[Binding] = &[
    one(Group::Tabs, "c", &["c"], &[Action::NewTab], "new tab"),
    one(Group::Tabs, "n", &["n"], &[Action::NextTab], "next tab"),
    one(Group::Tabs, "p", &["p"], &[Action::PreviousTab], "previous tab"),
    one(Group::Tabs, "l", &["l"], &[Action::LastTab], "the tab shown before"),
    one(
        Group::Tabs,
        "0 … 9",
        &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        &[
            Action::SelectTab(0),
            Action::SelectTab(1),
            Action::SelectTab(2),
            Action::SelectTab(3),
            Action::SelectTab(4),
            Action::SelectTab(5),
            Action::SelectTab(6),
            Action::SelectTab(7),
            Action::SelectTab(8),
            Action::SelectTab(9),
        ],
        "tab by number",
    ),
    one(Group::Tabs, ",", &[","], &[Action::RenameTab], "rename tab"),
    one(Group::Tabs, ".", &["."], &[Action::MoveTab], "move tab to a number"),
    one(Group::Tabs, "&", &["&"], &[Action::CloseTab], "close tab"),
    one(Group::Panes, "%", &["%"], &[Action::Split(SplitOrientation::Horizontal)], "split side by side"),
    one(Group::Panes, "\"", &["\""], &[Action::Split(SplitOrientation::Vertical)], "split above and below"),
    one(
        Group::Panes,
        "arrows",
        ARROWS,
        &[
            Action::Focus(Direction::Left),
            Action::Focus(Direction::Right),
            Action::Focus(Direction::Up),
            Action::Focus(Direction::Down),
        ],
        "focus the pane there",
    ),
    one(Group::Panes, "o", &["o"], &[Action::NextPane], "next pane"),
    one(Group::Panes, ";", &[";"], &[Action::LastPane], "the pane focused before"),
    one(Group::Panes, "z", &["z"], &[Action::ZoomPane], "zoom pane, or back"),
    one(
        Group::Panes,
        "C-arrows",
        &["C-Left", "C-Right", "C-Up", "C-Down"],
        &[
            Action::Resize(Direction::Left, 1),
            Action::Resize(Direction::Right, 1),
            Action::Resize(Direction::Up, 1),
            Action::Resize(Direction::Down, 1),
        ],
        "move the pane's edge by 1",
    ),
    one(
        Group::Panes,
        "M-arrows",
        &["M-Left", "M-Right", "M-Up", "M-Down"],
        &[
            Action::Resize(Direction::Left, 5),
            Action::Resize(Direction::Right, 5),
            Action::Resize(Direction::Up, 5),
            Action::Resize(Direction::Down, 5),
        ],
        "move the pane's edge by 5",
    ),
    one(Group::Panes, "{", &["{"], &[Action::SwapWithPrevious], "swap with the previous pane"),
    one(Group::Panes, "}", &["}"], &[Action::SwapWithNext], "swap with the next pane"),
    one(Group::Panes, "!", &["!"], &[Action::BreakPane], "move pane to a new tab"),
    one(Group::Panes, "q", &["q"], &[Action::ShowNumbers], "show pane numbers, and focus by one"),
    one(Group::Panes, "R", &["R"], &[Action::RespawnPane], "start a dead pane's program"),
    one(Group::Panes, "x", &["x"], &[Action::ClosePane], "close pane"),
    one(Group::Text, "[", &["["], &[Action::CopyMode], "scroll, search and copy"),
    one(Group::Text, "PPage", &["PPage"], &[Action::CopyPageUp], "the same, a page up"),
    one(Group::Text, "]", &["]"], &[Action::Paste], "paste what was copied"),
    one(Group::Sessions, "s", &["s"], &[Action::PickSession], "pick a session"),
    one(Group::Sessions, "w", &["w"], &[Action::PickTab], "pick a tab of any session"),
    one(
        Group::Sessions,
        "( )",
        &["(", ")"],
        &[Action::PreviousSession, Action::NextSession],
        "previous, next session",
    ),
    one(Group::Sessions, "S", &["S"], &[Action::NewSession], "new session"),
    one(Group::Sessions, "$", &["$"], &[Action::RenameSession], "rename session"),
    one(Group::Other, "?", &["?"], &[Action::Help], "these keys"),
    one(Group::Other, "r", &["r"], &[Action::Redraw], "draw all anew"),
    one(Group::Other, "d", &["d"], &[Action::Detach], "detach"),
];

/// Keys of tmux's that do nothing here, and why.
const ABSENT: &[(&str, &str)] = &[
    (":", "there is no command prompt here: `everpane --help` lists the verbs"),
    ("Space", "there are no set layouts here: resize with C-arrows or drag a divider"),
    ("t", "there is no clock here"),
    ("m", "panes are not marked here: `{`, `}` and `!` move them"),
    ("=", "one text is kept here: `]` pastes it"),
    ("D", "other viewers are not detached from here"),
];

/// What a key does after the prefix, if anything.
pub(super) fn action_of(key: Key) -> Option<Action> {
    let bound = BINDINGS.iter().flat_map(|binding| binding.keys.iter().zip(binding.actions));
    let absent = ABSENT.iter().find(|(name, _)| Key::parse(name) == Some(key));
    bound
        .filter(|(name, _)| Key::parse(name) == Some(key))
        .map(|(_, action)| *action)
        .next()
        .or(absent.map(|(_, why)| Action::Absent(why)))
}

/// Whether an action is done again while its key is pressed without the prefix, as when an edge is moved.
pub(super) fn repeats(action: Action) -> bool {
    matches!(action, Action::Resize(..) | Action::Focus(_))
}

/// Whether an action changes what all viewers see, so that one who only reads has no use for it.
pub(super) fn changes_the_layout(action: Action) -> bool {
    match action {
        Action::NewTab
        | Action::RenameTab
        | Action::MoveTab
        | Action::CloseTab
        | Action::Split(_)
        | Action::ClosePane
        | Action::ZoomPane
        | Action::Resize(..)
        | Action::SwapWithPrevious
        | Action::SwapWithNext
        | Action::BreakPane
        | Action::RespawnPane
        | Action::Paste
        | Action::NewSession
        | Action::RenameSession => true,
        Action::NextTab
        | Action::PreviousTab
        | Action::LastTab
        | Action::SelectTab(_)
        | Action::NextPane
        | Action::LastPane
        | Action::Focus(_)
        | Action::ShowNumbers
        | Action::CopyMode
        | Action::CopyPageUp
        | Action::PickSession
        | Action::PickTab
        | Action::NextSession
        | Action::PreviousSession
        | Action::Help
        | Action::Redraw
        | Action::Detach
        | Action::Absent(_) => false,
    }
}

/// Reads a prefix: `C-b`, `ctrl-a`. Only keys that no text has are good for it.
///
/// # Errors
/// What is wrong with it, for people.
pub(super) fn parse_prefix(text: &str) -> Result<Key, String> {
    let key = Key::parse(text).ok_or_else(|| format!("`{text}` is no key; write it like C-b or M-Space"))?;
    match key.code {
        Code::Char(_) if !key.ctrl && !key.alt => {
            Err(format!("`{text}` is a key of text; take one with C- or M-"))
        }
        _ => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_binding_has_keys_that_can_be_pressed_and_no_key_has_two() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            assert_eq!(binding.keys.len(), binding.actions.len(), "{}", binding.shown);
            for (name, action) in binding.keys.iter().zip(binding.actions) {
                let key = Key::parse(name).expect(name);
                assert!(seen.insert(key), "{name} is bound twice");
                assert_eq!(action_of(key), Some(*action));
            }
        }
        for (name, why) in ABSENT {
            let key = Key::parse(name).expect(name);
            assert!(seen.insert(key), "{name} is bound and absent");
            assert_eq!(action_of(key), Some(Action::Absent(why)));
        }
        assert!(Group::ALL.iter().all(|group| BINDINGS.iter().any(|binding| binding.group == *group)));
    }

    #[test]
    fn a_prefix_is_no_key_of_text() {
        assert_eq!(parse_prefix(DEFAULT_PREFIX).ok(), Key::parse("C-b"));
        assert!(parse_prefix("M-Space").is_ok());
        assert!(parse_prefix("a").is_err());
        assert!(parse_prefix("Hyper-x").is_err());
    }

    /// The page's table of keys.
    fn documented() -> String {
        let mut table = String::from("| key | does |\n| --- | --- |\n");
        for binding in Group::ALL.iter().flat_map(|group| BINDINGS.iter().filter(move |b| b.group == *group))
        {
            table += &format!("| `{}` | {} |\n", binding.shown, binding.help);
        }
        table
    }

    #[test]
    fn the_page_lists_these_keys() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/layout.md");
        let page = std::fs::read_to_string(page).expect("docs/layout.md");
        assert!(page.contains(&documented()), "docs/layout.md should have this table:\n{}", documented());
    }
}
