//! Model providers and the caller's agent settings.

use fractal_api_types::{
    CreateProvider, Page, PageQuery, ProfileView, ProviderTest, ProviderView, UpdateProfile,
    UpdateProvider,
};
use fractal_types::ProviderId;

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/providers`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn providers(&self, page: &PageQuery) -> Result<Page<ProviderView>> {
        self.get_with(&["api", "v1", "providers"], page).await
    }

    /// `POST /api/v1/providers`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_provider(&self, body: &CreateProvider) -> Result<ProviderView> {
        self.post(&["api", "v1", "providers"], body).await
    }

    /// `GET /api/v1/providers/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn provider(&self, id: ProviderId) -> Result<ProviderView> {
        self.get(&["api", "v1", "providers", &id.to_string()]).await
    }

    /// `PATCH /api/v1/providers/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_provider(
        &self,
        id: ProviderId,
        body: &UpdateProvider,
    ) -> Result<ProviderView> {
        self.patch(&["api", "v1", "providers", &id.to_string()], body)
            .await
    }

    /// `DELETE /api/v1/providers/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_provider(&self, id: ProviderId) -> Result<()> {
        self.delete(&["api", "v1", "providers", &id.to_string()])
            .await
    }

    /// `POST /api/v1/providers/{id}/test`: one tiny call to the provider.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn test_provider(&self, id: ProviderId) -> Result<ProviderTest> {
        self.post(
            &["api", "v1", "providers", &id.to_string(), "test"],
            &serde_json::json!({}),
        )
        .await
    }

    /// `GET /api/v1/profile`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn profile(&self) -> Result<ProfileView> {
        self.get(&["api", "v1", "profile"]).await
    }

    /// `PATCH /api/v1/profile`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_profile(&self, body: &UpdateProfile) -> Result<ProfileView> {
        self.patch(&["api", "v1", "profile"], body).await
    }
}
