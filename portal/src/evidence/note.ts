// Signed heads: notes (C2SP signed-note) that hold a checkpoint (C2SP tlog-checkpoint), and the keys that verify them.
import { type Bytes, concat, equal, unbase64, unhex, utf8 } from './bytes';
import { HASH_BYTES, sha256 } from './merkle';

/** The byte of Ed25519 among the algorithms of signed notes. */
const ED25519 = 1;
const MARK = '\u2014 ';

export interface VerifyKey {
  name: string;
  /** The four bytes that stand in front of each of its signatures. */
  id: Bytes;
  key: Bytes;
  /** As it is written: `name+id+key`. */
  text: string;
}

export type KeyFault = 'shape' | 'id' | 'algorithm';

/** Reads `name+id+key`; the key is in base64 and may hold a plus itself. */
export async function parseKey(text: string): Promise<VerifyKey | KeyFault> {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim());
  const [, name = '', idText = '', encoded = ''] = parts ?? [];
  const id = unhex(idText);
  const bytes = unbase64(encoded);
  if (!parts || !id || !bytes) return 'shape';
  if (bytes[0] !== ED25519 || bytes.length !== 33) return 'algorithm';
  const digest = await sha256(concat(utf8(`${name}\n`), bytes));
  if (!equal(digest.slice(0, 4), id)) return 'id';
  return { name, id, key: bytes.slice(1), text: `${name}+${idText}+${encoded}` };
}

export type NoteFault =
  /** Not in the form of a signed note. */
  | 'shape'
  /** Nobody signed whose key we hold. */
  | 'unsigned'
  /** Signed in that name, but not by that key over this text. */
  | 'forged';

/** The text of a note that this key signed, its last line ended; signatures by others are passed over. */
export async function openNote(note: string, key: VerifyKey): Promise<{ text: string } | NoteFault> {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return 'shape';
  const text = note.slice(0, end + 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in it
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) return 'shape';
  let fault: NoteFault = 'unsigned';
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, encoded = ''] = new RegExp(`^${MARK}(\\S+) (\\S+)$`).exec(line) ?? [];
    const bytes = unbase64(encoded);
    if (!name || !bytes || bytes.length < 5) return 'shape';
    if (name !== key.name || !equal(bytes.slice(0, 4), key.id)) continue;
    if (await signed(key, utf8(text), bytes.slice(4))) return { text };
    fault = 'forged';
  }
  return fault;
}

async function signed(key: VerifyKey, message: Bytes, signature: Bytes): Promise<boolean> {
  const imported = await crypto.subtle.importKey('raw', key.key, 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', imported, signature, message);
}

export interface Checkpoint {
  /** Which log: the name of the key that signs it. */
  origin: string;
  /** How many entries it covers. */
  size: number;
  root: Bytes;
}

/** What a signed head says. The log must have the key's name, so that no head of another one is taken for it. */
export async function openCheckpoint(note: string, key: VerifyKey): Promise<Checkpoint | NoteFault> {
  const opened = await openNote(note, key);
  if (typeof opened === 'string') return opened;
  const [origin = '', sizeText = '', encoded = ''] = opened.text.split('\n');
  const root = unbase64(encoded);
  const size = Number(sizeText);
  // One spelling only: no sign, no leading zero.
  if (!/^(0|[1-9]\d*)$/.test(sizeText) || !Number.isSafeInteger(size)) return 'shape';
  if (origin !== key.name || root?.length !== HASH_BYTES) return 'shape';
  return { origin, size, root };
}
