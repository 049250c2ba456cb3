//! Which token an id belongs to, also when its record is gone: nobody else may come back as a node that panes wait for.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::node::{NodeId, TokenId};

/// How many ids are remembered for one token; of more, the one that was bound first is free again.
const MAX_IDS: usize = 1024;

/// Each id is bound to one token at most, until that is revoked. What registers with the gateway's own token binds
/// nothing beyond its record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Ids", into = "Ids")]
pub(super) struct Bindings {
    /// As they were bound, the oldest first.
    ids: Ids,
    tokens: BTreeMap<NodeId, TokenId>,
}

type Ids = BTreeMap<TokenId, VecDeque<NodeId>>;

impl From<Ids> for Bindings {
    fn from(ids: Ids) -> Bindings {
        let mut bindings = Bindings::default();
        for (token, ids) in ids {
            ids.into_iter().for_each(|id| bindings.bind(&id, Some(token)));
        }
        bindings
    }
}

impl From<Bindings> for Ids {
    fn from(bindings: Bindings) -> Ids {
        bindings.ids
    }
}

impl Bindings {
    /// Whether whoever comes with this token may register this id.
    pub(super) fn admit(&self, id: &NodeId, token: Option<TokenId>) -> bool {
        self.tokens.get(id).is_none_or(|bound| Some(*bound) == token)
    }

    /// Binds an id that was admitted.
    pub(super) fn bind(&mut self, id: &NodeId, token: Option<TokenId>) {
        let Some(token) = token.filter(|_| !self.tokens.contains_key(id)) else { return };
        let ids = self.ids.entry(token).or_default();
        if ids.len() >= MAX_IDS {
            ids.pop_front().and_then(|oldest| self.tokens.remove(&oldest));
        }
        ids.push_back(id.clone());
        self.tokens.insert(id.clone(), token);
    }

    /// The tokens that something is bound to.
    pub(super) fn tokens(&self) -> impl Iterator<Item = TokenId> {
        self.ids.keys().copied()
    }

    /// Frees what is bound to a token.
    pub(super) fn free(&mut self, token: TokenId) {
        for id in self.ids.remove(&token).into_iter().flatten() {
            self.tokens.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> NodeId {
        NodeId::new(text).unwrap()
    }

    #[test]
    fn an_id_is_its_tokens_until_that_is_revoked() {
        let mut bindings = Bindings::default();
        let (one, two) = (Some(TokenId(1)), Some(TokenId(2)));
        bindings.bind(&id("a"), one);
        bindings.bind(&id("b"), None);
        let kept: Bindings = serde_json::from_str(&serde_json::to_string(&bindings).unwrap()).unwrap();
        assert_eq!(kept, bindings);
        for (wanted, name, token) in
            [(true, "a", one), (false, "a", two), (false, "a", None), (true, "b", two), (true, "b", None)]
        {
            assert_eq!(kept.admit(&id(name), token), wanted, "{name} {token:?}");
        }
        bindings.free(TokenId(1));
        assert!(bindings.admit(&id("a"), two));
        assert_eq!(bindings, Bindings::default());
    }

    #[test]
    fn a_token_with_many_ids_gives_up_its_own_oldest() {
        let mut bindings = Bindings::default();
        bindings.bind(&id("other"), Some(TokenId(2)));
        for number in 0..=MAX_IDS {
            bindings.bind(&id(&number.to_string()), Some(TokenId(1)));
        }
        assert!(bindings.admit(&id("0"), None));
        for bound in ["1", &MAX_IDS.to_string(), "other"] {
            assert!(!bindings.admit(&id(bound), None), "{bound}");
        }
    }
}
