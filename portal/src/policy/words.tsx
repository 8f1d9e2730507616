// What a decision says: its outcome with icon and word, and the rules that made it.
import { IconBan, IconCheck, IconHourglass } from '@tabler/icons-react';
import type { PolicyDecision, PolicyOutcome } from '../api/types';
import { t, tWord } from '../strings';

const LOOKS = {
  allow: { tone: 'good', Icon: IconCheck },
  deny: { tone: 'failed', Icon: IconBan },
  needs_approval: { tone: 'attention', Icon: IconHourglass },
} as const;

export function OutcomeWord({ outcome, size = 16 }: { outcome: PolicyOutcome; size?: number }) {
  const { tone, Icon } = LOOKS[outcome];
  return (
    <span className="state" data-tone={tone}>
      <Icon size={size} aria-hidden />
      {t(`decision.${outcome}`)}
    </span>
  );
}

/** The rules by name; where none decided, why. */
export function By({ decision }: { decision: PolicyDecision }) {
  if (decision.policies.length === 0)
    return <span className="rule-why">{tWord('because', decision.reason ?? 'not_permitted')}</span>;
  return (
    <span className="rule-names">
      {decision.policies.map((name) => (
        <code className="rule-name" key={name}>
          {name}
        </code>
      ))}
    </span>
  );
}

/** Who has to approve, in words. */
export function approvals(decision: PolicyDecision): string {
  return decision.approvals
    .map(({ role, count }) => t('rules.approval', { n: count, role: t(`role.${role}`) }))
    .join(', ');
}
