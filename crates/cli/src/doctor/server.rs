//! Whether the server runs, or could.

use fractal_client::{Client, Error};

use super::{Found, Surroundings};
use crate::seams;

/// The certificate of the main listener.
pub fn tls(surroundings: &Surroundings) -> Found {
    let Some(files) = &surroundings.settings.tls else {
        return Found::good(
            "the main listener speaks plain HTTP; for other machines set tls.certificate and tls.key, or put a proxy in front",
        );
    };
    match seams::inspect_tls(files) {
        Err(error) => Found::failed(
            format!("{error:#}"),
            "correct tls.certificate and tls.key (FRACTAL_TLS_CERT, FRACTAL_TLS_KEY); the server does not start with them",
        ),
        Ok(report) if report.warnings.is_empty() => Found::good(report.finding),
        Ok(report) => Found::attention(
            report.finding,
            format!("mind that {}", report.warnings.join("; and that ")),
        ),
    }
}

/// A client for the server as it should be: with its certificate and no other.
fn client(
    surroundings: &Surroundings,
    address: std::net::SocketAddr,
) -> fractal_client::Result<Client> {
    let report = surroundings.settings.tls.as_ref();
    match report.and_then(|files| seams::inspect_tls(files).ok()) {
        Some(report) => Client::pinned(&format!("https://{address}"), report.certificate),
        None => Client::new(&format!("http://{address}"), None),
    }
}

/// Where to ask it.
fn address_of(surroundings: &Surroundings) -> std::net::SocketAddr {
    let mut address = surroundings.settings.listen;
    // A server that listens everywhere is asked on loopback.
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv6() {
            std::net::Ipv6Addr::LOCALHOST.into()
        } else {
            std::net::Ipv4Addr::LOCALHOST.into()
        });
    }
    address
}

/// What the running server's own checks have found.
pub async fn incidents(surroundings: &Surroundings) -> Found {
    let health = match client(surroundings, address_of(surroundings)) {
        Ok(client) => client.health().await,
        Err(error) => Err(error),
    };
    match health.ok().and_then(|health| health.incidents) {
        None => Found::good("the server's own checks look while it runs"),
        Some(0) => Found::good("the server's own checks find nothing broken"),
        Some(open) => Found::attention(
            format!("the server's own checks have {open} incident(s) open"),
            "see `fractal incidents list --state open`, or Incidents in the Portal",
        ),
    }
}

pub async fn server(surroundings: &Surroundings) -> Found {
    let listen = surroundings.settings.listen;
    let client = match client(surroundings, address_of(surroundings)) {
        Ok(client) => client,
        Err(error) => {
            return Found::failed(
                error.to_string(),
                "reinstall the certificates of this machine",
            );
        }
    };
    let taken = "stop the other program, or choose another address with --listen";
    match client.onboarding_status().await {
        Err(Error::Unreachable { .. }) => match std::net::TcpListener::bind(listen) {
            Ok(_) => Found::good(format!("not running; {listen} is free for it")),
            Err(_) if surroundings.settings.tls.is_some() => Found::failed(
                format!(
                    "nothing at {listen} shows the certificate of tls.certificate, and the address is in use"
                ),
                "stop what listens there; or, if it is Fractal with an earlier certificate, send it SIGHUP",
            ),
            Err(error) => Found::failed(
                format!("not running, and {listen} cannot be used: {error}"),
                taken,
            ),
        },
        Err(Error::Problem(problem)) => Found::attention(
            format!("runs at {listen} and answers: {}", problem.title),
            problem
                .remedy
                .unwrap_or_else(|| "look at its log".to_owned()),
        ),
        Err(_) => Found::failed(format!("another program listens at {listen}"), taken),
        Ok(status) => match client.is_ready().await {
            Ok(true) if status.completed => Found::good(format!("runs at {listen} and is ready")),
            Ok(true) => Found::attention(
                format!("runs at {listen} and waits to be set up"),
                "open the address it printed, or see the file setup-token in the data folder",
            ),
            _ => Found::attention(
                format!("runs at {listen} and is not ready yet"),
                "wait a moment; if it stays so, look at its log",
            ),
        },
    }
}
