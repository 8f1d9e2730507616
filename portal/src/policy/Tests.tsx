// What must hold under the rules: a list in JSON, and beside it how each of them went.
import { Button } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed, IconCircleX, IconPlus } from '@tabler/icons-react';
import { useRef } from 'react';
import { asProblem } from '../api/problem';
import type { PolicyTestResult } from '../api/types';
import { t, tn } from '../strings';
import { ProblemAlert, Section } from '../ui/bits';
import { CodeArea, type Jump } from './CodeArea';
import type { Checked } from './check';
import { type Drafting, withTest } from './draft';
import { lineOf, offsetOf, testOffsets } from './place';
import { By, OutcomeWord } from './words';

/** What the server said about tests, by their number; what is about none in particular has none. */
function refusals(error: unknown): { number: number | undefined; field: string; message: string }[] {
  if (!error) return [];
  return Object.entries(asProblem(error).fields)
    .filter(([field]) => /^tests(\.|$)/.test(field))
    .map(([field, message]) => {
      const [, number, ...rest] = field.split('.');
      return { number: number === undefined ? undefined : Number(number), field: rest.join('.'), message };
    });
}

export function Tests(props: { drafting: Drafting; checked: Checked; editable: boolean }) {
  const { drafting, checked, editable } = props;
  const { tests } = drafting.draft;
  const jump = useRef<Jump>(null);
  const places = testOffsets(tests);
  const results = checked.fault ? [] : (checked.check?.tests ?? []);
  const failed = results.filter((one) => !one.ok).length;
  const refused = refusals(checked.error);
  const at = (number: number | undefined) => places[number ?? 0] ?? 0;

  const marks = [
    ...(checked.fault
      ? [{ line: checked.fault.line, severity: 'error', message: t('rules.tests.notJson') }]
      : []),
    ...refused.map(({ number, field, message }) => ({
      line: lineOf(tests, at(number)),
      severity: 'error',
      message: `${field} ${message}`,
    })),
    ...results.flatMap((one, i) =>
      one.ok ? [] : [{ line: lineOf(tests, at(i)), severity: 'error', message: one.name }],
    ),
  ];
  const add = () => {
    const next = withTest(tests, {
      name: t('rules.tests.sample'),
      expect: 'deny',
      request: {
        actor: { role: 'member' },
        action: 'instance.configure',
        resource: { kind: 'instance', owner: 'other' },
      },
    });
    drafting.edit({ tests: next });
    // After it is there to be jumped to.
    setTimeout(() => jump.current?.to(testOffsets(next).at(-1) ?? 0));
  };

  return (
    <Section
      title={t('rules.tests')}
      intro={t('rules.tests.intro')}
      action={
        editable && (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={16} />}
            disabled={checked.fault !== undefined}
            onClick={add}
          >
            {t('rules.tests.add')}
          </Button>
        )
      }
    >
      <div className="tests">
        <CodeArea
          ref={jump}
          label={t('rules.tests.list')}
          hint="JSON"
          value={tests}
          onChange={editable ? (value) => drafting.edit({ tests: value }) : undefined}
          marks={marks}
          rows={5}
          invalid={checked.fault !== undefined || refused.length > 0}
        />
        <div className="test-results" aria-live="polite">
          {checked.fault && (
            <button
              type="button"
              className="finding"
              data-severity="error"
              onClick={() => jump.current?.to(offsetOf(tests, checked.fault?.line ?? 1, 1))}
            >
              <IconCircleX size={18} aria-hidden />
              <span>
                <span className="finding-place">{t('rules.line', { line: checked.fault.line })}</span>
                <span className="finding-text">{t('rules.tests.notJson')}</span>
                <span className="finding-help">{checked.fault.message}</span>
              </span>
            </button>
          )}
          {refused.map(({ number, field, message }) => (
            <button
              type="button"
              className="finding"
              data-severity="error"
              key={`${number} ${field}`}
              onClick={() => jump.current?.to(at(number))}
            >
              <IconCircleX size={18} aria-hidden />
              <span>
                <span className="finding-place">
                  {number === undefined ? t('rules.tests') : t('rules.tests.number', { n: number + 1 })}
                  {field && <code className="rule-name">{field}</code>}
                </span>
                <span className="finding-text">{message}</span>
              </span>
            </button>
          ))}
          {refused.length === 0 && <ProblemAlert error={checked.error} />}
          {results.length > 0 && (
            <>
              <div className="test-sum">
                {failed > 0
                  ? tn('rules.tests.failed', failed, { all: results.length })
                  : tn('rules.tests.passed', results.length)}
              </div>
              <ul aria-label={t('rules.tests.results')}>
                {results.map((one, i) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: results are in the order of the list
                  <li key={i}>
                    <Result result={one} onJump={() => jump.current?.to(at(i))} />
                  </li>
                ))}
              </ul>
            </>
          )}
          {results.length === 0 && !checked.fault && !checked.error && (
            <span className="state" data-tone="quiet">
              <IconCircleDashed size={16} aria-hidden />
              {tests.trim() === '' ? t('rules.tests.none') : t('rules.tests.waiting')}
            </span>
          )}
        </div>
      </div>
    </Section>
  );
}

function Result({ result, onJump }: { result: PolicyTestResult; onJump: () => void }) {
  const { ok, expect, decision } = result;
  return (
    <button type="button" className="finding" data-severity={ok ? 'ok' : 'error'} onClick={onJump}>
      {ok ? (
        <IconCircleCheck size={18} role="img" aria-label={t('rules.tests.ok')} />
      ) : (
        <IconCircleX size={18} role="img" aria-label={t('rules.tests.notOk')} />
      )}
      <span>
        <span className="finding-text">{result.name}</span>
        <span className="test-answer">
          {!ok && (
            <>
              <span>{t('rules.tests.expected')}</span> <OutcomeWord outcome={expect} />{' '}
              <span>{t('rules.tests.got')}</span>{' '}
            </>
          )}
          <OutcomeWord outcome={decision.outcome} /> <By decision={decision} />
        </span>
      </span>
    </button>
  );
}
