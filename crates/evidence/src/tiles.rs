//! Where the hashes of the tree are kept: in tiles of up to 256 neighbours, as transparency logs keep them (C2SP tlog-tiles).
//!
//! Tile level 0 holds the hashes of leaves; level 1 holds one hash for each full tile below it, and so on. Hashes between two
//! tile levels are computed from the lower one when a proof needs them.

use std::collections::BTreeMap;

use crate::merkle::{Hash, Span, empty_root, fold, node_hash};

/// Hashes in a full tile.
pub const WIDTH: usize = 256;
/// Levels of the tree in a tile.
const HEIGHT: u32 = 8;

/// Which tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileId {
    /// Its level; level `n` holds hashes over `256^n` leaves.
    pub level: u32,
    /// Its place in the level.
    pub position: u64,
}

/// Hashes of a tile, from the left.
pub type Tile = Vec<Hash>;

/// The tiles that a question about a tree needs.
#[derive(Debug, Default)]
pub struct Tiles(BTreeMap<TileId, Tile>);

impl Tiles {
    /// Puts a tile in.
    pub fn insert(&mut self, id: TileId, tile: Tile) {
        self.0.insert(id, tile);
    }

    /// Which tiles [`Tiles::hash`] looks into for these spans.
    #[must_use]
    pub fn needed(spans: &[Span]) -> Vec<TileId> {
        let mut ids: Vec<TileId> = spans
            .iter()
            .flat_map(|span| span.subtrees())
            .map(|(level, position)| place(level, position).0)
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// The hash over a span; `None` when a tile is missing or too short.
    #[must_use]
    pub fn hash(&self, span: Span) -> Option<Hash> {
        let peaks: Option<Vec<Hash>> = span
            .subtrees()
            .into_iter()
            .map(|(level, position)| self.subtree(level, position))
            .collect();
        let peaks = peaks?;
        if peaks.is_empty() {
            return Some(empty_root());
        }
        fold(peaks.into_iter())
    }

    fn subtree(&self, level: u32, position: u64) -> Option<Hash> {
        let (id, from, count) = place(level, position);
        let hashes = self.0.get(&id)?.get(from..from + count)?;
        Some(reduce(hashes))
    }
}

/// In which tile the hash of a subtree stands, or the hashes it is computed from: first and how many.
fn place(level: u32, position: u64) -> (TileId, usize, usize) {
    let count = 1_usize << (level % HEIGHT);
    let first = position << (level % HEIGHT);
    let id = TileId {
        level: level / HEIGHT,
        position: first / WIDTH as u64,
    };
    let from = usize::try_from(first % WIDTH as u64).unwrap_or(0);
    (id, from, count)
}

/// The hash of a complete subtree over its lowest hashes, a power of two of them.
fn reduce(hashes: &[Hash]) -> Hash {
    match hashes {
        [one] => *one,
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            node_hash(&reduce(left), &reduce(right))
        }
    }
}

/// The right edge of the stored tree, to which leaves are added.
#[derive(Debug, Default)]
pub struct Edge {
    size: u64,
    /// The unfinished tile of each level.
    open: Vec<Tile>,
    changed: BTreeMap<TileId, Tile>,
}

impl Edge {
    /// The unfinished tiles of a tree of this size, lowest level first. A level whose last tile is full has none.
    #[must_use]
    pub fn needed(size: u64) -> Vec<TileId> {
        let mut ids = Vec::new();
        let (mut level, mut hashes) = (0, size);
        while hashes > 0 {
            if hashes % WIDTH as u64 != 0 {
                ids.push(TileId {
                    level,
                    position: hashes / WIDTH as u64,
                });
            }
            hashes /= WIDTH as u64;
            level += 1;
        }
        ids
    }

