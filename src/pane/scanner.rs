//! Finds escape sequences in a program's output, however it is cut into pieces: what they tell about the shell
//! (directory, prompt, title, bell) and which modes they switch. Runs on every byte that a PTY prints, so it skips
//! text at memory speed and never looks at what sequences draw.

use memchr::{memchr, memchr2, memchr3};

use super::modes::{CONTROL_LIMIT, Modes};

const BEL: u8 = 0x07;
const SO: u8 = 0x0e;
const SI: u8 = 0x0f;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;

/// The longest operating system command that is understood, in bytes; of a longer one only the end is looked for.
const OSC_LIMIT: usize = 4096;

/// How far to look for the next sequence in a plain loop, in bytes.
const NEAR: usize = 16;

/// The longest title, in characters; the rest is cut off.
const TITLE_LIMIT: usize = 256;

/// The operating system commands that are understood, by how they begin.
const WANTED_OSC: [&[u8]; 8] = [b"0;", b"2;", b"7;", b"8;", b"9;9;", b"133;", b"633;", b"1337;CurrentDir="];

/// What a program's output says about the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The shell's directory: an absolute path, as the shell's own machine names it.
    WorkingDirectory(String),
    /// A prompt begins.
    PromptStart,
    /// The prompt is complete: what follows is what the user types.
    PromptEnd,
    /// The user's command starts to run.
    CommandStart,
    /// The command ended.
    CommandEnd {
        /// Its exit code, if the shell told it.
        exit: Option<i32>,
    },
    /// The window's title: no control characters, at most 256 characters.
    Title(String),
    /// The bell rings.
    Bell,
}

/// Where in a sequence the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// In text.
    #[default]
    Ground,
    /// After ESC.
    Escape,
    /// After ESC and bytes from 0x20 to 0x2f, which `sequence` holds.
    Intermediate,
    /// After `CSI`; `sequence` holds the body so far.
    Control,
    /// In an operating system command that may be wanted; `string` holds it so far.
    Osc,
    /// After an ESC in such a command: its end, if a backslash follows.
    OscEscape,
    /// In an operating system command that nobody wants.
    IgnoredOsc,
    /// In a device control, privacy, application or other string; a BEL is part of it.
    IgnoredString,
}

/// Follows the output of one pane. Cutting the output into other pieces changes nothing.
#[derive(Debug, Clone)]
pub struct Scanner {
    state: State,
    /// How many bytes the character that the stream is in still lacks; 0 between characters.
    lacking: u8,
    /// The sequence that an earlier piece began, without its introducer.
    sequence: [u8; CONTROL_LIMIT + 1],
    /// How much of `sequence` is in use; all of it means that it was too long.
    held: u8,
    /// The operating system command that an earlier piece began, up to one byte more than the longest understood.
    string: Vec<u8>,
    modes: Modes,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            state: State::default(),
            lacking: 0,
            sequence: [0; CONTROL_LIMIT + 1],
            held: 0,
            string: Vec::new(),
            modes: Modes::default(),
        }
    }
}

impl Scanner {
    /// A scanner at the start of a pane's output, with the terminal freshly reset.
    pub fn new() -> Self {
        Self::default()
    }

    /// The modes as all output so far has set them.
    pub fn modes(&self) -> &Modes {
        &self.modes
    }

    /// Whether the output so far ends between sequences and between characters, so that other bytes may be put
    /// in. If not, a CAN (0x18) in front of them ends what is open.
    pub fn in_ground(&self) -> bool {
        self.state == State::Ground && self.lacking == 0
    }

    /// Takes the next piece of output and tells what it says, in order.
    pub fn feed(&mut self, bytes: &[u8], on_event: &mut dyn FnMut(Event)) {
        let mut rest = bytes;
        while let [first, ..] = rest {
            let used = match self.state {
                State::Ground => self.ground(rest, on_event),
                State::Escape => self.escape(*first, on_event),
                State::Intermediate => self.intermediate(*first, on_event),
                State::Control => self.control(rest, on_event),
                State::Osc => self.osc(rest, on_event),
                State::OscEscape => self.osc_escape(*first, on_event),
                State::IgnoredOsc => self.ignored(rest, osc_end(rest)),
                State::IgnoredString => self.ignored(rest, string_end(rest)),
            };
            rest = &rest[used..];
        }
    }

