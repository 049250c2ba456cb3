//! A node with PTYs in the test's own process, which connects whenever the test says.

use std::net::SocketAddr;
use std::sync::Arc;

use everpane::host::local::LocalHost;
use everpane::host::remote::{Defaults, PtyService};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::TOKEN;

/// See the module.
pub(crate) struct ServiceNode {
    pub(crate) runtime: Runtime,
    pub(crate) service: Arc<PtyService>,
}

impl ServiceNode {
    /// One whose panes run `command`.
    pub(crate) fn start(command: &[&str]) -> Self {
        let runtime = Runtime::new().unwrap();
        let defaults = Defaults {
            command: command.iter().map(|&word| word.to_owned()).collect(),
            cwd: "/".into(),
            environment: vec![
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
                ("PS1".to_owned(), "on-the-node$ ".to_owned()),
            ],
            root: "/".into(),
        };
        let guard = runtime.enter();
        let service = Arc::new(PtyService::new(Arc::new(LocalHost::default()), defaults));
        drop(guard);
        Self { runtime, service }
    }

    /// Registers with the gateway's own token and serves until the connection breaks, or is broken off by aborting this.
    pub(crate) fn connect(&self, gateway: SocketAddr, id: &str) -> JoinHandle<Option<u16>> {
        self.connect_with(gateway, id, TOKEN)
    }

    /// The same with another token. Gives the code that the gateway closed with, if it did.
    pub(crate) fn connect_with(&self, gateway: SocketAddr, id: &str, token: &str) -> JoinHandle<Option<u16>> {
        let mut request = format!("ws://{gateway}/ws").into_client_request().unwrap();
        request.headers_mut().insert("Authorization", format!("Bearer {token}").parse().unwrap());
        let id = id.to_owned();
        let params = json!({"id": id, "machine": "box", "cwd": "/", "kind": "pty_host", "instance": "one"});
        let register = json!({"id": 1, "method": "register", "params": params}).to_string();
        let service = self.service.clone();
        self.runtime.spawn(async move {
            let Ok((mut socket, _)) = connect_async(request).await else { return None };
            if socket.send(Message::text(register)).await.is_err() {
                return None;
            }
            let (mut inbound, mut outbound) = service.connect();
            loop {
                tokio::select! {
                    message = socket.next() => match message {
                        Some(Ok(Message::Binary(frame))) => inbound.take(frame).unwrap(),
                        Some(Ok(Message::Close(close))) => return close.map(|close| close.code.into()),
                        // Why it is no node is what a test that waits in vain for it must show.
                        Some(Ok(Message::Text(text))) if text.contains("\"error\"") => eprintln!("{id}: {text}"),
                        Some(Ok(_)) => {}
                        _ => return None,
                    },
                    Some(frame) = outbound.next() => if socket.send(Message::Binary(frame)).await.is_err() {
                        return None;
                    },
                }
            }
        })
    }
}

impl Drop for ServiceNode {
    fn drop(&mut self) {
        self.runtime.block_on(self.service.end());
    }
}
