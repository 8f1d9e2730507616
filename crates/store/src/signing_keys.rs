//! Keys that sign for the installation; the secret half is sealed.

use fractal_types::{KeyId, OrganizationId, Timestamp};

use crate::{
    Reads, Result,
    table::{self, equals, table, verbs},
};

table! {
    /// A key.
    SigningKeyRow in "signing_keys" {
        /// Its id.
        id: KeyId,
        /// Whose key seals the secret.
        organization_id: OrganizationId,
        /// What it signs as.
        name: String,
        /// The public half, `name+id+key`.
        verify_key: String,
        /// The secret half, sealed.
        secret: Vec<u8>,
        /// When it was made.
        created_at: Timestamp,
    }
}

verbs!(SigningKeyRow, KeyId, insert find);

/// The key that signs under this name.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_name(db: &dyn Reads, name: &str) -> Result<Option<SigningKeyRow>> {
    table::find_where(db, equals("name", name)).await
}
