//! Who is connected, and the end of a connection, for a desk.

use super::{Desk, Refused};
use crate::gateway::viewer::{Framing, Viewer};
use crate::geometry::Size;
use crate::ids::ViewerId;
use crate::protocol::api::ViewerRecord;
use crate::protocol::client::ViewMode;

impl Desk {
    /// All viewers, oldest first.
    ///
    /// # Errors
    /// Of a desk with a scope.
    pub fn viewers(&self) -> Result<Vec<ViewerRecord>, Refused> {
        self.whole_gateway()?;
        let mut viewers: Vec<_> = self.hub.viewers.iter().map(|viewer| record(&viewer)).collect();
        viewers.sort_by_key(|viewer| viewer.id);
        Ok(viewers)
    }

    /// Closes a viewer's connection.
    ///
    /// # Errors
    /// When there is no such viewer; of a desk with a scope.
    pub fn dismiss(&self, viewer: &str) -> Result<(), Refused> {
        self.whole_gateway()?;
        let found = viewer.parse::<ViewerId>().ok().and_then(|id| self.hub.viewers.get(&id));
        let unknown = || {
            Refused::new("unknown_viewer", format!("there is no viewer `{viewer}`"))
                .hint("GET /api/v1/viewers lists them")
        };
        found.ok_or_else(unknown)?.dismiss();
        Ok(())
    }
}

fn record(viewer: &Viewer) -> ViewerRecord {
    let state = viewer.lock();
    let mut watches: Vec<_> = state.subscriptions.keys().copied().collect();
    watches.sort_unstable();
    ViewerRecord {
        id: viewer.id,
        since: viewer.since,
        size: state.viewport.map(|Size { cols, rows }| (cols, rows)),
        native: viewer.framing == Framing::Native,
        own_view: state.mode == ViewMode::Own,
        watches,
    }
}
