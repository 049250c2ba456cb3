//! What the bare relay and the gateway have in common, so that every measurement treats them alike.

use std::path::Path;

use anyhow::Result;

use super::everpane::{Everpane, Hosting};
use super::line::Line;
use super::relay::Relay;
use super::table::Column;
use super::viewer::Viewer;

/// A running server with one or more panes. Ends with its programs when dropped.
pub(crate) trait Server {
    /// Its process, for memory.
    fn pid(&self) -> u32;

    /// All its processes, for processor time.
    ///
    /// # Errors
    /// When they can't be found.
    fn pids(&self) -> Result<Vec<u32>> {
        Ok(vec![self.pid()])
    }

    /// Connects one more viewer to a pane, counted from 0.
    ///
    /// # Errors
    /// When there is no such pane, or the server refuses.
    fn viewer(&self, pane: usize) -> Result<Viewer> {
        self.viewer_over(Line::Loopback, pane)
    }

    /// The same over some line.
    ///
    /// # Errors
    /// As above.
    fn viewer_over(&self, line: Line, pane: usize) -> Result<Viewer>;
}

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    /// The bare relay.
    Relay,
    /// The gateway.
    Everpane(Hosting),
}

impl Contender {
    /// Its column in the table.
    pub(crate) fn column(self) -> Column {
        match self {
            Contender::Relay => Column::Relay,
            Contender::Everpane(hosting) => hosting.column(),
        }
    }

    /// Starts it with `program` in one pane per element of `viewers`, which says how many will come to it.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(self, program: &Path, viewers: &[usize]) -> Result<Box<dyn Server>> {
        Ok(match self {
            Contender::Relay => Box::new(Relay::start(program, viewers)?),
            Contender::Everpane(hosting) => {
                Box::new(Everpane::start_hosting(hosting, program, viewers.len())?)
            }
        })
    }
}
