//! Typing judged afterwards: whatever breaks on the way, what was taken arrives once and in order, or is told of.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;

const PANES: u64 = 3;

/// What the gateway says.
#[derive(Debug, Clone)]
enum Word {
    Ack(u64),
    Full(u64),
    Refused(u64),
}

/// The gateway, by the book: docs/protocol.md, "Exactly once".
#[derive(Debug, Default)]
struct Gateway {
    memory: u64,
    applied: u64,
    /// Told again before `resumed`.
    refusals: Vec<Word>,
    written: BTreeMap<PaneId, Vec<u8>>,
    closed: Vec<PaneId>,
    is_full: bool,
}

impl Gateway {
    fn take(&mut self, frame: &Numbered) -> Option<Vec<Word>> {
        if frame.number > self.applied + 1 {
            return None;
        }
        let mut words = Vec::new();
        if frame.number == self.applied + 1 {
            self.applied = frame.number;
            let refusal = match self.closed.contains(&frame.pane) {
                true if !frame.bytes.is_empty() => Some(Word::Refused(frame.number)),
                _ if self.is_full && !frame.bytes.is_empty() => Some(Word::Full(frame.number)),
                _ => None,
            };
            match refusal {
                Some(refusal) => {
                    self.refusals.push(refusal.clone());
                    words.push(refusal);
                }
                None => self.written.entry(frame.pane).or_default().extend(&frame.bytes),
            }
        }
        words.push(Word::Ack(self.applied));
        Some(words)
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Types so many numbers into a pane, whether or not a paste goes on after them.
    Type(u64, u16, bool),
    Interrupt(u64),
    /// Sends what may be sent; so many frames are read.
    Send(usize),
    /// So many words are heard.
    Hear(usize),
    Cut,
    Forget,
    Full(bool),
    Close(u64),
    Wait,
}

struct World {
    outbox: Outbox,
    gateway: Gateway,
    now: Instant,
    /// On their way; none without a connection.
    frames: VecDeque<Numbered>,
    words: VecDeque<Word>,
    is_connected: bool,
    /// What was typed and taken.
    typed: BTreeMap<PaneId, Vec<u32>>,
    /// Bytes that the client was told are lost, or nobody knows of.
    lost: usize,
    /// The last number that was typed.
    last: u32,
}

impl World {
    fn new() -> World {
        World {
            outbox: Outbox::default(),
            gateway: Gateway { memory: 1, ..Gateway::default() },
            now: Instant::now(),
            frames: VecDeque::new(),
            words: VecDeque::new(),
            is_connected: false,
            typed: BTreeMap::new(),
            lost: 0,
            last: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Type(pane, count, more) => {
                let numbers: Vec<u32> = (1..=u32::from(count)).map(|number| self.last + number).collect();
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
                let pane = PaneId(pane % PANES);
                if !self.gateway.closed.contains(&pane) && self.outbox.push(pane, &bytes, more).is_ok() {
                    self.last += u32::from(count);
                    self.typed.entry(pane).or_default().extend(numbers);
                }
            }
            Step::Interrupt(pane) => self.lost += self.outbox.interrupt(PaneId(pane % PANES)),
            Step::Send(read) => self.send(read),
            Step::Hear(count) => self.hear(count),
            Step::Cut => self.cut(),
            Step::Forget => {
                self.cut();
                let Gateway { memory, ref written, ref closed, .. } = self.gateway;
                let (written, closed) = (written.clone(), closed.clone());
                self.gateway = Gateway { memory: memory + 1, written, closed, ..Gateway::default() };
            }
            Step::Full(is_full) => self.gateway.is_full = is_full,
            Step::Close(pane) => {
                self.gateway.closed.push(PaneId(pane % PANES));
            }
            Step::Wait => self.now += LONGEST_REST,
        }
    }

    fn cut(&mut self) {
        self.is_connected = false;
        self.frames.clear();
        self.words.clear();
        self.outbox.disconnected();
    }

    fn send(&mut self, read: usize) {
        if !self.is_connected {
            self.is_connected = true;
            // Refusals are told again, whether they were heard or not.
            self.words = self.gateway.refusals.iter().cloned().collect();
            self.hear(usize::MAX);
            self.lost += self.outbox.resumed(self.gateway.memory, self.gateway.applied, self.now);
        }
        let closed = self.gateway.closed.clone();
        self.lost += self.outbox.retain(|pane| !closed.contains(&pane));
        while let Some(frame) = self.outbox.take(|_| 0, self.now) {
            assert!(frame.bytes.len() <= FRAME_BYTES);
            self.frames.push_back(frame);
        }
        assert!(self.frames.len() as u64 <= MAX_UNACKNOWLEDGED && self.outbox.held() <= HELD_BYTES);
        for frame in self.frames.drain(..read.min(self.frames.len())) {
            self.words.extend(self.gateway.take(&frame).expect("no number is left out"));
        }
    }

    fn hear(&mut self, count: usize) {
        for word in self.words.drain(..count.min(self.words.len())) {
            match word {
                Word::Ack(applied) => self.lost += self.outbox.acknowledged(applied, self.now),
                Word::Full(number) => self.lost += self.outbox.not_taken(number, self.now),
                Word::Refused(number) => self.lost += self.outbox.refused(number, self.now),
            }
        }
    }

