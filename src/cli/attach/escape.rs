//! The keys that are for us and not for the pane: those that detach, and the escape character at the start of a line.
//! Pure: the time is passed in.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

/// How soon the next key of those that detach has to follow.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(1);

/// What a terminal puts around a paste, if the program asked for that.
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// The most keys that detach.
const MAX_KEYS: usize = 4;

/// One key, as the byte that it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u8);

/// The keys that detach, one after the other; none if none do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DetachKeys(Vec<Key>);

impl DetachKeys {
    /// No keys.
    pub(super) fn none() -> DetachKeys {
        DetachKeys(Vec::new())
    }
}

impl Default for DetachKeys {
    /// `ctrl-\ ctrl-\`: no program wants that.
    fn default() -> DetachKeys {
        DetachKeys(vec![Key(b'\\' & 0x1f); 2])
    }
}

/// As people write it.
impl std::fmt::Display for DetachKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, Key(key)) in self.0.iter().enumerate() {
            let separator = if at > 0 { " " } else { "" };
            let control = if *key < 0x20 { "ctrl-" } else { "" };
            let key = if *key < 0x20 { (key | 0x40).to_ascii_lowercase() } else { *key };
            write!(f, "{separator}{control}{}", char::from(key))?;
        }
        Ok(())
    }
}

impl std::str::FromStr for DetachKeys {
    type Err = String;

    /// As in `ctrl-\ ctrl-\`, or `none`.
    fn from_str(text: &str) -> Result<DetachKeys, String> {
        if text == "none" {
            return Ok(DetachKeys::none());
        }
        let keys: Result<Vec<Key>, String> = text.split_whitespace().map(key).collect();
        match keys? {
            keys if (1..=MAX_KEYS).contains(&keys.len()) => Ok(DetachKeys(keys)),
            _ => Err(format!("one to {MAX_KEYS} keys are wanted, as in `ctrl-\\ ctrl-\\`, or `none`")),
        }
    }
}

fn key(text: &str) -> Result<Key, String> {
    let control = text.strip_prefix("ctrl-").or_else(|| text.strip_prefix('^'));
    match (control.map(str::as_bytes), text.as_bytes()) {
        (Some([letter @ (b'@'..=b'_' | b'a'..=b'z')]), _) => Ok(Key(letter & 0x1f)),
        (None, [letter]) if letter.is_ascii_graphic() => Ok(Key(*letter)),
        _ => Err(format!("`{text}` is no key; one is written `ctrl-\\`, `ctrl-q` or `q`")),
    }
}

/// The escape character, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EscapeCharacter(pub(super) Option<u8>);

impl Default for EscapeCharacter {
    fn default() -> EscapeCharacter {
        EscapeCharacter(Some(b'~'))
    }
}

impl std::str::FromStr for EscapeCharacter {
    type Err = String;

    fn from_str(text: &str) -> Result<EscapeCharacter, String> {
        match text.as_bytes() {
            b"none" => Ok(EscapeCharacter(None)),
            [character] if character.is_ascii_graphic() && *character != b'.' => {
                Ok(EscapeCharacter(Some(*character)))
            }
            _ => Err("one character is wanted, as in `~`, or `none`".to_owned()),
        }
    }
}

/// What becomes of something that was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    /// It is for the pane.
    Keys(Vec<u8>),
    /// It is a part of a paste for the pane.
    Paste {
        /// With the brackets around it.
        bytes: Vec<u8>,
        /// Whether the paste goes on.
        more: bool,
    },
    /// Whoever typed wants to leave. Nothing follows.
    Detach,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Escapes {
    /// What a terminal may send for each of the keys that detach.
    keys: Vec<Vec<String>>,
    character: Option<u8>,
    /// Of the keys that detach, those that were typed, as they came, and how many they are.
    held: Vec<u8>,
    count: usize,
    /// Until when the next of them may follow.
    until: Option<Instant>,
    /// Whether the escape character was typed at the start of a line.
    escaped: bool,
    /// Whether a line begins here.
    at_start: bool,
    /// How much of a paste's beginning, or of its end, has come.
    matched: usize,
    pasting: bool,
}

impl Escapes {
    /// Whoever types begins at the start of a line.
    pub(super) fn new(keys: DetachKeys, character: EscapeCharacter) -> Escapes {
        Escapes {
            keys: keys.0.into_iter().map(forms).collect(),
            character: character.0,
            held: Vec::new(),
            count: 0,
            until: None,
            escaped: false,
            at_start: true,
            matched: 0,
            pasting: false,
        }
    }

    /// Takes what was typed.
    pub(super) fn take(&mut self, bytes: &[u8], now: Instant) -> Vec<Typed> {
        let mut out = Sorted::default();
        out.keys(&self.expire(now).unwrap_or_default());
        let mut at = 0;
        while at < bytes.len() {
            if self.pasting {
                self.pasting = !self.follow(bytes[at], PASTE_ENDS);
                out.paste(bytes[at], self.pasting);
                at += 1;
                continue;
            }
            let (used, is_last) = self.key(&bytes[at..], &mut out, now);
            if is_last {
                out.typed.push(Typed::Detach);
                break;
            }
            at += used;
        }
        out.typed
    }

    /// Whether nothing that was typed is waited for the rest of.
    pub(super) fn is_at_rest(&self) -> bool {
        self.count == 0 && !self.escaped && !self.pasting && self.matched == 0
    }

    /// What must come here: in what has none of it, nor its beginning at the end, no byte is for us.
    pub(super) fn stops(&self) -> Vec<String> {
        let keys = self.keys.first().into_iter().flatten().cloned();
        let character = self.character.map(|character| char::from(character).to_string());
        let paste = String::from_utf8_lossy(PASTE_BEGINS).into_owned();
        keys.chain(character).chain([paste]).collect()
    }

