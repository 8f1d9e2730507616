//! A person's agent settings.

use fractal_types::{Label, ProfileId, ProviderId, Timestamp, UserId};

use crate::{
    Reads, Result,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A person's agent settings.
    Profile in "profiles" {
        /// Its id.
        id: ProfileId,
        /// Whose; one each.
        user_id: UserId,
        /// What the agent is called.
        agent_name: Label,
        /// Who the agent is, as a document.
        persona: serde_json::Value,
        /// Which provider answers; cleared when that provider is removed.
        provider_id: Option<ProviderId>,
        /// Which model there.
        model: Option<String>,
        /// How often the agent looks around by itself, e.g. `30m`; `None` never.
        heartbeat_every: Option<String>,
        /// Whether the agent may plan work for later.
        cron_enabled: bool,
        /// Which tools it has, as a document.
        tools: serde_json::Value,
        /// Minutes without use after which the instance stops; `None` as the installation says.
        idle_timeout_min: Option<u32>,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
        /// Grows with every change.
        version: u64,
    }
}

verbs!(Profile, ProfileId, insert find update delete);

/// The profile of a person.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_user(db: &dyn Reads, user_id: UserId) -> Result<Option<Profile>> {
    table::find_where(db, equals("user_id", user_id.to_value())).await
}
