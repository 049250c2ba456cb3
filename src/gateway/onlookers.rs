//! Those who wait for something of a pane, scripts mostly. They are woken by what happens to it, and what its program
//! prints stays in the log until they have looked at it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use super::desk::Refused;
use super::hub::Hub;
use super::panes::{Slot, SlotState};
use super::refusal::Refusal;

/// What a look at a pane gave.
#[derive(Debug)]
pub(super) enum Look<T> {
    /// What was waited for.
    Seen(T),
    /// Not yet: to be looked at again when something happens.
    NotYet,
    /// Not yet: then at the latest.
    Until(Instant),
}

/// See the module. Dropped, it is one no more.
#[derive(Debug)]
pub(super) struct Onlooker {
    pub(super) hub: Arc<Hub>,
    pub(super) slot: Arc<Slot>,
    /// The offset from which the output is needed; `u64::MAX` if none is.
    needs: Arc<AtomicU64>,
    _place: OwnedSemaphorePermit,
}

impl Onlooker {
    /// One who needs the output from an offset on, if any.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn new(hub: &Arc<Hub>, slot: &Arc<Slot>, needs: Option<u64>) -> Result<Onlooker, Refused> {
        let place = hub.onlookers.clone().try_acquire_owned().map_err(|_| {
            let most = hub.settings.max_waits;
            Refused::new("too_many_waits", format!("{most} requests wait for something already"))
                .hint("wait with fewer at a time, or raise limits.waits")
        })?;
        let needs = Arc::new(AtomicU64::new(needs.unwrap_or(u64::MAX)));
        let mut state = slot.lock();
        state.pane.log.need(needs.load(Ordering::Acquire));
        state.onlookers.push(needs.clone());
        drop(state);
        Ok(Onlooker { hub: hub.clone(), slot: slot.clone(), needs, _place: place })
    }

    /// The output before `offset` is not needed any more.
    pub(super) fn is_through_with(&self, offset: u64) {
        self.needs.store(offset, Ordering::Release);
    }

    /// Looks until something is seen or the time is up, each time that anything happens to the pane. `look` is told
    /// whether the pane has a live terminal.
    ///
    /// # Errors
    /// When the pane is closed, or the gateway ends.
    pub(super) async fn watch<T>(
        &self,
        deadline: Instant,
        mut look: impl FnMut(&mut SlotState, bool) -> Look<T>,
    ) -> Result<Option<T>, Refused> {
        loop {
            let mut news = pin!(self.slot.news.notified());
            let until = {
                let mut state = self.slot.lock();
                // What happens from now on is not missed.
                news.as_mut().enable();
                if state.pane.is_closed() {
                    return Err(Refusal::UnknownPane(self.slot.id).into());
                }
                let connected = self.hub.terminals.contains_key(&self.slot.id);
                let looked = look(&mut state, connected);
                self.slot.look_for_room(&state);
                match looked {
                    Look::Seen(seen) => return Ok(Some(seen)),
                    Look::NotYet => deadline,
                    Look::Until(at) => at.min(deadline),
                }
            };
            if Instant::now() >= deadline {
                return Ok(None);
            }
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep_until(until.into()) => {}
                () = self.hub.shutdown.cancelled() => {
                    return Err(Refused::new("shutting_down", "the gateway is about to end"));
                }
            }
        }
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        let mut state = self.slot.lock();
        state.onlookers.retain(|other| !Arc::ptr_eq(other, &self.needs));
        self.slot.look_for_room(&state);
    }
}
