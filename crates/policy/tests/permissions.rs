//! The permission matrix as a reviewed text file: generated from the policies in force, compared
//! with `docs/reference/permissions.md`, written anew with `UPDATE=1`.

use std::fmt::Write as _;

use fractal_policy::{Action, Denial, Outcome, PolicySet, Resource};
use fractal_types::{
    Actor, InstanceId, OrganizationId, Principal, Role, Scope, ServiceAccountId, UserId, Via,
};
use uuid::Uuid;

const ME: UserId = UserId::from_uuid(Uuid::from_u128(1));
const OTHER: UserId = UserId::from_uuid(Uuid::from_u128(2));
const ORGANIZATION: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(3));
const MINE: InstanceId = InstanceId::from_uuid(Uuid::from_u128(4));
const THEIRS: InstanceId = InstanceId::from_uuid(Uuid::from_u128(5));

fn person(role: Role) -> Actor {
    Actor {
        principal: Principal::User(ME),
        organization_id: ORGANIZATION,
        role: Some(role),
        via: Via::Browser,
        scopes: None,
    }
}

fn gateway() -> Actor {
    Actor {
        principal: Principal::Instance(MINE),
        organization_id: ORGANIZATION,
        role: None,
        via: Via::InstanceToken,
        scopes: None,
    }
}

/// Every resource worth a row, as seen by somebody: the columns of the table are who asks.
fn rows(role: Role) -> Vec<(&'static str, Resource)> {
    let instance = |id, owner| Resource::Instance {
        id: Some(id),
        owner,
        organization: ORGANIZATION,
    };
    let provider = |owner| Resource::Provider {
        id: None,
        owner,
        organization: ORGANIZATION,
    };
    let user = |id, role| Resource::User {
        id: Some(id),
        organization: ORGANIZATION,
        role,
        becomes: None,
    };
    let turned = |from, into| Resource::User {
        id: Some(OTHER),
        organization: ORGANIZATION,
        role: from,
        becomes: Some(into),
    };
    let invitation = |role| Resource::Invitation {
        id: None,
        organization: ORGANIZATION,
        role,
    };
    let operation = |owner| Resource::Operation {
        id: None,
        owner,
        organization: ORGANIZATION,
    };
    let incident = |owner| Resource::Incident {
        id: None,
        owner,
        organization: ORGANIZATION,
    };
    let proposal = |owner, approver| Resource::Proposal {
        id: None,
        owner,
        organization: ORGANIZATION,
        approver,
    };
    vec![
        ("own", instance(MINE, ME)),
        ("another's", instance(THEIRS, OTHER)),
        ("own", provider(Some(ME))),
        ("another's", provider(Some(OTHER))),
        ("the organization's", provider(None)),
        (
            "own",
            Resource::Profile {
                id: None,
                owner: ME,
            },
        ),
        (
            "another's",
            Resource::Profile {
                id: None,
                owner: OTHER,
            },
        ),
        (
            "own",
            Resource::SkillCredential {
                id: None,
                owner: ME,
            },
        ),
        (
            "another's",
            Resource::SkillCredential {
                id: None,
                owner: OTHER,
            },
        ),
        (
            "own",
            Resource::BrowserSession {
                id: None,
                owner: ME,
            },
        ),
        (
            "another's",
            Resource::BrowserSession {
                id: None,
                owner: OTHER,
            },
        ),
        (
            "own",
            Resource::ApiToken {
                id: None,
                owner: ME,
            },
        ),
        (
            "another's",
            Resource::ApiToken {
                id: None,
                owner: OTHER,
            },
        ),
        ("own", operation(ME)),
        ("another's", operation(OTHER)),
        ("own", incident(Some(ME))),
        ("another's", incident(Some(OTHER))),
        ("nobody's own", incident(None)),
        ("own", Resource::Usage { owner: ME }),
        ("another's", Resource::Usage { owner: OTHER }),
        ("themselves", user(ME, role)),
        ("a member", user(OTHER, Role::Member)),
        ("an admin", user(OTHER, Role::Admin)),
        ("an owner", user(OTHER, Role::Owner)),
        ("member into admin", turned(Role::Member, Role::Admin)),
        ("member into owner", turned(Role::Member, Role::Owner)),
        ("as member", invitation(Role::Member)),
        ("as admin", invitation(Role::Admin)),
        ("as owner", invitation(Role::Owner)),
        ("everybody's", Resource::Organization(ORGANIZATION)),
        (
            "the installation's",
            Resource::IdentityProvider {
                id: None,
                organization: ORGANIZATION,
            },
        ),
        ("the installation's", Resource::Settings),
        ("the installation's", Resource::Engine(None)),
        ("the installation's", Resource::RuntimeAsset(None)),
        (
            "the organization's",
            Resource::Webhook {
                id: None,
                organization: ORGANIZATION,
            },
        ),
        (
            "the organization's",
            Resource::Witness {
                id: None,
                organization: ORGANIZATION,
            },
        ),
        ("own", proposal(ME, Role::Admin)),
        ("another's, for admins", proposal(OTHER, Role::Admin)),
        ("another's, for owners", proposal(OTHER, Role::Owner)),
        (
            "the organization's",
            Resource::Evidence {
                id: None,
                organization: ORGANIZATION,
            },
        ),
    ]
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "yes",
        Outcome::Deny(Denial::NotApplicable) => "·",
        Outcome::Deny(_) => "no",
        Outcome::NeedsApproval(_) => "approval",
    }
}

