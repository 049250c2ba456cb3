//! The file that the records of nodes are kept in.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::bindings::Bindings;
use crate::node::SavedNode;
use crate::store::Document;

/// Where it is, in the data directory.
const NAME: &str = "nodes.json";

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) nodes: Vec<SavedNode>,
    pub(super) bindings: Bindings,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Records {
    /// None: nothing is written, so that what could not be read stays.
    document: Option<Document>,
    asked: AtomicU64,
    /// The newest that was asked for of those that were written; held while one is.
    written: Mutex<u64>,
}

impl Records {
    /// Those in `dir`, and what they are. What can't be read is told, and left as it is.
    pub(super) fn open(dir: Option<&Path>) -> (Records, Saved) {
        let document = dir.map(|dir| Document::new(dir, NAME));
        let read = document.as_ref().map_or(Ok(None), Document::read);
        let (document, saved) = match read {
            Ok(saved) => (document, saved.unwrap_or_default()),
            Err(error) => {
                tracing::warn!("nodes are not remembered: {error}");
                (None, Saved::default())
            }
        };
        (Records { document, asked: AtomicU64::new(0), written: Mutex::new(0) }, saved)
    }

    /// The place of a write among all writes: of two, the later one counts, whichever comes first to the disk.
    pub(super) fn turn(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Writes them down; blocks. A disk that can't take them is told, and no reason not to go on.
    pub(super) fn write(&self, turn: u64, saved: &Saved) {
        let Some(document) = &self.document else { return };
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if turn < *written {
            return;
        }
        *written = turn;
        if let Err(error) = document.write(saved) {
            tracing::warn!("cannot save the nodes: {error}");
        }
    }
}
