//! What an instance's files take beside what they may: said in words, noted as a transition, and the reason for a stop.

use async_trait::async_trait;
use fractal_api_types::{InstanceView, SetInstanceLimits};
use fractal_policy::{Action, Resource};
use fractal_store::{Instance, Tx, instances};
use fractal_types::{DiskPressure, InstanceId, StopReason, bytes_in_words};
use serde_json::{Value, json};

use super::{plan::Disk, read::view_of};
use crate::{
    App, Context, Error, Result,
    change::{Change, Door, check, submit},
    lookup::instance_resource,
    session::note,
};

/// The least a gateway's own files, engine caches and history need.
const LEAST: u64 = 256 << 20;

/// More than any disk we know; a limit beyond is a slip of the pen.
const MOST: u64 = 64 << 40;

pub(super) const fn disk_of(row: &Instance, taken: Option<u64>) -> Disk {
    Disk {
        taken,
        limit: row.limits.disk_bytes,
        noted: row.disk_pressure,
    }
}

/// Cause and remedy, while its files are near or over what they may take.
pub(super) fn reason(row: &Instance) -> Option<String> {
    let (taken, limit) = (row.disk_bytes?, row.limits.disk_bytes?);
    let percent = u128::from(taken) * 100 / u128::from(limit.max(1));
    let sizes = format!(
        "{} of the {} they may ({percent} %)",
        bytes_in_words(taken),
        bytes_in_words(limit)
    );
    match row.disk_pressure {
        DiskPressure::Ok => None,
        DiskPressure::Near => Some(format!(
            "its files take {sizes}; at the limit it is stopped. Have it delete what it does not need, or have an administrator raise the limit"
        )),
        DiskPressure::Full if row.stop_reason == Some(StopReason::Disk) => Some(format!(
            "it was stopped, because its files take {sizes}. Have an administrator raise the limit, or start it and have it delete files at once: \
             it is stopped again a tenth above the limit"
        )),
        DiskPressure::Full => Some(format!(
            "its files take {sizes}; a tenth above the limit it is stopped again. Have it delete files, or have an administrator raise the limit"
        )),
    }
}

impl App {
    /// Writes down how near the files are to their limit, as a transition.
    pub(super) async fn note_disk(&self, row: &Instance, pressure: DiskPressure) -> Result<()> {
        self.store
            .tx("instances.note_disk", async |tx: Tx| {
                note_pressure(self, &tx, row, pressure).await
            })
            .await?;
        tracing::info!(instance.id = %row.id, from = %row.disk_pressure, to = %pressure, taken = row.disk_bytes, "the disk use of an instance has passed a mark");
        self.live.nudge(row.id);
        Ok(())
    }
}

/// The same inside a transaction.
pub(super) async fn note_pressure(
    app: &App,
    tx: &Tx,
    row: &Instance,
    pressure: DiskPressure,
) -> Result<()> {
    instances::note_disk(tx, row.id, pressure).await?;
    let values: Vec<(&str, Value)> = vec![
        ("from", json!(row.disk_pressure.as_str())),
        ("disk_pressure", json!(pressure.as_str())),
        ("disk_bytes", json!(row.disk_bytes)),
        ("limit_bytes", json!(row.limits.disk_bytes)),
    ];
    let system = Context::system(row.organization_id);
    let id = row.id.to_string();
    note(app, tx, &system, "instance.disk", "instance", id, values).await?;
    Ok(())
}

/// Sets what an instance may use.
///
/// # Errors
///
/// Names the field that breaks its rule; see [`submit`].
pub async fn set_limits(
    app: &App,
    cx: &Context,
    id: InstanceId,
    body: SetInstanceLimits,
) -> Result<InstanceView> {
    check(
        (LEAST..=MOST).contains(&body.disk_bytes),
        "/disk_bytes",
        "must be 268435456 (256 MiB) to 70368744177664 (64 TiB)",
    )?;
    let change = SetLimits {
        id,
        disk_bytes: body.disk_bytes,
    };
    let row = submit(app, cx, change).await?;
    app.live.nudge(id);
    view_of(app, row).await
}

struct SetLimits {
    id: InstanceId,
    disk_bytes: u64,
}

#[async_trait]
impl Change for SetLimits {
    type Output = Instance;

    fn action(&self) -> Action {
        Action::InstanceSetLimits
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = instances::find(tx, self.id)
            .await?
            .filter(|row| row.deleted_at.is_none())
            .ok_or_else(Error::not_found)?;
        Ok(instance_resource(&row))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Instance> {
        let mut row = instances::get(door.tx, self.id).await?;
        door.note("from", json!(row.limits.disk_bytes));
        row.limits.disk_bytes = Some(self.disk_bytes);
        row.updated_at = door.app.clock.now();
        // What sleeps is not looked at, so that it would be told of the old limit until it is awake again.
        let pressure = disk_of(&row, row.disk_bytes).pressure();
        if pressure < row.disk_pressure {
            note_pressure(door.app, door.tx, &row, pressure).await?;
            row.disk_pressure = pressure;
        }
        instances::update(door.tx, &row).await?;
        door.note("disk_bytes", self.disk_bytes);
        door.wake(row.id);
        Ok(row)
    }
}
