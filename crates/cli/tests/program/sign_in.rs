//! Whose server it is, and whose token.

use std::os::unix::fs::PermissionsExt as _;

use super::{Home, TOKEN, err, out};

#[tokio::test]
async fn status_tells_that_somebody_else_set_the_password() {
    let home = Home::new().await;
    let signed_in = home
        .command(&["status"])
        .env("FRACTAL_TOKEN", TOKEN)
        .output();
    let text = out(&signed_in.await.unwrap());
    assert!(text.contains("set by root on 2026-11-21"), "{text}");
    assert!(text.contains("choose your own"), "{text}");
}

#[tokio::test]
async fn nothing_listening_is_told_with_what_to_do() {
    let mut home = Home::new().await;
    home.url = "http://127.0.0.1:9".to_owned();
    let output = home.run(&["status"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("fractal serve"), "{}", err(&output));
}

#[tokio::test]
async fn login_keeps_a_token_for_oneself_and_logout_forgets_it() {
    let home = Home::new().await;
    let refused = home
        .run_with(&["login", "--username", "ada"], "wrong\n")
        .await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(!home.credentials().exists());

    let output = home
        .run_with(&["login", "--username", "ada"], "correct horse\n")
        .await;
    assert!(output.status.success(), "{}", err(&output));
    assert!(
        !format!("{}{}", out(&output), err(&output)).contains(TOKEN),
        "the token must not be shown"
    );
    let mode = std::fs::metadata(home.credentials())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(out(&home.run(&["status"]).await).contains("ada (owner)"));

    assert!(home.run(&["logout"]).await.status.success());
    assert!(
        !std::fs::read_to_string(home.credentials())
            .unwrap()
            .contains(TOKEN)
    );
    assert!(out(&home.run(&["status"]).await).contains("fractal login"));
}

#[tokio::test]
async fn a_token_file_that_others_can_read_is_refused() {
    let home = Home::new().await;
    home.run_with(&["login", "--username", "ada"], "correct horse\n")
        .await;
    std::fs::set_permissions(home.credentials(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = home.run(&["status"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("chmod 600"), "{}", err(&output));
}

#[tokio::test]
async fn a_token_in_the_environment_needs_no_file() {
    let home = Home::new().await;
    let output = home
        .command(&["status"])
        .env("FRACTAL_TOKEN", TOKEN)
        .output()
        .await
        .unwrap();
    assert!(out(&output).contains("ada (owner)"), "{}", err(&output));
    assert!(!home.credentials().exists());
}
