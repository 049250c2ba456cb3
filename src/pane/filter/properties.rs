//! What holds for any output: random bytes, random sequences and recordings of programs.

use proptest::prelude::*;

use super::tests::fed;
use super::*;

/// Recordings by the Alacritty project, see `testdata/README.md`.
const RECORDINGS: [(&str, &[u8]); 7] = [
    ("fish_cc", include_bytes!("testdata/fish_cc.bin")),
    ("hyperlinks", include_bytes!("testdata/hyperlinks.bin")),
    ("ll", include_bytes!("testdata/ll.bin")),
    ("tmux_git_log", include_bytes!("testdata/tmux_git_log.bin")),
    ("vim_simple_edit", include_bytes!("testdata/vim_simple_edit.bin")),
    ("vttest_insert", include_bytes!("testdata/vttest_insert.bin")),
    ("vttest_origin_mode_2", include_bytes!("testdata/vttest_origin_mode_2.bin")),
];

/// More than a filter ever holds: a string, its introducer, and a sequence's beginning.
const MOST_HELD: usize = HOLD_LIMIT + 16;

/// Output dense with sequences, whole, broken and nested in each other.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..4),
        16 => proptest::sample::select(PIECES.to_vec()).prop_map(<[u8]>::to_vec),
        1 => Just(vec![b'1'; control::CONTROL_LIMIT - 1]),
        1 => Just(vec![b'A'; HOLD_LIMIT - 4]),
    ];
    proptest::collection::vec(piece, 0..32).prop_map(|pieces| pieces.concat())
}

const PIECES: [&[u8]; 70] = [
    b"\x1b",
    b"\x1b[",
    b"\x1b]",
    b"\x1bP",
    b"\x1b_",
    b"\x1b^",
    b"\x1bX",
    b"\x1b\\",
    b"\x07",
    b"\x05",
    b"\x18",
    b"\x1a",
    b"\x0e",
    b"\x0f",
    b"\x7f",
    b"\r\n",
    b"\xc2",
    b"\xc2\x90",
    b"\xc2\x9b",
    b"\xc2\x9c",
    b"\xc2\x9d",
    b"\x9b",
    b"\xe6\xbc",
    b"\xa2",
    b"\xf0\x9f",
    b"\x1b(0",
    b"\x1bc",
    b"\x1b%@",
    b"?1049h",
    b"?1049;1006l",
    b"1;31m",
    b"38:2::1:2:3m",
    b"0m",
    b">1u",
    b"<u",
    b"?u",
    b"=3;2u",
    b"6n",
    b"c",
    b"?2026$p",
    b"18t",
    b"8;9;9t",
    b"22;0t",
    b"2;10r",
    b"!p",
    b" q",
    b"4h",
    b"?6;69h",
    b"2147483647b",
    b"99999;000001H",
    b"1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1",
    b"0;title",
    b"00002;title",
    b"4;1;?;2;red",
    b"10;red;?",
    b"52;c;?",
    b"52;c;YQ",
    b"7;file://h/a%20b",
    b"8;;http://x",
    b"8;;",
    b"9;4;1;50",
    b"99;i=1:d=0;part",
    b"99;i=1;part",
    b"133;A",
    b"133;D;1",
    b"1337;File=",
    "é漢😀".as_bytes(),
    b"plain text",
    b";",
    b"q",
];

