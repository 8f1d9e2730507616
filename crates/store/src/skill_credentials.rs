//! Environment variables people give to the skills of their agents.

use fractal_types::{SkillCredentialId, SkillKey, Timestamp, UserId, VariableName};

use crate::{
    Page, PageRequest, Reads, Result,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// An environment variable for a skill.
    SkillCredential in "skill_credentials" {
        /// Its id.
        id: SkillCredentialId,
        /// Whose.
        user_id: UserId,
        /// For which skill.
        skill: SkillKey,
        /// The variable.
        name: VariableName,
        /// What it is set to, sealed with the owner's key.
        value: Vec<u8>,
        /// The last characters of the value.
        hint: String,
        /// When it was first stored.
        created_at: Timestamp,
        /// When it was last stored.
        updated_at: Timestamp,
    }
}

verbs!(SkillCredential, SkillCredentialId, insert find update delete);

/// One page of a person's, newest first when asked so.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    user_id: UserId,
    request: &PageRequest,
) -> Result<Page<SkillCredential>> {
    table::page_where(db, equals("user_id", user_id.to_value()), request).await
}

/// All of a person's. Few: the use case bounds their number.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_all(db: &dyn Reads, user_id: UserId) -> Result<Vec<SkillCredential>> {
    table::list_where(db, equals("user_id", user_id.to_value())).await
}
