//! Calls what can wake a node: a command or an HTTP request. That a call went well says that the provider did its part;
//! whether the node is back shows when it comes. When to call is not decided here.

mod command;
mod reason;
mod request;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use command::WakeCommand;
pub use request::WakeRequest;

use crate::config::{Wake, WakeHttp};

/// Calls under way at a time, for all nodes together; others wait their turn.
const MAX_CALLS: usize = 32;

/// What a call comes to that is cut short by the gateway's end.
const SHUTTING_DOWN: &str = "the gateway is shutting down";

/// What wakes a node.
pub enum Provider {
    /// A program that is run.
    Command(WakeCommand),
    /// A request that is made.
    Http(WakeRequest),
}

impl Provider {
    /// Has `node` woken. A future that is dropped ends its command; a request goes on, to its end or its timeout.
    ///
    /// # Errors
    /// When the command or the request failed, took too long, or was cut short by `shutdown`: why, in one line that can
    /// be shown.
    pub async fn call(&self, node: &str, attempt: u32, shutdown: CancellationToken) -> Result<(), String> {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => Err(SHUTTING_DOWN.to_owned()),
            outcome = self.answer(node, attempt) => outcome,
        }
    }

    async fn answer(&self, node: &str, attempt: u32) -> Result<(), String> {
        match self {
            Provider::Command(command) => command.run(node, attempt).await,
            Provider::Http(request) => request.send(node).await,
        }
    }
}

/// What wakes which node.
pub struct Providers {
    default: Option<Provider>,
    nodes: BTreeMap<String, Provider>,
    turns: Semaphore,
}

impl fmt::Debug for Providers {
    /// Leaves out what is called: there may be secrets in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (default, nodes) = (self.default.is_some(), self.nodes.keys());
        f.debug_struct("Providers").field("default", &default).field("nodes", &nodes).finish()
    }
}

impl Providers {
    /// Those of the settings. `environment` is all that commands get, beside what says which node it is.
    #[must_use]
    pub fn new(settings: &Wake, environment: &[(String, String)]) -> Providers {
        let provider = |command: &Option<Vec<String>>, http: &Option<WakeHttp>, timeout_secs: u64| {
            let timeout = Duration::from_secs(timeout_secs);
            let command = command.as_ref().map(|command| {
                Provider::Command(WakeCommand::new(command.clone(), environment.to_vec(), timeout))
            });
            command.or_else(|| Some(Provider::Http(WakeRequest::new(http.as_ref()?, timeout))))
        };
        let nodes = settings.nodes.iter().filter_map(|(id, node)| {
            let timeout_secs = node.timeout_secs.unwrap_or(settings.timeout_secs);
            Some((id.clone(), provider(&node.command, &node.http, timeout_secs)?))
        });
        Providers {
            nodes: nodes.collect(),
            default: provider(&settings.command, &settings.http, settings.timeout_secs),
            turns: Semaphore::new(MAX_CALLS),
        }
    }

    /// What wakes `node`: its own provider, or everyone's; `None` if nothing can.
    #[must_use]
    pub fn of(&self, node: &str) -> Option<&Provider> {
        self.nodes.get(node).or(self.default.as_ref())
    }

    /// Has `node` woken when it is its turn; see [`Provider::call`]. A timeout begins with the turn.
    ///
    /// # Errors
    /// As [`Provider::call`], and when the node has no provider.
    pub async fn call(&self, node: &str, attempt: u32, shutdown: CancellationToken) -> Result<(), String> {
        let provider = self.of(node).ok_or("nothing is set up to wake it")?;
        let turn = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Err(SHUTTING_DOWN.to_owned()),
            turn = self.turns.acquire() => turn,
        };
        let _turn = turn.expect("the semaphore is never closed");
        provider.call(node, attempt, shutdown).await
    }
}
