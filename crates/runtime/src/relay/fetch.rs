//! Fetches the agent configuration from the instance listener.

use std::{io, path::Path, time::Duration};

use fractal_types::InstanceId;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, header};
use hyper_util::rt::TokioIo;

use super::document::AgentConfig;
use crate::socket;

/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// How long one try may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The largest document.
const LARGEST: usize = 16 << 20;

/// Asks until there is an answer: the control plane may be just restarting.
///
/// # Errors
/// When the control plane refuses for good.
pub async fn agent_config(listener: &Path, id: InstanceId, token: &str) -> io::Result<AgentConfig> {
    let (mut pause, longest) = PAUSES;
    let mut told = false;
    loop {
        let failure = match tokio::time::timeout(PATIENCE, ask(listener, id, token)).await {
            Ok(Ok((StatusCode::OK, body))) => {
                return serde_json::from_slice(&body).map_err(|error| {
                    // Position and kind only: the document holds the instance's token.
                    io::Error::other(format!(
                        "the agent configuration makes no sense (line {}, {:?})",
                        error.line(),
                        error.classify()
                    ))
                });
            }
            Ok(Ok((status, _)))
                if status.is_client_error()
                    && status != StatusCode::TOO_MANY_REQUESTS
                    && status != StatusCode::REQUEST_TIMEOUT =>
            {
                return Err(io::Error::other(format!(
                    "the control plane refuses the agent configuration with status {status}"
                )));
            }
            Ok(Ok((status, _))) => format!("status {status}"),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        if !told && pause >= Duration::from_secs(1) {
            eprintln!("relay: waiting for the control plane: {failure}");
            told = true;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

async fn ask(listener: &Path, id: InstanceId, token: &str) -> io::Result<(StatusCode, Bytes)> {
    let stream = socket::connect(listener).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    let request = Request::get(format!("/api/internal/agent-config/{id}"))
        .header(header::HOST, "fractal")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let response = sender
        .send_request(request)
        .await
        .map_err(io::Error::other)?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LARGEST)
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes();
    Ok((status, body))
}
