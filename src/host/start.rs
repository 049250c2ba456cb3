//! The start of a program in a new PTY, with all that can be said about it beforehand.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::pty::{self, Master, Program};
use super::{SpawnError, SpawnRequest};

/// A program in a PTY, just started.
pub(super) struct Started {
    pub(super) master: Arc<Master>,
    pub(super) program: Program,
    /// What people should know about how it was started.
    pub(super) note: Option<String>,
}

/// Starts a program. Needs a runtime around it.
pub(super) async fn start(request: SpawnRequest) -> Result<Started, SpawnError> {
    tokio::task::spawn_blocking(move || open(&request))
        .await
        .unwrap_or_else(|error| Err(SpawnError { reason: format!("starting the program panicked: {error}") }))
}

fn open(request: &SpawnRequest) -> Result<Started, SpawnError> {
    check_program(request)?;
    let cwd = nearest_directory(&request.cwd);
    let note = (cwd != request.cwd)
        .then(|| format!("{} is gone; started in {}", request.cwd.display(), cwd.display()));
    let (master, program) =
        pty::open(request, &cwd).map_err(|error| SpawnError { reason: format!("{error:#}") })?;
    Ok(Started { master, program, note })
}

/// Finds out what exec would say. After the fork it is too late: portable-pty closes the pipe that would tell.
fn check_program(request: &SpawnRequest) -> Result<(), SpawnError> {
    let Some(program) = request.command.first() else {
        return Err(SpawnError { reason: "no command given".to_owned() });
    };
    let path = request.environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
    crate::programs::find(program, path).map(|_| ()).map_err(|error| SpawnError { reason: error.to_string() })
}

/// `wanted`, or else its nearest parent that is a directory we may enter.
fn nearest_directory(wanted: &Path) -> PathBuf {
    let enterable =
        |path: &&Path| path.is_dir() && rustix::fs::access(*path, rustix::fs::Access::EXEC_OK).is_ok();
    wanted.ancestors().find(enterable).unwrap_or(Path::new("/")).to_owned()
}
