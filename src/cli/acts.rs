//! The commands that are a target and a deed: `close`, `focus`, `respawn`, `kill`.

use std::process::ExitCode;

use super::api::{Api, part};
use super::failure::{Failure, Kind};
use super::target::{Level, Target, level, path};
use super::verb::{Common, Manner, Verb};
use crate::protocol::api::KillRequest;

const CLOSE_EXAMPLES: &str = "\
Examples:
  everpane close p3
      The pane, and its program.
  everpane close work:logs
      The tab with all its panes; `everpane close work` the whole session.
  everpane close p3 --if-idle
      Not if a program runs in it: exit code 4.";

const FOCUS_EXAMPLES: &str = "\
Examples:
  everpane focus work:logs
      Makes it the active tab, for all who look at what is shared.
  everpane focus .1
      The second pane of the active tab; `everpane focus work` goes to a session.";

const RESPAWN_EXAMPLES: &str = "\
Examples:
  everpane respawn p3
      Starts the pane's program again if it ended, as a key would.";

const KILL_EXAMPLES: &str = "\
Examples:
  everpane kill p3
      Ends its program; the pane and its output stay, and `everpane respawn p3` brings it back.";

/// What `close` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = CLOSE_EXAMPLES)]
pub(super) struct Close {
    #[command(flatten)]
    target: Target,
    /// Not if a program runs in the pane
    #[arg(long)]
    if_idle: bool,
    #[command(flatten)]
    common: Common,
}

/// What `focus` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = FOCUS_EXAMPLES)]
pub(super) struct Focus {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    common: Common,
}

/// What `respawn` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = RESPAWN_EXAMPLES)]
pub(super) struct Respawn {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    common: Common,
}

/// What `kill` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = KILL_EXAMPLES)]
pub(super) struct Kill {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    common: Common,
}

impl Verb for Close {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, _: Manner) -> Result<ExitCode, Failure> {
        let target = self.target.text();
        let query = match (self.if_idle, level(&target)) {
            (false, _) => "",
            (true, Level::Pane) => "?ifIdle=true",
            (true, _) => {
                return Err(Failure::new(
                    Kind::Usage,
                    format!("--if-idle is for a pane, and `{target}` is none"),
                ));
            }
        };
        done(api.delete(&format!("{}{query}", path(&target))))
    }
}

impl Verb for Focus {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, _: Manner) -> Result<ExitCode, Failure> {
        let target = self.target.text();
        match level(&target) {
            Level::Pane => post(api, &format!("{}/focus", path(&target))),
            // Of a session it is the tab that was active in it last.
            Level::Tab | Level::Session => post(api, &format!("/tabs/{}/focus", part(&target))),
        }
    }
}

impl Verb for Respawn {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, _: Manner) -> Result<ExitCode, Failure> {
        post(api, &format!("{}/respawn", self.target.pane()))
    }
}

impl Verb for Kill {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, _: Manner) -> Result<ExitCode, Failure> {
        post(api, &format!("{}/kill", self.target.pane()))
    }
}

/// Posts what needs no body; `{}` is what one without any fields looks like.
fn post(api: &Api, path: &str) -> Result<ExitCode, Failure> {
    done(api.tell(path, &KillRequest {}))
}

fn done(outcome: Result<(), Failure>) -> Result<ExitCode, Failure> {
    outcome.map(|()| ExitCode::SUCCESS)
}
