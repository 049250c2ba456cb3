//! What programs print: recorded, made up to be hard, and random.

use std::fs;
use std::path::{Path, PathBuf};

use everpane::geometry::Size;
use serde::Deserialize;

/// The output of one program in a terminal of one size.
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) size: Size,
    pub(crate) bytes: Vec<u8>,
}

impl Stream {
    fn new(name: &str, cols: u16, rows: u16, bytes: impl Into<Vec<u8>>) -> Stream {
        Stream { name: name.to_owned(), size: Size { cols, rows }, bytes: bytes.into() }
    }
}

/// The size of recordings that don't say theirs.
const USUAL: Size = Size { cols: 80, rows: 24 };

/// All recordings in a folder and those in it, in alphabetical order: `*.recording` with a `size.json` beside it,
/// `*.bin` and `*.typescript`; files of these that are only numbered are steps of one.
pub(crate) fn recordings(folder: &Path) -> Vec<Stream> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let step =
        |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u32>().ok().filter(|_| is_recording(path));
    let mut steps: Vec<_> = entries.iter().filter_map(|path| Some((step(path)?, path))).collect();
    steps.sort();
    let mut streams = Vec::new();
    if !steps.is_empty() {
        let bytes = steps.iter().flat_map(|(_, path)| fs::read(path).unwrap()).collect::<Vec<_>>();
        streams.push(Stream { name: folder.display().to_string(), size: USUAL, bytes });
    }
    for path in &entries {
        if path.is_dir() {
            streams.extend(recordings(path));
        } else if is_recording(path) && step(path).is_none() {
            let bytes = fs::read(path).unwrap();
            streams.push(Stream { name: path.display().to_string(), size: recorded_size(folder), bytes });
        }
    }
    streams
}

fn is_recording(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["recording", "bin", "typescript"].iter().any(|known| extension == *known))
}

fn recorded_size(folder: &Path) -> Size {
    #[derive(Deserialize)]
    struct Recorded {
        columns: u16,
        screen_lines: u16,
    }
    let Ok(text) = fs::read_to_string(folder.join("size.json")) else { return USUAL };
    let Recorded { columns, screen_lines } = serde_json::from_str(&text).unwrap();
    Size { cols: columns, rows: screen_lines }
}

/// Sequences that ask terminals something, or too much: a table, see there.
pub(crate) fn probes(table: &Path) -> Vec<Stream> {
    let table = fs::read_to_string(table).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.split('\t');
            let (name, _, bytes) = (fields.next().unwrap(), fields.next(), fields.next().unwrap());
            let mut output = b"before\r\n\x1b[1;31m".to_vec();
            output.extend(from_hexadecimal(bytes));
            output.extend(b"\x1b\\after");
            Stream::new(name, 80, 24, output)
        })
        .collect()
}

