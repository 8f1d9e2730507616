//! The first start: claim, sign-in, provider, agent, done.
//!
//! The claim is open to whoever holds the setup token; every later step is for administrators, and none of them can be repeated after
//! setup was completed.

use async_trait::async_trait;
use fractal_api_types::{
    ClaimBreakglass, CreateInstance, CreateProvider, OnboardingAgent, OnboardingAgentResult,
    OnboardingOidc, OnboardingProviderResult, OnboardingStatus, OnboardingSteps, PageQuery,
    ProblemCode, UpdateProfile,
};
use fractal_crypto::{Token, TokenHash, TokenKind};
use fractal_policy::{Action, Resource};
use fractal_store::{
    PageRequest, Reads, Tx, User, identity_providers, instances, providers,
    system_config::{self, Key, OIDC_STEP_DONE, ONBOARDING_COMPLETED, SETUP_TOKEN_HASH},
    users,
};
use fractal_types::{BrowserSessionId, Role, Timestamp, Via};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    App, ClientInfo, Context, Error, Result,
    change::{Change, Door, submit},
    identity_provider, instance, profile, provider,
    session::{self, SignedIn, Tries, password},
    user::NewPerson,
};

/// How far setup is. Open to everybody, so it says nothing but that.
///
/// # Errors
///
/// When the database fails.
pub async fn status(app: &App) -> Result<OnboardingStatus> {
    let read = app.store.read();
    let (organization, one) = (
        app.organization_id,
        PageRequest {
            limit: 1,
            ..PageRequest::default()
        },
    );
    let admins = users::list_breakglass(&read, organization).await?;
    let oidc = system_config::find(&read, &OIDC_STEP_DONE)
        .await?
        .unwrap_or(false)
        || !identity_providers::list(&read, organization)
            .await?
            .is_empty();
    // What the first administrator sees: theirs and the shared ones.
    let provider = match admins.first() {
        Some(admin) => !providers::list(&read, organization, Some(admin.id), &one)
            .await?
            .items
            .is_empty(),
        None => false,
    };
    let agent = !instances::list(&read, organization, None, &one)
        .await?
        .items
        .is_empty();
    let steps = OnboardingSteps {
        breakglass: !admins.is_empty(),
        oidc,
        provider,
        agent,
    };
    Ok(OnboardingStatus {
        completed: is_completed(&read).await?,
        steps,
    })
}

async fn is_completed(db: &dyn Reads) -> Result<bool> {
    Ok(system_config::find(db, &ONBOARDING_COMPLETED)
        .await?
        .unwrap_or(false))
}

fn done() -> Error {
    Error::new(ProblemCode::SetupDone)
}

/// Makes the first administrator. Of several claims at once exactly one succeeds.
///
/// # Errors
///
/// `setup-done` when it was claimed, `setup-token-refused`, `too-many-attempts`; names the field that breaks its rule, and then the token
/// stays valid.
pub async fn claim(
    app: &App,
    token: Option<&SecretString>,
    body: ClaimBreakglass,
    client: &ClientInfo,
) -> Result<SignedIn> {
    let read = app.store.read();
    let stored = system_config::find(&read, &SETUP_TOKEN_HASH)
        .await?
        .ok_or_else(done)?;
    let attempt = Tries::Setup
        .begin(app, client.address, &client.address.to_string())
        .await?;
    if !is_right(token, &stored) {
        let mut cx = Context::system(app.organization_id);
        cx.actor.via = Via::SetupToken;
        app.record(
            &cx,
            "setup.claim",
            "user",
            String::new(),
            "refused",
            serde_json::json!({}),
            Vec::new(),
        )
        .await?;
        return Err(Error::new(ProblemCode::SetupTokenRefused)
            .detail("the setup token is missing or wrong")
            .remedy("open the address that `fractal serve` printed, or take the token from the file setup-token in the data folder"));
    }
    attempt.take_back(app).await?;
    let hash = password::hash(app, "/password", body.password, body.username.as_str()).await?;
    let mut person = NewPerson::new(app, body.username, None, Role::Owner, Some(hash));
    person.breakglass = true;
    let mut cx = Context::system(app.organization_id);
    cx.actor.via = Via::SetupToken;
    let (user, opened) = submit(
        app,
        &cx,
        Claim {
            person,
            client: client.clone(),
        },
    )
    .await?;
    remove_token_file(app);
    session::signed_in(app, &user, opened).await
}

/// The stored form is the hash as hex. Hashes of both are compared, which takes constant time.
fn is_right(token: Option<&SecretString>, stored: &str) -> bool {
    let parsed = token
        .and_then(|text| Token::parse_kind(text.expose_secret().trim(), TokenKind::Setup).ok());
    parsed.is_some_and(|token| {
        let hex: String = token
            .hash()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        TokenHash::of(&hex) == TokenHash::of(stored)
    })
}

fn remove_token_file(app: &App) {
    let Some(path) = &app.setup_token_file else {
        return;
    };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            // Worthless now that its hash is gone, but it should not lie around.
            tracing::warn!(path = %path.display(), error = %error, "the file with the used setup token could not be removed");
        }
        _ => {}
    }
}

