//! Witnesses of the log.

use fractal_api_types::{AddWitness, Page, PageQuery, WitnessView};
use fractal_types::WitnessId;

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/evidence/witnesses`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn witnesses(&self, page: &PageQuery) -> Result<Page<WitnessView>> {
        self.get_with(&["api", "v1", "evidence", "witnesses"], page)
            .await
    }

    /// `POST /api/v1/evidence/witnesses`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn add_witness(&self, body: &AddWitness) -> Result<WitnessView> {
        self.post(&["api", "v1", "evidence", "witnesses"], body)
            .await
    }

    /// `DELETE /api/v1/evidence/witnesses/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn remove_witness(&self, id: WitnessId) -> Result<()> {
        self.delete(&["api", "v1", "evidence", "witnesses", &id.to_string()])
            .await
    }
}
