// The catalogue: every word on the screen. English is part of the first load and names the keys; other
// languages are loaded before the first paint when they are wanted.
import type { ProviderFault } from '../api/types';
import { en } from './en';

export type Key = keyof typeof en;
export type Catalogue = Record<Key, string>;
type Params = Record<string, string | number>;
/** What provider faults are called, by their code. */
export type Faults = Record<string, { message: string; remedy: string }>;

export const LOCALES = { en: 'English', de: 'Deutsch' } as const;
export type Locale = keyof typeof LOCALES;

const STORED = 'fractal.locale';
const loaders: Record<Locale, () => Promise<{ catalogue: Catalogue; faults: Faults }>> = {
  en: async () => ({ catalogue: en, faults: {} }),
  de: async () => {
    const [{ de }, { faults }] = await Promise.all([import('./de'), import('./faults.de')]);
    return { catalogue: de, faults };
  },
};

let catalogue: Catalogue = en;
let faults: Faults = {};
let current: Locale = 'en';

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

export async function loadCatalogue(locale: Locale): Promise<void> {
  ({ catalogue, faults } = await loaders[locale]());
  current = locale;
  document.documentElement.lang = locale;
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

export function t(key: Key, params?: Params): string {
  return fill(catalogue[key], params);
}

/** A text with a singular and a plural form, separated by ` | `. */
export function tn(key: Key, n: number, params?: Params): string {
  const [one = '', other = one] = catalogue[key].split(' | ');
  const form = new Intl.PluralRules(current).select(n) === 'one' ? one : other;
  return fill(form, { n, ...params });
}

/** Looks up a key made from a word of the server; the word itself when there is none. */
export function tWord(prefix: string, word: string): string {
  const key = `${prefix}.${word}`;
  return key in catalogue ? catalogue[key as Key] : word;
}

/** A provider's fault: the server's English words with the details of the case, else what its code means. */
export function faultWords(fault: ProviderFault): { message: string; remedy: string } {
  return faults[fault.code] ?? fault;
}

export function has(key: string): key is Key {
  return key in en;
}
