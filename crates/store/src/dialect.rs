//! All differences between SQLite and PostgreSQL.

use sea_orm::DbBackend;

/// Translates the words of a migration: `TEXT` sorts by bytes on both (SQLite's default, so ids and cursors have one order),
/// `BYTES` is the type of binary values.
pub(crate) fn translate_ddl(backend: DbBackend, sql: &str) -> String {
    match backend {
        DbBackend::Postgres => sql
            .replace(" TEXT", " TEXT COLLATE \"C\"")
            .replace(" BYTES", " BYTEA"),
        _ => sql.replace(" BYTES", " BLOB"),
    }
}

/// What a claim adds to the inner select, so that claimants on PostgreSQL do not wait for each other. SQLite has one writer.
pub(crate) const fn skip_locked(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => " FOR UPDATE SKIP LOCKED",
        _ => "",
    }
}

/// What an error code means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Unique,
    Reference,
    /// Run the transaction again.
    Collision,
    /// The server is going down or does not take us.
    Gone,
    Other,
}

/// PostgreSQL's codes have five characters, SQLite's (extended result codes) at most four digits, so one table serves both.
pub(crate) fn meaning_of(code: &str) -> Meaning {
    match code {
        "23505" | "2067" | "1555" => Meaning::Unique,
        "23503" | "787" => Meaning::Reference,
        // serialization_failure, deadlock_detected, lock_not_available;
        // SQLITE_BUSY, _RECOVERY, _SNAPSHOT, _TIMEOUT, SQLITE_LOCKED, _SHAREDCACHE.
        "40001" | "40P01" | "55P03" | "5" | "261" | "517" | "773" | "6" | "262" => {
            Meaning::Collision
        }
        // Connection exceptions, too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now.
        "08000" | "08001" | "08003" | "08004" | "08006" | "53300" | "57P01" | "57P02" | "57P03" => {
            Meaning::Gone
        }
        _ => Meaning::Other,
    }
}

/// SQLite names the table only in its message: `UNIQUE constraint failed: users.organization_id, users.username`.
pub(crate) fn table_of_unique_message(message: &str) -> String {
    message
        .rsplit_once(": ")
        .and_then(|(_, columns)| columns.split_once('.'))
        .map_or("a table", |(table, _)| table)
        .to_owned()
}

/// Held while migrating, so that two processes on one PostgreSQL do it one after the other. The number is arbitrary.
pub(crate) const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(6175727463)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_found_in_the_message_of_sqlite() {
        let message = "UNIQUE constraint failed: users.organization_id, users.username";
        assert_eq!(table_of_unique_message(message), "users");
        assert_eq!(table_of_unique_message("something else"), "a table");
    }
}
