//! What handlers take out of requests, refused in the API's own way if it is not there.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Api;
use super::refused::ApiError;
use crate::gateway::{Desk, Part, Place, Refused};
use crate::http::Caller;

impl FromRequestParts<Api> for Desk {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Desk, ApiError> {
        match parts.extensions.get::<Caller>() {
            Some(Caller::Owner) => Ok(api.0.gateway.desk(None)),
            Some(Caller::Session(session)) => Ok(api.0.gateway.desk(Some(*session))),
            // Nobody was let in without a rule that names the caller; nodes have a socket of their own.
            Some(Caller::Node(_)) | None => {
                Err(Refused::new("unauthenticated", "this is for the gateway's own token").into())
            }
        }
    }
}

/// The parameter of a path, without its percent-encoding.
async fn parameter(parts: &mut Parts, api: &Api) -> Result<String, ApiError> {
    let Path(text) = Path::<String>::from_request_parts(parts, api)
        .await
        .map_err(|_| Refused::new("invalid_target", "the path is not percent-encoded UTF-8"))?;
    Ok(text)
}

/// The desk, and where the target in the path leads.
pub(super) struct At {
    pub(super) desk: Desk,
    pub(super) place: Place,
}

impl FromRequestParts<Api> for At {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<At, ApiError> {
        let desk = Desk::from_request_parts(parts, api).await?;
        let place = desk.find(&parameter(parts, api).await?)?;
        Ok(At { desk, place })
    }
}

/// The desk, and what the path names, as it is written there.
pub(super) struct Whole {
    pub(super) desk: Desk,
    pub(super) target: String,
}

impl Whole {
    /// Where it leads, if it names no less than this.
    pub(super) fn place(&self, part: Part) -> Result<Place, Refused> {
        self.desk.find_whole(&self.target, part)
    }
}

impl FromRequestParts<Api> for Whole {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Whole, ApiError> {
        let desk = Desk::from_request_parts(parts, api).await?;
        Ok(Whole { desk, target: parameter(parts, api).await? })
    }
}

/// The query.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Params<T>, ApiError> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        let axum::extract::Query(params) =
            query.map_err(|error| Refused::new("invalid_field", error.body_text()))?;
        Ok(Params(params))
    }
}

/// The body, as JSON whatever it is said to be; none is an empty object.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Body<T>, ApiError> {
        let bytes = Bytes::from_request(request, api).await.map_err(unread)?;
        let json: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let read = serde_path_to_error::deserialize(&mut deserializer);
        let value = read.map_err(|error| unlike(&error))?;
        deserializer.end().map_err(|error| Refused::new("invalid_json", error.to_string()))?;
        Ok(Body(value))
    }
}

fn unread(rejection: BytesRejection) -> Refused {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            let limit = super::MAX_BODY_BYTES;
            Refused::new("body_too_large", format!("a body has at most {limit} bytes"))
        }
        _ => Refused::new("invalid_json", "the body did not come whole"),
    }
}

/// JSON that is none, or not what is wanted here.
fn unlike(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let (path, inner) = (error.path().to_string(), error.inner());
    if inner.is_data() && path != "." {
        Refused::new("invalid_field", format!("`{path}`: {inner}")).field(path).into()
    } else {
        let code = if inner.is_data() { "invalid_field" } else { "invalid_json" };
        Refused::new(code, inner.to_string()).into()
    }
}
