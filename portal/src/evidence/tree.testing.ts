// For tests: a Merkle tree by the words of RFC 6962 section 2.1, and heads signed with a key made for the test.
import { type Bytes, concat, hex, utf8 } from './bytes';
import { emptyRoot, leafHash, nodeHash, sha256 } from './merkle';

/** The largest power of two below `n`. */
const split = (n: number) => 2 ** Math.floor(Math.log2(n - 1));

export async function rootOf(hashes: readonly Bytes[]): Promise<Bytes> {
  const [only] = hashes;
  if (!only) return emptyRoot();
  if (hashes.length === 1) return only;
  const middle = split(hashes.length);
  return nodeHash(await rootOf(hashes.slice(0, middle)), await rootOf(hashes.slice(middle)));
}

export async function inclusion(index: number, hashes: readonly Bytes[]): Promise<Bytes[]> {
  if (hashes.length <= 1) return [];
  const middle = split(hashes.length);
  const [left, right] = [hashes.slice(0, middle), hashes.slice(middle)];
  return index < middle
    ? [...(await inclusion(index, left)), await rootOf(right)]
    : [...(await inclusion(index - middle, right)), await rootOf(left)];
}

export async function consistency(old: number, hashes: readonly Bytes[], known = true): Promise<Bytes[]> {
  if (old === hashes.length) return known ? [] : [await rootOf(hashes)];
  const middle = split(hashes.length);
  const [left, right] = [hashes.slice(0, middle), hashes.slice(middle)];
  return old <= middle
    ? [...(await consistency(old, left, known)), await rootOf(right)]
    : [...(await consistency(old - middle, right, false)), await rootOf(left)];
}

export const leaves = (texts: readonly string[]): Promise<Bytes[]> =>
  Promise.all(texts.map((text) => leafHash(utf8(text))));

export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

export interface Signer {
  text: string;
  sign: (text: string) => Promise<string>;
}

export async function signer(name: string): Promise<Signer> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  const raw = concat(Uint8Array.of(1), new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)));
  const id = (await sha256(concat(utf8(`${name}\n`), raw))).slice(0, 4);
  return {
    text: `${name}+${hex(id)}+${base64(raw)}`,
    sign: async (text) => {
      const signature = await crypto.subtle.sign('Ed25519', pair.privateKey, utf8(text));
      return `${text}\n\u2014 ${name} ${base64(concat(id, new Uint8Array(signature)))}\n`;
    },
  };
}