fn matrix(policies: &PolicySet) -> String {
    let mut out = String::from(
        "# Permissions\n\n\
         Generated from the built-in policies by `crates/policy/tests/permissions.rs`; do not edit.\n\
         After a wanted change of `policies/`, run `UPDATE=1 cargo test -p fractal-policy --test permissions`\n\
         and review the difference like code.\n\n\
         *yes*: permitted, *no*: refused, *·*: there is no such thing. A suspended person has no role and\n\
         is permitted nothing. \"instance\" is a gateway with its own token, \"system\" the control plane's own\n\
         timers, \"console\" a command typed on the machine.\n\n\
         ## By role\n\n\
         | action | on | member | auditor | admin | owner | instance | system | console |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let console = Actor {
        via: Via::Console,
        ..Actor::system(ORGANIZATION)
    };
    for &action in Action::ALL {
        for (place, (label, _)) in rows(Role::Member).into_iter().enumerate() {
            let cells: Vec<&str> = [
                (person(Role::Member), Role::Member),
                (person(Role::Auditor), Role::Auditor),
                (person(Role::Admin), Role::Admin),
                (person(Role::Owner), Role::Owner),
                (gateway(), Role::Member),
                (Actor::system(ORGANIZATION), Role::Member),
                (console.clone(), Role::Member),
            ]
            .iter()
            .map(|(actor, role)| {
                let (_, resource) = rows(*role).swap_remove(place);
                word(&policies.decide(actor, action, &resource).outcome)
            })
            .collect();
            if cells.iter().all(|cell| *cell == "·") {
                continue;
            }
            // Who becomes what matters for roles only; the plain rows say the rest.
            let turning = label.contains(" into ");
            if turning != (action == Action::UserSetRole && label != "themselves") && turning {
                continue;
            }
            let _ = writeln!(out, "| `{action}` | {label} | {} |", cells.join(" | "));
        }
    }
    out.push_str(
        "\n## By scope of an API token\n\n\
         What an owner of the installation may do, on their own things and on the organization's, with a\n\
         token of one scope. A token never permits more than its owner's role.\n\n\
         | action | all | read | chat |\n|---|---|---|---|\n",
    );
    for &action in Action::ALL {
        let cells: Vec<&str> = [Scope::All, Scope::Read, Scope::Chat]
            .into_iter()
            .map(|scope| {
                let actor = Actor {
                    via: Via::ApiToken,
                    scopes: Some(vec![scope]),
                    ..person(Role::Owner)
                };
                let permitted = rows(Role::Owner)
                    .iter()
                    .any(|(_, thing)| policies.decide(&actor, action, thing).is_allowed());
                if permitted { "yes" } else { "no" }
            })
            .collect();
        let _ = writeln!(out, "| `{action}` | {} |", cells.join(" | "));
    }
    out
}

