// Whose approval is asked for, by which rules, how far it is, and what was said.
import { Anchor, Text } from '@mantine/core';
import { IconBan, IconCircleCheck, IconCircleDashed } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { PolicyApproval, ProposalView, ProposalVoteView } from '../api/types';
import { can, useMe } from '../app/session';
import { t, tn } from '../strings';
import { Section, Time } from '../ui/bits';
import { given } from './progress';

export function Approvals({ proposal }: { proposal: ProposalView }) {
  const me = useMe();
  const { votes, policies } = proposal;
  return (
    <Section title={t('proposal.approvals')} intro={t('proposal.approvals.intro')}>
      <ul className="rows">
        {proposal.demands.map((demand) => (
          <li className="row" key={demand.role}>
            <Demand demand={demand} votes={votes} />
          </li>
        ))}
        {votes.map((vote) => (
          <li className="row proposal-vote" key={`${vote.by?.id} ${vote.at}`}>
            <Vote vote={vote} />
          </li>
        ))}
      </ul>
      {policies.length > 0 && (
        <Text size="sm" c="dimmed" mt="sm" component="div" className="proposal-rules">
          {tn('proposal.rules', policies.length)}
          {policies.map((name) => (
            <code key={name}>{name}</code>
          ))}
          {can(me, 'policy.view') && (
            <Anchor component={Link} to="/settings/rules" size="sm">
              {t('settings.rules')}
            </Anchor>
          )}
        </Text>
      )}
    </Section>
  );
}

function Demand({ demand, votes }: { demand: PolicyApproval; votes: readonly ProposalVoteView[] }) {
  const have = given(demand, votes);
  const met = have >= demand.count;
  const Icon = met ? IconCircleCheck : IconCircleDashed;
  return (
    <>
      <span className="state" data-tone={met ? 'good' : 'attention'}>
        <Icon size={18} aria-hidden />
      </span>
      <Text size="sm" fw={600} className="row-main">
        {t('proposal.progress', {
          n: have,
          of: demand.count,
          role: tn(`proposal.role.${demand.role}`, demand.count),
        })}
      </Text>
      <span className="proposal-progress" aria-hidden>
        {/* Beyond a handful the words say it better. */}
        {demand.count <= 6 &&
          Array.from({ length: demand.count }, (_, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts are all alike
            <span key={i} data-met={i < have || undefined} />
          ))}
      </span>
    </>
  );
}

function Vote({ vote }: { vote: ProposalVoteView }) {
  const yes = vote.verdict === 'approve';
  const Icon = yes ? IconCircleCheck : IconBan;
  return (
    <>
      <span className="state" data-tone={yes ? 'good' : 'failed'}>
        <Icon size={18} aria-hidden />
      </span>
      <div className="row-main">
        <Text size="sm">
          <strong>{vote.by?.username ?? t('proposal.deleted')}</strong>{' '}
          {t(yes ? 'proposal.vote.approve' : 'proposal.vote.reject')}{' '}
          <Text span size="sm" c="dimmed">
            · {t(`role.${vote.role}`)} · <Time at={vote.at} />
          </Text>
        </Text>
        {vote.comment && <blockquote className="proposal-comment">{vote.comment}</blockquote>}
      </div>
    </>
  );
}
