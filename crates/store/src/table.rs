//! What all nouns share: a struct whose fields are the columns, and the plain verbs.

use sea_orm::{
    QueryResult, Value,
    sea_query::{
        Condition, DeleteStatement, Expr, ExprTrait, InsertStatement, Query, SelectStatement,
        UpdateStatement,
    },
};

use crate::{Error, Order, Page, PageRequest, Reads, Result, Tx, tx::Conn};

/// A stored noun. The first column is the key, always text.
pub(crate) trait Table: Sized {
    const NAME: &'static str;
    const COLUMNS: &'static [&'static str];
    const KEY: &'static str = Self::COLUMNS[0];
    fn values(&self) -> Vec<Value>;
    fn from_row(row: &QueryResult) -> Result<Self>;
    fn key_text(&self) -> String;
}

/// Declares a public struct and its table. Column names are field names.
macro_rules! table {
    ($(#[$meta:meta])* $name:ident in $table:literal {
        $(#[$kdoc:meta])* $key:ident : $ktype:ty,
        $($(#[$doc:meta])* $field:ident : $type:ty),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(#[$kdoc])* pub $key: $ktype,
            $($(#[$doc])* pub $field: $type),*
        }

        impl $crate::table::Table for $name {
            const NAME: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[stringify!($key), $(stringify!($field)),*];

            fn values(&self) -> Vec<sea_orm::Value> {
                use $crate::field::Field;
                vec![self.$key.to_value(), $(self.$field.to_value()),*]
            }

            fn from_row(row: &sea_orm::QueryResult) -> $crate::Result<Self> {
                Ok(Self {
                    $key: $crate::table::read::<Self, _>(row, stringify!($key))?,
                    $($field: $crate::table::read::<Self, _>(row, stringify!($field))?),*
                })
            }

            fn key_text(&self) -> String {
                self.$key.to_string()
            }
        }
    };
}
pub(crate) use table;

/// The verbs every noun with an id has.
macro_rules! verbs {
    ($type:ty, $id:ty, $($verb:ident)*) => { $($crate::table::verb!($verb, $type, $id);)* };
}
pub(crate) use verbs;

macro_rules! verb {
    (insert, $type:ty, $id:ty) => {
        /// Adds a row.
        ///
        /// # Errors
        /// [`crate::Error::Conflict`] when one with the same identity exists.
        pub async fn insert(tx: &crate::Tx, row: &$type) -> crate::Result<()> {
            crate::table::insert(tx, row).await
        }
    };
    (find, $type:ty, $id:ty) => {
        /// The row with this id, if there is one.
        ///
        /// # Errors
        /// Only when the database fails or the row makes no sense.
        pub async fn find(db: &dyn crate::Reads, id: $id) -> crate::Result<Option<$type>> {
            crate::table::find_by_key(db, &id.to_string()).await
        }

        /// The row with this id.
        ///
        /// # Errors
        /// [`crate::Error::NotFound`].
        pub async fn get(db: &dyn crate::Reads, id: $id) -> crate::Result<$type> {
            crate::table::get_by_key(db, &id.to_string()).await
        }
    };
    (update, $type:ty, $id:ty) => {
        /// Replaces the row with the same id. Read it in the same transaction, or a change made in between is lost.
        ///
        /// # Errors
        /// [`crate::Error::NotFound`], [`crate::Error::Conflict`].
        pub async fn update(tx: &crate::Tx, row: &$type) -> crate::Result<()> {
            crate::table::update(tx, row).await
        }
    };
    (delete, $type:ty, $id:ty) => {
        /// Removes the row; whether there was one.
        ///
        /// # Errors
        /// [`crate::Error::Reference`] when it is still referred to.
        pub async fn delete(tx: &crate::Tx, id: $id) -> crate::Result<bool> {
            crate::table::delete_by_key::<$type>(tx, &id.to_string()).await
        }
    };
}
pub(crate) use verb;

pub(crate) fn read<T: Table, F: crate::field::Field>(
    row: &QueryResult,
    column: &'static str,
) -> Result<F> {
    F::from_row(row, column).map_err(|reason| Error::Corrupt {
        table: T::NAME,
        column,
        row: row
            .try_get_by::<String, _>(T::KEY)
            .unwrap_or_else(|_| "without a key".to_owned()),
        reason,
    })
}

pub(crate) fn select<T: Table>() -> SelectStatement {
    let mut query = Query::select();
    query.columns(T::COLUMNS.iter().copied()).from(T::NAME);
    query
}

pub(crate) fn equals(column: &'static str, value: impl Into<Value>) -> Condition {
    Condition::all().add(Expr::col(column).eq(Expr::val(value.into())))
}

pub(crate) async fn one<T: Table>(conn: Conn<'_>, query: &SelectStatement) -> Result<Option<T>> {
    conn.one(query).await?.as_ref().map(T::from_row).transpose()
}

pub(crate) async fn all<T: Table>(conn: Conn<'_>, query: &SelectStatement) -> Result<Vec<T>> {
    conn.all(query).await?.iter().map(T::from_row).collect()
}

pub(crate) async fn find_where<T: Table>(
    db: &dyn Reads,
    condition: Condition,
) -> Result<Option<T>> {
    let mut query = select::<T>();
    query.cond_where(condition).limit(1);
    one(db.conn(), &query).await
}

/// All matching rows, oldest first. For sets that stay small by their nature; others are paged.
pub(crate) async fn list_where<T: Table>(db: &dyn Reads, condition: Condition) -> Result<Vec<T>> {
    let mut query = select::<T>();
    query
        .cond_where(condition)
        .order_by(T::KEY, sea_orm::Order::Asc);
    all(db.conn(), &query).await
}

/// One page by key. Ids are time-ordered, so this is the order of creation, and rows added meanwhile shift nothing.
pub(crate) async fn page_where<T: Table>(
    db: &dyn Reads,
    condition: Condition,
    request: &PageRequest,
) -> Result<Page<T>> {
    let limit = request.limit();
    let mut query = select::<T>();
    query.cond_where(condition);
    let order = match request.order {
        Order::OldestFirst => sea_orm::Order::Asc,
        Order::NewestFirst => sea_orm::Order::Desc,
    };
    if let Some(after) = &request.after {
        let key = Expr::col(T::KEY);
        query.and_where(match request.order {
            Order::OldestFirst => key.gt(after.as_str()),
            Order::NewestFirst => key.lt(after.as_str()),
        });
    }
    query.order_by(T::KEY, order).limit(u64::from(limit) + 1);
    let mut items: Vec<T> = all(db.conn(), &query).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = more.then(|| items.last().map(Table::key_text)).flatten();
    Ok(Page { items, next_cursor })
}

pub(crate) async fn find_by_key<T: Table>(db: &dyn Reads, key: &str) -> Result<Option<T>> {
    find_where(db, equals(T::KEY, key)).await
}

pub(crate) async fn get_by_key<T: Table>(db: &dyn Reads, key: &str) -> Result<T> {
    find_by_key(db, key)
        .await?
        .ok_or_else(|| not_found::<T>(key))
}

pub(crate) fn not_found<T: Table>(key: &str) -> Error {
    Error::NotFound {
        table: T::NAME,
        id: key.to_owned(),
    }
}

pub(crate) fn insert_statement<T: Table>(rows: &[T]) -> InsertStatement {
    let mut query = Query::insert();
    query
        .into_table(T::NAME)
        .columns(T::COLUMNS.iter().copied());
    for row in rows {
        query.values_panic(row.values().into_iter().map(Expr::val));
    }
    query
}

pub(crate) async fn insert<T: Table>(tx: &Tx, row: &T) -> Result<()> {
    let mut query = Query::insert();
    query
        .into_table(T::NAME)
        .columns(T::COLUMNS.iter().copied())
        // Columns and values come from one macro, so their numbers agree.
        .values_panic(row.values().into_iter().map(Expr::val));
    tx.conn().execute(&query).await.map(|_| ())
}

pub(crate) fn update_of<T: Table>(condition: Condition) -> UpdateStatement {
    let mut query = Query::update();
    query.table(T::NAME).cond_where(condition);
    query
}

pub(crate) async fn update<T: Table>(tx: &Tx, row: &T) -> Result<()> {
    let key = row.key_text();
    let mut query = update_of::<T>(equals(T::KEY, key.as_str()));
    for (column, value) in T::COLUMNS.iter().copied().zip(row.values()).skip(1) {
        query.value(column, Expr::val(value));
    }
    if tx.conn().execute(&query).await? == 0 {
        return Err(not_found::<T>(&key));
    }
    Ok(())
}

/// Sets a few columns of one row.
pub(crate) async fn set<T: Table>(
    tx: &Tx,
    key: &str,
    values: Vec<(&'static str, Value)>,
) -> Result<()> {
    if set_where::<T>(tx, equals(T::KEY, key), values).await? == 0 {
        return Err(not_found::<T>(key));
    }
    Ok(())
}

/// Sets a few columns of all matching rows; how many there were.
pub(crate) async fn set_where<T: Table>(
    tx: &Tx,
    condition: Condition,
    values: Vec<(&'static str, Value)>,
) -> Result<u64> {
    let mut query = update_of::<T>(condition);
    for (column, value) in values {
        query.value(column, Expr::val(value));
    }
    tx.conn().execute(&query).await
}

pub(crate) fn delete_from<T: Table>(condition: Condition) -> DeleteStatement {
    let mut query = Query::delete();
    query.from_table(T::NAME).cond_where(condition);
    query
}

pub(crate) async fn delete_where<T: Table>(tx: &Tx, condition: Condition) -> Result<u64> {
    tx.conn().execute(&delete_from::<T>(condition)).await
}

pub(crate) async fn delete_by_key<T: Table>(tx: &Tx, key: &str) -> Result<bool> {
    Ok(delete_where::<T>(tx, equals(T::KEY, key)).await? > 0)
}
