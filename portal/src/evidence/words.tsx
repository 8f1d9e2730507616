// What an entry says, in words people say: who, on what, and how it ended with icon, word and colour.
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconBan,
  IconCheck,
  IconCircleCheck,
  IconCircleDot,
  IconCircleX,
  IconPlayerSkipForward,
  IconPlugOff,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { instancesQuery, usersQuery } from '../api/queries';
import type { EvidenceView } from '../api/types';
import { can, isAdmin, useMe } from '../app/session';
import { t, tWord } from '../strings';
import { short } from '../ui/format';

/** What the log records, by kind of thing; the order is that of the menu. */
export const ACTIONS = {
  instance: [
    'create',
    'configure',
    'start',
    'stop',
    'restart',
    'change_engine',
    'delete',
    'seen',
    'catch_up',
  ],
  session: ['sign_in', 'sign_out', 'revoke'],
  user: ['create', 'update', 'set_role', 'reset_password', 'erase', 'delete'],
  invitation: ['create', 'revoke'],
  provider: ['create', 'update', 'delete'],
  profile: ['update'],
  skill_credential: ['set', 'delete'],
  token: ['create', 'rotate', 'revoke', 'use'],
  identity_provider: ['create', 'update', 'delete'],
  settings: ['update'],
  policy: ['update', 'reset'],
  proposal: ['create', 'approve', 'reject', 'withdraw', 'settle', 'collect'],
  operation: ['cancel', 'resolve', 'step', 'undo', 'settle'],
  incident: ['open', 'patch', 'acknowledge', 'resolve'],
  webhook: ['create', 'update', 'replay', 'delete', 'dead'],
  witness: ['add', 'remove'],
  evidence: ['expire'],
  engine: ['install'],
  key: ['rotate', 'export'],
  setup: ['claim'],
  model: ['use'],
} as const;

export const OUTCOMES = [
  'done',
  'refused',
  'ready',
  'failed',
  'undone',
  'stuck',
  'crash_looping',
  'unreachable',
  'open',
  'resolved',
] as const;

/** Names for ids: of people and agents, as far as the reader may list them. */
export type Names = ReadonlyMap<string, string>;

export function useNames(): Names {
  const me = useMe();
  const instances = useQuery({ ...instancesQuery(isAdmin(me)), enabled: me !== undefined }).data ?? [];
  const users = useQuery({ ...usersQuery, enabled: can(me, 'user.list') }).data ?? [];
  const names = new Map<string, string>();
  for (const one of instances) names.set(one.id, one.name);
  for (const one of users) names.set(one.id, one.username);
  if (me) names.set(me.id, me.username);
  return names;
}

type Actor = Pick<EvidenceView, 'actor_kind' | 'actor_id' | 'actor_name' | 'via'>;

/** Who acted: a person's name, an agent's, or Fractal itself; before a sign-in nobody can say who it was. */
export function who(entry: Actor, names: Names): string {
  if (entry.actor_name) return entry.actor_name;
  if (entry.actor_id === '') {
    if (entry.via === 'console' || entry.via === 'setup_token') return t(`via.${entry.via}`);
    return entry.via === 'internal' ? tWord('actor', entry.actor_kind) : t('actor.unknown');
  }
  return names.get(entry.actor_id) ?? `${tWord('actor', entry.actor_kind)} ${short(entry.actor_id)}`;
}

type Thing = Pick<EvidenceView, 'resource_kind' | 'resource_id' | 'values'>;

/** On what: its name where it is known, else what kind of thing it is. */
export function onWhat(entry: Thing, names: Names): { kind: string; name: string | undefined } {
  const { name, username } = entry.values;
  const told = [names.get(entry.resource_id), name, username].find((one) => typeof one === 'string');
  return { kind: tWord('kind', entry.resource_kind), name: told as string | undefined };
}

const OTHER = { tone: 'quiet', Icon: IconCircleDot };
const ENDS: Record<string, { tone: string; Icon: typeof IconCheck }> = {
  done: { tone: 'good', Icon: IconCheck },
  ready: { tone: 'good', Icon: IconCircleCheck },
  refused: { tone: 'attention', Icon: IconBan },
  unreachable: { tone: 'attention', Icon: IconPlugOff },
  failed: { tone: 'failed', Icon: IconCircleX },
  crash_looping: { tone: 'failed', Icon: IconAlertTriangle },
  stuck: { tone: 'failed', Icon: IconAlertTriangle },
  open: { tone: 'attention', Icon: IconAlertTriangle },
  resolved: { tone: 'good', Icon: IconCircleCheck },
  begun: { tone: 'attention', Icon: IconArrowBackUp },
  undone: { tone: 'quiet', Icon: IconArrowBackUp },
  skipped: { tone: 'quiet', Icon: IconPlayerSkipForward },
};

export function Outcome({ outcome }: { outcome: string }) {
  const { tone, Icon } = ENDS[outcome] ?? OTHER;
  return (
    <span className="state" data-tone={tone}>
      <Icon size={16} aria-hidden />
      <span className="capital">{tWord('outcome', outcome)}</span>
    </span>
  );
}

/** The icon alone, where the word stands beside it. */
export function OutcomeIcon({ outcome }: { outcome: string }) {
  const { tone, Icon } = ENDS[outcome] ?? OTHER;
  return (
    <span className="state" data-tone={tone}>
      <Icon size={16} role="img" aria-label={tWord('outcome', outcome)} />
    </span>
  );
}
