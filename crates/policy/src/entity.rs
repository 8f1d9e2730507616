//! From our values to Cedar's. Kept apart from the decision because it is the hot part: type names
//! are parsed once, and a request brings only its own three entities along.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Context, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use fractal_types::{Actor, OrganizationId, Principal, Role, UserId, Via};

use crate::{Circumstances, Resource};

type Attributes = HashMap<String, RestrictedExpression>;

/// The entity types of the schema; a type's place in this list is its number in tables.
pub(crate) const TYPES: [&str; 23] = [
    "User",
    "ServiceAccount",
    "Instance",
    "System",
    "Organization",
    "Provider",
    "Profile",
    "ApiToken",
    "BrowserSession",
    "Usage",
    "Invitation",
    "IdentityProvider",
    "Settings",
    "Engine",
    "RuntimeAsset",
    "Evidence",
    "SkillCredential",
    "Webhook",
    "Proposal",
    "Operation",
    "Incident",
    "Witness",
    "Action",
];

/// The first types of [`TYPES`] are those that can act.
pub(crate) const PRINCIPALS: usize = 4;

const USER: usize = 0;
const SERVICE_ACCOUNT: usize = 1;
const INSTANCE: usize = 2;
const SYSTEM: usize = 3;
const ORGANIZATION: usize = 4;
const PROVIDER: usize = 5;
const PROFILE: usize = 6;
const API_TOKEN: usize = 7;
const BROWSER_SESSION: usize = 8;
const USAGE: usize = 9;
const INVITATION: usize = 10;
const IDENTITY_PROVIDER: usize = 11;
const SETTINGS: usize = 12;
const ENGINE: usize = 13;
const RUNTIME_ASSET: usize = 14;
const EVIDENCE: usize = 15;
const SKILL_CREDENTIAL: usize = 16;
const WEBHOOK: usize = 17;
const PROPOSAL: usize = 18;
const OPERATION: usize = 19;
const INCIDENT: usize = 20;
const WITNESS: usize = 21;
const ACTION: usize = 22;

/// Parsed type names.
#[derive(Debug)]
pub(crate) struct Types(Vec<EntityTypeName>);

impl Types {
    /// Parses the names; fails only when this file names a type wrongly.
    pub(crate) fn parse() -> Result<Self, String> {
        let parse = |name: &&str| name.parse().map_err(|_| format!("no type name: {name}"));
        TYPES.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// An entity of the type with this number.
    pub(crate) fn uid(&self, number: usize, id: impl AsRef<str>) -> EntityUid {
        EntityUid::from_type_name_and_id(self.0[number].clone(), EntityId::new(id))
    }

    /// The action with this name.
    pub(crate) fn action(&self, name: &str) -> EntityUid {
        self.uid(ACTION, name)
    }

    fn organization(&self, id: OrganizationId) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(self.uid(ORGANIZATION, id.to_string()))
    }

