//! Changes that wait for approval.

use fractal_store::{Awaiting, PageRequest, Proposal, ProposalFilter, ProposalVote, proposals};
use fractal_types::{ProposalId, ProposalState, Role, UserId, Verdict};
use serde_json::json;

use crate::fixture::Db;

pub async fn proposals_are_found_by_who_may_see_or_approve_them(db: &Db) {
    let ada = db.user(&db.organization().await, "ada").await;
    let organization_id = ada.organization_id;
    let grace: UserId = db.id();
    let proposal = |approver, state| Proposal {
        id: db.id(),
        organization_id,
        user_id: ada.id,
        actor: json!({"n": 1}),
        token_id: None,
        request_id: None,
        action: "provider.delete".into(),
        resource_kind: "provider".into(),
        resource_id: None,
        private: true,
        request: Some(vec![0, 255]),
        simulation: None,
        digest: "ab".into(),
        demands: json!([]),
        policies: vec!["a-rule".into()],
        approver,
        state,
        reason: None,
        answer: None,
        answered_at: None,
        created_at: db.now(),
        expires_at: db.now(),
        approved_at: None,
        settled_at: None,
    };
    let admins = proposal(Role::Admin, ProposalState::Open);
    let owners = proposal(Role::Owner, ProposalState::Open);
    let over = proposal(Role::Admin, ProposalState::Done);
    let vote = |about: &Proposal| ProposalVote {
        id: db.id(),
        proposal_id: about.id,
        user_id: grace,
        role: Role::Admin,
        verdict: Verdict::Approve,
        comment: "\u{2603}".into(),
        digest: about.digest.clone(),
        created_at: db.now(),
    };
    db.store
        .tx("test", async |tx| {
            for row in [&admins, &owners, &over] {
                proposals::insert(&tx, row).await?;
            }
            Ok::<_, fractal_store::Error>(())
        })
        .await
        .unwrap();
    let read = db.store.read();
    let found = async |filter: ProposalFilter| {
        let page = PageRequest::default();
        let found = proposals::list(&read, organization_id, &filter, &page).await;
        let mut ids: Vec<_> = found.unwrap().items.into_iter().map(|row| row.id).collect();
        ids.sort();
        ids
    };
    let seen_by = |user, roles: &[Role]| ProposalFilter {
        visible_to: Some((user, roles.to_vec())),
        ..ProposalFilter::default()
    };
    // Made within one millisecond, so their order is chance.
    let sorted = |mut ids: Vec<ProposalId>| {
        ids.sort();
        ids
    };
    let all = sorted(vec![admins.id, owners.id, over.id]);
    assert_eq!(found(ProposalFilter::default()).await, all);
    assert_eq!(found(seen_by(ada.id, &[Role::Member])).await, all);
    assert_eq!(found(seen_by(grace, &[Role::Member])).await, []);
    let theirs = found(seen_by(grace, &[Role::Member, Role::Admin])).await;
    assert_eq!(theirs, sorted(vec![admins.id, over.id]));
    let awaiting = |user, role| ProposalFilter {
        state: Some(ProposalState::Open),
        awaiting: Some(Awaiting {
            user_id: user,
            role,
            own: false,
        }),
        ..ProposalFilter::default()
    };
    assert_eq!(found(awaiting(grace, Role::Admin)).await, [admins.id]);
    assert_eq!(
        found(awaiting(ada.id, Role::Owner)).await,
        [],
        "not one's own"
    );
    let mut own = awaiting(ada.id, Role::Owner);
    own.awaiting = own.awaiting.map(|one| Awaiting { own: true, ..one });
    assert_eq!(found(own).await, sorted(vec![admins.id, owners.id]));
    let by = |user| ProposalFilter {
        user_id: Some(user),
        ..ProposalFilter::default()
    };
    assert_eq!(found(by(ada.id)).await, all);
    assert_eq!(found(by(grace)).await, []);

    let said = vote(&admins);
    let again = vote(&admins);
    db.store
        .tx("test", async |tx| proposals::vote(&tx, &said).await)
        .await
        .unwrap();
    let twice = db
        .store
        .tx("test", async |tx| proposals::vote(&tx, &again).await)
        .await;
    assert!(twice.unwrap_err().is_conflict(), "one says it once");
    assert_eq!(proposals::votes(&read, admins.id).await.unwrap(), [said]);
    assert_eq!(found(awaiting(grace, Role::Owner)).await, [owners.id]);

    let open = proposals::list_open_of(&read, ada.id).await.unwrap();
    let expected = sorted(vec![admins.id, owners.id]);
    assert_eq!(open.iter().map(|row| row.id).collect::<Vec<_>>(), expected);
    assert!(open.contains(&admins) && open.contains(&owners));
    db.store
        .tx("test", async |tx| proposals::delete_of(&tx, ada.id).await)
        .await
        .unwrap();
    assert_eq!(found(ProposalFilter::default()).await, []);
}