    /// The edge of a tree of this size; `None` when a tile is missing or has another number of hashes than the size says.
    #[must_use]
    pub fn new(size: u64, mut tiles: BTreeMap<TileId, Tile>) -> Option<Self> {
        let mut open = Vec::new();
        let mut hashes = size;
        for level in 0.. {
            if hashes == 0 {
                break;
            }
            let width = usize::try_from(hashes % WIDTH as u64).ok()?;
            let id = TileId {
                level,
                position: hashes / WIDTH as u64,
            };
            let tile = if width == 0 {
                Vec::new()
            } else {
                let mut tile = tiles.remove(&id)?;
                // A tile may be ahead of us when a batch was written and its checkpoint was not; that never commits apart,
                // so anything but the exact width is damage.
                if tile.len() != width {
                    return None;
                }
                tile.reserve(WIDTH - width);
                tile
            };
            open.push(tile);
            hashes /= WIDTH as u64;
        }
        Some(Self {
            size,
            open,
            changed: BTreeMap::new(),
        })
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut position = self.size;
        self.size += 1;
        for level in 0_usize.. {
            if self.open.len() == level {
                self.open.push(Vec::with_capacity(WIDTH));
            }
            let tile = &mut self.open[level];
            tile.push(hash);
            let id = TileId {
                level: u32::try_from(level).unwrap_or(u32::MAX),
                position: position / WIDTH as u64,
            };
            if tile.len() < WIDTH {
                break;
            }
            hash = reduce(tile);
            self.changed.insert(id, std::mem::take(tile));
            position /= WIDTH as u64;
        }
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let peaks: Vec<Hash> = self
            .open
            .iter()
            .rev()
            .flat_map(|tile| {
                // A tile's hashes are the binary form of their number in complete subtrees, larger ones first.
                let mut rest = tile.as_slice();
                let mut found = Vec::new();
                while !rest.is_empty() {
                    let (part, after) = rest.split_at(1 << rest.len().ilog2());
                    found.push(reduce(part));
                    rest = after;
                }
                found
            })
            .collect();
        fold(peaks.into_iter()).unwrap_or_else(empty_root)
    }

    /// What must be written: every tile that was filled or touched.
    #[must_use]
    pub fn changed(&self, before: u64) -> BTreeMap<TileId, Tile> {
        let mut changed = self.changed.clone();
        for (level, tile) in self.open.iter().enumerate() {
            let span = (WIDTH as u64).saturating_pow(u32::try_from(level).unwrap_or(u32::MAX));
            // Nothing was added to this level when no subtree of its size was completed.
            if !tile.is_empty() && before / span != self.size / span {
                let id = TileId {
                    level: u32::try_from(level).unwrap_or(u32::MAX),
                    position: self.size / span / WIDTH as u64,
                };
                changed.insert(id, tile.clone());
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::{Frontier, inclusion_spans, leaf_hash, verify_inclusion};

    fn leaf(n: u64) -> Hash {
        leaf_hash(&n.to_be_bytes())
    }

    /// Grows a stored tree in batches, as the sealer does: only tiles survive between two of them.
    fn grow(batches: &[u64]) -> (BTreeMap<TileId, Tile>, u64, Hash) {
        let mut stored: BTreeMap<TileId, Tile> = BTreeMap::new();
        let (mut size, mut root) = (0, empty_root());
        for batch in batches {
            let tiles = Edge::needed(size)
                .into_iter()
                .map(|id| (id, stored[&id].clone()))
                .collect();
            let mut edge = Edge::new(size, tiles).unwrap();
            for n in size..size + batch {
                edge.push(leaf(n));
            }
            stored.extend(edge.changed(size));
            (size, root) = (edge.size(), edge.root());
        }
        (stored, size, root)
    }

    #[test]
    fn a_tree_of_three_tile_levels_proves_its_leaves() {
        let (stored, size, root) = grow(&[1, 255, 1, 65_279, 1, 70_000]);
        let mut plain = Frontier::default();
        (0..size).for_each(|n| plain.push(leaf(n)));
        assert_eq!(root, plain.root());
        for index in [0, 1, 255, 256, 65_535, 65_536, 65_537, size - 1] {
            let spans = inclusion_spans(index, size);
            let mut tiles = Tiles::default();
            for id in Tiles::needed(&spans) {
                tiles.insert(id, stored[&id].clone());
            }
            let proof: Vec<Hash> = spans
                .iter()
                .map(|span| tiles.hash(*span).unwrap())
                .collect();
            assert!(
                verify_inclusion(index, size, &leaf(index), &proof, &root),
                "{index}"
            );
        }
    }

    #[test]
    fn a_damaged_edge_is_noticed() {
        let (stored, size, _) = grow(&[300]);
        let mut tiles: BTreeMap<TileId, Tile> = Edge::needed(size)
            .into_iter()
            .map(|id| (id, stored[&id].clone()))
            .collect();
        assert!(Edge::new(size + 1, tiles.clone()).is_none());
        tiles.pop_last();
        assert!(Edge::new(size, tiles).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn batches_of_any_size_give_the_tree_of_all(batches in proptest::collection::vec(0_u64..600, 1..6), pick: u64) {
            let (stored, size, root) = grow(&batches);
            let mut plain = Frontier::default();
            (0..size).for_each(|n| plain.push(leaf(n)));
            prop_assert_eq!(root, plain.root());
            prop_assume!(size > 0);
            let index = pick % size;
            let spans = inclusion_spans(index, size);
            let mut tiles = Tiles::default();
            for id in Tiles::needed(&spans) {
                tiles.insert(id, stored[&id].clone());
            }
            let proof: Vec<Hash> = spans.iter().map(|span| tiles.hash(*span).unwrap()).collect();
            prop_assert!(verify_inclusion(index, size, &leaf(index), &proof, &root));
        }
    }
}
