//! What every byte that a program prints passes before anybody sees it. What comes out is *clean output*: whole
//! characters and whole sequences, nothing that a viewer's terminal would answer, nothing that keeps it busy. What
//! goes by says which modes are on and what the program tells about itself. Runs at memory speed: text is skipped,
//! and a piece in which nothing changes is not copied.

mod characters;
mod command;
mod control;
mod edit;
mod event;
mod notices;
#[cfg(test)]
mod properties;
mod strings;
mod succession;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use memchr::memchr3;

use self::characters::Next;
use self::control::{MAX_INTERMEDIATES, Plain};
use self::edit::{Clean, Edit};
pub use self::event::{Event, Progress};
use self::notices::Notices;
pub use self::strings::HOLD_LIMIT;
use self::strings::{Command, End, Kind};
use super::log::OutputBuf;
use super::modes::Modes;
use crate::screen::query::{Query, Sequence, settings_in};

/// How far to look for the next control in a plain loop, in bytes.
const NEAR: usize = 16;

const ENQ: u8 = 0x05;
const BEL: u8 = 0x07;
const SO: u8 = 0x0e;
const SI: u8 = 0x0f;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;
const DEL: u8 = 0x7f;

/// The first byte of all C1 controls, and of other characters.
const C1_LEAD: u8 = 0xc2;

/// Where in a sequence the stream is, beyond what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// Nowhere special.
    #[default]
    Ground,
    /// In an escape or control sequence that is left out, until a byte from `last_from` on ends it.
    DroppedSequence { last_from: u8 },
    /// In a string that is left out.
    DroppedString(Kind),
    /// In a string that passes as it comes, for at most `left` more bytes.
    PassedString { kind: Kind, left: usize },
}

/// Follows the output of one pane. Cutting the output into other pieces changes nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    state: State,
    /// The end of the output so far, if it may be the beginning of a sequence or character. Without control
    /// characters that a sequence holds: those have come out.
    held: Vec<u8>,
    /// Whether that is just as it was printed.
    held_as_printed: bool,
    /// Whether something was left out after the last byte of clean output.
    parted: bool,
    modes: Modes,
    notices: Notices,
}

impl Filter {
    /// A filter at the start of a pane's output, with the terminal freshly reset.
    #[must_use]
    pub fn new() -> Filter {
        Filter::default()
    }

    /// The modes as all clean output so far has set them.
    #[must_use]
    pub fn modes(&self) -> &Modes {
        &self.modes
    }

    /// Whether the clean output so far ends inside a long string, so that a terminal that begins here would take
    /// the rest of it for text. Otherwise it ends between sequences and between characters.
    #[must_use]
    pub fn passing(&self) -> bool {
        matches!(self.state, State::PassedString { .. })
    }

    /// Takes the next piece of output and returns the clean output that is complete with it. Events come in order,
    /// each with how much of that clean output comes before it takes effect.
    pub fn feed(&mut self, output: OutputBuf, on_event: &mut dyn FnMut(usize, Event)) -> OutputBuf {
        let held = self.held.len();
        let mut output = self.after_held(output);
        let payload = output.payload();
        let mut run = Run { filter: self, bytes: payload, held, at: 0, edit: Edit::new(payload), on_event };
        run.all();
        match run.edit.finish() {
            Clean::Changed(changed) => changed,
            Clean::Start(length) => {
                output.truncate(length);
                output
            }
        }
    }

    /// The program died: drops what is held and returns what ends the long string that the clean output ends in,
    /// if it does.
    pub fn end(&mut self) -> &'static [u8] {
        self.held = Vec::new();
        let passing = self.passing();
        self.state = State::Ground;
        if passing { &[CAN] } else { &[] }
    }

    fn after_held(&mut self, output: OutputBuf) -> OutputBuf {
        if self.held.is_empty() {
            return output;
        }
        let mut joined = OutputBuf::with_capacity(self.held.len() + output.payload().len());
        joined.push(&std::mem::take(&mut self.held));
        joined.push(output.payload());
        joined
    }
}

/// One piece on its way through the filter.
struct Run<'a> {
    filter: &'a mut Filter,
    /// What was held, and the piece.
    bytes: &'a [u8],
    /// How much of that was held.
    held: usize,
    /// How much of `bytes` is done with.
    at: usize,
    edit: Edit<'a>,
    on_event: &'a mut dyn FnMut(usize, Event),
}

