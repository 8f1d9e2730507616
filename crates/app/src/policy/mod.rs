//! Access rules: which are in force, their versions, and what others would do.
//!
//! A version of added rules is one row that is never changed; the newest is in force. It is compiled once and kept in memory. The
//! door asks in its transaction which version that is, so that a change is decided by the newest rules also when another process
//! put them there; reads follow with the next change.

mod record;
mod simulate;
mod sketch;
mod update;

use std::{
    ops::Deref,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use fractal_api_types::{
    Page, PageQuery, PolicyApproval, PolicyDecision, PolicyOutcome, PolicyRule, PolicyTest,
    PolicyVersionView, PolicyView, ProblemCode,
};
use fractal_policy::{Action, Decision, Outcome, PolicySet, Resource, builtin_policies};
use fractal_store::{PolicyVersion, Reads, Store, policy_versions};
use fractal_types::OrganizationId;

pub(crate) use record::{decided, forget_old};
pub use simulate::simulate;
pub use update::{check, reset, update};

use crate::{
    App, Context, Error, Result,
    lookup::{page_request, person},
};

/// The rules in force, ready to decide.
#[derive(Debug)]
pub struct InForce {
    /// The number of their version; 0 for the built-in ones alone.
    pub version: u64,
    set: PolicySet,
}

impl Deref for InForce {
    type Target = PolicySet;

    fn deref(&self) -> &PolicySet {
        &self.set
    }
}

/// The rules in force, replaced as a whole.
#[derive(Debug)]
pub struct Policies {
    present: RwLock<Arc<InForce>>,
    /// Decisions that were made by rules which are not in force any more.
    earlier_decisions: AtomicU64,
    recorded: AtomicU64,
}

impl Policies {
    /// Those of the database.
    ///
    /// # Errors
    ///
    /// When the version in force does not fit this release; then nothing may be decided.
    pub async fn load(store: &Store, organization_id: OrganizationId) -> Result<Self> {
        let row = policy_versions::find_latest(&store.read(), organization_id).await?;
        Ok(Self::new(compiled(row)?))
    }

    /// The built-in ones alone.
    ///
    /// # Errors
    ///
    /// When the release itself is broken.
    pub fn builtin() -> Result<Self> {
        Ok(Self::new(compiled(None)?))
    }

    fn new(present: InForce) -> Self {
        Self::of(Arc::new(present))
    }

    /// Those that another house of this process has in force; compiling them takes its time.
    #[must_use]
    pub fn of(present: Arc<InForce>) -> Self {
        Self {
            present: RwLock::new(present),
            earlier_decisions: AtomicU64::new(0),
            recorded: AtomicU64::new(0),
        }
    }

    /// Those in force in this process.
    #[must_use]
    pub fn present(&self) -> Arc<InForce> {
        self.present
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Those in force in this transaction; compiled when another version was put in force meanwhile.
    pub(crate) async fn present_in(
        &self,
        db: &dyn Reads,
        organization_id: OrganizationId,
    ) -> Result<Arc<InForce>> {
        let present = self.present();
        if policy_versions::latest_number(db, organization_id).await? == present.version {
            return Ok(present);
        }
        let row = policy_versions::find_latest(db, organization_id).await?;
        Ok(Arc::new(compiled(row)?))
    }

    /// Puts rules in force in this process, unless newer ones are.
    pub(crate) fn put(&self, next: Arc<InForce>) {
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        if next.version > present.version {
            let made = present.set.decisions();
            self.earlier_decisions.fetch_add(made, Ordering::Relaxed);
            *present = next;
        }
    }

    /// How many decisions were made, for metrics.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.earlier_decisions.load(Ordering::Relaxed) + self.present().set.decisions()
    }
}

/// The rules of a version, or the built-in ones alone.
fn compiled(row: Option<PolicyVersion>) -> Result<InForce> {
    let (version, text) = row.map_or((0, String::new()), |row| (row.number, row.text));
    let set = PolicySet::with_extra(&text).map_err(|why| {
        Error::internal(why)
            .detail(format!(
                "version {version} of the access rules does not fit this release, so nothing can be decided"
            ))
            .remedy("run `fractal policy reset` on the machine, then add the rules again, corrected")
    })?;
    Ok(InForce { version, set })
}

impl App {
    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> Arc<InForce> {
        self.parts().policies.present()
    }
}

/// The rules in force, as people read them.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context) -> Result<PolicyView> {
    app.require(cx, Action::PolicyView, &Resource::Settings)?;
    let row = policy_versions::find_latest(&app.store.read(), app.organization_id).await?;
    let builtin = builtin_policies().map_err(Error::internal)?;
    Ok(PolicyView {
        version: row.as_ref().map_or(0, |row| row.number),
        tests: row.as_ref().map_or_else(Vec::new, tests_of),
        text: row.map(|row| row.text).unwrap_or_default(),
        builtin: builtin
            .into_iter()
            .map(|rule| PolicyRule {
                id: rule.id,
                effect: rule.effect.to_owned(),
                description: rule.description,
                text: rule.text,
            })
            .collect(),
        schema: fractal_policy::SCHEMA.to_owned(),
    })
}

