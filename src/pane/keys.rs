//! Keys by their names, and the bytes that a terminal sends for them. Names are those of people (`ctrl-c`, `shift-tab`,
//! `pageup`) and those of tmux (`C-c`, `BTab`, `PPage`).

use super::modes::Modes;

/// How alike a name must be to one that is known, from 0 to 1, to be offered in its place.
const ALIKE: f64 = 0.75;

/// A name that is no key's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no key `{name}`")]
pub struct UnknownKey {
    /// The name.
    pub name: String,
    /// What may have been meant.
    pub near: Option<String>,
}

/// A key with what is held down beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    base: Base,
    held: Held,
}

/// The keys held down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Held {
    shift: bool,
    alt: bool,
    control: bool,
}

/// The key itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Character(char),
    Enter,
    Tab,
    Escape,
    Backspace,
    /// Sent as `CSI` and this letter: arrows, home and end.
    Cursor(u8),
    /// Sent as `CSI`, this number and a tilde.
    Numbered(u8),
    /// Sent as `SS3` and this letter: the first four function keys.
    Function(u8),
    /// Of the keypad: the character printed on it, and the letter that it sends in application mode.
    Keypad(u8, u8),
}

/// Every name but those of characters; the first of each key is the one to offer.
const NAMES: [(&[&str], Base); 39] = [
    (&["enter", "return", "cr"], Base::Enter),
    (&["tab"], Base::Tab),
    (&["esc", "escape"], Base::Escape),
    (&["space"], Base::Character(' ')),
    (&["backspace", "bspace", "bs"], Base::Backspace),
    (&["up"], Base::Cursor(b'A')),
    (&["down"], Base::Cursor(b'B')),
    (&["right"], Base::Cursor(b'C')),
    (&["left"], Base::Cursor(b'D')),
    (&["home"], Base::Cursor(b'H')),
    (&["end"], Base::Cursor(b'F')),
    (&["insert", "ins", "ic"], Base::Numbered(2)),
    (&["delete", "del", "dc"], Base::Numbered(3)),
    (&["pageup", "pgup", "ppage"], Base::Numbered(5)),
    (&["pagedown", "pgdn", "npage"], Base::Numbered(6)),
    (&["f1"], Base::Function(b'P')),
    (&["f2"], Base::Function(b'Q')),
    (&["f3"], Base::Function(b'R')),
    (&["f4"], Base::Function(b'S')),
    (&["f5"], Base::Numbered(15)),
    (&["f6"], Base::Numbered(17)),
    (&["f7"], Base::Numbered(18)),
    (&["f8"], Base::Numbered(19)),
    (&["f9"], Base::Numbered(20)),
    (&["f10"], Base::Numbered(21)),
    (&["f11"], Base::Numbered(23)),
    (&["f12"], Base::Numbered(24)),
    (&["f13"], Base::Numbered(25)),
    (&["f14"], Base::Numbered(26)),
    (&["f15"], Base::Numbered(28)),
    (&["f16"], Base::Numbered(29)),
    (&["f17"], Base::Numbered(31)),
    (&["f18"], Base::Numbered(32)),
    (&["f19"], Base::Numbered(33)),
    (&["f20"], Base::Numbered(34)),
    (&["kpenter"], Base::Keypad(b'\r', b'M')),
    (&["kp+", "kpplus"], Base::Keypad(b'+', b'k')),
    (&["kp-", "kpminus"], Base::Keypad(b'-', b'm')),
    (&["kp.", "kpdot"], Base::Keypad(b'.', b'n')),
];

impl Key {
    /// The key of this name.
    ///
    /// # Errors
    /// When no key has it, or a terminal has nothing to send for it.
    pub fn named(name: &str) -> Result<Key, UnknownKey> {
        let (held, rest) = held_in(name);
        let unknown = || UnknownKey { name: name.chars().take(64).collect(), near: near(rest) };
        // tmux has a name of its own for this one.
        if rest.eq_ignore_ascii_case("btab") {
            return Ok(Key { base: Base::Tab, held: Held { shift: true, ..held } });
        }
        let key = Key { base: base_named(rest).ok_or_else(unknown)?, held };
        key.is_sent().then_some(key).ok_or_else(unknown)
    }

    /// Whether a terminal has something to send for it.
    fn is_sent(self) -> bool {
        match self.base {
            Base::Character(character) if self.held.control => control(character).is_some(),
            // What shift makes of others depends on the keyboard.
            Base::Character(character) if self.held.shift => character.is_alphabetic() || character == ' ',
            _ => true,
        }
    }

