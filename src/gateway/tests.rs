//! Tests of the hub against a host that is only pretended; see [`host`].

mod history;
mod host;
mod judge;
mod keeping;
mod lossless;
mod nodes;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{sleep, timeout};

use self::host::{Condition, HostStep, Pretending, Start};
use super::viewer::Wanted;
use super::{Attached, Framing, Gateway, LocalNode, Settings, Update};
use crate::geometry::Size;
use crate::ids::PaneId;
use crate::protocol::client;
use crate::protocol::frame::{Channel, InputFrame, InputKind};
use crate::protocol::server::{ErrorMessage, LayoutUpdate, ServerMessage};

/// How long anything may take to come about.
const SOON: Duration = Duration::from_secs(20);

// Viewers.

impl Gateway {
    /// Saves what is true now. Nothing is saved after that.
    fn flush(&self) {
        let store = self.store.lock().unwrap().take();
        if let Some(store) = store {
            store.flush(SOON).unwrap();
        }
    }
}

struct Watching {
    attached: Attached,
    messages: mpsc::Receiver<Box<ServerMessage>>,
    updates: broadcast::Receiver<Arc<Update>>,
    /// Refusals, in order.
    errors: Vec<ErrorMessage>,
    /// The newest layout it was told.
    layout: Option<LayoutUpdate>,
}

impl Watching {
    fn attach(gateway: &Gateway) -> Watching {
        let (attached, messages, updates) = gateway.attach(Framing::Native).unwrap();
        Watching { attached, messages, updates, errors: Vec::new(), layout: None }
    }

    /// Asks for something. The pane that it made, if it was done and made one.
    fn ask(&mut self, mut message: Value) -> Option<PaneId> {
        message["requestId"] = json!(1);
        self.attached.request(client::parse(message.to_string().as_bytes()).unwrap());
        self.listen()
    }

    /// Takes in what was said to it alone. The pane of the last answer.
    fn listen(&mut self) -> Option<PaneId> {
        let mut made = None;
        while let Ok(message) = self.messages.try_recv() {
            match *message {
                ServerMessage::Ok { pane_id, .. } => made = pane_id,
                ServerMessage::Error(error) => self.errors.push(error),
                _ => {}
            }
        }
        made
    }

    /// Takes in what was said to all.
    fn follow(&mut self) {
        while let Ok(update) = self.updates.try_recv() {
            match serde_json::from_str(&update.native()).unwrap() {
                ServerMessage::State(state) => self.layout = Some(state.layout),
                ServerMessage::LayoutUpdate(layout) => self.layout = Some(layout),
                _ => {}
            }
        }
    }

    /// Types without a number. Whether a pane has that channel.
    fn type_into(&mut self, channel: Channel, bytes: &[u8]) -> bool {
        let payload = bytes.to_vec().into();
        self.attached.input(&InputFrame {
            kind: InputKind::Input,
            channel,
            number: None,
            more: false,
            payload,
        });
        self.listen();
        !self.errors.iter().any(|error| error.code == "unknown_channel")
    }

    /// How many bytes of a pane's input it was told were not delivered, or not taken.
    fn given_back(&mut self, pane: PaneId) -> usize {
        self.listen();
        let of_pane = self.errors.iter().filter(|error| error.pane_id == Some(pane));
        of_pane.filter_map(|error| error.bytes).sum()
    }
}

// The stage.

fn settings() -> Settings {
    let mut settings = Settings { coalesce: Duration::from_millis(1), ..Settings::default() };
    settings.pane.ring_bytes = 1 << 10;
    settings.pane.respawn.first_backoff = Duration::from_millis(1);
    settings
}

struct Stage {
    host: Pretending,
    gateway: Gateway,
    viewer: Watching,
    first: PaneId,
}

impl Stage {
    /// A gateway with one viewer and one pane, whose start is under way.
    async fn open(settings: Settings) -> Stage {
        let host = Pretending::default();
        let gateway = Gateway::with_host(settings, Some(LocalNode::new(Arc::new(host.clone())))).unwrap();
        let mut viewer = Watching::attach(&gateway);
        let first = viewer.ask(json!({ "type": "session_create" })).unwrap();
        let stage = Stage { host, gateway, viewer, first };
        stage.starts(1).await;
        stage
    }

