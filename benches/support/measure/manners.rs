//! A flood that is interrupted: from the key to the last of its output at the viewer, near by and over a slow line.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Bench;
use crate::support::line::Line;
use crate::support::program;
use crate::support::pty::Pty;
use crate::support::server::Contender;
use crate::support::stats::percentile;
use crate::support::table::{Column, Row};
use crate::support::tmux::{self, Tmux};

/// How long `yes` runs before it is interrupted: long enough to fill all buffers on the way.
const LEAD: Duration = Duration::from_millis(150);

/// The same over the slow line.
const SLOW_LEAD: Duration = Duration::from_millis(800);

const INTERRUPT: &str = "\x03";

/// Median and 99th percentile, near by and over a slow line.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    rows.extend(near_by(bench)?);
    rows.extend(over_slow_line(bench)?);
    Ok(rows)
}

fn near_by(bench: &Bench) -> Result<[Row; 2]> {
    let mut rows = Rows::new("ctrl-c in `yes` to its last output");
    for _ in 0..bench.scaled(4, 2) {
        let times = bench.scaled(25, 6);
        let pty = Pty::spawn(bench.program())?;
        pty.wait_for(program::READY)?;
        rows.add(Column::Raw, &repeat(times, || in_pty(&pty))?);
        for &contender in bench.contenders() {
            let taken = served(bench, contender, Line::Loopback, times)?;
            rows.add(contender.column(), &taken);
        }
        if tmux::is_installed() {
            let tmux = Tmux::start(bench.program())?;
            rows.add(Column::Tmux, &repeat(times, || in_pty(&tmux.client))?);
        }
    }
    Ok(rows.finish())
}

fn over_slow_line(bench: &Bench) -> Result<[Row; 2]> {
    let mut rows = Rows::new("– the same over a line of 2 MiB/s");
    for _ in 0..bench.scaled(2, 1) {
        for &contender in bench.contenders() {
            let times = match contender {
                // Each takes seconds.
                Contender::Relay => bench.scaled(3, 1),
                Contender::Everpane(_) => bench.scaled(25, 4),
            };
            rows.add(contender.column(), &served(bench, contender, Line::Slow, times)?);
        }
    }
    Ok(rows.finish())
}

/// The two rows to be, with all times of all rounds: a round has too few for its own 99th percentile.
struct Rows {
    name: &'static str,
    times: Vec<(Column, Vec<f64>)>,
}

impl Rows {
    fn new(name: &'static str) -> Rows {
        Rows { name, times: Vec::new() }
    }

    fn add(&mut self, column: Column, times: &[f64]) {
        match self.times.iter_mut().find(|(other, _)| *other == column) {
            Some((_, all)) => all.extend_from_slice(times),
            None => self.times.push((column, times.to_vec())),
        }
    }

    fn finish(self) -> [Row; 2] {
        [(0.5, "p50"), (0.99, "p99")].map(|(share, label)| {
            let mut row = Row::new(format!("{}, {label} (ms)", self.name));
            for (column, times) in &self.times {
                row.add(*column, percentile(times, share));
            }
            row
        })
    }
}

fn repeat(times: usize, mut what: impl FnMut() -> Result<f64>) -> Result<Vec<f64>> {
    (0..times).map(|_| what()).collect()
}

/// Milliseconds until a terminal that is read in a loop shows the end.
fn in_pty(pty: &Pty) -> Result<f64> {
    pty.write(program::YES.as_bytes())?;
    let (start, mut buffer) = (Instant::now(), vec![0; 64 << 10]);
    while start.elapsed() < LEAD {
        pty.read(&mut buffer)?;
    }
    let pressed = Instant::now();
    pty.write(INTERRUPT.as_bytes())?;
    pty.read_to(program::DONE)?;
    Ok(pressed.elapsed().as_secs_f64() * 1e3)
}

/// Milliseconds until a viewer has the end, several times over.
fn served(bench: &Bench, contender: Contender, line: Line, times: usize) -> Result<Vec<f64>> {
    let server = contender.start(bench.program(), &[1])?;
    let mut viewer = server.viewer_over(line, 0)?;
    viewer.wait_for(program::READY)?;
    let lead = if line == Line::Slow { SLOW_LEAD } else { LEAD };
    repeat(times, || {
        viewer.type_text(program::YES)?;
        let start = Instant::now();
        while start.elapsed() < lead {
            viewer.read()?;
        }
        let pressed = Instant::now();
        viewer.type_text(INTERRUPT)?;
        viewer.read_to(program::DONE)?;
        Ok(pressed.elapsed().as_secs_f64() * 1e3)
    })
}