    /// Each of the functions below takes bytes from the front and returns how many. It may take none, but then it
    /// has changed the state.
    fn ground(&mut self, bytes: &[u8], on_event: &mut dyn FnMut(Event)) -> usize {
        let mut from = 0;
        loop {
            // Of the two shifts only the one that would change something: three bytes can be searched for at once.
            let shift = if self.modes.shifted_out { SI } else { SO };
            let Some(skipped) = find_control(shift, &bytes[from..]) else {
                self.lacking = lacking_after(self.lacking, &bytes[from..]);
                return bytes.len();
            };
            self.lacking = 0;
            from += skipped + 1;
            match bytes[from - 1] {
                // Nearly all that is found are control sequences, whole in this piece: they need no state.
                ESC => match whole_control(&bytes[from..]) {
                    Some((body, last)) => {
                        self.modes.control(body, last);
                        from += body.len() + 2;
                    }
                    None => {
                        self.state = State::Escape;
                        return from;
                    }
                },
                byte => self.execute(byte, on_event),
            }
        }
    }

    fn escape(&mut self, byte: u8, on_event: &mut dyn FnMut(Event)) -> usize {
        match byte {
            b'[' => self.begin(State::Control),
            b']' => self.begin(State::Osc),
            b'P' | b'X' | b'^' | b'_' => self.state = State::IgnoredString,
            b' '..=b'/' => {
                self.begin(State::Intermediate);
                self.hold(&[byte]);
            }
            b'0'..=b'~' => {
                self.state = State::Ground;
                self.modes.escape(None, byte);
            }
            _ => return self.interrupt(byte, on_event),
        }
        1
    }

    fn intermediate(&mut self, byte: u8, on_event: &mut dyn FnMut(Event)) -> usize {
        match byte {
            b' '..=b'/' => self.hold(&[byte]),
            b'0'..=b'~' => {
                self.state = State::Ground;
                // Nothing with more than one intermediate is of interest.
                if self.held == 1 {
                    self.modes.escape(Some(self.sequence[0]), byte);
                }
            }
            _ => return self.interrupt(byte, on_event),
        }
        1
    }

    fn control(&mut self, bytes: &[u8], on_event: &mut dyn FnMut(Event)) -> usize {
        let length = bytes.iter().position(|b| !matches!(b, b' '..=b'?')).unwrap_or(bytes.len());
        self.hold(&bytes[..length]);
        match bytes.get(length) {
            Some(last @ b'@'..=b'~') => {
                self.state = State::Ground;
                self.modes.control(&self.sequence[..usize::from(self.held)], *last);
                length + 1
            }
            Some(byte) => length + self.interrupt(*byte, on_event),
            None => length,
        }
    }

    fn osc(&mut self, bytes: &[u8], on_event: &mut dyn FnMut(Event)) -> usize {
        let Some(at) = osc_end(bytes) else {
            self.collect(bytes);
            return bytes.len();
        };
        match (bytes[at], bytes.get(at + 1)) {
            (BEL, _) => {
                self.finish_osc(&bytes[..at], true, on_event);
                at + 1
            }
            (ESC, Some(b'\\')) => {
                self.finish_osc(&bytes[..at], true, on_event);
                at + 2
            }
            (ESC, Some(_)) => {
                self.finish_osc(&bytes[..at], false, on_event);
                self.state = State::Escape;
                at + 1
            }
            (ESC, None) => {
                self.state = State::OscEscape;
                self.collect(&bytes[..at]);
                if self.state == State::IgnoredOsc {
                    self.state = State::Escape;
                }
                at + 1
            }
            _ => {
                self.begin(State::Ground);
                at + 1
            }
        }
    }

    fn osc_escape(&mut self, byte: u8, on_event: &mut dyn FnMut(Event)) -> usize {
        let whole = byte == b'\\';
        self.finish_osc(&[], whole, on_event);
        if whole {
            return 1;
        }
        self.state = State::Escape;
        0
    }

    /// Skips a string up to its `end`. The ESC of `ESC \` counts as that: with the string gone, it does nothing.
    fn ignored(&mut self, bytes: &[u8], end: Option<usize>) -> usize {
        let Some(at) = end else { return bytes.len() };
        self.state = if bytes[at] == ESC { State::Escape } else { State::Ground };
        at + 1
    }

