//! The caller: who they are, what they may do, and what they change about themselves.

use std::time::Duration;

use async_trait::async_trait;
use fractal_api_types::{Me, PasswordReset, ProblemCode, UpdateMe};
use fractal_policy::{Action, Resource};
use fractal_store::{
    CredentialKind, Reads, Tx, User, browser_sessions, credentials, identity_providers, users,
};
use fractal_types::{
    BrowserSessionId, CredentialId, IdentityProviderId, Label, Role, Timestamp, UserId,
};

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, check, submit},
    lookup::user_resource,
    session::{Revoked, Tries, password},
};

/// How long after signing in a browser may set the first password of somebody who signs in elsewhere. There is no present
/// password to prove, so a session left open must not be enough; OWASP ASVS 4.0 asks for proof anew before such changes (3.7.1).
const FRESH: Duration = Duration::from_secs(15 * 60);

/// How long somebody is told that another person set their password.
const TOLD_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The caller.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context) -> Result<Me> {
    let read = app.store.read();
    let user = users::find(&read, cx.user_id()?)
        .await?
        .ok_or_else(Error::not_found)?;
    app.require(cx, Action::UserView, &user_resource(&user))?;
    let password = credentials::find_password(&read, user.id).await?;
    let identity_providers = linked(&read, &user).await?;
    Ok(Me {
        id: user.id,
        organization_id: user.organization_id,
        username: user.username,
        display_name: user.display_name.to_string(),
        role: user.role,
        locale: user.locale,
        breakglass: user.breakglass,
        has_password: password.is_some(),
        identity_providers,
        password_reset: password
            .and_then(|row| row.reset_by.zip(row.reset_at))
            .filter(|(_, at)| app.clock.now().since(*at) < TOLD_FOR)
            .map(|(by, at)| PasswordReset { by, at }),
        permissions: permissions(app, cx, user.id),
    })
}

/// The providers a person's identities are of. An identity belongs to an issuer, so that one provider added twice leads to it by both.
async fn linked(db: &dyn Reads, user: &User) -> Result<Vec<IdentityProviderId>> {
    let issuers: Vec<String> = credentials::list(db, user.id)
        .await?
        .into_iter()
        .filter(|row| row.kind == CredentialKind::Oidc)
        .filter_map(|row| row.issuer)
        .collect();
    // Most people have a password only.
    if issuers.is_empty() {
        return Ok(Vec::new());
    }
    let providers = identity_providers::list(db, user.organization_id).await?;
    Ok(providers
        .into_iter()
        .filter(|row| issuers.contains(&row.issuer))
        .map(|row| row.id)
        .collect())
}

/// The actions the caller may do on their own things, and, where nobody owns the thing or it is another person, on those of the
/// organization. `user.*` is about others: what everybody may do to themselves needs no control of its own.
fn permissions(app: &App, cx: &Context, owner: UserId) -> Vec<String> {
    let questions: Vec<(Action, Resource)> = Action::ALL
        .iter()
        .filter_map(|action| Some((*action, example_of(*action, cx, owner)?)))
        .collect();
    app.policy()
        .within_reach(&cx.actor, &questions, cx.circumstances())
        .iter()
        .map(|action| action.as_str().to_owned())
        .collect()
}

