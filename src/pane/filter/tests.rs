//! Each rule of the filter, and what holds for any output.

use super::*;

/// What a filter makes of output in these pieces: clean output, events with their offsets in all of it, itself.
pub(super) fn fed<P: AsRef<[u8]>>(pieces: &[P]) -> (Vec<u8>, Vec<(usize, Event)>, Filter) {
    let mut filter = Filter::new();
    let mut clean = Vec::new();
    let mut events = Vec::new();
    for piece in pieces {
        let before = clean.len();
        let on_event = &mut |offset, event| events.push((before + offset, event));
        let output = filter.feed(OutputBuf::copy_of(piece.as_ref()), on_event);
        clean.extend_from_slice(output.payload());
    }
    (clean, events, filter)
}

fn events(output: &[u8]) -> Vec<Event> {
    fed(&[output]).1.into_iter().map(|(_, event)| event).collect()
}

fn clean(output: &[u8]) -> String {
    fed(&[output]).0.escape_ascii().to_string()
}

/// The same way of writing bytes as `clean`'s.
fn shown(output: &[u8]) -> String {
    output.escape_ascii().to_string()
}

fn directory(path: &str) -> Vec<Event> {
    vec![Event::WorkingDirectory(path.to_owned())]
}

fn titled(title: &str) -> Vec<Event> {
    vec![Event::Title(title.to_owned())]
}

fn notified(title: &str, body: &str) -> Vec<Event> {
    vec![Event::Notification { title: title.to_owned(), body: body.to_owned() }]
}

// What output says.

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
        "\x1b]1337;CurrentDir=x\x07",
        "\x1b]1337;File=name=x:AAAA\x07",
    ] {
        assert_eq!(events(none.as_bytes()), [], "{none:?}");
    }
}

#[test]
fn marks_tell_prompts_and_commands() {
    for number in ["133", "633"] {
        let output = ["A;cl=m", "B", "C", "D", "D;0", "D;130;aid=7", "D;-1", "D;err", "P;k=i"]
            .map(|mark| format!("\x1b]{number};{mark}\x1b\\"))
            .concat();
        let ends = [None, Some(0), Some(130), Some(-1), None].map(|exit| Event::CommandEnd { exit });
        let expected = [vec![Event::PromptStart, Event::PromptEnd, Event::CommandStart], ends.to_vec()];
        assert_eq!(events(output.as_bytes()), expected.concat());
    }
    let line = |text: &str| vec![Event::CommandLine(text.to_owned())];
    assert_eq!(events(b"\x1b]633;E;ls -l\x07"), line("ls -l"));
    assert_eq!(events(b"\x1b]633;E;a\\x3b b\\\\n\\x0ac\\x1b;nonce\x07"), line("a; b\\n c"));
    assert_eq!(events(b"\x1b]133;E;ls\x07"), []);
}

#[test]
fn titles_are_bare_and_bounded() {
    assert_eq!(events("\x1b]0;naïve; 漢\x07".as_bytes()), titled("naïve; 漢"));
    assert_eq!(events(b"\x1b]2;a\tb\rc\x7f\x1b\\"), titled("abc"));
    assert_eq!(events(b"\x1b]2;x\xff\x07"), titled("x"));
    assert_eq!(events(b"\x1b]2;\x07"), titled(""));
    assert_eq!(events(b"\x1b]02;x\x07"), titled("x"));
    assert_eq!(events(format!("\x1b]2;{}\x07", "é".repeat(300)).as_bytes()), titled(&"é".repeat(256)));
    for none in ["\x1b]1;icon\x07", "\x1b]0\x1b[m", "\x1b]22;pointer\x07"] {
        assert_eq!(events(none.as_bytes()), [], "{none:?}");
    }
}

#[test]
fn notifications_come_in_three_dialects() {
    assert_eq!(events(b"\x1b]9;build done\x07"), notified("", "build done"));
    assert_eq!(events(b"\x1b]9;5 files; done\x07"), notified("", "5 files; done"));
    assert_eq!(events(b"\x1b]777;notify;Build;done; really\x07"), notified("Build", "done; really"));
    assert_eq!(events(b"\x1b]777;notify;Build\x07"), notified("Build", ""));
    assert_eq!(
        events(b"\x1b]99;i=1:d=0;Build\x1b\\\x1b]99;i=1:p=body;done\x1b\\"),
        notified("Build", "done")
    );
    let long = "é".repeat(1500);
    let output = format!("\x1b]777;notify;{long};{}\x07", &long[..2400]);
    assert_eq!(events(output.as_bytes()), [], "longer than what is held");
    let output = format!("\x1b]777;notify;{};{}\x07", &long[..800], &long[..2400]);
    assert_eq!(events(output.as_bytes()), notified(&long[..512], &long[..2048]));
    for none in ["9;", "9;1;500", "9;12", "777;notify;;", "777;other;x", "99;i=1:p=close;"] {
        assert_eq!(events(format!("\x1b]{none}\x07").as_bytes()), [], "{none}");
    }
}