/// The versions there were, newest first.
///
/// # Errors
///
/// See [`App::require`]; names a parameter that makes no sense.
pub async fn versions(
    app: &App,
    cx: &Context,
    query: &PageQuery,
) -> Result<Page<PolicyVersionView>> {
    app.require(cx, Action::PolicyView, &Resource::Settings)?;
    let read = app.store.read();
    let page = policy_versions::list(&read, app.organization_id, &page_request(query)?).await?;
    let latest = policy_versions::latest_number(&read, app.organization_id).await?;
    let mut items = Vec::new();
    for row in page.items {
        items.push(version_view(&read, row, latest).await?);
    }
    Ok(Page {
        items,
        next_cursor: page.next_cursor,
    })
}

/// One version.
///
/// # Errors
///
/// `not-found`; see [`App::require`].
pub async fn version(app: &App, cx: &Context, number: u64) -> Result<PolicyVersionView> {
    app.require(cx, Action::PolicyView, &Resource::Settings)?;
    let read = app.store.read();
    let row = policy_versions::find_number(&read, app.organization_id, number)
        .await?
        .ok_or_else(|| Error::new(ProblemCode::NotFound).detail("there is no such version"))?;
    let latest = policy_versions::latest_number(&read, app.organization_id).await?;
    version_view(&read, row, latest).await
}

async fn version_view(
    db: &dyn Reads,
    row: PolicyVersion,
    latest: u64,
) -> Result<PolicyVersionView> {
    let author = person(db, row.author).await?;
    Ok(PolicyVersionView {
        version: row.number,
        in_force: row.number == latest,
        author,
        tests: tests_of(&row),
        comment: row.comment,
        text: row.text,
        created_at: row.created_at,
    })
}

/// The tests of a version. Another release's tests that make no sense any more are none.
fn tests_of(row: &PolicyVersion) -> Vec<PolicyTest> {
    serde_json::from_value(row.tests.clone()).unwrap_or_default()
}

/// A decision, as people read it.
pub(crate) fn decision_view(decision: &Decision) -> PolicyDecision {
    let (outcome, reason, approvals) = match &decision.outcome {
        Outcome::Allow => (PolicyOutcome::Allow, None, &[][..]),
        Outcome::Deny(why) => (PolicyOutcome::Deny, Some(why.as_str().to_owned()), &[][..]),
        Outcome::NeedsApproval(needed) => (PolicyOutcome::NeedsApproval, None, &needed[..]),
    };
    PolicyDecision {
        outcome,
        reason,
        policies: decision.determining.clone(),
        approvals: approvals
            .iter()
            .map(|one| PolicyApproval {
                role: one.role,
                count: one.count,
            })
            .collect(),
    }
}
