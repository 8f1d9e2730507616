// What the pages of operations say in the same way: what is done to what, how far it is, and where.
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconCircleCheck,
  IconClock,
  IconLoader2,
} from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import type { OperationState, OperationView } from '../api/types';
import type { Names } from '../evidence/words';
import { t, tn, tWord } from '../strings';
import { short } from '../ui/format';
import { current, goesBack } from './progress';
import { stepWords } from './steps';

type Thing = Pick<OperationView, 'resource_kind' | 'resource_id'> & Partial<Pick<OperationView, 'input'>>;

/** On what: its name where whoever reads may know it; of what is gone the operation itself kept it. */
export function onWhat({ resource_kind, resource_id, input }: Thing, names: Names): string {
  const known = names.get(resource_id);
  if (known !== undefined) return known;
  const kept = (input as { name?: unknown } | null | undefined)?.name;
  if (typeof kept === 'string') return kept;
  const kind = tWord('kind', resource_kind);
  return resource_id ? `${kind} ${short(resource_id)}` : kind;
}

/** “Change engine: Ada”; what there is only one of needs no name. */
export function what(operation: Thing & Pick<OperationView, 'kind'>, names: Names): string {
  const action = tWord('action', operation.kind);
  return operation.resource_id ? t('operation.what', { action, name: onWhat(operation, names) }) : action;
}

/** “Step 2 of 4: Switch the engine” */
export function where(operation: OperationView): string {
  const { state, steps, kind } = operation;
  const place = current(operation);
  const step = steps[place];
  if (step) {
    return t(goesBack(operation) ? 'operation.at.back' : 'operation.at', {
      n: place + 1,
      of: steps.length,
      step: stepWords(kind, step.name),
    });
  }
  if (state === 'pending') return tn('operation.at.none', steps.length);
  if (state === 'done') {
    const skipped = steps.filter((one) => one.state === 'skipped').length;
    if (skipped === 0) return tn('operation.at.done', steps.length);
    return tn('operation.at.skipped', skipped, { of: steps.length, done: steps.length - skipped });
  }
  return '';
}

/** Why it did not go as wanted, in the reader's language where somebody cancelled it. */
export function why({ reason, cancelled_by: by }: Pick<OperationView, 'reason' | 'cancelled_by'>) {
  if (by && (!reason || reason === `cancelled by ${by}`)) return t('operation.cancelledBy', { name: by });
  return reason ?? undefined;
}

const LOOKS = {
  pending: { tone: 'quiet', Icon: IconClock },
  running: { tone: 'working', Icon: IconLoader2 },
  undoing: { tone: 'attention', Icon: IconArrowBackUp },
  done: { tone: 'good', Icon: IconCircleCheck },
  undone: { tone: 'quiet', Icon: IconArrowBackUp },
  stuck: { tone: 'failed', Icon: IconAlertTriangle },
} as const;

export function State({ of }: { of: OperationState }) {
  const { tone, Icon } = LOOKS[of];
  return (
    <span className="state" data-tone={tone}>
      <Icon size={16} aria-hidden className={of === 'running' ? 'spin' : undefined} />
      {t(`operation.state.${of}`)}
    </span>
  );
}

/** How far it is, at a glance; the words beside it say the same. */
export function Bar({ steps }: Pick<OperationView, 'steps'>) {
  return (
    <span className="operation-bar" aria-hidden>
      {steps.map((step) => (
        <span key={step.name} data-state={step.state} />
      ))}
    </span>
  );
}

/** The time, second by second as long as something is measured by it. */
export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticking) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
