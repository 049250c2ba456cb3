//! Calls the host of a data directory, or starts it.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{sleep, timeout};

use super::Settings;
use super::socket::Socket;
use super::wire::{Ask, BUILD, Tell, TerminalId, VERSION};
use crate::host::Exit;
use crate::host::pty::{Master, watch};
use crate::host::tape::Tape;
use crate::ids::PaneId;
use crate::pane::respawn::Generation;

/// How long it may take to find or start a host and hear of all its terminals.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// How soon a host that is about to end, or to come, is called again.
const CALL_RETRY: Duration = Duration::from_millis(10);

/// How long a host that was told to end may take. It gives itself less: [`super::server`].
const END_WITHIN: Duration = Duration::from_secs(13);

/// Where a host logs to, in its data directory; emptied when it starts.
const LOG: &str = "host.log";

/// Why there is no host. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Another gateway uses it.
    #[error("the data directory {} is in use by another gateway (process {pid}); end it, or choose another directory", dir.display())]
    Busy {
        /// The data directory.
        dir: PathBuf,
        /// The other gateway's process.
        pid: i32,
    },
    /// It was started by an everpane that is too old or too new.
    #[error(
        "the shells of {} are hosted by everpane {build} (process {pid}), which speaks another version of the wire \
         ({version}; this one speaks {VERSION}); end it and them with `everpane shutdown --data-dir {}`",
        dir.display(), dir.display()
    )]
    Version {
        /// The data directory.
        dir: PathBuf,
        /// The version of the other's wire.
        version: u32,
        /// The other's version.
        build: String,
        /// The host's process.
        pid: u32,
    },
    /// It is there and says nothing, or too little.
    #[error("the host of the shells in {} does not answer; is it stopped?", dir.display())]
    Silent {
        /// The data directory.
        dir: PathBuf,
    },
    /// It has more terminals than this process has descriptors.
    #[error("too few descriptors for the shells that live on in {}; raise the limit (ulimit -n)", dir.display())]
    Descriptors {
        /// The data directory.
        dir: PathBuf,
    },
    /// It could not be started.
    #[error("cannot start the host of the shells in {}: {reason}", dir.display())]
    Start {
        /// The data directory.
        dir: PathBuf,
        /// What it said.
        reason: String,
    },
    /// The system refused something.
    #[error("cannot call the host of the shells in {}", dir.display())]
    Io {
        /// The data directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A terminal that a host has from before.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) terminal: TerminalId,
    pub(super) pane: PaneId,
    pub(super) generation: Generation,
    pub(super) tracks: Tracks,
    /// How its program ended, if it has.
    pub(super) exit: Option<Exit>,
}

/// What a terminal is read, written and signalled by.
#[derive(Debug)]
pub(super) struct Tracks {
    pub(super) master: Arc<Master>,
    pub(super) tape: Arc<Tape>,
    pub(super) pid: Pid,
}

impl Tracks {
    /// Of the descriptors beside a message. `None` if they are not all there.
    pub(super) fn of(descriptors: Vec<OwnedFd>, pid: i32) -> Option<Tracks> {
        let [master, tape] = <[OwnedFd; 2]>::try_from(descriptors).ok()?;
        let tape = Tape::open(&tape).inspect_err(|error| tracing::warn!("no tape: {error}")).ok()?;
        let pid = Pid::from_raw(pid)?;
        Some(Tracks { master: Arc::new(Master::new(master)), tape: Arc::new(tape), pid })
    }
}

/// A host that answered.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) socket: Socket,
    pub(super) known: Vec<Known>,
    /// Its process, if this one started it.
    pub(super) child: Option<Child>,
}

/// Calls the host of a data directory, after starting it if there is none.
pub(super) async fn call(settings: &Settings) -> Result<Answered, LinkError> {
    let dir = settings.data_dir.clone();
    timeout(ANSWER_WITHIN, call_until_answered(settings)).await.unwrap_or(Err(LinkError::Silent { dir }))
}

