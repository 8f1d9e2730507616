//! First start.

use fractal_api_types::{
    ClaimBreakglass, CreateProvider, Me, OnboardingAgent, OnboardingAgentResult, OnboardingOidc,
    OnboardingProviderResult, OnboardingStatus,
};
use secrecy::SecretString;

use crate::{Client, Result};

impl Client {
    /// `GET /api/onboarding/status`; needs no token.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn onboarding_status(&self) -> Result<OnboardingStatus> {
        self.get(&["api", "onboarding", "status"]).await
    }

    /// `POST /api/onboarding/breakglass`: makes the first administrator; the caller and a client that carries their session.
    /// `token` is the setup token that the server printed; needs no other.
    ///
    /// # Errors
    /// `setup-token-refused` and `setup-done` among others.
    pub async fn claim(&self, token: &SecretString, body: &ClaimBreakglass) -> Result<(Me, Self)> {
        self.enter(
            &["api", "onboarding", "breakglass"],
            Some(("x-setup-token", token)),
            body,
        )
        .await
    }

    /// `POST /api/onboarding/oidc`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn onboarding_oidc(&self, body: &OnboardingOidc) -> Result<OnboardingStatus> {
        self.post(&["api", "onboarding", "oidc"], body).await
    }

    /// `POST /api/onboarding/provider`: saves and tests a model provider.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn onboarding_provider(
        &self,
        body: &CreateProvider,
    ) -> Result<OnboardingProviderResult> {
        self.post(&["api", "onboarding", "provider"], body).await
    }

    /// `POST /api/onboarding/agent`: makes the first agent.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn onboarding_agent(&self, body: &OnboardingAgent) -> Result<OnboardingAgentResult> {
        self.post(&["api", "onboarding", "agent"], body).await
    }

    /// `POST /api/onboarding/complete`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn onboarding_complete(&self) -> Result<OnboardingStatus> {
        self.post(&["api", "onboarding", "complete"], &serde_json::json!({}))
            .await
    }
}
