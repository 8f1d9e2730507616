// One proposal: what is wanted and by whom, what it would do, who agreed so far, and what whoever reads may do about it.
import './proposals.css';
import { Alert, Anchor, Button, Group, Skeleton, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconArrowLeft,
  IconBan,
  IconCheck,
  IconDownload,
  IconInfoCircle,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { api } from '../api/client';
import { asProblem } from '../api/problem';
import { proposalQuery, queryClient } from '../api/queries';
import type { ProposalAnswer, ProposalView } from '../api/types';
import { can, useMe } from '../app/session';
import { t } from '../strings';
import { Id, ProblemAlert, Time } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { exact, sentence } from '../ui/format';
import { Approvals } from './Approvals';
import { Asked } from './Asked';
import { Answer, type Verdict, Verdicts } from './dialogs';
import { Would } from './Would';
import { State, what } from './words';

export default function ProposalPage() {
  const { id = '' } = useParams();
  const query = useQuery(proposalQuery(id));
  const proposal = query.data;
  useDocumentTitle(`${proposal ? what(proposal) : t('nav.proposals')} · Fractal`);
  return (
    <div className="page">
      <Button
        component={Link}
        to="/proposals"
        variant="subtle"
        color="gray"
        size="compact-sm"
        ml={-8}
        mb="xs"
        leftSection={<IconArrowLeft size={16} />}
      >
        {t('nav.proposals')}
      </Button>
      {proposal ? (
        <Body key={id} proposal={proposal} />
      ) : query.error ? (
        <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton height={320} animate={false} aria-label={t('common.loading')} />
      )}
    </div>
  );
}

function Body({ proposal }: { proposal: ProposalView }) {
  const me = useMe();
  const { requester, state } = proposal;
  const [saying, setSaying] = useState<{ verdict: Verdict; proposal: ProposalView } | undefined>();
  const [withdrawing, setWithdrawing] = useState(false);
  const [overtaken, setOvertaken] = useState<unknown>(null);
  const [answer, setAnswer] = useState<ProposalAnswer['answer'] | undefined>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const path = `/api/v1/proposals/${proposal.id}`;
  const key = proposalQuery(proposal.id).queryKey;

  const refresh = () => queryClient.invalidateQueries({ queryKey: ['proposals'] });
  const took = (view: ProposalView) => {
    queryClient.setQueryData(key, view);
    void refresh();
  };
  const say = (verdict: Verdict) => {
    setOvertaken(null);
    setSaying({ verdict, proposal });
  };
  const collect = async () => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      setAnswer((await api.post<ProposalAnswer>(`${path}/collect`)).answer);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
      void refresh();
    }
  };
  return (
    <>
      <Group justify="space-between" align="flex-start" gap="md">
        <div style={{ flex: 1, minWidth: 220 }}>
          <Title order={1} className="proposal-title">
            {what(proposal)}
          </Title>
          <div className="proposal-state" role="status">
            <State of={state} />
            <Text span size="sm" c="dimmed">
              {requester.id === me?.id
                ? t('proposal.askedByYou')
                : t('proposal.askedBy', { name: requester.username })}{' '}
              · <Time at={proposal.created_at} />
            </Text>
          </div>
        </div>
        <Actions
          proposal={proposal}
          busy={busy}
          onSay={say}
          onWithdraw={() => setWithdrawing(true)}
          onCollect={() => void collect()}
        />
      </Group>
      <div className="proposal-notices">
        <ProblemAlert error={error} />
        {overtaken !== null && (
          <Alert
            color="yellow"
            variant="light"
            role="alert"
            className="proposal-note"
            icon={<IconAlertTriangle size={18} />}
            title={t('proposal.overtaken')}
          >
            <Text size="sm">{sentence(asProblem(overtaken).detail ?? '')}</Text>
            <Text size="sm">{t('proposal.overtaken.hint')}</Text>
          </Alert>
        )}
        <Notice proposal={proposal} />
      </div>
      {proposal.request && <Asked request={proposal.request} />}
      <Would proposal={proposal} />
      <Approvals proposal={proposal} />
      <Facts proposal={proposal} log={can(me, 'evidence.view')} />
      {saying && (
        <Verdicts
          {...saying}
          onSaid={took}
          onConflict={(conflict) => {
            setOvertaken(conflict);
            void refresh();
          }}
          onClose={() => setSaying(undefined)}
        />
      )}
      {withdrawing && (
        <Confirm
          title={t('proposal.withdraw.title')}
          action={t('proposal.withdraw')}
          onClose={() => setWithdrawing(false)}
          onConfirm={async () => took(await api.post<ProposalView>(`${path}/withdraw`))}
        >
          {t('proposal.withdraw.hint')}
        </Confirm>
      )}
      {answer && <Answer answer={answer} onClose={() => setAnswer(undefined)} />}
    </>
  );
}

