//! What viewers see of each other's doings: one layout for all, and each pane's output, however fast they read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use everpane::gateway::{Attached, Framing, Gateway, LocalNode, Settings, Update};
use everpane::host::{Exit, Host, Sink, SpawnRequest, Spawned, Spawning, Terminal};
use everpane::ids::PaneId;
use everpane::pane::respawn::Generation;
use everpane::protocol::client;
use everpane::protocol::server::ServerMessage;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use serde_json::{Value, json};
use support::PATIENCE;
use support::stage::Stage;
use support::viewer::TestViewer;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::mpsc;

/// A program that shows what it reads, and at first that it is there, as programs are given input then.
const CAT: &str = "printf '> '\nexec cat\n";

// One layout for all, over real sockets.

/// Waits until both were told of the same changes, of which there may be more meanwhile, and compares everything.
fn agree(viewer: &mut TestViewer, other: &mut TestViewer) {
    while viewer.mirror.revision != other.mirror.revision {
        let newest = viewer.mirror.revision.max(other.mirror.revision);
        let behind = if viewer.mirror.revision < newest { &mut *viewer } else { &mut *other };
        behind.until("the same layout", |mirror| mirror.revision >= newest);
    }
    let wanted = &other.mirror;
    assert_eq!((&viewer.mirror.sessions, &viewer.mirror.tabs), (&wanted.sessions, &wanted.tabs));
    assert_eq!((viewer.mirror.active_tab, &viewer.mirror.channels), (wanted.active_tab, &wanted.channels));
    assert_eq!(viewer.mirror.connected, wanted.connected);
}

#[test]
fn every_operation_reaches_every_viewer() {
    let stage = Stage::with_script(CAT);
    let mut viewers: Vec<TestViewer> = (0..4).map(|_| stage.viewer()).collect();
    let operations = [
        json!({"type":"session_create","name":"one"}),
        json!({"type":"pane_split","paneId":"p1","orientation":"horizontal"}),
        json!({"type":"pane_split","paneId":"p2","orientation":"vertical","side":"before"}),
        json!({"type":"split_resize","tabId":"t1","path":[],"ratios":[1,3]}),
        json!({"type":"pane_grow","paneId":"p1","direction":"right","amount":100}),
        json!({"type":"pane_rename","paneId":"p1","name":"server"}),
        json!({"type":"pane_zoom","paneId":"p1"}),
        json!({"type":"pane_focus","direction":"right"}),
        json!({"type":"pane_focus","paneId":"p1"}),
        json!({"type":"pane_swap","paneId":"p1","withPaneId":"p3"}),
        json!({"type":"tab_create","sessionId":"s1","name":"two"}),
        json!({"type":"pane_move","paneId":"p3","tabId":"t2"}),
        json!({"type":"pane_move","paneId":"p2"}),
        json!({"type":"tab_move","tabId":"t2","index":0}),
        json!({"type":"tab_rename","tabId":"t2","name":"logs"}),
        json!({"type":"tab_switch","tabId":"t1"}),
        json!({"type":"session_create"}),
        json!({"type":"session_rename","sessionId":"s2","name":"play"}),
        json!({"type":"tab_move","tabId":"t2","sessionId":"s2","index":9}),
        json!({"type":"pane_close","paneId":"p1"}),
        json!({"type":"tab_close","tabId":"t2"}),
        json!({"type":"session_destroy","sessionId":"s1"}),
    ];
    for (turn, operation) in operations.into_iter().enumerate() {
        // Everybody takes a turn.
        let mut actor = viewers.remove(turn % 4);
        let before = actor.mirror.revision;
        actor.ask(operation.clone());
        actor.until(&format!("{operation}"), |mirror| mirror.revision > before);
        // What its new pane does meanwhile is told as well.
        actor.until("live panes", |mirror| mirror.connected.values().all(|live| *live));
        actor.sync();
        for viewer in &mut viewers {
            viewer.until("live panes", |mirror| {
                mirror.revision >= actor.mirror.revision && mirror.connected.values().all(|live| *live)
            });
            agree(viewer, &mut actor);
        }
        viewers.insert(turn % 4, actor);
    }
    let mut newcomer = stage.viewer();
    agree(&mut newcomer, &mut viewers[0]);
}

