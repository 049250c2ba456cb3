//! What is typed, and what becomes of it.

use proptest::prelude::*;

use super::*;
use crate::ids::PaneId;
use crate::protocol::client::TerminalLend;

fn escapes() -> Escapes {
    Escapes::new(r"ctrl-\ ctrl-\".parse().unwrap(), "~".parse().unwrap())
}

fn bytes(typed: &[Typed]) -> Vec<u8> {
    let of = |typed: &Typed| match typed {
        Typed::Keys(bytes) | Typed::Paste { bytes, .. } => bytes.clone(),
        Typed::Detach => b"<detach>".to_vec(),
    };
    typed.iter().flat_map(of).collect()
}

fn taken(input: &[u8]) -> Vec<u8> {
    bytes(&escapes().take(input, Instant::now()))
}

#[test]
fn both_ways_detach() {
    assert_eq!(taken(b"ls\x1c\x1c"), b"ls<detach>");
    assert_eq!(taken(b"ls\r~."), b"ls\r<detach>");
    assert_eq!(taken(b"~."), b"<detach>", "at the very beginning, too");
    assert_eq!(taken(b"\x1b[92;5u\x1b[92;5:3u\x1b[92;5u"), b"<detach>");
    assert_eq!(taken(b"\x1b[27;5;92~\x1c"), b"<detach>");
}

#[test]
fn what_is_no_escape_is_typed() {
    for text in [&b"a~."[..], b"\x1ca", b"\x1ca\x1c\x1ba", b"\r~a", b"a\x1b[200~\r~.\x1c\x1c\x1b[201~b"] {
        assert_eq!(taken(text), text, "{text:?}");
    }
    assert_eq!(taken(b"\r~~."), b"\r~.");
    assert_eq!(taken(b"\r~\x1ca"), b"\r~\x1ca");
}

#[test]
fn what_nothing_follows_is_typed_after_a_while() {
    let (mut escapes, now) = (escapes(), Instant::now());
    assert_eq!(escapes.take(b"\x1c", now), []);
    assert_eq!(escapes.until(), Some(now + FOLLOWS_WITHIN));
    assert_eq!(escapes.expire(now), None);
    assert_eq!(escapes.expire(now + FOLLOWS_WITHIN), Some(b"\x1c".to_vec()));
    assert_eq!(escapes.take(b"\x1c", now + FOLLOWS_WITHIN), [], "it counts anew");
    let late = escapes.take(b"\x1c", now + 3 * FOLLOWS_WITHIN);
    assert_eq!(bytes(&late), b"\x1c", "the first one was too early");
}

#[test]
fn a_paste_is_told_from_keys() {
    let typed = escapes().take(b"a\x1b[200~bc\x1b[201~d", Instant::now());
    let paste = Typed::Paste { bytes: b"\x1b[200~bc\x1b[201~".to_vec(), more: false };
    assert_eq!(typed, [Typed::Keys(b"a".to_vec()), paste, Typed::Keys(b"d".to_vec())]);
    let mut escapes = escapes();
    escapes.take(b"\x1b[20", Instant::now());
    let begun = Typed::Paste { bytes: b"0~b".to_vec(), more: true };
    assert_eq!(escapes.take(b"0~b", Instant::now()), [begun]);
}

#[test]
fn settings_are_read_as_people_write_them() {
    assert_eq!("ctrl-q d".parse(), Ok(DetachKeys(vec![Key(0x11), Key(b'd')])));
    assert_eq!("^]".parse(), Ok(DetachKeys(vec![Key(0x1d)])));
    assert_eq!("none".parse(), Ok(DetachKeys(Vec::new())));
    for wrong in ["", "ctrl-", "ctrl-é", "f1", "a b c d e"] {
        assert!(wrong.parse::<DetachKeys>().is_err(), "{wrong}");
    }
    assert!(".".parse::<EscapeCharacter>().is_err() && "ab".parse::<EscapeCharacter>().is_err());
    let mut none = Escapes::new("none".parse().unwrap(), "none".parse().unwrap());
    assert_eq!(bytes(&none.take(b"~.\x1c\x1c", Instant::now())), b"~.\x1c\x1c");
}

fn input() -> impl Strategy<Value = Vec<u8>> {
    let words = [&b"\x1c"[..], b"~", b".", b"\r", b"\x1b[200~", b"\x1b[201~"];
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        prop::sample::select(words.to_vec()).prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_pieces_give_what_the_whole_gives(input in input(), cuts in prop::collection::vec(1_usize..5, 1..40)) {
        let now = Instant::now();
        let (mut escapes, mut typed, mut rest) = (escapes(), Vec::new(), &input[..]);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() || typed.last() == Some(&Typed::Detach) {
                break;
            }
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            typed.append(&mut escapes.take(piece, now));
            rest = later;
        }
        prop_assert_eq!(bytes(&typed), taken(&input));
    }

    #[test]
    fn what_has_no_stop_may_go_another_way(input in input(), cuts in prop::collection::vec(1_usize..5, 1..40)) {
        let now = Instant::now();
        let (mut escapes, mut typed, mut rest) = (escapes(), Vec::new(), &input[..]);
        let lend = TerminalLend { pane_id: PaneId(1), offset: 0, device: 0, stops: escapes.stops() };
        for cut in cuts.iter().cycle() {
            if rest.is_empty() || typed.last() == Some(&Typed::Detach) {
                break;
            }
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            if escapes.is_at_rest() && !lend.is_stopped(piece) {
                typed.push(Typed::Keys(piece.to_vec()));
                escapes.passed(piece[piece.len() - 1]);
            } else {
                typed.append(&mut escapes.take(piece, now));
            }
            rest = later;
        }
        prop_assert_eq!(bytes(&typed), taken(&input));
    }

    #[test]
    fn what_holds_no_escape_passes_unchanged(input in input()) {
        let plain: Vec<u8> = input.into_iter().filter(|byte| !matches!(byte, b'~' | 0x1c)).collect();
        prop_assert_eq!(taken(&plain), plain);
    }

    #[test]
    fn nothing_is_an_escape_within_a_paste(inside in input()) {
        prop_assume!(memchr::memmem::find(&inside, PASTE_ENDS).is_none());
        let paste = [PASTE_BEGINS, &inside, PASTE_ENDS].concat();
        prop_assert_eq!(escapes().take(&paste, Instant::now()), [Typed::Paste { bytes: paste, more: false }]);
    }
}
