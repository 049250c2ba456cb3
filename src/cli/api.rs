//! A gateway's `/api/v1`, one request at a time and without a runtime: a command is over before one would have started.

use std::io::{self, Read};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::{Agent, Body, Error};

use super::failure::{Failure, Kind};
use super::reach::Destination;
use crate::protocol::api::ProblemDetails;

/// How long the gateway may take to answer what it does at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The most that an answer may have, in bytes: a whole scrollback in colours as HTML, and room to spare.
const MAX_ANSWER: u64 = 256 << 20;

/// What to do about a pane whose programs were given no token.
const NO_TOKEN_HERE: &str = "this pane has no token; `pane_tokens` in the gateway's config file says which panes get \
                             one: \"local\", those of its own machine, or \"everywhere\"; else set EVERPANE_TOKEN";

/// The API of one gateway.
pub(super) struct Api {
    agent: Agent,
    destination: Destination,
}

impl Api {
    /// That of `destination`. Nothing is sent yet.
    pub(super) fn new(destination: Destination) -> Api {
        let mut config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_WITHIN))
            .http_status_as_error(false)
            // Elsewhere the token would go along.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .user_agent(concat!("everpane/", env!("CARGO_PKG_VERSION")));
        if destination.is_here() {
            config = config.proxy(None);
        }
        Api { agent: config.build().into(), destination }
    }

    /// The gateway that it talks to.
    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// What is at `path`, below `/api/v1`.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.parsed(self.ask(Method::GET, path, None, ANSWER_WITHIN)?)
    }

    /// Posts `body`, and takes the answer.
    pub(super) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.post_within(path, body, ANSWER_WITHIN)
    }

    /// The same where the answer may take longer than usual, by that much.
    pub(super) fn post_slowly<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        longer: Duration,
    ) -> Result<T, Failure> {
        self.post_within(path, body, ANSWER_WITHIN + longer)
    }

    fn post_within<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        within: Duration,
    ) -> Result<T, Failure> {
        self.parsed(self.ask(Method::POST, path, Some(encoded(body)?), within)?)
    }

    /// Posts `body` where the answer says nothing but that it was done.
    pub(super) fn tell(&self, path: &str, body: &impl Serialize) -> Result<(), Failure> {
        self.ask(Method::POST, path, Some(encoded(body)?), ANSWER_WITHIN).map(drop)
    }

    /// Changes what is at `path`, and takes how it is then.
    pub(super) fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.parsed(self.ask(Method::PATCH, path, Some(encoded(body)?), ANSWER_WITHIN)?)
    }

    /// Deletes what is at `path`.
    pub(super) fn delete(&self, path: &str) -> Result<(), Failure> {
        self.ask(Method::DELETE, path, None, ANSWER_WITHIN).map(drop)
    }

    /// What is at `path`, as it is.
    pub(super) fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.read(self.ask(Method::GET, path, None, ANSWER_WITHIN)?)
    }

    /// What is at `path` and comes bit by bit, without an end.
    pub(super) fn stream(&self, path: &str) -> Result<impl Read + use<>, Failure> {
        Ok(self.request(Method::GET, path, None, None)?.into_body().into_reader())
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        within: Duration,
    ) -> Result<Response<Body>, Failure> {
        self.request(method, path, body, Some(within))
    }

    /// Sends a request and waits for the head of its answer, which is a success.
    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        within: Option<Duration>,
    ) -> Result<Response<Body>, Failure> {
        let mut request =
            Request::builder().method(method).uri(self.destination.http(&format!("/api/v1{path}")));
        if let Some(token) = &self.destination.token {
            request = request.header("authorization", format!("Bearer {}", token.secret()));
        }
        let answer = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body).map_err(wrong)?;
                let request = self.agent.configure_request(request).timeout_global(within).build();
                self.agent.run(request)
            }
            None => {
                let request = request.body(()).map_err(wrong)?;
                let request = self.agent.configure_request(request).timeout_global(within).build();
                self.agent.run(request)
            }
        };
        let answer = answer.map_err(|error| self.unreachable(error))?;
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(self.refused(answer)),
        }
    }

    /// What the gateway said no with.
    fn refused(&self, answer: Response<Body>) -> Failure {
        let status = answer.status();
        let body = self.read(answer).unwrap_or_default();
        if let Ok(problem) = serde_json::from_slice::<ProblemDetails>(&body) {
            let is_tokenless = status == StatusCode::UNAUTHORIZED && self.destination.token.is_none();
            let failure = Failure::from(problem);
            return match self.destination.pane_around() {
                Some(_) if is_tokenless => failure.hint(NO_TOKEN_HERE),
                _ => failure,
            };
        }
        // Older parts of the gateway, and what stands in front of one.
        let field = |name: &str| {
            let value: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
            value.and_then(|value| Some(value.get(name)?.as_str()?.to_owned()))
        };
        let code = field("code").unwrap_or_else(|| "refused".to_owned());
        let message = field("message").unwrap_or_else(|| format!("the gateway answered {status}"));
        ProblemDetails {
            kind: format!("about:blank#{code}"),
            status: status.as_u16(),
            title: message.clone(),
            code,
            message,
            hint: None,
            field: None,
        }
        .into()
    }

    fn parsed<T: DeserializeOwned>(&self, answer: Response<Body>) -> Result<T, Failure> {
        let body = self.read(answer)?;
        serde_json::from_slice(&body).map_err(|error| {
            let gateway = self.destination.name();
            Failure::new(Kind::Other, format!("what {gateway} answers is no answer of a gateway: {error}"))
        })
    }

    fn read(&self, answer: Response<Body>) -> Result<Vec<u8>, Failure> {
        let body = answer.into_body().into_with_config().limit(MAX_ANSWER).read_to_vec();
        body.map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, error: Error) -> Failure {
        let gateway = self.destination.name();
        match &error {
            Error::Http(_) | Error::BadUri(_) => Failure::new(Kind::Usage, format!("{gateway}: {error}")),
            Error::Timeout(_) => {
                Failure::new(Kind::Unreachable, format!("the gateway at {gateway} does not answer"))
            }
            Error::Io(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {
                let failure = Failure::new(Kind::Unreachable, format!("no gateway listens at {gateway}"));
                match self.destination.local {
                    true => failure.hint("`everpane serve` starts it"),
                    false => failure,
                }
            }
            _ => Failure::new(Kind::Unreachable, format!("cannot reach the gateway at {gateway}: {error}")),
        }
    }
}

/// `text` as one part of a path.
pub(super) fn part(text: &str) -> String {
    super::serve::percent_encoded(text)
}

fn encoded(body: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|error| Failure::new(Kind::Other, error.to_string()))
}

fn wrong(error: ureq::http::Error) -> Failure {
    Failure::new(Kind::Usage, error.to_string())
}
