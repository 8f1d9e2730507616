// Every word on the screen, in the language of whoever reads. Only that language is loaded, room by room (`rooms.ts`).
import type { ProviderFault } from '../api/types';
import { type Key, ROOMS, type Room } from './rooms';

export type { Key, Room };

type Params = Record<string, string | number>;
/** What provider faults are called, by their code. */
type Faults = Record<string, { message: string; remedy: string }>;

export const LOCALES = { en: 'English', de: 'Deutsch' } as const;
export type Locale = keyof typeof LOCALES;

const STORED = 'fractal.locale';

let catalogue: Partial<Record<Key, string>> = {};
let faults: Faults = {};
let current: Locale = 'en';
/** Rooms that somebody came by; another language has to have them too. */
const entered = new Set<Room>(['first']);

/** The nearest language we speak to a list of BCP 47 tags. */
export function nearest(tags: readonly (string | null | undefined)[]): Locale {
  for (const tag of tags) {
    const base = tag?.toLowerCase().split('-')[0];
    if (base && base in LOCALES) return base as Locale;
  }
  return 'en';
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    // Storage may be blocked: the browser's languages decide.
    return null;
  }
}

export function wantedLocale(): Locale {
  return nearest([stored(), ...navigator.languages]);
}

/** Whether somebody chose a language in this browser. */
export function isChosen(): boolean {
  return stored() !== null;
}

async function words(of: Locale, rooms: Iterable<Room>): Promise<Partial<Record<Key, string>>> {
  const modules = await Promise.all([...rooms].map((room) => ROOMS[room][of]()));
  return Object.assign({}, ...modules.flatMap((nouns) => Object.values(nouns)));
}

/** Has the words of these rooms ready. A page is drawn only after its own. */
export async function enter(...rooms: Room[]): Promise<void> {
  for (const room of rooms) entered.add(room);
  const of = current;
  const loaded = await words(of, rooms);
  // Meanwhile the language may have changed: then these are no more the right ones.
  if (of === current) Object.assign(catalogue, loaded);
  else await enter(...rooms);
}

/** Has another language ready, in all rooms at once, so that no page speaks two. */
export async function loadCatalogue(to: Locale): Promise<void> {
  const told: Faults = to === 'de' ? (await import('./de/faults')).faults : {};
  let rooms: Set<Room>;
  let loaded: typeof catalogue;
  do {
    rooms = new Set(entered);
    loaded = await words(to, rooms);
  } while (rooms.size < entered.size);
  [catalogue, faults, current] = [loaded, told, to];
  document.documentElement.lang = to;
}

export function remember(locale: Locale): void {
  try {
    localStorage.setItem(STORED, locale);
  } catch {
    // Then the choice holds until the next load.
  }
}

export function locale(): Locale {
  return current;
}

function fill(text: string, params?: Params): string {
  if (!params) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? value.toLocaleString(current) : value;
  });
}

/** A key whose room was not entered shows itself, and fails the browser tests. */
function say(key: Key): string {
  const text = catalogue[key];
  if (text === undefined) console.error(`no words for ${key}`);
  return text ?? key;
}

export function t(key: Key, params?: Params): string {
  return fill(say(key), params);
}

/** A text with a singular and a plural form, separated by ` | `. */
export function tn(key: Key, n: number, params?: Params): string {
  const [one = '', other = one] = say(key).split(' | ');
  const form = new Intl.PluralRules(current).select(n) === 'one' ? one : other;
  return fill(form, { n, ...params });
}

/** Looks up a key made from a word of the server; the word itself when there is none. */
export function tWord(prefix: string, word: string): string {
  const key = `${prefix}.${word}`;
  return has(key) ? t(key) : word;
}

/** A provider's fault: the server's English words with the details of the case, else what its code means. */
export function faultWords(fault: ProviderFault): { message: string; remedy: string } {
  return faults[fault.code] ?? fault;
}

export function has(key: string): key is Key {
  return key in catalogue;
}
