//! Tells what a user typed from what the user's terminal sent by itself: mouse and focus reports, and answers to
//! queries (which it should not have seen). Only keys may wake a dead pane. Pure, and without memory from one
//! message to the next.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Where a part of an input message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Typed or pasted.
    Keys,
    /// The mouse moved, or a button or the wheel was used.
    Mouse,
    /// The terminal gained or lost the focus.
    Focus,
    /// The terminal answered a query, or reported a change that it was asked to report.
    Reply,
}

/// Cuts an input message into parts: their concatenation is the message, and no part is empty. Each report is a part
/// of its own. What is not complete at the end of the message counts as keys, as does all of a bracketed paste; one
/// without an end goes on to the end of the message.
pub fn split(input: &[u8]) -> Split<'_> {
    Split { rest: input }
}

/// The message without its reports; borrowed when nothing has to be joined.
pub fn only_keys(input: &[u8]) -> Cow<'_, [u8]> {
    let mut keys = split(input).filter(|(kind, _)| *kind == Kind::Keys).map(|(_, part)| part);
    let first = keys.next().unwrap_or_default();
    match keys.next() {
        None => Cow::Borrowed(first),
        Some(second) => Cow::Owned(keys.fold([first, second].concat(), |mut joined, part| {
            joined.extend_from_slice(part);
            joined
        })),
    }
}

/// The parts of an input message; see [`split`].
#[derive(Debug, Clone)]
pub struct Split<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Split<'a> {
    type Item = (Kind, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, length) = match first_report(self.rest) {
            Some((0, kind, length)) => (kind, length),
            Some((at, ..)) => (Kind::Keys, at),
            None => (Kind::Keys, self.rest.len()),
        };
        let (part, rest) = self.rest.split_at(length);
        self.rest = rest;
        (!part.is_empty()).then_some((kind, part))
    }
}

/// The first report outside of pastes: where it is, its kind, and its length.
fn first_report(input: &[u8]) -> Option<(usize, Kind, usize)> {
    let mut from = 0;
    loop {
        let at = from + memchr(ESC, &input[from..])?;
        let here = &input[at..];
        if here.starts_with(PASTE_BEGIN) {
            from = at + memmem::find(here, PASTE_END)? + PASTE_END.len();
        } else if let Some((kind, length)) = report(here) {
            return Some((at, kind, length));
        } else {
            from = at + 1;
        }
    }
}

/// The kind and length of the report that `input` starts with. Looks no further than the next ESC but one, so that
/// any message is classified in linear time.
fn report(input: &[u8]) -> Option<(Kind, usize)> {
    match input.get(1)? {
        b'[' => control_report(input),
        b'P' => Some((Kind::Reply, string_length(input, is_device_answer)?)),
        b']' => Some((Kind::Reply, string_length(input, is_command_answer)?)),
        // The kitty graphics protocol's answers.
        b'_' => Some((Kind::Reply, string_length(input, |body| body.starts_with(b"G"))?)),
        _ => None,
    }
}

fn control_report(input: &[u8]) -> Option<(Kind, usize)> {
    let body_length = input[2..].iter().position(|b| !matches!(b, b' '..=b'?'))?;
    let (body, last) = (&input[2..2 + body_length], input[2 + body_length]);
    let length = 2 + body_length + 1;
    match (body, last) {
        (b"", b'I' | b'O') => Some((Kind::Focus, length)),
        (b"", b'M') => Some((Kind::Mouse, length + coordinates_length(&input[length..])?)),
        _ => Some((control_kind(body, last)?, length)),
    }
}

/// The kind of the report `CSI body last`. Not reports, though close to some: keys of the kitty protocol
/// (`CSI 97;5u`), function keys (`CSI 13~`, `CSI 1;2S`), and rxvt's shifted arrows (`CSI c`).
fn control_kind(body: &[u8], last: u8) -> Option<Kind> {
    let (prefix, rest) = match body {
        [prefix @ b'<'..=b'?', rest @ ..] => (Some(*prefix), rest),
        _ => (None, body),
    };
    let (params, intermediate) = match rest {
        [params @ .., byte @ b' '..=b'/'] => (params, Some(*byte)),
        _ => (rest, None),
    };
    if params.is_empty() || !params.iter().all(|b| matches!(b, b'0'..=b';')) {
        return None;
    }
    let count = params.split(|b| *b == b';').count();
    match (prefix, intermediate, last) {
        (None, None, b'M') if count == 3 => Some(Kind::Mouse),
        (Some(b'<'), None, b'M' | b'm') => Some(Kind::Mouse),
        // DEC locator.
        (None, Some(b'&'), b'w') => Some(Kind::Mouse),
        // Device attributes.
        (Some(b'?' | b'>'), None, b'c') => Some(Kind::Reply),
        // A cursor report; it may have a page too.
        (None, None, b'R') if count == 2 && !is_modified_f3(params) => Some(Kind::Reply),
        (Some(b'?'), None, b'R') => Some(Kind::Reply),
        // Device status, colour scheme.
        (None | Some(b'?'), None, b'n') => Some(Kind::Reply),
        // State of a mode.
        (None | Some(b'?'), Some(b'$'), b'y') => Some(Kind::Reply),
        // Windows, resize in band.
        (None, None, b't') => Some(Kind::Reply),
        // Keyboard flags.
        (Some(b'?'), None, b'u') => Some(Kind::Reply),
        // modifyOtherKeys.
        (Some(b'>'), None, b'm') => Some(Kind::Reply),
        // Graphics attributes.
        (Some(b'?'), None, b'S') => Some(Kind::Reply),
        // Terminal parameters.
        (None, None, b'x') => Some(Kind::Reply),
        // Room for macros.
        (None, Some(b'*'), b'{') => Some(Kind::Reply),
        _ => None,
    }
}

