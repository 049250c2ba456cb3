//! What a refused request is told: a code for programs, a sentence for people, never what was sent.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A refusal, sent as `{"code": …, "message": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The HTTP status.
    #[serde(skip)]
    pub status: StatusCode,
    /// A word that programs can rely on.
    pub code: &'static str,
    /// What is wrong and what to do. Holds nothing of the request, so that no secret can come back in it.
    pub message: &'static str,
}

impl Problem {
    /// There is nothing at that address.
    pub const NOT_FOUND: Self =
        Self { status: StatusCode::NOT_FOUND, code: "not_found", message: "There is nothing here." };
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}
