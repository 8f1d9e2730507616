//! Loading a thing together with the permission to touch it: a lookup cannot forget the permission.
//!
//! What somebody may not even see is answered like what does not exist.

use std::sync::Arc;

use fractal_api_types::{OwnerRef, PageQuery, ProblemCode};
use fractal_policy::{Action, Denial, Outcome, Question, Resource};
use fractal_store::{PageRequest, Reads, instances, providers, users};
use fractal_types::{InstanceId, ProviderId, UserId};

use crate::{
    App, Context, Error, Result,
    approval::Decided,
    change::{Waiting, may_wait},
};

impl App {
    /// Whether the context allows this; the data plane and the Portal's controls ask like this.
    #[must_use]
    pub fn may(&self, cx: &Context, action: Action, resource: &Resource) -> bool {
        cx.decide(&self.policy(), action, resource)
            .decision
            .is_allowed()
    }

    /// Whether the context allows this or may have it wait for approval; controls for such changes are shown, too.
    #[must_use]
    pub fn may_ask(&self, cx: &Context, action: Action, resource: &Resource) -> bool {
        let outcome = cx.decide(&self.policy(), action, resource).decision.outcome;
        matches!(outcome, Outcome::Allow | Outcome::NeedsApproval(_))
    }

    /// Refuses unless the context allows this. Use it for reads; changes go through the door.
    ///
    /// # Errors
    ///
    /// `not-found` for a thing the actor may not see, `forbidden` otherwise.
    pub fn require(&self, cx: &Context, action: Action, resource: &Resource) -> Result<()> {
        let Decided {
            decision,
            circumstances,
            ..
        } = cx.decide(&self.policy(), action, resource);
        if decision.is_allowed() {
            return Ok(());
        }
        let mut error = self.refusal(cx, action, resource, &decision.outcome);
        // A change often looks at its thing by the same permission before it comes to the door.
        if may_wait(cx, &error) {
            let question = Question {
                actor: cx.actor.clone(),
                action,
                resource: *resource,
                circumstances,
            };
            error.waiting = Some(Arc::new(Waiting::new(question, decision)));
        }
        Err(error)
    }

    /// The error for a refused decision.
    pub(crate) fn refusal(
        &self,
        cx: &Context,
        action: Action,
        resource: &Resource,
        outcome: &Outcome,
    ) -> Error {
        match outcome {
            _ if resource.id_text().is_some() && !self.sees(cx, resource) => Error::not_found(),
            Outcome::NeedsApproval(_) => Error::new(ProblemCode::ApprovalNeeded),
            Outcome::Deny(Denial::Broken) => Error::new(ProblemCode::Forbidden)
                .detail("a policy could not be evaluated, so the answer is no")
                .remedy("an administrator can run `fractal policy reset` on the machine"),
            _ => Error::new(ProblemCode::Forbidden).detail(format!(
                "your role or token does not allow {}",
                action.as_str()
            )),
        }
    }

    /// Whether the actor may see that this thing exists.
    fn sees(&self, cx: &Context, resource: &Resource) -> bool {
        let view = match resource {
            Resource::Instance { .. } => Action::InstanceView,
            Resource::Provider { .. } => Action::ProviderView,
            Resource::User { .. } => Action::UserView,
            Resource::IdentityProvider { .. } => Action::IdentityProviderView,
            Resource::Invitation { .. } => Action::InvitationList,
            Resource::ApiToken { .. } => Action::TokenList,
            Resource::BrowserSession { .. } => Action::SessionList,
            Resource::Profile { .. } => Action::ProfileView,
            Resource::SkillCredential { .. } => Action::SkillCredentialList,
            Resource::Webhook { .. } => Action::WebhookView,
            Resource::Witness { .. } => Action::WitnessView,
            Resource::Proposal { .. } => Action::ProposalView,
            Resource::Operation { .. } => Action::OperationView,
            Resource::Incident { .. } => Action::IncidentView,
            _ => return true,
        };
        // A scoped token of somebody who may see the thing is told "forbidden", not "not found".
        let unscoped = Context {
            actor: fractal_types::Actor {
                scopes: None,
                ..cx.actor.clone()
            },
            ..cx.clone()
        };
        self.may(&unscoped, view, resource)
    }

    /// An instance with the permission for an action on it.
    ///
    /// # Errors
    ///
    /// See [`App::require`].
    pub(crate) async fn instance(
        &self,
        db: &dyn Reads,
        cx: &Context,
        action: Action,
        id: InstanceId,
    ) -> Result<fractal_store::Instance> {
        let row = instances::find(db, id)
            .await?
            .filter(|row| row.deleted_at.is_none())
            .ok_or_else(Error::not_found)?;
        self.require(cx, action, &instance_resource(&row))?;
        Ok(row)
    }

    /// A provider with the permission for an action on it.
    ///
    /// # Errors
    ///
    /// See [`App::require`].
    pub(crate) async fn provider(
        &self,
        db: &dyn Reads,
        cx: &Context,
        action: Action,
        id: ProviderId,
    ) -> Result<fractal_store::Provider> {
        let row = providers::find(db, id)
            .await?
            .ok_or_else(Error::not_found)?;
        self.require(cx, action, &provider_resource(&row))?;
        Ok(row)
    }
}

/// An instance as policies see it.
pub(crate) const fn instance_resource(row: &fractal_store::Instance) -> Resource {
    Resource::Instance {
        id: Some(row.id),
        owner: row.user_id,
        organization: row.organization_id,
    }
}

/// A provider as policies see it.
pub(crate) const fn provider_resource(row: &fractal_store::Provider) -> Resource {
    Resource::Provider {
        id: Some(row.id),
        owner: row.user_id,
        organization: row.organization_id,
    }
}

/// A user as policies see it.
pub(crate) const fn user_resource(row: &fractal_store::User) -> Resource {
    Resource::User {
        id: Some(row.id),
        organization: row.organization_id,
        role: row.role,
        becomes: None,
    }
}

/// Checks the paging parameters.
pub(crate) fn page_request(query: &PageQuery) -> Result<PageRequest> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        let mut error = Error::new(ProblemCode::InvalidParameter);
        error.fields.push(fractal_api_types::FieldError {
            field: "limit".into(),
            message: "must be 1 to 200".into(),
        });
        return Err(error);
    }
    Ok(PageRequest {
        after: query.cursor.clone(),
        limit,
        ..PageRequest::default()
    })
}

/// Somebody as others name them; nobody for who is deleted.
pub(crate) async fn person(
    db: &dyn Reads,
    id: impl Into<Option<UserId>>,
) -> Result<Option<OwnerRef>> {
    let Some(id) = id.into() else {
        return Ok(None);
    };
    Ok(users::find(db, id).await?.map(|user| OwnerRef {
        id,
        username: user.username,
    }))
}

/// A page of rows as a page of views.
pub(crate) fn page_of<T, U>(
    page: fractal_store::Page<T>,
    view: impl FnMut(T) -> U,
) -> fractal_api_types::Page<U> {
    let page = page.map(view);
    fractal_api_types::Page {
        items: page.items,
        next_cursor: page.next_cursor,
    }
}
