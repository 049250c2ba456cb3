//! What a pane does while its node is away: its terminal may live on over there, so it is neither live nor ended.
//! What is typed waits, and wakes the node; then the terminal comes back, or the next one is started.

use super::filter::Filter;
use super::printing::Place;
use super::respawn::Generation;
use super::{Effects, End, Pane, notice};
use crate::clock::Moment;
use crate::host::{Exit, Kept, Terminal};
use crate::protocol::server::PaneStatus;

/// Whether a node can be reached. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NodeState {
    /// Its host takes requests.
    #[default]
    Up,
    /// It is not there.
    Down {
        /// It had said that it would sleep.
        asleep: bool,
        /// Since when.
        since: u64,
        /// Why the last attempt to wake it came to nothing, if there was one.
        reason: Option<String>,
    },
    /// It is being woken.
    Waking {
        /// Which attempt this is, from 1.
        attempt: u32,
        /// Since when it is being woken.
        since: u64,
    },
}

impl NodeState {
    /// Away since then, and nobody tried to wake it yet.
    #[must_use]
    pub fn down(asleep: bool, since: u64) -> NodeState {
        NodeState::Down { asleep, since, reason: None }
    }

    /// The same node, away, which could not be woken.
    #[must_use]
    pub fn because(&self, reason: &str) -> NodeState {
        match self {
            NodeState::Down { asleep, since, .. } => {
                NodeState::Down { asleep: *asleep, since: *since, reason: Some(reason.to_owned()) }
            }
            other => other.clone(),
        }
    }

    /// What is told of a pane that waits for such a node; `None` where nothing is waited for.
    fn status(&self) -> Option<PaneStatus> {
        match self.clone() {
            NodeState::Up => None,
            NodeState::Down { asleep: true, since, reason } => Some(PaneStatus::Asleep { since, reason }),
            NodeState::Down { asleep: false, since, reason } => Some(PaneStatus::Lost { since, reason }),
            NodeState::Waking { attempt, since } => Some(PaneStatus::Waking { attempt, since }),
        }
    }
}

/// Why a terminal is to be started once the node is there; the later one weighs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// Somebody typed, and what was typed waits.
    Typed,
    /// Somebody asked outright.
    Asked,
}

impl Pane {
    /// The node that its next terminal starts on.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The node that its newest terminal was started on.
    #[must_use]
    pub fn terminal_node(&self) -> &str {
        &self.terminal_node
    }

