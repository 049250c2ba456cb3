//! Tests of the modes, and the way back from modes to the bytes that set them, which nothing but tests needs.

use super::*;
use crate::pane::filter::Filter;
use crate::pane::log::OutputBuf;

// The way back.

impl KeyboardStack {
    fn restore(&self, out: &mut Vec<u8>) {
        if self.entries[0] != 0 {
            put(out, &format!("\x1b[={}u", self.entries[0]));
        }
        for flags in &self.entries[1..=usize::from(self.top)] {
            put(out, &format!("\x1b[>{flags}u"));
        }
    }
}

impl Modes {
    /// Appends what brings a freshly reset terminal into these modes. Not restored, since what they were is not
    /// known here: text attributes (`pen`) and an open hyperlink.
    pub(in crate::pane) fn restore(&self, out: &mut Vec<u8>) {
        self.main_keyboard.restore(out);
        match self.screen.private_mode() {
            Some(mode) => {
                put_private(out, mode, true);
                self.alternate_keyboard.restore(out);
            }
            None if !self.alternate_keyboard.is_default() => {
                behind_the_scenes(out, |out| self.alternate_keyboard.restore(out));
            }
            None => {}
        }
        self.restore_regions(out);
        if self.insert {
            put(out, "\x1b[4h");
        }
        if self.linefeed {
            put(out, "\x1b[20h");
        }
        self.restore_charsets(out);
        if self.cursor_style != 0 {
            put(out, &format!("\x1b[{} q", self.cursor_style));
        }
        if let Some(mode) = self.mouse.private_mode() {
            put_private(out, mode, true);
        }
        for mode in INPUT_SWITCHES.into_iter().chain(SCREEN_SWITCHES).filter(|mode| self.differs(*mode)) {
            put_private(out, mode, !default_on(mode));
        }
        if self.modify_other_keys != 0 {
            put(out, &format!("\x1b[>4;{}m", self.modify_other_keys));
        }
        if self.synchronized {
            put_private(out, SYNCHRONIZED, true);
        }
    }

    fn restore_regions(&self, out: &mut Vec<u8>) {
        if self.margins_allowed {
            put_private(out, MARGINS, true);
        }
        if let Some(span) = self.margins {
            put_span(out, span, 's');
        }
        if let Some(span) = self.scroll_region {
            put_span(out, span, 'r');
        }
        if self.origin {
            put_private(out, ORIGIN, true);
        }
    }

    fn restore_charsets(&self, out: &mut Vec<u8>) {
        for (slot, charset) in "()".chars().zip(self.charsets) {
            if let Some(charset) = charset {
                put(out, &format!("\x1b{slot}{}", char::from(charset)));
            }
        }
        if self.shifted_out {
            put(out, "\x0e");
        }
    }
}

fn put_span(out: &mut Vec<u8>, (first, last): (u16, u16), end: char) {
    match last {
        0 => put(out, &format!("\x1b[{first}{end}")),
        _ => put(out, &format!("\x1b[{first};{last}{end}")),
    }
}

// The tests.

fn after(output: &str) -> Modes {
    let mut filter = Filter::new();
    filter.feed(OutputBuf::copy_of(output.as_bytes()), &mut |_, _| {});
    assert!(!filter.passing(), "{output:?}");
    *filter.modes()
}

fn appended(append: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = b"before ".to_vec();
    append(&mut out);
    let text = String::from_utf8(out).unwrap();
    text.strip_prefix("before ").unwrap().replace('\x1b', "^")
}

fn resets(modes: &Modes) -> (String, String) {
    (appended(|out| modes.input_reset(out)), appended(|out| modes.screen_reset(out)))
}

