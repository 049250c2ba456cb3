//! What the link promises, case by case.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::frame::{Number, ToGateway, ToNode, WhenFull};
use super::super::{INPUT_WINDOW, PtyService, RemoteHost};
use super::pair::{Pair, RING_BYTES, WINDOW_BYTES, defaults, hello, request};
use super::pretended::{Notes, Pretending, Program};
use crate::geometry::Size;
use crate::host::{Checkpoint, Due, Exit, Host, Unwritten};
use crate::ids::PaneId;
use crate::pane::respawn::Generation;

const PANE: PaneId = PaneId(1);
const FIRST: Generation = Generation(1);

#[tokio::test]
async fn a_terminal_works_over_the_link() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let notes = Arc::new(Notes::default());
    let spawned = pair.spawn(1, 1, &notes).await;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    program.take_more(1000);
    assert!(program.print(b"hello"));
    assert_eq!(spawned.terminal.write(b"ls\r"), 3);
    spawned.terminal.resize(Size { cols: 100, rows: 30 });
    pair.settle().await;
    assert_eq!(*notes.output.lock().unwrap(), b"hello");
    assert_eq!(program.lock().read, b"ls\r");
    assert_eq!(program.lock().sizes, [Size { cols: 100, rows: 30 }]);
    // What is to be seen of it comes by and by.
    while !spawned.terminal.reads_raw() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        pair.settle().await;
    }
    assert_eq!(spawned.terminal.cwd(), Some("/somewhere".into()));
    assert!(spawned.terminal.interrupt(3) && !spawned.terminal.interrupt(b'x'));
    spawned.terminal.kill();
    pair.settle().await;
    assert_eq!(program.lock().read, b"ls\r\x03");
    assert!(program.lock().killed);
    program.end(Exit::Code(7));
    pair.settle().await;
    assert_eq!(notes.exit(), Some(Exit::Code(7)));
    assert_eq!(pair.service.terminals(), 0, "the end was heard of, so it is forgotten");
}

#[tokio::test]
async fn what_a_program_never_got_comes_back_before_its_end() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let notes = Arc::new(Notes::default());
    let spawned = pair.spawn(1, 1, &notes).await;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    program.take_more(2);
    spawned.terminal.write(b"abcd");
    pair.settle().await;
    spawned.terminal.write(b"ef");
    program.end(Exit::Code(0));
    pair.settle().await;
    assert_eq!(*notes.unwritten.lock().unwrap(), [Unwritten::Not(b"cdef".to_vec())]);
    assert_eq!(notes.exit(), Some(Exit::Code(0)));
}

#[tokio::test]
async fn no_more_input_is_taken_than_the_window_and_room_is_told_of() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let notes = Arc::new(Notes::default());
    let spawned = pair.spawn(1, 1, &notes).await;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    let input = vec![b'x'; INPUT_WINDOW + 10];
    assert_eq!(spawned.terminal.write(&input), INPUT_WINDOW);
    pair.settle().await;
    assert!(!notes.writable.load(Ordering::SeqCst));
    program.take_more(1000);
    pair.settle().await;
    assert!(notes.writable.load(Ordering::SeqCst));
    assert_eq!(spawned.terminal.write(&input), 1000);
}

#[tokio::test]
async fn a_node_that_lost_its_terminals_lost_what_was_typed_and_says_how_much() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let notes = Arc::new(Notes::default());
    let spawned = pair.spawn(1, 1, &notes).await;
    spawned.terminal.write(b"abc");
    pair.settle().await;
    spawned.terminal.write(b"de");
    pair.restart_node();
    assert_eq!(spawned.terminal.write(b"f"), 0, "nobody is there to take it");
    assert_eq!(pair.connect().await, []);
    let unwritten = notes.unwritten.lock().unwrap().clone();
    assert_eq!(unwritten, [Unwritten::Perhaps(3), Unwritten::Not(b"de".to_vec())]);
    assert_eq!(notes.exit(), Some(Exit::Unknown));
}

