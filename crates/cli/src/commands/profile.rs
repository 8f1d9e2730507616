//! `fractal profile`.

use fractal_api_types::{ProfileView, ToolAccess, UpdateProfile};
use fractal_types::Timestamp;

use super::{Session, providers};
use crate::{
    args::{Profile, SetProfile, Tools},
    output::Card,
    table::Cell,
    text::{relative, yes_no},
};

impl Card for ProfileView {
    fn lines(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        let or_none = |text: &str| Cell::from(if text.is_empty() { "none" } else { text });
        vec![
            ("agent", Cell::from(&self.agent_name)),
            ("persona", or_none(&self.persona)),
            ("about me", or_none(&self.about_me)),
            (
                "provider",
                self.provider_id
                    .map_or_else(|| Cell::from("none"), Cell::from),
            ),
            ("model", Cell::from(self.model.as_deref().unwrap_or("none"))),
            (
                "tools",
                Cell::from(match self.tools {
                    ToolAccess::None => "none, talks only",
                    ToolAccess::Ask => "files and commands, asks before each command",
                    ToolAccess::Full => "files and commands",
                }),
            ),
            (
                "heartbeat",
                Cell::from(match self.heartbeat_minutes {
                    0 => "none".to_owned(),
                    minutes => format!("every {minutes} min"),
                }),
            ),
            ("own timed work", Cell::from(yes_no(self.cron_enabled))),
            (
                "sleeps after",
                Cell::from(format!("{} min", self.idle_timeout_minutes)),
            ),
            ("changed", Cell::from(relative(self.updated_at, now))),
        ]
    }
}

pub async fn run(session: &Session, command: Profile) -> anyhow::Result<()> {
    let client = session.client()?;
    let profile = match command {
        Profile::Show => client.profile().await?,
        Profile::Set(args) => {
            let provider_id = match &args.provider {
                Some(wanted) => Some(providers::find(&client, wanted).await?),
                None => None,
            };
            let body = UpdateProfile {
                provider_id,
                ..body(args)
            };
            client.update_profile(&body).await?
        }
    };
    session.out.show(&profile)
}

fn body(args: SetProfile) -> UpdateProfile {
    UpdateProfile {
        agent_name: args.agent_name,
        persona: args.persona,
        about_me: args.about_me,
        provider_id: None,
        model: args.model,
        tools: args.tools.map(|tools| match tools {
            Tools::None => ToolAccess::None,
            Tools::Ask => ToolAccess::Ask,
            Tools::Full => ToolAccess::Full,
        }),
        heartbeat_minutes: args.heartbeat_minutes,
        cron_enabled: args.cron,
        idle_timeout_minutes: args.idle_timeout_minutes,
    }
}
