//! The gateway's own trick: how soon viewers see that a shell is dead, and how soon a key brings the next one.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal};

use super::Bench;
use crate::support::everpane::{Control, Everpane};
use crate::support::program;
use crate::support::pty::Pty;
use crate::support::server::Server;
use crate::support::table::{Column, Row};
use crate::support::viewer::Viewer;

/// Between a respawn and the next death.
const PAUSE: Duration = Duration::from_millis(100);

/// The raw PTY's figure is that of starting a program in a new PTY.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let rounds = bench.scaled(30, 8);
    let mut death = Row::new("death of a shell to `connected: false` at a viewer (ms)");
    let mut respawn = Row::new("respawn, key to the new shell's first output (ms)");
    for _ in 0..rounds {
        respawn.add(Column::Raw, milliseconds(|| Pty::spawn(bench.program())?.wait_for(program::READY))?);
    }
    if !bench.scale.baselines {
        let gateway = Everpane::start_with_panes(bench.program(), 1)?;
        let (mut control, mut viewer) = (gateway.control()?, gateway.viewer(0)?);
        let mut pid = viewer.wait_for(program::READY)?;
        for _ in 0..rounds {
            thread::sleep(PAUSE);
            // What the layout said earlier must not be taken for news of the death.
            control.wait_connected(gateway.panes[0], true)?;
            death.add(Column::Everpane, milliseconds(|| kill(&gateway, &mut control, &pid))?);
            respawn.add(
                Column::Everpane,
                milliseconds(|| {
                    pid = wake(&mut viewer)?;
                    Ok(())
                })?,
            );
        }
    }
    Ok(vec![death, respawn])
}

fn milliseconds(what: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    what()?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// Kills the program, and waits for the viewer to be told.
fn kill(gateway: &Everpane, control: &mut Control, pid: &str) -> Result<()> {
    let pid = Pid::from_raw(pid.parse().context("the program's process id")?).context("process 0")?;
    rustix::process::kill_process(pid, Signal::KILL)?;
    control.wait_connected(gateway.panes[0], false)
}

/// Presses Enter, and waits for the new program; its process id.
fn wake(viewer: &mut Viewer) -> Result<String> {
    viewer.type_text("\n")?;
    viewer.wait_for(program::READY)
}
