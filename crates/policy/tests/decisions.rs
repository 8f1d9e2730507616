//! How a decision comes about: approvals, broken policies, breakglass, and what is refused as policy text.

use fractal_policy::{
    Action, Approval, Circumstances, Denial, Outcome, PolicyError, PolicySet, Resource,
};
use fractal_types::{Actor, InstanceId, OrganizationId, Principal, Role, Scope, UserId, Via};
use uuid::Uuid;

const ORGANIZATION: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(1));

fn actor(role: Role) -> Actor {
    Actor {
        principal: Principal::User(UserId::from_uuid(Uuid::from_u128(2))),
        organization_id: ORGANIZATION,
        role: Some(role),
        via: Via::Browser,
        scopes: None,
    }
}

fn instance() -> Resource {
    Resource::Instance {
        id: Some(InstanceId::from_uuid(Uuid::from_u128(3))),
        owner: UserId::from_uuid(Uuid::from_u128(2)),
        organization: ORGANIZATION,
    }
}

const DELETE_NEEDS: &str = r#"
@id("delete-needs-admin") @approval("admin:1")
forbid (principal, action == Action::"instance.delete", resource) unless { context.approved };
"#;

#[test]
fn annotated_forbids_become_approvals_and_approval_lifts_them() {
    let more = r#"
    @id("delete-needs-two") @approval("admin:2")
    forbid (principal, action == Action::"instance.delete", resource) unless { context.approved };
    "#;
    let policies = PolicySet::with_extra(&format!("{DELETE_NEEDS}{more}")).unwrap();
    let (me, thing) = (actor(Role::Member), instance());
    let decision = policies.decide(&me, Action::InstanceDelete, &thing);
    assert_eq!(
        decision.outcome,
        Outcome::NeedsApproval(vec![Approval {
            role: Role::Admin,
            count: 2
        }])
    );
    assert_eq!(
        decision.determining,
        ["delete-needs-admin", "delete-needs-two"]
    );
    let approved = Circumstances {
        approved: true,
        ..Circumstances::default()
    };
    assert!(
        policies
            .decide_in(&me, Action::InstanceDelete, &thing, approved)
            .is_allowed()
    );
}

#[test]
fn one_plain_forbid_beside_an_annotated_one_is_a_denial() {
    let plain = r#"
    @id("never") forbid (principal, action == Action::"instance.delete", resource);
    "#;
    let policies = PolicySet::with_extra(&format!("{DELETE_NEEDS}{plain}")).unwrap();
    let decision = policies.decide(&actor(Role::Owner), Action::InstanceDelete, &instance());
    assert_eq!(decision.outcome, Outcome::Deny(Denial::Forbidden));
    assert_eq!(decision.determining, ["delete-needs-admin", "never"]);
}

#[test]
fn approval_does_not_stand_in_for_a_permit() {
    let policies = PolicySet::with_extra(DELETE_NEEDS).unwrap();
    let stranger = Actor {
        principal: Principal::User(UserId::from_uuid(Uuid::from_u128(77))),
        ..actor(Role::Member)
    };
    let decision = policies.decide(&stranger, Action::InstanceDelete, &instance());
    assert_eq!(decision.outcome, Outcome::Deny(Denial::Forbidden));
}

#[test]
fn a_policy_that_fails_to_evaluate_denies_even_what_another_permits() {
    // Overflow is an evaluation error that validation cannot foresee.
    let policies = PolicySet::with_extra(
        r#"@id("overflow") permit (principal, action, resource)
        when { 9223372036854775807 + 1 == 0 };"#,
    )
    .unwrap();
    let decision = policies.decide(&actor(Role::Owner), Action::InstanceView, &instance());
    assert_eq!(decision.outcome, Outcome::Deny(Denial::Broken));
    assert_eq!(decision.determining, ["overflow"]);
}

