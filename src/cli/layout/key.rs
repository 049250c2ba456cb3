//! Keys as terminals send them, in whatever encoding a pane's program had switched on, and as people write them.

use std::fmt;

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) code: Code,
    pub(super) ctrl: bool,
    pub(super) alt: bool,
    /// Of keys that print something the character says it.
    pub(super) shift: bool,
}

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub(super) enum Code {
    /// What it prints.
    Char(char),
    Enter,
    Escape,
    Tab,
    Backspace,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Insert,
    Delete,
    /// A function key.
    F(u8),
}

/// What happened to a key; only terminals that were asked to tell of releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motion {
    /// It went down, or repeats.
    Press,
    /// It went up.
    Release,
}

/// Names as tmux has them.
const NAMES: [(&str, Code); 17] = [
    ("Space", Code::Char(' ')),
    ("Enter", Code::Enter),
    ("Escape", Code::Escape),
    ("Tab", Code::Tab),
    ("BSpace", Code::Backspace),
    ("Up", Code::Up),
    ("Down", Code::Down),
    ("Left", Code::Left),
    ("Right", Code::Right),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PPage", Code::PageUp),
    ("NPage", Code::PageDown),
    ("PageUp", Code::PageUp),
    ("PageDown", Code::PageDown),
    ("IC", Code::Insert),
    ("DC", Code::Delete),
];

/// What the keys of a US keyboard print with shift, in pairs: for terminals that tell only the key.
const SHIFTED: &[u8] = b"1!2@3#4$5%6^7&8*9(0)-_=+[{]}\\|;:'\"`~,<.>/?";

impl Key {
    pub(super) const fn plain(code: Code) -> Key {
        Key { code, ctrl: false, alt: false, shift: false }
    }

    const fn ctrl(code: Code) -> Key {
        Key { ctrl: true, ..Key::plain(code) }
    }

    /// Reads a key as people write it: `C-b`, `ctrl-b`, `M-Left`, `Space`, `%`.
    pub(super) fn parse(text: &str) -> Option<Key> {
        let (mut rest, mut key) = (text, Key::plain(Code::Escape));
        while let Some((prefix, after)) = rest.split_once('-').filter(|(_, after)| !after.is_empty()) {
            match prefix {
                "C" | "c" | "ctrl" | "Ctrl" => key.ctrl = true,
                "M" | "alt" | "Alt" => key.alt = true,
                "S" | "shift" | "Shift" => key.shift = true,
                _ => return None,
            }
            rest = after;
        }
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(char), None) => Code::Char(if key.ctrl { char.to_ascii_lowercase() } else { char }),
            (Some('F'), Some('0'..='9')) => Code::F(rest[1..].parse().ok()?),
            _ => NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest))?.1,
        };
        Some(key)
    }

    /// Reads what a terminal sent for one key. `None` if that was no key.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Key, Motion)> {
        let pressed = |key| Some((key, Motion::Press));
        match bytes {
            [0x1b] => pressed(Key::plain(Code::Escape)),
            [0x1b, b'[', rest @ .., last] if !rest.is_empty() || last.is_ascii_alphabetic() => {
                control_sequence(rest, *last)
            }
            [0x1b, b'O', last] => pressed(Key::plain(application_key(*last)?)),
            [0x1b, rest @ ..] => pressed(Key { alt: true, ..character(rest)? }),
            _ => pressed(character(bytes)?),
        }
    }

    /// The character that it types into a line of text, if it types one.
    pub(super) fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(char) if !self.ctrl && !self.alt => Some(char),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (on, name) in [(self.ctrl, "C-"), (self.alt, "M-"), (self.shift, "S-")] {
            if on {
                f.write_str(name)?;
            }
        }
        match self.code {
            Code::F(number) => write!(f, "F{number}"),
            code => match (NAMES.iter().find(|(_, named)| *named == code), code) {
                (Some((name, _)), _) => f.write_str(name),
                (None, Code::Char(char)) => write!(f, "{char}"),
                (None, _) => Ok(()),
            },
        }
    }
}

/// A control character, or one character.
fn character(bytes: &[u8]) -> Option<Key> {
    Some(match bytes {
        [b'\r'] => Key::plain(Code::Enter),
        [b'\t'] => Key::plain(Code::Tab),
        [0x7f] => Key::plain(Code::Backspace),
        [0] => Key::ctrl(Code::Char(' ')),
        [control @ 1..=26] => Key::ctrl(Code::Char(char::from(control + b'a' - 1))),
        [control @ 0x1c..=0x1f] => Key::ctrl(Code::Char(char::from(control + 0x40))),
        [0x1b] => Key::plain(Code::Escape),
        _ => {
            let mut chars = std::str::from_utf8(bytes).ok()?.chars();
            let char = chars.next()?;
            return chars.next().is_none().then_some(Key::plain(Code::Char(char)));
        }
    })
}

fn control_sequence(rest: &[u8], last: u8) -> Option<(Key, Motion)> {
    let text = std::str::from_utf8(rest).ok()?;
    let fields: Vec<Vec<u32>> = text
        .split(';')
        .map(|field| field.split(':').map(|number| number.parse().unwrap_or(0)).collect())
        .collect();
    let field = |at: usize, sub: usize| fields.get(at).and_then(|field| field.get(sub)).copied().unwrap_or(0);
    if let (b'~', 27) = (last, field(0, 0)) {
        // XTerm's modifyOtherKeys.
        return Some((with_modifiers(code_point(field(2, 0), 0)?, field(1, 0)), Motion::Press));
    }
    let code = match last {
        b'u' => code_point(field(0, 0), field(0, 1))?,
        b'~' => numbered_key(field(0, 0))?,
        b'Z' => return Some((Key { shift: true, ..Key::plain(Code::Tab) }, Motion::Press)),
        letter => application_key(letter).filter(|code| !matches!(code, Code::Enter | Code::Char(_)))?,
    };
    let motion = if field(1, 1) == 3 { Motion::Release } else { Motion::Press };
    Some((with_modifiers(code, field(1, 0)), motion))
}

