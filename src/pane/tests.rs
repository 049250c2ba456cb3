//! Tests of the pane as a whole, against a terminal that is only pretended.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::input::{InputLimits, Undelivered};
use super::log::OutputBuf;
use super::respawn::{Generation, RespawnLimits};
use super::typing::CWD_AFTER_ENTER;
use super::*;
use crate::clock::time_of_day;
use crate::ids::ViewerId;
use crate::protocol::frame::InputKind;

const LIMITS: PaneLimits = PaneLimits {
    input: InputLimits { bytes: 16 << 10, age: Duration::from_secs(30) },
    ring_bytes: 1 << 20,
    ready_ceiling: Duration::from_secs(1),
    respawn: RespawnLimits { first_backoff: Duration::from_millis(250), attempts: 5 },
    away_age: Duration::from_secs(60),
};

/// The wall clock when a test begins.
const EPOCH_MS: u64 = 1_700_000_000_000;

const PROMPT: &[u8] = b"$ \x1b]133;B\x07";

const ONE: ViewerId = ViewerId(1);
const TWO: ViewerId = ViewerId(2);

#[derive(Debug)]
struct Pretence {
    written: Vec<u8>,
    /// How many bytes the next write takes; what it takes is no longer there for the one after.
    room: usize,
    raw: bool,
    cwd: Option<PathBuf>,
    sizes: Vec<Size>,
    interrupts: Vec<u8>,
}

/// A terminal that notes what is done to it.
#[derive(Debug)]
struct Pretended {
    generation: Generation,
    state: Mutex<Pretence>,
}

impl Pretended {
    fn new(generation: Generation) -> Pretended {
        let (written, sizes, interrupts) = (Vec::new(), Vec::new(), Vec::new());
        let state = Pretence { written, room: usize::MAX, raw: false, cwd: None, sizes, interrupts };
        Pretended { generation, state: Mutex::new(state) }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Pretence) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    fn written(&self) -> Vec<u8> {
        self.with(|state| state.written.clone())
    }
}

impl Terminal for Pretended {
    fn start(&self) {}

    fn write(&self, input: &[u8]) -> usize {
        self.with(|state| {
            let taken = input.len().min(state.room);
            state.room -= taken;
            state.written.extend_from_slice(&input[..taken]);
            taken
        })
    }

    fn interrupt(&self, key: u8) -> bool {
        self.with(|state| {
            let heeded = key == 0x03 && !state.raw;
            state.interrupts.extend(heeded.then_some(key));
            heeded
        })
    }

    fn resize(&self, size: Size) {
        self.with(|state| state.sizes.push(size));
    }

    fn kill(&self) {}

    fn reads_raw(&self) -> bool {
        self.with(|state| state.raw)
    }

    fn cwd(&self) -> Option<PathBuf> {
        self.with(|state| state.cwd.clone())
    }

    fn foreground(&self) -> Option<String> {
        None
    }
}

/// A pane with what stands around it: the time, and its place in the gateway's terminals map.
struct Stage {
    pane: Pane,
    now: Moment,
    /// The entry of the terminals map.
    terminal: Option<Arc<Pretended>>,
}

impl Stage {
    fn with(settings: PaneSettings, limits: PaneLimits) -> Stage {
        let birth = Birth {
            id: PaneId(1),
            channel: Channel(0),
            size: Size::DEFAULT,
            screen_size: Size::DEFAULT,
            cwd: PathBuf::from("/first"),
            settings,
            generation: Generation(0),
            title: String::new(),
            end: End::Never,
            offset: 0,
            node: "here".to_owned(),
            command: None,
        };
        let now = Moment { at: Instant::now(), unix_ms: EPOCH_MS };
        Stage { pane: Pane::new(birth, limits), now, terminal: None }
    }

    fn waking_on(wake: WakePolicy) -> Stage {
        Stage::with(PaneSettings { wake, ..PaneSettings::default() }, LIMITS)
    }

    /// A pane that never had a terminal.
    fn dead() -> Stage {
        Stage::waking_on(WakePolicy::AnyKey)
    }

    /// A pane with a terminal that is ready for input, and reads lines.
    fn live() -> (Stage, Arc<Pretended>) {
        let mut stage = Stage::dead();
        let terminal = stage.ask_and_come_up();
        stage.ready(&terminal);
        (stage, terminal)
    }

    fn ready(&mut self, terminal: &Pretended) {
        terminal.with(|state| state.raw = true);
        self.tick_after(Duration::ZERO);
        terminal.with(|state| state.raw = false);
    }

    fn ask(&mut self) -> Option<Generation> {
        let mut effects = Effects::default();
        self.pane.ask_for_terminal(&mut effects);
        effects.start
    }

    fn ask_and_come_up(&mut self) -> Arc<Pretended> {
        let generation = self.ask().unwrap();
        self.up(generation).0.unwrap()
    }

