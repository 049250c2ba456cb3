//! Starts a gateway in the background, for who wants one and finds none.

use std::fs::OpenOptions;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::api::Api;
use super::failure::{Failure, Kind};
use super::reach::{Destination, Reach};

/// What a gateway in the background says, in its data directory. It is emptied at each start.
const LOG: &str = "serve.log";

/// How long the gateway may take until it serves.
const SERVES_WITHIN: Duration = Duration::from_secs(10);

/// How often it is asked whether it does.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A gateway for whoever wants to attach.
pub(super) struct Found {
    pub(super) gateway: Destination,
    /// Whether it was started for this: who said yes to that wants something to attach to as well.
    pub(super) is_new: bool,
}

/// The gateway, which was started here if there was none on this machine and a person said yes.
///
/// # Errors
/// When there is none, and nobody wants one.
pub(super) fn found_or_started(reach: &Reach) -> Result<Found, Failure> {
    let missing = match reach.find() {
        Ok(gateway) if !gateway.local || is_there(&gateway) => return Ok(Found { gateway, is_new: false }),
        Ok(gateway) => Failure::new(Kind::Unreachable, format!("no gateway listens at {}", gateway.name()))
            .hint("`everpane serve` starts it"),
        Err(failure) if failure.kind == Kind::Unreachable => failure,
        Err(failure) => return Err(failure),
    };
    if !is_wanted()? {
        return Err(missing);
    }
    let dir = reach.data_dir()?;
    let child = start(reach, &dir)?;
    Ok(Found { gateway: until_it_serves(child, reach, &dir)?, is_new: true })
}

fn is_there(gateway: &Destination) -> bool {
    match Api::new(gateway.clone()).get::<serde_json::Value>("") {
        Ok(_) => true,
        // Whatever it says, it is there.
        Err(failure) => failure.kind != Kind::Unreachable,
    }
}

/// Asks the person, if there is one.
fn is_wanted() -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    eprint!("No gateway runs on this machine. Start one in the background? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn start(reach: &Reach, dir: &Path) -> Result<Child, Failure> {
    let failed = |error: io::Error| Failure::new(Kind::Other, format!("cannot start a gateway: {error}"));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let mut log = OpenOptions::new();
    let log = log.write(true).create(true).truncate(true).mode(0o600).open(dir.join(LOG)).map_err(failed)?;
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["serve", "--background", "--data-dir"]).arg(dir);
    if let Some(config) = &reach.config {
        command.arg("--config").arg(config);
    }
    // It is asked for from inside a pane sometimes, and must not take itself for a part of that.
    for name in ["EVERPANE_GATEWAY", "EVERPANE_PANE", "EVERPANE_PANE_TOKEN"] {
        command.env_remove(name);
    }
    let errors = log.try_clone().map_err(failed)?;
    command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().map_err(failed)
}

fn until_it_serves(mut child: Child, reach: &Reach, dir: &Path) -> Result<Destination, Failure> {
    let log = dir.join(LOG);
    let deadline = Instant::now() + SERVES_WITHIN;
    loop {
        // The file with the address may be that of an earlier gateway, where nobody listens any more.
        if let Some(gateway) = reach.find().ok().filter(is_there) {
            return Ok(gateway);
        }
        let ended = child.try_wait()?;
        if ended.is_some() || Instant::now() > deadline {
            let message =
                if ended.is_some() { "the gateway ended at once" } else { "the gateway does not serve" };
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let message = match said.lines().rev().find(|line| !line.trim().is_empty()) {
                Some(last) => format!("{message}: {}", last.trim_start_matches("everpane: ")),
                None => message.to_owned(),
            };
            return Err(Failure::new(Kind::Unreachable, message).hint(format!("see {}", log.display())));
        }
        std::thread::sleep(ASK_EVERY);
    }
}
