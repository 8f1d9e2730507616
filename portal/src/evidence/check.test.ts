import { beforeAll, expect, test } from 'vitest';
import type { EvidenceHead, EvidenceView, InclusionProof } from '../api/types';
import { enter, has, loadCatalogue } from '../strings';
import { type Bytes, hex } from './bytes';
import { checkEntry, checkHead, type Kept, passes, type Step, support } from './check';
import { keptOf } from './kept';
import type { Checkpoint } from './note';
import { base64, consistency, inclusion, leaves, rootOf, type Signer, signer } from './tree.testing';

const NAME = 'fractal/test';
const [MONDAY, TUESDAY] = ['2026-11-23T08:00:00Z', '2026-11-24T08:00:00Z'];
const view = (seq: number) =>
  ({
    seq,
    id: `ev_${seq}`,
    at: MONDAY,
    actor_kind: 'user',
    actor_id: 'user_1',
    actor_name: 'ada',
    via: 'browser',
    action: 'instance.start',
    resource_kind: 'instance',
    resource_id: 'inst_1',
    outcome: 'done',
    decision: { allowed: true, policies: ['own'] },
    values: { wanted: 'running' },
    commitments: { wanted: '00ff' },
  }) as unknown as EvidenceView;
const leafOf = (seq: number, more = {}) => {
  const { actor_name, values, ...rest } = view(seq);
  return JSON.stringify({ ...rest, organization_id: 'org_1', request_id: null, ...more });
};

let us: Signer;
let texts: string[];
beforeAll(async () => {
  Object.assign(globalThis, { document: { documentElement: { lang: '' } } });
  await loadCatalogue('en');
  await enter('evidence');
  us = await signer(NAME);
  texts = Array.from({ length: 11 }, (_, i) => leafOf(i + 1));
});

async function head(list: readonly string[], key = us): Promise<EvidenceHead> {
  const root = await rootOf(await leaves(list));
  const note = await key.sign(`${NAME}\n${list.length}\n${base64(root)}\n`);
  return { size: list.length, note, signed_at: MONDAY, key: key.text, waiting: 0 };
}
async function proofOf(seq: number, list: readonly string[]): Promise<InclusionProof> {
  const hashes = await leaves(list);
  return {
    seq,
    leaf: list[seq - 1] as string,
    leaf_hash: hex(hashes[seq - 1] as Bytes),
    size: list.length,
    hashes: (await inclusion(seq - 1, hashes)).map(hex),
    note: '',
  };
}
/** Proves growth within this list, as a server would that holds it. */
const prover = (list: readonly string[]) => async (from: number, to: number) =>
  (await consistency(from, (await leaves(list)).slice(0, to))).map(hex);
const nobody = () => Promise.reject(new Error('not asked'));
const states = (steps: readonly Step[]) =>
  steps.map((one) => {
    const end = one.why ?? one.state;
    expect(has(`check.${one.name}.${end}`), `words for ${one.name}.${end}`).toBe(true);
    return `${one.name}: ${end}`;
  });
const keptAfter = async (list: readonly string[]) =>
  (await checkHead(await head(list), undefined, MONDAY, nobody)).keep as Kept;

test('the first look keeps key and head', async () => {
  const found = await checkHead(await head(texts), undefined, MONDAY, nobody);
  expect(states(found.steps)).toEqual(['signature: ok', 'key: first', 'growth: first']);
  expect(found.keep).toMatchObject({
    key: us.text,
    keySince: MONDAY,
    head: { at: MONDAY, first: { at: MONDAY, size: 11 } },
  });
  expect(keptOf(JSON.stringify(found.keep))).toEqual(found.keep);
  expect(keptOf('{"key":1}')).toBeUndefined();
  expect(keptOf('{"key":"x","keySince":"y","head":{"note":"z"}}')).toBeUndefined();
  expect(keptOf('nonsense')).toBeUndefined();
});

test('a log that only grew is known to have since the first look', async () => {
  const kept = await keptAfter(texts.slice(0, 7));
  const found = await checkHead(await head(texts), kept, TUESDAY, prover(texts));
  expect(states(found.steps)).toEqual(['signature: ok', 'key: ok', 'growth: ok']);
  expect(found.keep).toMatchObject({
    keySince: MONDAY,
    head: { at: TUESDAY, first: { at: MONDAY, size: 7 } },
  });
  const again = await checkHead(await head(texts), found.keep, TUESDAY, nobody);
  expect(passes(again.steps)).toBe(true);
});