#[test]
fn progress_is_a_state_and_a_percentage() {
    for (text, expected) in [
        ("0", Progress::None),
        ("1;42", Progress::Normal { percent: 42 }),
        ("1;999", Progress::Normal { percent: 100 }),
        ("1", Progress::Normal { percent: 0 }),
        ("2", Progress::Error { percent: None }),
        ("2;7", Progress::Error { percent: Some(7) }),
        ("3", Progress::Indeterminate),
        ("4;50", Progress::Paused { percent: Some(50) }),
        ("4;x", Progress::Paused { percent: None }),
    ] {
        assert_eq!(events(format!("\x1b]9;4;{text}\x07").as_bytes()), [Event::Progress(expected)], "{text}");
    }
    assert_eq!(events(b"\x1b]9;4;9;1\x07"), []);
}

#[test]
fn a_bell_in_a_string_ends_it_or_is_part_of_it() {
    assert_eq!(events(b"a\x07b\x07"), [Event::Bell, Event::Bell]);
    assert_eq!(events(b"\x1b]4;1;red\x07"), []);
    assert_eq!(events(b"\x1bPq\x07\x1b\\\x1b_\x07\x1b\\\x1b^\x07\x1b\\\x1bX\x07\x1b\\"), []);
    assert_eq!(events(b"\x1bP\x18\x07"), [Event::Bell]);
    // In any other sequence it rings, as in a terminal.
    assert_eq!(events(b"\x1b[1\x07m\x1b\x07c\x1b(\x07B"), [Event::Bell, Event::Bell, Event::Bell]);
}

#[test]
fn events_are_placed_in_the_clean_output() {
    let (clean, events, _) = fed(&["ab\x07\x1b[6n\x1b]2;x", "\x07cd\x1b[1\x07", "m\x1b[5n"]);
    assert_eq!(clean, b"ab\x07\x1b]2;x\x07cd\x07\x1b[1m");
    let query = |query| Event::Query(query);
    let expected = [
        (3, Event::Bell),
        (3, query(Query::CursorPosition)),
        (9, Event::Title("x".to_owned())),
        (12, Event::Bell),
        (16, query(Query::Status)),
    ];
    assert_eq!(events, expected);
}

// What comes out.

#[test]
fn what_is_in_order_comes_out_untouched() {
    for output in [
        "plain\r\n\ttext \x08\x7f\0",
        "naïve © 漢 😀",
        "\x1b[m\x1b[1;31m\x1b[38:2::1:2:3m\x1b[2J\x1b[H\x1b[12;40H\x1b[?1049h\x1b[>4;2m\x1b[ q\x1b[2 q\x1b[!p",
        "\x1b7\x1b8\x1bM\x1b(0\x1b)B\x1b#8\x1b%G\x1b=\x1b\\",
        "\x1b]0;title\x07\x1b]8;;http://x/?\x1b\\link\x1b]8;;\x1b\\\x1b]104\x07\x1b]52;c;YQ==\x07\x1b]l;x\x07",
        "\x1bP1;2q#0~\x1b\\\x1b_Gf=24;AAAA\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\\x1bP=1s\x1b\\",
        "\x1b[22;0t\x1b[23t\x1b[500S\x1b[1000@\x1b[10000b",
        "\x18\x1a",
    ] {
        let (bytes, _, filter) = fed(&[output]);
        assert_eq!(shown(&bytes), shown(output.as_bytes()));
        assert!(!filter.passing() && filter.held.is_empty());
    }
    // Bytes that are no UTF-8 are for terminals to drop.
    assert_eq!(clean(b"a\x9b6n\xffb\xe2\x82c"), shown(b"a\x9b6n\xffb\xe2\x82c"));
}

#[test]
fn nothing_is_copied_unless_something_changes() {
    let mut filter = Filter::new();
    let output = OutputBuf::copy_of(b"\x1b[31mred\x1b[m \x1b]0;t\x07\x1b[6");
    let address = output.payload().as_ptr();
    let output = filter.feed(output, &mut |_, _| {});
    assert_eq!((output.payload().as_ptr(), output.payload().len()), (address, 18));
}

