//! The closed list of things that can be asked for, one word for the noun and one for the verb.

use std::{fmt, str::FromStr};

/// An action name that is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown action {0:?}; actions look like instance.start")]
pub struct UnknownAction(pub String);

macro_rules! actions {
    ($($name:ident = $text:literal,)*) => {
        /// Something that can be asked for; written `instance.start` in policies, evidence and documentation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl Action {
            /// All actions, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in policies, JSON and evidence.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

actions! {
    InstanceCreate = "instance.create",
    InstanceView = "instance.view",
    InstanceList = "instance.list",
    InstanceStart = "instance.start",
    InstanceStop = "instance.stop",
    InstanceRestart = "instance.restart",
    InstanceDelete = "instance.delete",
    InstanceChangeEngine = "instance.change_engine",
    InstanceConfigure = "instance.configure",
    InstanceSetLimits = "instance.set_limits",
    InstanceReadLogs = "instance.read_logs",
    InstanceReadMetrics = "instance.read_metrics",
    ChatSend = "chat.send",
    ChatRead = "chat.read",
    ChatAbort = "chat.abort",
    ChatAnswer = "chat.answer",
    ProviderCreate = "provider.create",
    ProviderView = "provider.view",
    ProviderList = "provider.list",
    ProviderUpdate = "provider.update",
    ProviderDelete = "provider.delete",
    ProviderTest = "provider.test",
    ProfileView = "profile.view",
    ProfileUpdate = "profile.update",
    SkillList = "skill.list",
    SkillCredentialList = "skill_credential.list",
    SkillCredentialSet = "skill_credential.set",
    SkillCredentialDelete = "skill_credential.delete",
    UserCreate = "user.create",
    UserView = "user.view",
    UserList = "user.list",
    UserUpdate = "user.update",
    UserDelete = "user.delete",
    UserSetRole = "user.set_role",
    UserResetPassword = "user.reset_password",
    UserErase = "user.erase",
    SessionList = "session.list",
    SessionRevoke = "session.revoke",
    TokenCreate = "token.create",
    TokenList = "token.list",
    TokenRotate = "token.rotate",
    TokenRevoke = "token.revoke",
    InvitationCreate = "invitation.create",
    InvitationList = "invitation.list",
    InvitationRevoke = "invitation.revoke",
    IdentityProviderCreate = "identity_provider.create",
    IdentityProviderView = "identity_provider.view",
    IdentityProviderList = "identity_provider.list",
    IdentityProviderUpdate = "identity_provider.update",
    IdentityProviderDelete = "identity_provider.delete",
    SettingsView = "settings.view",
    SettingsUpdate = "settings.update",
    EngineList = "engine.list",
    EngineInstall = "engine.install",
    AssetList = "asset.list",
    AssetView = "asset.view",
    UsageViewOwn = "usage.view_own",
    UsageViewAll = "usage.view_all",
    EvidenceView = "evidence.view",
    EvidenceHead = "evidence.head",
    EvidenceExpire = "evidence.expire",
    WebhookCreate = "webhook.create",
    WebhookView = "webhook.view",
    WebhookUpdate = "webhook.update",
    WebhookDelete = "webhook.delete",
    WebhookReplay = "webhook.replay",
    WitnessAdd = "witness.add",
    WitnessView = "witness.view",
    WitnessRemove = "witness.remove",
    KeyRotate = "key.rotate",
    KeyExport = "key.export",
    PolicyView = "policy.view",
    PolicyUpdate = "policy.update",
    PolicyReset = "policy.reset",
    ProposalCreate = "proposal.create",
    ProposalView = "proposal.view",
    ProposalList = "proposal.list",
    ProposalApprove = "proposal.approve",
    ProposalReject = "proposal.reject",
    ProposalWithdraw = "proposal.withdraw",
    ProposalCollect = "proposal.collect",
    ProposalSettle = "proposal.settle",
    OperationView = "operation.view",
    OperationList = "operation.list",
    OperationCancel = "operation.cancel",
    OperationResolve = "operation.resolve",
    IncidentView = "incident.view",
    IncidentList = "incident.list",
    IncidentAcknowledge = "incident.acknowledge",
    CheckView = "check.view",
    CheckRun = "check.run",
    ModelUse = "model.use",
    AgentConfigRead = "agent_config.read",
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.as_str() == text)
            .ok_or_else(|| UnknownAction(text.to_owned()))
    }
}

impl serde::Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_name() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
        }
        assert!("instance.explode".parse::<Action>().is_err());
    }
}