    /// Appends what a terminal in these modes sends.
    pub fn encode(self, modes: &Modes, out: &mut Vec<u8>) {
        let Held { shift, alt, control: ctrl } = self.held;
        match self.base {
            Base::Cursor(letter) => {
                self.sequence(if modes.application_cursor { b'O' } else { b'[' }, letter, out)
            }
            Base::Function(letter) => self.sequence(b'O', letter, out),
            Base::Numbered(number) if self.held == Held::default() => {
                out.extend_from_slice(format!("\x1b[{number}~").as_bytes());
            }
            Base::Numbered(number) => {
                out.extend_from_slice(format!("\x1b[{number};{}~", self.modifier()).as_bytes());
            }
            Base::Tab if shift => out.extend_from_slice(b"\x1b[Z"),
            base => {
                if alt {
                    out.push(0x1b);
                }
                match base {
                    Base::Enter => out.push(b'\r'),
                    Base::Tab => out.push(b'\t'),
                    Base::Escape => out.push(0x1b),
                    Base::Backspace => out.push(if ctrl { 0x08 } else { 0x7f }),
                    Base::Keypad(_, letter) if modes.application_keypad => {
                        out.extend_from_slice(&[0x1b, b'O', letter]);
                    }
                    Base::Keypad(character, _) => out.push(character),
                    Base::Character(character) => self.character(character, out),
                    Base::Cursor(_) | Base::Function(_) | Base::Numbered(_) => {}
                }
            }
        }
    }

    /// A key that has a letter, after `SS3` or `CSI`; with others held down always after `CSI`.
    fn sequence(self, introducer: u8, letter: u8, out: &mut Vec<u8>) {
        if self.held == Held::default() {
            out.extend_from_slice(&[0x1b, introducer, letter]);
        } else {
            let letter = char::from(letter);
            out.extend_from_slice(format!("\x1b[1;{}{letter}", self.modifier()).as_bytes());
        }
    }

    fn character(self, character: char, out: &mut Vec<u8>) {
        if let Some(byte) = control(character).filter(|_| self.held.control) {
            out.push(byte);
        } else if self.held.shift {
            out.extend(character.to_uppercase().collect::<String>().bytes());
        } else {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    /// xterm's number for what is held down.
    fn modifier(self) -> u8 {
        let Held { shift, alt, control } = self.held;
        1 + u8::from(shift) + 2 * u8::from(alt) + 4 * u8::from(control)
    }
}

/// What the name says is held down, and the rest of it.
fn held_in(name: &str) -> (Held, &str) {
    const PREFIXES: [&str; 7] = ["ctrl-", "alt-", "shift-", "meta-", "c-", "m-", "s-"];
    let (mut held, mut rest) = (Held::default(), name);
    // A prefix with nothing behind it is no prefix.
    while let Some(prefix) = PREFIXES.iter().find(|prefix| {
        rest.len() > prefix.len() && rest.as_bytes()[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
    }) {
        match prefix.as_bytes()[0] {
            b'c' => held.control = true,
            b's' => held.shift = true,
            _ => held.alt = true,
        }
        rest = &rest[prefix.len()..];
    }
    match rest.strip_prefix('^') {
        Some(character) if character.chars().count() == 1 => (Held { control: true, ..held }, character),
        _ => (held, rest),
    }
}

fn base_named(name: &str) -> Option<Base> {
    let mut characters = name.chars();
    if let (Some(character), None) = (characters.next(), characters.next()) {
        return (!character.is_control()).then_some(Base::Character(character));
    }
    let name = name.to_ascii_lowercase();
    let digit = name.strip_prefix("kp").and_then(|digit| digit.parse::<u8>().ok());
    if let Some(digit) = digit.filter(|digit| *digit < 10) {
        return Some(Base::Keypad(b'0' + digit, b'p' + digit));
    }
    NAMES.iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, base)| *base)
}

/// The byte that control and a character make.
fn control(character: char) -> Option<u8> {
    let byte = u8::try_from(character).ok()?;
    Some(match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'@' | b'[' | b'\\' | b']' | b'^' | b'_' => byte & 0x1f,
        b' ' | b'2' => 0,
        b'3'..=b'7' => byte - b'3' + 0x1b,
        b'8' | b'?' => 0x7f,
        b'/' | b'-' => 0x1f,
        _ => return None,
    })
}

