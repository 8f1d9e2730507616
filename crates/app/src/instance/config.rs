//! From rows to the configuration document an instance is given.
//!
//! Owner, provider, real model and key are bound at the broker; the document knows only stable aliases, so most
//! changes touch no gateway at all (design sections 5 and 7).

use std::{path::Path, time::Duration};

use fractal_api_types::ToolAccess;
use fractal_crypto::{TokenHash, canonical_json};
use fractal_openclaw::document::{
    AgentSettings, BrokerEndpoint, ExecMode, GatewaySettings, ModelAlias, ModelRef, Persona,
    Rendered, ToolPolicy, ToolProfile, WireModels, WorkspaceFile, render, workspace_files,
};
use fractal_runtime::layout;
use fractal_store::{Instance, Profile, Reads, Revision, Tx, instances, profiles, revisions};
use fractal_types::Wire;
use serde_json::{Value, json};

use crate::{App, Error, Result, profile, provider, skill_credential};

/// Where the agent's files are inside the sandbox.
const WORKSPACE: &str = "workspace";

/// What an instance should be given now.
#[derive(Debug, Clone)]
pub(crate) struct Desired {
    /// The document.
    pub rendered: Rendered,
    /// The persona as files.
    pub files: Vec<WorkspaceFile>,
    /// Identifies document and files together.
    pub hash: String,
    /// Identifies the wires and models alone: when it changes, readiness is proven again.
    pub wires_hash: String,
}

/// Files that belong to the profile: they are written at every start, so that nothing an agent was talked into
/// persists in its persona. The others are the agent's own once they exist.
fn is_profile_owned(name: &str) -> bool {
    matches!(name, "SOUL.md" | "IDENTITY.md" | "USER.md")
}

impl Desired {
    /// The answer to `GET /api/internal/agent-config/{id}`.
    pub fn answer(&self, revision: &Revision) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|file| {
                json!({ "path": format!("{WORKSPACE}/{}", file.name), "content": file.content, "replace": is_profile_owned(file.name) })
            })
            .collect();
        json!({
            "revision": revision.number,
            "config": self.rendered.config,
            "owned": self.rendered.owned,
            "exclusive": self.rendered.exclusive,
            "files": files,
            "gateway_port": layout::GATEWAY_PORT,
        })
    }

    /// The document as it may be stored and shown: without secrets.
    fn redacted(&self) -> Value {
        let mut config = self.rendered.config.clone();
        for pointer in &self.rendered.secrets {
            if let Some(value) = config.pointer_mut(pointer) {
                *value = json!("redacted");
            }
        }
        json!({ "document": config, "files": self.files.iter().map(|file| file.name).collect::<Vec<_>>() })
    }

    /// The files that are set live when the profile changes.
    pub fn profile_files(&self) -> impl Iterator<Item = &WorkspaceFile> {
        self.files.iter().filter(|file| is_profile_owned(file.name))
    }
}

/// Renders what an instance should be given now.
///
/// # Errors
///
/// When rows cannot be read, secrets not opened, or the result would be refused by a gateway.
pub(crate) async fn desired(app: &App, db: &dyn Reads, row: &Instance) -> Result<Desired> {
    let profile = match profiles::find_by_user(db, row.user_id).await? {
        Some(profile) => profile,
        None => profile::fresh(app, row.user_id),
    };
    let wire = match profile.provider_id {
        Some(id) => provider::usable(app, db, id, row.user_id)
            .await?
            .map_or(Wire::OpenaiCompletions, |provider| provider.wire),
        None => Wire::OpenaiCompletions,
    };
    let instance_token = app.open_instance_token(db, row, "instance_token").await?;
    let gateway_token = app.open_instance_token(db, row, "gateway_token").await?;
    let home = Path::new(layout::HOME);
    let settings = GatewaySettings {
        port: layout::GATEWAY_PORT,
        gateway_token,
        broker: BrokerEndpoint {
            base_url: format!("http://127.0.0.1:{}", layout::LISTENER_PORT),
            instance_token,
        },
        wires: wires(),
        primary: ModelRef {
            wire,
            alias: "default".to_owned(),
        },
        agent: AgentSettings {
            name: profile.agent_name.as_str().to_owned(),
            emoji: None,
            workspace: home.join(WORKSPACE),
        },
        tools: tools(profile::tools_of(&profile)),
        skills: skill_credential::opened(app, db, row.user_id).await?,
        heartbeat_every: profile::heartbeat_of(&profile),
        cron_enabled: profile.cron_enabled,
        log_file: home.join("gateway.log"),
    };
    let rendered = render(&settings).map_err(Error::internal)?;
    let files = workspace_files(&persona(&profile));
    let hash = digest(&json!({
        "document": rendered.hash,
        "files": files.iter().map(|file| json!([file.name, file.content])).collect::<Vec<_>>(),
    }));
    let wires_hash = digest(&json!({
        "models": rendered.config["models"],
        "primary": rendered.config.pointer("/agents/defaults/model"),
    }));
    Ok(Desired {
        rendered,
        files,
        hash,
        wires_hash,
    })
}

