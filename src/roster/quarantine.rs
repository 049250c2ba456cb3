//! Which nodes are not let in for a while, because what they sent made no sense. Pure.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::node::{NodeId, TokenId};

/// How long a node is kept out.
pub(super) const KEPT_OUT_FOR: Duration = Duration::from_secs(60);

/// How many are remembered; of more, the one that would be let in first is.
const MAX_KEPT_OUT: usize = 1024;

/// A node is its id and the token that it came with: a token that many nodes share is good for the others, and nobody
/// keeps out a node of another token.
type Node = (NodeId, Option<TokenId>);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    until: HashMap<Node, Instant>,
}

impl Quarantine {
    /// Keeps a node out from now on.
    pub(super) fn keep_out(&mut self, node: NodeId, token: Option<TokenId>, now: Instant) {
        self.until.retain(|_, until| *until > now);
        let first = self.until.iter().min_by_key(|(_, until)| **until).map(|(node, _)| node.clone());
        if let Some(first) = first.filter(|_| self.until.len() >= MAX_KEPT_OUT) {
            self.until.remove(&first);
        }
        self.until.insert((node, token), now + KEPT_OUT_FOR);
    }

    /// For how long a node is kept out yet, if it is.
    pub(super) fn of(&self, node: &NodeId, token: Option<TokenId>, now: Instant) -> Option<Duration> {
        let until = self.until.get(&(node.clone(), token))?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> NodeId {
        NodeId::new(&format!("n{number}")).unwrap()
    }

    #[test]
    fn a_node_is_kept_out_for_its_time_and_others_are_not() {
        let (mut quarantine, start) = (Quarantine::default(), Instant::now());
        let token = Some(TokenId(1));
        quarantine.keep_out(id(1), token, start);
        let left = |after: u64| quarantine.of(&id(1), token, start + Duration::from_secs(after));
        assert_eq!(left(0), Some(KEPT_OUT_FOR));
        assert_eq!(left(59), Some(Duration::from_secs(1)));
        assert_eq!((left(60), left(61)), (None, None));
        assert_eq!(quarantine.of(&id(2), token, start), None, "another node with its token");
        assert_eq!(quarantine.of(&id(1), None, start), None, "another token");
    }

    #[test]
    fn a_node_that_goes_on_is_kept_out_for_longer() {
        let (mut quarantine, start) = (Quarantine::default(), Instant::now());
        let later = start + Duration::from_secs(50);
        quarantine.keep_out(id(1), None, start);
        quarantine.keep_out(id(1), None, later);
        assert_eq!(quarantine.of(&id(1), None, later), Some(KEPT_OUT_FOR));
    }

    #[test]
    fn only_so_many_are_remembered_and_the_first_is_let_in() {
        let (mut quarantine, start) = (Quarantine::default(), Instant::now());
        let at = |number: usize| start + Duration::from_millis(number as u64);
        (0..=MAX_KEPT_OUT).for_each(|number| quarantine.keep_out(id(number), None, at(number)));
        assert_eq!(quarantine.until.len(), MAX_KEPT_OUT);
        assert_eq!(quarantine.of(&id(0), None, at(MAX_KEPT_OUT)), None);
        assert!(quarantine.of(&id(1), None, at(MAX_KEPT_OUT)).is_some());
        quarantine.keep_out(id(0), None, start + KEPT_OUT_FOR * 2);
        assert_eq!(quarantine.until.len(), 1, "those whose time is over are forgotten");
    }
}
