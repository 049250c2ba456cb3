//! The measurements, each a file that gives rows of the table.

mod echo;
mod fan_out;
mod flood;
mod layout;
mod memory;
mod respawn;
mod throughput;

use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;

use super::program;
use super::server::Contender;
use super::table::{Row, Table};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Little, for a first look.
    pub(crate) quick: bool,
    /// Without the gateway.
    pub(crate) baselines: bool,
}

/// What every measurement is given.
pub(crate) struct Bench {
    scale: Scale,
    /// The program for the PTYs.
    program: PathBuf,
    _dir: TempDir,
}

impl Bench {
    fn program(&self) -> &Path {
        &self.program
    }

    /// `full`, or `quick` if things are to be quick.
    fn scaled<T>(&self, full: T, quick: T) -> T {
        if self.scale.quick { quick } else { full }
    }

    /// The servers to compare, in the order of their turns.
    fn contenders(&self) -> &'static [Contender] {
        if self.scale.baselines { &[Contender::Relay] } else { &[Contender::Relay, Contender::Everpane] }
    }
}

/// Gives the rows of one measurement.
type Measurement = fn(&Bench) -> Result<Vec<Row>>;

const MEASUREMENTS: [(&str, Measurement); 6] = [
    ("throughput", throughput::run),
    ("echo", echo::run),
    ("fan-out", fan_out::run),
    ("memory", memory::run),
    ("respawn", respawn::run),
    ("layout", layout::run),
];

/// Those that only the gateway takes part in.
const GATEWAY_ONLY: [&str; 2] = ["memory", "layout"];

/// Runs the measurements whose name contains one of `filters`, or all when there are none.
///
/// # Errors
/// When a contender does not start, or stops in the middle.
pub(crate) fn run(filters: &[&str], scale: Scale) -> Result<Table> {
    let dir = tempfile::tempdir()?;
    let bench = Bench { scale, program: program::install(dir.path())?, _dir: dir };
    let mut table = Table::default();
    for (name, measurement) in MEASUREMENTS {
        let wanted = filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
        if wanted && !(scale.baselines && GATEWAY_ONLY.contains(&name)) {
            eprintln!("measuring {name}");
            table.rows.extend(measurement(&bench)?);
        }
    }
    Ok(table)
}

/// The figures of `contender` in `row`.
fn column(row: &mut Row, contender: Contender) -> &mut Vec<f64> {
    match contender {
        Contender::Relay => &mut row.relay,
        Contender::Everpane => &mut row.everpane,
    }
}
