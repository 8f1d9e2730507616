//! Whether the server is alive and ready, and its API document.

use fractal_api_types::Health;
use reqwest::Method;

use crate::{Client, Error, Result};

impl Client {
    /// `GET /livez`.
    ///
    /// # Errors
    /// When nothing answers or the server says it is not alive.
    pub async fn is_alive(&self) -> Result<()> {
        self.done(self.request(Method::GET, &["livez"])?).await
    }

    /// `GET /readyz`; `false` while the server starts or misses a part.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn is_ready(&self) -> Result<bool> {
        match self.done(self.request(Method::GET, &["readyz"])?).await {
            Ok(()) => Ok(true),
            Err(Error::Unexpected { status: 503, .. }) => Ok(false),
            Err(Error::Problem(problem)) if problem.status == 503 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `GET /health`: with counts when asked from the server's own machine.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn health(&self) -> Result<Health> {
        self.get(&["health"]).await
    }

    /// `GET /api/openapi.json`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn api_document(&self) -> Result<serde_json::Value> {
        self.get(&["api", "openapi.json"]).await
    }
}
