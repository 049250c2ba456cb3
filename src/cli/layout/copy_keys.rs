//! The keys of copy mode: those of vi and of emacs. Four mean different things in the two; there the one counts that
//! `VISUAL` or `EDITOR` says, as in tmux.

use super::key::{Code, Key};

/// Something that copy mode does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(super) enum Command {
    /// Part of a number before another command.
    Digit(u8),
    Move(Move),
    Select,
    SelectRows,
    ClearSelection,
    OtherEnd,
    Copy,
    SearchForward,
    SearchBackward,
    Again,
    AgainBackward,
    Leave,
}

/// Where the cursor or the view goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(super) enum Move {
    Left,
    Right,
    Up,
    Down,
    LineStart,
    FirstText,
    LineEnd,
    NextWord,
    PreviousWord,
    WordEnd,
    Top,
    Bottom,
    ViewTop,
    ViewMiddle,
    ViewBottom,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    ScrollUp,
    ScrollDown,
    PreviousParagraph,
    NextParagraph,
}

/// Whose keys count where they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Editor {
    #[default]
    Emacs,
    Vi,
}

impl Editor {
    /// The one that the value of `VISUAL` or `EDITOR` names.
    pub(super) fn named(value: &str) -> Editor {
        let name = value.rsplit('/').next().unwrap_or_default();
        if name.contains("vi") { Editor::Vi } else { Editor::Emacs }
    }
}

/// Keys that do the same.
pub(super) struct CopyBinding {
    /// As [`Key::parse`] reads them.
    pub(super) keys: &'static [&'static str],
    command: Command,
    /// Whose keys they are, if they mean something else to the other.
    editor: Option<Editor>,
    pub(super) help: &'static str,
}

const fn both(keys: &'static [&'static str], command: Command, help: &'static str) -> CopyBinding {
    CopyBinding { keys, command, editor: None, help }
}

const fn moves(keys: &'static [&'static str], motion: Move, help: &'static str) -> CopyBinding {
    both(keys, Command::Move(motion), help)
}

const fn vi(keys: &'static [&'static str], command: Command, help: &'static str) -> CopyBinding {
    CopyBinding { keys, command, editor: Some(Editor::Vi), help }
}

const fn emacs(keys: &'static [&'static str], command: Command, help: &'static str) -> CopyBinding {
    CopyBinding { keys, command, editor: Some(Editor::Emacs), help }
}

/// All of them but the digits.
pub(super) const COPY_BINDINGS: &[CopyBinding] = &[
    moves(&["h", "Left"], Move::Left, "left"),
    moves(&["l", "Right"], Move::Right, "right"),
    moves(&["k", "Up", "C-p"], Move::Up, "up"),
    moves(&["j", "Down", "C-n"], Move::Down, "down"),
    moves(&["C-a", "Home"], Move::LineStart, "start of the row"),
    moves(&["^", "M-m"], Move::FirstText, "first text of the row"),
    moves(&["$", "End"], Move::LineEnd, "end of the row"),
    moves(&["w", "W"], Move::NextWord, "next word"),
    moves(&["b", "B", "M-b"], Move::PreviousWord, "previous word"),
    moves(&["e", "E", "M-f"], Move::WordEnd, "end of the word"),
    moves(&["g", "M-<"], Move::Top, "top"),
    moves(&["G", "M->"], Move::Bottom, "bottom"),
    moves(&["H"], Move::ViewTop, "top of the view"),
    moves(&["M", "M-r"], Move::ViewMiddle, "middle of the view"),
    moves(&["L"], Move::ViewBottom, "bottom of the view"),
    moves(&["PPage", "M-v"], Move::PageUp, "page up"),
    moves(&["NPage"], Move::PageDown, "page down"),
    moves(&["C-u", "M-Up"], Move::HalfUp, "half a page up"),
    moves(&["C-d", "M-Down"], Move::HalfDown, "half a page down"),
    moves(&["K", "C-y", "C-Up"], Move::ScrollUp, "scroll up"),
    moves(&["J", "C-Down"], Move::ScrollDown, "scroll down"),
    moves(&["{", "M-{"], Move::PreviousParagraph, "previous paragraph"),
    moves(&["}", "M-}"], Move::NextParagraph, "next paragraph"),
    vi(&["C-b"], Command::Move(Move::PageUp), "page up"),
    vi(&["C-f"], Command::Move(Move::PageDown), "page down"),
    vi(&["C-e"], Command::Move(Move::ScrollDown), "scroll down"),
    vi(&["C-v"], Command::Select, "begin or end selecting"),
    vi(&["Escape"], Command::ClearSelection, "select nothing"),
    emacs(&["C-b"], Command::Move(Move::Left), "left"),
    emacs(&["C-f"], Command::Move(Move::Right), "right"),
    emacs(&["C-e"], Command::Move(Move::LineEnd), "end of the row"),
    emacs(&["C-v"], Command::Move(Move::PageDown), "page down"),
    emacs(&["Escape"], Command::Leave, "leave"),
    both(&["v", "Space", "C-Space"], Command::Select, "begin or end selecting"),
    both(&["V"], Command::SelectRows, "select whole rows"),
    both(&["o"], Command::OtherEnd, "the selection's other end"),
    both(&["C-g"], Command::ClearSelection, "select nothing"),
    both(&["y", "Enter", "C-j", "M-w", "C-w"], Command::Copy, "copy, and leave"),
    both(&["/", "C-s"], Command::SearchForward, "search down"),
    both(&["?", "C-r"], Command::SearchBackward, "search up"),
    both(&["n"], Command::Again, "next match"),
    both(&["N"], Command::AgainBackward, "previous match"),
    both(&["q", "C-c"], Command::Leave, "leave"),
];

/// What a key does in copy mode, if anything.
pub(super) fn command_of(key: Key, editor: Editor) -> Option<Command> {
    if let Some(digit) = key.typed().and_then(|char| char.to_digit(10)) {
        return Some(Command::Digit(digit as u8));
    }
    // The right half of space and shift-space is the same to everyone here.
    let key = if key.code == Code::Char(' ') { Key { shift: false, ..key } } else { key };
    let mine = COPY_BINDINGS.iter().filter(|binding| binding.editor.is_none_or(|owner| owner == editor));
    mine.into_iter()
        .find(|binding| binding.keys.iter().any(|name| Key::parse(name) == Some(key)))
        .map(|binding| binding.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_to_one_editor() {
        for editor in [Editor::Vi, Editor::Emacs] {
            let mut seen = std::collections::HashSet::new();
            for binding in COPY_BINDINGS.iter().filter(|b| b.editor.is_none_or(|owner| owner == editor)) {
                for name in binding.keys {
                    let key = Key::parse(name).expect(name);
                    assert!(seen.insert(key), "{name} is bound twice");
                    assert_eq!(command_of(key, editor), Some(binding.command), "{name}");
                }
            }
        }
    }

    #[test]
    fn the_editor_decides_where_the_two_differ() {
        let key = |text| Key::parse(text).expect("a key");
        for value in ["vi", "/usr/bin/vim", "nvim -p"] {
            assert_eq!(Editor::named(value), Editor::Vi, "{value}");
        }
        assert_eq!(Editor::named("emacs -nw"), Editor::Emacs);
        assert_eq!(command_of(key("C-b"), Editor::Vi), Some(Command::Move(Move::PageUp)));
        assert_eq!(command_of(key("C-b"), Editor::Emacs), Some(Command::Move(Move::Left)));
        assert_eq!(command_of(key("5"), Editor::Vi), Some(Command::Digit(5)));
        assert_eq!(command_of(key("F5"), Editor::Vi), None);
    }
}