#[tokio::test]
async fn a_start_fails_with_its_connection_and_what_came_up_all_the_same_is_ended() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let notes = Arc::new(Notes::default());
    let starting = tokio::spawn(pair.host.spawn(request(1, 1), notes.clone()));
    tokio::task::yield_now().await;
    pair.step(true, false).await;
    let kept = pair.connect().await;
    assert!(starting.await.unwrap().is_err());
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    assert_eq!(kept.len(), 1);
    pair.host.discard(&kept[0]);
    pair.settle().await;
    assert!(program.lock().killed);
    pair.cut();
    let refused = pair.host.spawn(request(1, 2), notes.clone()).await.unwrap_err();
    assert_eq!(refused.reason, "the node is not connected");
}

#[tokio::test]
async fn a_gateway_that_starts_anew_goes_on_from_a_checkpoint() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let notes = Arc::new(Notes::default());
    let spawned = pair.spawn(1, 1, &notes).await;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    program.take_more(3);
    program.print(b"before ");
    spawned.terminal.write(b"abcde");
    pair.settle().await;
    let checkpoint = Checkpoint { printed: 7, bytes: bytes::Bytes::from_static(b"screen") };
    spawned.terminal.keep(checkpoint.clone());
    pair.settle().await;
    pair.cut();
    program.print(b"meanwhile ");
    pair.host = RemoteHost::new(hello("g", WhenFull::Wait));
    let kept = pair.connect().await;
    assert_eq!((kept[0].pane, kept[0].generation), (PANE, FIRST));
    assert_eq!((kept[0].output.clone(), kept[0].given), (0..17, 7));
    assert_eq!(kept[0].checkpoint, Some(checkpoint));
    let anew = Arc::new(Notes::default());
    let terminal = pair.host.resume(&kept[0], 7, anew.clone()).unwrap();
    terminal.start();
    assert_eq!(terminal.write(b"fg"), 2);
    program.print(b"after");
    program.take_more(100);
    pair.settle().await;
    assert_eq!(*anew.output.lock().unwrap(), b"meanwhile after");
    assert_eq!(program.lock().read, b"abcdefg");
}

#[tokio::test]
async fn another_gateway_ends_what_the_first_one_had() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    pair.spawn(1, 1, &Arc::default()).await;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    pair.host = RemoteHost::new(hello("other", WhenFull::Wait));
    assert_eq!(pair.connect().await, []);
    assert!(program.lock().killed);
    assert_eq!(pair.service.terminals(), 0);
}

#[tokio::test]
async fn a_full_sink_stops_the_program_and_room_lets_it_go_on() {
    let mut pair = Pair::connected(WhenFull::Drop).await;
    let notes = Arc::new(Notes::default());
    pair.spawn(1, 1, &notes).await;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    notes.set_full(true);
    let mut printed = 0;
    while program.print(&[b'x'; 4096]) {
        printed += 4096;
        pair.settle().await;
    }
    assert_eq!(printed, RING_BYTES / 4);
    notes.set_full(false);
    pair.settle().await;
    assert!(program.print(b"more"));
    pair.settle().await;
    assert_eq!(notes.printed(), printed as u64 + 4);
}

#[tokio::test]
async fn an_end_behind_output_that_nobody_takes_is_told_once_there_is_room() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let notes = Arc::new(Notes::default());
    pair.spawn(1, 1, &notes).await;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    notes.set_full(true);
    let printed = RING_BYTES / 4;
    assert!(printed > WINDOW_BYTES as usize);
    for _ in 0..printed / 4096 {
        assert!(program.print(&[b'x'; 4096]));
    }
    program.end(Exit::Code(3));
    pair.settle().await;
    assert!(notes.printed() < printed as u64, "more than the window is on its way");
    assert_eq!(notes.exit(), None, "it comes after the output");
    notes.set_full(false);
    pair.settle().await;
    assert_eq!((notes.printed(), notes.exit()), (printed as u64, Some(Exit::Code(3))));
    assert_eq!(pair.service.terminals(), 0);
}

