//! Thousands of random runs of clients that type, lose their connections and come back, while terminals come and go.
//! Each client notes what it was told of its input; afterwards all of it is judged.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::future::try_join_all;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::host::HostStep;
use super::judge::{History, Op, Outcome};
use super::{FIRST_WIDTH, Play, Stage, Watching, pick, settings, settle};
use crate::gateway::Settings;
use crate::ids::PaneId;
use crate::protocol::client;
use crate::protocol::frame::{Channel, InputFrame, InputKind};
use crate::protocol::server::{ErrorMessage, ServerMessage};

/// How many clients there are.
const CLIENTS: usize = 3;

/// The byte of the first frame. The next one's is the next; none of them is a control character.
const FIRST_MARK: u8 = 0x20;

/// How many bytes a pane holds: little, so that much is refused.
const HELD_BYTES: usize = 60;

/// After so many rounds everything that can be delivered is.
const ROUNDS: usize = 300;

#[derive(Debug, Clone)]
enum Step {
    Type {
        client: usize,
        pane: usize,
        length: usize,
    },
    Paste {
        client: usize,
        pane: usize,
        lengths: Vec<usize>,
    },
    /// Frames that are on their way arrive.
    Arrive {
        client: usize,
        count: usize,
    },
    /// Frames arrive over a connection that the client has given up.
    ArriveLate {
        client: usize,
        count: usize,
    },
    /// The client reads what it was told.
    Hear {
        client: usize,
    },
    /// A client hears, and answers a ping.
    Pong {
        client: usize,
    },
    /// The connection breaks; the gateway does not know yet.
    Cut {
        client: usize,
    },
    /// The gateway notices.
    Notice {
        client: usize,
    },
    Reconnect {
        client: usize,
        hears: bool,
    },
    Host(HostStep),
    Split,
    Close {
        pane: usize,
    },
    Respawn {
        pane: usize,
    },
    Discard {
        pane: usize,
    },
    Settle,
    /// Time goes by, so that what is held grows too old.
    Sleep,
}

fn step() -> impl Strategy<Value = Step> {
    let number = any::<usize>;
    let client = || 0..CLIENTS;
    let lengths = proptest::collection::vec(1usize..20, 2..5);
    prop_oneof![
        12 => (client(), number(), 1usize..12)
            .prop_map(|(client, pane, length)| Step::Type { client, pane, length }),
        3 => (client(), number(), lengths)
            .prop_map(|(client, pane, lengths)| Step::Paste { client, pane, lengths }),
        16 => (client(), 1usize..5).prop_map(|(client, count)| Step::Arrive { client, count }),
        5 => (client(), 1usize..4).prop_map(|(client, count)| Step::ArriveLate { client, count }),
        8 => client().prop_map(|client| Step::Hear { client }),
        3 => client().prop_map(|client| Step::Pong { client }),
        6 => client().prop_map(|client| Step::Cut { client }),
        3 => client().prop_map(|client| Step::Notice { client }),
        9 => (client(), any::<bool>()).prop_map(|(client, hears)| Step::Reconnect { client, hears }),
        6 => (number(), prop_oneof![2 => 0usize..30, 1 => Just(1000)])
            .prop_map(|(start, room)| Step::Host(HostStep::ComeUp { start, room })),
        2 => number().prop_map(|start| Step::Host(HostStep::Fail { start })),
        2 => number().prop_map(|start| Step::Host(HostStep::Print { start })),
        4 => (number(), 0usize..30).prop_map(|(start, room)| Step::Host(HostStep::MakeRoom { start, room })),
        3 => number().prop_map(|start| Step::Host(HostStep::End { start })),
        1 => Just(Step::Split),
        1 => number().prop_map(|pane| Step::Close { pane }),
        2 => number().prop_map(|pane| Step::Respawn { pane }),
        1 => number().prop_map(|pane| Step::Discard { pane }),
        6 => Just(Step::Settle),
        1 => Just(Step::Sleep),
    ]
}

