//! `everpane node`: hosts the PTYs of this machine for a gateway elsewhere. It dials out; nothing listens here.

mod backoff;
mod connection;
mod identity;
mod rpc;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use tokio_util::sync::CancellationToken;

use self::backoff::Backoff;
use self::connection::{Dialler, Ended};
use self::identity::{Identity, kept_id, random_name};
use super::address::{http_address, is_open, websocket_address};
use super::signals::Signals;
use crate::config::{Config, Overrides, Surroundings, shell_environment};
use crate::descriptors;
use crate::host::local::LocalHost;
use crate::host::remote::{Defaults, PtyService};

/// How long the programs may take to end when the node does.
const GRACE: Duration = Duration::from_secs(3);

/// How long the runtime may then wait for threads that are stuck in a system call.
const LAST_CALL: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
Examples:
  EVERPANE_NODE_TOKEN=$(cat token) everpane node --gateway https://gateway.example:7433
      Host panes of that gateway on this machine.
  everpane node --gateway http://10.0.0.2:7433 --token-file token --root ~/src --cwd ~/src
      Start them in ~/src, and show no folder outside of it.

While the gateway is away, programs live on. SIGTERM and ctrl-c end them and leave the gateway's roster. SIGUSR1 tells \
the gateway that this machine is about to sleep: send it before freezing a sandbox.";

/// What `node` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The gateway: an address that begins with https, http, wss or ws
    #[arg(long, value_name = "URL")]
    gateway: String,
    /// The token that the gateway made for this node; better in the environment, where no process list shows it
    #[arg(long, value_name = "TOKEN", env = "EVERPANE_NODE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Read the token from a file
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// What this node goes by [default: made from the machine's name at the first start, and kept]
    #[arg(long)]
    id: Option<String>,
    /// What people know this machine by [default: its host name]
    #[arg(long)]
    name: Option<String>,
    /// The directory of a new pane [default: your home]
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// The directory that people may look for places in [default: your home]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// The program of a new pane [default: $SHELL, else your login shell]
    #[arg(long, value_name = "PROGRAM")]
    shell: Option<PathBuf>,
    /// Where the id is kept [default: ~/.local/state/everpane]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// Hosts PTYs until a signal ends it, or the gateway wants none of us.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    descriptors::raise();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let outcome = runtime.block_on(host(args));
    runtime.shutdown_timeout(LAST_CALL);
    outcome
}

async fn host(args: &Args) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let mut sleeps = signal(SignalKind::user_defined1()).context("cannot listen for signals")?;
    let dialler = Arc::new(dialler(args)?);
    let dialling = dialler.clone();
    let mut dialled = tokio::spawn(async move { keep_connected(&dialling).await });
    let outcome = loop {
        tokio::select! {
            outcome = &mut dialled => break outcome,
            Some(()) = sleeps.recv() => {
                let told = dialler.service.announce_sleep();
                tracing::info!(told, "about to sleep");
            }
            signal = signals.first(), if !dialler.stop.is_cancelled() => {
                tracing::info!(signal, "leaving");
                dialler.stop.cancel();
            }
        }
    };
    signals.give_way();
    if tokio::time::timeout(GRACE, dialler.service.end()).await.is_err() {
        tracing::warn!("not every program came to its end in time");
    }
    outcome.context("the connection's task came to no good end")?
}

fn dialler(args: &Args) -> anyhow::Result<Dialler> {
    let surroundings = Surroundings::here();
    let overrides = Overrides {
        data_dir: args.state_dir.clone(),
        shell: args.shell.clone(),
        cwd: args.cwd.clone(),
        ..Overrides::default()
    };
    let config = Config::load(None, overrides, &surroundings)?.resolve(&surroundings)?;
    let address = websocket_address(&args.gateway)?;
    let token = token(args)?;
    if token.is_some() && is_open(&address) {
        tracing::warn!(
            "{address}: the token and all that is typed can be read on the way; https would hide it"
        );
    }
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let identity = Identity {
        id: match &args.id {
            Some(id) => id.clone(),
            None => kept_id(&config.data_dir, &machine)?,
        },
        machine: args.name.clone().unwrap_or(machine),
        cwd: config.cwd.display().to_string(),
        instance: random_name()?,
    };
    let defaults = Defaults {
        command: vec![config.shell.to_string_lossy().into_owned()],
        environment: [shell_environment(&config, &surroundings), way_back(&address)].concat(),
        root: root(args, &surroundings)?,
        cwd: config.cwd,
    };
    let service = PtyService::new(Arc::new(LocalHost::default()), defaults);
    Ok(Dialler { address, token, identity, service, stop: CancellationToken::new() })
}

/// What lets commands in our panes find the gateway: only we know how it is reached from here.
fn way_back(address: &Uri) -> Vec<(String, String)> {
    vec![("EVERPANE_GATEWAY".to_owned(), http_address(address))]
}

fn root(args: &Args, surroundings: &Surroundings) -> anyhow::Result<PathBuf> {
    let root = args.root.clone().or_else(|| surroundings.home());
    let root = root.context("no home directory is known; name a directory with --root")?;
    root.canonicalize().with_context(|| format!("--root {}", root.display()))
}

/// The header with the token, if there is one.
fn token(args: &Args) -> anyhow::Result<Option<HeaderValue>> {
    let text = match (&args.token, &args.token_file) {
        (Some(token), _) => token.clone(),
        (None, Some(path)) => read_token(path)?,
        (None, None) => return Ok(None),
    };
    let mut header = HeaderValue::from_str(&format!("Bearer {}", text.trim()))
        .context("the token may hold printable ASCII characters only")?;
    header.set_sensitive(true);
    Ok(Some(header))
}

fn read_token(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("the token file {}", path.display()))?;
    anyhow::ensure!(!text.trim().is_empty(), "the token file {} is empty", path.display());
    Ok(text)
}

/// Dials, again and again, until we are stopped or no longer wanted. One connection or one wait at a time.
async fn keep_connected(dialler: &Dialler) -> anyhow::Result<()> {
    let mut backoff = Backoff::default();
    loop {
        let (ended, lasted) = dialler.connect().await;
        let wait = match ended {
            Ended::Stopped => return Ok(()),
            Ended::Rejected(reason) => anyhow::bail!("{}: {reason}", dialler.address),
            Ended::Superseded(reason) => {
                let wait = backoff.after_superseded(chance());
                tracing::warn!("{}: {reason}", dialler.address);
                wait
            }
            Ended::Unreached(reason) => {
                let wait = backoff.after(lasted, chance());
                tracing::warn!("{reason}");
                wait
            }
            Ended::Lost(reason) => {
                let wait = backoff.after(lasted, chance());
                tracing::warn!("{}: {reason}", dialler.address);
                wait
            }
        };
        tracing::info!("dialling again in {:.1} s", wait.as_secs_f64());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = dialler.stop.cancelled() => return Ok(()),
        }
    }
}

/// A number in 0..1, for spreading retries.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness retries are merely not spread.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