#[test]
fn a_burst_of_changes_makes_few_updates_and_all_of_them_arrive() {
    let stage = Stage::with_script(CAT);
    let (mut actor, _) = stage.open();
    let mut witness = stage.viewer();
    witness.until("the layout", |mirror| mirror.tabs.len() == 1);
    let before = witness.mirror.layouts;
    for number in 0..1000 {
        actor.send(&json!({"type":"tab_rename","tabId":"t1","name":format!("name {number}")}));
    }
    for viewer in [&mut actor, &mut witness] {
        viewer.until("the last name", |mirror| mirror.tabs[0].name == "name 999");
    }
    let updates = witness.mirror.layouts - before;
    assert!(updates < 300, "{updates} updates for 1,000 changes");
}

#[test]
fn two_hundred_viewers_see_three_hundred_panes_change() {
    let stage = Stage::with_script(CAT);
    let mut actor = stage.viewer();
    let session = actor.ask(json!({"type":"session_create"})).session.unwrap();
    for _ in 1..300 {
        actor.ask(json!({"type":"tab_create","sessionId":session}));
    }
    actor.until("live panes", |mirror| mirror.connected.values().filter(|live| **live).count() == 300);
    let mut viewers: Vec<TestViewer> = (0..199).map(|_| stage.viewer()).collect();
    actor.ask(json!({"type":"tab_rename","tabId":"t300","name":"the last change"}));
    actor.until("the name", |mirror| mirror.tabs[299].name == "the last change");
    for viewer in &mut viewers {
        viewer
            .until("the name", |mirror| mirror.tabs.last().is_some_and(|tab| tab.name == "the last change"));
        agree(viewer, &mut actor);
    }
}

#[test]
fn focus_is_shared_unless_a_viewer_asks_for_a_view_of_its_own() {
    let stage = Stage::with_script(CAT);
    let (mut shared, first) = stage.open();
    let second = shared.split(first);
    let other = shared.ask(json!({"type":"tab_create","sessionId":"s1"}));
    let (tab_one, tab_two) = (shared.mirror.tabs[0].id, other.tab.unwrap());
    shared.ask(json!({"type":"tab_switch","tabId":tab_one}));
    shared.ask(json!({"type":"pane_focus","paneId":second}));
    shared.until("the focus", |mirror| mirror.active_tab == Some(tab_one) && mirror.tabs[0].focus == [1]);

    let mut second_shared = stage.viewer();
    let mut own = stage.viewer();
    own.ask(json!({"type":"connect","width":80,"height":24,"view":"own"}));
    own.until("its view", |mirror| mirror.view.as_ref().is_some_and(|view| view.0 == Some(tab_one)));

    // It moves alone.
    own.ask(json!({"type":"tab_switch","tabId":tab_two}));
    own.ask(json!({"type":"pane_focus","paneId":first}));
    own.until("its view", |mirror| {
        mirror.view.as_ref().is_some_and(|view| view.0 == Some(tab_one) && view.1[&tab_one] == first)
    });
    own.ask(json!({"type":"pane_focus","direction":"right"}));
    own.until("its view", |mirror| mirror.view.as_ref().is_some_and(|view| view.1[&tab_one] == second));
    let refused = own.request(json!({"type":"pane_focus","direction":"right"}));
    assert!(matches!(refused, ServerMessage::Error(error) if error.code == "no_neighbour"));
    own.ask(json!({"type":"pane_focus","paneId":first}));
    let made = own.ask(json!({"type":"tab_create","sessionId":"s1"}));
    own.until("its view", |mirror| mirror.view.as_ref().is_some_and(|view| view.0 == made.tab));
    for viewer in [&mut shared, &mut second_shared] {
        viewer.until("the tab", |mirror| mirror.tabs.len() == 3);
        viewer.sync();
        assert_eq!(viewer.mirror.active_tab, Some(tab_one));
        assert_eq!(viewer.mirror.tabs[0].focus, [1]);
        assert_eq!(viewer.mirror.view, None);
    }

    // The others move together, and without it.
    second_shared.ask(json!({"type":"tab_switch","tabId":tab_two}));
    shared.until("the switch", |mirror| mirror.active_tab == Some(tab_two));
    own.until("the switch", |mirror| mirror.active_tab == Some(tab_two));
    own.sync();
    assert_eq!(own.mirror.view.as_ref().unwrap().0, made.tab);

    // What it looked at goes, and it is told what it looks at now.
    shared.ask(json!({"type":"tab_close","tabId":made.tab}));
    own.until("another view", |mirror| mirror.view.as_ref().unwrap().0 == Some(tab_two));
}