    /// Keys without a stop went to the pane by another way; `last` is the last byte of them.
    pub(super) fn passed(&mut self, last: u8) {
        self.at_start = ends_line(last);
    }

    /// When to ask for what is held.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// What was held and is for the pane after all, since nothing followed in time.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.until.filter(|until| *until <= now)?;
        Some(self.let_go())
    }

    /// Takes a key that is in no paste. How many bytes of it were taken, and whether it was the last we take.
    fn key(&mut self, rest: &[u8], out: &mut Sorted, now: Instant) -> (usize, bool) {
        if let Some(length) = self.keys.get(self.count).and_then(|forms| pressed(rest, forms)) {
            self.give_escape(out);
            self.count += 1;
            self.held.extend_from_slice(&rest[..length]);
            self.until = Some(now + FOLLOWS_WITHIN);
            return (length, self.count == self.keys.len());
        }
        if let Some(length) = released(rest).filter(|_| self.count > 0) {
            // Terminals that were asked to tell of releases do so between any two keys.
            self.held.extend_from_slice(&rest[..length]);
            return (length, false);
        }
        if self.count > 0 {
            out.keys(&self.let_go());
            // It may be the first one again.
            return (0, false);
        }
        (1, self.plain(rest[0], out))
    }

    /// Takes a byte that is none of the keys that detach. Whether it makes us leave all the same.
    fn plain(&mut self, byte: u8, out: &mut Sorted) -> bool {
        if std::mem::take(&mut self.escaped) {
            match byte {
                b'.' => return true,
                _ if Some(byte) == self.character => {
                    out.keys(&[byte]);
                    return false;
                }
                _ => out.keys(self.character.as_slice()),
            }
        } else if self.at_start && Some(byte) == self.character {
            (self.escaped, self.at_start, self.matched) = (true, false, 0);
            return false;
        }
        self.at_start = ends_line(byte);
        self.pasting = self.follow(byte, PASTE_BEGINS);
        if self.pasting {
            out.begin_paste();
            out.paste(byte, true);
        } else {
            out.keys(&[byte]);
        }
        false
    }

    /// The keys that were held are for the pane.
    fn let_go(&mut self) -> Vec<u8> {
        (self.count, self.until) = (0, None);
        std::mem::take(&mut self.held)
    }

    /// The escape character was not followed by one of its own.
    fn give_escape(&mut self, out: &mut Sorted) {
        if std::mem::take(&mut self.escaped) {
            out.keys(self.character.as_slice());
        }
        (self.at_start, self.matched) = (false, 0);
    }

    /// Whether `byte` completes a bracket.
    fn follow(&mut self, byte: u8, bracket: &[u8]) -> bool {
        self.matched = match bracket[self.matched] == byte {
            true => self.matched + 1,
            // Neither begins again within itself.
            false => usize::from(byte == bracket[0]),
        };
        let is_whole = self.matched == bracket.len();
        if is_whole {
            self.matched = 0;
        }
        is_whole
    }
}

/// How many bytes the press of a key with these forms has at the start of `bytes`, if it is there. Of a form, no part is
/// waited for: it comes in one piece, and a lone escape must not wait.
fn pressed(bytes: &[u8], forms: &[String]) -> Option<usize> {
    forms.iter().find(|form| bytes.starts_with(form.as_bytes())).map(String::len)
}

/// What a terminal may send for a key: the plain byte or, if it was asked to, the sequence of a key with control.
fn forms(Key(key): Key) -> Vec<String> {
    let mut forms = vec![char::from(key).to_string()];
    if key < 0x20 {
        let letter = (key | 0x40).to_ascii_lowercase();
        forms.extend([
            format!("\x1b[{letter};5u"),
            format!("\x1b[{letter};5:1u"),
            format!("\x1b[{letter};5:2u"),
            format!("\x1b[27;5;{letter}~"),
        ]);
    }
    forms
}

/// Whether a line begins after this byte.
fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// How many bytes the release of a key has at the start of `bytes`, if it is there.
fn released(bytes: &[u8]) -> Option<usize> {
    let body = bytes.strip_prefix(b"\x1b[")?;
    let length = body.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'))?;
    (body[length] == b'u' && body[..length].ends_with(b":3")).then_some(2 + length + 1)
}

/// What was typed, in as few pieces as it can be.
#[derive(Default)]
struct Sorted {
    typed: Vec<Typed>,
}

impl Sorted {
    fn keys(&mut self, bytes: &[u8]) {
        match self.typed.last_mut() {
            _ if bytes.is_empty() => {}
            Some(Typed::Keys(keys)) => keys.extend_from_slice(bytes),
            _ => self.typed.push(Typed::Keys(bytes.to_vec())),
        }
    }

    /// Takes what has come of the bracket already into the paste that it begins, as far as it is not gone.
    fn begin_paste(&mut self) {
        let mut begun = Vec::new();
        if let Some(Typed::Keys(keys)) = self.typed.last_mut() {
            let bracket = &PASTE_BEGINS[..PASTE_BEGINS.len() - 1];
            let here = (0..bracket.len()).find(|from| keys.ends_with(&bracket[*from..]));
            begun = keys.split_off(keys.len() - here.map_or(0, |from| bracket.len() - from));
            if keys.is_empty() {
                self.typed.pop();
            }
        }
        self.typed.push(Typed::Paste { bytes: begun, more: true });
    }

    fn paste(&mut self, byte: u8, more: bool) {
        match self.typed.last_mut() {
            Some(Typed::Paste { bytes, more: goes_on @ true }) => {
                bytes.push(byte);
                *goes_on = more;
            }
            _ => self.typed.push(Typed::Paste { bytes: vec![byte], more }),
        }
    }
}
