//! Operating system commands that say something about the program.

use memchr::memchr;

use super::event::{BODY_LIMIT, Event, Progress, TITLE_LIMIT, sanitised};
use super::notices::Notices;

/// What command `number` with these arguments says. `notices` holds notifications that come in parts.
pub(super) fn event_of(number: u32, arguments: &[u8], notices: &mut Notices) -> Option<Event> {
    match number {
        0 | 2 => Some(Event::Title(sanitised(arguments, TITLE_LIMIT))),
        7 => directory(&percent_decoded(file_url_path(arguments)?)),
        9 => conemu_or_notification(arguments),
        99 => notices.take(arguments),
        133 | 633 => mark(number, arguments),
        777 => notification(arguments.strip_prefix(b"notify;")?),
        1337 => directory(arguments.strip_prefix(b"CurrentDir=")?),
        _ => None,
    }
}

/// OSC 9 is ConEmu's, whose commands have a small number in front, and iTerm's, which is a text to show.
fn conemu_or_notification(text: &[u8]) -> Option<Event> {
    let (command, arguments) = split_once(text, b';').unwrap_or((text, b""));
    match command {
        b"4" => progress(arguments).map(Event::Progress),
        b"9" => directory(unquoted(arguments)),
        [b'0'..=b'9'] | [b'1', b'0'..=b'9'] => None,
        _ => {
            let body = sanitised(text, BODY_LIMIT);
            (!body.is_empty()).then(|| Event::Notification { title: String::new(), body })
        }
    }
}

fn progress(arguments: &[u8]) -> Option<Progress> {
    let mut fields = arguments.split(|byte| *byte == b';');
    let state = fields.next()?;
    let percent = fields.next().and_then(number).map(|percent: u32| percent.min(100) as u8);
    Some(match state {
        b"0" => Progress::None,
        b"1" => Progress::Normal { percent: percent.unwrap_or(0) },
        b"2" => Progress::Error { percent },
        b"3" => Progress::Indeterminate,
        b"4" => Progress::Paused { percent },
        _ => return None,
    })
}

/// `title;body`.
fn notification(text: &[u8]) -> Option<Event> {
    let (title, body) = split_once(text, b';').unwrap_or((text, b""));
    let (title, body) = (sanitised(title, TITLE_LIMIT), sanitised(body, BODY_LIMIT));
    (!title.is_empty() || !body.is_empty()).then_some(Event::Notification { title, body })
}

/// A mark of shell integration, such as `A` or `D;1`; what follows the parts in use is for others.
fn mark(command: u32, text: &[u8]) -> Option<Event> {
    let mut parts = text.split(|byte| *byte == b';');
    match parts.next()? {
        b"A" => Some(Event::PromptStart),
        b"B" => Some(Event::PromptEnd),
        b"C" => Some(Event::CommandStart),
        b"D" => Some(Event::CommandEnd { exit: parts.next().and_then(number) }),
        b"E" if command == 633 => Some(Event::CommandLine(sanitised(&unescaped(parts.next()?), BODY_LIMIT))),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// A directory to start a shell in: an absolute path that can be handed to the system.
fn directory(path: &[u8]) -> Option<Event> {
    let path = str::from_utf8(path).ok()?;
    (path.starts_with('/') && !path.contains('\0')).then(|| Event::WorkingDirectory(path.to_owned()))
}

/// The path of `file://host/path`, still encoded.
fn file_url_path(url: &[u8]) -> Option<&[u8]> {
    let rest = url.strip_prefix(b"file://")?;
    Some(&rest[memchr(b'/', rest)?..])
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    decoded(text, |rest| match rest {
        [b'%', high, low, ..] => Some((hex_byte(*high, *low)?, 3)),
        _ => None,
    })
}

/// A command line as VS Code's shell integration writes it: `\\` and `\x3b`.
fn unescaped(text: &[u8]) -> Vec<u8> {
    decoded(text, |rest| match rest {
        [b'\\', b'\\', ..] => Some((b'\\', 2)),
        [b'\\', b'x', high, low, ..] => Some((hex_byte(*high, *low)?, 4)),
        _ => None,
    })
}

/// Replaces what `escape` knows, as a byte and how many bytes stood for it; the rest stays.
fn decoded(text: &[u8], escape: impl Fn(&[u8]) -> Option<(u8, usize)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, ..] = rest {
        let (byte, used) = escape(rest).unwrap_or((*first, 1));
        out.push(byte);
        rest = &rest[used..];
    }
    out
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

/// ConEmu's form of a path may be in quotes.
fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(text)
}

pub(super) fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr(separator, text)?;
    Some((&text[..at], &text[at + 1..]))
}
