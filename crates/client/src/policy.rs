//! Access rules.

use fractal_api_types::{
    CheckPolicy, Page, PageQuery, PolicyCheck, PolicySimulation, PolicyVersionView, PolicyView,
    SimulatePolicy, UpdatePolicy,
};

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/policy`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn policy(&self) -> Result<PolicyView> {
        self.get(&["api", "v1", "policy"]).await
    }

    /// `PUT /api/v1/policy`.
    ///
    /// # Errors
    /// When the call fails; names what is wrong with the rules.
    pub async fn update_policy(&self, body: &UpdatePolicy) -> Result<PolicyView> {
        self.put(&["api", "v1", "policy"], body).await
    }

    /// `GET /api/v1/policy/versions`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn policy_versions(&self, page: &PageQuery) -> Result<Page<PolicyVersionView>> {
        self.get_with(&["api", "v1", "policy", "versions"], page)
            .await
    }

    /// `GET /api/v1/policy/versions/{version}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn policy_version(&self, version: u64) -> Result<PolicyVersionView> {
        self.get(&["api", "v1", "policy", "versions", &version.to_string()])
            .await
    }

    /// `POST /api/v1/policy/check`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn check_policy(&self, body: &CheckPolicy) -> Result<PolicyCheck> {
        self.post(&["api", "v1", "policy", "check"], body).await
    }

    /// `POST /api/v1/policy/simulate`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn simulate_policy(&self, body: &SimulatePolicy) -> Result<PolicySimulation> {
        self.post(&["api", "v1", "policy", "simulate"], body).await
    }

    /// `POST /api/v1/policy/reset`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn reset_policy(&self) -> Result<PolicyView> {
        self.post(&["api", "v1", "policy", "reset"], &()).await
    }
}
