//! `everpane node`, as what has a gateway's PTYs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// What the node goes by.
pub(crate) const ID: &str = "bench";

/// What it logs once the gateway has taken it.
const REGISTERED: &str = "registered as";

/// A node in a process of its own. Ends with its programs when dropped.
pub(crate) struct Node {
    process: Child,
    /// Held open, so that the node can go on logging.
    _stderr: BufReader<ChildStderr>,
    _state_dir: TempDir,
}

/// The arguments with which `everpane` is a node of the gateway at `address`, with `program` as its shell.
pub(crate) fn arguments<'a>(gateway: &'a str, program: &'a Path, state_dir: &'a Path) -> [&'a OsStr; 13] {
    let [program, state_dir] = [program.as_os_str(), state_dir.as_os_str()];
    let named = |name: &'static str| OsStr::new(name);
    [
        named("node"),
        named("--gateway"),
        OsStr::new(gateway),
        named("--id"),
        named(ID),
        named("--cwd"),
        named("/"),
        named("--root"),
        named("/"),
        named("--shell"),
        program,
        named("--state-dir"),
        state_dir,
    ]
}

impl Node {
    /// Starts one, and waits until the gateway at `address` has taken it.
    ///
    /// # Errors
    /// When it does not start, or is refused.
    pub(crate) fn start(address: &str, program: &Path) -> Result<Node> {
        let state_dir = tempfile::tempdir()?;
        let mut process = Command::new(env!("CARGO_BIN_EXE_everpane"))
            .args(arguments(&format!("http://{address}"), program, state_dir.path()))
            .env("EVERPANE_LOG", "info")
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stderr = BufReader::new(process.stderr.take().context("no standard error")?);
        let mut line = String::new();
        while !line.contains(REGISTERED) {
            line.clear();
            anyhow::ensure!(stderr.read_line(&mut line)? > 0, "the node ended before it was registered");
        }
        Ok(Node { process, _stderr: stderr, _state_dir: state_dir })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
