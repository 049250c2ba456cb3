//! What programs ask their terminal: recognised in the output, so that it can be taken out of what viewers get.
//!
//! Recognising is wider than answering. Whatever some terminal would answer counts as a query, since a viewer's
//! terminal must never see it; what this product answers, and how, is in [`answers`](super::answers).

use super::colors::ColorSlot;
#[cfg(test)]
pub(crate) use tests::{any_sequence, sequences};

/// The most colours that one query asks for; further questions in the same command are not answered. As many as the
/// palette has.
pub const MAX_COLORS: usize = 256;

/// The most terminal capabilities that one query asks for; further ones are not answered.
pub const MAX_CAPABILITIES: usize = 32;

/// The longest capability name that is answered, in hexadecimal digits. No terminfo name is as long.
pub const MAX_CAPABILITY_DIGITS: usize = 32;

/// The last of the commands that stand for one colour each, counted on from argument to argument.
const LAST_DYNAMIC: u32 = 19;

/// A whole escape sequence of a program's output, without its introducer and terminator. Control characters inside
/// an escape or control sequence (they take effect at once) and DEL (it has none) are no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence<'a> {
    /// `ESC`, intermediates, final byte.
    Escape {
        /// Bytes from 0x20 to 0x2f; often none.
        intermediates: &'a [u8],
        /// The final byte.
        last: u8,
    },
    /// `CSI`, parameters and intermediates, final byte.
    Control {
        /// Everything between the introducer and the final byte, such as `?2026$`.
        body: &'a [u8],
        /// The final byte.
        last: u8,
    },
    /// An operating system command, such as `10;?`.
    Osc(&'a [u8]),
    /// A device control string, such as `$qm`.
    Dcs(&'a [u8]),
}

/// A question that one terminal, and only one, is to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A question that is never answered, such as what the clipboard holds.
    Unanswered,
    /// What kind of terminal this is (DA1, DECID).
    PrimaryAttributes,
    /// Its type and version, as numbers (DA2).
    SecondaryAttributes,
    /// Its serial number (DA3).
    TertiaryAttributes,
    /// Its name and version, as text (XTVERSION).
    Version,
    /// Its transmission parameters (DECREQTPARM).
    Parameters {
        /// Whether the program wants reports on request only.
        on_request: bool,
    },
    /// Whether it works (DSR 5).
    Status,
    /// Where the cursor is (CPR).
    CursorPosition,
    /// Where the cursor is, asked the private way (DECXCPR).
    ExtendedCursorPosition,
    /// Some other device status, by its private number: printer, user-defined keys, locator, colour scheme.
    DeviceStatus(u32),
    /// Whether a mode is set (DECRQM).
    Mode {
        /// Whether it is a DEC private mode; an ANSI mode otherwise.
        private: bool,
        /// Its number.
        number: u32,
    },
    /// How something is set (DECRQSS).
    Setting(Setting),
    /// What a window is like (XTWINOPS).
    Window(WindowReport),
    /// How keys with modifiers are sent (XTQMODKEYS of modifyOtherKeys).
    ModifyOtherKeys,
    /// What colours are (OSC 4, 10 to 12 and 17), at most [`MAX_COLORS`].
    Colors(Vec<ColorSlot>),
    /// What terminfo says (XTGETTCAP): names in hexadecimal digits, as asked, at most [`MAX_CAPABILITIES`].
    Capabilities(Vec<String>),
}

/// What can be asked for with DECRQSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Text attributes (SGR).
    Pen,
    /// Top and bottom of the scroll region (DECSTBM).
    ScrollRegion,
    /// Shape and blinking of the cursor (DECSCUSR).
    CursorStyle,
    /// Whether new text is protected from selective erase (DECSCA).
    Protection,
    /// Which terminal is emulated (DECSCL).
    Conformance,
    /// Anything else.
    Other,
}

