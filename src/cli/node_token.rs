//! `everpane node-token`: the tokens with which nodes join. A running gateway notices every change.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use anyhow::{Context, anyhow};

use crate::clock::{Moment, date_and_time};
use crate::config::data_dir;
use crate::roster::TokenFile;

const EXAMPLES: &str = "\
Examples:
  everpane node-token create laptop
      Prints a token, this once; on the other machine: everpane node --gateway … with it.
  everpane node-token revoke laptop
      Whoever joined with it is disconnected within seconds.";

/// What `node-token` can be told.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a token and print it; only a hash of it is kept
    Create {
        /// What to call it
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Show which tokens there are
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Make a token invalid and disconnect who joined with it
    Revoke {
        /// What it is called
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The gateway's data directory [default: ~/.local/state/everpane]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Place {
    fn file(&self) -> anyhow::Result<TokenFile> {
        let dir = data_dir(self.data_dir.clone())?;
        let about = || format!("the data directory {}", dir.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&dir).with_context(about)?;
        Ok(TokenFile::in_dir(&dir))
    }
}

/// Does what is asked.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    match &args.action {
        Action::Create { name, place } => {
            let mut random = [0_u8; 32];
            getrandom::fill(&mut random).map_err(|error| anyhow!("no randomness for a token: {error}"))?;
            let now_ms = Moment::now().unix_ms;
            let token = place.file()?.update(|tokens| tokens.create(name, random, now_ms))?;
            print(&format!("{token}\n"))
        }
        Action::List { place } => {
            let tokens = place.file()?.tokens()?;
            let line = |token: &crate::roster::NodeToken| {
                format!("{}  {}\n", date_and_time(token.created_ms), token.name)
            };
            print(&tokens.all().iter().map(line).collect::<String>())
        }
        Action::Revoke { name, place } => Ok(place.file()?.update(|tokens| tokens.revoke(name))?),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    io::stdout().write_all(text.as_bytes()).context("cannot print")
}