#[test]
fn what_is_not_whole_waits_for_its_rest() {
    for whole in [
        "\x1b[1;2m",
        "\x1b[?2026$~",
        "\x1b(B",
        "\x1b]0;x\x1b\\",
        "\x1b]0;é\x07",
        "\x1bPqx\x1b\\",
        "é",
        "漢",
        "😀",
    ] {
        let whole = whole.as_bytes();
        for cut in 1..whole.len() {
            let (bytes, _, filter) = fed(&[b"ab", &whole[..cut]]);
            assert_eq!((&bytes[..], filter.held.len()), (&b"ab"[..], cut), "{}", shown(&whole[..cut]));
        }
        assert_eq!(fed(&[whole]).2.held, b"");
    }
}

#[test]
fn queries_are_taken_out_and_told() {
    for (output, rest, query) in [
        ("a\x05b", "ab", None),
        ("a\x1b[cb", "ab", Some(Query::PrimaryAttributes)),
        ("a\x1bZb", "ab", Some(Query::PrimaryAttributes)),
        ("a\x1b[6nb", "ab", Some(Query::CursorPosition)),
        ("a\x1b[?u", "a", Some(Query::Unanswered)),
        ("\x1b[18t", "", Some(Query::Window(crate::screen::query::WindowReport::Cells))),
        ("\x1b[21t", "", Some(Query::Unanswered)),
        ("\x1bP$qm\x1b\\", "", Some(Query::Setting(crate::screen::query::Setting::Pen))),
        ("\x1b_Gi=1,a=q;AAAA\x1b\\", "", Some(Query::Unanswered)),
        ("\x1b]52;c;?\x07", "", Some(Query::Unanswered)),
        ("\x1b]052;c;?\x07", "", Some(Query::Unanswered)),
        // Terminals skip what is no part of the command.
        ("\x1b]5\r2;c;\u{0}?\x07", "", Some(Query::Unanswered)),
        ("\x1b[\u{7f}6\u{0}n", "\0", Some(Query::CursorPosition)),
    ] {
        let (bytes, events, _) = fed(&[output]);
        assert_eq!(shown(&bytes), shown(rest.as_bytes()), "{output:?}");
        let events: Vec<Event> = events.into_iter().map(|(_, event)| event).collect();
        assert_eq!(events, query.map(Event::Query).into_iter().collect::<Vec<_>>(), "{output:?}");
    }
    assert_eq!(clean(b"\x1b[\x9b6n"), "", "not UTF-8, so skipped");
}

#[test]
fn what_a_command_sets_stays_when_what_it_asks_goes() {
    for (output, rest) in [
        ("\x1b]4;1;?;2;red\x07", "\x1b]4;2;red\x07"),
        ("\x1b]10;red;?;blue\x1b\\", "\x1b]10;red\x1b\\\x1b]12;blue\x1b\\"),
        ("\x1b]11;?\x07", ""),
    ] {
        let (bytes, events, _) = fed(&[output]);
        assert_eq!(shown(&bytes), shown(rest.as_bytes()), "{output:?}");
        assert!(matches!(events[..], [(0, Event::Query(Query::Colors(_)))]), "{events:?}");
    }
}

#[test]
fn eight_bit_controls_become_their_seven_bit_forms() {
    for (output, expected) in [
        ("\u{9b}1m", "\x1b[1m"),
        ("\u{9b}6n", ""),
        ("\u{9d}0;x\u{9c}", "\x1b]0;x\x1b\\"),
        ("\u{90}qx\u{9c}", "\x1bPqx\x1b\\"),
        ("\u{85}a\u{84}", "\x1bEa\x1bD"),
        ("\x1b]0;x\u{9c}y", "\x1b]0;x\x1b\\y"),
        ("\x1b]0;x\u{9b}1m", "\x1b[1m"),
        ("\x1b[1\u{9b}2m", "\x1b[2m"),
        ("\u{9a}", ""),
    ] {
        assert_eq!(clean(output.as_bytes()), shown(expected.as_bytes()), "{output:?}");
        let bytes: Vec<&[u8]> = output.as_bytes().chunks(1).collect();
        assert_eq!(shown(&fed(&bytes).0), shown(expected.as_bytes()), "{output:?}");
    }
    assert_eq!(events("\u{9d}0;x\u{9c}".as_bytes()), titled("x"));
}

