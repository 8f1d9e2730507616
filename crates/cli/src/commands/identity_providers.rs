//! `fractal identity-providers`.

use fractal_api_types::{
    CreateIdentityProvider, IdentityProviderView, ProviderTest, UpdateIdentityProvider,
};
use fractal_client::{Client, collect_pages};
use fractal_types::{IdentityProviderId, Timestamp};

use super::{Session, by_name, providers::exposed};
use crate::{
    args::{AddIdentityProvider, ChangeIdentityProvider, IdentityProviders},
    cells,
    exit::Advice,
    output::Row,
    prompt,
    table::{Cell, Tone},
    text::yes_no,
};

impl Row for IdentityProviderView {
    const HEAD: &'static [&'static str] = &[
        "id",
        "name",
        "issuer",
        "client id",
        "secret",
        "enabled",
        "unknown people",
    ];
    const NONE: &'static str = "there are no identity providers; add one with `fractal identity-providers add NAME --issuer URL --client-id ID`";

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        let mut cells = cells![
            self.id,
            &self.name,
            &self.issuer,
            &self.client_id,
            yes_no(self.has_client_secret),
        ];
        cells.push(if self.enabled {
            Cell::from("yes")
        } else {
            Cell::toned("no", Tone::Attention)
        });
        cells.push(Cell::from(if self.auto_provision {
            "become members"
        } else {
            "are refused"
        }));
        cells
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<IdentityProviderView>> {
    Ok(collect_pages(None, |page| async move {
        client.identity_providers(&page).await
    })
    .await?)
}

async fn find(client: &Client, wanted: &str) -> anyhow::Result<IdentityProviderId> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let all = all(client).await?;
    Ok(by_name("identity-provider", wanted, all, |one| one.name.as_str())?.id)
}

pub async fn run(session: &Session, command: IdentityProviders) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        IdentityProviders::List => out.list(all(client).await?),
        IdentityProviders::Add(args) => add(session, client, args).await,
        IdentityProviders::Update(args) => update(session, client, args).await,
        IdentityProviders::Test { identity_provider } => {
            let id = find(client, &identity_provider).await?;
            tell(
                session,
                client.test_identity_provider(id).await?,
                &identity_provider,
            )
        }
        IdentityProviders::Unlink { identity_provider } => {
            // What is offered at the sign-in everybody may see; the list of settings is for administrators.
            let offered = client.sign_in_methods().await?.oidc;
            let found = offered.into_iter().find(|one| {
                one.id.to_string() == identity_provider || one.name.as_str() == identity_provider
            });
            let found = found.ok_or_else(|| {
                anyhow::anyhow!(
                    "no identity provider \"{identity_provider}\" is offered for signing in"
                )
            })?;
            client.unlink_identity_provider(found.id).await?;
            session.out.done_nothing(&format!(
                "nobody signs in as you by {} any more",
                found.name
            ));
            Ok(())
        }
        IdentityProviders::Remove {
            identity_provider,
            yes,
        } => {
            let id = find(client, &identity_provider).await?;
            prompt::confirm(
                &format!("Remove {identity_provider}? Who signs in by it cannot any more."),
                yes,
            )?;
            client.delete_identity_provider(id).await?;
            out.done_nothing(&format!("removed {identity_provider}"));
            Ok(())
        }
    }
}

async fn add(session: &Session, client: &Client, args: AddIdentityProvider) -> anyhow::Result<()> {
    let secret = if args.no_secret {
        None
    } else {
        Some(prompt::secret("client secret")?)
    };
    let made = client
        .create_identity_provider(&CreateIdentityProvider {
            name: args.name,
            issuer: args.issuer,
            client_id: args.client_id,
            client_secret: exposed(secret),
            scopes: (!args.scopes.is_empty()).then_some(args.scopes),
            auto_provision: args.auto_provision.then_some(true),
            allow_private_network: args.allow_private_network.then_some(true),
        })
        .await?;
    // Without a public address the server gives only the path; people register the whole one.
    let redirect = if made.redirect_uri.starts_with('/') {
        let base = client.base_url().as_str().trim_end_matches('/');
        format!("{base}{}", made.redirect_uri)
    } else {
        made.redirect_uri.clone()
    };
    session.out.done(
        &made,
        &format!(
            "added {} ({}); register this redirect address there: {redirect}",
            made.name, made.id
        ),
    )
}

async fn update(
    session: &Session,
    client: &Client,
    args: ChangeIdentityProvider,
) -> anyhow::Result<()> {
    let id = find(client, &args.identity_provider).await?;
    let secret = if args.secret {
        Some(prompt::secret("new client secret")?)
    } else {
        None
    };
    let now = client
        .update_identity_provider(
            id,
            &UpdateIdentityProvider {
                name: args.name,
                issuer: args.issuer,
                client_id: args.client_id,
                client_secret: exposed(secret),
                scopes: (!args.scopes.is_empty()).then_some(args.scopes),
                enabled: args.enabled,
                auto_provision: args.auto_provision,
                allow_private_network: args.allow_private_network,
            },
        )
        .await?;
    session.out.done(&now, &format!("changed {}", now.name))
}

/// A test that went badly is a failure of the command too, so that scripts can rely on the exit code.
fn tell(session: &Session, test: ProviderTest, name: &str) -> anyhow::Result<()> {
    if test.ok || session.out.json {
        session.out.done(
            &test,
            &format!("{name} described itself in {} ms", test.latency_ms),
        )?;
    }
    match test.error {
        None if test.ok => Ok(()),
        None => Err(Advice::error(
            format!("{name} did not answer"),
            "check its issuer address",
        )),
        Some(fault) => Err(Advice::error(fault.message, fault.remedy)),
    }
}