    /// Whether it has a terminal that may live on a node which can't be reached.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.away
    }

    /// What it waits for, if it waits for its node.
    pub(super) fn waiting_status(&self) -> Option<PaneStatus> {
        let waits = self.away || self.wanted.is_some() || !self.queue.is_empty();
        self.node_state.status().filter(|_| waits)
    }

    /// Its next terminal starts on another node, in that node's own directory. A terminal that it has stays where
    /// it is; one that is away is given up.
    pub fn move_to(&mut self, node: &str, state: NodeState, now: Moment, jitter: f64, effects: &mut Effects) {
        if node == self.node {
            return;
        }
        self.moved = true;
        node.clone_into(&mut self.node);
        self.forget_directory();
        effects.info = true;
        self.gone(now, jitter, effects);
        self.node_changed(state, now, effects);
    }

    /// The state of the node that its next terminal starts on.
    pub fn node_changed(&mut self, state: NodeState, now: Moment, effects: &mut Effects) {
        if self.node_state == state {
            return;
        }
        effects.status |= self.waiting_status().is_some();
        self.node_state = state;
        effects.status |= self.waiting_status().is_some();
        self.start_if_wanted(now, effects);
    }

    /// The node of its terminal can't be reached any more. Whether that was the pane's terminal: if so, it must
    /// leave the terminals map. One whose pane was moved meanwhile is given up.
    #[must_use]
    pub fn detached(
        &mut self,
        generation: Generation,
        now: Moment,
        jitter: f64,
        effects: &mut Effects,
    ) -> bool {
        if generation != self.generation() || self.life.started.is_none() || self.away {
            return false;
        }
        if self.moved {
            return self.exited(generation, Exit::Unknown, now, jitter, effects);
        }
        self.away = true;
        self.life.gate.clear();
        effects.status = true;
        self.look_at_expiry(effects);
        true
    }

    /// A start that was under way came to nothing because its node is not there: it is made up for when the node is.
    pub fn unstarted(&mut self, generation: Generation, now: Moment, effects: &mut Effects) {
        if self.respawn.cancelled(generation) {
            let why = if self.queue.is_empty() { Wanted::Asked } else { Wanted::Typed };
            self.wanted = Some(why);
            (effects.status, effects.wake) = (true, true);
            self.look_at_expiry(effects);
            self.start_if_wanted(now, effects);
        }
    }

    /// Whether a terminal of this generation, which a host has kept, is this pane's still.
    #[must_use]
    pub fn knows(&self, generation: Generation) -> bool {
        let newest = generation == self.generation() || (self.restored && generation > self.generation());
        newest && !self.moved && !self.is_closed() && (self.away || self.unstarted_here())
    }

    /// It was to be started, and nobody knows here that it was.
    fn unstarted_here(&self) -> bool {
        self.wanted.is_some() && !self.respawn.is_starting() && self.life.started.is_none()
    }

    /// Looks for the place from which a terminal's output is to go on: the one that its own screen is at, else the
    /// checkpoint, which is shown then, else the oldest that its host has, behind a line that says what is lost. A
    /// checkpoint that knows of a change of size which the screen has not seen is behind offsets that are lost.
    #[must_use]
    pub fn take_up(
        &mut self,
        kept: &Kept,
        checkpoint: Option<(&[u8], Place)>,
        now: Moment,
        effects: &mut Effects,
    ) -> u64 {
        let same = kept.generation == self.generation() || self.printed == 0;
        self.given = kept.given;
        let knows_all = checkpoint.is_none_or(|(_, place)| place.insertions == self.insertions);
        if kept.generation != self.generation() || !knows_all {
            self.diverge();
        }
        if !(same && kept.reaches(self.printed)) {
            self.filter.end();
            self.diverge();
            match checkpoint.filter(|(_, place)| kept.reaches(place.printed)) {
                Some((screen, place)) => {
                    self.print_own(&[b"\x1bc", screen].concat(), now);
                    self.printed = place.printed;
                }
                None => {
                    self.printed = kept.output.start;
                    if self.printed > 0 {
                        let mut line = Vec::new();
                        self.filter.modes().screen_reset(&mut line);
                        notice::line(&mut line, false, "some of the output before this was lost");
                        self.print_own(&line, now);
                    }
                }
            }
        }
        self.log.set_refilling(self.printed < self.given);
        self.log.set_back_to(None);
        // Also for who waited for what will not come.
        effects.output = true;
        self.printed
    }

    /// The terminal of a generation is there again. Whether it is wanted: if so, it belongs into the terminals map;
    /// if not, it must be killed.
    #[must_use]
    pub fn returned(
        &mut self,
        generation: Generation,
        now: Moment,
        terminal: &dyn Terminal,
        effects: &mut Effects,
    ) -> bool {
        if !self.knows(generation) {
            return false;
        }
        self.respawn.raise(generation);
        (self.away, self.restored, self.provisional, self.wanted) = (false, false, false, None);
        self.life.started.get_or_insert(now.at);
        (effects.status, effects.info) = (true, true);
        terminal.resize(self.sizing.current());
        self.settle_size(now.at, Some(terminal), effects);
        effects.look_at(now.at);
        true
    }

    /// Its terminal, which was away, is not on its node any more.
    pub fn gone(&mut self, now: Moment, jitter: f64, effects: &mut Effects) {
        if self.away {
            let generation = self.generation();
            let _ = self.exited(generation, Exit::Unknown, now, jitter, effects);
        }
    }

    /// Starts what was typed for or asked for while the node was away.
    pub(super) fn start_if_wanted(&mut self, now: Moment, effects: &mut Effects) {
        let can = self.node_is_up() && !self.away && self.life.started.is_none();
        if can && self.wanted.take().is_some() {
            let decision = self.respawn.wanted(now.at);
            self.decide(decision, effects);
        }
    }

    /// Something came that starts a terminal. Whether the node is there for it; else the node is to be woken, and the
    /// start follows then.
    pub(super) fn node_is_there(&mut self, wanted: Wanted, effects: &mut Effects) -> bool {
        if self.node_is_up() && !self.away {
            return true;
        }
        self.wanted = Some(self.wanted.map_or(wanted, |before| before.max(wanted)));
        (effects.wake, effects.status) = (true, true);
        false
    }

    /// All that was typed was given back: a start that was for it alone is not wanted any more.
    pub(super) fn forget_typed_start(&mut self) {
        self.wanted = self.wanted.filter(|wanted| *wanted == Wanted::Asked || !self.queue.is_empty());
    }

    fn node_is_up(&self) -> bool {
        self.node_state == NodeState::Up
    }

    /// As it comes back after a restart of the gateway whose last terminal may live on.
    /// `printed` is how much of its output, in bytes, is on the screen, where that is known.
    pub fn restore_away(&mut self, printed: Option<u64>, state: NodeState, now: Moment) {
        (self.away, self.restored, self.node_state) = (true, true, state);
        // More than any host has.
        self.printed = printed.unwrap_or(u64::MAX);
        self.life.started = Some(now.at);
        self.end = End::Never;
    }

    /// What its terminal has printed since the place that it was restored at is to come again, when its node is there;
    /// for viewers that must get every byte perhaps from an earlier place, `back_to`, on. Viewers who have some of that
    /// wait for it. Anything else that comes gets offsets that none of them has.
    pub fn expect_rest(&mut self, back_to: Option<u64>) {
        self.provisional = true;
        self.log.set_refilling(true);
        self.log.set_back_to(back_to);
    }

    /// Whether its terminal's output can go on from `place` as well as from the one that it was restored at.
    #[must_use]
    pub fn can_go_to(&self, kept: &Kept, place: Place) -> bool {
        self.provisional
            && place.generation == self.generation()
            && place.insertions == self.insertions
            && kept.reaches(place.printed)
    }

    /// Goes there: to an offset, and a screen, which it gives clean.
    pub fn go_to(&mut self, offset: u64, place: Place, snapshot: &[u8]) -> Vec<u8> {
        self.log.begin_at(offset);
        self.filter = Filter::default();
        self.printed = place.printed;
        self.restore_at(place, snapshot)
    }

    /// Something comes that viewers of the gateway before do not have, or nothing comes any more. Whether offsets
    /// jump for it.
    pub(super) fn diverge(&mut self) -> bool {
        let diverges = std::mem::take(&mut self.provisional);
        if diverges {
            self.log.jump();
        }
        diverges
    }
}
