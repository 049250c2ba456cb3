//! Which nodes are to be woken: each is asked for once, however many keys arrive before somebody sees to it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// See the module. A leaf in the lock order.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    asked: Mutex<BTreeSet<String>>,
    more: Notify,
}

impl Wakes {
    /// Somebody typed for a node that is away.
    pub(super) fn ask(&self, node: String) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(node);
        self.more.notify_one();
    }

    /// The next node that is to be woken.
    pub(super) async fn next(&self) -> String {
        loop {
            let next = self.asked.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
            match next {
                Some(node) => return node,
                None => self.more.notified().await,
            }
        }
    }
}
