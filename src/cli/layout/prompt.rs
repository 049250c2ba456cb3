//! A line that is asked for: a name, a number, something to search for.

use super::key::{Code, Key};
use crate::ids::{SessionId, TabId};

/// The longest line, in characters, as names have it.
const MAX_CHARS: usize = 256;

/// What the line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A tab's new name.
    RenameTab(TabId),
    /// A session's new name.
    RenameSession(SessionId),
    /// A tab's new place.
    MoveTab(TabId),
    /// Something to find in copy mode.
    Search {
        /// Towards the end.
        forward: bool,
    },
}

impl Purpose {
    /// What stands before the line.
    pub(super) fn question(self) -> &'static str {
        match self {
            Purpose::RenameTab(_) => "(rename tab) ",
            Purpose::RenameSession(_) => "(rename session) ",
            Purpose::MoveTab(_) => "(move tab to) ",
            Purpose::Search { forward: true } => "/",
            Purpose::Search { forward: false } => "?",
        }
    }
}

/// A line being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) purpose: Purpose,
    text: Vec<char>,
    /// How many characters stand before the cursor.
    cursor: usize,
}

/// What a key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The line goes on.
    Writing,
    /// It is done.
    Done(String),
    /// Nothing is wanted after all.
    Cancelled,
}

impl Prompt {
    pub(super) fn new(purpose: Purpose, text: &str) -> Prompt {
        let text: Vec<char> = text.chars().take(MAX_CHARS).collect();
        Prompt { purpose, cursor: text.len(), text }
    }

    /// The line, and how many characters stand before the cursor.
    pub(super) fn line(&self) -> (String, usize) {
        (self.text.iter().collect(), self.cursor)
    }

    /// Types text; what would end the line is left out.
    pub(super) fn insert(&mut self, text: &str) {
        for char in text.chars().filter(|char| !char.is_control()) {
            if self.text.len() < MAX_CHARS {
                self.text.insert(self.cursor, char);
                self.cursor += 1;
            }
        }
    }

    /// Presses a key.
    pub(super) fn press(&mut self, key: Key) -> Answer {
        if let Some(char) = key.typed() {
            self.insert(char.encode_utf8(&mut [0; 4]));
            return Answer::Writing;
        }
        match (key.code, key.ctrl) {
            (Code::Enter, _) | (Code::Char('j' | 'm'), true) => {
                return Answer::Done(self.text.iter().collect());
            }
            (Code::Escape, _) | (Code::Char('c' | 'g' | '['), true) => return Answer::Cancelled,
            (Code::Backspace, _) | (Code::Char('h'), true) => {
                if self.cursor == 0 && self.text.is_empty() {
                    return Answer::Cancelled;
                }
                self.delete(self.cursor.saturating_sub(1));
            }
            (Code::Delete, _) | (Code::Char('d'), true) if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            (Code::Left, _) | (Code::Char('b'), true) => self.cursor = self.cursor.saturating_sub(1),
            (Code::Right, _) | (Code::Char('f'), true) => {
                self.cursor = (self.cursor + 1).min(self.text.len())
            }
            (Code::Home, _) | (Code::Char('a'), true) => self.cursor = 0,
            (Code::End, _) | (Code::Char('e'), true) => self.cursor = self.text.len(),
            (Code::Char('k'), true) => self.text.truncate(self.cursor),
            (Code::Char('u'), true) => self.delete(0),
            (Code::Char('w'), true) => {
                let before = &self.text[..self.cursor];
                let word = before.iter().rposition(|char| *char != ' ').unwrap_or(0);
                self.delete(
                    before[..word].iter().rposition(|char| *char == ' ').map_or(0, |space| space + 1),
                );
            }
            _ => {}
        }
        Answer::Writing
    }

    /// Deletes from a character up to the cursor.
    fn delete(&mut self, from: usize) {
        self.text.drain(from..self.cursor);
        self.cursor = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(prompt: &mut Prompt, keys: &str) -> Answer {
        let mut answer = Answer::Writing;
        for name in keys.split(' ') {
            answer = prompt.press(Key::parse(name).expect(name));
        }
        answer
    }

    #[test]
    fn a_line_is_written_and_mended() {
        let mut prompt = Prompt::new(Purpose::RenameTab(TabId(1)), "old");
        assert_eq!(prompt.line(), ("old".to_owned(), 3));
        press(&mut prompt, "BSpace BSpace Left C-a n e w C-e ! C-b C-d");
        assert_eq!(prompt.line(), ("newo".to_owned(), 4));
        prompt.insert(" two\nwords");
        press(&mut prompt, "C-w");
        assert_eq!(prompt.line(), ("newo ".to_owned(), 5));
        press(&mut prompt, "Left Left C-k");
        assert_eq!(press(&mut prompt, "Enter"), Answer::Done("new".to_owned()));
        press(&mut prompt, "C-u");
        assert_eq!(press(&mut prompt, "BSpace"), Answer::Cancelled);
        assert_eq!(press(&mut prompt, "Escape"), Answer::Cancelled);
    }

    #[test]
    fn a_line_has_an_end() {
        let mut prompt = Prompt::new(Purpose::Search { forward: true }, "");
        prompt.insert(&"x".repeat(2 * MAX_CHARS));
        assert_eq!(prompt.line().1, MAX_CHARS);
    }
}
