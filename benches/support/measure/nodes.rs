//! What it costs to have the PTYs in another process, or on a node: the same measurements of all three, in turns.

use std::time::Duration;

use anyhow::{Context, Result};

use super::echo::{self, Load};
use super::{Bench, attach, flood};
use crate::support::everpane::{Everpane, Hosting};
use crate::support::process;
use crate::support::server::{Contender, Server};
use crate::support::stats::percentile;
use crate::support::table::{Column, Row};

const EVERYWHERE: [Hosting; 3] = [Hosting::Inside, Hosting::Beside, Hosting::Node];

/// How long freshly made panes are given to come to rest.
const REST: Duration = Duration::from_secs(1);

/// Throughput, echo, attach and memory.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    rows.extend(throughput(bench)?);
    rows.extend(echo(bench, Load::Idle, "echo idle")?);
    rows.extend(echo(bench, Load::Flood, "echo while another pane floods")?);
    rows.push(attached(bench)?);
    rows.extend(memory(bench)?);
    Ok(rows)
}

fn throughput(bench: &Bench) -> Result<[Row; 2]> {
    let blocks = bench.scaled(64, 16);
    let mut rate = Row::new(format!("throughput, {blocks} MiB to 1 viewer (MiB/s)"));
    let mut cpu = Row::new("– processor time of all its processes (s)");
    for _ in 0..bench.scaled(7, 3) {
        let raw = flood::raw(bench.program(), blocks)?;
        rate.add(Column::Raw, raw.rate());
        cpu.add(Column::Raw, raw.cpu_seconds);
        for hosting in EVERYWHERE {
            let served = flood::served(Contender::Everpane(hosting), bench.program(), 1, blocks)?;
            rate.add(hosting.column(), served.rate());
            cpu.add(hosting.column(), served.cpu_seconds);
        }
    }
    Ok([rate, cpu])
}

fn echo(bench: &Bench, load: Load, name: &str) -> Result<[Row; 3]> {
    let rounds = bench.scaled(8, 3);
    let keys = bench.scaled(2000, 600) / rounds;
    let mut middle = Row::new(format!("{name}, p50 (µs)"));
    let mut late = Row::new(format!("{name}, p99 (µs)"));
    let mut added = Row::of_differences("– p50 beyond one process's (µs)");
    for _ in 0..rounds {
        let times = echo::raw(bench, load, keys)?;
        middle.add(Column::Raw, percentile(&times, 0.5));
        late.add(Column::Raw, percentile(&times, 0.99));
        let mut inside = f64::NAN;
        for hosting in EVERYWHERE {
            let times = echo::served(bench, Contender::Everpane(hosting), load, keys)?;
            let p50 = percentile(&times, 0.5);
            middle.add(hosting.column(), p50);
            late.add(hosting.column(), percentile(&times, 0.99));
            if hosting == Hosting::Inside {
                inside = p50;
            } else {
                added.add(hosting.column(), p50 - inside);
            }
        }
    }
    Ok([middle, late, added])
}

/// What a viewer waits for the screen of a pane.
fn attached(bench: &Bench) -> Result<Row> {
    let mut row = Row::new("attach, p50 (ms)");
    for _ in 0..bench.scaled(4, 2) {
        for hosting in EVERYWHERE {
            let gateway = Everpane::start_hosting(hosting, bench.program(), 1)?;
            let times = (0..bench.scaled(50, 20)).map(|_| attach::attach(&gateway, 0).map(|(time, _)| time));
            row.add(hosting.column(), percentile(&times.collect::<Result<Vec<_>>>()?, 0.5));
        }
    }
    Ok(row)
}

/// Memory with one pane and with many. What processes share counts once.
fn memory(bench: &Bench) -> Result<[Row; 4]> {
    let panes = bench.scaled(200, 40);
    let mut one = Row::new("memory of all its processes, 1 pane (MiB)");
    let mut one_host = Row::new("– of that, the host's or node's process (MiB)");
    let mut each = Row::new(format!("– per idle pane, {panes} panes (KiB)"));
    let mut each_host = Row::new("– of that, the host's or node's process (KiB)");
    let mib = f64::from(1 << 20);
    let per_pane = 1024.0 * panes as f64;
    for hosting in EVERYWHERE {
        let mut gateway = Everpane::start_hosting(hosting, bench.program(), 1)?;
        let before = Memory::at_rest(&gateway)?;
        gateway.add_panes(panes)?;
        let after = Memory::at_rest(&gateway)?;
        one.add(hosting.column(), before.all / mib);
        each.add(hosting.column(), (after.all - before.all) / per_pane);
        if hosting != Hosting::Inside {
            one_host.add(hosting.column(), before.host / mib);
            each_host.add(hosting.column(), (after.host - before.host) / per_pane);
        }
    }
    Ok([one, one_host, each, each_host])
}

/// In bytes.
struct Memory {
    all: f64,
    /// Of what has the PTYs, if that is another process.
    host: f64,
}

impl Memory {
    fn at_rest(gateway: &Everpane) -> Result<Memory> {
        std::thread::sleep(REST);
        let bytes = |pid| process::proportional_bytes(pid).map(|bytes| bytes as f64);
        let host = gateway.host_pid()?.map_or(Ok(0.0), bytes).context("what has the PTYs")?;
        Ok(Memory { all: bytes(gateway.pid())? + host, host })
    }
}
