//! How long a snapshot takes to make, and how large it is.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use everpane::geometry::Size;
use everpane::screen::Screen;

use super::Bench;
use crate::support::table::{Column, Row};
use crate::support::{mix, models};

/// An editor's session, without its end.
const EDITOR: &[u8] = include_bytes!("../../../src/pane/filter/testdata/vim_simple_edit.bin");

/// Microseconds and bytes, for each of some screens.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let log = mix::on_the_wire(&mix::log_lines(10_100));
    let shell = mix::on_the_wire(&mix::shell_screen());
    let full = shown(&[&log, &shell]);
    let screens = [
        ("an empty screen", &shown(&[]), 0),
        ("a shell's screen, 10,000 lines above it left out", &full, 0),
        ("– with 1,000 of them", &full, 1_000),
        ("– with all 10,000", &full, 10_000),
        ("an editor's screen (vim)", &shown(&[EDITOR]), 0),
        ("a process viewer's screen (like htop)", &shown(&[mix::process_screen().as_bytes()]), 0),
    ];
    Ok(screens.iter().flat_map(|(name, screen, history)| rows(bench, name, screen, *history)).collect())
}

fn shown(output: &[&[u8]]) -> Screen {
    let mut screen = models::screen(Size::DEFAULT);
    for part in output {
        models::clean(part).iter().for_each(|piece| screen.feed(piece));
    }
    screen
}

fn rows(bench: &Bench, name: &str, screen: &Screen, history: usize) -> [Row; 2] {
    let mut time = Row::new(format!("snapshot of {name} (µs)").replace("snapshot of –", "–"));
    let mut size = Row::new("– its size (bytes)");
    size.add(Column::Everpane, screen.snapshot(history).len() as f64);
    for _ in 0..bench.scaled(300, 50) {
        let start = Instant::now();
        black_box(screen.snapshot(history));
        time.add(Column::Everpane, start.elapsed().as_secs_f64() * 1e6);
    }
    [time, size]
}
