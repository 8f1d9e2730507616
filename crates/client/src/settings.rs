//! Settings of the installation, its secret key, and usage.

use fractal_api_types::{
    KeyStatus, OperationView, SettingsView, UpdateSettings, UsageQuery, UsageReport,
};

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/settings`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn settings(&self) -> Result<SettingsView> {
        self.get(&["api", "v1", "settings"]).await
    }

    /// `PATCH /api/v1/settings`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_settings(&self, body: &UpdateSettings) -> Result<SettingsView> {
        self.patch(&["api", "v1", "settings"], body).await
    }

    /// `POST /api/v1/keys/rotate`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn rotate_key(&self) -> Result<OperationView> {
        self.post(&["api", "v1", "keys", "rotate"], &()).await
    }

    /// `GET /api/v1/keys`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn key_status(&self) -> Result<KeyStatus> {
        self.get(&["api", "v1", "keys"]).await
    }

    /// `GET /api/v1/usage`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn usage(&self, query: &UsageQuery) -> Result<UsageReport> {
        self.get_with(&["api", "v1", "usage"], query).await
    }
}
