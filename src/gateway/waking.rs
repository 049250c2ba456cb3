//! Waking nodes for what was typed: one round of calls for each node however many keys arrive, told to all its panes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::hub::Hub;
use super::panes::jitter;
use crate::clock::Moment;
use crate::node::{Attempt, Wake, WakeState};
use crate::pane::away::NodeState;

/// What happened to a node since the waker looked last; one entry for each node, whatever happens.
#[derive(Debug, Default)]
struct News {
    /// It came up. Whoever asked before that has what they wanted.
    up: bool,
    /// Somebody typed for it after that.
    asked: bool,
}

/// What the waker is told. A leaf in the lock order.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    news: Mutex<BTreeMap<String, News>>,
    more: Notify,
}

impl Wakes {
    /// Somebody typed for a node that is away.
    pub(super) fn ask(&self, node: &str) {
        self.note(node, |news| news.asked = true);
    }

    /// A node is there.
    pub(super) fn up(&self, node: &str) {
        self.note(node, |news| *news = News { up: true, asked: false });
    }

    fn note(&self, node: &str, change: impl FnOnce(&mut News)) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        change(news.entry(node.to_owned()).or_default());
        self.more.notify_one();
    }

    async fn next(&self) -> (String, News) {
        loop {
            let next = self.news.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
            match next {
                Some(next) => return next,
                None => self.more.notified().await,
            }
        }
    }
}

/// A call that has ended: of which node, which attempt, and what came of it.
type Ended = (String, Attempt, Result<(), String>);

/// The task that wakes nodes.
struct Waker {
    hub: Arc<Hub>,
    /// The nodes with a round under way, or a call that outlived one.
    rounds: HashMap<String, Round>,
    calls: JoinSet<Ended>,
}

struct Round {
    wake: Wake,
    /// What its times are told by: looked up anew, the clocks would differ by a millisecond now and then.
    begun: Moment,
    calling: bool,
    /// Since when the node is away, as far as that is to be shown again.
    down: NodeState,
}

impl Hub {
    /// Wakes nodes, for ever.
    pub(super) async fn run_wakes(self: Arc<Self>) {
        Waker { hub: self, rounds: HashMap::new(), calls: JoinSet::new() }.run().await;
    }
}

impl Waker {
    async fn run(mut self) {
        loop {
            let tick = self.rounds.values().filter_map(|round| round.wake.next_tick()).min();
            let wait = tokio::time::sleep_until(tick.unwrap_or_else(Instant::now).into());
            tokio::select! {
                (node, news) = self.hub.wakes.next() => self.take(&node, &news),
                Some(ended) = self.calls.join_next() => self.ended(ended),
                () = wait, if tick.is_some() => self.tick(),
            }
        }
    }

    fn take(&mut self, node: &str, news: &News) {
        if news.up {
            self.change(node, |wake| {
                wake.up();
                None
            });
        }
        let state = self.hub.nodes.state(node);
        if !news.asked || state == NodeState::Up || self.hub.settings.wake.providers.of(node).is_none() {
            return;
        }
        let limits = self.hub.settings.wake.limits;
        let (wake, begun) = (Wake::new(limits), Moment::now());
        let new = || Round { wake, begun, calling: false, down: state.clone() };
        let round = self.rounds.entry(node.to_owned()).or_insert_with(new);
        if matches!(state, NodeState::Down { .. }) {
            round.down = state;
        }
        self.change(node, |wake| wake.wanted(Instant::now()));
    }

    fn ended(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        // A call panics only by a mistake of ours; its node can be woken again once its time is over.
        let Ok((node, attempt, outcome)) = ended else { return };
        if let Err(reason) = &outcome {
            tracing::warn!(node, attempt = attempt.number(), "could not wake it: {reason}");
        }
        if let Some(round) = self.rounds.get_mut(&node) {
            round.calling = false;
        }
        self.change(&node, |wake| wake.ended(attempt, outcome, Instant::now(), jitter()));
    }

    fn tick(&mut self) {
        let now = Instant::now();
        let due = |round: &Round| round.wake.next_tick().is_some_and(|at| at <= now);
        let due: Vec<_> =
            self.rounds.iter().filter(|(_, round)| due(round)).map(|(node, _)| node.clone()).collect();
        for node in due {
            self.change(&node, |wake| wake.tick(now, jitter()));
        }
    }

    /// Lets a round go on, makes the call that it asks for, and tells the node's panes how it stands.
    fn change(&mut self, node: &str, event: impl FnOnce(&mut Wake) -> Option<Attempt>) {
        let Some(round) = self.rounds.get_mut(node) else { return };
        if let Some(attempt) = event(&mut round.wake) {
            round.calling = true;
            self.calls.spawn(call(self.hub.clone(), node.to_owned(), attempt));
        }
        let state = match round.wake.state() {
            WakeState::Quiet => None,
            WakeState::Waking { attempt, since } => {
                Some(NodeState::Waking { attempt, since: round.begun.unix_ms_at(since) })
            }
            WakeState::GaveUp { reason, .. } => Some(round.down.because(reason)),
        };
        let over = !round.calling && !matches!(round.wake.state(), WakeState::Waking { .. });
        if over {
            self.rounds.remove(node);
        }
        if let Some(state) = state {
            self.hub.node_waking(node, &state);
        }
    }
}

async fn call(hub: Arc<Hub>, node: String, attempt: Attempt) -> Ended {
    let providers = hub.settings.wake.providers.clone();
    let outcome = providers.call(&node, attempt.number(), hub.shutdown.clone()).await;
    (node, attempt, outcome)
}
