// Incidents: what is broken now, or was; and the checks that look for it.
import './incidents.css';
import { Anchor, Button, Group, SegmentedControl, Text } from '@mantine/core';
import { IconActivityHeartbeat, IconCircleCheck, IconEyeOff } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { brokenQuery, checksQuery, FOUND_AGAIN, mendedQuery } from '../api/queries';
import type { IncidentView } from '../api/types';
import { can, useMe } from '../app/session';
import { type Names, useNames } from '../evidence/words';
import { t } from '../strings';
import { Empty, Loaded, PageBody, Time } from '../ui/bits';
import { sentence } from '../ui/format';
import { Checks } from './Checks';
import { Acknowledge, AcknowledgeButton } from './dialogs';
import { standing, worstFirst } from './standing';
import { About, Since, State, Told, title, useOthers } from './words';

const TABS = ['open', 'resolved'] as const;

export default function IncidentsPage() {
  const me = useMe();
  const names = useNames();
  const [params, setParams] = useSearchParams();
  const tab = TABS.find((one) => one === params.get('tab')) ?? 'open';
  const looks = can(me, 'check.view');
  const open = useQuery({ ...brokenQuery, enabled: tab === 'open', refetchInterval: FOUND_AGAIN });
  const over = useInfiniteQuery({ ...mendedQuery, enabled: tab === 'resolved' });
  // Kept here: a row goes when its incident ends, and what somebody writes must not go with it.
  const [answered, setAnswered] = useState<IncidentView | undefined>();
  const query =
    tab === 'open'
      ? { ...open, data: open.data && worstFirst(open.data) }
      : { ...over, data: over.data?.pages.flatMap((page) => page.items) };
  const more = tab === 'resolved' && over.hasNextPage;
  return (
    <PageBody title={t('nav.incidents')} intro={t('incident.intro')}>
      <div className="incident-filters">
        <SegmentedControl
          aria-label={t('incident.which')}
          value={tab}
          onChange={(value) => setParams(value === 'open' ? {} : { tab: value }, { replace: true })}
          data={TABS.map((value) => ({ value, label: t(`incident.tab.${value}`) }))}
        />
      </div>
      <Loaded query={query}>
        {(list) =>
          list.length > 0 ? (
            <ul className="rows">
              {list.map((one) => (
                <li key={one.id} className="incident">
                  <Row incident={one} names={names} onAnswer={() => setAnswered(one)} />
                </li>
              ))}
            </ul>
          ) : (
            // A page may be empty of what this reader may see, and older ones not.
            !more && <div className="card">{tab === 'open' ? <Well looks={looks} /> : <NoneOver />}</div>
          )
        }
      </Loaded>
      {more && (
        <Group justify="center" mt="md">
          <Button
            variant="default"
            loading={over.isFetchingNextPage}
            onClick={() => void over.fetchNextPage()}
          >
            {t('incident.older')}
          </Button>
        </Group>
      )}
      {looks && <Checks />}
      {answered && <Acknowledge incident={answered} onClose={() => setAnswered(undefined)} />}
    </PageBody>
  );
}

function Row(props: { incident: IncidentView; names: Names; onAnswer: () => void }) {
  const { incident, names } = props;
  const others = useOthers(incident);
  return (
    <>
      <div className="incident-head">
        <div className="row-main">
          <div className="incident-title">
            <Anchor
              component={Link}
              to={`/incidents/${incident.id}`}
              c="var(--mantine-color-text)"
              fw={600}
              className="incident-words"
            >
              {title(incident)}
            </Anchor>
            <State of={incident} />
          </div>
          <Text size="sm" c="dimmed" component="div">
            <About incident={incident} names={names} />
            {others && ` · ${others}`}
            {' · '}
            <Since incident={incident} />
          </Text>
        </div>
        <AcknowledgeButton incident={incident} onClick={props.onAnswer} />
      </div>
      <Text size="sm" className="incident-words">
        {sentence(incident.finding)}
      </Text>
      <Told incident={incident} />
    </>
  );
}

/** Nothing is open. That all is well is said only when all was looked at. */
function Well({ looks }: { looks: boolean }) {
  const checks = useQuery({ ...checksQuery, enabled: looks }).data;
  if (!looks || !checks) {
    return (
      <Empty icon={<Good />} title={t('incident.none')} hint={looks ? undefined : t('incident.none.hint')} />
    );
  }
  const { word, since } = standing(checks);
  if (word === 'blind') {
    return (
      <Empty
        icon={<IconEyeOff size={36} stroke={1.4} aria-hidden />}
        title={t('incident.none.blind')}
        hint={t('incident.none.blind.hint')}
      />
    );
  }
  if (word === 'waiting') {
    return (
      <Empty
        icon={<IconActivityHeartbeat size={36} stroke={1.4} aria-hidden />}
        title={t('incident.none.waiting')}
        hint={t('incident.none.waiting.hint')}
      />
    );
  }
  return (
    <Empty
      icon={<Good />}
      title={t('incident.none')}
      hint={
        <>
          {t('incident.none.looked')} <Time at={since} />
        </>
      }
    />
  );
}

function Good() {
  return <IconCircleCheck size={36} stroke={1.4} color="var(--good)" aria-hidden />;
}

function NoneOver() {
  return (
    <Empty
      icon={<IconActivityHeartbeat size={36} stroke={1.4} aria-hidden />}
      title={t('incident.none.resolved')}
      hint={t('incident.none.resolved.hint')}
    />
  );
}
