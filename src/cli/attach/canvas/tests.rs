//! Our terminal, played by a screen: what it shows, and how it is left.

use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { cols: 20, rows: 6 };

/// A terminal that is written to.
struct Ours {
    screen: Screen,
    canvas: Canvas,
}

impl Ours {
    fn of(size: Size) -> Ours {
        let mut ours = Ours { screen: Screen::new(size, NO_SCROLLBACK), canvas: Canvas::new(size) };
        ours.written(|canvas| canvas.enter());
        ours
    }

    fn written(&mut self, write: impl FnOnce(&mut Canvas) -> Vec<u8>) {
        let bytes = write(&mut self.canvas);
        self.screen.feed(&bytes);
    }

    fn text(&self) -> Vec<String> {
        self.screen.text()
    }
}

fn pane(size: Size, output: &[u8]) -> Screen {
    let mut pane = Screen::new(size, NO_SCROLLBACK);
    pane.feed(output);
    pane
}

#[test]
fn as_large_as_the_pane_it_shows_just_that() {
    let mut ours = Ours::of(SIZE);
    let mut theirs = pane(SIZE, b"one\r\ntwo\x1b[31m");
    ours.written(|canvas| canvas.restart(SIZE, &theirs.snapshot(0)));
    let more = b"\r\n\x1b[?2004h\x1b[1mthree";
    theirs.feed(more);
    let written = ours.canvas.output(more);
    assert_eq!(written, more, "byte by byte");
    ours.screen.feed(&written);
    assert_eq!(ours.text(), theirs.text());
    assert!(ours.screen.input_modes() == theirs.input_modes() && ours.screen.cursor() == theirs.cursor());
}

#[test]
fn of_a_larger_pane_it_shows_what_is_around_the_cursor() {
    let mut ours = Ours::of(SIZE);
    let large = Size { cols: 40, rows: 10 };
    let lines: Vec<String> = (0..10).map(|row| format!("line {row} and what is behind it")).collect();
    let theirs = pane(large, lines.join("\r\n").as_bytes());
    ours.written(|canvas| canvas.restart(large, &theirs.snapshot(0)));
    let cursor = theirs.cursor();
    let (row, col) =
        (usize::from(cursor.row) - ours.canvas.corner.0, usize::from(cursor.col) - ours.canvas.corner.1);
    assert_eq!(place(&ours.screen), (row, col));
    let wanted: String = lines[9].chars().skip(ours.canvas.corner.1).take(20).collect();
    assert_eq!(ours.text()[row], wanted.trim_end());
    ours.written(|canvas| canvas.output(b"\x1b[Hnew"));
    assert!(ours.text()[0].starts_with("new") && ours.canvas.corner == (0, 0), "{:?}", ours.text());
}

#[test]
fn of_a_smaller_pane_it_shows_all_and_nothing_beside_it() {
    let mut ours = Ours::of(SIZE);
    ours.screen.feed(b"litter\r\nlitter");
    let small = Size { cols: 5, rows: 2 };
    ours.written(|canvas| canvas.restart(small, &pane(small, b"aaaaabbbbb").snapshot(0)));
    assert_eq!(ours.text(), ["aaaaa", "bbbbb", "", "", "", ""]);
}

#[test]
fn what_is_said_goes_away_without_a_trace() {
    let mut ours = Ours::of(SIZE);
    let mut theirs = pane(SIZE, b"1\r\n2\r\n3\r\n4\r\n5\r\n6");
    ours.written(|canvas| canvas.restart(SIZE, &theirs.snapshot(0)));
    ours.written(|canvas| canvas.say(Some("Disconnected".to_owned())));
    assert_eq!(ours.text().last().unwrap(), " Disconnected");
    theirs.feed(b"\r\nseven");
    ours.written(|canvas| canvas.output(b"\r\nseven"));
    assert!(ours.text().contains(&"seven".to_owned()), "the cursor's row is shown: {:?}", ours.text());
    ours.written(|canvas| canvas.say(None));
    assert_eq!(ours.text(), theirs.text());
    assert!(ours.canvas.output(b"x") == b"x" && ours.canvas.notice().is_none());
}

#[test]
fn our_terminal_gets_its_keys_back() {
    for output in [
        &b"\x1b[?1049h\x1b[?1003;1006h\x1b[?2004h\x1b[?1h\x1b=\x1b[>5u\x1b[>4;2m\x1b[?25l\x1b[4 q"[..],
        b"\x1b[2;4r\x1b[?6h\x1b[4h\x1b(0\x1b]10;#ff0000\x1b\\\x1b[?1004h",
    ] {
        for size in [SIZE, Size { cols: 33, rows: 9 }] {
            let mut ours = Ours::of(SIZE);
            ours.written(|canvas| canvas.restart(size, &pane(size, b"").snapshot(0)));
            ours.written(|canvas| canvas.output(output));
            ours.written(Canvas::leave);
            let fresh = pane(SIZE, b"");
            assert!(ours.screen.input_modes() == fresh.input_modes(), "{output:?}");
            assert!(ours.screen.cursor().visible && !ours.screen.has_colors());
            ours.screen.feed(b"abc\r\n");
            assert_eq!(ours.screen.cursor().col, 0);
            assert!(ours.text().contains(&"abc".to_owned()), "{:?}", ours.text());
        }
    }
}

fn output() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"text ",
        b"\r\n",
        "漢字".as_bytes(),
        b"\x1b[3;4H",
        b"\x1b[31m",
        b"\x1b[2J",
        b"\x1b[?1049h",
        b"\x1b[?1049l",
        b"\x1b[2;5r",
        b"\x1b[?6h",
        b"\x1b7",
        b"\x1b8",
        b"\x1b[?2004h",
        b"\x1b[4h",
        b"\x1b[K",
        b"\x1b[?7l",
        b"\x1b[1;33;45m",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..12).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn after_whatever_was_said_and_resized_it_shows_the_pane(
        steps in prop::collection::vec((output(), prop::option::of("[a-z ]{1,30}"), any::<bool>()), 1..6)
    ) {
        let mut ours = Ours::of(SIZE);
        let mut theirs = pane(SIZE, b"");
        ours.written(|canvas| canvas.restart(SIZE, &theirs.snapshot(0)));
        for (output, notice, resizes) in steps {
            theirs.feed(&output);
            ours.written(|canvas| canvas.output(&output));
            ours.written(|canvas| canvas.say(notice));
            if resizes {
                let small = Size { cols: 9, rows: 3 };
                ours.screen.resize(small);
                ours.written(|canvas| canvas.resize(small));
                ours.screen.resize(SIZE);
                ours.written(|canvas| canvas.resize(SIZE));
            }
        }
        ours.written(|canvas| canvas.say(None));
        prop_assert_eq!(ours.text(), theirs.text());
        prop_assert_eq!(ours.screen.cursor(), theirs.cursor());
        prop_assert!(ours.screen.input_modes() == theirs.input_modes());
        ours.written(Canvas::leave);
        prop_assert!(ours.screen.input_modes() == pane(SIZE, b"").input_modes());
    }
}
