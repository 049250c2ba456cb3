//! The table that comes out: one row per figure, aligned for people and valid Markdown.

use std::fmt;

use super::stats::median;

/// One figure, by round, of each contender; the table shows medians and their ratios. Rounds are taken in turns, so
/// that what slows the machine slows all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// What was measured, with its unit.
    pub(crate) name: String,
    /// The raw PTY's figures; empty where it has none.
    pub(crate) raw: Vec<f64>,
    /// The bare relay's.
    pub(crate) relay: Vec<f64>,
    /// The gateway's.
    pub(crate) everpane: Vec<f64>,
}

impl Row {
    /// A row without figures yet.
    pub(crate) fn new(name: impl Into<String>) -> Row {
        Row { name: name.into(), ..Row::default() }
    }

    fn is_empty(&self) -> bool {
        self.raw.is_empty() && self.relay.is_empty() && self.everpane.is_empty()
    }

    fn cells(&self) -> [String; 7] {
        [
            self.name.clone(),
            figure(median(&self.raw)),
            figure(median(&self.relay)),
            figure(median(&self.everpane)),
            ratio(&self.relay, &self.raw),
            ratio(&self.everpane, &self.raw),
            ratio(&self.everpane, &self.relay),
        ]
    }
}

/// All rows.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// In the order of printing.
    pub(crate) rows: Vec<Row>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head =
            ["", "raw PTY", "bare relay", "everpane", "relay ÷ raw", "everpane ÷ raw", "everpane ÷ relay"]
                .map(str::to_owned);
        let body: Vec<_> = self.rows.iter().filter(|row| !row.is_empty()).map(Row::cells).collect();
        let widths = std::array::from_fn(|column| {
            let cells = body.iter().chain([&head]).map(|cells| cells[column].chars().count());
            cells.max().unwrap_or_default()
        });
        write_line(f, &head, &widths)?;
        let rule = std::array::from_fn(|column| match column {
            0 => format!(":{}", "-".repeat(widths[column] - 1)),
            _ => format!("{}:", "-".repeat(widths[column] - 1)),
        });
        write_line(f, &rule, &widths)?;
        body.iter().try_for_each(|cells| write_line(f, cells, &widths))
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, cells: &[String; 7], widths: &[usize; 7]) -> fmt::Result {
    write!(f, "| {:<width$} |", cells[0], width = widths[0])?;
    for (cell, width) in cells.iter().zip(widths).skip(1) {
        write!(f, " {cell:>width$} |")?;
    }
    writeln!(f)
}

/// A figure with three significant digits or all before the point; a dash for what was not measured.
fn figure(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "–".to_owned(),
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn ratio(ours: &[f64], theirs: &[f64]) -> String {
    match median(ours) / median(theirs) {
        ratio if ratio.is_nan() => "–".to_owned(),
        ratio => format!("{ratio:.2}"),
    }
}
