//! Erasing what opens commitments. The entries stay as they were sealed: every proof holds, and only the values are gone.

use fractal_types::{EvidenceId, OrganizationId, Timestamp, UserId};
use sea_orm::Value;

use crate::{Reads, Result, Tx};

/// Entries that say that values were erased, and how many. They hold numbers only, and whoever finds a value missing needs them.
const KEPT: &str = "('user.erase', 'evidence.expire')";

/// What a person ($2) of a tenant ($1) made, also when it is long gone: the log is what knows it.
const MADE: &str = "SELECT made.resource_id FROM evidence AS made WHERE made.organization_id = $1 AND made.actor_id = $2 \
    AND made.outcome = 'done' AND made.action IN ('instance.create', 'provider.create', 'profile.update', 'skill_credential.set', \
        'token.create', 'token.rotate', 'session.sign_in')";

/// Model providers that are the organization's, or were: they are not a person's, though they may have added them.
const SHARED: &str = "SELECT id FROM providers WHERE user_id IS NULL \
    UNION SELECT s.resource_id FROM evidence AS s JOIN evidence_openings AS o ON o.evidence_id = s.id \
        WHERE s.organization_id = $1 AND s.resource_kind = 'provider' AND o.field = 'shared' AND o.value = 'true'";

/// Entries that say something of a person: those about their account, about what is theirs, and about what was found or done of that. Each
/// part is found by an index; one condition with all of them would have the whole log read.
fn about() -> String {
    format!(
        "SELECT e.id FROM evidence AS e WHERE e.organization_id = $1 AND e.resource_kind = 'user' AND e.resource_id = $2 \
         UNION SELECT e.id FROM evidence AS e WHERE e.organization_id = $1 AND e.resource_kind = 'api_token' \
            AND e.resource_id IN (SELECT id FROM api_tokens WHERE user_id = $2) \
         UNION SELECT e.id FROM evidence AS e WHERE e.organization_id = $1 AND e.resource_id <> '' AND e.resource_id IN ({MADE}) \
            AND e.resource_kind IN ('instance', 'profile', 'skill_credential', 'api_token', 'browser_session') \
         UNION SELECT e.id FROM evidence AS e WHERE e.organization_id = $1 AND e.resource_kind = 'provider' \
            AND e.resource_id IN ({MADE}) AND e.resource_id NOT IN ({SHARED}) \
         UNION SELECT e.id FROM evidence AS e JOIN evidence_openings AS o ON o.evidence_id = e.id AND o.field = 'about' \
            WHERE e.organization_id = $1 AND e.resource_kind IN ('incident', 'operation') \
            AND o.value IN (SELECT '\"' || theirs.resource_id || '\"' FROM ({MADE}) AS theirs)"
    )
}

/// How much was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Values.
    pub openings: u64,
    /// Entries that held them.
    pub entries: u64,
}

/// Erases what opens the commitments of every entry about a person.
///
/// # Errors
/// Only when the database fails.
pub async fn about_user(
    tx: &Tx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<Erased> {
    let about = about();
    let which = format!(
        "SELECT them.id FROM ({about}) AS them JOIN evidence AS kept ON kept.id = them.id WHERE kept.action NOT IN {KEPT}"
    );
    let values = || {
        vec![
            organization_id.to_string().into(),
            user_id.to_string().into(),
        ]
    };
    erase(tx, &which, values).await
}

/// Erases the openings of these entries.
async fn erase(tx: &Tx, which: &str, values: impl Fn() -> Vec<Value>) -> Result<Erased> {
    let conn = tx.conn();
    let of = format!("FROM evidence_openings WHERE evidence_id IN ({which})");
    let sql = format!("SELECT COUNT(DISTINCT evidence_id) AS entries {of}");
    let row = conn.one_raw(conn.statement(&sql, values())).await?;
    let entries: i64 = row.map_or(Ok(0), |row| row.try_get_by("entries"))?;
    let sql = format!("DELETE {of}");
    Ok(Erased {
        openings: conn.execute_raw(conn.statement(&sql, values())).await?,
        entries: u64::try_from(entries).unwrap_or(0),
    })
}

/// Whether the log of a tenant knows a person's account, who may be long gone.
///
/// # Errors
/// Only when the database fails.
pub async fn knows_user(
    db: &dyn Reads,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<bool> {
    let conn = db.conn();
    let sql = "SELECT 1 AS known FROM evidence WHERE organization_id = $1 AND resource_kind = 'user' AND resource_id = $2 \
               AND action = 'user.create' LIMIT 1";
    let values = vec![
        organization_id.to_string().into(),
        user_id.to_string().into(),
    ];
    Ok(conn.one_raw(conn.statement(sql, values)).await?.is_some())
}

/// Openings of entries from before then, in the order of their age. An id begins with the millisecond of its making.
const OLDER: &str = "SELECT o.evidence_id FROM evidence_openings AS o JOIN evidence AS e ON e.id = o.evidence_id \
    WHERE o.evidence_id < $2 AND e.organization_id = $1";

fn older_than(organization_id: OrganizationId, before: Timestamp) -> Vec<Value> {
    const MILLISECOND: u32 = 80;

    let millisecond = u128::try_from(before.as_millis()).unwrap_or(0);
    let first = EvidenceId::from_uuid(uuid::Uuid::from_u128(millisecond << MILLISECOND));
    vec![organization_id.to_string().into(), first.to_string().into()]
}

/// Whether there is a value of before then.
///
/// # Errors
/// Only when the database fails.
pub async fn has_older(
    db: &dyn Reads,
    organization_id: OrganizationId,
    before: Timestamp,
) -> Result<bool> {
    let conn = db.conn();
    let sql = format!("{OLDER} AND e.action NOT IN {KEPT} LIMIT 1");
    let statement = conn.statement(&sql, older_than(organization_id, before));
    Ok(conn.one_raw(statement).await?.is_some())
}

/// Erases what opens the commitments of entries from before then, of the oldest `limit` values first; whole entries, so it may be a few
/// more.
///
/// # Errors
/// Only when the database fails.
pub async fn older(
    tx: &Tx,
    organization_id: OrganizationId,
    before: Timestamp,
    limit: u32,
) -> Result<Erased> {
    let which = format!("{OLDER} AND e.action NOT IN {KEPT} ORDER BY o.evidence_id LIMIT {limit}");
    erase(tx, &which, || older_than(organization_id, before)).await
}