    /// Hands input to the pane as the gateway does, which carries out what is asked for whether it is taken or not.
    fn offer(
        &mut self,
        viewer: ViewerId,
        kind: InputKind,
        bytes: &[u8],
    ) -> (Result<(), InputRefused>, Effects) {
        let mut effects = Effects::default();
        let terminal = self.terminal.clone();
        let typed = Typed { viewer, owner: viewer, kind, more: false, bytes };
        let taken = self.pane.input(typed, self.now.at, as_dyn(&terminal), &mut effects);
        (taken, effects)
    }

    fn input(&mut self, viewer: ViewerId, kind: InputKind, bytes: &[u8]) -> Result<Effects, InputRefused> {
        let (taken, effects) = self.offer(viewer, kind, bytes);
        taken.map(|()| effects)
    }

    fn keys(&mut self, viewer: ViewerId, bytes: &[u8]) -> Effects {
        self.input(viewer, InputKind::Input, bytes).unwrap()
    }

    /// A terminal comes up. It is in the terminals map, and handed out, only if the pane wants it.
    fn up(&mut self, generation: Generation) -> (Option<Arc<Pretended>>, Effects) {
        self.up_with(Pretended::new(generation), None)
    }

    fn up_with(&mut self, terminal: Pretended, note: Option<&str>) -> (Option<Arc<Pretended>>, Effects) {
        let (terminal, mut effects) = (Arc::new(terminal), Effects::default());
        if !self.pane.started(terminal.generation, note, self.now, &*terminal, &mut effects) {
            return (None, effects);
        }
        assert!(self.terminal.is_none(), "the pane has a terminal already");
        self.terminal = Some(Arc::clone(&terminal));
        (Some(terminal), effects)
    }

    fn fail(&mut self, generation: Generation) -> Effects {
        let mut effects = Effects::default();
        self.pane.failed(generation, "no such program".to_owned(), self.now, 0.0, &mut effects);
        effects
    }

    /// Whether the pane's terminal left the map, and the effects.
    fn exit(&mut self, generation: Generation, exit: Exit) -> (bool, Effects) {
        let mut effects = Effects::default();
        let left = self.pane.exited(generation, exit, self.now, 0.0, &mut effects);
        if left {
            self.terminal = None;
        }
        (left, effects)
    }

    fn output(&mut self, generation: Generation, bytes: &[u8]) -> Effects {
        let mut effects = Effects::default();
        self.pane.output(generation, OutputBuf::copy_of(bytes), self.now, &mut effects);
        effects
    }

    fn writable(&mut self, generation: Generation) -> Effects {
        let (terminal, mut effects) = (self.terminal.clone(), Effects::default());
        self.pane.writable(generation, self.now.at, as_dyn(&terminal), &mut effects);
        effects
    }

    fn wait(&mut self, time: Duration) {
        self.now.at += time;
        self.now.unix_ms += u64::try_from(time.as_millis()).unwrap();
    }

    fn tick_after(&mut self, time: Duration) -> Effects {
        self.wait(time);
        let (terminal, mut effects) = (self.terminal.clone(), Effects::default());
        self.pane.tick(self.now.at, as_dyn(&terminal), &mut effects);
        effects
    }

    /// Everything printed so far.
    fn shown(&self) -> Vec<u8> {
        let (log, mut parts) = (&self.pane.log, Vec::new());
        log.slices(log.tail(), log.head(), usize::MAX, &mut parts);
        parts.concat()
    }

    fn status(&self) -> PaneStatus {
        self.pane.status(self.terminal.is_some(), self.now)
    }
}

