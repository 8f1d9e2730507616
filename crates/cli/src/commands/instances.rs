//! `fractal instances`.

use std::process::ExitCode;

use anyhow::Context;
use fractal_api_types::{
    ChangeEngine, CreateInstance, DeleteInstanceQuery, InstanceView, LogLineView,
    SetInstanceLimits, TimelineEntry,
};
use fractal_client::{Client, collect_pages};
use fractal_types::{DiskPressure, EngineId, InstanceId, SeenState, Timestamp};
use futures::StreamExt;

use super::{Session, by_name, operations};
use crate::{
    args::Instances,
    cells,
    exit::Advice,
    output::{Card, Row, write_out},
    prompt,
    table::{Cell, Tone},
    text::{bytes, printable, relative, relative_or},
};

const fn tone(state: SeenState) -> Tone {
    match state {
        SeenState::Ready | SeenState::Busy => Tone::Good,
        SeenState::CrashLooping | SeenState::Failed | SeenState::Unreachable => Tone::Bad,
        SeenState::Pending | SeenState::Starting | SeenState::Stopping => Tone::Attention,
        SeenState::Frozen | SeenState::Stopped => Tone::Plain,
    }
}

impl Row for InstanceView {
    const HEAD: &'static [&'static str] = &[
        "id", "name", "owner", "state", "wanted", "memory", "used", "reason",
    ];
    const NONE: &'static str =
        "there are no instances; make one with `fractal instances create NAME`";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        vec![
            Cell::from(self.id),
            Cell::from(&self.name),
            Cell::from(&self.owner.username),
            Cell::toned(self.seen.as_str(), tone(self.seen)),
            Cell::from(self.wanted),
            Cell::from(self.memory_bytes.map(bytes).unwrap_or_default()),
            Cell::from(relative_or(self.last_active_at, now, "never")),
            Cell::from(self.reason.as_deref().unwrap_or_default()),
        ]
    }
}

impl Card for InstanceView {
    fn lines(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        let mut lines = vec![
            ("id", Cell::from(self.id)),
            ("name", Cell::from(&self.name)),
            ("owner", Cell::from(&self.owner.username)),
            ("state", Cell::toned(self.seen.as_str(), tone(self.seen))),
            ("wanted", Cell::from(self.wanted)),
        ];
        if let Some(reason) = self.stop_reason {
            lines.push(("stopped by", Cell::from(reason)));
        }
        if let Some(reason) = &self.reason {
            lines.push(("reason", Cell::from(reason)));
        }
        if let Some(place) = self.queue_position {
            lines.push(("place in queue", Cell::from(place)));
        }
        lines.extend([
            (
                "engine",
                Cell::from(format!("OpenClaw {}", self.engine_version)),
            ),
            (
                "model provider",
                match self.provider_ok {
                    Some(true) => Cell::toned("answers", Tone::Good),
                    Some(false) => {
                        Cell::toned("does not answer; see `fractal providers list`", Tone::Bad)
                    }
                    None => Cell::from("not asked yet"),
                },
            ),
            (
                "memory",
                Cell::from(self.memory_bytes.map_or_else(|| "-".to_owned(), bytes)),
            ),
            ("disk", disk(self)),
            ("restarts", Cell::from(self.restarts)),
            (
                "sleeps after",
                Cell::from(format!("{} min without use", self.idle_timeout_minutes)),
            ),
            (
                "last used",
                Cell::from(relative_or(self.last_active_at, now, "never")),
            ),
            (
                "started",
                Cell::from(relative_or(self.started_at, now, "never")),
            ),
            ("made", Cell::from(relative(self.created_at, now))),
        ]);
        lines
    }
}

/// What its files take, of what they may; toned when that is near or full.
fn disk(view: &InstanceView) -> Cell {
    let taken = view.disk_bytes.map_or_else(|| "-".to_owned(), bytes);
    let words = match view.limits.disk_bytes {
        Some(limit) => format!("{taken} of {}", bytes(limit)),
        None => taken,
    };
    match view.disk_pressure {
        DiskPressure::Ok => Cell::from(words),
        DiskPressure::Near => Cell::toned(words, Tone::Attention),
        DiskPressure::Full => Cell::toned(words, Tone::Bad),
    }
}

impl Row for TimelineEntry {
    const HEAD: &'static [&'static str] = &["when", "action", "by", "outcome", "detail"];
    const NONE: &'static str = "nothing happened yet";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let detail = if self.detail.is_null() {
            String::new()
        } else {
            self.detail.to_string()
        };
        cells![
            relative(self.at, now),
            &self.action,
            &self.actor,
            &self.outcome,
            detail
        ]
    }
}

/// The id of an instance given by id or name.
pub async fn find(client: &Client, wanted: &str) -> anyhow::Result<InstanceId> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let own = collect_pages(
        None,
        |page| async move { client.instances(&page, false).await },
    )
    .await?;
    Ok(by_name("instance", wanted, own, |instance| instance.name.as_str())?.id)
}

pub async fn run(session: &Session, command: Instances) -> anyhow::Result<ExitCode> {
    match command {
        Instances::ChangeEngine {
            instance,
            engine,
            wait,
        } => change_engine(session, &instance, engine, wait).await,
        other => act(session, other).await.map(|()| ExitCode::SUCCESS),
    }
}

