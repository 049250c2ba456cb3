//! What of a gateway survives its restart.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::geometry::Size;
use crate::host::Exit;
use crate::ids::PaneId;
use crate::layout::Layout;
use crate::pane::respawn::Generation;
use crate::pane::{Birth, End, Pane, PaneSettings};
use crate::protocol::frame::Channel;

/// How far a pane's offsets jump when it is restored: further than it can have printed since its output was
/// saved last, so that no viewer takes new bytes for ones that it had and we lost.
const OFFSET_JUMP: u64 = 1 << 36;

/// Everything but the output of panes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedState {
    /// When this was put together, in milliseconds since the Unix epoch.
    pub(super) at: u64,
    pub(super) layout: Layout,
    pub(super) panes: BTreeMap<PaneId, SavedPane>,
}

/// A pane, but for its place, its name and its output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedPane {
    channel: u32,
    size: Size,
    cwd: PathBuf,
    settings: PaneSettings,
    generation: Generation,
    title: String,
    end: End,
}

/// The small document that is kept with a pane's saved output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OutputMeta {
    /// The size of the screen whose snapshot this is.
    pub(super) size: Size,
}

impl SavedState {
    /// Whether the parts fit each other; deserialising has checked the layout itself.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut channels = HashSet::new();
        for (pane, _) in self.layout.panes() {
            let saved =
                self.panes.get(&pane).ok_or_else(|| format!("{pane} has a place but is not saved"))?;
            if !channels.insert(saved.channel) {
                return Err(format!("two panes have channel {}", saved.channel));
            }
        }
        Ok(())
    }
}

impl SavedPane {
    /// `connected`: it has a terminal, of whose end only a restart will know.
    pub(super) fn of(pane: &Pane, connected: bool) -> SavedPane {
        SavedPane {
            channel: pane.channel.0,
            size: pane.sizing.current(),
            cwd: pane.cwd().clone(),
            settings: pane.settings(),
            generation: pane.generation(),
            title: pane.title().to_owned(),
            end: if connected { End::Never } else { pane.end().clone() },
        }
    }

    pub(super) fn channel(&self) -> Channel {
        Channel(self.channel)
    }

    /// The pane as it comes back: without its terminal, which ended with the gateway. `alive_until` is when
    /// that was, as far as is known, in milliseconds since the Unix epoch.
    pub(super) fn birth(self, id: PaneId, offset: u64, alive_until: u64) -> Birth {
        let end = match self.end {
            End::Never => End::Exited { exit: Exit::Unknown, at: alive_until },
            known => known,
        };
        Birth {
            id,
            channel: Channel(self.channel),
            size: self.size,
            screen_size: self.size,
            cwd: self.cwd,
            settings: self.settings,
            generation: self.generation,
            title: self.title,
            end,
            offset: offset.saturating_add(OFFSET_JUMP),
        }
    }
}