/// What switches a mode, how the modes look then, and what undoes it: input reset, screen reset (`^` is ESC).
#[test]
fn each_mode_is_known_undone_and_restored() {
    let fresh = Modes::default();
    let mut flags = KeyboardStack::default();
    flags.set(5, 1);
    let table = [
        ("\x1b[?1000h", Modes { mouse: MouseTracking::Buttons, ..fresh }, "^[?1000l", ""),
        ("\x1b[?9h", Modes { mouse: MouseTracking::Press, ..fresh }, "^[?9l", ""),
        ("\x1b[?1000;1002h", Modes { mouse: MouseTracking::Drag, ..fresh }, "^[?1002l", ""),
        (
            "\x1b[?1003;1006h",
            Modes { mouse: MouseTracking::Motion, mouse_sgr: true, ..fresh },
            "^[?1003l^[?1006l",
            "",
        ),
        ("\x1b[?1005h", Modes { mouse_utf8: true, ..fresh }, "^[?1005l", ""),
        ("\x1b[?1007l", Modes { wheel_keys_off: true, ..fresh }, "^[?1007h", ""),
        ("\x1b[?1015h", Modes { mouse_urxvt: true, ..fresh }, "^[?1015l", ""),
        ("\x1b[?1016h", Modes { mouse_pixels: true, ..fresh }, "^[?1016l", ""),
        ("\x1b[?1004h", Modes { focus_reports: true, ..fresh }, "^[?1004l", ""),
        ("\x1b[?2004h", Modes { bracketed_paste: true, ..fresh }, "^[?2004l", ""),
        ("\x1b[?1h", Modes { application_cursor: true, ..fresh }, "^[?1l", ""),
        ("\x1b=", Modes { application_keypad: true, ..fresh }, "^[?66l", ""),
        ("\x1b[?66h", Modes { application_keypad: true, ..fresh }, "^[?66l", ""),
        ("\x1b[?2048h", Modes { resize_reports: true, ..fresh }, "^[?2048l", ""),
        ("\x1b[?2031h", Modes { scheme_reports: true, ..fresh }, "^[?2031l", ""),
        ("\x1b[>4;2m", Modes { modify_other_keys: 2, ..fresh }, "^[>4;0m", ""),
        ("\x1b[=5u", Modes { main_keyboard: flags, ..fresh }, "^[<9999u^[=0u", ""),
        ("\x1b[?7l", Modes { wrap_off: true, ..fresh }, "", "^[?7h"),
        ("\x1b[?45h", Modes { reverse_wrap: true, ..fresh }, "", "^[?45l"),
        ("\x1b[4h", Modes { insert: true, ..fresh }, "", "^[4l"),
        ("\x1b[20h", Modes { linefeed: true, ..fresh }, "", "^[20l"),
        ("\x1b[?5h", Modes { reverse_video: true, ..fresh }, "", "^[?5l"),
        ("\x1b[?25l", Modes { cursor_hidden: true, ..fresh }, "", "^[?25h"),
        ("\x1b[?12h", Modes { cursor_blink: true, ..fresh }, "", "^[?12l"),
        ("\x1b[4 q", Modes { cursor_style: 4, ..fresh }, "", "^[0 q"),
        ("\x1b[2;10r", Modes { scroll_region: Some((2, 10)), ..fresh }, "", "^7^[r^8^[0m"),
        ("\x1b[5r", Modes { scroll_region: Some((5, 0)), ..fresh }, "", "^7^[r^8^[0m"),
        ("\x1b[?6h", Modes { origin: true, ..fresh }, "", "^7^[?6l^8^[!p^[0m"),
        (
            "\x1b[?69h\x1b[3;7s",
            Modes { margins_allowed: true, margins: Some((3, 7)), ..fresh },
            "",
            "^7^[?69l^8^[0m",
        ),
        ("\x1b(0", Modes { charsets: [Some(b'0'), None], ..fresh }, "", "^(B"),
        ("\x1b)0\x0e", Modes { charsets: [None, Some(b'0')], shifted_out: true, ..fresh }, "", "^)B\x0f"),
        ("\x1b[?2026h", Modes { synchronized: true, ..fresh }, "", "^[?2026l"),
        ("\x1b[?47h", Modes { screen: ActiveScreen::Alternate47, ..fresh }, "", "^[?47l^[0m"),
        ("\x1b[?1047h", Modes { screen: ActiveScreen::Alternate1047, ..fresh }, "", "^[?1047l^[0m"),
        ("\x1b[?1049h", Modes { screen: ActiveScreen::Alternate1049, ..fresh }, "", "^[?1049l^[0m"),
    ];
    for (output, modes, input_reset, screen_reset) in table {
        assert_eq!(after(output), modes, "{output:?}");
        assert_eq!(resets(&modes), (input_reset.to_owned(), screen_reset.to_owned()), "{output:?}");
        let restored = appended(|out| modes.restore(out)).replace('^', "\x1b");
        assert_eq!(after(&restored), modes, "{output:?}");
        assert_eq!(after(&format!("{output}\x1bc")), fresh, "{output:?}");
    }
}

