//! What the skills of an agent are and what each lacks, as its gateway tells it.
//!
//! A skill may have been written by the agent itself, so nothing of the answer is trusted: it is bounded, and only addresses a
//! browser may follow are passed on.

use std::time::Duration;

use fractal_api_types::{ProblemCode, SkillList, SkillMissing, SkillState, SkillView};
use fractal_openclaw::ws::Gateway;
use fractal_policy::Action;
use fractal_types::InstanceId;
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    App, Context, Error, Result,
    instance::{ensure_ready, if_awake, note_use},
};

/// How long somebody who asked for a wake is kept waiting.
const WAKE_PATIENCE: Duration = Duration::from_secs(50);

/// A gateway brings about 60 of its own.
const MOST_SKILLS: usize = 500;

const MOST_NAMES: usize = 50;
const LONGEST_NAME: usize = 200;
const LONGEST_TEXT: usize = 1000;

/// The skills of an agent of the caller's.
///
/// # Errors
///
/// `not-found` when it is not the caller's, `conflict` when it sleeps and is not to be woken, `unavailable` when it does not
/// answer.
pub async fn list(app: &App, cx: &Context, id: InstanceId, wake: bool) -> Result<SkillList> {
    let gateway = gateway(app, cx, id, wake).await?;
    let _busy = note_use(app, id);
    let answer = gateway.skills_status().await.map_err(|error| {
        Error::new(ProblemCode::Unavailable)
            .detail("the agent did not say what its skills are")
            .remedy("ask again in a moment")
            .because(error)
    })?;
    Ok(read(&answer))
}

async fn gateway(app: &App, cx: &Context, id: InstanceId, wake: bool) -> Result<Gateway> {
    if let Some(gateway) = if_awake(app, cx, Action::SkillList, id).await? {
        return Ok(gateway);
    }
    if !wake {
        return Err(Error::conflict("the agent is asleep")
            .remedy("ask again with wake=true, or send it a message"));
    }
    timeout(WAKE_PATIENCE, ensure_ready(app, cx, id, &|_| {}))
        .await
        .unwrap_or_else(|_| {
            Err(Error::new(ProblemCode::Unavailable)
                .detail("the agent is still waking up")
                .remedy("ask again in a moment; it goes on waking meanwhile"))
        })
}

fn read(answer: &Value) -> SkillList {
    let skills = answer["skills"].as_array().into_iter().flatten();
    let mut items: Vec<SkillView> = skills.filter_map(view).take(MOST_SKILLS).collect();
    items.sort_by(|a, b| (a.state, &a.name).cmp(&(b.state, &b.name)));
    SkillList { items }
}

fn view(skill: &Value) -> Option<SkillView> {
    let text = |field: &str, longest: usize| {
        let text = skill[field].as_str()?.trim();
        (!text.is_empty()).then(|| text.chars().take(longest).collect::<String>())
    };
    let name = text("name", LONGEST_NAME)?;
    let missing = SkillMissing {
        env: names(&skill["missing"]["env"]),
        bins: names(&skill["missing"]["bins"]),
        any_bins: names(&skill["missing"]["anyBins"]),
        config: names(&skill["missing"]["config"]),
        os: names(&skill["missing"]["os"]),
    };
    let mut variables = names(&skill["requirements"]["env"]);
    if let Some(main) = text("primaryEnv", LONGEST_NAME)
        && !variables.contains(&main)
    {
        variables.push(main);
    }
    let is = |field: &str| skill[field] == true;
    let eligible = is("eligible");
    let lacks_only_variables = SkillMissing {
        env: Vec::new(),
        ..missing.clone()
    } == SkillMissing::default();
    let state = if is("disabled") || is("blockedByAllowlist") || is("blockedByAgentFilter") {
        SkillState::Inactive
    } else if eligible {
        SkillState::Active
    } else if lacks_only_variables && !missing.env.is_empty() {
        SkillState::NeedsCredentials
    } else {
        SkillState::NotAvailable
    };
    Some(SkillView {
        key: text("skillKey", LONGEST_NAME).unwrap_or_else(|| name.clone()),
        name,
        description: text("description", LONGEST_TEXT).unwrap_or_default(),
        emoji: text("emoji", 8),
        homepage: text("homepage", LONGEST_TEXT)
            .filter(|address| address.starts_with("https://") || address.starts_with("http://")),
        state,
        eligible,
        variables,
        missing,
    })
}

fn names(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|name| name.chars().take(LONGEST_NAME).collect())
        .take(MOST_NAMES)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn skill(name: &str, change: &Value) -> Value {
        let mut skill = json!({
            "name": name, "skillKey": name, "description": "does", "eligible": false, "disabled": false,
            "requirements": {"env": ["A"]}, "missing": {"env": [], "bins": [], "anyBins": [], "config": [], "os": []},
        });
        fractal_openclaw::document::merge_patch(&mut skill, change);
        skill
    }

    #[test]
    fn the_first_thing_in_the_way_is_named() {
        let skills = json!({"skills": [
            skill("mac", &json!({"missing": {"os": ["darwin"], "env": ["A"]}})),
            skill("tool", &json!({"missing": {"anyBins": ["x", "y"]}})),
            skill("off", &json!({"disabled": true, "eligible": true})),
            skill("key", &json!({"missing": {"env": ["A"]}, "primaryEnv": "B"})),
            skill("good", &json!({"eligible": true})),
        ]});
        let list = read(&skills);
        let states: Vec<_> = list
            .items
            .iter()
            .map(|one| (&*one.name, one.state))
            .collect();
        assert_eq!(
            states,
            [
                ("good", SkillState::Active),
                ("key", SkillState::NeedsCredentials),
                ("mac", SkillState::NotAvailable),
                ("tool", SkillState::NotAvailable),
                ("off", SkillState::Inactive),
            ]
        );
        assert_eq!(list.items[1].variables, ["A", "B"]);
        assert_eq!(list.items[1].missing.env, ["A"]);
    }

    #[test]
    fn what_an_agent_wrote_into_its_skills_is_bounded_and_harmless() {
        let odd = json!({"skills": [
            skill("x", &json!({"description": "d".repeat(5000), "homepage": "javascript:alert(1)", "missing": {"env": vec!["V"; 500]}})),
            {"name": 7}, "text", null,
        ]});
        let list = read(&odd);
        assert_eq!(list.items.len(), 1);
        assert_eq!(list.items[0].description.len(), LONGEST_TEXT);
        assert_eq!(list.items[0].homepage, None);
        assert_eq!(list.items[0].missing.env.len(), MOST_NAMES);
        assert!(read(&json!({})).items.is_empty());
    }
}
