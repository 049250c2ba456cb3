//! What the server's terminal answers to programs: the only answers they get, however many viewers there are.
//!
//! Where xterm.js answers, the answer is the same, since viewers' terminals are what programs really talk to; where
//! it is silent but programs would wait, it is xterm's. What viewers can't deliver is not promised:
//!
//! - The primary attributes name no clipboard (52): neovim would then paste from it, and wait for seconds for an
//!   answer that never comes.
//! - Kitty keyboard flags are not answered. xterm.js 6.0.0 can't send such keys, but programs that hear that a
//!   terminal can (neovim, fish) switch them on and count on keys that no browser sends. They ask for the primary
//!   attributes right after; that answer alone tells them that it can't. modifyOtherKeys is off for the same reason.
//! - Reports of resizes and of colour schemes (modes 2048 and 2031) are unknown: viewers' reports do not reach
//!   programs, and neovim no longer minds SIGWINCH once it hears that it can have reports instead.
//! - Titles are not told, not even as empty ones: what a program's output can set must not come back as its input,
//!   xterm is silent as well by default, so nobody waits, and any answer would put an `l` into a shell's line.
//! - Nor are sizes in pixels, which differ from viewer to viewer. Programs that ask for them do without.

use super::colors::{ColorSlot, Rgb};
use super::query::{Query, Setting, WindowReport};
use crate::geometry::Size;
#[cfg(test)]
pub(crate) use tests::every_answer;

/// No answer is longer, in bytes, whatever was asked. [`MAX_COLORS`](super::query::MAX_COLORS) colours come close.
pub const ANSWER_LIMIT: usize = 8192;

/// What `TERM` is for shells; whoever asks for the terminal's name gets it.
const TERM_NAME: &str = "xterm-256color";

/// What terminfo is asked for most: its name, the number of colours, and the bits of a direct colour.
const CAPABILITIES: [(&str, &str); 5] =
    [("TN", TERM_NAME), ("name", TERM_NAME), ("Co", "256"), ("colors", "256"), ("RGB", "8/8/8")];

/// DECSCUSR's number of the cursor that viewers show by default, a block that does not blink.
const DEFAULT_CURSOR: u8 = 2;

/// What has to be known to answer.
pub trait Facts {
    /// The screen's size.
    fn size(&self) -> Size;

    /// The cursor's row and column, from 1; in origin mode from the corner of the scroll region.
    fn cursor(&self) -> (u16, u16);

    /// Whether a DEC private mode is set; `None` if it is not known.
    fn private_mode(&self, mode: u16) -> Option<bool>;

    /// Whether an ANSI mode is set; `None` if it is not known.
    fn ansi_mode(&self, mode: u16) -> Option<bool>;

    /// The text attributes as SGR parameters that set them on a terminal in any state, such as `0;1;38:5:3`.
    fn pen(&self) -> String;

    /// First and last row of the scroll region, from 1.
    fn scroll_region(&self) -> (u16, u16);

    /// DECSCUSR's number, 0 to 6; 0 is the viewer's own choice.
    fn cursor_style(&self) -> u8;

    /// The colour that a program gave to `slot`; `None` if none did.
    fn color(&self, slot: ColorSlot) -> Option<Rgb>;
}

