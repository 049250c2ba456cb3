//! Who may come in. Every request passes here before any route is looked up, and is refused unless a rule lets
//! it in: first the host that it is addressed to, then the page that it comes from, then its credential. The
//! first two hold without a token as well.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::backoff::Backoff;
use super::caller::Caller;
use super::credentials::Credentials;
use super::hosts::Hosts;
use super::origins::Origins;
use super::problem::Problem;
use super::server::Peer;
use super::session_tokens::SessionTokens;
use crate::config::{Config, Token};
use crate::ids::SessionId;
use crate::node::TokenId;

/// What needs no credential: the health check and the login.
const OPEN: [&str; 3] = ["/healthz", "/login", "/login.css"];

/// Where the token may be a query parameter: at the page, which swaps it for the cookie at once, at the viewers' socket
/// in the compact framing, whose clients can often set no header (who can ask for a subprotocol can), and at the nodes'
/// sockets.
const PAGE: &str = "/";
const SOCKET: &str = "/mux";
const RELAYS: &str = "/ws/agent/";

/// The one place where tokens of sessions count.
const API: &str = "/api/v1";

/// Where nodes connect, and the one place where their tokens count.
const NODES: &str = "/ws";

/// The rules, made once at start-up.
pub struct Guard {
    hosts: Hosts,
    origins: Origins,
    /// `None` lets everyone in whom the first two rules let in.
    credentials: Option<Credentials>,
    /// There wherever credentials are.
    session_tokens: Option<SessionTokens>,
    /// Finds the node token of a text.
    node_tokens: Option<Box<FindNodeToken>>,
    /// Held for one count at a time, never across an await.
    backoff: Mutex<Backoff>,
}

type FindNodeToken = dyn Fn(&str) -> Option<TokenId> + Send + Sync;

/// How a request that is let in goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// To its route.
    Enter,
    /// To its route, as a node.
    EnterAsNode(TokenId),
    /// To its route, for one session alone.
    EnterForSession(SessionId),
    /// Back to the page without the token in its address, with the cookie instead.
    SwapForCookie,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Addressed to a host that is not ours, or to none, or to several.
    Host,
    /// Sent by a page that may not, or by one that does not say which it is.
    Origin,
    /// No credential, or a wrong one.
    Credential,
    /// The same, of a person: who is shown the login.
    Login,
    /// A token of one session, somewhere else than at the API.
    Scope,
    /// A wrong credential, once too often.
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
}

