// Which entries are wanted: in the address as people read it (days of theirs), for the server in moments.
import type { EvidenceView } from '../api/types';

export const FIELDS = ['actor', 'action', 'resource_id', 'outcome', 'from', 'to'] as const;
export type Field = (typeof FIELDS)[number];
export type Filter = Partial<Record<Field, string>>;

/** The filter of an address; what makes no sense there is passed over. */
export function filterOf(params: URLSearchParams): Filter {
  const filter: Filter = {};
  for (const field of FIELDS) {
    const value = params.get(field)?.trim();
    if (!value || ((field === 'from' || field === 'to') && !beginning(value, 0))) continue;
    filter[field] = value;
  }
  return filter;
}

/** The same as the server wants it: from the beginning of the first day to the end of the last. */
export function queryOf(filter: Filter): Record<string, string> {
  const { from, to, ...rest } = filter;
  const query: Record<string, string> = { ...rest };
  const [first, last] = [from && beginning(from, 0), to && beginning(to, 1)];
  if (first) query.from = first.toISOString();
  if (last) query.to = last.toISOString();
  return query;
}

/** Whether the server would have sent this entry for such a query. */
export function matches(query: Record<string, string>, entry: EvidenceView): boolean {
  const { actor, action, resource_id, outcome, from, to } = query;
  const at = Date.parse(entry.at);
  return (
    (!actor || (actor === 'system' ? entry.actor_kind === 'system' : entry.actor_id === actor)) &&
    (!action || (action.endsWith('.') ? entry.action.startsWith(action) : entry.action === action)) &&
    (!resource_id || entry.resource_id === resource_id) &&
    (!outcome || entry.outcome === outcome) &&
    (!from || at >= Date.parse(from)) &&
    (!to || at < Date.parse(to))
  );
}

/** When a day of the reader's begins, or one some days later; days are not always 24 hours long. */
function beginning(day: string, later: number): Date | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (!parts) return undefined;
  const [, year, month, date] = parts.map(Number);
  const at = new Date(year ?? 0, (month ?? 1) - 1, (date ?? 1) + later);
  return Number.isNaN(at.getTime()) ? undefined : at;
}
