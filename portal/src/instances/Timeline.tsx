// Everything that happened to an instance, newest first, as the evidence log tells it.
import { Anchor, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { timelineQuery } from '../api/queries';
import { useMe } from '../app/session';
import { t, tWord } from '../strings';
import { Empty, Loaded, Time } from '../ui/bits';
import { bytes, exact, short } from '../ui/format';

const FAILED = ['refused', 'failed', 'crash_looping', 'unreachable'];
const GOOD = ['done', 'ready'];

export function Timeline({ id }: { id: string }) {
  const query = useQuery(timelineQuery(id));
  const me = useMe();
  return (
    <Loaded query={query} rows={5}>
      {(entries) =>
        entries.length === 0 ? (
          <Empty title={t('timeline.none')} />
        ) : (
          <ol className="timeline">
            {entries.map((entry) => (
              <li
                key={entry.id}
                data-tone={
                  FAILED.includes(entry.outcome)
                    ? 'failed'
                    : GOOD.includes(entry.outcome)
                      ? 'good'
                      : undefined
                }
              >
                <Text size="sm" fw={600}>
                  {tWord('action', entry.action)}
                  <Text span fw={400} c="dimmed">
                    {' '}
                    · {tWord('outcome', entry.outcome)}
                  </Text>
                </Text>
                <Text size="sm" c="dimmed">
                  <Time at={entry.at} /> · {exact(entry.at)} ·{' '}
                  <span title={entry.actor}>{actor(entry.actor, me?.id)}</span>
                </Text>
                {details(entry.detail).map(({ field, value }) => (
                  <Text size="sm" key={field}>
                    <Text span c="dimmed">
                      {tWord('detail', field).replaceAll('_', ' ')}:
                    </Text>{' '}
                    {field === 'operation' ? (
                      <Anchor component={Link} to={`/operations/${value}`} size="sm" title={value}>
                        {short(value)}
                      </Anchor>
                    ) : (
                      value
                    )}
                  </Text>
                ))}
              </li>
            ))}
          </ol>
        )
      }
    </Loaded>
  );
}

/** `user_01h…` becomes "You" or a kind in words and a short id; what Fractal does by itself has no id. */
function actor(text: string, me: string | undefined): string {
  if (text === me) return t('chat.you');
  const kind = text.startsWith('user_') ? 'user' : text.startsWith('inst_') ? 'instance' : text;
  return kind === text ? tWord('actor', kind) : `${tWord('actor', kind)} ${short(text)}`;
}

function details(detail: unknown): { field: string; value: string }[] {
  if (detail === null || typeof detail !== 'object') return [];
  return Object.entries(detail)
    .filter(
      ([field, value]) =>
        !/(^|_)id$/.test(field) && value !== '' && value !== null && typeof value !== 'object',
    )
    .map(([field, value]) => ({
      field,
      value: ['from', 'wanted', 'disk_pressure'].includes(field)
        ? tWord('outcome', String(value))
        : field.endsWith('_bytes') && typeof value === 'number'
          ? bytes(value)
          : String(value),
    }));
}