#[tokio::test]
async fn without_a_gateway_a_full_ring_stops_the_program_or_drops_the_oldest() {
    for (when_full, start) in [(WhenFull::Wait, 0), (WhenFull::Drop, 1 << 20)] {
        let mut pair = Pair::connected(when_full).await;
        let notes = Arc::new(Notes::default());
        pair.spawn(1, 1, &notes).await;
        let program = pair.pretending.program(PANE, FIRST).unwrap();
        pair.cut();
        let mut printed = 0u64;
        while printed < (1 << 20) + RING_BYTES as u64 && program.print(&[b'x'; 4096]) {
            printed += 4096;
        }
        let kept = pair.connect().await;
        assert_eq!(kept[0].output, start..printed);
        let terminal = pair.host.resume(&kept[0], start, notes.clone()).unwrap();
        terminal.start();
        pair.settle().await;
        assert_eq!(notes.printed(), printed - start);
    }
}

#[tokio::test]
async fn without_a_gateway_a_program_prints_on_for_as_long_as_what_follows_its_checkpoint_is_kept() {
    // What the gateway has taken since the checkpoint.
    for taken in [0, RING_BYTES / 8 * 5] {
        let mut pair = Pair::connected(WhenFull::Wait).await;
        let notes = Arc::new(Notes::default());
        let terminal = pair.spawn(1, 1, &notes).await.terminal;
        let program = pair.pretending.program(PANE, FIRST).unwrap();
        print_and_settle(&mut pair, &program, RING_BYTES).await;
        let printed = notes.printed();
        terminal.keep(Checkpoint { printed, bytes: bytes::Bytes::new() });
        pair.settle().await;
        print_and_settle(&mut pair, &program, taken).await;
        pair.cut();
        while program.print(&[b'y'; 4096]) {}
        pair.host = RemoteHost::new(hello("g", WhenFull::Wait));
        let kept = pair.connect().await;
        assert!(kept[0].reaches(printed), "{kept:?}");
        assert!(kept[0].output.end - printed >= RING_BYTES as u64 / 2, "{kept:?}");
        let anew = Arc::new(Notes::default());
        pair.host.resume(&kept[0], printed, anew.clone()).unwrap().start();
        pair.settle().await;
        assert_eq!(printed + anew.printed(), kept[0].output.end);
        assert!(program.print(b"and on"), "there is room again");
    }
}

/// A program prints so much, all of which the gateway takes.
async fn print_and_settle(pair: &mut Pair, program: &Arc<Program>, bytes: usize) {
    for _ in 0..bytes / 4096 {
        assert!(program.print(&[b'x'; 4096]));
        pair.settle().await;
    }
}

/// A program that has printed as much as the node's ring holds, all of which the gateway has.
async fn full_ring() -> (Pair, Arc<Notes>, Arc<Program>) {
    let mut pair = Pair::connected(WhenFull::Drop).await;
    let notes = Arc::new(Notes::default());
    pair.spawn(1, 1, &notes).await;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    print_and_settle(&mut pair, &program, RING_BYTES).await;
    (pair, notes, program)
}

#[tokio::test]
async fn what_was_said_to_be_kept_is_kept_until_it_is_resumed() {
    let (mut pair, notes, program) = full_ring().await;
    let kept = pair.connect().await;
    while program.print(&[b'y'; 4096]) {}
    pair.host.resume(&kept[0], kept[0].output.start, notes.clone()).unwrap().start();
    pair.settle().await;
    assert!(program.print(b"and on"));
    pair.settle().await;
    assert!(notes.output.lock().unwrap().ends_with(b"and on"));
}

#[tokio::test]
async fn a_program_that_waited_while_its_node_greeted_goes_on_at_the_resume() {
    let (mut pair, notes, program) = full_ring().await;
    let kept = pair.connect().await;
    assert!(!program.print(b"y"), "nobody knows yet what the gateway has");
    pair.settle().await;
    // It has everything, so it has nothing more to acknowledge.
    pair.host.resume(&kept[0], notes.printed(), notes.clone()).unwrap().start();
    pair.settle().await;
    assert!(program.print(b"and on"));
    pair.settle().await;
    assert!(notes.output.lock().unwrap().ends_with(b"and on"));
}

