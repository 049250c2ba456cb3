//! `everpane watch`: what happens, as it happens.

use std::io::{BufRead, BufReader, stdout};
use std::process::{self, ExitCode};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;

use super::api::Api;
use super::failure::{Failure, Kind};
use super::verb::{Common, Manner, Verb, print};

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
        let gone = || Failure::new(Kind::Unreachable, "the gateway is gone");
        let mut events = BufReader::new(api.stream("/events")?);
        thread::spawn(end_unheard);
        loop {
            let mut line = Vec::new();
            match events.read_until(b'\n', &mut line) {
                // Half a line is no event.
                Ok(_) if line.last() != Some(&b'\n') => return Err(gone()),
                Ok(_) => print(&line)?,
                Err(_) => return Err(gone()),
            }
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
