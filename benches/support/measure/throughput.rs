//! One pane, one viewer, as much output as possible.

use anyhow::Result;

use super::{Bench, flood};
use crate::support::table::{Column, Row};
use crate::support::tmux;

/// Rate, processor time, and what of the output came through.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let blocks = bench.scaled(64, 16);
    let mut rate = Row::new(format!("throughput, {blocks} MiB to 1 viewer (MiB/s)"));
    let mut cpu = Row::new("– server's processor time (s)");
    let mut share = Row::new("– share of the bytes delivered as they were written");
    let mut snapshots = Row::new("– snapshots in place of the rest");
    for _ in 0..bench.scaled(9, 3) {
        let raw = flood::raw(bench.program(), blocks)?;
        rate.add(Column::Raw, raw.rate());
        cpu.add(Column::Raw, raw.cpu_seconds);
        for &contender in bench.contenders() {
            let served = flood::served(contender, bench.program(), 1, blocks)?;
            rate.add(contender.column(), served.rate());
            cpu.add(contender.column(), served.cpu_seconds);
            share.add(contender.column(), served.streamed_mib / served.written_mib);
            snapshots.add(contender.column(), served.snapshots as f64);
        }
        if tmux::is_installed() {
            let multiplexed = flood::in_tmux(bench.program(), blocks)?;
            rate.add(Column::Tmux, multiplexed.rate());
            cpu.add(Column::Tmux, multiplexed.cpu_seconds);
        }
    }
    Ok(vec![rate, cpu, share, snapshots])
}
