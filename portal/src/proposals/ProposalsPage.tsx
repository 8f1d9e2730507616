// Changes that wait for approval, or waited: what waits for whoever reads first, then the others.
import './proposals.css';
import { Button, Group, SegmentedControl, Text } from '@mantine/core';
import { IconChevronRight, IconInbox, IconLock } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { awaitingQuery, proposalsQuery } from '../api/queries';
import type { ProposalView } from '../api/types';
import { useMe } from '../app/session';
import { t } from '../strings';
import { Empty, Loaded, PageBody, Time } from '../ui/bits';
import { sentence } from '../ui/format';
import { needs, State, what } from './words';

const TABS = ['waiting', 'mine', 'all'] as const;
type Tab = (typeof TABS)[number];

export default function ProposalsPage() {
  const me = useMe();
  const [params, setParams] = useSearchParams();
  const tab = TABS.find((one) => one === params.get('tab')) ?? 'waiting';
  const awaiting = useQuery(awaitingQuery);
  const others = useInfiniteQuery({ ...proposalsQuery(tab === 'mine'), enabled: tab !== 'waiting' });
  const more = tab !== 'waiting' && others.hasNextPage;
  const query =
    tab === 'waiting' ? awaiting : { ...others, data: others.data?.pages.flatMap((page) => page.items) };
  return (
    <PageBody title={t('nav.proposals')} intro={t('proposal.intro')}>
      <SegmentedControl
        mb="md"
        className="proposals-filter"
        aria-label={t('proposal.which')}
        value={tab}
        onChange={(value) => setParams(value === 'waiting' ? {} : { tab: value }, { replace: true })}
        data={TABS.map((value) => ({ value, label: t(`proposal.tab.${value}`) }))}
      />
      <Loaded query={query}>
        {(list) =>
          list.length > 0 ? (
            <ul className="rows">
              {list.map((one) => (
                <li key={one.id}>
                  <Row proposal={one} mine={one.requester.id === me?.id} />
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
          <Button
            variant="default"
            loading={others.isFetchingNextPage}
            onClick={() => void others.fetchNextPage()}
          >
            {t('proposal.older')}
          </Button>
        </Group>
      )}
    </PageBody>
  );
}

function None({ tab }: { tab: Tab }) {
  return (
    <div className="card">
      <Empty
        icon={<IconInbox size={36} stroke={1.4} aria-hidden />}
        title={t(`proposal.none.${tab}`)}
        hint={t(tab === 'waiting' ? 'proposal.none.waiting.hint' : 'proposal.none.hint')}
      />
    </div>
  );
}

function Row({ proposal, mine }: { proposal: ProposalView; mine: boolean }) {
  const { state } = proposal;
  return (
    <Link className="row row-link" to={`/proposals/${proposal.id}`}>
      <div className="row-main">
        <div className="proposal-head">
          <Text fw={600} component="span" className="proposal-what">
            {what(proposal)}
          </Text>
          <State of={state} />
        </div>
        <Text size="sm" c="dimmed" className="proposal-line">
          {mine ? t('proposal.byYou') : proposal.requester.username} · <Time at={proposal.created_at} />
          {` · ${t('proposal.needs', { needs: needs(proposal.demands) })}`}
          {proposal.private && (
            <>
              {' · '}
              <span className="proposal-private">
                <IconLock size={14} aria-hidden /> {t('proposal.private')}
              </span>
            </>
          )}
        </Text>
        {(state === 'failed' || state === 'rejected') && proposal.reason && (
          <Text size="sm" className="proposal-why">
            {sentence(proposal.reason)}
          </Text>
        )}
      </div>
      <IconChevronRight size={18} aria-hidden className="proposal-go" />
    </Link>
  );
}
