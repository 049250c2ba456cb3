//! A viewer that comes late: how soon it has the screen, and how soon all that is kept.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Bench;
use crate::support::everpane::Everpane;
use crate::support::program;
use crate::support::server::Server;
use crate::support::stats::percentile;
use crate::support::table::{Column, Row};

/// More lines than are kept.
pub(super) const FULL: u64 = 10_100;

/// How long a flood goes on before the first viewer comes late to it.
const FLOOD_LEAD: Duration = Duration::from_millis(500);

/// Times and sizes against how much scrollback there is, with all of it, and during a flood.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let rounds = bench.scaled(200, 40);
    let mut rows = Vec::new();
    for (lines, name) in [(0, "no"), (1_000, "1,000"), (FULL, "10,000")] {
        let gateway = gateway_with_lines(bench, lines)?;
        rows.extend(attached(&gateway, rounds, 0, &format!("attach to a screen below {name} lines"))?);
        if lines == FULL {
            rows.extend(attached(&gateway, rounds / 5, FULL as u32, "– with all 10,000")?);
        }
    }
    rows.push(amid_flood(bench)?);
    Ok(rows)
}

/// A gateway with a pane in which so many lines, and then a shell's screen, were printed.
pub(super) fn gateway_with_lines(bench: &Bench, lines: u64) -> Result<Everpane> {
    let gateway = Everpane::start_with_panes(bench.program(), 1)?;
    let mut viewer = gateway.viewer(0)?;
    viewer.wait_for(program::READY)?;
    for command in [&program::lines(lines), program::SHELL] {
        viewer.type_text(command)?;
        viewer.read_to(program::DONE)?;
    }
    Ok(gateway)
}

/// Median and 99th percentile of the time, and the size.
fn attached(gateway: &Everpane, rounds: usize, history: u32, name: &str) -> Result<[Row; 3]> {
    let mut size = Row::new("– the snapshot's size (bytes)");
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let (time, bytes) = attach(gateway, history)?;
        times.push(time);
        size.add(Column::Everpane, bytes);
    }
    Ok([percentile_row(name, 0.5, &times), percentile_row(name, 0.99, &times), size])
}

fn percentile_row(name: &str, share: f64, times: &[f64]) -> Row {
    let mut row = Row::new(format!("{name}, p{} (ms)", share * 100.0));
    row.add(Column::Everpane, percentile(times, share));
    row
}

/// From `pane_watch` to the snapshot, in milliseconds; and the snapshot's bytes.
pub(super) fn attach(gateway: &Everpane, history: u32) -> Result<(f64, f64)> {
    let control = gateway.control()?;
    let start = Instant::now();
    let mut viewer = control.watch(gateway.panes[0], history)?;
    viewer.wait_for_snapshot()?;
    Ok((start.elapsed().as_secs_f64() * 1e3, viewer.snapshot_bytes as f64))
}

/// The time it takes a viewer that comes while another one is flooded.
fn amid_flood(bench: &Bench) -> Result<Row> {
    let gateway = gateway_with_lines(bench, FULL)?;
    let mut flooded = gateway.viewer(0)?;
    flooded.type_text(program::FLOOD_ON)?;
    let reader = thread::spawn(move || while flooded.read().is_ok() {});
    thread::sleep(FLOOD_LEAD);
    let rounds = bench.scaled(100, 20);
    let times = (0..rounds).map(|_| attach(&gateway, 0).map(|(time, _)| time)).collect::<Result<Vec<_>>>()?;
    drop(gateway);
    let _ = reader.join();
    Ok(percentile_row("attach amid a flood", 0.99, &times))
}
