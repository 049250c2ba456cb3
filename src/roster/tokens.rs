//! Node tokens: what a machine needs to join as a node, and no more than that. Only hashes are kept. A token has 256
//! random bits, so that a plain hash of it can't be searched for.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::node::TokenId;

/// How many there may be at a time.
pub const MAX_TOKENS: usize = 1024;

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// What each token begins with, so that it is known for what it is wherever it turns up.
const PREFIX: &str = "epnode_";

/// Random bytes of a token.
const SECRET_BYTES: usize = 32;

/// One token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeToken {
    /// Never given to another one.
    pub id: TokenId,
    /// What people call it.
    pub name: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// SHA-256 of the token.
    hash: [u8; 32],
}

/// All that are valid, as they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeTokens {
    /// The id of the newest one there ever was.
    last_id: u64,
    tokens: Vec<NodeToken>,
}

/// Why a token was not made or revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenNameError {
    /// Not a name that can be shown and typed.
    #[error(
        "`{name}` is no name for a token: 1 to {MAX_NAME_BYTES} letters, digits and . _ - are wanted, and first a letter or a digit"
    )]
    Invalid {
        /// What was given.
        name: String,
    },
    /// There is one of that name.
    #[error("there is a node token `{name}` already; revoke it first, or choose another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// There is none of that name.
    #[error("there is no node token `{name}`; `everpane node-token list` shows all")]
    Unknown {
        /// The name.
        name: String,
    },
    /// There are as many as there may be.
    #[error("there are {MAX_TOKENS} node tokens, and no more are kept; revoke some")]
    Full,
}

impl NodeTokens {
    /// Makes a token of so many random bytes; its text is nowhere but in what is returned.
    ///
    /// # Errors
    /// When the name can't be taken, or there are too many.
    pub fn create(
        &mut self,
        name: &str,
        random: [u8; SECRET_BYTES],
        now_ms: u64,
    ) -> Result<String, TokenNameError> {
        if !is_name(name) {
            return Err(TokenNameError::Invalid { name: name.chars().take(MAX_NAME_BYTES).collect() });
        }
        if self.tokens.iter().any(|token| token.name == name) {
            return Err(TokenNameError::Taken { name: name.to_owned() });
        }
        if self.tokens.len() >= MAX_TOKENS {
            return Err(TokenNameError::Full);
        }
        self.last_id += 1;
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{PREFIX}{digits}");
        let (id, name, hash) = (TokenId(self.last_id), name.to_owned(), hash(&text));
        self.tokens.push(NodeToken { id, name, created_ms: now_ms, hash });
        Ok(text)
    }

    /// Makes a token invalid.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn revoke(&mut self, name: &str) -> Result<(), TokenNameError> {
        let named = self.tokens.iter().position(|token| token.name == name);
        let at = named.ok_or_else(|| TokenNameError::Unknown { name: name.to_owned() })?;
        self.tokens.remove(at);
        Ok(())
    }

    /// The token whose text is `presented`. Takes as long for a wrong one as for a right one.
    #[must_use]
    pub fn find(&self, presented: &str) -> Option<TokenId> {
        let hash = hash(presented);
        self.tokens.iter().fold(None, |found, token| {
            let matches: bool = token.hash.ct_eq(&hash).into();
            if matches { Some(token.id) } else { found }
        })
    }

    /// Whether a token is valid.
    #[must_use]
    pub fn has(&self, id: TokenId) -> bool {
        self.tokens.iter().any(|token| token.id == id)
    }

    /// All that are valid, in the order in which they were made.
    #[must_use]
    pub fn all(&self) -> &[NodeToken] {
        &self.tokens
    }

    /// Those of ours that `newer` has no more.
    pub fn gone_in<'a>(&'a self, newer: &'a NodeTokens) -> impl Iterator<Item = TokenId> + 'a {
        self.tokens.iter().map(|token| token.id).filter(|id| !newer.has(*id))
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= MAX_NAME_BYTES
        && name.bytes().all(plain)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// Good for node tokens only.
fn hash(text: &str) -> [u8; 32] {
    Sha256::new().chain_update("everpane node token 1\0").chain_update(text).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_whole_text_until_it_is_revoked() {
        let mut tokens = NodeTokens::default();
        let first = tokens.create("sandbox-1", [1; 32], 10).unwrap();
        let second = tokens.create("sandbox-2", [2; 32], 20).unwrap();
        assert_eq!(tokens.find(&first), Some(TokenId(1)));
        assert_eq!(tokens.find(&second), Some(TokenId(2)));
        for wrong in ["", "epnode_", &first[..first.len() - 1], &format!("{first}0"), "sandbox-1"] {
            assert_eq!(tokens.find(wrong), None, "{wrong}");
        }
        let before = tokens.clone();
        tokens.revoke("sandbox-1").unwrap();
        assert_eq!(tokens.find(&first), None);
        assert_eq!(tokens.find(&second), Some(TokenId(2)));
        assert_eq!(before.gone_in(&tokens).collect::<Vec<_>>(), [TokenId(1)]);
        assert_eq!(tokens.gone_in(&before).count(), 0);
    }

    #[test]
    fn no_id_is_used_twice_and_no_secret_is_kept() {
        let mut tokens = NodeTokens::default();
        let text = tokens.create("a", [7; 32], 0).unwrap();
        tokens.revoke("a").unwrap();
        let kept = serde_json::to_string(&tokens).unwrap();
        let mut tokens: NodeTokens = serde_json::from_str(&kept).unwrap();
        tokens.create("a", [7; 32], 0).unwrap();
        assert_eq!(tokens.all()[0].id, TokenId(2));
        let kept = serde_json::to_string(&tokens).unwrap();
        assert!(!kept.contains(text.trim_start_matches(PREFIX)), "{kept}");
    }

    #[test]
    fn names_are_checked() {
        let mut tokens = NodeTokens::default();
        let mut create = |name: &str| tokens.create(name, [0; 32], 0);
        for name in ["a", "Sandbox_1.eu-west", &"x".repeat(64)] {
            assert!(create(name).is_ok(), "{name}");
        }
        for name in ["", "-a", ".", "a b", "ä", "a\n", "a/b", &"x".repeat(65)] {
            assert!(matches!(create(name), Err(TokenNameError::Invalid { .. })), "{name}");
        }
        assert_eq!(create("a"), Err(TokenNameError::Taken { name: "a".to_owned() }));
        assert_eq!(tokens.revoke("b"), Err(TokenNameError::Unknown { name: "b".to_owned() }));
    }

    #[test]
    fn there_are_only_so_many() {
        let mut tokens = NodeTokens::default();
        for number in 0..MAX_TOKENS {
            tokens.create(&number.to_string(), [0; 32], 0).unwrap();
        }
        assert_eq!(tokens.create("more", [0; 32], 0), Err(TokenNameError::Full));
    }
}
