//! `everpane rename`: another name for a session, a tab or a pane.

use std::process::ExitCode;

use super::api::Api;
use super::failure::Failure;
use super::target::{Level, level, path, split_off};
use super::verb::{Common, Manner, Verb};
use crate::protocol::api::{PaneChange, PaneRecord, Rename, SessionRecord, TabRecord};

const EXAMPLES: &str = "\
Examples:
  everpane rename work play
      The session `work`.
  everpane rename work:0 logs
      Its first tab.
  everpane rename tests
      The pane we are in, or the active one; with '' it is called by its program's title again.";

/// What `rename` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "everpane rename [OPTIONS] [TARGET] NAME")]
pub(super) struct Args {
    /// What is renamed [default: the pane we are in, else the active one], and its new name
    #[arg(value_name = "NAME", required = true, num_args = 1..=2)]
    words: Vec<String>,
    /// What is renamed
    #[arg(short, long, value_name = "TARGET")]
    target: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let (target, rest) = split_off(self.target.as_deref(), &self.words, 1);
        // With the target as an option a name of two words needs no quotes.
        let name = Some(rest.join(" "));
        let path = path(&target);
        match level(&target) {
            Level::Session => {
                manner.show(&api.patch::<SessionRecord>(&path, &Rename { name })?, |_| String::new())
            }
            Level::Tab => manner.show(&api.patch::<TabRecord>(&path, &Rename { name })?, |_| String::new()),
            Level::Pane => {
                let change = PaneChange { name, ..PaneChange::default() };
                manner.show(&api.patch::<PaneRecord>(&path, &change)?, |_| String::new())
            }
        }
    }
}
