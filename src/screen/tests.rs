//! What holds for whole screens: a snapshot brings another terminal to where one is, and both go on alike.

use proptest::prelude::*;

use super::*;

const LIMITS: ScrollbackLimits = ScrollbackLimits { lines: 1000, bytes: 1 << 20 };

fn size(cols: u16, rows: u16) -> Size {
    Size { cols, rows }
}

fn fed(size: Size, output: &[u8]) -> Screen {
    let mut screen = Screen::new(size, LIMITS);
    screen.feed(output);
    screen
}

/// Everything that can be told of a screen.
fn state(screen: &Screen) -> String {
    screen.terminal.describe()
}

#[test]
fn text_is_shown() {
    let screen = fed(size(10, 3), b"hello\r\nworld wraps\x1b[1;31m!\x1b[m");
    assert_eq!(screen.text(), ["hello", "world wrap", "s!"]);
}

/// A piece of output that does something.
fn token() -> impl Strategy<Value = Vec<u8>> {
    let count = prop_oneof![Just(String::new()), (0..12u16).prop_map(|count| count.to_string())];
    let pair = (0..14u16, 0..14u16);
    let text = prop_oneof![
        4 => "[a-z #`~]{1,14}",
        1 => prop::sample::select(vec!["漢", "字漢", "é", "e\u{301}", "\u{301}", "🎉", "a\u{200d}", "─", "漢\u{301}"])
            .prop_map(str::to_owned),
    ];
    let control = prop::sample::select(vec!["\r", "\n", "\r\n", "\x08", "\t", "\x0e", "\x0f", "\x0b"]);
    let sgr = prop::sample::select(vec![
        "",
        "1",
        "2",
        "3",
        "4",
        "4:3",
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
    ]);
    let mode = prop::sample::select(vec![
        "?1", "?5", "?6", "?7", "?9", "?12", "?25", "?45", "?47", "?66", "?1000", "?1002", "?1003", "?1004",
        "?1006", "?1007", "?1015", "?1016", "?1047", "?1048", "?1049", "?2004", "?2026", "4", "20",
    ]);
    let escape = prop::sample::select(vec![
        "7", "8", "D", "E", "H", "M", "=", ">", "(0", "(B", ")0", "*A", "n", "o", "#8", "c", "\\",
    ]);
    let odd = prop::sample::select(vec![
        "\x1b[!p",
        "\x1b[1\"q",
        "\x1b[0\"q",
        "\x1b[3 q",
        "\x1b[>1u",
        "\x1b[<u",
        "\x1b[=5u",
        "\x1b[>4;2m",
        "\x1b[3J",
        "\x1b]8;;http://a\x1b\\",
        "\x1b]8;id=x;http://b\x07",
        "\x1b]8;;\x07",
        "\x1b]4;3;#123456\x07",
        "\x1b]10;rgb:1/2/3\x07",
        "\x1b]104\x07",
        "\x1b]0;title\x07",
        "\x1bPq123\x1b\\",
        "\x1b_x\x1b\\",
        "\x1b[?2J",
        "\x1b[?K",
    ]);
    let finals = prop::sample::select("@ABCDEFGIJKLMPSTXZ`abdeg".chars().collect::<Vec<_>>());
    let shifts = prop::sample::select(vec![" @", " A", "'}", "'~"]);
    prop_oneof![
        12 => text.prop_map(String::into_bytes),
        6 => control.prop_map(|control| control.as_bytes().to_vec()),
        6 => sgr.prop_map(|sgr| format!("\x1b[{sgr}m").into_bytes()),
        5 => (mode, prop::sample::select(vec!['h', 'l'])).prop_map(|(mode, set)| format!("\x1b[{mode}{set}").into_bytes()),
        3 => escape.prop_map(|escape| format!("\x1b{escape}").into_bytes()),
        4 => odd.prop_map(|odd| odd.as_bytes().to_vec()),
        10 => (count.clone(), finals).prop_map(|(count, last)| format!("\x1b[{count}{last}").into_bytes()),
        1 => (count, shifts).prop_map(|(count, last)| format!("\x1b[{count}{last}").into_bytes()),
        4 => (pair.clone(), prop::sample::select(vec!['H', 'r'])).prop_map(|((a, b), last)| format!("\x1b[{a};{b}{last}").into_bytes()),
    ]
}

