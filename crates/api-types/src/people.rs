//! Users, invitations and identity providers.

use fractal_types::{IdentityProviderId, InvitationId, Label, Role, Timestamp, UserId, Username};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person, as administrators see them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    /// Their id.
    pub id: UserId,
    /// Their sign-in name.
    pub username: Username,
    /// The name shown to people.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether this is the breakglass account.
    pub breakglass: bool,
    /// Ways they sign in: `password`, `oidc`.
    pub sign_in: Vec<String>,
    /// How many instances they have.
    pub instances: u32,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When they were last here, to the minute.
    pub last_seen_at: Option<Timestamp>,
}

/// Makes an account with a password. An invitation is usually better: nobody else learns the password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// Their sign-in name.
    pub username: Username,
    /// The name shown to people; the username when absent.
    pub display_name: Option<Label>,
    /// What they may do; member when absent.
    pub role: Option<Role>,
    /// Their password, at least 12 characters.
    #[schema(min_length = 12, max_length = 256, format = Password)]
    pub password: String,
}

/// Changes an account.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// The name shown to people.
    pub display_name: Option<Label>,
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they may sign in; `false` ends their sessions.
    pub active: Option<bool>,
}

/// Gives an account a new password (for people who lost theirs).
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// The new password, at least 12 characters.
    #[schema(min_length = 12, max_length = 256, format = Password)]
    pub password: String,
}

/// An invitation, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InvitationView {
    /// Its id.
    pub id: InvitationId,
    /// The role the new account gets.
    pub role: Role,
    /// The sign-in name it is for, when fixed.
    pub username: Option<Username>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

/// Invites somebody.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitation {
    /// The role the new account gets; member when absent.
    pub role: Option<Role>,
    /// Fixes the sign-in name.
    pub username: Option<Username>,
    /// Days until it ends, 1 to 30; 7 when absent.
    #[schema(minimum = 1, maximum = 30)]
    pub expires_in_days: Option<u32>,
}

/// A fresh invitation. The link is shown this once and carries its secret in the fragment.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewInvitation {
    /// The invitation's row.
    pub invitation: InvitationView,
    /// The path and fragment to open: `/invitation#frk_invite_…`.
    pub secret: String,
}

/// Accepts an invitation; needs the header `X-Invitation-Token`. Signs in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// The sign-in name.
    pub username: Username,
    /// The name shown to people.
    pub display_name: Option<Label>,
    /// The password, at least 12 characters.
    #[schema(min_length = 12, max_length = 256, format = Password)]
    pub password: String,
}

/// An OIDC identity provider, without its client secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IdentityProviderView {
    /// Its id.
    pub id: IdentityProviderId,
    /// Its name on the sign-in button.
    pub name: Label,
    /// The issuer address.
    pub issuer: String,
    /// Our client id there.
    pub client_id: String,
    /// Whether a client secret is stored.
    pub has_client_secret: bool,
    /// Scopes asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Whether people may sign in with it.
    pub enabled: bool,
    /// Whether an unknown person gets a member account.
    pub auto_provision: bool,
    /// Whether the issuer may be on a private or loopback address.
    pub allow_private_network: bool,
    /// The redirect address to register there.
    pub redirect_uri: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Sets up an OIDC identity provider.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateIdentityProvider {
    /// Its name on the sign-in button.
    pub name: Label,
    /// The issuer address.
    #[schema(max_length = 2000)]
    pub issuer: String,
    /// Our client id there.
    #[schema(min_length = 1, max_length = 500)]
    pub client_id: String,
    /// Our client secret there; absent for a public client.
    #[schema(max_length = 2000, format = Password)]
    pub client_secret: Option<String>,
    /// Scopes besides `openid`; `profile` and `email` when absent.
    #[schema(max_items = 20)]
    pub scopes: Option<Vec<String>>,
    /// Whether an unknown person gets a member account; no when absent.
    pub auto_provision: Option<bool>,
    /// Whether the issuer may be on a private or loopback address; no when absent.
    pub allow_private_network: Option<bool>,
}

/// Changes an identity provider. A new issuer clears the stored client secret.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateIdentityProvider {
    /// Its name on the sign-in button.
    pub name: Option<Label>,
    /// The issuer address.
    #[schema(max_length = 2000)]
    pub issuer: Option<String>,
    /// Our client id there.
    #[schema(min_length = 1, max_length = 500)]
    pub client_id: Option<String>,
    /// Our client secret there.
    #[schema(max_length = 2000, format = Password)]
    pub client_secret: Option<String>,
    /// Scopes besides `openid`.
    #[schema(max_items = 20)]
    pub scopes: Option<Vec<String>>,
    /// Whether people may sign in with it.
    pub enabled: Option<bool>,
    /// Whether an unknown person gets a member account.
    pub auto_provision: Option<bool>,
    /// Whether the issuer may be on a private or loopback address.
    pub allow_private_network: Option<bool>,
}

/// How much of what the log held was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedView {
    /// Values.
    pub values: u64,
    /// Entries that held them; they stay, with their commitments.
    pub entries: u64,
}