function Actions(props: {
  proposal: ProposalView;
  busy: boolean;
  onSay: (verdict: Verdict) => void;
  onWithdraw: () => void;
  onCollect: () => void;
}) {
  const { can: may } = props.proposal;
  return (
    <Group gap="xs">
      {may.withdraw && (
        <Button variant="default" leftSection={<IconArrowBackUp size={16} />} onClick={props.onWithdraw}>
          {t('proposal.withdraw')}
        </Button>
      )}
      {may.reject && (
        <Button variant="default" leftSection={<IconBan size={16} />} onClick={() => props.onSay('reject')}>
          {t('proposal.reject')}
        </Button>
      )}
      {may.approve && (
        <Button leftSection={<IconCheck size={16} />} onClick={() => props.onSay('approve')}>
          {t('proposal.approve')}
        </Button>
      )}
      {may.collect && (
        <Button leftSection={<IconDownload size={16} />} loading={props.busy} onClick={props.onCollect}>
          {t('proposal.collect')}
        </Button>
      )}
    </Group>
  );
}

/** Why it is as it is, and what comes next, where there is something to say. */
function Notice({ proposal }: { proposal: ProposalView }) {
  const { state, reason } = proposal;
  if (state === 'failed') {
    return (
      <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title={t('proposal.failed')}>
        {reason && <Text size="sm">{sentence(reason)}</Text>}
        <Text size="sm">{t('proposal.failed.hint')}</Text>
      </Alert>
    );
  }
  const words =
    state === 'approved'
      ? t('proposal.approved.hint')
      : state === 'expired'
        ? t('proposal.expired.hint')
        : proposal.can.collect
          ? t('proposal.collect.hint')
          : undefined;
  return (
    words && (
      <div className="proposal-hint">
        <IconInfoCircle size={18} aria-hidden />
        <Text size="sm">{words}</Text>
      </div>
    )
  );
}

function Facts({ proposal, log }: { proposal: ProposalView; log: boolean }) {
  const { state } = proposal;
  const settled = state !== 'open' && state !== 'approved';
  return (
    <dl className="facts proposal-facts">
      <dt>{t('proposal.created')}</dt>
      <dd>{exact(proposal.created_at)}</dd>
      {state === 'open' && (
        <>
          <dt>{t('proposal.expires')}</dt>
          <dd>
            {exact(proposal.expires_at)}{' '}
            <Text span size="sm" c="dimmed">
              · <Time at={proposal.expires_at} />
            </Text>
          </dd>
        </>
      )}
      {proposal.approved_at && (
        <>
          <dt>{t('proposal.approvedAt')}</dt>
          <dd>{exact(proposal.approved_at)}</dd>
        </>
      )}
      {settled && proposal.settled_at && (
        <>
          <dt>{t(`proposal.state.${state}`)}</dt>
          <dd>{exact(proposal.settled_at)}</dd>
        </>
      )}
      <dt>{t('common.id')}</dt>
      <dd>
        <Id id={proposal.id} />
        {log && (
          <>
            {' · '}
            <Anchor component={Link} to={`/evidence?resource_id=${proposal.id}`} size="sm">
              {t('proposal.log')}
            </Anchor>
          </>
        )}
      </dd>
    </dl>
  );
}
