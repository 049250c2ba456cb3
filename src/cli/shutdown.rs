//! `everpane shutdown`: ends the gateway of a data directory, and its shells.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::failure::{Failure, Kind};
use super::reach::leads_to;
use crate::config::{Config, Overrides, Surroundings, config_file};
use crate::host::process::end_host;

/// What a gateway holds while it runs, with its process id inside.
const LOCK: &str = "gateway.lock";

/// How long a gateway may take to end. It gives itself less.
const ENDS_WITHIN: Duration = Duration::from_secs(6);

/// How often to look whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const EXAMPLES: &str = "\
Examples:
  everpane shutdown
      Ends the gateway, if it runs, and all shells, also those that outlived it.
  everpane shutdown --data-dir ~/other
      The same for one with another data directory.";

/// What `shutdown` can be told.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The gateway's data directory [default: ~/.local/state/everpane]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The gateway's config file [default: ~/.config/everpane/config.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Ends what runs for a data directory.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let surroundings = Surroundings::here();
    let is_named = args.data_dir.is_some() || args.config.is_some();
    let overrides = Overrides { data_dir: args.data_dir, ..Overrides::default() };
    let dir = Config::load(config_file(args.config).as_deref(), overrides, &surroundings)?.data_dir;
    if !is_named {
        check_surroundings(&surroundings, &dir)?;
    }
    let gateway = end_gateway(&dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let host = runtime.block_on(end_host(&dir))?;
    match gateway || host {
        true => Ok(()),
        false => bail!("nothing runs in the data directory {}", dir.display()),
    }
}

/// All commands but this one go to the gateway that the environment names, as it does in a pane. Who is used to that must
/// not end another one by mistake.
fn check_surroundings(surroundings: &Surroundings, dir: &Path) -> Result<(), Failure> {
    let named = surroundings.variable("EVERPANE_GATEWAY").filter(|gateway| !gateway.is_empty());
    match named.filter(|gateway| !leads_to(gateway, dir)) {
        None => Ok(()),
        Some(gateway) => {
            let dir = dir.display();
            let message = format!("{gateway}, which EVERPANE_GATEWAY names, is not the gateway of {dir}");
            Err(Failure::new(Kind::Refused, message)
                .hint("on its machine, name the data directory of the one to end with --data-dir"))
        }
    }
}

/// Ends the gateway whose lock is in `dir`. Whether there was one.
fn end_gateway(dir: &Path) -> anyhow::Result<bool> {
    let path = dir.join(LOCK);
    let Ok(lock) = File::open(&path) else { return Ok(false) };
    if !is_held(&lock)? {
        return Ok(false);
    }
    let pid = fs::read_to_string(&path).ok().and_then(|text| Pid::from_raw(text.trim().parse().ok()?));
    let pid = pid.with_context(|| format!("{} does not say which process holds it", path.display()))?;
    let process = pidfd_open(pid, PidfdFlags::empty());
    // Looked at again: as long as it is held the process that we have is the one that holds it.
    if !is_held(&lock)? {
        return Ok(true);
    }
    let process = process.with_context(|| format!("the gateway is process {pid:?}"))?;
    pidfd_send_signal(&process, Signal::TERM).with_context(|| format!("cannot end process {pid:?}"))?;
    let deadline = Instant::now() + ENDS_WITHIN;
    while is_held(&lock)? {
        if Instant::now() >= deadline {
            bail!("the gateway, process {}, does not end", pid.as_raw_nonzero());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(true)
}

fn is_held(lock: &File) -> anyhow::Result<bool> {
    match flock(lock, FlockOperation::NonBlockingLockShared) {
        Ok(()) => {
            flock(lock, FlockOperation::Unlock)?;
            Ok(false)
        }
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error).context("cannot look at the gateway's lock"),
    }
}