// The cost of an update, without processes and sockets.

/// A host whose programs do nothing until the test ends them.
#[derive(Debug, Default)]
struct QuietHost {
    running: Arc<Mutex<Vec<Running>>>,
}

struct Running {
    generation: Generation,
    sink: Arc<dyn Sink>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.generation.fmt(f)
    }
}

#[derive(Debug)]
struct QuietTerminal;

impl Terminal for QuietTerminal {
    fn start(&self) {}
    fn write(&self, input: &[u8]) -> usize {
        input.len()
    }
    fn resize(&self, _: everpane::geometry::Size) {}
    fn kill(&self) {}
    fn interrupt(&self, _: u8) -> bool {
        false
    }
    fn reads_raw(&self) -> bool {
        true
    }
    fn cwd(&self) -> Option<PathBuf> {
        None
    }
    fn foreground(&self) -> Option<String> {
        None
    }
}

impl Host for QuietHost {
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning {
        self.running.lock().unwrap().push(Running { generation: request.generation, sink });
        Box::pin(async { Ok(Spawned { terminal: Arc::new(QuietTerminal), note: None }) })
    }
}

/// A viewer without a socket.
struct Seat {
    attached: Attached,
    framing: Framing,
    messages: mpsc::Receiver<Box<ServerMessage>>,
    updates: broadcast::Receiver<Arc<Update>>,
}

impl Seat {
    fn take(gateway: &Gateway, framing: Framing) -> Seat {
        let (attached, messages, updates) = gateway.attach(framing).unwrap();
        Seat { attached, framing, messages, updates }
    }

    fn ask(&mut self, message: Value) {
        self.attached.request(client::parse(message.to_string().as_bytes()).unwrap());
        while self.messages.try_recv().is_ok() {}
    }

