//! `everpane move`: a pane to another tab, a tab to another place.

use std::process::ExitCode;

use super::api::Api;
use super::failure::{Failure, Kind};
use super::split::{Lie, LongHelp};
use super::target::{Level, Target, level, path};
use super::verb::{Common, Manner, Verb};
use crate::protocol::api::MoveRequest;

const EXAMPLES: &str = "\
Examples:
  everpane move p3 --to work:logs
      The pane into that tab; with -v below what is there.
  everpane move p3
      Into a tab of its own.
  everpane move p3 --swap p5
      The two change places.
  everpane move work:logs --index 0
      The tab to the front; with --to into another session.";

/// What `move` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, disable_help_flag = true)]
pub(super) struct Args {
    #[command(flatten)]
    target: Target,
    /// Of a pane: the tab that it goes to; of a tab: the session
    #[arg(long, value_name = "TARGET", conflicts_with = "swap")]
    to: Option<String>,
    /// Of a pane: the one that it changes places with
    #[arg(long, value_name = "PANE")]
    swap: Option<String>,
    #[command(flatten)]
    lie: Lie,
    /// Of a tab: its new place, from 0 [default: the last]
    #[arg(long)]
    index: Option<usize>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    help: LongHelp,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, _: Manner) -> Result<ExitCode, Failure> {
        let target = self.target.text();
        let orientation = self.lie.orientation();
        let wrong = |what: &str| Failure::new(Kind::Usage, format!("{what}, and `{target}` is none"));
        match level(&target) {
            Level::Session => return Err(wrong("a pane or a tab can be moved")),
            Level::Pane if self.index.is_some() => return Err(wrong("--index is for a tab")),
            Level::Tab if self.swap.is_some() || orientation.is_some() => {
                return Err(wrong("--swap, -h and -v are for a pane"));
            }
            Level::Tab | Level::Pane => {}
        }
        let request = MoveRequest {
            to: self.swap.clone().or_else(|| self.to.clone()),
            swap: self.swap.is_some(),
            orientation,
            index: self.index,
        };
        api.tell(&format!("{}/move", path(&target)), &request)?;
        Ok(ExitCode::SUCCESS)
    }
}
