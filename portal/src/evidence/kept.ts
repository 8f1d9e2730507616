// The key and the head that this browser remembers. What is remembered here can only be changed here: a server that tells
// another story later is noticed.
import { useSyncExternalStore } from 'react';
import type { Kept } from './check';

const STORED = 'fractal.evidence';
const listeners = new Set<() => void>();
let text: string | null | undefined;
let parsed: Kept | undefined;

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    // Storage may be blocked: then every look is the first.
    return null;
  }
}

/** What is kept; nothing when it is not in our form. */
export function readKept(): Kept | undefined {
  const now = stored();
  if (now !== text) {
    text = now;
    parsed = keptOf(now);
  }
  return parsed;
}

export function keptOf(json: string | null): Kept | undefined {
  try {
    const kept = JSON.parse(json ?? 'null') as Kept | null;
    if (typeof kept?.key !== 'string' || typeof kept.keySince !== 'string') return undefined;
    const { head } = kept;
    const whole =
      typeof head?.note === 'string' && typeof head.at === 'string' && typeof head.first?.at === 'string';
    return head && !whole ? undefined : kept;
  } catch {
    return undefined;
  }
}

/** Keeps it from now on. */
export function keep(kept: Kept): void {
  try {
    localStorage.setItem(STORED, JSON.stringify(kept));
  } catch {
    // Then it holds for no longer than this look.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}

export function useKept(): Kept | undefined {
  return useSyncExternalStore(subscribe, readKept);
}
