//! What each noun promises.

use std::time::Duration;

use fractal_store::{
    ApiToken, BrowserSession, Credential, CredentialKind, Error, IdentityProvider, Invitation,
    OidcFlow, OwnerKeyRow, PageRequest, Profile, Provider, ProviderMode, Revision, SkillCredential,
    UsageRecord, api_tokens, browser_sessions, credentials, engines, identity_providers,
    instances::{self, Seen},
    invitations, login_attempts, oidc_flows, organizations, owner_keys, profiles, providers,
    revisions, runtime_assets, sealed, skill_credentials, system_config, usage_records, users,
};
use fractal_types::{
    Generation, ProviderKind, Role, Scope, SeenState, StopReason, UserId, WantedState, Wire,
};
use serde_json::json;

use crate::fixture::Db;

const MINUTE: Duration = Duration::from_secs(60);

pub async fn every_noun_reads_back_as_it_was_written(db: &Db) {
    let instance = db.instance().await;
    let now = db.now();
    let user_id = instance.user_id;
    let organization_id = instance.organization_id;
    let credential = Credential {
        reset_by: Some("root".into()),
        reset_at: Some(db.now()),
        id: db.id(),
        user_id,
        kind: CredentialKind::Oidc,
        secret_hash: None,
        issuer: Some("https://id.example.org".into()),
        subject: Some("42".into()),
        created_at: now,
    };
    let session = BrowserSession {
        id: db.id(),
        user_id,
        token_hash: db.hash(),
        created_at: now,
        expires_at: now.after(MINUTE),
        last_used_at: now,
        user_agent: Some("Browser ☃".into()),
        address: Some("192.0.2.1".into()),
        revoked_at: None,
    };
    let token = ApiToken {
        id: db.id(),
        user_id,
        name: "ci".parse().unwrap(),
        token_hash: db.hash(),
        hint: "…abcd".into(),
        scopes: vec![Scope::Read, Scope::Chat],
        created_at: now,
        expires_at: Some(now.after(MINUTE)),
        last_used_at: None,
        revoked_at: None,
        rotated_from: None,
    };
    let variable = SkillCredential {
        id: db.id(),
        user_id,
        skill: "trello".parse().unwrap(),
        name: "TRELLO_TOKEN".parse().unwrap(),
        value: vec![1, 0, 255],
        hint: "…cdef".into(),
        created_at: now,
        updated_at: now.after(MINUTE),
    };
    let idp = IdentityProvider {
        id: db.id(),
        organization_id,
        name: "Company".parse().unwrap(),
        issuer: "https://id.example.org".into(),
        client_id: "fractal".into(),
        client_secret: Some(vec![0, 255, 7]),
        scopes: vec!["openid".into()],
        enabled: true,
        auto_provision: false,
        allow_private_network: true,
        created_at: now,
        updated_at: now,
    };
    let key = OwnerKeyRow {
        id: db.id(),
        owner: user_id.to_string(),
        version: 1,
        wrapped: vec![9; 61],
        created_at: now,
        retired_at: None,
    };
    let provider = Provider {
        id: db.id(),
        organization_id,
        user_id: Some(user_id),
        name: "Mine".parse().unwrap(),
        kind: ProviderKind::Anthropic,
        wire: Wire::AnthropicMessages,
        base_url: None,
        api_key: Some(vec![1]),
        key_version: Some(1),
        key_hint: Some("…wxyz".into()),
        models: vec!["claude".into()],
        mode: ProviderMode::Broker,
        enabled: true,
        private_network: false,
        provider_ok: None,
        provider_checked_at: None,
        provider_error: None,
        created_at: now,
        updated_at: now,
    };
    let profile = Profile {
        id: db.id(),
        user_id,
        agent_name: "Hal".parse().unwrap(),
        persona: json!({"soul": "kind", "n": [1, 2.5, null]}),
        provider_id: Some(provider.id),
        model: Some("claude".into()),
        heartbeat_every: None,
        cron_enabled: true,
        tools: json!([]),
        idle_timeout_min: None,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let revision = Revision {
        id: db.id(),
        instance_id: instance.id,
        number: 1,
        config: json!({"gateway": {"port": 1}}),
        hash: "h".into(),
        created_at: now,
    };
    db.store
        .tx("test", async |tx| {
            credentials::insert(&tx, &credential).await?;
            browser_sessions::insert(&tx, &session).await?;
            api_tokens::insert(&tx, &token).await?;
            identity_providers::insert(&tx, &idp).await?;
            owner_keys::insert(&tx, &key).await?;
            providers::insert(&tx, &provider).await?;
            skill_credentials::insert(&tx, &variable).await?;
            profiles::insert(&tx, &profile).await?;
            revisions::insert(&tx, &revision).await
        })
        .await
        .unwrap();
    let read = db.store.read();
    let read = &read;
    assert_eq!(instances::get(read, instance.id).await.unwrap(), instance);
    assert_eq!(
        instances::find_by_token_hash(read, instance.instance_token_hash)
            .await
            .unwrap(),
        Some(instance.clone())
    );
    assert_eq!(
        credentials::find_oidc(read, "https://id.example.org", "42")
            .await
            .unwrap(),
        Some(credential)
    );
    assert_eq!(
        browser_sessions::find_by_hash(read, session.token_hash)
            .await
            .unwrap(),
        Some(session.clone())
    );
    assert_eq!(
        browser_sessions::list_live(read, user_id, now)
            .await
            .unwrap(),
        [session]
    );
    assert_eq!(api_tokens::get(read, token.id).await.unwrap(), token);
    assert_eq!(
        identity_providers::list(read, organization_id)
            .await
            .unwrap(),
        [idp]
    );
    assert_eq!(
        owner_keys::find_latest(read, &user_id.to_string())
            .await
            .unwrap(),
        Some(key)
    );
    assert_eq!(providers::get(read, provider.id).await.unwrap(), provider);
    assert_eq!(
        profiles::find_by_user(read, user_id).await.unwrap(),
        Some(profile.clone())
    );
    assert_eq!(
        revisions::find_latest(read, instance.id).await.unwrap(),
        Some(revision)
    );
    assert_eq!(
        skill_credentials::list_all(read, user_id).await.unwrap(),
        [variable]
    );
    let page = skill_credentials::list(read, db.id(), &PageRequest::default()).await;
    assert_eq!(page.unwrap().items, [], "nobody else has it");
    assert!(
        runtime_assets::find_by_key(read, "local-process")
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        engines::find_latest_installed(read)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(organizations::list(read).await.unwrap().len(), 1);
    let mut found = Vec::new();
    for owner in [
        user_id.to_string(),
        organization_id.to_string(),
        db.id::<UserId>().to_string(),
    ] {
        for value in sealed::list(read, &owner).await.unwrap() {
            found.push(format!("{}.{}", value.column.table, value.column.column));
        }
    }
    assert_eq!(
        found,
        [
            "providers.api_key",
            "skill_credentials.value",
            "instances.gateway_token",
            "instances.instance_token",
            "identity_providers.client_secret",
        ]
    );
    // The organization's providers are for everybody, a person's for them alone.
    for (who, count) in [(Some(user_id), 1), (Some(db.id::<UserId>()), 0), (None, 0)] {
        let page = providers::list(read, organization_id, who, &PageRequest::default()).await;
        assert_eq!(page.unwrap().items.len(), count);
    }
    // A removed provider leaves the profile without one.
    db.store
        .tx("test", async |tx| providers::delete(&tx, provider.id).await)
        .await
        .unwrap();
    assert_eq!(
        profiles::get(read, profile.id).await.unwrap().provider_id,
        None
    );
}

pub async fn the_same_name_twice_is_a_conflict_that_names_the_table(db: &Db) {
    let organization = db.organization().await;
    db.user(&organization, "ada").await;
    let again = db.new_user(&organization, "ada");
    let error = db
        .store
        .tx("test", async |tx| users::insert(&tx, &again).await)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Conflict { table } if table == "users"),
        "{error:?}"
    );
}

