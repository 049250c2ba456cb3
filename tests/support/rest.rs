//! The API, asked by an HTTP client as scripts have one.

use std::io::{BufRead, BufReader};

use everpane::protocol::api::Event;
use serde_json::Value;
use ureq::http::Request;
use ureq::{Agent, BodyReader};

use super::{Gateway, PATIENCE, TOKEN};

/// See the module.
#[derive(Clone)]
pub(crate) struct Rest {
    agent: Agent,
    root: String,
    token: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Its kind of content.
    pub(crate) kind: String,
    /// `null` where there is none.
    pub(crate) body: Value,
}

impl Answered {
    /// The code of a refusal.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Holds it to be a success with this status, and gives its body.
    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }

    /// Holds it to be a whole refusal with this status and code, and gives its body.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        assert_eq!(self.kind, "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["type"], format!("about:blank#{code}"));
        assert!(self.body["title"].is_string() && self.body["message"] == self.body["title"], "{self:?}");
        self.body
    }
}

impl Rest {
    /// With the gateway's own token.
    pub(crate) fn of(gateway: &Gateway) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_recv_response(Some(PATIENCE))
            .build()
            .into();
        Self { agent, root: format!("http://{}/api/v1", gateway.address), token: TOKEN.to_owned() }
    }

    /// With another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    pub(crate) fn get(&self, path: &str) -> Answered {
        self.send("GET", path, "")
    }

    pub(crate) fn delete(&self, path: &str) -> Answered {
        self.send("DELETE", path, "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answered {
        self.send("POST", path, &body.to_string())
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answered {
        self.send("PATCH", path, &body.to_string())
    }

    /// Any request, with a body as it is.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Answered {
        let mut response = self.agent.run(self.request(method, path, body)).unwrap();
        let kind =
            response.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let text = response.body_mut().read_to_string().unwrap();
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(text.into()) };
        Answered { status: response.status().as_u16(), kind, body }
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Request<String> {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.root))
            .header("authorization", format!("Bearer {}", self.token))
            .body(body.to_owned())
            .unwrap()
    }

    /// A reader of events, or how it was refused.
    pub(crate) fn events(&self) -> Result<Events, u16> {
        let response = self.agent.run(self.request("GET", "/events", "")).unwrap();
        match response.status().as_u16() {
            200 => Ok(Events(BufReader::new(response.into_body().into_reader()))),
            status => Err(status),
        }
    }
}

/// Events as they come.
pub(crate) struct Events(BufReader<BodyReader<'static>>);

impl Events {
    /// The next one; none when there will be no more.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            // Nothing happened for a while.
            Ok(1) => self.next(),
            Ok(_) => Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))),
        }
    }

    /// Reads on to one that is wanted.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, is_wanted: impl Fn(&Event) -> bool) -> Event {
        let mut passed = Vec::new();
        while let Some(event) = self.next() {
            if is_wanted(&event) {
                return event;
            }
            passed.push(event);
        }
        panic!("no {what} after {passed:?}")
    }
}
