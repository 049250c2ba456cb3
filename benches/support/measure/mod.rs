//! The measurements, each a file that gives rows of the table.

mod attach;
mod command_line;
mod echo;
mod fan_out;
mod flood;
mod idle;
mod layout;
mod manners;
mod memory;
mod nodes;
mod parse;
mod registry;
mod respawn;
mod scrollback;
mod snapshot;
mod stalled;
mod throughput;
mod wake;

use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;

use super::everpane::Hosting;
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
        const BOTH: [Contender; 2] = [Contender::Relay, Contender::Everpane(Hosting::Beside)];
        if self.scale.baselines { &BOTH[..1] } else { &BOTH }
    }
}

/// Gives the rows of one measurement.
type Measurement = fn(&Bench) -> Result<Vec<Row>>;

/// Those of screens alone, in this process.
const MODELS: [(&str, Measurement); 3] =
    [("parse", parse::run), ("scrollback", scrollback::run), ("snapshot", snapshot::run)];

/// Those of servers, over the wire.
const SERVERS: [(&str, Measurement); 11] = [
    ("throughput", throughput::run),
    ("echo", echo::run),
    ("manners", manners::run),
    ("attach", attach::run),
    ("fan-out", fan_out::run),
    ("stalled", stalled::run),
    ("memory", memory::run),
    ("idle", idle::run),
    ("respawn", respawn::run),
    ("layout", layout::run),
    ("command-line", command_line::run),
];

/// Those of PTYs elsewhere.
const NODES: [(&str, Measurement); 3] =
    [("nodes", nodes::run), ("wake", wake::run), ("registry", registry::run)];

/// Those that only the gateway takes part in.
const GATEWAY_ONLY: [&str; 12] = [
    "parse",
    "scrollback",
    "snapshot",
    "attach",
    "stalled",
    "memory",
    "idle",
    "layout",
    "nodes",
    "wake",
    "registry",
    "command-line",
];

/// Runs the measurements whose name contains one of `filters`, or all when there are none. A table of the screens'
/// figures, one of the servers', and one of those with nodes.
///
/// # Errors
/// When a contender does not start, or stops in the middle.
pub(crate) fn run(filters: &[&str], scale: Scale) -> Result<[Table; 3]> {
    let dir = tempfile::tempdir()?;
    let bench = Bench { scale, program: program::install(dir.path())?, _dir: dir };
    Ok([bench.table(&MODELS, filters)?, bench.table(&SERVERS, filters)?, bench.table(&NODES, filters)?])
}

impl Bench {
    fn table(&self, measurements: &[(&str, Measurement)], filters: &[&str]) -> Result<Table> {
        let mut table = Table::default();
        for (name, measurement) in measurements {
            let wanted = filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
            if wanted && !(self.scale.baselines && GATEWAY_ONLY.contains(name)) {
                eprintln!("measuring {name}");
                let rows = measurement(self)?;
                rows.iter().for_each(|row| eprintln!("  {}", row.spread()));
                table.rows.extend(rows);
            }
        }
        Ok(table)
    }
}
