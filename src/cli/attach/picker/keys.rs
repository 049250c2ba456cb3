//! The keys of the list, as a terminal sends them that was asked for nothing special. Pure.

const ESC: u8 = 0x1b;

/// The longest sequence that is waited for, in bytes; one that goes on is passed over piece by piece.
const MAX_HELD: usize = 32;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::attach) enum Press {
    /// Chooses the entry above.
    Up,
    /// Chooses the entry below.
    Down,
    /// Goes up a page.
    PageUp,
    /// Goes down a page.
    PageDown,
    /// Takes the chosen one.
    Enter,
    /// Takes none.
    Cancel,
    /// Erases a character.
    Erase,
    /// Erases a word.
    EraseWord,
    /// Erases everything.
    EraseAll,
    /// Types a character.
    Type(char),
}

/// Cuts what was read into keys, and keeps what is not a whole one yet.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// At most [`MAX_HELD`] bytes.
    held: Vec<u8>,
}

/// The first key of some bytes: how many of them it takes, and what it does.
type First = (usize, Option<Press>);

impl Keys {
    /// Takes what was read.
    pub(super) fn take(&mut self, read: &[u8]) -> Vec<Press> {
        let mut bytes = std::mem::take(&mut self.held);
        bytes.extend_from_slice(read);
        let mut presses = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let Some((length, press)) = first(rest) else { break };
            presses.extend(press);
            rest = &rest[length..];
        }
        self.held = rest[..rest.len().min(MAX_HELD)].to_vec();
        presses
    }

    /// Whether something is held that is a key if nothing follows: a lone escape.
    pub(super) fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// Nothing followed.
    pub(super) fn expire(&mut self) -> Option<Press> {
        (std::mem::take(&mut self.held) == [ESC]).then_some(Press::Cancel)
    }
}

/// None if it is not whole yet.
fn first(bytes: &[u8]) -> Option<First> {
    match bytes {
        [ESC] | [ESC, b'O'] => None,
        [ESC, b'[', body @ ..] => {
            let end = body.iter().position(|byte| matches!(byte, 0x40..=0x7e));
            match end {
                Some(end) => Some((2 + end + 1, sequence(&body[..=end]))),
                None if bytes.len() >= MAX_HELD => Some((bytes.len(), None)),
                None => None,
            }
        }
        [ESC, b'O', last, ..] => Some((3, sequence(&[*last]))),
        // Two escapes: the first is a key of its own. Else it is a key with alt, which does nothing here.
        [ESC, ESC, ..] => Some((1, Some(Press::Cancel))),
        [ESC, rest @ ..] => first(rest).map(|(length, _)| (1 + length, None)),
        [byte @ (0..0x20 | 0x7f), ..] => Some((1, control(*byte))),
        _ => character(bytes),
    }
}

fn sequence(body: &[u8]) -> Option<Press> {
    Some(match body {
        b"A" => Press::Up,
        b"B" => Press::Down,
        b"5~" => Press::PageUp,
        b"6~" => Press::PageDown,
        _ => return None,
    })
}

fn control(byte: u8) -> Option<Press> {
    Some(match byte | 0x40 {
        // ctrl-p, ctrl-k; ctrl-n.
        b'P' | b'K' => Press::Up,
        b'N' => Press::Down,
        // Enter, and what sends it.
        b'M' | b'J' => Press::Enter,
        // ctrl-c, ctrl-d, ctrl-g, ctrl-\.
        b'C' | b'D' | b'G' | b'\\' => Press::Cancel,
        b'H' | 0x7f => Press::Erase,
        b'W' => Press::EraseWord,
        b'U' => Press::EraseAll,
        _ => return None,
    })
}

/// A character of UTF-8; bytes that are none are passed over.
fn character(bytes: &[u8]) -> Option<First> {
    let length = match bytes[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let part = &bytes[..length.min(bytes.len())];
    match std::str::from_utf8(part) {
        Ok(text) => Some((length, text.chars().next().map(Press::Type))),
        Err(error) if error.error_len().is_none() && part.len() < length => None,
        Err(_) => Some((1, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presses(bytes: &[u8]) -> Vec<Press> {
        Keys::default().take(bytes)
    }

    #[test]
    fn keys_are_read_wherever_reads_end() {
        let bytes = "aé\x1b[A\x1bOB\x1b[5~\x1b[6~\x10\x0e\x1bx\x1b[1;5C\x7f\x17\x15日\r".as_bytes();
        let whole = presses(bytes);
        let wanted = [
            Press::Type('a'),
            Press::Type('é'),
            Press::Up,
            Press::Down,
            Press::PageUp,
            Press::PageDown,
            Press::Up,
            Press::Down,
            Press::Erase,
            Press::EraseWord,
            Press::EraseAll,
            Press::Type('日'),
            Press::Enter,
        ];
        assert_eq!(whole, wanted);
        for cut in 1..bytes.len() {
            let mut keys = Keys::default();
            let both = [keys.take(&bytes[..cut]), keys.take(&bytes[cut..])].concat();
            assert_eq!(both, whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_lone_escape_cancels_once_nothing_follows() {
        let mut keys = Keys::default();
        assert_eq!(keys.take(b"\x1b"), []);
        assert!(keys.is_waiting());
        assert_eq!(keys.expire(), Some(Press::Cancel));
        assert!(!keys.is_waiting());
        assert_eq!(keys.take(b"\x1b["), []);
        assert_eq!(keys.expire(), None, "half a sequence is no key");
        assert_eq!(presses(b"\x03"), [Press::Cancel]);
    }

    #[test]
    fn what_is_no_key_is_passed_over_and_not_kept() {
        assert_eq!(presses(b"\xffa\xc3("), [Press::Type('a'), Press::Type('(')]);
        let mut keys = Keys::default();
        for _ in 0..100 {
            keys.take(b"\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1");
            assert!(keys.held.len() <= MAX_HELD);
        }
    }
}
