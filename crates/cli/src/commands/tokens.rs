//! `fractal tokens`.

use fractal_api_types::{ApiTokenView, CreateApiToken, NewApiToken, RotateApiToken};
use fractal_client::collect_pages;
use fractal_types::{Scope, Timestamp};

use super::Session;
use crate::{
    args::Tokens,
    cells,
    output::{Row, write_out},
    table::Cell,
    text::{printable, relative, relative_or},
};

impl Row for ApiTokenView {
    const HEAD: &'static [&'static str] = &["id", "name", "hint", "scopes", "made", "ends", "used"];
    const NONE: &'static str = "there are no tokens; make one with `fractal tokens create NAME`";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let scopes: Vec<&str> = self.scopes.iter().copied().map(Scope::as_str).collect();
        cells![
            self.id,
            &self.name,
            &self.hint,
            scopes.join(", "),
            relative(self.created_at, now),
            relative_or(self.expires_at, now, "never"),
            relative_or(self.last_used_at, now, "never"),
        ]
    }
}

pub async fn run(session: &Session, command: Tokens) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Tokens::List => {
            out.list(collect_pages(None, |page| async move { client.tokens(&page).await }).await?)
        }
        Tokens::Create {
            name,
            scopes,
            expires_in_days,
        } => {
            let body = CreateApiToken {
                name,
                scopes: (!scopes.is_empty()).then_some(scopes),
                expires_in_days: Some(expires_in_days),
            };
            once(session, &client.create_token(&body).await?)
        }
        Tokens::Rotate {
            token,
            overlap_minutes,
        } => {
            let body = RotateApiToken {
                overlap_minutes: Some(overlap_minutes),
            };
            once(session, &client.rotate_token(token, &body).await?)
        }
        Tokens::Revoke { token } => {
            client.revoke_token(token).await?;
            out.done_nothing("the token is not valid any more");
            Ok(())
        }
    }
}

/// The secret alone on standard output, so that it can be piped into a secret store.
fn once(session: &Session, made: &NewApiToken) -> anyhow::Result<()> {
    if session.out.json {
        return session.out.value(made);
    }
    eprintln!(
        "token {} ({}); it is shown only now:",
        printable(made.token.name.as_str()),
        made.token.id
    );
    write_out(&format!("{}\n", printable(&made.secret)))
}
