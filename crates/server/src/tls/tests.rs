//! A certificate that was made here, and clients that look at it.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt};

use axum::{Router, routing::get};
use fractal_clock::{Clock, ManualClock};
use fractal_proxy::serve::Share;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::listen;

/// Longer than anything here takes; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(30);
const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// A folder with a certificate and its key.
struct Scene {
    folder: tempfile::TempDir,
    clock: ManualClock,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
            clock: ManualClock::at(at(3030, 1, 1)),
        };
        scene.issue(3031);
        scene
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.folder.path().join("cert.pem"),
            key: self.folder.path().join("key.pem"),
        }
    }

    /// A new certificate, by the machine's clock valid for long, until the first day of this year, and its key.
    fn issue(&self, until: i32) {
        let (certificate, key) = pair(until);
        let files = self.files();
        fs::write(&files.certificate, certificate).unwrap();
        fs::write(&files.key, key).unwrap();
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn load(&self) -> Result<Tls> {
        Tls::load(self.files(), Arc::new(self.clock.clone()))
    }

    fn refusal(&self) -> String {
        format!("{:#}", self.load().unwrap_err())
    }

    /// What is in the certificate file now.
    fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.files().certificate).unwrap()
    }

    async fn serve(&self) -> Served {
        let tls = Arc::new(self.load().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = Router::new().route("/", get(|| async { "served" }));
        let share = Share::new(|_| false);
        listen::serve(listener, Some(&tls), router, share, "test", stop.clone());
        // Registered here, so that a signal never finds the process without a handler.
        let hangup = signal(SignalKind::hangup()).unwrap();
        tokio::spawn(tls.clone().watch(hangup, stop.clone()));
        Served {
            address,
            _stop: stop.drop_guard(),
        }
    }
}

struct Served {
    address: SocketAddr,
    _stop: tokio_util::sync::DropGuard,
}

impl Served {
    /// Connects as one who trusts only this certificate.
    async fn connect(&self, trusted: &CertificateDer<'static>) -> std::io::Result<Client> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("fractal.example").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let connecting = connector.connect(name, stream);
        let stream = tokio::time::timeout(PATIENCE, connecting).await.unwrap()?;
        Ok(Client(stream))
    }
}

struct Client(TlsStream<TcpStream>);