fn output(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(token(), 0..most).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn who_comes_late_sees_the_same(
        cols in 2..14u16, rows in 1..7u16, before in output(60), after in output(10),
    ) {
        let mut early = fed(size(cols, rows), &before);
        let snapshot = early.snapshot(usize::MAX);
        let mut late = fed(size(cols, rows), &snapshot);
        prop_assert_eq!(state(&early), state(&late), "at once: {:?} by {:?}", String::from_utf8_lossy(&before), String::from_utf8_lossy(&snapshot));
        let again = late.snapshot(usize::MAX);
        prop_assert_eq!(String::from_utf8_lossy(&snapshot), String::from_utf8_lossy(&again));
        early.feed(&after);
        late.feed(&after);
        prop_assert_eq!(state(&early), state(&late), "later");
    }

    #[test]
    fn no_output_and_no_size_is_too_odd(
        before in output(30), bytes in prop::collection::vec(any::<u8>(), 0..40), cols in 2..30u16, rows in 1..10u16,
        after in output(20),
    ) {
        let mut screen = fed(size(12, 5), &before);
        screen.feed(&bytes);
        screen.resize(size(cols, rows));
        screen.feed(&after);
        screen.resize(size(12, 5));
        screen.feed(&bytes);
    }
}

/// Prints how fast output is taken in. `cargo test --release --lib screen::tests::speed -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn speed() {
    let mut plain = String::new();
    let mut coloured = String::new();
    let mut frames = String::new();
    for line in 0..20_000 {
        plain.push_str(&format!(
            "[{line:>6}] linking target src/gateway crate unused of ok warning: 0x7ffe\r\n"
        ));
        coloured.push_str(&format!(
            "\x1b[1;{}m   Compiling\x1b[0m unit-{line} \x1b[38;5;244m( linking crate ok of target )\x1b[0m\r\n",
            31 + line % 6
        ));
    }
    for frame in 0..1000 {
        frames.push_str("\x1b[?25l\x1b[H");
        for row in 1..=24 {
            frames.push_str(&format!(
                "\x1b[{row};1H\x1b[48;5;{}m {frame:>3}% \x1b[0m src/ target linking gateway crate unused ok\x1b[K",
                (row * frame) % 256
            ));
        }
        frames.push_str("\x1b[?25h\r\n");
    }
    for (name, output) in [("plain", plain), ("coloured", coloured), ("frames", frames)] {
        let limits = ScrollbackLimits { lines: 10_000, bytes: 8 << 20 };
        let mut screen = Screen::new(size(120, 40), limits);
        let start = std::time::Instant::now();
        let rounds = 40;
        for _ in 0..rounds {
            output.as_bytes().chunks(16 << 10).for_each(|part| screen.feed(part));
        }
        let mebibytes = (output.len() * rounds) as f64 / f64::from(1 << 20);
        let taken = start.elapsed();
        let snapping = std::time::Instant::now();
        let small = screen.snapshot(0).len();
        let small_took = snapping.elapsed();
        let large = screen.snapshot(usize::MAX).len();
        println!(
            "{name}: {:.0} MiB/s; snapshot {small} bytes in {small_took:?}, with {} rows {large}",
            mebibytes / taken.as_secs_f64(),
            screen.history_rows()
        );
    }
}

/// What printing an `x` after `output` leaves.
fn shown(output: &str) -> Vec<String> {
    fed(size(10, 3), format!("{output}x").as_bytes()).text()
}

#[test]
fn national_character_sets_are_known() {
    assert_eq!(shown("\x1b(K[\x1b)R#\x0e#\x1b(Z\x0f~[\x1b(?["), ["Ä#£~¡¡x", "", ""]);
}

#[test]
fn the_half_of_a_wide_character_goes_when_the_next_wraps() {
    assert_eq!(shown("abcdefgh漢\x1b[10G字"), ["abcdefgh", "字x", ""]);
}

#[test]
fn delete_is_nothing() {
    assert_eq!(shown("e\x7f\u{301}"), ["e\u{301}x", "", ""]);
}

#[test]
fn moves_in_origin_mode_count_from_the_region() {
    assert_eq!(shown("\x1b[2;3r\x1b[?6h\x1b[3G"), ["", "", "  x"]);
}

#[test]
fn a_repeat_may_fill_more_than_the_screen() {
    let screen = fed(size(10, 3), b"x\x1b[59b");
    assert_eq!(screen.history_rows(), 3);
}

#[test]
fn colours_are_taken_apart_as_in_xterm_js() {
    for (sgr, same) in [
        ("38:2:7:8:9", "38;2;8;9;0"),
        ("38:2::7:8:9", "38;2;7;8;9"),
        ("38;2:1:2:3:4", "38;2;2;3;4"),
        ("38:5:7", "38;5;7"),
        ("38;5:7", "38;5;7"),
        ("38;5", "38;5;0"),
        ("38;2;1", "38;2;1;0;0"),
        ("38;7;1;2;3;31", "0"),
        ("38;7;1;2;3;4;31", "31"),
    ] {
        let look = |sgr| state(&fed(size(10, 3), format!("\x1b[{sgr}m").as_bytes()));
        assert_eq!(look(sgr), look(same), "{sgr}");
    }
}