pub async fn a_variable_is_stored_once_for_a_skill_and_goes_with_its_person(db: &Db) {
    let organization = db.organization().await;
    let user = db.user(&organization, "ada").await;
    let row = |skill: &str| SkillCredential {
        id: db.id(),
        user_id: user.id,
        skill: skill.parse().unwrap(),
        name: "API_TOKEN".parse().unwrap(),
        value: vec![1],
        hint: "…".into(),
        created_at: db.now(),
        updated_at: db.now(),
    };
    for (skill, known) in [("trello", false), ("notion", false), ("trello", true)] {
        let row = row(skill);
        let made = db
            .store
            .tx("test", async |tx| {
                skill_credentials::insert(&tx, &row).await
            })
            .await;
        assert_eq!(
            matches!(&made, Err(Error::Conflict { table }) if table == "skill_credentials"),
            known,
            "{skill}: {made:?}"
        );
    }
    db.store
        .tx("test", async |tx| users::delete(&tx, user.id).await)
        .await
        .unwrap();
    let left = skill_credentials::list_all(&db.store.read(), user.id).await;
    assert_eq!(left.unwrap(), []);
}

pub async fn a_sealed_value_is_replaced_unless_it_has_changed_meanwhile(db: &Db) {
    let owner = db.instance().await.user_id.to_string();
    let values = sealed::list(&db.store.read(), &owner).await.unwrap();
    for (bytes, is_ours) in [([7_u8, 7], true), ([8, 8], false)] {
        let replaced = db
            .store
            .tx("test", async |tx| {
                sealed::replace(&tx, &values[0], &bytes).await
            })
            .await;
        assert_eq!(replaced.unwrap(), is_ours);
    }
    let now = sealed::list(&db.store.read(), &owner).await.unwrap();
    assert_eq!(now[0].bytes, [7, 7]);
    assert_eq!(now[1..], values[1..], "nothing else has changed");
}

