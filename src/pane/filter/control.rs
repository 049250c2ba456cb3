//! Control sequences: which are well formed, and which ask for more than any screen can use.

use crate::geometry::Size;

/// The longest control sequence body (what stands between `CSI` and the final byte) that passes, in bytes: the
/// whole sequence has at most 256.
pub(in crate::pane) const CONTROL_LIMIT: usize = 253;

/// The most parameters, sub-parameters included, that pass. Terminals differ in what they do with more.
const MAX_PARAMS: usize = 32;

/// The most digits of a parameter that pass; a greater number becomes [`GREATEST`], which nothing means.
const MAX_DIGITS: usize = 5;
const GREATEST: &[u8] = b"99999";

/// The most intermediates of an escape or control sequence that terminals agree on.
pub(super) const MAX_INTERMEDIATES: usize = 2;

/// How often a character is repeated at most: ten of the longest lines, which takes xterm.js less than 5 ms.
const MAX_REPEATS: u16 = 10 * Size::MAX.cols;

/// A whole, undisturbed and well-formed control sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain<'a> {
    /// What stands between `CSI` and the final byte.
    pub(super) body: &'a [u8],
    /// The final byte.
    pub(super) last: u8,
    /// Whether its parameters are so few and so small that no limit matters.
    pub(super) modest: bool,
}

impl<'a> Plain<'a> {
    /// The sequence at the front of what follows a `CSI`, if it is such a one.
    #[inline]
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        const NO_LIMIT_BELOW: u32 = Size::MAX.rows as u32;
        let mut at = usize::from(matches!(bytes.first(), Some(b'<'..=b'?')));
        let (mut number, mut greatest) = (0u32, 0);
        while let Some(byte @ b'0'..=b';') = bytes.get(at) {
            number = if *byte <= b'9' {
                number.saturating_mul(10).saturating_add(u32::from(byte - b'0'))
            } else {
                0
            };
            greatest = greatest.max(number);
            at += 1;
        }
        let params_end = at;
        while let Some(b' '..=b'/') = bytes.get(at) {
            at += 1;
        }
        let last = *bytes.get(at)?;
        let whole =
            matches!(last, b'@'..=b'~') && at <= CONTROL_LIMIT && at - params_end <= MAX_INTERMEDIATES;
        // Without much room there are neither many parameters nor many leading zeros.
        let modest = greatest < NO_LIMIT_BELOW && at < MAX_PARAMS;
        whole.then(|| Self { body: &bytes[..at], last, modest })
    }

    /// Whether it certainly passes as it is, as most do: it is within every limit, asks nothing and leaves the
    /// window alone.
    #[inline]
    pub(super) fn is_harmless(&self) -> bool {
        match self.last {
            b'm' => self.modest && self.body.first() != Some(&b'?'),
            b'@'..=b'P' | b'X' | b'd' | b'f' | b'h' | b'l' | b'r' => self.modest,
            _ => false,
        }
    }
}

/// Whether `byte` may come next in a control sequence of which `body` has been read.
pub(super) fn accepts(body: &[u8], byte: u8) -> bool {
    if body.len() == CONTROL_LIMIT {
        return false;
    }
    let intermediates = body.iter().rev().take_while(|byte| matches!(byte, b' '..=b'/')).count();
    match byte {
        b'<'..=b'?' => body.is_empty(),
        b'0'..=b';' => intermediates == 0,
        _ => intermediates < MAX_INTERMEDIATES,
    }
}

/// Whether a control sequence has more parameters than pass.
pub(super) fn too_many_params(body: &[u8]) -> bool {
    body.iter().filter(|byte| matches!(byte, b';' | b':')).count() >= MAX_PARAMS
}

/// Whether a control sequence would move, resize, raise or otherwise change the window that shows the output; the
/// stack of titles is no window's. Reports are queries and gone before.
pub(super) fn changes_window(body: &[u8], last: u8) -> bool {
    match last {
        b't' => {
            let operation = body.split(|byte| *byte == b';').next().unwrap_or(body);
            body.iter().all(|byte| matches!(byte, b'0'..=b';')) && !matches!(operation, b"22" | b"23")
        }
        // DECSCPP, DECSNLS.
        b'|' => body.ends_with(b"$") || body.ends_with(b"*"),
        _ => false,
    }
}

