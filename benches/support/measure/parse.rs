//! How fast screens take output in: one thread, no I/O.

use anyhow::Result;
use everpane::geometry::Size;

use super::Bench;
use crate::support::mix::{self, Kind};
use crate::support::models::{self, Filtered, Model};
use crate::support::process;
use crate::support::table::{Column, Row};

const KINDS: [(Kind, &str); 4] = [
    (Kind::Plain, "plain lines"),
    (Kind::Coloured, "coloured log"),
    (Kind::Frames, "full-screen frames"),
    (Kind::Mixed, "the mix"),
];

const COLUMNS: [Column; 4] = [Column::Copy, Column::Vte, Column::Alacritty, Column::Everpane];

/// How many blocks a model has taken in before those that count.
const WARM_UP_BLOCKS: u32 = 2;

/// How many blocks are taken in between two looks at the processor time.
const BLOCKS_AT_ONCE: u32 = 4;

/// MiB per second of processor time, for each kind of output.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (kind, name) in KINDS {
        let wire = mix::on_the_wire(&mix::block_of(kind));
        let clean = models::clean(&wire);
        let mut row = Row::new(format!("taking in {name} (MiB per CPU second)"));
        let mut filtered = Row::new("– with the filter before it (MiB per CPU second)");
        for _ in 0..bench.scaled(7, 3) {
            for column in COLUMNS {
                let mut model = models::model(column, Size::DEFAULT)?;
                row.add(column, rate(bench, &mut *model, &clean)?);
            }
            filtered.add(Column::Everpane, rate(bench, &mut Filtered::new(Size::DEFAULT), &clean)?);
        }
        rows.extend([row, filtered]);
    }
    Ok(rows)
}

/// MiB per CPU second of a model that has some scrollback already.
fn rate(bench: &Bench, model: &mut dyn Model, pieces: &[Vec<u8>]) -> Result<f64> {
    let bytes: usize = pieces.iter().map(Vec::len).sum();
    let mut feed = || pieces.iter().for_each(|piece| model.feed(piece));
    (0..WARM_UP_BLOCKS).for_each(|_| feed());
    let start = process::cpu_seconds(std::process::id())?;
    let (mut fed, mut seconds) = (0.0, 0.0);
    while seconds < bench.scaled(0.5, 0.15) {
        (0..BLOCKS_AT_ONCE).for_each(|_| feed());
        fed += f64::from(BLOCKS_AT_ONCE) * bytes as f64 / f64::from(1 << 20);
        seconds = process::cpu_seconds(std::process::id())? - start;
    }
    Ok(fed / seconds)
}