/// The known name that is most like another.
fn near(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let alike = |known: &str| strsim::jaro_winkler(&name, known);
    let best = NAMES.iter().map(|(names, _)| names[0]).max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
    (alike(best) >= ALIKE).then(|| best.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(name: &str, modes: &Modes) -> String {
        let mut out = Vec::new();
        Key::named(name).unwrap().encode(modes, &mut out);
        out.escape_ascii().to_string()
    }

    #[test]
    fn keys_send_what_xterm_sends() {
        let table = [
            ("enter", r"\r"),
            ("Enter", r"\r"),
            ("alt-enter", r"\x1b\r"),
            ("tab", r"\t"),
            ("shift-tab", r"\x1b[Z"),
            ("S-Tab", r"\x1b[Z"),
            ("BTab", r"\x1b[Z"),
            ("esc", r"\x1b"),
            ("space", " "),
            ("C-Space", r"\x00"),
            ("BSpace", r"\x7f"),
            ("ctrl-backspace", r"\x08"),
            ("alt-backspace", r"\x1b\x7f"),
            ("a", "a"),
            ("é", r"\xc3\xa9"),
            ("-", "-"),
            ("^", r"\^".trim_start_matches('\\')),
            ("shift-a", "A"),
            ("ctrl-c", r"\x03"),
            ("C-c", r"\x03"),
            ("^C", r"\x03"),
            ("ctrl-[", r"\x1b"),
            ("ctrl--", r"\x1f"),
            ("C-\\", r"\x1c"),
            ("M-x", r"\x1bx"),
            ("alt-F", r"\x1bF"),
            ("ctrl-alt-d", r"\x1b\x04"),
            ("up", r"\x1b[A"),
            ("home", r"\x1b[H"),
            ("ctrl-right", r"\x1b[1;5C"),
            ("shift-left", r"\x1b[1;2D"),
            ("alt-up", r"\x1b[1;3A"),
            ("ctrl-shift-end", r"\x1b[1;6F"),
            ("delete", r"\x1b[3~"),
            ("DC", r"\x1b[3~"),
            ("PPage", r"\x1b[5~"),
            ("ctrl-pagedown", r"\x1b[6;5~"),
            ("f1", r"\x1bOP"),
            ("shift-f1", r"\x1b[1;2P"),
            ("F5", r"\x1b[15~"),
            ("f12", r"\x1b[24~"),
            ("ctrl-f12", r"\x1b[24;5~"),
            ("f20", r"\x1b[34~"),
            ("kp5", "5"),
            ("KPEnter", r"\r"),
        ];
        for (name, wanted) in table {
            assert_eq!(sent(name, &Modes::default()), wanted, "{name}");
        }
    }

    #[test]
    fn keys_heed_the_modes_of_cursor_and_keypad() {
        let modes = Modes { application_cursor: true, application_keypad: true, ..Modes::default() };
        let table = [
            ("up", r"\x1bOA"),
            ("end", r"\x1bOF"),
            ("ctrl-up", r"\x1b[1;5A"),
            ("kp5", r"\x1bOu"),
            ("kpenter", r"\x1bOM"),
            ("enter", r"\r"),
            ("delete", r"\x1b[3~"),
        ];
        for (name, wanted) in table {
            assert_eq!(sent(name, &modes), wanted, "{name}");
        }
    }

    #[test]
    fn what_is_no_key_is_named_with_what_is_like_it() {
        let table = [
            ("entr", Some("enter")),
            ("ctrl-pageupp", Some("pageup")),
            ("dleete", Some("delete")),
            ("", None),
            ("ctrl-é", None),
            ("shift-1", None),
            ("f21", Some("f2")),
            ("\n", None),
            ("zzzz", None),
        ];
        for (name, wanted) in table {
            let error = Key::named(name).unwrap_err();
            assert_eq!((error.name.as_str(), error.near.as_deref()), (name, wanted));
        }
    }

    #[test]
    fn every_name_is_one_keys() {
        let mut all: Vec<_> = NAMES.iter().flat_map(|(names, _)| *names).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|name| **name == name.to_ascii_lowercase() && Key::named(name).is_ok()));
    }

    proptest! {
        #[test]
        fn any_name_is_a_key_or_is_not(name in "(ctrl-|C-|alt-|M-|shift-|S-|\\^){0,4}(.{0,3}|up|f[0-9]{1,2}|kp.)", bits in 0..4_u8) {
            let modes = Modes {
                application_cursor: bits & 1 > 0,
                application_keypad: bits & 2 > 0,
                ..Modes::default()
            };
            if let Ok(key) = Key::named(&name) {
                let mut out = Vec::new();
                key.encode(&modes, &mut out);
                prop_assert!(!out.is_empty() && out.len() <= 16, "{name:?} {out:?}");
            }
        }
    }
}
