//! What our terminal sends, cut into pieces: keys, mouse reports, pastes. Nothing is changed or lost, so that what is for
//! a pane reaches it byte for byte, whatever it means.

/// The longest sequence that is waited for; the bytes of a longer one are passed on as they come.
const MAX_SEQUENCE: usize = 4096;

const ESC: u8 = 0x1b;
const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// A piece of input with the bytes that it came as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A character, or any other sequence.
    Key,
    /// A mouse report.
    Mouse(MouseReport),
    /// Our terminal got the focus, or lost it.
    Focus(bool),
    /// What begins a paste.
    PasteStart,
    /// Pasted text, or a part of it.
    Paste,
    /// What ends a paste.
    PasteEnd,
}

/// A mouse report in the SGR encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MouseReport {
    /// The button with modifiers and flags, as xterm numbers them.
    pub(super) button: u16,
    /// Cells to its left.
    pub(super) x: u16,
    /// Cells above it.
    pub(super) y: u16,
    /// Whether a button went up.
    pub(super) release: bool,
}

/// Cuts input into pieces; keeps what is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// At most [`MAX_SEQUENCE`] bytes.
    held: Vec<u8>,
    pasting: bool,
}

/// How far a sequence goes.
enum Extent {
    /// This many bytes.
    Whole(usize),
    /// More must come.
    Cut,
}

impl Splitter {
    /// Takes in what was read.
    pub(super) fn feed(&mut self, read: &[u8]) -> Vec<Piece> {
        let mut input = std::mem::take(&mut self.held);
        input.extend_from_slice(read);
        let mut pieces = Vec::new();
        let mut rest = &input[..];
        while !rest.is_empty() {
            let Some(piece) = self.next(rest) else { break };
            rest = &rest[piece.bytes.len()..];
            pieces.push(piece);
        }
        self.held = rest.to_vec();
        pieces
    }

    /// Whether something is held that may be complete as it is: a lone escape key.
    pub(super) fn is_waiting(&self) -> bool {
        !self.held.is_empty() && !self.pasting
    }

    /// Nothing came for a while: what is held is complete. The end of a paste is waited for.
    pub(super) fn flush(&mut self) -> Option<Piece> {
        self.is_waiting().then(|| Piece { kind: Kind::Key, bytes: std::mem::take(&mut self.held) })
    }

    fn next(&mut self, rest: &[u8]) -> Option<Piece> {
        if self.pasting {
            return self.next_of_paste(rest);
        }
        let len = match extent(rest) {
            Extent::Whole(len) => len,
            Extent::Cut if rest.len() >= MAX_SEQUENCE => rest.len(),
            Extent::Cut => return None,
        };
        let bytes = rest[..len].to_vec();
        let kind = kind_of(&bytes);
        self.pasting = kind == Kind::PasteStart;
        Some(Piece { kind, bytes })
    }

    fn next_of_paste(&mut self, rest: &[u8]) -> Option<Piece> {
        if rest.starts_with(PASTE_END) {
            self.pasting = false;
            return Some(Piece { kind: Kind::PasteEnd, bytes: PASTE_END.to_vec() });
        }
        let end = memchr::memmem::find(rest, PASTE_END).unwrap_or_else(|| {
            let partial = (1..PASTE_END.len().min(rest.len() + 1)).rev();
            rest.len() - partial.into_iter().find(|len| rest.ends_with(&PASTE_END[..*len])).unwrap_or(0)
        });
        (end > 0).then(|| Piece { kind: Kind::Paste, bytes: rest[..end].to_vec() })
    }
}

fn kind_of(bytes: &[u8]) -> Kind {
    match bytes {
        PASTE_START => Kind::PasteStart,
        b"\x1b[I" => Kind::Focus(true),
        b"\x1b[O" => Kind::Focus(false),
        [ESC, b'[', b'<', report @ .., last @ (b'M' | b'm')] => {
            mouse_report(report, *last == b'm').map_or(Kind::Key, Kind::Mouse)
        }
        _ => Kind::Key,
    }
}

