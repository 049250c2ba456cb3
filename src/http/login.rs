//! The login page: a form that swaps the token for the cookie. All of it is static but one line.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Form, Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::guard::{Guard, Refusal, peer};

const PAGE: &str = include_str!("login.html");
const STYLE: &str = include_str!("login.css");

/// The largest form that is read, in bytes.
const MAX_FORM_BYTES: usize = 4 << 10;

/// How long a form may take to arrive.
const FORM_DEADLINE: Duration = Duration::from_secs(5);

/// The page, its style, and where the form is sent.
pub(super) fn routes(guard: Arc<Guard>) -> Router {
    Router::new()
        .route("/login", get(|| async { page(StatusCode::OK, "") }).post(enter).with_state(guard))
        .route("/login.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
}

#[derive(Deserialize)]
struct Entry {
    token: String,
}

async fn enter(State(guard): State<Arc<Guard>>, request: Request) -> Response {
    let from: IpAddr = peer(request.extensions());
    let headers = request.headers().clone();
    let form = tokio::time::timeout(FORM_DEADLINE, Form::<Entry>::from_request(request, &())).await;
    let Ok(Ok(Form(Entry { token }))) = form else {
        return page(StatusCode::BAD_REQUEST, "Please fill in the token.");
    };
    // People paste tokens with the line's end.
    match guard.log_in(token.trim(), from, Instant::now()) {
        Ok(()) => welcome(&guard, &headers),
        Err(Refusal::TooMany { retry_after }) => {
            let seconds = retry_after.as_secs().max(1);
            let message = "That is not the token, once too often. Please wait a minute.";
            ([(header::RETRY_AFTER, seconds)], page(StatusCode::TOO_MANY_REQUESTS, message)).into_response()
        }
        Err(_) => page(StatusCode::UNAUTHORIZED, "That is not the token."),
    }
}

fn welcome(guard: &Guard, headers: &HeaderMap) -> Response {
    let cookie = guard.set_cookie(headers).map(|cookie| [(header::SET_COOKIE, cookie)]);
    (cookie, Redirect::to("/")).into_response()
}

/// The page with a line of ours in it. A form of a page whose policy is `no-referrer` is sent with
/// `Origin: null`, which we would refuse; hence the policy of its own.
fn page(status: StatusCode, message: &str) -> Response {
    (status, [(header::REFERRER_POLICY, "same-origin")], Html(PAGE.replace("{message}", message)))
        .into_response()
}
