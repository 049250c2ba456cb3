//! Carries out what is asked at `/ws`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};

use super::{Nodes, Shared, folders};
use crate::http::caller::Caller;
use crate::node::{Load, Registration};
use crate::protocol::node::{
    Health, NodeMethod, NodeRequest, Outcome, Ping, Register, RequestId, answer, refusal, refusal_for_now,
};
use crate::roster::Connection;

/// How many requests of one connection may be under way.
const MAX_IN_FLIGHT: usize = 32;

/// The requests of one connection.
pub(super) struct Requests<'a> {
    shared: Arc<Shared>,
    caller: Caller,
    connection: &'a Connection,
    /// Answers, as JSON.
    answers: mpsc::Sender<String>,
    in_flight: Arc<Semaphore>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(
        shared: Arc<Shared>,
        caller: Caller,
        connection: &'a Connection,
        answers: mpsc::Sender<String>,
    ) -> Requests<'a> {
        Requests { shared, caller, connection, answers, in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT)) }
    }

    /// Carries one out. What can take long is answered later; waits while the answers before are not taken. Whether it
    /// may have changed as what node the connection is registered.
    pub(super) async fn carry_out(&self, NodeRequest { id, method }: NodeRequest) -> bool {
        let registers = matches!(method, NodeMethod::Register(_) | NodeMethod::Deregister(_));
        let answer = match method {
            NodeMethod::Register(register) => self.register(&id, register),
            NodeMethod::Deregister(deregister) => answer(&id, &self.connection.deregister(&deregister.id)),
            NodeMethod::ListNodes(_) => answer(&id, &self.shared.nodes.roster.nodes()),
            NodeMethod::Ping(ping) => answer(&id, &self.health(&ping)),
            NodeMethod::ListDirectories(asked) => {
                self.aside(id, folders::listing(self.shared.clone(), asked)).await;
                return false;
            }
            NodeMethod::SpawnAgent(asked) => {
                let spawn = move |nodes: &Nodes| folders::spawn_agent(nodes, &asked);
                self.aside(id, folders::on_disk(self.shared.clone(), spawn)).await;
                return false;
            }
        };
        self.answer(answer).await;
        registers
    }

    /// Says that a message was not understood.
    pub(super) async fn refuse(&self, id: Option<&RequestId>, error: &str) {
        self.answer(refusal(id, error)).await;
    }

    async fn answer(&self, answer: String) {
        // Nobody takes it if the connection is ending.
        let _ = self.answers.send(answer).await;
    }

    fn register(&self, id: &RequestId, register: Register) -> String {
        let registration = match Registration::check(register) {
            Ok(registration) => registration,
            Err(invalid) => return refusal(Some(id), &invalid.to_string()),
        };
        match self.connection.register(registration) {
            Ok(()) => answer(id, &Outcome::Registered),
            Err(refused) => {
                // Whole seconds, and none too few.
                let retry_secs = refused.retry_after().map(|wait| wait.as_secs() + 1);
                refusal_for_now(Some(id), &refused.to_string(), retry_secs)
            }
        }
    }

    fn health(&self, ping: &Ping) -> Health {
        let says = ping.panes.is_some() || ping.idle_secs.is_some();
        let load = says.then(|| Load { panes: ping.panes, idle: ping.idle_secs.map(Duration::from_secs) });
        let registered = self.connection.heartbeat(ping.id.as_deref(), load);
        Health {
            status: Cow::Borrowed("healthy"),
            nodes: self.shared.nodes.roster.count(),
            version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            registered: ping.id.is_some().then_some(registered),
        }
    }

    /// Does what can take long, and is none of a node's business, aside from what else comes over the connection.
    async fn aside<T: Serialize + Send + 'static>(
        &self,
        id: RequestId,
        work: impl Future<Output = Result<T, String>> + Send + 'static,
    ) {
        if self.caller != Caller::Owner {
            let error = "a node token is not enough for this; the gateway's own token is needed";
            return self.refuse(Some(&id), error).await;
        }
        let Ok(place) = self.in_flight.clone().try_acquire_owned() else {
            let error =
                format!("{MAX_IN_FLIGHT} requests of this connection are under way; wait for an answer");
            return self.refuse(Some(&id), &error).await;
        };
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let _ = answers.send(reply(&id, work.await)).await;
            drop(place);
        });
    }
}

fn reply<T: Serialize>(id: &RequestId, outcome: Result<T, String>) -> String {
    match outcome {
        Ok(result) => answer(id, &result),
        Err(error) => refusal(Some(id), &error),
    }
}
