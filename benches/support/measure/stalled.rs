//! Nine viewers of a flood, and a tenth that reads nothing: what the tenth costs the gateway, and the others.

use std::thread;

use anyhow::{Result, anyhow};

use super::Bench;
use crate::support::everpane::Everpane;
use crate::support::search::Search;
use crate::support::server::Server;
use crate::support::stats::percentile;
use crate::support::table::{Column, Row};
use crate::support::viewer::Viewer;
use crate::support::{process, program};

/// How many viewers read.
const READERS: usize = 9;

/// How much is printed before anything is measured, in MiB: the log and the scrollback are full afterwards, and all
/// threads have had work.
const WARM_UP: u64 = 64;

/// What came of one flood.
struct Outcome {
    /// How old output was when a viewer had it, 99th percentile, in milliseconds.
    late: f64,
    /// How much more than at the flood's beginning the gateway's memory was at its peak, in MiB. If the peak was
    /// before, that counts.
    grown: f64,
}

/// How old output gets and how much the gateway grows, with and without the stalled one, in turns.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let blocks = bench.scaled(1024, 256);
    let mut healthy = Row::new(format!("age of output at {READERS} viewers over {blocks} MiB, p99 (ms)"));
    let mut others = Row::new("– with 1 more that is stalled (ms)");
    let mut ratio = Row::new("– the latter ÷ the former");
    let mut growth = Row::new("– growth of the gateway's memory (MiB)");
    let mut stalled_growth = Row::new("– the same with 1 stalled (MiB)");
    for round in 0..bench.scaled(5, 1) {
        let (without, with) = if round % 2 == 0 {
            let without = flood(bench, blocks, 0)?;
            (without, flood(bench, blocks, 1)?)
        } else {
            let with = flood(bench, blocks, 1)?;
            (flood(bench, blocks, 0)?, with)
        };
        healthy.add(Column::Everpane, without.late);
        others.add(Column::Everpane, with.late);
        ratio.add(Column::Everpane, with.late / without.late);
        growth.add(Column::Everpane, without.grown);
        stalled_growth.add(Column::Everpane, with.grown);
    }
    Ok(vec![healthy, others, ratio, growth, stalled_growth])
}

fn flood(bench: &Bench, blocks: u64, stalled: usize) -> Result<Outcome> {
    let gateway = Everpane::start_with_panes(bench.program(), 1)?;
    let mut crowd = (0..READERS + stalled).map(|_| gateway.viewer(0)).collect::<Result<Vec<_>>>()?;
    for viewer in &mut crowd {
        viewer.wait_for(program::READY)?;
    }
    // Those that stall do so only afterwards, so that all they make the gateway keep is growth.
    print(&mut crowd[0], WARM_UP)?;
    ages(&mut crowd)?;
    let before = process::resident_bytes(gateway.pid())?;
    print(&mut crowd[0], blocks)?;
    let ages = ages(&mut crowd[..READERS])?;
    let grown = process::peak_bytes(gateway.pid())?.saturating_sub(before);
    Ok(Outcome { late: percentile(&ages, 0.99), grown: grown as f64 / f64::from(1 << 20) })
}

fn print(viewer: &mut Viewer, blocks: u64) -> Result<()> {
    viewer.type_text(&program::stamped_flood(blocks))?;
    viewer.type_text(program::SAY_DONE)
}

/// How old the stamped output was when it came, at all of some viewers, each read by a thread, in milliseconds.
fn ages(crowd: &mut [Viewer]) -> Result<Vec<f64>> {
    thread::scope(|scope| {
        let readers: Vec<_> = crowd.iter_mut().map(|viewer| scope.spawn(move || read(viewer))).collect();
        let mut ages = Vec::new();
        for reader in readers {
            ages.extend(reader.join().map_err(|_| anyhow!("a viewer panicked"))??);
        }
        Ok(ages)
    })
}

/// Reads to the end.
fn read(viewer: &mut Viewer) -> Result<Vec<f64>> {
    let (mut ages, mut end) = (Vec::new(), Search::new(program::DONE));
    loop {
        let piece = viewer.read()?;
        let now = program::stamp_now();
        for at in memchr::memmem::find_iter(&piece, program::STAMP) {
            let digits = piece[at + program::STAMP.len()..].get(..program::STAMP_DIGITS);
            // One that is cut in two is left out.
            let stamp = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok());
            ages.extend(stamp.map(|stamp| now.saturating_sub(stamp) as f64 / 1e6));
        }
        if end.found_in(&piece) {
            return Ok(ages);
        }
    }
}
