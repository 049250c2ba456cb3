//! The page measures characters as the model does: this test fails when `web/src/term/widths.ts` is stale, and
//! rewrites it when `EVERPANE_BLESS` is set.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web/src/term/widths.ts");

/// How many characters of a table stand on one line of the file.
const LINE: usize = 100;

/// How many cells the model gives a code point. Controls and what is no character never reach a cell, and the
/// Khmer sign that is wider than two cells gets two.
fn width(code_point: u32) -> usize {
    char::from_u32(code_point).and_then(UnicodeWidthChar::width).unwrap_or(0).min(2)
}

/// The code points of a width as `gap,length` pairs in base 36: how many others come before each run of them,
/// counted from the end of the run before, and how long it is.
fn runs(wanted: usize) -> String {
    let mut numbers = Vec::new();
    let (mut gap, mut length) = (0, 0);
    for code_point in 0..=u32::from(char::MAX) {
        if width(code_point) == wanted {
            length += 1;
        } else if length > 0 {
            numbers.extend([base36(gap), base36(length)]);
            (gap, length) = (1, 0);
        } else {
            gap += 1;
        }
    }
    if length > 0 {
        numbers.extend([base36(gap), base36(length)]);
    }
    numbers.join(",")
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
    }
    digits.iter().rev().collect()
}

/// A constant of the generated file.
fn constant(name: &str, doc: &str, value: &str) -> String {
    let lines: Vec<&[u8]> = value.as_bytes().chunks(LINE).collect();
    let mut text = format!("\n/** {doc} */\nexport const {name} =");
    for (index, line) in lines.iter().enumerate() {
        let end = if index + 1 == lines.len() { ";" } else { " +" };
        let _ = write!(text, "\n  \"{}\"{end}", String::from_utf8_lossy(line));
    }
    text + "\n"
}

fn generate() -> String {
    let head = "// Generated from the crate unicode-width by `EVERPANE_BLESS=1 cargo test --lib width_table`; do not \
                edit.\n// Pairs of numbers in base 36: how many code points are left out, and how many follow that \
                belong.\n";
    let zero = constant("ZERO", "The code points that take no cell of their own.", &runs(0));
    let wide = constant("WIDE", "The code points that take two cells; all others take one.", &runs(2));
    format!("{head}{zero}{wide}")
}

#[test]
fn the_page_has_the_same_width_table() {
    let generated = generate();
    if std::env::var_os("EVERPANE_BLESS").is_some() {
        std::fs::write(PATH, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(committed == generated, "stale; run `EVERPANE_BLESS=1 cargo test --lib width_table`");
}

#[test]
fn one_character_alone_is_wider_than_two_cells() {
    let wider = |c: &char| c.width().is_some_and(|width| width > 2);
    assert_eq!(('\0'..=char::MAX).filter(wider).collect::<String>(), "\u{17d8}");
}
