//! Invitations: single use, hashed, expiring.

use fractal_crypto::TokenHash;
use fractal_types::{InvitationId, OrganizationId, Role, Timestamp, UserId, Username};
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A pending or used invitation.
    Invitation in "invitations" {
        /// Its id; not the secret.
        id: InvitationId,
        /// Into which tenant.
        organization_id: OrganizationId,
        /// The hash of the token in the link.
        token_hash: TokenHash,
        /// The role the new person gets.
        role: Role,
        /// The username, when it is fixed.
        username: Option<Username>,
        /// Who invites.
        created_by: UserId,
        /// When it was made.
        created_at: Timestamp,
        /// When it ends by itself.
        expires_at: Timestamp,
        /// When it was used.
        used_at: Option<Timestamp>,
        /// By whom.
        used_by: Option<UserId>,
        /// When it was taken back.
        revoked_at: Option<Timestamp>,
    }
}

verbs!(Invitation, InvitationId, insert find);

/// The invitation of a token, open or not.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_hash(db: &dyn Reads, hash: TokenHash) -> Result<Option<Invitation>> {
    table::find_where(db, equals("token_hash", hash.to_value())).await
}

/// One page of a tenant's invitations.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    request: &PageRequest,
) -> Result<Page<Invitation>> {
    let condition = equals("organization_id", organization_id.to_value());
    table::page_where(db, condition, request).await
}

/// Uses an invitation up; of several at once exactly one gets `true`.
///
/// # Errors
/// Only when the database fails.
pub async fn redeem(tx: &Tx, id: InvitationId, by: UserId, now: Timestamp) -> Result<bool> {
    let condition = equals("id", id.to_value())
        .add(Expr::col("used_at").is_null())
        .add(Expr::col("revoked_at").is_null())
        .add(Expr::col("expires_at").gt(now.as_micros()));
    let values = vec![
        ("used_at", Some(now).to_value()),
        ("used_by", Some(by).to_value()),
    ];
    Ok(table::set_where::<Invitation>(tx, condition, values).await? > 0)
}

/// Takes an invitation back; whether it was open.
///
/// # Errors
/// Only when the database fails.
pub async fn revoke(tx: &Tx, id: InvitationId, now: Timestamp) -> Result<bool> {
    let condition = equals("id", id.to_value())
        .add(Expr::col("used_at").is_null())
        .add(Expr::col("revoked_at").is_null());
    let values = vec![("revoked_at", Some(now).to_value())];
    Ok(table::set_where::<Invitation>(tx, condition, values).await? > 0)
}
