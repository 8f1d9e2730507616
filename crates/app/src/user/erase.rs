//! Erasing what the log says about a person, without breaking a proof over it.
//!
//! What goes are values: names, addresses, what they called their agents. What stays are the entries: that something was done, when, by which
//! account's id and to which thing's. It can be asked for about somebody who is still here, whose next steps leave values again, and about
//! somebody who is long gone.

use async_trait::async_trait;
use fractal_api_types::ErasedView;
use fractal_policy::{Action, Resource};
use fractal_store::{Erased, Tx, evidence_erase, users};
use fractal_types::{Role, UserId};

use super::refuse_if;
use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit},
    lookup::user_resource,
};

/// Erases the values of every entry about a person and what is theirs; how many.
///
/// # Errors
///
/// `conflict` for oneself; `not-found` for an id that the log does not know; see [`submit`].
pub async fn erase(app: &App, cx: &Context, id: UserId) -> Result<ErasedView> {
    let erased = submit(app, cx, Erase { id }).await?;
    Ok(ErasedView {
        values: erased.openings,
        entries: erased.entries,
    })
}

struct Erase {
    id: UserId,
}

#[async_trait]
impl Change for Erase {
    type Output = Erased;

    fn action(&self) -> Action {
        Action::UserErase
    }

    /// Somebody who is gone may have been an owner, and nothing that is sure to be there says that they were not.
    async fn resource(&self, tx: &Tx, cx: &Context) -> Result<Resource> {
        if let Some(row) = users::find(tx, self.id).await? {
            return Ok(user_resource(&row));
        }
        let organization = cx.actor.organization_id;
        if !evidence_erase::knows_user(tx, organization, self.id).await? {
            return Err(Error::not_found());
        }
        Ok(Resource::User {
            id: Some(self.id),
            organization,
            role: Role::Owner,
            becomes: None,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Erased> {
        refuse_if(
            door.cx.actor.user_id() == Some(self.id),
            "nobody erases what the log says of themselves",
        )?;
        let organization = door.cx.actor.organization_id;
        let erased = evidence_erase::about_user(door.tx, organization, self.id).await?;
        door.note("values", erased.openings);
        door.note("entries", erased.entries);
        Ok(erased)
    }
}
