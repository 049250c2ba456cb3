//! A change in a large layout on its way to many viewers.

use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use everpane::protocol::client::{ClientMessage, TabRename};

use super::Bench;
use crate::support::everpane::{Control, Everpane};
use crate::support::table::{Column, Row};

/// How many viewers are told.
const VIEWERS: usize = 20;

/// From the request of one viewer to the update at the last.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let panes = bench.scaled(1000, 100);
    let gateway = Everpane::start_with_panes(bench.program(), panes)?;
    let mut crowd = (0..VIEWERS).map(|_| gateway.control()).collect::<Result<Vec<_>>>()?;
    let mut asking = gateway.control()?;
    let mut row = Row::new(format!("layout change, {panes} panes, to the last of {VIEWERS} viewers (ms)"));
    for round in 0..bench.scaled(20, 5) {
        row.add(Column::Everpane, rename(&mut asking, &mut crowd, &format!("round-{round}-of-renaming"))?);
    }
    Ok(vec![row])
}

/// Renames a tab; how long it took until the last viewer had it, in milliseconds.
fn rename(asking: &mut Control, crowd: &mut [Control], name: &str) -> Result<f64> {
    let tab_id = asking.layout().tabs.first().context("no tab")?.id;
    let rename = ClientMessage::TabRename(TabRename { tab_id, name: name.to_owned() });
    thread::scope(|scope| {
        let viewers: Vec<_> = crowd
            .iter_mut()
            .map(|viewer| scope.spawn(|| viewer.wait_text(name).map(|()| Instant::now())))
            .collect();
        let start = Instant::now();
        asking.send(&rename)?;
        asking.wait_text(name)?;
        let mut last = start;
        for viewer in viewers {
            last = last.max(viewer.join().map_err(|_| anyhow!("a viewer panicked"))??);
        }
        Ok((last - start).as_secs_f64() * 1e3)
    })
}