#[test]
fn an_added_permit_does_not_open_what_is_private() {
    let policies =
        PolicySet::with_extra(r#"@id("all") permit (principal, action, resource);"#).unwrap();
    let admin = Actor {
        principal: Principal::User(UserId::from_uuid(Uuid::from_u128(50))),
        ..actor(Role::Admin)
    };
    let decision = policies.decide(&admin, Action::ChatRead, &instance());
    assert_eq!(decision.outcome, Outcome::Deny(Denial::Forbidden));
    assert_eq!(decision.determining, ["privacy"]);
}

#[test]
fn breakglass_survives_a_policy_that_forbids_everything() {
    let policies =
        PolicySet::with_extra(r#"@id("closed") forbid (principal, action, resource);"#).unwrap();
    let breakglass = Circumstances {
        breakglass: true,
        ..Circumstances::default()
    };
    let owner = actor(Role::Owner);
    let somebody = Resource::User {
        id: Some(UserId::from_uuid(Uuid::from_u128(9))),
        organization: ORGANIZATION,
        role: Role::Owner,
        becomes: None,
    };
    let settings = Resource::Settings;
    for (action, thing) in [
        (Action::PolicyReset, &settings),
        (Action::SettingsUpdate, &settings),
        (Action::UserResetPassword, &somebody),
    ] {
        assert!(
            policies
                .decide_in(&owner, action, thing, breakglass)
                .is_allowed()
        );
        assert!(!policies.decide(&owner, action, thing).is_allowed());
    }
    assert!(
        !policies
            .decide_in(&owner, Action::KeyExport, &settings, breakglass)
            .is_allowed(),
        "breakglass opens the way back in and nothing else"
    );
    let by_token = Actor {
        via: Via::ApiToken,
        scopes: Some(vec![Scope::All]),
        ..owner
    };
    assert!(
        !policies
            .decide_in(&by_token, Action::PolicyReset, &settings, breakglass)
            .is_allowed()
    );
    let console = Actor {
        via: Via::Console,
        ..Actor::system(ORGANIZATION)
    };
    assert!(
        policies
            .decide(&console, Action::PolicyReset, &settings)
            .is_allowed()
    );
}

#[test]
fn a_pair_the_schema_does_not_know_is_refused() {
    let policies =
        PolicySet::with_extra(r#"@id("all") permit (principal, action, resource);"#).unwrap();
    let decision = policies.decide(&actor(Role::Owner), Action::ChatSend, &Resource::Settings);
    assert_eq!(decision.outcome, Outcome::Deny(Denial::NotApplicable));
}

#[test]
fn policies_that_mean_nothing_are_refused() {
    let refused = |text: &str| PolicySet::with_extra(text).unwrap_err();
    assert!(matches!(refused("permit ("), PolicyError::Syntax(_)));
    assert!(matches!(
        refused("permit (principal, action, resource);"),
        PolicyError::Id(_)
    ));
    assert!(matches!(
        refused(r#"@id("privacy") permit (principal, action, resource);"#),
        PolicyError::Id(_)
    ));
    assert!(matches!(
        refused(r#"@id("x") permit (principal == ?principal, action, resource);"#),
        PolicyError::Template
    ));
    assert!(matches!(
        refused(r#"@id("x") permit (principal, action, resource) when { principal.height > 3 };"#),
        PolicyError::Schema(_)
    ));
    assert!(matches!(
        refused(r#"@id("x") @approval("king:1") forbid (principal, action, resource);"#),
        PolicyError::Approval(_)
    ));
    assert!(matches!(
        refused(r#"@id("x") @approval("owner:1") permit (principal, action, resource);"#),
        PolicyError::Approval(_)
    ));
}

#[test]
fn what_is_remembered_follows_role_scopes_circumstances_and_policies() {
    let questions = [
        (Action::UserList, Resource::Organization(ORGANIZATION)),
        (Action::SettingsUpdate, Resource::Settings),
        (Action::InstanceStart, instance()),
        (Action::ChatSend, instance()),
    ];
    let with = |role: Option<Role>, scopes: Option<Vec<Scope>>| Actor {
        role,
        scopes,
        ..actor(Role::Member)
    };
    let narrow =
        r#"@id("quiet") forbid (principal, action == Action::"instance.start", resource);"#;
    let sets = [
        PolicySet::builtin().unwrap(),
        PolicySet::with_extra(narrow).unwrap(),
    ];
    let everybody = [
        with(Some(Role::Member), None),
        with(Some(Role::Owner), None),
        with(Some(Role::Owner), Some(vec![Scope::Read])),
        with(Some(Role::Owner), Some(vec![Scope::Chat])),
        with(None, None),
    ];
    let mut different = std::collections::HashSet::new();
    for policies in &sets {
        for actor in &everybody {
            for breakglass in [false, true] {
                let circumstances = Circumstances {
                    breakglass,
                    ..Circumstances::default()
                };
                let wanted: Vec<Action> = questions
                    .iter()
                    .filter(|(action, resource)| {
                        policies
                            .decide_in(actor, *action, resource, circumstances)
                            .is_allowed()
                    })
                    .map(|(action, _)| *action)
                    .collect();
                let first = policies.within_reach(actor, &questions, circumstances);
                let before = policies.decisions();
                let again = policies.within_reach(actor, &questions, circumstances);
                assert_eq!(policies.decisions(), before, "asked once");
                assert_eq!(first[..], wanted[..]);
                assert_eq!(again, first);
                different.insert(wanted);
            }
        }
    }
    assert!(different.len() >= 5, "the cases differ: {different:?}");
}