test('a log that was cut, rewritten or not proven is an alarm, and nothing new is kept', async () => {
  const kept = await keptAfter(texts.slice(0, 7));
  const changed = texts.with(2, leafOf(3, { outcome: 'refused' }));
  for (const [list, prove, why] of [
    [texts.slice(0, 5), nobody, 'cut'],
    [changed, prover(changed), 'rewritten'],
    [changed, prover(texts), 'rewritten'],
    [changed.slice(0, 7), nobody, 'rewritten'],
    [texts, async () => ['beef'], 'rewritten'],
    [texts, nobody, 'unproven'],
  ] as const) {
    const found = await checkHead(await head(list), kept, TUESDAY, prove);
    expect(states(found.steps)[2]).toBe(`growth: ${why}`);
    expect(found.keep).toBeUndefined();
  }
  const gone = await checkHead({ size: 0, key: us.text, waiting: 0 }, kept, TUESDAY, nobody);
  expect(states(gone.steps)[2]).toBe('growth: empty');
});

test('another key is noticed, whether or not it signs', async () => {
  const kept = await keptAfter(texts);
  const thief = await signer(NAME);
  const found = await checkHead(await head(texts, thief), kept, TUESDAY, nobody);
  expect(states(found.steps)).toEqual(['signature: unsigned', 'key: changed', 'growth: skipped']);
  expect(found.keep).toBeUndefined();
  const told = await checkHead({ ...(await head(texts)), key: thief.text }, kept, TUESDAY, nobody);
  expect(states(told.steps)).toEqual(['signature: ok', 'key: changed', 'growth: ok']);
  expect(told.keep).toBeUndefined();
});

test('a forged head and a damaged key say so', async () => {
  const { note, ...rest } = await head(texts);
  const forged = await checkHead(
    { ...rest, note: note?.replace('\n11\n', '\n12\n') ?? '' },
    undefined,
    MONDAY,
    nobody,
  );
  expect(states(forged.steps)[0]).toBe('signature: forged');
  const damaged = await checkHead({ ...(await head(texts)), key: 'x' }, undefined, MONDAY, nobody);
  expect(states(damaged.steps)[1]).toBe('key: shape');
});

async function verified(
  seq: number,
  change: (proof: InclusionProof) => Partial<InclusionProof> = () => ({}),
) {
  const { checkpoint } = await checkHead(await head(texts), undefined, MONDAY, nobody);
  const proof = await proofOf(seq, texts);
  return states(await checkEntry(view(seq), { ...proof, ...change(proof) }, checkpoint as Checkpoint));
}

test('an entry is proven', async () => {
  for (const seq of [1, 5, 11])
    expect(await verified(seq)).toEqual(['entry: ok', 'leaf: ok', 'inclusion: ok']);
});

test('whatever is tampered with, the step that breaks says so', async () => {
  const leaf = leafOf(5, { outcome: 'refused' });
  expect(await verified(5, () => ({ leaf }))).toEqual(['entry: differs', 'leaf: hash', 'inclusion: root']);
  const [hash] = await leaves([leaf]);
  expect(await verified(5, () => ({ leaf, leaf_hash: hex(hash as Bytes) }))).toEqual([
    'entry: differs',
    'leaf: ok',
    'inclusion: root',
  ]);
  expect((await verified(5, () => ({ leaf: leafOf(6) })))[0]).toBe('entry: seq');
  expect((await verified(5, () => ({ seq: 6 })))[0]).toBe('entry: seq');
  expect((await verified(5, () => ({ leaf: '{' })))[0]).toBe('entry: shape');
  expect((await verified(5, () => ({ leaf: leafOf(5, { outcome: undefined }) })))[0]).toBe('entry: differs');
  expect((await verified(5, () => ({ leaf_hash: '00'.repeat(32) })))[1]).toBe('leaf: hash');
  expect((await verified(5, () => ({ size: 10 })))[2]).toBe('inclusion: size');
  expect((await verified(5, ({ hashes }) => ({ hashes: hashes.slice(1) })))[2]).toBe('inclusion: shape');
  expect((await verified(5, ({ hashes }) => ({ hashes: hashes.with(0, 'beef') })))[2]).toBe(
    'inclusion: shape',
  );
  expect((await verified(5, ({ hashes }) => ({ hashes: hashes.with(0, '00'.repeat(32)) })))[2]).toBe(
    'inclusion: root',
  );
});

test('without a head that can be trusted nothing is said to be under it', async () => {
  const proof = await proofOf(5, texts);
  expect(states(await checkEntry(view(5), proof, undefined))[2]).toBe('inclusion: skipped');
  const { checkpoint } = await checkHead(await head(texts.slice(0, 3)), undefined, MONDAY, nobody);
  expect(states(await checkEntry(view(5), proof, checkpoint))[2]).toBe('inclusion: beyond');
});

test('what checks signatures is found where it is check signatures', async () => {
  expect(await support()).toBe('ok');
});