/// What can be asked about a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowReport {
    /// Whether it is minimised.
    State,
    /// Where it is.
    Position,
    /// Its size in cells.
    Cells,
    /// The size of the screen that it is on, in cells.
    ScreenCells,
}

impl Query {
    /// The question that a sequence asks, if it asks one. An operating system command may change things too, see
    /// [`settings_in`].
    #[must_use]
    pub fn of(sequence: Sequence<'_>) -> Option<Query> {
        match sequence {
            Sequence::Escape { intermediates: b"", last: b'Z' } => Some(Query::PrimaryAttributes),
            Sequence::Escape { .. } => None,
            Sequence::Control { body, last } => of_control(body, last),
            Sequence::Osc(body) => of_osc(body),
            Sequence::Dcs(body) => of_dcs(body),
        }
    }
}

/// What remains of an operating system command when its questions are taken out: bodies of commands, in order, that
/// change what the original changed and ask nothing. For `10;red;?;blue` they are `10;red` and `12;blue`.
#[must_use]
pub fn settings_in(osc: &[u8]) -> Vec<Vec<u8>> {
    let Some((number, arguments)) = osc_parts(osc) else { return vec![osc.to_vec()] };
    match number {
        4 | 5 => {
            let set = pairs(arguments).filter(|(_, value)| !is_question(value));
            joined(number, set.map(|(index, value)| [index, b";", value].concat())).into_iter().collect()
        }
        10..=LAST_DYNAMIC => (number..=LAST_DYNAMIC)
            .zip(fields(arguments))
            .filter(|(_, value)| !is_question(value))
            .filter_map(|(number, value)| joined(number, [value.to_vec()].into_iter()))
            .collect(),
        21 => {
            let set = fields(arguments).filter(|field| !field.ends_with(b"=?")).map(<[u8]>::to_vec);
            joined(number, set).into_iter().collect()
        }
        _ if of_osc(osc).is_some() => Vec::new(),
        _ => vec![osc.to_vec()],
    }
}

/// The body of command `number` with these arguments, if there are any.
fn joined(number: u32, arguments: impl Iterator<Item = Vec<u8>>) -> Option<Vec<u8>> {
    let mut body = number.to_string().into_bytes();
    let bare = body.len();
    for argument in arguments {
        body.push(b';');
        body.extend_from_slice(&argument);
    }
    (body.len() > bare).then_some(body)
}

/// The parts of what stands between `CSI` and the final byte, or between `DCS` and its final byte.
struct Body<'a> {
    /// One of `< = > ?`.
    prefix: Option<u8>,
    /// Digits, `;` and `:`.
    params: &'a [u8],
    /// Bytes from 0x20 to 0x2f.
    intermediates: &'a [u8],
}

impl<'a> Body<'a> {
    /// Takes a body apart; what is left over comes second.
    fn parse(body: &'a [u8]) -> (Body<'a>, &'a [u8]) {
        let (prefix, rest) = match body {
            [prefix @ b'<'..=b'?', rest @ ..] => (Some(*prefix), rest),
            _ => (None, body),
        };
        let (params, rest) = rest.split_at(count_while(rest, |byte| matches!(byte, b'0'..=b';')));
        let (intermediates, rest) = rest.split_at(count_while(rest, |byte| matches!(byte, b' '..=b'/')));
        (Body { prefix, params, intermediates }, rest)
    }

    /// The first parameter; 0 if it is left out.
    fn first(&self) -> u32 {
        self.numbers().next().unwrap_or(0)
    }

    /// All parameters, sub-parameters left out.
    fn numbers(&self) -> impl Iterator<Item = u32> {
        fields(self.params).map(|field| leading_number(field).0)
    }
}