struct Claim {
    person: NewPerson,
    client: ClientInfo,
}

#[async_trait]
impl Change for Claim {
    type Output = (User, (BrowserSessionId, SecretString));

    fn action(&self) -> Action {
        Action::UserCreate
    }

    async fn resource(&self, _tx: &Tx, cx: &Context) -> Result<Resource> {
        let organization = cx.actor.organization_id;
        Ok(Resource::User {
            id: None,
            organization,
            role: Role::Owner,
            becomes: None,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Self::Output> {
        if !system_config::delete(door.tx, &SETUP_TOKEN_HASH).await? {
            return Err(done());
        }
        let user = self.person.insert(door).await?;
        let opened = session::open(door.app, door.tx, &user, &self.client, "setup").await?;
        Ok((user, opened))
    }
}

/// Later steps are for administrators, and until setup is complete.
async fn check_step(app: &App, cx: &Context) -> Result<()> {
    app.require(cx, Action::SettingsUpdate, &Resource::Settings)?;
    if is_completed(&app.store.read()).await? {
        Err(done())
    } else {
        Ok(())
    }
}

/// Sets up an identity provider, or skips the step.
///
/// # Errors
///
/// `setup-done`; see [`identity_provider::create`], whose fields stand below `/provider`.
pub async fn oidc(app: &App, cx: &Context, body: OnboardingOidc) -> Result<OnboardingStatus> {
    check_step(app, cx).await?;
    match (body.skip, body.provider) {
        (true, None) => {}
        (true, Some(_)) => {
            return Err(Error::field(
                "/provider",
                "must be absent when the step is skipped",
            ));
        }
        (false, None) => {
            return Err(Error::field(
                "/provider",
                "is needed unless the step is skipped",
            ));
        }
        (false, Some(body)) => {
            identity_provider::create(app, cx, body)
                .await
                .map_err(below_provider)?;
        }
    }
    submit(
        app,
        cx,
        Mark {
            key: &OIDC_STEP_DONE,
            name: "oidc_step_done",
            now: app.clock.now(),
        },
    )
    .await?;
    status(app).await
}

fn below_provider(mut error: Error) -> Error {
    for field in &mut error.fields {
        field.field.insert_str(0, "/provider");
    }
    error
}

/// Adds the first model provider and tests it. It is kept when the test fails, so that it can be corrected.
///
/// # Errors
///
/// `setup-done`; see [`provider::create`].
pub async fn provider(
    app: &App,
    cx: &Context,
    body: CreateProvider,
) -> Result<OnboardingProviderResult> {
    check_step(app, cx).await?;
    let id = provider::create(app, cx, body).await?.id;
    let test = provider::test(app, cx, id).await?;
    Ok(OnboardingProviderResult { id, test })
}

/// Makes the first agent and starts it. Asking again for the same name leads to the same agent.
///
/// # Errors
///
/// `setup-done`; names the field that breaks its rule.
pub async fn agent(
    app: &App,
    cx: &Context,
    body: OnboardingAgent,
) -> Result<OnboardingAgentResult> {
    check_step(app, cx).await?;
    let provider_id = match body.provider_id {
        Some(id) => id,
        None => {
            let newest = PageQuery {
                limit: Some(1),
                ..PageQuery::default()
            };
            let page = provider::list(app, cx, &newest).await?;
            let first = page.items.into_iter().next();
            first
                .ok_or_else(|| {
                    Error::field(
                        "/provider_id",
                        "there is no model provider yet; add one first",
                    )
                })?
                .id
        }
    };
    let change = UpdateProfile {
        agent_name: Some(body.name.clone()),
        persona: body.persona,
        provider_id: Some(provider_id),
        model: Some(body.model),
        ..UpdateProfile::default()
    };
    profile::update(app, cx, change).await?;
    let same = instances::find_by_name(&app.store.read(), cx.user_id()?, &body.name).await?;
    let instance_id = match same {
        Some(row) => row.id,
        None => {
            instance::create(
                app,
                cx,
                CreateInstance {
                    name: body.name,
                    engine_id: None,
                    start: None,
                },
            )
            .await?
            .0
            .id
        }
    };
    Ok(OnboardingAgentResult { instance_id })
}

/// Finishes setup.
///
/// # Errors
///
/// `setup-done` when it was finished already.
pub async fn complete(app: &App, cx: &Context) -> Result<OnboardingStatus> {
    check_step(app, cx).await?;
    submit(
        app,
        cx,
        Mark {
            key: &ONBOARDING_COMPLETED,
            name: "onboarding_completed",
            now: app.clock.now(),
        },
    )
    .await?;
    status(app).await
}

/// Notes that a step is done.
struct Mark {
    key: &'static Key<bool>,
    name: &'static str,
    now: Timestamp,
}

#[async_trait]
impl Change for Mark {
    type Output = ();

    fn action(&self) -> Action {
        Action::SettingsUpdate
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::Settings)
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        system_config::set(door.tx, self.key, &true, self.now).await?;
        door.note(self.name, true);
        Ok(())
    }
}
