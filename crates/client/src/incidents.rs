//! What was found broken, and what looks for it.

use fractal_api_types::{AcknowledgeIncident, CheckView, IncidentQuery, IncidentView, Page};
use fractal_types::IncidentId;

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/incidents`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn incidents(&self, query: &IncidentQuery) -> Result<Page<IncidentView>> {
        self.get_with(&["api", "v1", "incidents"], query).await
    }

    /// `GET /api/v1/incidents/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn incident(&self, id: IncidentId) -> Result<IncidentView> {
        self.get(&["api", "v1", "incidents", &id.to_string()]).await
    }

    /// `POST /api/v1/incidents/{id}/acknowledge`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn acknowledge_incident(
        &self,
        id: IncidentId,
        body: &AcknowledgeIncident,
    ) -> Result<IncidentView> {
        let id = id.to_string();
        self.post(&["api", "v1", "incidents", &id, "acknowledge"], body)
            .await
    }

    /// `GET /api/v1/checks`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn checks(&self) -> Result<Vec<CheckView>> {
        self.get(&["api", "v1", "checks"]).await
    }

    /// `POST /api/v1/checks/run`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn run_checks(&self) -> Result<Vec<CheckView>> {
        self.post(&["api", "v1", "checks", "run"], &serde_json::json!({}))
            .await
    }
}
