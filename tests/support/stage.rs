//! A gateway with a shell of a test's own, and a directory for both. The shell's path is in the environment of all
//! that it starts, so that they can be found.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use everpane::ids::PaneId;
use tempfile::TempDir;

use super::processes::Process;
use super::viewer::TestViewer;
use super::wall_clock::WallClock;
use super::{Gateway, PATIENCE, TOKEN, everpane};

/// See the module.
pub(crate) struct Stage {
    // Ends before its directory does.
    pub(crate) gateway: Gateway,
    dir: TempDir,
    /// What the gateway is started with beyond the usual.
    arguments: Vec<String>,
    /// What it finds in its environment beyond the usual.
    variables: Vec<(String, String)>,
}

impl Stage {
    /// A gateway whose panes run `script` in `sh`.
    pub(crate) fn with_script(script: &str) -> Self {
        Self::with_settings(script, "")
    }

    /// The same with settings, as a config file has them.
    pub(crate) fn with_settings(script: &str, settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_script(&dir.path().join("shell"), script);
        Self::start(dir, settings, Vec::new(), &[])
    }

    /// The same with more arguments for the gateway instead.
    pub(crate) fn with_arguments(script: &str, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_script(&dir.path().join("shell"), script);
        Self::start(dir, "", Vec::new(), arguments)
    }

    /// The same with more variables in the gateway's own environment.
    pub(crate) fn with_environment(script: &str, variables: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_script(&dir.path().join("shell"), script);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::start(dir, "", variables.iter().map(owned).collect(), &[])
    }

    /// One whose gateway, and the process that runs the shells, have a wall clock of their own; with settings.
    pub(crate) fn under(clock: &WallClock, script: &str, settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_script(&dir.path().join("shell"), script);
        start_host(&dir.path().join("data"), clock);
        Self::start(dir, settings, clock.variables(), &[])
    }

    /// A gateway whose panes run a real `bash`, in an empty home.
    pub(crate) fn with_bash() -> Self {
        let dir = tempfile::tempdir().unwrap();
        symlink("/bin/bash", dir.path().join("shell")).unwrap();
        Self::start(dir, "", Vec::new(), &[])
    }

    fn start(dir: TempDir, settings: &str, variables: Vec<(String, String)>, arguments: &[&str]) -> Self {
        let config = dir.path().join("config.toml");
        fs::write(&config, settings).unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        let mut command = command(dir.path());
        let gateway = Gateway::run(command.envs(variables.iter().cloned()).args(arguments));
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { gateway, dir, arguments, variables }
    }

    /// Kills the gateway without a warning, and then what it ran.
    pub(crate) fn crash(&mut self) {
        self.crash_gateway();
        self.end_host();
        eventually("the end of the programs", || self.programs().is_empty().then_some(()));
    }

    /// Kills the gateway, and nothing else.
    pub(crate) fn crash_gateway(&mut self) {
        self.process().signal("KILL");
        self.gateway.wait();
    }

    /// Kills the process that runs the shells, which hangs up on them.
    fn end_host(&self) {
        if let Some(host) = self.host() {
            host.signal("KILL");
            eventually("the host's end", || {
                Process::of(host.pid).is_none_or(|host| host.state == 'Z').then_some(())
            });
        }
    }

    /// Starts a gateway again after the end of the one before.
    pub(crate) fn start_again(&mut self) {
        self.gateway = Gateway::run(&mut self.command());
    }

    /// The same, at the address of the one before.
    pub(crate) fn start_again_there(&mut self) {
        let (usual, address) = (self.command(), self.gateway.address.to_string());
        let arguments = usual.get_args().map(|argument| match argument.to_str() {
            Some("127.0.0.1:0") => address.clone().into(),
            _ => argument.to_owned(),
        });
        let variables = usual.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let mut command = Command::new(usual.get_program());
        command.env_clear().envs(variables).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        self.gateway = Gateway::run(&mut command);
    }

    /// What starts a gateway here.
    pub(crate) fn command(&self) -> Command {
        let mut command = command(self.dir.path());
        command.args(&self.arguments).envs(self.variables.iter().cloned());
        command
    }

    /// A path in its directory; `shell` is the shell, `home` where shells start.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a file in its directory holds, nothing if it is not there.
    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_default()
    }

    /// One more viewer.
    pub(crate) fn viewer(&self) -> TestViewer {
        TestViewer::attach(&self.gateway)
    }

    /// A viewer that made a session and watches its pane, which is live.
    pub(crate) fn open(&self) -> (TestViewer, PaneId) {
        let mut viewer = self.viewer();
        let pane = viewer.create_session();
        viewer.until_live(pane);
        (viewer, pane)
    }

    /// What the shells started, and they themselves; no zombies.
    pub(crate) fn programs(&self) -> Vec<Process> {
        Process::with_variable("SHELL", &self.path("shell"))
    }

    /// The shells themselves, dead ones that nobody reaped too.
    pub(crate) fn shells(&self) -> Vec<Process> {
        Process::children_of(self.host().map_or(self.gateway.pid(), |host| host.pid))
    }

    /// The process that runs the shells, if it is not the gateway's own.
    pub(crate) fn host(&self) -> Option<Process> {
        let dir = self.path("data");
        let is_host = |process: &Process| {
            let arguments = process.arguments();
            arguments.get(1).is_some_and(|word| word == "host")
                && arguments.last().is_some_and(|last| Path::new(last) == dir)
        };
        Process::all().into_iter().find(is_host)
    }

    /// The gateway's own process.
    pub(crate) fn process(&self) -> Process {
        Process::of(self.gateway.pid()).unwrap()
    }
}

/// Starts the process that runs the shells, which a gateway would start without its own environment.
fn start_host(data_dir: &Path, clock: &WallClock) {
    DirBuilder::new().mode(0o700).create(data_dir).unwrap();
    // It closes its stdout when it can be called. Nobody here is its parent, as after a gateway's end.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "\"$0\" host --data-dir \"$1\" &", env!("CARGO_BIN_EXE_everpane")]).arg(data_dir);
    let said = shell.env_clear().envs(clock.variables()).stderr(Stdio::inherit()).output().unwrap();
    assert!(said.status.success() && said.stdout.is_empty(), "{said:?}");
}

fn command(dir: &Path) -> Command {
    let mut command = everpane(&dir.join("data"));
    command.env("EVERPANE_TOKEN", TOKEN).env("HOME", dir.join("home"));
    command.arg("--shell").arg(dir.join("shell")).arg("--config").arg(dir.join("config.toml"));
    command
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Else it would start another host.
        self.gateway.kill();
        self.end_host();
        // Some heed no hang-up, and their host is killed without a chance to see to them.
        self.programs().iter().for_each(|program| program.signal("KILL"));
    }
}

/// Makes an executable script.
pub(crate) fn write_script(path: &Path, script: &str) {
    fs::write(
        path,
        format!(
            "#!/bin/sh
{script}"
        ),
    )
    .unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Waits for what no viewer is told. Asks again and again, as nothing else tells.
pub(crate) fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
