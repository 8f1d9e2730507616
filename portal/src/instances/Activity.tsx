// What somebody did lately, and what happened to what is theirs. It grows as things happen.
import { Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useRecent } from '../api/happenings';
import { activityQuery } from '../api/queries';
import type { EvidenceView, InstanceView, Me } from '../api/types';
import { can } from '../app/session';
import { type Names, OutcomeIcon, onWhat, who } from '../evidence/words';
import { t, tWord } from '../strings';
import { Section, Time } from '../ui/bits';

const MOST_SHOWN = 8;

/** For those who read the whole log: whether an entry is about them. Others are told of nothing else. */
function concerns(entry: EvidenceView, me: Me, own: readonly InstanceView[]): boolean {
  return (
    entry.actor_id === me.id ||
    entry.resource_id === me.id ||
    (entry.resource_kind === 'instance' && own.some((one) => one.id === entry.resource_id))
  );
}

export function Activity({ me, own }: { me: Me; own: readonly InstanceView[] }) {
  const names: Names = new Map(own.map((one) => [one.id, one.name]));
  const all = can(me, 'evidence.view');
  const live = useRecent();
  const earlier = useQuery({ ...activityQuery(me.id), enabled: all }).data ?? [];
  const known = new Set(live.map((one) => one.seq));
  const shown = [...live, ...earlier.filter((one) => !known.has(one.seq))]
    // Its own page tells them, and they would push out everything else.
    .filter((one) => one.action !== 'operation.step')
    .filter((one) => !all || concerns(one, me, own))
    .sort((a, b) => b.seq - a.seq)
    .slice(0, MOST_SHOWN);
  return (
    <Section
      title={t('activity.title')}
      intro={t('activity.intro')}
      action={
        all && (
          <Button component={Link} to={`/evidence?actor=${me.id}`} variant="subtle" size="compact-sm" mr={-8}>
            {t('activity.all')}
          </Button>
        )
      }
    >
      {shown.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('activity.none')}
        </Text>
      ) : (
        <ul className="activity">
          {shown.map((entry) => (
            <li key={entry.seq}>
              <OutcomeIcon outcome={entry.outcome} />
              <span className="row-main">{words(entry, names)}</span>
              <Text span size="sm" c="dimmed" className="activity-by">
                {entry.actor_id !== me.id && entry.actor_kind !== 'system' && `${who(entry, names)} · `}
                <Time at={entry.at} />
              </Text>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** A line that stands without its columns: “Start agent · Ada”, “Ada: ready”, “Sign in · refused”. */
function words(entry: EvidenceView, names: Names): string {
  const { name, kind } = onWhat(entry, names);
  const outcome = tWord('outcome', entry.outcome);
  if (entry.action === 'instance.seen') return `${name ?? kind}: ${outcome}`;
  const parts = [tWord('action', entry.action), name, entry.outcome === 'done' ? undefined : outcome];
  return parts.filter((part) => part !== undefined).join(' · ');
}
