//! What a refused request is told, as problem details (RFC 9457): a code for programs, a sentence for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::protocol::api::ProblemDetails;

/// A refusal that holds nothing of the request, so that no secret can come back in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A word that programs can rely on.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: &'static str,
}

impl Problem {
    /// There is nothing at that address.
    pub const NOT_FOUND: Self =
        Self { status: StatusCode::NOT_FOUND, code: "not_found", message: "There is nothing here." };
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        details(self.status, self.code, self.message.to_owned(), None, None)
    }
}

/// An answer that says what is wrong.
pub(super) fn details(
    status: StatusCode,
    code: &str,
    message: String,
    hint: Option<String>,
    field: Option<String>,
) -> Response {
    let details = ProblemDetails {
        kind: format!("about:blank#{code}"),
        status: status.as_u16(),
        title: message.clone(),
        code: code.to_owned(),
        message,
        hint,
        field,
    };
    let mut response = (status, Json(details)).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
