//! From a key to its echo, on a quiet machine and while another pane floods.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Bench;
use crate::support::program;
use crate::support::pty::Pty;
use crate::support::server::{Contender, Server};
use crate::support::stats::percentile;
use crate::support::table::{Column, Row};
use crate::support::viewer::Viewer;

/// Between two keys.
const PAUSE: Duration = Duration::from_millis(2);

/// How long a flood goes on before the first key.
const FLOOD_LEAD: Duration = Duration::from_millis(300);

/// Keys that are typed before those that count.
const WARM_UP_KEYS: usize = 50;

/// What else goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// Nothing.
    Idle,
    /// Another pane floods another viewer.
    Flood,
}

/// Median and 99th percentile under both loads.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (load, name) in [(Load::Idle, "idle"), (Load::Flood, "while another pane floods")] {
        rows.extend(under(bench, load, name)?);
    }
    Ok(rows)
}

fn under(bench: &Bench, load: Load, name: &str) -> Result<[Row; 2]> {
    let rounds = bench.scaled(8, 3);
    let keys = bench.scaled(2000, 600) / rounds;
    let mut middle = Row::new(format!("echo {name}, p50 (µs)"));
    let mut late = Row::new(format!("echo {name}, p99 (µs)"));
    for _ in 0..rounds {
        let times = raw(bench, load, keys)?;
        middle.add(Column::Raw, percentile(&times, 0.5));
        late.add(Column::Raw, percentile(&times, 0.99));
        for &contender in bench.contenders() {
            let times = served(bench, contender, load, keys)?;
            middle.add(contender.column(), percentile(&times, 0.5));
            late.add(contender.column(), percentile(&times, 0.99));
        }
    }
    Ok([middle, late])
}

/// Types `keys` keys, each after the echo of the one before; how long each echo took, in microseconds.
pub(super) fn type_keys(keys: usize, mut echo: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    let mut times = Vec::with_capacity(keys);
    for key in 0..WARM_UP_KEYS + keys {
        thread::sleep(PAUSE);
        let start = Instant::now();
        echo()?;
        if key >= WARM_UP_KEYS {
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok(times)
}

/// How long each echo of a PTY took, in microseconds.
pub(super) fn raw(bench: &Bench, load: Load, keys: usize) -> Result<Vec<f64>> {
    let flooding = Arc::new(AtomicBool::new(load == Load::Flood));
    let flood = (load == Load::Flood).then(|| raw_flood(bench, &flooding)).transpose()?;
    let pty = Pty::spawn(bench.program())?;
    pty.wait_for(program::READY)?;
    pty.write(program::ECHO.as_bytes())?;
    pty.wait_for(program::READY)?;
    let mut buffer = [0; 4096];
    let times = type_keys(keys, || {
        pty.write(b"k")?;
        pty.read(&mut buffer).map(drop)
    });
    flooding.store(false, Ordering::Relaxed);
    flood.map(thread::JoinHandle::join);
    times
}

fn raw_flood(bench: &Bench, flooding: &Arc<AtomicBool>) -> Result<thread::JoinHandle<Result<()>>> {
    let pty = Pty::spawn(bench.program())?;
    pty.wait_for(program::READY)?;
    pty.write(program::FLOOD_ON.as_bytes())?;
    let flooding = Arc::clone(flooding);
    let reader = thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while flooding.load(Ordering::Relaxed) {
            pty.read(&mut buffer)?;
        }
        Ok(())
    });
    thread::sleep(FLOOD_LEAD);
    Ok(reader)
}

/// How long each echo of a server took, in microseconds.
pub(super) fn served(bench: &Bench, contender: Contender, load: Load, keys: usize) -> Result<Vec<f64>> {
    let viewers: &[usize] = if load == Load::Flood { &[1, 1] } else { &[1] };
    let server = contender.start(bench.program(), viewers)?;
    let flood = (load == Load::Flood).then(|| served_flood(&*server)).transpose()?;
    let mut viewer = ready_viewer(&*server, 0, program::ECHO)?;
    viewer.wait_for(program::READY)?;
    let times = type_keys(keys, || {
        viewer.type_text("k")?;
        viewer.read().map(drop)
    });
    drop(server);
    flood.map(thread::JoinHandle::join);
    times
}

/// Floods the second pane, and reads it until the server is gone.
fn served_flood(server: &dyn Server) -> Result<thread::JoinHandle<()>> {
    let mut viewer = ready_viewer(server, 1, program::FLOOD_ON)?;
    let reader = thread::spawn(move || while viewer.read().is_ok() {});
    thread::sleep(FLOOD_LEAD);
    Ok(reader)
}

/// A viewer whose pane's program was just given `command`.
fn ready_viewer(server: &dyn Server, pane: usize, command: &str) -> Result<Viewer> {
    let mut viewer = server.viewer(pane)?;
    viewer.wait_for(program::READY)?;
    viewer.type_text(command)?;
    Ok(viewer)
}
