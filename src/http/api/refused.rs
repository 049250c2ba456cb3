//! Refusals of the API, as problem details (RFC 9457).

use std::borrow::Cow;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::gateway::Refused;
use crate::http::problem::details;

/// Every code and its status. docs/api.md says what each means.
pub(super) const CODES: [(&str, StatusCode); 36] = [
    ("invalid_json", StatusCode::BAD_REQUEST),
    ("invalid_field", StatusCode::BAD_REQUEST),
    ("invalid_name", StatusCode::BAD_REQUEST),
    ("invalid_ratios", StatusCode::BAD_REQUEST),
    ("invalid_target", StatusCode::BAD_REQUEST),
    ("unknown_key", StatusCode::BAD_REQUEST),
    ("unauthenticated", StatusCode::UNAUTHORIZED),
    ("wrong_origin", StatusCode::FORBIDDEN),
    ("out_of_scope", StatusCode::FORBIDDEN),
    ("not_found", StatusCode::NOT_FOUND),
    ("unknown_session", StatusCode::NOT_FOUND),
    ("unknown_tab", StatusCode::NOT_FOUND),
    ("unknown_pane", StatusCode::NOT_FOUND),
    ("unknown_viewer", StatusCode::NOT_FOUND),
    ("unknown_node", StatusCode::NOT_FOUND),
    ("wrong_method", StatusCode::METHOD_NOT_ALLOWED),
    ("ambiguous_target", StatusCode::CONFLICT),
    ("duplicate_name", StatusCode::CONFLICT),
    ("pane_busy", StatusCode::CONFLICT),
    ("pane_connected", StatusCode::CONFLICT),
    ("pane_disconnected", StatusCode::CONFLICT),
    ("pane_manual", StatusCode::CONFLICT),
    ("pane_failed", StatusCode::CONFLICT),
    ("no_auth", StatusCode::CONFLICT),
    ("no_prompt_marks", StatusCode::CONFLICT),
    ("shell_busy", StatusCode::CONFLICT),
    ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE),
    ("wrong_host", StatusCode::MISDIRECTED_REQUEST),
    ("too_many_attempts", StatusCode::TOO_MANY_REQUESTS),
    ("limit_reached", StatusCode::TOO_MANY_REQUESTS),
    ("input_full", StatusCode::TOO_MANY_REQUESTS),
    ("too_many_readers", StatusCode::TOO_MANY_REQUESTS),
    ("too_many_waits", StatusCode::TOO_MANY_REQUESTS),
    ("no_node", StatusCode::SERVICE_UNAVAILABLE),
    ("shutting_down", StatusCode::SERVICE_UNAVAILABLE),
    ("internal", StatusCode::INTERNAL_SERVER_ERROR),
];

/// A request that is not done.
#[derive(Debug)]
pub(super) struct ApiError(Refused);

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> ApiError {
        ApiError(refused)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Refused { code, message, hint, field } = self.0;
        let known = CODES.iter().find(|(known, _)| *known == code);
        let status = known.map_or(StatusCode::INTERNAL_SERVER_ERROR, |(_, status)| *status);
        let mut response = details(status, code, message, hint, field.map(Cow::into_owned));
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}
