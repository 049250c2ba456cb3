//! A key in a pane whose sandbox sleeps: how soon there is output, for sandboxes that take their time to wake.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use everpane::ids::PaneId;
use rustix::process::{Pid, Signal};

use super::Bench;
use crate::support::everpane::{Control, Everpane};
use crate::support::node;
use crate::support::program;
use crate::support::pty::Pty;
use crate::support::server::Server;
use crate::support::table::{Column, Row};
use crate::support::viewer::Viewer;

/// How long a sandbox takes to wake, in seconds, and how many times that is looked at: in full, and for a first look.
const SANDBOXES: [(u64, usize, usize); 3] = [(0, 20, 5), (1, 8, 2), (20, 2, 0)];

/// In the gateway's data directory: what wakes the sandbox, and the process that it then is.
const SCRIPT: &str = "wake.sh";
const PID: &str = "node.pid";

/// From key to the first output of the new shell, beyond what the sandbox takes. The raw PTY's figure is that of
/// starting the program in a new PTY.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (secs, full, quick) in SANDBOXES {
        let mut row = Row::new(format!("wake, key to output beyond the {secs} s of the sandbox (ms)"));
        let rounds = bench.scaled(full, quick);
        if rounds > 0 {
            measure(bench, secs, rounds, &mut row)?;
        }
        rows.push(row);
    }
    Ok(rows)
}

fn measure(bench: &Bench, secs: u64, rounds: usize, row: &mut Row) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().to_owned();
    let script = path.join(SCRIPT);
    let mut gateway =
        Everpane::start_with_wake(dir, bench.program(), &["/bin/sh", &script.to_string_lossy()])?;
    std::fs::write(&script, wake_script(secs, gateway.address(), bench.program(), &path))?;
    let mut sandbox = Sandbox::asleep(&mut gateway, bench.program())?;
    for _ in 0..rounds {
        let start = Instant::now();
        Pty::spawn(bench.program())?.wait_for(program::READY)?;
        row.add(Column::Raw, start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        sandbox.wake()?;
        row.add(Column::Everpane, (start.elapsed().as_secs_f64() - secs as f64) * 1e3);
        sandbox.put_to_sleep(&path)?;
    }
    Ok(())
}

/// Starts a node after a while, and says which process that is.
fn wake_script(secs: u64, address: &str, program: &Path, dir: &Path) -> String {
    let gateway = format!("http://{address}");
    let arguments = node::arguments(&gateway, program, dir);
    let quoted: Vec<_> = arguments.iter().map(|argument| format!("'{}'", argument.display())).collect();
    let (everpane, pid) = (env!("CARGO_BIN_EXE_everpane"), dir.join(PID));
    let sleep = if secs > 0 { format!("sleep {secs}\n") } else { String::new() };
    format!(
        "{sleep}'{everpane}' {} </dev/null >/dev/null 2>&1 &\necho $! > '{}'\n",
        quoted.join(" "),
        pid.display()
    )
}

/// A pane on the node that sleeps and wakes.
struct Sandbox {
    control: Control,
    viewer: Viewer,
    pane: PaneId,
    /// The process id of its newest program.
    newest: String,
}

impl Sandbox {
    /// Makes a pane on a node, and kills that.
    fn asleep(gateway: &mut Everpane, program: &Path) -> Result<Sandbox> {
        gateway.join_node(program)?;
        gateway.add_panes(1)?;
        let pane = *gateway.panes.first().context("no pane")?;
        let (mut control, mut viewer) = (gateway.control()?, gateway.viewer(0)?);
        let newest = viewer.wait_for(program::READY)?;
        control.wait_connected(pane, true)?;
        gateway.kill_node();
        control.wait_connected(pane, false)?;
        Ok(Sandbox { control, viewer, pane, newest })
    }

    /// Presses Enter, and waits for the program's first output.
    fn wake(&mut self) -> Result<()> {
        self.viewer.type_text("\n")?;
        loop {
            let pid = self.viewer.wait_for(program::READY)?;
            // The screen may still tell of the one before.
            if pid != self.newest {
                self.newest = pid;
                return Ok(());
            }
        }
    }

    /// Kills the node, and with it the program.
    fn put_to_sleep(&mut self, dir: &Path) -> Result<()> {
        self.control.wait_connected(self.pane, true)?;
        let pid = std::fs::read_to_string(dir.join(PID))?.trim().parse()?;
        rustix::process::kill_process(Pid::from_raw(pid).context("process 0")?, Signal::KILL)?;
        self.control.wait_connected(self.pane, false)
    }
}