    /// A byte that is no part of the sequence it stands in.
    fn interrupt(&mut self, byte: u8, on_event: &mut dyn FnMut(Event)) -> usize {
        match byte {
            ESC => self.state = State::Escape,
            CAN | SUB => self.state = State::Ground,
            0x80.. => {
                self.state = State::Ground;
                return 0;
            }
            _ => self.execute(byte, on_event),
        }
        1
    }

    /// A control character takes effect even in the middle of a sequence.
    fn execute(&mut self, byte: u8, on_event: &mut dyn FnMut(Event)) {
        match byte {
            BEL => on_event(Event::Bell),
            SO => self.modes.shifted_out = true,
            SI => self.modes.shifted_out = false,
            _ => {}
        }
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.held = 0;
        self.string = Vec::new();
    }

    /// Keeps a part of a sequence for when the rest has come.
    fn hold(&mut self, bytes: &[u8]) {
        let held = usize::from(self.held);
        let bytes = &bytes[..bytes.len().min(self.sequence.len() - held)];
        self.sequence[held..held + bytes.len()].copy_from_slice(bytes);
        self.held += bytes.len() as u8;
    }

    /// Keeps a part of an operating system command, unless it is clear already that it is not wanted.
    fn collect(&mut self, bytes: &[u8]) {
        let room = OSC_LIMIT + 1 - self.string.len();
        // Before anything is kept, so that an image in one of these never allocates.
        let wanted = !self.string.is_empty() || may_be_wanted(bytes);
        if wanted {
            self.string.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        if !wanted || !may_be_wanted(&self.string) {
            self.begin(State::IgnoredOsc);
        }
    }

    /// An operating system command ended after `last_part`; not `whole` if another sequence cut it off.
    fn finish_osc(&mut self, last_part: &[u8], whole: bool, on_event: &mut dyn FnMut(Event)) {
        let event = if self.string.is_empty() {
            osc(last_part, whole, &mut self.modes)
        } else {
            self.collect(last_part);
            osc(&self.string, whole, &mut self.modes)
        };
        self.begin(State::Ground);
        if let Some(event) = event {
            on_event(event);
        }
    }
}

/// What the operating system command `text` says. One that is too long or not `whole` says nothing, but that a
/// hyperlink is open, for terminals take that from such a one too.
fn osc(text: &[u8], whole: bool, modes: &mut Modes) -> Option<Event> {
    let (text, whole) = match text.get(..OSC_LIMIT) {
        Some(start) if start.len() < text.len() => (start, false),
        _ => (text, whole),
    };
    let (number, rest) = split_once(text, b';')?;
    if number == b"8" {
        let (_, target) = split_once(rest, b';')?;
        modes.hyperlink = !target.is_empty();
        return None;
    }
    if !whole {
        return None;
    }
    match number {
        b"0" | b"2" => Some(Event::Title(title(rest))),
        b"7" => directory(&percent_decoded(file_url_path(rest)?)),
        b"9" => directory(unquoted(rest.strip_prefix(b"9;")?)),
        b"133" | b"633" => mark(rest),
        b"1337" => directory(rest.strip_prefix(b"CurrentDir=")?),
        _ => None,
    }
}

/// A mark of shell integration, such as `A` or `D;1`; what follows the parts in use is for others.
fn mark(text: &[u8]) -> Option<Event> {
    let mut parts = text.split(|b| *b == b';');
    match parts.next()? {
        b"A" => Some(Event::PromptStart),
        b"B" => Some(Event::PromptEnd),
        b"C" => Some(Event::CommandStart),
        b"D" => {
            let exit = parts.next().and_then(|code| str::from_utf8(code).ok()?.parse().ok());
            Some(Event::CommandEnd { exit })
        }
        _ => None,
    }
}

fn title(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(TITLE_LIMIT).collect()
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
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                rest = &rest[3..];
            }
            None => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    decoded
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// ConEmu's form of a path may be in quotes.
fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(text)
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr(separator, text)?;
    Some((&text[..at], &text[at + 1..]))
}

/// Whether a command that starts with `text` can be, or become, a wanted one.
fn may_be_wanted(text: &[u8]) -> bool {
    WANTED_OSC.iter().any(|wanted| text.starts_with(wanted) || wanted.starts_with(text))
}

