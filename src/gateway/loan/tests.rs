//! A real terminal, lent by nobody.

use std::io::{Read, Write};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{OptionalActions, tcsetattr};

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
    let device = rustix::fs::fstat(&terminal).unwrap().st_rdev;
    let holder = Holder::of(rustix::process::getpid()).unwrap();
    // As if it had just been seen to be in front, throughout the test.
    *holder.seen.lock().unwrap() = Some(Instant::now() + Duration::from_secs(3600));
    let terminal = watch(terminal, Interest::READABLE).unwrap();
    let lend = TerminalLend { pane_id: PANE, offset: 100, device, stops: Vec::new() };
    let settings = modes(terminal.get_ref()).unwrap();
    let loan = Loan { terminal, settings, device, holder, lend, channel: CHANNEL };
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
    let is_in_front = |state: &str, group: i32, number: i32, foreground: i32| {
        let text = format!("42 (a ) T (b) {state} 1 {group} 40 {number} {foreground} 4194304 0");
        Status::parse(text.as_bytes()).is_some_and(|status| status.is_in_front(terminal))
    };
    assert!(is_in_front("S", 42, number, 42) && is_in_front("R", 42, number, 42));
    assert!(!is_in_front("T", 42, number, 42), "it is stopped");
    assert!(!is_in_front("S", 42, number, 50), "it is in the background");
    assert!(!is_in_front("S", 42, number + 1, 42), "it has another terminal");
    assert!(!is_in_front("S", 42, 0, -1) && !is_in_front("S", -1, number, -1), "it has none");
    assert!(!is_in_front("S", 0, number, 0), "its groups are of another namespace");
    for cut in [&b""[..], b"42 (a", b"42 (a) S 1 42"] {
        assert_eq!(Status::parse(cut), None);
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
async fn a_terminal_that_somebody_else_set_up_is_left_alone() {
    let (loans, mut other) = lent();
    granted(&loans);
    let loan = loans.reading().unwrap();
    other.write_all(b"keys").unwrap();
    let mut buffer = [0; MAX_KEYS];
    eventually_readable(&loan).await;
    let terminal = loan.terminal.get_ref();
    let raw = tcgetattr(terminal).unwrap();
    let mut cooked = raw.clone();
    cooked.output_modes |= OutputModes::OPOST;
    tcsetattr(terminal, OptionalActions::Now, &cooked).unwrap();
    assert_eq!((loan.read(&mut buffer), loan.write(b"echo")), (Err(Errno::IO), 0));
    tcsetattr(terminal, OptionalActions::Now, &raw).unwrap();
    assert_eq!((loan.read(&mut buffer), loan.write(b"echo")), (Ok(&b"keys"[..]), 4));
}

/// Waits until something was typed.
async fn eventually_readable(loan: &Loan) {
    loan.terminal.readable().await.unwrap().clear_ready();
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
    for (unfit, is_final) in [(Unfit::Far, true), (Unfit::NoTerminal, true), (Unfit::Behind, false)] {
        loans.lock().turned_down = Some(unfit);
        let Some(ServerMessage::TerminalReturned { refused, .. }) = loans.word(|_, _| true) else {
            panic!("no answer")
        };
        assert_eq!((refused.is_some(), loans.word(|_, _| true)), (is_final, None));
    }
}

#[tokio::test]
async fn only_the_terminal_of_a_process_is_taken() {
    let lend = |stops| TerminalLend { pane_id: PANE, offset: 0, device: 0, stops };
    let this = rustix::process::getpid();
    let open = |lend| Loan::open(this, lend, CHANNEL).unwrap_err();
    assert!(matches!(open(lend(vec![String::new()])), Unfit::Stops));
    assert!(matches!(open(lend(vec!["x".to_owned(); MAX_STOPS + 1])), Unfit::Stops));
    assert!(matches!(open(lend(vec!["x".repeat(MAX_STOP_BYTES + 1)])), Unfit::Stops));
    assert!(matches!(open(lend(Vec::new())), Unfit::NoTerminal), "no device has this number");
}
