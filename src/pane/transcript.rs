//! Clean output read as lines of text: without sequences, with carriage returns, backspaces and the erasing of a line's
//! rest heeded, so that what a person would read is what a program gets. Output may be cut anywhere.

const BEL: u8 = 0x07;
const BACKSPACE: u8 = 0x08;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;
const DEL: u8 = 0x7f;

/// Longer lines, in bytes, are not told of each time that something in them is overwritten.
const MAX_DRAFT: usize = 1 << 10;

/// A gap or a repetition is no longer than this, in characters.
const MAX_COUNT: usize = 4096;

/// The longest control sequence that is looked at, in bytes.
const MAX_SEQUENCE: usize = 64;

/// See the module.
#[derive(Debug)]
pub struct Transcript {
    /// The line that is being written.
    line: String,
    /// Where in it the next character goes, in characters; `None` at its end.
    col: Option<usize>,
    /// Whether something was written to it since it was last told.
    fresh: bool,
    /// The longest line, in bytes.
    limit: usize,
    state: State,
    /// The control sequence so far, without its introducer.
    sequence: Vec<u8>,
}

/// Where in a sequence the output stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// After ESC and perhaps intermediates.
    Escape,
    Control,
    /// In a string; a bell ends commands only.
    String {
        command: bool,
    },
    /// After the ESC that may begin a string's terminator.
    StringEscape {
        command: bool,
    },
}

impl Transcript {
    /// An empty one that keeps at most the last `limit` bytes of a line.
    #[must_use]
    pub fn new(limit: usize) -> Transcript {
        let state = State::Text;
        Transcript { line: String::new(), col: None, fresh: false, limit, state, sequence: Vec::new() }
    }

    /// The text of some clean output: its lines, each but perhaps the last with a line feed.
    #[must_use]
    pub fn text_of(parts: &[impl AsRef<[u8]>]) -> String {
        let (mut transcript, mut text) = (Transcript::new(usize::MAX), String::new());
        for part in parts {
            transcript.feed(part.as_ref(), &mut |line, whole| {
                if whole {
                    text.push_str(line);
                    text.push('\n');
                }
            });
        }
        text + &transcript.line
    }

    /// The line that is not complete yet.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Takes output in. `on_line` is told of lines as they are completed (`true`), and of what a line was before
    /// something in it is overwritten or dropped (`false`).
    pub fn feed(&mut self, output: &[u8], on_line: &mut dyn FnMut(&str, bool)) {
        let mut rest = output;
        while let Some((&byte, after)) = rest.split_first() {
            if self.state == State::Text && !is_control(byte) {
                let (text, after) =
                    rest.split_at(rest.iter().position(|byte| is_control(*byte)).unwrap_or(rest.len()));
                self.write(&String::from_utf8_lossy(text), on_line);
                rest = after;
                continue;
            }
            self.byte(byte, on_line);
            rest = after;
        }
    }

    fn byte(&mut self, byte: u8, on_line: &mut dyn FnMut(&str, bool)) {
        match (self.state, byte) {
            (_, CAN | SUB) => self.state = State::Text,
            (State::String { command }, ESC) => self.state = State::StringEscape { command },
            (State::String { command: true }, BEL) => self.state = State::Text,
            (State::String { .. }, _) => {}
            (State::StringEscape { .. }, b'\\') => self.state = State::Text,
            (State::StringEscape { command }, _) => self.state = State::String { command },
            (_, ESC) => self.state = State::Escape,
            (_, 0..=0x1f | DEL) => self.control(byte, on_line),
            (State::Escape, b'[') => {
                self.sequence.clear();
                self.state = State::Control;
            }
            (State::Escape, b']') => self.state = State::String { command: true },
            (State::Escape, b'P' | b'X' | b'^' | b'_') => self.state = State::String { command: false },
            (State::Escape, b' '..=b'/') => {}
            (State::Escape, _) => {
                self.state = State::Text;
                if matches!(byte, b'D' | b'E' | b'M' | b'c') {
                    self.leave_line(on_line);
                }
            }
            (State::Control, b'@'..) => {
                self.state = State::Text;
                self.sequence(byte, on_line);
            }
            (State::Control, _) if self.sequence.len() < MAX_SEQUENCE => self.sequence.push(byte),
            (State::Control | State::Text, _) => {}
        }
    }

