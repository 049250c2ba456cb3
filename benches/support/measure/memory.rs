//! What a pane costs the gateway's process, with and without output in its log.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use crate::support::everpane::Everpane;
use crate::support::server::Server;
use crate::support::table::{Column, Row};
use crate::support::{mix, process, program};

/// The default length of a pane's output log.
const RING_BYTES: f64 = 1_048_576.0;

/// How long freshly made panes are given to come to rest.
const REST: Duration = Duration::from_secs(1);

/// Memory per pane that has written next to nothing, and beyond its log per pane that has filled it.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let count = bench.scaled(200, 40);
    let mut gateway = Everpane::start_with_panes(bench.program(), 1)?;
    fill(&gateway, 0)?;
    let before = resident_at_rest(&gateway)?;
    gateway.add_panes(count)?;
    let fresh = resident_at_rest(&gateway)?;
    for pane in 1..=count {
        fill(&gateway, pane)?;
    }
    let full = resident_at_rest(&gateway)?;

    let per_pane = |bytes: f64| bytes / count as f64 / 1024.0;
    let mut idle = Row::new(format!("memory per idle pane, {count} panes (KiB)"));
    idle.add(Column::Everpane, per_pane(fresh - before));
    let mut filled = Row::new("– with log and scrollback full, beyond the log (KiB)");
    filled.add(Column::Everpane, per_pane(full - before) - RING_BYTES / 1024.0);
    Ok(vec![idle, filled])
}

/// Makes a pane write more than its log holds.
fn fill(gateway: &Everpane, pane: usize) -> Result<()> {
    let blocks = 2;
    let mut viewer = gateway.viewer(pane)?;
    viewer.wait_for(program::READY)?;
    let target = viewer.position + blocks * mix::block_wire_bytes();
    viewer.type_text(&program::flood(blocks))?;
    while viewer.position < target {
        viewer.read()?;
    }
    Ok(())
}

fn resident_at_rest(gateway: &Everpane) -> Result<f64> {
    std::thread::sleep(REST);
    Ok(process::resident_bytes(gateway.pid())? as f64)
}
