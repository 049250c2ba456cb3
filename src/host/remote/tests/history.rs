//! Random histories of two ends, their programs and a wire that breaks at any frame.

use std::sync::Arc;

use proptest::prelude::*;
use tokio::task::JoinHandle;

use super::super::frame::WhenFull;
use super::pair::{Pair, request};
use super::pretended::{INTERRUPT_KEYS, Notes, Program};
use crate::host::{Exit, Host, Kept, SpawnError, Spawned, Terminal, Unwritten};
use crate::ids::PaneId;
use crate::pane::respawn::Generation;

const PANES: u64 = 3;

#[derive(Debug, Clone)]
enum Event {
    /// Moves so many frames to the node, and to the gateway.
    Move(u8, u8),
    Cut,
    Dial,
    Start(u64),
    Print(u64, u16),
    Type(u64, u16),
    Interrupt(u64),
    TakeMore(u64, u16),
    Full(u64, bool),
    End(u64),
    RestartNode,
}

fn event() -> impl Strategy<Value = Event> {
    let pane = || 1..=PANES;
    prop_oneof![
        16 => (0u8..8, 0u8..8).prop_map(|(down, up)| Event::Move(down, up)),
        1 => Just(Event::Cut),
        2 => Just(Event::Dial),
        3 => pane().prop_map(Event::Start),
        6 => (pane(), 1u16..30_000).prop_map(|(pane, bytes)| Event::Print(pane, bytes)),
        6 => (pane(), 1u16..20_000).prop_map(|(pane, bytes)| Event::Type(pane, bytes)),
        1 => pane().prop_map(Event::Interrupt),
        6 => (pane(), 1u16..20_000).prop_map(|(pane, bytes)| Event::TakeMore(pane, bytes)),
        1 => (pane(), any::<bool>()).prop_map(|(pane, full)| Event::Full(pane, full)),
        2 => pane().prop_map(Event::End),
        1 => prop::sample::select(vec![Event::RestartNode, Event::Dial, Event::Dial]),
    ]
}

/// A pane as a hub would have it: its newest generation, and what it knows of its terminal.
#[derive(Default)]
struct Seat {
    pane: u64,
    generation: u64,
    starting: Option<JoinHandle<Result<Spawned, SpawnError>>>,
    notes: Arc<Notes>,
    terminal: Option<Arc<dyn Terminal>>,
    /// What the terminal took, with the keys that interrupted.
    typed: Vec<u8>,
    interrupts: usize,
    /// Its program, on whichever node it was.
    program: Option<Arc<Program>>,
}

struct Hub {
    pair: Pair,
    seats: Vec<Seat>,
    /// Whether the node has said over this connection what it kept.
    up: bool,
}

impl Hub {
    fn seat(&mut self, pane: u64) -> &mut Seat {
        &mut self.seats[pane as usize - 1]
    }

    fn node_up(&mut self, all: Vec<Kept>) {
        self.up = true;
        for kept in all {
            let host = self.pair.host.clone();
            let seat = self.seat(kept.pane.0);
            let ours = kept.generation.0 == seat.generation && seat.program.is_some();
            if !ours || seat.notes.exit().is_some() {
                host.discard(&kept);
                continue;
            }
            let from = seat.notes.printed();
            assert!(kept.given <= from, "what did not arrive was not given");
            let terminal = host.resume(&kept, from, seat.notes.clone()).unwrap();
            terminal.start();
            seat.terminal = Some(terminal);
        }
    }

    fn node_down(&mut self) {
        self.up = false;
        self.seats.iter_mut().for_each(|seat| seat.terminal = None);
    }

    async fn step(&mut self, down: bool, up: bool) {
        if let Some(kept) = self.pair.step(down, up).await {
            self.node_up(kept);
        }
        for seat in &mut self.seats {
            if let Some(starting) = seat.starting.take_if(|starting| starting.is_finished()) {
                let Ok(spawned) = starting.await.unwrap() else {
                    seat.program = None;
                    continue;
                };
                spawned.terminal.start();
                // A start that ended with its connection is taken up again with the next one.
                seat.terminal = Some(spawned.terminal).filter(|_| self.up);
                seat.program = self.pair.pretending.program(PaneId(seat.pane), Generation(seat.generation));
            }
            if seat.notes.exit().is_some() {
                seat.terminal = None;
            }
        }
    }

    async fn act(&mut self, event: Event) {
        match event {
            Event::Move(down, up) => {
                for turn in 0..down.max(up) {
                    self.step(turn < down, turn < up).await;
                }
            }
            Event::Cut => {
                self.node_down();
                self.pair.cut();
            }
            Event::Dial => {
                self.node_down();
                self.pair.dial();
            }
            Event::RestartNode => {
                self.node_down();
                self.pair.restart_node();
            }
            Event::Start(pane) => self.start(pane).await,
            Event::Print(pane, count) => self.seat(pane).print(count.into()),
            Event::Type(pane, count) => self.seat(pane).type_in(count.into()),
            Event::Interrupt(pane) => self.seat(pane).interrupt(),
            Event::TakeMore(pane, count) => {
                if let Some(program) = &self.seat(pane).program {
                    program.take_more(count.into());
                }
            }
            Event::Full(pane, full) => self.seat(pane).notes.set_full(full),
            Event::End(pane) => {
                if let Some(program) = &self.seat(pane).program {
                    program.end(Exit::Code(pane as i32));
                }
            }
        }
        self.step(false, false).await;
        self.check();
    }