    /// The same, with the program running.
    async fn running(settings: Settings) -> Stage {
        let stage = Stage::open(settings).await;
        stage.host.come_up(0, usize::MAX);
        eventually(|| stage.live(stage.first)).await;
        stage
    }

    /// Waits until the host was asked for so many starts.
    async fn starts(&self, count: usize) {
        eventually(|| self.host.count() >= count).await;
    }

    fn split(&mut self, pane: PaneId) -> PaneId {
        self.viewer.ask(json!({ "type": "pane_split", "paneId": pane, "orientation": "vertical" })).unwrap()
    }

    fn close(&mut self, pane: PaneId) {
        self.viewer.ask(json!({ "type": "pane_close", "paneId": pane }));
    }

    /// Closes one of the panes that are open, but not the last one.
    fn close_one(&mut self, open: &mut Vec<PaneId>, index: usize) {
        if let Some(pane) = pick(open, index).filter(|_| open.len() > 1) {
            open.retain(|other| *other != pane);
            self.close(pane);
        }
    }

    fn live(&self, pane: PaneId) -> bool {
        self.gateway.hub.terminals.contains_key(&pane)
    }

    fn channel(&self, pane: PaneId) -> Channel {
        self.gateway.hub.slot(pane).unwrap().channel
    }

    fn pending(&self, pane: PaneId) -> usize {
        self.gateway.hub.slot(pane).map_or(0, |slot| slot.lock().pane.pending())
    }
}

async fn eventually(condition: impl FnMut() -> bool) {
    assert!(comes_true(condition).await, "it did not come about");
}

