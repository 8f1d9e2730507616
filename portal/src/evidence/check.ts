// What can be known about an entry and about the log's head without trusting the server: each step passes, or says what
// exactly does not fit. Nothing here asks the network; who calls brings what was answered.
import type { EvidenceHead, EvidenceView, InclusionProof } from '../api/types';
import { type Bytes, equal, hex, unhex, utf8 } from './bytes';
import { HASH_BYTES, leafHash, rootFrom, verifyConsistency } from './merkle';
import { type Checkpoint, openCheckpoint, parseKey, type VerifyKey } from './note';

/** What a person keeps in this browser, to notice when the server tells another story. */
export interface Kept {
  /** The key as it was first seen or pasted, and when. */
  key: string;
  keySince: string;
  /** The last head that passed, when it was seen, and from which first one on every head followed from the one before. */
  head?: { note: string; at: string; first: { at: string; size: number } };
}

export type StepName = 'entry' | 'leaf' | 'inclusion' | 'signature' | 'key' | 'growth';
export interface Step {
  name: StepName;
  /** `first`: there was nothing yet to hold it against. `skipped`: an earlier fault leaves nothing to check it with. */
  state: 'ok' | 'first' | 'failed' | 'skipped';
  /** What does not fit, as a code; its words are in the catalogue. */
  why?: string;
  /** Figures and names for the words. */
  with?: Record<string, string | number>;
}

const ok = (name: StepName, given: Step['with'] = {}): Step => ({ name, state: 'ok', with: given });
const failed = (name: StepName, why: string, given: Step['with'] = {}): Step => ({
  name,
  state: 'failed',
  why,
  with: given,
});

/** Whether this browser can check signatures at all. Plain HTTP from another machine gets no cryptography. */
export async function support(): Promise<'ok' | 'insecure' | 'ed25519'> {
  if (!globalThis.crypto?.subtle) return 'insecure';
  try {
    // The key of RFC 8032 section 7.1, test 1.
    const key = unhex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a') as Bytes;
    await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
    return 'ok';
  } catch {
    return 'ed25519';
  }
}

export interface HeadCheck {
  steps: Step[];
  /** The head, when the key that counts signed it. */
  checkpoint?: Checkpoint;
  /** What to keep from now on; absent unless everything passed. */
  keep?: Kept;
}

/**
 * The head: signed by the key that was kept (on the first look: the one presented), and grown from the head seen before.
 * `prove` fetches the hashes that prove the growth from one size to another.
 */
export async function checkHead(
  head: EvidenceHead,
  kept: Kept | undefined,
  now: string,
  prove: (from: number, to: number) => Promise<readonly string[]>,
): Promise<HeadCheck> {
  const skipped: Step = { name: 'growth', state: 'skipped' };
  const key = await parseKey(kept?.key ?? head.key);
  if (typeof key === 'string')
    return {
      steps: [{ name: 'signature', state: 'skipped' }, failed('key', kept ? 'kept' : key), skipped],
    };
  const keyStep: Step = !kept
    ? { name: 'key', state: 'first' }
    : head.key === kept.key
      ? ok('key', { since: kept.keySince })
      : failed('key', 'changed', { since: kept.keySince });
  if (!head.note) {
    const cut = kept?.head ? failed('growth', 'empty') : skipped;
    return { steps: [{ name: 'signature', state: 'skipped' }, keyStep, cut] };
  }
  const checkpoint = await openCheckpoint(head.note, key);
  if (typeof checkpoint === 'string')
    return { steps: [failed('signature', checkpoint, { name: key.name }), keyStep, skipped] };
  const growth = await grew(checkpoint, key, kept, prove);
  const steps = [ok('signature', { n: checkpoint.size, name: key.name }), keyStep, growth];
  if (steps.some((step) => step.state === 'failed')) return { steps, checkpoint };
  const keep: Kept = {
    key: key.text,
    keySince: kept?.keySince ?? now,
    head: { note: head.note, at: now, first: kept?.head?.first ?? { at: now, size: checkpoint.size } },
  };
  return { steps, checkpoint, keep };
}

