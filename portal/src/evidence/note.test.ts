import { expect, test } from 'vitest';
import { unbase64, unhex } from './bytes';
import { openCheckpoint, openNote, parseKey, type VerifyKey } from './note';
import { signer } from './tree.testing';

const ROOT = 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=';
const HEAD = `fractal/test\n42\n${ROOT}\n`;
const keyOf = async (text: string) => (await parseKey(text)) as VerifyKey;

test('a note of other tools opens: the example of Go’s sumdb/note', async () => {
  const key = await keyOf('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
  const text =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const note = `${text}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;
  expect(await openNote(note, key)).toEqual({ text });
  expect(await openNote(note.replace('problem is', 'problem was'), key)).toBe('forged');
});

test('a key is read as a whole or not at all', async () => {
  const { text } = await signer('fractal/test');
  expect(await keyOf(` ${text}\n`)).toMatchObject({ name: 'fractal/test', text });
  expect(await parseKey('fractal/test')).toBe('shape');
  expect(await parseKey(text.slice(0, -1))).toBe('shape');
  expect(await parseKey(text.replace('fractal/test', 'fractal/other'))).toBe('id');
  expect(await parseKey('x+00000000+AgAA')).toBe('algorithm');
});

test('a signed head opens with its key only', async () => {
  const [ours, theirs] = [await signer('fractal/test'), await signer('fractal/test')];
  const note = await ours.sign(HEAD);
  const key = await keyOf(ours.text);
  expect(await openCheckpoint(note, key)).toMatchObject({ origin: 'fractal/test', size: 42 });
  expect(await openCheckpoint(note, await keyOf(theirs.text))).toBe('unsigned');
  expect(await openCheckpoint(note.replace('\n42\n', '\n43\n'), key)).toBe('forged');
});

test('a witness may sign below us', async () => {
  const [ours, witness] = [await signer('fractal/test'), await signer('witness')];
  const both = (await ours.sign(HEAD)) + (await witness.sign(HEAD)).slice(HEAD.length + 1);
  expect(await openNote(both, await keyOf(ours.text))).toEqual({ text: HEAD });
  expect(await openNote(both, await keyOf(witness.text))).toEqual({ text: HEAD });
});

test('broken notes and heads of another log are refused', async () => {
  const ours = await signer('fractal/test');
  const key = await keyOf(ours.text);
  for (const broken of [
    '',
    'text\n',
    'text\n\nno mark\n',
    'a\tb\n\n\u2014 x AAAA\n',
    HEAD,
    (await ours.sign(HEAD)).trimEnd(),
  ])
    expect(await openNote(broken, key), JSON.stringify(broken)).toBe('shape');
  for (const text of [
    `other\n42\n${ROOT}\n`,
    `fractal/test\n042\n${ROOT}\n`,
    `fractal/test\n+42\n${ROOT}\n`,
    `fractal/test\n9007199254740993\n${ROOT}\n`,
    'fractal/test\n42\nBwcH\n',
  ])
    expect(await openCheckpoint(await ours.sign(text), key), text).toBe('shape');
});

test('bytes have one spelling', () => {
  expect(unbase64('AA==')).toEqual(Uint8Array.of(0));
  expect(unbase64('AB==')).toBeUndefined();
  expect(unbase64('AA')).toBeUndefined();
  expect(unhex('0G')).toBeUndefined();
  expect(unhex('0a1')).toBeUndefined();
});