#[test]
fn a_fresh_terminal_needs_nothing() {
    let fresh = Modes::default();
    assert_eq!(resets(&fresh), (String::new(), String::new()));
    assert_eq!(appended(|out| fresh.restore(out)), "");
}

#[test]
fn attributes_and_hyperlinks_are_reset_but_not_restored() {
    for output in ["\x1b[1m", "\x1b[0;31m", "\x1b[38;5;0m", "\x1b8", "\x1b[u"] {
        let modes = after(output);
        assert_eq!(modes, Modes { pen: true, ..Modes::default() }, "{output:?}");
        assert_eq!(resets(&modes), (String::new(), "^[0m".to_owned()));
        assert_eq!(appended(|out| modes.restore(out)), "");
    }
    let modes = after("\x1b]8;id=1;http://x\x1b\\");
    assert!(modes.hyperlink);
    assert_eq!(resets(&modes).1, "^]8;;^\\");
    assert_eq!(appended(|out| modes.restore(out)), "");
    for output in ["\x1b[1m\x1b[m", "\x1b[1m\x1b[0m", "\x1b[1m\x1b[00m", "\x1b]8;;x\x07\x1b]8;;\x07"] {
        assert_eq!(after(output), Modes::default(), "{output:?}");
    }
}

#[test]
fn what_only_looks_like_a_mode_changes_nothing() {
    for output in [
        "\x1b[?4m",
        "\x1b[?u",
        "\x1b[?2026$p",
        "\x1b[7h",
        "\x1b[1049h",
        "\x1b[>1004h",
        "\x1b[?1004 h",
        "\x1b[1;2?5h",
        "\x1b[1;1r",
        "\x1b[9;2r",
        "\x1b[9 q",
        "\x1b[3;7s",
        "\x1b[?3;7s",
        "\x1b[?1004s",
        "\x1b[?65540h",
        "\x1b[!!p",
        "\x1b(!0",
        "\x1b*0",
        "\x1b(B",
        "\x1b[H\x1b[2J\x1b[K",
    ] {
        assert_eq!(after(output), Modes::default(), "{output:?}");
    }
}

#[test]
fn any_of_the_three_leaves_the_alternate_screen_and_the_first_entered_it() {
    assert_eq!(after("\x1b[?47h\x1b[?1049h").screen, ActiveScreen::Alternate47);
    for leave in ["\x1b[?47l", "\x1b[?1047l", "\x1b[?1049l"] {
        assert_eq!(after(&format!("\x1b[?1049h{leave}")).screen, ActiveScreen::Main);
    }
}

#[test]
fn withdrawing_one_mouse_request_ends_them_all_but_encodings_are_apart() {
    assert_eq!(after("\x1b[?1000h\x1b[?1003h\x1b[?1000l").mouse, MouseTracking::Off);
    let modes = after("\x1b[?1006;1015h\x1b[?1015l");
    assert!(modes.mouse_sgr && !modes.mouse_urxvt);
}

#[test]
fn regions_end_at_their_defaults() {
    for output in ["\x1b[2;9r\x1b[r", "\x1b[2;9r\x1b[1r", "\x1b[2;9r\x1b[0;0r", "\x1b[2;9r\x1b[;r"] {
        assert_eq!(after(output).scroll_region, None, "{output:?}");
    }
    assert_eq!(after("\x1b[2;9r\x1b[5;5r").scroll_region, Some((2, 9)));
    assert_eq!(after("\x1b[?69h\x1b[3;7s\x1b[s").margins, None);
    assert_eq!(after("\x1b[?69h\x1b[3;7s\x1b[?69l"), Modes::default());
}

