//! One pane, one viewer, as much output as possible.

use anyhow::Result;

use super::{Bench, column, flood};
use crate::support::table::Row;

/// Rate, processor time, and what share of the output came through.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let blocks = bench.scaled(64, 16);
    let mut rate = Row::new(format!("throughput, {blocks} MiB to 1 viewer (MiB/s)"));
    let mut cpu = Row::new("– server's processor time (s)");
    let mut share = Row::new("– share of the bytes delivered");
    for _ in 0..bench.scaled(9, 3) {
        let raw = flood::raw(bench.program(), blocks)?;
        rate.raw.push(raw.rate());
        cpu.raw.push(raw.cpu_seconds);
        for &contender in bench.contenders() {
            let served = flood::served(contender, bench.program(), 1, blocks)?;
            column(&mut rate, contender).push(served.rate());
            column(&mut cpu, contender).push(served.cpu_seconds);
            column(&mut share, contender).push(served.delivered_mib / served.written_mib);
        }
    }
    Ok(vec![rate, cpu, share])
}
