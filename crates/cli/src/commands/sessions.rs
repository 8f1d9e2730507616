//! `fractal sessions`.

use fractal_api_types::BrowserSessionView;
use fractal_client::collect_pages;
use fractal_types::Timestamp;

use super::Session;
use crate::{args::Sessions, cells, output::Row, table::Cell, text::relative};

impl Row for BrowserSessionView {
    const HEAD: &'static [&'static str] = &["id", "from", "used", "signed in", "ends", "browser"];
    const NONE: &'static str = "no browser is signed in";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        cells![
            self.id,
            self.address.as_deref().unwrap_or("unknown"),
            relative(self.last_used_at, now),
            relative(self.created_at, now),
            relative(self.expires_at, now),
            self.user_agent.as_deref().unwrap_or_default(),
        ]
    }
}

pub async fn run(session: &Session, command: Sessions) -> anyhow::Result<()> {
    let client = &session.client()?;
    match command {
        Sessions::List => session
            .out
            .list(collect_pages(None, |page| async move { client.sessions(&page).await }).await?),
        Sessions::Revoke { session: id } => {
            client.revoke_session(id).await?;
            session.out.done_nothing("that browser is signed out");
            Ok(())
        }
    }
}
