//! `everpane split`: a pane beside another; and how two panes lie to each other.

use std::process::ExitCode;

use clap::ArgAction;

use super::COMMON;
use super::api::Api;
use super::failure::Failure;
use super::new::pane_id;
use super::target::Target;
use super::verb::{Common, Manner, Verb};
use super::what_runs::WhatRuns;
use crate::protocol::api::{Made, SplitRequest};
use crate::protocol::client::{SplitOrientation, SplitSide};

const EXAMPLES: &str = "\
Examples:
  everpane split
      A pane to the right of the one we are in, or of the active one; prints its id.
  everpane split work:build -v --percent 25 -- htop
      Below that pane, a quarter of its height, running htop.
  everpane split p3 -h --before
      To the left of p3.

-h and -v mean what they mean in tmux: side by side, and one above the other. For help: --help.";

/// What `split` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, disable_help_flag = true)]
pub(super) struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    lie: Lie,
    /// Left of it, or above
    #[arg(short, long)]
    before: bool,
    /// Its share of the room, between 0 and 1 [default: 0.5]
    #[arg(long, conflicts_with = "percent", value_parser = ratio)]
    ratio: Option<f64>,
    /// The same in percent
    #[arg(short, long, value_parser = clap::value_parser!(u8).range(1..=99))]
    percent: Option<u8>,
    #[command(flatten)]
    what: WhatRuns,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    help: LongHelp,
}

/// How two panes lie to each other. A command that has this needs [`LongHelp`].
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Lie {
    /// Side by side (the default)
    #[arg(short = 'h', long, conflicts_with = "vertical")]
    horizontal: bool,
    /// One above the other
    #[arg(short, long)]
    vertical: bool,
}

/// The help of a command whose `-h` is something else.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct LongHelp {
    /// Print help
    #[arg(long, action = ArgAction::Help, help_heading = COMMON, display_order = 901)]
    help: Option<bool>,
}

impl Lie {
    /// As requests have it.
    pub(super) fn orientation(&self) -> Option<SplitOrientation> {
        match (self.horizontal, self.vertical) {
            (true, _) => Some(SplitOrientation::Horizontal),
            (_, true) => Some(SplitOrientation::Vertical),
            _ => None,
        }
    }
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let request = SplitRequest {
            orientation: self.lie.orientation(),
            side: if self.before { SplitSide::Before } else { SplitSide::After },
            ratio: self.ratio.or(self.percent.map(|percent| f64::from(percent) / 100.0)),
            node: self.what.node.clone(),
            cwd: self.what.cwd(api)?,
            command: self.what.command(),
        };
        let made: Made = api.post(&format!("{}/split", self.target.pane()), &request)?;
        manner.show(&made, pane_id)
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| *ratio > 0.0 && *ratio < 1.0);
    ratio.ok_or_else(|| "between 0 and 1 is wanted".to_owned())
}
