//! `everpane host`: the process that runs the shells of a data directory. `serve` starts it; nobody else needs to.

use std::path::PathBuf;

use crate::descriptors;
use crate::host::process::{RunError, run as run_host};

/// What `host` is told.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The data directory of the gateway that it is for
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

/// Runs until it is told to end, or is needed no more.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    descriptors::raise();
    match run_host(&args.data_dir) {
        // Two gateways wanted one at the same time; the other's will do.
        Err(RunError::Running(_)) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
