//! Stored ways to prove who one is.

use fractal_types::{CredentialId, Timestamp, UserId};
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::{
    Reads, Result, Tx,
    field::{Field, words},
    table::{self, equals, table, verbs},
};

words! {
    /// How somebody proves who they are.
    CredentialKind {
        /// A password.
        Password = "password",
        /// A link to an account at an OIDC provider.
        Oidc = "oidc",
    }
}

table! {
    /// A way to prove who one is.
    Credential in "credentials" {
        /// Its id.
        id: CredentialId,
        /// Whose.
        user_id: UserId,
        /// Which kind.
        kind: CredentialKind,
        /// Argon2id in PHC form, for a password.
        secret_hash: Option<String>,
        /// The OIDC issuer.
        issuer: Option<String>,
        /// The subject at that issuer; the pair is unique.
        subject: Option<String>,
        /// When it was added.
        created_at: Timestamp,
        /// The sign-in name of whoever set this password in its person's place, as it was then.
        reset_by: Option<String>,
        /// When they did.
        reset_at: Option<Timestamp>,
    }
}

verbs!(Credential, CredentialId, insert find update delete);

/// The password of a person, if they have one.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_password(db: &dyn Reads, user_id: UserId) -> Result<Option<Credential>> {
    let condition = equals("user_id", user_id.to_value())
        .add(Expr::col("kind").eq(CredentialKind::Password.as_str()));
    table::find_where(db, condition).await
}

/// Who is linked to this account of an OIDC provider.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_oidc(db: &dyn Reads, issuer: &str, subject: &str) -> Result<Option<Credential>> {
    let condition = equals("issuer", issuer).add(Expr::col("subject").eq(subject));
    table::find_where(db, condition).await
}

/// All of one person.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(db: &dyn Reads, user_id: UserId) -> Result<Vec<Credential>> {
    table::list_where(db, equals("user_id", user_id.to_value())).await
}

/// Sets the password hash of a person, whether they had one or not. `reset` is who set one in their place last, and when.
///
/// # Errors
/// [`crate::Error::Reference`] when there is no such person.
pub async fn set_password(
    tx: &Tx,
    id_if_new: CredentialId,
    user_id: UserId,
    hash: &str,
    now: Timestamp,
    reset: Option<(String, Timestamp)>,
) -> Result<()> {
    let (reset_by, reset_at) = reset.unzip();
    match find_password(tx, user_id).await? {
        Some(credential) => {
            let values = vec![
                ("secret_hash", hash.into()),
                ("created_at", now.to_value()),
                ("reset_by", reset_by.to_value()),
                ("reset_at", reset_at.to_value()),
            ];
            table::set::<Credential>(tx, &credential.id.to_string(), values).await
        }
        None => {
            let credential = Credential {
                id: id_if_new,
                user_id,
                kind: CredentialKind::Password,
                secret_hash: Some(hash.to_owned()),
                issuer: None,
                subject: None,
                created_at: now,
                reset_by,
                reset_at,
            };
            insert(tx, &credential).await
        }
    }
}
