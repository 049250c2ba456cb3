//! A directory that stands for another machine, and the `everpane node` that runs there, or does not. The shells of its
//! panes run a script of the test's own.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::TOKEN;
use super::processes::Process;
use super::stage::{eventually, write_script};
use super::wall_clock::WallClock;

/// See the module.
pub(crate) struct Machine {
    dir: TempDir,
    /// The id of its node.
    pub(crate) name: String,
    node: Option<Child>,
    /// What its nodes find in their environment beyond the usual.
    variables: Vec<(String, String)>,
}

impl Machine {
    /// One without a node. `name` becomes the node's id.
    pub(crate) fn new(name: &str, script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_script(&dir.path().join("shell"), script);
        fs::create_dir(dir.path().join("home")).unwrap();
        Self { dir, name: name.to_owned(), node: None, variables: Vec::new() }
    }

    /// The same with a wall clock of its own.
    pub(crate) fn under(clock: &WallClock, name: &str, script: &str) -> Self {
        let mut machine = Self::new(name, script);
        machine.variables = clock.variables();
        machine
    }

    /// Starts the node, which dials `gateway`, and does not wait for it to get there.
    pub(crate) fn start(&mut self, gateway: SocketAddr) {
        assert!(self.node.is_none(), "{} has a node", self.name);
        let home = self.path("home");
        let mut command = Command::new(env!("CARGO_BIN_EXE_everpane"));
        command
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("EVERPANE_NODE_TOKEN", TOKEN), ("EVERPANE_LOG", "info")])
            .env("HOME", &home)
            .envs(self.variables.iter().cloned())
            .args(["node", "--gateway", &format!("http://{gateway}")])
            .args(["--id", &self.name, "--name", &self.name])
            .arg("--shell")
            .arg(self.path("shell"))
            .arg("--state-dir")
            .arg(self.path("state"));
        let words = File::options().create(true).append(true).open(self.path("words")).unwrap();
        self.node = Some(command.stdin(Stdio::null()).stderr(words).spawn().unwrap());
    }

    /// The node's process.
    pub(crate) fn node(&self) -> Process {
        Process::of(self.node.as_ref().expect("a node").id()).unwrap()
    }

    /// Ends the node without a warning.
    pub(crate) fn kill(&mut self) {
        self.end_with("KILL");
    }

    /// Asks the node to end, and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.end_with("TERM");
    }

    fn end_with(&mut self, signal: &str) {
        self.node().signal(signal);
        let mut node = self.node.take().unwrap();
        eventually("the node's end", || node.try_wait().unwrap());
    }

    /// The shells that its node has started and that live.
    pub(crate) fn shells(&self) -> Vec<Process> {
        let mut shells = Process::children_of(self.node().pid);
        shells.retain(|shell| shell.state != 'Z');
        shells
    }

    /// All that its shells started, and they themselves; no zombies.
    pub(crate) fn programs(&self) -> Vec<Process> {
        Process::with_variable("SHELL", &self.path("shell"))
    }

    /// A path in its directory; shells start in `home`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a file in its directory holds, nothing if it is not there.
    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_default()
    }

    /// What its nodes have said to people.
    pub(crate) fn words(&self) -> String {
        String::from_utf8(self.content("words")).unwrap()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut node) = self.node.take() {
            let _ = node.kill();
            let _ = node.wait();
        }
        self.programs().iter().for_each(|program| program.signal("KILL"));
    }
}