/// The kinds of credentials, in the order in which they count.
enum Presented<'a> {
    /// In the `Authorization` header.
    Header(&'a str),
    /// In the address.
    Address(String),
    /// Cookies of our name.
    Cookies(Vec<&'a str>),
    /// A header that is no credential of ours.
    Malformed,
    Nothing,
}

#[derive(Deserialize)]
struct AddressQuery {
    token: Option<String>,
}

impl Guard {
    /// The rules for a gateway that listens at `listen` (its real port), on the machine named `machine`. With
    /// no `token` nobody is asked for one.
    pub fn new(config: &Config, listen: SocketAddr, machine: &str, token: Option<&Token>) -> Self {
        let origins = Origins::new(&config.allowed_origins);
        let named = config.allowed_hosts.iter().map(String::as_str).chain(origins.hosts());
        Self {
            hosts: Hosts::new(listen, machine, named),
            credentials: token.map(|token| Credentials::new(token, listen.port())),
            session_tokens: token.map(SessionTokens::new),
            node_tokens: None,
            backoff: Mutex::default(),
            origins,
        }
    }

    /// Lets nodes in, with the tokens that `find` knows.
    #[must_use]
    pub fn with_node_tokens(
        mut self,
        find: impl Fn(&str) -> Option<TokenId> + Send + Sync + 'static,
    ) -> Self {
        self.node_tokens = Some(Box::new(find));
        self
    }

    /// Judges a request by its head.
    fn judge(&self, head: &Parts, from: IpAddr, now: Instant) -> Result<Pass, Refusal> {
        let host = self.judge_host(head)?;
        let origin = self.judge_origin(&head.headers, host)?;
        // Also where nobody is asked for a token: what a node registers is bound to the one that it came with.
        if let Some(token) = self.node_token(head) {
            return Ok(Pass::EnterAsNode(token));
        }
        let Some(credentials) = &self.credentials else { return Ok(Pass::Enter) };
        if OPEN.contains(&head.uri.path()) {
            return Ok(Pass::Enter);
        }
        let wrong = || Err(self.refuse(head, from, now));
        match presented(credentials, head) {
            Presented::Header(token) if credentials.is_token(token) => Ok(Pass::Enter),
            Presented::Header(token) => match self.session_of(token) {
                Some(session) if is_api(head.uri.path()) => Ok(Pass::EnterForSession(session)),
                Some(_) => Err(Refusal::Scope),
                None => wrong(),
            },
            Presented::Address(token) if credentials.is_token(&token) => match head.uri.path() {
                PAGE => Ok(Pass::SwapForCookie),
                _ => Ok(Pass::Enter),
            },
            // Browsers send cookies by themselves, whoever asked them to: then they must say who it was.
            Presented::Cookies(cookies) if cookies.iter().any(|cookie| credentials.is_cookie(cookie)) => {
                match origin.is_none() && changes_something(head) {
                    true => Err(Refusal::Origin),
                    false => Ok(Pass::Enter),
                }
            }
            Presented::Nothing if is_navigation(head) => Err(Refusal::Login),
            Presented::Nothing => Err(Refusal::Credential),
            Presented::Address(_) | Presented::Cookies(_) | Presented::Malformed => wrong(),
        }
    }

    /// The session that a token is for.
    fn session_of(&self, token: &str) -> Option<SessionId> {
        self.session_tokens.as_ref()?.session(token)
    }

    /// The node token that a node comes with.
    fn node_token(&self, head: &Parts) -> Option<TokenId> {
        let find = self.node_tokens.as_ref().filter(|_| head.uri.path() == NODES)?;
        match presented_token(head) {
            Presented::Header(token) => find(token),
            Presented::Address(token) => find(&token),
            Presented::Cookies(_) | Presented::Malformed | Presented::Nothing => None,
        }
    }

    fn judge_host<'a>(&self, head: &'a Parts) -> Result<&'a str, Refusal> {
        // A target with a host of its own would overrule the header; only proxies are sent one.
        if head.uri.authority().is_some() {
            return Err(Refusal::Host);
        }
        match single(&head.headers, header::HOST) {
            Ok(Some(host)) if self.hosts.admits(host) => Ok(host),
            _ => Err(Refusal::Host),
        }
    }

    fn judge_origin<'a>(&self, headers: &'a HeaderMap, host: &str) -> Result<Option<&'a str>, Refusal> {
        match single(headers, header::ORIGIN) {
            Ok(Some(origin)) if !self.origins.admits(origin, host) => Err(Refusal::Origin),
            Ok(origin) => Ok(origin),
            Err(NotOne) => Err(Refusal::Origin),
        }
    }

    /// Counts a wrong credential and says how to answer it.
    fn refuse(&self, head: &Parts, from: IpAddr, now: Instant) -> Refusal {
        match self.count_failure(from, now) {
            _ if is_navigation(head) => Refusal::Login,
            Some(retry_after) => Refusal::TooMany { retry_after },
            None => Refusal::Credential,
        }
    }

    fn count_failure(&self, from: IpAddr, now: Instant) -> Option<Duration> {
        // A count that a panic interrupted is still a count.
        self.backoff.lock().unwrap_or_else(PoisonError::into_inner).failed(from, now)
    }

    /// Checks a token that a person typed.
    pub(super) fn log_in(&self, token: &str, from: IpAddr, now: Instant) -> Result<(), Refusal> {
        match &self.credentials {
            Some(credentials) if !credentials.is_token(token) => Err(match self.count_failure(from, now) {
                Some(retry_after) => Refusal::TooMany { retry_after },
                None => Refusal::Credential,
            }),
            _ => Ok(()),
        }
    }

    /// The `Set-Cookie` header for a browser whose request had `headers`; `None` where nobody needs one.
    pub(super) fn set_cookie(&self, headers: &HeaderMap) -> Option<String> {
        let host = single(headers, header::HOST).ok().flatten().unwrap_or_default();
        Some(self.credentials.as_ref()?.set_cookie(self.origins.is_secure(host)))
    }
}

