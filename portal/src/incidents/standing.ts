// In which order incidents stand, and how it stands in all. Without a word, so that it can be tested.
import type { CheckView, IncidentView, Severity } from '../api/types';

const WEIGHT: Record<Severity, number> = { failed: 0, attention: 1, good: 2 };

/** What does not work first, then what is new. */
export function worstFirst(list: readonly IncidentView[]): IncidentView[] {
  return [...list].sort(
    (a, b) => WEIGHT[a.severity] - WEIGHT[b.severity] || b.opened_at.localeCompare(a.opened_at),
  );
}

type Looks = Pick<CheckView, 'looked_at' | 'error'>;

export const isBlind = (check: Looks) => !!check.error;

/**
 * Whether “nothing was found” means that all is well: not where a check could not look, nor where one has not looked yet. `since` is
 * when the one looked that has not for longest: everything was looked at since.
 */
export function standing(checks: readonly Looks[]): { word: 'well' | 'blind' | 'waiting'; since?: string } {
  if (checks.some(isBlind)) return { word: 'blind' };
  const times = checks.map((one) => one.looked_at ?? '').sort();
  return times[0] ? { word: 'well', since: times[0] } : { word: 'waiting' };
}

/** From the finding to the end, in milliseconds; clocks differ, and nothing took less than no time. */
export function lasted({
  opened_at: from,
  resolved_at: to,
}: Pick<IncidentView, 'opened_at' | 'resolved_at'>) {
  return to ? Math.max(0, Date.parse(to) - Date.parse(from)) : undefined;
}