/// Input that is to be sent.
#[derive(Debug, Clone)]
struct Piece {
    pane: PaneId,
    length: usize,
    paste: Option<usize>,
    more: bool,
}

/// A frame that was sent and not answered.
#[derive(Debug, Clone)]
struct Sent {
    number: u64,
    op: usize,
    piece: Piece,
}

/// A connection, and what is on its way to the gateway.
struct Link {
    watching: Watching,
    wire: VecDeque<InputFrame>,
    /// Whether the gateway has said how far it knows the client's input.
    resumed: bool,
}

/// A client as the protocol wants it.
struct Typist {
    name: String,
    link: Option<Link>,
    /// Connections that it gave up, and the gateway has not.
    old: Vec<Link>,
    /// The memory that it counts its input under.
    memory: Option<u64>,
    next: u64,
    /// The count of the newest giving back that it heard of.
    given_back: u64,
    queue: VecDeque<Piece>,
    sent: VecDeque<Sent>,
    /// One that does not keep to the protocol gives what it sends again a new number.
    careless: bool,
}

impl Typist {
    /// Whether the first piece that waits may be sent: of a paste, only when nothing of the pane is unanswered, since
    /// it may have to be sent again.
    fn may_send(&self) -> bool {
        let Some(piece) = self.queue.front() else { return false };
        let mut unanswered = self.sent.iter().filter(|sent| sent.piece.pane == piece.pane);
        self.link.as_ref().is_some_and(|link| link.resumed)
            && unanswered.all(|sent| sent.piece.paste.is_none() && piece.paste.is_none())
    }
}

struct Run {
    stage: Stage,
    typists: Vec<Typist>,
    panes: Vec<PaneId>,
    /// How many panes there ever were.
    born: u64,
    pastes: usize,
    history: History,
}

impl Run {
    async fn begin(kind: Kind) -> Run {
        // Nobody looks at the layout, which would be most of the work.
        let mut settings = Settings { coalesce: Duration::from_secs(60), ..settings() };
        settings.pane.input.bytes = HELD_BYTES;
        if kind.expires {
            settings.pane.input.age = Duration::from_millis(1);
        }
        if kind.forgets {
            settings = Settings { resume_within: Duration::ZERO, ..settings };
        }
        let stage = Stage::open(settings).await;
        let typist = |index| Typist {
            name: format!("client-number-{index:04}"),
            link: None,
            old: Vec::new(),
            memory: None,
            next: 1,
            given_back: 0,
            queue: VecDeque::new(),
            sent: VecDeque::new(),
            careless: kind.careless,
        };
        let typists = (0..CLIENTS).map(typist).collect();
        let history = History { forgetful: kind.forgets, ..History::default() };
        let panes = vec![stage.first];
        let mut run = Run { stage, typists, panes, born: 1, pastes: 0, history };
        run.split();
        (0..CLIENTS).for_each(|client| run.reconnect(client, true));
        run
    }

    /// Makes a pane of a width that tells which one it is.
    fn split(&mut self) {
        self.born += 1;
        let cols = FIRST_WIDTH + self.born;
        let split = json!({
            "type": "pane_split", "paneId": self.panes[0], "orientation": "vertical", "cols": cols, "rows": 24,
        });
        let made = self.stage.viewer.ask(split).unwrap();
        assert_eq!(made, PaneId(self.born));
        self.panes.push(made);
    }

    fn channel(&self, pane: PaneId) -> Channel {
        // A pane that is gone has none; whose channel it was may be another's by now.
        self.stage.gateway.hub.slot(pane).map_or(Channel(u32::MAX), |slot| slot.channel)
    }

    // Typing.

    fn frame(&self, sent: &Sent) -> InputFrame {
        let Op { mark, length, .. } = self.history.ops[sent.op];
        InputFrame {
            kind: InputKind::Input,
            channel: self.channel(sent.piece.pane),
            number: Some(sent.number),
            more: sent.piece.more,
            payload: vec![mark; length].into(),
        }
    }

