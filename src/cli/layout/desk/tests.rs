//! The desk, from keys and messages to effects and pictures.

use super::change::SETTLES_WITHIN;
use super::*;
use crate::protocol::client::{Direction, PaneGrow, SplitResize};
use crate::protocol::server::{LayoutTree, PaneInfo, PaneStatus, Session, StackOrientation, TabLayout};

/// A desk of 41 columns and 12 rows, ten of them for panes: p1 | p2 in t1, p3 in t2, of session s1.
struct Bench {
    desk: Desk,
    mirror: Mirror,
    now: Instant,
}

fn window(pane: u64) -> LayoutTree {
    LayoutTree::Window { key: PaneId(pane) }
}

fn tab(id: u64, root: LayoutTree, focus: Vec<usize>) -> Tab {
    let layout = TabLayout { root };
    Tab { id: TabId(id), session_id: SessionId(1), name: format!("tab{id}"), layout, focus, zoomed: None }
}

fn info(status: PaneStatus) -> PaneInfo {
    serde_json::from_value(serde_json::json!({
        "title": "", "status": status, "pending": 0, "cols": 20, "rows": 10,
        "wake": "any-key", "closeOnExit": false, "size": { "policy": "latest" }, "node": "local",
    }))
    .expect("a pane")
}

impl Bench {
    fn new(read_only: bool) -> Bench {
        let split = LayoutTree::Stack {
            orientation: StackOrientation::Vertical,
            children: vec![window(1), window(2)],
            ratios: vec![0.5, 0.5],
        };
        let session =
            Session { id: SessionId(1), sandbox_id: "local".into(), name: "work".into(), created_at: 0 };
        let mirror = Mirror {
            sessions: vec![session],
            tabs: vec![tab(1, split, vec![0]), tab(2, window(3), vec![])],
            shared_tab: Some(TabId(1)),
            channels: (1..=3).map(|id| (PaneId(id), crate::protocol::frame::Channel(id as u32))).collect(),
            connected: (1..=3).map(|id| (PaneId(id), true)).collect(),
            panes: (1..=3).map(|id| (PaneId(id), info(PaneStatus::Live))).collect(),
            ..Mirror::default()
        };
        let prefix = Key::parse("C-b").expect("a key");
        let settings = Settings { prefix, editor: Editor::Vi, read_only, mouse: true };
        let desk = Desk::new(settings, Size { cols: 41, rows: 12 });
        let mut bench = Bench { desk, mirror, now: Instant::now() };
        let effects = bench.told();
        assert_eq!(effects.len(), 2, "both panes are watched: {effects:?}");
        for pane in [1, 2] {
            bench.shows(pane, &format!("\x1bcthis is {pane}"));
        }
        bench
    }

    /// The gateway tells the layout.
    fn told(&mut self) -> Vec<Effect> {
        self.desk.layout(Arc::new(self.mirror.clone()), self.now)
    }

    fn shows(&mut self, pane: u64, output: &str) {
        self.desk.restart(PaneId(pane), Size { cols: 20, rows: 10 }, output.as_bytes());
    }

    fn press(&mut self, bytes: &[u8]) -> Vec<Effect> {
        let mut splitter = super::super::stdin::Splitter::default();
        let mut pieces = splitter.feed(bytes);
        pieces.extend(splitter.flush());
        pieces.into_iter().flat_map(|piece| self.desk.piece(piece, self.now)).collect()
    }

    fn picture(&self) -> Vec<String> {
        let cells = self.desk.frame(self.now, 5000).cells;
        let row = |y| (0..cells.area.width).map(|x| cells[(x, y)].symbol()).collect::<String>();
        (0..cells.area.height).map(row).collect()
    }

    fn focus(&mut self, path: Vec<usize>) {
        self.mirror.tabs[0].focus = path;
    }

    fn typed(pane: u64, bytes: &[u8]) -> Effect {
        Effect::Type { pane: PaneId(pane), bytes: bytes.to_vec() }
    }
}

