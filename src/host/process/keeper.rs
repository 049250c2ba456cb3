//! The terminals that a host has: what it tells the next gateway of them, and when there is nothing left to be kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::program::Tracks;
use super::wire::{Tell, TerminalId};
use crate::host::Exit;
use crate::ids::PaneId;
use crate::pane::respawn::Generation;

/// The most terminals of a host; further starts are refused.
pub(super) const MAX_TERMINALS: usize = 16_384;

/// How long a host without terminals waits for a gateway before it ends.
const ORPHAN_ENDS_AFTER: Duration = Duration::from_secs(10);

/// How long the last output of a program that ended without a gateway is kept for the next one.
const DEAD_KEPT_FOR: Duration = Duration::from_secs(600);

/// One terminal.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) pane: PaneId,
    pub(super) generation: Generation,
    pub(super) pid: i32,
    pub(super) tracks: Arc<Tracks>,
    /// Set off to end its program.
    pub(super) killed: Arc<Notify>,
    /// How its program ended, and when.
    exit: Option<(Exit, Instant)>,
    /// To be let go of when its program has ended: nobody wants to hear of it.
    forgotten: bool,
}

impl Held {
    pub(super) fn new(pane: PaneId, generation: Generation, pid: i32, tracks: Arc<Tracks>) -> Held {
        Held { pane, generation, pid, tracks, killed: Arc::default(), exit: None, forgotten: false }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Keeper {
    terminals: BTreeMap<TerminalId, Held>,
    /// The id of the terminal before.
    last: u64,
    /// Since when there is nothing to be kept, and nobody to keep it for.
    idle_since: Instant,
}

impl Keeper {
    pub(super) fn new(now: Instant) -> Keeper {
        Keeper { terminals: BTreeMap::new(), last: 0, idle_since: now }
    }

    pub(super) fn len(&self) -> usize {
        self.terminals.len()
    }

    pub(super) fn add(&mut self, held: Held) -> TerminalId {
        self.last += 1;
        let id = TerminalId(self.last);
        self.terminals.insert(id, held);
        id
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (TerminalId, &Held)> {
        self.terminals.iter().map(|(id, held)| (*id, held))
    }

    /// What a new gateway is told of each terminal; what was forgotten is not its business.
    pub(super) fn kept(&self) -> impl Iterator<Item = (Tell, Arc<Tracks>)> {
        self.iter().filter(|(_, held)| !held.forgotten).map(|(terminal, held)| {
            let Held { pane, generation, pid, .. } = *held;
            let exit = held.exit.as_ref().map(|(exit, _)| exit.clone());
            (Tell::Kept { terminal, pane, generation, pid, exit }, held.tracks.clone())
        })
    }

    /// Whether a program has not ended.
    pub(super) fn has_running(&self) -> bool {
        self.terminals.values().any(|held| held.exit.is_none())
    }

    /// Ends a program, if it runs.
    pub(super) fn kill(&self, terminal: TerminalId) {
        if let Some(held) = self.terminals.get(&terminal) {
            held.killed.notify_one();
        }
    }

    pub(super) fn kill_all(&self) {
        self.terminals.values().for_each(|held| held.killed.notify_one());
    }

    /// Lets go of a terminal, and ends its program if it runs.
    pub(super) fn forget(&mut self, terminal: TerminalId, now: Instant) {
        let Some(held) = self.terminals.get_mut(&terminal) else { return };
        if held.exit.is_some() {
            self.remove(terminal, now);
        } else {
            held.forgotten = true;
            held.killed.notify_one();
        }
    }

    /// A program ended. Whether somebody wants to hear of it.
    pub(super) fn ended(&mut self, terminal: TerminalId, exit: Exit, now: Instant) -> bool {
        let Some(held) = self.terminals.get_mut(&terminal) else { return false };
        if held.forgotten {
            self.remove(terminal, now);
            return false;
        }
        held.exit = Some((exit, now));
        true
    }

    fn remove(&mut self, terminal: TerminalId, now: Instant) {
        self.terminals.remove(&terminal);
        self.idle_since = now;
    }

    /// The gateway is gone.
    pub(super) fn orphaned(&mut self, now: Instant) {
        self.idle_since = now;
    }

    /// When to look at [`Keeper::is_idle`] again, as long as there is no gateway.
    pub(super) fn look_at(&self) -> Instant {
        let dead = self.terminals.values().filter_map(|held| Some(held.exit.as_ref()?.1 + DEAD_KEPT_FOR));
        dead.min().unwrap_or(self.idle_since + ORPHAN_ENDS_AFTER).max(self.idle_since)
    }

    /// Without a gateway: lets go of what was kept for long enough, and says whether to wait no longer for one.
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        let before = self.terminals.len();
        self.terminals
            .retain(|_, held| held.exit.as_ref().is_none_or(|(_, ended_at)| now < *ended_at + DEAD_KEPT_FOR));
        if self.terminals.len() < before {
            self.idle_since = now;
        }
        self.terminals.is_empty() && now >= self.idle_since + ORPHAN_ENDS_AFTER
    }
}
