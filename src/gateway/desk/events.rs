//! Events for those who read along: first how everything is, then each change.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Desk;
use super::mirror::{Mirror, News};
use crate::clock::Moment;
use crate::gateway::hub::Hub;
use crate::gateway::records::front;
use crate::gateway::updates::Update;
use crate::ids::{PaneId, SessionId, TabId};
use crate::protocol::api::{API_VERSION, Event};
use crate::protocol::server::State;

/// A reader's events. What it does not take waits with the updates that all viewers share; who falls behind these is told
/// how everything is instead.
#[derive(Debug)]
pub struct Events {
    hub: Arc<Hub>,
    scope: Option<SessionId>,
    updates: broadcast::Receiver<Arc<Update>>,
    mirror: Mirror,
    /// The newest revision of the layout that was told.
    revision: u64,
    /// Told next: of one update at most.
    waiting: VecDeque<Event>,
}

impl Desk {
    /// The events from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        // Before the state is looked at, so that no update falls between.
        let updates = self.hub.updates.subscribe();
        let (state, front) = self.hub.state_and_front(self.scope);
        let mut events = Events {
            hub: self.hub.clone(),
            scope: self.scope,
            updates,
            revision: 0,
            mirror: Mirror::new(state.clone(), self.scope, front),
            waiting: VecDeque::new(),
        };
        events.start_over(state, front);
        events
    }
}

impl Events {
    /// The next one; none when the gateway ends.
    pub async fn next(&mut self) -> Option<Event> {
        let shutdown = self.hub.shutdown.clone();
        shutdown.run_until_cancelled(self.pull()).await?
    }

    async fn pull(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            match self.updates.recv().await {
                Ok(update) => self.take(&update),
                Err(RecvError::Lagged(_)) => {
                    let (state, front) = self.hub.state_and_front(self.scope);
                    self.start_over(state, front);
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn start_over(&mut self, state: State, front: Option<TabId>) {
        self.revision = state.layout.revision.unwrap_or_default();
        self.mirror = Mirror::new(state, self.scope, front);
        let (at, sessions) = (Moment::now().unix_ms, self.mirror.sessions(|pane| self.offset(pane)));
        self.waiting = [Event::Snapshot { api_version: API_VERSION, at, sessions }].into();
    }

    fn take(&mut self, update: &Update) {
        if let Some(revision) = update.revision() {
            // What was looked at when it started over may be newer.
            if revision <= self.revision {
                return;
            }
            self.revision = revision;
        }
        let front = front(&self.hub.plan().layout, self.scope);
        let (news, at) = (self.mirror.take(update.message(), front), Moment::now().unix_ms);
        let offset = |pane| self.offset(pane);
        let event = |news| {
            Some(match news {
                News::Layout => Event::Layout { at, sessions: self.mirror.sessions(offset) },
                News::Pane(pane) => Event::Pane { at, pane: Box::new(self.mirror.pane(pane, offset)?) },
                News::Connection { pane, connected } => Event::Connection { at, pane, connected },
            })
        };
        self.waiting = news.into_iter().filter_map(event).collect();
    }

    fn offset(&self, pane: PaneId) -> u64 {
        self.hub.slot(pane).map_or(0, |slot| slot.lock().pane.log.head())
    }
}
