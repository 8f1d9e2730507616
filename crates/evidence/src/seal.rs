//! The sealer: gives entries their positions, adds them to the tree, signs its head. One at a time, under a lease.
//!
//! Entries commit without a position, so that changes do not queue for one; a position is given in the order in which the sealer
//! finds them. An entry that commits later than one with a younger id gets the later position, and no reader that goes by
//! positions can miss it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fractal_clock::SharedClock;
use fractal_crypto::SignKey;
use fractal_store::{
    EvidenceCheckpoint, EvidenceTile, Reads, Store, Tx, evidence, evidence_tree, leases,
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    checkpoint::Checkpoint,
    leaf::leaf,
    merkle::leaf_hash,
    tiles::{Edge, Tile, TileId},
};

/// The name of the lease.
const LEASE: &str = "sealer";

/// How the sealer works.
#[derive(Debug, Clone, Copy)]
pub struct SealerOptions {
    /// Entries in one transaction and under one head.
    pub batch: u32,
    /// How long it waits for company after it was woken.
    pub gather: Duration,
    /// How often it looks without being woken: for entries of other processes.
    pub look: Duration,
    /// How long another process waits for a sealer that went away.
    pub lease: Duration,
}

impl Default for SealerOptions {
    fn default() -> Self {
        Self {
            batch: 1_000,
            gather: Duration::from_millis(100),
            look: Duration::from_secs(2),
            lease: Duration::from_secs(15),
        }
    }
}

/// Seals the log of one database.
#[derive(Debug)]
pub struct Sealer {
    store: Store,
    clock: SharedClock,
    key: Arc<SignKey>,
    holder: String,
    options: SealerOptions,
    woken: Notify,
    size: watch::Sender<u64>,
}

/// What one batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Batch {
    /// So many entries, and the size of the log after them.
    Sealed(u64, u64),
    /// Nothing waited; the size of the log.
    Empty(u64),
    /// Another process seals.
    Elsewhere,
}

impl Sealer {
    /// A sealer; `holder` tells this process from others on the same database.
    #[must_use]
    pub fn new(
        store: Store,
        clock: SharedClock,
        key: Arc<SignKey>,
        holder: String,
        options: SealerOptions,
    ) -> Self {
        Self {
            store,
            clock,
            key,
            holder,
            options,
            woken: Notify::new(),
            size: watch::Sender::new(0),
        }
    }

    /// The key that signs the heads.
    #[must_use]
    pub fn key(&self) -> &SignKey {
        &self.key
    }

    /// Has it look now; an entry was committed.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// The position of the newest sealed entry, as far as this process knows; changes wake readers.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    /// Seals for ever. What waits when it is stopped is sealed by the next one.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.seal_all().await {
                Ok(_) => self.options.look,
                Err(error) => {
                    tracing::warn!("the log could not be sealed and is tried again: {error}");
                    metrics::counter!("fractal_evidence_seal_failures_total").increment(1);
                    self.options.look * 5
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.clock.sleep(wait) => {}
                () = self.woken.notified() => self.clock.sleep(self.options.gather).await,
            }
        }
    }

    /// Seals everything that waits; how many entries that were. None when another process is at it.
    ///
    /// # Errors
    /// [`Error`]; what was sealed before stays sealed.
    pub async fn seal_all(&self) -> Result<u64> {
        let mut sealed = 0;
        loop {
            match self.batch().await? {
                Batch::Sealed(count, size) => {
                    sealed += count;
                    metrics::counter!("fractal_evidence_sealed_total").increment(count);
                    metrics::gauge!("fractal_evidence_size").set(size as f64);
                    self.size.send_replace(size);
                    if count < u64::from(self.options.batch) {
                        return Ok(sealed);
                    }
                }
                Batch::Empty(size) => {
                    self.size
                        .send_if_modified(|known| std::mem::replace(known, size) != size);
                    return Ok(sealed);
                }
                Batch::Elsewhere => {
                    // The other one's entries still have readers here.
                    let size = evidence::latest_seq(&self.store.read()).await?;
                    self.size
                        .send_if_modified(|known| std::mem::replace(known, size) != size);
                    return Ok(sealed);
                }
            }
        }
    }

    async fn batch(&self) -> Result<Batch> {
        // Looked up outside first: a log at rest takes no write lock and no lease.
        if evidence::list_unsealed(&self.store.read(), 1)
            .await?
            .is_empty()
        {
            return Ok(Batch::Empty(
                evidence::latest_seq(&self.store.read()).await?,
            ));
        }
        self.store
            .tx("evidence.seal", async |tx: Tx| self.seal(&tx).await)
            .await
    }

    async fn seal(&self, tx: &Tx) -> Result<Batch> {
        let now = self.clock.now();
        if leases::acquire(tx, LEASE, &self.holder, now, self.options.lease)
            .await?
            .is_none()
        {
            return Ok(Batch::Elsewhere);
        }
        let entries = evidence::list_unsealed(tx, self.options.batch).await?;
        let before = evidence::latest_seq(tx).await?;
        let size = evidence_tree::latest_checkpoint(tx)
            .await?
            .map_or(0, |head| head.size);
        if before != size {
            return Err(Error::Damaged {
                size,
                what: "its newest head does not cover the last position",
            });
        }
        if entries.is_empty() {
            return Ok(Batch::Empty(size));
        }
        let tiles = load(tx, &Edge::needed(size)).await?;
        let mut edge = Edge::new(size, tiles).ok_or(Error::Damaged {
            size,
            what: "tiles of its edge are missing",
        })?;
        let mut positions = Vec::with_capacity(entries.len());
        for (entry, seq) in entries.iter().zip(size + 1..) {
            edge.push(leaf_hash(leaf(entry, seq).as_bytes()));
            positions.push((entry.id, seq));
        }
        evidence::place(tx, &positions).await?;
        for (id, tile) in edge.changed(size) {
            evidence_tree::put_tile(tx, &tile_row(id, &tile)).await?;
        }
        let head = Checkpoint {
            origin: self.key.verify_key().name().to_owned(),
            size: edge.size(),
            root: edge.root(),
        };
        let row = EvidenceCheckpoint::new(head.size, head.sign(&self.key), now);
        evidence_tree::insert_checkpoint(tx, &row).await?;
        Ok(Batch::Sealed(positions.len() as u64, head.size))
    }
}

fn tile_key(id: TileId) -> String {
    format!("{}/{}", id.level, id.position)
}

fn tile_row(id: TileId, tile: &Tile) -> EvidenceTile {
    EvidenceTile {
        id: tile_key(id),
        hashes: tile.concat(),
    }
}

/// Reads tiles; those that do not exist, or hold no whole hashes, are missing.
pub(crate) async fn load(db: &dyn Reads, ids: &[TileId]) -> Result<BTreeMap<TileId, Tile>> {
    let by_key: BTreeMap<String, TileId> = ids.iter().map(|id| (tile_key(*id), *id)).collect();
    let keys: Vec<String> = by_key.keys().cloned().collect();
    let mut found = BTreeMap::new();
    for row in evidence_tree::tiles(db, &keys).await? {
        let (hashes, rest) = row.hashes.as_chunks::<32>();
        if let (Some(id), true) = (by_key.get(&row.id), rest.is_empty()) {
            found.insert(*id, hashes.to_vec());
        }
    }
    Ok(found)
}