/// What a terminal of which these facts are true answers, if it answers: at most [`ANSWER_LIMIT`] bytes, none of
/// them taken from the program's output but for hexadecimal digits and the numbers of modes.
#[must_use]
pub fn answer(query: &Query, facts: &dyn Facts) -> Option<Vec<u8>> {
    let text = match query {
        Query::Unanswered => return None,
        // A VT100 with advanced video.
        Query::PrimaryAttributes => "\x1b[?1;2c".to_owned(),
        // What xterm.js says: an xterm, patch level 276.
        Query::SecondaryAttributes => "\x1b[>0;276;0c".to_owned(),
        Query::TertiaryAttributes => "\x1bP!|00000000\x1b\\".to_owned(),
        Query::Version => format!("\x1bP>|everpane({})\x1b\\", env!("CARGO_PKG_VERSION")),
        // No parity, 8 bits, 38,400 baud both ways, as everywhere.
        Query::Parameters { on_request } => {
            format!("\x1b[{};1;1;128;128;1;0x", if *on_request { 3 } else { 2 })
        }
        Query::Status => "\x1b[0n".to_owned(),
        Query::CursorPosition => cursor_report("", facts),
        Query::ExtendedCursorPosition => cursor_report("?", facts),
        Query::DeviceStatus(number) => device_status(*number)?.to_owned(),
        Query::Mode { private: true, number } => {
            format!("\x1b[?{number};{}$y", private_mode(*number, facts) as u8)
        }
        Query::Mode { private: false, number } => {
            format!("\x1b[{number};{}$y", ansi_mode(*number, facts) as u8)
        }
        Query::Setting(setting) => setting_report(*setting, facts),
        Query::Window(report) => window_report(*report, facts),
        Query::ModifyOtherKeys => "\x1b[>4;0m".to_owned(),
        Query::Colors(slots) => slots.iter().map(|slot| color_report(*slot, facts)).collect(),
        Query::Capabilities(names) => names.iter().map(|name| capability_report(name)).collect(),
    };
    (!text.is_empty()).then(|| text.into_bytes())
}

fn cursor_report(prefix: &str, facts: &dyn Facts) -> String {
    let (row, column) = facts.cursor();
    format!("\x1b[{prefix}{row};{column}R")
}

fn device_status(number: u32) -> Option<&'static str> {
    Some(match number {
        // No printer.
        15 => "\x1b[?13n",
        // User-defined keys are unlocked.
        25 => "\x1b[?20n",
        // A North American keyboard.
        26 => "\x1b[?27;1;0;0n",
        // No locator, of no type.
        53 | 55 => "\x1b[?50n",
        56 => "\x1b[?57;0n",
        // No room for macros, and nothing in it to sum up.
        62 => "\x1b[0*{",
        63 => "\x1bP0!~0000\x1b\\",
        // No errors, no other sessions.
        75 => "\x1b[?70n",
        85 => "\x1b[?83n",
        // The colours are dark.
        996 => "\x1b[?997;1n",
        _ => return None,
    })
}

/// How a mode stands, as DECRQM has it numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ModeState {
    Unknown = 0,
    Set = 1,
    Reset = 2,
    AlwaysSet = 3,
    AlwaysReset = 4,
}

impl ModeState {
    fn of(known: Option<bool>) -> Self {
        match known {
            None => Self::Unknown,
            Some(true) => Self::Set,
            Some(false) => Self::Reset,
        }
    }
}

fn private_mode(number: u32, facts: &dyn Facts) -> ModeState {
    match number {
        // Keys repeat.
        8 => ModeState::AlwaysSet,
        // The backspace key sends DEL; mouse coordinates come in neither of the two encodings that SGR made obsolete.
        67 | 1005 | 1015 => ModeState::AlwaysReset,
        // A cursor can be saved at any time; so says xterm.
        1048 => ModeState::Set,
        2031 | 2048 => ModeState::Unknown,
        _ => ModeState::of(u16::try_from(number).ok().and_then(|mode| facts.private_mode(mode))),
    }
}

fn ansi_mode(number: u32, facts: &dyn Facts) -> ModeState {
    match number {
        // The keyboard is never locked, and never echoes by itself.
        2 => ModeState::AlwaysReset,
        12 => ModeState::AlwaysSet,
        _ => ModeState::of(u16::try_from(number).ok().and_then(|mode| facts.ansi_mode(mode))),
    }
}

fn setting_report(setting: Setting, facts: &dyn Facts) -> String {
    let value = match setting {
        Setting::Pen => format!("{}m", facts.pen()),
        Setting::ScrollRegion => {
            let (first, last) = facts.scroll_region();
            format!("{first};{last}r")
        }
        Setting::CursorStyle => match facts.cursor_style() {
            0 => format!("{DEFAULT_CURSOR} q"),
            style => format!("{style} q"),
        },
        // Nothing can be protected.
        Setting::Protection => "0\"q".to_owned(),
        // Level 1, 7-bit controls.
        Setting::Conformance => "61;1\"p".to_owned(),
        Setting::Other => return "\x1bP0$r\x1b\\".to_owned(),
    };
    format!("\x1bP1$r{value}\x1b\\")
}

