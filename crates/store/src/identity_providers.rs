//! OIDC providers people may sign in with.

use fractal_types::{IdentityProviderId, Label, OrganizationId, Timestamp};

use crate::{
    Reads, Result,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// An OIDC provider.
    IdentityProvider in "identity_providers" {
        /// Its id.
        id: IdentityProviderId,
        /// Whose people.
        organization_id: OrganizationId,
        /// What the button says.
        name: Label,
        /// Its issuer address.
        issuer: String,
        /// Our name there.
        client_id: String,
        /// Our secret there, sealed with the organization's key.
        client_secret: Option<Vec<u8>>,
        /// What we ask for.
        scopes: Vec<String>,
        /// Whether it is offered.
        enabled: bool,
        /// Whether people unknown to us are added as members.
        auto_provision: bool,
        /// Whether it may be reached on a private or loopback address.
        allow_private_network: bool,
        /// When it was added.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }
}

verbs!(IdentityProvider, IdentityProviderId, insert find update delete);

/// All of a tenant: there are few.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
) -> Result<Vec<IdentityProvider>> {
    table::list_where(db, equals("organization_id", organization_id.to_value())).await
}
