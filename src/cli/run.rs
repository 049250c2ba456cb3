//! `everpane run`: a command at the shell's prompt of a pane, as if it were run here.

use std::process::ExitCode;
use std::time::Duration;

use super::api::Api;
use super::duration::{as_ms, seconds};
use super::failure::{Failure, Kind};
use super::progress::Progress;
use super::target::Target;
use super::verb::{Common, Manner, Verb};
use crate::protocol::api::{RunOutcome, RunRequest};

/// The exit code where it is not the command's.
const OURS: u8 = 125;

/// The longest that a command may take, as the gateway has it.
const LONGEST: Duration = Duration::from_secs(3600);

const EXAMPLES: &str = "\
Examples:
  everpane run work:build -- cargo test
      Types it at the shell's prompt there, waits for its end, prints what it printed, exits with its status.
  everpane run p1 --timeout 5m --json -- make 2>&1 | jq .exit
      The same as JSON; words after -- are joined by spaces, and the pane's shell reads them.

Exit codes are the command's own; 125 is ours: no such pane, no gateway, no prompt, not in time, no status.
It needs a shell that marks its prompt (OSC 133): see `everpane shell-integration`.";

/// What `run` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    target: Target,
    /// How long at most: 500ms, 30s, 2m [default: as long as it takes, at most 1h]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    timeout: Option<Duration>,
    /// The command line
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    common: Common,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn failure_code(&self) -> Option<u8> {
        Some(OURS)
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let command = self.command.join(" ");
        let request = RunRequest { command: command.clone(), timeout_ms: self.timeout.map(as_ms) };
        let progress = Progress::start(&format!("`{command}`"), !manner.quiet);
        let longer = self.timeout.unwrap_or(LONGEST);
        let answer = api.post_slowly(&format!("{}/run", self.target.pane()), &request, longer);
        drop(progress);
        let outcome: RunOutcome = answer?;
        manner.show(&outcome, |outcome| outcome.output.clone())?;
        if outcome.missed > 0 {
            manner.say(&format!("the first {} bytes of what it printed are no longer there", outcome.missed));
        }
        status(&outcome)
    }
}

/// The command's own status, if it has one.
fn status(outcome: &RunOutcome) -> Result<ExitCode, Failure> {
    match outcome.exit {
        _ if !outcome.ended => {
            Err(Failure::new(Kind::TimedOut, "the command did not end in time; it goes on"))
        }
        Some(exit) => Ok(ExitCode::from(u8::try_from(exit & 0xff).unwrap_or(OURS))),
        None => Err(Failure::new(Kind::Other, "the command ended, and nobody knows its status")
            .hint("a shell that marks its prompt and tells exit codes: see `everpane shell-integration`")),
    }
}