    /// Sends what may be sent.
    fn pump(&mut self, client: usize) {
        let marks = usize::from(u8::MAX - FIRST_MARK);
        while self.typists[client].may_send() && self.history.ops.len() < marks {
            let typist = &mut self.typists[client];
            let piece = typist.queue.pop_front().expect("one may be sent");
            let sent = Sent { number: typist.next, op: self.history.ops.len(), piece };
            typist.next += 1;
            let Piece { pane, length, paste, .. } = sent.piece;
            let mark = FIRST_MARK + u8::try_from(sent.op).expect("fewer than there are marks");
            self.history.ops.push(Op { client, pane, mark, length, paste, outcome: Outcome::Open });
            let frame = self.frame(&sent);
            let typist = &mut self.typists[client];
            typist.sent.push_back(sent);
            typist.link.as_mut().expect("it may send").wire.push_back(frame);
        }
    }

    fn paste(&mut self, client: usize, pane: PaneId, lengths: &[usize]) {
        self.pastes += 1;
        let paste = Some(self.pastes);
        let pieces = lengths.iter().enumerate().map(|(index, length)| {
            let more = index + 1 < lengths.len();
            Piece { pane, length: *length, paste, more }
        });
        self.typists[client].queue.extend(pieces);
        self.pump(client);
    }

    // What clients are told.

    fn hear(&mut self, client: usize) {
        let Some(link) = &mut self.typists[client].link else { return };
        // In the order in which a connection's writer sends it.
        let acknowledged = link.watching.attached.viewer.acknowledgement();
        let messages: Vec<_> = std::iter::from_fn(|| link.watching.messages.try_recv().ok()).collect();
        for message in messages {
            match *message {
                ServerMessage::Error(error) => self.refused(client, &error),
                ServerMessage::Resumed { memory, applied, .. } => self.resumed(client, memory, applied),
                _ => {}
            }
        }
        if let Some(applied) = acknowledged {
            self.settle_up_to(client, applied);
        }
        self.pump(client);
    }

    fn refused(&mut self, client: usize, error: &ErrorMessage) {
        let Some(number) = error.number else { return self.note_given_back(client, error) };
        assert_ne!(error.code, "input_gap", "frames of one connection come in order");
        let typist = &mut self.typists[client];
        // Told again after a cut, it may have been heard before.
        let Some(at) = typist.sent.iter().position(|sent| sent.number == number) else { return };
        let Sent { op, piece, .. } = typist.sent.remove(at).expect("found there");
        self.history.ops[op].outcome = Outcome::Refused;
        let Some(paste) = piece.paste else { return };
        if error.code == "input_full" {
            typist.queue.push_front(piece);
            return;
        }
        // The rest makes no sense any more; who waits behind it must not wait longer.
        let pane = piece.pane;
        typist.queue.retain(|piece| piece.paste != Some(paste));
        if piece.length > 0 && error.code != "unknown_channel" {
            typist.queue.push_front(Piece { pane, length: 0, paste: Some(paste), more: false });
        }
    }

    fn note_given_back(&mut self, client: usize, error: &ErrorMessage) {
        let count = error.given_back.expect("counted");
        if count <= self.typists[client].given_back {
            // Told again after a cut.
            return;
        }
        self.typists[client].given_back = count;
        let (pane, bytes) = (error.pane_id.expect("of a pane"), error.bytes.expect("so many bytes"));
        *self.history.given_back.entry((client, pane)).or_default() += bytes;
    }

    fn settle_up_to(&mut self, client: usize, applied: u64) {
        while let Some(sent) = self.typists[client].sent.pop_front_if(|sent| sent.number <= applied) {
            self.history.ops[sent.op].outcome = Outcome::Taken;
        }
    }

