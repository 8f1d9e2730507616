//! What chat routes ask before the data plane moves a byte: which agent, and whether the caller may.

use std::future::Future;

use fractal_api_types::ProblemCode;
use fractal_policy::Action;
use fractal_store::{PageRequest, instances};
use fractal_types::{Actor, InstanceId, Timestamp};
use tokio::sync::broadcast::error::RecvError;

use crate::{
    App, Context, Error, Result,
    session::{Revoked, standing},
};

/// The agent that is meant to be talked to: the named one, or the caller's only one.
///
/// # Errors
///
/// `not-found` for an agent that is not the caller's to use; `invalid-fields` when the caller has several and named none.
pub async fn agent(app: &App, cx: &Context, named: Option<InstanceId>) -> Result<InstanceId> {
    meant(app, cx, named, Action::ChatSend).await
}

/// The agent whose conversations are meant to be read; a token for reading alone may.
///
/// # Errors
///
/// See [`agent`].
pub async fn agent_to_read(
    app: &App,
    cx: &Context,
    named: Option<InstanceId>,
) -> Result<InstanceId> {
    meant(app, cx, named, Action::ChatRead).await
}

async fn meant(
    app: &App,
    cx: &Context,
    named: Option<InstanceId>,
    action: Action,
) -> Result<InstanceId> {
    let db = app.store.read();
    if let Some(id) = named {
        app.instance(&db, cx, action, id).await?;
        return Ok(id);
    }
    let request = PageRequest {
        limit: 2,
        ..PageRequest::default()
    };
    let own = instances::list(&db, cx.actor.organization_id, Some(cx.user_id()?), &request)
        .await?
        .items;
    match own.as_slice() {
        [only] => {
            app.instance(&db, cx, action, only.id).await?;
            Ok(only.id)
        }
        [] => Err(Error::new(ProblemCode::NotFound)
            .detail("you have no agent yet")
            .remedy("make one under Agents, or with `fractal instances create`")),
        _ => Err(Error::field(
            "/agent_id",
            "is needed, because you have several agents",
        )),
    }
}

/// Whether the caller may stop a turn of this instance.
///
/// # Errors
///
/// `run-gone` when the run is not known any more; see [`App::require`].
pub async fn may_abort(app: &App, cx: &Context, instance: Option<InstanceId>) -> Result<()> {
    may(app, cx, instance, Action::ChatAbort).await
}

/// Whether the caller may answer approvals and questions of this instance.
///
/// # Errors
///
/// See [`may_abort`].
pub async fn may_answer(app: &App, cx: &Context, instance: Option<InstanceId>) -> Result<()> {
    may(app, cx, instance, Action::ChatAnswer).await
}

async fn may(app: &App, cx: &Context, instance: Option<InstanceId>, action: Action) -> Result<()> {
    let gone = || {
        Error::new(ProblemCode::RunGone)
            .detail("this turn is over and its events are not kept any more")
    };
    let id = instance.ok_or_else(gone)?;
    // A run of somebody else is as gone as one that never was.
    match app.instance(&app.store.read(), cx, action, id).await {
        Err(error) if error.code == ProblemCode::NotFound => Err(gone()),
        other => other.map(drop),
    }
}

/// Completes when the caller's session or token is revoked or runs out, their account is suspended, or their role is another one:
/// open streams end with it, and come back if they may.
///
/// It listens before it looks, so a revocation between the proof of the caller and this call is not missed.
///
/// # Errors
///
/// `unauthenticated` when that has happened already.
pub async fn signed_out(
    app: &App,
    cx: &Context,
) -> Result<impl Future<Output = ()> + Send + use<>> {
    let mut revocations = app.revocations();
    let (app, cx) = (app.clone(), cx.clone());
    let mut ends_at = match still_signed_in(&app, &cx).await? {
        Some(ends_at) => ends_at,
        None => return Err(Error::new(ProblemCode::Unauthenticated)),
    };
    Ok(async move {
        loop {
            let end = async {
                match ends_at {
                    Some(at) => app.clock.sleep(at.since(app.clock.now())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // It may have been used meanwhile and end later.
                () = end => {}
                revoked = revocations.recv() => match revoked {
                    Ok(revoked) if revoked.concerns(&cx) => return,
                    Ok(Revoked::Changed(id)) if cx.actor.user_id() == Some(id) => {}
                    Ok(_) => continue,
                    // Too many at once to follow: look.
                    Err(RecvError::Lagged(_)) => {}
                    // The house is closing; the server ends the streams.
                    Err(RecvError::Closed) => std::future::pending().await,
                },
            }
            match still_signed_in(&app, &cx).await {
                Ok(Some(next)) => ends_at = next,
                Ok(None) => return,
                // Who cannot be told apart from somebody signed out proves themselves again.
                Err(error) => {
                    tracing::warn!(
                        "an open stream ends, because its caller could not be looked up: {error}"
                    );
                    return;
                }
            }
        }
    })
}

/// When the caller's session or token ends by itself; `None` when the stream has to end now.
async fn still_signed_in(app: &App, cx: &Context) -> Result<Option<Option<Timestamp>>> {
    let found = standing(&app.store.read(), cx, app.clock.now()).await?;
    Ok(found
        .filter(|found| cx.actor.role == Some(found.user.role))
        .map(|found| found.ends_at))
}

/// Whether a turn that this person began may go on: they are still here, and what they may do now allows it.
///
/// # Errors
///
/// When the database fails.
pub async fn may_go_on(app: &App, actor: &Actor, instance: InstanceId) -> Result<bool> {
    let cx = Context::of(actor.clone());
    let Some(found) = standing(&app.store.read(), &cx, app.clock.now()).await? else {
        return Ok(false);
    };
    let cx = Context::of(Actor {
        role: Some(found.user.role),
        ..actor.clone()
    });
    match app
        .instance(&app.store.read(), &cx, Action::ChatSend, instance)
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code, ProblemCode::NotFound | ProblemCode::Forbidden) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