async function grew(
  now: Checkpoint,
  key: VerifyKey,
  kept: Kept | undefined,
  prove: (from: number, to: number) => Promise<readonly string[]>,
): Promise<Step> {
  if (!kept?.head) return { name: 'growth', state: 'first', with: { n: now.size } };
  const before = await openCheckpoint(kept.head.note, key);
  if (typeof before === 'string') return failed('growth', 'kept');
  const { first, at } = kept.head;
  const given = { from: before.size, to: now.size, seen: at, since: first.at, first: first.size };
  if (now.size < before.size) return failed('growth', 'cut', given);
  let hashes: (Bytes | undefined)[] = [];
  if (now.size > before.size) {
    try {
      hashes = (await prove(before.size, now.size)).map(hash);
    } catch (error) {
      return failed('growth', 'unproven', {
        ...given,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }
  const proof = hashes.filter((one) => one !== undefined);
  const fits =
    proof.length === hashes.length &&
    (await verifyConsistency(before.size, now.size, before.root, now.root, proof));
  return fits ? ok('growth', given) : failed('growth', 'rewritten', given);
}

function hash(text: string): Bytes | undefined {
  const bytes = unhex(text);
  return bytes?.length === HASH_BYTES ? bytes : undefined;
}

/** An entry: what is shown is what is sealed, at its place, under the head. */
export async function checkEntry(
  entry: EvidenceView,
  proof: InclusionProof,
  checkpoint: Checkpoint | undefined,
): Promise<Step[]> {
  const computed = await leafHash(utf8(proof.leaf));
  const leaf =
    hex(computed) === proof.leaf_hash
      ? ok('leaf', { hash: proof.leaf_hash })
      : failed('leaf', 'hash', { hash: hex(computed) });
  return [sameEntry(entry, proof), leaf, await included(entry.seq, computed, proof, checkpoint)];
}

async function included(
  seq: number,
  leaf: Bytes,
  proof: InclusionProof,
  checkpoint: Checkpoint | undefined,
): Promise<Step> {
  if (!checkpoint) return { name: 'inclusion', state: 'skipped' };
  const given = { n: seq, size: checkpoint.size };
  if (seq > checkpoint.size) return failed('inclusion', 'beyond', given);
  if (proof.size !== checkpoint.size) return failed('inclusion', 'size', { ...given, other: proof.size });
  const hashes = proof.hashes.map(hash).filter((one) => one !== undefined);
  const root =
    hashes.length === proof.hashes.length
      ? await rootFrom(seq - 1, checkpoint.size, leaf, hashes)
      : undefined;
  if (!root) return failed('inclusion', 'shape', given);
  return equal(root, checkpoint.root)
    ? ok('inclusion', { ...given, hashes: hashes.length })
    : failed('inclusion', 'root', given);
}

/** What is shown of an entry and must be sealed; the names of people are looked up, and values only open commitments. */
const SEALED = [
  'seq',
  'id',
  'at',
  'actor_kind',
  'actor_id',
  'via',
  'action',
  'resource_kind',
  'resource_id',
  'outcome',
  'decision',
  'commitments',
  'request_id',
] as const;

function sameEntry(entry: EvidenceView, proof: InclusionProof): Step {
  let sealed: Record<string, unknown>;
  try {
    sealed = JSON.parse(proof.leaf) as Record<string, unknown>;
  } catch {
    return failed('entry', 'shape');
  }
  if (sealed.seq !== entry.seq || proof.seq !== entry.seq)
    return failed('entry', 'seq', { n: entry.seq, other: String(sealed.seq) });
  const differ = SEALED.filter((field) => !same(entry[field], sealed[field]));
  if (differ.length > 0) return failed('entry', 'differs', { fields: differ.join(', ') });
  return ok('entry', { n: entry.seq });
}

/** Deep equality of JSON; what is absent equals nothing. */
function same(a: unknown, b: unknown): boolean {
  if ((a ?? null) === (b ?? null)) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return Array.isArray(a) === Array.isArray(b) && [...keys].every((name) => same(left[name], right[name]));
}

/** Whether every step passed, or was held against nothing yet. */
export function passes(steps: readonly Step[]): boolean {
  return steps.every((step) => step.state === 'ok' || step.state === 'first');
}