    fn owner(&self, id: UserId) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(self.uid(USER, id.to_string()))
    }

    /// The number of the acting entity's type.
    pub(crate) const fn principal_number(actor: &Actor) -> usize {
        match actor.principal {
            Principal::User(_) => USER,
            Principal::ServiceAccount(_) => SERVICE_ACCOUNT,
            Principal::Instance(_) => INSTANCE,
            Principal::System => SYSTEM,
        }
    }

    /// The number of the resource's type.
    pub(crate) const fn resource_number(resource: &Resource) -> usize {
        match resource {
            Resource::Organization(_) => ORGANIZATION,
            Resource::User { .. } => USER,
            Resource::Instance { .. } => INSTANCE,
            Resource::Provider { .. } => PROVIDER,
            Resource::Profile { .. } => PROFILE,
            Resource::ApiToken { .. } => API_TOKEN,
            Resource::BrowserSession { .. } => BROWSER_SESSION,
            Resource::Usage { .. } => USAGE,
            Resource::Invitation { .. } => INVITATION,
            Resource::IdentityProvider { .. } => IDENTITY_PROVIDER,
            Resource::Settings => SETTINGS,
            Resource::Engine(_) => ENGINE,
            Resource::RuntimeAsset(_) => RUNTIME_ASSET,
            Resource::Evidence { .. } => EVIDENCE,
            Resource::SkillCredential { .. } => SKILL_CREDENTIAL,
            Resource::Webhook { .. } => WEBHOOK,
            Resource::Proposal { .. } => PROPOSAL,
            Resource::Operation { .. } => OPERATION,
            Resource::Incident { .. } => INCIDENT,
            Resource::Witness { .. } => WITNESS,
        }
    }

    /// Who acts; `None`, like below, when Cedar refuses a value. An instance's own attributes come with the resource, which is itself or not its business.
    pub(crate) fn principal(&self, actor: &Actor) -> Option<Entity> {
        let uid = self.uid(Self::principal_number(actor), actor.principal.id_text());
        let mut attributes = Attributes::new();
        if matches!(
            actor.principal,
            Principal::User(_) | Principal::ServiceAccount(_)
        ) {
            attributes.insert(
                "organization".into(),
                self.organization(actor.organization_id),
            );
            if let Some(role) = actor.role {
                attributes.insert("role".into(), text(role.as_str()));
            }
        }
        Entity::new(uid, attributes, HashSet::new()).ok()
    }

    /// What is acted on.
    pub(crate) fn resource(&self, resource: &Resource) -> Option<Entity> {
        // No id is the empty id: it can neither be parsed from a request nor belong to a row.
        let uid = self.uid(
            Self::resource_number(resource),
            resource.id_text().unwrap_or_default(),
        );
        let mut attributes = Attributes::new();
        let mut organization = None;
        let mut owner = None;
        let mut role: Option<Role> = None;
        match *resource {
            Resource::Organization(_)
            | Resource::Settings
            | Resource::Engine(_)
            | Resource::RuntimeAsset(_) => {}
            Resource::User {
                organization: tenant,
                role: has,
                ..
            }
            | Resource::Invitation {
                organization: tenant,
                role: has,
                ..
            } => {
                organization = Some(tenant);
                role = Some(has);
            }
            Resource::Instance {
                owner: user,
                organization: tenant,
                ..
            }
            | Resource::Operation {
                owner: user,
                organization: tenant,
                ..
            } => {
                organization = Some(tenant);
                owner = Some(user);
            }
            Resource::Provider {
                owner: user,
                organization: tenant,
                ..
            }
            | Resource::Incident {
                owner: user,
                organization: tenant,
                ..
            } => {
                organization = Some(tenant);
                owner = user;
            }
            Resource::Proposal {
                owner: user,
                organization: tenant,
                approver,
                ..
            } => {
                organization = Some(tenant);
                owner = Some(user);
                let approvers = Role::ALL.into_iter().filter(|role| *role >= approver);
                let approvers = approvers.map(|role| text(role.as_str()));
                attributes.insert("approvers".into(), RestrictedExpression::new_set(approvers));
            }
            Resource::Profile { owner: user, .. }
            | Resource::SkillCredential { owner: user, .. }
            | Resource::ApiToken { owner: user, .. }
            | Resource::BrowserSession { owner: user, .. }
            | Resource::Usage { owner: user } => owner = Some(user),
            Resource::IdentityProvider {
                organization: tenant,
                ..
            }
            | Resource::Evidence {
                organization: tenant,
                ..
            }
            | Resource::Webhook {
                organization: tenant,
                ..
            }
            | Resource::Witness {
                organization: tenant,
                ..
            } => organization = Some(tenant),
        }
        if let Some(id) = organization {
            attributes.insert("organization".into(), self.organization(id));
        }
        if let Some(id) = owner {
            attributes.insert("owner".into(), self.owner(id));
        }
        if let Some(role) = role {
            attributes.insert("role".into(), text(role.as_str()));
        }
        Entity::new(uid, attributes, HashSet::new()).ok()
    }

    /// Under which circumstances.
    pub(crate) fn context(
        &self,
        actor: &Actor,
        resource: &Resource,
        circumstances: Circumstances,
    ) -> Option<Context> {
        let mut pairs = vec![
            ("via".to_owned(), text(via_text(actor.via))),
            (
                "approved".to_owned(),
                RestrictedExpression::new_bool(circumstances.approved),
            ),
            (
                "breakglass".to_owned(),
                RestrictedExpression::new_bool(circumstances.breakglass),
            ),
        ];
        if let Some(scopes) = &actor.scopes {
            let scopes = scopes.iter().map(|scope| text(scope.as_str()));
            pairs.push(("scopes".to_owned(), RestrictedExpression::new_set(scopes)));
        }
        if let Resource::User {
            becomes: Some(role),
            ..
        } = resource
        {
            pairs.push(("becomes".to_owned(), text(role.as_str())));
        }
        Context::from_pairs(pairs).ok()
    }
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

const fn via_text(via: Via) -> &'static str {
    match via {
        Via::Browser => "browser",
        Via::ApiToken => "api_token",
        Via::SetupToken => "setup_token",
        Via::InstanceToken => "instance_token",
        Via::Console => "console",
        Via::Internal => "internal",
    }
}