impl Client {
    /// One more request on this connection.
    async fn get(&mut self) -> String {
        self.0.write_all(GET.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        while !all.ends_with(b"served") {
            let read = self.0.read_buf(&mut all);
            let read = tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
            assert!(read > 0, "it was closed: {}", String::from_utf8_lossy(&all));
        }
        String::from_utf8(all).unwrap()
    }
}

fn at(year: i32, month: u8, day: u8) -> Timestamp {
    let at = rcgen::date_time_ymd(year, month, day).unix_timestamp();
    Timestamp::from_micros(at * 1_000_000)
}

fn pair(until: i32) -> (String, String) {
    let names = vec!["fractal.example".to_owned(), "192.0.2.7".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn a_certificate_that_cannot_be_used_names_its_file_and_the_remedy() {
    let scene = Scene::new();
    let files = scene.files();
    let (certificate, key) = (
        fs::read(&files.certificate).unwrap(),
        fs::read(&files.key).unwrap(),
    );
    // The key of another certificate.
    fs::write(&files.key, pair(3031).1).unwrap();
    let said = scene.refusal();
    assert!(said.contains("does not belong to"), "{said}");
    assert!(
        said.contains("key.pem") && said.contains("cert.pem"),
        "{said}"
    );
    fs::write(&files.key, "-----BEGIN ENCRYPTED PRIVATE KEY-----").unwrap();
    let said = scene.refusal();
    assert!(
        said.contains("passphrase") && said.contains("key.pem"),
        "{said}"
    );
    fs::remove_file(&files.key).unwrap();
    let said = scene.refusal();
    assert!(
        said.contains("key.pem does not exist; correct tls.key"),
        "{said}"
    );
    fs::write(&files.key, key).unwrap();
    fs::write(&files.certificate, "not a certificate").unwrap();
    let said = scene.refusal();
    assert!(
        said.contains("cert.pem holds no certificate in PEM"),
        "{said}"
    );
    fs::write(&files.certificate, "-----BEGIN CERTIFICATE-----\n*\n").unwrap();
    let said = scene.refusal();
    assert!(said.contains("cert.pem"), "{said}");
    fs::remove_file(&files.certificate).unwrap();
    let said = scene.refusal();
    assert!(
        said.contains("cert.pem does not exist; correct tls.certificate"),
        "{said}"
    );
    // A folder stands for whatever else cannot be read; root reads every file.
    fs::create_dir(&files.certificate).unwrap();
    let said = scene.refusal();
    assert!(said.contains("cert.pem cannot be read"), "{said}");
    fs::remove_dir(&files.certificate).unwrap();
    fs::write(&files.certificate, certificate).unwrap();
    scene.load().unwrap();
}

#[test]
fn what_stands_in_a_certificate_is_told_and_its_end_is_a_warning() {
    let scene = Scene::new();
    let report = inspect_tls(&scene.files(), scene.clock.now()).unwrap();
    assert_eq!(
        report.finding,
        "the main listener serves HTTPS for fractal.example, 192.0.2.7, until 3031-01-01"
    );
    assert_eq!(report.certificate, scene.certificate().as_ref());
    let warnings = |now| inspect_tls(&scene.files(), now).unwrap().warnings;
    for (now, said) in [
        (at(3030, 12, 17), ""),
        (at(3030, 12, 18), "expires on 3031-01-01; renew it"),
        (at(3031, 1, 1), "expired on 3031-01-01"),
        (at(2019, 12, 31), "only from 2020-01-01"),
    ] {
        let warnings = warnings(now);
        assert_eq!(warnings.is_empty(), said.is_empty(), "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains(said)));
    }
    fs::set_permissions(scene.files().key, fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = warnings(scene.clock.now());
    assert!(warnings[0].contains("chmod o-r"), "{warnings:?}");
}

#[tokio::test]
async fn an_expired_certificate_still_serves() {
    let scene = Scene::new();
    scene.issue(3029);
    assert!(scene.load().unwrap().warnings()[0].contains("expired"));
    let served = scene.serve().await;
    // This client's clock is the machine's, by which it is valid.
    let mut client = served.connect(&scene.certificate()).await.unwrap();
    assert!(client.get().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_new_certificate_is_taken_over_and_open_connections_go_on() {
    let scene = Scene::new();
    let served = scene.serve().await;
    let first = scene.certificate();
    let mut before = served.connect(&first).await.unwrap();
    before.get().await;

    // Half of a renewal: the pair does not fit, and the earlier one stays.
    let (certificate, key) = pair(3032);
    let files = scene.files();
    fs::write(&files.certificate, &certificate).unwrap();
    for _ in 0..3 {
        scene.clock.advance(LOOK);
        served.connect(&first).await.unwrap().get().await;
    }
    fs::write(&files.key, key).unwrap();
    let second = scene.certificate();
    let taken_over = async {
        while served.connect(&second).await.is_err() {
            scene.clock.advance(LOOK);
        }
    };
    tokio::time::timeout(PATIENCE, taken_over).await.unwrap();
    assert!(served.connect(&first).await.is_err());
    before.get().await;
}

#[tokio::test]
async fn who_speaks_plain_http_is_told_and_not_reset() {
    let scene = Scene::new();
    let served = scene.serve().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(GET.as_bytes()).await.unwrap();
    let mut said = String::new();
    let read = stream.read_to_string(&mut said);
    tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400"), "{said}");
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{said}"
    );
    assert!(body.contains("https://"), "{said}");
}

#[tokio::test]
async fn a_slow_handshake_ends_and_keeps_nobody_waiting() {
    let scene = Scene::new();
    let tls = scene.load().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut listener = TlsListener::new(listener, tls.acceptor());
    listener.handshake = Duration::from_millis(200);
    let served = Served {
        address,
        _stop: CancellationToken::new().drop_guard(),
    };
    tokio::spawn(fractal_proxy::serve::serve(
        listener,
        Router::new().route("/", get(|| async { "served" })),
        |peer| Some(*peer),
        fractal_proxy::serve::Bounds::default(),
        None,
        "test",
        CancellationToken::new(),
    ));
    // One says nothing, one half of a greeting; others are served meanwhile.
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(&[22, 3, 1, 0, 200]).await.unwrap();
    served
        .connect(&scene.certificate())
        .await
        .unwrap()
        .get()
        .await;
    for stream in [&mut silent, &mut half] {
        let mut rest = Vec::new();
        let closed = stream.read_to_end(&mut rest);
        let _ = tokio::time::timeout(PATIENCE, closed)
            .await
            .expect("it is closed");
    }
}