    fn resumed(&mut self, client: usize, memory: u64, applied: u64) {
        if self.typists[client].memory.replace(memory) != Some(memory) {
            for sent in self.typists[client].sent.drain(..) {
                self.history.ops[sent.op].outcome = Outcome::Unknown;
            }
            self.typists[client].next = applied + 1;
            self.typists[client].given_back = 0;
        } else if self.typists[client].careless {
            self.typists[client].next = applied + 1;
            for index in 0..self.typists[client].sent.len() {
                let typist = &mut self.typists[client];
                typist.sent[index].number = typist.next;
                typist.next += 1;
            }
        } else {
            self.settle_up_to(client, applied);
        }
        let again: Vec<_> = self.typists[client].sent.iter().map(|sent| self.frame(sent)).collect();
        let link = self.typists[client].link.as_mut().expect("told over it");
        link.wire.extend(again);
        link.resumed = true;
    }

    // Connections.

    fn reconnect(&mut self, client: usize, hears: bool) {
        if self.typists[client].link.is_some() {
            return;
        }
        let watching = Watching::attach(&self.stage.gateway);
        let resume = json!({ "type": "resume", "client": self.typists[client].name });
        watching.attached.request(client::parse(resume.to_string().as_bytes()).unwrap());
        self.typists[client].link = Some(Link { watching, wire: VecDeque::new(), resumed: false });
        if hears {
            self.hear(client);
        }
    }

    fn arrive(link: &mut Link, count: usize) {
        for frame in link.wire.drain(..count.min(link.wire.len())) {
            link.watching.attached.input(&frame);
        }
    }

    /// The gateway notices that the oldest connection is gone. What it said over it meanwhile, nobody heard.
    fn notice(&mut self, client: usize) {
        if !self.typists[client].old.is_empty() {
            self.typists[client].old.remove(0);
        }
    }

    /// A client has heard what it was told, and answers a ping that came after it.
    fn pong(&mut self, client: usize) {
        let Some(link) = &self.typists[client].link else { return };
        let told = link.watching.attached.told();
        self.hear(client);
        if let Some(link) = &self.typists[client].link {
            link.watching.attached.heard(told);
        }
    }

