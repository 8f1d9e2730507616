// What lines came and went, with their signs; long stretches of the same are left out.
import { Text } from '@mantine/core';
import { useMemo } from 'react';
import { t, tn } from '../strings';
import { diffLines, folded } from './diff';

const SAID = { '+': 'rules.diff.came', '-': 'rules.diff.went' } as const;

export function Diff({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = useMemo(() => folded(diffLines(before, after)), [before, after]);
  if (before === after)
    return (
      <Text size="sm" c="dimmed">
        {t('rules.diff.same')}
      </Text>
    );
  return (
    <section className="diff" tabIndex={0} aria-label={label}>
      <div className="diff-lines">
        {lines.map((one, i) =>
          typeof one === 'number' ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines are their places
            <div key={i} className="diff-fold">
              {tn('rules.diff.fold', one)}
            </div>
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines are their places
            <div key={i} data-sign={one.sign}>
              <span className="diff-number" aria-hidden>
                {one.line}
              </span>
              <span className="diff-sign" aria-hidden>
                {one.sign}
              </span>
              {one.sign !== ' ' && <span className="visually-hidden">{t(SAID[one.sign])} </span>}
              <span>{one.text || ' '}</span>
            </div>
          ),
        )}
      </div>
    </section>
  );
}
