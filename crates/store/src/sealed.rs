//! Every column that holds values sealed with an owner's key, so that they can be moved to another version of it.
//!
//! A new sealed column needs a line in [`COLUMNS`]: a version of a key is removed once no value listed here needs it.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};

use crate::{Error, Reads, Result, Tx};

/// Who owns the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The one this column names.
    In(&'static str),
    /// The person, or the organization where there is none.
    PersonOr(&'static str, &'static str),
    /// The organization of the identity provider that this column names.
    OfIdentityProvider(&'static str),
}

/// A column of sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub column: &'static str,
    key: &'static str,
    owner: Owner,
}

/// All of them.
pub const COLUMNS: [Column; 11] = [
    Column {
        table: "providers",
        column: "api_key",
        key: "id",
        owner: Owner::PersonOr("user_id", "organization_id"),
    },
    Column {
        table: "skill_credentials",
        column: "value",
        key: "id",
        owner: Owner::In("user_id"),
    },
    Column {
        table: "instances",
        column: "gateway_token",
        key: "id",
        owner: Owner::In("user_id"),
    },
    Column {
        table: "instances",
        column: "instance_token",
        key: "id",
        owner: Owner::In("user_id"),
    },
    Column {
        table: "identity_providers",
        column: "client_secret",
        key: "id",
        owner: Owner::In("organization_id"),
    },
    Column {
        table: "webhooks",
        column: "secret",
        key: "id",
        owner: Owner::In("organization_id"),
    },
    Column {
        table: "signing_keys",
        column: "secret",
        key: "id",
        owner: Owner::In("organization_id"),
    },
    Column {
        table: "proposals",
        column: "request",
        key: "id",
        owner: Owner::In("user_id"),
    },
    Column {
        table: "proposals",
        column: "simulation",
        key: "id",
        owner: Owner::In("user_id"),
    },
    Column {
        table: "proposals",
        column: "answer",
        key: "id",
        owner: Owner::In("user_id"),
    },
    Column {
        table: "oidc_flows",
        column: "pkce_verifier",
        key: "state_hash",
        owner: Owner::OfIdentityProvider("identity_provider_id"),
    },
];

/// A sealed value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// In which column.
    pub column: Column,
    /// In which row, as its key's text.
    pub row: String,
    /// The ciphertext.
    pub bytes: Vec<u8>,
}

/// All sealed values of one owner, a user's or an organization's id as text. A person has few of them.
///
/// # Errors
/// Only when the database fails.
pub async fn list(db: &dyn Reads, owner: &str) -> Result<Vec<SealedValue>> {
    let mut found = Vec::new();
    for column in COLUMNS {
        let owned = match column.owner {
            Owner::In(name) => Condition::all().add(Expr::col(name).eq(owner)),
            Owner::PersonOr(person, organization) => {
                Condition::any().add(Expr::col(person).eq(owner)).add(
                    Condition::all()
                        .add(Expr::col(person).is_null())
                        .add(Expr::col(organization).eq(owner)),
                )
            }
            Owner::OfIdentityProvider(name) => {
                let mut theirs = Query::select();
                theirs
                    .column("id")
                    .from("identity_providers")
                    .and_where(Expr::col("organization_id").eq(owner));
                Condition::all().add(Expr::col(name).in_subquery(theirs))
            }
        };
        let mut query = Query::select();
        query
            .column(column.key)
            .column(column.column)
            .from(column.table)
            .cond_where(owned)
            .and_where(Expr::col(column.column).is_not_null())
            .order_by(column.key, sea_orm::Order::Asc);
        for row in db.conn().all(&query).await? {
            let read = |reason: sea_orm::DbErr| Error::Corrupt {
                table: column.table,
                column: column.column,
                row: String::new(),
                reason: reason.to_string(),
            };
            found.push(SealedValue {
                column,
                row: row.try_get_by(column.key).map_err(read)?,
                bytes: row.try_get_by(column.column).map_err(read)?,
            });
        }
    }
    Ok(found)
}

/// Puts another ciphertext in place of this one, unless somebody else did in between; whether it was us.
///
/// # Errors
/// Only when the database fails.
pub async fn replace(tx: &Tx, value: &SealedValue, bytes: &[u8]) -> Result<bool> {
    let mut query = Query::update();
    query
        .table(value.column.table)
        .value(value.column.column, Expr::val(bytes.to_vec()))
        .and_where(Expr::col(value.column.key).eq(value.row.as_str()))
        .and_where(Expr::col(value.column.column).eq(value.bytes.clone()));
    Ok(tx.conn().execute(&query).await? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that are no ciphertext of an owner's key, besides hashes.
    const OTHERS: [&str; 3] = [
        "owner_keys.wrapped",
        "evidence_openings.salt",
        "evidence_tiles.hashes",
    ];

    #[test]
    fn every_column_of_sealed_values_is_listed() {
        let mut table = "";
        for line in crate::migrate::schema().lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("CREATE TABLE ") {
                table = name.split(' ').next().unwrap_or_default();
            }
            let mut words = line.split_whitespace();
            let (Some(column), Some("BYTES")) = (words.next(), words.next()) else {
                continue;
            };
            let known = COLUMNS
                .iter()
                .any(|one| (one.table, one.column) == (table, column));
            let place = format!("{table}.{column}");
            assert!(
                known || column.ends_with("_hash") || OTHERS.contains(&&*place),
                "{place} is neither listed nor known to be something else"
            );
        }
    }
}