#[tokio::test]
async fn checkpoints_are_due_before_the_ring_forgets() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let notes = Arc::new(Notes::default());
    let terminal = pair.spawn(1, 1, &notes).await.terminal;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    let mut seen = vec![];
    for _ in 0..RING_BYTES / 2 / 4096 {
        program.print(&[b'x'; 4096]);
        pair.settle().await;
        seen.push(terminal.checkpoint_due());
        if seen.last() == Some(&Due::Now) {
            break;
        }
    }
    seen.dedup();
    assert_eq!(seen, [Due::Never, Due::Soon, Due::Now]);
    let printed = notes.printed();
    terminal.keep(Checkpoint { printed, bytes: bytes::Bytes::new() });
    assert_eq!(terminal.checkpoint_due(), Due::Never);
}

#[tokio::test]
async fn a_checkpoint_goes_before_what_lets_the_node_forget() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let notes = Arc::new(Notes::default());
    let terminal = pair.spawn(1, 1, &notes).await.terminal;
    let program = pair.pretending.program(PANE, FIRST).unwrap();
    program.print(&[b'x'; WINDOW_BYTES as usize / 2]);
    while notes.printed() == 0 {
        pair.step(false, true).await;
    }
    // That it was printed is to be acknowledged by now.
    let checkpoint = Checkpoint { printed: notes.printed(), bytes: bytes::Bytes::new() };
    terminal.keep(checkpoint.clone());
    pair.step(true, false).await;
    pair.cut();
    assert_eq!(pair.connect().await[0].checkpoint, Some(checkpoint));
}

#[tokio::test]
async fn a_flood_does_not_hold_up_others() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let (flood, quiet) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
    pair.spawn(1, 1, &flood).await;
    pair.spawn(2, 1, &quiet).await;
    let flooding = pair.pretending.program(PANE, FIRST).unwrap();
    while flooding.print(&[b'x'; 8192]) {}
    pair.pretending.program(PaneId(2), FIRST).unwrap().print(b"echo");
    // One frame of the flood may be before it.
    for _ in 0..2 {
        pair.step(true, true).await;
    }
    assert_eq!(*quiet.output.lock().unwrap(), b"echo");
    assert!(flood.printed() <= 16384);
}

#[tokio::test]
async fn an_old_connection_changes_nothing() {
    let pretending = Arc::new(Pretending::default());
    let host = RemoteHost::new(hello("g", WhenFull::Wait));
    let service = PtyService::new(pretending, defaults());
    let (mut old, mut old_out) = host.connect();
    let (mut old_node, mut old_node_out) = service.connect();
    let (_new, mut new_out) = host.connect();
    let (_new_node, _new_node_out) = service.connect();
    assert_eq!(old_out.next().await, None);
    assert_eq!(old_node_out.next().await, None);
    assert_eq!(old.take(ToGateway::Ready.encode()).unwrap(), super::super::Taken::Nothing);
    old_node.take(ToNode::Kill { number: Number(1) }.encode()).unwrap();
    drop((old, old_out));
    assert!(new_out.next().await.is_some(), "its end is not the end of the new one");
}

#[tokio::test]
async fn directories_are_asked_of_the_node() {
    let mut pair = Pair::connected(WhenFull::Wait).await;
    let host = pair.host.clone();
    let asking = tokio::spawn(async move { host.directories("/".to_owned()).await });
    while !asking.is_finished() {
        pair.settle().await;
    }
    let listing = asking.await.unwrap().unwrap();
    assert_eq!(listing.current, "/");
    assert!(listing.directories.contains(&"usr".to_owned()));
    pair.cut();
    assert!(pair.host.directories(String::new()).await.is_err());
}
