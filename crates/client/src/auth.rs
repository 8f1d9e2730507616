//! Signing in, the caller, browser sessions and API tokens.

use fractal_api_types::{
    ApiTokenView, BrowserSessionView, CreateApiToken, Login, Me, NewApiToken, Page, PageQuery,
    RotateApiToken, SignInMethods, UpdateMe,
};
use fractal_types::{ApiTokenId, BrowserSessionId, Username};
use reqwest::{Method, header::SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::{
    Error,
    http::{Credentials, read_json, sensitive},
};

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/auth/methods`; needs no token.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn sign_in_methods(&self) -> Result<SignInMethods> {
        self.get(&["api", "v1", "auth", "methods"]).await
    }

    /// `GET /api/v1/me`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn me(&self) -> Result<Me> {
        self.get(&["api", "v1", "me"]).await
    }

    /// `PATCH /api/v1/me`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_me(&self, body: &UpdateMe) -> Result<Me> {
        self.patch(&["api", "v1", "me"], body).await
    }

    /// `GET /api/v1/sessions`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn sessions(&self, page: &PageQuery) -> Result<Page<BrowserSessionView>> {
        self.get_with(&["api", "v1", "sessions"], page).await
    }

    /// `DELETE /api/v1/sessions/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn revoke_session(&self, id: BrowserSessionId) -> Result<()> {
        self.delete(&["api", "v1", "sessions", &id.to_string()])
            .await
    }

    /// `GET /api/v1/tokens`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn tokens(&self, page: &PageQuery) -> Result<Page<ApiTokenView>> {
        self.get_with(&["api", "v1", "tokens"], page).await
    }

    /// `POST /api/v1/tokens`; the secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_token(&self, body: &CreateApiToken) -> Result<NewApiToken> {
        self.post(&["api", "v1", "tokens"], body).await
    }

    /// `POST /api/v1/tokens/{id}/rotate`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn rotate_token(&self, id: ApiTokenId, body: &RotateApiToken) -> Result<NewApiToken> {
        self.post(&["api", "v1", "tokens", &id.to_string(), "rotate"], body)
            .await
    }

    /// `DELETE /api/v1/tokens/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn revoke_token(&self, id: ApiTokenId) -> Result<()> {
        self.delete(&["api", "v1", "tokens", &id.to_string()]).await
    }

    /// `POST /api/v1/auth/logout`: ends the session of a client made by [`Client::sign_in`].
    ///
    /// # Errors
    /// When the call fails.
    pub async fn sign_out(&self) -> Result<()> {
        self.done(
            self.request(Method::POST, &["api", "v1", "auth", "logout"])?
                .json(&serde_json::json!({})),
        )
        .await
    }
}

impl Client {
    /// `POST /api/v1/auth/login`: the caller and a client that carries their session.
    ///
    /// # Errors
    /// `wrong-credentials` and `too-many-attempts` among others.
    pub async fn sign_in(&self, username: Username, password: &SecretString) -> Result<(Me, Self)> {
        let body = Login {
            username,
            password: password.expose_secret().to_owned(),
        };
        self.enter(&["api", "v1", "auth", "login"], None, &body)
            .await
    }

    /// A way in: answers with the caller and sets a session's cookie. It may need a one-time secret in a header.
    pub(crate) async fn enter(
        &self,
        segments: &[&str],
        secret: Option<(&'static str, &SecretString)>,
        body: &impl Serialize,
    ) -> Result<(Me, Self)> {
        let anonymous = self.with_credentials(Credentials::None);
        let mut request = anonymous.request(Method::POST, segments)?.json(body);
        if let Some((name, secret)) = secret {
            request = request.header(name, sensitive(secret.expose_secret())?);
        }
        let response = anonymous.send(request).await?;
        let cookies: Vec<&str> = response
            .headers()
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .filter_map(|value| value.split(';').next())
            .collect();
        if cookies.is_empty() {
            return Err(Error::Unexpected {
                status: response.status().as_u16(),
                source: None,
            });
        }
        let session = self.with_credentials(Credentials::Cookie(cookies.join("; ").into()));
        Ok((read_json(response).await?, session))
    }
}
