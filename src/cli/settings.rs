//! `everpane config`: is the config file right, and where is it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::COMMON;
use super::attach;
use super::failure::{Failure, Kind};
use super::verb::{Manner, print};
use crate::config::{ClientConfig, ConfigProblem, Surroundings, config_file, default_config_file, problems};
use crate::protocol::api::API_VERSION;

const EXAMPLES: &str = "\
Examples:
  everpane config check
      Says all that is wrong with the config file, a line each; exit code 2 if anything is.
  everpane config check everpane.toml && everpane serve --config everpane.toml
      Of another file.
  everpane config path
      Where the config file is, or would be.";

/// What `config` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// Say all that is wrong with the config file
    Check {
        /// The file [default: ~/.config/everpane/config.toml]
        file: Option<PathBuf>,
        /// Print JSON
        #[arg(long, help_heading = COMMON, display_order = 899)]
        json: bool,
    },
    /// Say where the config file is looked for
    Path,
}

/// The answer of `config check`, in JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    api_version: u32,
    /// What was looked at; none: there is no file, and the defaults hold.
    file: Option<PathBuf>,
    problems: Vec<ConfigProblem>,
}

/// Does what is asked.
pub(super) fn run(args: &Args, quiet: bool) -> Result<(), Failure> {
    match &args.action {
        Action::Path => {
            let path = default_config_file().ok_or_else(|| {
                Failure::new(Kind::NotFound, "there is no home directory to have a config file in")
            })?;
            print(format!("{}\n", path.display()).as_bytes())
        }
        Action::Check { file, json } => {
            let manner = Manner { json: *json, quiet };
            check(config_file(file.clone()).as_deref(), manner).map_err(|failure| failure.in_json(*json))
        }
    }
}

/// What is wrong, with the keys that no gateway looks at; those only if the file can be read.
fn with_keys(
    mut found: Vec<ConfigProblem>,
    file: Option<&Path>,
    surroundings: &Surroundings,
) -> Vec<ConfigProblem> {
    let (Some(path), Ok(config)) = (file, ClientConfig::load(file, surroundings)) else { return found };
    let wrong = attach::wrong_keys(&config).into_iter();
    found.extend(wrong.map(|(key, why)| ConfigProblem::with_value(path, &format!("client.{key}"), why)));
    found.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
    found
}

fn check(file: Option<&Path>, manner: Manner) -> Result<(), Failure> {
    let surroundings = Surroundings::here();
    let found = file.map(|file| problems(file, &surroundings)).transpose()?.unwrap_or_default();
    let found = with_keys(found, file, &surroundings);
    let report = Report { api_version: API_VERSION, file: file.map(Path::to_owned), problems: found };
    manner.show(&report, |report| report.problems.iter().map(|problem| format!("{problem}\n")).collect())?;
    match (report.problems.len(), file) {
        (0, Some(file)) => manner.say(&format!("{} is right", file.display())),
        (0, None) => manner.say("there is no config file; the defaults hold"),
        (1, _) => return Err(Failure::new(Kind::Usage, "the config file is wrong in one place")),
        (count, _) => {
            return Err(Failure::new(Kind::Usage, format!("the config file is wrong in {count} places")));
        }
    }
    Ok(())
}
