//! What counts as a query, by a table of probes and by properties.

use memchr::memmem;
use proptest::prelude::*;

use super::*;

/// The complete sequences in a program's output, found as simply as can be; text between them is left out.
pub(crate) fn sequences(output: &[u8]) -> Vec<Sequence<'_>> {
    let mut rest = output;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let sequence = match rest {
            [0x1b, b'[', ..] => control_sequence(rest),
            [0x1b, b']', ..] => string_sequence(rest, Sequence::Osc),
            [0x1b, b'P', ..] => string_sequence(rest, Sequence::Dcs),
            [0x1b, last, ..] => Some((Sequence::Escape { intermediates: b"", last: *last }, 2)),
            _ => None,
        };
        rest = &rest[sequence.map_or(1, |(_, length)| length)..];
        found.extend(sequence.map(|(sequence, _)| sequence));
    }
    found
}

fn control_sequence(output: &[u8]) -> Option<(Sequence<'_>, usize)> {
    let end = 2 + output[2..].iter().position(|byte| (b'@'..=b'~').contains(byte))?;
    Some((Sequence::Control { body: &output[2..end], last: output[end] }, end + 1))
}

fn string_sequence<'a>(
    output: &'a [u8],
    sequence: impl Fn(&'a [u8]) -> Sequence<'a>,
) -> Option<(Sequence<'a>, usize)> {
    let ends = [&b"\x1b\\"[..], b"\x07"].map(|end| Some((memmem::find(output, end)?, end.len())));
    let (end, terminator) = ends.into_iter().flatten().min()?;
    Some((sequence(&output[2..end]), end + terminator))
}

/// A sequence that owns its bytes.
#[derive(Debug, Clone)]
pub(crate) enum Owned {
    Escape(Vec<u8>, u8),
    Control(Vec<u8>, u8),
    Osc(Vec<u8>),
    Dcs(Vec<u8>),
}

impl Owned {
    pub(crate) fn borrowed(&self) -> Sequence<'_> {
        match self {
            Owned::Escape(intermediates, last) => Sequence::Escape { intermediates, last: *last },
            Owned::Control(body, last) => Sequence::Control { body, last: *last },
            Owned::Osc(body) => Sequence::Osc(body),
            Owned::Dcs(body) => Sequence::Dcs(body),
        }
    }
}

