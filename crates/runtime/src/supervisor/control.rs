//! One conversation over the control socket.

use std::{sync::Arc, time::Duration};

use tokio::net::UnixStream;

use super::{
    exit::Wanted,
    protocol::{Answer, Hello, Lines, Request, VERSION, write_line},
    watch::{Ended, Stage, Supervisor},
};
use crate::contract::Result;

/// Answers one client until it leaves or the instance has ended.
pub async fn converse(stream: UnixStream, supervisor: Arc<Supervisor>) {
    let (from, mut to) = stream.into_split();
    let hello = Hello {
        protocol: VERSION,
        pid: std::process::id(),
    };
    if write_line(&mut to, &hello).await.is_err() {
        return;
    }
    let mut lines = Lines::new(from);
    let mut stage = supervisor.stage();
    loop {
        let request = tokio::select! {
            biased;
            request = lines.next::<Request>() => request,
            _ = stage.wait_for(|stage| *stage == Stage::Ended) => return,
        };
        let Ok(Some(request)) = request else { return };
        supervisor.heard();
        let answer = answer(&supervisor, request)
            .await
            .unwrap_or_else(Answer::from);
        if write_line(&mut to, &answer).await.is_err() {
            return;
        }
    }
}

async fn answer(supervisor: &Arc<Supervisor>, request: Request) -> Result<Answer> {
    match request {
        Request::Status => Ok(Answer::Status {
            seen: Box::new(supervisor.observe().await),
        }),
        Request::Redact { secrets } => {
            supervisor.redact(secrets).await;
            Ok(Answer::Done)
        }
        Request::Heartbeat => Ok(Answer::Done),
        Request::Start { generation, launch } => {
            supervisor.admit(generation).await?;
            supervisor.start(*launch).await
        }
        Request::Stop {
            generation,
            grace_ms,
        } => {
            supervisor.admit(generation).await?;
            stop(supervisor, Duration::from_millis(grace_ms)).await
        }
        Request::Kill { generation } => {
            supervisor.admit(generation).await?;
            stop(supervisor, Duration::ZERO).await
        }
        Request::Shutdown {
            generation,
            grace_ms,
        } => {
            supervisor.admit(generation).await?;
            let answer = stop(supervisor, Duration::from_millis(grace_ms)).await;
            supervisor.finish();
            answer
        }
    }
}

async fn stop(supervisor: &Arc<Supervisor>, grace: Duration) -> Result<Answer> {
    let ended = Supervisor::end(Arc::clone(supervisor), Wanted::Asked, grace).await?;
    Ok(Answer::Stopped {
        was_running: ended != Ended::WasNotRunning,
        killed: ended == Ended::Killed,
    })
}
