//! `/metrics` of the real program: where it is, that a scraper can read it, what is in it, and what must not be.

mod machine;

use std::{os::unix::fs::PermissionsExt as _, os::unix::net::UnixStream, path::Path};

use fractal_server::metrics::{Kind, METRICS};
use fractal_testing::exposition::Exposition;
use machine::{FRACTAL, Machine, Running};

fn ask(stream: impl std::io::Read + std::io::Write, what: &str) -> String {
    send(stream, what, "", "")
}

/// One request on a connection of its own; `header` is a whole line or nothing.
fn send(
    mut stream: impl std::io::Read + std::io::Write,
    what: &str,
    header: &str,
    body: &str,
) -> String {
    let request = format!(
        "{what} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn scrape(answer: &str) -> Exposition {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    Exposition::parse(body).unwrap_or_else(|why| panic!("{why}\n{body}"))
}

fn scrape_socket(path: &Path) -> Exposition {
    scrape(&ask(UnixStream::connect(path).unwrap(), "GET /metrics"))
}

#[test]
fn metrics_are_on_a_private_socket_by_default_and_on_an_address_when_one_is_set() {
    let machine = Machine::new();
    let internal = machine.free_port();
    let mut command = machine.command(FRACTAL);
    command
        .args(["serve", "--internal-listen", &internal])
        .env("FRACTAL_SECRET_KEY_FILE", machine.path("key"));
    let running = Running::start(command, None);
    let said = running.until_said("/setup#");
    let main = machine::address_in(&said);
    let connect = |address: &str| std::net::TcpStream::connect(address).unwrap();

    let socket = machine.path("data/metrics.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = scrape_socket(&socket);
    assert_eq!(before.value("fractal_up", &[]), 1.0);
    assert_eq!(before.value("fractal_instances", &[]), 0.0);

    let token = std::fs::read_to_string(machine.path("data/setup-token")).unwrap();
    let claim = send(
        connect(&main),
        "POST /api/onboarding/breakglass",
        &format!("x-setup-token: {}\r\n", token.trim()),
        r#"{"username":"wilhelmina","password":"a very private password"}"#,
    );
    assert!(claim.starts_with("HTTP/1.1 201"), "{claim}");
    ask(connect(&main), "GET /api/v1/instances/inst_hunter2");
    ask(connect(&main), "GET /api/v1/nowhere/hunter2");

    let page = scrape_socket(&socket);
    let over_tcp = scrape(&ask(connect(&internal), "GET /metrics"));
    assert_eq!(
        over_tcp.0.keys().collect::<Vec<_>>(),
        page.0.keys().collect::<Vec<_>>()
    );
    // Nothing is printed that the table, and so the documentation, does not know, with other labels or of another kind.
    for (name, family) in &page.0 {
        let known = METRICS.iter().find(|metric| metric.name == name);
        let known = known.unwrap_or_else(|| panic!("{name} is not documented"));
        assert_eq!(family.kind, known.kind.as_str(), "{name}");
        assert_eq!(family.help, known.help, "{name}");
        for sample in &family.samples {
            for label in sample.labels.keys() {
                let own = known.labels.contains(&label.as_str());
                let of_histogram =
                    known.kind == Kind::Histogram && ["le", "__suffix__"].contains(&label.as_str());
                assert!(own || of_histogram, "{name} has the label {label}");
            }
        }
    }
    // What a start and a claim alone make.
    for name in [
        "fractal_build_info",
        "fractal_engine_ready",
        "fractal_instances",
        "fractal_instances_disk",
        "fractal_start_slots",
        "fractal_starts_running",
        "fractal_start_queue_length",
        "fractal_http_requests_total",
        "fractal_http_request_duration_seconds",
        "fractal_changes_total",
        "fractal_policy_decisions_total",
        "fractal_evidence_unsealed",
        "fractal_jobs",
        "fractal_database_connections",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        assert!(page.0.contains_key(name), "{name} is missing");
    }
    let requests = |labels: &[(&str, &str)]| page.value("fractal_http_requests_total", labels);
    assert_eq!(
        requests(&[("route", "/api/onboarding/breakglass"), ("status", "2xx")]),
        1.0
    );
    assert_eq!(requests(&[("route", "/api/v1/instances/{id}")]), 1.0);
    assert_eq!(requests(&[("route", "other"), ("status", "4xx")]), 1.0);
    assert!(page.value("fractal_evidence_unsealed", &[]) >= 1.0);
    assert!(page.value("fractal_database_connections", &[("pool", "write")]) >= 1.0);
    let printed = format!("{page:?}");
    for private in ["wilhelmina", "private password", "hunter2", token.trim()] {
        assert!(!printed.contains(private), "{private} is in the metrics");
    }
    // Only there, and nothing else there.
    let main_says = ask(connect(&main), "GET /metrics");
    assert!(main_says.starts_with("HTTP/1.1 404"), "{main_says}");
    let other = ask(UnixStream::connect(&socket).unwrap(), "GET /api/v1/me");
    assert!(other.starts_with("HTTP/1.1 404"), "{other}");
    drop(running);
    assert!(!socket.exists(), "it goes with the server");
}
