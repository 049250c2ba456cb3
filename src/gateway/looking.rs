//! What scripts see of a pane: its screen, as text or as a picture of it, and its output as it was printed.

use std::sync::Arc;

use bytes::Bytes;

use super::hub::Hub;
use super::panes::Slot;
use crate::protocol::api::{CaptureFormat, CaptureQuery};
use crate::screen::render::{Extent, Format};

/// A part of a pane's output.
#[derive(Debug)]
pub struct Output {
    /// Where it begins: at the offset that was asked for, or later if what is before that is no longer there.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// The bytes.
    pub parts: Vec<Bytes>,
}

impl Hub {
    /// A pane as it is now. Takes its time: not for a thread on which others wait.
    pub(super) fn capture(self: &Arc<Self>, slot: &Arc<Slot>, query: CaptureQuery) -> String {
        let CaptureQuery { format, scrollback, join } = query;
        let format = match format {
            CaptureFormat::Plain => Format::Plain,
            CaptureFormat::Ansi => Format::Ansi,
            CaptureFormat::Html => Format::Html,
            CaptureFormat::Svg => Format::Svg,
        };
        self.look_at_screen(slot, |screen, _| screen.render(format, Extent { scrollback, join }))
    }

    /// What a pane's log holds from an offset on; all of it without one.
    pub(super) fn output_from(&self, slot: &Slot, from: Option<u64>) -> Output {
        let state = slot.lock();
        let log = &state.pane.log;
        let from = from.unwrap_or(0).clamp(log.tail(), log.head());
        let mut parts = Vec::new();
        let to = log.slices(from, log.head(), usize::MAX, &mut parts);
        Output { from, to, parts }
    }
}
