//! `fractal invitations`.

use fractal_api_types::{CreateInvitation, InvitationView};
use fractal_client::collect_pages;
use fractal_types::Timestamp;

use super::Session;
use crate::{
    args::Invitations,
    cells,
    output::{Row, write_out},
    table::Cell,
    text::{printable, relative},
};

impl Row for InvitationView {
    const HEAD: &'static [&'static str] = &["id", "role", "for", "made", "state"];
    const NONE: &'static str = "there are no invitations";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let state = match self.used_at {
            Some(at) => format!("used {}", relative(at, now)),
            None if self.expires_at <= now => format!("ended {}", relative(self.expires_at, now)),
            None => format!("ends {}", relative(self.expires_at, now)),
        };
        let whom = self
            .username
            .as_ref()
            .map_or("anybody", |name| name.as_str());
        cells![
            self.id,
            self.role,
            whom,
            relative(self.created_at, now),
            state
        ]
    }
}

pub async fn run(session: &Session, command: Invitations) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Invitations::List => out.list(
            collect_pages(None, |page| async move { client.invitations(&page).await }).await?,
        ),
        Invitations::Create {
            role,
            username,
            expires_in_days,
        } => {
            let body = CreateInvitation {
                role: Some(role),
                username,
                expires_in_days: Some(expires_in_days),
            };
            let made = client.create_invitation(&body).await?;
            if out.json {
                return out.value(&made);
            }
            // The secret is a path with a fragment; people need the whole address.
            let base = client.base_url().as_str().trim_end_matches('/');
            eprintln!(
                "invitation for one {}; the link works once and is shown only now:",
                made.invitation.role
            );
            write_out(&format!("{base}{}\n", printable(&made.secret)))
        }
        Invitations::Revoke { invitation } => {
            client.revoke_invitation(invitation).await?;
            out.done_nothing("the invitation is not valid any more");
            Ok(())
        }
    }
}
