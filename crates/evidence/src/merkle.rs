//! The Merkle tree of RFC 6962 section 2.1: hashes of leaves and nodes, proofs, and who checks them.
//!
//! Pure arithmetic over hashes; where hashes are kept is the business of [`crate::tiles`].

use sha2::{Digest, Sha256};

/// A hash of the tree: SHA-256.
pub type Hash = [u8; 32];

/// The root of the tree without entries: the hash of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(leaf);
    hash.finalize().into()
}

/// The hash of a node over its two halves.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// The root over the hashes of complete subtrees from left to right, the right ones the smaller.
pub(crate) fn fold(peaks: impl DoubleEndedIterator<Item = Hash>) -> Option<Hash> {
    peaks.rev().reduce(|right, left| node_hash(&left, &right))
}

/// A tree that only grows at its right edge and remembers no more than that edge: one hash per bit of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Complete subtrees from left to right; their sizes are the bits of `size`, largest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge of a tree of this size, from its complete subtrees (largest first); `None` when there are not as many as the size
    /// has bits.
    #[must_use]
    pub fn new(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The complete subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Every trailing one of the size is a subtree of the size of the new one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(self.peaks.iter().copied()).unwrap_or_else(empty_root)
    }
}

/// A run of leaves whose hash a proof holds: from `start`, up to and without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first leaf, from 0.
    pub start: u64,
    /// The one after the last.
    pub end: u64,
}

impl Span {
    /// The complete subtrees it consists of, as `(level, position)` with `2^level` leaves each, from left to right.
    /// A span of a proof begins where a subtree of its size may begin, so this is its binary form.
    pub(crate) fn subtrees(self) -> Vec<(u32, u64)> {
        let mut found = Vec::new();
        let mut start = self.start;
        while start < self.end {
            let fits = 63 - (self.end - start).leading_zeros();
            let level = fits.min(if start == 0 {
                63
            } else {
                start.trailing_zeros()
            });
            found.push((level, start >> level));
            start += 1 << level;
        }
        found
    }
}

/// The largest power of two below `n`, for `n` of at least two.
fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// Which hashes prove that the leaf at `index` (from 0) is in a tree of `size` leaves, from the leaf upwards
/// (RFC 6962 section 2.1.1). Empty when the leaf is not in it.
#[must_use]
pub fn inclusion_spans(index: u64, size: u64) -> Vec<Span> {
    if index >= size {
        return Vec::new();
    }
    let (mut start, mut end) = (0, size);
    let mut spans = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            spans.push(Span { start: middle, end });
            end = middle;
        } else {
            spans.push(Span { start, end: middle });
            start = middle;
        }
    }
    spans.reverse();
    spans
}

/// Which hashes prove that the tree of `old` leaves is the beginning of the tree of `size` leaves
/// (RFC 6962 section 2.1.2). Empty when that needs no proof.
#[must_use]
pub fn consistency_spans(old: u64, size: u64) -> Vec<Span> {
    if old == 0 || old >= size {
        return Vec::new();
    }
    let (mut start, mut end) = (0, size);
    let mut spans = Vec::new();
    // Whether the old tree is a whole left part so far, so that its root is known and need not be told.
    let mut known = true;
    while end - start > 1 && old != end {
        let middle = start + split(end - start);
        if old <= middle {
            spans.push(Span { start: middle, end });
            end = middle;
        } else {
            spans.push(Span { start, end: middle });
            start = middle;
            known = false;
        }
    }
    if !known {
        spans.push(Span { start, end });
    }
    spans.reverse();
    spans
}