fn from_hexadecimal(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Made up to be hard.
pub(crate) fn tricky() -> Vec<Stream> {
    made_up(&[
        ("wide characters at the edge", "abcdefghi漢字漢字漢字漢字|[1;10H字|[2;9H字x|[1;9Hy|[4;9H漢|[1Kz"),
        (
            "wide characters cut",
            "漢字漢字漢|[1;2Ha|[1;5Hb|[1;4H|[P|[1;3H|[@|[2;1H漢字漢字漢|[2;2H|[X|[2;5H|[2X",
        ),
        (
            "emoji",
            "a👩\u{200d}👩\u{200d}👧b ❤\u{fe0f} 👍🏽 🇩🇪🇫🇷 1\u{fe0f}\u{20e3}\r\n👨\u{200d}💻👨\u{200d}💻👨\u{200d}💻",
        ),
        (
            "combining characters",
            "e\u{301}|[3;1H\u{301}x|[1;1H\u{308}\r\n\u{327}abcdefghi\u{301}\u{302}j\u{301}k|[m\u{301}",
        ),
        ("combining characters over a row's end", "abcdefghij\u{301}k\u{301}\r\nabcdefgh漢\u{301}字"),
        (
            "region and origin",
            "|[2;4r|[?6h|[1;1Htop|[9;1Hend\nmore\nmore|[?6l|[1;1Hx|[?6h|7\n\n|8y|[A|[A|[Az",
        ),
        (
            "region scrolls",
            "1\r\n2\r\n3\r\n4\r\n5|[2;4r|[2;1H|M|M|[4;1H\n\n|D|E|[S|[T|[2L|[M|[1;3r|[3;1H\n\n\n|[r",
        ),
        ("tabs", "|[3g|[3G|H|[7G|H\ra\tb\tc\td|[3g\r\te|[Z|[2I|[5W"),
        ("character sets", "|(0lqk`a~|(Bx|)0\x0eqqq\x0fqqq|*A|n##|o##|}#|(A#\x0e#|7\x0f#|8#|(B|8q"),
        ("repeats", "a|[3b漢|[2be\u{301}|[2b|[1;10Hx|[5b\r\nb\r|[3b|[31mc|[40b"),
        ("deleting wide characters", "漢字漢字漢|[1;4H|[2P|[4h|[2;1Habcdefghij|[2;1H漢|[2;10Hx|[4l"),
        ("columns", "12345\r\n67890\r\nabcde|[1;3H|[2 @|[ A|[2'}|['~"),
        ("alternate by 47", "primary|[31m|7|[?47halt|[2;2H|7x|[?47lback|8y|[?47hagain|8z|[?47l"),
        ("alternate by 1047", "primary|[2;3H|[?1047halt|[44m|[K|[?1047lback|[?1047h|[?1047l"),
        ("alternate by 1049", "primary|[32m|[?1049h|[Halt|[2;4r|[?6h|[3g|[?1049hmore|[?1049lback|8|[?1049l"),
        ("alternate by 1048", "ab|[?1048h|[?1049hcd|[?1048l|[?1048hx|[?1049l|[?1048ly"),
        ("coloured alternate", "|[41m|[?1049h|[mtext|[?1049l|[42m|7|[0m|[?1049h|[?1049l|8x"),
        ("reverse wrap", "|[?45habcdefghijkl\x08\x08\x08\x08x|[?45l|[2;1H\x08\x08"),
        ("reverse wrap over wide", "|[?45habcdefghi漢\x08\x08\x08\x08xy"),
        ("no wrap", "|[?7labcdefghijklmn|[1;9H漢|[?7hxyz漢"),
        ("alignment", "|[44;4m|[2;3r|[?6h|#8|[?6l|[mx|#8|[2Jy"),
        ("reset", "abc|[2;4r|[?6h|[?1h|[?2004h|[?25l|(0q|[4h|cabc|[31m|[!pdef|[2;3r|7|[!p|8x"),
        ("reset on the alternate screen", "a|[?1049hb|7|cx|8|[?1049hy|[?1049l"),
        ("soft reset on the alternate screen", "a|[2;2r|[?1049hb|[2;3r|7|[!px|8|[?1049ly"),
        (
            "attributes",
            "|[1ma|[2mb|[3mc|[4md|[5me|[7mf|[8mg|[9mh|[53mi|[21mj|[22mk|[23ml|[24mm|[25mn|[27mo|[28mp|[29mq|[55mr",
        ),
        (
            "underlines",
            "|[4:1ma|[4:2mb|[4:3mc|[4:4md|[4:5me|[4:0mf|[58;5;9;4mg|[58;2;1;2;3mh|[58:2::4:5:6mi|[58:5:7mj|[59mk",
        ),
        (
            "colours",
            "|[31;42ma|[91;102mb|[38;5;9;48;5;200mc|[38;2;1;2;3;48;2;4;5;6md|[38:2:7:8:9me|[48:2::1:2:3mf|[38:5:3mg|[39;49mh",
        ),
        ("incomplete colours", "|[38ma|[38;5mb|[38;2;1mc|[48;7md|[38:2mé|[38:5mf|[38;2;;;mg|[4:9mh|[6mi"),
        (
            "coloured blanks",
            "|[41m   |[K\r\n|[42m|[3X|[C|[J|[2;3H|[1K|[43m|[3;1H|[L|[44m|[S|[T|[45m\n\n\n\n|[m",
        ),
        ("inverse and underlined blanks", "|[7m   |[4m  |[0m|[7mx|[K\r\n|[4m|[3@|[P漢|[2;6H|[X|[mabc"),
        ("protected", "|[1\"qabc|[0\"qdef|[?2K|[1;1H|[?J|[1;1H|[1\"q漢|[2\"q漢|[1;2H|[?1K|[2Jx"),
        (
            "hyperlinks",
            "|]8;;http://a\x07link|]8;;\x07 |]8;id=1;http://b|\\one|]8;;|\\ two|]8;id=1;http://b|\\three|[m\r\nfour|]8;;|\\",
        ),
        ("hyperlinks and underlines", "|[4:3m|]8;;http://a\x07link|[mx|]8;;\x07y|[4mz|7|]8;;http://c\x07|8w"),
        (
            "colours of the palette",
            "|]4;1;#123456;2;rgb:ff/00/80\x07|]10;#fff|\\|]11;rgb:1/2/3;#00ff00\x07x|]104;1\x07|]112\x07|]110\x07y|]104\x07",
        ),
        ("synchronized output", "a|[?2026hb\r\nc|[?2026ld|[?2026h"),
        ("cursors", "|[3 qa|[4 q|[?12hb|[0 q|[?25lc|[?25h|[5 q|[?12ld|[6 q|[ q"),
        (
            "mouse",
            "|[?1000ha|[?1002hb|[?1006hc|[?1003h|[?1016hd|[?1003l|[?9h|[?1005h|[?1015h|[?1006l|[?1004h",
        ),
        ("keys", "|[?1h|=a|[>4;2m|[>1u|[=5u|[>3u|[<u|>b|[?66h|[?1049h|[>7u|[?1049l|[?1l|[?66l|[20hx\ny|[20l"),
        ("other modes", "|[?5ha|[?1007lb|[?2031hc|[?2048hd|[?5l|[?2048l|[?3he|[?3lf|[12h|[2h"),
        ("full rows", "abcdefghij|[mk\r\nabcdefghij|[1;31m\x08x|[4;1Habcdefghij|[K|[4;1Habcdefghij|[Jx"),
        ("a full last row", "1\r\n2\r\n3\r\n4\r\nabcdefghijk|[4;10Hx|7|8yz|[41mabcdefghijk漢字漢字漢"),
        ("a full row erased", "abcdefghij|[2Kx|[2;1Habcdefghij|[1Kx|[3;1Habcdefghij|[Xx|[41mabcdefghij|[2K"),
        (
            "scrollback",
            "1\r\n2\r\n3\r\n4\r\n5\r\n6 long enough to wrap around twice\r\n8\r\n9|[3J10\r\n|[2J|[H11\n\n\n\n\n12",
        ),
        (
            "erasing what wrapped",
            "abcdefghijklmnopqrst|[1;5H|[K|[2;3H|[1K|[1;1Habcdefghijklmno|[2;1H|[2K|[1J|[J",
        ),
        ("beyond the screen", "|[99;99Hx|[99Ay|[99Bz|[99C|[99Dw|[5;5H|[2Eu|[2Fv|[4`|[2a|[3d|[e|[3G"),
        (
            "pending wrap and moves",
            "abcdefghij|[A|[Bx|[1;1Habcdefghij|[Dy|[1;1Habcdefghij\tz|[1;1Habcdefghij\x08w|[1;1Habcdefghij\x0bv",
        ),
        (
            "pending wrap and saves",
            "abcdefghij|7|[H|8x|[2;1Habcdefghij|[?1049h|[?1049lx|[3;1Habcdefghij|[?47hy|[?47lz",
        ),
        (
            "strings",
            "a|Pq123|\\b|_hidden|\\c|^hidden|\\d|]0;title|\\e|]52;c;YQ==\x07f|]7;file:///a\x07g|Xh|\\",
        ),
        ("cut off sequences", "a|[3|[31mb|]0;x|[32mc|P1$|\\d|[4\x18e|[5\x1af|[6\u{9b}7mg|[1\r;1Hh|[\n2Ci"),
        ("unknown sequences", "a|[?99hb|[99zc|[>3;4md|#3e|#6f|%Gg|%@é|(Zh|-Ai|.0j|/Ak|Nq|Oq|6l|9m"),
    ])
}

/// Where the model and xterm.js differ: see the table in `docs/screens.md`.
pub(crate) fn known() -> Vec<Stream> {
    made_up(&[
        ("a saved character set", "|(0|7|(Bq|8q|[?1049hq\x0e\x0fq"),
        ("no room for a wide character", "|[?7labcdefghijklmn漢"),
        (
            "many combining characters",
            "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}",
        ),
        ("a wrap that is due", "1\r\nabcdefghij|[Tx"),
        ("a wrap that is due on leaving", "abc|[?47h|[2;1Habcdefghij|[?47lx"),
        ("a link and a restored cursor", "|7|]8;;http://a\x07link|8x"),
        ("an underline and a restored cursor", "|7|[4:3mabc|8|]8;;http://a\x07|]8;;\x07x"),
        ("a saved cursor and no scrollback", "1\r\n2\r\n3\r\n4\r\n5\r\n6|[3;3H|7|[3J|[5;1H|8x"),
    ])
}

/// `|` stands for ESC.
fn made_up(streams: &[(&str, &str)]) -> Vec<Stream> {
    streams.iter().map(|(name, text)| Stream::new(name, 10, 5, text.replace('|', "\x1b"))).collect()
}

/// Numbers that look random, the same from the same seed.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn from_seed(seed: u64) -> Numbers {
        Numbers(seed)
    }

    /// One below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // Steele, Lea and Flood's splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const NARROW: &[&str] =
    &["a", "word", "some longer text", "é", "e\u{301}", "\u{301}", "─", "#`q~", " ", "      "];
