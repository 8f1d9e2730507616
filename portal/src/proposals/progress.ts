// How far the approvals are, and what a change would do otherwise now. Without a word, so that it can be tested.
import type { DryRun, PolicyApproval, ProposalVoteView, Role } from '../api/types';

/** Weakest first: a stronger role counts as a weaker one. */
const RANKS: Role[] = ['member', 'auditor', 'admin', 'owner'];

/** How many of a demand's approvals are there. Who was deleted since does not count. */
export function given(demand: PolicyApproval, votes: readonly ProposalVoteView[]): number {
  const enough = votes.filter(
    (vote) => vote.by && vote.verdict === 'approve' && RANKS.indexOf(vote.role) >= RANKS.indexOf(demand.role),
  );
  return Math.min(enough.length, demand.count);
}

export interface Difference {
  part: 'value' | 'instances' | 'steps';
  /** A value's name. */
  field?: string;
  was: unknown;
  is: unknown;
}

/** As JSON: what comes from the server has its names in order. */
export const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** What came out otherwise, value by value. What is made anew each time is another each time, and tells nothing. */
export function differences(was: DryRun, is: DryRun): Difference[] {
  const fresh = new Set([...(was.fresh ?? []), ...(is.fresh ?? [])]);
  const fields = [...new Set([...Object.keys(was.values), ...Object.keys(is.values)])];
  const found: Difference[] = fields
    .filter((field) => !fresh.has(field) && !same(was.values[field], is.values[field]))
    .map((field) => ({ part: 'value', field, was: was.values[field], is: is.values[field] }));
  if (!same(was.instances, is.instances))
    found.push({ part: 'instances', was: was.instances, is: is.instances });
  const [before, after] = [was.steps ?? [], is.steps ?? []];
  if (!same(before, after)) found.push({ part: 'steps', was: before, is: after });
  return found;
}
