//! The command line: how soon it lists and attaches, how fast it echoes, and what it holds, beside tmux's.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};
use tempfile::TempDir;

use super::Bench;
use super::attach::{FULL, gateway_with_lines};
use super::echo::type_keys;
use crate::support::everpane::Everpane;
use crate::support::process::resident_bytes;
use crate::support::program;
use crate::support::pty::Pty;
use crate::support::stats::percentile;
use crate::support::table::{Column, Row};
use crate::support::tmux::{self, Tmux};

const EVERPANE: &str = env!("CARGO_BIN_EXE_everpane");

/// Panes that there are to list.
const LISTED: usize = 20;

/// What `ls`, attaching, a key's echo and memory come to.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = vec![listed(bench)?];
    rows.extend(attached(bench)?);
    rows.extend(echoed(bench)?);
    Ok(rows)
}

/// From the start of a process that lists to its end.
fn listed(bench: &Bench) -> Result<Row> {
    let mut row = Row::new(format!("ls of {LISTED} panes, p50 (ms)"));
    let gateway = Everpane::start_with_panes(bench.program(), LISTED)?;
    let tmux = tmux::is_installed().then(|| Tmux::start(bench.program())).transpose()?;
    if let Some(tmux) = &tmux {
        (1..LISTED).try_for_each(|_| tmux.add_pane(bench.program()))?;
    }
    let rounds = bench.scaled(8, 3);
    for _ in 0..rounds {
        let mut list = Command::new(EVERPANE);
        list.args(["ls", "--gateway", &url(&gateway)]);
        row.add(Column::Everpane, percentile(&times_of(&mut list, bench.scaled(50, 20))?, 0.5));
        if let Some(tmux) = &tmux {
            let mut list = tmux.command(&["list-panes", "-a"]);
            row.add(Column::Tmux, percentile(&times_of(&mut list, bench.scaled(50, 20))?, 0.5));
        }
    }
    Ok(row)
}

/// How long each of so many runs took, in milliseconds.
fn times_of(command: &mut Command, runs: usize) -> Result<Vec<f64>> {
    let time = |_| {
        let start = Instant::now();
        ensure!(command.stdout(Stdio::null()).status()?.success(), "{command:?} failed");
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    (0..runs).map(time).collect()
}

/// From the start of a process that attaches to a screen below full scrollback to all that the screen shows; and the
/// memory that the process holds then.
fn attached(bench: &Bench) -> Result<[Row; 2]> {
    let mut time = Row::new("attach in a terminal, below 10,000 lines, p50 (ms)");
    let mut memory = Row::new("– memory of the attached process (MiB)");
    let gateway = gateway_with_lines(bench, FULL)?;
    let client = Client::of(&gateway)?;
    for _ in 0..bench.scaled(8, 3) {
        let mut times = Vec::new();
        for _ in 0..bench.scaled(25, 10) {
            let start = Instant::now();
            let terminal = client.attach()?;
            // The last thing on the screen.
            terminal.read_to(program::DONE)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            memory.add(Column::Everpane, resident_bytes(terminal.pid()?)? as f64 / f64::from(1 << 20));
        }
        time.add(Column::Everpane, percentile(&times, 0.5));
    }
    Ok([time, memory])
}

/// From a key in the terminal of who is attached to its echo there.
fn echoed(bench: &Bench) -> Result<[Row; 2]> {
    let rounds = bench.scaled(8, 3);
    let keys = bench.scaled(2000, 600) / rounds;
    let mut middle = Row::new("echo through an attached terminal, p50 (µs)");
    let mut late = Row::new("– p99 (µs)");
    for _ in 0..rounds {
        let gateway = Everpane::start_with_panes(bench.program(), 1)?;
        let client = Client::of(&gateway)?;
        let terminal = client.attach()?;
        terminal.read_to(program::READY)?;
        let times = echoes(&terminal, keys)?;
        middle.add(Column::Everpane, percentile(&times, 0.5));
        late.add(Column::Everpane, percentile(&times, 0.99));
        if tmux::is_installed() {
            // It has read what the program printed first.
            let times = echoes(&Tmux::start(bench.program())?.client, keys)?;
            middle.add(Column::Tmux, percentile(&times, 0.5));
            late.add(Column::Tmux, percentile(&times, 0.99));
        }
    }
    Ok([middle, late])
}

/// How long each echo took, in microseconds, in a terminal whose program has just come up.
fn echoes(terminal: &Pty, keys: usize) -> Result<Vec<f64>> {
    terminal.write(program::ECHO.as_bytes())?;
    terminal.read_to(program::READY)?;
    let mut buffer = [0; 4096];
    type_keys(keys, || {
        terminal.write(b"k")?;
        loop {
            let length = terminal.read(&mut buffer)?;
            ensure!(length > 0, "the client ended");
            // What else a client draws is no echo.
            if buffer[..length].contains(&b'k') {
                return Ok(());
            }
        }
    })
}

/// What attaches to a gateway's first pane.
struct Client {
    script: std::path::PathBuf,
    _dir: TempDir,
}

impl Client {
    fn of(gateway: &Everpane) -> Result<Client> {
        let dir = tempfile::tempdir()?;
        let script = dir.path().join("attach");
        let line = format!(
            "#!/bin/sh\nTERM=xterm-256color exec '{EVERPANE}' attach {} --gateway {}\n",
            gateway.panes[0],
            url(gateway)
        );
        std::fs::write(&script, line)?;
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
        Ok(Client { script, _dir: dir })
    }

    fn attach(&self) -> Result<Pty> {
        Pty::spawn(Path::new(&self.script))
    }
}

fn url(gateway: &Everpane) -> String {
    format!("http://{}", gateway.address())
}
