//! The things that are decided about.
//!
//! A thing that does not exist yet (create) or stands for several (list) has no id. Ask about one
//! person's things with their owner, about everybody's with [`Resource::Organization`].

use fractal_types::{
    ApiTokenId, BrowserSessionId, EngineId, EvidenceId, IdentityProviderId, IncidentId, InstanceId,
    InvitationId, OperationId, OrganizationId, ProfileId, ProposalId, ProviderId, Role,
    RuntimeAssetId, SkillCredentialId, UserId, WebhookId, WitnessId,
};
use serde::{Deserialize, Serialize};

/// A thing with what a policy needs to know about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// A tenant; stands for everything of one kind in lists over all owners.
    Organization(OrganizationId),
    /// A person.
    User {
        /// Who; `None` for somebody to be made.
        id: Option<UserId>,
        /// Their tenant.
        organization: OrganizationId,
        /// Their present role, or the first one of somebody to be made.
        role: Role,
        /// The role the change would give them (`user.set_role`).
        becomes: Option<Role>,
    },
    /// A gateway, also for chat and for the broker.
    Instance {
        /// Which.
        id: Option<InstanceId>,
        /// Whose.
        owner: UserId,
        /// In which tenant.
        organization: OrganizationId,
    },
    /// Credentials of a model provider.
    Provider {
        /// Which.
        id: Option<ProviderId>,
        /// Whose; `None` for the organization's.
        owner: Option<UserId>,
        /// In which tenant.
        organization: OrganizationId,
    },
    /// A person's agent settings.
    Profile {
        /// Which.
        id: Option<ProfileId>,
        /// Whose.
        owner: UserId,
    },
    /// An environment variable for a skill.
    SkillCredential {
        /// Which.
        id: Option<SkillCredentialId>,
        /// Whose.
        owner: UserId,
    },
    /// A bearer token.
    ApiToken {
        /// Which.
        id: Option<ApiTokenId>,
        /// Whose.
        owner: UserId,
    },
    /// A signed-in browser.
    BrowserSession {
        /// Which.
        id: Option<BrowserSessionId>,
        /// Whose.
        owner: UserId,
    },
    /// What one person used; sums over everybody are asked with the organization.
    Usage {
        /// Whose.
        owner: UserId,
    },
    /// A pending invitation.
    Invitation {
        /// Which.
        id: Option<InvitationId>,
        /// Into which tenant.
        organization: OrganizationId,
        /// The role it gives.
        role: Role,
    },
    /// An OIDC provider.
    IdentityProvider {
        /// Which.
        id: Option<IdentityProviderId>,
        /// Of which tenant.
        organization: OrganizationId,
    },
    /// The settings of the installation, its keys and its policies.
    Settings,
    /// An OpenClaw version.
    Engine(Option<EngineId>),
    /// A machine surface that hosts instances.
    RuntimeAsset(Option<RuntimeAssetId>),
    /// An address that is told what happens.
    Webhook {
        /// Which.
        id: Option<WebhookId>,
        /// Of which tenant.
        organization: OrganizationId,
    },
    /// A third party that cosigns the heads of the log.
    Witness {
        /// Which.
        id: Option<WitnessId>,
        /// Of which tenant.
        organization: OrganizationId,
    },
    /// A change that waits for approval.
    Proposal {
        /// Which.
        id: Option<ProposalId>,
        /// Who asked for it.
        owner: UserId,
        /// In which tenant.
        organization: OrganizationId,
        /// The weakest role whose approval counts.
        approver: Role,
    },
    /// Ordered steps that are carried out.
    Operation {
        /// Which.
        id: Option<OperationId>,
        /// Whose thing they are about.
        owner: UserId,
        /// In which tenant.
        organization: OrganizationId,
    },
    /// Something found broken.
    Incident {
        /// Which.
        id: Option<IncidentId>,
        /// Whose thing it is about; `None` for what belongs to everybody.
        owner: Option<UserId>,
        /// In which tenant.
        organization: OrganizationId,
    },
    /// The log.
    Evidence {
        /// One entry, or the log as a whole.
        id: Option<EvidenceId>,
        /// Of which tenant.
        organization: OrganizationId,
    },
}

impl Resource {
    /// The noun as it is written in SQL and evidence.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Organization(_) => "organization",
            Self::User { .. } => "user",
            Self::Instance { .. } => "instance",
            Self::Provider { .. } => "provider",
            Self::Profile { .. } => "profile",
            Self::SkillCredential { .. } => "skill_credential",
            Self::ApiToken { .. } => "api_token",
            Self::BrowserSession { .. } => "browser_session",
            Self::Usage { .. } => "usage",
            Self::Invitation { .. } => "invitation",
            Self::IdentityProvider { .. } => "identity_provider",
            Self::Settings => "settings",
            Self::Engine(_) => "engine",
            Self::RuntimeAsset(_) => "runtime_asset",
            Self::Webhook { .. } => "webhook",
            Self::Witness { .. } => "witness",
            Self::Proposal { .. } => "proposal",
            Self::Operation { .. } => "operation",
            Self::Incident { .. } => "incident",
            Self::Evidence { .. } => "evidence",
        }
    }

    /// Whose it is, when it is one person's.
    #[must_use]
    pub const fn owner(&self) -> Option<UserId> {
        match *self {
            Self::Instance { owner, .. }
            | Self::Profile { owner, .. }
            | Self::SkillCredential { owner, .. }
            | Self::ApiToken { owner, .. }
            | Self::BrowserSession { owner, .. }
            | Self::Usage { owner }
            | Self::Proposal { owner, .. }
            | Self::Operation { owner, .. } => Some(owner),
            Self::Provider { owner, .. } | Self::Incident { owner, .. } => owner,
            Self::Organization(_)
            | Self::User { .. }
            | Self::Invitation { .. }
            | Self::IdentityProvider { .. }
            | Self::Settings
            | Self::Engine(_)
            | Self::RuntimeAsset(_)
            | Self::Webhook { .. }
            | Self::Witness { .. }
            | Self::Evidence { .. } => None,
        }
    }

    /// The id as text, when it is one existing thing.
    #[must_use]
    pub fn id_text(&self) -> Option<String> {
        fn text<T: ToString>(id: &Option<T>) -> Option<String> {
            id.as_ref().map(ToString::to_string)
        }
        match self {
            Self::Organization(id) => Some(id.to_string()),
            Self::User { id, .. } => text(id),
            Self::Instance { id, .. } => text(id),
            Self::Provider { id, .. } => text(id),
            Self::Profile { id, .. } => text(id),
            Self::SkillCredential { id, .. } => text(id),
            Self::ApiToken { id, .. } => text(id),
            Self::BrowserSession { id, .. } => text(id),
            Self::Invitation { id, .. } => text(id),
            Self::IdentityProvider { id, .. } => text(id),
            Self::Engine(id) => text(id),
            Self::RuntimeAsset(id) => text(id),
            Self::Webhook { id, .. } => text(id),
            Self::Witness { id, .. } => text(id),
            Self::Proposal { id, .. } => text(id),
            Self::Operation { id, .. } => text(id),
            Self::Incident { id, .. } => text(id),
            Self::Evidence { id, .. } => text(id),
            Self::Usage { .. } | Self::Settings => None,
        }
    }
}
