//! `fractal login` and `logout`: a token of one's own for this machine, kept where nobody else reads it.

use anyhow::Context;
use fractal_api_types::CreateApiToken;
use fractal_client::Client;
use secrecy::ExposeSecret;
use serde_json::json;

use super::Session;
use crate::{
    args::LoginArgs,
    connection::{Kept, KeptToken, TOKEN_VARIABLE},
    prompt,
};

pub async fn login(session: &Session, args: LoginArgs) -> anyhow::Result<()> {
    let client = session.anonymous()?;
    // A damaged or open file is found before a password is asked for.
    let mut kept = Kept::load()?;
    let token = if args.token {
        let secret = prompt::secret("API token")?;
        let me = Client::new(client.base_url().as_str(), Some(secret.clone()))?
            .me()
            .await?;
        KeptToken {
            token: secret.expose_secret().to_owned(),
            token_id: None,
            username: me.username.to_string(),
        }
    } else {
        by_password(&client, &args).await?
    };
    let username = token.username.clone();
    let path = kept.put(&client, token)?;
    if std::env::var_os(TOKEN_VARIABLE).is_some() {
        eprintln!("note: FRACTAL_TOKEN is set and goes before the kept token");
    }
    session.out.done(
        &json!({"url": client.base_url(), "username": username, "kept_in": path}),
        &format!(
            "signed in at {} as {username}; the token is kept in {}",
            client.base_url(),
            path.display()
        ),
    )
}

async fn by_password(client: &Client, args: &LoginArgs) -> anyhow::Result<KeptToken> {
    let username = match &args.username {
        Some(username) => username.clone(),
        None => prompt::word("username", "--username")?.parse()?,
    };
    let password = prompt::secret("password")?;
    let (me, browser) = client.sign_in(username, &password).await?;
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let name: String = format!("fractal login on {host}")
        .chars()
        .filter(|c| !c.is_control())
        .take(64)
        .collect();
    let made = browser
        .create_token(&CreateApiToken {
            name: name
                .trim()
                .parse()
                .context("this machine's name cannot be used in a token's name")?,
            scopes: None,
            expires_in_days: Some(args.expires_in_days),
        })
        .await;
    // The session was needed for one call only; that it could not be ended early is not worth failing for.
    let _ = browser.sign_out().await;
    let made = made?;
    Ok(KeptToken {
        token: made.secret,
        token_id: Some(made.token.id),
        username: me.username.to_string(),
    })
}

pub async fn logout(session: &Session) -> anyhow::Result<()> {
    let anonymous = session.anonymous()?;
    let mut kept = Kept::load()?;
    let Some(token) = kept.of(&anonymous) else {
        session
            .out
            .done_nothing(&format!("no token is kept for {}", anonymous.base_url()));
        return Ok(());
    };
    let client = Client::new(
        anonymous.base_url().as_str(),
        Some(token.token.clone().into()),
    )?;
    let revoked = match token.token_id {
        Some(id) => client.revoke_token(id).await,
        None => Ok(()),
    };
    let by_hand = token.token_id.is_none();
    kept.forget(&anonymous)?;
    match revoked {
        Ok(()) if by_hand => session
            .out
            .done_nothing("forgot the token; it was entered by hand and is still valid"),
        Ok(()) => session.out.done_nothing("revoked the token and forgot it"),
        Err(error) => eprintln!(
            "forgot the token, but it could not be revoked: {error}; revoke it under Settings / Tokens"
        ),
    }
    Ok(())
}