    async fn start(&mut self, pane: u64) {
        let up = self.up && !self.pair.is_cut();
        let host = self.pair.host.clone();
        let seat = self.seat(pane);
        let idle = seat.starting.is_none() && (seat.program.is_none() || seat.notes.exit().is_some());
        if up && idle {
            *seat = Seat { pane, generation: seat.generation + 1, ..Seat::default() };
            let spawning = host.spawn(request(pane, seat.generation), seat.notes.clone());
            seat.starting = Some(tokio::spawn(spawning));
            tokio::task::yield_now().await;
        }
    }

    /// Lets everything come to rest over a wire that holds.
    async fn heal(&mut self) {
        for pane in 1..=PANES {
            self.seat(pane).notes.set_full(false);
        }
        self.node_down();
        self.pair.dial();
        for turn in 0..600 {
            self.step(true, true).await;
            for seat in &self.seats {
                // Also while the node greets, when what it keeps looks like more than it may.
                if turn < 10 {
                    seat.print(1);
                }
                if let Some(program) = &seat.program {
                    program.take_more(10_000);
                }
            }
        }
    }

    fn check(&self) {
        for seat in &self.seats {
            seat.check();
        }
    }
}

impl Seat {
    fn print(&self, count: usize) {
        let Some(program) = &self.program else { return };
        let at = program.lock().printed.len();
        let output: Vec<u8> = (at..at + count).map(|at| (at % 251) as u8).collect();
        program.print(&output);
    }

    fn type_in(&mut self, count: usize) {
        let Some(terminal) = &self.terminal else { return };
        let at = self.typed.len();
        let input: Vec<u8> = (at..at + count).map(|at| 32 + (at % 90) as u8).collect();
        let taken = terminal.write(&input);
        self.typed.extend_from_slice(&input[..taken]);
    }

    /// Each key interrupts once, so that it is known which one was heard.
    fn interrupt(&mut self) {
        let Some(terminal) = &self.terminal else { return };
        let Some(key) = INTERRUPT_KEYS.get(self.interrupts) else { return };
        if terminal.interrupt(*key) {
            self.interrupts += 1;
            self.typed.push(*key);
        }
    }

    /// Where in what was typed the program is.
    fn read_up_to(&self) -> usize {
        let Some(program) = &self.program else { return 0 };
        let mut at = 0;
        for byte in &program.lock().read {
            if INTERRUPT_KEYS.contains(byte) {
                let key = self.typed[at..].iter().position(|typed| typed == byte);
                at += key.expect("no interrupt is heard that was not sent, or twice");
            }
            assert_eq!(self.typed.get(at), Some(byte), "input comes in order, and once");
            at += 1;
        }
        at
    }

    fn check(&self) {
        let read = self.read_up_to();
        let Some(program) = &self.program else { return };
        let output = self.notes.output.lock().unwrap();
        let condition = program.lock();
        assert!(condition.printed.starts_with(&output), "output is contiguous, and comes once");
        let exits = self.notes.exits.lock().unwrap();
        assert!(exits.len() <= 1);
        match exits.first() {
            None => {}
            Some(Exit::Code(_)) => {
                assert_eq!(output.len(), condition.printed.len(), "all output comes before the end");
                let rest = &self.typed[read..];
                let left = rest.iter().rposition(|byte| INTERRUPT_KEYS.contains(byte)).map_or(0, |at| at + 1);
                assert_eq!(self.not_written(), &rest[left..], "what was not read comes back");
            }
            Some(_) => {
                let not = self.not_written();
                assert!(self.typed.ends_with(&not));
                let unwritten = self.notes.unwritten.lock().unwrap();
                let perhaps = |one: &Unwritten| if let Unwritten::Perhaps(count) = one { *count } else { 0 };
                let perhaps: usize = unwritten.iter().map(perhaps).sum();
                let sure = self.typed.len() - not.len() - perhaps;
                let void = self.typed.iter().rposition(|byte| INTERRUPT_KEYS.contains(byte)).is_some();
                assert!(read >= sure || void, "what is not told of was read");
                assert!(read <= self.typed.len() - not.len(), "what surely was not read was not");
            }
        }
    }

    fn not_written(&self) -> Vec<u8> {
        let unwritten = self.notes.unwritten.lock().unwrap();
        let not = |one: &Unwritten| if let Unwritten::Not(bytes) = one { bytes.clone() } else { vec![] };
        unwritten.iter().flat_map(not).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_breaks_output_and_input_arrive_once_and_in_order(
        events in prop::collection::vec(event(), 1..160),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut hub = Hub {
                pair: Pair::new(WhenFull::Wait),
                seats: (0..PANES).map(|_| Seat::default()).collect(),
                up: false,
            };
            hub.act(Event::Dial).await;
            hub.act(Event::Move(3, 3)).await;
            for event in events {
                hub.act(event).await;
            }
            hub.heal().await;
            hub.check();
            for seat in &hub.seats {
                let Some(program) = seat.program.as_ref().filter(|_| seat.notes.exit().is_none()) else { continue };
                assert_eq!(seat.notes.printed(), program.lock().printed.len() as u64, "all output has come");
                assert_eq!(seat.read_up_to(), seat.typed.len(), "all input has come");
                assert!(!program.lock().waits, "what has come makes room for more");
            }
            for program in hub.pair.pretending.programs.lock().unwrap().iter() {
                let owned = hub.seats.iter().any(|seat| {
                    seat.program.as_ref().is_some_and(|ours| Arc::ptr_eq(ours, program))
                });
                let ended = program.lock().killed || program.lock().exit.is_some();
                assert!(owned || ended, "what nobody owns is ended");
            }
        });
    }
}
