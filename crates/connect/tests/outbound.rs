//! The client against real sockets: what may not leave does not, and what comes back is bounded.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fractal_connect::{
    AddressKind, AddressRule, FakeResolver, Limits, Outbound, OutboundError, OutboundSettings,
    Refusal,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use url::Url;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));

/// A server that answers every connection with the same bytes, then keeps it open or not.
struct Server {
    at: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn answering(answer: impl Into<Vec<u8>>, hang: bool) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, answer) = (Arc::clone(&connections), answer.into());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = socket.read(&mut request).await;
                    let _ = socket.write_all(&answer).await;
                    if hang {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { at, connections }
    }

    fn url(&self, host: &str) -> Url {
        format!("http://{host}:{}/path", self.at.port())
            .parse()
            .unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn client(names: FakeResolver) -> Outbound {
    Outbound::new(&OutboundSettings::default(), Arc::new(names)).unwrap()
}

fn refusal(result: Result<fractal_connect::Answer, OutboundError>) -> Refusal {
    match result {
        Err(OutboundError::Refused(why)) => why,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn an_endpoint_opened_by_an_administrator_is_reached_by_name() {
    let server = Server::answering(ok("hello"), false).await;
    let client = client(FakeResolver::default().with("ollama.test", &[LOOPBACK]));
    let answer = client
        .get("test", server.url("ollama.test"), AddressRule::PRIVATE)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.bytes().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_public_name_that_leads_home_is_refused_before_connecting() {
    let server = Server::answering(ok("secret"), false).await;
    for addresses in [
        vec![LOOPBACK],
        vec![PUBLIC, LOOPBACK],
        vec!["::ffff:127.0.0.1".parse().unwrap()],
    ] {
        let client = client(FakeResolver::default().with("nice.test", &addresses));
        let mut url = server.url("nice.test");
        url.set_scheme("https").unwrap();
        let result = client.get("test", url, AddressRule::PUBLIC).send().await;
        assert_eq!(
            refusal(result),
            Refusal::Address(AddressKind::Loopback),
            "{addresses:?}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn metadata_is_refused_even_for_an_administrator() {
    let names = FakeResolver::default().with("meta.test", &["169.254.169.254".parse().unwrap()]);
    let client = client(names);
    for (text, kind) in [
        ("http://meta.test/", AddressKind::LinkLocal),
        ("http://169.254.169.254/", AddressKind::LinkLocal),
        ("http://[fe80::1]/", AddressKind::LinkLocal),
        ("http://[fd00:ec2::254]/", AddressKind::Metadata),
        ("http://0.0.0.0/", AddressKind::Unspecified),
        ("http://[::ffff:a9fe:a9fe]/", AddressKind::LinkLocal),
    ] {
        let result = client
            .get("test", text.parse().unwrap(), AddressRule::PRIVATE)
            .send()
            .await;
        assert_eq!(refusal(result), Refusal::Address(kind), "{text}");
    }
}

#[tokio::test]
async fn a_number_in_any_spelling_is_the_address_it_means() {
    let client = client(FakeResolver::default());
    for text in [
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
    ] {
        let result = client
            .get("test", text.parse().unwrap(), AddressRule::PUBLIC)
            .send()
            .await;
        assert_eq!(
            refusal(result),
            Refusal::Address(AddressKind::Loopback),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_connection_permitted_to_one_is_not_lent_to_another() {
    // The name is private at first and public afterwards; the pooled connection stays private.
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", true).await;
    let client = client(FakeResolver::default().with("both.test", &[LOOPBACK]));
    let answer = client
        .get("test", server.url("both.test"), AddressRule::PRIVATE)
        .send()
        .await
        .unwrap();
    answer.bytes().await.unwrap();
    let mut url = server.url("both.test");
    url.set_scheme("https").unwrap();
    let result = client.get("test", url, AddressRule::PUBLIC).send().await;
    assert_eq!(refusal(result), Refusal::Address(AddressKind::Loopback));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let target = Server::answering(ok("inner"), false).await;
    let server = Server::answering(
        format!(
            "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            target.url("127.0.0.1")
        ),
        false,
    )
    .await;
    let client = client(FakeResolver::default());
    let answer = client
        .get("test", server.url("127.0.0.1"), AddressRule::PRIVATE)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn other_schemes_plain_http_and_passwords_in_addresses_are_refused() {
    let client = client(FakeResolver::default());
    for (text, why) in [
        ("ftp://example.test/", Refusal::Scheme),
        ("file:///etc/passwd", Refusal::Scheme),
        ("http://example.test/", Refusal::Plain),
        ("https://name:word@example.test/", Refusal::UserInfo),
    ] {
        let result = client
            .get("test", text.parse().unwrap(), AddressRule::PUBLIC)
            .send()
            .await;
        assert_eq!(refusal(result), why, "{text}");
    }
}

#[tokio::test]
async fn a_body_beyond_its_bound_is_dropped_announced_or_not() {
    let announced = Server::answering(ok(&"x".repeat(5000)), false).await;
    let chunk = "x".repeat(500);
    let pieces = format!("1f4\r\n{chunk}\r\n").repeat(10);
    let streamed = Server::answering(
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{pieces}0\r\n\r\n"),
        false,
    )
    .await;
    let client = client(FakeResolver::default());
    let limits = Limits {
        body: 1000,
        ..Limits::JSON
    };
    for server in [announced, streamed] {
        let answer = client
            .get("test", server.url("127.0.0.1"), AddressRule::PRIVATE)
            .limits(limits)
            .send()
            .await
            .unwrap();
        let error = answer.bytes().await.unwrap_err();
        assert!(
            matches!(error, OutboundError::TooLarge { limit: 1000 }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn silence_before_and_within_the_body_is_a_timeout() {
    let short = Duration::from_millis(100);
    let limits = Limits {
        first_byte: short,
        idle: short,
        ..Limits::JSON
    };
    let client = client(FakeResolver::default());
    let silent = Server::answering("", true).await;
    let error = client
        .get("test", silent.url("127.0.0.1"), AddressRule::PRIVATE)
        .limits(limits)
        .send()
        .await
        .unwrap_err();
    assert!(matches!(error, OutboundError::Timeout(_)), "{error:?}");

    let halting = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal", true).await;
    let answer = client
        .get("test", halting.url("127.0.0.1"), AddressRule::PRIVATE)
        .limits(limits)
        .send()
        .await
        .unwrap();
    let error = answer.bytes().await.unwrap_err();
    assert!(matches!(error, OutboundError::Timeout(_)), "{error:?}");
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_are_unreachable_and_a_plain_server_is_no_tls() {
    let client = client(FakeResolver::default());
    let closed = {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        listener.local_addr().unwrap()
    };
    for text in [format!("http://{closed}/"), "http://unknown.test/".into()] {
        let error = client
            .get("test", text.parse().unwrap(), AddressRule::PRIVATE)
            .send()
            .await
            .unwrap_err();
        assert!(matches!(error, OutboundError::Unreachable(_)), "{error:?}");
    }
    let plain = Server::answering("HTTP/1.1 400 Bad Request\r\n\r\n", false).await;
    let mut url = plain.url("127.0.0.1");
    url.set_scheme("https").unwrap();
    let error = client
        .get("test", url, AddressRule::PRIVATE)
        .send()
        .await
        .unwrap_err();
    assert!(matches!(error, OutboundError::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn an_error_shows_neither_the_address_nor_its_query() {
    let client = client(FakeResolver::default());
    let error = client
        .get(
            "test",
            "http://unknown.test/?key=hunter2".parse().unwrap(),
            AddressRule::PRIVATE,
        )
        .send()
        .await
        .unwrap_err();
    let shown = format!("{error:?} {error}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn an_unusable_file_of_authorities_is_named() {
    let missing = OutboundSettings {
        extra_authorities: Some("/nowhere/ca.pem".into()),
    };
    let error = Outbound::new(&missing, Arc::new(FakeResolver::default())).unwrap_err();
    assert!(error.to_string().contains("/nowhere/ca.pem"));
}
