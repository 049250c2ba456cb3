//! The list that a pane is picked from, and how it is drawn.

use serde_json::json;

use super::draw::{ENTER, Easel, LEAVE, Preview};
use super::*;
use crate::geometry::Size;
use crate::screen::{Screen, ScrollbackLimits};

const SIZE: Size = Size { cols: 60, rows: 6 };

/// Two sessions: `work` with the tabs `edit` (p1, p2) and `run` (p3, dead), `play` with the tab `1` (p4).
fn mirror() -> Mirror {
    let pane = |title: &str, name: serde_json::Value, command: &str| {
        json!({
            "name": name, "title": title, "status": { "state": "live" }, "pending": 0, "cols": 80, "rows": 24,
            "wake": "any-key", "closeOnExit": false, "size": { "policy": "latest" }, "node": "local",
            "shell": { "running": true, "command": command, "since": 0 },
        })
    };
    let window = |pane| json!({ "tag": "window", "key": pane });
    let both = json!({
        "tag": "stack", "orientation": "vertical", "ratios": [0.5, 0.5], "children": [window("p1"), window("p2")],
    });
    let tab = |id, session, name, root| json!({ "id": id, "sessionId": session, "name": name, "layout": { "root": root }, "focus": [1] });
    let session = |id, name| json!({ "id": id, "sandboxId": "local", "name": name, "createdAt": 0 });
    let state = json!({
        "type": "state", "revision": 1, "activeTab": "t1",
        "sessions": [session("s1", "work"), session("s2", "play")],
        "tabs": [
            tab("t1", "s1", "edit", both), tab("t2", "s1", "run", window("p3")), tab("t3", "s2", "1", window("p4")),
        ],
        "channels": { "p1": 0, "p2": 1, "p3": 2, "p4": 3 },
        "connected": { "p1": true, "p2": true, "p3": false, "p4": true },
        "panes": {
            "p1": pane("vim", json!(null), "vim"), "p2": pane("", json!("tests"), "cargo nextest"),
            "p3": pane("logs\u{7}", json!(null), ""), "p4": pane("", json!(null), ""),
        },
    });
    let mut mirror = Mirror::default();
    mirror.take(serde_json::from_value(state).unwrap());
    mirror
}

fn texts(picker: &Picker) -> Vec<&str> {
    picker.view(9).map(|(entry, ..)| entry.text.as_str()).collect()
}

fn search(picker: &mut Picker, query: &str) {
    picker.press(Press::EraseAll, 9);
    query.chars().for_each(|char| _ = picker.press(Press::Type(char), 9));
}

#[test]
fn all_panes_are_listed_and_the_active_one_is_chosen() {
    let picker = Picker::new(&mirror(), None);
    let wanted = ["work:edit.0  vim", "work:edit.1  tests — cargo nextest", "work:run.0  logs", "play:1.0"];
    assert_eq!(texts(&picker), wanted);
    let dead: Vec<bool> = picker.view(9).map(|(entry, ..)| entry.dead).collect();
    assert_eq!(dead, [false, false, true, false]);
    assert_eq!((picker.chosen(), picker.counts()), (Some(PaneId(2)), (4, 4)));
}

#[test]
fn the_pane_that_we_are_in_is_not_offered() {
    let mut picker = Picker::new(&mirror(), Some(PaneId(2)));
    picker.refresh(&mirror());
    assert_eq!(texts(&picker), ["work:edit.0  vim", "work:run.0  logs", "play:1.0"]);
    assert_eq!((picker.chosen(), picker.counts()), (Some(PaneId(1)), (3, 3)));
}

