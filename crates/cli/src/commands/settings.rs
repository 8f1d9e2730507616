//! `fractal settings`.

use fractal_api_types::{SettingsView, UpdateSettings};
use fractal_types::Timestamp;

use super::Session;
use crate::{
    args::{SetSettings, SettingsCommand},
    output::Card,
    prompt,
    table::Cell,
    text::yes_no,
};

impl Card for SettingsView {
    fn lines(&self, _: Timestamp) -> Vec<(&'static str, Cell)> {
        let list = |items: &[String]| {
            if items.is_empty() {
                "none".to_owned()
            } else {
                items.join(", ")
            }
        };
        vec![
            (
                "public url",
                Cell::from(
                    self.public_url
                        .as_deref()
                        .unwrap_or("the listening address"),
                ),
            ),
            ("allowed hosts", Cell::from(list(&self.allowed_hosts))),
            ("trusted proxies", Cell::from(list(&self.trusted_proxies))),
            (
                "idle timeout",
                Cell::from(format!("{} min", self.idle_timeout_minutes)),
            ),
            (
                "witness interval",
                Cell::from(format!("{} s", self.witness_interval_seconds)),
            ),
            (
                "values of the log kept",
                Cell::from(match self.value_retention_days {
                    0 => "for ever".to_owned(),
                    days => format!("{days} days"),
                }),
            ),
            (
                "reduced isolation accepted",
                Cell::from(yes_no(self.reduced_isolation_accepted)),
            ),
        ]
    }
}

/// `a, b` as two entries; the empty text as none.
fn split(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

pub async fn run(session: &Session, command: SettingsCommand) -> anyhow::Result<()> {
    let client = session.client()?;
    let settings = match command {
        SettingsCommand::Show => client.settings().await?,
        SettingsCommand::Set(args) => {
            if let Some(days) = args.value_retention_days.filter(|days| *days > 0) {
                let question = format!(
                    "Erase every value of the log that is older than {days} days, for good?"
                );
                prompt::confirm(&question, args.yes)?;
            }
            client.update_settings(&body(args)).await?
        }
    };
    session.out.show(&settings)
}

fn body(args: SetSettings) -> UpdateSettings {
    UpdateSettings {
        public_url: args.public_url,
        allowed_hosts: args.allowed_hosts.as_deref().map(split),
        trusted_proxies: args.trusted_proxies.as_deref().map(split),
        idle_timeout_minutes: args.idle_timeout_minutes,
        witness_interval_seconds: args.witness_interval,
        value_retention_days: args.value_retention_days,
        reduced_isolation_accepted: args.accept_reduced_isolation,
    }
}