/// The first ESC, BEL or `shift`. In coloured output the next one is near, where a plain loop beats the start of a
/// vectorised search.
#[inline]
fn find_control(shift: u8, bytes: &[u8]) -> Option<usize> {
    let (near, far) = bytes.split_at(bytes.len().min(NEAR));
    match near.iter().position(|b| matches!(*b, ESC | BEL) || *b == shift) {
        Some(at) => Some(at),
        None => Some(NEAR + memchr3(ESC, BEL, shift, far)?),
    }
}

/// The control sequence whose ESC stands before `bytes`, if it is whole and undisturbed: its body and final byte.
#[inline]
fn whole_control(bytes: &[u8]) -> Option<(&[u8], u8)> {
    let rest = bytes.strip_prefix(b"[")?;
    let length = rest.iter().position(|b| !matches!(b, b' '..=b'?'))?;
    matches!(rest[length], b'@'..=b'~').then_some((&rest[..length], rest[length]))
}

/// Where an operating system command ends: at its BEL or ESC, or where it is cancelled.
fn osc_end(bytes: &[u8]) -> Option<usize> {
    or_cancelled(bytes, memchr3(ESC, BEL, CAN, bytes))
}

/// Where any other string ends: at its ESC, or where it is cancelled.
fn string_end(bytes: &[u8]) -> Option<usize> {
    or_cancelled(bytes, memchr2(ESC, CAN, bytes))
}

/// `end`, or the SUB before it: one more than can be searched for at once.
fn or_cancelled(bytes: &[u8], end: Option<usize>) -> Option<usize> {
    memchr(SUB, &bytes[..end.unwrap_or(bytes.len())]).or(end)
}

