// What was checked, a line each: passed, or what exactly does not fit.
import { IconAlertTriangle, IconCheck, IconMinus, IconPin } from '@tabler/icons-react';
import { type Key, t } from '../strings';
import { moment, short } from '../ui/format';
import type { Step } from './check';
import type { Look } from './look';

const SIGNS = {
  ok: { Icon: IconCheck, word: 'check.passed' },
  first: { Icon: IconPin, word: 'check.kept' },
  failed: { Icon: IconAlertTriangle, word: 'check.failed' },
  skipped: { Icon: IconMinus, word: 'check.skipped' },
} as const satisfies Record<Step['state'], { Icon: typeof IconCheck; word: Key }>;

/** The words of a step; moments in the reader's form, long hashes shortened. */
export function stepWords(step: Step): string {
  const { since, seen, hash, ...rest } = step.with ?? {};
  const params: Record<string, string | number> = { ...rest };
  if (typeof since === 'string') params.since = moment(since);
  if (typeof seen === 'string') params.seen = moment(seen);
  if (typeof hash === 'string') params.hash = short(hash);
  return t(`check.${step.name}.${step.why ?? step.state}` as Key, params);
}

export function Checks({ steps }: { steps: readonly Step[] }) {
  return (
    <ul className="checks">
      {steps.map((step) => {
        const { Icon, word } = SIGNS[step.state];
        return (
          <li key={step.name} data-state={step.state}>
            <Icon className="checks-sign" size={16} aria-label={t(word)} role="img" />
            <span>{stepWords(step)}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** Why this browser cannot check, and what can. */
export function Unable({ able }: { able: Look['able'] }) {
  return (
    <p className="unable">
      {t(able === 'insecure' ? 'check.insecure' : 'check.noEd25519')} {t('check.instead')}{' '}
      <code>fractal evidence verify</code>
    </p>
  );
}
