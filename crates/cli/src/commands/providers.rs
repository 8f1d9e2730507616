//! `fractal providers`.

use fractal_api_types::{CreateProvider, ProviderTest, ProviderView, UpdateProvider};
use fractal_client::{Client, collect_pages};
use fractal_types::{ProviderId, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::{Session, by_name};
use crate::{
    args::{AddProvider, ChangeProvider, Providers},
    cells,
    exit::Advice,
    output::Row,
    prompt,
    table::{Cell, Tone},
    text::{relative_or, yes_no},
};

impl Row for ProviderView {
    const HEAD: &'static [&'static str] = &[
        "id", "name", "type", "key", "shared", "answers", "checked", "models", "error",
    ];
    const NONE: &'static str = "there are no providers; add one with `fractal providers add TYPE`";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let mut cells = cells![
            self.id,
            &self.name,
            self.kind,
            self.key_hint.as_deref().unwrap_or("none"),
            yes_no(self.shared),
        ];
        cells.push(match self.ok {
            Some(true) => Cell::toned("yes", Tone::Good),
            Some(false) => Cell::toned("no", Tone::Bad),
            None => Cell::from("not asked"),
        });
        cells.extend(cells![
            relative_or(self.checked_at, now, "never"),
            self.models.len(),
            self.error.as_deref().unwrap_or_default(),
        ]);
        cells
    }
}

pub(super) async fn find(client: &Client, wanted: &str) -> anyhow::Result<ProviderId> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let all = collect_pages(None, |page| async move { client.providers(&page).await }).await?;
    Ok(by_name("provider", wanted, all, |provider| provider.name.as_str())?.id)
}

pub(super) fn exposed(secret: Option<SecretString>) -> Option<String> {
    secret.map(|secret| secret.expose_secret().to_owned())
}

pub async fn run(session: &Session, command: Providers) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Providers::List => out
            .list(collect_pages(None, |page| async move { client.providers(&page).await }).await?),
        Providers::Add(args) => add(session, client, args).await,
        Providers::Update(args) => update(session, client, args).await,
        Providers::Test { provider } => {
            let test = client.test_provider(find(client, &provider).await?).await?;
            tell(session, test, &provider)
        }
        Providers::Remove { provider } => {
            client
                .delete_provider(find(client, &provider).await?)
                .await?;
            out.done_nothing(&format!("removed {provider}"));
            Ok(())
        }
    }
}

async fn add(session: &Session, client: &Client, args: AddProvider) -> anyhow::Result<()> {
    let takes_key = args.kind.needs_key() || args.kind.needs_base_url();
    let key = if takes_key && !args.no_key {
        Some(prompt::secret("key")?)
    } else {
        None
    };
    let name = match args.name {
        Some(name) => name,
        None => args.kind.as_str().parse()?,
    };
    let made = client
        .create_provider(&CreateProvider {
            kind: args.kind,
            name,
            base_url: args.base_url,
            api_key: exposed(key),
            models: (!args.models.is_empty()).then_some(args.models),
            wire: args.wire,
            shared: args.shared.then_some(true),
            allow_private_network: args.allow_private_network.then_some(true),
        })
        .await?;
    session.out.done(
        &made,
        &format!(
            "added {} ({}); try it with `fractal providers test {}`",
            made.name, made.id, made.id
        ),
    )
}

async fn update(session: &Session, client: &Client, args: ChangeProvider) -> anyhow::Result<()> {
    let id = find(client, &args.provider).await?;
    let key = if args.key {
        Some(prompt::secret("new key")?)
    } else {
        None
    };
    let now = client
        .update_provider(
            id,
            &UpdateProvider {
                name: args.name,
                base_url: args.base_url,
                api_key: exposed(key),
                models: (!args.models.is_empty()).then_some(args.models),
                wire: None,
                allow_private_network: args.allow_private_network,
            },
        )
        .await?;
    session.out.done(&now, &format!("changed {}", now.name))
}

/// A test that went badly is a failure of the command too, so that scripts can rely on the exit code.
fn tell(session: &Session, test: ProviderTest, name: &str) -> anyhow::Result<()> {
    let sentence = format!(
        "{name} answered in {} ms and offers {} models",
        test.latency_ms,
        test.models.len()
    );
    if test.ok || session.out.json {
        session.out.done(&test, &sentence)?;
    }
    match test.error {
        None if test.ok => Ok(()),
        None => Err(Advice::error(
            format!("{name} did not answer"),
            "check its address and key",
        )),
        Some(fault) => Err(Advice::error(fault.message, fault.remedy)),
    }
}
