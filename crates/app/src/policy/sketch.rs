//! Questions as people write them: "a member deletes somebody else's instance".

use fractal_api_types::{PolicyActor, PolicyActorKind, PolicyOwner, PolicyRequest, PolicyResource};
use fractal_policy::{Action, Circumstances, Question, Resource};
use fractal_types::{Actor, InstanceId, OrganizationId, Principal, Role, UserId, Via};
use uuid::Uuid;

use crate::{Error, Result};

/// The nouns that can be asked about.
const KINDS: &str = "api_token, browser_session, engine, evidence, identity_provider, instance, invitation, organization, \
                     operation, profile, proposal, provider, runtime_asset, settings, skill_credential, usage, user, webhook, witness";

/// Somebody and something real that a question names, looked up before.
#[derive(Debug, Default)]
pub struct Known {
    /// The person.
    pub user: Option<(UserId, Role, bool)>,
    /// The thing.
    pub resource: Option<Resource>,
}

/// The question that a request stands for. `at` is where it stands in the body, for errors.
pub fn question(
    organization: OrganizationId,
    at: &str,
    request: &PolicyRequest,
    known: &Known,
) -> Result<Question> {
    let PolicyRequest {
        actor,
        action,
        resource,
        approved,
    } = request;
    let action: Action = action.parse().map_err(|_| {
        Error::field(
            format!("{at}/action"),
            "there is no such action; the schema lists them, like instance.delete",
        )
    })?;
    if actor.user.is_some() && known.user.is_none() {
        return Err(Error::field(
            format!("{at}/actor/user"),
            "a test must hold whoever is there; give a role instead",
        ));
    }
    if resource.id.is_some() && known.resource.is_none() {
        return Err(Error::field(
            format!("{at}/resource/id"),
            "a test must hold whatever is there; give an owner instead",
        ));
    }
    let oneself = known.user.map_or_else(|| made_up(1), |(id, ..)| id);
    let breakglass = known.user.map_or(actor.breakglass, |(_, _, is)| is);
    let resource = match (known.resource, resource.becomes) {
        (
            Some(Resource::User {
                id,
                organization,
                role,
                ..
            }),
            becomes,
        ) => Resource::User {
            id,
            organization,
            role,
            becomes,
        },
        (Some(resource), _) => resource,
        (None, _) => thing(organization, at, resource, oneself)?,
    };
    Ok(Question {
        actor: who(organization, actor, oneself, known),
        action,
        resource,
        circumstances: Circumstances {
            approved: *approved,
            breakglass,
        },
    })
}

/// Made-up people and things have ids that no real ones have: those carry the time of their making.
fn made_up<T: From<Uuid>>(number: u128) -> T {
    T::from(Uuid::from_u128(number))
}

fn who(organization: OrganizationId, actor: &PolicyActor, oneself: UserId, known: &Known) -> Actor {
    let (principal, role, usual) = match actor.kind.unwrap_or_default() {
        PolicyActorKind::User => {
            let role = known.user.map(|(_, role, _)| role).or(actor.role);
            (
                Principal::User(oneself),
                Some(role.unwrap_or(Role::Member)),
                Via::Browser,
            )
        }
        PolicyActorKind::Instance => {
            let id: InstanceId = made_up(1);
            (Principal::Instance(id), None, Via::InstanceToken)
        }
        PolicyActorKind::System => (Principal::System, None, Via::Internal),
    };
    Actor {
        principal,
        organization_id: organization,
        role,
        via: actor.via.unwrap_or(usual),
        scopes: actor.scopes.clone(),
    }
}

fn thing(
    organization: OrganizationId,
    at: &str,
    sketch: &PolicyResource,
    oneself: UserId,
) -> Result<Resource> {
    let owner_word = sketch.owner.unwrap_or_default();
    let owner = match owner_word {
        PolicyOwner::Oneself => oneself,
        PolicyOwner::Other | PolicyOwner::Organization => made_up(2),
    };
    if owner_word == PolicyOwner::Organization && sketch.kind != "provider" {
        return Err(Error::field(
            format!("{at}/resource/owner"),
            "only a provider can be the organization's",
        ));
    }
    let role = sketch.role.unwrap_or(Role::Member);
    Ok(match sketch.kind.as_str() {
        "organization" => Resource::Organization(organization),
        "user" => Resource::User {
            id: Some(owner),
            organization,
            role,
            becomes: sketch.becomes,
        },
        "instance" => Resource::Instance {
            id: Some(made_up(if owner == oneself { 1 } else { 2 })),
            owner,
            organization,
        },
        "provider" => Resource::Provider {
            id: Some(made_up(1)),
            owner: (owner_word != PolicyOwner::Organization).then_some(owner),
            organization,
        },
        "profile" => Resource::Profile {
            id: Some(made_up(1)),
            owner,
        },
        "skill_credential" => Resource::SkillCredential {
            id: Some(made_up(1)),
            owner,
        },
        "api_token" => Resource::ApiToken {
            id: Some(made_up(1)),
            owner,
        },
        "browser_session" => Resource::BrowserSession {
            id: Some(made_up(1)),
            owner,
        },
        "usage" => Resource::Usage { owner },
        "invitation" => Resource::Invitation {
            id: Some(made_up(1)),
            organization,
            role,
        },
        "identity_provider" => Resource::IdentityProvider {
            id: Some(made_up(1)),
            organization,
        },
        "settings" => Resource::Settings,
        "engine" => Resource::Engine(Some(made_up(1))),
        "runtime_asset" => Resource::RuntimeAsset(Some(made_up(1))),
        "webhook" => Resource::Webhook {
            id: Some(made_up(1)),
            organization,
        },
        "witness" => Resource::Witness {
            id: Some(made_up(1)),
            organization,
        },
        "proposal" => Resource::Proposal {
            id: Some(made_up(1)),
            owner,
            organization,
            approver: sketch.role.unwrap_or(Role::Admin),
        },
        "incident" => Resource::Incident {
            id: Some(made_up(1)),
            owner: Some(owner),
            organization,
        },
        "operation" => Resource::Operation {
            id: Some(made_up(1)),
            owner,
            organization,
        },
        "evidence" => Resource::Evidence {
            id: None,
            organization,
        },
        _ => {
            return Err(Error::field(
                format!("{at}/resource/kind"),
                format!("there is no such kind of thing; one of {KINDS}"),
            ));
        }
    })
}