/// Whether these are the parameters of F3 with modifiers, which looks like a cursor report from row 1: `1;2` to
/// `1;16`, in the kitty protocol with the kind of event behind a colon. It is taken for the key, since viewers see
/// no query for which they would report a cursor.
fn is_modified_f3(params: &[u8]) -> bool {
    let Some(modifier) = params.strip_prefix(b"1;") else { return false };
    let modifier = modifier.split(|b| *b == b':').next().unwrap_or_default();
    matches!(modifier, [b'2'..=b'9'] | [b'1', b'0'..=b'6'])
}

/// The length of what follows `CSI M`: button, column and row, in a byte each or, in mode 1005, in a character each.
/// Nothing says which, so the first of the two that ends where the message or the next sequence does.
fn coordinates_length(input: &[u8]) -> Option<usize> {
    const BYTES: usize = 3;
    if input.len() < BYTES || input[..BYTES].iter().any(|b| *b < b' ') {
        return None;
    }
    let ends_at = |length: usize| input.get(length).is_none_or(|b| *b == ESC);
    let in_characters = (0..BYTES).try_fold(0, |length, _| match input[length..] {
        [b' '..=0x7f, ..] => Some(length + 1),
        [0xc2..=0xdf, 0x80..=0xbf, ..] => Some(length + 2),
        _ => None,
    });
    Some(in_characters.filter(|length| !ends_at(BYTES) && ends_at(*length)).unwrap_or(BYTES))
}

/// The length of the string sequence at the start of `input`, if it is complete and its body is an answer. A body
/// with control characters is none: rather, somebody pressed Alt-P and went on typing.
fn string_length(input: &[u8], is_answer: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let end = 2 + memchr2(ESC, BEL, &input[2..])?;
    let body = &input[2..end];
    let length = match &input[end..] {
        // Only operating system commands end so.
        [BEL, ..] if input[1] == b']' => end + 1,
        [ESC, b'\\', ..] => end + 2,
        _ => return None,
    };
    (is_answer(body) && !body.iter().any(u8::is_ascii_control)).then_some(length)
}

/// Whether this is the body of a device control answer: numbers, then one of `$ + !`, or `>` in front. Anything
/// without those could be typed text after Alt-P.
fn is_device_answer(body: &[u8]) -> bool {
    let marker = body.iter().position(|b| !matches!(b, b'0'..=b'9' | b';'));
    marker.is_some_and(|at| matches!(body[at], b'$' | b'+' | b'!') || (at == 0 && body[at] == b'>'))
}

