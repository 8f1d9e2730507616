//! Path and query parameters; the wrong one is named.

use std::borrow::Cow;

use axum::{
    RequestPartsExt,
    extract::{FromRequestParts, RawPathParams},
};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::ApiError;

/// Query parameters.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let text = parts.uri.query().unwrap_or_default();
        // Cursors and keys reach the database, and PostgreSQL takes no NUL character.
        if let Some((name, _)) = url::form_urlencoded::parse(text.as_bytes())
            .find(|(name, value)| name.contains('\0') || value.contains('\0'))
        {
            return Err(ApiError::parameter(
                name.replace('\0', ""),
                "must not contain the NUL character",
            ));
        }
        let input =
            serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()));
        serde_path_to_error::deserialize(input)
            .map(Query)
            .map_err(|error| {
                let path = error.path().to_string();
                let message = error.inner().to_string();
                // The decoder knows the name only from its message when a parameter is unknown.
                let name = match path.as_str() {
                    "." | "?" => message.split('`').nth(1).unwrap_or("query").to_owned(),
                    name => name.to_owned(),
                };
                ApiError::parameter(name, message)
            })
    }
}

/// Path parameters: one id, or a tuple of them, in the order of the route.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync + 'static> FromRequestParts<S>
    for Path<T>
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let params = parts.extract::<RawPathParams>().await.ok();
        let name = params
            .as_ref()
            .and_then(|params| params.iter().map(|(key, _)| key.to_owned()).next())
            .map_or(Cow::Borrowed("path"), Cow::Owned);
        let has_nul =
            params.is_some_and(|params| params.iter().any(|(_, value)| value.contains('\0')));
        if has_nul {
            return Err(nothing(&name));
        }
        match parts.extract::<axum::extract::Path<T>>().await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            // A malformed id names nothing, so it is answered like an unknown one: nobody can tell
            // the two apart, and a program needs to handle one case only.
            Err(_) => Err(nothing(&name)),
        }
    }
}

fn nothing(name: &str) -> ApiError {
    let mut error = fractal_app::Error::not_found();
    error.detail = Some(format!("there is nothing with this {name}"));
    ApiError(error)
}
