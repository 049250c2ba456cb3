//! Character sets: what the ASCII characters stand for.

/// A set a program can designate. Others are taken for [`Charset::Ascii`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Charset {
    #[default]
    Ascii,
    /// DEC's line drawing characters.
    Drawing,
    /// ASCII with a pound sign for the number sign.
    British,
}

/// What stands for `` ` `` to `~` in [`Charset::Drawing`].
const DRAWING: [char; 31] = [
    '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽', '├',
    '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

impl Charset {
    /// The set that the last byte of a designation names.
    pub(super) fn designated(last: u8) -> Charset {
        match last {
            b'0' => Charset::Drawing,
            b'A' => Charset::British,
            _ => Charset::Ascii,
        }
    }

    /// The byte that names it in a designation.
    pub(super) fn last_byte(self) -> u8 {
        match self {
            Charset::Ascii => b'B',
            Charset::Drawing => b'0',
            Charset::British => b'A',
        }
    }

    /// What `character` stands for.
    #[inline]
    pub(super) fn map(self, character: char) -> char {
        match (self, character) {
            (Charset::Drawing, '`'..='~') => DRAWING[character as usize - '`' as usize],
            (Charset::British, '#') => '£',
            _ => character,
        }
    }
}

/// The four designated sets and which one is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Charsets {
    pub(super) designated: [Charset; 4],
    /// Which of the four was shifted to.
    pub(super) level: u8,
    /// The set in use: that of the level, unless a restored cursor brought another with it.
    pub(super) current: Charset,
}

impl Charsets {
    pub(super) fn designate(&mut self, level: u8, set: Charset) {
        self.designated[usize::from(level)] = set;
        if self.level == level {
            self.current = set;
        }
    }

    /// The set of the level.
    pub(super) fn designated(&self) -> Charset {
        self.designated[usize::from(self.level)]
    }

    pub(super) fn shift(&mut self, level: u8) {
        self.level = level;
        self.current = self.designated[usize::from(level)];
    }
}
