//! Gateways: what is wanted of each, and what was last seen.
//!
//! Different writers own different columns: people and operations set what is wanted, the instance reconciler alone sets what is seen,
//! the data plane notes use. Each has its own verb that touches only its columns, so that none overwrites another.

use fractal_crypto::TokenHash;
use fractal_types::{
    DiskPressure, EngineId, Generation, InstanceId, Label, Limits, OrganizationId, RevisionId,
    RuntimeAssetId, SeenState, StopReason, Timestamp, UserId, WantedState,
};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::{Field, words},
    table::{self, equals, table, verbs},
};

words! {
    /// What becomes of the volumes when an instance is deleted.
    Volumes {
        /// They stay.
        Keep = "keep",
        /// They go.
        Remove = "remove",
    }
}

table! {
    /// One OpenClaw gateway.
    Instance in "instances" {
        /// Its id.
        id: InstanceId,
        /// Its owner's tenant.
        organization_id: OrganizationId,
        /// Its owner.
        user_id: UserId,
        /// What the owner calls it; unique among theirs that are not deleted.
        name: Label,
        /// Where it runs.
        runtime_asset_id: RuntimeAssetId,
        /// What it runs.
        engine_id: EngineId,
        /// What it should be.
        wanted: WantedState,
        /// Why it should be stopped.
        stop_reason: Option<StopReason>,
        /// What it was last seen to be.
        seen: SeenState,
        /// Why, in words for people.
        seen_reason: Option<String>,
        /// Fences effects; grows with every start.
        generation: Generation,
        /// The configuration it should have.
        revision_id: Option<RevisionId>,
        /// The hash of the configuration it last answered a turn with.
        proved_hash: Option<String>,
        /// The gateway's own name for its current run.
        boot_id: Option<String>,
        /// The hash of its own token.
        instance_token_hash: TokenHash,
        /// Its own token, sealed with the owner's key.
        instance_token: Vec<u8>,
        /// Our token to it, sealed with the owner's key.
        gateway_token: Vec<u8>,
        /// Minutes without use after which it stops; 0 means never.
        idle_timeout_min: u32,
        /// When it was last used.
        last_active_at: Timestamp,
        /// When it has planned work.
        next_wake_at: Option<Timestamp>,
        /// Its recent unwanted ends.
        restarts: Vec<Timestamp>,
        /// Failures since it was last ready.
        failure_count: u32,
        /// Not before then is it started again.
        next_attempt_at: Option<Timestamp>,
        /// What it may use.
        limits: Limits,
        /// Memory it was seen to use.
        memory_bytes: Option<u64>,
        /// CPU time it was seen to have used, milliseconds.
        cpu_ms: Option<u64>,
        /// Disk it was seen to use.
        disk_bytes: Option<u64>,
        /// How near that is to its limit, as it was last noted.
        disk_pressure: DiskPressure,
        /// When it was last looked at.
        seen_at: Option<Timestamp>,
        /// What becomes of its volumes.
        volumes: Volumes,
        /// The operation that has it to itself.
        held_by: Option<String>,
        /// When it was made.
        created_at: Timestamp,
        /// When somebody last changed it.
        updated_at: Timestamp,
        /// When it was gone for good.
        deleted_at: Option<Timestamp>,
    }
}

verbs!(Instance, InstanceId, insert find update);

/// What the reconciler saw; replaces what was seen before.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The state.
    pub seen: SeenState,
    /// Why, in words for people.
    pub seen_reason: Option<String>,
    /// The generation it was seen in.
    pub generation: Generation,
    /// The configuration it answered with.
    pub proved_hash: Option<String>,
    /// The gateway's own name for its run.
    pub boot_id: Option<String>,
    /// Planned work.
    pub next_wake_at: Option<Timestamp>,
    /// Recent unwanted ends.
    pub restarts: Vec<Timestamp>,
    /// Failures since it was last ready.
    pub failure_count: u32,
    /// Not before then is it started again.
    pub next_attempt_at: Option<Timestamp>,
    /// When.
    pub seen_at: Timestamp,
}

fn live() -> Condition {
    Condition::all().add(Expr::col("deleted_at").is_null())
}

/// The instance with this token, unless deleted.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_token_hash(db: &dyn Reads, hash: TokenHash) -> Result<Option<Instance>> {
    let condition = live().add(Expr::col("instance_token_hash").eq(Expr::val(hash.to_value())));
    table::find_where(db, condition).await
}

/// A person's instance of this name, unless deleted.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_name(
    db: &dyn Reads,
    user_id: UserId,
    name: &Label,
) -> Result<Option<Instance>> {
    let condition = live()
        .add(Expr::col("user_id").eq(user_id.to_string()))
        .add(Expr::col("name").eq(name.as_str()));
    table::find_where(db, condition).await
}

/// One page of a tenant's instances that are not deleted; of one person when one is given.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    user_id: Option<UserId>,
    request: &PageRequest,
) -> Result<Page<Instance>> {
    let mut condition = live().add(Expr::col("organization_id").eq(organization_id.to_string()));
    if let Some(user_id) = user_id {
        condition = condition.add(Expr::col("user_id").eq(user_id.to_string()));
    }
    table::page_where(db, condition, request).await
}