    /// Lets everything arrive, and judges.
    fn finish(mut self) {
        self.gateway.is_full = false;
        for _ in 0..2000 {
            if self.is_connected && self.outbox.is_empty() {
                break;
            }
            self.now += LONGEST_REST;
            self.send(usize::MAX);
            self.hear(usize::MAX);
        }
        assert!(self.outbox.is_empty(), "something is never sent: {:?}", self.outbox);
        assert_eq!(self.outbox.held(), 0);
        let mut missing = 0;
        for (pane, typed) in &self.typed {
            let written = self.gateway.written.remove(pane).unwrap_or_default();
            let (whole, rest) = written.as_chunks::<4>();
            assert!(rest.is_empty());
            let mut wanted = typed.iter();
            for number in whole.iter().map(|bytes| u32::from_be_bytes(*bytes)) {
                assert!(wanted.any(|typed| *typed == number), "{pane}: {number} came twice or too late");
            }
            missing += 4 * (typed.len() - whole.len());
        }
        assert!(missing <= self.lost, "{missing} bytes are missing, {} were told of", self.lost);
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..PANES, prop_oneof![1_u16..4, 1_u16..4, 7000_u16..20_000], prop::bool::weighted(0.2))
            .prop_map(|(pane, count, more)| Step::Type(pane, count, more)),
        10 => (0_usize..6).prop_map(Step::Send),
        10 => (0_usize..6).prop_map(Step::Hear),
        3 => Just(Step::Cut),
        1 => Just(Step::Forget),
        2 => any::<bool>().prop_map(Step::Full),
        1 => (0..PANES).prop_map(Step::Close),
        1 => (0..PANES).prop_map(Step::Interrupt),
        4 => Just(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_breaks_what_is_typed_arrives_once_and_in_order_or_is_told_of(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.step(step));
        world.finish();
    }

    #[test]
    fn without_damage_nothing_is_lost(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            if !matches!(step, Step::Forget | Step::Close(_) | Step::Interrupt(_) | Step::Full(_)) {
                world.step(&step);
            }
        }
        world.finish_without_loss();
    }
}

impl World {
    fn finish_without_loss(self) {
        assert_eq!(self.lost, 0);
        self.finish();
    }
}

const PANE: PaneId = PaneId(0);

fn drained(outbox: &mut Outbox) -> Vec<Numbered> {
    let now = Instant::now();
    std::iter::from_fn(|| outbox.take(|_| 0, now)).collect()
}

#[test]
fn keys_that_wait_share_a_frame_and_an_interrupt_has_its_own() {
    let mut outbox = Outbox::default();
    for key in [&b"l"[..], b"s", b"\x03", b"\r"] {
        outbox.push(PANE, key, false).unwrap();
    }
    let frames = drained(&mut outbox);
    assert_eq!(frames.iter().map(|frame| &frame.bytes[..]).collect::<Vec<_>>(), [&b"ls"[..], b"\x03", b"\r"]);
    assert_eq!(frames.iter().map(|frame| frame.number).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn beyond_the_bound_input_is_refused_aloud_and_whole() {
    let mut outbox = Outbox::default();
    outbox.push(PANE, &[b'x'; HELD_BYTES - 1], false).unwrap();
    assert_eq!(outbox.push(PANE, b"yz", false), Err(Full { bytes: 2, held: HELD_BYTES - 1 }));
    outbox.push(PANE, b"y", false).unwrap();
    assert_eq!(outbox.held(), HELD_BYTES);
    let mut outbox = Outbox::default();
    let taken = (0..).take_while(|_| outbox.push(PANE, b"\x03", false).is_ok()).count();
    assert_eq!(taken, MAX_PIECES, "pieces are bounded, too");
}

#[test]
fn a_paste_that_is_interrupted_ends_for_gateway_and_program() {
    let mut outbox = Outbox::default();
    let paste = [b"\x1b[200~", &vec![b'x'; 2 * FRAME_BYTES][..], BRACKET_END].concat();
    outbox.push(PANE, &paste, false).unwrap();
    let begin = drained(&mut outbox);
    assert!(begin.len() == 1 && begin[0].more, "a paste goes piece by piece");
    let dropped = outbox.interrupt(PANE);
    assert_eq!(dropped, paste.len() - FRAME_BYTES - BRACKET_END.len());
    outbox.push(PANE, b"\x03", false).unwrap();
    outbox.acknowledged(1, Instant::now());
    let end = drained(&mut outbox);
    assert!(end.len() == 1 && end[0].bytes == BRACKET_END && !end[0].more, "{end:?}");
    outbox.acknowledged(2, Instant::now());
    assert_eq!(drained(&mut outbox)[0].bytes, b"\x03");
}

#[test]
fn what_found_no_room_goes_again_once_what_was_sent_before_it_is_known() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    outbox.push(PANE, b"first", false).unwrap();
    drained(&mut outbox);
    outbox.push(PANE, b"then", false).unwrap();
    assert_eq!(drained(&mut outbox).len(), 1);
    // One acknowledgement covers both, and comes after the refusal.
    outbox.not_taken(2, now);
    assert_eq!(outbox.acknowledged(2, now), 0);
    let later = now + LONGEST_REST;
    assert_eq!(
        outbox.take(|_| 0, later).map(|frame| (frame.number, frame.bytes)),
        Some((3, b"then".to_vec()))
    );
}

#[test]
fn what_nobody_can_know_is_not_sent_again() {
    let mut outbox = Outbox::default();
    outbox.resumed(7, 0, Instant::now());
    outbox.push(PANE, b"sent", false).unwrap();
    drained(&mut outbox);
    outbox.disconnected();
    outbox.push(PANE, b"held", false).unwrap();
    assert_eq!(outbox.resumed(8, 0, Instant::now()), 4);
    let frames = drained(&mut outbox);
    assert!(frames.len() == 1 && frames[0].number == 1 && frames[0].bytes == b"held");
}
