//! `fractal serve` with a certificate.

use std::{fs, path::PathBuf};

use axum::{Json, Router, routing::get};
use rcgen::{CertificateParams, KeyPair};
use reqwest::tls::Certificate;
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Machine, bounded, err, names, out};

/// A certificate for this machine's loopback and its key, in the machine's folder.
fn issue(machine: &Machine) -> (PathBuf, PathBuf) {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let files = (machine.path("cert.pem"), machine.path("key.pem"));
    fs::write(&files.0, certificate.pem()).unwrap();
    fs::write(&files.1, key.serialize_pem()).unwrap();
    files
}

/// A browser that trusts what is in the certificate file now, and nothing else.
fn browser(machine: &Machine) -> reqwest::Client {
    let pem = fs::read(machine.path("cert.pem")).unwrap();
    reqwest::Client::builder()
        .tls_certs_only([Certificate::from_pem(&pem).unwrap()])
        .no_proxy()
        .build()
        .unwrap()
}

/// What describes itself as an identity provider; its address.
async fn elsewhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let about = json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"), "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"]});
    let router = Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(|| async move { Json(about) }),
        )
        .route("/jwks", get(|| async { Json(json!({"keys": []})) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    issuer
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_served_by_https_and_a_new_certificate_needs_no_restart() {
    let machine = Machine::new();
    let (certificate, key) = issue(&machine);
    let flags = [
        "--tls-cert",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let server = machine.serve(&flags).await.unwrap();
    let url = server.url();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");

    // The TLS library asks for its cryptography once per process, which this look does.
    let _ = fractal_client::Client::new(&url, None).unwrap();
    let first = browser(&machine);
    let token = fs::read_to_string(machine.data().join("setup-token")).unwrap();
    let claim = first
        .post(format!("{url}/api/onboarding/breakglass"))
        .header("x-setup-token", token.trim())
        .header("origin", &url)
        .json(&json!({"username": "ada", "password": "correct horse battery"}));
    let claimed = bounded(claim.send()).await.unwrap();
    assert!(claimed.status().is_success(), "{claimed:?}");
    let cookie = claimed.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; Secure"), "{cookie}");

    // Somebody who signs in elsewhere comes back to the address that people use.
    let cookie = cookie.split(';').next().unwrap();
    let provider = json!({"name": "Elsewhere", "issuer": elsewhere().await, "client_id": "fractal",
        "client_secret": "a secret of the test", "allow_private_network": true});
    let made = first
        .post(format!("{url}/api/v1/identity-providers"))
        .header("cookie", cookie)
        .header("origin", &url)
        .json(&provider);
    let made = bounded(made.send()).await.unwrap();
    let said: serde_json::Value = bounded(made.json()).await.unwrap();
    let id = said["id"].as_str().unwrap_or_else(|| panic!("{said}"));
    let pem = fs::read(&certificate).unwrap();
    let stays = reqwest::Client::builder()
        .tls_certs_only([Certificate::from_pem(&pem).unwrap()])
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let start = stays
        .get(format!("{url}/api/v1/auth/oidc/{id}/start"))
        .send();
    let start = bounded(start).await.unwrap();
    let to = reqwest::Url::parse(start.headers()["location"].to_str().unwrap()).unwrap();
    let back = to.query_pairs().find(|(name, _)| name == "redirect_uri");
    assert_eq!(
        back.unwrap().1,
        format!("{url}/api/v1/auth/oidc/callback"),
        "{to}"
    );

    // The command line trusts what the machine trusts.
    let status = ["status", "--url", &url];
    let strange = bounded(command(&machine, &status).output()).await.unwrap();
    assert_eq!(strange.status.code(), Some(1));
    let known = command(&machine, &status)
        .env("SSL_CERT_FILE", &certificate)
        .output();
    let known = bounded(known).await.unwrap();
    assert!(known.status.success(), "{}{}", out(&known), err(&known));

    let listen = url.trim_start_matches("https://");
    let doctor = [&["doctor", "--listen", listen], &flags[..]].concat();
    let found = out(&machine.run(&doctor).await);
    assert!(found.contains("serves HTTPS for 127.0.0.1"), "{found}");
    assert!(found.contains(&format!("runs at {listen}")), "{found}");
    // An operator who forgets the certificate is told by the address alone.
    let plain = out(&machine.run(&["doctor", "--listen", listen]).await);
    assert!(plain.contains("speaks plain HTTP"), "{plain}");

    issue(&machine);
    let stale = out(&machine.run(&doctor).await);
    assert!(stale.contains("send it SIGHUP"), "{stale}");
    let readyz = format!("{url}/readyz");
    let before = first.get(&readyz).send();
    assert!(bounded(before).await.unwrap().status().is_success());
    server.signal(Signal::HUP);
    let second = browser(&machine);
    let answer = bounded(async {
        loop {
            match second.get(&readyz).send().await {
                Ok(answer) => break answer,
                Err(error) => assert!(error.is_connect(), "{error}"),
            }
        }
    })
    .await;
    assert!(answer.status().is_success());
    // Whoever was connected still is: a new connection would be refused.
    let kept = first.get(&readyz).send();
    assert!(bounded(kept).await.unwrap().status().is_success());
    let log = server.end().await;
    assert!(log.contains("was read anew"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_does_not_fit_is_refused_before_anything_is_made() {
    let machine = Machine::new();
    let (certificate, key) = issue(&machine);
    let other = KeyPair::generate().unwrap().serialize_pem();
    fs::write(&key, other).unwrap();
    let flags = [
        "--tls-cert",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let said = machine.serve(&flags).await.err().expect("it is refused");
    assert!(
        said.contains("does not belong to the certificate"),
        "{said}"
    );
    let doctor = [&["doctor", "--listen", "127.0.0.1:0"], &flags[..]].concat();
    let found = out(&machine.run(&doctor).await);
    assert!(
        found.contains("does not belong to the certificate"),
        "{found}"
    );
    let said = machine
        .serve(&flags[..2])
        .await
        .err()
        .expect("it is refused");
    assert!(
        said.contains("tls.key") && said.contains("belong together"),
        "{said}"
    );
    assert!(names(&machine.data()).is_empty());
}

/// Without `--data`, for commands that talk to a server only.
fn command(machine: &Machine, words: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_fractal"));
    command
        .args(words)
        .env_clear()
        .env("HOME", machine.folder.path())
        .kill_on_drop(true);
    command
}