fn cut_at(output: &[u8], mut cuts: Vec<usize>) -> Vec<&[u8]> {
    cuts.extend([0, output.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|ends| &output[ends[0]..ends[1]]).collect()
}

/// All that a filter knows after some output, but for what is held: pieces may hold it differently.
fn state(filter: &Filter) -> (State, Modes) {
    (filter.state, filter.modes)
}

/// Whether the first `length` bytes of `clean` end between sequences and characters, or inside a long string if
/// `passing`.
fn ends_well(clean: &[u8], length: usize, passing: bool) -> bool {
    let (again, _, filter) = fed(&[&clean[..length]]);
    let held = &filter.held;
    let parted = match held.first() {
        None => false,
        // It looks like the beginning of a character. What comes next tells.
        Some(0x80..) => matches!(characters::next(&clean[length - held.len()..]), Next::Character(_)),
        Some(_) => true,
    };
    !parted && [&again[..], held].concat() == clean[..length] && filter.passing() == passing
}

fn check_pieces(output: &[u8], pieces: &[&[u8]]) {
    let (clean, events, whole) = fed(&[output]);
    let (cut_clean, cut_events, cut) = fed(pieces);
    assert_eq!(cut_clean.escape_ascii().to_string(), clean.escape_ascii().to_string());
    assert_eq!(cut_events, events);
    assert_eq!(state(&cut), state(&whole));
}

/// Feeds `pieces` and checks what a viewer that reads after any of them relies on.
fn check_prefixes(pieces: &[&[u8]]) {
    let mut filter = Filter::new();
    let mut clean = Vec::new();
    let mut ends = Vec::new();
    for piece in pieces {
        clean.extend_from_slice(filter.feed(OutputBuf::copy_of(piece), &mut |_, _| {}).payload());
        assert!(filter.held.len() <= MOST_HELD && filter.held.capacity() <= 2 * MOST_HELD);
        ends.push((clean.len(), filter.passing()));
    }
    clean.extend_from_slice(&filter.held);
    for (length, passing) in ends {
        assert!(ends_well(&clean, length, passing), "{}", clean[..length].escape_ascii());
    }
}

fn check_idempotence(output: &[u8]) {
    let (clean, events, filter) = fed(&[output]);
    let (mut again, again_events, again_filter) = fed(&[&clean]);
    // The end may look like the beginning of a character, as it was before what came next.
    assert!(again_filter.held.first().is_none_or(|first| *first >= 0x80));
    again.extend_from_slice(&again_filter.held);
    assert_eq!(again.escape_ascii().to_string(), clean.escape_ascii().to_string());
    assert_eq!(again_filter.modes(), filter.modes());
    let said: Vec<Event> = events.into_iter().map(|(_, event)| event).collect();
    let said_again = again_events.into_iter().map(|(_, event)| event);
    let unasked = said.into_iter().filter(|event| !matches!(event, Event::Query(_)));
    assert!(unasked.eq(said_again));
}

#[test]
fn recordings_come_out_clean_in_any_pieces() {
    for (name, recording) in RECORDINGS {
        for size in [1, 2, 3, 7, 64, 1000] {
            check_pieces(recording, &recording.chunks(size).collect::<Vec<_>>());
        }
        check_idempotence(recording);
        let prefix = &recording[..recording.len().min(2000)];
        check_prefixes(&prefix.chunks(13).collect::<Vec<_>>());
        assert!(fed(&[recording]).2.held.len() < 64, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn pieces_give_what_the_whole_gives(
        output in output(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let cuts = cuts.iter().map(|cut| cut.index(output.len() + 1)).collect();
        let pieces = cut_at(&output, cuts);
        check_pieces(&output, &pieces);
        check_prefixes(&pieces);
        check_pieces(&output, &output.chunks(1).collect::<Vec<_>>());
    }

    #[test]
    fn clean_output_is_clean(output in output(), noise in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_idempotence(&output);
        check_idempotence(&noise);
        check_prefixes(&noise.chunks(5).collect::<Vec<_>>());
    }

    #[test]
    fn modes_can_be_restored_and_reset(output in output()) {
        let modes = *fed(&[&output]).2.modes();
        let mut preamble = Vec::new();
        modes.restore(&mut preamble);
        let (clean, events, mut viewer) = fed(&[&preamble]);
        prop_assert_eq!((&clean, events), (&preamble, Vec::new()));
        prop_assert!(viewer.held.is_empty() && !viewer.passing());
        prop_assert_eq!(*viewer.modes(), Modes { pen: viewer.modes().pen, hyperlink: false, ..modes });

        let mut resets = Vec::new();
        modes.input_reset(&mut resets);
        modes.screen_reset(&mut resets);
        viewer.feed(OutputBuf::copy_of(&resets), &mut |_, _| {});
        prop_assert_eq!(*viewer.modes(), Modes::default());

        // And on the terminal that saw it all.
        let mut dead = fed(&[&output]).2;
        dead.end();
        dead.feed(OutputBuf::copy_of(&resets), &mut |_, _| {});
        prop_assert_eq!(*dead.modes(), Modes::default());
    }
}
