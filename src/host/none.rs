//! The host of a gateway without PTYs of its own.

use std::sync::Arc;

use super::{Host, Sink, SpawnError, SpawnRequest, Spawning};

/// Starts nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoHost;

impl Host for NoHost {
    fn spawn(&self, _request: SpawnRequest, _sink: Arc<dyn Sink>) -> Spawning {
        let reason = "this gateway has no shells of its own machine; choose a node for the pane".to_owned();
        Box::pin(async { Err(SpawnError { reason }) })
    }
}