const WIDE: &[&str] =
    &["漢", "字漢", "🎉", "a\u{200d}", "漢\u{301}", "👩\u{200d}👧", "❤\u{fe0f}", "word", "e\u{301}", " "];
const CONTROLS: &[&str] = &["\r", "\n", "\r\n", "\x08", "\t", "\x0e", "\x0f", "\x0b", "\x0c", "\x07"];
const FINALS: &[&str] = &[
    "A", "B", "C", "D", "E", "F", "G", "I", "J", "K", "L", "M", "P", "X", "Z", "`", "a", "b", "d", "e", "g",
];
/// These keep a wrap that is due in xterm.js; see `docs/screens.md`.
const SCROLLS: &[&str] = &["T", " @", "'~"];
/// So do these; and they may leave halves of wide characters.
const INSERTS: &[&str] = &["@", " A", "'}"];
const LOOKS: &[&str] = &[
    "",
    "0",
    "1",
    "2",
    "3",
    "4",
    "4:3",
    "4:0",
    "5",
    "7",
    "8",
    "9",
    "21",
    "22",
    "24",
    "27",
    "31",
    "42",
    "38;5;9",
    "48;5;200",
    "38;2;1;2;3",
    "48:2::4:5:6",
    "58;5;3",
    "59",
    "53",
    "39",
    "49",
    "97",
    "101",
    "0;1;41",
];
const MODES: &[&str] = &[
    "?1", "?5", "?6", "?9", "?12", "?25", "?45", "?66", "?1000", "?1002", "?1003", "?1004", "?1006", "?1007",
    "?1015", "?1016", "?2004", "?2026", "20",
];
const WRITING_MODES: &[&str] = &["4", "?7"];
const SCREENS: &[&str] = &["?47", "?1047", "?1048", "?1049"];
const OTHERS: &[&str] = &[
    "]8;;\x07\x1b7",
    "]8;;\x07\x1b7",
    "D",
    "E",
    "H",
    "M",
    "=",
    ">",
    "(0",
    "(B",
    ")0",
    "*A",
    "n",
    "o",
    "#8",
    "c",
    "\\",
    "[!p",
    "[1\"q",
    "[0\"q",
    "[3 q",
    "[>1u",
    "[<u",
    "[=5u",
    "[>4;2m",
    "]8;;http://a\x1b\\",
    "]8;id=x;http://b\x07",
    "]8;;\x07",
    "]4;3;#123456\x07",
    "]10;rgb:1/2/3\x07",
    "]104\x07",
    "]0;title\x07",
    "Pq123\x1b\\",
    "_x\x1b\\",
    "[?2J",
    "[?K",
];