#[test]
fn malformed_sequences_are_dropped_but_not_the_controls_in_them() {
    for (output, expected) in [
        ("\x1b[1\r\n2mx", "\r\n\x1b[12mx"),
        ("\x1b[1\x7f2mx", "\x1b[12mx"),
        ("\x1b\x08[m", "\x08\x1b[m"),
        ("\x1b\r]0;x\x07", "\r\x1b]0;x\x07"),
        ("\x1b(\rB", "\r\x1b(B"),
        ("\x1b[1\x18mx", "mx"),
        ("\x1b[1\x1amx", "mx"),
        ("\x1b(\x18Bx", "Bx"),
        ("\x1b[1\x1b[2mx", "\x1b[2mx"),
        ("\x1b\x1b\x1b[2mx", "\x1b[2mx"),
        ("\x1b[1é2mx", "2mx"),
        ("\x1bé[2mx", "[2mx"),
        ("\x1b[1?2mx", "x"),
        ("\x1b[1 2mx", "x"),
        ("\x1b[1?\r\u{e9}2mx", "\rx"),
        ("\x1b[1?\x1b[2mx", "\x1b[2mx"),
        ("\x1b[1?\x18mx", "mx"),
        ("\x1b[   qx", "x"),
        ("\x1b(((Bx", "x"),
        ("\x1b%@x", "x"),
        ("\x1b]0;x\x18y", "y"),
        ("\x1b]0;x\x1b[my", "\x1b[my"),
        ("\x1b]123456;x\x07y", "y"),
        ("\x1b]0;a\rb\x07", "\x1b]0;ab\x07"),
        ("\x1bP\x1b\\x", "x"),
        ("\x1bP1 1q\x1b\\x", "x"),
        ("\x1bPqé\x1b\\x", "x"),
        ("\x1b_é\x1b\\x", "x"),
    ] {
        assert_eq!(clean(output.as_bytes()), shown(expected.as_bytes()), "{output:?}");
        let bytes: Vec<&[u8]> = output.as_bytes().chunks(1).collect();
        assert_eq!(shown(&fed(&bytes).0), shown(expected.as_bytes()), "{output:?}");
    }
}

#[test]
fn no_control_is_made_of_what_stood_around_something_dropped() {
    for (output, expected) in [
        (&b"\xc2\x05\x9b6n"[..], &b"\xc26n"[..]),
        (b"\xc2\x1b[6n\x05\x9b6n", b"\xc26n"),
        (b"\xc2\x1b]0;x\x18\x9b6n", b"\xc26n"),
        (b"\xc2\x1b[1\x9b6n\x9bx", b"\xc2x"),
        (b"\xc2\xc2\x9b6n", b"\xc2"),
        // Something is in between.
        (b"\xc2\x1b[m\x9b6n", b"\xc2\x1b[m\x9b6n"),
        (b"\xc2\x1b\x07[6\x07n\x9b6n", b"\xc2\x07\x076n"),
    ] {
        assert_eq!(clean(output), shown(expected), "{}", shown(output));
        let bytes: Vec<&[u8]> = output.chunks(1).collect();
        assert_eq!(shown(&fed(&bytes).0), shown(expected), "{}", shown(output));
    }
}

#[test]
fn hostile_parameters_are_clamped() {
    for (output, expected) in [
        ("x\x1b[2147483647b", "x\x1b[10000b"),
        ("\x1b[2147483647L", "\x1b[500L"),
        ("\x1b[2147483647S", "\x1b[500S"),
        ("\x1b[2147483647@", "\x1b[1000@"),
        ("\x1b[999999;999999H", "\x1b[500;1000H"),
        ("\x1b[100491;1m", "\x1b[99999;1m"),
        ("\x1b[8;200;500t", ""),
        ("\x1b[2t", ""),
        ("\x1b[t", ""),
    ] {
        assert_eq!(clean(output.as_bytes()), shown(expected.as_bytes()), "{output:?}");
    }
    let params = |count: usize| format!("\x1b[1{}m", ";1".repeat(count - 1));
    assert_eq!(clean(params(32).as_bytes()), shown(params(32).as_bytes()));
    assert_eq!(clean(params(33).as_bytes()), "");

    let digits = "0".repeat(control::CONTROL_LIMIT - 2);
    assert!(fed(&[format!("\x1b[?{digits}5h")]).2.modes().reverse_video);
    assert_eq!(clean(format!("\x1b[?{digits}5h").as_bytes()), "\\x1b[?5h");
    assert_eq!(clean(format!("\x1b[?{digits}05hx").as_bytes()), "x");
}

// Long strings.