#[test]
fn the_written_matrix_is_what_the_policies_say() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/permissions.md"
    );
    let now = matrix(&PolicySet::builtin().unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == now,
        "docs/reference/permissions.md differs from the policies; run with UPDATE=1 and review the difference"
    );
}

#[test]
fn no_role_gets_at_what_is_private_to_another() {
    let policies = PolicySet::builtin().unwrap();
    let instance = Resource::Instance {
        id: Some(THEIRS),
        owner: OTHER,
        organization: ORGANIZATION,
    };
    let provider = Resource::Provider {
        id: None,
        owner: Some(OTHER),
        organization: ORGANIZATION,
    };
    for role in Role::ALL {
        for action in [
            Action::ChatSend,
            Action::ChatRead,
            Action::ChatAbort,
            Action::ChatAnswer,
            Action::InstanceReadLogs,
            Action::SkillList,
        ] {
            assert!(
                !policies
                    .decide(&person(role), action, &instance)
                    .is_allowed()
            );
        }
        assert!(
            !policies
                .decide(&person(role), Action::ProviderView, &provider)
                .is_allowed()
        );
        let variable = Resource::SkillCredential {
            id: None,
            owner: OTHER,
        };
        for action in [
            Action::SkillCredentialList,
            Action::SkillCredentialSet,
            Action::SkillCredentialDelete,
        ] {
            assert!(
                !policies
                    .decide(&person(role), action, &variable)
                    .is_allowed()
            );
        }
    }
}

#[test]
fn another_tenant_is_out_of_reach_for_every_role_and_action() {
    let policies = PolicySet::builtin().unwrap();
    let elsewhere = OrganizationId::from_uuid(Uuid::from_u128(99));
    for role in Role::ALL {
        let foreigner = Actor {
            organization_id: elsewhere,
            principal: Principal::User(UserId::from_uuid(Uuid::from_u128(98))),
            ..person(role)
        };
        for &action in Action::ALL {
            for (label, resource) in rows(role) {
                let shared = matches!(
                    resource,
                    Resource::Settings | Resource::Engine(_) | Resource::RuntimeAsset(_)
                );
                assert!(
                    shared || !policies.decide(&foreigner, action, &resource).is_allowed(),
                    "{role} {action} {label} {resource:?}"
                );
            }
        }
    }
}

#[test]
fn a_suspended_person_may_do_nothing() {
    let policies = PolicySet::builtin().unwrap();
    let suspended = Actor {
        role: None,
        ..person(Role::Owner)
    };
    for &action in Action::ALL {
        for (_, resource) in rows(Role::Owner) {
            assert!(!policies.decide(&suspended, action, &resource).is_allowed());
        }
    }
}

#[test]
fn a_service_account_has_its_role_but_owns_nothing() {
    let policies = PolicySet::builtin().unwrap();
    let robot = Actor {
        principal: Principal::ServiceAccount(ServiceAccountId::from_uuid(Uuid::from_u128(1))),
        ..person(Role::Admin)
    };
    let instance = Resource::Instance {
        id: Some(MINE),
        owner: ME,
        organization: ORGANIZATION,
    };
    assert!(
        policies
            .decide(&robot, Action::InstanceStop, &instance)
            .is_allowed()
    );
    assert!(
        !policies
            .decide(&robot, Action::ChatSend, &instance)
            .is_allowed()
    );
}

#[test]
fn a_gateway_acts_on_itself_only() {
    let policies = PolicySet::builtin().unwrap();
    for &action in Action::ALL {
        for (_, resource) in rows(Role::Member) {
            let itself = matches!(resource, Resource::Instance { id: Some(id), .. } if id == MINE);
            let meant = itself && matches!(action, Action::ModelUse | Action::AgentConfigRead);
            assert_eq!(
                policies.decide(&gateway(), action, &resource).is_allowed(),
                meant,
                "{action} {resource:?}"
            );
        }
    }
}
