//! The OpenAPI document, made from the table of routes.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::ROOT;
use super::table::{Description, Route};
use crate::protocol::api::ProblemDetails;

/// Where the document keeps the schemas that its parts refer to.
const SCHEMAS: &str = "/components/schemas";

/// The document of a table.
pub(super) fn document(table: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = SCHEMAS.into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let problem = schemas.subschema_for::<ProblemDetails>().to_value();
    let refusal = json!({
        "description": "A refusal",
        "content": { "application/problem+json": { "schema": problem } }
    });
    let mut paths = Map::new();
    for route in table {
        let mut description =
            Description { schemas: &mut schemas, query: None, body: None, answers: Map::new() };
        (route.describe)(&mut description);
        let Description { query, body, mut answers, .. } = description;
        answers.insert("default".to_owned(), refusal.clone());
        let mut operation = json!({
            "operationId": route.id,
            "summary": route.summary,
            "parameters": parameters(route.path, query.as_ref()),
            "responses": answers,
        });
        if let Some(schema) = body {
            operation["requestBody"] = json!({ "content": { "application/json": { "schema": schema } } });
        }
        let path = paths.entry(format!("{ROOT}{}", route.path)).or_insert_with(|| json!({}));
        path[route.method.key()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Everpane",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sessions, tabs and panes of an Everpane gateway. docs/api.md says more.",
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

/// What stands in the path and in the query.
fn parameters(path: &str, query: Option<&Value>) -> Vec<Value> {
    let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = parts.map(|name| {
        json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": "A target: an id, a name, or session:tab.pane",
            "schema": { "type": "string" },
        })
    });
    let properties = query.and_then(|query| query["properties"].as_object());
    let in_query = properties.into_iter().flatten().map(|(name, schema)| {
        let required = query.and_then(|query| query["required"].as_array());
        let required = required.is_some_and(|required| required.iter().any(|other| other == name));
        json!({ "name": name, "in": "query", "required": required, "schema": schema })
    });
    in_path.chain(in_query).collect()
}