#[test]
fn what_is_typed_narrows_the_list_by_session_tab_name_title_and_command() {
    let mut picker = Picker::new(&mirror(), None);
    for (query, pane) in [("nextest", 2), ("tsts", 2), ("log", 3), ("play", 4), ("work vim", 1), ("run", 3)] {
        search(&mut picker, query);
        assert_eq!(picker.chosen(), Some(PaneId(pane)), "{query}");
    }
    let (_, matched, chosen) = picker.view(9).next().unwrap();
    assert_eq!((matched, chosen), (&[5, 6, 7][..], true));
    search(&mut picker, "nothing of it");
    assert_eq!((picker.chosen(), picker.counts()), (None, (0, 4)));
    assert_eq!(picker.press(Press::Enter, 9), Pick::Looking);
    picker.press(Press::EraseWord, 9);
    assert_eq!(picker.query(), "nothing of ");
    picker.press(Press::EraseWord, 9);
    picker.press(Press::Erase, 9);
    assert_eq!(picker.query(), "nothing");
    picker.press(Press::EraseAll, 9);
    assert_eq!(picker.counts(), (4, 4));
    search(&mut picker, &"x".repeat(2 * MAX_QUERY));
    assert_eq!(picker.query().len(), MAX_QUERY);
}

#[test]
fn keys_move_the_choice_around_and_take_it() {
    let mut picker = Picker::new(&mirror(), None);
    let mut after = |press| {
        assert_eq!(picker.press(press, 2), Pick::Looking);
        picker.chosen().unwrap().0
    };
    assert_eq!([Press::Up, Press::Up, Press::Down].map(&mut after), [1, 4, 1]);
    assert_eq!([Press::PageDown, Press::PageDown, Press::PageUp].map(&mut after), [3, 4, 2]);
    assert_eq!(picker.press(Press::Enter, 2), Pick::Picked(PaneId(2)));
    assert_eq!(picker.press(Press::Cancel, 2), Pick::Cancelled);
}

#[test]
fn the_choice_stays_when_the_layout_changes() {
    let mut mirror = mirror();
    let mut picker = Picker::new(&mirror, None);
    picker.press(Press::Down, 9);
    mirror.sessions.swap(0, 1);
    picker.refresh(&mirror);
    assert_eq!(picker.chosen(), Some(PaneId(3)));
    mirror.tabs.remove(1);
    picker.refresh(&mirror);
    assert_eq!(picker.chosen(), Some(PaneId(2)), "the one that is in its place");
    mirror.tabs.clear();
    picker.refresh(&mirror);
    assert_eq!((picker.chosen(), picker.press(Press::Up, 9)), (None, Pick::Looking));
}

fn screen(size: Size, output: &str) -> Screen {
    let mut screen = Screen::new(size, ScrollbackLimits { lines: 0, bytes: 0 });
    screen.feed(output.as_bytes());
    screen
}

#[test]
fn the_list_is_on_the_left_and_the_pane_on_the_right() {
    let picker = Picker::new(&mirror(), None);
    let mut terminal = screen(SIZE, "before");
    let mut easel = Easel::new(SIZE);
    terminal.feed(ENTER);
    let pane = screen(Size { cols: 80, rows: 24 }, "top\r\n\x1b[20Hat the cursor");
    let preview = Preview { screen: Some(&pane), notice: Some("Disconnected") };
    terminal.feed(&easel.draw(&picker, preview));
    let wanted = [
        ">                       │",
        "─ 4/4 ─ enter attaches, │",
        "  work:edit.0  vim      │",
        "  work:edit.1  tests — c│",
        "✗ work:run.0  logs      │",
        "  play:1.0              │ Disconnected",
    ];
    assert_eq!(terminal.text(), wanted);
    assert!(easel.draw(&picker, preview).is_empty(), "what is shown is not drawn again");
    terminal.feed(&easel.draw(&picker, Preview { notice: None, ..preview }));
    assert_eq!(terminal.text()[5], "  play:1.0              │at the cursor");
    terminal.feed(LEAVE);
    assert_eq!(terminal.text()[0], "before");
}

#[test]
fn a_terminal_of_any_size_shows_what_has_room() {
    let mut picker = Picker::new(&mirror(), None);
    search(&mut picker, "play");
    for (size, wanted) in [
        (Size { cols: 30, rows: 3 }, &["> play", "─ 1/4 ─ enter attaches, esc le", "  play:1.0"][..]),
        (Size { cols: 4, rows: 2 }, &["> pl", "─ 1/"]),
        (Size { cols: 1, rows: 1 }, &[">"]),
    ] {
        let mut easel = Easel::new(SIZE);
        easel.forget(size);
        let mut terminal = screen(size, "");
        terminal.feed(&easel.draw(&picker, Preview::default()));
        assert_eq!(terminal.text(), wanted);
    }
}