/// How many bytes the last character of `text` lacks, if the one before `text` lacked `lacking`. Characters have at
/// most four bytes, so the last three tell: a character that began earlier is over by then.
fn lacking_after(lacking: u8, text: &[u8]) -> u8 {
    let (lacking, tail) = match text.last_chunk::<3>() {
        Some(tail) => (if text.len() > 3 { 0 } else { lacking }, &tail[..]),
        None => (lacking, text),
    };
    tail.iter().fold(lacking, |lacking, byte| match byte {
        0x80..=0xbf => lacking.saturating_sub(1),
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => 0,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fed(pieces: &[&[u8]]) -> (Vec<Event>, Scanner) {
        let mut scanner = Scanner::new();
        let mut events = Vec::new();
        for piece in pieces {
            scanner.feed(piece, &mut |event| events.push(event));
        }
        (events, scanner)
    }

    fn events(output: &[u8]) -> Vec<Event> {
        fed(&[output]).0
    }

    fn directory(path: &str) -> Vec<Event> {
        vec![Event::WorkingDirectory(path.to_owned())]
    }

    fn titled(title: &str) -> Vec<Event> {
        vec![Event::Title(title.to_owned())]
    }

    #[test]
    fn directories_are_absolute_paths_in_any_dialect() {
        assert_eq!(events(b"\x1b]7;file://host/home/me\x07"), directory("/home/me"));
        assert_eq!(events(b"\x1b]7;file:///tmp\x1b\\"), directory("/tmp"));
        assert_eq!(events(b"\x1b]7;file://h/a%20b%2Fc%C3%A9%\x07"), directory("/a b/cé%"));
        assert_eq!(events(b"\x1b]1337;CurrentDir=/srv/x\x07"), directory("/srv/x"));
        assert_eq!(events(b"\x1b]9;9;/srv/x\x07"), directory("/srv/x"));
        assert_eq!(events(b"\x1b]9;9;\"/srv/x\"\x07"), directory("/srv/x"));
        for none in [
            "\x1b]7;file://host\x07",
            "\x1b]7;/tmp\x07",
            "\x1b]7;\x07",
            "\x1b]7;file://h/a%00\x07",
            "\x1b]7;file://h/a%FF\x07",
            "\x1b]9;9;C:\\\x07",
            "\x1b]9;a notification\x07",
            "\x1b]1337;CurrentDir=x\x07",
            "\x1b]1337;File=name=x:AAAA\x07",
        ] {
            assert_eq!(events(none.as_bytes()), [], "{none:?}");
        }
    }

    #[test]
    fn marks_tell_prompts_and_commands() {
        for number in ["133", "633"] {
            let output = ["A;cl=m", "B", "C", "D", "D;0", "D;130;aid=7", "D;-1", "D;err", "P;k=i", "E;ls"]
                .map(|mark| format!("\x1b]{number};{mark}\x1b\\"))
                .concat();
            let ends = [None, Some(0), Some(130), Some(-1), None].map(|exit| Event::CommandEnd { exit });
            let expected = [vec![Event::PromptStart, Event::PromptEnd, Event::CommandStart], ends.to_vec()];
            assert_eq!(events(output.as_bytes()), expected.concat());
        }
    }

    #[test]
    fn titles_are_bare_and_bounded() {
        assert_eq!(events("\x1b]0;naïve; 漢\x07".as_bytes()), titled("naïve; 漢"));
        assert_eq!(events("\x1b]2;a\tb\u{85}c\x7f\x1b\\".as_bytes()), titled("abc"));
        assert_eq!(events(b"\x1b]2;\xff\x07"), titled("\u{fffd}"));
        assert_eq!(events(b"\x1b]2;\x07"), titled(""));
        assert_eq!(
            events(format!("\x1b]2;{}\x07", "é".repeat(300)).as_bytes()),
            titled(&"é".repeat(TITLE_LIMIT))
        );
        for none in ["\x1b]1;icon\x07", "\x1b]0\x07", "\x1b]22;pointer\x07", "\x1b]02;x\x07"] {
            assert_eq!(events(none.as_bytes()), [], "{none:?}");
        }
    }

    #[test]
    fn a_bell_in_a_string_ends_it_or_is_part_of_it() {
        assert_eq!(events(b"a\x07b\x07"), [Event::Bell, Event::Bell]);
        assert_eq!(events(b"\x1b]4;1;red\x07"), []);
        assert_eq!(events(b"\x1bP\x07\x1b\\\x1b_\x07\x1b\\\x1b^\x07\x1b\\\x1bX\x07\x1b\\"), []);
        assert_eq!(events(b"\x1bP\x18\x07"), [Event::Bell]);
        // In any other sequence it rings, as in a terminal.
        assert_eq!(events(b"\x1b[1\x07m\x1b\x07c\x1b(\x07B"), [Event::Bell, Event::Bell, Event::Bell]);
    }

    #[test]
    fn a_string_that_is_cut_off_says_nothing() {
        for cut in ["\x1b]2;x\x18", "\x1b]2;x\x1a", "\x1b]2;x\x1b[m", "\x1b]2;x\x1bc", "\x1b]2;x\x1b\x1b\\"] {
            let (events, scanner) = fed(&[cut.as_bytes()]);
            assert_eq!(events, [], "{cut:?}");
            assert!(scanner.in_ground(), "{cut:?}");
        }
        assert_eq!(events(b"\x1b]2;x\x1b]2;y\x07"), titled("y"));
        assert!(fed(&[b"\x1b]8;;http://x\x1b[m"]).1.modes().hyperlink);
        assert!(!fed(&[b"\x1b]8;;http://x\x18"]).1.modes().hyperlink);
    }

    #[test]
    fn what_is_too_long_is_skipped_to_its_end() {
        let longest = "x".repeat(OSC_LIMIT - 2);
        assert_eq!(events(format!("\x1b]2;{longest}\x07").as_bytes()).len(), 1);
        assert_eq!(events(format!("\x1b]2;{longest}x\x07\x07").as_bytes()), [Event::Bell]);
        let (events, scanner) = fed(&[b"\x1b]2;", longest.as_bytes(), b"x", longest.as_bytes()]);
        assert_eq!(events, []);
        assert!(scanner.string.capacity() <= 2 * OSC_LIMIT);

        let link = format!("\x1b]8;;http://{longest}\x07");
        assert!(fed(&[link.as_bytes()]).1.modes().hyperlink);

        let digits = "0".repeat(CONTROL_LIMIT - 2);
        assert!(fed(&[format!("\x1b[?{digits}5h").as_bytes()]).1.modes().reverse_video);
        let (_, scanner) = fed(&[format!("\x1b[?{digits}05hx").as_bytes()]);
        assert!(!scanner.modes().reverse_video && scanner.in_ground());
    }

    #[test]
    fn a_string_nobody_wants_is_not_kept() {
        let (events, scanner) = fed(&[b"\x1b]13", b"37;Fi", b"le=:AAAA"]);
        assert_eq!((events.len(), scanner.string.capacity()), (0, 0));
        let (_, scanner) = fed(&[b"\x1b]1337;File=:AAAA", b"BBBB"]);
        assert_eq!(scanner.string.capacity(), 0);
    }

    #[test]
    fn ground_is_between_sequences_and_between_characters() {
        for (output, expected) in [
            (&b""[..], true),
            (b"text", true),
            (b"\x1b", false),
            (b"\x1b[", false),
            (b"\x1b[1;2", false),
            (b"\x1b[1;2m", true),
            (b"\x1b(", false),
            (b"\x1b(B", true),
            (b"\x1b]0;x", false),
            (b"\x1b]0;x\x1b", false),
            (b"\x1b]0;x\x1b\\", true),
            (b"\x1bPx\x1b", false),
            (b"\x1bPx\x1b\\", true),
            (b"\xc3", false),
            (b"\xc3\xa9", true),
            (b"abc\xe6\xbc", false),
            (b"abc\xf0\x9f\x98", false),
            (b"\xf0\x9f\x98\x80", true),
            (b"\xf0\x9f\x1b[m", true),
            (b"\x80\x80\xff", true),
            // Not part of a control sequence, so it ends it and begins a character.
            (b"\x1b[1\xc3", false),
        ] {
            assert_eq!(fed(&[output]).1.in_ground(), expected, "{}", output.escape_ascii());
        }
    }

    /// Output dense with sequences, whole, broken and nested in each other.
    fn output() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..4),
            proptest::sample::select(vec![
                "\x1b",
                "\x1b[",
                "\x1b]",
                "\x1bP",
                "\x1b\\",
                "\x07",
                "\x18",
                "\x1a",
                "\x0e",
                "\x0f",
                "\x1b(0",
                "\x1bc",
                "?1049h",
                "?1049;1006l",
                "1;31m",
                "0m",
                ">1u",
                "<u",
                "=3;2u",
                "2;10r",
                "!p",
                " q",
                "4h",
                "?6;69h",
                "0;title",
                "7;file://h/a%20b",
                "8;;http://x",
                "8;;",
                "133;A",
                "133;D;1",
                "1337;CurrentDir=/x",
                "1337;File=",
                "é漢😀",
                "plain text",
                ";",
                "1",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
            Just(vec![b'1'; CONTROL_LIMIT - 1]),
            Just(vec![b'x'; OSC_LIMIT - 4]),
        ];
        proptest::collection::vec(piece, 0..32).prop_map(|pieces| pieces.concat())
    }

    fn state(scanner: &Scanner) -> (Modes, bool) {
        (*scanner.modes(), scanner.in_ground())
    }

    proptest! {
        #[test]
        fn pieces_say_what_the_whole_says(output in output(), cuts in proptest::collection::vec(any::<u16>(), 0..8)) {
            let (whole_events, whole) = fed(&[&output]);

            let mut cuts: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) % (output.len() + 1)).collect();
            cuts.extend([0, output.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &output[ends[0]..ends[1]]).collect();
            let (events, cut) = fed(&pieces);
            prop_assert_eq!(&events, &whole_events);
            prop_assert_eq!(state(&cut), state(&whole));

            let bytes: Vec<&[u8]> = output.chunks(1).collect();
            let (events, cut) = fed(&bytes);
            prop_assert_eq!(&events, &whole_events);
            prop_assert_eq!(state(&cut), state(&whole));
        }

        #[test]
        fn modes_can_be_restored_and_reset(output in output()) {
            let modes = *fed(&[&output]).1.modes();
            let mut preamble = Vec::new();
            modes.restore(&mut preamble);
            let (events, mut viewer) = fed(&[&preamble]);
            prop_assert_eq!(events, []);
            prop_assert!(viewer.in_ground());
            prop_assert_eq!(*viewer.modes(), Modes { pen: viewer.modes().pen, hyperlink: false, ..modes });

            let mut resets = Vec::new();
            modes.input_reset(&mut resets);
            modes.screen_reset(&mut resets);
            viewer.feed(&resets, &mut |_| {});
            prop_assert_eq!(*viewer.modes(), Modes::default());

            // And on the terminal that saw it all.
            let mut dead = fed(&[&output, b"\x18"]).1;
            dead.feed(&resets, &mut |_| {});
            prop_assert_eq!(*dead.modes(), Modes::default());
        }
    }
}
