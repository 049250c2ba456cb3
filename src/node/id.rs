//! What nodes, their connections and their tokens are called.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How long a node's id, or the name of its process, may be, in bytes.
const MAX_ID_BYTES: usize = 64;

/// Whether a text can name a node: it also stands in the path of a URL.
pub(super) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    text.len() <= MAX_ID_BYTES
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// What a node goes by: 1 to 64 of `A-Z a-z 0-9 . _ : -`, of which the first is a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId(Arc<str>);

/// A text that can't be a node's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_ID_BYTES} of A-Z a-z 0-9 . _ : - and begin with a letter or a digit")]
pub struct InvalidId;

impl NodeId {
    /// Takes a text for an id.
    ///
    /// # Errors
    /// When it is too long or has other characters.
    pub fn new(text: &str) -> Result<NodeId, InvalidId> {
        if is_id(text) { Ok(NodeId(text.into())) } else { Err(InvalidId) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for NodeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for NodeId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<NodeId, InvalidId> {
        NodeId::new(&text)
    }
}

impl From<NodeId> for String {
    fn from(id: NodeId) -> String {
        id.as_str().to_owned()
    }
}

/// One connection, from its beginning to its end; a later one has a larger number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// A node token, as whoever keeps the tokens numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenId(pub u64);
