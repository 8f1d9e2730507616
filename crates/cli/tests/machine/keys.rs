//! The secret key is lost and comes back from its export.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, http::HeaderMap};
use fractal_api_types::{CreateProvider, ProviderTest};
use fractal_client::Client;
use fractal_types::ProviderKind;
use serde_json::json;

use crate::support::{Machine, Running, err, names, out};

const PASSPHRASE: &str = "keep this somewhere else\n";
const PROVIDER_KEY: &str = "sk-test-0123456789";

/// A model provider that lists a model, and the credentials it was shown.
async fn provider() -> (String, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let shown = seen.clone();
    let router = Router::new().fallback(async move |headers: HeaderMap| {
        let credential = headers.get("authorization").unwrap().to_str().unwrap();
        shown.lock().unwrap().push(credential.to_owned());
        Json(json!({"data": [{"id": "small"}]}))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

async fn sign_in(server: &Running) -> Client {
    let anonymous = Client::new(&server.url(), None).unwrap();
    let password = "correct horse battery".to_owned().into();
    let signed_in = anonymous.sign_in("ada".parse().unwrap(), &password).await;
    signed_in.unwrap().1
}

/// Stores a provider's key through the API, so that it is sealed in the database.
async fn store_key(client: &Client, base_url: String) -> fractal_types::ProviderId {
    let body = CreateProvider {
        kind: ProviderKind::OpenaiCompatible,
        name: "Ours".parse().unwrap(),
        base_url: Some(base_url),
        api_key: Some(PROVIDER_KEY.to_owned()),
        models: None,
        wire: None,
        shared: None,
        allow_private_network: Some(true),
    };
    client.create_provider(&body).await.unwrap().id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_comes_back_from_its_export_and_opens_what_it_sealed() {
    let machine = Machine::new();
    let (base_url, seen) = provider().await;
    let server = machine.serve(&[]).await.unwrap();
    let id = store_key(&machine.claim(&server).await, base_url).await;
    server.end().await;

    let export = machine.path("export.txt");
    let export = export.to_str().unwrap();
    let exported = machine
        .run_with(&["keys", "export", "--output", export], PASSPHRASE)
        .await;
    assert!(exported.status.success(), "{}", err(&exported));
    let keys = machine.path("config/keys");
    let key = |ending: &str| {
        let all = names(&keys);
        let found = all.iter().find(|name| name.ends_with(ending));
        keys.join(found.unwrap_or_else(|| panic!("{all:?}")))
    };
    let key_file = key(".key");
    fs::remove_file(&key_file).unwrap();

    // Without it nothing starts, no new key is made, and what to do is said.
    let said = machine.serve(&[]).await.err().expect("it is refused");
    assert!(said.contains("is missing"), "{said}");
    assert!(said.contains("fractal keys import FILE"), "{said}");
    assert!(!key_file.exists());
    let doctor = machine.run(&["doctor", "--listen", "127.0.0.1:0"]).await;
    assert!(out(&doctor).contains("fractal keys import FILE"));

    // A wrong passphrase and what is no export change nothing.
    let import = ["keys", "import", export];
    let wrong = machine.run_with(&import, "keep this elsewhere\n").await;
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        err(&wrong).contains("passphrase is wrong"),
        "{}",
        err(&wrong)
    );
    let lock = machine.data().join("lock");
    let none = machine
        .run_with(&["keys", "import", lock.to_str().unwrap()], PASSPHRASE)
        .await;
    assert!(err(&none).contains("not an exported key"), "{}", err(&none));
    let nowhere = machine
        .run_with(&["keys", "import", "/nowhere/export"], PASSPHRASE)
        .await;
    assert!(
        err(&nowhere).contains("/nowhere/export"),
        "{}",
        err(&nowhere)
    );
    assert!(!key_file.exists());

    let imported = machine.run_with(&import, PASSPHRASE).await;
    assert!(imported.status.success(), "{}", err(&imported));
    let mode = fs::metadata(&key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let server = machine.serve(&[]).await.unwrap();
    let test: ProviderTest = sign_in(&server).await.test_provider(id).await.unwrap();
    assert!(test.ok, "{test:?}");
    let bearer = format!("Bearer {PROVIDER_KEY}");
    assert_eq!(seen.lock().unwrap().last(), Some(&bearer));

    // A running server holds the folder.
    let busy = machine.run_with(&import, PASSPHRASE).await;
    assert!(err(&busy).contains("stop it first"), "{}", err(&busy));
    server.end().await;
    let again = machine
        .run_with(&["keys", "import", export, "--json"], PASSPHRASE)
        .await;
    let answer: serde_json::Value = serde_json::from_str(&out(&again)).unwrap();
    assert_eq!(
        (
            &answer["imported"],
            &answer["checked"],
            &answer["generation"]
        ),
        (&json!(false), &json!(true), &json!(1))
    );

    // A wrong file gives way to the right key, and is kept.
    let other = "A".repeat(42) + "E=\n";
    fs::write(&key_file, &other).unwrap();
    let said = machine.serve(&[]).await.err().expect("it is refused");
    assert!(said.contains("fractal keys import FILE"), "{said}");
    let replaced = machine.run_with(&import, PASSPHRASE).await;
    assert!(replaced.status.success(), "{}", err(&replaced));
    assert_eq!(fs::read_to_string(key(".replaced")).unwrap(), other);
    machine.serve(&[]).await.unwrap().end().await;

    // The export of an earlier key does not fit any more.
    let rotated = machine.run(&["keys", "rotate"]).await;
    assert!(rotated.status.success(), "{}", err(&rotated));
    let old = machine.run_with(&import, PASSPHRASE).await;
    let said = err(&old);
    assert!(
        said.contains("generation 1") && said.contains("generation 2"),
        "{said}"
    );
    machine.serve(&[]).await.unwrap().end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_a_key_is_written_but_never_over_another() {
    let first = Machine::new();
    first.serve(&[]).await.unwrap().end().await;
    let export = first.path("export.txt");
    let export = export.to_str().unwrap();
    let exported = first
        .run_with(&["keys", "export", "--output", export], PASSPHRASE)
        .await;
    assert!(exported.status.success(), "{}", err(&exported));

    let import = ["keys", "import", export];
    let empty = Machine::new();
    let imported = empty.run_with(&import, PASSPHRASE).await;
    assert!(imported.status.success(), "{}", err(&imported));
    assert!(err(&imported).contains("no database"), "{}", err(&imported));
    assert_eq!(names(&empty.data()), ["lock"], "no database was made");
    // The first start takes it.
    empty.serve(&[]).await.unwrap().end().await;

    // Another installation's key is not for this database.
    let second = Machine::new();
    second.serve(&[]).await.unwrap().end().await;
    let refused = second.run_with(&import, PASSPHRASE).await;
    assert!(
        err(&refused).contains("another installation"),
        "{}",
        err(&refused)
    );
    // And without the database nobody knows which of the two is right.
    fs::remove_file(second.data().join("fractal.db")).unwrap();
    let refused = second.run_with(&import, PASSPHRASE).await;
    assert!(
        err(&refused).contains("holds another key"),
        "{}",
        err(&refused)
    );
    // No file is used beside the variable.
    let key = ("FRACTAL_SECRET_KEY", "A".repeat(42) + "E=");
    let third = Machine {
        variables: vec![key],
        ..Machine::new()
    };
    let refused = third.run_with(&import, PASSPHRASE).await;
    assert!(
        err(&refused).contains("FRACTAL_SECRET_KEY"),
        "{}",
        err(&refused)
    );
    assert!(names(&third.path("config")).is_empty());
}
