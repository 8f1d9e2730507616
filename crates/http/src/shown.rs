//! What may be shown of a request's body to somebody other than who sent it: everything but secrets. Which fields are secrets the API
//! document says, by the format `password`.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::{
    KnownFormat, OpenApi, Ref, RefOr, Schema, SchemaFormat,
    path::Operation,
    schema::{AdditionalProperties, ArrayItems},
};

/// How deep a body is looked into. None of ours comes near; a type that holds itself ends here, and what is deeper is not shown.
const DEPTH: usize = 16;

/// What may be shown of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: it is a secret, or not described.
    Nothing,
    /// All of it.
    Everything,
    /// Of an object, as each field says; of one that is not named nothing.
    Fields(BTreeMap<String, Self>),
    /// Of a list or a map, of each item the same.
    Each(Box<Self>),
}

impl Shown {
    /// Of the body of an operation.
    pub fn of(document: &OpenApi, operation: &Operation) -> Self {
        let Some(RefOr::T(body)) = &operation.request_body else {
            return Self::Nothing;
        };
        match body.content.get("application/json") {
            Some(RefOr::T(content)) => {
                let schema = content.schema.as_ref();
                schema.map_or(Self::Nothing, |schema| of(document, schema, DEPTH))
            }
            _ => Self::Nothing,
        }
    }

    /// Takes out of a value what may not be shown, and adds where it was, as JSON pointers.
    pub fn take_hidden(&self, value: &mut Value, pointer: &str, hidden: &mut Vec<String>) {
        match (self, value) {
            (Self::Everything, _) | (_, Value::Null) => {}
            (Self::Fields(shown), Value::Object(fields)) => fields.retain(|name, value| {
                let pointer = within(pointer, name);
                match shown.get(name) {
                    None | Some(Self::Nothing) => {
                        if !value.is_null() {
                            hidden.push(pointer);
                        }
                        false
                    }
                    Some(shown) => {
                        shown.take_hidden(value, &pointer, hidden);
                        true
                    }
                }
            }),
            (Self::Each(shown), Value::Object(fields)) => {
                for (name, value) in fields {
                    shown.take_hidden(value, &within(pointer, name), hidden);
                }
            }
            (Self::Each(shown), Value::Array(items)) => {
                for (index, value) in items.iter_mut().enumerate() {
                    shown.take_hidden(value, &within(pointer, &index.to_string()), hidden);
                }
            }
            (_, value) => {
                *value = Value::Null;
                hidden.push(pointer.to_owned());
            }
        }
    }
}

/// One step further (RFC 6901).
fn within(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn of(document: &OpenApi, schema: &RefOr<Schema>, depth: usize) -> Shown {
    if depth == 0 {
        return Shown::Nothing;
    }
    let schema = match schema {
        RefOr::T(schema) => schema,
        RefOr::Ref(reference) => match resolved(document, reference) {
            Some(found) => return of(document, found, depth - 1),
            None => return Shown::Nothing,
        },
    };
    match schema {
        Schema::Array(array) => match &array.items {
            ArrayItems::RefOrSchema(item) => each(of(document, item, depth - 1)),
            ArrayItems::False => Shown::Everything,
        },
        Schema::Object(object) => {
            if object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Password)) {
                return Shown::Nothing;
            }
            if let Some(AdditionalProperties::RefOr(value)) =
                object.additional_properties.as_deref()
            {
                return each(of(document, value, depth - 1));
            }
            if object.properties.is_empty() {
                return Shown::Everything;
            }
            let fields = object.properties.iter();
            let fields =
                fields.map(|(name, schema)| (name.clone(), of(document, schema, depth - 1)));
            Shown::Fields(fields.collect())
        }
        // An optional type is "null or that"; of two that both say something, what both show.
        Schema::OneOf(one) => common(document, &one.items, depth),
        Schema::AnyOf(any) => common(document, &any.items, depth),
        Schema::AllOf(all) => common(document, &all.items, depth),
        _ => Shown::Nothing,
    }
}

fn common(document: &OpenApi, schemas: &[RefOr<Schema>], depth: usize) -> Shown {
    let mut shown = schemas
        .iter()
        .map(|schema| of(document, schema, depth - 1))
        .filter(|shown| *shown != Shown::Everything);
    match (shown.next(), shown.next()) {
        (None, _) => Shown::Everything,
        (Some(one), None) => one,
        (Some(_), Some(_)) => Shown::Nothing,
    }
}

fn each(item: Shown) -> Shown {
    match item {
        Shown::Everything => Shown::Everything,
        item => Shown::Each(Box::new(item)),
    }
}

fn resolved<'a>(document: &'a OpenApi, reference: &Ref) -> Option<&'a RefOr<Schema>> {
    let name = reference.ref_location.rsplit('/').next()?;
    document.components.as_ref()?.schemas.get(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(shown: &Shown, mut value: Value) -> (Value, Vec<String>) {
        let mut hidden = Vec::new();
        shown.take_hidden(&mut value, "", &mut hidden);
        // They come as the fields were sent, or by name: a feature of serde_json that any package may turn on decides.
        hidden.sort();
        (value, hidden)
    }

    #[test]
    fn secrets_and_what_is_not_described_are_named_and_not_shown() {
        let shown = Shown::Fields(BTreeMap::from([
            ("name".to_owned(), Shown::Everything),
            ("key".to_owned(), Shown::Nothing),
            (
                "items".to_owned(),
                Shown::Each(Box::new(Shown::Fields(BTreeMap::from([(
                    "a".to_owned(),
                    Shown::Everything,
                )])))),
            ),
        ]));
        let (value, hidden) = taken(
            &shown,
            json!({"name": "x", "key": "k", "odd/one": 1, "items": [{"a": 1, "b": 2}]}),
        );
        assert_eq!(value, json!({"name": "x", "items": [{"a": 1}]}));
        assert_eq!(hidden, ["/items/0/b", "/key", "/odd~1one"]);
        // A secret that is not given is not said to be.
        assert_eq!(taken(&shown, json!({"key": null})), (json!({}), Vec::new()));
        // Another shape than the document's hides all.
        assert_eq!(
            taken(&shown, json!("k")),
            (json!(null), vec![String::new()])
        );
    }

    #[test]
    fn the_document_says_what_is_secret() {
        let (_, document) = crate::api().split_for_parts();
        let find = |id: &str| {
            let items = document.paths.paths.values();
            let operations = items.flat_map(|item| [&item.put, &item.post, &item.patch]);
            let found = operations
                .flatten()
                .find(|operation| operation.operation_id.as_deref() == Some(id));
            Shown::of(&document, found.unwrap())
        };
        let (value, hidden) = taken(
            &find("updateProvider"),
            json!({"name": "Mine", "api_key": "sk-1", "models": ["a"], "wire": null}),
        );
        assert_eq!(
            value,
            json!({"name": "Mine", "models": ["a"], "wire": null})
        );
        assert_eq!(hidden, ["/api_key"]);
        let (value, hidden) = taken(
            &find("updatePolicy"),
            json!({"base_version": 1, "text": "permit(..)", "tests": [{"name": "t"}]}),
        );
        assert_eq!(value["tests"], json!([{"name": "t"}]));
        assert!(hidden.is_empty(), "{hidden:?}");
    }
}
