//! Whether the store can write, told once per change.

use std::collections::BTreeMap;

use tokio::sync::watch;

use super::schedule::Job;

/// What cannot be written at the moment, and why. Well again only when each of these has been written, so that
/// one file that works does not hide one that does not.
#[derive(Debug)]
pub(super) struct Health {
    /// The jobs whose last try failed, with the message for a person.
    failing: BTreeMap<Job, String>,
    /// What is shown: the message of the first of `failing`.
    shown: watch::Sender<Option<String>>,
}

impl Health {
    pub(super) fn new() -> (Health, watch::Receiver<Option<String>>) {
        let (shown, shown_rx) = watch::channel(None);
        (Health { failing: BTreeMap::new(), shown }, shown_rx)
    }

    /// `job` could not be done. The message should be the same for the same trouble.
    pub(super) fn failed(&mut self, job: Job, message: String) {
        self.failing.insert(job, message);
        self.show();
    }

    /// `job` was done, or is no longer wanted.
    pub(super) fn settled(&mut self, job: Job) {
        if self.failing.remove(&job).is_some() {
            self.show();
        }
    }

    fn show(&self) {
        let now = self.failing.values().next();
        self.shown.send_if_modified(|shown| {
            let changed = shown.as_ref() != now;
            if changed {
                match now {
                    Some(message) => tracing::warn!("{message}; trying again until it works"),
                    None => tracing::info!("everything is saved again"),
                }
                *shown = now.cloned();
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PaneId;

    #[test]
    fn it_is_well_again_only_when_everything_is_and_says_so_once() {
        let (mut health, mut shown) = Health::new();
        let output = Job::Output(PaneId(1));
        health.failed(output, "full".into());
        assert_eq!(shown.borrow_and_update().as_deref(), Some("full"));
        health.failed(output, "full".into());
        health.failed(Job::State, "full".into());
        health.settled(Job::State);
        health.settled(Job::Output(PaneId(2)));
        assert!(!shown.has_changed().unwrap());
        health.settled(output);
        assert_eq!(*shown.borrow_and_update(), None);
    }
}
