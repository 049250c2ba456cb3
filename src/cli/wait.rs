//! `everpane wait`: until something is so in a pane.

use std::process::ExitCode;
use std::time::Duration;

use super::api::Api;
use super::condition::{self, VALUE_NAMES};
use super::duration::{as_ms, seconds};
use super::failure::{Failure, Kind};
use super::progress::Progress;
use super::target::{default_target, pane_path};
use super::verb::{Common, Manner, Verb};
use crate::protocol::api::{WaitOutcome, WaitRequest};

const EXAMPLES: &str = "\
Examples:
  everpane wait work:build --for text 'Finished'
      Until that is on the screen, or comes; prints the line. Exit code 5 if it does not within 30 seconds.
  everpane wait p1 --for prompt --timeout 10m
      Until the shell is back at its prompt; prints the exit code of the command, if the shell tells it.
  everpane wait p1 --for idle=2s
      Until nothing was printed for two seconds.
  everpane wait p1 --for text=ready --since $(everpane send p1 ./serve --enter --json | jq .offset)
      Only what came after that was typed counts; `send --wait` does the same in one.";

/// How long to wait if nobody says.
pub(super) const DEFAULT_TIMEOUT: &str = "30s";

/// What `wait` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The pane [default: the one we are in, else the active one]
    #[arg(value_name = "TARGET", conflicts_with = "target")]
    pane: Option<String>,
    /// The same, as tmux has it
    #[arg(short, long, value_name = "TARGET")]
    target: Option<String>,
    /// What for: text=…, regex=…, prompt, exit, idle, idle=500ms, connected; or `text …`, `regex …`, `idle …`
    #[arg(long = "for", required = true, num_args = 1..=2, value_names = VALUE_NAMES)]
    condition: Vec<String>,
    /// Only output after this offset counts
    #[arg(long, value_name = "OFFSET")]
    since: Option<u64>,
    /// Only a prompt after so many counts
    #[arg(long, value_name = "PROMPTS")]
    since_prompt: Option<u64>,
    /// How long at most: 500ms, 30s, 2m, 1h
    #[arg(long, value_name = "TIME", default_value = DEFAULT_TIMEOUT, value_parser = seconds)]
    timeout: Duration,
    #[command(flatten)]
    common: Common,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let next = self.condition.get(1);
        let (what, used) = condition::parse(&self.condition[0], next.map(String::as_str))?;
        let target = match (self.pane.as_ref().or(self.target.as_ref()), next.filter(|_| !used)) {
            (Some(_), Some(word)) => return Err(Failure::new(Kind::Usage, format!("what is `{word}`?"))),
            // `--for prompt p1`: the pane stands where other kinds have their pattern.
            (target, word) => target.or(word).cloned().unwrap_or_else(default_target),
        };
        let request = WaitRequest {
            what,
            since: self.since,
            since_prompt: self.since_prompt,
            timeout_ms: Some(as_ms(self.timeout)),
        };
        wait(api, &target, &request, manner)
    }
}

/// Waits, and shows how it went.
pub(super) fn wait(
    api: &Api,
    target: &str,
    request: &WaitRequest,
    manner: Manner,
) -> Result<ExitCode, Failure> {
    let what = condition::words(&request.what);
    let progress = Progress::start(&what, !manner.quiet);
    let longer = Duration::from_millis(request.timeout_ms.unwrap_or_default());
    let answer = api.post_slowly(&format!("{}/wait", pane_path(target)), request, longer);
    drop(progress);
    let outcome: WaitOutcome = answer?;
    manner.show(&outcome, found)?;
    if outcome.missed > 0 && !manner.json {
        manner.say(&format!("{} bytes of output were no longer there to be looked at", outcome.missed));
    }
    match outcome.met {
        true => Ok(ExitCode::SUCCESS),
        false => Err(Failure::new(
            Kind::TimedOut,
            format!(
                "waited {:.1} s for {what} in vain",
                Duration::from_millis(outcome.elapsed_ms).as_secs_f64()
            ),
        )),
    }
}

/// What was found: a line, or an exit code.
fn found(outcome: &WaitOutcome) -> String {
    match (&outcome.line, outcome.exit) {
        _ if !outcome.met => String::new(),
        (Some(line), _) => format!("{line}\n"),
        (None, Some(exit)) => format!("{exit}\n"),
        (None, None) => String::new(),
    }
}
