//! `fractal demo`: the whole path without a browser, in a throw-away data folder.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use fractal_api_types::{
    ChatEvent, ChatRequest, ClaimBreakglass, CreateInstance, CreateProvider, UpdateProfile,
};
use fractal_app::{ClientInfo, instance, onboarding, profile, provider};
use fractal_config::{OnExit, SecretKeySource, Settings};
use fractal_crypto::MasterKey;
use fractal_types::ProviderKind;
use futures::StreamExt;
use secrecy::SecretString;

use crate::{House, Meter, telemetry, terminal};

const MESSAGE: &str = "Hello! What can you tell me about how you got this message?";

/// Installs the engine if needed, starts an isolated gateway, streams one reply, cleans up.
///
/// # Errors
///
/// Whatever kept the reply from coming, with the remedy.
pub async fn demo(mut settings: Settings) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("fractal-demo-").tempdir()?;
    // The instance's own user must be able to pass through to its home.
    std::fs::set_permissions(
        folder.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o711),
    )?;
    settings.data_dir = folder.path().join("data");
    settings.database_url = SecretString::from(format!(
        "sqlite://{}",
        settings.data_dir.join("fractal.db").display()
    ));
    // Nobody calls from outside.
    settings.tls = None;
    settings.secret_key = SecretKeySource::Variable(
        MasterKey::generate(1, &fractal_clock::SystemEntropy).to_base64(),
    );
    if std::env::var_os("FRACTAL_LOG_LEVEL").is_none() {
        settings.log_level = "warn".to_owned();
    }
    telemetry::start(&settings)?;
    let mut phases = Phases::new();
    let house = House::open(&settings, Meter::for_command()).await?;
    phases.done("house opened (database, keys, policies, sandbox check)");
    let result = tokio::select! {
        result = show(&house, &mut phases) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    house.close(OnExit::Stop).await;
    phases.done("gateway stopped and everything removed");
    drop(folder);
    result?;
    phases.print();
    Ok(())
}

async fn show(house: &House, phases: &mut Phases) -> Result<()> {
    let app = &house.app;
    let client = ClientInfo {
        address: [127, 0, 0, 1].into(),
        user_agent: Some("fractal demo".to_owned()),
    };
    let setup = house
        .setup
        .as_ref()
        .context("the throw-away installation is claimed already")?;
    let claim = ClaimBreakglass {
        username: "demo".parse()?,
        password: format!("demo-{}", app.new_id::<fractal_types::RequestId>()),
    };
    let session = onboarding::claim(app, Some(&setup.token), claim, &client).await?;
    let cx = app
        .authenticate_session(&session.token)
        .await?
        .context("the session is not valid")?;
    let demo = CreateProvider {
        kind: ProviderKind::Demo,
        name: "Demo".parse()?,
        base_url: None,
        api_key: None,
        models: None,
        wire: None,
        shared: None,
        allow_private_network: None,
    };
    let demo = provider::create(app, &cx, demo).await?;
    let change = UpdateProfile {
        provider_id: Some(demo.id),
        model: Some("demo".to_owned()),
        ..UpdateProfile::default()
    };
    profile::update(app, &cx, change).await?;
    let (agent, _) = instance::create(
        app,
        &cx,
        CreateInstance {
            name: "Demo agent".parse()?,
            engine_id: None,
            start: Some(true),
        },
    )
    .await?;
    phases.done("account, provider and agent made");

    let mut told = String::new();
    let run = house.chat.start(
        cx.actor.clone(),
        agent.id,
        ChatRequest {
            message: Some(MESSAGE.to_owned()),
            ..ChatRequest::default()
        },
    )?;
    println!("\nYou: {MESSAGE}\n");
    let mut events = Box::pin(run.events());
    let mut ticker = tokio::time::interval(Duration::from_millis(500));
    let mut first_word = false;
    let mut answered = false;
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = ticker.tick(), if !first_word => {
                let row = instance::view(app, &cx, agent.id).await?;
                // While the engine is being installed the meter tells more.
                if row.engine_progress.is_none() {
                    let line = format!("{}{}", row.seen, row.reason.map(|reason| format!(": {reason}")).unwrap_or_default());
                    if line != told {
                        terminal::say(&format!("  [{line}]"));
                        told = line;
                    }
                }
                if row.seen.answers() && !answered {
                    answered = true;
                    phases.done("engine installed, isolated gateway started and proven by a turn");
                }
                continue;
            }
        };
        match event {
            None => bail!("the turn ended without a word"),
            Some((_, ChatEvent::Delta { text, .. })) => {
                if !first_word {
                    first_word = true;
                    if !answered {
                        phases.done(
                            "engine installed, isolated gateway started and proven by a turn",
                        );
                    }
                    phases.done("first word of the reply");
                    print!("Agent: ");
                }
                print!("{text}");
                std::io::stdout().flush()?;
            }
            Some((_, ChatEvent::Final { .. })) => {
                println!("\n");
                phases.done("reply complete");
                return Ok(());
            }
            Some((
                _,
                ChatEvent::Error {
                    message, remedy, ..
                },
            )) => {
                bail!(
                    "{message}{}",
                    remedy
                        .map(|remedy| format!(" {remedy}"))
                        .unwrap_or_default()
                )
            }
            Some(_) => {}
        }
    }
}

/// How long each part took.
struct Phases {
    last: Instant,
    rows: Vec<(&'static str, Duration)>,
}

impl Phases {
    fn new() -> Self {
        Self {
            last: Instant::now(),
            rows: Vec::new(),
        }
    }

    fn done(&mut self, what: &'static str) {
        self.rows.push((what, self.last.elapsed()));
        self.last = Instant::now();
    }

    fn print(&self) {
        println!("How long it took:");
        for (what, took) in &self.rows {
            println!("  {:>8.2} s  {what}", took.as_secs_f64());
        }
        let total: Duration = self.rows.iter().map(|(_, took)| *took).sum();
        println!("  {:>8.2} s  in all", total.as_secs_f64());
    }
}
