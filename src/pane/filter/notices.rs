//! Notifications in kitty's form (OSC 99), which come in parts.

use std::collections::VecDeque;

use super::command::split_once;
use super::event::{BODY_LIMIT, Event, TITLE_LIMIT, sanitised};

/// How many notifications may be incomplete at a time; one more drops the oldest.
const MAX_PENDING: usize = 4;

/// The longest id that is told from others, in bytes.
const ID_LIMIT: usize = 64;

/// A character's bytes.
const CHARACTER: usize = 4;

/// A notification of which parts are to come.
#[derive(Debug, Clone, Default)]
struct Pending {
    id: Vec<u8>,
    title: Vec<u8>,
    body: Vec<u8>,
}

/// The notifications that are not complete yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Notices {
    pending: VecDeque<Pending>,
}

/// What stands before the text of a part: `i=1:d=0:p=body`.
#[derive(Debug, Default)]
struct Metadata<'a> {
    id: &'a [u8],
    payload: Payload,
    goes_on: bool,
    encoded: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Payload {
    #[default]
    Title,
    Body,
    /// An icon, a button or the like.
    Other,
    /// A command about a notification that shows.
    Command,
}

impl<'a> Metadata<'a> {
    fn parse(text: &'a [u8]) -> Self {
        let mut metadata = Self::default();
        for item in text.split(|byte| *byte == b':') {
            match split_once(item, b'=') {
                Some((b"i", id)) => metadata.id = &id[..id.len().min(ID_LIMIT)],
                Some((b"d", done)) => metadata.goes_on = done == b"0",
                Some((b"e", encoded)) => metadata.encoded = encoded == b"1",
                Some((b"p", b"title")) => metadata.payload = Payload::Title,
                Some((b"p", b"body")) => metadata.payload = Payload::Body,
                Some((b"p", b"close" | b"alive" | b"?")) => metadata.payload = Payload::Command,
                Some((b"p", _)) => metadata.payload = Payload::Other,
                _ => {}
            }
        }
        metadata
    }
}

impl Notices {
    /// Takes the next part: `metadata;text`. The whole notification, if this is its last one.
    pub(super) fn take(&mut self, arguments: &[u8]) -> Option<Event> {
        let (metadata, text) = split_once(arguments, b';')?;
        let metadata = Metadata::parse(metadata);
        if metadata.payload == Payload::Command {
            return None;
        }
        let decoded;
        let text = if metadata.encoded {
            decoded = base64_decoded(text)?;
            &decoded[..]
        } else {
            text
        };
        let mut notice = self.remove(metadata.id);
        match metadata.payload {
            Payload::Title => append(&mut notice.title, text, CHARACTER * TITLE_LIMIT),
            Payload::Body => append(&mut notice.body, text, CHARACTER * BODY_LIMIT),
            Payload::Other | Payload::Command => {}
        }
        if metadata.goes_on {
            self.keep(notice);
            return None;
        }
        let title = sanitised(&notice.title, TITLE_LIMIT);
        let body = sanitised(&notice.body, BODY_LIMIT);
        (!title.is_empty() || !body.is_empty()).then_some(Event::Notification { title, body })
    }

    fn remove(&mut self, id: &[u8]) -> Pending {
        let known = self.pending.iter().position(|pending| pending.id == id);
        known
            .and_then(|known| self.pending.remove(known))
            .unwrap_or_else(|| Pending { id: id.to_vec(), ..Pending::default() })
    }

    fn keep(&mut self, notice: Pending) {
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(notice);
    }

    /// How many bytes are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        let sizes =
            |pending: &Pending| pending.id.capacity() + pending.title.capacity() + pending.body.capacity();
        self.pending.iter().map(sizes).sum()
    }
}

fn append(text: &mut Vec<u8>, more: &[u8], limit: usize) {
    let room = limit - text.len();
    text.extend_from_slice(&more[..more.len().min(room)]);
}

/// The bytes that base64 `text` stands for, padded or not; `None` if it is none.
fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for digit in &text[..text.len() - padding] {
        bits = bits << 6 | base64_digit(*digit)?;
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(decoded)
}

fn base64_digit(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notified(title: &str, body: &str) -> Option<Event> {
        Some(Event::Notification { title: title.to_owned(), body: body.to_owned() })
    }

    fn taken(parts: &[&str]) -> Vec<Option<Event>> {
        let mut notices = Notices::default();
        parts.iter().map(|part| notices.take(part.as_bytes())).collect()
    }

    #[test]
    fn a_notification_may_come_in_parts() {
        assert_eq!(taken(&[";Hello"]), [notified("Hello", "")]);
        assert_eq!(taken(&["i=1:d=0;Hel", "i=1:d=0;lo", "i=1:p=body;you"])[2], notified("Hello", "you"));
        assert_eq!(
            taken(&["i=1:d=0;one", "i=2;two", "i=1:p=body;1"])[1..],
            [notified("two", ""), notified("one", "1")]
        );
        assert_eq!(taken(&["i=1:d=0;x", "i=1:p=icon;AAAA"])[1], notified("x", ""));
        for none in ["i=1:p=close;", "i=1:p=?;", "no semicolon", ";", "i=1:d=0;x", "e=1;*"] {
            assert_eq!(taken(&[none]), [None], "{none}");
        }
    }

    #[test]
    fn texts_may_be_encoded() {
        assert_eq!(taken(&["e=1;SGVsbG8="]), [notified("Hello", "")]);
        assert_eq!(taken(&["e=1:p=body;YQpiG2M"]), [notified("", "a bc")]);
        // A character that is cut in two.
        assert_eq!(taken(&["e=1:d=0;ww", "e=1;qQ=="])[1], notified("é", ""));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut notices = Notices::default();
        for number in 0..1000 {
            let text = "x".repeat(4000);
            assert_eq!(notices.take(format!("i={}:d=0:p=body;{text}", number % 7).as_bytes()), None);
            assert_eq!(notices.take(format!("i={}{text}:d=0;{text}", number % 7).as_bytes()), None);
        }
        assert!(notices.kept() <= MAX_PENDING * 2 * (ID_LIMIT + CHARACTER * (TITLE_LIMIT + BODY_LIMIT)));
        let event = notices.take(b"i=6:p=body;y");
        assert!(matches!(event, Some(Event::Notification { body, .. }) if body.len() <= BODY_LIMIT));
    }
}