async fn call_until_answered(settings: &Settings) -> Result<Answered, LinkError> {
    let dir = &settings.data_dir;
    let mut child = None;
    loop {
        match Socket::call(dir) {
            Ok(socket) => {
                // One that is about to end hangs up.
                if let Some(known) = greet(dir, &socket, settings).await? {
                    return Ok(Answered { socket, known, child });
                }
            }
            Err(error) if is_absent(&error) => child = start(settings).await?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(source) => return Err(LinkError::Io { dir: dir.clone(), source }),
        }
        sleep(CALL_RETRY).await;
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
}

/// Says hello and hears of all terminals; `None` if the host hung up.
async fn greet(dir: &Path, socket: &Socket, settings: &Settings) -> Result<Option<Vec<Known>>, LinkError> {
    let io = |source| LinkError::Io { dir: dir.to_owned(), source };
    let hello = Ask::Hello { version: VERSION, build: BUILD.to_owned() };
    if socket.send(&hello, &[]).await.is_err() {
        return Ok(None);
    }
    let mut known = Vec::new();
    while let Some(received) = socket.receive::<Tell>().await.map_err(io)? {
        match received.message {
            Tell::Hello { version, build, pid } if version != VERSION => {
                return Err(LinkError::Version { dir: dir.to_owned(), version, build, pid });
            }
            Tell::Busy { pid } => return Err(LinkError::Busy { dir: dir.to_owned(), pid }),
            Tell::Kept { terminal, pane, generation, pid, exit } => {
                let tracks = Tracks::of(received.descriptors, pid);
                let tracks = tracks.ok_or_else(|| LinkError::Descriptors { dir: dir.to_owned() })?;
                known.push(Known { terminal, pane, generation, tracks, exit });
            }
            Tell::Ready => {
                let Settings { tape_bytes, when_full, .. } = *settings;
                socket.send(&Ask::Settings { tape_bytes, when_full }, &[]).await.map_err(io)?;
                return Ok(Some(known));
            }
            // Its hello.
            _ => {}
        }
    }
    Ok(None)
}

/// Starts a host, and returns when it can be called. `None` if another one came first.
async fn start(settings: &Settings) -> Result<Option<Child>, LinkError> {
    let failed = |reason: String| LinkError::Start { dir: settings.data_dir.clone(), reason };
    let mut child = command(settings)
        .and_then(|mut command| command.spawn())
        .map_err(|error| failed(error.to_string()))?;
    let stdout = child.stdout.take();
    let heard = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        // It ends when the host can be called, or has ended.
        stdout.map_or(Ok(0), |mut stdout| stdout.read_to_string(&mut said)).map(|_| said)
    });
    let said = match heard.await {
        Ok(said) => said.map_err(|error| failed(error.to_string()))?,
        Err(error) => return Err(failed(error.to_string())),
    };
    match child.try_wait() {
        _ if !said.is_empty() => Err(failed(said.trim_end().to_owned())),
        Ok(Some(_)) => Ok(None),
        _ => Ok(Some(child)),
    }
}

fn command(settings: &Settings) -> io::Result<Command> {
    let log = settings.data_dir.join(LOG);
    // Appended to, so that what a host that is about to end writes does no harm.
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&log)?;
    let mut command = Command::new(&settings.program);
    command.arg("host").arg("--data-dir").arg(&settings.data_dir).current_dir("/").env_clear();
    command.envs(
        ["EVERPANE_LOG", "RUST_BACKTRACE"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))),
    );
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(OpenOptions::new().append(true).open(&log)?);
    Ok(command)
}

/// What becomes readable when the process at the other end is gone. It is not to be had when that is in another
/// namespace.
fn process_of(socket: &Socket) -> Option<AsyncFd<OwnedFd>> {
    let process = pidfd_open(Pid::from_raw(socket.peer)?, PidfdFlags::NONBLOCK).ok()?;
    watch(process, Interest::READABLE).ok()
}

/// Ends the host of a data directory with all its programs, and waits until its process is gone. Whether there was one.
///
/// # Errors
/// When it does not heed that.
pub async fn end_host(data_dir: &Path) -> Result<bool, LinkError> {
    let dir = || data_dir.to_owned();
    let socket = match Socket::call(data_dir) {
        Ok(socket) => socket,
        Err(error) if is_absent(&error) => return Ok(false),
        Err(source) => return Err(LinkError::Io { dir: dir(), source }),
    };
    let ended = async {
        let process = process_of(&socket);
        socket.send(&Ask::Shutdown, &[]).await?;
        // It hangs up before the last of what its programs left is gone, and stays until then.
        while socket.receive::<serde_json::Value>().await?.is_some() {}
        if let Some(process) = process {
            let _ = process.readable().await?;
        }
        Ok(())
    };
    match timeout(END_WITHIN, ended).await {
        Ok(Ok(())) => Ok(true),
        Ok(Err(source)) => Err(LinkError::Io { dir: dir(), source }),
        Err(_) => Err(LinkError::Silent { dir: dir() }),
    }
}
