//! Usage records, committed in groups: at most a second of them is lost when the machine dies (design section 7).

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use fractal_app::App;
use fractal_proxy::ports::{UsageRecord, UsageStatus};
use fractal_store::{Instance, Tx, instances, usage_records};
use fractal_types::InstanceId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Records wait this long for company.
const GROUP: Duration = Duration::from_millis(500);

/// More than this is written at once without waiting.
const LARGEST_GROUP: usize = 500;

/// Writes records until told to stop and the queue is empty.
pub async fn write(
    app: App,
    mut queue: mpsc::UnboundedReceiver<UsageRecord>,
    stop: CancellationToken,
) {
    let mut owners: HashMap<InstanceId, Instance> = HashMap::new();
    loop {
        let first = tokio::select! {
            first = queue.recv() => first,
            // What is in the queue is still written; what would come after the end has nobody to write it.
            () = stop.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        let Some(first) = first else { return };
        let mut group = vec![first];
        let deadline = tokio::time::sleep(GROUP);
        tokio::pin!(deadline);
        while group.len() < LARGEST_GROUP {
            tokio::select! {
                () = &mut deadline => break,
                next = queue.recv() => match next {
                    Some(record) => group.push(record),
                    None => break,
                },
            }
        }
        let mut rows = Vec::with_capacity(group.len());
        for record in group {
            if let Some(owner) = owner_of(&app, &mut owners, record.instance_id).await {
                rows.push(row_of(owner, record));
            }
        }
        let written = app
            .store
            .tx("usage_records.insert_batch", async |tx: Tx| {
                usage_records::insert_batch(&tx, &rows).await?;
                Ok::<_, fractal_store::Error>(())
            })
            .await;
        match written {
            Ok(()) => {
                metrics::counter!("fractal_usage_records_total", "outcome" => "written")
                    .increment(rows.len() as u64);
            }
            Err(error) => {
                metrics::counter!("fractal_usage_records_total", "outcome" => "lost")
                    .increment(rows.len() as u64);
                tracing::error!(
                    records = rows.len(),
                    "usage records could not be written and are lost: {error}"
                );
            }
        }
    }
}

async fn owner_of<'a>(
    app: &App,
    known: &'a mut HashMap<InstanceId, Instance>,
    id: InstanceId,
) -> Option<&'a Instance> {
    match known.entry(id) {
        Entry::Occupied(entry) => Some(entry.into_mut()),
        Entry::Vacant(entry) => {
            let row = instances::find(&app.store.read(), id)
                .await
                .ok()
                .flatten()?;
            Some(entry.insert(row))
        }
    }
}

fn row_of(owner: &Instance, record: UsageRecord) -> fractal_store::UsageRecord {
    fractal_store::UsageRecord {
        id: record.id,
        organization_id: owner.organization_id,
        user_id: owner.user_id,
        instance_id: record.instance_id,
        provider_id: record.provider_id,
        model: record.model,
        alias: record.alias,
        wire: record.wire,
        input_tokens: record.input_tokens,
        output_tokens: record.output_tokens,
        cache_read_tokens: record.cache_read_tokens,
        cache_write_tokens: record.cache_write_tokens,
        // In the words of HTTP: answered, client went away, provider failed.
        status: match record.status {
            UsageStatus::Ok => 200,
            UsageStatus::Aborted => 499,
            UsageStatus::Failed => 424,
        },
        error_code: record.fault.map(|code| {
            serde_json::to_value(code)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default()
        }),
        started_at: record.started_at,
        duration_ms: record.duration_ms,
    }
}
