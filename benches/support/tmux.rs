//! tmux as a contender: its server with one client, whose terminal is a PTY that is read in a loop.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::pty::Pty;
use super::{process, program};

/// Ends with its program when dropped.
pub(crate) struct Tmux {
    /// The client's terminal.
    pub(crate) client: Pty,
    /// Its server's socket.
    socket: PathBuf,
    /// The server's process.
    server: u32,
    _dir: TempDir,
}

/// Whether there is a tmux.
pub(crate) fn is_installed() -> bool {
    Command::new("tmux").arg("-V").output().is_ok_and(|output| output.status.success())
}

impl Tmux {
    /// Starts one with `program` in its only pane, as large as the gateway's and with as much scrollback.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(program: &Path) -> Result<Tmux> {
        let dir = tempfile::tempdir()?;
        let (config, script) = (dir.path().join("config"), dir.path().join("client"));
        let socket = dir.path().join("socket");
        std::fs::write(&config, "set -g status off\nset -g history-limit 10000\n")?;
        let line = format!(
            "#!/bin/sh\nTERM=xterm-256color LC_ALL=C.UTF-8 exec tmux -u -S '{}' -f '{}' new-session '{}'\n",
            socket.display(),
            config.display(),
            program.display()
        );
        std::fs::write(&script, line)?;
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
        let client = Pty::spawn(&script)?;
        client.read_to(program::READY)?;
        let output = tmux(&socket, &["display-message", "-p", "#{pid}"]).output()?;
        let server = String::from_utf8_lossy(&output.stdout).trim().parse().context("tmux's process id")?;
        Ok(Tmux { client, socket, server, _dir: dir })
    }

    /// A command for its server.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        tmux(&self.socket, args)
    }

    /// Makes a window with `program` in it, behind the one that is shown.
    ///
    /// # Errors
    /// When it is refused.
    pub(crate) fn add_pane(&self, program: &Path) -> Result<()> {
        let program = program.to_str().context("a path that is no text")?;
        let made = self.command(&["new-window", "-d", program]).status()?.success();
        made.then_some(()).context("tmux makes no window")
    }

    /// The processor time of server and client so far, in seconds.
    ///
    /// # Errors
    /// When one of them has ended.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        Ok(process::cpu_seconds(self.server)? + process::cpu_seconds(self.client.pid()?)?)
    }
}

fn tmux(socket: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("tmux");
    command.arg("-S").arg(socket).args(args);
    command
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = tmux(&self.socket, &["kill-server"]).status();
    }
}