async fn comes_true(mut condition: impl FnMut() -> bool) -> bool {
    let waiting = async {
        while !condition() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(SOON, waiting).await.is_ok()
}

/// Lets every task go as far as it gets.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

// What must not stay behind.

#[tokio::test]
async fn a_viewer_that_leaves_with_output_unread_takes_nothing_with_it() {
    let mut stage = Stage::running(settings()).await;
    let (pane, slot) = (stage.first, stage.gateway.hub.slot(stage.first).unwrap());
    stage.viewer.ask(json!({ "type": "pane_watch", "panes": [{ "paneId": pane }] }));
    stage.host.print(0, b"unread");
    let other = Watching::attach(&stage.gateway);
    let gone = Arc::downgrade(&stage.viewer.attached.viewer);
    stage.viewer = other;
    assert!(gone.upgrade().is_none(), "what was ready for it keeps it");
    stage.close(pane);
    stage.host.end(0);
    stage.host.let_go(0);
    let kept = Arc::downgrade(&slot);
    drop(slot);
    assert!(kept.upgrade().is_none(), "something keeps the closed pane and its output");
}

#[tokio::test]
async fn a_watch_that_comes_too_late_does_not_keep_a_closed_pane() {
    let mut stage = Stage::running(settings()).await;
    let slot = stage.gateway.hub.slot(stage.first).unwrap();
    stage.close(stage.first);
    // As when the pane is closed just after it was looked up.
    let viewer = stage.viewer.attached.viewer.clone();
    stage.gateway.hub.watch_pane(&viewer, &slot, Wanted::default());
    stage.host.end(0);
    stage.host.let_go(0);
    let kept = Arc::downgrade(&slot);
    drop(slot);
    assert!(kept.upgrade().is_none(), "the watch keeps it");
}

#[tokio::test]
async fn watching_over_and_over_piles_nothing_up() {
    let mut stage = Stage::running(settings()).await;
    let slot = stage.gateway.hub.slot(stage.first).unwrap();
    let before = Arc::strong_count(&slot);
    for _ in 0..500 {
        stage.viewer.ask(json!({ "type": "pane_watch", "panes": [{ "paneId": stage.first }] }));
        stage.viewer.ask(json!({ "type": "pane_unwatch", "paneIds": [stage.first] }));
    }
    assert!(Arc::strong_count(&slot) < before + 50, "a viewer that does not read queues its old watches");
}

// Starts, closes and the end.

#[tokio::test]
async fn a_pane_closed_during_its_start_has_its_program_killed() {
    let mut stage = Stage::open(settings()).await;
    stage.close(stage.first);
    stage.host.come_up(0, 0);
    eventually(|| stage.host.with(0, |terminal| terminal.killed)).await;
    assert!(!stage.live(stage.first));
}

#[tokio::test]
async fn a_pane_closed_before_its_turn_is_not_started_at_all() {
    let mut stage = Stage::open(Settings { max_spawns: 1, ..settings() }).await;
    let waits = stage.split(stage.first);
    stage.close(waits);
    let next = stage.split(stage.first);
    stage.host.come_up(0, 0);
    stage.starts(2).await;
    stage.host.come_up(1, 0);
    eventually(|| stage.live(next)).await;
    assert_eq!(stage.host.count(), 2);
}

#[tokio::test]
async fn a_shutdown_ends_what_comes_up_meanwhile_and_waits_for_it() {
    let stage = Stage::open(settings()).await;
    let gateway = stage.gateway.clone();
    let shutdown = tokio::spawn(async move { gateway.shutdown().await });
    stage.gateway.shutting_down().await;
    stage.host.come_up(0, 0);
    eventually(|| stage.host.with(0, |terminal| terminal.killed)).await;
    settle().await;
    assert!(!shutdown.is_finished(), "its program has not ended yet");
    stage.host.end(0);
    stage.host.let_go(0);
    timeout(SOON, shutdown).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_shutdown_waits_for_the_programs_of_closed_panes() {
    let mut stage = Stage::running(settings()).await;
    stage.close(stage.first);
    let gateway = stage.gateway.clone();
    let shutdown = tokio::spawn(async move { gateway.shutdown().await });
    stage.gateway.shutting_down().await;
    settle().await;
    assert!(!shutdown.is_finished(), "its program has not ended yet");
    stage.host.end(0);
    stage.host.let_go(0);
    timeout(SOON, shutdown).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_shutdown_closes_no_pane() {
    let mut stage = Stage::running(settings()).await;
    stage.viewer.ask(json!({ "type": "pane_set", "paneId": stage.first, "closeOnExit": true }));
    let gateway = stage.gateway.clone();
    let shutdown = tokio::spawn(async move { gateway.shutdown().await });
    stage.gateway.shutting_down().await;
    stage.host.end(0);
    stage.host.let_go(0);
    timeout(SOON, shutdown).await.unwrap().unwrap();
    assert!(stage.gateway.hub.slot(stage.first).is_some(), "it is to be there after the restart");
}

#[tokio::test]
async fn a_closed_pane_gives_back_what_was_held_for_it() {
    let mut stage = Stage::open(settings()).await;
    let channel = stage.channel(stage.first);
    assert!(stage.viewer.type_into(channel, b"held"));
    let slot = stage.gateway.hub.slot(stage.first).unwrap();
    stage.close(stage.first);
    assert_eq!(stage.viewer.given_back(stage.first), 4);
    // As when the pane is closed just after its channel was looked up.
    stage.gateway.hub.by_channel.insert(channel, slot);
    assert!(!stage.viewer.type_into(channel, b"late"));
}

#[tokio::test]
async fn what_was_given_back_over_a_dead_connection_is_told_again_until_it_was_heard() {
    let mut stage = Stage::open(settings()).await;
    let speak = || {
        let mut watching = Watching::attach(&stage.gateway);
        watching.ask(json!({ "type": "resume", "client": "a-client-of-the-tests" }));
        watching
    };
    // What was given back, by its count and in bytes.
    let told = |watching: &mut Watching| {
        watching.listen();
        let counted = |error: &ErrorMessage| Some((error.given_back?, error.bytes?));
        watching.errors.drain(..).filter_map(|error| counted(&error)).collect::<Vec<_>>()
    };
    let channel = stage.channel(stage.first);
    let mut dead = speak();
    assert!(dead.type_into(channel, b"held"));
    stage.viewer.ask(json!({ "type": "pane_discard", "paneId": stage.first }));
    // It is written to a connection that is dead, and nobody has noticed yet.
    assert_eq!(told(&mut dead), [(1, 4)]);
    let mut second = speak();
    assert_eq!(told(&mut second), [(1, 4)]);
    assert_eq!((dead.attached.told(), second.attached.told()), (0, 1));
    assert!(second.type_into(channel, b"more"));
    second.attached.heard(second.attached.told());
    stage.viewer.ask(json!({ "type": "pane_discard", "paneId": stage.first }));
    drop((dead, second));
    let mut third = speak();
    assert_eq!(told(&mut third), [(2, 4)], "what the second one answered for is over");
    third.attached.heard(third.attached.told());
    drop(third);
    assert_eq!(told(&mut speak()), []);
}

#[tokio::test]
async fn a_broken_pane_does_not_stop_the_alarms_of_others() {
    let mut stage = Stage::open(settings()).await;
    let other = stage.split(stage.first);
    stage.starts(2).await;
    for (index, pane) in [stage.first, other].into_iter().enumerate() {
        let channel = stage.channel(pane);
        assert!(stage.viewer.type_into(channel, b"held"));
        stage.host.come_up(index, usize::MAX);
        stage.host.with(index, |terminal| terminal.broken = index == 0);
    }
    eventually(|| stage.host.with(1, |terminal| terminal.written == b"held")).await;
}

// Any history.

#[derive(Debug, Clone)]
enum Step {
    /// By one of two viewers that stay.
    Type {
        by_second: bool,
        pane: usize,
        length: usize,
    },
    Host(HostStep),
    Split {
        pane: usize,
    },
    Close {
        pane: usize,
    },
    Respawn {
        pane: usize,
    },
    Discard {
        pane: usize,
    },
    Attach,
    Detach {
        viewer: usize,
    },
    Watch {
        viewer: usize,
        pane: usize,
    },
    Pull {
        viewer: usize,
    },
    /// What was set off runs; without it, steps follow each other at once.
    Settle,
}

/// Numbers choose among what there is, counted round.
fn step() -> impl Strategy<Value = Step> {
    let number = any::<usize>;
    prop_oneof![
        8 => (any::<bool>(), number(), 1usize..20)
            .prop_map(|(by_second, pane, length)| Step::Type { by_second, pane, length }),
        6 => (number(), prop_oneof![1 => 0usize..30, 2 => Just(1000)])
            .prop_map(|(start, room)| Step::Host(HostStep::ComeUp { start, room })),
        2 => number().prop_map(|start| Step::Host(HostStep::Fail { start })),
        3 => number().prop_map(|start| Step::Host(HostStep::Print { start })),
        2 => (number(), 0usize..30).prop_map(|(start, room)| Step::Host(HostStep::MakeRoom { start, room })),
        4 => number().prop_map(|start| Step::Host(HostStep::End { start })),
        2 => number().prop_map(|pane| Step::Split { pane }),
        2 => number().prop_map(|pane| Step::Close { pane }),
        2 => number().prop_map(|pane| Step::Respawn { pane }),
        1 => number().prop_map(|pane| Step::Discard { pane }),
        1 => Just(Step::Attach),
        1 => number().prop_map(|viewer| Step::Detach { viewer }),
        2 => (number(), number()).prop_map(|(viewer, pane)| Step::Watch { viewer, pane }),
        2 => number().prop_map(|viewer| Step::Pull { viewer }),
        6 => Just(Step::Settle),
    ]
}

fn pick<T: Clone>(items: &[T], index: usize) -> Option<T> {
    items.get(index.checked_rem(items.len())?).cloned()
}

/// A gateway under test, and what must be true of it in the plainest form.
struct Play {
    stage: Stage,
    second: Watching,
    /// Viewers that look, come and go, and never type.
    others: Vec<Watching>,
    /// Those that are open.
    panes: Vec<PaneId>,
    /// How many bytes each pane ever took in, also closed ones.
    typed: BTreeMap<PaneId, usize>,
}

impl Play {
    async fn begin() -> Play {
        let stage = Stage::open(settings()).await;
        let second = Watching::attach(&stage.gateway);
        let first = stage.first;
        Play { stage, second, others: Vec::new(), panes: vec![first], typed: [(first, 0)].into() }
    }

    /// The pane that a start is for. Each pane has a width of its own.
    fn pane_of(start: &Start) -> PaneId {
        // The first was made without anybody knowing a size.
        let width = u64::from(start.request.size.cols);
        if width == u64::from(Size::DEFAULT.cols) { PaneId(1) } else { PaneId(width - FIRST_WIDTH) }
    }

    fn split(&mut self, pane: PaneId) {
        // The layout counts panes from 1, each once.
        let expected = self.typed.keys().next_back().map_or(1, |last| last.0 + 1);
        let cols = FIRST_WIDTH + expected;
        let split = json!({
            "type": "pane_split", "paneId": pane, "orientation": "vertical", "cols": cols, "rows": 24,
        });
        let made = self.stage.viewer.ask(split).unwrap();
        assert_eq!(made, PaneId(expected));
        self.panes.push(made);
        self.typed.insert(made, 0);
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Type { by_second, pane, length } => self.type_into(by_second, pane, length),
            Step::Host(step) => step.take(&self.stage.host),
            Step::Split { pane } => {
                if let Some(pane) = pick(&self.panes, pane).filter(|_| self.panes.len() < 6) {
                    self.split(pane);
                }
            }
            Step::Close { pane } => self.stage.close_one(&mut self.panes, pane),
            Step::Respawn { pane } => self.ask_about(pane, "pane_respawn"),
            Step::Discard { pane } => self.ask_about(pane, "pane_discard"),
            Step::Attach => self.others.push(Watching::attach(&self.stage.gateway)),
            Step::Detach { viewer } => {
                if let Some(index) = viewer.checked_rem(self.others.len()) {
                    drop(self.others.remove(index));
                }
            }
            Step::Watch { viewer, pane } => {
                let count = self.others.len();
                if let (Some(index), Some(pane)) = (viewer.checked_rem(count), pick(&self.panes, pane)) {
                    self.others[index].ask(json!({ "type": "pane_watch", "panes": [{ "paneId": pane }] }));
                }
            }
            Step::Pull { viewer } => {
                if let Some(index) = viewer.checked_rem(self.others.len()) {
                    let _ = self.others[index].attached.viewer.pull();
                }
            }
            Step::Settle => settle().await,
        }
    }

    fn ask_about(&mut self, pane: usize, what: &str) {
        if let Some(pane) = pick(&self.panes, pane) {
            // Refused for a pane that is connected.
            self.stage.viewer.ask(json!({ "type": what, "paneId": pane }));
            self.stage.viewer.errors.retain(|error| error.code != "pane_connected");
        }
    }

    fn type_into(&mut self, by_second: bool, pane: usize, length: usize) {
        let Some(pane) = pick(&self.panes, pane) else { return };
        let channel = self.stage.channel(pane);
        let typist = if by_second { &mut self.second } else { &mut self.stage.viewer };
        assert!(typist.type_into(channel, &vec![b'x'; length]));
        *self.typed.entry(pane).or_default() += length;
    }

    /// What is true whatever is under way.
    fn check(&mut self) {
        let mut live: BTreeMap<PaneId, usize> = BTreeMap::new();
        let mut written: BTreeMap<PaneId, usize> = BTreeMap::new();
        for start in self.stage.host.lock().iter() {
            let (pane, Some(terminal)) = (Play::pane_of(start), &start.terminal) else { continue };
            let condition = terminal.lock();
            *live.entry(pane).or_default() += usize::from(!condition.ended && !condition.killed);
            *written.entry(pane).or_default() += condition.written.len();
        }
        assert!(live.values().all(|count| *count <= 1), "two live terminals of one pane: {live:?}");
        for (pane, typed) in self.typed.clone() {
            let given_back = self.stage.viewer.given_back(pane) + self.second.given_back(pane);
            let delivered = written.get(&pane).copied().unwrap_or_default();
            assert_eq!(typed, delivered + self.stage.pending(pane) + given_back, "bytes of {pane}");
        }
    }

    /// Whether what runs is what the gateway has, and what it said.
    fn is_settled(&mut self) -> bool {
        let starts = self.stage.host.lock();
        let alive = starts.iter().filter(|start| {
            start.terminal.as_ref().is_some_and(|terminal| {
                let condition = terminal.lock();
                !condition.ended && !condition.killed
            })
        });
        let alive: BTreeSet<PaneId> = alive.map(Play::pane_of).collect();
        drop(starts);
        let known: BTreeSet<PaneId> =
            self.stage.gateway.hub.terminals.iter().map(|live| *live.key()).collect();
        let expected: BTreeMap<PaneId, bool> =
            self.panes.iter().map(|pane| (*pane, alive.contains(pane))).collect();
        self.stage.viewer.follow();
        let told = self.stage.viewer.layout.as_ref().map(|layout| &layout.connected);
        alive == known && told == Some(&expected)
    }

    /// Everything ends, and nothing stays behind.
    async fn end(mut self) {
        let viewers: Vec<_> =
            self.others.iter().map(|viewer| Arc::downgrade(&viewer.attached.viewer)).collect();
        self.others.clear();
        let slots: Vec<_> = self.stage.gateway.hub.slots().iter().map(Arc::downgrade).collect();
        let session = self.stage.gateway.hub.state().sessions[0].id;
        self.stage.viewer.ask(json!({ "type": "session_destroy", "sessionId": session }));
        for index in 0..self.stage.host.count() {
            self.stage.host.come_up(index, 0);
        }
        settle().await;
        for index in 0..self.stage.host.count() {
            let killed = |terminal: &mut Condition| terminal.ended || terminal.killed;
            assert!(self.stage.host.terminal(index).is_none() || self.stage.host.with(index, killed));
            self.stage.host.end(index);
            self.stage.host.let_go(index);
        }
        self.check();
        assert!(self.stage.gateway.hub.terminals.is_empty());
        assert!(viewers.iter().all(|viewer| viewer.upgrade().is_none()), "a viewer that left is kept");
        assert!(slots.iter().all(|slot| slot.upgrade().is_none()), "a closed pane is kept");
    }
}

/// What a pane's id is added to for its width.
const FIRST_WIDTH: u64 = 100;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// The terminals map is what runs, which is what viewers are told; a pane has one terminal at most; every byte
    /// taken is written, waits, or was given back; and what is closed or has left is gone.
    #[test]
    fn any_history_leaves_what_is_told_true(steps in proptest::collection::vec(step(), 1..100)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut play = Play::begin().await;
            for step in steps {
                play.take(step).await;
                play.check();
            }
            eventually(|| play.is_settled()).await;
            play.end().await;
        });
    }
}

// Real programs.

/// How many processes have `variable` in their environment.
fn processes_with(variable: &str) -> usize {
    let has = |process: &std::fs::DirEntry| {
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|known| known == variable.as_bytes())
    };
    std::fs::read_dir("/proc").unwrap().flatten().filter(has).count()
}

#[test]
fn a_shutdown_during_a_start_leaves_no_process() {
    let marker = format!("EVERPANE_TEST_MARKER={}", std::process::id());
    for pause in [0, 1, 4] {
        let (name, value) = marker.split_once('=').unwrap();
        // Hears no hang-up: who leaves it to the kernel leaves it behind.
        let script = "trap '' HUP; while :; do sleep 1000; done";
        let settings = Settings {
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            environment: vec![
                (name.to_owned(), value.to_owned()),
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ],
            ..settings()
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let gateway = Gateway::start(settings).unwrap();
            let mut viewer = Watching::attach(&gateway);
            viewer.ask(json!({ "type": "session_create" })).unwrap();
            sleep(Duration::from_micros(500 * pause)).await;
            gateway.shutdown().await;
            // What was killed takes a moment to be gone.
            let gone = comes_true(|| processes_with(&marker) == 0).await;
            assert!(gone, "after {pause} half milliseconds");
        });
    }
}