    /// The next update, as JSON; none of those that came too fast.
    async fn next_update(&mut self) -> Value {
        loop {
            match tokio::time::timeout(PATIENCE, self.updates.recv()).await.expect("an update") {
                Ok(update) => return serde_json::from_str(&update.native()).unwrap(),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Takes all updates that are there, encoded as its socket would have them; how many.
    fn take_updates(&mut self) -> usize {
        let mut count = 0;
        loop {
            match self.updates.try_recv() {
                Ok(update) => {
                    match self.framing {
                        Framing::Native => _ = update.native(),
                        Framing::Compact => _ = update.compact(),
                    }
                    count += 1;
                }
                Err(TryRecvError::Lagged(_)) => {}
                Err(_) => return count,
            }
        }
    }
}

/// A gateway of 1,000 panes, all live, and what they run.
async fn thousand_panes() -> (Gateway, Arc<Mutex<Vec<Running>>>, Seat) {
    let host = QuietHost::default();
    let running = host.running.clone();
    let gateway = Gateway::with_host(Settings::default(), Some(LocalNode::new(Arc::new(host)))).unwrap();
    let mut seat = Seat::take(&gateway, Framing::Native);
    seat.ask(json!({"type":"session_create"}));
    for _ in 1..1000 {
        seat.ask(json!({"type":"tab_create","sessionId":"s1"}));
    }
    while running.lock().unwrap().len() < 1000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    until_connected(&mut seat, 1000, true).await;
    settle(&mut seat).await;
    (gateway, running, seat)
}

/// Waits for an update in which so many panes are all connected, or none of them is; how many came with it.
async fn until_connected(seat: &mut Seat, panes: usize, connected: bool) -> usize {
    let is_it = |told: &Value| {
        let all = told["connected"].as_object().unwrap();
        all.len() == panes && all.values().all(|live| *live == connected)
    };
    let mut count = 1;
    while !is_it(&seat.next_update().await) {
        count += 1;
    }
    count
}

/// Waits until no more updates come; how many came.
async fn settle(seat: &mut Seat) -> usize {
    let mut count = seat.take_updates();
    // An update of a large layout is followed by a rest of four times as long as it took.
    while let Ok(Ok(_) | Err(broadcast::error::RecvError::Lagged(_))) =
        tokio::time::timeout(Duration::from_millis(500), seat.updates.recv()).await
    {
        count += 1 + seat.take_updates();
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_costs_one_encode_for_two_hundred_viewers_of_a_thousand_panes() {
    let (gateway, _, mut actor) = thousand_panes().await;
    let mut seats: Vec<Seat> = (0..199).map(|_| Seat::take(&gateway, Framing::Native)).collect();
    for change in ["tab_rename", "session_rename"] {
        let before = gateway.update_encodes();
        actor.ask(json!({"type":change,"tabId":"t1","sessionId":"s1","name":change}));
        seats[0].next_update().await;
        assert_eq!(settle(&mut seats[0]).await, 0);
        actor.take_updates();
        for seat in &mut seats[1..] {
            assert_eq!(seat.take_updates(), 1);
        }
        assert_eq!(gateway.update_encodes() - before, 1, "{change}");
    }
    // And one more for the other framing, however many speak it.
    let mut compact: Vec<Seat> = (0..20).map(|_| Seat::take(&gateway, Framing::Compact)).collect();
    let before = gateway.update_encodes();
    actor.ask(json!({"type":"tab_rename","tabId":"t1","name":"again"}));
    actor.next_update().await;
    assert_eq!(settle(&mut actor).await, 0);
    for seat in seats.iter_mut().chain(&mut compact) {
        assert_eq!(seat.take_updates(), 1);
    }
    assert_eq!(gateway.update_encodes() - before, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_deaths_at_once_make_few_updates() {
    let (_gateway, running, mut seat) = thousand_panes().await;
    for Running { generation, sink } in running.lock().unwrap().drain(..) {
        sink.exited(generation, Exit::Signal("SIGKILL".to_owned()));
    }
    let count = until_connected(&mut seat, 1000, false).await + settle(&mut seat).await;
    assert!(count <= 10, "{count} updates");
}

// Output.

/// How much [`FLOOD`] prints for a line of input.
const ROUND: usize = 512 << 10;

/// For each number that it reads, prints lines of 64 bytes with it, up to [`ROUND`] bytes.
const FLOOD: &str = "stty -echo -opost\nprintf ready\n\
                     while read n; do yes \"$(printf %063d \"$n\")\" | head -c 524288; done\n";

/// What [`FLOOD`] prints for a round.
fn round(number: usize) -> Vec<u8> {
    format!("{number:063}\n").repeat(ROUND / 64).into_bytes()
}

/// A stage with [`FLOOD`] in its pane, and a viewer that has read its greeting.
fn flooding() -> (Stage, TestViewer, PaneId) {
    let stage = Stage::with_script(FLOOD);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    (stage, viewer, pane)
}

/// Lets the pane print one more round; gives the offset of its end.
fn print_round(viewer: &mut TestViewer, pane: PaneId, number: usize) -> u64 {
    let end = viewer.mirror.output[&pane].head() + ROUND as u64;
    viewer.type_in(pane, &format!("{number}\n"));
    viewer.until_has(pane, end);
    end
}

/// Two viewers have a pane's output up to the same offset and show the same screen.
fn assert_same_screen(late: &TestViewer, early: &TestViewer, pane: PaneId) {
    let (late, early) = (&late.mirror.output[&pane], &early.mirror.output[&pane]);
    assert_eq!((late.head(), late.size), (early.head(), early.size));
    let (late, early) = (late.screen().snapshot(0), early.screen().snapshot(0));
    assert_eq!(String::from_utf8_lossy(&late), String::from_utf8_lossy(&early));
}

#[test]
fn a_stalled_viewer_costs_the_others_nothing_and_is_brought_up_to_date() {
    // 16 MiB, many times what is kept of it.
    const ROUNDS: usize = 32;
    let (stage, mut first, pane) = flooding();
    first.watch_all(pane);
    let mut second = stage.viewer();
    second.watch_all(pane);
    let stream = stage.gateway.connect();
    // Small beside what it misses; much smaller ones make TCP itself crawl afterwards.
    set_socket_recv_buffer_size(&stream, 256 << 10).unwrap();
    let mut stalled = TestViewer::attach_over(stream, &stage.gateway);
    stalled.watch(pane);
    stalled.until_shows(pane, "ready");
    // The ring fills, so that only what grows beyond it is measured.
    for number in 0..4 {
        let end = print_round(&mut first, pane, number);
        second.until_has(pane, end);
    }
    let before = stage.process().resident_bytes();
    let mut peak = before;
    for number in 4..ROUNDS {
        let end = print_round(&mut first, pane, number);
        second.until_has(pane, end);
        peak = peak.max(stage.process().resident_bytes());
    }
    assert!(peak - before < 8 << 20, "grew by {} KiB", (peak - before) >> 10);
    for viewer in [&first, &second] {
        let text = &viewer.mirror.output[&pane].bytes;
        let text = &text[text.len() - ROUNDS * ROUND..];
        for number in 0..ROUNDS {
            assert!(text[number * ROUND..][..ROUND] == round(number), "round {number}");
        }
    }
    let seen = stalled.mirror.output[&pane].restarts;
    let end = first.mirror.output[&pane].head();
    stalled.until_has(pane, end);
    let output = &stalled.mirror.output[&pane];
    assert!(output.restarts > seen, "not minutes of stale output");
    assert_same_screen(&stalled, &first, pane);
    print_round(&mut first, pane, ROUNDS);
    stalled.until_has(pane, first.mirror.output[&pane].head());
    assert_same_screen(&stalled, &first, pane);
}

#[test]
fn a_newcomer_sees_the_screen_and_the_scrollback_it_asks_for() {
    let (stage, mut viewer, pane) = flooding();
    for number in 1..5 {
        print_round(&mut viewer, pane, number);
    }
    let head = viewer.mirror.output[&pane].head();
    let mut newcomer = stage.viewer();
    newcomer.watch(pane);
    newcomer.until("a snapshot", |mirror| mirror.restarts(pane) == 1);
    let output = &newcomer.mirror.output[&pane];
    assert_eq!((output.from, output.screen().history_rows()), (head, 0));
    assert!(output.snapshot.len() < 8 << 10, "{} bytes", output.snapshot.len());
    assert_same_screen(&newcomer, &viewer, pane);
    newcomer.watch_with_history(pane, 1000);
    newcomer.until("another", |mirror| mirror.restarts(pane) == 2);
    assert_eq!(newcomer.mirror.output[&pane].screen().history_rows(), 1000);
    assert_same_screen(&newcomer, &viewer, pane);
}

#[test]
fn who_resumes_gets_exactly_the_rest() {
    let (stage, mut viewer, pane) = flooding();
    let end = print_round(&mut viewer, pane, 1);
    let backs = [0, 1, 2, 4095, 4096, 4097, 65_535, 65_536, 65_537, 300_001, ROUND as u64];
    let mut resumed = backs.map(|back| {
        let mut resumed = stage.viewer();
        resumed.watch_all_from(pane, end - back);
        (back, resumed)
    });
    for (back, resumed) in &mut resumed {
        if *back > 0 {
            resumed.until_has(pane, end);
        }
    }
    let head = print_round(&mut viewer, pane, 2);
    for (back, resumed) in &mut resumed {
        resumed.until_has(pane, head);
        let output = &resumed.mirror.output[&pane];
        assert_eq!((output.from, output.restarts), (end - *back, 0));
        assert_eq!(output.missed, Some(0));
    }
}

#[test]
fn an_offset_that_is_gone_or_never_was_gets_a_snapshot() {
    let (stage, mut viewer, pane) = flooding();
    for number in 1..5 {
        print_round(&mut viewer, pane, number);
    }
    let head = viewer.mirror.output[&pane].head();
    for offset in [0, 7, head + 1, 1 << 50] {
        let mut resumed = stage.viewer();
        resumed.watch_from(pane, offset);
        resumed.until("a snapshot", |mirror| mirror.restarts(pane) == 1);
        let output = &resumed.mirror.output[&pane];
        assert_eq!((output.restarts, output.missed), (1, head.checked_sub(offset)), "from {offset}");
        assert_same_screen(&resumed, &viewer, pane);
    }
}

#[test]
fn cut_two_hundred_times_a_viewer_shows_what_an_uncut_one_does() {
    // Slow enough that the ring holds seconds of it.
    let count = "stty -echo -opost\ni=0\nwhile [ ! -e stop ]; do\n\
                 i=$((i+1)); echo $i; case $i in *00) sleep 0.001;; esac\ndone\nprintf stopped; exec cat\n";
    let stage = Stage::with_script(count);
    let (mut uncut, pane) = stage.open();
    uncut.until_has(pane, 1);
    // What its terminal was given over all its connections, and where that ends.
    let (mut stream, mut head, mut size) = (Vec::new(), None, (0, 0));
    for cut in 1..=200u64 {
        let mut resumed = stage.viewer();
        match head {
            None => resumed.watch(pane),
            Some(head) => resumed.watch_from(pane, head),
        }
        let wanted = head.unwrap_or(0) + cut * 37 % 5000 + 1;
        resumed.until(&format!("{pane} up to {wanted}"), |mirror| {
            let output = mirror.output.get(&pane);
            // One that gets a snapshot is told where output begins before it comes.
            output.is_some_and(|output| {
                output.head() >= wanted && (output.restarts > 0 || Some(output.from) == head)
            })
        });
        let output = &resumed.mirror.output[&pane];
        if output.restarts > 0 {
            (stream, size) = (output.stream(), output.size);
        } else {
            assert_eq!(Some(output.from), head);
            stream.extend_from_slice(&output.bytes);
        }
        head = Some(output.head());
    }
    std::fs::write(stage.path("home/stop"), "").unwrap();
    let mut last = stage.viewer();
    last.watch_from(pane, head.unwrap());
    last.until_shows(pane, "stopped");
    let output = &last.mirror.output[&pane];
    if output.restarts > 0 {
        (stream, size) = (Vec::new(), output.size);
    }
    stream.extend_from_slice(&output.stream());
    uncut.until_shows(pane, "stopped");
    assert_eq!(size, uncut.mirror.output[&pane].size);
    let mut cut = uncut.mirror.output[&pane].blank_screen();
    cut.feed(&stream);
    let uncut = uncut.mirror.output[&pane].screen();
    assert_eq!(cut.text(), uncut.text());
    assert_eq!(cut.snapshot(0), uncut.snapshot(0));
}

#[test]
fn a_layout_of_any_size_reaches_its_viewers() {
    let stage = Stage::with_script("exec cat\n");
    let (mut viewer, first) = stage.open();
    // A name may have 256 characters, of up to four bytes each.
    let name = "\u{1f980}".repeat(256);
    let mut panes = vec![first];
    for _ in 0..100 {
        let made = viewer.ask(json!({ "type": "tab_create", "sessionId": "s1", "name": name }));
        panes.extend(made.pane);
    }
    for _ in 0..100 {
        panes.push(viewer.split(panes[panes.len() - 1]));
    }
    for pane in &panes {
        viewer.ask(json!({ "type": "pane_rename", "paneId": pane, "name": name }));
    }
    let mut late = stage.viewer();
    late.until("every name", |mirror| {
        panes.iter().all(|pane| mirror.panes.get(pane).is_some_and(|info| info.name.as_ref() == Some(&name)))
    });
    late.sync();
    viewer.sync();
}
