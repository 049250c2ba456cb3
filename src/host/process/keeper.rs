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

/// How often a host without a gateway looks whether one could find it.
const LOOK_EVERY: Duration = Duration::from_secs(10);

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
    all: BTreeMap<TerminalId, Held>,
    /// The id of the terminal before.
    last: u64,
    /// Since when there is nothing to be kept, and nobody to keep it for.
    idle_since: Instant,
    /// When [`Keeper::is_idle`] was asked last.
    looked_at: Instant,
}

impl Keeper {
    pub(super) fn new(now: Instant) -> Keeper {
        Keeper { all: BTreeMap::new(), last: 0, idle_since: now, looked_at: now }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn add(&mut self, held: Held) -> TerminalId {
        self.last += 1;
        let id = TerminalId(self.last);
        self.all.insert(id, held);
        id
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (TerminalId, &Held)> {
        self.all.iter().map(|(id, held)| (*id, held))
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
        self.all.values().any(|held| held.exit.is_none())
    }

    /// Ends a program, if it runs.
    pub(super) fn kill(&self, terminal: TerminalId) {
        if let Some(held) = self.all.get(&terminal) {
            held.killed.notify_one();
        }
    }

    pub(super) fn kill_all(&self) {
        self.all.values().for_each(|held| held.killed.notify_one());
    }

    /// Lets go of a terminal, and ends its program if it runs.
    pub(super) fn forget(&mut self, terminal: TerminalId, now: Instant) {
        let Some(held) = self.all.get_mut(&terminal) else { return };
        if held.exit.is_some() {
            self.remove(terminal, now);
        } else {
            held.forgotten = true;
            held.killed.notify_one();
        }
    }

    /// A program ended. Whether somebody wants to hear of it.
    pub(super) fn ended(&mut self, terminal: TerminalId, exit: Exit, now: Instant) -> bool {
        let Some(held) = self.all.get_mut(&terminal) else { return false };
        if held.forgotten {
            self.remove(terminal, now);
            return false;
        }
        held.exit = Some((exit, now));
        true
    }

    fn remove(&mut self, terminal: TerminalId, now: Instant) {
        self.all.remove(&terminal);
        self.idle_since = now;
    }

    /// The gateway is gone.
    pub(super) fn orphaned(&mut self, now: Instant) {
        self.idle_since = now;
    }

    /// When to look at [`Keeper::is_idle`] again, as long as there is no gateway.
    pub(super) fn look_at(&self) -> Instant {
        if self.all.is_empty() {
            return self.idle_since + ORPHAN_ENDS_AFTER;
        }
        let dead = self.all.values().filter_map(|held| Some(held.exit.as_ref()?.1 + DEAD_KEPT_FOR));
        dead.chain([self.looked_at + LOOK_EVERY]).min().unwrap_or(self.looked_at)
    }

    /// Without a gateway: lets go of what was kept for long enough, and says whether to wait no longer for one.
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        self.looked_at = now;
        let before = self.all.len();
        self.all
            .retain(|_, held| held.exit.as_ref().is_none_or(|(_, ended_at)| now < *ended_at + DEAD_KEPT_FOR));
        if self.all.len() < before {
            self.idle_since = now;
        }
        self.all.is_empty() && now >= self.idle_since + ORPHAN_ENDS_AFTER
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::host::pty::Master;
    use crate::host::tape::Tape;

    fn held() -> Held {
        let (tape, tape_fd) = Tape::create(super::super::MIN_TAPE_BYTES).unwrap();
        let master = Arc::new(Master::new(File::open("/dev/null").unwrap().into()));
        Held::new(PaneId(1), Generation(1), 1, Arc::new(Tracks { master, tape, tape_fd }))
    }

    #[test]
    fn without_terminals_it_is_idle_after_a_while() {
        let start = Instant::now();
        let mut keeper = Keeper::new(start);
        assert_eq!(keeper.look_at(), start + ORPHAN_ENDS_AFTER);
        assert!(!keeper.is_idle(start));
        assert!(keeper.is_idle(start + ORPHAN_ENDS_AFTER));
        keeper.orphaned(start + ORPHAN_ENDS_AFTER);
        assert!(!keeper.is_idle(start + ORPHAN_ENDS_AFTER), "a gateway was here meanwhile");
    }

    #[test]
    fn what_has_ended_is_kept_for_a_while_and_what_runs_for_ever() {
        let start = Instant::now();
        let mut keeper = Keeper::new(start);
        let (first, second) = (keeper.add(held()), keeper.add(held()));
        let day = start + Duration::from_secs(86_400);
        assert!(!keeper.is_idle(day) && keeper.has_running());
        assert_eq!(keeper.look_at(), day + LOOK_EVERY, "not at once, and again and again");
        assert!(keeper.ended(first, Exit::Code(1), day));
        let later = day + DEAD_KEPT_FOR;
        assert!(!keeper.is_idle(later - Duration::from_secs(1)));
        assert_eq!(keeper.look_at(), later);
        assert!(!keeper.is_idle(later));
        assert_eq!(keeper.len(), 1);
        assert!(keeper.ended(second, Exit::Code(2), later));
        let told: Vec<_> = keeper.kept().map(|(tell, _)| tell).collect();
        assert!(matches!(&told[..], [Tell::Kept { exit: Some(Exit::Code(2)), .. }]), "{told:?}");
        assert!(!keeper.is_idle(later + DEAD_KEPT_FOR), "it ends a little later");
        assert_eq!(keeper.look_at(), later + DEAD_KEPT_FOR + ORPHAN_ENDS_AFTER);
        assert!(keeper.is_idle(keeper.look_at()));
    }

    #[test]
    fn what_was_forgotten_is_told_to_nobody() {
        let now = Instant::now();
        let mut keeper = Keeper::new(now);
        let (first, second) = (keeper.add(held()), keeper.add(held()));
        keeper.forget(first, now);
        assert_eq!((keeper.kept().count(), keeper.len()), (1, 2), "its program has not ended");
        assert!(!keeper.ended(first, Exit::Unknown, now));
        assert_eq!(keeper.len(), 1);
        keeper.ended(second, Exit::Unknown, now);
        keeper.forget(second, now);
        assert_eq!(keeper.len(), 0);
        keeper.forget(second, now);
    }
}
