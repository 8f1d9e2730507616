// The text tried on the decisions that were really made: what would have come out otherwise.
import { Button, Table, Text } from '@mantine/core';
import { IconArrowRight, IconHistory } from '@tabler/icons-react';
import { useState } from 'react';
import { api } from '../api/client';
import type { PolicyChange, PolicyImpact, PolicySimulation } from '../api/types';
import { onWhat, useNames } from '../evidence/words';
import { t, tn, tWord } from '../strings';
import { ProblemAlert, Section, Time } from '../ui/bits';
import { number, short } from '../ui/format';
import { isOwned } from './schema';
import { By, OutcomeWord } from './words';

export function Impact({ text, sound }: { text: string; sound: boolean }) {
  const [tried, setTried] = useState<{ of: string; impact: PolicyImpact } | undefined>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = async () => {
    setBusy(true);
    setError(null);
    try {
      const { impact } = await api.post<PolicySimulation>('/api/v1/policy/simulate', { text });
      if (impact) setTried({ of: text, impact });
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section
      title={t('rules.impact')}
      intro={t('rules.impact.intro')}
      action={
        <Button
          variant="default"
          leftSection={<IconHistory size={16} />}
          loading={busy}
          disabled={!sound}
          onClick={() => void run()}
        >
          {t('rules.impact.try')}
        </Button>
      }
    >
      <ProblemAlert error={error} />
      <div aria-live="polite">
        {tried?.of === text && <Shown impact={tried.impact} />}
        {tried && tried.of !== text && (
          <Text size="sm" c="dimmed">
            {t('rules.impact.old')}
          </Text>
        )}
      </div>
    </Section>
  );
}

function Shown({ impact }: { impact: PolicyImpact }) {
  const sums = [
    ['deny', impact.refused],
    ['allow', impact.allowed],
    ['needs_approval', impact.held],
  ] as const;
  const changed = impact.refused + impact.allowed + impact.held > 0;
  return (
    <>
      <Text size="sm" mb="sm">
        {impact.asked === 0 ? t('rules.impact.nothing') : tn('rules.impact.asked', impact.asked)}
        {impact.since && (
          <>
            {', '}
            {t('rules.impact.since')} <Time at={impact.since} />
          </>
        )}
      </Text>
      {impact.asked > 0 && !changed && <Text size="sm">{t('rules.impact.same')}</Text>}
      {changed && (
        <>
          <div className="impact-sums">
            {sums.map(([outcome, n]) => (
              <div className="card" key={outcome} data-none={n === 0 || undefined}>
                <div className="metric-value">{number(n)}</div>
                <OutcomeWord outcome={outcome} />
              </div>
            ))}
          </div>
          <Changes changes={impact.changes} />
        </>
      )}
    </>
  );
}

function Changes({ changes }: { changes: PolicyChange[] }) {
  const names = useNames();
  return (
    <section className="wide-table" tabIndex={0} aria-label={t('rules.impact.changes')}>
      <Table verticalSpacing="xs" fz="sm" className="changes" role="table">
        <Table.Thead role="rowgroup">
          <Table.Tr role="row">
            <Table.Th role="columnheader">{t('rules.who')}</Table.Th>
            <Table.Th role="columnheader">{t('rules.what')}</Table.Th>
            <Table.Th role="columnheader">{t('rules.thing')}</Table.Th>
            <Table.Th role="columnheader">{t('rules.change')}</Table.Th>
            <Table.Th role="columnheader" ta="right">
              {t('rules.times')}
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody role="rowgroup">
          {changes.map((one) => {
            const { kind, name } = onWhat(
              { resource_kind: one.resource_kind, resource_id: one.resource_id ?? '', values: {} },
              names,
            );
            const thing = name ?? (one.resource_id ? short(one.resource_id) : undefined);
            return (
              <Table.Tr
                role="row"
                key={[
                  one.who?.id,
                  one.action,
                  one.resource_kind,
                  one.resource_id,
                  one.before,
                  one.after.outcome,
                ].join(' ')}
              >
                <Table.Td role="cell" data-cell="who">
                  {one.who?.username ?? t('rules.nobody')}
                </Table.Td>
                <Table.Td role="cell" data-cell="what">
                  {tWord('action', one.action)}
                  <div className="raw-name">{one.action}</div>
                </Table.Td>
                <Table.Td role="cell" data-cell="thing">
                  {kind}
                  {thing && ` ${thing}`}
                  {/* An agent without an id is one that was to be made. */}
                  {!thing && isOwned(one.resource_kind) && one.resource_kind !== 'instance' && (
                    <div className="raw-name">{t('rules.private')}</div>
                  )}
                </Table.Td>
                <Table.Td role="cell" data-cell="change">
                  <span className="was-is">
                    <OutcomeWord outcome={one.before} />
                    <IconArrowRight size={14} role="img" aria-label={t('rules.becomes')} />
                    <OutcomeWord outcome={one.after.outcome} />
                  </span>
                  <By decision={one.after} />
                </Table.Td>
                <Table.Td role="cell" data-cell="times" ta="right">
                  <span className="only-phone">{t('rules.times')} </span>
                  {number(one.times)}
                  <div className="raw-name">
                    <Time at={one.last_at} />
                  </div>
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </section>
  );
}
