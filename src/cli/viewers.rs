//! `everpane viewers`: who looks.

use std::io::IsTerminal;
use std::process::ExitCode;

use super::api::Api;
use super::failure::Failure;
use super::table::{Row, Style, table};
use super::verb::{Common, Manner, Verb};
use crate::clock::date_and_time;
use crate::ids::ViewerId;
use crate::protocol::api::{ViewerList, ViewerRecord};

const HEADINGS: [&str; 5] = ["ID", "SINCE", "SIZE", "VIEW", "WATCHES"];

const EXAMPLES: &str = "\
Examples:
  everpane viewers
      Who is connected, oldest first.
  everpane viewers --kick v3
      Closes the connection of one.";

/// What `viewers` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Close the connection of this one
    #[arg(long, value_name = "ID")]
    kick: Option<ViewerId>,
    #[command(flatten)]
    common: Common,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        if let Some(viewer) = self.kick {
            api.delete(&format!("/viewers/{viewer}"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let list: ViewerList = api.get("/viewers")?;
        manner.show(&list, |list| {
            let rows: Vec<Row> = list.viewers.iter().map(row).collect();
            table(&HEADINGS, &rows, Style::of(std::io::stdout().is_terminal()))
        })
    }
}

fn row(viewer: &ViewerRecord) -> Row {
    let watches: Vec<String> = viewer.watches.iter().map(ToString::to_string).collect();
    Row::new([
        viewer.id.to_string(),
        date_and_time(viewer.since),
        viewer.size.map(|(cols, rows)| format!("{cols}x{rows}")).unwrap_or_default(),
        if viewer.own_view { "own" } else { "shared" }.to_owned(),
        watches.join(" "),
    ])
}
