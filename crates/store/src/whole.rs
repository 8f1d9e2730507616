//! Everything there is, row by row, for comparing two moments: what changed in between, and whether the log tells of it.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use sea_orm::QueryResult;

use crate::{Reads, Result, migrate};

/// Of every table, by the first column of each row, a hash of every other column by name. No values: rows hold secrets.
pub type Whole = BTreeMap<String, BTreeMap<String, BTreeMap<String, u64>>>;

/// Reads all of it.
///
/// # Errors
/// Only when the database fails.
pub async fn read(db: &dyn Reads) -> Result<Whole> {
    let mut whole = Whole::new();
    for table in migrate::tables() {
        let conn = db.conn();
        let sql = format!("SELECT * FROM {table}");
        let mut rows = BTreeMap::new();
        for row in conn.all_raw(conn.statement(&sql, Vec::new())).await? {
            let mut columns = row.column_names().into_iter();
            let Some(key) = columns.next() else { continue };
            let hashes = columns.map(|column| {
                let hash = hash_of(&row, &column);
                (column, hash)
            });
            let hashes = hashes.collect();
            rows.insert(text_of(&row, &key), hashes);
        }
        whole.insert(table.to_owned(), rows);
    }
    Ok(whole)
}

fn text_of(row: &QueryResult, column: &str) -> String {
    row.try_get_by::<String, _>(column)
        .or_else(|_| {
            row.try_get_by::<i64, _>(column)
                .map(|number| number.to_string())
        })
        .unwrap_or_default()
}

fn hash_of(row: &QueryResult, column: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Ok(text) = row.try_get_by::<Option<String>, _>(column) {
        text.hash(&mut hasher);
    } else if let Ok(number) = row.try_get_by::<Option<i64>, _>(column) {
        number.hash(&mut hasher);
    } else if let Ok(flag) = row.try_get_by::<Option<bool>, _>(column) {
        flag.hash(&mut hasher);
    } else if let Ok(bytes) = row.try_get_by::<Option<Vec<u8>>, _>(column) {
        bytes.hash(&mut hasher);
    }
    hasher.finish()
}