pub async fn an_owners_older_keys_are_found_until_they_are_gone(db: &Db) {
    let key = |owner: &str, version| OwnerKeyRow {
        id: db.id(),
        owner: owner.into(),
        version,
        wrapped: vec![1],
        created_at: db.now(),
        retired_at: None,
    };
    let keys = [
        key("a", 1),
        key("b", 1),
        key("a", 2),
        key("a", 3),
        key("b", 2),
        key("c", 1),
    ];
    let mut older = [keys[0].id, keys[1].id, keys[2].id];
    older.sort();
    db.store
        .tx("test", async |tx| {
            for key in &keys {
                owner_keys::insert(&tx, key).await?;
            }
            owner_keys::retire(&tx, older[1], db.now()).await
        })
        .await
        .unwrap();
    let read = db.store.read();
    let ids = async |after, limit| -> Vec<_> {
        let rows = owner_keys::list_older(&read, after, limit).await.unwrap();
        rows.iter().map(|row| row.id).collect()
    };
    assert_eq!(ids(None, 10).await, older);
    assert_eq!(ids(None, 2).await, older[..2]);
    assert_eq!(ids(Some(older[1]), 2).await, older[2..]);
    assert_eq!(owner_keys::count_waiting(&read).await.unwrap(), 2);
    let gone = db
        .store
        .tx("test", async |tx| owner_keys::delete(&tx, older[0]).await)
        .await;
    assert!(gone.unwrap());
    assert_eq!(owner_keys::count_waiting(&read).await.unwrap(), 1);
}

pub async fn what_is_not_there_is_not_found(db: &Db) {
    let id = db.id::<UserId>();
    let error = users::get(&db.store.read(), id).await.unwrap_err();
    assert_eq!(error.to_string(), format!("there is no row {id} in users"));
    assert_eq!(users::find(&db.store.read(), id).await.unwrap(), None);
    let touched = db
        .store
        .tx("test", async |tx| users::touch(&tx, id, db.now()).await)
        .await;
    assert!(touched.unwrap_err().is_not_found());
}

pub async fn a_row_that_points_nowhere_is_refused(db: &Db) {
    let organization = db.organization().await;
    let mut user = db.new_user(&organization, "ada");
    user.organization_id = db.id();
    let result = db
        .store
        .tx("test", async |tx| users::insert(&tx, &user).await)
        .await;
    assert!(matches!(result, Err(Error::Reference)), "{result:?}");
}

