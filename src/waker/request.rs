//! Wakes a node with an HTTP request. An answer of 2xx is success; what its body says is not read, and redirects are
//! not followed, as headers with secrets would go along. It takes the proxy that our environment names, if any.

use std::time::Duration;

use ureq::http::Request;
use ureq::{Agent, Error};

use super::reason::{one_line, too_long};
use crate::config::{NODE_PLACEHOLDER, WakeHttp};

/// A request that wakes nodes.
pub struct WakeRequest {
    agent: Agent,
    http: WakeHttp,
    timeout: Duration,
}

impl WakeRequest {
    /// As the settings say. `timeout` is for all of it, from the look-up of the name to the answer.
    #[must_use]
    pub fn new(http: &WakeHttp, timeout: Duration) -> WakeRequest {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Nodes are woken rarely: a connection kept would be stale.
            .max_idle_connections(0)
            .user_agent(concat!("everpane/", env!("CARGO_PKG_VERSION")))
            .build();
        WakeRequest { agent: config.into(), http: http.clone(), timeout }
    }

    /// Makes it. Once begun it runs to its end or its timeout on a thread of its own, also if the future is dropped.
    pub(super) async fn send(&self, node: &str) -> Result<(), String> {
        let request = self.request(node).map_err(|error| one_line(&error.to_string()))?;
        let agent = self.agent.clone();
        let answer = tokio::task::spawn_blocking(move || Ok(agent.run(request)?.status())).await;
        match answer.unwrap_or_else(|panic| Err(Error::Other(panic.into()))) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(format!("the answer was {status}")),
            Err(Error::Timeout(_)) => Err(too_long(self.timeout)),
            Err(error) => Err(one_line(&error.to_string())),
        }
    }

    fn request(&self, node: &str) -> Result<Request<&'static str>, ureq::http::Error> {
        let WakeHttp { url, method, headers } = &self.http;
        let mut request = Request::builder()
            .method(method.as_str())
            .uri(url.replace(NODE_PLACEHOLDER, &percent_encoded(node)));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body("")
    }
}

/// As one part of a path, or one value of a query: all but what RFC 3986 calls unreserved is written in hex.
fn percent_encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn an_id_stays_one_part_of_a_path() {
        assert_eq!(percent_encoded("web-1.eu_2~x"), "web-1.eu_2~x");
        assert_eq!(percent_encoded("a:b/../c?d#e f%ä"), "a%3Ab%2F..%2Fc%3Fd%23e%20f%25%C3%A4");
    }
}
