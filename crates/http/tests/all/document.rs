//! The API document: written down, whole, and the same as the handlers.

use std::{collections::BTreeSet, path::PathBuf};

use serde_json::Value;

/// An operation as the document describes it.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: String,
    pub method: http::Method,
    pub path: String,
    pub tag: String,
    pub has_body: bool,
    pub statuses: BTreeSet<u16>,
}

impl Operation {
    pub fn is_public(&self) -> bool {
        self.tag == "public"
    }
}

pub fn document() -> Value {
    serde_json::from_str(&fractal_http::openapi_json()).unwrap()
}

/// Every operation, by path and method.
pub fn operations() -> Vec<Operation> {
    let document = document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse() else {
                continue;
            };
            let tags = operation["tags"].as_array().cloned().unwrap_or_default();
            found.push(Operation {
                id: operation["operationId"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                method,
                path: path.clone(),
                tag: tags
                    .first()
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                has_body: !operation["requestBody"].is_null(),
                statuses: operation["responses"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .filter_map(|status| status.parse().ok())
                    .collect(),
            });
        }
    }
    found
}

/// A file of the reference.
pub fn reference(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/reference")
        .join(name)
}

/// Compares with what is written down; `UPDATE=1` writes it down.
pub fn same_as_written(name: &str, now: &str) {
    let path = reference(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, now).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == now,
        "docs/reference/{name} is not up to date; run `UPDATE=1 cargo test -p fractal-http` and review the difference"
    );
}

#[test]
fn the_document_is_written_down() {
    same_as_written("openapi.json", &fractal_http::openapi_json());
}

#[test]
fn every_operation_has_a_name_one_tag_words_and_statuses() {
    let mut names = BTreeSet::new();
    for operation in operations() {
        let Operation { id, path, tag, .. } = &operation;
        assert!(!id.is_empty() && !tag.is_empty(), "{path}");
        assert!(names.insert(id.clone()), "{id} names two operations");
        assert!(
            operation.statuses.iter().any(|status| *status < 400),
            "{id} never succeeds"
        );
        assert!(
            operation.statuses.contains(&400),
            "{id} may be asked wrongly"
        );
        assert_eq!(
            operation.statuses.contains(&422),
            operation.has_body,
            "{id}: fields are wrong in bodies, parameters are answered with 400"
        );
    }
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert!(operation["summary"].is_string(), "{path} has no summary");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let words = response["description"].as_str().unwrap_or_default();
                assert!(!words.is_empty(), "{path} says nothing about {status}");
            }
            let tags = operation["tags"].as_array().unwrap();
            assert_eq!(tags.len(), 1, "{path} belongs under one heading");
            for name in path.split(['{', '}']).skip(1).step_by(2) {
                let documented = operation["parameters"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|parameter| parameter["name"] == name && parameter["in"] == "path");
                assert!(documented, "{path} does not describe {name}");
            }
        }
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = document();
    let mut open = vec![&document];
    let mut seen = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref") {
                    let pointer = target.strip_prefix('#').expect("only local references");
                    assert!(document.pointer(pointer).is_some(), "{target}");
                    seen += 1;
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(seen > 100, "the document refers to its schemas");
    assert_eq!(document["openapi"].as_str().map(|v| &v[..3]), Some("3.1"));
}

#[test]
fn problem_codes_are_documented_as_they_are_sent() {
    let document = document();
    let codes = &document["components"]["schemas"]["ProblemCode"]["enum"];
    let sent: Vec<Value> = fractal_api_types::ProblemCode::ALL
        .iter()
        .map(|code| serde_json::to_value(code).unwrap())
        .collect();
    assert_eq!(codes, &Value::Array(sent));
}
