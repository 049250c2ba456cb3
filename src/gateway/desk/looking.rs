//! What a desk is asked to look at, to wait for, and to run.

use super::{Desk, Place, Refused};
use crate::gateway::looking::Output;
use crate::gateway::waiting::aside;
use crate::protocol::api::{CaptureQuery, RunOutcome, RunRequest, WaitOutcome, WaitRequest};

impl Desk {
    /// The screen of the pane of a place as it is now, in a format.
    ///
    /// # Errors
    /// When the pane is gone.
    pub async fn capture(&self, place: Place, query: CaptureQuery) -> Result<String, Refused> {
        let (hub, slot) = (self.hub.clone(), self.hub.known(place.pane)?);
        aside(move || hub.capture(&slot, query)).await
    }

    /// Its output from an offset on, as far as it is still there; all of it without one.
    ///
    /// # Errors
    /// When the pane is gone.
    pub fn output(&self, place: Place, from: Option<u64>) -> Result<Output, Refused> {
        Ok(self.hub.output_from(&*self.hub.known(place.pane)?, from))
    }

    /// Waits for something of it. Dropped, it is waited for no more.
    ///
    /// # Errors
    /// For a wait that makes no sense, when there are too many, or when the pane is gone or goes.
    pub async fn wait(&self, place: Place, request: WaitRequest) -> Result<WaitOutcome, Refused> {
        self.hub.wait(&self.hub.known(place.pane)?, request).await
    }

    /// Types a command at its shell's prompt, and waits for its end. Dropped, it is not waited for any more; the command
    /// runs on.
    ///
    /// # Errors
    /// When the shell does not say where commands begin and end, is busy, or the pane has no terminal.
    pub async fn run(&self, place: Place, request: RunRequest) -> Result<RunOutcome, Refused> {
        self.hub.run_command(&self.hub.known(place.pane)?, request).await
    }
}