/// The layer above all routes.
pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match guard.judge(&head, peer(&head.extensions), Instant::now()) {
        Ok(Pass::Enter) => enter(Caller::Owner, head, body, next).await,
        Ok(Pass::EnterAsNode(token)) => enter(Caller::Node(token), head, body, next).await,
        Ok(Pass::EnterForSession(session)) => enter(Caller::Session(session), head, body, next).await,
        Ok(Pass::SwapForCookie) => {
            let cookie = guard.set_cookie(&head.headers).map(|cookie| [(header::SET_COOKIE, cookie)]);
            (cookie, Redirect::to(PAGE)).into_response()
        }
        Err(refusal) => {
            // The path only: the rest of the address may hold the token.
            tracing::debug!(?refusal, method = %head.method, path = head.uri.path(), "refused a request");
            refusal.into_response()
        }
    }
}

async fn enter(caller: Caller, mut head: Parts, body: Body, next: Next) -> Response {
    head.extensions.insert(caller);
    next.run(Request::from_parts(head, body)).await
}

/// Who sent the request; a router mounted in another program's server does not tell.
pub(super) fn peer(extensions: &Extensions) -> IpAddr {
    extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip())
}

/// A header that may be there once was there several times, or is not text.
struct NotOne;

fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, NotOne> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| NotOne),
        (Some(_), Some(_)) => Err(NotOne),
    }
}

/// The one credential that counts. A worse one beside it is not looked at, so a wrong token is never excused by
/// a right cookie.
fn presented<'a>(credentials: &'a Credentials, head: &'a Parts) -> Presented<'a> {
    match presented_token(head) {
        Presented::Nothing => {}
        token => return token,
    }
    let headers = head.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<_> = headers.flat_map(|value| credentials.cookies_in(value)).collect();
    if cookies.is_empty() { Presented::Nothing } else { Presented::Cookies(cookies) }
}

/// The same without cookies.
fn presented_token(head: &Parts) -> Presented<'_> {
    match single(&head.headers, header::AUTHORIZATION) {
        Ok(None) => {}
        Ok(Some(value)) => {
            return match value.split_once(' ') {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                    Presented::Header(token.trim())
                }
                _ => Presented::Malformed,
            };
        }
        Err(NotOne) => return Presented::Malformed,
    }
    token_in_address(head).map_or(Presented::Nothing, Presented::Address)
}

fn token_in_address(head: &Parts) -> Option<String> {
    let compact = !head.headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL);
    let taken = match head.uri.path() {
        PAGE | NODES => true,
        SOCKET => compact,
        path => path.starts_with(RELAYS),
    };
    if head.method != Method::GET || !taken {
        return None;
    }
    Query::<AddressQuery>::try_from_uri(&head.uri).ok()?.0.token
}

fn is_api(path: &str) -> bool {
    path.strip_prefix(API).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether more than reading is asked for.
fn changes_something(head: &Parts) -> bool {
    let reads = head.method == Method::GET || head.method == Method::HEAD;
    !reads || head.headers.contains_key(header::UPGRADE)
}

/// Whether a person is about to see the answer.
fn is_navigation(head: &Parts) -> bool {
    let accepted = head.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    head.method == Method::GET
        && head.uri.path() == PAGE
        && !head.headers.contains_key(header::UPGRADE)
        && accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = |status, code, message| Problem { status, code, message };
        match self {
            Refusal::Host => problem(
                StatusCode::MISDIRECTED_REQUEST,
                "wrong_host",
                "This gateway does not go by that name. If it should, add the name to allowed_hosts.",
            )
            .into_response(),
            Refusal::Origin => problem(
                StatusCode::FORBIDDEN,
                "wrong_origin",
                "Pages of that origin may not use this gateway. If they may, add it to allowed_origins.",
            )
            .into_response(),
            Refusal::Credential => {
                let message = "The token is missing or wrong. Send it as `Authorization: Bearer …`.";
                let problem = problem(StatusCode::UNAUTHORIZED, "unauthenticated", message);
                ([(header::WWW_AUTHENTICATE, "Bearer realm=\"everpane\"")], problem).into_response()
            }
            Refusal::Scope => problem(
                StatusCode::FORBIDDEN,
                "out_of_scope",
                "This token is for one session, and counts at /api/v1 alone.",
            )
            .into_response(),
            Refusal::Login => Redirect::to("/login").into_response(),
            Refusal::TooMany { retry_after } => {
                let message = "Too many wrong tokens from this address.";
                let problem = problem(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message);
                ([(header::RETRY_AFTER, retry_after.as_secs().max(1))], problem).into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests;
