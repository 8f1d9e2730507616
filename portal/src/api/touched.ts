// Which questions an entry of the log makes worth asking again.
import type { EvidenceView } from './types';

type Key = readonly string[];

const LISTS: Record<string, readonly Key[]> = {
  instance: [['instances']],
  provider: [['providers']],
  profile: [['profile']],
  skill_credential: [['skill-credentials']],
  api_token: [['tokens']],
  browser_session: [['browser-sessions']],
  user: [['users']],
  invitation: [['invitations']],
  identity_provider: [['identity-providers'], ['methods']],
  settings: [['settings'], ['assets']],
  engine: [['engines']],
  runtime_asset: [['assets']],
  webhook: [['webhooks']],
  witness: [['witnesses']],
  proposal: [['proposals']],
  operation: [['operations']],
  incident: [['incidents'], ['checks']],
};

/** The keys of `queries.ts` whose answers it may have changed; `me` is who is signed in. */
export function touched(entry: EvidenceView, me: string): readonly Key[] {
  const { action, resource_kind: kind, resource_id: id } = entry;
  const own: Key[] = [];
  // Also what was refused stands there.
  if (kind === 'instance') own.push(['timeline', id]);
  if (entry.outcome === 'refused') return own;
  if (kind === 'instance') own.push(['instance', id]);
  if (kind === 'user' && id === me) own.push(['me']);
  // Rules may also change what this person may do.
  if (action.startsWith('policy.')) own.push(['policy'], ['policy-versions'], ['me']);
  // What was asked for of an agent is done by an operation, and its end lets go of the agent.
  if (action === 'instance.change_engine') own.push(['operations']);
  // A new key is in force at once; what is stored comes to it step by step.
  if (action === 'key.rotate') own.push(['keys'], ['operations']);
  if (kind === 'operation' && entry.values.kind === 'key.rotate') own.push(['keys']);
  if (action === 'operation.settle') own.push(['instances'], ['instance']);
  // An account is made by an invitation that is used up, and takes its agents along when it goes.
  if (action === 'user.create') own.push(['invitations']);
  if (action === 'user.delete') own.push(['instances']);
  return [...(LISTS[kind] ?? []), ...own];
}