pub async fn a_setting_reads_back_and_is_claimed_by_one_only(db: &Db) {
    let key = &system_config::SETUP_TOKEN_HASH;
    let set = async |value: &str| {
        let value = value.to_owned();
        db.store
            .tx("test", async |tx| {
                system_config::insert(&tx, key, &value, db.now()).await
            })
            .await
            .unwrap()
    };
    assert!(set("first").await);
    assert!(!set("second").await);
    let read = db.store.read();
    assert_eq!(
        system_config::find(&read, key).await.unwrap().as_deref(),
        Some("first")
    );
    let claims = (0..4).map(|_| {
        let store = db.store.clone();
        tokio::spawn(async move {
            store
                .tx("claim", async |tx| {
                    system_config::delete(&tx, &system_config::SETUP_TOKEN_HASH).await
                })
                .await
                .unwrap()
        })
    });
    let mut won = 0;
    for claim in claims.collect::<Vec<_>>() {
        won += u32::from(claim.await.unwrap());
    }
    assert_eq!(won, 1);
}

pub async fn an_invitation_is_used_once(db: &Db) {
    let organization = db.organization().await;
    let user = db.user(&organization, "ada").await;
    let invitation = Invitation {
        id: db.id(),
        organization_id: organization.id,
        token_hash: db.hash(),
        role: Role::Member,
        username: None,
        created_by: user.id,
        created_at: db.now(),
        expires_at: db.now().after(MINUTE),
        used_at: None,
        used_by: None,
        revoked_at: None,
    };
    let late = Invitation {
        id: db.id(),
        token_hash: db.hash(),
        expires_at: db.now(),
        ..invitation.clone()
    };
    db.store
        .tx("test", async |tx| {
            invitations::insert(&tx, &invitation).await?;
            invitations::insert(&tx, &late).await
        })
        .await
        .unwrap();
    let redeem = async |id| {
        db.store
            .tx("test", async |tx| {
                invitations::redeem(&tx, id, user.id, db.now()).await
            })
            .await
            .unwrap()
    };
    assert!(redeem(invitation.id).await);
    assert!(!redeem(invitation.id).await, "used");
    assert!(!redeem(late.id).await, "expired");
}

pub async fn a_rotated_token_ends_later_than_now(db: &Db) {
    let organization = db.organization().await;
    let user = db.user(&organization, "ada").await;
    let token = ApiToken {
        id: db.id(),
        user_id: user.id,
        name: "ci".parse().unwrap(),
        token_hash: db.hash(),
        hint: "…abcd".into(),
        scopes: vec![Scope::All],
        created_at: db.now(),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        rotated_from: None,
    };
    let later = db.now().after(MINUTE);
    let revoke = async |at| {
        db.store
            .tx("test", async |tx| {
                api_tokens::revoke(&tx, token.id, at).await
            })
            .await
            .unwrap()
    };
    db.store
        .tx("test", async |tx| api_tokens::insert(&tx, &token).await)
        .await
        .unwrap();
    assert!(revoke(later).await);
    let rotated = api_tokens::get(&db.store.read(), token.id).await.unwrap();
    assert!(rotated.is_live(db.now()) && !rotated.is_live(later));
    assert!(
        !revoke(later.after(MINUTE)).await,
        "an end is never moved later"
    );
    assert!(revoke(db.now()).await);
    let revoked = api_tokens::get(&db.store.read(), token.id).await.unwrap();
    assert!(!revoked.is_live(db.now()));
}

pub async fn a_deleted_instance_gives_its_name_free(db: &Db) {
    let instance = db.instance().await;
    let mut next = instance.clone();
    next.id = db.id();
    next.instance_token_hash = db.hash();
    let insert = async || {
        db.store
            .tx("test", async |tx| instances::insert(&tx, &next).await)
            .await
    };
    assert!(insert().await.unwrap_err().is_conflict());
    db.store
        .tx("test", async |tx| {
            instances::set_wanted(
                &tx,
                instance.id,
                WantedState::Deleted,
                Some(StopReason::Person),
                db.now(),
            )
            .await?;
            instances::set_deleted(&tx, instance.id, db.now()).await
        })
        .await
        .unwrap();
    insert().await.unwrap();
    let read = db.store.read();
    let found = instances::find_by_name(&read, instance.user_id, &instance.name)
        .await
        .unwrap();
    assert_eq!(found.unwrap().id, next.id);
    let live = instances::list_live(&read, &PageRequest::default())
        .await
        .unwrap();
    assert_eq!(live.items.len(), 1);
}

