//! What rules would do: to one question, and to the decisions that were really made.

use std::collections::HashMap;

use fractal_api_types::{
    PolicyChange, PolicyImpact, PolicyOutcome, PolicyRequest, PolicySimulation, SimulatePolicy,
};
use fractal_policy::{Action, PolicySet, Question, Resource};
use fractal_store::{
    DecisionRow, Order, PageRequest, Reads, decisions, instances, providers, users,
};
use fractal_types::{InstanceId, ProviderId, Timestamp, UserId, Username};

use super::{decision_view, sketch, update::bounded};
use crate::{
    App, Context, Error, Result,
    lookup::{instance_resource, provider_resource, user_resource},
};

/// Decisions read at once.
const CHUNK: u32 = 200;

/// The most differences that are told; their sums count all.
const MOST_CHANGES: usize = 100;

/// Asks rules without changing anything.
///
/// # Errors
///
/// Names the field that makes no sense; see [`App::require`].
pub async fn simulate(app: &App, cx: &Context, body: SimulatePolicy) -> Result<PolicySimulation> {
    app.require(cx, Action::PolicyView, &Resource::Settings)?;
    let tried = match &body.text {
        Some(text) => Some(compiled(text.clone()).await?),
        None => None,
    };
    if let Some(request) = &body.request {
        let question = real(app, request).await?;
        let decision = match &tried {
            Some(set) => set.answer(&question),
            None => app.policy().answer(&question),
        };
        return Ok(PolicySimulation {
            decision: Some(decision_view(&decision)),
            impact: None,
        });
    }
    let Some(set) = tried else {
        return Err(Error::field(
            "/text",
            "is missing: give rules to try on what was decided, or a request to ask those in force",
        ));
    };
    Ok(PolicySimulation {
        decision: None,
        impact: Some(impact(app, cx, &set).await?),
    })
}

async fn compiled(text: String) -> Result<PolicySet> {
    bounded(&text)?;
    let made = tokio::task::spawn_blocking(move || PolicySet::with_extra(&text));
    made.await
        .map_err(Error::internal)?
        .map_err(|why| Error::field("/text", why.to_string()))
}

/// The question with the people and things it names, as they are now.
async fn real(app: &App, request: &PolicyRequest) -> Result<Question> {
    let read = app.store.read();
    let mut known = sketch::Known::default();
    if let Some(name) = &request.actor.user {
        let user = person(app, &read, name).await?;
        let user =
            user.ok_or_else(|| Error::field("/request/actor/user", "there is no such person"))?;
        known.user = Some((user.id, user.role, user.breakglass));
    }
    if let Some(id) = &request.resource.id {
        let missing = || Error::field("/request/resource/id", "there is no such thing");
        known.resource = Some(match request.resource.kind.as_str() {
            "instance" => {
                let id: InstanceId = id.parse().map_err(|_| missing())?;
                instance_resource(&instances::find(&read, id).await?.ok_or_else(missing)?)
            }
            "provider" => {
                let id: ProviderId = id.parse().map_err(|_| missing())?;
                provider_resource(&providers::find(&read, id).await?.ok_or_else(missing)?)
            }
            "user" => user_resource(&person(app, &read, id).await?.ok_or_else(missing)?),
            _ => {
                return Err(Error::field(
                    "/request/resource/id",
                    "only an instance, a provider or a user can be named; describe other things by their owner",
                ));
            }
        });
    }
    sketch::question(app.organization_id, "/request", request, &known)
}

async fn person(app: &App, db: &dyn Reads, name: &str) -> Result<Option<fractal_store::User>> {
    if let Ok(id) = name.parse::<UserId>() {
        return Ok(users::find(db, id).await?);
    }
    let Ok(username) = name.parse::<Username>() else {
        return Ok(None);
    };
    Ok(users::find_by_username(db, app.organization_id, &username).await?)
}

/// Equal ones together.
struct Group {
    question: Question,
    before: PolicyOutcome,
    after: fractal_policy::Decision,
    times: u64,
    last_at: Timestamp,
}

/// Asks everything again that was decided about changes.
async fn impact(app: &App, cx: &Context, set: &PolicySet) -> Result<PolicyImpact> {
    let read = app.store.read();
    let mut impact = PolicyImpact::default();
    let mut groups: HashMap<(Question, PolicyOutcome), Group> = HashMap::new();
    let mut request = PageRequest {
        limit: CHUNK,
        order: Order::NewestFirst,
        ..PageRequest::default()
    };
    loop {
        let page = decisions::list(&read, app.organization_id, &request).await?;
        for row in &page.items {
            impact.since = Some(row.created_at);
            let Some((question, before)) = understood(row) else {
                continue;
            };
            impact.asked += 1;
            if let Some(group) = groups.get_mut(&(question.clone(), before)) {
                group.times += 1;
                continue;
            }
            let group = Group {
                after: set.answer(&question),
                question: question.clone(),
                before,
                times: 1,
                last_at: row.created_at,
            };
            groups.insert((question, before), group);
        }
        match page.next_cursor {
            Some(next) => request.after = Some(next),
            None => break,
        }
    }
    let mut changed: Vec<Group> = groups
        .into_values()
        .filter(|group| decision_view(&group.after).outcome != group.before)
        .collect();
    for group in &changed {
        match decision_view(&group.after).outcome {
            PolicyOutcome::Allow => impact.allowed += group.times,
            PolicyOutcome::Deny => impact.refused += group.times,
            PolicyOutcome::NeedsApproval => impact.held += group.times,
        }
    }
    changed.sort_by_key(|group| std::cmp::Reverse((group.times, group.last_at)));
    for group in changed.into_iter().take(MOST_CHANGES) {
        impact.changes.push(told(app, cx, &read, group).await?);
    }
    Ok(impact)
}

/// What was asked and what came out; none when an earlier release wrote it in words that are gone.
fn understood(row: &DecisionRow) -> Option<(Question, PolicyOutcome)> {
    let question = serde_json::from_value(row.question.clone()).ok()?;
    let before = serde_json::from_value(row.outcome.clone().into()).ok()?;
    Some((question, before))
}

async fn told(app: &App, cx: &Context, db: &dyn Reads, group: Group) -> Result<PolicyChange> {
    let Question {
        actor,
        action,
        resource,
        ..
    } = &group.question;
    let who = crate::lookup::person(db, actor.user_id()).await?;
    // What is private to somebody is not named to others, as in the log.
    let shown = !app.policy().is_private(*action) || actor.user_id() == cx.actor.user_id();
    Ok(PolicyChange {
        who,
        action: action.as_str().to_owned(),
        resource_kind: resource.kind().to_owned(),
        resource_id: resource.id_text().filter(|_| shown),
        before: group.before,
        after: decision_view(&group.after),
        times: group.times,
        last_at: group.last_at,
    })
}
