//! `fractal users`.

use fractal_api_types::{CreateUser, ResetPassword, UpdateUser, UserView};
use fractal_client::{Client, collect_pages};
use fractal_types::{Timestamp, UserId};
use secrecy::ExposeSecret;

use super::{Session, by_name};
use crate::{
    args::Users,
    cells,
    output::Row,
    prompt,
    table::{Cell, Tone},
    text::relative_or,
};

impl Row for UserView {
    const HEAD: &'static [&'static str] = &[
        "id",
        "username",
        "name",
        "role",
        "active",
        "signs in by",
        "instances",
        "seen",
    ];
    const NONE: &'static str = "there is nobody yet";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let mut cells = cells![self.id, &self.username, &self.display_name, self.role];
        cells.push(if self.active {
            Cell::from("yes")
        } else {
            Cell::toned("suspended", Tone::Attention)
        });
        cells.extend(cells![
            self.sign_in.join(", "),
            self.instances,
            relative_or(self.last_seen_at, now, "never")
        ]);
        cells
    }
}

async fn find(client: &Client, wanted: &str) -> anyhow::Result<UserId> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let all = collect_pages(None, |page| async move { client.users(&page).await }).await?;
    Ok(by_name("user", wanted, all, |user| user.username.as_str())?.id)
}

pub async fn run(session: &Session, command: Users) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Users::List => {
            out.list(collect_pages(None, |page| async move { client.users(&page).await }).await?)
        }
        Users::Create {
            username,
            display_name,
            role,
        } => {
            let password = prompt::new_secret("password for them, at least 12 characters")?;
            let body = CreateUser {
                username,
                display_name,
                role: Some(role),
                password: password.expose_secret().to_owned(),
            };
            let made = client.create_user(&body).await?;
            out.done(
                &made,
                &format!("made {} ({}), {}", made.username, made.id, made.role),
            )
        }
        Users::SetRole { user, role } => {
            let body = UpdateUser {
                role: Some(role),
                ..UpdateUser::default()
            };
            let now = client
                .update_user(find(client, &user).await?, &body)
                .await?;
            out.done(&now, &format!("{} is {} now", now.username, now.role))
        }
        Users::Suspend { user, undo } => {
            let body = UpdateUser {
                active: Some(undo),
                ..UpdateUser::default()
            };
            let now = client
                .update_user(find(client, &user).await?, &body)
                .await?;
            let word = if now.active {
                "may sign in again"
            } else {
                "is suspended and signed out"
            };
            out.done(&now, &format!("{} {word}", now.username))
        }
        Users::ResetPassword { user } => {
            let id = find(client, &user).await?;
            let password = prompt::new_secret("new password for them, at least 12 characters")?;
            let body = ResetPassword {
                password: password.expose_secret().to_owned(),
            };
            client.reset_password(id, &body).await?;
            out.done_nothing(&format!(
                "{user} has a new password; tell it to them in person"
            ));
            Ok(())
        }
        Users::Erase { user, yes } => {
            let id = find(client, &user).await?;
            prompt::confirm(
                &format!(
                    "Erase names, addresses and all other values that the log holds about {user}? This cannot be undone. That something was done, when, and by which account's id, stays."
                ),
                yes,
            )?;
            let erased = client.erase_user(id).await?;
            let sentence = format!(
                "erased {} values of {} entries; the log verifies as before",
                erased.values, erased.entries
            );
            out.done(&erased, &sentence)
        }
        Users::Delete { user, yes } => {
            let id = find(client, &user).await?;
            prompt::confirm(
                &format!("Delete {user} with their instances, keys and chats?"),
                yes,
            )?;
            client.delete_user(id).await?;
            out.done_nothing(&format!("deleted {user}"));
            Ok(())
        }
    }
}
