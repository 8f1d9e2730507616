//! `fractal status` and `fractal usage`.

use fractal_api_types::{InstanceView, Me, UsageQuery, UsageRow};
use fractal_client::{Error, collect_pages};
use fractal_types::Timestamp;
use serde::Serialize;

use super::Session;
use crate::{
    args::UsageArgs,
    cells,
    output::{Row, write_out},
    table::{Cell, card, table},
};

/// What `fractal status --json` prints.
#[derive(Serialize)]
struct Status {
    url: String,
    ready: bool,
    set_up: bool,
    me: Option<Me>,
    instances: Option<Vec<InstanceView>>,
}

pub async fn status(session: &Session) -> anyhow::Result<()> {
    let client = session.client()?;
    let ready = client.is_ready().await?;
    let set_up = client.onboarding_status().await?.completed;
    let me = match client.me().await {
        Ok(me) => Some(me),
        Err(Error::Problem(problem)) if problem.status == 401 => None,
        Err(error) => return Err(error.into()),
    };
    let instances = match &me {
        Some(_) => {
            let client = &client;
            Some(
                collect_pages(
                    None,
                    |page| async move { client.instances(&page, false).await },
                )
                .await?,
            )
        }
        None => None,
    };
    let status = Status {
        url: client.base_url().to_string(),
        ready,
        set_up,
        me,
        instances,
    };
    if session.out.json {
        return session.out.value(&status);
    }
    let colours = session.out.colours;
    let mut lines: Vec<(&str, Cell)> = vec![
        ("server", Cell::from(&status.url)),
        (
            "ready",
            Cell::from(if status.ready {
                "yes"
            } else {
                "no, it is starting or misses a part"
            }),
        ),
        (
            "set up",
            Cell::from(if status.set_up {
                "yes"
            } else {
                "no, open the address it printed"
            }),
        ),
    ];
    match &status.me {
        Some(me) => lines.push((
            "signed in",
            Cell::from(format!("{} ({})", me.username, me.role)),
        )),
        None => lines.push(("signed in", Cell::from("no, run `fractal login`"))),
    }
    if let Some(reset) = status.me.as_ref().and_then(|me| me.password_reset.as_ref()) {
        lines.push((
            "password",
            Cell::from(format!(
                "set by {} on {}; if you have not since, choose your own under Settings / Account",
                reset.by, reset.at
            )),
        ));
    }
    let mut text = card(&lines, colours);
    if let Some(instances) = status.instances.filter(|instances| !instances.is_empty()) {
        let rows: Vec<_> = instances
            .iter()
            .map(|instance| instance.cells(session.out.now))
            .collect();
        text.push('\n');
        text.push_str(&table(InstanceView::HEAD, &rows, colours));
    }
    write_out(&text)
}

impl Row for UsageRow {
    const HEAD: &'static [&'static str] =
        &["day", "model", "calls", "failed", "tokens in", "tokens out"];
    const NONE: &'static str = "nothing was used";

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        cells![
            &self.day,
            &self.model,
            self.calls,
            self.failed,
            self.input_tokens,
            self.output_tokens
        ]
    }
}

pub async fn usage(session: &Session, args: &UsageArgs) -> anyhow::Result<()> {
    let query = UsageQuery {
        days: Some(args.days),
        all: args.all.then_some(true),
    };
    let report = session.client()?.usage(&query).await?;
    if session.out.json {
        return session.out.value(&report);
    }
    if report.rows.is_empty() {
        eprintln!("{}", UsageRow::NONE);
        return Ok(());
    }
    let mut rows: Vec<_> = report
        .rows
        .iter()
        .map(|row| row.cells(session.out.now))
        .collect();
    rows.push(cells![
        "in all",
        "",
        report.calls,
        "",
        report.input_tokens,
        report.output_tokens
    ]);
    write_out(&table(UsageRow::HEAD, &rows, session.out.colours))
}