fn of_control(body: &[u8], last: u8) -> Option<Query> {
    // What moves the cursor, erases or colours is nearly all there is, so it is not taken apart.
    if matches!(last, b'A'..=b'Q') || (last == b'm' && !body.starts_with(b"?")) {
        return None;
    }
    let (body, rest) = Body::parse(body);
    if !rest.is_empty() {
        return None;
    }
    let first = body.first();
    match (body.prefix, body.intermediates, last) {
        (None, b"", b'c') => Some(if_default(first, Query::PrimaryAttributes)),
        (Some(b'>'), b"", b'c') => Some(if_default(first, Query::SecondaryAttributes)),
        (Some(b'='), b"", b'c') => Some(if_default(first, Query::TertiaryAttributes)),
        (Some(b'>'), b"", b'q') => Some(if_default(first, Query::Version)),
        (None, b"", b'n') => Some(status(first)),
        (Some(b'?'), b"", b'n') => Some(private_status(first)),
        (None, b"$", b'p') => Some(Query::Mode { private: false, number: first }),
        (Some(b'?'), b"$", b'p') => Some(Query::Mode { private: true, number: first }),
        (None, b"", b't') => window(first),
        (None, b"", b'x') => Some(parameters(first)),
        (Some(b'?'), b"", b'm') => Some(modifiers(&body)),
        _ => is_unanswered(&body, last).then_some(Query::Unanswered),
    }
}

/// Requests that some terminal answers and this product doesn't.
fn is_unanswered(body: &Body<'_>, last: u8) -> bool {
    match (body.prefix, body.intermediates, last) {
        // Kitty keyboard flags, graphics attributes (XTSMGRAPHICS), formats of keys (XTQFMTKEYS).
        (Some(b'?'), b"", b'u' | b'S' | b'g') => true,
        // Kitty's further cursors: what it supports, where they are, what they look like.
        (Some(b'>'), b" ", b'q') => matches!(body.first(), 0 | 100 | 101),
        // Checksum of an area (DECRQCRA).
        (None, b"*", b'y') => true,
        // State of the terminal (DECRQTSR), its preferred character set (DECRQUPSS), its presentation (DECRQPSR).
        (None, b"$", b'u' | b'w') | (None, b"&", b'u') => true,
        // What is displayed (DECRQDE), where the locator is (DECRQLP).
        (None, b"\"", b'v') | (None, b"'", b'|') => true,
        // Attributes of an area (XTREPORTSGR), the colour stack (XTREPORTCOLORS).
        (None, b"#", b'|' | b'R') => true,
        _ => false,
    }
}

fn if_default(first: u32, query: Query) -> Query {
    if first == 0 { query } else { Query::Unanswered }
}

fn status(number: u32) -> Query {
    match number {
        5 => Query::Status,
        6 => Query::CursorPosition,
        _ => Query::Unanswered,
    }
}

fn private_status(number: u32) -> Query {
    match number {
        6 => Query::ExtendedCursorPosition,
        _ => Query::DeviceStatus(number),
    }
}

fn window(operation: u32) -> Option<Query> {
    match operation {
        11 => Some(Query::Window(WindowReport::State)),
        13 => Some(Query::Window(WindowReport::Position)),
        18 => Some(Query::Window(WindowReport::Cells)),
        19 => Some(Query::Window(WindowReport::ScreenCells)),
        // Sizes in pixels, which differ from viewer to viewer, and titles, see `answers`.
        14..=16 | 20 | 21 => Some(Query::Unanswered),
        _ => None,
    }
}

fn parameters(number: u32) -> Query {
    match number {
        0 => Query::Parameters { on_request: false },
        1 => Query::Parameters { on_request: true },
        _ => Query::Unanswered,
    }
}

fn modifiers(body: &Body<'_>) -> Query {
    const MODIFY_OTHER_KEYS: u32 = 4;
    if body.numbers().any(|number| number == MODIFY_OTHER_KEYS) {
        Query::ModifyOtherKeys
    } else {
        Query::Unanswered
    }
}