    fn control(&mut self, byte: u8, on_line: &mut dyn FnMut(&str, bool)) {
        match byte {
            b'\n' | 0x0b | 0x0c => self.end_line(on_line),
            b'\r' => self.go_to(0),
            BACKSPACE => self.go_to(self.col().saturating_sub(1)),
            b'\t' => self.write("\t", on_line),
            _ => {}
        }
    }

    /// A control sequence, whose last byte this is.
    fn sequence(&mut self, last: u8, on_line: &mut dyn FnMut(&str, bool)) {
        let private = self.sequence.first().is_some_and(|byte| matches!(byte, b'<'..=b'?'));
        let digits = self.sequence.iter().take_while(|byte| byte.is_ascii_digit());
        let number =
            digits.fold(0usize, |number, digit| (number * 10 + usize::from(digit - b'0')).min(MAX_COUNT));
        match last {
            b'h' | b'l' if self.sequence.starts_with(b"?") => {
                if matches!(&self.sequence[1..], b"47" | b"1047" | b"1049") {
                    self.leave_line(on_line);
                }
            }
            _ if private => {}
            b'K' | b'J' if number == 0 => self.erase(self.col(), usize::MAX, on_line),
            b'K' if number == 1 => self.erase(0, self.col() + 1, on_line),
            b'K' => self.erase(0, usize::MAX, on_line),
            b'C' => self.go_to(self.col() + number.max(1)),
            b'D' => self.go_to(self.col().saturating_sub(number.max(1))),
            b'G' | b'`' => self.go_to(number.max(1) - 1),
            b'b' => {
                let repeated = self.line.chars().next_back().filter(|_| self.col.is_none());
                let text: String = repeated.into_iter().cycle().take(number.max(1)).collect();
                self.write(&text, on_line);
            }
            b'A' | b'B' | b'E' | b'F' | b'H' | b'J' | b'L' | b'M' | b'S' | b'T' | b'd' | b'f' => {
                self.leave_line(on_line);
            }
            _ => {}
        }
    }

    fn col(&self) -> usize {
        self.col.unwrap_or_else(|| self.line.chars().count())
    }

    fn go_to(&mut self, col: usize) {
        self.col = (col != self.line.chars().count()).then_some(col);
    }

    fn write(&mut self, text: &str, on_line: &mut dyn FnMut(&str, bool)) {
        if let Some(col) = self.col.take() {
            self.overwrite(col, text, on_line);
        } else {
            self.line.push_str(text);
        }
        self.fresh |= !text.is_empty();
        if self.line.len() > self.limit {
            self.tell_draft(on_line, usize::MAX);
            let cut = self.line.ceil_char_boundary(self.line.len() - self.limit / 2);
            self.line.drain(..cut);
            self.col = None;
        }
    }

    fn overwrite(&mut self, col: usize, text: &str, on_line: &mut dyn FnMut(&str, bool)) {
        let length = self.line.chars().count();
        if col >= length {
            self.line.extend(std::iter::repeat_n(' ', col - length));
            self.line.push_str(text);
            return;
        }
        self.tell_draft(on_line, MAX_DRAFT);
        let end = col + text.chars().count();
        let range = self.at(col)..self.at(end);
        self.line.replace_range(range, text);
        self.go_to(end);
    }

    /// Blanks the characters from one column to before another, or takes them away at the line's end.
    fn erase(&mut self, from: usize, to: usize, on_line: &mut dyn FnMut(&str, bool)) {
        let (col, length) = (self.col(), self.line.chars().count());
        if from >= length {
            return;
        }
        self.tell_draft(on_line, MAX_DRAFT);
        if to >= length {
            self.line.truncate(self.at(from));
        } else {
            let range = self.at(from)..self.at(to);
            self.line.replace_range(range, &" ".repeat(to - from));
        }
        self.go_to(col);
    }

    /// Where in the line a column is, in bytes.
    fn at(&self, col: usize) -> usize {
        self.line.char_indices().nth(col).map_or(self.line.len(), |(at, _)| at)
    }

