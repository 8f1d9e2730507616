//! Signing in, the caller, sessions and tokens.

use fractal_types::{
    ApiTokenId, BrowserSessionId, IdentityProviderId, Label, OrganizationId, Role, Scope,
    Timestamp, UserId, Username,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Signs in with a password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Who.
    pub username: Username,
    /// The password.
    #[schema(max_length = 256, format = Password)]
    pub password: String,
}

/// How one may sign in here.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignInMethods {
    /// Whether passwords are taken (always, for breakglass).
    pub password: bool,
    /// The identity providers, in order.
    pub oidc: Vec<SignInProvider>,
}

/// One identity provider on the sign-in page; opened at `/api/v1/auth/oidc/{id}/start`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignInProvider {
    /// Its id.
    pub id: IdentityProviderId,
    /// Its name on the button.
    pub name: Label,
}

/// Why a sign-in through an identity provider did not come about. The browser is sent to the sign-in page, whose fragment then has it as
/// `reason` beside the problem's code as `error`. A reason never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignInReason {
    /// The provider does not answer.
    Unreachable,
    /// The provider's address is none that may be called; one in a private network has to be permitted in the settings.
    AddressRefused,
    /// The provider does not describe itself under the issuer of the settings.
    NotDescribed,
    /// The answer comes from another issuer than that of the settings.
    OtherIssuer,
    /// It was not begun in this browser, took too long, or is over.
    NotBegun,
    /// Somebody said no at the provider.
    Cancelled,
    /// The provider refused to begin.
    Declined,
    /// The provider does not accept client id and secret.
    ClientRefused,
    /// The provider no longer accepts this sign-in.
    CodeRefused,
    /// The provider's answer is not understood.
    NotUnderstood,
    /// The provider knows OAuth only, not OpenID Connect.
    NoIdToken,
    /// The id token has expired or lies in the future.
    Clock,
    /// The id token belongs to another sign-in.
    OtherSignIn,
    /// The id token is meant for another client.
    OtherClient,
    /// The id token is not signed by the provider.
    WrongSignature,
    /// No account is linked to the identity, and strangers get none.
    NoAccount,
    /// The identity that was to be linked is linked to somebody else.
    LinkedElsewhere,
    /// The session in which linking began is over.
    LinkOver,
    /// An identity is only linked soon after signing in.
    LinkStale,
    /// No free username was found for a new account.
    NoFreeName,
}

/// The caller.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// Who.
    pub id: UserId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The sign-in name.
    pub username: Username,
    /// The name shown to people.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// Their language as a BCP 47 tag, when chosen.
    pub locale: Option<String>,
    /// Whether this is the breakglass account.
    pub breakglass: bool,
    /// Whether they have a password.
    pub has_password: bool,
    /// The identity providers by which they may sign in; without those that were deleted.
    #[serde(default)]
    pub identity_providers: Vec<IdentityProviderId>,
    /// Set for thirty days after somebody else set their password.
    #[serde(default)]
    pub password_reset: Option<PasswordReset>,
    /// What they may do, as action names, for showing and hiding controls.
    pub permissions: Vec<String>,
}

/// Somebody set a person's password in their place, and could have signed in as them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasswordReset {
    /// The sign-in name of who did it, as it was then.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Changes the caller's own account.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMe {
    /// The name shown to people.
    pub display_name: Option<Label>,
    /// A BCP 47 language tag.
    #[schema(max_length = 35)]
    pub locale: Option<String>,
    /// The new password; `current_password` must come with it. Somebody without a password sets their first one in a browser
    /// that signed in less than 15 minutes ago.
    #[schema(max_length = 256, format = Password)]
    pub new_password: Option<String>,
    /// The password until now.
    #[schema(max_length = 256, format = Password)]
    pub current_password: Option<String>,
}

/// A signed-in browser.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BrowserSessionView {
    /// Its id.
    pub id: BrowserSessionId,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// The browser as it named itself.
    pub user_agent: Option<String>,
    /// The network address it came from.
    pub address: Option<String>,
    /// Whether it is the one asking.
    pub current: bool,
}

/// An API token, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiTokenView {
    /// Its id.
    pub id: ApiTokenId,
    /// What it is for.
    pub name: Label,
    /// Its first and last characters.
    pub hint: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; never, when absent.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// Makes an API token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiToken {
    /// What it is for.
    pub name: Label,
    /// What it may be used for; everything its owner may when absent.
    #[schema(min_items = 1, max_items = 8)]
    pub scopes: Option<Vec<Scope>>,
    /// Days until it ends, 1 to 3650; 90 when absent, never when 0. One that is made by means of a token ends with that one at the
    /// latest.
    #[schema(maximum = 3650)]
    pub expires_in_days: Option<u32>,
}

/// Replaces a token; both work during the overlap.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateApiToken {
    /// Minutes the old one keeps working, up to a week; 60 when absent.
    #[schema(maximum = 10080)]
    pub overlap_minutes: Option<u32>,
}

/// A token that was just made. The secret is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewApiToken {
    /// The token's row.
    pub token: ApiTokenView,
    /// The bearer token itself.
    pub secret: String,
}