fn long(start: &str, length: usize) -> Vec<u8> {
    let mut string = start.as_bytes().to_vec();
    string.resize(length + 2, b'A');
    string
}

#[test]
fn long_strings_pass_if_they_are_long_by_nature() {
    for start in ["\x1b]52;c;", "\x1b]1337;File=:", "\x1b]66;;", "\x1b]5000;", "\x1bPq", "\x1b_G;"] {
        let output = [&long(start, 10_000)[..], b"\x1b\\x"].concat();
        let (bytes, _, filter) = fed(&[&output[..9000], &output[9000..]]);
        assert!(bytes == output && !filter.passing(), "{start:?}");
        let (bytes, _, mut filter) = fed(&[&output[..9000]]);
        assert!(bytes == output[..9000] && filter.passing(), "{start:?}");
        assert_eq!((filter.end(), filter.passing()), (&b"\x18"[..], false));
    }
    for start in [
        "\x1b]0;",
        "\x1b]8;;http://",
        "\x1b]7;file://h/",
        "\x1b]052;c;",
        "\x1b]52;c;?",
        "\x1b]52;c",
        "\x1b]5\x002;c;",
    ]
    .into_iter()
    .chain([
        "\x1b]1337;CurrentDir=/",
        "\x1b]10;?;",
        "\x1bP$q",
        "\x1b^",
        "\x1bX",
        "\x1b_Ga=q;",
        "\x1bPqé",
        "\x1b]123456;",
    ]) {
        let output = [&long(start, 10_000)[..], b"\x1b\\x"].concat();
        assert_eq!(clean(&output), "x", "{start:?}");
        assert!(!fed(&[&output[..9000]]).2.passing());
    }
}

#[test]
fn the_longest_string_that_is_held_is_whole() {
    let longest = long("\x1b]2;", HOLD_LIMIT);
    let (_, _, filter) = fed(&[&longest]);
    assert_eq!(filter.held.len(), longest.len());
    assert_eq!(events(&[&longest[..], b"\x07"].concat()).len(), 1);
    assert_eq!(events(&[&longest[..], b"A\x07\x07"].concat()), [Event::Bell]);
}

#[test]
fn what_goes_on_for_too_long_is_ended() {
    let tail = b"tail\x1b\\x";
    for (start, limit) in [("\x1bPq", 8 << 20), ("\x1b]52;c;", 1 << 20)] {
        let whole = [&long(start, limit)[..], b"\x1b\\x"].concat();
        assert!(fed(&[&whole]).0 == whole);
        let output = [&long(start, limit)[..], tail].concat();
        let expected = [&long(start, limit)[..], b"\x18x"].concat();
        assert!(fed(&[&output]).0 == expected);
        let pieces: Vec<&[u8]> = output.chunks(65_537).collect();
        assert!(fed(&pieces).0 == expected);
        assert!(fed(&[&expected]).0 == expected);
    }
}

#[test]
fn a_passing_string_that_is_cut_off_is_cancelled() {
    let start = long("\x1bPq", 5000);
    for (end, expected) in [
        (&b"\x1b[mx"[..], &b"\x18\x1b[mx"[..]),
        (b"\x18x", b"\x18x"),
        (b"\x1ax", b"\x1ax"),
        (b"\xc2\x9cx", b"\x1b\\x"),
        (b"\xc3\xa9y\x1b\\x", b"\x18x"),
        (b"\xc2\xa9y\x1b\\x", b"\x18x"),
        (b"\x1b\x1b\\x", b"\x18\x1b\\x"),
    ] {
        let (bytes, _, _) = fed(&[&start, end]);
        assert_eq!(shown(&bytes[start.len()..]), shown(expected));
        let pieces: Vec<&[u8]> = [&start[..]].into_iter().chain(end.chunks(1)).collect();
        assert_eq!(shown(&fed(&pieces).0[start.len()..]), shown(expected));
    }
}

#[test]
fn a_dead_program_leaves_nothing_behind() {
    for left in ["\x1b[1", "\x1b]0;x", "\x1b", "\u{e9}\u{c2}"] {
        let mut filter = fed(&[left]).2;
        assert_eq!(filter.end(), b"");
        let output = filter.feed(OutputBuf::copy_of(b"\x1b[mx"), &mut |_, _| {});
        assert_eq!(output.payload(), b"\x1b[mx");
    }
    let mut filter = fed(&[b"\x1b[1?"]).2;
    assert_eq!(filter.end(), b"");
    assert_eq!(filter.feed(OutputBuf::copy_of(b"2"), &mut |_, _| {}).payload(), b"2");
}
