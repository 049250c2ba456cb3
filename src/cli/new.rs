//! `everpane new`: a session, or a tab in one.

use std::process::ExitCode;

use super::api::{Api, part};
use super::failure::Failure;
use super::target::default_target;
use super::verb::{Common, Manner, Verb};
use super::what_runs::WhatRuns;
use crate::protocol::api::{Made, NewSession, NewTab};

const EXAMPLES: &str = "\
Examples:
  everpane new --name work
      A session; prints the id of its pane.
  everpane new --tab -t work --name logs -- journalctl -f
      A tab in the session `work`, with a program in the place of a shell.
  pane=$(everpane new --node laptop --cwd /srv)
      A session on another machine.";

/// What `new` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Its name [default: the first free number]
    #[arg(short, long, visible_short_alias = 's')]
    name: Option<String>,
    /// A tab, in the place of a session
    #[arg(long)]
    tab: bool,
    /// The session that the tab goes into [default: the one we are in, else the active one]
    #[arg(short, long, value_name = "SESSION", requires = "tab")]
    target: Option<String>,
    #[command(flatten)]
    what: WhatRuns,
    #[command(flatten)]
    common: Common,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let name = self.name.clone();
        let (node, cwd, command) = (self.what.node.clone(), self.what.cwd(api)?, self.what.command());
        let made: Made = match self.tab {
            false => api.post("/sessions", &NewSession { name, node, cwd, command })?,
            true => {
                let session = self.target.clone().unwrap_or_else(default_target);
                let path = format!("/sessions/{}/tabs", part(&session));
                api.post(&path, &NewTab { name, node, cwd, command })?
            }
        };
        manner.show(&made, pane_id)
    }
}

/// The new pane, for people and `$(…)`.
pub(super) fn pane_id(made: &Made) -> String {
    made.pane.map(|pane| format!("{pane}\n")).unwrap_or_default()
}
