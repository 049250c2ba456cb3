//! Very many panes, each with some scrollback, in which nothing happens.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use crate::support::everpane::Everpane;
use crate::support::server::Server;
use crate::support::table::{Column, Row};
use crate::support::{process, program};

/// How much each pane has printed.
const LINES: u64 = 1_000;

/// How long the panes are given to come to rest.
const REST: Duration = Duration::from_secs(1);

/// The memory of the gateway's whole process.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let panes = bench.scaled(1000, 50);
    let gateway = Everpane::start_with_panes(bench.program(), panes)?;
    for pane in 0..panes {
        let mut viewer = gateway.viewer(pane)?;
        viewer.wait_for(program::READY)?;
        viewer.type_text(&program::lines(LINES))?;
        viewer.read_to(program::DONE)?;
        // Whoever comes anew makes the gateway take everything into the pane's screen.
        gateway.viewer(pane)?.wait_for_snapshot()?;
    }
    std::thread::sleep(REST);
    let mut row = Row::new(format!("the gateway with {panes} idle panes of {LINES} lines each (MiB)"));
    row.add(Column::Everpane, process::resident_bytes(gateway.pid())? as f64 / f64::from(1 << 20));
    Ok(vec![row])
}