#[test]
fn keyboard_flags_are_stacked_per_screen() {
    let keyboard = |output| *after(output).keyboard();
    let seen = |output| (keyboard(output).flags(), keyboard(output).depth());
    assert_eq!(seen("\x1b[>1u"), (1, 1));
    assert_eq!(seen("\x1b[>1u\x1b[>u"), (0, 2));
    assert_eq!(seen("\x1b[>1u\x1b[>3u\x1b[<u"), (1, 1));
    assert_eq!(seen("\x1b[=8u\x1b[>1u\x1b[>3u\x1b[<2u"), (8, 0));
    assert_eq!(seen("\x1b[=8u\x1b[>1u\x1b[<2u"), (0, 0));
    assert_eq!(seen("\x1b[=1u\x1b[=6;2u\x1b[=2;3u"), (5, 0));
    assert_eq!(seen("\x1b[>255u"), (31, 1));
    assert_eq!(seen("\x1b[>1u\x1b[?1049h"), (0, 0));
    assert_eq!(seen("\x1b[>1u\x1b[?1049h\x1b[>2u\x1b[?1049l"), (1, 1));
    let pushes: String = (1..=10).map(|flags| format!("\x1b[>{flags}u")).collect();
    assert_eq!(seen(&pushes), (10, 7));
    assert_eq!(seen(&format!("{pushes}\x1b[<7u")), (3, 0));
}

#[test]
fn keyboard_flags_of_the_hidden_screen_are_reset_where_they_are() {
    let both = after("\x1b[>1u\x1b[?1049h\x1b[>2u");
    assert_eq!(resets(&both), ("^[<9999u^[=0u".to_owned(), "^[?1049l^[<9999u^[=0u^[0m".to_owned()));
    let left_behind = after("\x1b[?47h\x1b[>2u\x1b[?47l");
    assert_eq!(resets(&left_behind), (String::new(), "^[?47h^[<9999u^[=0u^[?47l".to_owned()));
}

#[test]
fn modify_other_keys_has_three_ways_to_end() {
    for end in ["\x1b[>4;0m", "\x1b[>4m", "\x1b[>m", "\x1b[>4n"] {
        assert_eq!(after(&format!("\x1b[>4;2m{end}")), Modes::default(), "{end:?}");
    }
    assert_eq!(after("\x1b[>4;2m\x1b[>2;1m").modify_other_keys, 2);
}

#[test]
fn a_soft_reset_keeps_screen_mouse_and_paste() {
    let kept = "\x1b[?1007l\x1b[?1049;1003;1006;2004;1004h\x1b[>1u\x1b[5 q";
    let ended = "\x1b[?1;6;45;66;69h\x1b[2;9r\x1b[3;7s\x1b[?7;25l\x1b[4h\x1b(0\x0e\x1b[1m";
    assert_eq!(after(&format!("{kept}{ended}\x1b[!p")), after(kept));
}

/// What a full-screen editor leaves when it is killed.
#[test]
fn a_killed_editor_is_cleaned_up_in_two_steps() {
    let output = "\x1b[?1049h\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[?1002h\x1b[?1006h\x1b[>4;2m\x1b[>1u\
                  \x1b[1;30r\x1b[2 q\x1b[?25l\x1b[?2026h\x1b[38;5;4mtext";
    let (input_reset, screen_reset) = resets(&after(output));
    assert_eq!(input_reset, "^[?1002l^[?1l^[?66l^[?1004l^[?1006l^[?2004l^[<9999u^[=0u^[>4;0m");
    assert_eq!(screen_reset, "^[?2026l^[?1049l^7^[r^8^[?25h^[0 q^[0m");
    let undone = format!("{output}{input_reset}{screen_reset}").replace('^', "\x1b");
    assert_eq!(after(&undone), Modes::default());
}