pub async fn an_older_generation_does_not_overwrite_what_was_seen(db: &Db) {
    let instance = db.instance().await;
    let seen = |generation, state| Seen {
        seen: state,
        seen_reason: None,
        generation: Generation(generation),
        proved_hash: None,
        boot_id: Some("boot".into()),
        next_wake_at: None,
        restarts: Vec::new(),
        failure_count: 0,
        next_attempt_at: None,
        seen_at: db.now(),
    };
    let observe = async |what: Seen| {
        db.store
            .tx("test", async |tx| {
                instances::observe(&tx, instance.id, &what).await
            })
            .await
            .unwrap()
    };
    assert!(observe(seen(3, SeenState::Ready)).await);
    assert!(!observe(seen(2, SeenState::Stopped)).await);
    db.store
        .tx("test", async |tx| {
            instances::touch(&tx, instance.id, db.now().after(MINUTE)).await?;
            instances::touch(&tx, instance.id, db.now()).await
        })
        .await
        .unwrap();
    let now = instances::get(&db.store.read(), instance.id).await.unwrap();
    assert_eq!(
        (now.seen, now.generation),
        (SeenState::Ready, Generation(3))
    );
    assert_eq!(
        now.last_active_at,
        db.now().after(MINUTE),
        "use never moves backwards"
    );
    assert_eq!(
        now.wanted,
        WantedState::Running,
        "what is wanted is not the reconciler's"
    );
}

pub async fn failed_sign_ins_are_counted_per_key_and_time(db: &Db) {
    let start = db.now();
    db.store
        .tx("test", async |tx| {
            login_attempts::insert(&tx, "account:ada", start).await?;
            login_attempts::insert(&tx, "account:ada", start).await?;
            login_attempts::insert(&tx, "account:ada", start.after(MINUTE)).await?;
            login_attempts::insert(&tx, "account:bob", start).await
        })
        .await
        .unwrap();
    let read = db.store.read();
    let count = async |key: &str, since| {
        login_attempts::count_since(&read, key, since)
            .await
            .unwrap()
    };
    assert_eq!(count("account:ada", start).await, 3);
    assert_eq!(count("account:ada", start.after(MINUTE)).await, 1);
    db.store
        .tx("test", async |tx| {
            login_attempts::clear(&tx, "account:ada").await?;
            login_attempts::delete_before(&tx, start.after(MINUTE)).await
        })
        .await
        .unwrap();
    assert_eq!(
        count("account:ada", start).await + count("account:bob", start).await,
        0
    );
}

