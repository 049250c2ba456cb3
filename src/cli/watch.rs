//! `everpane watch`: what happens, as it happens.

use std::io::{BufRead, BufReader, Read, stdout};
use std::process::{self, ExitCode};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;

use super::api::Api;
use super::failure::{Failure, Kind};
use super::verb::{Common, Manner, Verb, print};
use crate::protocol::api::ALIVE_EVERY_SECS;

/// A gateway that sends nothing at all for so long is gone, and its connection will not say so.
const SILENT_AFTER: Duration = Duration::from_secs(3 * ALIVE_EVERY_SECS);

const EXAMPLES: &str = "\
Examples:
  everpane watch
      A line of JSON for each event; the first has everything as it is. Ends with exit code 6 when the gateway does.
  everpane watch | jq -r 'select(.event == \"connection\" and (.connected | not)).pane'
      The panes whose programs end, as they do.";

/// What `watch` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, _: Manner) -> Result<ExitCode, Failure> {
        let events = api.stream("/events")?;
        thread::spawn(end_unheard);
        // Read where a silence can't hold us up; nothing is held between here and there.
        let (lines_tx, lines) = sync_channel(0);
        thread::spawn(move || hand_on(events, &lines_tx));
        Err(follow(&lines, SILENT_AFTER, print))
    }
}

/// Hands on line by line, until there is no more or nobody takes one. Half a line is none.
fn hand_on(events: impl Read, lines: &SyncSender<Vec<u8>>) {
    let mut events = BufReader::new(events);
    loop {
        let mut line = Vec::new();
        let read = events.read_until(b'\n', &mut line);
        if read.is_err() || line.last() != Some(&b'\n') || lines.send(line).is_err() {
            return;
        }
    }
}

/// Shows lines as they come, but for those that only say that the gateway is there. Why it ended.
fn follow(
    lines: &Receiver<Vec<u8>>,
    silent_after: Duration,
    mut show: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Failure {
    let unreachable = |why: &str| Failure::new(Kind::Unreachable, why);
    loop {
        let shown = match lines.recv_timeout(silent_after) {
            Ok(line) if line == b"\n" => Ok(()),
            Ok(line) => show(&line),
            Err(RecvTimeoutError::Disconnected) => Err(unreachable("the gateway is gone")),
            Err(RecvTimeoutError::Timeout) => Err(unreachable("the gateway fell silent")),
        };
        if let Err(why) = shown {
            return why;
        }
    }
}

/// Ends all as soon as nobody reads what we print, as with `watch | head -1`: the next event may be hours away.
fn end_unheard() {
    let stdout = stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    if retry_on_intr(|| poll(&mut fds, None)).is_ok() {
        process::exit(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was shown of a stream that then is kept open or not, and why it ended.
    fn followed(stream: &'static [u8], stays_open: bool, silent_after: Duration) -> (Vec<u8>, String) {
        let (lines_tx, lines) = sync_channel(0);
        let kept = stays_open.then(|| lines_tx.clone());
        let reading = thread::spawn(move || hand_on(stream, &lines_tx));
        let mut shown = Vec::new();
        let why = follow(&lines, silent_after, |line| {
            shown.extend_from_slice(line);
            Ok(())
        });
        drop((kept, lines));
        reading.join().expect("it ends with the stream");
        (shown, why.to_string())
    }

    #[test]
    fn whole_lines_are_shown_and_empty_ones_are_not() {
        let (shown, why) = followed(b"\n{}\n\n\n[1]\n{\"ha", false, SILENT_AFTER);
        assert_eq!((shown.as_slice(), why.as_str()), (&b"{}\n[1]\n"[..], "the gateway is gone"));
    }

    #[test]
    fn a_gateway_that_falls_silent_is_given_up() {
        let (shown, why) = followed(b"", true, Duration::from_millis(1));
        assert_eq!((shown.as_slice(), why.as_str()), (&b""[..], "the gateway fell silent"));
    }
}