fn of_dcs(body: &[u8]) -> Option<Query> {
    if body.starts_with(b"@kitty-cmd") {
        return Some(Query::Unanswered);
    }
    let (body, rest) = Body::parse(body);
    let (last, data) = rest.split_first()?;
    match (body.prefix, body.intermediates, last) {
        (None, b"$", b'q') => Some(Query::Setting(setting(data))),
        (None, b"+", b'q') => Some(Query::Capabilities(capabilities(data))),
        // X resources.
        (None, b"+", b'Q') => Some(Query::Unanswered),
        _ => None,
    }
}

fn setting(what: &[u8]) -> Setting {
    match what {
        b"m" => Setting::Pen,
        b"r" => Setting::ScrollRegion,
        b" q" => Setting::CursorStyle,
        b"\"q" => Setting::Protection,
        b"\"p" => Setting::Conformance,
        _ => Setting::Other,
    }
}

/// The well-formed names among those asked for. Nothing else is ever repeated in an answer: it could be a command.
fn capabilities(names: &[u8]) -> Vec<String> {
    let is_name = |name: &&[u8]| {
        (2..=MAX_CAPABILITY_DIGITS).contains(&name.len())
            && name.len().is_multiple_of(2)
            && name.iter().all(u8::is_ascii_hexdigit)
    };
    fields(names)
        .filter(is_name)
        .take(MAX_CAPABILITIES)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

fn of_osc(body: &[u8]) -> Option<Query> {
    let (number, arguments) = osc_parts(body)?;
    match number {
        // Titles, directories, links, notifications and marks: a question mark is text there.
        0..=2 | 7..=9 | 66 | 133 | 633 | 777 => None,
        4 => palette(arguments),
        5 => pairs(arguments).any(|(_, value)| is_question(value)).then_some(Query::Unanswered),
        10..=LAST_DYNAMIC => dynamic_colors(number, arguments),
        21 => fields(arguments).any(|field| field.ends_with(b"=?")).then_some(Query::Unanswered),
        // What is allowed, and what of it in detail.
        60 | 61 => Some(Query::Unanswered),
        99 => asks_about_notifications(arguments).then_some(Query::Unanswered),
        1337 => asks_iterm(arguments).then_some(Query::Unanswered),
        // Kitty's file transfer and clipboard: every command is replied to.
        5113 | 5522 => Some(Query::Unanswered),
        // The clipboard (52), the font (50), the pointer's shape (22), X properties (3) and
        // whatever other terminals made up in the same manner.
        _ => (arguments.starts_with(b"?") || fields(arguments).any(is_question)).then_some(Query::Unanswered),
    }
}

/// Number and arguments of an operating system command.
fn osc_parts(body: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = leading_number(body);
    let has_number = rest.len() < body.len();
    match rest {
        [] if has_number => Some((number, b"")),
        [b';', arguments @ ..] if has_number => Some((number, arguments)),
        _ => None,
    }
}

/// Pairs of index and colour, some of them asked for.
fn palette(arguments: &[u8]) -> Option<Query> {
    let mut asked = pairs(arguments).filter(|(_, value)| is_question(value)).peekable();
    asked.peek()?;
    let indexes = asked.filter_map(|(index, _)| match leading_number(index) {
        (number, []) if !index.is_empty() => u8::try_from(number).ok(),
        _ => None,
    });
    Some(Query::Colors(indexes.map(ColorSlot::Indexed).take(MAX_COLORS).collect()))
}

/// Colours of successive numbers, some of them asked for.
fn dynamic_colors(first: u32, arguments: &[u8]) -> Option<Query> {
    let mut asked =
        (first..=LAST_DYNAMIC).zip(fields(arguments)).filter(|(_, value)| is_question(value)).peekable();
    asked.peek()?;
    let slots = asked.filter_map(|(number, _)| ColorSlot::of_command(number));
    Some(Query::Colors(slots.take(MAX_COLORS).collect()))
}

/// Whether a kitty notification asks what is possible, or which notifications still show.
fn asks_about_notifications(arguments: &[u8]) -> bool {
    let metadata = fields(arguments).next().unwrap_or_default();
    metadata.split(|byte| *byte == b':').any(|item| matches!(item, b"p=?" | b"p=alive"))
}

fn asks_iterm(arguments: &[u8]) -> bool {
    [&b"ReportCellSize"[..], b"ReportVariable=", b"Capabilities", b"RequestUpload="]
        .iter()
        .any(|question| arguments.starts_with(question))
}

fn is_question(field: &[u8]) -> bool {
    field == b"?"
}

fn fields(arguments: &[u8]) -> impl Iterator<Item = &[u8]> {
    arguments.split(|byte| *byte == b';')
}

/// Fields two by two; one that is left over is left out.
fn pairs(arguments: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut fields = fields(arguments);
    std::iter::from_fn(move || Some((fields.next()?, fields.next()?)))
}

/// The decimal number that `bytes` start with (0 without one, the largest if it is larger), and what follows.
fn leading_number(bytes: &[u8]) -> (u32, &[u8]) {
    let (digits, rest) = bytes.split_at(count_while(bytes, u8::is_ascii_digit));
    let number = digits
        .iter()
        .fold(0_u32, |number, digit| number.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    (number, rest)
}

fn count_while(bytes: &[u8], keep: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().position(|byte| !keep(byte)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use memchr::memmem;
    use proptest::prelude::*;

    use super::*;

    /// The complete sequences in a program's output, found as simply as can be; text between them is left out.
    pub(crate) fn sequences(output: &[u8]) -> Vec<Sequence<'_>> {
        let mut rest = output;
        let mut found = Vec::new();
        while !rest.is_empty() {
            let sequence = match rest {
                [0x1b, b'[', ..] => control_sequence(rest),
                [0x1b, b']', ..] => string_sequence(rest, Sequence::Osc),
                [0x1b, b'P', ..] => string_sequence(rest, Sequence::Dcs),
                [0x1b, last, ..] => Some((Sequence::Escape { intermediates: b"", last: *last }, 2)),
                _ => None,
            };
            rest = &rest[sequence.map_or(1, |(_, length)| length)..];
            found.extend(sequence.map(|(sequence, _)| sequence));
        }
        found
    }

    fn control_sequence(output: &[u8]) -> Option<(Sequence<'_>, usize)> {
        let end = 2 + output[2..].iter().position(|byte| (b'@'..=b'~').contains(byte))?;
        Some((Sequence::Control { body: &output[2..end], last: output[end] }, end + 1))
    }

    fn string_sequence<'a>(
        output: &'a [u8],
        sequence: impl Fn(&'a [u8]) -> Sequence<'a>,
    ) -> Option<(Sequence<'a>, usize)> {
        let ends = [&b"\x1b\\"[..], b"\x07"].map(|end| Some((memmem::find(output, end)?, end.len())));
        let (end, terminator) = ends.into_iter().flatten().min()?;
        Some((sequence(&output[2..end]), end + terminator))
    }

    /// A sequence that owns its bytes.
    #[derive(Debug, Clone)]
    pub(crate) enum Owned {
        Escape(Vec<u8>, u8),
        Control(Vec<u8>, u8),
        Osc(Vec<u8>),
        Dcs(Vec<u8>),
    }

    impl Owned {
        pub(crate) fn borrowed(&self) -> Sequence<'_> {
            match self {
                Owned::Escape(intermediates, last) => Sequence::Escape { intermediates, last: *last },
                Owned::Control(body, last) => Sequence::Control { body, last: *last },
                Owned::Osc(body) => Sequence::Osc(body),
                Owned::Dcs(body) => Sequence::Dcs(body),
            }
        }
    }

    /// Bytes that often ask something.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..4),
            (0..3000_u32).prop_map(|number| number.to_string().into_bytes()),
            proptest::sample::select(vec![
                "4;", "5;", "10;", "52;", "21;", "99;p=", "?", ";", ";?", "$", "$q", "+q", "4142", "m", "=",
                ">", " ", "0",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ];
        proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    pub(crate) fn any_sequence() -> impl Strategy<Value = Owned> {
        let last = prop_oneof![any::<u8>(), proptest::sample::select(b"cnpqtxmuSywv|RgZ".to_vec())];
        (body(), last, 0..4_u8).prop_map(|(body, last, kind)| match kind {
            0 => Owned::Escape(body, last),
            1 => Owned::Control(body, last),
            2 => Owned::Osc(body),
            _ => Owned::Dcs(body),
        })
    }

    /// The queries in some output.
    fn asked(output: &str) -> Vec<Query> {
        sequences(output.as_bytes()).into_iter().filter_map(Query::of).collect()
    }

    #[test]
    fn queries_are_told_by_what_they_ask() {
        let mode = |private, number| Query::Mode { private, number };
        let colors = |slots: &[ColorSlot]| Query::Colors(slots.to_vec());
        let table: Vec<(Query, &[&str])> = vec![
            (Query::PrimaryAttributes, &["\x1bZ", "\x1b[c", "\x1b[0c", "\x1b[00;1c"]),
            (Query::SecondaryAttributes, &["\x1b[>c", "\x1b[>0c"]),
            (Query::TertiaryAttributes, &["\x1b[=c", "\x1b[=0c"]),
            (Query::Version, &["\x1b[>q", "\x1b[>0q"]),
            (Query::Parameters { on_request: true }, &["\x1b[1x"]),
            (Query::Status, &["\x1b[5n"]),
            (Query::CursorPosition, &["\x1b[6n", "\x1b[6;1n", "\x1b[06:2n"]),
            (Query::ExtendedCursorPosition, &["\x1b[?6n"]),
            (Query::DeviceStatus(996), &["\x1b[?996n"]),
            (mode(true, 2026), &["\x1b[?2026$p"]),
            (mode(false, 4), &["\x1b[4$p"]),
            (mode(false, 0), &["\x1b[$p"]),
            (Query::Setting(Setting::Pen), &["\x1bP$qm\x1b\\", "\x1bP1$qm\x1b\\"]),
            (Query::Setting(Setting::ScrollRegion), &["\x1bP$qr\x1b\\"]),
            (Query::Setting(Setting::CursorStyle), &["\x1bP$q q\x1b\\"]),
            (Query::Setting(Setting::Other), &["\x1bP$q\x1b\\", "\x1bP$qs\x1b\\", "\x1bP$q*x\x1b\\"]),
            (Query::Window(WindowReport::Cells), &["\x1b[18t", "\x1b[18;1t"]),
            (Query::ModifyOtherKeys, &["\x1b[?4m", "\x1b[?0;4m"]),
            (Query::Capabilities(vec!["544e".into()]), &["\x1bP+q544e\x1b\\", "\x1bP+qx;544e;5\x1b\\"]),
            (
                colors(&[ColorSlot::Indexed(7)]),
                &["\x1b]4;7;?\x07", "\x1b]004;007;?\x07", "\x1b]4;1;red;7;?;1\x07"],
            ),
            (colors(&[]), &["\x1b]4;256;?\x07", "\x1b]4;+5;?\x07", "\x1b]4;;?\x07", "\x1b]13;?\x07"]),
            (colors(&[ColorSlot::Foreground, ColorSlot::Cursor]), &["\x1b]10;?;red;?\x1b\\"]),
        ];
        for (query, outputs) in table {
            for output in outputs {
                assert_eq!(asked(output), std::slice::from_ref(&query), "{output:?}");
            }
        }
    }

    #[test]
    fn what_is_never_answered_is_recognised_too() {
        let output = "\x1b[1c\x1b[>1c\x1b[>1q\x1b[7n\x1b[14t\x1b[14;2t\x1b[15t\x1b[16t\x1b[20t\x1b[21t\x1b[2x\x1b[?1m\
            \x1b[?u\x1b[?1;1;0S\x1b[?1g\x1b[> q\x1b[>100 q\x1b[1;1;1;1;9;9*y\x1b[1$u\x1b[1$w\x1b[&u\x1b[\"v\x1b['|\
            \x1b[1;1;2;2#|\x1b[#R\x1bP+Q41\x1b\\\x1bP@kitty-cmd{}\x1b\\\
            \x1b]3;?WM\x07\x1b]5;0;?\x07\x1b]21;foreground=?\x07\x1b]22;?__current__\x07\x1b]50;?\x07\x1b]50;?1\x07\
            \x1b]52;c;?\x07\x1b]52;;?\x07\x1b]60\x07\x1b]99;i=1:p=?;\x07\x1b]99;p=alive;\x07\x1b]702;?\x07\
            \x1b]1337;ReportCellSize\x07\x1b]5522;type=read\x07";
        let queries = sequences(output.as_bytes());
        assert_eq!(queries.len(), output.matches('\x1b').count() - output.matches("\x1b\\").count());
        for query in queries {
            assert_eq!(Query::of(query), Some(Query::Unanswered), "{query:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_question_is_none() {
        let output = "\x1bc\x1b[?1c\x1b[>4n\x1b[2;1t\x1b[8;24;80t\x1b[22;0t\x1b[>1t\x1b[4m\x1b[>4;2m\x1b[u\x1b[>1u\x1b[=1u\
            \x1b[<u\x1b[3S\x1b[2 q\x1b[1\"q\x1b[>29;2:1:1 q\x1b[!p\x1b[61;1\"p\x1b[*x\x1b[1;2;3;4$x\x1b[6?n\x1b[6 n\x1b[$6n\
            \x1bPq#0~\x1b\\\x1bP>$qm\x1b\\\x1bP\x1b\\\
            \x1b]0;what?;?\x07\x1b]2;?\x07\x1b]8;;?\x07\x1b]9;?\x07\x1b]99;;?\x07\x1b]133;A;?\x07\x1b]777;notify;?;?\x07\
            \x1b]4;1;red\x07\x1b]4;?;red\x07\x1b]10\x07\x1b]10;red\x07\x1b]19;red;?\x07\x1b]21;foreground=red\x07\
            \x1b]52;c;aGk=\x07\x1b]104;1\x07\x1b]1337;File=inline=1:\x07\x1b]x;?\x07\x1b];?\x07";
        for sequence in sequences(output.as_bytes()) {
            assert_eq!(Query::of(sequence), None, "{sequence:?}");
        }
    }

    #[test]
    fn a_command_that_asks_and_sets_is_split() {
        for (command, settings) in [
            ("10;?", &[][..]),
            ("10;red;?;blue", &["10;red", "12;blue"]),
            ("10;?;red", &["11;red"]),
            ("4;1;?;2;red;3;?;4;blue", &["4;2;red;4;blue"]),
            ("4;1;?", &[]),
            ("5;0;?;1;red", &["5;1;red"]),
            ("21;foreground=?;background=red", &["21;background=red"]),
            ("52;c;?", &[]),
            ("2;?", &["2;?"]),
            ("x", &["x"]),
            // What comes after the last colour must not become a command of its own.
            ("19;?;red;blue", &[]),
        ] {
            let split = settings_in(command.as_bytes());
            assert_eq!(
                split,
                settings.iter().map(|setting| setting.as_bytes()).collect::<Vec<_>>(),
                "{command}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_remains_of_a_command_asks_nothing(osc in body()) {
            for setting in settings_in(&osc) {
                prop_assert_eq!(Query::of(Sequence::Osc(&setting)), None);
            }
        }

        #[test]
        fn any_sequence_asks_for_a_bounded_number_of_things(sequence in any_sequence()) {
            match Query::of(sequence.borrowed()) {
                Some(Query::Colors(slots)) => prop_assert!(slots.len() <= MAX_COLORS),
                Some(Query::Capabilities(names)) => prop_assert!(names.len() <= MAX_CAPABILITIES),
                _ => {}
            }
        }
    }
}
