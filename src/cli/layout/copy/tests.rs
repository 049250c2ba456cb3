//! Copy mode, key by key.

use proptest::prelude::*;

use super::super::copy_keys::{COPY_BINDINGS, Editor, command_of};
use super::super::key::Key;
use super::super::page::tests::page;
use super::*;

/// Copy mode on a page of ten columns, of which three rows are in view, with the cursor in the last.
fn mode(output: &str) -> CopyMode {
    CopyMode::new(page(output, 3), 10, 3, Place { row: 2, col: 0 })
}

/// Presses keys, as people write them, and gives what came of the last one.
fn press(mode: &mut CopyMode, keys: &str) -> Outcome {
    let mut outcome = Outcome::Stay;
    for name in keys.split(' ') {
        let key = Key::parse(name).expect(name);
        outcome = mode.command(command_of(key, Editor::Vi).expect(name));
    }
    outcome
}

fn at(mode: &CopyMode) -> (usize, usize) {
    (mode.cursor.row, mode.cursor.col)
}

const TEXT: &str = "one two\r\nthree, four\r\n\r\nfive six\r\nseven";

#[test]
fn the_cursor_goes_where_vi_would_put_it() {
    // "three, four" is wrapped: rows 1 and 2.
    let mut mode = mode(TEXT);
    assert_eq!(at(&mode), (5, 0));
    for (keys, place) in [
        ("k", (4, 0)),
        ("w", (4, 5)),
        ("e", (4, 7)),
        ("b", (4, 5)),
        ("b", (4, 0)),
        ("$", (4, 7)),
        ("l", (5, 0)),
        ("g", (0, 0)),
        ("w w", (1, 0)),
        ("w", (1, 5)),
        ("G", (5, 0)),
        ("{", (3, 0)),
        ("}", (5, 0)),
        ("3 k", (2, 0)),
        ("H", (2, 0)),
        ("L", (4, 0)),
        ("M", (3, 0)),
        ("9 9 9 9 j", (5, 0)),
        ("PPage", (4, 0)),
        ("C-u C-u C-u C-u C-u", (0, 0)),
    ] {
        press(&mut mode, keys);
        assert_eq!(at(&mode), place, "after {keys}");
    }
}

#[test]
fn what_is_selected_is_copied() {
    let mut mode = mode(TEXT);
    press(&mut mode, "g Space e");
    assert!(mode.is_selected(Place { row: 0, col: 2 }) && !mode.is_selected(Place { row: 0, col: 3 }));
    assert_eq!(press(&mut mode, "y"), Outcome::Copy("one".to_owned()));
    press(&mut mode, "C-g g j V");
    assert_eq!(press(&mut mode, "j Enter"), Outcome::Copy("three, four".to_owned()));
    press(&mut mode, "C-g g V G o");
    assert_eq!(at(&mode), (0, 0));
    assert_eq!(
        press(&mut mode, "Enter"),
        Outcome::Copy("one two\nthree, four\n\nfive six\nseven".to_owned())
    );
    press(&mut mode, "C-g");
    assert_eq!(press(&mut mode, "y"), Outcome::Leave, "nothing is selected");
}

#[test]
fn a_search_goes_on_in_both_directions() {
    let mut mode = mode(TEXT);
    assert_eq!(press(&mut mode, "?"), Outcome::AskFor { forward: false });
    assert_eq!(mode.search("e", false), Outcome::Stay);
    assert_eq!(at(&mode), (4, 3));
    press(&mut mode, "n");
    assert_eq!(at(&mode), (1, 4));
    press(&mut mode, "N");
    assert_eq!(at(&mode), (4, 3));
    assert_eq!(mode.matches().len(), 6);
    assert_eq!(mode.search("nowhere", true), Outcome::NotFound);
    assert_eq!(at(&mode), (4, 3));
}

#[test]
fn who_scrolls_back_down_has_come_back() {
    let mut mode = mode(TEXT);
    assert!(mode.is_back());
    mode.scroll(true, 2);
    assert_eq!((mode.position(), mode.is_back()), ((2, 3), false));
    mode.scroll(false, 5);
    assert!(mode.is_back());
}

#[test]
fn a_longer_page_leaves_the_view_where_it_is() {
    let short = page("c\r\nd\r\ne", 3);
    let mut mode = CopyMode::new(short, 10, 3, Place { row: 2, col: 0 });
    press(&mut mode, "k");
    // Meanwhile a row was printed.
    mode.extend(page("a\r\nb\r\nc\r\nd\r\ne\r\nf", 3));
    let view: Vec<String> = mode.lines().map(|(_, line)| line.text(0, 10)).collect();
    assert_eq!((view, at(&mode)), (vec!["c".into(), "d".into(), "e".into()], (3, 0)));
    press(&mut mode, "g");
    assert_eq!(at(&mode), (0, 0));
}

proptest! {
    #[test]
    fn any_keys_keep_the_cursor_on_the_page_and_in_view(
        picks in proptest::collection::vec((any::<usize>(), 0u8..12), 0..60),
        rows in 1u16..6,
        lines in 0usize..12,
    ) {
        let output: String = (0..lines).map(|line| format!("line {line}, {}\r\n", "x".repeat(line))).collect();
        let mut mode = CopyMode::new(page(&output, rows), 10, usize::from(rows), Place { row: 0, col: 0 });
        for (pick, digit) in picks {
            let commands: Vec<_> = COPY_BINDINGS.iter().filter_map(|b| Key::parse(b.keys[0])).collect();
            if digit < 10 {
                mode.command(Command::Digit(digit % 3));
            }
            let key = commands[pick % commands.len()];
            if let Some(command) = command_of(key, Editor::Vi) {
                mode.command(command);
            }
            mode.selected();
            prop_assert!(mode.cursor.row < mode.page.lines.len());
            prop_assert!((mode.top..mode.top + mode.rows).contains(&mode.cursor.row));
        }
    }
}