/// The sequence's body with every parameter held to what can matter; `None` if they all are.
pub(super) fn clamped(body: &[u8], last: u8) -> Option<Vec<u8>> {
    let (prefix, rest) = body.split_at(usize::from(matches!(body.first(), Some(b'<'..=b'?'))));
    let params_length = rest.iter().take_while(|byte| matches!(byte, b'0'..=b';')).count();
    let (params, intermediates) = rest.split_at(params_length);
    let limits = if prefix.is_empty() { limits(intermediates, last) } else { [None; 2] };
    let mut held = prefix.to_vec();
    let (mut position, mut at) = (0, 0);
    while at <= params.len() {
        let digits = params[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let limit = limits.get(position).copied().flatten();
        push_clamped(&mut held, &params[at..at + digits], limit);
        let separator = params.get(at + digits);
        held.extend(separator);
        position += usize::from(separator == Some(&b';'));
        at += digits + 1;
    }
    held.extend_from_slice(intermediates);
    (held != body).then_some(held)
}

fn push_clamped(out: &mut Vec<u8>, digits: &[u8], limit: Option<u16>) {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let significant = &digits[zeros..];
    let digits = match significant.len() {
        _ if digits.len() <= MAX_DIGITS => digits,
        0 => b"0",
        1..=MAX_DIGITS => significant,
        _ => GREATEST,
    };
    let number = digits.iter().fold(0u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    match limit {
        Some(limit) if number > u32::from(limit) => out.extend_from_slice(limit.to_string().as_bytes()),
        _ => out.extend_from_slice(digits),
    }
}

/// The greatest useful values of a control sequence's first two parameters, where they are counts or places.
fn limits(intermediates: &[u8], last: u8) -> [Option<u16>; 2] {
    const COLS: u16 = Size::MAX.cols;
    const ROWS: u16 = Size::MAX.rows;
    match (intermediates, last) {
        (b"", b'@' | b'C' | b'D' | b'G' | b'I' | b'P' | b'X' | b'Z' | b'`' | b'a') => [Some(COLS), None],
        (b"", b'A' | b'B' | b'E' | b'F' | b'L' | b'M' | b'S' | b'^' | b'd' | b'e') => [Some(ROWS), None],
        (b"", b'T') => [Some(ROWS), None],
        (b"", b'H' | b'f') => [Some(ROWS), Some(COLS)],
        (b"", b'b') => [Some(MAX_REPEATS), None],
        (b" ", b'@' | b'A') | (b"'", b'}' | b'~') => [Some(COLS), None],
        _ => [None; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::query::{Query, Sequence};

    fn shown(body: &str, last: u8) -> String {
        clamped(body.as_bytes(), last).map_or(body.to_owned(), |body| String::from_utf8(body).unwrap())
    }

    #[test]
    fn what_is_harmless_asks_nothing_and_needs_no_limit() {
        for prefix in ["", "?", ">", "<", "="] {
            for rest in ["", "1", "6", "18;1", "499", "1$", "1*", "1\"", "1'", "1#", "1&", "1 "] {
                let body = format!("{prefix}{rest}");
                for last in b'@'..=b'~' {
                    let sequence = [body.as_bytes(), &[last]].concat();
                    let plain = Plain::parse(&sequence).unwrap();
                    assert_eq!((plain.body, plain.last), (body.as_bytes(), last));
                    if plain.is_harmless() {
                        let body = plain.body;
                        assert_eq!(Query::of(Sequence::Control { body, last }), None);
                        assert_eq!((changes_window(body, last), clamped(body, last)), (false, None));
                    }
                }
            }
        }
        let harmless = |text: &str| Plain::parse(text.as_bytes()).is_some_and(|plain| plain.is_harmless());
        assert!(harmless("499S") == harmless("500A") && harmless("499A") && harmless("38;5;255m"));
        for text in ["1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1m", "4294967297A"] {
            assert!(!harmless(text), "{text}");
        }
    }

    #[test]
    fn counts_are_held_to_the_largest_screen() {
        for (body, last, expected) in [
            ("", b'@', ""),
            ("1000", b'@', "1000"),
            ("1001", b'@', "1000"),
            ("2147483647", b'P', "1000"),
            ("2147483647", b'X', "1000"),
            ("2147483647", b'L', "500"),
            ("501", b'M', "500"),
            ("65535", b'S', "500"),
            ("65535", b'T', "500"),
            ("2147483647", b'b', "10000"),
            ("9999", b'I', "1000"),
            ("9999", b'Z', "1000"),
            ("9999", b'A', "500"),
            ("9999", b'C', "1000"),
            ("9999;9999", b'H', "500;1000"),
            (";9999", b'f', ";1000"),
            ("9999'", b'}', "1000'"),
            ("9999'", b'~', "1000'"),
            ("9999 ", b'@', "1000 "),
            // No counts.
            ("?9999", b'S', "?9999"),
            ("9999", b'u', "9999"),
        ] {
            assert_eq!(shown(body, last), expected, "{body}{}", char::from(last));
        }
    }

    #[test]
    fn long_parameters_are_cut_but_leading_zeros_mean_nothing() {
        for (body, expected) in [
            ("?0000000005", "?5"),
            ("00000", "00000"),
            ("000000", "0"),
            ("?100491", "?99999"),
            ("38:2::255:0:000000255;4:3", "38:2::255:0:255;4:3"),
        ] {
            assert_eq!(shown(body, b'h'), expected);
        }
    }

    #[test]
    fn windows_are_left_alone_but_titles_are_stacked() {
        for (body, last) in [("2", b't'), ("8;200;500", b't'), ("21", b't'), ("50", b't'), ("80$", b'|')] {
            assert!(changes_window(body.as_bytes(), last), "{body}");
        }
        for (body, last) in [("22;0", b't'), ("23", b't'), (">1", b't'), ("1;2;3;4;1$", b't'), ("5", b'|')] {
            assert!(!changes_window(body.as_bytes(), last), "{body}");
        }
    }
}
