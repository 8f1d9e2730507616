//! `deploy/nginx.conf` in front of the real router: what is streamed arrives while it is streamed, and nobody calls from where they say.

use std::{
    io::Write as _,
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use futures::StreamExt as _;
use http::{Method, header};
use serde_json::json;

use crate::{
    live::Live,
    world::{PATIENCE, Proof, World, request},
};
use fractal_testing::house::PASSWORD;

/// nginx in its own folder; ended with the test.
struct Nginx {
    child: Child,
    base: String,
    _folder: tempfile::TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nginx {
    /// The example as it is, but for addresses, TLS and the redirect from port 80. `None` when there is no nginx on this machine.
    fn before(upstream: SocketAddr) -> Option<Self> {
        if Command::new("nginx").arg("-v").output().is_err() {
            fractal_testing::skipped("there is no nginx on this machine");
            return None;
        }
        let example = include_str!("../../../../deploy/nginx.conf");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let (example, _redirect) = example.rsplit_once("\nserver {").unwrap();
        let example: String = example
            .replace("127.0.0.1:8088", &upstream.to_string())
            .replace("listen 443 ssl http2;", &format!("listen {port};"))
            .lines()
            .filter(|line| !line.trim_start().starts_with("ssl_"))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(example.contains(&format!("listen {port};")));
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let path = folder.path().join("nginx.conf");
        let mut file = std::fs::File::create(&path).unwrap();
        write!(
            file,
            "daemon off;\nmaster_process off;\npid {at}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n\
             client_body_temp_path {at}/body;\nproxy_temp_path {at}/proxy;\nfastcgi_temp_path {at}/f;\nuwsgi_temp_path {at}/u;\n\
             scgi_temp_path {at}/s;\n{example}}}\n"
        )
        .unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&path)
            .args(["-e", "stderr", "-p"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self {
            child,
            base: format!("http://{port}"),
            _folder: folder,
        })
    }
}

#[tokio::test]
async fn through_the_example_for_nginx_streams_arrive_as_they_are_written() {
    let world = World::new().await;
    let id = world.instance(&world.ada).await;
    let owner = world.owner.proof();
    let change = json!({ "trusted_proxies": ["127.0.0.1/32"] });
    let patch = request(Method::PATCH, "/api/v1/settings", &owner, Some(&change));
    assert_eq!(world.send(patch).await.status, 200);
    let direct = world
        .get(
            &format!("/api/v1/instances/{id}/events"),
            &world.ada.proof(),
        )
        .await;
    assert_eq!(direct.headers["x-accel-buffering"], "no");
    drop(direct);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    let service = world
        .router
        .clone()
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let Some(nginx) = Nginx::before(upstream) else {
        return;
    };
    // The client wants one even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let up = async {
        while client
            .get(format!("{}/livez", nginx.base))
            .send()
            .await
            .is_err()
        {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, up)
        .await
        .expect("nginx comes up");

    let Proof::Cookie(cookie) = world.ada.proof() else {
        panic!("a browser has a cookie")
    };
    let stream = client
        .get(format!("{}/api/v1/instances/{id}/events", nginx.base))
        .header(header::COOKIE, &cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(stream.status(), 200);
    let mut pieces = stream.bytes_stream();
    let mut next = async || {
        let piece = tokio::time::timeout(PATIENCE, pieces.next()).await;
        let piece = piece.expect("it comes while the stream is open");
        String::from_utf8(piece.unwrap().unwrap().to_vec()).unwrap()
    };
    assert!(next().await.contains("event: instance"));
    // The next one comes because of a change, so the first cannot have waited for it.
    let rename = json!({ "name": "renamed through" });
    let path = format!("/api/v1/instances/{id}");
    let patch = request(Method::PATCH, &path, &world.ada.proof(), Some(&rename));
    assert_eq!(world.send(patch).await.status, 200);
    while !next().await.contains("renamed through") {}

    // A socket gets through, too.
    let address = format!("{}/api/v1/live", nginx.base.replacen("http", "ws", 1));
    let mut live = Live::open(&address, &cookie).await.unwrap();
    live.ask(
        json!({ "type": "open", "stream": 1, "path": format!("/api/v1/instances/{id}/events") }),
    )
    .await;
    while !live.next().await["text"]
        .as_str()
        .is_some_and(|text| text.contains("renamed through"))
    {}

    // Who signs in is known by the address that nginx saw, not by the one they claim.
    let answer = client
        .post(format!("{}/api/v1/auth/login", nginx.base))
        .header("x-forwarded-for", "203.0.113.9")
        .json(&json!({ "username": "ada", "password": PASSWORD }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let sessions = world.get("/api/v1/sessions", &world.ada.proof()).await;
    let text = String::from_utf8(sessions.body).unwrap();
    assert!(text.contains("\"127.0.0.1\""), "{text}");
    assert!(!text.contains("203.0.113.9"), "{text}");
}
