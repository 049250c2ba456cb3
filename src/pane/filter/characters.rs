//! Where characters begin and end in a stream that should be UTF-8 and may be anything.

/// What a stream's next bytes, the first of which is not ASCII, are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A C1 control of two bytes: the byte that does the same after an ESC.
    C1(u8),
    /// Another character of so many bytes.
    Character(usize),
    /// So many bytes that are part of no character.
    Broken(usize),
    /// The start of a character, and the end of what is there.
    Prefix,
}

/// What `bytes`, not empty, begin with.
pub(super) fn next(bytes: &[u8]) -> Next {
    if let [0xc2, c1 @ 0x80..=0x9f, ..] = bytes {
        return Next::C1(c1 - 0x40);
    }
    // The longest character has four bytes; more can't be needed, and may hold the start of another one.
    match bytes[..bytes.len().min(4)].utf8_chunks().next() {
        Some(chunk) if !chunk.valid().is_empty() => {
            Next::Character(chunk.valid().chars().next().map_or(0, char::len_utf8))
        }
        Some(chunk) if unfinished(chunk.invalid()) == bytes.len() => Next::Prefix,
        Some(chunk) => Next::Broken(chunk.invalid().len()),
        None => Next::Prefix,
    }
}

/// How many bytes at the end of `text` begin a character that goes on.
pub(super) fn unfinished(text: &[u8]) -> usize {
    for length in 1..=text.len().min(3) {
        let tail = &text[text.len() - length..];
        match tail[0] {
            0x80..=0xbf => {}
            0xc2..=0xf4 => {
                let begins = str::from_utf8(tail).is_err_and(|error| error.error_len().is_none());
                return if begins { length } else { 0 };
            }
            _ => return 0,
        }
    }
    0
}

/// `text` without the bytes that are part of no character and without C0 controls, both of which a terminal skips
/// in an operating system command; `None` if there are none.
pub(super) fn without_noise(text: &[u8]) -> Option<Vec<u8>> {
    if text.iter().all(|byte| *byte >= 0x20) && str::from_utf8(text).is_ok() {
        return None;
    }
    let valid: String = text.utf8_chunks().map(|chunk| chunk.valid()).collect();
    Some(valid.bytes().filter(|byte| *byte >= 0x20).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_told_from_their_beginnings_and_from_noise() {
        for (bytes, expected) in [
            (&b"\xc3\xa9x"[..], Next::Character(2)),
            ("漢字".as_bytes(), Next::Character(3)),
            ("😀".as_bytes(), Next::Character(4)),
            (b"\xc2\x9b", Next::C1(b'[')),
            (b"\xc2\xa0", Next::Character(2)),
            (b"\xc2", Next::Prefix),
            (b"\xe6\xbc", Next::Prefix),
            (b"\xf0\x9f\x98", Next::Prefix),
            (b"\xf0\x9fx", Next::Broken(2)),
            (b"\x9b", Next::Broken(1)),
            (b"\xff", Next::Broken(1)),
            (b"\xc2\xc2", Next::Broken(1)),
            (b"\xc0\x80", Next::Broken(1)),
            (b"\xed\xa0", Next::Broken(1)),
        ] {
            assert_eq!(next(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn only_a_valid_beginning_is_unfinished() {
        for (text, expected) in [
            (&b""[..], 0),
            (b"abc", 0),
            (b"\xc3\xa9", 0),
            (b"a\xc3", 1),
            (b"\xe6\xbc", 2),
            (b"x\xf0\x9f\x98", 3),
            (b"\xf0\x9f\x98\x80", 0),
            (b"\x80\x80\xff", 0),
            (b"\xe6\xbc\xa2\x80", 0),
            (b"\xed\xa0", 0),
            (b"\xe2\x82\xc2", 1),
        ] {
            assert_eq!(unfinished(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn noise_is_controls_and_bytes_outside_characters() {
        assert_eq!(without_noise("0;naïve\x7f".as_bytes()), None);
        assert_eq!(without_noise(b"1\x000;\xff?").as_deref(), Some(&b"10;?"[..]));
        assert_eq!(without_noise(b"\xc2\r\x9b").as_deref(), Some(&b""[..]));
    }
}