pub async fn a_sign_in_flow_is_taken_once(db: &Db) {
    let organization = db.organization().await;
    let idp = IdentityProvider {
        id: db.id(),
        organization_id: organization.id,
        name: "Company".parse().unwrap(),
        issuer: "https://id.example.org".into(),
        client_id: "fractal".into(),
        client_secret: None,
        scopes: Vec::new(),
        enabled: true,
        auto_provision: false,
        allow_private_network: false,
        created_at: db.now(),
        updated_at: db.now(),
    };
    let flow = OidcFlow {
        state_hash: "aa".into(),
        identity_provider_id: idp.id,
        nonce: "n".into(),
        pkce_verifier: vec![1],
        return_to: "/".into(),
        link_user_id: None,
        link_session_id: None,
        created_at: db.now(),
        expires_at: db.now().after(MINUTE),
    };
    let late = OidcFlow {
        state_hash: "bb".into(),
        expires_at: db.now(),
        ..flow.clone()
    };
    db.store
        .tx("test", async |tx| {
            identity_providers::insert(&tx, &idp).await?;
            oidc_flows::insert(&tx, &flow).await?;
            oidc_flows::insert(&tx, &late).await
        })
        .await
        .unwrap();
    let theirs = sealed::list(&db.store.read(), &organization.id.to_string()).await;
    let theirs = theirs.unwrap().into_iter().map(|value| value.row);
    assert_eq!(theirs.collect::<Vec<_>>(), ["aa", "bb"]);
    let take = async |state: &'static str| {
        db.store
            .tx("test", async |tx| oidc_flows::take(&tx, state).await)
            .await
            .unwrap()
    };
    assert_eq!(take("aa").await, Some(flow));
    assert_eq!(take("aa").await, None);
    assert_eq!(
        take("bb").await,
        Some(late.clone()),
        "too late is for others to judge"
    );
    let over = OidcFlow {
        state_hash: "cc".into(),
        ..late.clone()
    };
    let gone = db
        .store
        .tx("test", async |tx| {
            oidc_flows::insert(&tx, &over).await?;
            let early = oidc_flows::delete_expired(&tx, db.now().before(MINUTE)).await?;
            Ok::<_, Error>((early, oidc_flows::delete_expired(&tx, db.now()).await?))
        })
        .await;
    assert_eq!(gone.unwrap(), (0, 1));
    let gone = db
        .store
        .tx("test", async |tx| {
            for (n, state) in ["c", "d", "e", "f"].into_iter().enumerate() {
                let flow = OidcFlow {
                    state_hash: state.into(),
                    created_at: db.now().after(std::time::Duration::from_secs(n as u64)),
                    ..late.clone()
                };
                let flow = OidcFlow {
                    expires_at: db.now().after(MINUTE),
                    ..flow
                };
                oidc_flows::insert(&tx, &flow).await?;
            }
            Ok::<_, fractal_store::Error>((
                oidc_flows::delete_oldest(&tx, 3).await?,
                oidc_flows::delete_oldest(&tx, 3).await?,
            ))
        })
        .await
        .unwrap();
    assert_eq!(gone, (1, 0));
    assert_eq!(take("c").await, None, "the oldest");
    assert!(take("d").await.is_some() && take("f").await.is_some());
}

pub async fn usage_is_added_in_batches_and_summed(db: &Db) {
    let record = |duration_ms| UsageRecord {
        id: db.id(),
        organization_id: db.id(),
        user_id: db.id(),
        instance_id: db.id(),
        provider_id: None,
        model: "demo".into(),
        alias: "fractal/default".into(),
        wire: Wire::OpenaiCompletions,
        input_tokens: 10,
        output_tokens: 3,
        cache_read_tokens: 1,
        cache_write_tokens: 0,
        status: 200,
        error_code: None,
        started_at: db.now(),
        duration_ms,
    };
    let first = record(0);
    let records: Vec<UsageRecord> = (0..1_203)
        .map(|n| UsageRecord {
            user_id: first.user_id,
            organization_id: first.organization_id,
            ..record(n)
        })
        .collect();
    db.store
        .tx("test", async |tx| {
            usage_records::insert_batch(&tx, &[]).await?;
            usage_records::insert_batch(&tx, &records).await
        })
        .await
        .unwrap();
    let read = db.store.read();
    let (from, until) = (db.now(), db.now().after(MINUTE));
    let total = usage_records::total_of_user(&read, first.user_id, from, until)
        .await
        .unwrap();
    assert_eq!(
        (total.calls, total.input_tokens, total.output_tokens),
        (1_203, 12_030, 3_609)
    );
    let same =
        usage_records::total_of_organization(&read, first.organization_id, from, until).await;
    assert_eq!(same.unwrap(), total);
    let days = usage_records::daily(&read, first.organization_id, None, from, until)
        .await
        .unwrap();
    assert_eq!(days.iter().map(|day| day.calls).sum::<u64>(), 1_203);
    assert_eq!(days[0].day, db.now().as_micros() / 86_400_000_000);
    let none = usage_records::total_of_user(&read, first.user_id, until, until)
        .await
        .unwrap();
    assert_eq!(none, usage_records::UsageTotals::default());
}
