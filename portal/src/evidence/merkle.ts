// The Merkle tree of RFC 6962 section 2.1: its hashes, and who checks proofs (the algorithms of RFC 9162).
// Sizes may pass 2^31, where the bit operators of the language end: halves are taken by division.
import { type Bytes, concat, equal } from './bytes';

export const HASH_BYTES = 32;

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** The root of the tree without entries. */
export const emptyRoot = (): Promise<Bytes> => sha256(new Uint8Array());

export const leafHash = (leaf: Uint8Array): Promise<Bytes> => sha256(concat(Uint8Array.of(0), leaf));

export const nodeHash = (left: Uint8Array, right: Uint8Array): Promise<Bytes> =>
  sha256(concat(Uint8Array.of(1), left, right));

const odd = (n: number) => n % 2 === 1;
const half = (n: number) => Math.floor(n / 2);
const isSize = (n: number) => Number.isSafeInteger(n) && n >= 0;

function isPowerOfTwo(n: number): boolean {
  let rest = n;
  while (rest > 1 && !odd(rest)) rest = half(rest);
  return rest === 1;
}

/** The root that follows from a leaf at `index` (from 0) of a tree of `size` and its proof; none when the proof is too long or short. */
export async function rootFrom(
  index: number,
  size: number,
  leaf: Bytes,
  proof: readonly Bytes[],
): Promise<Bytes | undefined> {
  if (!isSize(index) || !isSize(size) || index >= size) return undefined;
  let [position, last, hash] = [index, size - 1, leaf];
  for (const other of proof) {
    if (last === 0) return undefined;
    if (odd(position) || position === last) {
      hash = await nodeHash(other, hash);
      while (!odd(position) && position !== 0) {
        position = half(position);
        last = half(last);
      }
    } else {
      hash = await nodeHash(hash, other);
    }
    position = half(position);
    last = half(last);
  }
  return last === 0 ? hash : undefined;
}

/** Whether the leaf is in the tree with this root (RFC 9162 section 2.1.3.2). */
export async function verifyInclusion(
  index: number,
  size: number,
  leaf: Bytes,
  proof: readonly Bytes[],
  root: Bytes,
): Promise<boolean> {
  const found = await rootFrom(index, size, leaf, proof);
  return found !== undefined && equal(found, root);
}

/** Whether the tree of `old` entries is the beginning of the tree of `size` (RFC 9162 section 2.1.4.2). */
export async function verifyConsistency(
  old: number,
  size: number,
  oldRoot: Bytes,
  root: Bytes,
  proof: readonly Bytes[],
): Promise<boolean> {
  if (!isSize(old) || !isSize(size) || old > size) return false;
  if (old === size) return proof.length === 0 && equal(oldRoot, root);
  if (old === 0) return proof.length === 0 && equal(oldRoot, await emptyRoot());
  const [first, ...rest] = isPowerOfTwo(old) ? [oldRoot, ...proof] : proof;
  if (!first) return false;
  let [position, last] = [old - 1, size - 1];
  while (odd(position)) {
    position = half(position);
    last = half(last);
  }
  let [before, after] = [first, first];
  for (const other of rest) {
    if (last === 0) return false;
    if (odd(position) || position === last) {
      before = await nodeHash(other, before);
      after = await nodeHash(other, after);
      while (!odd(position) && position !== 0) {
        position = half(position);
        last = half(last);
      }
    } else {
      after = await nodeHash(after, other);
    }
    position = half(position);
    last = half(last);
  }
  return last === 0 && equal(before, oldRoot) && equal(after, root);
}
