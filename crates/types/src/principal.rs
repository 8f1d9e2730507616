//! Who acts. Nothing in the house acts anonymously except on the few routes that say so.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{InstanceId, OrganizationId, ServiceAccountId, UserId};

/// One of the four kinds of actor (`design.md` section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Principal {
    /// A person.
    User(UserId),
    /// A program acting for an organization.
    ServiceAccount(ServiceAccountId),
    /// A gateway, by its own token on its own socket.
    Instance(InstanceId),
    /// The control plane's own background work.
    System,
}

impl Principal {
    /// The kind as it is written in SQL, URLs and evidence.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::ServiceAccount(_) => "service_account",
            Self::Instance(_) => "instance",
            Self::System => "system",
        }
    }

    /// The id as text; empty for the system.
    #[must_use]
    pub fn id_text(&self) -> String {
        match self {
            Self::User(id) => id.to_string(),
            Self::ServiceAccount(id) => id.to_string(),
            Self::Instance(id) => id.to_string(),
            Self::System => String::new(),
        }
    }
}

/// What a person may do, in one word; what it means stands in the policies.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Uses their own agents.
    Member,
    /// Uses their own agents, and reads the log of everybody's changes.
    Auditor,
    /// Runs the installation for others, without seeing what is theirs.
    Admin,
    /// An administrator who may also make and unmake administrators.
    Owner,
}

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Self; 4] = [Self::Member, Self::Auditor, Self::Admin, Self::Owner];

    /// The word in SQL, JSON and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = crate::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(crate::NameError {
                what: "role",
                rule: "owner, admin or member",
            })
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

/// How an actor proved who they are; policies and evidence may tell these apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A browser session.
    Browser,
    /// An API token.
    ApiToken,
    /// The one-time setup token of a new installation.
    SetupToken,
    /// An instance token on the instance's own socket.
    InstanceToken,
    /// A command typed on the machine itself.
    Console,
    /// A timer or reconciler.
    Internal,
}

/// Somebody who acts, with everything a policy decision needs to know about them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// Who.
    pub principal: Principal,
    /// The tenant they act in.
    pub organization_id: OrganizationId,
    /// Their role, for people and service accounts.
    pub role: Option<Role>,
    /// How they proved it.
    pub via: Via,
    /// The scopes of the API token, when one is used; `None` means everything the role may.
    pub scopes: Option<Vec<Scope>>,
}

impl Actor {
    /// The control plane itself, acting in a tenant.
    #[must_use]
    pub const fn system(organization_id: OrganizationId) -> Self {
        Self {
            principal: Principal::System,
            organization_id,
            role: None,
            via: Via::Internal,
            scopes: None,
        }
    }

    /// The person, when the actor is one.
    #[must_use]
    pub const fn user_id(&self) -> Option<UserId> {
        match self.principal {
            Principal::User(id) => Some(id),
            _ => None,
        }
    }
}

/// What an API token may be used for; a subset of what its owner may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything the owner may.
    All,
    /// Read only.
    Read,
    /// Chat only.
    Chat,
}

impl Scope {
    /// The word in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Read => "read",
            Self::Chat => "chat",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = crate::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::All, Self::Read, Self::Chat]
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or(crate::NameError {
                what: "scope",
                rule: "all, read or chat",
            })
    }
}
