//! The gateway's screens beside what else could be done with a terminal's output in the same process.

use std::hint::black_box;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Processor, StdSyncHandler};
use anyhow::{Context, Result};
use everpane::geometry::Size;
use everpane::pane::filter::Filter;
use everpane::pane::log::OutputBuf;
use everpane::screen::{Screen, ScrollbackLimits};

use super::table::Column;
use super::{mix, process};

/// The first argument that makes the benchmark binary keep models and tell their memory; then come the model and
/// its width in columns.
pub(crate) const ROLE: &str = "--act-as-models";

/// How much scrollback each keeps: the gateway's defaults, in rows and bytes.
const SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: 10_000, bytes: 8 << 20 };

/// How much output is taken in at once, in bytes: as much as the gateway reads from a PTY.
const PIECE: usize = 64 << 10;

/// How many models are kept when their memory is looked at.
const KEPT: usize = 8;

/// Something that takes output in.
pub(crate) trait Model {
    /// Takes the next part in.
    fn feed(&mut self, bytes: &[u8]);
}

/// The model of a column of the table.
///
/// # Errors
/// When that has none.
pub(crate) fn model(column: Column, size: Size) -> Result<Box<dyn Model>> {
    Ok(match column {
        Column::Copy => Box::new(vec![0_u8; PIECE]),
        Column::Vte => Box::new(vte::Parser::<1024>::new()),
        Column::Alacritty => Box::new(Alacritty::new(size)),
        Column::Everpane => Box::new(screen(size)),
        _ => anyhow::bail!("{column:?} has no model"),
    })
}

/// A screen with the gateway's default scrollback.
pub(crate) fn screen(size: Size) -> Screen {
    Screen::new(size, SCROLLBACK)
}

impl Model for Vec<u8> {
    fn feed(&mut self, bytes: &[u8]) {
        self.resize(bytes.len(), 0);
        self.copy_from_slice(black_box(bytes));
        black_box(self.as_slice());
    }
}

/// Takes sequences apart for nobody.
struct Nobody;

impl vte::Perform for Nobody {
    fn print(&mut self, character: char) {
        black_box(character);
    }
}

impl Model for vte::Parser<1024> {
    fn feed(&mut self, bytes: &[u8]) {
        self.advance(&mut Nobody, bytes);
    }
}

struct Alacritty {
    term: Term<VoidListener>,
    parser: Processor<StdSyncHandler>,
}

/// A screen's size, as alacritty_terminal asks for it.
struct Cells(Size);

impl Dimensions for Cells {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        self.0.rows.into()
    }

    fn columns(&self) -> usize {
        self.0.cols.into()
    }
}

impl Alacritty {
    fn new(size: Size) -> Alacritty {
        let config = Config { scrolling_history: SCROLLBACK.lines, ..Config::default() };
        Alacritty { term: Term::new(config, &Cells(size), VoidListener), parser: Processor::new() }
    }
}

impl Model for Alacritty {
    fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }
}

impl Model for Screen {
    fn feed(&mut self, bytes: &[u8]) {
        Screen::feed(self, bytes);
    }
}

/// A screen behind the filter that a pane's output passes first.
pub(crate) struct Filtered {
    filter: Filter,
    screen: Screen,
}

impl Filtered {
    /// An empty one.
    pub(crate) fn new(size: Size) -> Filtered {
        Filtered { filter: Filter::new(), screen: screen(size) }
    }
}

impl Model for Filtered {
    fn feed(&mut self, bytes: &[u8]) {
        let clean = self.filter.feed(OutputBuf::copy_of(bytes), &mut |_, _| {});
        self.screen.feed(clean.payload());
    }
}

/// Clean output as the filter makes it from `output`, in pieces.
pub(crate) fn clean(output: &[u8]) -> Vec<Vec<u8>> {
    let mut filter = Filter::new();
    let pieces = output.chunks(PIECE).map(OutputBuf::copy_of);
    pieces.map(|piece| filter.feed(piece, &mut |_, _| {}).payload().to_vec()).collect()
}

/// Fills some models' scrollback, and prints how many bytes of memory 1,000 lines of one take.
///
/// # Errors
/// When an argument is missing, or the memory can't be read.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let [name, cols] = args else { anyhow::bail!("which model, and how wide?") };
    let column = if name == "everpane" { Column::Everpane } else { Column::Alacritty };
    let size = Size { cols: cols.parse()?, rows: 24 };
    // More lines than are kept, as long ones take several rows.
    let pieces = clean(&mix::on_the_wire(&mix::log_lines(SCROLLBACK.lines as u64 + 100)));
    let mut kept = Vec::with_capacity(KEPT);
    let before = process::resident_bytes(std::process::id())?;
    for _ in 0..KEPT {
        let mut model = model(column, size)?;
        pieces.iter().for_each(|piece| model.feed(piece));
        kept.push(model);
    }
    let after = process::resident_bytes(std::process::id())?;
    println!("{}", (after - before) as f64 / KEPT as f64 / (SCROLLBACK.lines as f64 / 1000.0));
    drop(kept);
    Ok(())
}

/// How many bytes of memory 1,000 lines of scrollback take in a model of this width, as a process of its own finds.
///
/// # Errors
/// When that fails.
pub(crate) fn memory_per_thousand_lines(column: Column, cols: u16) -> Result<f64> {
    let name = if column == Column::Everpane { "everpane" } else { "alacritty" };
    let output = std::process::Command::new(std::env::current_exe()?)
        .args([ROLE, name, &cols.to_string()])
        .output()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().context("the process that keeps models")
}