/// Reads `button;column;row`.
fn mouse_report(report: &[u8], release: bool) -> Option<MouseReport> {
    let mut numbers = std::str::from_utf8(report).ok()?.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let report = MouseReport { button, x: column.checked_sub(1)?, y: row.checked_sub(1)?, release };
    numbers.next().is_none().then_some(report)
}

/// How far the first key of `rest`, which is not empty, goes.
fn extent(rest: &[u8]) -> Extent {
    match rest {
        [ESC] => Extent::Cut,
        [ESC, b'[', ..] => control_sequence(rest),
        [ESC, b'O', after @ ..] => {
            if after.is_empty() {
                Extent::Cut
            } else {
                Extent::Whole(3)
            }
        }
        [ESC, b'P' | b']' | b'_' | b'^' | b'X', ..] => control_string(rest),
        // Two escapes are two keys.
        [ESC, ESC, ..] => Extent::Whole(1),
        [ESC, after @ ..] => match character(after) {
            Extent::Whole(len) => Extent::Whole(1 + len),
            Extent::Cut => Extent::Cut,
        },
        _ => character(rest),
    }
}

fn control_sequence(rest: &[u8]) -> Extent {
    for (at, byte) in rest.iter().enumerate().skip(2) {
        match byte {
            0x40..=0x7e => return Extent::Whole(at + 1),
            0x20..=0x3f => {}
            // No sequence after all: what came so far is passed on, and this begins something else.
            _ => return Extent::Whole(at),
        }
    }
    Extent::Cut
}

/// An answer of our terminal's: up to a bell or a string terminator.
fn control_string(rest: &[u8]) -> Extent {
    let bell = memchr::memchr(0x07, rest).map(|at| at + 1);
    let terminator = memchr::memmem::find(rest, b"\x1b\\").map(|at| at + 2);
    match bell.into_iter().chain(terminator).min() {
        Some(len) => Extent::Whole(len),
        None => Extent::Cut,
    }
}