/// One page of all instances that are not deleted, for the reconciler's sweep.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_live(db: &dyn Reads, request: &PageRequest) -> Result<Page<Instance>> {
    table::page_where(db, live(), request).await
}

/// Sets what is wanted.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn set_wanted(
    tx: &Tx,
    id: InstanceId,
    wanted: WantedState,
    stop_reason: Option<StopReason>,
    now: Timestamp,
) -> Result<()> {
    let values = vec![
        ("wanted", wanted.to_value()),
        ("stop_reason", stop_reason.to_value()),
        ("updated_at", now.to_value()),
    ];
    table::set::<Instance>(tx, &id.to_string(), values).await
}

/// Notes what was seen, unless a later generation was seen already; whether it was noted. For the reconciler only.
///
/// # Errors
/// Only when the database fails.
pub async fn observe(tx: &Tx, id: InstanceId, seen: &Seen) -> Result<bool> {
    let condition = equals("id", id.to_value())
        .add(Expr::col("generation").lte(Expr::val(seen.generation.to_value())));
    let values = vec![
        ("seen", seen.seen.to_value()),
        ("seen_reason", seen.seen_reason.to_value()),
        ("generation", seen.generation.to_value()),
        ("proved_hash", seen.proved_hash.to_value()),
        ("boot_id", seen.boot_id.to_value()),
        ("next_wake_at", seen.next_wake_at.to_value()),
        ("restarts", seen.restarts.to_value()),
        ("failure_count", seen.failure_count.to_value()),
        ("next_attempt_at", seen.next_attempt_at.to_value()),
        ("seen_at", Some(seen.seen_at).to_value()),
    ];
    Ok(table::set_where::<Instance>(tx, condition, values).await? > 0)
}

/// Notes sizes.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn measure(
    tx: &Tx,
    id: InstanceId,
    memory_bytes: Option<u64>,
    cpu_ms: Option<u64>,
    disk_bytes: Option<u64>,
) -> Result<()> {
    let values = vec![
        ("memory_bytes", memory_bytes.to_value()),
        ("cpu_ms", cpu_ms.to_value()),
        ("disk_bytes", disk_bytes.to_value()),
    ];
    table::set::<Instance>(tx, &id.to_string(), values).await
}

/// Notes how near the files are to their limit. For the reconciler only.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn note_disk(tx: &Tx, id: InstanceId, pressure: DiskPressure) -> Result<()> {
    let values = vec![("disk_pressure", pressure.to_value())];
    table::set::<Instance>(tx, &id.to_string(), values).await
}

/// Notes use. Never moves backwards.
///
/// # Errors
/// Only when the database fails.
pub async fn touch(tx: &Tx, id: InstanceId, at: Timestamp) -> Result<()> {
    let condition = equals("id", id.to_value()).add(Expr::col("last_active_at").lt(at.as_micros()));
    let values = vec![("last_active_at", at.to_value())];
    table::set_where::<Instance>(tx, condition, values)
        .await
        .map(|_| ())
}

/// Gives the instance another configuration.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn set_revision(
    tx: &Tx,
    id: InstanceId,
    revision_id: RevisionId,
    now: Timestamp,
) -> Result<()> {
    let values = vec![
        ("revision_id", Some(revision_id).to_value()),
        ("updated_at", now.to_value()),
    ];
    table::set::<Instance>(tx, &id.to_string(), values).await
}

/// Takes the instance for one operation, or gives it back; `false` when another holds it.
///
/// # Errors
/// Only when the database fails.
pub async fn hold(tx: &Tx, id: InstanceId, by: &str, held: bool) -> Result<bool> {
    let condition = equals("id", id.to_value()).add(
        Condition::any()
            .add(Expr::col("held_by").is_null())
            .add(Expr::col("held_by").eq(by)),
    );
    let values = vec![("held_by", held.then(|| by.to_owned()).to_value())];
    Ok(table::set_where::<Instance>(tx, condition, values).await? > 0)
}

/// Notes that the instance is gone for good; its name is free again. Whether it was not known before.
///
/// # Errors
/// Only when the database fails.
pub async fn set_deleted(tx: &Tx, id: InstanceId, now: Timestamp) -> Result<bool> {
    let values = vec![
        ("deleted_at", Some(now).to_value()),
        ("updated_at", now.to_value()),
    ];
    let known = equals("id", id.to_value()).add(Expr::col("deleted_at").is_null());
    Ok(table::set_where::<Instance>(tx, known, values).await? > 0)
}

/// Forgets the rows of a person's instances that are gone for good, and their revisions with them; how many.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_gone(tx: &Tx, user_id: UserId) -> Result<u64> {
    let condition =
        equals("user_id", user_id.to_value()).add(Expr::col("deleted_at").is_not_null());
    table::delete_where::<Instance>(tx, condition).await
}