fn example_of(action: Action, cx: &Context, owner: UserId) -> Option<Resource> {
    use Action as A;
    let organization = cx.actor.organization_id;
    Some(match action {
        A::InstanceCreate
        | A::InstanceView
        | A::InstanceList
        | A::InstanceStart
        | A::InstanceStop
        | A::InstanceRestart
        | A::InstanceDelete
        | A::InstanceChangeEngine
        | A::InstanceConfigure
        | A::InstanceSetLimits
        | A::InstanceReadLogs
        | A::InstanceReadMetrics
        | A::ChatSend
        | A::ChatRead
        | A::ChatAbort
        | A::ChatAnswer
        | A::SkillList => Resource::Instance {
            id: None,
            owner,
            organization,
        },
        A::ProviderCreate
        | A::ProviderView
        | A::ProviderList
        | A::ProviderUpdate
        | A::ProviderDelete
        | A::ProviderTest => Resource::Provider {
            id: None,
            owner: Some(owner),
            organization,
        },
        A::ProfileView | A::ProfileUpdate => Resource::Profile { id: None, owner },
        A::SkillCredentialList | A::SkillCredentialSet | A::SkillCredentialDelete => {
            Resource::SkillCredential { id: None, owner }
        }
        A::UserCreate
        | A::UserView
        | A::UserUpdate
        | A::UserDelete
        | A::UserSetRole
        | A::UserResetPassword
        | A::UserErase => Resource::User {
            id: None,
            organization,
            role: Role::Member,
            becomes: None,
        },
        A::SessionList | A::SessionRevoke => Resource::BrowserSession { id: None, owner },
        A::TokenCreate | A::TokenList | A::TokenRotate | A::TokenRevoke => {
            Resource::ApiToken { id: None, owner }
        }
        A::InvitationCreate | A::InvitationRevoke => Resource::Invitation {
            id: None,
            organization,
            role: Role::Member,
        },
        A::UserList | A::InvitationList | A::IdentityProviderList | A::UsageViewAll => {
            Resource::Organization(organization)
        }
        A::IdentityProviderCreate
        | A::IdentityProviderView
        | A::IdentityProviderUpdate
        | A::IdentityProviderDelete => Resource::IdentityProvider {
            id: None,
            organization,
        },
        A::SettingsView
        | A::SettingsUpdate
        | A::KeyRotate
        | A::KeyExport
        | A::PolicyView
        | A::PolicyUpdate
        | A::PolicyReset => Resource::Settings,
        A::EngineList | A::EngineInstall => Resource::Engine(None),
        A::AssetList | A::AssetView => Resource::RuntimeAsset(None),
        A::UsageViewOwn => Resource::Usage { owner },
        A::WebhookCreate
        | A::WebhookView
        | A::WebhookUpdate
        | A::WebhookDelete
        | A::WebhookReplay => Resource::Webhook {
            id: None,
            organization,
        },
        A::WitnessAdd | A::WitnessView | A::WitnessRemove => Resource::Witness {
            id: None,
            organization,
        },
        A::ProposalCreate
        | A::ProposalView
        | A::ProposalWithdraw
        | A::ProposalCollect
        | A::ProposalSettle => Resource::Proposal {
            id: None,
            owner,
            organization,
            approver: Role::Admin,
        },
        // Those of others: hardly anybody approves what they asked for themselves.
        A::ProposalApprove | A::ProposalReject => Resource::Proposal {
            id: None,
            owner: UserId::from_uuid(uuid::Uuid::nil()),
            organization,
            approver: Role::Admin,
        },
        A::OperationView | A::OperationCancel | A::OperationResolve => Resource::Operation {
            id: None,
            owner,
            organization,
        },
        A::IncidentView | A::IncidentAcknowledge => Resource::Incident {
            id: None,
            owner: Some(owner),
            organization,
        },
        A::ProposalList | A::OperationList | A::IncidentList | A::CheckView | A::CheckRun => {
            Resource::Organization(organization)
        }
        A::EvidenceView | A::EvidenceHead | A::EvidenceExpire => Resource::Evidence {
            id: None,
            organization,
        },
        // What gateways do.
        A::ModelUse | A::AgentConfigRead => return None,
    })
}

/// Changes the caller's own name, language or password. With a new password all their other sessions end.
///
/// # Errors
///
/// Names the field that breaks its rule; `too-many-attempts` when the present password was guessed too often; `forbidden` for a first
/// password without a fresh sign-in.
pub async fn update(app: &App, cx: &Context, body: UpdateMe) -> Result<Me> {
    let id = cx.user_id()?;
    if let Some(locale) = &body.locale {
        check(
            is_language_tag(locale),
            "/locale",
            "must be a language tag like de or pt-BR",
        )?;
    }
    let new_password = match body.new_password {
        Some(new) => Some(new_password(app, cx, id, new, body.current_password).await?),
        None => None,
    };
    let changes_password = new_password.is_some();
    let change = Update {
        id,
        display_name: body.display_name,
        locale: body.locale,
        new_password,
        credential_id: app.new_id(),
        keep: cx.session_id,
        now: app.clock.now(),
    };
    let ended = submit(app, cx, change).await?;
    for session in ended {
        app.sessions.end(Revoked::Session(session));
    }
    if changes_password {
        tracing::info!(user.id = %id, "a person changed their password");
    }
    view(app, cx).await
}

/// Empty, or letters and digits in groups of one to eight (RFC 5646 section 2.1, without judging the words).
fn is_language_tag(text: &str) -> bool {
    text.is_empty()
        || (text.len() <= 35
            && text.split('-').all(|part| {
                (1..=8).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }))
}

