//! One pane, more and more viewers.

use anyhow::Result;

use super::{Bench, flood};
use crate::support::table::{Column, Row};

/// How many viewers.
const CROWDS: [usize; 3] = [1, 10, 50];

/// For each crowd, what it gets for the server's processor time, and how fast the program is let write.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for viewers in CROWDS {
        rows.extend(crowd(bench, viewers)?);
    }
    Ok(rows)
}

fn crowd(bench: &Bench, viewers: usize) -> Result<[Row; 3]> {
    let blocks = bench.scaled(32, 8);
    let mut rate = Row::new(format!("fan-out to {viewers} (MiB/s written)"));
    let mut economy = Row::new("– delivered per server CPU second (MiB)");
    let mut share = Row::new("– share of the bytes delivered as they were written");
    for _ in 0..bench.scaled(5, 2) {
        rate.add(Column::Raw, flood::raw(bench.program(), blocks)?.rate());
        for &contender in bench.contenders() {
            let served = flood::served(contender, bench.program(), viewers, blocks)?;
            rate.add(contender.column(), served.rate());
            economy.add(contender.column(), served.delivered_mib / served.cpu_seconds);
            share.add(contender.column(), served.streamed_mib / served.written_mib / viewers as f64);
        }
    }
    Ok([rate, economy, share])
}