/// What a program might print that knows every sequence and means none. Half of them print wide characters; of what
/// terminals disagree on with these, or at all, they do nothing.
pub(crate) fn random_sequences(seed: u64) -> Stream {
    let mut numbers = Numbers::from_seed(seed);
    let wide = seed.is_multiple_of(2);
    let (cols, rows) = (3 + numbers.below(14), 1 + numbers.below(7));
    let mut text = String::new();
    for _ in 0..60 {
        text += &match numbers.below(64) {
            0..16 => numbers.pick(if wide { WIDE } else { NARROW }).to_owned(),
            16..24 => numbers.pick(CONTROLS).to_owned(),
            24..31 => format!("\x1b[{}m", numbers.pick(LOOKS)),
            31..35 => format!("\x1b[{}{}", numbers.pick(MODES), numbers.pick(&["h", "l"])),
            // Not with a hyperlink, an underline or a restored character set, not with a wrap that is due.
            35..38 => format!(
                "\x0f\x1b[m\x1b]8;;\x07\x1b[C\x1b[{}{}",
                numbers.pick(SCREENS),
                numbers.pick(&["h", "l"])
            ),
            38..40 => "\x1b[m\x1b]8;;\x07\x1b8".to_owned(),
            40..46 => format!("\x1b{}", numbers.pick(OTHERS)),
            46..50 => {
                let (top, bottom) = (numbers.below(14), numbers.below(14));
                format!("\x1b[{top};{bottom}{}", numbers.pick(&["H", "H", "r"]))
            }
            50..52 => format!("\x1b[C\x1b[{}{}", numbers.below(4), numbers.pick(SCROLLS)),
            52..54 if !wide => format!("\x1b[C\x1b[{}{}", numbers.below(4), numbers.pick(INSERTS)),
            54 if !wide => format!("\x1b[{}{}", numbers.pick(WRITING_MODES), numbers.pick(&["h", "l"])),
            52..57 => format!("\x1b[{}", numbers.pick(FINALS)),
            _ => format!("\x1b[{}{}", numbers.below(12), numbers.pick(FINALS)),
        };
    }
    let (cols, rows) = (u16::try_from(cols).unwrap(), u16::try_from(rows).unwrap());
    Stream::new(&format!("random sequences {seed}"), cols, rows, text)
}

/// What no program means to print.
pub(crate) fn random_bytes(seed: u64) -> Stream {
    let mut numbers = Numbers::from_seed(seed);
    let bytes: Vec<u8> = (0..400)
        .map(|_| match numbers.below(8) {
            0 => 0x1b,
            1 => b'[',
            // Nor is there scrolling: with a wrap that is due it is one of the known differences.
            _ => match numbers.below(256) as u8 {
                b'S' | b'T' => b'U',
                byte => byte,
            },
        })
        .collect();
    Stream::new(&format!("random bytes {seed}"), 12, 5, bytes)
}
