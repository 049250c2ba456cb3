//! What of a gateway survives its restart.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::nodes::LOCAL_NODE;
use super::screens::Snapshot;
use crate::geometry::Size;
use crate::host::{Checkpoint, Exit, MAX_CHECKPOINT_BYTES};
use crate::ids::PaneId;
use crate::layout::Layout;
use crate::pane::log::OFFSET_JUMP;
use crate::pane::printing::Place;
use crate::pane::respawn::Generation;
use crate::pane::{Birth, End, Pane, PaneSettings};
use crate::protocol::frame::Channel;

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
    #[serde(default = "local_node")]
    node: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<Vec<String>>,
}

fn local_node() -> String {
    LOCAL_NODE.to_owned()
}

/// The small document that is kept with a pane's saved output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OutputMeta {
    /// The size of the screen whose snapshot this is.
    pub(super) size: Size,
    /// Where in its live program's output it is.
    #[serde(default)]
    pub(super) place: Option<Place>,
}

/// A checkpoint in the gateway's terms: a screen, and where it is in its pane's log and its program's output.
#[derive(Debug)]
pub(super) struct Checkpointed<'a> {
    pub(super) meta: CheckpointMeta,
    /// A snapshot of the screen, without scrollback.
    pub(super) screen: &'a [u8],
}

/// What stands before the snapshot in a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CheckpointMeta {
    /// The screen's offset in the pane's log.
    pub(super) offset: u64,
    /// The screen's size.
    pub(super) size: Size,
    /// Where it is in the program's output.
    pub(super) place: Place,
    /// How many viewers there were that must get every byte. They have everything before it.
    #[serde(default)]
    pub(super) lossless: u32,
}

impl<'a> Checkpointed<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, place: Place, lossless: u32) -> Checkpointed<'a> {
        let meta = CheckpointMeta { offset: snapshot.offset, size: snapshot.size, place, lossless };
        Checkpointed { meta, screen: &snapshot.bytes }
    }

    /// As hosts keep it: the meta as a line of JSON, and the snapshot. `None` if it is too large.
    pub(super) fn write(&self) -> Option<Checkpoint> {
        let mut bytes = serde_json::to_vec(&self.meta).ok()?;
        bytes.push(b'\n');
        bytes.extend_from_slice(self.screen);
        let printed = self.meta.place.printed;
        (bytes.len() <= MAX_CHECKPOINT_BYTES).then(|| Checkpoint { printed, bytes: bytes.into() })
    }

    /// What a host kept; `None` if no gateway of ours wrote it.
    pub(super) fn read(checkpoint: &'a Checkpoint) -> Option<Checkpointed<'a>> {
        let end = memchr::memchr(b'\n', &checkpoint.bytes)?;
        let meta: CheckpointMeta = serde_json::from_slice(&checkpoint.bytes[..end]).ok()?;
        (meta.place.printed == checkpoint.printed)
            .then(|| Checkpointed { meta, screen: &checkpoint.bytes[end + 1..] })
    }

    /// The snapshot, and where in its program's output it is.
    pub(super) fn screen(&self) -> (&'a [u8], Place) {
        (self.screen, self.meta.place)
    }
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
        let connected = connected || pane.is_away();
        SavedPane {
            channel: pane.channel.0,
            size: pane.sizing.current(),
            cwd: pane.cwd().clone(),
            settings: pane.settings(),
            generation: pane.generation(),
            title: pane.title().to_owned(),
            end: if connected { End::Never } else { pane.end().clone() },
            node: pane.node().to_owned(),
            command: pane.command().map(<[String]>::to_vec),
        }
    }

    /// The node that it is on.
    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// The generation of its last terminal, if that may live on.
    pub(super) fn living(&self) -> Option<Generation> {
        (self.end == End::Never && self.generation > Generation(0)).then_some(self.generation)
    }

    pub(super) fn channel(&self) -> Channel {
        Channel(self.channel)
    }

    /// The pane as it comes back: without its terminal, which ended with the gateway. `alive_until` is when
    /// that was, as far as is known, in milliseconds since the Unix epoch.
    pub(super) fn birth(self, id: PaneId, offset: u64, alive_until: u64) -> Birth {
        let end = match self.end {
            End::Never => End::Exited { exit: Exit::Unknown, at: alive_until },
            End::Exited { exit, at } => End::Exited { exit, at: at.min(alive_until) },
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
            node: self.node,
            command: self.command,
        }
    }
}