/// Begins it; with `wait` the exit code says what became of it.
async fn change_engine(
    session: &Session,
    instance: &str,
    engine_id: EngineId,
    wait: bool,
) -> anyhow::Result<ExitCode> {
    let client = &session.client()?;
    let id = find(client, instance).await?;
    let begun = client
        .change_instance_engine(id, &ChangeEngine { engine_id })
        .await?;
    if wait {
        return operations::watch(session, client, begun.id).await;
    }
    let id = begun.id;
    let what = format!("begun as {id}; watch it with `fractal operations watch {id}`");
    session.out.done(&begun, &what)?;
    Ok(ExitCode::SUCCESS)
}

async fn act(session: &Session, command: Instances) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Instances::List { all } => out.list(
            collect_pages(
                None,
                |page| async move { client.instances(&page, all).await },
            )
            .await?,
        ),
        Instances::Show(which) => out.show(
            &client
                .instance(find(client, &which.instance).await?)
                .await?,
        ),
        Instances::Create {
            name,
            engine,
            no_start,
        } => {
            let body = CreateInstance {
                name,
                engine_id: engine,
                start: no_start.then_some(false),
            };
            let made = client.create_instance(&body).await?;
            out.done(
                &made,
                &format!("made {} ({}); it is {}", made.name, made.id, made.seen),
            )
        }
        Instances::Start(which) => {
            let now = client
                .start_instance(find(client, &which.instance).await?)
                .await?;
            settle(
                session,
                client,
                now,
                which.wait,
                SeenState::answers,
                "starts",
            )
            .await
        }
        Instances::Restart(which) => {
            let now = client
                .restart_instance(find(client, &which.instance).await?)
                .await?;
            settle(
                session,
                client,
                now,
                which.wait,
                SeenState::answers,
                "restarts",
            )
            .await
        }
        Instances::Stop(which) => {
            let now = client
                .stop_instance(find(client, &which.instance).await?)
                .await?;
            settle(
                session,
                client,
                now,
                which.wait,
                |state| state == SeenState::Stopped,
                "stops",
            )
            .await
        }
        Instances::Limit { instance, disk } => {
            let body = SetInstanceLimits {
                disk_bytes: disk << 20,
            };
            let id = find(client, &instance).await?;
            let view = client.set_instance_limits(id, &body).await?;
            out.done(
                &view,
                &format!("{}'s files may take {}", view.name, bytes(body.disk_bytes)),
            )
        }
        // Its outcome is the exit code, so `run` has done it.
        Instances::ChangeEngine { .. } => Ok(()),
        Instances::Delete {
            instance,
            keep_volumes,
            yes,
        } => {
            let id = find(client, &instance).await?;
            let files = if keep_volumes {
                "its files stay"
            } else {
                "with its files, memory and chats"
            };
            prompt::confirm(&format!("Delete {instance} ({files})?"), yes)?;
            let query = DeleteInstanceQuery {
                keep_volumes: keep_volumes.then_some(true),
            };
            let gone = client.delete_instance(id, &query).await?;
            let follow = gone.operation_id.map_or_else(String::new, |id| {
                format!("; watch it with `fractal operations watch {id}`")
            });
            out.done(&gone, &format!("{} is being deleted{follow}", gone.name))
        }
        Instances::Logs {
            instance,
            tail,
            follow,
        } => {
            let id = find(client, &instance).await?;
            if !follow {
                let lines = client.instance_logs(id, tail).await?;
                return lines.iter().try_for_each(|line| log_line(session, line));
            }
            let mut lines = client.follow_instance_logs(id, tail).await?;
            while let Some(line) = lines.next().await {
                log_line(session, &line?)?;
            }
            Ok(())
        }
        Instances::Timeline(which) => {
            let id = find(client, &which.instance).await?;
            out.list(
                collect_pages(Some(200), |page| async move {
                    client.instance_timeline(id, &page).await
                })
                .await?,
            )
        }
    }
}

fn log_line(session: &Session, line: &LogLineView) -> anyhow::Result<()> {
    if session.out.json {
        return session.out.line(line);
    }
    write_out(&format!(
        "{} {:<10} {}\n",
        line.at,
        line.source,
        printable(&line.text)
    ))
}

/// Prints the instance as it is, or waits until it is as wanted or cannot become so.
async fn settle(
    session: &Session,
    client: &Client,
    now: InstanceView,
    wait: bool,
    there: impl Fn(SeenState) -> bool,
    verb: &str,
) -> anyhow::Result<()> {
    if !wait {
        return session
            .out
            .done(&now, &format!("{} {verb}; it is {}", now.name, now.seen));
    }
    let generation = now.generation;
    let mut changes = client.instance_events(now.id).await?;
    let mut last = None;
    while let Some(view) = changes.next().await {
        let view = view.context("the instance could not be followed")?;
        if view.generation < generation {
            continue;
        }
        if last != Some(view.seen) {
            eprintln!("{} is {}", printable(view.name.as_str()), view.seen);
            last = Some(view.seen);
        }
        if there(view.seen) {
            return session
                .out
                .done(&view, &format!("{} is {}", view.name, view.seen));
        }
        if matches!(view.seen, SeenState::Failed | SeenState::CrashLooping) {
            return Err(Advice::error(
                view.reason
                    .unwrap_or_else(|| format!("the instance is {}", view.seen)),
                format!("look at `fractal instances logs {}`", view.id),
            ));
        }
    }
    Err(Advice::error(
        "the server ended the connection before the instance settled",
        "look at `fractal instances list`",
    ))
}
