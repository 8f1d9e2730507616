//! Engines and runtime assets.

use fractal_api_types::{EngineView, Page, PageQuery, RuntimeAssetView};
use fractal_types::EngineId;

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/engines`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn engines(&self, page: &PageQuery) -> Result<Page<EngineView>> {
        self.get_with(&["api", "v1", "engines"], page).await
    }

    /// `POST /api/v1/engines/{id}/install`; answers at once, the view then shows the progress.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn install_engine(&self, id: EngineId) -> Result<EngineView> {
        self.post(
            &["api", "v1", "engines", &id.to_string(), "install"],
            &serde_json::json!({}),
        )
        .await
    }

    /// `GET /api/v1/assets`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn assets(&self, page: &PageQuery) -> Result<Page<RuntimeAssetView>> {
        self.get_with(&["api", "v1", "assets"], page).await
    }
}
