//! Access rules: the built-in ones and those that operators add, version by version.
//!
//! Rules are Cedar policies. A new version is taken only when it fits the schema and passes its own tests.

use fractal_types::{Role, Scope, Timestamp, Via};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::OwnerRef;

/// The rules in force.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// The number of the version in force; 0 while nothing was ever added.
    pub version: u64,
    /// The added rules, in Cedar; empty for none.
    pub text: String,
    /// The tests that every further version has to pass, too, unless it changes them.
    pub tests: Vec<PolicyTest>,
    /// The rules of this release, which nothing can take away.
    pub builtin: Vec<PolicyRule>,
    /// The types and actions that rules may name, as a Cedar schema.
    pub schema: String,
}

/// One rule of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyRule {
    /// Its name, as decisions give it.
    pub id: String,
    /// `permit` or `forbid`.
    pub effect: String,
    /// What it does.
    pub description: String,
    /// Its text in Cedar.
    pub text: String,
}

/// A version of the added rules.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyVersionView {
    /// Its number; the largest is in force.
    pub version: u64,
    /// Whether it is in force.
    pub in_force: bool,
    /// Why, in the words of who wrote it.
    pub comment: String,
    /// Who wrote it; absent for somebody on the machine itself, or somebody who is deleted.
    pub author: Option<OwnerRef>,
    /// The rules, in Cedar.
    pub text: String,
    /// The tests it passed.
    pub tests: Vec<PolicyTest>,
    /// When it was put in force.
    pub created_at: Timestamp,
}

/// Puts rules in force.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePolicy {
    /// The version this one was written over; refused with `conflict` when another is in force meanwhile.
    pub base_version: u64,
    /// All added rules, in Cedar; empty for none.
    #[schema(max_length = 200_000)]
    pub text: String,
    /// What must hold under them; those of the version in force when absent.
    #[schema(max_items = 200)]
    pub tests: Option<Vec<PolicyTest>>,
    /// Why.
    #[schema(max_length = 500)]
    pub comment: Option<String>,
}

/// Looks at rules without putting them in force.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPolicy {
    /// All added rules, in Cedar.
    #[schema(max_length = 200_000)]
    pub text: String,
    /// What must hold under them; those of the version in force when absent.
    #[schema(max_items = 200)]
    pub tests: Option<Vec<PolicyTest>>,
}

/// What rules are worth.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyCheck {
    /// Whether they could be put in force.
    pub ok: bool,
    /// The names of the rules in the text.
    pub policies: Vec<String>,
    /// What is wrong with the text, in its order.
    pub findings: Vec<PolicyFinding>,
    /// How the tests went; empty while the text has errors.
    pub tests: Vec<PolicyTestResult>,
}

/// One thing that is wrong with a text of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyFinding {
    /// `error` or `warning`.
    pub severity: String,
    /// The line, from 1.
    pub line: u64,
    /// The character in the line, from 1.
    pub column: u64,
    /// The rule, where one could be told.
    pub policy: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What may help.
    pub help: Option<String>,
}

/// Something that must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyTest {
    /// What it shows, in words.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// The question.
    pub request: PolicyRequest,
    /// The answer it must get.
    pub expect: PolicyOutcome,
}

/// How a test went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyTestResult {
    /// The test.
    pub name: String,
    /// Whether it got its answer.
    pub ok: bool,
    /// The answer it must get.
    pub expect: PolicyOutcome,
    /// The answer it got.
    pub decision: PolicyDecision,
}

/// What comes out of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyOutcome {
    /// It may go ahead.
    Allow,
    /// It may not.
    Deny,
    /// It may once it was approved.
    NeedsApproval,
}

/// A decision and its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyDecision {
    /// What came out.
    pub outcome: PolicyOutcome,
    /// Why it is a refusal: `not_permitted`, `forbidden`, `not_applicable` or `broken`.
    pub reason: Option<String>,
    /// The rules that determined it.
    pub policies: Vec<String>,
    /// Who must approve first.
    pub approvals: Vec<PolicyApproval>,
}

/// An approval that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyApproval {
    /// The role the approvers must at least have.
    pub role: Role,
    /// How many different people must approve.
    pub count: u8,
}

/// A question to the rules: who wants to do what to which thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRequest {
    /// Who.
    pub actor: PolicyActor,
    /// What, like `instance.delete`.
    #[schema(max_length = 64)]
    pub action: String,
    /// To which thing.
    pub resource: PolicyResource,
    /// Whether the approvals that rules ask for were given.
    #[serde(default)]
    pub approved: bool,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyActor {
    /// A person of the installation, by id or sign-in name; then the role is theirs. Not in tests, which must not depend on who is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub user: Option<String>,
    /// The role of a made-up person; `member` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The kind, when it is not a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<PolicyActorKind>,
    /// How they proved it; `browser` for people when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// The scopes of the token, when one is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 3)]
    pub scopes: Option<Vec<Scope>>,
    /// Whether it is the breakglass account.
    #[serde(default)]
    pub breakglass: bool,
}

/// A kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyActorKind {
    /// A person.
    #[default]
    User,
    /// A gateway.
    Instance,
    /// Fractal itself.
    System,
}

/// Which thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyResource {
    /// The noun, like `instance`, `provider` or `user`.
    #[schema(max_length = 32)]
    pub kind: String,
    /// A real instance, provider or person, by id. Not in tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub id: Option<String>,
    /// Whose a made-up one is; `self` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PolicyOwner>,
    /// The role of a person or the role that an invitation gives, `member` when absent; the weakest role that may approve a proposal, `admin` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The role that the person would get (`user.set_role`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub becomes: Option<Role>,
}

/// Whose a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyOwner {
    /// Of who asks.
    #[default]
    #[serde(rename = "self")]
    Oneself,
    /// Of somebody else in the same organization.
    Other,
    /// Of the organization.
    Organization,
}

/// Asks rules without changing anything.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatePolicy {
    /// The added rules to ask, in Cedar; those in force when absent.
    #[schema(max_length = 200_000)]
    pub text: Option<String>,
    /// One question. When absent, every recorded decision is asked again, which needs `text`.
    pub request: Option<PolicyRequest>,
}

/// What rules would do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicySimulation {
    /// The answer to the question.
    pub decision: Option<PolicyDecision>,
    /// What would have come out otherwise, had these rules been in force.
    pub impact: Option<PolicyImpact>,
}

/// Recorded decisions asked again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyImpact {
    /// How many recorded decisions were asked again.
    pub asked: u64,
    /// When the oldest of them was made.
    pub since: Option<Timestamp>,
    /// How many would now be refused.
    pub refused: u64,
    /// How many would now be allowed.
    pub allowed: u64,
    /// How many would now wait for an approval.
    pub held: u64,
    /// The different ones, equal ones together, the most frequent first; at most 100.
    pub changes: Vec<PolicyChange>,
}

/// Equal decisions that would come out otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyChange {
    /// Who asked; absent when it was no person, or one who is deleted.
    pub who: Option<OwnerRef>,
    /// What was asked.
    pub action: String,
    /// The kind of thing.
    pub resource_kind: String,
    /// The thing, unless it is private to somebody.
    pub resource_id: Option<String>,
    /// What came out.
    pub before: PolicyOutcome,
    /// What would come out.
    pub after: PolicyDecision,
    /// How often.
    pub times: u64,
    /// When last.
    pub last_at: Timestamp,
}
