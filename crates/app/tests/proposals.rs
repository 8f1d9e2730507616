//! What is stored about a proposal is not trusted when it is carried out.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use fractal_api_types::{
    ApproveProposal, CreateUser, DryRun, PolicyDecision, PolicyOutcome, ProblemCode, ProposalView,
    UpdatePolicy,
};
use fractal_app::{
    Approvals, Context, policy,
    proposal::{self, Intent, Performed, Performer},
    user,
};
use fractal_policy::{Action, Resource};
use fractal_store::{Tx, proposals};
use fractal_testing::house::{House, PASSWORD, house, name};
use fractal_types::{ProposalState, Role};

const RULES: &str = r#"
@id("keys-need-one")
@approval("admin:1")
forbid (principal is User, action == Action::"key.rotate", resource) unless { context.approved };
"#;

/// Asks what a change would ask, and does nothing.
#[derive(Debug)]
struct Asks {
    house: Arc<House>,
    /// What becomes of the first so many that are carried out.
    failing: u32,
    calls: AtomicU32,
}

#[async_trait]
impl Performer for Asks {
    async fn perform(&self, cx: Context, _: &Intent) -> Performed {
        let app = &self.house.app;
        if let Err(error) = app.require(&cx, Action::KeyRotate, &Resource::Settings) {
            return Performed::Failed {
                code: error.code,
                detail: error.to_string(),
            };
        }
        if matches!(cx.approvals, Approvals::Assumed(_)) {
            return Performed::Tried(Box::new(DryRun {
                action: Action::KeyRotate.to_string(),
                resource_kind: "settings".into(),
                resource_id: None,
                private: false,
                decision: PolicyDecision {
                    outcome: PolicyOutcome::Allow,
                    reason: None,
                    policies: Vec::new(),
                    approvals: Vec::new(),
                },
                values: Default::default(),
                instances: Vec::new(),
            }));
        }
        if self.calls.fetch_add(1, Ordering::SeqCst) < self.failing {
            return Performed::Failed {
                code: ProblemCode::Unavailable,
                detail: "the database is busy".into(),
            };
        }
        Performed::Done(String::new().into())
    }
}

struct Asked {
    house: Arc<House>,
    asks: Arc<Asks>,
    owner: Context,
    admin: Context,
    view: ProposalView,
}

/// An owner's rotation of the key that waits for an administrator.
async fn asked(failing: u32) -> Asked {
    let house = Arc::new(house().await);
    let owner = house.context(&house.claim().await).await;
    let grace = CreateUser {
        username: name("grace"),
        display_name: None,
        role: Some(Role::Admin),
        password: PASSWORD.into(),
    };
    user::create(&house.app, &owner, grace).await.unwrap();
    let admin = house.sign_in("grace").await;
    let body = UpdatePolicy {
        base_version: 0,
        text: RULES.to_owned(),
        tests: None,
        comment: None,
    };
    policy::update(&house.app, &owner, body).await.unwrap();
    let asks = Arc::new(Asks {
        house: house.clone(),
        failing,
        calls: AtomicU32::new(0),
    });
    let intent = Intent {
        method: "POST".into(),
        address: "/api/v1/keys/rotate".into(),
        body: "{}".into(),
    };
    let view = proposal::ask(&house.app, &*asks, &owner, intent)
        .await
        .unwrap();
    assert_eq!(view.policies, ["keys-need-one"]);
    Asked {
        house,
        asks,
        owner,
        admin,
        view,
    }
}

impl Asked {
    async fn approve(&self) {
        let body = ApproveProposal {
            digest: self.view.digest.clone(),
            comment: None,
        };
        proposal::approve(&self.house.app, &self.admin, self.view.id, body)
            .await
            .unwrap();
    }

    async fn work(&self) -> usize {
        self.house.work(self.asks.clone()).await
    }

    async fn now(&self) -> ProposalView {
        proposal::view(&self.house.app, &self.owner, self.view.id)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn what_was_changed_in_the_database_after_the_approval_is_not_carried_out() {
    let asked = asked(0).await;
    asked.approve().await;
    // Somebody with the database makes another's request out of it.
    let (app, id) = (&asked.house.app, asked.view.id);
    app.store
        .tx("test", async |tx: Tx| {
            let mut row = proposals::get(&tx, id).await?;
            row.digest = row.digest.replace(|c: char| c.is_ascii_digit(), "0");
            proposals::update(&tx, &row).await
        })
        .await
        .unwrap();
    assert_eq!(asked.work().await, 1);
    let now = asked.now().await;
    assert_eq!(now.state, ProposalState::Failed);
    assert!(now.reason.unwrap().contains("was changed"));
    assert_eq!(asked.asks.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_busy_moment_is_waited_out_and_a_lasting_one_is_told() {
    let asked_twice = asked(1).await;
    asked_twice.approve().await;
    assert_eq!(asked_twice.work().await, 1);
    assert_eq!(asked_twice.now().await.state, ProposalState::Approved);
    asked_twice.house.pass(3600);
    assert_eq!(asked_twice.work().await, 1);
    assert_eq!(asked_twice.now().await.state, ProposalState::Done);

    let in_vain = asked(u32::MAX).await;
    in_vain.approve().await;
    for _ in 0..5 {
        in_vain.work().await;
        in_vain.house.pass(3600);
    }
    let now = in_vain.now().await;
    assert_eq!(now.state, ProposalState::Failed);
    assert_eq!(now.reason.as_deref(), Some("the database is busy"));
}
