//! Tokens that reach one session alone.

use axum::extract::State;

use super::Api;
use super::extract::Body;
use super::refused::ApiError;
use super::table::Method::Post;
use super::table::{Created, Route, route};
use crate::gateway::{Desk, Part, Refused};
use crate::protocol::api::{TokenMade, TokenRequest};

pub(super) fn routes() -> Vec<Route> {
    vec![route(Post, "/tokens", "makeToken", "Makes a token that reaches one session alone", make)]
}

async fn make(
    State(api): State<Api>,
    desk: Desk,
    Body(request): Body<TokenRequest>,
) -> Result<Created<TokenMade>, ApiError> {
    let place =
        desk.find_whole(&request.session, Part::Session).map_err(|refused| refused.field("session"))?;
    let no_key = || {
        Refused::new("no_auth", "this gateway asks for no token, so none would keep anybody out")
            .hint("start it without --no-auth")
    };
    let tokens = api.0.tokens.as_ref().ok_or_else(no_key)?;
    Ok(Created(TokenMade { session: place.session, token: tokens.make(place.session) }))
}
