//! What a screen's scrollback costs in memory.

use anyhow::Result;

use super::Bench;
use crate::support::models;
use crate::support::table::{Column, Row};

/// KiB per 1,000 lines of a log, at two widths.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for cols in [80, 120] {
        let mut row = Row::new(format!("1,000 lines of scrollback, {cols} columns (KiB)"));
        for _ in 0..bench.scaled(3, 1) {
            for column in [Column::Alacritty, Column::Everpane] {
                row.add(column, models::memory_per_thousand_lines(column, cols)? / 1024.0);
            }
        }
        rows.push(row);
    }
    Ok(rows)
}
