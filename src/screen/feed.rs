//! Output taken apart: text, controls, sequences, strings.
//!
//! Nearly all output is text, which is found in runs and written a row at a time; sequences go through vte's parser.
//! Strings are handled here, since most mean nothing to a screen and may be of any length.

use memchr::{memchr, memchr3};
use vte::Parser;

use super::dispatch::Performer;
use super::terminal::Terminal;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;

/// A string that has not come to its end. What it holds is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenString {
    /// An operating system command, which a bell ends as well.
    Command,
    /// Any other.
    Other,
}

/// What is between two parts of output.
#[derive(Default)]
pub(super) struct Feed {
    parser: Parser,
    /// Whether the parser is in the middle of a sequence.
    in_sequence: bool,
    string: Option<OpenString>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Feed").field("string", &self.string).finish_non_exhaustive()
    }
}

impl Feed {
    /// Makes `terminal` show the next part of its output.
    pub(super) fn feed(&mut self, terminal: &mut Terminal, bytes: &[u8]) {
        let mut rest = bytes;
        if let Some(string) = self.string {
            rest = self.skip_string(string, rest);
        }
        if self.in_sequence {
            rest = self.sequence(terminal, rest);
        }
        while let Some(first) = rest.first() {
            rest = match first {
                0x20..=0x7e => {
                    let (text, later) = rest.split_at(printable_len(rest));
                    terminal.print_ascii(text);
                    later
                }
                &ESC => self.escape(terminal, rest),
                0x80.. => {
                    let len = rest.iter().position(u8::is_ascii).unwrap_or(rest.len());
                    let (text, later) = rest.split_at(len);
                    print_utf8(terminal, text);
                    later
                }
                control => {
                    terminal.control(*control);
                    &rest[1..]
                }
            };
        }
    }

    /// What makes a terminal pass over the rest of a string that output stopped in; empty if it did not.
    pub(super) fn pending(&self) -> &'static [u8] {
        match self.string {
            None => b"",
            // No terminal knows a command of this number.
            Some(OpenString::Command) => b"\x1b]7777;",
            Some(OpenString::Other) => b"\x1b_",
        }
    }

    /// Something that begins with `ESC`.
    fn escape<'a>(&mut self, terminal: &mut Terminal, bytes: &'a [u8]) -> &'a [u8] {
        match bytes.get(1) {
            Some(b']') => self.command(terminal, &bytes[2..]),
            Some(b'P' | b'X' | b'^' | b'_') => {
                terminal.preceding = 0;
                self.skip_string(OpenString::Other, &bytes[2..])
            }
            _ => self.sequence(terminal, bytes),
        }
    }

    fn sequence<'a>(&mut self, terminal: &mut Terminal, bytes: &'a [u8]) -> &'a [u8] {
        // The parser is never to come to a string: a sequence that another one cuts off ends there.
        let end = bytes.get(1..).and_then(|rest| memchr(ESC, rest)).map_or(bytes.len(), |at| at + 1);
        let mut performer = Performer { terminal, done: false };
        let taken = self.parser.advance_until_terminated(&mut performer, &bytes[..end]);
        self.in_sequence = !performer.done && end == bytes.len();
        &bytes[taken..]
    }

    /// An operating system command, from its body on.
    fn command<'a>(&mut self, terminal: &mut Terminal, body: &'a [u8]) -> &'a [u8] {
        terminal.preceding = 0;
        let Some(end) = string_end(OpenString::Command, body) else {
            self.string = Some(OpenString::Command);
            return b"";
        };
        if matches!(body[end], ESC | BEL) {
            terminal.operating_system_command(&body[..end]);
        }
        after_string(&body[end..])
    }

    fn skip_string<'a>(&mut self, string: OpenString, bytes: &'a [u8]) -> &'a [u8] {
        let end = string_end(string, bytes);
        self.string = end.is_none().then_some(string);
        end.map_or(b"", |end| after_string(&bytes[end..]))
    }
}

/// Where a string ends.
fn string_end(string: OpenString, bytes: &[u8]) -> Option<usize> {
    let end = memchr3(ESC, CAN, SUB, bytes);
    match string {
        OpenString::Other => end,
        OpenString::Command => memchr(BEL, &bytes[..end.unwrap_or(bytes.len())]).or(end),
    }
}

/// What comes after a string that ends here. `ESC` begins the next sequence, if only the string terminator.
fn after_string(end: &[u8]) -> &[u8] {
    if end[0] == ESC { end } else { &end[1..] }
}

fn printable_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !(0x20..0x7f).contains(byte)).unwrap_or(bytes.len())
}

/// Prints characters beyond ASCII. Malformed ones are dropped, and so are byte order marks and 8-bit controls.
fn print_utf8(terminal: &mut Terminal, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if !matches!(character, '\u{80}'..='\u{9f}' | '\u{feff}') {
                terminal.print(character);
            }
        }
    }
}