/// A sequence in `Run::bytes`.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
    /// Whether what stands there is to be as it is: not so with controls in it or with an eight-bit introducer.
    exact: bool,
}

impl Run<'_> {
    fn all(&mut self) {
        while self.at < self.bytes.len() {
            match self.filter.state {
                State::Ground => self.ground(),
                State::DroppedSequence { last_from } => self.dropped_sequence(last_from),
                State::DroppedString(kind) => self.dropped_string(kind),
                State::PassedString { kind, left } => self.passed_string(kind, left),
            }
        }
    }

    /// Skips text up to a control, and takes that.
    fn ground(&mut self) {
        while self.filter.state == State::Ground && self.at < self.bytes.len() {
            if self.filter.parted {
                self.drop_stray();
            }
            let Some(skipped) = find_control(&self.bytes[self.at..]) else {
                let torn = characters::unfinished(self.bytes);
                return self.hold(&[], self.bytes.len() - torn, self.bytes.len() - torn);
            };
            let at = self.at + skipped;
            let next = self.bytes.get(at + 1).copied();
            match (self.bytes[at], next) {
                (ESC, Some(b'[')) => match Plain::parse(&self.bytes[at + 2..]) {
                    // Nearly all that is found are control sequences of this kind.
                    Some(plain) if plain.is_harmless() => {
                        self.filter.modes.control(plain.body, plain.last);
                        self.at = at + plain.body.len() + 3;
                    }
                    _ => self.sequence(at),
                },
                (C1_LEAD, None) => return self.hold(&[], at, at),
                (C1_LEAD, Some(0x80..=0x9f)) | (ESC, _) => self.sequence(at),
                (C1_LEAD, _) => self.at = at + 1,
                // Some terminals answer it with a text of their own.
                (ENQ, _) => self.cut(at, at + 1),
                (byte, _) => {
                    self.execute(byte, at + 1);
                    self.at = at + 1;
                }
            }
        }
    }

    /// Leaves out the rest of a character that follows something left out. No terminal shows it where it stands, but
    /// with the beginning of a character in front of what is gone it could be one, a C1 control even.
    fn drop_stray(&mut self) {
        let stray = self.bytes[self.at..].iter().take_while(|byte| matches!(byte, 0x80..=0xbf)).count();
        if stray > 0 {
            self.edit.cut(self.at, self.at + stray);
            self.at += stray;
        }
        self.filter.parted = self.at == self.bytes.len();
    }

    /// Takes the sequence that begins at `start`, with ESC or a C1 control.
    fn sequence(&mut self, start: usize) {
        let exact = self.bytes[start] == ESC;
        let (first, body) = match self.bytes.get(start + 1) {
            Some(byte) if exact => (*byte, start + 2),
            Some(byte) => (byte - 0x40, start + 2),
            None => return self.hold(&[], start, start),
        };
        if let Some(kind) = Kind::introduced_by(first) {
            return self.string(kind, Place { start, end: body, exact });
        }
        match first {
            b'[' => match Plain::parse(&self.bytes[body..]) {
                Some(Plain { body: text, last, modest }) => {
                    let place = Place { start, end: body + text.len() + 1, exact };
                    self.control(place, text, last, modest);
                }
                None => self.disturbed(start, vec![ESC, first], body),
            },
            b'0'..=b'~' => self.escape(Place { start, end: body, exact }, &[], first),
            _ => match self.bytes.get(body) {
                Some(last @ b'0'..=b'~') if matches!(first, b' '..=b'/') => {
                    self.escape(Place { start, end: body + 1, exact }, &[first], *last);
                }
                _ => self.disturbed(start, vec![ESC], start + 1),
            },
        }
    }

    /// Takes an escape or control sequence byte by byte: one that is not whole, that holds other controls, or that
    /// is malformed. Of the one at `start`, `sequence` has been read, up to `at`.
    fn disturbed(&mut self, start: usize, mut sequence: Vec<u8>, mut at: usize) {
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                ESC => return self.cut(start, at),
                CAN | SUB => return self.cut(start, at + 1),
                0..=0x1f => {
                    self.move_out(start, at);
                    at += 1;
                }
                DEL => at += 1,
                0x80.. => match characters::next(&self.bytes[at..]) {
                    Next::Broken(length) => at += length,
                    Next::C1(_) => return self.cut(start, at),
                    Next::Character(length) => return self.cut(start, at + length),
                    Next::Prefix => break,
                },
                _ => match next_step(&sequence, byte) {
                    Step::Goes => {
                        sequence.push(byte);
                        at += 1;
                    }
                    Step::Ends => return self.finish_disturbed(start, &sequence, at),
                    Step::Malformed { last_from } => {
                        self.filter.state = State::DroppedSequence { last_from };
                        return self.cut(start, at);
                    }
                },
            }
        }
        self.hold(&sequence, start, at);
    }

    /// The byte at `at` ends such a sequence, or begins a string.
    fn finish_disturbed(&mut self, start: usize, sequence: &[u8], at: usize) {
        let place = Place { start, end: at + 1, exact: false };
        let last = self.bytes[at];
        match (&sequence[1..], Kind::introduced_by(last)) {
            ([], Some(kind)) => self.string(kind, place),
            ([b'[', body @ ..], _) => self.control(place, body, last, false),
            (intermediates, _) => self.escape(place, intermediates, last),
        }
    }

    /// Lets the control character at `at` out of the sequence that begins at `start`: it takes effect at once.
    fn move_out(&mut self, start: usize, at: usize) {
        self.edit.cut(start, at + 1);
        let byte = self.bytes[at];
        if byte != ENQ {
            self.insert(at + 1, &[byte]);
            self.execute(byte, at + 1);
        }
    }

    /// Leaves out what is malformed, but for the control characters in it.
    fn dropped_sequence(&mut self, last_from: u8) {
        let start = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            let used = match byte {
                ESC => 0,
                0..=0x1f if !matches!(byte, CAN | SUB) => {
                    self.move_out(start, self.at);
                    self.at += 1;
                    continue;
                }
                0x80.. => match characters::next(&self.bytes[self.at..]) {
                    Next::C1(_) => 0,
                    Next::Broken(length) | Next::Character(length) => {
                        self.at += length;
                        continue;
                    }
                    Next::Prefix => return self.hold(&[], start, self.at),
                },
                _ if byte < DEL && byte < last_from && byte >= b' ' || byte == DEL => {
                    self.at += 1;
                    continue;
                }
                _ => 1,
            };
            self.filter.state = State::Ground;
            return self.cut(start, self.at + used);
        }
        self.cut(start, self.at);
    }

    fn escape(&mut self, place: Place, intermediates: &[u8], last: u8) {
        if let Some(query) = Query::of(Sequence::Escape { intermediates, last }) {
            return self.ask(place, query);
        }
        // It would end UTF-8, in the terminals that know it.
        if (intermediates, last) == (b"%", b'@') {
            return self.cut(place.start, place.end);
        }
        if intermediates.len() < 2 {
            self.filter.modes.escape(intermediates.first().copied(), last);
        }
        self.keep(place, &[&[ESC], intermediates, &[last]]);
    }

    /// `modest` says that no limit is exceeded.
    fn control(&mut self, place: Place, body: &[u8], last: u8, modest: bool) {
        if !modest && control::too_many_params(body) {
            return self.cut(place.start, place.end);
        }
        if let Some(query) = Query::of(Sequence::Control { body, last }) {
            return self.ask(place, query);
        }
        if control::changes_window(body, last) {
            return self.cut(place.start, place.end);
        }
        let clamped = if modest { None } else { control::clamped(body, last) };
        let exact = place.exact && clamped.is_none();
        let body = clamped.as_deref().unwrap_or(body);
        self.filter.modes.control(body, last);
        self.keep(Place { exact, ..place }, &[b"\x1b[", body, &[last]]);
    }

    /// Takes the string whose introducer is at `introducer`.
    fn string(&mut self, kind: Kind, introducer: Place) {
        let Place { start, end: body, exact } = introducer;
        let text = &self.bytes[body..];
        match kind.end_in(text, HOLD_LIMIT) {
            Some((length, end @ (End::Bell | End::Terminator))) => {
                let terminator: &[u8] = if end == End::Bell { &[BEL] } else { b"\x1b\\" };
                let exact = exact && text[length..].starts_with(terminator);
                let place = Place { start, end: body + length + if end == End::Bell { 1 } else { 2 }, exact };
                self.whole_string(kind, place, &text[..length], terminator);
            }
            Some((length, End::Cancelled)) => self.cut(start, body + length + 1),
            // Terminals differ on what such a string does.
            Some((length, End::CutOff)) => self.cut(start, body + length),
            Some((_, End::Undecided)) => self.hold(&kind.introducer(), start, body),
            None if text.len() <= HOLD_LIMIT => self.hold(&kind.introducer(), start, body),
            None => self.long_string(kind, introducer),
        }
    }

    fn long_string(&mut self, kind: Kind, introducer: Place) {
        let body = introducer.end;
        match kind.max_length(&self.bytes[body..=body + HOLD_LIMIT]) {
            Some(left) => {
                self.filter.state = State::PassedString { kind, left };
                self.keep(introducer, &[&kind.introducer()]);
            }
            None => {
                self.filter.state = State::DroppedString(kind);
                self.cut(introducer.start, body);
            }
        }
    }

    fn whole_string(&mut self, kind: Kind, place: Place, text: &[u8], terminator: &[u8]) {
        let query = match kind {
            Kind::Osc => return self.command(place, text, terminator),
            Kind::Dcs => Query::of(Sequence::Dcs(text)),
            Kind::Apc => strings::asks_for_graphics(text).then_some(Query::Unanswered),
            Kind::Pm | Kind::Sos => None,
        };
        let malformed = kind == Kind::Dcs && strings::device_control(text).is_none();
        match query {
            _ if malformed || !kind.may_hold(text) => self.cut(place.start, place.end),
            Some(query) => self.ask(place, query),
            None => self.keep(place, &[&kind.introducer(), text, terminator]),
        }
    }

    /// Takes an operating system command.
    fn command(&mut self, place: Place, text: &[u8], terminator: &[u8]) {
        let mut exact = place.exact;
        let mut text = Cow::Borrowed(text);
        if let Some(without) = characters::without_noise(&text) {
            (text, exact) = (Cow::Owned(without), false);
        }
        let text = match Command::parse(&text) {
            Command::Absurd => return self.cut(place.start, place.end),
            Command::Other => &text[..],
            Command::Numbered { zeros, .. } => {
                exact &= zeros == 0;
                &text[zeros..]
            }
        };
        if let Some(query) = Query::of(Sequence::Osc(text)) {
            self.ask(place, query);
            for setting in settings_in(text) {
                self.insert(place.end, &[b"\x1b]", &setting[..], terminator].concat());
            }
            return;
        }
        self.keep(Place { exact, ..place }, &[b"\x1b]", text, terminator]);
        if let Command::Numbered { number, arguments, .. } = Command::parse(text) {
            self.follow_command(number, arguments, place.end);
        }
    }

    fn follow_command(&mut self, number: u32, arguments: &[u8], end: usize) {
        if number == 8 {
            if let Some((_, target)) = command::split_once(arguments, b';') {
                self.filter.modes.hyperlink = !target.is_empty();
            }
        } else if let Some(event) = command::event_of(number, arguments, &mut self.filter.notices) {
            (self.on_event)(self.edit.offset(end), event);
        }
    }

    /// Lets a long string pass, up to its end or to where it is too long.
    fn passed_string(&mut self, kind: Kind, left: usize) {
        let rest = &self.bytes[self.at..];
        let end = kind.end_in(rest, left);
        let length = end.map_or(rest.len().min(left), |(length, _)| length);
        let text = &rest[..length];
        if !kind.may_hold(text) {
            let good = text.iter().take_while(|byte| byte.is_ascii()).count();
            return self.cut_short(self.at + good, State::DroppedString(kind));
        }
        let text_end = self.at + length;
        match end {
            Some((_, End::Bell | End::Cancelled)) => {
                self.at = text_end + 1;
                self.filter.state = State::Ground;
            }
            Some((_, End::Terminator)) => {
                let exact = self.bytes[text_end] == ESC;
                self.filter.state = State::Ground;
                self.keep(Place { start: text_end, end: text_end + 2, exact }, &[b"\x1b\\"]);
            }
            Some((_, End::CutOff)) => self.cut_short(text_end, State::Ground),
            Some((_, End::Undecided)) => {
                self.filter.state = State::PassedString { kind, left: left - length };
                self.hold(&[], text_end, text_end);
            }
            None if rest.len() > left => self.cut_short(text_end, State::DroppedString(kind)),
            None => {
                self.filter.state = State::PassedString { kind, left: left - length };
                self.at = text_end;
            }
        }
    }

    /// Ends a string that passes before `at`.
    fn cut_short(&mut self, at: usize, state: State) {
        self.insert(at, &[CAN]);
        self.filter.state = state;
        self.at = at;
    }

    fn dropped_string(&mut self, kind: Kind) {
        let rest = &self.bytes[self.at..];
        let start = self.at;
        let (length, end) = match kind.end_in(rest, usize::MAX) {
            Some((length, End::Undecided)) => return self.hold(&[], start, start + length),
            Some((length, End::Terminator)) => (length + 2, State::Ground),
            Some((length, End::Bell | End::Cancelled)) => (length + 1, State::Ground),
            Some((length, End::CutOff)) => (length, State::Ground),
            None => (rest.len(), self.filter.state),
        };
        self.filter.state = end;
        self.cut(start, start + length);
    }

    /// A control character takes effect; `end` is where it ends.
    fn execute(&mut self, byte: u8, end: usize) {
        match byte {
            BEL => (self.on_event)(self.edit.offset(end), Event::Bell),
            SO => self.filter.modes.shifted_out = true,
            SI => self.filter.modes.shifted_out = false,
            _ => {}
        }
    }

    /// Takes a query out and tells of it.
    fn ask(&mut self, place: Place, query: Query) {
        self.cut(place.start, place.end);
        (self.on_event)(self.edit.offset(place.end), Event::Query(query));
    }

    /// Lets a sequence through, of these `parts` if it is not exact as it stands.
    fn keep(&mut self, place: Place, parts: &[&[u8]]) {
        if !place.exact {
            self.edit.cut(place.start, place.end);
            self.insert(place.end, &parts.concat());
        }
        self.filter.parted = false;
        self.at = place.end;
    }

    /// Leaves out everything from `start` to `end` that is not settled.
    fn cut(&mut self, start: usize, end: usize) {
        self.edit.cut(start, end);
        self.at = end;
        self.filter.parted = true;
    }

    /// Puts `bytes` in front of what stands at `at`.
    fn insert(&mut self, at: usize, bytes: &[u8]) {
        self.edit.insert(at, bytes);
        self.filter.parted = false;
    }

    /// Holds `sequence` and what follows from `at` on back; in `bytes`, that begins at `start`.
    fn hold(&mut self, sequence: &[u8], start: usize, at: usize) {
        let held = [sequence, &self.bytes[at..]].concat();
        let before = start >= self.held || self.filter.held_as_printed;
        self.filter.held_as_printed = before && held == self.bytes[start..];
        self.filter.held = held;
        self.edit.end_at(start);
        self.at = self.bytes.len();
    }
}