fn character(rest: &[u8]) -> Extent {
    let len = match rest[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Extent::Whole(1),
    };
    let found = rest.iter().take(len).skip(1).take_while(|byte| (0x80..0xc0).contains(*byte)).count() + 1;
    match found {
        _ if found == len => Extent::Whole(len),
        _ if found == rest.len() => Extent::Cut,
        // No character after all.
        _ => Extent::Whole(1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(reads: &[&[u8]]) -> Vec<(Kind, Vec<u8>)> {
        let mut splitter = Splitter::default();
        let mut pieces: Vec<Piece> = reads.iter().flat_map(|read| splitter.feed(read)).collect();
        pieces.extend(splitter.flush());
        pieces.into_iter().map(|piece| (piece.kind, piece.bytes)).collect()
    }

    fn keys(reads: &[&[u8]]) -> Vec<Vec<u8>> {
        pieces(reads)
            .into_iter()
            .inspect(|(kind, _)| assert_eq!(*kind, Kind::Key))
            .map(|(_, bytes)| bytes)
            .collect()
    }

    #[test]
    fn keys_are_told_apart_wherever_reads_end() {
        let input =
            "aé\x02\x1b[A\x1bOB\x1b[1;5C\x1bx\x1b\x1b[D\x1b[98;5u\x1b]11;rgb:0/0/0\x1b\\日".as_bytes();
        let whole = keys(&[input]);
        let parts: [&str; 12] = [
            "a",
            "é",
            "\x02",
            "\x1b[A",
            "\x1bOB",
            "\x1b[1;5C",
            "\x1bx",
            "\x1b",
            "\x1b[D",
            "\x1b[98;5u",
            "\x1b]11;rgb:0/0/0\x1b\\",
            "日",
        ];
        assert_eq!(whole, parts.map(|part| part.as_bytes().to_vec()));
        for cut in 1..input.len() {
            assert_eq!(keys(&[&input[..cut], &input[cut..]]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_lone_escape_is_a_key_once_nothing_follows() {
        let mut splitter = Splitter::default();
        assert!(splitter.feed(b"\x1b").is_empty());
        assert!(splitter.is_waiting());
        assert_eq!(splitter.flush(), Some(Piece { kind: Kind::Key, bytes: b"\x1b".to_vec() }));
        assert!(!splitter.is_waiting());
        assert_eq!(splitter.flush(), None);
    }

    #[test]
    fn what_is_pasted_is_no_keys() {
        let reads: [&[u8]; 4] = [b"a\x1b[200~b\x02\x1b[A\x1b[20", b"0~c\x1b[2", b"01", b"~d"];
        let pieces = pieces(&reads);
        let pasted: Vec<u8> = pieces
            .iter()
            .filter(|(kind, _)| *kind == Kind::Paste)
            .flat_map(|(_, bytes)| bytes.clone())
            .collect();
        assert_eq!(pasted, b"b\x02\x1b[A\x1b[200~c");
        assert_eq!(pieces.iter().filter(|(kind, _)| *kind == Kind::Key).count(), 2);
        assert_eq!(pieces.iter().filter(|(kind, _)| *kind == Kind::PasteEnd).count(), 1);
    }

    #[test]
    fn reports_of_the_mouse_and_of_the_focus_are_read() {
        let report = |button, x, y, release| Kind::Mouse(MouseReport { button, x, y, release });
        for (bytes, kind) in [
            (&b"\x1b[<0;1;1M"[..], report(0, 0, 0, false)),
            (b"\x1b[<64;80;24M", report(64, 79, 23, false)),
            (b"\x1b[<0;300;5m", report(0, 299, 4, true)),
            (b"\x1b[<0;0;5m", Kind::Key),
            (b"\x1b[<0;5m", Kind::Key),
            (b"\x1b[<0;5;99999999m", Kind::Key),
            (b"\x1b[I", Kind::Focus(true)),
            (b"\x1b[O", Kind::Focus(false)),
        ] {
            assert_eq!(pieces(&[bytes]), [(kind, bytes.to_vec())]);
        }
    }

    #[test]
    fn a_sequence_without_end_is_not_waited_for_for_ever() {
        let mut splitter = Splitter::default();
        let endless = [b"\x1b]".to_vec(), vec![b'x'; 2 * MAX_SEQUENCE]].concat();
        let mut out = Vec::new();
        for read in endless.chunks(1000) {
            out.extend(splitter.feed(read).into_iter().flat_map(|piece| piece.bytes));
            assert!(splitter.held.len() < MAX_SEQUENCE);
        }
        assert_eq!(out, endless);
    }

    /// Bytes among which the interesting ones are frequent.
    fn input() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            prop::sample::select(vec![
                &b"\x1b"[..],
                b"\x1b[",
                b"\x1b]",
                b"\x1bO",
                b"\x02",
                b"\x1b[200~",
                b"\x1b[201~",
                b"\x1b[<0;1;1M",
                b"\x07",
                b"\xe6\x97",
                "日".as_bytes(),
                b"text",
            ])
            .prop_map(<[u8]>::to_vec),
        ];
        proptest::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_moved(input in input(), cuts in proptest::collection::vec(1usize..12, 0..20)) {
            let mut splitter = Splitter::default();
            let (mut out, mut rest) = (Vec::new(), &input[..]);
            for cut in cuts {
                let (read, later) = rest.split_at(cut.min(rest.len()));
                out.extend(splitter.feed(read));
                rest = later;
            }
            out.extend(splitter.feed(rest));
            prop_assert!(out.iter().all(|piece| !piece.bytes.is_empty()));
            let mut bytes: Vec<u8> = out.into_iter().flat_map(|piece| piece.bytes).collect();
            bytes.extend_from_slice(&splitter.held);
            prop_assert_eq!(bytes, input);
        }
    }
}
