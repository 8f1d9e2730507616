// What the pages of incidents say in the same way: what was found, about what, and what was and is done about it.
import { Anchor } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Fragment, type ReactNode } from 'react';
import { Link } from 'react-router';
import { stuckQuery, webhooksQuery } from '../api/queries';
import type { IncidentView } from '../api/types';
import { can, useMe } from '../app/session';
import type { Names } from '../evidence/words';
import { what as whatOperation } from '../operations/words';
import { t, tn, tWord } from '../strings';
import { Time } from '../ui/bits';
import { duration, sentence, short } from '../ui/format';
import { lasted } from './standing';

/** “An agent does not come up”; a check that there are no words for is called what the server calls it. */
export const title = (incident: Pick<IncidentView, 'check'>) => tWord('broken', incident.check);

const LOOKS = {
  failed: { tone: 'failed', Icon: IconCircleX },
  attention: { tone: 'attention', Icon: IconAlertTriangle },
  good: { tone: 'good', Icon: IconCircleCheck },
} as const;

export function State({ of }: { of: Pick<IncidentView, 'state' | 'severity'> }) {
  const over = of.state === 'resolved';
  const { tone, Icon } = LOOKS[over ? 'good' : of.severity];
  return (
    <span className="state" data-tone={tone}>
      <Icon size={16} aria-hidden />
      {t(over ? 'incident.state.resolved' : `incident.severity.${of.severity}`)}
    </span>
  );
}

/** Where more about it is to be seen. */
function pageOf(kind: string, id: string, may: (action: string) => boolean): string | undefined {
  if (kind === 'instance') return `/instances/${id}`;
  if (kind === 'operation') return `/operations/${id}`;
  if (kind === 'webhook' && may('webhook.view')) return `/settings/webhooks/${id}`;
  if (kind === 'evidence' && may('evidence.view')) return '/evidence';
  if (kind === 'witness' && may('witness.view')) return '/evidence?witnesses';
  return undefined;
}

/** Of which there is but one: its id says nothing. */
const ALONE = ['evidence', 'job'];

/** What it is about, by its name where whoever reads may know it, and the way there. */
export function About({ incident, names }: { incident: IncidentView; names: Names }) {
  const me = useMe();
  const { resource_kind: kind, resource_id: id } = incident;
  const may = (action: string) => can(me, action);
  // The frame has asked for these already.
  const stuck = useQuery({ ...stuckQuery(false), enabled: kind === 'operation' }).data;
  const hooks = useQuery({
    ...webhooksQuery,
    enabled: kind === 'webhook' && may('webhook.view'),
    refetchInterval: false,
  }).data;
  const operation = stuck?.find((one) => one.id === id);
  const name =
    (operation && whatOperation(operation, names)) ??
    hooks?.find((one) => one.id === id)?.name ??
    names.get(id) ??
    [tWord('kind', kind), id && !ALONE.includes(kind) ? short(id) : ''].join(' ').trim();
  const to = pageOf(kind, id, may);
  return to ? (
    <Anchor component={Link} to={to} size="sm" underline="always" className="incident-words">
      {name}
    </Anchor>
  ) : (
    <span>{name}</span>
  );
}

/** Whose it is, where that is not the reader. */
export function useOthers(incident: IncidentView): string | undefined {
  const me = useMe();
  return incident.owner && incident.owner.id !== me?.id ? incident.owner.username : undefined;
}

/** “found 12 min ago”, “ended 3 hr ago, after 7m”. */
export function Since({ incident }: { incident: IncidentView }) {
  const time = lasted(incident);
  return time === undefined ? (
    <>
      {t('incident.found')} <Time at={incident.opened_at} />
    </>
  ) : (
    <>
      {t('incident.ended')} <Time at={incident.resolved_at} />,{' '}
      {t('incident.lasted', { time: duration(time) })}
    </>
  );
}

/** What to do, what was done at once, and who looks after it; nothing where there is nothing to tell. */
export function Told({ incident }: { incident: IncidentView }) {
  const me = useMe();
  const { state, remedy, patch, attempts, acknowledged_by: by, acknowledged_at: at, note } = incident;
  const lines: [string, ReactNode][] = [];
  if (remedy && state === 'open') lines.push([t('incident.remedy'), sentence(remedy)]);
  if (patch) {
    const times = attempts > 1 ? ` ${tn('incident.patch.times', attempts)}` : '';
    lines.push([t('incident.patch'), sentence(patch) + times]);
  }
  // Of somebody who is deleted only that there was one is left.
  if (at) {
    lines.push([
      t('incident.by'),
      <>
        {by ? (by.id === me?.id ? t('incident.byYou') : by.username) : t('incident.bySomebody')}
        {' · '}
        <Time at={at} />
        {note && <span className="incident-note">{note}</span>}
      </>,
    ]);
  }
  if (lines.length === 0) return null;
  return (
    <dl className="facts incident-told">
      {lines.map(([label, words]) => (
        <Fragment key={label}>
          <dt>{label}</dt>
          <dd>{words}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
