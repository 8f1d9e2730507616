//! Proofs out of the stored tree.

use fractal_store::Reads;

use crate::{
    Error, Result,
    merkle::{Frontier, Hash, Span, consistency_spans, inclusion_spans},
    seal::load,
    tiles::Tiles,
};

/// The hashes that prove that the entry at position `seq` (from 1) is in the log of `size` entries.
///
/// # Errors
/// [`Error::Damaged`] when tiles are missing. Ask only for positions and sizes that exist.
pub async fn inclusion(db: &dyn Reads, seq: u64, size: u64) -> Result<Vec<Hash>> {
    hashes(db, size, &inclusion_spans(seq.saturating_sub(1), size)).await
}

/// The hashes that prove that the log of `old` entries is the beginning of the log of `size` entries.
///
/// # Errors
/// [`Error::Damaged`].
pub async fn consistency(db: &dyn Reads, old: u64, size: u64) -> Result<Vec<Hash>> {
    hashes(db, size, &consistency_spans(old, size)).await
}

/// The right edge of the log of `size` entries, from which an export of what follows begins.
///
/// # Errors
/// [`Error::Damaged`].
pub async fn frontier(db: &dyn Reads, size: u64) -> Result<Frontier> {
    let whole = Span {
        start: 0,
        end: size,
    };
    let spans: Vec<Span> = whole
        .subtrees()
        .into_iter()
        .map(|(level, position)| Span {
            start: position << level,
            end: (position + 1) << level,
        })
        .collect();
    let peaks = hashes(db, size, &spans).await?;
    Frontier::new(size, peaks).ok_or(Error::Damaged {
        size,
        what: "its edge has another shape",
    })
}

async fn hashes(db: &dyn Reads, size: u64, spans: &[Span]) -> Result<Vec<Hash>> {
    let mut tiles = Tiles::default();
    for (id, tile) in load(db, &Tiles::needed(spans)).await? {
        tiles.insert(id, tile);
    }
    spans
        .iter()
        .map(|span| {
            tiles.hash(*span).ok_or(Error::Damaged {
                size,
                what: "tiles are missing",
            })
        })
        .collect()
}
