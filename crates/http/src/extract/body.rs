//! JSON bodies. Only `application/json` is taken, which also keeps HTML forms of other sites out.

use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use fractal_api_types::{FieldError, ProblemCode};
use http::header;
use http_body_util::{BodyExt, Limited};
use serde::{Serialize, de::DeserializeOwned};

use crate::problem::ApiError;

/// Bodies of ordinary requests are small; chat routes raise the bound for attachments.
pub const DEFAULT_LIMIT: usize = 256 * 1024;

/// The body bound of a route, set as a request extension by the router.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// A JSON body, in either direction.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Self::Rejection> {
        let limit = request
            .extensions()
            .get::<BodyLimit>()
            .map_or(DEFAULT_LIMIT, |limit| limit.0);
        if !is_json(request.headers().get(header::CONTENT_TYPE)) {
            return Err(ApiError::new(
                ProblemCode::UnsupportedMediaType,
                "send the body as JSON with the header `Content-Type: application/json`",
            ));
        }
        let body = match Limited::new(request.into_body(), limit).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error)
                if error
                    .downcast_ref::<http_body_util::LengthLimitError>()
                    .is_some() =>
            {
                return Err(ApiError::new(
                    ProblemCode::BodyTooLarge,
                    format!("this route takes at most {limit} bytes"),
                ));
            }
            Err(_) => {
                return Err(ApiError::new(
                    ProblemCode::MalformedBody,
                    "the body ended before it was complete",
                ));
            }
        };
        parse(&body).map(Json)
    }
}

fn is_json(content_type: Option<&http::HeaderValue>) -> bool {
    content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| {
            let essence = text.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        })
}

/// Parses a body and names the wrong field as a JSON pointer (RFC 6901).
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ApiError::new(ProblemCode::MalformedBody, "the body is not valid UTF-8"))?;
    refuse_nul(text)?;
    refuse_list(text)?;
    let mut input = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize::<_, T>(&mut input).map_err(|error| {
        let inner = error.inner();
        // The parser also calls a list in the place of a word broken syntax; sound JSON of the wrong shape is a wrong field.
        if (inner.is_syntax() || inner.is_eof()) && !is_sound(text) {
            return ApiError::new(
                ProblemCode::MalformedBody,
                format!(
                    "JSON breaks at line {} column {}",
                    inner.line(),
                    inner.column()
                ),
            );
        }
        field_error(&error)
    })?;
    input.end().map_err(|_| {
        ApiError::new(
            ProblemCode::MalformedBody,
            "something follows the JSON value",
        )
    })?;
    Ok(value)
}

fn is_sound(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A derived type also takes a list with its fields in order, which nobody documented.
fn refuse_list(text: &str) -> Result<(), ApiError> {
    if !text.trim_start().starts_with('[') || !is_sound(text) {
        return Ok(());
    }
    Err(ApiError(fractal_app::Error::field(
        "/",
        "must be an object",
    )))
}

/// PostgreSQL stores no NUL character and SQLite tools end texts at one, so no field of ours takes it. Refused here, once, and the
/// same with both databases.
fn refuse_nul(text: &str) -> Result<(), ApiError> {
    // In JSON a NUL can only be written as an escape; hardly any body has one, so hardly any is parsed twice.
    if !text.contains("\\u0000") {
        return Ok(());
    }
    // A body that is no JSON is explained by the typed parser.
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return Ok(());
    };
    match find_nul(&value) {
        None => Ok(()),
        Some(pointer) => Err(ApiError(fractal_app::Error::field(
            pointer,
            "must not contain the NUL character",
        ))),
    }
}

/// The JSON pointer of the first text, or the object of the first name, with a NUL in it.
fn find_nul(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;

    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| Some(format!("/{index}{}", find_nul(item)?))),
        Value::Object(fields) => fields.iter().find_map(|(name, item)| {
            if name.contains('\0') {
                return Some("/".to_owned());
            }
            Some(format!("/{}{}", escaped(name), find_nul(item)?))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// A name inside a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn field_error(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    use serde_path_to_error::Segment;

    let mut pointer = String::new();
    for segment in error.path() {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&escaped(key)),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => pointer.push('?'),
        }
    }
    let text = error.inner().to_string();
    // serde appends the position, which says nothing to somebody who sent an object.
    let message = match text.split(" at line ").next() {
        _ if error.inner().is_syntax() => "has the wrong type".to_owned(),
        message => message.unwrap_or(&text).to_owned(),
    };
    // A missing field is reported at its parent; name the field itself.
    if let Some(name) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        pointer.push('/');
        pointer.push_str(name);
    }
    let mut problem = fractal_app::Error::new(ProblemCode::InvalidFields);
    problem.fields.push(FieldError {
        field: if pointer.is_empty() {
            "/".into()
        } else {
            pointer
        },
        message,
    });
    ApiError(problem)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.0).into_response();
        response
            .headers_mut()
            .entry(header::CACHE_CONTROL)
            .or_insert(http::HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(test)]
mod tests {
    use fractal_api_types::{CreateProvider, Login};

    use super::*;

    fn fault<T: DeserializeOwned>(body: &[u8]) -> (ProblemCode, Option<String>) {
        let error = parse::<T>(body).err().expect("must be refused").0;
        (
            error.code,
            error.fields.first().map(|field| field.field.clone()),
        )
    }

    #[test]
    fn broken_json_and_broken_text_are_malformed() {
        assert_eq!(
            fault::<Login>(b"{\"username\":").0,
            ProblemCode::MalformedBody
        );
        assert_eq!(fault::<Login>(b"\xff\xfe").0, ProblemCode::MalformedBody);
        assert_eq!(
            fault::<Login>(b"{\"username\":\"a\",\"password\":\"b\"} x").0,
            ProblemCode::MalformedBody
        );
    }

    #[test]
    fn a_nul_character_is_refused_where_it_stands() {
        assert_eq!(
            fault::<CreateProvider>(
                br#"{"type":"demo","name":"x","models":["a","b\u0000"],"~/":1}"#
            ),
            (ProblemCode::InvalidFields, Some("/models/1".into()))
        );
        // A backslash before the escape makes it plain text.
        let plain = br#"{"username":"ada","password":"\\u0000"}"#;
        assert!(parse::<Login>(plain).is_ok());
    }

    #[test]
    fn sound_json_of_the_wrong_shape_is_a_wrong_field() {
        assert_eq!(
            fault::<CreateProvider>(br#"{"type":[[7]],"name":"x"}"#),
            (ProblemCode::InvalidFields, Some("/type".into()))
        );
        assert_eq!(
            fault::<Login>(br#"["ada","a password"]"#),
            (ProblemCode::InvalidFields, Some("/".into()))
        );
    }

    #[test]
    fn a_missing_unknown_or_wrong_field_is_named() {
        assert_eq!(
            fault::<Login>(b"{\"username\":\"ada\"}"),
            (ProblemCode::InvalidFields, Some("/password".into()))
        );
        assert_eq!(
            fault::<Login>(b"{\"username\":\"ada\",\"password\":\"x\",\"pass\":1}"),
            (ProblemCode::InvalidFields, Some("/pass".into()))
        );
        assert_eq!(
            fault::<CreateProvider>(b"{\"type\":\"demo\",\"name\":\"x\",\"models\":[\"a\",7]}"),
            (ProblemCode::InvalidFields, Some("/models/1".into()))
        );
    }
}
