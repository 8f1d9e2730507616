//! Whether the server runs, or could.

use fractal_client::{Client, Error};

use super::{Found, Surroundings};

pub async fn server(surroundings: &Surroundings) -> Found {
    let listen = surroundings.settings.listen;
    // A server that listens everywhere is asked on loopback.
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv6() {
            std::net::Ipv6Addr::LOCALHOST.into()
        } else {
            std::net::Ipv4Addr::LOCALHOST.into()
        });
    }
    let client = match Client::new(&format!("http://{address}"), None) {
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
