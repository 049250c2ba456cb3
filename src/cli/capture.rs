//! `everpane capture`: what is on a pane's screen.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::api::Api;
use super::failure::{Failure, Kind};
use super::target::Target;
use super::verb::{Common, Manner, Verb, print};
use crate::protocol::api::{API_VERSION, CaptureFormat};

/// More rows than any scrollback has.
const ALL: usize = 1_000_000;

const EXAMPLES: &str = "\
Examples:
  everpane capture work:build
      The screen as text.
  everpane capture p1 --scrollback all --join | grep -n error
      All that it remembers; wrapped lines in one piece.
  everpane capture p1 --format svg -o screen.svg
      A picture.";

/// What `capture` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    target: Target,
    /// As what
    #[arg(short, long, default_value = "plain")]
    format: Format,
    /// How many rows of scrollback before the screen, or `all`
    #[arg(short, long, value_name = "ROWS", default_value = "0", value_parser = rows)]
    scrollback: usize,
    /// Put wrapped lines together again
    #[arg(short = 'J', long)]
    join: bool,
    /// Write it to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// As what.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Text alone
    Plain,
    /// Text with colours, for a terminal
    Ansi,
    /// A page of its own
    Html,
    /// A picture of its own
    Svg,
}

/// A capture in JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Captured {
    api_version: u32,
    format: CaptureFormat,
    content: String,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let (word, format) = match self.format {
            Format::Plain => ("plain", CaptureFormat::Plain),
            Format::Ansi => ("ansi", CaptureFormat::Ansi),
            Format::Html => ("html", CaptureFormat::Html),
            Format::Svg => ("svg", CaptureFormat::Svg),
        };
        let query = format!("format={word}&scrollback={}&join={}", self.scrollback, self.join);
        let bytes = api.bytes(&format!("{}/capture?{query}", self.target.pane()))?;
        match &self.output {
            Some(file) => fs::write(file, bytes)
                .map_err(|error| Failure::new(Kind::Other, format!("{}: {error}", file.display())))?,
            None if manner.json => {
                let content = String::from_utf8_lossy(&bytes).into_owned();
                let captured = Captured { api_version: API_VERSION, format, content };
                return manner.show(&captured, |captured| captured.content.clone());
            }
            None => print(&bytes)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn rows(text: &str) -> Result<usize, String> {
    match text {
        "all" => Ok(ALL),
        _ => text.parse().map_err(|_| "a number of rows is wanted, or `all`".to_owned()),
    }
}