/// A key of the kitty protocol: its code point, and the one that it has with shift if the terminal told that.
fn code_point(code: u32, shifted: u32) -> Option<Code> {
    Some(match code {
        13 | 57414 => Code::Enter,
        27 => Code::Escape,
        9 => Code::Tab,
        127 => Code::Backspace,
        57399..=57408 => Code::Char(char::from_digit(code - 57399, 10)?),
        57409 => Code::Char('.'),
        57410 => Code::Char('/'),
        57411 => Code::Char('*'),
        57412 => Code::Char('-'),
        57413 => Code::Char('+'),
        57415 => Code::Char('='),
        57417 => Code::Left,
        57418 => Code::Right,
        57419 => Code::Up,
        57420 => Code::Down,
        57421 => Code::PageUp,
        57422 => Code::PageDown,
        57423 => Code::Home,
        57424 => Code::End,
        57425 => Code::Insert,
        57426 => Code::Delete,
        // Media keys, and modifiers by themselves.
        57344..=63743 => return None,
        _ => Code::Char(char::from_u32(if shifted > 0 { shifted } else { code })?),
    })
}

fn numbered_key(number: u32) -> Option<Code> {
    Some(match number {
        1 | 7 => Code::Home,
        2 => Code::Insert,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => Code::F(number as u8 - 10),
        17..=21 => Code::F(number as u8 - 11),
        23..=24 => Code::F(number as u8 - 12),
        _ => return None,
    })
}

/// The last letter of `ESC O` and of `CSI`.
fn application_key(letter: u8) -> Option<Code> {
    Some(match letter {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'P'..=b'S' => Code::F(letter - b'P' + 1),
        b'M' => Code::Enter,
        b'j'..=b'y' => Code::Char(char::from(letter - 0x40)),
        b'X' => Code::Char('='),
        _ => return None,
    })
}

/// A key with modifiers as the wire has them: one more than the bits of shift, alt, ctrl.
fn with_modifiers(code: Code, modifiers: u32) -> Key {
    let bits = modifiers.saturating_sub(1);
    let (shift, alt, ctrl) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
    match code {
        Code::Char(char) if ctrl => Key { code: Code::Char(char.to_ascii_lowercase()), ctrl, alt, shift },
        Code::Char(char) if shift => Key { code: Code::Char(shifted(char)), ctrl, alt, shift: false },
        _ => Key { code, ctrl, alt, shift },
    }
}

fn shifted(char: char) -> char {
    let pair = SHIFTED.chunks_exact(2).find(|pair| char::from(pair[0]) == char);
    pair.map_or_else(|| char.to_uppercase().next().unwrap_or(char), |pair| char::from(pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_every_encoding() {
        for (bytes, written) in [
            (&b"c"[..], "c"),
            (b"%", "%"),
            (b"\x02", "C-b"),
            (b"\x1b[98;5u", "C-b"),
            (b"\x1b[98;5:1u", "C-b"),
            (b"\x1b[27;5;98~", "C-b"),
            (b"\x00", "C-Space"),
            (b"\r", "Enter"),
            (b"\x1b[13u", "Enter"),
            (b"\x1b", "Escape"),
            (b"\x1b[27u", "Escape"),
            (b"\x7f", "BSpace"),
            (b"\x1b[A", "Up"),
            (b"\x1bOA", "Up"),
            (b"\x1b[1;5A", "C-Up"),
            (b"\x1b[1;3D", "M-Left"),
            (b"\x1b[5~", "PPage"),
            (b"\x1b[6;5~", "C-NPage"),
            (b"\x1b[15~", "F5"),
            (b"\x1bOP", "F1"),
            (b"\x1bx", "M-x"),
            (b"\x1b[Z", "S-Tab"),
            (b"\x1b[53;2u", "%"),
            (b"\x1b[39;2u", "\""),
            (b"\x1b[50:34;2u", "\""),
            (b"\x1b[97;2u", "A"),
            (b"\x1bOm", "-"),
            ("日".as_bytes(), "日"),
        ] {
            let wanted = Key::parse(written).expect(written);
            assert_eq!(Key::decode(bytes), Some((wanted, Motion::Press)), "{written}");
        }
        assert_eq!(Key::decode(b"\x1b[98;5:3u").map(|(_, motion)| motion), Some(Motion::Release));
        for bytes in [&b"\x1b[57441u"[..], b"\x1b[?1;2c", b"\x1b]11;rgb:0/0/0\x07", b"\x1b[99~", b"ab"] {
            assert_eq!(Key::decode(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn keys_are_written_as_they_are_read() {
        for text in ["C-b", "M-Left", "Space", "%", "PPage", "F12", "C-Up", "-", "C--"] {
            assert_eq!(Key::parse(text).map(|key| key.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Key::parse("ctrl-a"), Key::parse("C-a"));
        for text in ["", "X-a", "Nothing", "C-", "ab"] {
            assert_eq!(Key::parse(text), None, "{text:?}");
        }
    }
}
