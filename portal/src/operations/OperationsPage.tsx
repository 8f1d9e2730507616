// Operations: what is under way, with what is stuck above it, then what was.
import './operations.css';
import { Button, Group, SegmentedControl, Text } from '@mantine/core';
import { IconChevronRight, IconRoute } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { operationsQuery, stuckQuery, underWayQuery } from '../api/queries';
import type { OperationView } from '../api/types';
import { can, useMe } from '../app/session';
import { type Names, useNames } from '../evidence/words';
import { t } from '../strings';
import { Empty, Loaded, PageBody, Time } from '../ui/bits';
import { duration, sentence } from '../ui/format';
import { current, tookInAll } from './progress';
import { Bar, State, useNow, what, where, why } from './words';

const TABS = ['open', 'stuck', 'all'] as const;
type Tab = (typeof TABS)[number];

export default function OperationsPage() {
  const me = useMe();
  const names = useNames();
  const [params, setParams] = useSearchParams();
  const tab = TABS.find((one) => one === params.get('tab')) ?? 'open';
  // Who sees only their own is not asked whose.
  const everybody = can(me, 'operation.list');
  const mine = everybody && params.has('mine');
  const stuck = useQuery({ ...stuckQuery(mine), enabled: tab !== 'all' });
  const underWay = useQuery({ ...underWayQuery(mine), enabled: tab === 'open' });
  const all = useInfiniteQuery({ ...operationsQuery(mine), enabled: tab === 'all' });
  const change = (name: string, value: string | undefined) =>
    setParams(
      (now) => {
        if (value === undefined) now.delete(name);
        else now.set(name, value);
        return now;
      },
      { replace: true },
    );
  const query =
    tab === 'stuck'
      ? stuck
      : tab === 'all'
        ? { ...all, data: all.data?.pages.flatMap((page) => page.items) }
        : both(stuck, underWay);
  const more = tab === 'all' && all.hasNextPage;
  return (
    <PageBody title={t('nav.operations')} intro={t('operation.intro')}>
      <div className="operation-filters">
        <SegmentedControl
          aria-label={t('operation.which')}
          value={tab}
          onChange={(value) => change('tab', value === 'open' ? undefined : value)}
          data={TABS.map((value) => ({ value, label: t(`operation.tab.${value}`) }))}
        />
        {everybody && (
          <SegmentedControl
            aria-label={t('operation.whose')}
            value={mine ? 'mine' : 'all'}
            onChange={(value) => change('mine', value === 'mine' ? '' : undefined)}
            data={[
              { value: 'all', label: t('operation.all') },
              { value: 'mine', label: t('operation.mine') },
            ]}
          />
        )}
      </div>
      <Loaded query={query}>
        {(list) =>
          list.length > 0 ? (
            <ul className="rows">
              {list.map((one) => (
                <li key={one.id}>
                  <Row operation={one} names={names} me={me?.id} />
                </li>
              ))}
            </ul>
          ) : (
            // A page may be empty of what this reader may see, and older ones not.
            !more && <None tab={tab} />
          )
        }
      </Loaded>
      {more && (
        <Group justify="center" mt="md">
          <Button variant="default" loading={all.isFetchingNextPage} onClick={() => void all.fetchNextPage()}>
            {t('operation.older')}
          </Button>
        </Group>
      )}
    </PageBody>
  );
}

interface Asked {
  data: OperationView[] | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

/** One list of two answers; what is stuck stands first. */
function both(stuck: Asked, underWay: Asked): Asked {
  const seen = new Set(stuck.data?.map((one) => one.id));
  return {
    data: stuck.data && underWay.data && [...stuck.data, ...underWay.data.filter((one) => !seen.has(one.id))],
    error: stuck.error ?? underWay.error,
    isPending: stuck.isPending || underWay.isPending,
    refetch: () => Promise.all([stuck.refetch(), underWay.refetch()]),
  };
}

function None({ tab }: { tab: Tab }) {
  return (
    <div className="card">
      <Empty
        icon={<IconRoute size={36} stroke={1.4} aria-hidden />}
        title={t(`operation.none.${tab}`)}
        hint={t(tab === 'stuck' ? 'operation.none.stuck.hint' : 'operation.none.hint')}
      />
    </div>
  );
}

function Row(props: { operation: OperationView; names: Names; me: string | undefined }) {
  const { operation, names, me } = props;
  const { state, by } = operation;
  const now = useNow(state === 'running' || state === 'undoing');
  const time = tookInAll(operation, now);
  const place = where(operation);
  const reason =
    state === 'stuck'
      ? operation.steps[current(operation)]?.error
      : state === 'undone' || state === 'undoing'
        ? why(operation)
        : undefined;
  return (
    <Link className="row row-link operation-row" to={`/operations/${operation.id}`}>
      <div className="row-main">
        <div className="operation-head">
          <Text fw={600} component="span" className="operation-what">
            {what(operation, names)}
          </Text>
          <State of={state} />
        </div>
        <Text size="sm" c="dimmed" className="operation-line">
          {by && `${by.id === me ? t('operation.byYou') : by.username} · `}
          <Time at={operation.created_at} />
          {place && ` · ${place}`}
        </Text>
        {reason && (
          <Text size="sm" className="operation-line">
            {sentence(reason)}
          </Text>
        )}
      </div>
      <div className="operation-far">
        <Bar steps={operation.steps} />
        {time !== undefined && state !== 'stuck' && (
          <Text span size="sm" c="dimmed">
            {duration(time)}
          </Text>
        )}
      </div>
      <IconChevronRight size={18} aria-hidden className="operation-go" />
    </Link>
  );
}
