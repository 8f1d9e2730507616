// Changing the language redraws everything once; nothing on the screen has to listen for it.
import { useSyncExternalStore } from 'react';
import { api } from '../api/client';
import type { Me } from '../api/types';
import { isChosen, type Locale, loadCatalogue, locale, nearest, remember } from '../strings';

const listeners = new Set<() => void>();

async function redraw(to: Locale): Promise<void> {
  if (to === locale()) return;
  await loadCatalogue(to);
  for (const listener of listeners) listener();
}

/** What somebody chose: kept in this browser, and in their account when they are signed in. */
export async function changeLocale(to: Locale, me?: Me): Promise<void> {
  remember(to);
  if (me) void api.patch('/api/v1/me', { locale: to }).catch(() => {});
  await redraw(to);
}

/** The language of the account, in a browser where nobody chose another one. */
export function followAccount(me: Me): void {
  if (me.locale && !isChosen()) void redraw(nearest([me.locale, ...navigator.languages])).catch(() => {});
}

export function useLocale(): Locale {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, locale);
}
