//! What is stored about a proposal is not trusted when it is carried out.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use fractal_api_types::{
    ApproveProposal, CreateUser, DryRun, PolicyDecision, PolicyOutcome, ProblemCode, ProposalQuery,
    ProposalRequest, ProposalView, UpdatePolicy,
};
use fractal_app::{
    Approvals, Context, policy,
    proposal::{self, Intent, Performed, Performer, Work},
    user,
};
use fractal_background::{ClaimedJob, JobContext, JobHandler};
use fractal_policy::{Action, Resource};
use fractal_store::{Proposal, Tx, proposals};
use fractal_testing::house::{House, PASSWORD, house, name};
use fractal_types::{ApiTokenId, ProposalState, Role};
use serde_json::json;
use tokio_util::sync::CancellationToken;

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
                fresh: Vec::new(),
                steps: Vec::new(),
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
    let request = ProposalRequest {
        operation: "rotateKeys".into(),
        method: intent.method.clone(),
        address: intent.address.clone(),
        body: None,
        secrets: Vec::new(),
    };
    let view = proposal::ask(&house.app, &*asks, &owner, intent, request)
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

/// Changes the stored row after the approval, as somebody with the database would, and sees that nothing is done.
async fn tampered(what: &str, change: impl Fn(&mut Proposal, &Proposal) + Sync) {
    let asked = asked(0).await;
    asked.approve().await;
    let app = &asked.house.app;
    // Another one of the same person's, to take from.
    let other = proposal::ask(
        app,
        &*asked.asks,
        &asked.owner,
        Intent {
            method: "POST".into(),
            address: "/api/v1/keys/rotate?again".into(),
            body: "{}".into(),
        },
        asked.view.request.clone().unwrap(),
    )
    .await
    .unwrap();
    app.store
        .tx("test", async |tx: Tx| {
            let mut row = proposals::get(&tx, asked.view.id).await?;
            let other = proposals::get(&tx, other.id).await?;
            change(&mut row, &other);
            proposals::update(&tx, &row).await
        })
        .await
        .unwrap();
    for _ in 0..5 {
        asked.work().await;
        asked.house.pass(3600);
    }
    let now = asked.now().await;
    assert_eq!(now.state, ProposalState::Failed, "{what}");
    assert_eq!(asked.asks.calls.load(Ordering::SeqCst), 0, "{what}");
}

#[tokio::test]
async fn what_was_changed_in_the_database_after_the_approval_is_not_carried_out() {
    tampered("digest", |row, other| row.digest.clone_from(&other.digest)).await;
    tampered("request", |row, other| {
        row.request.clone_from(&other.request)
    })
    .await;
    tampered("what was shown", |row, other| {
        row.simulation.clone_from(&other.simulation);
    })
    .await;
    tampered("a cleared request", |row, _| row.request = None).await;
    tampered("who asked", |row, _| {
        row.actor["role"] = "member".into();
    })
    .await;
    tampered("the token", |row, _| {
        row.token_id = Some(ApiTokenId::from_uuid(uuid::Uuid::from_u128(7)));
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_forbids_everything_keeps_no_proposal_open() {
    let asked = asked(0).await;
    let freeze =
        r#"@id("freeze") forbid (principal, action == Action::"proposal.settle", resource);"#;
    let body = UpdatePolicy {
        base_version: 1,
        text: freeze.to_owned(),
        tests: None,
        comment: None,
    };
    let put = policy::update(&asked.house.app, &asked.owner, body).await;
    put.unwrap();
    asked.house.pass(8 * 24 * 60 * 60);
    asked.work().await;
    let row = proposals::get(&asked.house.app.store.read(), asked.view.id).await;
    assert_eq!(row.unwrap().state, ProposalState::Expired);
    let log = asked.house.log("proposal.settle").await;
    assert!(log.iter().all(|one| one.entry.outcome == "done"));
    assert_eq!(log.len(), 1);
}

#[tokio::test]
async fn one_that_cannot_be_read_hides_no_other() {
    let asked = asked(0).await;
    let app = &asked.house.app;
    app.store
        .tx("test", async |tx: Tx| {
            let mut row = proposals::get(&tx, asked.view.id).await?;
            row.simulation = Some(b"not sealed by us".to_vec());
            proposals::update(&tx, &row).await
        })
        .await
        .unwrap();
    let page = proposal::list(app, &asked.owner, &ProposalQuery::default()).await;
    let items = page.unwrap().items;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].simulation, None);
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

/// Does it at once.
#[derive(Debug)]
struct Answers;

#[async_trait]
impl Performer for Answers {
    async fn perform(&self, _: Context, _: &Intent) -> Performed {
        Performed::Done("{\"secret\":\"new\"}".to_owned().into())
    }
}

/// Is so slow that another worker does it meanwhile, and there is nothing left to do for it.
#[derive(Debug)]
struct Overtaken(Arc<House>);

#[async_trait]
impl Performer for Overtaken {
    async fn perform(&self, _: Context, _: &Intent) -> Performed {
        assert_eq!(self.0.work(Arc::new(Answers)).await, 1);
        Performed::Failed {
            code: ProblemCode::Conflict,
            detail: "this proposal is done already".into(),
        }
    }
}

#[tokio::test]
async fn a_worker_that_comes_too_late_does_not_say_that_the_answer_is_lost() {
    let asked = asked(0).await;
    asked.approve().await;
    let (app, id) = (&asked.house.app, asked.view.id);
    // Not by a worker, whose lease would keep the other one away.
    let late = Work::new(app.clone(), Arc::new(Overtaken(asked.house.clone())));
    let context = JobContext {
        stop: CancellationToken::new(),
        job: ClaimedJob {
            id: app.new_id(),
            queue: proposal::QUEUE.to_owned(),
            payload: json!({ "carry_out": id }),
            attempt: 1,
            max_attempts: 10,
            fence: 1,
        },
    };
    late.run(&context).await.unwrap();
    let now = asked.now().await;
    assert_eq!((now.state, now.reason), (ProposalState::Done, None));
    let answer = proposal::collect(&asked.house.app, &asked.owner, now.id).await;
    assert_eq!(answer.unwrap().answer["secret"], "new");
}
