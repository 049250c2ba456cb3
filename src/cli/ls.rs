//! `everpane ls`: what there is.

use std::io::IsTerminal;
use std::process::ExitCode;

use super::api::Api;
use super::failure::Failure;
use super::table::{Row, Style, table};
use super::verb::{Common, Manner, Verb};
use crate::protocol::api::{PaneRecord, SessionList, SessionRecord, TabRecord};
use crate::protocol::server::PaneStatus;

const HEADINGS: [&str; 6] = ["ID", "NAME", "STATE", "RUNS", "NODE", "SIZE"];

const EXAMPLES: &str = "\
Examples:
  everpane ls
      Sessions, their tabs, the panes in them; `*` marks what is active or has the focus, `Z` a pane that fills its tab.
  everpane ls --json | jq -r '.sessions[].tabs[].panes[] | select(.connected).id'
      The ids of all panes with a live program.";

/// What `ls` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let list: SessionList = api.get("/sessions")?;
        manner.show(&list, |list| table(&HEADINGS, &rows(list), Style::of(std::io::stdout().is_terminal())))
    }
}

/// A row for each session, each followed by its tabs, each followed by its panes.
fn rows(list: &SessionList) -> Vec<Row> {
    let of_tab = |tab: &TabRecord| {
        let panes = tab.panes.iter().map(|pane| pane_row(pane, tab)).collect::<Vec<_>>();
        [vec![tab_row(tab)], panes].concat()
    };
    let of_session = |session: &SessionRecord| {
        [vec![session_row(session)], session.tabs.iter().flat_map(of_tab).collect()].concat()
    };
    list.sessions.iter().flat_map(of_session).collect()
}

fn session_row(session: &SessionRecord) -> Row {
    let name = format!("{}{}", session.name, mark(session.active));
    Row::new([session.id.to_string(), name]).bold()
}

fn tab_row(tab: &TabRecord) -> Row {
    let name = format!("{}:{}{}", tab.index, tab.name, mark(tab.active));
    Row::new([format!("  {}", tab.id), name])
}

fn pane_row(pane: &PaneRecord, tab: &TabRecord) -> Row {
    let info = &pane.info;
    let zoomed = if tab.zoomed == Some(pane.id) { "Z" } else { "" };
    let name = info.name.as_deref().unwrap_or_default();
    let row = Row::new([
        format!("    {}", pane.id),
        format!(".{} {name}", pane.index).trim_end().to_owned() + mark(pane.focused) + zoomed,
        state(pane),
        runs(pane),
        info.node.clone(),
        format!("{}x{}", info.cols, info.rows),
    ]);
    if pane.connected { row } else { row.dim() }
}

fn mark(shown: bool) -> &'static str {
    if shown { "*" } else { "" }
}

/// How the pane is, in a word or two.
fn state(pane: &PaneRecord) -> String {
    match &pane.info.status {
        PaneStatus::Live => match &pane.info.shell {
            Some(shell) if shell.running => "running".to_owned(),
            Some(_) => "prompt".to_owned(),
            None => "live".to_owned(),
        },
        PaneStatus::Starting => "starting".to_owned(),
        PaneStatus::Exited { signal: Some(signal), .. } => format!("ended {signal}"),
        PaneStatus::Exited { code: Some(code), .. } => format!("exited {code}"),
        PaneStatus::Exited { .. } => "exited".to_owned(),
        PaneStatus::Failed { .. } => "failed".to_owned(),
        PaneStatus::Lost { .. } => "lost".to_owned(),
        PaneStatus::Asleep { .. } => "asleep".to_owned(),
        _ => "waiting".to_owned(),
    }
}

/// What its shell runs, else what its program calls itself, else the program.
fn runs(pane: &PaneRecord) -> String {
    let info = &pane.info;
    let typed = info.shell.as_ref().filter(|shell| shell.running).and_then(|shell| shell.command.clone());
    let title = || Some(info.title.clone()).filter(|title| !title.is_empty());
    typed.or_else(title).or_else(|| Some(info.command.as_ref()?.join(" "))).unwrap_or_default()
}
