//! The policies in force and the decision itself.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use cedar_policy::{
    ActionConstraint, Authorizer, Decision as Verdict, Entities, Entity, EntityUid, PolicyId,
    Request, Response, Schema, ValidationMode, Validator,
};
use fractal_types::{Actor, Via};

use crate::{
    Action, Approval, Circumstances, Decision, Denial, Outcome, Resource,
    entity::{PRINCIPALS, TYPES, Types},
    remembered::Remembered,
};

/// What policies may speak of, as a Cedar schema.
pub const SCHEMA: &str = include_str!("../../../policies/fractal.cedarschema");
pub(crate) const BUILTIN: &str = include_str!("../../../policies/builtin.cedar");
pub(crate) const BREAKGLASS: &str = include_str!("../../../policies/breakglass.cedar");

/// Why a text cannot be used as policies.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The text is not Cedar.
    #[error("the policies cannot be read ({0}); correct the syntax and try again")]
    Syntax(String),
    /// The text does not fit the schema; nothing of it is used.
    #[error("the policies do not fit the schema ({0}); correct the named policies and try again")]
    Schema(String),
    /// A policy carries no id, or one that is taken.
    #[error(
        "policy {0:?} needs an annotation @id(\"...\") that no other policy has, built-in ones included"
    )]
    Id(String),
    /// An annotation `@approval` that means nothing, or stands on a permit.
    #[error(
        "policy {0:?} has an approval nobody can give; write @approval(\"role:count\") on a forbid, like \"owner:1\""
    )]
    Approval(String),
    /// A template, which would never be linked and so never apply.
    #[error("the policies contain a template; write out the policies it stands for")]
    Template,
    /// The built-in parts contradict each other: a defect of this release.
    #[error("the built-in policies are broken ({0}); install a sound release")]
    Builtin(String),
}

/// The policies in force. Making one is slow (parsing and validation), deciding is fast; make one and share it.
#[derive(Debug)]
pub struct PolicySet {
    authorizer: Authorizer,
    types: Types,
    breakglass: cedar_policy::PolicySet,
    approvals: HashMap<PolicyId, Approval>,
    actions: HashMap<Action, KnownAction>,
    decisions: AtomicU64,
    remembered: Remembered,
}

#[derive(Debug)]
struct KnownAction {
    uid: EntityUid,
    /// The action with the groups it is in.
    entity: Entity,
    /// Itself and the groups it is in.
    names: HashSet<EntityUid>,
    /// The policies whose scope it is in; the others cannot apply, and looking at them costs most
    /// of a decision.
    policies: cedar_policy::PolicySet,
    /// By number of principal type and resource type: does the schema know the combination?
    applies: [[bool; TYPES.len()]; PRINCIPALS],
}

impl PolicySet {
    /// The built-in policies alone.
    ///
    /// # Errors
    /// When the release itself is broken.
    pub fn builtin() -> Result<Self, PolicyError> {
        Self::with_extra("")
    }

    /// The built-in policies with those of the operator, each of which needs an `@id`.
    ///
    /// # Errors
    /// When the text is not Cedar, does not fit the schema, or an annotation is wrong.
    pub fn with_extra(text: &str) -> Result<Self, PolicyError> {
        let broken = |why: &dyn std::fmt::Display| PolicyError::Builtin(why.to_string());
        let (schema, _warnings) =
            Schema::from_cedarschema_str(SCHEMA).map_err(|why| broken(&why))?;
        let types = Types::parse().map_err(|why| broken(&why))?;
        let mut actions = known_actions(&schema, &types).map_err(|why| broken(&why))?;

        let mut policies = cedar_policy::PolicySet::new();
        add_named(&mut policies, BUILTIN).map_err(|why| broken(&why))?;
        let mut breakglass = cedar_policy::PolicySet::new();
        add_named(&mut breakglass, BREAKGLASS).map_err(|why| broken(&why))?;
        let validator = Validator::new(schema);
        for set in [&policies, &breakglass] {
            validate(&validator, set).map_err(|why| broken(&why))?;
        }

        add_named(&mut policies, text)?;
        validate(&validator, &policies)?;
        let approvals = approvals(&policies)?;
        for known in actions.values_mut() {
            for policy in policies.policies() {
                if known.is_in_scope(policy) {
                    let added = known.policies.add(policy.clone());
                    added.map_err(|why| broken(&why))?;
                }
            }
        }
        Ok(Self {
            authorizer: Authorizer::new(),
            types,
            breakglass,
            approvals,
            actions,
            decisions: AtomicU64::new(0),
            remembered: Remembered::default(),
        })
    }

