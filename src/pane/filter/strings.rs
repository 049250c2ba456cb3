//! Control strings: how they end, and which of them may be long.

use memchr::{memchr2, memchr2_iter, memchr3};

use super::control::MAX_INTERMEDIATES;
use super::{BEL, CAN, ESC, SUB};
use crate::screen::query::{Query, Sequence};

/// The longest string that is held until it is whole, in bytes between introducer and terminator.
pub const HOLD_LIMIT: usize = 4 << 10;

/// The longest image or file that passes, in bytes. A longer one is ended there.
const MAX_FILE: usize = 8 << 20;

/// The longest other string that passes, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// The most digits of an operating system command's number that mean anything.
const MAX_NUMBER_DIGITS: usize = 5;

/// The kinds of control strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An operating system command; the only kind that a BEL ends too.
    Osc,
    /// A device control string.
    Dcs,
    /// An application program command.
    Apc,
    /// A privacy message.
    Pm,
    /// Start of string.
    Sos,
}

/// How a string ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By BEL.
    Bell,
    /// By ST, in its seven-bit or its eight-bit form of two bytes each.
    Terminator,
    /// By CAN or SUB.
    Cancelled,
    /// Where another sequence begins.
    CutOff,
    /// By an ESC, or half of a C1 control, that is the last byte there is.
    Undecided,
}

impl Kind {
    /// The kind that `byte` after an ESC introduces.
    pub(super) fn introduced_by(byte: u8) -> Option<Kind> {
        match byte {
            b']' => Some(Kind::Osc),
            b'P' => Some(Kind::Dcs),
            b'_' => Some(Kind::Apc),
            b'^' => Some(Kind::Pm),
            b'X' => Some(Kind::Sos),
            _ => None,
        }
    }

    /// What begins a string of this kind.
    pub(super) fn introducer(self) -> [u8; 2] {
        let byte = match self {
            Kind::Osc => b']',
            Kind::Dcs => b'P',
            Kind::Apc => b'_',
            Kind::Pm => b'^',
            Kind::Sos => b'X',
        };
        [ESC, byte]
    }

    /// Whether a string of this kind may hold such text. In all but operating system commands terminals differ on
    /// what characters beyond ASCII do: some end the string there.
    pub(super) fn may_hold(self, text: &[u8]) -> bool {
        self == Kind::Osc || text.is_ascii()
    }

    /// Where the string whose text begins with `text` ends, if that is after at most `limit` bytes.
    pub(super) fn end_in(self, text: &[u8], limit: usize) -> Option<(usize, End)> {
        let window = &text[..text.len().min(limit.saturating_add(1))];
        let found = match self {
            Kind::Osc => memchr3(ESC, BEL, CAN, window),
            _ => memchr2(ESC, CAN, window),
        };
        let before = &window[..found.unwrap_or(window.len())];
        // More than can be searched for at once; 0xc2 begins the C1 controls, among other characters.
        let rarer = memchr2_iter(SUB, 0xc2, before).find_map(|at| match (before[at], text.get(at + 1)) {
            (SUB, _) => Some((at, End::Cancelled)),
            (_, None) => Some((at, End::Undecided)),
            (_, Some(0x9c)) => Some((at, End::Terminator)),
            (_, Some(0x80..=0x9f)) => Some((at, End::CutOff)),
            _ => None,
        });
        let ended = |at| match (text[at], text.get(at + 1)) {
            (BEL, _) => End::Bell,
            (CAN, _) => End::Cancelled,
            (_, None) => End::Undecided,
            (_, Some(b'\\')) => End::Terminator,
            _ => End::CutOff,
        };
        rarer.or_else(|| found.map(|at| (at, ended(at))))
    }

    /// How long a string may be of which more than [`HOLD_LIMIT`] bytes, `head`, are there already; `None` if it is
    /// not one that is long by nature.
    pub(super) fn max_length(self, head: &[u8]) -> Option<usize> {
        if !self.may_hold(head) || self.asks(head) {
            return None;
        }
        match self {
            Kind::Osc => max_command(head),
            // Images and fonts have no intermediates, questions do.
            Kind::Dcs => device_control(head).is_some_and(<[u8]>::is_empty).then_some(MAX_FILE),
            Kind::Apc => Some(MAX_FILE),
            Kind::Pm | Kind::Sos => None,
        }
    }

