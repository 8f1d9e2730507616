// What was asked for, field by field, as an approver reads it. Without a word, so that it can be tested.
import type { ProposalRequest } from '../api/types';

/**
 * Stands in a body where a secret was taken out. It is drawn anew with each load of the page, so that no text which somebody
 * sends can pass for it.
 */
export const HIDDEN = `hidden-${Math.random().toString(36).slice(2)}`;

/** What a value needs: part of a line, a few words side by side, room of its own, or only the word that it is there. */
export type Shape = 'line' | 'list' | 'block' | 'secret';

export interface Field {
  /** `null` for a body that has no names. */
  name: string | null;
  value: unknown;
  shape: Shape;
}

/** Longer texts are hard to read in half a line. */
const LINE = 160;
const WORD = 60;
const WORDS = 24;

export function shapeOf(value: unknown): Shape {
  if (value === HIDDEN) return 'secret';
  if (typeof value === 'string') return value.length > LINE || value.includes('\n') ? 'block' : 'line';
  if (typeof value !== 'object' || value === null) return 'line';
  if (!Array.isArray(value)) return 'block';
  const short = value.every((one) => typeof one === 'string' && one.length <= WORD && !one.includes('\n'));
  return short && value.length <= WORDS && !value.includes(HIDDEN) ? 'list' : 'block';
}

/** Texts as they are, everything else as JSON. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value, null, 2);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Puts the mark at a JSON pointer (RFC 6901); a name that means something to objects of this language is a name all the same. */
function mark(body: unknown, pointer: string): unknown {
  const [, ...names] = pointer.split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop();
  if (last === undefined) return HIDDEN;
  const put = (at: object, name: string, value: unknown) =>
    Object.defineProperty(at, name, { value, enumerable: true, configurable: true, writable: true });
  const whole = typeof body === 'object' && body !== null ? body : {};
  let at: object = whole;
  for (const name of names) {
    const next: unknown = Object.getOwnPropertyDescriptor(at, name)?.value;
    if (typeof next !== 'object' || next === null) put(at, name, {});
    at = Object.getOwnPropertyDescriptor(at, name)?.value;
  }
  put(at, last, HIDDEN);
  return whole;
}

/** Short things first, then what is not shown, then what takes room: a long text must not push a field out of sight. */
const ORDER: Record<Shape, number> = { line: 0, list: 0, secret: 1, block: 2 };

export function fieldsOf(request: Pick<ProposalRequest, 'body' | 'secrets'>): Field[] {
  const bare: unknown = structuredClone(request.body ?? null);
  const body = request.secrets.reduce(mark, bare);
  if (body === null) return [];
  if (!isRecord(body)) return [{ name: null, value: body, shape: shapeOf(body) }];
  return Object.entries(body)
    .map(([name, value]) => ({ name, value, shape: shapeOf(value) }))
    .sort((a, b) => ORDER[a.shape] - ORDER[b.shape]);
}

export interface Run {
  text: string;
  /** A character that is not seen, or turns the direction of what follows: it is shown by its number. */
  unseen?: true;
}

/** Fillers of Hangul look like nothing, too. Joiners stay: scripts and pictures are written with them. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;
const SEEN = new Set(['\n', '\t', '\u200c', '\u200d']);

/** What one approves must look like what it is, whatever characters are in it. */
export function runs(text: string): Run[] {
  const found: Run[] = [];
  let from = 0;
  for (const { 0: one, index } of text.matchAll(UNSEEN)) {
    if (SEEN.has(one) || (one === '\r' && text[index + 1] === '\n')) continue;
    if (index > from) found.push({ text: text.slice(from, index) });
    const number = one.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    found.push({ text: `U+${number}`, unseen: true });
    from = index + one.length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}
