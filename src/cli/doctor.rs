//! `everpane doctor`: what could be wrong, looked at, and what to do about what is.

mod finding;
mod gateway;
mod machine;
mod terminal;

use std::io::IsTerminal;
use std::process::ExitCode;

use serde::Serialize;

use self::finding::{Finding, Verdict, sheet};
use super::COMMON;
use super::failure::Failure;
use super::reach::Reach;
use super::table::Style;
use super::verb::Manner;
use crate::config::Surroundings;
use crate::protocol::api::API_VERSION;

const EXAMPLES: &str = "\
Examples:
  everpane doctor
      Looks at the terminal, the settings, files, limits, the gateway and its clock. Exit code 1 if something does not work.
  everpane doctor --gateway https://box.example --json
      The same of a gateway elsewhere, for programs.";

/// What `doctor` can be told.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    reach: Reach,
    /// Print JSON
    #[arg(long, help_heading = COMMON, display_order = 899)]
    json: bool,
}

/// All findings, as programs are told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    api_version: u32,
    version: &'static str,
    healthy: bool,
    findings: Vec<Finding>,
}

/// Looks at everything, and says what was found.
pub(super) fn run(args: &Args, quiet: bool) -> Result<ExitCode, Failure> {
    let surroundings = Surroundings::here();
    let findings = [
        terminal::look(&surroundings),
        machine::look(&args.reach, &surroundings),
        gateway::look(&args.reach),
    ]
    .concat();
    let healthy = findings.iter().all(|finding| finding.verdict != Verdict::Bad);
    let report = Report { api_version: API_VERSION, version: env!("CARGO_PKG_VERSION"), healthy, findings };
    let style = Style::of(std::io::stdout().is_terminal());
    Manner { json: args.json, quiet }.show(&report, |report| sheet(&report.findings, style))?;
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