fn window_report(report: WindowReport, facts: &dyn Facts) -> String {
    let Size { cols, rows } = facts.size();
    match report {
        // Not minimised.
        WindowReport::State => "\x1b[1t".to_owned(),
        WindowReport::Position => "\x1b[3;0;0t".to_owned(),
        WindowReport::Cells => format!("\x1b[8;{rows};{cols}t"),
        // There is no larger screen around a pane.
        WindowReport::ScreenCells => format!("\x1b[9;{rows};{cols}t"),
    }
}

fn color_report(slot: ColorSlot, facts: &dyn Facts) -> String {
    let Rgb { red, green, blue } = facts.color(slot).unwrap_or_else(|| slot.default_color());
    let command = slot.command();
    format!("\x1b]{command};rgb:{red:02x}{red:02x}/{green:02x}{green:02x}/{blue:02x}{blue:02x}\x1b\\")
}

/// The answer to one name, which consists of hexadecimal digits.
fn capability_report(name: &str) -> String {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
    match CAPABILITIES.iter().find(|(known, _)| hex(known).eq_ignore_ascii_case(name)) {
        Some((_, value)) => format!("\x1bP1+r{name}={}\x1b\\", hex(value)),
        None => format!("\x1bP0+r{name}\x1b\\"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::query::{MAX_CAPABILITIES, MAX_CAPABILITY_DIGITS, MAX_COLORS, Sequence};
    use super::super::query::{any_sequence, sequences};
    use super::*;

    /// A terminal of 80 × 24 cells, freshly reset but for what a test changes.
    struct Fresh {
        cursor: (u16, u16),
        pen: &'static str,
        cursor_style: u8,
        color: Option<Rgb>,
        modes_set: bool,
    }

    const FRESH: Fresh = Fresh { cursor: (1, 1), pen: "0", cursor_style: 0, color: None, modes_set: false };

    impl Facts for Fresh {
        fn size(&self) -> Size {
            Size::DEFAULT
        }

        fn cursor(&self) -> (u16, u16) {
            self.cursor
        }

        fn private_mode(&self, mode: u16) -> Option<bool> {
            [1, 25, 1000, 1005, 1049, 2004, 2026, 2031, 2048].contains(&mode).then_some(self.modes_set)
        }

        fn ansi_mode(&self, mode: u16) -> Option<bool> {
            [4, 20].contains(&mode).then_some(self.modes_set)
        }

        fn pen(&self) -> String {
            self.pen.to_owned()
        }

        fn scroll_region(&self) -> (u16, u16) {
            (1, 24)
        }

        fn cursor_style(&self) -> u8 {
            self.cursor_style
        }

        fn color(&self, _slot: ColorSlot) -> Option<Rgb> {
            self.color
        }
    }

    /// The answers to some output.
    fn answers(output: &[u8], facts: &Fresh) -> Vec<Vec<u8>> {
        let queries = sequences(output).into_iter().filter_map(Query::of);
        queries.filter_map(|query| answer(&query, facts)).collect()
    }

    /// The answers to some output, all together.
    fn said(output: &[u8], facts: &Fresh) -> String {
        String::from_utf8(answers(output, facts).concat()).expect("answers are ASCII")
    }

    fn from_hex(digits: &str) -> Vec<u8> {
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"))
            .collect()
    }

    /// Name, class, bytes and what xterm.js answers, for each probe.
    fn probes() -> impl Iterator<Item = (&'static str, &'static str, Vec<u8>, Option<String>)> {
        let lines = include_str!("testdata/query_probes.tsv").lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [name, class, bytes, reply] = columns[..] else { panic!("four columns: {line}") };
            let reply = (reply != "-").then(|| String::from_utf8(from_hex(reply)).expect("ASCII"));
            (name, class, from_hex(bytes), reply)
        })
    }

    #[test]
    fn every_probe_that_is_a_query_is_recognised_and_no_other() {
        for (name, class, bytes, _) in probes() {
            // A control character; the filter's business.
            if name == "ENQ" {
                continue;
            }
            let asks = sequences(&bytes).into_iter().any(|sequence| Query::of(sequence).is_some());
            let expected = class == "reply"
                || name == "OSC52_read"
                || (class == "injection" && name != "CVE-2021-33477_graphics");
            assert_eq!(asks, expected, "{name}");
        }
    }

    #[test]
    fn what_xterm_js_answers_is_answered_alike() {
        for (name, _, bytes, reply) in probes() {
            if let Some(reply) = reply {
                assert_eq!(said(&bytes, &FRESH), reply, "{name}");
            }
        }
    }

    #[test]
    fn nothing_that_a_program_said_comes_back() {
        for (name, class, bytes, _) in probes().filter(|(_, class, ..)| *class == "injection") {
            let answers = said(&bytes, &FRESH);
            assert!(
                !answers.contains("inject") && !answers.contains(['\n', '\r']),
                "{name} {class}: {answers:?}"
            );
        }
        for asked in ["\x1b]2;rm\x07\x1b[21t\x1b[20t", "\x1b]52;c;?\x07", "\x1bP+q726d3b;2\n;rm\x1b\\"] {
            assert!(!said(asked.as_bytes(), &FRESH).contains("rm"), "{asked:?}");
        }
    }

    /// Each kind of answer that a fresh terminal can give, beyond those of the probes.
    const ANSWERS: [(&str, &str); 29] = [
        ("\x1bZ", "\x1b[?1;2c"),
        ("\x1b[=c", "\x1bP!|00000000\x1b\\"),
        ("\x1b[>0q", concat!("\x1bP>|everpane(", env!("CARGO_PKG_VERSION"), ")\x1b\\")),
        ("\x1b[x", "\x1b[2;1;1;128;128;1;0x"),
        ("\x1b[1x", "\x1b[3;1;1;128;128;1;0x"),
        ("\x1b[?15n\x1b[?25n", "\x1b[?13n\x1b[?20n"),
        ("\x1b[?26n", "\x1b[?27;1;0;0n"),
        ("\x1b[?53n\x1b[?55n\x1b[?56n", "\x1b[?50n\x1b[?50n\x1b[?57;0n"),
        ("\x1b[?62n", "\x1b[0*{"),
        ("\x1b[?63;5n", "\x1bP0!~0000\x1b\\"),
        ("\x1b[?75n\x1b[?85n", "\x1b[?70n\x1b[?83n"),
        ("\x1b[?996n", "\x1b[?997;1n"),
        ("\x1b[?999999999999$p", "\x1b[?4294967295;0$y"),
        ("\x1b[?1005$p\x1b[?8$p\x1b[?1048$p", "\x1b[?1005;4$y\x1b[?8;3$y\x1b[?1048;1$y"),
        ("\x1b[?2031$p\x1b[?2048$p", "\x1b[?2031;0$y\x1b[?2048;0$y"),
        ("\x1b[2$p\x1b[12$p\x1b[77$p", "\x1b[2;4$y\x1b[12;3$y\x1b[77;0$y"),
        ("\x1bP$q\"q\x1b\\", "\x1bP1$r0\"q\x1b\\"),
        ("\x1bP$q\"p\x1b\\", "\x1bP1$r61;1\"p\x1b\\"),
        ("\x1bP$qt\x1b\\", "\x1bP0$r\x1b\\"),
        ("\x1b[11t\x1b[13t", "\x1b[1t\x1b[3;0;0t"),
        ("\x1b[18t\x1b[19t", "\x1b[8;24;80t\x1b[9;24;80t"),
        ("\x1b[?4m", "\x1b[>4;0m"),
        ("\x1b]10;?\x07", "\x1b]10;rgb:d5d5/dada/e3e3\x1b\\"),
        ("\x1b]11;?;?\x1b\\", "\x1b]11;rgb:1212/1515/1c1c\x1b\\\x1b]12;rgb:5e5e/eaea/d4d4\x1b\\"),
        ("\x1b]17;?\x07", "\x1b]17;rgb:2f2f/4848/5858\x1b\\"),
        ("\x1b]4;1;?;67;?\x07", "\x1b]4;1;rgb:f0f0/7171/7878\x1b\\\x1b]4;67;rgb:5f5f/8787/afaf\x1b\\"),
        ("\x1bP+q436f\x1b\\", "\x1bP1+r436f=323536\x1b\\"),
        ("\x1bP+q524742;6b31\x1b\\", "\x1bP1+r524742=382F382F38\x1b\\\x1bP0+r6b31\x1b\\"),
        ("\x1bP+q544E\x1b\\", "\x1bP1+r544E=787465726D2D323536636F6C6F72\x1b\\"),
    ];

    #[test]
    fn what_xterm_answers_is_answered_sensibly() {
        for (asked, answered) in ANSWERS {
            assert_eq!(said(asked.as_bytes(), &FRESH), answered, "{asked:?}");
        }
    }

    #[test]
    fn answers_say_what_is_true() {
        let changed = Fresh {
            cursor: (24, 80),
            pen: "0;1;38:2::1:2:3",
            cursor_style: 5,
            color: Some(Rgb { red: 1, green: 0xab, blue: 0xff }),
            modes_set: true,
        };
        for (asked, answered) in [
            ("\x1b[6n\x1b[?6n", "\x1b[24;80R\x1b[?24;80R"),
            ("\x1bP$qm\x1b\\", "\x1bP1$r0;1;38:2::1:2:3m\x1b\\"),
            ("\x1bP$q q\x1b\\", "\x1bP1$r5 q\x1b\\"),
            ("\x1b]11;?\x07", "\x1b]11;rgb:0101/abab/ffff\x1b\\"),
            ("\x1b[?2004$p\x1b[4$p", "\x1b[?2004;1$y\x1b[4;1$y"),
        ] {
            assert_eq!(said(asked.as_bytes(), &changed), answered, "{asked:?}");
        }
    }

    #[test]
    fn what_no_viewer_can_deliver_is_not_answered() {
        for asked in [
            "\x1b[?u",
            "\x1b[20t",
            "\x1b[21t",
            "\x1b[14t",
            "\x1b[16t",
            "\x1b]52;c;?\x07",
            "\x1b[1;1;1;1;1;1*y",
        ] {
            assert_eq!(said(asked.as_bytes(), &FRESH), "", "{asked:?}");
        }
    }

    /// Every answer that there is, in one shape each; for whoever has to tell answers from keys.
    pub(crate) fn every_answer() -> Vec<Vec<u8>> {
        let far = Fresh { cursor: (24, 80), ..FRESH };
        let asked = probes().map(|(_, _, bytes, _)| bytes).chain(ANSWERS.map(|(asked, _)| asked.into()));
        asked.flat_map(|asked| answers(&asked, &far)).collect()
    }

    #[test]
    fn answers_are_bounded_however_much_is_asked() {
        let names = format!("+q{}", format!("{};", "ab".repeat(MAX_CAPABILITY_DIGITS / 2)).repeat(10_000));
        let colors = format!("4{}", ";255;?".repeat(10_000));
        for (sequence, answers) in [
            (Sequence::Osc(colors.as_bytes()), MAX_COLORS),
            (Sequence::Dcs(names.as_bytes()), MAX_CAPABILITIES),
        ] {
            let said = answer(&Query::of(sequence).expect("a query"), &FRESH).expect("an answer");
            assert!(said.len() <= ANSWER_LIMIT, "{}", said.len());
            assert_eq!(said.windows(2).filter(|bytes| bytes == b"\x1b\\").count(), answers);
        }
    }

    proptest! {
        #[test]
        fn any_sequence_is_answered_briefly_in_ascii(sequence in any_sequence()) {
            if let Some(said) = Query::of(sequence.borrowed()).and_then(|query| answer(&query, &FRESH)) {
                prop_assert!(said.len() <= ANSWER_LIMIT);
                prop_assert!(said.iter().all(|byte| *byte == 0x1b || (b' '..0x7f).contains(byte)));
            }
        }
    }
}
