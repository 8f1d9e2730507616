//! `fractal skills`. A value is asked for or read from standard input; an argument would show in the list of processes.

use fractal_api_types::{SetSkillCredential, SkillCredentialView, SkillState, SkillView};
use fractal_client::{Client, collect_pages};
use fractal_types::{InstanceId, SkillKey, Timestamp};
use secrecy::ExposeSecret;

use super::{Session, instances};
use crate::{
    args::Skills,
    cells,
    exit::{Advice, UsageError},
    output::Row,
    prompt,
    table::{Cell, Tone},
    text::relative,
};

impl Row for SkillView {
    const HEAD: &'static [&'static str] = &["skill", "state", "variables", "lacks", "what for"];
    const NONE: &'static str = "this agent has no skills";

    fn cells(&self, _now: Timestamp) -> Vec<Cell> {
        let (word, tone) = match self.state {
            SkillState::Active => ("active", Tone::Good),
            SkillState::NeedsCredentials => ("needs credentials", Tone::Attention),
            SkillState::NotAvailable => ("not available", Tone::Plain),
            SkillState::Inactive => ("inactive", Tone::Plain),
        };
        let mut cells = cells![&self.key];
        cells.push(Cell::toned(word, tone));
        cells.extend(cells![
            self.variables.join(", "),
            lacks(self),
            &self.description
        ]);
        cells
    }
}

fn lacks(skill: &SkillView) -> String {
    let missing = &skill.missing;
    [
        ("", missing.env.join(", ")),
        ("program ", missing.bins.join(", ")),
        ("one of the programs ", missing.any_bins.join(", ")),
        ("setting ", missing.config.join(", ")),
        ("system ", missing.os.join(", ")),
    ]
    .into_iter()
    .filter(|(_, names)| !names.is_empty())
    .map(|(what, names)| format!("{what}{names}"))
    .collect::<Vec<_>>()
    .join("; ")
}

impl Row for SkillCredentialView {
    const HEAD: &'static [&'static str] = &["id", "skill", "variable", "value", "stored"];
    const NONE: &'static str =
        "no variables are stored; store one with `fractal skills set SKILL VARIABLE`";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        cells![
            self.id,
            &self.skill,
            &self.name,
            &self.hint,
            relative(self.updated_at, now),
        ]
    }
}

pub async fn run(session: &Session, command: Skills) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Skills::List { agent, wake } => {
            let id = the_agent(client, agent).await?;
            out.list(client.skills(id, wake).await?.items)
        }
        Skills::Stored => out.list(stored(client).await?),
        Skills::Set { skill, variable } => {
            let value = prompt::whole_secret(&format!("value of {variable}"))?;
            let now = client
                .set_skill_credential(&SetSkillCredential {
                    skill,
                    name: variable,
                    value: value.expose_secret().to_owned(),
                })
                .await?;
            let sentence = format!(
                "stored {} for {}; running agents take it over",
                now.name, now.skill
            );
            out.done(&now, &sentence)
        }
        Skills::Remove {
            skill,
            variable,
            yes,
        } => {
            let mut all = stored(client).await?;
            all.retain(|one| {
                one.skill == skill && variable.as_ref().is_none_or(|name| *name == one.name)
            });
            if all.is_empty() {
                return Err(nothing_stored(&skill));
            }
            if variable.is_none() {
                prompt::confirm(
                    &format!("Remove all {} variables of {skill}?", all.len()),
                    yes,
                )?;
            }
            for one in &all {
                client.delete_skill_credential(one.id).await?;
                out.done_nothing(&format!("removed {} of {skill}", one.name));
            }
            Ok(())
        }
    }
}

async fn stored(client: &Client) -> anyhow::Result<Vec<SkillCredentialView>> {
    Ok(collect_pages(
        None,
        |page| async move { client.skill_credentials(&page).await },
    )
    .await?)
}

fn nothing_stored(skill: &SkillKey) -> anyhow::Error {
    Advice::error(
        format!("no such variable is stored for {skill}"),
        "see what is with `fractal skills stored`",
    )
}

/// The named agent, or the only one.
async fn the_agent(client: &Client, named: Option<String>) -> anyhow::Result<InstanceId> {
    if let Some(wanted) = named {
        return instances::find(client, &wanted).await;
    }
    let own = collect_pages(
        None,
        |page| async move { client.instances(&page, false).await },
    )
    .await?;
    match own.as_slice() {
        [only] => Ok(only.id),
        [] => Err(Advice::error(
            "you have no agent yet",
            "make one with `fractal instances create NAME`",
        )),
        _ => Err(anyhow::Error::new(UsageError(
            "you have several agents; say which one".to_owned(),
        ))),
    }
}