fn as_dyn(terminal: &Option<Arc<Pretended>>) -> Option<&dyn Terminal> {
    terminal.as_deref().map(|terminal| terminal as &dyn Terminal)
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

const FIRST: Generation = Generation(1);
const SECOND: Generation = Generation(2);

// Waking.

#[test]
fn keys_of_many_viewers_share_one_start_and_arrive_once_and_in_order() {
    let mut stage = Stage::dead();
    assert_eq!(stage.keys(ONE, b"l").start, Some(FIRST));
    assert_eq!(stage.keys(TWO, b"s").start, None);
    assert_eq!(stage.keys(ONE, b"\r").start, None);
    assert_eq!(stage.pane.pending(), 3);
    let terminal = stage.up(FIRST).0.unwrap();
    stage.tick_after(ms(5));
    assert_eq!(terminal.written(), b"", "not before the program is ready");
    let printed = stage.output(FIRST, PROMPT);
    assert_eq!(printed.look_at, Some(stage.now.at));
    stage.tick_after(Duration::ZERO);
    stage.tick_after(ms(100));
    assert_eq!(terminal.written(), b"ls\r");
    assert_eq!(stage.pane.pending(), 0);
}

#[test]
fn a_program_is_ready_when_it_reads_raw_falls_quiet_or_takes_too_long() {
    let delivered_after = |prepare: fn(&mut Stage, &Pretended)| {
        let mut stage = Stage::dead();
        stage.keys(ONE, b"x");
        let terminal = stage.up(FIRST).0.unwrap();
        prepare(&mut stage, &terminal);
        let start = stage.now.at;
        while terminal.written().is_empty() {
            let at = stage.tick_after(Duration::ZERO).look_at;
            stage.wait(at.map_or(Duration::ZERO, |at| at - stage.now.at));
        }
        stage.now.at - start
    };
    assert_eq!(delivered_after(|_, terminal| terminal.with(|state| state.raw = true)), ms(0));
    let quiet = delivered_after(|stage, _| drop(stage.output(FIRST, b"welcome\r\n")));
    assert_eq!(quiet, ms(60));
    assert_eq!(delivered_after(|_, _| ()), LIMITS.ready_ceiling);
}

#[test]
fn the_wake_policy_says_which_keys_start() {
    let mut any_key = Stage::waking_on(WakePolicy::AnyKey);
    assert_eq!(any_key.keys(ONE, b"\x1b[A").start, Some(FIRST));

    let mut enter = Stage::waking_on(WakePolicy::Enter);
    assert_eq!(enter.keys(ONE, b"make").start, None);
    assert_eq!(enter.pane.pending(), 4, "held all the same");
    assert_eq!(enter.keys(ONE, b"\r").start, Some(FIRST));

    let mut manual = Stage::waking_on(WakePolicy::Manual);
    let refused = manual.input(ONE, InputKind::Input, b"make\r").unwrap_err();
    assert_eq!((refused.code, refused.bytes), ("pane_manual", 5));
    assert_eq!(manual.ask(), Some(FIRST));
    assert_eq!(manual.keys(ONE, b"now").start, None);
    assert_eq!(manual.pane.pending(), 3, "on its way up, it takes keys");
}

#[test]
fn only_keys_start_anything() {
    let mut stage = Stage::dead();
    let reports: [&[u8]; 6] =
        [b"", b"\x1b[I", b"\x1b[O", b"\x1b[<0;10;10M", b"\x1b[?1;2c\x1b[4;5R", b"\x1b]11;rgb:0/0/0\x07"];
    for report in reports {
        assert_eq!(stage.keys(ONE, report).start, None, "{}", report.escape_ascii());
    }
    let marked = stage.input(ONE, InputKind::Report, b"x").unwrap();
    assert_eq!((marked.start, stage.pane.pending()), (None, 0));
    stage.pane.sizing.report(ONE, Size { cols: 100, rows: 50 });
    let mut effects = Effects::default();
    stage.pane.settle_size(stage.now.at, None, &mut effects);
    assert!(effects.start.is_none() && effects.info);
    assert_eq!(stage.tick_after(ms(1000)).start, None);
    assert_eq!(stage.keys(ONE, b"\x1b[Ia\x1b[O").start, Some(FIRST));
    assert_eq!(stage.pane.pending(), 1, "of all that, the key alone is held");
}

// Input.

#[test]
fn a_live_terminal_gets_input_at_once_and_the_rest_when_there_is_room() {
    let (mut stage, terminal) = Stage::live();
    stage.keys(ONE, b"ab");
    assert_eq!(terminal.written(), b"ab");
    terminal.with(|state| state.room = 2);
    stage.keys(ONE, b"cdef");
    stage.keys(TWO, b"gh");
    assert_eq!((terminal.written(), stage.pane.pending()), (b"abcd".to_vec(), 4));
    terminal.with(|state| state.room = 3);
    stage.writable(FIRST);
    assert_eq!((terminal.written(), stage.pane.pending()), (b"abcdefg".to_vec(), 1));
    terminal.with(|state| state.room = 9);
    stage.writable(FIRST);
    assert_eq!((terminal.written(), stage.pane.pending()), (b"abcdefgh".to_vec(), 0));
}

#[test]
fn no_viewer_answers_for_the_screen() {
    let (mut stage, terminal) = Stage::live();
    for (viewer, kind) in [(ONE, InputKind::Report), (TWO, InputKind::Input)] {
        stage.input(viewer, kind, b"\x1b[?1;2c\x1b[I").unwrap();
    }
    assert_eq!(terminal.written(), b"\x1b[I\x1b[I");
    stage.pane.answer(Generation(0), b"late", as_dyn(&stage.terminal));
    stage.pane.answer(FIRST, b"\x1b[?1;2c", as_dyn(&stage.terminal));
    assert_eq!(terminal.written(), b"\x1b[I\x1b[I\x1b[?1;2c");
}

#[test]
fn input_over_the_bound_is_refused_whole_with_its_length() {
    let bound = LIMITS.input.bytes;
    let mut dead = Stage::dead();
    dead.keys(ONE, &vec![b'a'; bound - 10]);
    let refused = dead.input(TWO, InputKind::Input, &[b'b'; 11]).unwrap_err();
    assert_eq!((refused.code, refused.bytes, dead.pane.pending()), ("input_full", 11, bound - 10));
    dead.keys(TWO, &[b'c'; 10]);
    assert_eq!(dead.pane.pending(), bound);

    let (mut live, terminal) = Stage::live();
    let refused = live.input(ONE, InputKind::Input, &vec![b'a'; bound + 1]).unwrap_err();
    assert_eq!((refused.bytes, terminal.written().len()), (bound + 1, 0));
}

#[test]
fn a_key_that_finds_no_room_starts_the_program_that_makes_room() {
    let mut stage = Stage::waking_on(WakePolicy::Enter);
    stage.keys(ONE, &vec![b'a'; LIMITS.input.bytes]);
    let (taken, effects) = stage.offer(ONE, InputKind::Input, b"\r");
    assert_eq!((taken.unwrap_err().code, effects.start), ("input_full", Some(FIRST)));
}

#[test]
fn input_that_waits_too_long_is_given_back_to_each_viewer() {
    let mut stage = Stage::waking_on(WakePolicy::Enter);
    let start = stage.now.at;
    assert_eq!(stage.keys(ONE, b"one").look_at, Some(start + LIMITS.input.age));
    stage.keys(TWO, b"two!");
    let expired = stage.tick_after(LIMITS.input.age);
    let gone = vec![Undelivered { owner: ONE, bytes: 3 }, Undelivered { owner: TWO, bytes: 4 }];
    assert_eq!(expired.undelivered, Some((gone, "input_expired")));
    assert!(expired.info && stage.pane.pending() == 0);
}

#[test]
fn nothing_expires_while_a_start_is_under_way() {
    let mut stage = Stage::dead();
    stage.keys(ONE, b"x");
    assert_eq!(stage.tick_after(2 * LIMITS.input.age).undelivered, None);
    stage.fail(FIRST);
    assert!(stage.tick_after(Duration::ZERO).undelivered.is_some());
}

#[test]
fn held_input_can_be_thrown_away() {
    let mut stage = Stage::dead();
    stage.keys(ONE, b"rm -rf");
    let mut effects = Effects::default();
    stage.pane.discard(&mut effects);
    let gone = vec![Undelivered { owner: ONE, bytes: 6 }];
    assert_eq!(effects.undelivered, Some((gone, "input_discarded")));
    let terminal = stage.up(FIRST).0.unwrap();
    stage.tick_after(LIMITS.ready_ceiling);
    assert_eq!(terminal.written(), b"");
}

#[test]
fn a_terminal_that_dies_while_input_is_delivered_leaves_the_rest_to_the_next() {
    let (mut stage, first) = Stage::live();
    first.with(|state| state.room = 3);
    stage.keys(ONE, b"abcdef");
    stage.wait(ms(2000));
    assert!(stage.exit(FIRST, Exit::Code(0)).0);
    assert_eq!(stage.pane.pending(), 3);
    assert_eq!(stage.keys(TWO, b"g").start, Some(SECOND));
    let second = stage.up(SECOND).0.unwrap();
    stage.tick_after(LIMITS.ready_ceiling);
    assert_eq!((first.written(), second.written()), (b"abc".to_vec(), b"defg".to_vec()));
}

#[test]
fn a_line_discipline_is_never_given_more_than_it_holds() {
    let (mut stage, terminal) = Stage::live();
    let effects = stage.keys(ONE, &[b'x'; 5000]);
    assert_eq!((terminal.written().len(), stage.pane.pending()), (4095, 905));
    assert!(effects.look_at.is_some(), "nothing reports when the program changes its mind");
    stage.tick_after(ms(20));
    assert_eq!(terminal.written().len(), 4095);
    terminal.with(|state| state.raw = true);
    stage.tick_after(ms(20));
    assert_eq!((terminal.written().len(), stage.pane.pending()), (5000, 0));
}

// Failures.

#[test]
fn an_interrupt_passes_what_a_program_does_not_read() {
    let (mut stage, terminal) = Stage::live();
    stage.keys(ONE, &[b'x'; 5000]);
    assert_eq!(stage.pane.pending(), 905);
    let effects = stage.keys(TWO, b"\x03");
    let gone = vec![Undelivered { owner: ONE, bytes: 905 }];
    assert_eq!(effects.undelivered, Some((gone, "input_discarded")));
    assert_eq!(terminal.with(|state| state.interrupts.clone()), b"\x03");
    stage.keys(ONE, b"next\n");
    assert_eq!(terminal.written()[4095..], *b"next\n");
}

#[test]
fn reports_and_answers_pass_the_input_that_a_fresh_program_is_not_ready_for() {
    let mut stage = Stage::dead();
    let terminal = stage.ask_and_come_up();
    stage.keys(ONE, b"ls\x1b[O\r");
    stage.input(ONE, InputKind::Report, b"\x1b[I").unwrap();
    stage.pane.answer(FIRST, b"\x1b[?1;2c", as_dyn(&stage.terminal));
    assert_eq!(terminal.written(), b"\x1b[O\x1b[I\x1b[?1;2c");
    assert_eq!(stage.pane.pending(), 3);
}

#[test]
fn failed_starts_back_off_give_up_and_begin_anew_when_asked() {
    let mut stage = Stage::dead();
    assert_eq!(stage.keys(ONE, b"x").start, Some(FIRST));
    for (generation, wait_ms) in [(1, 250), (2, 500), (3, 1000), (4, 2000)] {
        stage.fail(Generation(generation));
        let retry_at = Some(stage.now.unix_ms + wait_ms);
        let reason = "no such program".to_owned();
        assert_eq!(stage.status(), PaneStatus::Failed { reason, retry_at });
        assert_eq!(stage.tick_after(ms(wait_ms)).start, None, "only new input tries again");
        assert_eq!(stage.keys(ONE, b"x").start, Some(Generation(generation + 1)));
    }
    stage.fail(Generation(5));
    assert!(matches!(stage.status(), PaneStatus::Failed { retry_at: None, .. }));
    stage.wait(ms(60_000));
    let refused = stage.input(ONE, InputKind::Input, b"x").unwrap_err();
    assert_eq!((refused.code, refused.bytes), ("pane_failed", 1));
    assert_eq!(stage.ask(), Some(Generation(6)));
}

#[test]
fn input_during_the_wait_tries_again_when_it_is_over() {
    let mut stage = Stage::dead();
    stage.keys(ONE, b"x");
    stage.fail(FIRST);
    let over = stage.now.at + ms(250);
    assert_eq!(stage.keys(ONE, b"y").look_at, Some(over));
    let early = stage.tick_after(ms(100));
    assert_eq!((early.start, early.look_at), (None, Some(over)), "an early look does not lose the try");
    assert_eq!(stage.tick_after(ms(150)).start, Some(SECOND));
    let terminal = stage.up(SECOND).0.unwrap();
    stage.tick_after(LIMITS.ready_ceiling);
    assert_eq!(terminal.written(), b"xy");
}

#[test]
fn a_try_is_off_when_its_input_is_gone_or_the_pane_turns_manual() {
    let waiting = || {
        let mut stage = Stage::waking_on(WakePolicy::Enter);
        stage.keys(ONE, b"\r");
        stage.fail(FIRST);
        stage.keys(ONE, b"\r");
        stage
    };
    let mut discarded = waiting();
    discarded.pane.discard(&mut Effects::default());
    discarded.keys(ONE, b"no Enter");
    assert_eq!(discarded.tick_after(ms(1000)).start, None);

    let mut manual = waiting();
    manual.pane.set(PaneSettings { wake: WakePolicy::Manual, ..PaneSettings::default() });
    assert_eq!(manual.tick_after(ms(1000)).start, None);
}

#[test]
fn a_program_that_ends_at_once_without_a_word_is_a_failed_start() {
    let mut stage = Stage::dead();
    for generation in (1..=5).map(Generation) {
        assert_eq!(stage.keys(ONE, b"x").start, Some(generation));
        assert!(stage.up(generation).0.is_some());
        assert!(stage.exit(generation, Exit::Code(127)).0);
        stage.tick_after(ms(10_000));
    }
    let reason = "exited with code 127 at once, without printing anything".to_owned();
    assert_eq!(stage.status(), PaneStatus::Failed { reason, retry_at: None });
}

#[test]
fn a_program_that_printed_or_lived_is_no_failure_however_often_it_ends() {
    let mut stage = Stage::dead();
    for generation in (1..20).map(Generation) {
        assert_eq!(stage.keys(ONE, b"x").start, Some(generation));
        stage.up(generation);
        if generation.0.is_multiple_of(2) {
            stage.output(generation, b"usage: ...\r\n");
        } else {
            stage.wait(ms(1000));
        }
        stage.exit(generation, Exit::Code(1));
    }
}

// Older generations.

#[test]
fn what_older_generations_report_changes_nothing() {
    let (mut stage, first) = Stage::live();
    stage.wait(ms(2000));
    assert!(stage.exit(FIRST, Exit::Code(0)).0);
    assert!(!stage.exit(FIRST, Exit::Code(0)).0, "an end is reported once");
    let shown = stage.shown();
    stage.output(FIRST, b"late, while dead");
    stage.keys(ONE, b"x");
    let second = stage.up(SECOND).0.unwrap();
    let restarted = stage.shown();
    assert!(restarted.starts_with(&shown));

    stage.output(FIRST, b"\x1b]133;B\x07late, while the next one runs");
    assert!(!stage.exit(FIRST, Exit::Code(0)).0);
    assert!(stage.up(FIRST).0.is_none());
    stage.fail(FIRST);
    stage.writable(FIRST);
    assert_eq!(stage.shown(), restarted);
    assert_eq!(stage.status(), PaneStatus::Live);
    assert_eq!((first.written(), second.written()), (vec![], vec![]));
}

#[test]
fn what_comes_up_after_the_close_is_not_wanted() {
    let mut stage = Stage::dead();
    stage.keys(ONE, b"x");
    let mut closed = Effects::default();
    stage.pane.close(&mut closed);
    let held = vec![Undelivered { owner: ONE, bytes: 1 }];
    assert_eq!(closed.undelivered, Some((held, "input_discarded")));
    assert!(stage.up(FIRST).0.is_none());
    assert_eq!((stage.ask(), stage.keys(ONE, b"y").start), (None, None));
}

// What the gateway prints.

#[test]
fn a_separator_says_what_happened_below_the_old_output() {
    let (mut stage, _) = Stage::live();
    // Dies in the middle of a sequence, on the alternate screen, with pastes bracketed.
    let printed = b"$ vim\r\n\x1b[?1049h\x1b[?2004h~\r\n\x1b[3";
    stage.output(FIRST, printed);
    stage.wait(ms(2000));
    let ended = stage.now.unix_ms;
    stage.exit(FIRST, Exit::Signal("SIGKILL".to_owned()));
    let dead = [printed.strip_suffix(b"\x1b[3").unwrap(), &b"\x1b[?2004l"[..]].concat();
    assert_eq!(stage.shown().escape_ascii().to_string(), dead.escape_ascii().to_string());

    stage.wait(ms(61_000));
    stage.keys(ONE, b"x");
    stage.up_with(Pretended::new(SECOND), Some("/gone is gone"));
    let (ended, restarted) = (time_of_day(ended), time_of_day(stage.now.unix_ms));
    let line = format!(
        "\x1b[?1049l\x1b[0m\r\n\
         \x1b[0;2m── killed by SIGKILL at {ended} · restarted at {restarted} · /gone is gone ──\x1b[0m\r\n"
    );
    let shown = stage.shown();
    assert_eq!(String::from_utf8_lossy(&shown[dead.len()..]), line);
}

#[test]
fn no_blank_line_is_drawn_where_the_cursor_starts_a_line_already() {
    let (mut stage, _) = Stage::live();
    stage.output(FIRST, b"\x1b[?2004h$ exit\r\n");
    stage.exit(FIRST, Exit::Code(0));
    let dead = stage.shown();
    assert!(dead.ends_with(b"exit\r\n\x1b[?2004l"));
    stage.ask_and_come_up();
    assert!(stage.shown()[dead.len()..].starts_with("\r\x1b[0;2m── exited at".as_bytes()));
}

#[test]
fn a_line_that_the_alternate_screen_ended_says_nothing_of_the_main_one() {
    let (mut stage, _) = Stage::live();
    stage.output(FIRST, b"$ sleep 9 & \x1b[?1049hsaved\r\n");
    stage.exit(FIRST, Exit::Code(0));
    let dead = stage.shown();
    stage.ask_and_come_up();
    assert!(stage.shown()[dead.len()..].starts_with(b"\x1b[?1049l\x1b[0m\r\n"));
}

#[test]
fn the_first_start_draws_nothing_but_what_there_is_to_say() {
    let mut quiet = Stage::dead();
    quiet.ask_and_come_up();
    assert_eq!(quiet.shown(), b"");

    let mut noted = Stage::dead();
    noted.ask();
    noted.up_with(Pretended::new(FIRST), Some("in\x1b[2J /"));
    assert_eq!(noted.shown(), b"\r\x1b[0;2min[2J /\x1b[0m\r\n", "no control characters from a note");
}

#[test]
fn a_failed_start_is_told_in_the_output() {
    let mut stage = Stage::dead();
    stage.keys(ONE, b"x");
    let effects = stage.fail(FIRST);
    assert!(effects.output && effects.status);
    let line = b"\r\x1b[0;2mcould not start: no such program; the next key tries again\x1b[0m\r\n";
    assert_eq!(stage.shown(), line);
}

#[test]
fn output_from_before_a_restart_comes_back_without_the_dead_programs_wishes() {
    let mut stage = Stage::dead();
    stage.pane.restore_screen(b"old\r\n\x1b[?1004h", stage.now);
    stage.pane.reset_input(stage.now);
    assert_eq!(stage.shown(), b"old\r\n\x1b[?1004h\x1b[?1004l");
}

// Directories, sizes, status.

#[test]
fn the_next_terminal_starts_where_the_last_program_said_or_was_seen_to_be() {
    let (mut stage, terminal) = Stage::live();
    assert_eq!(stage.pane.cwd(), Path::new("/first"), "the system can't say");
    terminal.with(|state| state.cwd = Some(PathBuf::from("/seen")));
    let entered = stage.keys(ONE, b"cd /seen\r");
    assert_eq!(entered.look_at, Some(stage.now.at + CWD_AFTER_ENTER));
    terminal.with(|state| state.cwd = Some(PathBuf::from("/seen/later")));
    stage.tick_after(CWD_AFTER_ENTER);
    assert_eq!(stage.pane.cwd(), Path::new("/seen/later"));
    stage.output(FIRST, b"\x1b]7;file://host/told%20so\x07");
    assert_eq!(stage.pane.cwd(), Path::new("/told so"));

    stage.exit(FIRST, Exit::Code(0));
    stage.ask_and_come_up();
    assert_eq!(stage.pane.cwd(), Path::new("/told so"), "started there, and the system can't say");
    stage.exit(SECOND, Exit::Code(0));
    stage.ask();
    let third = Pretended::new(Generation(3));
    third.with(|state| state.cwd = Some(PathBuf::from("/parent")));
    stage.up_with(third, None);
    assert_eq!(stage.pane.cwd(), Path::new("/parent"), "what is seen now, not what was told before");
}

#[test]
fn a_terminal_that_comes_up_is_told_the_size_that_viewers_settled_on_meanwhile() {
    let mut stage = Stage::dead();
    stage.keys(ONE, b"x");
    let size = Size { cols: 132, rows: 43 };
    stage.pane.sizing.report(ONE, size);
    stage.tick_after(ms(100));
    let terminal = stage.up(FIRST).0.unwrap();
    assert_eq!(terminal.with(|state| state.sizes.clone()), [size]);
}

#[test]
fn status_and_info_follow_the_terminal() {
    let settings = PaneSettings { close_on_exit: true, ..PaneSettings::default() };
    let mut stage = Stage::with(settings, LIMITS);
    assert_eq!(stage.status(), PaneStatus::Starting, "it is about to get its first");
    assert!(stage.keys(ONE, b"ls\r").status);
    let info = stage.pane.info(Some("build".to_owned()), false, stage.now);
    assert_eq!((info.name.as_deref(), info.pending, info.status), (Some("build"), 3, PaneStatus::Starting));
    assert_eq!((info.cwd.as_deref(), info.cols, info.rows), (Some("/first"), 80, 24));

    let (_, came_up) = stage.up(FIRST);
    assert!(came_up.status && stage.status() == PaneStatus::Live);
    assert!(stage.output(FIRST, b"\x1b]2;vim\x07").info);
    assert!(!stage.output(FIRST, b"\x1b]2;vim\x07").info, "nothing new");
    assert_eq!(stage.pane.info(None, true, stage.now).title, "vim");

    let (_, ended) = stage.exit(FIRST, Exit::Code(3));
    assert!(ended.status && ended.close);
    let at = stage.now.unix_ms;
    assert_eq!(stage.status(), PaneStatus::Exited { code: Some(3), signal: None, at });
}

// Any history.

#[derive(Debug, Clone)]
enum Step {
    Keys { viewer: ViewerId, length: usize },
    Up,
    Failed,
    Output { quiet: bool },
    Exit,
    Writable { room: usize },
    Tick { after_ms: u64 },
    Discard,
    Close,
}

/// Each for the newest generation, or for one that many before it.
fn step() -> impl Strategy<Value = (Step, u64)> {
    let step = prop_oneof![
        8 => (1u64..3, 1usize..30).prop_map(|(viewer, length)| Step::Keys { viewer: ViewerId(viewer), length }),
        6 => Just(Step::Up),
        2 => Just(Step::Failed),
        3 => any::<bool>().prop_map(|quiet| Step::Output { quiet }),
        3 => Just(Step::Exit),
        4 => (0usize..40).prop_map(|room| Step::Writable { room }),
        6 => (0u64..1500).prop_map(|after_ms| Step::Tick { after_ms }),
        1 => Just(Step::Tick { after_ms: 40_000 }),
        1 => Just(Step::Discard),
    ];
    let step = prop_oneof![60 => step, 1 => Just(Step::Close)];
    (step, prop_oneof![4 => Just(0u64), 1 => 1u64..3])
}

/// What must be true of a pane, kept in the plainest form.
#[derive(Default)]
struct Ledger {
    /// What was accepted and neither written nor given back, oldest first.
    waiting: VecDeque<(ViewerId, u8)>,
    /// How much of the present terminal's input is accounted for.
    counted: usize,
    starting: Option<Generation>,
    closed: bool,
    /// How many bytes were ever typed.
    typed: usize,
}

impl Ledger {
    /// The next bytes anybody types: all different from their neighbours, so that none can be mistaken.
    fn type_next(&mut self, length: usize) -> Vec<u8> {
        let from = self.typed;
        self.typed += length;
        (from..self.typed).map(|index| b"abcdefghijklmnopqrstuvwxyz\r"[index % 27]).collect()
    }

    fn account(&mut self, stage: &Stage, effects: &Effects) -> Result<(), TestCaseError> {
        if let Some(generation) = effects.start {
            prop_assert!(self.starting.is_none() && stage.terminal.is_none() && !self.closed);
            prop_assert_eq!(generation, stage.pane.generation());
            self.starting = Some(generation);
        }
        for Undelivered { owner, bytes } in effects.undelivered.iter().flat_map(|(list, _)| list) {
            // Given back oldest first, so each viewer's come off the front in its own order.
            for _ in 0..*bytes {
                let first = self.waiting.iter().position(|(typist, _)| typist == owner);
                prop_assert!(first.and_then(|first| self.waiting.remove(first)).is_some());
            }
        }
        if let Some(terminal) = &stage.terminal {
            prop_assert_eq!(terminal.generation, stage.pane.generation());
            for byte in &terminal.written()[self.counted..] {
                prop_assert_eq!(self.waiting.pop_front().map(|(_, byte)| byte), Some(*byte));
            }
            self.counted = terminal.written().len();
        }
        let held: Vec<u8> = self.waiting.iter().map(|(_, byte)| *byte).collect();
        prop_assert_eq!(stage.pane.queue.waiting(), &held[..]);
        prop_assert!(held.len() <= SMALL_LIMITS.input.bytes);
        Ok(())
    }

    fn take(
        &mut self,
        stage: &mut Stage,
        step: Step,
        generation: Generation,
    ) -> Result<Effects, TestCaseError> {
        Ok(match step {
            Step::Keys { viewer, length } => {
                let bytes = self.type_next(length);
                let (taken, effects) = stage.offer(viewer, InputKind::Input, &bytes);
                match taken {
                    Ok(()) => self.waiting.extend(bytes.iter().map(|byte| (viewer, *byte))),
                    Err(refused) => prop_assert_eq!(refused.bytes, length),
                }
                effects
            }
            Step::Up => {
                let (terminal, effects) = stage.up(generation);
                if terminal.is_some() {
                    prop_assert_eq!(self.starting.take(), Some(generation));
                    self.counted = 0;
                }
                effects
            }
            Step::Failed => {
                self.starting = self.starting.filter(|starting| *starting != generation);
                stage.fail(generation)
            }
            Step::Output { quiet } => stage.output(generation, if quiet { b"..." } else { PROMPT }),
            Step::Exit => {
                let current = stage.terminal.as_ref().is_some_and(|known| known.generation == generation);
                let (left, effects) = stage.exit(generation, Exit::Code(0));
                prop_assert_eq!(left, current);
                effects
            }
            Step::Writable { room } => {
                if let Some(terminal) = &stage.terminal {
                    terminal.with(|state| state.room = room);
                }
                stage.writable(generation)
            }
            Step::Tick { after_ms } => stage.tick_after(ms(after_ms)),
            Step::Discard => {
                let mut effects = Effects::default();
                stage.pane.discard(&mut effects);
                effects
            }
            Step::Close => {
                let mut effects = Effects::default();
                stage.pane.close(&mut effects);
                (self.closed, self.starting) = (true, None);
                effects
            }
        })
    }
}

/// Bounds that random histories reach.
const SMALL_LIMITS: PaneLimits = PaneLimits {
    input: InputLimits { bytes: 100, age: Duration::from_secs(30) },
    ring_bytes: 4096,
    ..LIMITS
};

proptest! {
    /// At most one start is under way, the terminals map holds at most the newest generation, and every byte
    /// taken is written once and in order, or waits, or was given back.
    #[test]
    fn any_history_keeps_one_terminal_and_every_byte(
        steps in proptest::collection::vec(step(), 1..120),
        wake in prop_oneof![Just(WakePolicy::AnyKey), Just(WakePolicy::Enter)],
    ) {
        let settings = PaneSettings { wake, ..PaneSettings::default() };
        let mut stage = Stage::with(settings, SMALL_LIMITS);
        let mut ledger = Ledger::default();
        for (step, age) in steps {
            let generation = Generation(stage.pane.generation().0.saturating_sub(age));
            let effects = ledger.take(&mut stage, step, generation)?;
            ledger.account(&stage, &effects)?;
        }
    }
}

#[test]
fn marks_are_at_their_very_offset_however_output_is_cut() {
    let printed = b"\x1b]133;A\x07$ \x1b]133;B\x07make\r\n\x1b[c\x1b]133;C\x07output\r\n\x1b]133;D;2\x07\x1b]133;A\x07$ ";
    for length in 1..printed.len() {
        let (mut stage, _) = Stage::live();
        for piece in printed.chunks(length) {
            stage.output(FIRST, piece);
        }
        let pane = &stage.pane;
        let command = *pane.marks.commands().next_back().unwrap();
        let mut parts = Vec::new();
        pane.log.slices(command.from, command.to.unwrap(), usize::MAX, &mut parts);
        let between = parts.concat();
        assert_eq!(
            &between[..usize::try_from(command.to.unwrap() - command.from).unwrap()],
            b"output\r\n\x1b]133;D;2\x07"
        );
        assert_eq!((command.exit, pane.marks.prompts(), pane.marks.at_prompt()), (Some(2), 2, true));
    }
}
