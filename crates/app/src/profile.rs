//! A person's agent settings: name, persona, model, what it may do, when it sleeps.

use std::time::Duration;

use async_trait::async_trait;
use fractal_api_types::{ProfileView, ToolAccess, UpdateProfile};
use fractal_policy::{Action, Resource};
use fractal_store::{Profile, Reads, Tx, profiles};
use fractal_types::{Label, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, check, submit},
    instance::wake_configured,
    provider,
    settings::checked_idle_timeout,
};

/// How an agent is, as stored in `profiles.persona`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Persona {
    /// How it should be, in words.
    pub persona: String,
    /// What it should know about its person.
    pub about_me: String,
}

const DEFAULT_AGENT_NAME: &str = "Assistant";

pub(crate) fn persona_of(row: &Profile) -> Persona {
    serde_json::from_value(row.persona.clone()).unwrap_or_default()
}

pub(crate) fn tools_of(row: &Profile) -> ToolAccess {
    serde_json::from_value(row.tools["access"].clone()).unwrap_or_default()
}

pub(crate) fn heartbeat_of(row: &Profile) -> Option<Duration> {
    let minutes: u64 = row.heartbeat_every.as_deref()?.parse().ok()?;
    (minutes > 0).then(|| Duration::from_secs(minutes * 60))
}

/// The profile of a person who has not saved one yet.
pub(crate) fn fresh(app: &App, user_id: UserId) -> Profile {
    let now = app.clock.now();
    Profile {
        id: app.new_id(),
        user_id,
        // A constant that follows the rule.
        agent_name: DEFAULT_AGENT_NAME
            .parse()
            .unwrap_or_else(|_| unreachable!()),
        persona: json!(Persona::default()),
        provider_id: None,
        model: None,
        heartbeat_every: None,
        cron_enabled: false,
        tools: json!({ "access": ToolAccess::default() }),
        idle_timeout_min: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

pub(crate) async fn find_or_fresh(app: &App, db: &dyn Reads, user_id: UserId) -> Result<Profile> {
    Ok(profiles::find_by_user(db, user_id)
        .await?
        .unwrap_or_else(|| fresh(app, user_id)))
}

fn view_of(app: &App, row: Profile) -> ProfileView {
    let persona = persona_of(&row);
    ProfileView {
        id: row.id,
        tools: tools_of(&row),
        heartbeat_minutes: heartbeat_of(&row).map_or(0, |every| {
            u32::try_from(every.as_secs() / 60).unwrap_or(u32::MAX)
        }),
        agent_name: row.agent_name,
        persona: persona.persona,
        about_me: persona.about_me,
        provider_id: row.provider_id,
        model: row.model,
        cron_enabled: row.cron_enabled,
        idle_timeout_minutes: row
            .idle_timeout_min
            .unwrap_or_else(|| app.settings().idle_timeout_minutes),
        updated_at: row.updated_at,
    }
}

/// The caller's profile.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context) -> Result<ProfileView> {
    let owner = cx.user_id()?;
    app.require(
        cx,
        Action::ProfileView,
        &Resource::Profile { id: None, owner },
    )?;
    Ok(view_of(
        app,
        find_or_fresh(app, &app.store.read(), owner).await?,
    ))
}

/// Changes the caller's profile; running agents take it over.
///
/// # Errors
///
/// Names the field that breaks its rule; see [`submit`].
pub async fn update(app: &App, cx: &Context, body: UpdateProfile) -> Result<ProfileView> {
    let owner = cx.user_id()?;
    for (text, field) in [(&body.persona, "/persona"), (&body.about_me, "/about_me")] {
        let valid = text
            .as_ref()
            .is_none_or(|text| text.chars().count() <= 4000);
        check(valid, field, "must be at most 4000 characters")?;
    }
    if let Some(model) = &body.model {
        let valid =
            !model.trim().is_empty() && model.len() <= 200 && !model.chars().any(char::is_control);
        check(
            valid,
            "/model",
            "must be 1 to 200 characters without control characters",
        )?;
    }
    if let Some(minutes) = body.heartbeat_minutes {
        check(
            minutes <= 10_080,
            "/heartbeat_minutes",
            "must be at most 10080 minutes",
        )?;
    }
    if let Some(minutes) = body.idle_timeout_minutes {
        checked_idle_timeout(minutes)?;
    }
    let row = submit(app, cx, Update { owner, body }).await?;
    wake_configured(app, cx.actor.organization_id, Some(owner)).await?;
    Ok(view_of(app, row))
}

struct Update {
    owner: UserId,
    body: UpdateProfile,
}

#[async_trait]
impl Change for Update {
    type Output = Profile;

    fn action(&self) -> Action {
        Action::ProfileUpdate
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::Profile {
            id: None,
            owner: self.owner,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Profile> {
        let (app, body) = (door.app, &self.body);
        let stored = profiles::find_by_user(door.tx, self.owner).await?;
        let is_new = stored.is_none();
        let mut row = stored.unwrap_or_else(|| fresh(app, self.owner));
        let mut persona = persona_of(&row);
        if let Some(name) = &body.agent_name {
            row.agent_name = Label::clone(name);
        }
        if let Some(text) = &body.persona {
            persona.persona.clone_from(text);
        }
        if let Some(text) = &body.about_me {
            persona.about_me.clone_from(text);
        }
        row.persona = json!(persona);
        if let Some(id) = body.provider_id {
            if provider::usable(app, door.tx, id, self.owner)
                .await?
                .is_none()
            {
                return Err(Error::field(
                    "/provider_id",
                    "must be one of your providers or a shared one",
                ));
            }
            row.provider_id = Some(id);
        }
        if let Some(model) = &body.model {
            row.model = Some(model.trim().to_owned());
        }
        if let Some(tools) = body.tools {
            row.tools = json!({ "access": tools });
        }
        if let Some(minutes) = body.heartbeat_minutes {
            row.heartbeat_every = (minutes > 0).then(|| minutes.to_string());
        }
        if let Some(cron) = body.cron_enabled {
            row.cron_enabled = cron;
        }
        if let Some(minutes) = body.idle_timeout_minutes {
            row.idle_timeout_min = Some(minutes);
        }
        row.updated_at = app.clock.now();
        row.version += 1;
        if is_new {
            profiles::insert(door.tx, &row).await?;
        } else {
            profiles::update(door.tx, &row).await?;
        }
        door.made(row.id);
        // What an agent is like is its owner's business; the log keeps only that it changed and what is not personal.
        door.note("model", json!(row.model));
        door.note("provider_id", json!(row.provider_id));
        door.note("tools", row.tools["access"].clone());
        door.note("version", row.version);
        Ok(row)
    }
}
