import { expect, test } from 'vitest';
import { type Bytes, hex, unhex } from './bytes';
import { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from './merkle';
import { consistency, inclusion, rootOf } from './tree.testing';

// The inputs and roots of the tests of Certificate Transparency.
const INPUTS = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const hashes = () => Promise.all(INPUTS.map((input) => leafHash(unhex(input) as Bytes)));

/** The same bytes with the last bit of one of them turned. */
function turned(bytes: Bytes): Bytes {
  const other = bytes.slice();
  other[3] = (other[3] ?? 0) ^ 1;
  return other;
}

test('the known roots', async () => {
  expect(hex(await emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  const all = await hashes();
  for (const [i, root] of ROOTS.entries())
    expect(hex(await rootOf(all.slice(0, i + 1))), `${i + 1}`).toBe(root);
});

test('every leaf of every size is proven, and nothing else', async () => {
  const all = await hashes();
  for (let size = 1; size <= all.length; size++) {
    const tree = all.slice(0, size);
    const root = await rootOf(tree);
    for (let index = 0; index < size; index++) {
      const leaf = tree[index] as Bytes;
      const proof = await inclusion(index, tree);
      const name = `${index} of ${size}`;
      expect(await verifyInclusion(index, size, leaf, proof, root), name).toBe(true);
      expect(await verifyInclusion(index, size, turned(leaf), proof, root), name).toBe(false);
      expect(await verifyInclusion(index, size, leaf, proof, turned(root)), name).toBe(false);
      expect(await verifyInclusion(index, size, leaf, [...proof, leaf], root), `${name}, too long`).toBe(
        false,
      );
      for (let other = 0; other < size; other++)
        if (other !== index) expect(await verifyInclusion(other, size, leaf, proof, root)).toBe(false);
      for (let i = 0; i < proof.length; i++) {
        const broken = proof.map((hash, at) => (at === i ? turned(hash) : hash));
        expect(await verifyInclusion(index, size, leaf, broken, root), name).toBe(false);
        expect(await verifyInclusion(index, size, leaf, proof.toSpliced(i, 1), root), name).toBe(false);
      }
    }
    expect(await verifyInclusion(size, size, tree[0] as Bytes, [], root)).toBe(false);
  }
});

test('growth is proven between all sizes, and a changed past is not', async () => {
  const all = await hashes();
  for (let size = 1; size <= all.length; size++) {
    const root = await rootOf(all.slice(0, size));
    for (let old = 1; old <= size; old++) {
      const before = await rootOf(all.slice(0, old));
      const proof = await consistency(old, all.slice(0, size));
      const name = `${old} to ${size}`;
      expect(await verifyConsistency(old, size, before, root, proof), name).toBe(true);
      expect(await verifyConsistency(old, size, turned(before), root, proof), name).toBe(false);
      expect(await verifyConsistency(old, size, before, turned(root), proof), name).toBe(false);
      expect(await verifyConsistency(old, size, before, root, [...proof, before]), name).toBe(false);
      for (let i = 0; i < proof.length; i++) {
        const broken = proof.map((hash, at) => (at === i ? turned(hash) : hash));
        expect(await verifyConsistency(old, size, before, root, broken), name).toBe(false);
        expect(await verifyConsistency(old, size, before, root, proof.toSpliced(i, 1)), name).toBe(false);
      }
    }
    expect(await verifyConsistency(size + 1, size, root, root, [])).toBe(false);
    expect(await verifyConsistency(0, size, await emptyRoot(), root, [])).toBe(true);
  }
});

test('sizes beyond 32 bits are counted right', async () => {
  const leaf = await leafHash(unhex('00') as Bytes);
  // The last of 2^40 + 1 leaves hangs directly below the root, beside one complete subtree.
  const left = await leafHash(unhex('01') as Bytes);
  const root = await nodeHash(left, leaf);
  expect(await verifyInclusion(2 ** 40, 2 ** 40 + 1, leaf, [left], root)).toBe(true);
  expect(await verifyInclusion(2 ** 40 - 1, 2 ** 40 + 1, leaf, [left], root)).toBe(false);
  expect(await verifyConsistency(2 ** 40, 2 ** 40 + 1, left, root, [leaf])).toBe(true);
  expect(await verifyConsistency(2 ** 40 - 1, 2 ** 40 + 1, left, root, [leaf])).toBe(false);
});
