//! Deleting a person: at once for them, in two parts for us.
//!
//! First, in one transaction, everything that lets them in goes, with their providers and profile, and their instances are wanted
//! deleted with their volumes. Their row stays while an instance of theirs does, because an instance still needs the owner's key to be
//! talked to; it takes the id as its name, which frees theirs and marks the row. When the last instance is gone, [`finish_deletion`]
//! removes the row and, last of all, the owner's keys: whatever copy of their secrets is left anywhere cannot be read any more.

use async_trait::async_trait;
use fractal_policy::{Action, Resource};
use fractal_store::{
    Instance, PageRequest, Tx, User, Volumes, credentials, incidents, instances, operations,
    owner_keys, profiles, proposals, providers, skill_credentials, users,
};
use fractal_types::{InstanceId, Timestamp, UserId, WantedState};

use super::{existing, instances_of, keep_an_owner, refuse_if, revoke_everything};
use crate::{
    App, Context, Result,
    change::{Change, Door, submit},
    lookup::user_resource,
    session::Revoked,
};

/// Whether this row only waits for the last instance to go. Nobody can choose their own id as a name, because it is drawn afterwards.
pub(super) fn is_leaving(row: &User) -> bool {
    row.username.as_str() == row.id.to_string()
}

/// Deletes an account with its instances, files and keys.
///
/// # Errors
///
/// `conflict` when a rule of the module stands against it; see [`submit`].
pub async fn delete(app: &App, cx: &Context, id: UserId) -> Result<()> {
    let any_left = submit(
        app,
        cx,
        Delete {
            id,
            now: app.clock.now(),
        },
    )
    .await?;
    app.sessions.end(Revoked::User(id));
    if !any_left {
        finish_deletion(app, id).await?;
    }
    Ok(())
}

struct Delete {
    id: UserId,
    now: Timestamp,
}

#[async_trait]
impl Change for Delete {
    /// Whether instances are left.
    type Output = bool;

    fn action(&self) -> Action {
        Action::UserDelete
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(user_resource(&existing(tx, self.id).await?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<bool> {
        let row = users::get(door.tx, self.id).await?;
        refuse_if(
            door.cx.actor.user_id() == Some(self.id),
            "nobody deletes themselves",
        )?;
        refuse_if(row.breakglass, "the breakglass account stays")?;
        keep_an_owner(door.tx, &row).await?;
        door.note("username", row.username.as_str());

        revoke_everything(door.tx, self.id, self.now).await?;
        for credential in credentials::list(door.tx, self.id).await? {
            credentials::delete(door.tx, credential.id).await?;
        }
        self.delete_settings(door.tx, &row).await?;
        let ids = self.delete_instances(door.tx, &row).await?;
        for id in &ids {
            door.wake(*id);
        }
        let username = self.id.to_string();
        let gone = User {
            display_name: username.parse()?,
            username: username.parse()?,
            active: false,
            locale: None,
            updated_at: self.now,
            ..row
        };
        users::update(door.tx, &gone).await?;
        Ok(!ids.is_empty())
    }
}

impl Delete {
    async fn delete_settings(&self, tx: &Tx, row: &User) -> Result<()> {
        proposals::delete_of(tx, self.id).await?;
        for variable in skill_credentials::list_all(tx, self.id).await? {
            skill_credentials::delete(tx, variable.id).await?;
        }
        if let Some(profile) = profiles::find_by_user(tx, self.id).await? {
            profiles::delete(tx, profile.id).await?;
        }
        let mut request = PageRequest::default();
        loop {
            let page = providers::list(tx, row.organization_id, Some(self.id), &request).await?;
            // The list also holds what is shared.
            for provider in page.items.iter().filter(|one| one.user_id == Some(self.id)) {
                providers::delete(tx, provider.id).await?;
            }
            request.after = page.next_cursor;
            if request.after.is_none() {
                return Ok(());
            }
        }
    }

    async fn delete_instances(&self, tx: &Tx, row: &User) -> Result<Vec<InstanceId>> {
        let mut ids = Vec::new();
        for instance in instances_of(tx, row).await? {
            ids.push(instance.id);
            let instance = Instance {
                wanted: WantedState::Deleted,
                stop_reason: None,
                volumes: Volumes::Remove,
                // What the reconciler saw before, it does not write any more.
                generation: instance.generation.next(),
                updated_at: self.now,
                ..instance
            };
            instances::update(tx, &instance).await?;
        }
        Ok(ids)
    }
}

/// Removes what is left of a deleted person once none of their instances is; does nothing before. Returns whether they are gone.
/// Whoever removes an instance for good calls this for its owner.
///
/// # Errors
///
/// When the database fails.
pub async fn finish_deletion(app: &App, id: UserId) -> Result<bool> {
    let gone = app
        .store
        .tx("users.finish_deletion", async |tx: Tx| {
            let Some(row) = users::find(&tx, id).await?.filter(is_leaving) else {
                return Ok(false);
            };
            let one = PageRequest {
                limit: 1,
                ..PageRequest::default()
            };
            if !instances::list(&tx, row.organization_id, Some(id), &one)
                .await?
                .items
                .is_empty()
            {
                return Ok(false);
            }
            instances::delete_gone(&tx, id).await?;
            operations::delete_of(&tx, id).await?;
            incidents::delete_of(&tx, id).await?;
            users::delete(&tx, id).await?;
            owner_keys::delete_all(&tx, &id.to_string()).await?;
            Ok::<_, crate::Error>(true)
        })
        .await?;
    if gone {
        app.keys.forget(&id.to_string());
    }
    Ok(gone)
}