    fn tell_draft(&mut self, on_line: &mut dyn FnMut(&str, bool), longest: usize) {
        if std::mem::take(&mut self.fresh) && self.line.len() <= longest {
            on_line(&self.line, false);
        }
    }

    /// The cursor goes elsewhere: what comes is not of this line.
    fn leave_line(&mut self, on_line: &mut dyn FnMut(&str, bool)) {
        if !self.line.is_empty() {
            self.end_line(on_line);
        }
        self.col = None;
    }

    fn end_line(&mut self, on_line: &mut dyn FnMut(&str, bool)) {
        on_line(&self.line, true);
        self.line.clear();
        (self.col, self.fresh) = (None, false);
    }
}

fn is_control(byte: u8) -> bool {
    byte < b' ' || byte == DEL
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(output: &str) -> String {
        Transcript::text_of(&[output])
    }

    #[test]
    fn sequences_are_left_out_and_lines_end_with_a_line_feed() {
        for (output, expected) in [
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("no end", "no end"),
            ("\r\n\r\n", "\n\n"),
            ("\x1b[1;31mred\x1b[m \x1b]8;;http://x\x1b\\link\x1b]8;;\x07.", "red link."),
            ("\x1b]0;title\x07a\x1bPq~~\x1b\\b\x1b(Bc", "abc"),
            ("tab\tstop", "tab\tstop"),
            ("naïve 漢字 🦀\r\n", "naïve 漢字 🦀\n"),
            ("\x1b]52;cut off\x18after", "after"),
            ("resized\0 here", "resized here"),
        ] {
            assert_eq!(text(output), expected, "{output:?}");
        }
    }

    #[test]
    fn what_is_overwritten_in_a_line_is_gone() {
        for (output, expected) in [
            ("10%\r20%\r100%\r\n", "100%\n"),
            ("long text\rshort\r\n", "shorttext\n"),
            ("long text\r\x1b[Kshort\r\n", "short\n"),
            ("abc\x08\x08X\r\n", "aXc\n"),
            ("abc\x08\x1b[K\r\n", "ab\n"),
            ("a\x1b[3Cb", "a   b"),
            ("abcdef\x1b[2Gx\x1b[2Dy\r\n", "yxcdef\n"),
            ("漢字\r漢x", "漢x"),
            ("abc\x1b[1Kd", "   d"),
            ("=\x1b[4b>", "=====>"),
        ] {
            assert_eq!(text(output), expected, "{output:?}");
        }
    }

    #[test]
    fn a_cursor_that_goes_elsewhere_ends_the_line() {
        assert_eq!(text("one\x1b[5;1Htwo\x1b[2J\x1b[Hthree"), "one\ntwo\nthree");
        assert_eq!(text("\x1b[H\x1b[2J\x1b[?1049hfull screen\x1b[?1049l"), "full screen\n");
        assert_eq!(text("prompt\x1b[J more"), "prompt more");
    }

    #[test]
    fn what_was_overwritten_is_told_once() {
        let (mut transcript, mut told) = (Transcript::new(100), Vec::new());
        transcript.feed(b"10%\r\x1b[K20%\r30%\r\n", &mut |line, whole| told.push((line.to_owned(), whole)));
        let told: Vec<_> = told.iter().map(|(line, whole)| (line.as_str(), *whole)).collect();
        assert_eq!(told, [("10%", false), ("20%", false), ("30%", true)]);
    }

    #[test]
    fn a_line_without_end_is_bounded_and_all_of_it_is_told() {
        let (mut transcript, mut told) = (Transcript::new(1000), String::new());
        for number in 0..2000 {
            transcript.feed(format!("<{number}>").as_bytes(), &mut |line, _| told.push_str(line));
            assert!(transcript.line().len() <= 1000);
        }
        told.push_str(transcript.line());
        assert!((0..2000).all(|number| told.contains(&format!("<{number}>"))));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing_and_text_holds_no_controls(
            parts in proptest::collection::vec("[a-c漢\r\n\t\x07\x08\x18\x1b\\[\\]?;0-9KJCDGHbmP]{0,12}", 0..12),
        ) {
            let whole = parts.concat();
            prop_assert_eq!(Transcript::text_of(&parts), text(&whole));
            prop_assert!(!text(&whole).chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