#[test]
fn keys_go_to_the_focused_pane_as_they_came() {
    let mut bench = Bench::new(false);
    let keys: [&[u8]; 5] = [b"a", b"\x1b[A", b"\x1bOB", b"\x1b", "é".as_bytes()];
    for key in keys {
        assert_eq!(bench.press(key), [Bench::typed(1, key)]);
    }
    assert_eq!(bench.press(b"\x02\x02"), [Bench::typed(1, b"\x02")], "the prefix twice");
    assert_eq!(bench.press(b"\x02\x1b"), [], "nothing after all");
    assert_eq!(bench.press(b"x"), [Bench::typed(1, b"x")]);
}

#[test]
fn what_is_typed_after_a_change_waits_for_it_and_goes_where_the_focus_went() {
    let mut bench = Bench::new(false);
    let effects = bench.press(b"\x02%after");
    assert!(matches!(&effects[..], [Effect::Ask(ClientMessage::PaneSplit(_))]), "{effects:?}");
    assert_eq!(bench.desk.answered(Ok(Some(PaneId(4))), bench.now), []);
    let split = LayoutTree::Stack {
        orientation: StackOrientation::Vertical,
        children: vec![window(1), window(4), window(2)],
        ratios: vec![0.3, 0.3, 0.4],
    };
    bench.mirror.tabs[0] = tab(1, split, vec![1]);
    bench.mirror.channels.insert(PaneId(4), crate::protocol::frame::Channel(4));
    let effects = bench.told();
    let typed: Vec<u8> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Type { pane: PaneId(4), bytes } => Some(bytes.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(typed, b"after");
    assert!(effects.contains(&Effect::Watch { pane: PaneId(4), history: 0 }));
}

#[test]
fn keys_wait_for_the_focus_that_was_asked_for_however_late_it_comes_after_its_answer() {
    let mut bench = Bench::new(false);
    let effects = bench.press(b"\x02ox");
    let Some(Effect::Ask(ClientMessage::PaneFocus(focus))) = effects.first() else { panic!("{effects:?}") };
    assert_eq!((focus.pane_id, effects.len()), (Some(PaneId(2)), 1));
    assert_eq!(bench.desk.answered(Ok(None), bench.now), []);
    bench.now += SETTLES_WITHIN / 2;
    assert_eq!(bench.desk.tick(bench.now), []);
    // Something else changes meanwhile.
    assert_eq!(bench.told(), []);
    bench.focus(vec![1]);
    assert!(bench.told().contains(&Bench::typed(2, b"x")));
}

#[test]
fn a_change_that_is_refused_or_never_comes_holds_nothing_up() {
    let mut bench = Bench::new(false);
    bench.press(b"\x02zx");
    assert_eq!(bench.desk.answered(Err("no such pane".into()), bench.now), [Bench::typed(1, b"x")]);
    assert!(bench.picture()[11].contains("no such pane"));
    bench.press(b"\x02zy");
    bench.now = bench.desk.wakes_at().expect("it gives up") + SETTLES_WITHIN;
    assert_eq!(bench.desk.tick(bench.now), [Bench::typed(1, b"y")]);
}

#[test]
fn closing_asks_first() {
    let mut bench = Bench::new(false);
    assert_eq!(bench.press(b"\x02x"), []);
    assert!(bench.picture()[11].starts_with("close pane p1? (y/n)"), "{:?}", bench.picture());
    assert_eq!(bench.press(b"n"), []);
    assert_eq!(bench.press(b"q"), [Bench::typed(1, b"q")]);
    bench.press(b"\x02&");
    let effects = bench.press(b"y");
    assert_eq!(effects, [Effect::Ask(ClientMessage::TabClose(TabClose { tab_id: TabId(1) }))]);
}

#[test]
fn arrows_go_to_neighbours_round_the_edge_and_edges_move_again_without_the_prefix() {
    let mut bench = Bench::new(false);
    for arrow in [&b"\x02\x1b[C"[..], b"\x02\x1bOD"] {
        let effects = bench.press(arrow);
        let [Effect::Ask(ClientMessage::PaneFocus(focus))] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(focus.pane_id, Some(PaneId(2)));
        bench.desk.answered(Err(String::new()), bench.now);
    }
    let grow = Effect::Say(ClientMessage::PaneGrow(PaneGrow {
        pane_id: PaneId(1),
        direction: Direction::Right,
        amount: 25,
    }));
    assert_eq!(bench.press(b"\x02\x1b[1;5C\x1b[1;5C"), [grow.clone(), grow]);
    bench.now += REPEAT_FOR;
    bench.desk.tick(bench.now);
    assert_eq!(bench.press(b"\x1b[1;5C"), [Bench::typed(1, b"\x1b[1;5C")]);
}

#[test]
fn the_picture_has_titles_panes_line_and_status() {
    let mut bench = Bench::new(false);
    bench.mirror.panes.get_mut(&PaneId(2)).expect("it is there").title = "vim".into();
    bench.told();
    let picture = bench.picture();
    assert_eq!(picture[0], format!("─ p1 {0:─<15}┬─ vim {0:─<14}", ""));
    assert_eq!(picture[1], format!("{:20}│{:20}", "this is 1", "this is 2"));
    assert_eq!(picture[11], "[work] 0:tab1* 1:tab2                 p1 ");
}

#[test]
fn keys_are_shown_if_none_follows_the_prefix() {
    let mut bench = Bench::new(false);
    bench.press(b"\x02");
    assert!(!bench.picture().concat().contains("after C-b"));
    bench.now = bench.desk.wakes_at().expect("the hint");
    assert!(bench.picture().concat().contains("after C-b"));
    bench.press(b"d");
    assert!(!bench.picture().concat().contains("after C-b"));
}

#[test]
fn a_dead_pane_says_how_it_comes_back_and_gets_the_key() {
    let mut bench = Bench::new(false);
    bench.mirror.connected.insert(PaneId(1), false);
    bench.mirror.panes.insert(PaneId(1), info(PaneStatus::Exited { code: Some(0), signal: None, at: 0 }));
    bench.told();
    let picture = bench.picture();
    assert!(picture[6].contains("Disconnected"), "{picture:?}");
    assert!(picture[11].contains("0:tab1*!"), "{picture:?}");
    assert!(bench.desk.shows_times());
    assert_eq!(bench.press(b"x"), [Bench::typed(1, b"x")]);
}

#[test]
fn text_is_searched_copied_and_pasted() {
    let mut bench = Bench::new(false);
    bench.shows(1, "\x1bcneedle one\r\nother\r\n$ ");
    assert!(matches!(bench.press(b"\x02[")[..], [Effect::Watch { history: 1.., .. }]));
    bench.press(b"?need\r");
    assert_eq!(bench.desk.frame(bench.now, 0).cursor.map(|cursor| (cursor.x, cursor.y)), Some((0, 1)));
    bench.press(b"ve");
    assert_eq!(bench.press(b"y"), [Effect::Clipboard("needle".into())]);
    let paste = |bytes: &[u8]| Effect::Paste { pane: PaneId(1), bytes: bytes.to_vec(), more: false };
    assert_eq!(bench.press(b"\x02]"), [paste(b"needle")]);
    bench.shows(1, "\x1bc\x1b[?2004h");
    assert_eq!(bench.press(b"\x02]"), [paste(b"\x1b[200~needle\x1b[201~")]);
    bench.press(b"\x02[?nowhere\r");
    assert!(bench.picture()[11].contains("not found"));
}

#[test]
fn a_paste_is_marked_where_the_program_wants_that() {
    let mut bench = Bench::new(false);
    let pasted = b"\x1b[200~a\x02b\x1b[201~";
    let part = |bytes: &[u8], more| Effect::Paste { pane: PaneId(1), bytes: bytes.to_vec(), more };
    assert_eq!(bench.press(pasted), [part(b"a\x02b", true), part(b"", false)]);
    bench.shows(1, "\x1bc\x1b[?2004h");
    let marked = [part(b"\x1b[200~", true), part(b"a\x02b", true), part(b"\x1b[201~", false)];
    assert_eq!(bench.press(pasted), marked);
}

#[test]
fn the_mouse_focuses_moves_edges_and_selects() {
    let mut bench = Bench::new(false);
    let effects = bench.press(b"\x1b[<0;30;3M");
    assert!(matches!(&effects[..], [Effect::Ask(ClientMessage::PaneFocus(_))]), "{effects:?}");
    bench.desk.answered(Err(String::new()), bench.now);
    bench.press(b"\x1b[<0;30;3m");
    bench.press(b"\x1b[<0;21;3M");
    let resize = SplitResize { tab_id: TabId(1), path: vec![], ratios: vec![25.0, 15.0] };
    assert_eq!(bench.press(b"\x1b[<32;26;3M"), [Effect::Say(ClientMessage::SplitResize(resize))]);
    assert_eq!(bench.press(b"\x1b[<0;26;3m"), []);
    bench.press(b"\x1b[<0;6;2M");
    assert!(matches!(bench.press(b"\x1b[<32;7;2M")[..], [Effect::Watch { .. }]));
    assert_eq!(bench.press(b"\x1b[<0;7;2m"), [Effect::Clipboard("is".into())]);
    assert!(!bench.picture().concat().contains("[0/0]"), "copy mode is left");
}

#[test]
fn a_program_that_wants_the_mouse_gets_it_in_its_own_cells() {
    let mut bench = Bench::new(false);
    bench.focus(vec![1]);
    bench.told();
    bench.shows(2, "\x1bc\x1b[?1002h\x1b[?1006h");
    let report = |bytes: &[u8]| Effect::Report { pane: PaneId(2), bytes: bytes.to_vec() };
    assert_eq!(bench.press(b"\x1b[<0;23;3M"), [report(b"\x1b[<0;2;2M")]);
    assert_eq!(bench.press(b"\x1b[<32;1;3M"), [report(b"\x1b[<32;1;2M")], "it keeps what it was given");
    assert_eq!(bench.press(b"\x1b[<0;1;3m"), [report(b"\x1b[<0;1;2m")]);
    assert_eq!(bench.press(b"\x1b[<64;23;3M"), [report(b"\x1b[<64;2;2M")]);
}

#[test]
fn a_click_on_a_title_focuses_its_pane_and_reaches_no_program() {
    let mut bench = Bench::new(false);
    bench.shows(2, "\x1bc\x1b[?1003h\x1b[?1006h");
    let effects = bench.press(b"\x1b[<0;24;1M");
    let [Effect::Ask(ClientMessage::PaneFocus(focus))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(focus.pane_id, Some(PaneId(2)));
    bench.desk.answered(Err(String::new()), bench.now);
    for report in [&b"\x1b[<32;24;4M"[..], b"\x1b[<0;24;4m", b"\x1b[<2;24;1M", b"\x1b[<32;24;4M"] {
        assert_eq!(bench.press(report), [], "what began on the line is not the pane's");
    }
    bench.press(b"\x1b[<2;24;4m");
    assert_eq!(bench.press(b"\x1b[<64;24;1M\x1b[<0;21;1M\x1b[<0;21;1m"), []);
}

#[test]
fn a_title_between_panes_is_clicked_where_its_line_is_not_dragged() {
    let mut bench = Bench::new(false);
    let LayoutTree::Stack { orientation, .. } = &mut bench.mirror.tabs[0].layout.root else { panic!() };
    *orientation = StackOrientation::Horizontal;
    bench.told();
    assert!(bench.picture()[6].starts_with("─ p2 ─"), "{:?}", bench.picture());
    assert_eq!(bench.press(b"\x1b[<0;4;7M"), [], "it may become a drag");
    let effects = bench.press(b"\x1b[<0;4;7m");
    let [Effect::Ask(ClientMessage::PaneFocus(focus))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(focus.pane_id, Some(PaneId(2)));
    bench.desk.answered(Err(String::new()), bench.now);
    bench.press(b"\x1b[<0;4;7M");
    assert!(matches!(bench.press(b"\x1b[<32;4;9M")[..], [Effect::Say(ClientMessage::SplitResize(_))]));
    assert_eq!(bench.press(b"\x1b[<32;4;7M\x1b[<0;4;7m").len(), 1, "it was dragged, if back to where it was");
}

#[test]
fn a_terminal_that_becomes_small_loses_its_titles_for_a_while() {
    let mut bench = Bench::new(false);
    bench.desk.resize(Size { cols: 41, rows: 7 });
    assert!(bench.picture()[0].starts_with("this is 1"), "{:?}", bench.picture());
    assert_eq!(bench.desk.frame(bench.now, 0).cursor.map(|cursor| cursor.y), Some(0));
    bench.desk.resize(Size { cols: 41, rows: 12 });
    assert!(bench.picture()[0].starts_with("─ p1 ─"));
    assert_eq!(bench.desk.frame(bench.now, 0).cursor.map(|cursor| cursor.y), Some(1));
}

#[test]
fn the_wheel_scrolls_and_comes_back() {
    let mut bench = Bench::new(false);
    let lines: String = (0..30).map(|line| format!("line {line}\r\n")).collect();
    bench.shows(1, &format!("\x1bc{lines}"));
    bench.press(b"\x1b[<64;3;3M");
    assert!(bench.picture()[1].starts_with("line 18"), "{:?}", bench.picture());
    bench.press(b"\x1b[<65;3;3M");
    assert!(bench.picture()[1].starts_with("line 21"));
    assert_eq!(bench.press(b"x"), [Bench::typed(1, b"x")], "copy mode is left");
}

#[test]
fn who_only_looks_changes_nothing() {
    let mut bench = Bench::new(true);
    for keys in [&b"x"[..], b"\x02%", b"\x02x", b"\x02c", b"\x02,", b"\x1b[200~a\x1b[201~", b"\x02\x02"] {
        assert_eq!(bench.press(keys), [], "{keys:?}");
        assert!(bench.picture()[11].contains("read-only"));
    }
    assert!(matches!(bench.press(b"\x021")[..], [Effect::Ask(ClientMessage::TabSwitch(_))]));
}

#[test]
fn other_tabs_are_reached_in_every_way_and_watched_when_shown() {
    let mut bench = Bench::new(false);
    for keys in [&b"\x02n"[..], b"\x02p", b"\x021", b"\x02wj\r", b"\x1b[<0;17;12M"] {
        let effects = bench.press(keys);
        let [Effect::Ask(ClientMessage::TabSwitch(switch))] = &effects[..] else {
            panic!("{keys:?}: {effects:?}")
        };
        assert_eq!(switch.tab_id, TabId(2), "{keys:?}");
        bench.desk.answered(Err(String::new()), bench.now);
    }
    bench.mirror.shared_tab = Some(TabId(2));
    let effects = bench.told();
    assert!(effects.contains(&Effect::Unwatch(PaneId(1))));
    assert!(effects.contains(&Effect::Watch { pane: PaneId(3), history: 0 }));
    assert!(matches!(&bench.press(b"\x02l")[..], [Effect::Ask(ClientMessage::TabSwitch(_))]));
}

#[test]
fn it_is_left_when_nothing_is_left_or_somebody_wants_it() {
    let mut bench = Bench::new(false);
    assert_eq!(bench.press(b"\x02d"), [Effect::Leave(Leaving::Detached)]);
    bench.mirror.tabs.clear();
    assert!(bench.told().contains(&Effect::Leave(Leaving::Empty)));
    let status = Status::Closed(crate::client::Closed::Unauthorized);
    assert!(matches!(bench.desk.status(status)[..], [Effect::Leave(Leaving::Closed(_))]));
}

#[test]
fn a_gateway_that_is_away_is_shown_with_what_is_held() {
    let mut bench = Bench::new(false);
    let reason = "it shuts down".to_owned();
    bench.desk.status(Status::Reconnecting { since: bench.now, attempt: 1, until: None, reason });
    bench.desk.held(12);
    assert!(bench.picture()[11].contains("reconnecting, 12 bytes held"), "{:?}", bench.picture());
    assert_eq!(bench.press(b"x"), [Bench::typed(1, b"x")]);
}

#[test]
fn no_size_is_too_small_to_be_drawn() {
    let mut bench = Bench::new(false);
    for (cols, rows) in [(1, 1), (2, 2), (5, 3), (300, 100)] {
        bench.desk.resize(Size { cols, rows });
        for keys in [&b"\x02q"[..], b"\x02?", b"q\x02[", b"q\x02,", b"\x1b\x02w", b"q"] {
            bench.press(keys);
            bench.picture();
        }
    }
}
