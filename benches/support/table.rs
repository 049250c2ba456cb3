//! The tables that come out: one row per figure, aligned for people and valid Markdown.

use std::collections::BTreeMap;
use std::fmt;

use super::stats::{median, percentile};

/// Who was measured, in the order of a table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    /// Copying the bytes.
    Copy,
    /// A `HashMap` that is written to.
    Map,
    /// vte's parser with nobody to tell.
    Vte,
    /// alacritty_terminal.
    Alacritty,
    /// A PTY that is read in a loop.
    Raw,
    /// The bare relay.
    Relay,
    /// tmux: its server and its client.
    Tmux,
    /// The gateway with PTYs of its own.
    Inside,
    /// The gateway, with a host process for its PTYs, or a part of it alone.
    Everpane,
    /// The gateway with a node for its PTYs.
    Node,
}

impl Column {
    fn heading(self) -> &'static str {
        match self {
            Column::Copy => "memcpy",
            Column::Map => "HashMap",
            Column::Vte => "vte alone",
            Column::Alacritty => "alacritty_terminal",
            Column::Raw => "raw PTY",
            Column::Relay => "bare relay",
            Column::Tmux => "tmux",
            Column::Inside => "everpane, one process",
            Column::Everpane => "everpane",
            Column::Node => "everpane, a node",
        }
    }

    /// The name in the heading of a ratio.
    fn short(self) -> &'static str {
        match self {
            Column::Vte => "vte",
            Column::Alacritty => "alacritty",
            Column::Raw => "raw",
            Column::Relay => "relay",
            Column::Inside => "one process",
            Column::Node => "node",
            Column::Copy | Column::Map | Column::Tmux | Column::Everpane => self.heading(),
        }
    }
}

/// What is divided by what, where both were measured.
const RATIOS: [(Column, Column); 10] = [
    (Column::Relay, Column::Raw),
    (Column::Everpane, Column::Raw),
    (Column::Everpane, Column::Relay),
    (Column::Everpane, Column::Tmux),
    (Column::Everpane, Column::Vte),
    (Column::Everpane, Column::Alacritty),
    (Column::Everpane, Column::Map),
    (Column::Everpane, Column::Inside),
    (Column::Node, Column::Everpane),
    (Column::Node, Column::Raw),
];

/// One figure, by round, of each contender; the table shows medians and their ratios. Rounds are taken in turns, so
/// that what slows the machine slows all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// What was measured, with its unit.
    name: String,
    figures: BTreeMap<Column, Vec<f64>>,
    /// Whether they are differences, of which a ratio says nothing.
    differences: bool,
}

impl Row {
    /// A row without figures yet.
    pub(crate) fn new(name: impl Into<String>) -> Row {
        Row { name: name.into(), ..Row::default() }
    }

    /// A row of differences.
    pub(crate) fn of_differences(name: impl Into<String>) -> Row {
        Row { differences: true, ..Row::new(name) }
    }

    /// Adds what a contender had in one round.
    pub(crate) fn add(&mut self, column: Column, figure: f64) {
        self.figures.entry(column).or_default().push(figure);
    }

    /// The lowest and the highest figure of each contender, in words.
    pub(crate) fn spread(&self) -> String {
        let spreads = self.figures.iter().map(|(column, figures)| {
            let (lowest, highest) = (percentile(figures, 0.0), percentile(figures, 1.0));
            format!("{} {} to {} in {}", column.heading(), figure(lowest), figure(highest), figures.len())
        });
        format!("{}: {}", self.name, spreads.collect::<Vec<_>>().join("; "))
    }

    /// Not a number where nothing was measured.
    fn median(&self, column: Column) -> f64 {
        self.figures.get(&column).map_or(f64::NAN, |figures| median(figures))
    }

    fn ratio(&self, (ours, theirs): (Column, Column)) -> f64 {
        if self.differences { f64::NAN } else { self.median(ours) / self.median(theirs) }
    }
}

/// All rows of one kind.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// In the order of printing.
    pub(crate) rows: Vec<Row>,
}

impl Table {
    /// Headings and cells: of contenders, and of ratios, that any row has.
    fn lines(&self) -> Vec<Vec<String>> {
        let mut columns: Vec<Column> = self.rows.iter().flat_map(|row| row.figures.keys().copied()).collect();
        columns.sort_unstable();
        columns.dedup();
        let any = |ratio: &(Column, Column)| self.rows.iter().any(|row| !row.ratio(*ratio).is_nan());
        let ratios: Vec<_> = RATIOS.into_iter().filter(any).collect();

        let names = columns.iter().map(|column| column.heading().to_owned());
        let quotients = ratios.iter().map(|(ours, theirs)| format!("{} ÷ {}", ours.short(), theirs.short()));
        let head = [String::new()].into_iter().chain(names).chain(quotients).collect();
        let body = self.rows.iter().filter(|row| !row.figures.is_empty()).map(|row| {
            let figures = columns.iter().map(|column| figure(row.median(*column)));
            let quotients = ratios.iter().map(|ratio| quotient(row.ratio(*ratio)));
            [row.name.clone()].into_iter().chain(figures).chain(quotients).collect()
        });
        [head].into_iter().chain(body).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> =
            (0..lines[0].len()).map(|column| width(column).unwrap_or_default()).collect();
        let rule = widths.iter().enumerate().map(|(column, width)| match column {
            0 => format!(":{}", "-".repeat(width.saturating_sub(1))),
            _ => format!("{}:", "-".repeat(width - 1)),
        });
        write_line(f, &lines[0], &widths)?;
        write_line(f, &rule.collect::<Vec<_>>(), &widths)?;
        lines[1..].iter().try_for_each(|line| write_line(f, line, &widths))
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, cells: &[String], widths: &[usize]) -> fmt::Result {
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

fn quotient(value: f64) -> String {
    if value.is_nan() { "–".to_owned() } else { format!("{value:.2}") }
}