    async fn take(&mut self, step: Step, pastes: bool) {
        match step {
            Step::Type { client, pane, length } => {
                let pane = pick(&self.panes, pane).expect("one is open");
                self.typists[client].queue.push_back(Piece { pane, length, paste: None, more: false });
                self.pump(client);
            }
            Step::Paste { client, pane, lengths } => {
                let pane = pick(&self.panes, pane).expect("one is open");
                if pastes {
                    self.paste(client, pane, &lengths);
                }
            }
            Step::Arrive { client, count } => {
                if let Some(link) = &mut self.typists[client].link {
                    Run::arrive(link, count);
                }
            }
            Step::ArriveLate { client, count } => {
                if let Some(link) = self.typists[client].old.last_mut() {
                    Run::arrive(link, count);
                }
            }
            Step::Hear { client } => self.hear(client),
            Step::Pong { client } => self.pong(client),
            Step::Cut { client } => {
                let typist = &mut self.typists[client];
                typist.old.extend(typist.link.take());
            }
            Step::Notice { client } => self.notice(client),
            Step::Reconnect { client, hears } => self.reconnect(client, hears),
            Step::Host(step) => step.take(&self.stage.host),
            Step::Split if self.panes.len() < 4 => self.split(),
            Step::Split => {}
            Step::Close { pane } => self.stage.close_one(&mut self.panes, pane),
            Step::Respawn { pane } => self.ask_about(pane, "pane_respawn"),
            Step::Discard { pane } => self.ask_about(pane, "pane_discard"),
            Step::Settle => settle().await,
            Step::Sleep => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }

    fn ask_about(&mut self, pane: usize, what: &str) {
        let pane = pick(&self.panes, pane).expect("one is open");
        self.stage.viewer.ask(json!({ "type": what, "paneId": pane }));
    }

    // The end.

    /// Everybody comes back, every terminal comes up, and everything is answered and delivered.
    async fn finish(mut self) -> Result<(), String> {
        for round in 0..ROUNDS {
            for client in 0..CLIENTS {
                self.reconnect(client, true);
                if let Some(link) = &mut self.typists[client].link {
                    Run::arrive(link, usize::MAX);
                }
                self.hear(client);
            }
            (0..self.panes.len()).for_each(|pane| self.ask_about(pane, "pane_respawn"));
            for start in 0..self.stage.host.count() {
                self.stage.host.come_up(start, 1000);
                self.stage.host.make_room(start, 1000);
            }
            settle().await;
            let done = |typist: &Typist| typist.queue.is_empty() && typist.sent.is_empty();
            let full = self.history.ops.len() >= usize::from(u8::MAX - FIRST_MARK);
            if self.typists.iter().all(|typist| done(typist) || full && typist.sent.is_empty())
                && self.panes.iter().all(|pane| self.stage.pending(*pane) == 0)
            {
                return self.judge();
            }
            if round > 2 {
                // Some of it waits for an alarm.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let pending: Vec<_> = self.panes.iter().map(|pane| self.stage.pending(*pane)).collect();
        Err(format!("not everything was delivered: {pending:?} {:?}", self.history))
    }

    fn judge(mut self) -> Result<(), String> {
        for client in 0..CLIENTS {
            self.hear(client);
            while !self.typists[client].old.is_empty() {
                self.notice(client);
            }
        }
        for start in self.stage.host.lock().iter() {
            let Some(terminal) = &start.terminal else { continue };
            let written = self.history.written.entry(Play::pane_of(start)).or_default();
            written.extend_from_slice(&terminal.lock().written);
        }
        self.history.judge()
    }
}

/// What is special about a run.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// What is held expires at once where no terminal is on its way.
    expires: bool,
    /// The gateway forgets a client with its last connection. Nobody pastes then: a paste of a client that is
    /// forgotten stays open until it stalls.
    forgets: bool,
    careless: bool,
}

impl Kind {
    const PLAIN: Kind = Kind { expires: false, forgets: false, careless: false };
    const EXPIRING: Kind = Kind { expires: true, ..Kind::PLAIN };
    const FORGETFUL: Kind = Kind { forgets: true, ..Kind::PLAIN };
    const CARELESS: Kind = Kind { careless: true, ..Kind::PLAIN };
}

/// Plays one history and judges it.
async fn play(kind: Kind, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut run = Run::begin(kind).await;
    for step in steps {
        run.take(step.clone(), !kind.forgets).await;
    }
    run.finish().await.map_err(|wrong| TestCaseError::fail(format!("{kind:?}: {wrong}")))
}

/// Plays random histories, three at a time and each in all these kinds: most of the time is waiting for alarms.
fn play_any(cases: u32, kinds: &[Kind]) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    let steps = || proptest::collection::vec(step(), 1..100);
    let verdict = TestRunner::new(config).run(&[steps(), steps(), steps()], |histories| {
        let each = histories.iter().flat_map(|steps| kinds.iter().map(move |kind| (*kind, steps)));
        let runs = each.map(|(kind, steps)| play(kind, steps));
        runtime.block_on(try_join_all(runs)).map(|_| ())
    });
    verdict.map_err(|error| error.to_string())
}

#[test]
fn whatever_breaks_input_is_taken_once_and_in_order() {
    let kinds = [Kind::PLAIN, Kind::EXPIRING, Kind::FORGETFUL];
    play_any(230, &kinds).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_client_that_numbers_anew_what_it_sends_again_is_caught() {
    // What gives it away first, a double or a byte out of order or of nobody's, is up to chance.
    play_any(200, &[Kind::CARELESS]).expect_err("some of what it sent was taken twice");
}
