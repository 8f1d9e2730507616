//! Changes that wait for approval.

use fractal_api_types::{
    ApproveProposal, Page, ProposalAnswer, ProposalQuery, ProposalSimulation, ProposalView,
    RejectProposal,
};
use fractal_types::ProposalId;
use reqwest::Method;

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/proposals`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn proposals(&self, query: &ProposalQuery) -> Result<Page<ProposalView>> {
        self.get_with(&["api", "v1", "proposals"], query).await
    }

    /// `GET /api/v1/proposals/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn proposal(&self, id: ProposalId) -> Result<ProposalView> {
        self.get(&["api", "v1", "proposals", &id.to_string()]).await
    }

    /// `POST /api/v1/proposals/{id}/simulate`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn simulate_proposal(&self, id: ProposalId) -> Result<ProposalSimulation> {
        self.ask_of(id, "simulate").await
    }

    /// `POST /api/v1/proposals/{id}/approve`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn approve_proposal(
        &self,
        id: ProposalId,
        body: &ApproveProposal,
    ) -> Result<ProposalView> {
        self.post(
            &["api", "v1", "proposals", &id.to_string(), "approve"],
            body,
        )
        .await
    }

    /// `POST /api/v1/proposals/{id}/reject`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn reject_proposal(
        &self,
        id: ProposalId,
        body: &RejectProposal,
    ) -> Result<ProposalView> {
        self.post(&["api", "v1", "proposals", &id.to_string(), "reject"], body)
            .await
    }

    /// `POST /api/v1/proposals/{id}/withdraw`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn withdraw_proposal(&self, id: ProposalId) -> Result<ProposalView> {
        self.ask_of(id, "withdraw").await
    }

    /// `POST /api/v1/proposals/{id}/collect`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn collect_proposal(&self, id: ProposalId) -> Result<ProposalAnswer> {
        self.ask_of(id, "collect").await
    }

    /// A call without a body.
    async fn ask_of<T: serde::de::DeserializeOwned>(
        &self,
        id: ProposalId,
        verb: &str,
    ) -> Result<T> {
        let path = ["api", "v1", "proposals", &id.to_string(), verb];
        self.read(self.request(Method::POST, &path)?).await
    }
}
