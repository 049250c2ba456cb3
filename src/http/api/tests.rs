//! The table, the document and docs/api.md say the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::refused::CODES;
use super::*;

const PAGE: &str = include_str!("../../../docs/api.md");

/// The rows of the page's table whose head begins so.
fn rows(head: &str) -> Vec<Vec<String>> {
    let rows = PAGE.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// The shapes that a cell names.
fn shapes(cell: &str) -> BTreeSet<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter(|word| word.starts_with(char::is_uppercase)).map(str::to_owned).collect()
}

/// The schemas that a part of the document refers to.
fn references(part: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get("$ref") {
                found.insert(to.strip_prefix("#/components/schemas/").unwrap_or(to).to_owned());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

fn referred(part: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    references(part, &mut found);
    found
}

#[test]
fn the_page_has_every_route_with_its_shapes() {
    let document = openapi::document(&table());
    let mut told = BTreeMap::new();
    for row in rows("| route") {
        let route = row[0].trim_matches('`').to_owned();
        assert!(told.insert(route.clone(), (row[1].clone(), row[2].clone())).is_none(), "{route} twice");
    }
    for Route { method, path, .. } in table() {
        let name = format!("{} {ROOT}{path}", method.key().to_uppercase());
        let (takes, gives) = told.remove(&name).unwrap_or_else(|| panic!("docs/api.md lacks {name}"));
        let operation = &document["paths"][format!("{ROOT}{path}")][method.key()];
        let success: BTreeSet<_> = operation["responses"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(status, _)| *status != "default")
            .flat_map(|(status, answer)| {
                assert!(status == "200" || gives.contains(status), "{name}: {status} is not in {gives:?}");
                referred(answer)
            })
            .collect();
        let wanted: BTreeSet<_> = shapes(&gives)
            .into_iter()
            .map(|shape| shape.strip_suffix('s').filter(|one| *one == "Event").unwrap_or(&shape).to_owned())
            .collect();
        if !gives.starts_with("the records") {
            assert_eq!(success, wanted, "what {name} gives");
        }
        let query = shapes(&takes).iter().any(|shape| shape.ends_with("Query"));
        let body = referred(&operation["requestBody"]);
        assert_eq!(body, if query { BTreeSet::new() } else { shapes(&takes) }, "what {name} takes");
        let has_query = operation["parameters"].as_array().unwrap().iter().any(|one| one["in"] == "query");
        assert_eq!(has_query, query || takes.contains('?'), "the query of {name}");
    }
    assert!(told.is_empty(), "docs/api.md has routes that are not there: {told:?}");
}

#[test]
fn the_document_holds_together() {
    let document = openapi::document(&table());
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in referred(&document) {
        assert!(schemas.contains_key(&name), "there is no schema {name}");
    }
    for shape in
        ["ProblemDetails", "SessionRecord", "PaneRecord", "PaneStatus", "InputPart", "Event", "NodeRecord"]
    {
        assert!(schemas.contains_key(shape), "{shape}");
    }
    let flattened = &schemas["PaneRecord"]["properties"];
    assert!(flattened["title"].is_object() && flattened["offset"].is_object());
    let table = table();
    let ids: BTreeSet<_> = table.iter().map(|route| route.id).collect();
    assert_eq!(ids.len(), table.len(), "two operations have one id");
}

#[test]
fn the_page_says_what_every_code_means() {
    let told: BTreeMap<_, _> =
        rows("| code").into_iter().map(|row| (row[0].trim_matches('`').to_owned(), row[1].clone())).collect();
    let known: BTreeMap<_, _> =
        CODES.iter().map(|(code, status)| ((*code).to_owned(), status.as_str().to_owned())).collect();
    assert_eq!(known.len(), CODES.len(), "a code twice");
    assert_eq!(told, known);
}
