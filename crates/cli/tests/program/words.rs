//! What commands print, and how they end.

use serde_json::{Value, json};

use super::{Home, ID, browser_session, err, instance, out};

#[tokio::test]
async fn exit_codes_tell_what_happened() {
    let home = Home::new().await;
    for (args, code) in [
        (vec!["instances", "list"], 0),
        (vec!["--version"], 0),
        (vec!["instances", "show", "nobody"], 1),
        (vec!["users", "list"], 3),
        (vec!["settings", "show"], 4),
        (vec!["instances", "frobnicate"], 2),
        (vec!["settings", "set"], 2),
        (vec!["--url", "nowhere", "status"], 2),
        (vec!["instances", "delete", "helper"], 2),
        (vec![], 2),
    ] {
        let output = home.run(&args).await;
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {}",
            err(&output)
        );
    }
}

#[tokio::test]
async fn a_refusal_names_cause_remedy_and_request_on_standard_error_only() {
    let home = Home::new().await;
    let output = home.run(&["users", "list"]).await;
    assert_eq!(out(&output), "");
    insta::assert_snapshot!(err(&output), @r"
    error: that is not yours
      remedy: ask an owner
      code: forbidden, request: req_1
    ");
}

#[tokio::test]
async fn a_listing_is_a_table_or_the_api_json() {
    let home = Home::new().await;
    insta::assert_snapshot!(out(&home.run(&["instances", "list"]).await), @r"
    ID                               NAME    OWNER  STATE  WANTED   MEMORY   USED   REASON
    inst_01jdx000000000000000000000  helper  ada    ready  running  312 MiB  never
    ");
    let printed: Value =
        serde_json::from_str(&out(&home.run(&["instances", "list", "--json"]).await)).unwrap();
    assert_eq!(printed, json!({"items": [instance("ready")]}));
}

#[tokio::test]
async fn an_operation_is_begun_watched_and_chosen_for() {
    let home = Home::new().await;
    let engine = format!("eng_{ID}");
    let change = [
        "instances",
        "change-engine",
        "helper",
        "--engine",
        engine.as_str(),
    ];
    let begun = home.run(&change).await;
    assert!(
        err(&begun).contains("fractal operations watch op_"),
        "{begun:?}"
    );
    let watched = home.run(&[&change[..], &["--wait"]].concat()).await;
    // It waits for a choice.
    assert_eq!(watched.status.code(), Some(4));
    assert!(err(&watched).contains("start failed it does not come up"));
    let listed = out(&home.run(&["operations", "list"]).await);
    assert!(
        listed.contains("running") && listed.contains("start"),
        "{listed}"
    );
    let id = format!("op_{ID}");
    let shown = out(&home.run(&["operations", "show", &id]).await);
    assert!(
        shown.contains("start failed: it does not come up"),
        "{shown}"
    );
    let retried = home.run(&["operations", "retry", &id]).await;
    assert!(err(&retried).contains("is running"), "{retried:?}");
    let skipped = home.run(&["operations", "skip", &id]).await;
    assert_eq!(skipped.status.code(), Some(2), "it asks first");
}

#[tokio::test]
async fn an_identity_provider_is_added_with_its_secret_from_standard_input() {
    let home = Home::new().await;
    let mut args = vec!["identity-providers", "add", "Example"];
    args.extend(["--issuer", "https://id.example"]);
    args.extend(["--client-id", "fractal", "--auto-provision"]);
    let added = home.run_with(&args, "the secret\n").await;
    assert!(added.status.success(), "{}", err(&added));
    let redirect = format!("{}/api/v1/auth/oidc/callback", home.url);
    assert!(err(&added).contains(&redirect), "{}", err(&added));
    assert_eq!(
        home.run(&["identity-providers", "add", "Example"])
            .await
            .status
            .code(),
        Some(2)
    );
    insta::assert_snapshot!(out(&home.run(&["identity-providers", "list"]).await), @r"
    ID                              NAME     ISSUER              CLIENT ID  SECRET  ENABLED  UNKNOWN PEOPLE
    idp_01jdx000000000000000000000  Example  https://id.example  fractal    yes     yes      are refused
    ");
    let args = [
        "identity-providers",
        "update",
        "Example",
        "--enabled",
        "false",
    ];
    assert!(home.run(&args).await.status.success());
    let test = home.run(&["identity-providers", "test", "Example"]).await;
    assert_eq!(test.status.code(), Some(1));
    assert!(err(&test).contains("remedy: start it"), "{}", err(&test));
    let remove = ["identity-providers", "remove", "Example"];
    assert_eq!(home.run(&remove).await.status.code(), Some(2));
    assert!(
        home.run(&[&remove[..], &["--yes"]].concat())
            .await
            .status
            .success()
    );
}

#[tokio::test]
async fn the_profile_and_the_browsers_of_somebody_are_shown_and_changed() {
    let home = Home::new().await;
    let shown = out(&home.run(&["profile", "show"]).await);
    assert!(shown.contains("none, talks only"), "{shown}");
    let set = home.run(&["profile", "set", "--tools", "ask"]).await;
    assert!(out(&set).contains("asks before each command"), "{set:?}");
    assert_eq!(home.run(&["profile", "set"]).await.status.code(), Some(2));
    let listed = out(&home.run(&["sessions", "list"]).await);
    assert!(listed.contains("192.0.2.1") && listed.contains("a browser"));
    let id = browser_session()["id"].as_str().unwrap().to_owned();
    assert!(
        home.run(&["sessions", "revoke", &id])
            .await
            .status
            .success()
    );
}

#[tokio::test]
async fn waiting_for_a_start_ends_when_the_instance_answers() {
    let home = Home::new().await;
    let output = home.run(&["instances", "start", "helper", "--wait"]).await;
    assert!(output.status.success(), "{}", err(&output));
    assert!(
        err(&output).contains("helper is starting") && err(&output).contains("helper is ready")
    );
}

#[tokio::test]
async fn completions_are_made_for_common_shells() {
    let home = Home::new().await;
    for shell in ["bash", "zsh", "fish"] {
        let output = home.run(&["completions", shell]).await;
        assert!(
            output.status.success() && out(&output).contains("instances"),
            "{shell}"
        );
    }
}
