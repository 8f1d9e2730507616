//! How a person comes into the house, whichever way: made by an administrator, invited, claiming, or over OIDC.

use fractal_api_types::{FieldError, ProblemCode};
use fractal_runtime::contract::Isolation;
use fractal_store::{Tx, User, credentials, users};
use fractal_types::{CredentialId, Label, Role, UserId, Username};

use super::label_or;
use crate::{App, Error, Result, change::Door};

/// Somebody who is about to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewPerson {
    pub(crate) id: UserId,
    pub(crate) username: Username,
    pub(crate) display_name: Option<Label>,
    pub(crate) role: Role,
    pub(crate) breakglass: bool,
    pub(crate) password_hash: Option<String>,
    pub(crate) credential_id: CredentialId,
}

impl NewPerson {
    pub(crate) fn new(
        app: &App,
        username: Username,
        display_name: Option<Label>,
        role: Role,
        password_hash: Option<String>,
    ) -> Self {
        Self {
            id: app.new_id(),
            username,
            display_name,
            role,
            breakglass: false,
            password_hash,
            credential_id: app.new_id(),
        }
    }

    /// Adds them, through the door.
    ///
    /// # Errors
    ///
    /// `already-exists` at `/username`.
    pub(crate) async fn insert(&self, door: &Door<'_>) -> Result<User> {
        let now = door.app.clock.now();
        let row = User {
            id: self.id,
            organization_id: door.app.organization_id,
            username: self.username.clone(),
            display_name: label_or(&self.username, self.display_name.clone())?,
            role: self.role,
            active: true,
            breakglass: self.breakglass,
            locale: None,
            created_at: now,
            updated_at: now,
            last_seen_at: None,
        };
        users::insert(door.tx, &row)
            .await
            .map_err(|error| taken(error, &self.username))?;
        if let Some(hash) = &self.password_hash {
            credentials::set_password(door.tx, self.credential_id, row.id, hash, now, None).await?;
        }
        door.made(row.id);
        door.note("username", row.username.as_str());
        door.note("role", row.role.as_str());
        door.note("breakglass", row.breakglass);
        Ok(row)
    }
}

fn taken(error: fractal_store::Error, username: &Username) -> Error {
    if !error.is_conflict() {
        return error.into();
    }
    let mut error =
        Error::new(ProblemCode::AlreadyExists).detail(format!("the name {username} is taken"));
    error.fields.push(FieldError {
        field: "/username".into(),
        message: "is taken".into(),
    });
    error
}

/// Refuses a second person where the runtime cannot keep people apart, unless an administrator accepted that.
///
/// # Errors
///
/// `conflict` with the remedy.
pub(crate) async fn check_room(app: &App, tx: &Tx) -> Result<()> {
    let reduced = app.runtime.capabilities().isolation == Isolation::Reduced;
    if reduced && !app.settings().reduced_isolation_accepted && users::count_all(tx).await? > 0 {
        return Err(Error::conflict(
            "instances are not fully isolated on this machine, so one more person would not be kept apart",
        )
        .remedy("install bubblewrap and restart, or accept reduced isolation under Settings / Installation"));
    }
    Ok(())
}
