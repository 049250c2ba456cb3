//! A real terminal, lent by nobody.

use std::io::Read;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::*;

const PANE: PaneId = PaneId(1);
const CHANNEL: Channel = Channel(7);

/// A raw terminal, lent for a pane of which the client drew everything up to 100; and its other side.
fn lent() -> (Loans, File) {
    let other = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&other).unwrap();
    unlockpt(&other).unwrap();
    let terminal = ioctl_tiocgptpeer(&other, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    let mut raw = tcgetattr(&terminal).unwrap();
    raw.make_raw();
    tcsetattr(&terminal, OptionalActions::Now, &raw).unwrap();
    rustix::io::ioctl_fionbio(&terminal, true).unwrap();
    let device = fstat(&terminal).unwrap().st_rdev;
    let holder = Holder::of(rustix::process::getpid()).unwrap();
    // As if it had just been seen to be in front, throughout the test.
    *holder.seen.lock().unwrap() = Some(Instant::now() + Duration::from_secs(3600));
    let terminal = watch(terminal, Interest::READABLE).unwrap();
    let lend = TerminalLend { pane_id: PANE, offset: 100, stops: Vec::new() };
    let loan = Loan { terminal, device, holder, lend, channel: CHANNEL };
    let loans = Loans::default();
    loans.lock().place = Place::Offered(Arc::new(loan));
    (loans, other.into())
}

fn echo(offset: u64, payload: &[u8]) -> Bytes {
    output_frame(OutputKind::Output, offset, CHANNEL, &[payload])
}

fn granted(loans: &Loans) {
    assert_eq!(loans.word(|pane, offset| (pane, offset) == (PANE, 100)), Some(ServerMessage::TerminalLent));
}

#[test]
fn a_process_has_its_terminal_while_it_runs_in_the_foreground() {
    // Major 136, minor 300: the minor number has two parts.
    let terminal = rustix::fs::makedev(136, 300);
    let number = (136 << 8) | (300 & 0xff) | ((300 & !0xff) << 12);
    let status = |state: &str, group: i32, number: i32, foreground: i32| {
        format!("42 (a ) T (b) {state} 1 {group} 40 {number} {foreground} 4194304 0").into_bytes()
    };
    assert!(has_terminal(&status("S", 42, number, 42), terminal));
    assert!(has_terminal(&status("R", 42, number, 42), terminal));
    assert!(!has_terminal(&status("T", 42, number, 42), terminal), "it is stopped");
    assert!(!has_terminal(&status("S", 42, number, 50), terminal), "it is in the background");
    assert!(!has_terminal(&status("S", 42, number + 1, 42), terminal), "it has another terminal");
    assert!(!has_terminal(&status("S", 42, 0, -1), terminal), "it has none");
    for cut in [&b""[..], b"42 (a", b"42 (a) S 1 42"] {
        assert!(!has_terminal(cut, terminal));
    }
}

#[tokio::test]
async fn the_client_knows_of_each_byte_whether_it_is_there() {
    let (loans, mut other) = lent();
    let plain = echo(100, b"for the client");
    assert_eq!(loans.draw(plain.clone()), (None, Some(plain)), "not granted yet");
    granted(&loans);
    assert_eq!(loans.word(|_, _| unreachable!("nothing is offered")), None);
    let drawn = echo(100, b"echo");
    assert_eq!(loans.draw(drawn.clone()), (Some(drawn), None));
    let mut there = [0; 4];
    other.read_exact(&mut there).unwrap();
    assert_eq!(&there, b"echo");
    let elsewhere = output_frame(OutputKind::Output, 0, Channel(8), &[b"x"]);
    assert_eq!(loans.draw(elsewhere.clone()), (None, Some(elsewhere)), "another pane's");
    assert!(loans.reading().is_some());
    loans.lock().passed = Some(b'k');
    loans.end(b"\x1c");
    assert!(loans.reading().is_none());
    let late = echo(104, b"late");
    assert_eq!(loans.draw(late.clone()), (Some(late), None), "the client was not told yet");
    assert_eq!(loans.word(|_, _| false), Some(returned(b"\x1c", Some(b'k'))));
    assert_eq!(loans.word(|_, _| false), None, "told once");
    let after = echo(108, b"after");
    assert_eq!(loans.draw(after.clone()), (None, Some(after)));
}

#[tokio::test]
async fn more_than_an_echo_and_pictures_are_for_the_client() {
    for frame in [
        echo(100, &[b'x'; MAX_DRAWN + 1]),
        output_frame(OutputKind::Restart, 100, CHANNEL, &[b"picture"]),
        output_frame(OutputKind::RestartPart, 100, CHANNEL, &[b"part"]),
    ] {
        let (loans, _other) = lent();
        granted(&loans);
        assert_eq!(loans.draw(frame.clone()), (None, Some(frame)));
        assert_eq!(loans.word(|_, _| false), Some(returned(b"", None)), "told before the frame");
    }
}

#[tokio::test]
async fn what_a_slow_terminal_does_not_take_is_for_the_client() {
    let (loans, mut other) = lent();
    granted(&loans);
    let payload: Vec<u8> = (0..MAX_DRAWN).map(|at| b'a' + (at % 26) as u8).collect();
    let (mut offset, mut drawn) = (100, 0);
    // Nobody reads the other side, so this comes to an end.
    let left = loop {
        let frame = echo(offset, &payload);
        let (there, left) = loans.draw(frame.clone());
        let there_length = there.map_or(0, |there| there.len() - OUTPUT_HEADER);
        drawn += there_length;
        let Some(left) = left else {
            offset += payload.len() as u64;
            continue;
        };
        assert_eq!(left, echo(offset + there_length as u64, &payload[there_length..]));
        break left;
    };
    assert_eq!(loans.word(|_, _| false), Some(returned(b"", None)));
    assert_eq!(loans.draw(left.clone()), (None, Some(left)));
    let mut there = vec![0; drawn];
    other.read_exact(&mut there).unwrap();
    let wanted: Vec<u8> = payload.iter().copied().cycle().take(drawn).collect();
    assert!(there == wanted, "each byte once and in order");
}

#[tokio::test]
async fn an_offer_that_comes_too_late_is_turned_down() {
    let (loans, _other) = lent();
    assert_eq!(loans.word(|_, _| false), Some(returned(b"", None)), "more was sent meanwhile");
    let (loans, _other) = lent();
    loans.end(b"");
    assert_eq!(loans.word(|_, _| true), Some(returned(b"", None)), "it was taken back before it was granted");
    loans.lock().refused = Some("no".to_owned());
    let refused =
        ServerMessage::TerminalReturned { keys: String::new(), passed: None, refused: Some("no".to_owned()) };
    assert_eq!((loans.word(|_, _| true), loans.word(|_, _| true)), (Some(refused), None));
}

#[tokio::test]
async fn only_the_terminal_of_a_process_is_taken() {
    let lend = |stops| TerminalLend { pane_id: PANE, offset: 0, stops };
    let this = rustix::process::getpid();
    let open = |lend| Loan::open(this, lend, CHANNEL).unwrap_err();
    assert!(matches!(open(lend(vec![String::new()])), Unfit::Stops));
    assert!(matches!(open(lend(vec!["x".to_owned(); MAX_STOPS + 1])), Unfit::Stops));
    assert!(matches!(open(lend(vec!["x".repeat(MAX_STOP_BYTES + 1)])), Unfit::Stops));
    // Of a test, that is a file, a pipe, or a terminal that the process which runs all tests has.
    assert!(matches!(open(lend(Vec::new())), Unfit::NoTerminal | Unfit::Closed(_)));
}