/// What a printable byte does in an escape or control sequence.
enum Step {
    /// It is part of it.
    Goes,
    /// It ends it, or makes it a string.
    Ends,
    /// It can't be there; what follows is no text until a byte from `last_from` on.
    Malformed { last_from: u8 },
}

/// What `byte` does after `sequence`, which begins with ESC.
fn next_step(sequence: &[u8], byte: u8) -> Step {
    match (&sequence[1..], byte) {
        ([], b'[') => Step::Goes,
        ([b'[', ..], b'@'..) => Step::Ends,
        ([b'[', body @ ..], _) if control::accepts(body, byte) => Step::Goes,
        ([b'[', ..], _) => Step::Malformed { last_from: b'@' },
        (_, b'0'..) => Step::Ends,
        (intermediates, _) if intermediates.len() < MAX_INTERMEDIATES => Step::Goes,
        _ => Step::Malformed { last_from: b'0' },
    }
}

/// The first byte that is not simply text: ESC, a control character that matters here, or what may begin a C1
/// control. In coloured output the next one is near, where a plain loop beats the start of a vectorised search.
#[inline]
fn find_control(bytes: &[u8]) -> Option<usize> {
    let (near, far) = bytes.split_at(bytes.len().min(NEAR));
    let matters = |byte: &u8| matches!(*byte, ESC | BEL | SO | SI | ENQ | C1_LEAD);
    near.iter().position(matters).or_else(|| {
        // Three can be searched for at once; those that nearly never come, only up to the first of the others.
        let found = memchr3(ESC, BEL, C1_LEAD, far);
        let rarer = memchr3(SO, SI, ENQ, &far[..found.unwrap_or(far.len())]);
        Some(NEAR + rarer.or(found)?)
    })
}