/// The hash of the new password and the stored one it replaces, after the present one was proven.
async fn new_password(
    app: &App,
    cx: &Context,
    id: UserId,
    new: String,
    current: Option<String>,
) -> Result<(String, Option<String>)> {
    let user = users::get(&app.store.read(), id).await?;
    let stored = credentials::find_password(&app.store.read(), id)
        .await?
        .and_then(|row| row.secret_hash);
    if stored.is_none() {
        prove_fresh(app, cx, id).await?;
        let hash = password::hash(app, "/new_password", new, user.username.as_str()).await?;
        return Ok((hash, None));
    }
    let current = current
        .ok_or_else(|| Error::field("/current_password", "is needed to change the password"))?;
    // One person at one desk: the account is the address, so to speak.
    let nowhere = std::net::Ipv4Addr::UNSPECIFIED.into();
    let attempt = Tries::Password.begin(app, nowhere, &id.to_string()).await?;
    if !password::verify(current.into(), stored.clone()).await? {
        refused(app, cx, id).await?;
        return Err(Error::field("/current_password", "is wrong"));
    }
    attempt.take_back(app).await?;
    Ok((
        password::hash(app, "/new_password", new, user.username.as_str()).await?,
        stored,
    ))
}

/// Instead of a present password: this browser signed in a moment ago, and is no token that somebody wrote down.
async fn prove_fresh(app: &App, cx: &Context, id: UserId) -> Result<()> {
    if is_fresh(app, cx).await? {
        return Ok(());
    }
    refused(app, cx, id).await?;
    Err(Error::new(ProblemCode::Forbidden)
        .detail("a first password is only taken soon after signing in")
        .remedy("sign out, sign in again and set it within 15 minutes"))
}

/// Whether this browser signed in a moment ago. A session left open must not be enough for what gives lasting access.
pub(crate) async fn is_fresh(app: &App, cx: &Context) -> Result<bool> {
    let Some(session) = cx.session_id else {
        return Ok(false);
    };
    let row = browser_sessions::find(&app.store.read(), session).await?;
    Ok(row.is_some_and(|row| app.clock.now().since(row.created_at) <= FRESH))
}

/// Evidence of a password change that did not prove who asks.
async fn refused(app: &App, cx: &Context, id: UserId) -> Result<()> {
    let nothing = serde_json::json!({});
    app.record(
        cx,
        "user.reset_password",
        "user",
        id.to_string(),
        "refused",
        nothing,
        Vec::new(),
    )
    .await
}

struct Update {
    id: UserId,
    display_name: Option<Label>,
    locale: Option<String>,
    new_password: Option<(String, Option<String>)>,
    credential_id: CredentialId,
    keep: Option<BrowserSessionId>,
    now: Timestamp,
}

#[async_trait]
impl Change for Update {
    type Output = Vec<BrowserSessionId>;

    fn action(&self) -> Action {
        if self.new_password.is_some() {
            Action::UserResetPassword
        } else {
            Action::UserUpdate
        }
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(user_resource(
            &users::find(tx, self.id)
                .await?
                .ok_or_else(Error::not_found)?,
        ))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Vec<BrowserSessionId>> {
        let user = users::get(door.tx, self.id).await?;
        let user = User {
            display_name: self.display_name.clone().unwrap_or(user.display_name),
            locale: match &self.locale {
                Some(locale) => Some(locale.clone()).filter(|text| !text.is_empty()),
                None => user.locale,
            },
            updated_at: self.now,
            ..user
        };
        users::update(door.tx, &user).await?;
        door.note("display_name", user.display_name.as_str());
        let Some((hash, proven)) = &self.new_password else {
            return Ok(Vec::new());
        };
        let present = credentials::find_password(door.tx, self.id).await?;
        // Kept: whoever set it knows it, could change it once more, and must not end with that what tells of them.
        let reset = present
            .as_ref()
            .and_then(|row| row.reset_by.clone().zip(row.reset_at));
        let stored = present.and_then(|row| row.secret_hash);
        if stored != *proven {
            return Err(Error::conflict("the password was changed meanwhile"));
        }
        credentials::set_password(door.tx, self.credential_id, self.id, hash, self.now, reset)
            .await?;
        let what = if proven.is_some() { "changed" } else { "set" };
        door.note("password", what);
        let live = browser_sessions::list_live(door.tx, self.id, self.now).await?;
        browser_sessions::revoke_all(door.tx, self.id, self.keep, self.now).await?;
        Ok(live
            .into_iter()
            .map(|row| row.id)
            .filter(|id| Some(*id) != self.keep)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_tag_is_recognised() {
        for good in ["", "de", "pt-BR", "zh-Hant-TW"] {
            assert!(is_language_tag(good), "{good}");
        }
        for bad in ["-", "de_DE", "de-", "x y", "abcdefghij"] {
            assert!(!is_language_tag(bad), "{bad}");
        }
    }
}