/// Whether these hashes prove that `leaf` is at `index` (from 0) of the tree of `size` leaves with this root
/// (the algorithm of RFC 9162 section 2.1.3.2).
#[must_use]
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut position, mut last, mut hash) = (index, size - 1, *leaf);
    for other in proof {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            hash = node_hash(other, &hash);
            if position & 1 == 0 {
                while position & 1 == 0 && position != 0 {
                    position >>= 1;
                    last >>= 1;
                }
            }
        } else {
            hash = node_hash(&hash, other);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether these hashes prove that the tree of `old` leaves with `old_root` is the beginning of the tree of `size` leaves with `root`
/// (the algorithm of RFC 9162 section 2.1.4.2).
#[must_use]
pub fn verify_consistency(
    old: u64,
    size: u64,
    old_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> bool {
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    if old > size {
        return false;
    }
    let mut hashes = proof.iter();
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        hashes.next()
    };
    let Some(first) = first else { return false };
    let (mut position, mut last) = (old - 1, size - 1);
    while position & 1 == 1 {
        position >>= 1;
        last >>= 1;
    }
    let (mut before, mut after) = (*first, *first);
    for other in hashes {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            before = node_hash(other, &before);
            after = node_hash(other, &after);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            after = node_hash(&after, other);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && before == *old_root && after == *root
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tree as RFC 6962 defines it, slow and plain.
    fn slow(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            more => {
                let (left, right) =
                    more.split_at(usize::try_from(split(more.len() as u64)).unwrap());
                node_hash(&slow(left), &slow(right))
            }
        }
    }

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn hashes(all: &[Hash], spans: &[Span]) -> Vec<Hash> {
        spans
            .iter()
            .map(|span| {
                let range =
                    usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
                slow(&all[range])
            })
            .collect()
    }

    fn hex(hash: &Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The vectors that implementations of RFC 6962 share.
    #[test]
    fn known_trees_have_their_known_roots() {
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        assert_eq!(
            hex(&empty_root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let mut tree = Frontier::default();
        let mut roots = Vec::new();
        for input in inputs {
            tree.push(leaf_hash(input));
            roots.push(hex(&tree.root()));
        }
        assert_eq!(
            roots[0],
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            roots[7],
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_and_nothing_else() {
        let all = leaves(33);
        for size in 1..=33_u64 {
            let part = &all[..usize::try_from(size).unwrap()];
            let root = slow(part);
            for index in 0..size {
                let proof = hashes(part, &inclusion_spans(index, size));
                let leaf = &part[usize::try_from(index).unwrap()];
                assert!(verify_inclusion(index, size, leaf, &proof, &root));
                assert!(!verify_inclusion(index, size, &root, &proof, &root) || size == 1);
                assert!(
                    !verify_inclusion((index + 1) % size, size, leaf, &proof, &root) || size == 1
                );
                let mut longer = proof.clone();
                longer.push(root);
                assert!(!verify_inclusion(index, size, leaf, &longer, &root));
                if let Some((_, shorter)) = proof.split_last() {
                    assert!(!verify_inclusion(index, size, leaf, shorter, &root));
                }
            }
            assert!(!verify_inclusion(size, size, &all[0], &[], &root));
        }
    }

    #[test]
    fn every_small_tree_is_proven_to_begin_the_larger_ones() {
        let all = leaves(33);
        for size in 1..=33_u64 {
            let root = slow(&all[..usize::try_from(size).unwrap()]);
            for old in 0..=size {
                let old_root = slow(&all[..usize::try_from(old).unwrap()]);
                let proof = hashes(&all, &consistency_spans(old, size));
                assert!(
                    verify_consistency(old, size, &old_root, &root, &proof),
                    "{old} {size}"
                );
                if old > 0 && old < size {
                    let wrong = leaf_hash(b"wrong");
                    assert!(!verify_consistency(old, size, &wrong, &root, &proof));
                    assert!(!verify_consistency(old, size, &old_root, &wrong, &proof));
                    let mut longer = proof.clone();
                    longer.push(root);
                    assert!(!verify_consistency(old, size, &old_root, &root, &longer));
                }
            }
        }
    }

    #[test]
    fn the_hashes_of_a_proof_are_whole_subtrees_where_that_is_possible() {
        for size in 1..200 {
            for index in 0..size {
                for span in inclusion_spans(index, size) {
                    let covered: u64 = span
                        .subtrees()
                        .iter()
                        .map(|(level, _)| 1_u64 << level)
                        .sum();
                    assert_eq!(covered, span.end - span.start);
                    for (level, position) in span.subtrees() {
                        assert!(position << level >= span.start);
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_growing_edge_has_the_root_of_the_whole(count in 0_u64..400) {
            let all = leaves(count);
            let mut tree = Frontier::default();
            for leaf in &all {
                tree.push(*leaf);
            }
            prop_assert_eq!(tree.root(), slow(&all));
            prop_assert_eq!(Frontier::new(tree.size(), tree.peaks().to_vec()), Some(tree));
        }
    }
}
