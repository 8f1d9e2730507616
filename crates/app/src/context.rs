//! Who acts, how they proved it, and which request this belongs to.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use fractal_policy::Circumstances;
use fractal_types::{Actor, ApiTokenId, BrowserSessionId, OrganizationId, UserId};

use crate::{
    approval::Approvals,
    error::{Error, Result},
    idempotency::Key,
};

/// Passed to every use case; background work has a context of its own.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who.
    pub actor: Actor,
    /// Whether the acting person is the breakglass account.
    pub breakglass: bool,
    /// The browser session, when one is used.
    pub session_id: Option<BrowserSessionId>,
    /// The API token, when one is used.
    pub token_id: Option<ApiTokenId>,
    /// The request, for correlating evidence with the log.
    pub request_id: Option<String>,
    /// Whether a change is only tried: the door says what would happen and takes everything back.
    pub dry_run: bool,
    /// The caller's key for the change.
    pub idempotency_key: Option<Key>,
    /// The approvals that stand behind a change.
    pub approvals: Approvals,
    /// Set when a change that needs approval becomes a proposal; then asking for it is no refusal.
    pub proposable: Option<Proposable>,
}

/// That a change which needs approval may be kept as a proposal: until a change was made under it. What needs approval after that is
/// something else than what was asked for.
#[derive(Debug, Clone, Default)]
pub struct Proposable(Arc<AtomicBool>);

impl Proposable {
    /// A change was made.
    pub(crate) fn changed(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether nothing was changed yet.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        !self.0.load(Ordering::SeqCst)
    }
}

impl Context {
    /// The control plane itself.
    #[must_use]
    pub const fn system(organization_id: OrganizationId) -> Self {
        Self::of(Actor::system(organization_id))
    }

    /// The context of an actor whose circumstances do not matter (the data plane).
    #[must_use]
    pub const fn of(actor: Actor) -> Self {
        Self {
            actor,
            breakglass: false,
            session_id: None,
            token_id: None,
            request_id: None,
            dry_run: false,
            idempotency_key: None,
            approvals: Approvals::None,
            proposable: None,
        }
    }

    /// The acting person.
    ///
    /// # Errors
    ///
    /// When a program without a person behind it asks for something that belongs to a person.
    pub fn user_id(&self) -> Result<UserId> {
        self.actor.user_id().ok_or_else(|| {
            Error::new(fractal_api_types::ProblemCode::Forbidden).detail("only a person has this")
        })
    }

    /// Whether approvals are only assumed, to see what would happen. Then nothing outside is asked on the way.
    #[must_use]
    pub const fn is_assumed(&self) -> bool {
        matches!(self.approvals, Approvals::Assumed(_))
    }

    /// What a policy needs to know besides. Approvals come in only with [`Context::decide`].
    #[must_use]
    pub const fn circumstances(&self) -> Circumstances {
        Circumstances {
            approved: false,
            breakglass: self.breakglass,
        }
    }
}

/// Where a browser or program calls from.
#[derive(Debug, Clone)]
pub struct ClientInfo {
    /// Its network address.
    pub address: IpAddr,
    /// How it names itself.
    pub user_agent: Option<String>,
}