/// Every wire with its alias, always: changing the provider's kind then changes one value and restarts nothing.
fn wires() -> Vec<WireModels> {
    Wire::ALL
        .iter()
        .map(|wire| {
            let mut aliases = vec![ModelAlias::new("default")];
            if *wire == Wire::OpenaiCompletions {
                aliases.push(ModelAlias::new("probe"));
            }
            WireModels {
                wire: *wire,
                aliases,
            }
        })
        .collect()
}

fn tools(access: ToolAccess) -> ToolPolicy {
    match access {
        ToolAccess::None => ToolPolicy {
            profile: ToolProfile::Minimal,
            exec: ExecMode::Deny,
            ..ToolPolicy::default()
        },
        ToolAccess::Ask => ToolPolicy {
            exec: ExecMode::Ask,
            ..ToolPolicy::default()
        },
        // The sandbox is the boundary: inside it there is nothing that is not the owner's.
        ToolAccess::Full => ToolPolicy {
            exec: ExecMode::Full,
            ..ToolPolicy::default()
        },
    }
}

fn persona(profile: &Profile) -> Persona {
    let words = profile::persona_of(profile);
    let given = |text: String| (!text.trim().is_empty()).then_some(text);
    Persona {
        name: profile.agent_name.as_str().to_owned(),
        tone: given(words.persona),
        about_person: given(words.about_me),
        ..Persona::default()
    }
}

fn digest(value: &Value) -> String {
    TokenHash::of(&canonical_json(value))
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Notes that an instance has been given this; the same again makes no new revision.
///
/// # Errors
///
/// When the database fails.
pub(crate) async fn note_revision(
    app: &App,
    tx: &Tx,
    row: &Instance,
    desired: &Desired,
) -> Result<Revision> {
    let latest = revisions::find_latest(tx, row.id).await?;
    if let Some(revision) = latest
        .as_ref()
        .filter(|revision| revision.hash == desired.hash)
    {
        if row.revision_id != Some(revision.id) {
            instances::set_revision(tx, row.id, revision.id, app.clock.now()).await?;
        }
        return Ok(revision.clone());
    }
    let revision = Revision {
        id: app.new_id(),
        instance_id: row.id,
        number: latest.map_or(1, |revision| revision.number + 1),
        config: desired.redacted(),
        hash: desired.hash.clone(),
        created_at: app.clock.now(),
    };
    revisions::insert(tx, &revision).await?;
    instances::set_revision(tx, row.id, revision.id, app.clock.now()).await?;
    Ok(revision)
}

/// What a starting instance is answered; it becomes its revision.
///
/// # Errors
///
/// `not-found` for an instance that is gone.
pub async fn agent_config(app: &App, id: fractal_types::InstanceId) -> Result<Value> {
    app.store
        .tx("instances.agent_config", async |tx: Tx| {
            let row = instances::find(&tx, id)
                .await?
                .filter(|row| row.deleted_at.is_none())
                .ok_or_else(Error::not_found)?;
            let desired = desired(app, &tx, &row).await?;
            let revision = note_revision(app, &tx, &row, &desired).await?;
            Ok::<_, Error>(desired.answer(&revision))
        })
        .await
}

/// How long the gateway gets to end by itself. It announces 315 s when busy (`openclaw.md` section 1), which is more than
/// somebody who pressed "stop" wants to wait.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(25);
