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
mod tests;
