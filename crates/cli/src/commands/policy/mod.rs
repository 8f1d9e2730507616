//! `fractal policy`: access rules. Those of the release and the grammar need no server; what is in force and what others would do is
//! asked of one.

mod text;
mod tried;

use std::{fs, path::Path, process::ExitCode};

use anyhow::Context;
use fractal_api_types::{
    CheckPolicy, PolicyActor, PolicyOwner, PolicyRequest, PolicyResource, PolicyTest,
    PolicyVersionView, SimulatePolicy, UpdatePolicy,
};
use fractal_client::collect_pages;
use fractal_types::Timestamp;
use serde_json::json;

use super::Session;
use crate::{
    args::Policy,
    cells,
    output::{Row, write_out},
    place, prompt, seams,
    table::Cell,
    text::relative,
};

impl Row for PolicyVersionView {
    const HEAD: &'static [&'static str] = &["version", "in force", "by", "when", "comment"];
    const NONE: &'static str = "no access rules were ever added; the built-in ones are in force";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let author = self.author.as_ref();
        cells![
            self.version,
            if self.in_force { "yes" } else { "" },
            author.map_or_else(String::new, |author| author.username.to_string()),
            relative(self.created_at, now),
            &self.comment,
        ]
    }
}

pub async fn run(session: &Session, command: Policy) -> anyhow::Result<ExitCode> {
    match command {
        Policy::Show { name } => text::show(session, name.as_deref())?,
        Policy::Check { file, tests: None } => return text::check(session, &file),
        Policy::Check {
            file,
            tests: Some(tests),
        } => {
            let body = CheckPolicy {
                text: text::read(&file)?,
                tests: Some(read_tests(&tests)?),
            };
            let check = session.client()?.check_policy(&body).await?;
            return tried::checked(session, &file, &check);
        }
        Policy::Get { version, tests } => get(session, version, tests).await?,
        Policy::Versions => {
            let client = &session.client()?;
            let all = collect_pages(
                None,
                |page| async move { client.policy_versions(&page).await },
            );
            session.out.list(all.await?)?;
        }
        Policy::Put {
            file,
            tests,
            comment,
            base,
        } => {
            let client = session.client()?;
            let body = UpdatePolicy {
                base_version: match base {
                    Some(base) => base,
                    None => client.policy().await?.version,
                },
                text: text::read(&file)?,
                tests: tests.as_deref().map(read_tests).transpose()?,
                comment,
            };
            let view = client.update_policy(&body).await?;
            let sentence = format!("version {} of the access rules is in force", view.version);
            session.out.done(&view, &sentence)?;
        }
        Policy::Simulate { file } => {
            let body = SimulatePolicy {
                text: Some(text::read(&file)?),
                request: None,
            };
            let answer = session.client()?.simulate_policy(&body).await?;
            tried::impact(session, &answer)?;
        }
        Policy::Ask {
            action,
            on,
            id,
            owner,
            user,
            role,
            rules,
        } => {
            let noun = action.split('.').next().unwrap_or_default().to_owned();
            let request = PolicyRequest {
                actor: PolicyActor {
                    user,
                    role,
                    ..PolicyActor::default()
                },
                resource: PolicyResource {
                    kind: on.unwrap_or_else(|| usual_kind(&noun)),
                    id,
                    owner: owner.as_deref().map(|owner| match owner {
                        "other" => PolicyOwner::Other,
                        "organization" => PolicyOwner::Organization,
                        _ => PolicyOwner::Oneself,
                    }),
                    role: None,
                    becomes: None,
                },
                action,
                approved: false,
            };
            let body = SimulatePolicy {
                text: rules.as_deref().map(text::read).transpose()?,
                request: Some(request),
            };
            let answer = session.client()?.simulate_policy(&body).await?;
            return tried::answer(session, &answer);
        }
        Policy::Reset { machine, yes } => {
            let settings = place::of(machine)?;
            if !seams::in_use(&settings) {
                session.acts_here()?;
            }
            prompt::confirm("Take all added access rules out of force?", yes)?;
            let removed = if seams::in_use(&settings) {
                let before = session.client()?.policy().await?;
                let client = session.client()?;
                client.reset_policy().await.context(
                    "a server runs on this data folder, so it was asked to reset the access rules",
                )?;
                !before.text.is_empty()
            } else {
                session.acts_here()?;
                seams::reset_policy(&settings).await?
            };
            let sentence = if removed {
                "the built-in access rules are in force, and no others; the added ones stay among the versions"
            } else {
                "the built-in access rules are in force, and no others: there were no added ones to remove"
            };
            session
                .out
                .done(&json!({"reset": true, "removed": removed}), sentence)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn get(session: &Session, version: Option<u64>, tests: bool) -> anyhow::Result<()> {
    let client = session.client()?;
    let (number, text, its_tests) = match version {
        Some(number) => {
            let view = client.policy_version(number).await?;
            (view.version, view.text, view.tests)
        }
        None => {
            let view = client.policy().await?;
            (view.version, view.text, view.tests)
        }
    };
    if tests {
        return session.out.value(&its_tests);
    }
    if session.out.json {
        let whole = json!({"version": number, "text": text, "tests": its_tests});
        return session.out.value(&whole);
    }
    write_out(&text)
}

/// The noun of an action is the kind of its thing, but for these.
fn usual_kind(noun: &str) -> String {
    match noun {
        "chat" | "model" | "agent_config" => "instance",
        "session" => "browser_session",
        "token" => "api_token",
        "key" | "policy" => "settings",
        "skill" => "instance",
        "asset" => "runtime_asset",
        other => other,
    }
    .to_owned()
}

fn read_tests(file: &Path) -> anyhow::Result<Vec<PolicyTest>> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read {}; name a JSON file", file.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no list of tests; print those in force with `fractal policy get --tests` to see their form",
            file.display()
        )
    })
}
