// What the pages of proposals say in the same way: what is wanted, how far it is, and whose approval it needs.
import {
  IconArrowBackUp,
  IconBan,
  IconCircleCheck,
  IconCircleX,
  IconClockOff,
  IconHourglass,
  IconLoader2,
} from '@tabler/icons-react';
import type { PolicyApproval, ProposalState, ProposalView } from '../api/types';
import { t, tn, tWord } from '../strings';

/** “Delete provider: Shared model”; the kind of thing stands in the action already. */
export function what(proposal: Pick<ProposalView, 'action' | 'resource_name'>): string {
  const action = tWord('action', proposal.action);
  return proposal.resource_name ? t('proposal.what', { action, name: proposal.resource_name }) : action;
}

/** “2 × administrators, 1 × owner” */
export function needs(demands: readonly PolicyApproval[]): string {
  return demands
    .map(({ role, count }) => t('proposal.need', { n: count, role: tn(`proposal.role.${role}`, count) }))
    .join(', ');
}

const LOOKS = {
  open: { tone: 'attention', Icon: IconHourglass },
  approved: { tone: 'working', Icon: IconLoader2 },
  done: { tone: 'good', Icon: IconCircleCheck },
  failed: { tone: 'failed', Icon: IconCircleX },
  rejected: { tone: 'failed', Icon: IconBan },
  withdrawn: { tone: 'quiet', Icon: IconArrowBackUp },
  expired: { tone: 'quiet', Icon: IconClockOff },
} as const;

export function State({ of }: { of: ProposalState }) {
  const { tone, Icon } = LOOKS[of];
  return (
    <span className="state" data-tone={tone}>
      <Icon size={16} aria-hidden className={of === 'approved' ? 'spin' : undefined} />
      {t(`proposal.state.${of}`)}
    </span>
  );
}

/** What a field of the log is called where people read it. */
export const fieldWords = (field: string) => tWord('detail', field).replaceAll('_', ' ');

/** A value as it is read: plain texts plain, lists by commas, everything else as JSON. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ') || '–';
  return JSON.stringify(value, null, 2);
}
