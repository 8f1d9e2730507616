//! Users, invitations and identity providers.

use fractal_api_types::{
    AcceptInvitation, CreateIdentityProvider, CreateInvitation, CreateUser, ErasedView,
    IdentityProviderView, InvitationView, Me, NewInvitation, Page, PageQuery, ProviderTest,
    ResetPassword, UpdateIdentityProvider, UpdateUser, UserView,
};
use fractal_types::{IdentityProviderId, InvitationId, UserId};
use reqwest::Method;
use secrecy::SecretString;

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/users`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn users(&self, page: &PageQuery) -> Result<Page<UserView>> {
        self.get_with(&["api", "v1", "users"], page).await
    }

    /// `POST /api/v1/users`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_user(&self, body: &CreateUser) -> Result<UserView> {
        self.post(&["api", "v1", "users"], body).await
    }

    /// `GET /api/v1/users/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn user(&self, id: UserId) -> Result<UserView> {
        self.get(&["api", "v1", "users", &id.to_string()]).await
    }

    /// `PATCH /api/v1/users/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_user(&self, id: UserId, body: &UpdateUser) -> Result<UserView> {
        self.patch(&["api", "v1", "users", &id.to_string()], body)
            .await
    }

    /// `DELETE /api/v1/users/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_user(&self, id: UserId) -> Result<()> {
        self.delete(&["api", "v1", "users", &id.to_string()]).await
    }

    /// `POST /api/v1/users/{id}/erase`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn erase_user(&self, id: UserId) -> Result<ErasedView> {
        self.post(&["api", "v1", "users", &id.to_string(), "erase"], &())
            .await
    }

    /// `POST /api/v1/users/{id}/reset-password`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn reset_password(&self, id: UserId, body: &ResetPassword) -> Result<()> {
        let id = id.to_string();
        self.done(
            self.request(Method::POST, &["api", "v1", "users", &id, "reset-password"])?
                .json(body),
        )
        .await
    }

    /// `GET /api/v1/invitations`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn invitations(&self, page: &PageQuery) -> Result<Page<InvitationView>> {
        self.get_with(&["api", "v1", "invitations"], page).await
    }

    /// `POST /api/v1/invitations`; the link is in the answer and nowhere else.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_invitation(&self, body: &CreateInvitation) -> Result<NewInvitation> {
        self.post(&["api", "v1", "invitations"], body).await
    }

    /// `DELETE /api/v1/invitations/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn revoke_invitation(&self, id: InvitationId) -> Result<()> {
        self.delete(&["api", "v1", "invitations", &id.to_string()])
            .await
    }

    /// `POST /api/v1/invitations/accept`: the new caller and a client that carries their session. `token` is what stands in the
    /// fragment of the link; needs no other.
    ///
    /// # Errors
    /// `invitation-refused` among others.
    pub async fn accept_invitation(
        &self,
        token: &SecretString,
        body: &AcceptInvitation,
    ) -> Result<(Me, Self)> {
        self.enter(
            &["api", "v1", "invitations", "accept"],
            Some(("x-invitation-token", token)),
            body,
        )
        .await
    }

    /// `GET /api/v1/identity-providers`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn identity_providers(&self, page: &PageQuery) -> Result<Page<IdentityProviderView>> {
        self.get_with(&["api", "v1", "identity-providers"], page)
            .await
    }

    /// `POST /api/v1/identity-providers`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_identity_provider(
        &self,
        body: &CreateIdentityProvider,
    ) -> Result<IdentityProviderView> {
        self.post(&["api", "v1", "identity-providers"], body).await
    }

    /// `GET /api/v1/identity-providers/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn identity_provider(&self, id: IdentityProviderId) -> Result<IdentityProviderView> {
        self.get(&["api", "v1", "identity-providers", &id.to_string()])
            .await
    }

    /// `PATCH /api/v1/identity-providers/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_identity_provider(
        &self,
        id: IdentityProviderId,
        body: &UpdateIdentityProvider,
    ) -> Result<IdentityProviderView> {
        self.patch(&["api", "v1", "identity-providers", &id.to_string()], body)
            .await
    }

    /// `DELETE /api/v1/identity-providers/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_identity_provider(&self, id: IdentityProviderId) -> Result<()> {
        self.delete(&["api", "v1", "identity-providers", &id.to_string()])
            .await
    }

    /// `DELETE /api/v1/me/identity-providers/{id}`: nobody comes in by it as the caller any more.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn unlink_identity_provider(&self, id: IdentityProviderId) -> Result<()> {
        self.delete(&["api", "v1", "me", "identity-providers", &id.to_string()])
            .await
    }

    /// `POST /api/v1/identity-providers/{id}/test`: asks it to describe itself. It offers no models.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn test_identity_provider(&self, id: IdentityProviderId) -> Result<ProviderTest> {
        self.post(
            &["api", "v1", "identity-providers", &id.to_string(), "test"],
            &serde_json::json!({}),
        )
        .await
    }
}
