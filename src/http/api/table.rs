//! The table of routes: how each is reached, who serves it, and, from the types that its handler takes and gives, what the
//! OpenAPI document says of it.

use axum::Json;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::Api;
use super::extract::{At, Body, Params, Whole};
use super::refused::ApiError;
use crate::gateway::Desk;

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    fn filter(self) -> MethodFilter {
        match self {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Patch => MethodFilter::PATCH,
            Method::Delete => MethodFilter::DELETE,
        }
    }

    /// As the document has it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Method::Get => "get",
            Method::Post => "post",
            Method::Patch => "patch",
            Method::Delete => "delete",
        }
    }
}

/// A route.
pub(super) struct Route {
    pub(super) method: Method,
    /// After the root, with parameters in braces.
    pub(super) path: &'static str,
    /// What it is called, for programs that are made from the document.
    pub(super) id: &'static str,
    /// What it does.
    pub(super) summary: &'static str,
    pub(super) describe: fn(&mut Description<'_>),
    pub(super) serve: MethodRouter<Api>,
}

/// A route that this handler serves.
pub(super) fn route<H, T, A>(
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    handler: H,
) -> Route
where
    H: Handler<T, Api> + Endpoint<A>,
    T: 'static,
{
    let (describe, serve) = (<H as Endpoint<A>>::describe, on(method.filter(), handler));
    Route { method, path, id, summary, describe, serve }
}

/// What the document says of a route, while it is put together.
pub(super) struct Description<'a> {
    /// Collects the schemas that are referred to.
    pub(super) schemas: &'a mut SchemaGenerator,
    pub(super) query: Option<Value>,
    pub(super) body: Option<Value>,
    /// By status.
    pub(super) answers: Map<String, Value>,
}

impl Description<'_> {
    /// The schema of a type.
    pub(super) fn schema<T: JsonSchema>(&mut self) -> Value {
        self.schemas.subschema_for::<T>().to_value()
    }

    /// It answers with this status, and this kind of content.
    pub(super) fn answers(&mut self, status: StatusCode, content: Option<(&str, Value)>) {
        let description = status.canonical_reason().unwrap_or_default();
        let answer = match content {
            None => json!({ "description": description }),
            Some((kind, schema)) => {
                json!({ "description": description, "content": { kind: { "schema": schema } } })
            }
        };
        self.answers.insert(status.as_str().to_owned(), answer);
    }
}

/// What a handler takes or gives, and says of itself.
pub(super) trait Describe {
    fn describe(description: &mut Description<'_>);
}

/// A handler, by what it takes and gives.
pub(super) trait Endpoint<A> {
    fn describe(description: &mut Description<'_>);
}

macro_rules! endpoint {
    ($($argument:ident),*) => {
        impl<F, R, A, $($argument),*> Endpoint<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R,
            R: Future<Output = A>,
            A: Describe,
            $($argument: Describe),*
        {
            fn describe(description: &mut Description<'_>) {
                $($argument::describe(description);)*
                A::describe(description);
            }
        }
    };
}

endpoint!();
endpoint!(T1);
endpoint!(T1, T2);
endpoint!(T1, T2, T3);

impl Describe for Desk {
    fn describe(_: &mut Description<'_>) {}
}

impl Describe for At {
    fn describe(_: &mut Description<'_>) {}
}

impl Describe for Whole {
    fn describe(_: &mut Description<'_>) {}
}

impl Describe for axum::extract::State<Api> {
    fn describe(_: &mut Description<'_>) {}
}

impl<T: JsonSchema> Describe for Body<T> {
    fn describe(description: &mut Description<'_>) {
        description.body = Some(description.schema::<T>());
    }
}

impl<T: JsonSchema> Describe for Params<T> {
    fn describe(description: &mut Description<'_>) {
        // Not by its name: what stands in the document is one parameter for each of its fields.
        description.query = Some(T::json_schema(description.schemas).to_value());
    }
}

impl<T: Describe> Describe for Result<T, ApiError> {
    fn describe(description: &mut Description<'_>) {
        T::describe(description);
    }
}

impl<T: JsonSchema> Describe for Json<T> {
    fn describe(description: &mut Description<'_>) {
        let schema = description.schema::<T>();
        description.answers(StatusCode::OK, Some(("application/json", schema)));
    }
}

/// It made something.
pub(super) struct Created<T>(pub(super) T);

impl<T: serde::Serialize> axum::response::IntoResponse for Created<T> {
    fn into_response(self) -> axum::response::Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

impl<T: JsonSchema> Describe for Created<T> {
    fn describe(description: &mut Description<'_>) {
        let schema = description.schema::<T>();
        description.answers(StatusCode::CREATED, Some(("application/json", schema)));
    }
}

/// It is done, and there is nothing to tell.
pub(super) struct Done;

impl axum::response::IntoResponse for Done {
    fn into_response(self) -> axum::response::Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Describe for Done {
    fn describe(description: &mut Description<'_>) {
        description.answers(StatusCode::NO_CONTENT, None);
    }
}