#[test]
fn a_restored_pen_underlines_as_the_present_one_does() {
    let state_after = |output: &str| state(&fed(size(10, 3), output.as_bytes()));
    assert_eq!(state_after("\x1b[4:3m\x1b7\x1b[4:2m\x1b8"), state_after("\x1b[4:3m\x1b7\x1b8\x1b[4:2m"));
    assert_eq!(state_after("\x1b[4:3m\x1b7\x1b[m\x1b8"), state_after("\x1b[4:3m\x1b7\x1b8\x1b[4m"));
}

#[test]
fn a_restored_character_set_outlives_a_change_of_screens() {
    let screen = fed(size(10, 3), b"\x1b[?1049h\x1b(0q\x1b[?1049lq\x1b[?1049h\x1b[Hq");
    assert_eq!(screen.text(), ["q", "", ""]);
}

#[test]
fn what_a_hidden_screen_keeps_when_it_shrinks_depends_on_its_cursor() {
    let mut early = fed(size(10, 4), b"1\r\n2\r\n3\r\n4\x1b7\x1b[H\x1b[?47h");
    let mut late = fed(size(10, 4), &early.snapshot(usize::MAX));
    for screen in [&mut early, &mut late] {
        screen.resize(size(10, 2));
        screen.feed(b"\x1b[?47l");
        assert_eq!(screen.text(), ["1", "2"]);
    }
}

#[test]
fn a_line_goes_on_in_a_screen_that_begins_otherwise() {
    let printed = [
        ("🎉🎉", "\x1b[101m漢"),
        ("🎉🎉", "x"),
        ("🎉🎉", "\x1b[42m\x1b[X"),
        ("abcd", "\x1b[X"),
        ("abcd", "\x1b[42m漢"),
    ];
    for (line, first) in printed {
        for rows in 1..4 {
            // The end of the line is in the first row.
            let scroll = "\n".repeat(usize::from(rows) - 1);
            let mut early = fed(size(3, rows), format!("{scroll}{line}{scroll}\x1b[H{first}").as_bytes());
            let mut late = fed(size(3, rows), &early.snapshot(usize::MAX));
            assert_eq!(state(&early), state(&late), "{line:?} {first:?} {rows}");
            early.resize(size(9, 4));
            late.resize(size(9, 4));
            assert_eq!(state(&early), state(&late), "{line:?} {first:?} {rows}, resized");
        }
    }
}

#[test]
fn a_national_character_that_stands_for_another_is_repeated() {
    // In the Dutch set `]` is shown as `|`, and `|` as `f`.
    let mut early = fed(size(4, 1), b"\x1b(4]");
    let mut late = fed(size(4, 1), &early.snapshot(usize::MAX));
    assert_eq!(state(&early), state(&late));
    for screen in [&mut early, &mut late] {
        screen.feed(b"\x1b[b");
        assert_eq!(screen.text(), ["|f"]);
    }
}

#[test]
fn links_survive_a_resize_however_many_there_were() {
    let mut screen = fed(size(10, 4), b"");
    for link in 0..1100 {
        screen.feed(format!("\x1b]8;;http://{link}/\x1b\\x\r\n").as_bytes());
        if link > 1000 {
            screen.resize(size(10 + link % 2, 4));
            let shown = String::from_utf8_lossy(&screen.snapshot(0)).into_owned();
            assert!((link - 2..=link).all(|link| shown.contains(&format!("http://{link}/"))), "{link}");
        }
    }
}

#[test]
fn a_line_too_long_for_a_resize_stays_one() {
    let line = "x".repeat(9000);
    let mut screen = Screen::new(size(3, 2), ScrollbackLimits { lines: 10_000, bytes: 1 << 20 });
    screen.feed(format!("{line}\r\n\r\n").as_bytes());
    for cols in [2, 4] {
        screen.resize(size(cols, 2));
        assert!(String::from_utf8_lossy(&screen.snapshot(usize::MAX)).contains(&line), "{cols}");
    }
}

#[test]
fn nothing_combines_with_a_wide_character_that_had_no_room() {
    let mut early = fed(size(4, 1), "\x1b[?7labcd漢".as_bytes());
    let mut late = fed(size(4, 1), &early.snapshot(usize::MAX));
    for screen in [&mut early, &mut late] {
        screen.feed("\u{301}".as_bytes());
        assert_eq!(screen.text(), ["abc\u{301}"]);
    }
}