/// Whether this is the body of an answer to an operating system command: a number and a value (colours, clipboard),
/// or `l` or `L` and a title.
fn is_command_answer(body: &[u8]) -> bool {
    match body.iter().position(|b| !b.is_ascii_digit()) {
        Some(0) => matches!(body[0], b'l' | b'L'),
        Some(at) => body[at] == b';',
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::screen::answers::every_answer;

    fn kinds(input: &[u8]) -> Vec<Kind> {
        split(input).map(|(kind, _)| kind).collect()
    }

    #[test]
    fn reports_are_told_by_kind() {
        let table: &[(Kind, &[&[u8]])] = &[
            (Kind::Focus, &[b"\x1b[I", b"\x1b[O"]),
            (
                Kind::Mouse,
                &[
                    b"\x1b[<0;10;20M",
                    b"\x1b[<35;1;1m",
                    b"\x1b[M !!",
                    b"\x1b[M\xe0\xff\xff",
                    "\u{1b}[M \u{80}\u{a1}".as_bytes(),
                    b"\x1b[32;10;20M",
                    b"\x1b[1;0;5;5;1&w",
                ],
            ),
            (
                Kind::Reply,
                &[
                    b"\x1b[?1;2c",
                    b"\x1b[?64;1;2;6;9;15;18;21;22c",
                    b"\x1b[>0;276;0c",
                    b"\x1bP!|00000000\x1b\\",
                    b"\x1b[24;80R",
                    b"\x1b[1;1R",
                    b"\x1b[1;17R",
                    b"\x1b[2;2R",
                    b"\x1b[12;5R",
                    b"\x1b[?24;80R",
                    b"\x1b[?24;80;1R",
                    b"\x1b[0n",
                    b"\x1b[?13n",
                    b"\x1b[?997;1n",
                    b"\x1b[?2026;2$y",
                    b"\x1b[4;2$y",
                    b"\x1bP1$r0m\x1b\\",
                    b"\x1bP0$r\x1b\\",
                    b"\x1bP1$r2 q\x1b\\",
                    b"\x1bP>|xterm.js(5.5.0)\x1b\\",
                    b"\x1bP1+r544e=787465726d\x1b\\",
                    b"\x1bP1!~0000\x1b\\",
                    b"\x1b]11;rgb:0000/0000/0000\x1b\\",
                    b"\x1b]10;rgb:ffff/ffff/ffff\x07",
                    b"\x1b]4;1;rgb:cd/00/00\x07",
                    b"\x1b]52;c;aGVsbG8=\x1b\\",
                    b"\x1b]lsome title\x1b\\",
                    b"\x1b[8;24;80t",
                    b"\x1b[4;600;800t",
                    b"\x1b[48;24;80;600;800t",
                    b"\x1b[?0u",
                    b"\x1b[?31u",
                    b"\x1b[>4;2m",
                    b"\x1b[?1;0;256S",
                    b"\x1b[2;1;1;112;112;1;0x",
                    b"\x1b[0*{",
                    b"\x1b_Gi=31;OK\x1b\\",
                ],
            ),
        ];
        for (kind, reports) in table {
            for report in *reports {
                assert_eq!(kinds(report), [*kind], "{}", report.escape_ascii());
                let among_keys = [b"ab\x1b[A", *report, b"\x1b[1;5Cz"].concat();
                // X10 coordinates have no end of their own, see `coordinates_length`.
                if !report.starts_with(b"\x1b[M") {
                    assert_eq!(kinds(&among_keys), [Kind::Keys, *kind, Kind::Keys]);
                    assert_eq!(only_keys(&among_keys).as_ref(), b"ab\x1b[A\x1b[1;5Cz");
                }
                for cut in 1..report.len() {
                    let incomplete = &report[..cut];
                    if !incomplete.starts_with(b"\x1b[M") {
                        assert_eq!(kinds(incomplete), [Kind::Keys], "{}", incomplete.escape_ascii());
                    }
                }
            }
        }
    }

    #[test]
    fn all_that_the_server_answers_is_told_from_keys() {
        let answers = every_answer();
        assert!(answers.len() > 50);
        for answer in answers {
            assert!(kinds(&answer).iter().all(|kind| *kind == Kind::Reply), "{}", answer.escape_ascii());
        }
    }

    #[test]
    fn keys_stay_keys() {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        // Every byte, alone and with Alt; CSI and SS3 keys without parameters, as xterm.js, kitty, rxvt and the
        // Linux console send them.
        keys.extend((0..=0xff).flat_map(|b| [vec![b], vec![ESC, b], vec![ESC, ESC, b]]));
        keys.extend((b'A'..=b'z').map(|b| vec![ESC, b'O', b]));
        keys.extend(b"ABCDEFGHPQSZabcd".iter().map(|b| vec![ESC, b'[', *b]));
        keys.extend((b'A'..=b'E').map(|b| vec![ESC, b'[', b'[', b]));
        keys.extend((2..=16).flat_map(|modifier| {
            ["", ":1", ":3"].map(|event| format!("\x1b[1;{modifier}{event}R").into_bytes())
        }));
        for modifier in 1..=16 {
            keys.extend("ABCDEFHPQS".chars().map(|last| format!("\x1b[1;{modifier}{last}").into_bytes()));
            keys.extend("ABCDEFHPQS".chars().map(|last| format!("\x1b[1;{modifier}:3{last}").into_bytes()));
            keys.extend((1..=34).map(|key| format!("\x1b[{key};{modifier}~").into_bytes()));
            keys.extend([97, 13, 27, 57358, 57454].map(|key| format!("\x1b[{key};{modifier}u").into_bytes()));
            keys.extend([9, 13, 97].map(|key| format!("\x1b[27;{modifier};{key}~").into_bytes()));
        }
        keys.extend(
            (1..=34).flat_map(|key| "~^$@".chars().map(move |end| format!("\x1b[{key}{end}").into_bytes())),
        );
        keys.extend(
            [
                "plain text, é, 漢字\r",
                "\x1b[97u",
                "\x1b[97:65;2:1;65u",
                "\x1b[0;;229u",
                "\x1b[R",
                "\x1b[65;30;97;1;0;1_",
                "\x1b[200~pasted\x1b[201~",
                "\x1bPrint and more text",
                "\x1bP4 files\x1b\\",
                "\x1b]]\r\x07",
                "\x1b]4 x\x07",
                "\x1b[",
                "\x1b",
            ]
            .map(|text| text.as_bytes().to_vec()),
        );
        for key in &keys {
            assert_eq!(kinds(key), [Kind::Keys], "{}", key.escape_ascii());
            assert!(matches!(only_keys(key), Cow::Borrowed(same) if same == key));
        }
    }

    #[test]
    fn a_paste_is_never_looked_into() {
        let paste = b"\x1b[200~\x1b[I\x1b[<0;1;1M\x1b[24;80R\x1b]11;rgb:0/0/0\x07\x1b[201~";
        assert_eq!(kinds(paste), [Kind::Keys]);
        assert_eq!(kinds(&[paste.as_slice(), b"\x1b[O"].concat()), [Kind::Keys, Kind::Focus]);
        assert_eq!(kinds(b"\x1b[I\x1b[200~no end \x1b[I"), [Kind::Focus, Kind::Keys]);
    }

    #[test]
    fn nothing_is_empty_and_reports_alone_leave_no_keys() {
        assert!(kinds(b"").is_empty());
        assert!(only_keys(b"").is_empty());
        assert_eq!(kinds(b"\x1b[I\x1b[<35;4;5M\x1b[0n"), [Kind::Focus, Kind::Mouse, Kind::Reply]);
        assert!(only_keys(b"\x1b[I\x1b[<35;4;5M\x1b[0n").is_empty());
        assert!(matches!(only_keys(b"\x1b[Ikeys\x1b[O"), Cow::Borrowed(b"keys")));
    }

    #[test]
    fn coordinates_end_with_their_bytes_or_characters() {
        assert_eq!(kinds(b"\x1b[M !!a"), [Kind::Mouse, Kind::Keys]);
        assert_eq!(kinds(b"\x1b[M !!\x1b[M#!!"), [Kind::Mouse, Kind::Mouse]);
        assert_eq!(kinds("\u{1b}[M \u{a1}!\u{1b}[M#\u{a1}!".as_bytes()), [Kind::Mouse, Kind::Mouse]);
        for incomplete in [&b"\x1b[M"[..], b"\x1b[M ", b"\x1b[M !", b"\x1b[M\r\r\r"] {
            assert_eq!(kinds(incomplete), [Kind::Keys]);
        }
    }

    #[test]
    fn hostile_input_is_linear() {
        for unit in ["\x1bP", "\x1b]1;", "\x1b[1;", "\x1b[200~\x1b", "\x1bP1$r\x07"] {
            let input = unit.repeat(200_000);
            assert_eq!(only_keys(input.as_bytes()).len(), input.len());
        }
    }

    /// Bytes that are often nearly a report.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..4),
            proptest::sample::select(vec![
                "\x1b",
                "[",
                "\x1b[",
                "\x1bP",
                "\x1b]",
                "\x1b\\",
                "\x07",
                "1;2",
                "?",
                "<",
                ">",
                "$",
                "M",
                "R",
                "n",
                "y",
                "I",
                "c",
                "\x1b[200~",
                "\x1b[201~",
                "\x1b[I",
                "11;rgb:",
                "1$r",
                "x",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn parts_are_not_empty_and_make_up_the_input(input in pieces()) {
            let parts: Vec<_> = split(&input).collect();
            prop_assert!(parts.iter().all(|(_, part)| !part.is_empty()));
            prop_assert_eq!(parts.iter().map(|(_, part)| *part).collect::<Vec<_>>().concat(), input.clone());
            let keys: Vec<&[u8]> =
                parts.iter().filter(|(kind, _)| *kind == Kind::Keys).map(|(_, part)| *part).collect();
            prop_assert_eq!(only_keys(&input).into_owned(), keys.concat());
        }

        #[test]
        fn a_report_alone_is_the_same_report(input in pieces()) {
            for (kind, part) in split(&input).filter(|(kind, _)| *kind != Kind::Keys) {
                prop_assert_eq!(split(part).collect::<Vec<_>>(), vec![(kind, part)]);
            }
        }
    }
}
