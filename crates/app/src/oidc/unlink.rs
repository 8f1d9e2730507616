//! Taking the link to an account at an identity provider away again.

use async_trait::async_trait;
use fractal_policy::{Action, Resource};
use fractal_store::{Credential, CredentialKind, Tx, credentials, identity_providers, users};
use fractal_types::{IdentityProviderId, UserId};

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit},
    lookup::user_resource,
};

/// Nobody comes in by this provider as the caller any more. Sessions that began by it go on.
///
/// # Errors
///
/// `not-found` when the caller is not linked to it, `conflict` when it is their last way in; see [`submit`].
pub async fn unlink(app: &App, cx: &Context, id: IdentityProviderId) -> Result<()> {
    let user_id = cx.user_id()?;
    submit(app, cx, Unlink { id, user_id }).await
}

struct Unlink {
    id: IdentityProviderId,
    user_id: UserId,
}

#[async_trait]
impl Change for Unlink {
    type Output = ();

    fn action(&self) -> Action {
        Action::UserUpdate
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let user = users::find(tx, self.user_id).await?;
        Ok(user_resource(&user.ok_or_else(Error::not_found)?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        let provider = identity_providers::find(door.tx, self.id)
            .await?
            .ok_or_else(Error::not_found)?;
        let ways = credentials::list(door.tx, self.user_id).await?;
        let (linked, others): (Vec<Credential>, Vec<Credential>) =
            ways.into_iter().partition(|way| {
                way.kind == CredentialKind::Oidc && way.issuer.as_ref() == Some(&provider.issuer)
            });
        if linked.is_empty() {
            return Err(Error::not_found());
        }
        let offered = identity_providers::list(door.tx, provider.organization_id).await?;
        let leads_in = |way: &Credential| match way.kind {
            CredentialKind::Password => true,
            // A provider that is switched off or gone lets nobody in.
            CredentialKind::Oidc => offered
                .iter()
                .any(|one| one.enabled && way.issuer.as_ref() == Some(&one.issuer)),
        };
        if !others.iter().any(leads_in) {
            return Err(
                Error::conflict("it is your last way to sign in").remedy("set a password first")
            );
        }
        for way in linked {
            credentials::delete(door.tx, way.id).await?;
        }
        door.note("unlinked_issuer", provider.issuer);
        Ok(())
    }
}