/// Bytes that often ask something.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..4),
        (0..3000_u32).prop_map(|number| number.to_string().into_bytes()),
        proptest::sample::select(vec![
            "4;", "5;", "10;", "52;", "21;", "99;p=", "?", ";", ";?", "$", "$q", "+q", "4142", "m", "=", ">",
            " ", "0",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

pub(crate) fn any_sequence() -> impl Strategy<Value = Owned> {
    let last = prop_oneof![any::<u8>(), proptest::sample::select(b"cnpqtxmuSywv|RgZ".to_vec())];
    (body(), last, 0..4_u8).prop_map(|(body, last, kind)| match kind {
        0 => Owned::Escape(body, last),
        1 => Owned::Control(body, last),
        2 => Owned::Osc(body),
        _ => Owned::Dcs(body),
    })
}

/// The queries in some output.
fn asked(output: &str) -> Vec<Query> {
    sequences(output.as_bytes()).into_iter().filter_map(Query::of).collect()
}

#[test]
fn queries_are_told_by_what_they_ask() {
    let mode = |private, number| Query::Mode { private, number };
    let colors = |slots: &[ColorSlot]| Query::Colors(slots.to_vec());
    let table: Vec<(Query, &[&str])> = vec![
        (Query::PrimaryAttributes, &["\x1bZ", "\x1b[c", "\x1b[0c", "\x1b[00;1c"]),
        (Query::SecondaryAttributes, &["\x1b[>c", "\x1b[>0c"]),
        (Query::TertiaryAttributes, &["\x1b[=c", "\x1b[=0c"]),
        (Query::Version, &["\x1b[>q", "\x1b[>0q"]),
        (Query::Parameters { on_request: true }, &["\x1b[1x"]),
        (Query::Status, &["\x1b[5n"]),
        (Query::CursorPosition, &["\x1b[6n", "\x1b[6;1n", "\x1b[06:2n"]),
        (Query::ExtendedCursorPosition, &["\x1b[?6n"]),
        (Query::DeviceStatus(996), &["\x1b[?996n"]),
        (mode(true, 2026), &["\x1b[?2026$p"]),
        (mode(false, 4), &["\x1b[4$p"]),
        (mode(false, 0), &["\x1b[$p"]),
        (Query::Setting(Setting::Pen), &["\x1bP$qm\x1b\\", "\x1bP1$qm\x1b\\"]),
        (Query::Setting(Setting::ScrollRegion), &["\x1bP$qr\x1b\\"]),
        (Query::Setting(Setting::CursorStyle), &["\x1bP$q q\x1b\\"]),
        (Query::Setting(Setting::Other), &["\x1bP$q\x1b\\", "\x1bP$qs\x1b\\", "\x1bP$q*x\x1b\\"]),
        (Query::Window(WindowReport::Cells), &["\x1b[18t", "\x1b[18;1t"]),
        (Query::ModifyOtherKeys, &["\x1b[?4m", "\x1b[?0;4m"]),
        (Query::Capabilities(vec!["544e".into()]), &["\x1bP+q544e\x1b\\", "\x1bP+qx;544e;5\x1b\\"]),
        (
            colors(&[ColorSlot::Indexed(7)]),
            &["\x1b]4;7;?\x07", "\x1b]004;007;?\x07", "\x1b]4;1;red;7;?;1\x07"],
        ),
        (colors(&[]), &["\x1b]4;256;?\x07", "\x1b]4;+5;?\x07", "\x1b]4;;?\x07", "\x1b]13;?\x07"]),
        (colors(&[ColorSlot::Foreground, ColorSlot::Cursor]), &["\x1b]10;?;red;?\x1b\\"]),
    ];
    for (query, outputs) in table {
        for output in outputs {
            assert_eq!(asked(output), std::slice::from_ref(&query), "{output:?}");
        }
    }
}

#[test]
fn what_is_never_answered_is_recognised_too() {
    let output = "\x1b[1c\x1b[>1c\x1b[>1q\x1b[7n\x1b[14t\x1b[14;2t\x1b[15t\x1b[16t\x1b[20t\x1b[21t\x1b[2x\x1b[?1m\
        \x1b[?u\x1b[?1;1;0S\x1b[?1g\x1b[> q\x1b[>100 q\x1b[1;1;1;1;9;9*y\x1b[1$u\x1b[1$w\x1b[&u\x1b[\"v\x1b['|\
        \x1b[1;1;2;2#|\x1b[#R\x1bP+Q41\x1b\\\x1bP@kitty-cmd{}\x1b\\\
        \x1b]3;?WM\x07\x1b]5;0;?\x07\x1b]21;foreground=?\x07\x1b]22;?__current__\x07\x1b]50;?\x07\x1b]50;?1\x07\
        \x1b]52;c;?\x07\x1b]52;;?\x07\x1b]60\x07\x1b]99;i=1:p=?;\x07\x1b]99;p=alive;\x07\x1b]702;?\x07\
        \x1b]1337;ReportCellSize\x07\x1b]5522;type=read\x07";
    let queries = sequences(output.as_bytes());
    assert_eq!(queries.len(), output.matches('\x1b').count() - output.matches("\x1b\\").count());
    for query in queries {
        assert_eq!(Query::of(query), Some(Query::Unanswered), "{query:?}");
    }
}

#[test]
fn what_only_looks_like_a_question_is_none() {
    let output = "\x1bc\x1b[?1c\x1b[>4n\x1b[2;1t\x1b[8;24;80t\x1b[22;0t\x1b[>1t\x1b[4m\x1b[>4;2m\x1b[u\x1b[>1u\x1b[=1u\
        \x1b[<u\x1b[3S\x1b[2 q\x1b[1\"q\x1b[>29;2:1:1 q\x1b[!p\x1b[61;1\"p\x1b[*x\x1b[1;2;3;4$x\x1b[6?n\x1b[6 n\x1b[$6n\
        \x1bPq#0~\x1b\\\x1bP>$qm\x1b\\\x1bP\x1b\\\
        \x1b]0;what?;?\x07\x1b]2;?\x07\x1b]8;;?\x07\x1b]9;?\x07\x1b]99;;?\x07\x1b]133;A;?\x07\x1b]777;notify;?;?\x07\
        \x1b]4;1;red\x07\x1b]4;?;red\x07\x1b]10\x07\x1b]10;red\x07\x1b]19;red;?\x07\x1b]21;foreground=red\x07\
        \x1b]52;c;aGk=\x07\x1b]104;1\x07\x1b]1337;File=inline=1:\x07\x1b]x;?\x07\x1b];?\x07";
    for sequence in sequences(output.as_bytes()) {
        assert_eq!(Query::of(sequence), None, "{sequence:?}");
    }
}

#[test]
fn a_command_that_asks_and_sets_is_split() {
    for (command, settings) in [
        ("10;?", &[][..]),
        ("10;red;?;blue", &["10;red", "12;blue"]),
        ("10;?;red", &["11;red"]),
        ("4;1;?;2;red;3;?;4;blue", &["4;2;red;4;blue"]),
        ("4;1;?", &[]),
        ("5;0;?;1;red", &["5;1;red"]),
        ("21;foreground=?;background=red", &["21;background=red"]),
        ("52;c;?", &[]),
        ("2;?", &["2;?"]),
        ("x", &["x"]),
        // What comes after the last colour must not become a command of its own.
        ("19;?;red;blue", &[]),
    ] {
        let split = settings_in(command.as_bytes());
        assert_eq!(split, settings.iter().map(|setting| setting.as_bytes()).collect::<Vec<_>>(), "{command}");
    }
}

proptest! {
    #[test]
    fn what_remains_of_a_command_asks_nothing(osc in body()) {
        for setting in settings_in(&osc) {
            prop_assert_eq!(Query::of(Sequence::Osc(&setting)), None);
        }
    }

    #[test]
    fn any_sequence_asks_for_a_bounded_number_of_things(sequence in any_sequence()) {
        match Query::of(sequence.borrowed()) {
            Some(Query::Colors(slots)) => prop_assert!(slots.len() <= MAX_COLORS),
            Some(Query::Capabilities(names)) => prop_assert!(names.len() <= MAX_CAPABILITIES),
            _ => {}
        }
    }
}
