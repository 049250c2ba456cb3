//! Character sets: what the ASCII characters stand for.

/// A set a program can designate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Charset {
    #[default]
    Ascii,
    /// DEC's line drawing characters.
    Drawing,
    /// A national variant of ASCII, by its place in [`NATIONAL`].
    National(u8),
}

/// What stands for `` ` `` to `~` in [`Charset::Drawing`].
const DRAWING: [char; 31] = [
    '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽', '├',
    '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

/// The characters that differ from country to country.
const REPLACED: &str = "#@[\\]^_`{|}~";

/// The last bytes of the designations of each national set, and what it has for [`REPLACED`].
const NATIONAL: [(&[u8], &str); 11] = [
    (b"A", "£@[\\]^_`{|}~"),
    (b"4", "£¾i½|^_`¨f¼´"),
    (b"C5", "#@ÄÖÅÜ_éäöåü"),
    (b"R", "£à°ç§^_`éùè¨"),
    (b"Q", "#àâçêî_ôéùèû"),
    (b"K", "#§ÄÖÜ^_`äöüß"),
    (b"Y", "£§°çé^_ùàòèì"),
    (b"E6", "#ÄÆØÅÜ_äæøåü"),
    (b"Z", "£§¡Ñ¿^_`°ñç~"),
    (b"H7", "#ÉÄÖÅÜ_éäöåü"),
    (b"=", "ùàéçêîèôäöüû"),
];

impl Charset {
    /// The set that the last byte of a designation names.
    pub(super) fn designated(last: u8) -> Option<Charset> {
        match last {
            b'0' => Some(Charset::Drawing),
            b'B' => Some(Charset::Ascii),
            _ => {
                let place = NATIONAL.iter().position(|(names, _)| names.contains(&last))?;
                Some(Charset::National(place as u8))
            }
        }
    }

    /// The byte that names it in a designation.
    pub(super) fn last_byte(self) -> u8 {
        match self {
            Charset::Ascii => b'B',
            Charset::Drawing => b'0',
            Charset::National(place) => NATIONAL[usize::from(place)].0[0],
        }
    }

    /// What `character` stands for.
    #[inline]
    pub(super) fn map(self, character: char) -> char {
        match (self, character) {
            (Charset::Drawing, '`'..='~') => DRAWING[character as usize - '`' as usize],
            (Charset::National(place), '#'..='~') => {
                let place = usize::from(place);
                let mut pairs = REPLACED.chars().zip(NATIONAL[place].1.chars());
                pairs.find(|(from, _)| *from == character).map_or(character, |(_, to)| to)
            }
            _ => character,
        }
    }

    /// What to print for `character` to come up, if anything stands for it.
    pub(super) fn unmap(self, character: char) -> Option<char> {
        if self.map(character) == character {
            return Some(character);
        }
        ('#'..='~').find(|printed| self.map(*printed) == character)
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