    /// Decides under ordinary circumstances.
    #[must_use]
    pub fn decide(&self, actor: &Actor, action: Action, resource: &Resource) -> Decision {
        self.decide_in(actor, action, resource, Circumstances::default())
    }

    /// Decides with approvals given, or for the breakglass account.
    #[must_use]
    pub fn decide_in(
        &self,
        actor: &Actor,
        action: Action,
        resource: &Resource,
        circumstances: Circumstances,
    ) -> Decision {
        self.decisions.fetch_add(1, Ordering::Relaxed);
        let Some(known) = self.actions.get(&action) else {
            return deny(Denial::NotApplicable, Vec::new());
        };
        let (who, what) = (
            Types::principal_number(actor),
            Types::resource_number(resource),
        );
        if !known.applies[who][what] {
            return deny(Denial::NotApplicable, Vec::new());
        }
        let Some((request, entities)) = self.request(actor, known, resource, circumstances) else {
            return deny(Denial::Broken, Vec::new());
        };

        // First and alone, so that no added policy can take the way back in. The condition is that
        // of the policies there; it only spares evaluating them.
        if circumstances.breakglass || actor.via == Via::Console {
            let response = self
                .authorizer
                .is_authorized(&request, &self.breakglass, &entities);
            let sound = response.diagnostics().errors().next().is_none();
            if response.decision() == Verdict::Allow && sound {
                return Decision {
                    outcome: Outcome::Allow,
                    determining: determining(&response),
                };
            }
        }

        let response = self
            .authorizer
            .is_authorized(&request, &known.policies, &entities);
        let broken = broken_policies(&response);
        if !broken.is_empty() {
            return deny(Denial::Broken, broken);
        }
        let determining = determining(&response);
        if response.decision() == Verdict::Allow {
            return Decision {
                outcome: Outcome::Allow,
                determining,
            };
        }
        if determining.is_empty() {
            return deny(Denial::NotPermitted, determining);
        }
        let demands: Option<Vec<Approval>> = response
            .diagnostics()
            .reason()
            .map(|id| self.approvals.get(id).copied())
            .collect();
        match demands {
            Some(demands) if !circumstances.approved => {
                // Approvals lift a forbid; they never replace the permit.
                let approved = Circumstances {
                    approved: true,
                    ..circumstances
                };
                if self
                    .decide_in(actor, action, resource, approved)
                    .is_allowed()
                {
                    Decision {
                        outcome: Outcome::NeedsApproval(Approval::union(demands.into_iter())),
                        determining,
                    }
                } else {
                    deny(Denial::Forbidden, determining)
                }
            }
            _ => deny(Denial::Forbidden, determining),
        }
    }

    /// Whether an action touches what nobody but its owner may see (the group `private` of the schema).
    #[must_use]
    pub fn is_private(&self, action: Action) -> bool {
        let group = self.types.action("private");
        self.actions
            .get(&action)
            .is_none_or(|known| known.names.contains(&group))
    }

    /// Those of these questions that are allowed, or would be once approved, in their order. The answer is remembered for the whole of the question, the actor with
    /// role, way and scopes included: these policies never change, new ones are a new set that remembers nothing, and a decision depends on
    /// nothing else. So what is remembered cannot be out of date.
    #[must_use]
    pub fn within_reach(
        &self,
        actor: &Actor,
        questions: &[(Action, Resource)],
        circumstances: Circumstances,
    ) -> Arc<[Action]> {
        self.remembered.get_or(actor, questions, circumstances, || {
            questions
                .iter()
                .filter(|(action, resource)| {
                    let decision = self.decide_in(actor, *action, resource, circumstances);
                    matches!(decision.outcome, Outcome::Allow | Outcome::NeedsApproval(_))
                })
                .map(|(action, _)| *action)
                .collect()
        })
    }

    /// How many decisions were made, for metrics.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.decisions.load(Ordering::Relaxed)
    }

    /// `None` when Cedar refuses a value, which ends in a denial.
    fn request(
        &self,
        actor: &Actor,
        action: &KnownAction,
        resource: &Resource,
        circumstances: Circumstances,
    ) -> Option<(Request, Entities)> {
        let who = self.types.principal(actor)?;
        let what = self.types.resource(resource)?;
        let context = self.types.context(actor, resource, circumstances)?;
        let (who_uid, what_uid) = (who.uid(), what.uid());
        // Somebody acting on themselves is one entity: for people as the actor knows them, for
        // an instance as the resource, which carries its owner.
        let mut entities = vec![action.entity.clone()];
        if who_uid == what_uid && matches!(resource, Resource::Instance { .. }) {
            entities.push(what);
        } else if who_uid == what_uid {
            entities.push(who);
        } else {
            entities.extend([who, what]);
        }
        let entities = Entities::from_entities(entities, None).ok()?;
        let request = Request::new(who_uid, action.uid.clone(), what_uid, context, None).ok()?;
        Some((request, entities))
    }
}

