//! Tests of what screens are made into.

use proptest::prelude::*;

use super::*;
use crate::geometry::Size;
use crate::screen::ScrollbackLimits;

const LIMITS: ScrollbackLimits = ScrollbackLimits { lines: 100, bytes: 1 << 20 };

fn screen(cols: u16, rows: u16, output: &str) -> Screen {
    let mut screen = Screen::new(Size { cols, rows }, LIMITS);
    screen.feed(output.as_bytes());
    screen
}

fn all(scrollback: usize) -> Extent {
    Extent { scrollback, join: false }
}

fn joined(scrollback: usize) -> Extent {
    Extent { scrollback, join: true }
}

/// Complains unless every tag is closed in turn, and nothing is in the text that must not be.
fn check_markup(document: &str) -> Result<(), String> {
    let mut open = Vec::new();
    let mut rest = document.strip_prefix("<!DOCTYPE html>\n").unwrap_or(document);
    while let Some((text, tag)) = rest.split_once('<') {
        check_text(text)?;
        let (tag, after) = tag.split_once('>').ok_or("a tag without end")?;
        rest = after;
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('/') {
            let opened = open.pop();
            if opened != Some(name) {
                return Err(format!("{opened:?} is closed as {name}"));
            }
        } else {
            let quotes = tag.matches('"').count();
            if quotes % 2 != 0 || name.is_empty() {
                return Err(format!("<{tag}>"));
            }
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    check_text(rest)?;
    if open.is_empty() { Ok(()) } else { Err(format!("left open: {open:?}")) }
}

fn check_text(text: &str) -> Result<(), String> {
    if text.contains('>') || text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(format!("{text:?}"));
    }
    let entities = ["lt;", "gt;", "amp;", "quot;", "#39;"];
    let whole = |(at, _)| entities.iter().any(|entity| text[at + 1..].starts_with(entity));
    if text.match_indices('&').all(whole) { Ok(()) } else { Err(format!("{text:?}")) }
}

#[test]
fn wrapped_rows_are_put_together_if_that_is_asked_for() {
    let shown = screen(5, 4, "abcdefgh\r\n12345\r\nx");
    assert_eq!(shown.render(Format::Plain, all(0)), "abcde\nfgh\n12345\nx\n");
    assert_eq!(shown.render(Format::Plain, joined(0)), "abcdefgh\n12345\nx\n");
    let wide = screen(5, 2, "abcd漢字");
    assert_eq!(wide.render(Format::Plain, joined(0)), "abcd漢字\n", "no blank where it did not fit");
}

#[test]
fn scrollback_comes_before_the_screen_and_may_go_on_in_it() {
    let shown = screen(5, 2, "one\r\nabcdefghijklm");
    assert_eq!(shown.render(Format::Plain, all(0)), "fghij\nklm\n");
    assert_eq!(shown.render(Format::Plain, all(9)), "one\nabcde\nfghij\nklm\n");
    assert_eq!(shown.render(Format::Plain, joined(9)), "one\nabcdefghijklm\n");
    let full = screen(5, 2, "one\r\ntwo\r\nthree\x1b[?1049h\x1b[Halt");
    assert_eq!(full.render(Format::Plain, all(9)), "alt\n\n");
}

#[test]
fn lines_keep_the_blanks_that_were_written() {
    assert_eq!(screen(10, 2, "$ \r\n\x1b[5Cx").lines(), ["$ ", "     x"]);
}

#[test]
fn colours_and_styles_are_shown() {
    let shown = screen(
        40,
        2,
        "\x1b[1;31mbold\x1b[0;38;5;21;48;2;1;2;3;4:3;58;5;9mcurly\x1b[m \x1b[7minv\x1b[0;8mhid\x1b[0;9mstruck\x1b[m",
    );
    let html = shown.render(Format::Html, all(0));
    for part in [
        "<span class=\"b\" style=\"color:#ff8f94;\">bold</span>",
        "<span style=\"color:#0000ff;background:#010203;text-decoration:underline wavy #ff8f94;\">curly</span>",
        "<span style=\"color:#12151c;background:#d5dae3;\">inv</span>",
        "<span class=\"h\">hid</span>",
        "<span style=\"text-decoration:line-through solid;\">struck</span>",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    let svg = shown.render(Format::Svg, all(0));
    assert!(
        svg.contains(
            "<text x=\"9\" y=\"23\" textLength=\"36\" lengthAdjust=\"spacingAndGlyphs\">bold</text>"
        ),
        "{svg}"
    );
    assert!(svg.contains("<rect x=\"45\" y=\"9\" width=\"45\" height=\"18\" fill=\"#010203\"/>"), "{svg}");
    assert!(!svg.contains("hid"));
    assert!(svg.contains("<style>text{white-space:pre}</style>"), "blanks are kept: {svg}");
    let ansi = shown.render(Format::Ansi, all(0));
    assert!(ansi.starts_with("\x1b[1;31mbold"), "{ansi:?}");
    assert!(ansi.lines().all(|line| !line.contains('\x1b') || line.ends_with("\x1b[m")), "{ansi:?}");
}

#[test]
fn wide_characters_have_their_cells_in_a_picture() {
    let svg = screen(20, 1, "a漢b👩e\u{301}").render(Format::Svg, all(0));
    for part in [
        "<text x=\"9\" y=\"23\" textLength=\"9\" lengthAdjust=\"spacingAndGlyphs\">a</text>",
        "<text x=\"18\" y=\"23\" textLength=\"18\" lengthAdjust=\"spacingAndGlyphs\">漢</text>",
        "<text x=\"36\" y=\"23\" textLength=\"9\" lengthAdjust=\"spacingAndGlyphs\">b</text>",
        "<text x=\"45\" y=\"23\" textLength=\"18\" lengthAdjust=\"spacingAndGlyphs\">👩</text>",
    ] {
        assert!(svg.contains(part), "{part} is not in {svg}");
    }
}

#[test]
fn only_the_web_is_linked() {
    let link = |uri: &str| screen(20, 1, &format!("\x1b]8;;{uri}\x1b\\text\x1b]8;;\x1b\\"));
    for format in [Format::Html, Format::Svg] {
        assert!(
            link("HTTPS://e.org/?a=1&b=\"<")
                .render(format, all(0))
                .contains("<a href=\"HTTPS://e.org/?a=1&amp;b=&quot;&lt;\">")
        );
        for uri in ["javascript:alert(1)", "file:///etc", "data:text/html,x", "javascript://http://x"] {
            assert!(!link(uri).render(format, all(0)).contains("<a "), "{uri}");
        }
    }
}

proptest! {
    #[test]
    fn plain_text_is_the_screens_own(output in "([a-z <>&\"'漢🦀e\u{301}\u{fffe}]|\r\n|\x1b\\[[0-9;]{0,5}[mHKJ]){0,120}") {
        let shown = screen(12, 5, &output);
        let plain = shown.render(Format::Plain, all(0));
        prop_assert_eq!(plain.lines().collect::<Vec<_>>(), shown.text());
        for format in [Format::Html, Format::Svg] {
            prop_assert_eq!(check_markup(&shown.render(format, joined(50))), Ok(()));
        }
    }

    #[test]
    fn escape_sequences_show_the_same_cells(output in "([a-z 漢🦀e\u{301}]|\r\n|\x1b\\[([0-9]|3[0-7]|4[0-7]|4:[2-5]|38;5;99|48;2;1;2;3)m){0,120}") {
        let shown = screen(12, 5, &output);
        let ansi = shown.render(Format::Ansi, all(0));
        let again = screen(12, 5, ansi.trim_end_matches('\n').replace('\n', "\r\n").as_str());
        prop_assert_eq!(shown.text(), again.text());
        for format in [Format::Html, Format::Svg] {
            prop_assert_eq!(shown.render(format, all(0)), again.render(format, all(0)));
        }
    }
}
