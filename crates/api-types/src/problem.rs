//! Errors as `application/problem+json` (RFC 9457) with a stable `code`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, for people (`title`, `detail`, `remedy`) and programs (`code`, `errors`).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Where the code is explained, relative to the documentation: `/docs/problems#code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// The stable code.
    pub code: ProblemCode,
    /// The cause in this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Which fields were wrong, when fields were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Quote it when asking for help; the same id stands in the server's log.
    pub request_id: String,
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body, or the name of a path or query parameter.
    pub field: String,
    /// The rule that was broken, in words.
    pub message: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// The stable codes. A code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The code in words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }
        }

        // By hand: the derive does not see a `serde(rename)` whose text comes out of a macro, and documented the Rust names.
        impl utoipa::PartialSchema for ProblemCode {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some("The stable codes. A code never changes its meaning."))
                    .enum_values(Some([$($code),*]))
                    .into()
            }
        }

        impl ToSchema for ProblemCode {}
    };
}

codes! {
    /// The body is not JSON, or not UTF-8.
    MalformedBody = "malformed-body", 400, "The body is not valid JSON";
    /// The request breaks a rule of its fields.
    InvalidFields = "invalid-fields", 422, "Some fields are not valid";
    /// A path or query parameter is not valid.
    InvalidParameter = "invalid-parameter", 400, "A parameter is not valid";
    /// The body is larger than this route takes.
    BodyTooLarge = "body-too-large", 413, "The body is too large";
    /// Only JSON is taken.
    UnsupportedMediaType = "unsupported-media-type", 415, "The body must be JSON";
    /// Nobody is signed in, or the token is not valid.
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    /// Username or password do not match.
    WrongCredentials = "wrong-credentials", 401, "Username or password is wrong";
    /// The setup token is missing, wrong or used.
    SetupTokenRefused = "setup-token-refused", 401, "The setup token is not valid";
    /// The invitation is unknown, used, revoked or expired.
    InvitationRefused = "invitation-refused", 401, "The invitation is not valid any more";
    /// Signing in with an identity provider failed.
    SignInFailed = "sign-in-failed", 401, "Signing in failed";
    /// The policy says no.
    Forbidden = "forbidden", 403, "Not allowed";
    /// The request did not come from this site.
    CrossSite = "cross-site", 403, "The request came from another site";
    /// Socket and token do not belong together.
    WrongInstance = "wrong-instance", 403, "This token belongs to another instance";
    /// There is no such thing, or it is not yours.
    NotFound = "not-found", 404, "Not found";
    /// The route exists, the method does not.
    MethodNotAllowed = "method-not-allowed", 405, "This method is not available here";
    /// The route speaks WebSocket only.
    UpgradeRequired = "upgrade-required", 426, "Open this with a WebSocket";
    /// Something with this name exists already.
    AlreadyExists = "already-exists", 409, "It exists already";
    /// It changed, or is in a state that does not allow this.
    Conflict = "conflict", 409, "That does not fit its present state";
    /// Setup has been completed.
    SetupDone = "setup-done", 409, "Setup is complete";
    /// The instance was stopped by a person.
    InstanceStopped = "instance-stopped", 409, "The agent is stopped";
    /// The run is over and its events are gone.
    RunGone = "run-gone", 410, "This turn is over";
    /// Wait for approval.
    ApprovalNeeded = "approval-needed", 409, "Somebody has to approve this first";
    /// The host name is not one of ours.
    WrongHost = "wrong-host", 421, "This address is not served here";
    /// Too many tries.
    TooManyAttempts = "too-many-attempts", 429, "Too many attempts";
    /// The provider refused the key, the quota or the model; the detail says which.
    ProviderFailed = "provider-failed", 424, "The model provider could not answer";
    /// The instance did not become ready.
    InstanceFailed = "instance-failed", 503, "The agent could not be started";
    /// A part that is needed cannot be reached; trying again may help.
    Unavailable = "unavailable", 503, "Not available right now";
    /// Our fault.
    Internal = "internal", 500, "Something went wrong on our side";
}