impl KnownAction {
    fn is_in_scope(&self, policy: &cedar_policy::Policy) -> bool {
        match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(named) => named == self.uid,
            ActionConstraint::In(named) => named.iter().any(|named| self.names.contains(named)),
        }
    }
}

fn deny(why: Denial, determining: Vec<String>) -> Decision {
    Decision {
        outcome: Outcome::Deny(why),
        determining,
    }
}

fn determining(response: &Response) -> Vec<String> {
    let mut ids: Vec<String> = response
        .diagnostics()
        .reason()
        .map(ToString::to_string)
        .collect();
    ids.sort();
    ids
}

fn broken_policies(response: &Response) -> Vec<String> {
    let mut ids: Vec<String> = response
        .diagnostics()
        .errors()
        .map(|error| match error {
            cedar_policy::AuthorizationError::PolicyEvaluationError(why) => {
                why.policy_id().to_string()
            }
        })
        .collect();
    ids.sort();
    ids
}

/// Adds the policies of a text under the names they give themselves.
fn add_named(into: &mut cedar_policy::PolicySet, text: &str) -> Result<(), PolicyError> {
    let parsed: cedar_policy::PolicySet = text
        .parse()
        .map_err(|why: cedar_policy::ParseErrors| PolicyError::Syntax(why.to_string()))?;
    if parsed.templates().next().is_some() {
        return Err(PolicyError::Template);
    }
    for policy in parsed.policies() {
        let Some(name) = policy.annotation("id").filter(|name| !name.is_empty()) else {
            return Err(PolicyError::Id(policy.id().to_string()));
        };
        into.add(policy.new_id(PolicyId::new(name)))
            .map_err(|_| PolicyError::Id(name.to_owned()))?;
    }
    Ok(())
}

fn validate(validator: &Validator, set: &cedar_policy::PolicySet) -> Result<(), PolicyError> {
    let result = validator.validate(set, ValidationMode::Strict);
    let errors: Vec<String> = result
        .validation_errors()
        .map(ToString::to_string)
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(PolicyError::Schema(errors.join("; ")))
    }
}

fn approvals(set: &cedar_policy::PolicySet) -> Result<HashMap<PolicyId, Approval>, PolicyError> {
    let mut found = HashMap::new();
    for policy in set.policies() {
        let Some(text) = policy.annotation("approval") else {
            continue;
        };
        let approval = Approval::parse(text)
            .filter(|_| policy.effect() == cedar_policy::Effect::Forbid)
            .ok_or_else(|| PolicyError::Approval(policy.id().to_string()))?;
        found.insert(policy.id().clone(), approval);
    }
    Ok(found)
}

fn known_actions(schema: &Schema, types: &Types) -> Result<HashMap<Action, KnownAction>, String> {
    let all = schema.action_entities().map_err(|why| why.to_string())?;
    let entities: BTreeMap<String, Entity> = all
        .iter()
        .map(|entity| (entity.uid().to_string(), entity.clone()))
        .collect();
    let mut known = HashMap::new();
    for &action in Action::ALL {
        let uid = types.action(action.as_str());
        let entity = entities
            .get(&uid.to_string())
            .cloned()
            .ok_or_else(|| format!("the schema lacks the action {action}"))?;
        let mut applies = [[false; TYPES.len()]; PRINCIPALS];
        for (who, row) in applies.iter_mut().enumerate() {
            for (what, cell) in row.iter_mut().enumerate() {
                let (who, what) = (types.uid(who, ""), types.uid(what, ""));
                *cell = cedar_policy::validate_scope_variables(&who, &uid, &what, schema).is_ok();
            }
        }
        known.insert(
            action,
            KnownAction {
                names: all
                    .ancestors(&uid)
                    .into_iter()
                    .flatten()
                    .chain([&uid])
                    .cloned()
                    .collect(),
                policies: cedar_policy::PolicySet::new(),
                uid,
                entity,
                applies,
            },
        );
    }
    Ok(known)
}