    /// Whether a terminal would reply to the string; for operating system commands see [`Query`].
    fn asks(self, text: &[u8]) -> bool {
        match self {
            Kind::Osc => Query::of(Sequence::Osc(text)).is_some(),
            Kind::Dcs => Query::of(Sequence::Dcs(text)).is_some(),
            Kind::Apc => asks_for_graphics(text),
            Kind::Pm | Kind::Sos => false,
        }
    }
}

/// Whether an application program command asks what kitty's graphics protocol can do. Nothing answers it.
pub(super) fn asks_for_graphics(text: &[u8]) -> bool {
    let control = text.split(|byte| *byte == b';').next().unwrap_or(text);
    control.strip_prefix(b"G").is_some_and(|keys| keys.split(|byte| *byte == b',').any(|key| key == b"a=q"))
}

/// The intermediates of a device control string, if it begins as one should: prefix, parameters, intermediates and
/// final byte. Where it doesn't, terminals differ on where the string ends.
pub(super) fn device_control(text: &[u8]) -> Option<&[u8]> {
    let rest = &text[usize::from(matches!(text.first(), Some(b'<'..=b'?')))..];
    let params = rest.iter().take_while(|byte| matches!(byte, b'0'..=b';')).count();
    let rest = &rest[params..];
    let intermediates = rest.iter().take_while(|byte| matches!(byte, b' '..=b'/')).count();
    let begins_well =
        intermediates <= MAX_INTERMEDIATES && matches!(rest.get(intermediates), Some(b'@'..=b'~'));
    begins_well.then_some(&rest[..intermediates])
}

/// An operating system command, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// One with a number.
    Numbered {
        /// It.
        number: u32,
        /// What follows the semicolon; empty if there is none.
        arguments: &'a [u8],
        /// How many leading zeros the number has.
        zeros: usize,
    },
    /// One that starts with something else: some terminal's own.
    Other,
    /// One whose number is no number that any terminal knows.
    Absurd,
}

impl<'a> Command<'a> {
    /// Takes a command apart that holds no noise.
    pub(super) fn parse(text: &'a [u8]) -> Self {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let arguments = match &text[digits..] {
            _ if digits == 0 => return Self::Other,
            [] => &[][..],
            [b';', arguments @ ..] => arguments,
            _ => return Self::Other,
        };
        let zeros = text[..digits - 1].iter().take_while(|byte| **byte == b'0').count();
        if digits - zeros > MAX_NUMBER_DIGITS {
            return Self::Absurd;
        }
        let number =
            text[zeros..digits].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        Self::Numbered { number, arguments, zeros }
    }
}

/// How long an operating system command that begins with `head` may be. Terminals skip controls and broken
/// characters, so nothing may hide behind those what the command is.
fn max_command(head: &[u8]) -> Option<usize> {
    let after_number = head.iter().find(|byte| !byte.is_ascii_digit())?;
    if !after_number.is_ascii_graphic() {
        return None;
    }
    match Command::parse(head) {
        Command::Numbered { zeros: 1.., .. } | Command::Absurd => None,
        Command::Numbered { number: 52, arguments, .. } => writes_clipboard(arguments).then_some(MAX_TEXT),
        Command::Numbered { number: 1337, arguments, .. } => {
            let file = [&b"File="[..], b"MultipartFile=", b"FilePart="];
            file.iter().any(|file| arguments.starts_with(file)).then_some(MAX_FILE)
        }
        Command::Numbered { number, .. } if is_short(number) => None,
        Command::Numbered { .. } | Command::Other => Some(MAX_TEXT),
    }
}

/// Commands that are understood and never long: titles, colours, directories, links, marks and notifications.
fn is_short(number: u32) -> bool {
    matches!(number, 0..=22 | 50 | 60 | 61 | 99 | 104..=119 | 133 | 633 | 777)
}

/// Whether a clipboard command, of which the beginning is there, writes: `c;` and base64.
fn writes_clipboard(arguments: &[u8]) -> bool {
    let data = arguments.splitn(2, |byte| *byte == b';').nth(1);
    data.and_then(<[u8]>::first)
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
