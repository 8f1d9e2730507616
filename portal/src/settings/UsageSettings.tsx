// Tokens by day and model, as bars and as a table.
import { Group, SegmentedControl, Switch, Table, Text } from '@mantine/core';
import { IconChartBar } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { usageQuery } from '../api/queries';
import type { UsageReport } from '../api/types';
import { isAdmin, useMe } from '../app/session';
import { t } from '../strings';
import { Empty, Loaded, PageBody } from '../ui/bits';
import { compact, day, number } from '../ui/format';

export function UsageSettings() {
  const me = useMe();
  const [days, setDays] = useState('30');
  const [everybody, setEverybody] = useState(false);
  const query = useQuery(usageQuery(Number(days), everybody));
  return (
    <PageBody title={t('settings.usage')} intro={t('usage.intro')}>
      <Group mb="md" gap="md">
        <SegmentedControl
          aria-label={t('usage.period')}
          value={days}
          onChange={setDays}
          data={['7', '30', '90'].map((n) => ({ value: n, label: t('usage.days', { n }) }))}
        />
        {isAdmin(me) && (
          <Switch
            label={t('usage.all')}
            checked={everybody}
            onChange={(event) => setEverybody(event.currentTarget.checked)}
          />
        )}
      </Group>
      <Loaded query={query}>
        {(report) =>
          report.rows.length === 0 ? (
            <Empty
              icon={<IconChartBar size={36} stroke={1.4} aria-hidden />}
              title={t('usage.none')}
              hint={t('usage.none.hint')}
            />
          ) : (
            <Report report={report} />
          )
        }
      </Loaded>
    </PageBody>
  );
}

function Report({ report }: { report: UsageReport }) {
  const byDay = new Map<string, number>();
  for (const row of report.rows) {
    byDay.set(row.day, (byDay.get(row.day) ?? 0) + row.input_tokens + row.output_tokens);
  }
  const bars = [...byDay].sort(([a], [b]) => a.localeCompare(b));
  const most = Math.max(1, ...bars.map(([, n]) => n));
  return (
    <>
      <div className="metrics metrics-short">
        {(
          [
            ['usage.calls', report.calls],
            ['usage.in', report.input_tokens],
            ['usage.out', report.output_tokens],
          ] as const
        ).map(([key, n]) => (
          <div className="card" key={key}>
            <Text size="sm" c="dimmed">
              {t(key)}
            </Text>
            <div className="metric-value" title={number(n)}>
              {compact(n)}
            </div>
          </div>
        ))}
      </div>
      <div className="bars" aria-hidden>
        {bars.map(([date, n]) => (
          <div
            key={date}
            title={`${day(date)}: ${number(n)}`}
            style={{ height: `${Math.max(2, (n / most) * 100)}%` }}
          />
        ))}
      </div>
      <section style={{ overflowX: 'auto' }} tabIndex={0} aria-label={t('settings.usage')}>
        <Table verticalSpacing="sm" fz="sm" mt="lg" className="stacking" role="table">
          <Table.Thead role="rowgroup">
            <Table.Tr role="row">
              <Table.Th role="columnheader">{t('usage.day')}</Table.Th>
              <Table.Th role="columnheader">{t('model.model')}</Table.Th>
              <Table.Th role="columnheader" ta="right">
                {t('usage.calls')}
              </Table.Th>
              <Table.Th role="columnheader" ta="right">
                {t('usage.failed')}
              </Table.Th>
              <Table.Th role="columnheader" ta="right">
                {t('usage.in')}
              </Table.Th>
              <Table.Th role="columnheader" ta="right">
                {t('usage.out')}
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody role="rowgroup">
            {report.rows.map((row) => (
              <Table.Tr role="row" key={`${row.day} ${row.model}`}>
                <Table.Td role="cell">{day(row.day)}</Table.Td>
                <Table.Td role="cell" className="mono">
                  {row.model}
                </Table.Td>
                <Table.Td role="cell" ta="right" data-label={t('usage.calls')}>
                  {number(row.calls)}
                </Table.Td>
                <Table.Td role="cell" ta="right" data-label={t('usage.failed')}>
                  {number(row.failed)}
                </Table.Td>
                <Table.Td role="cell" ta="right" data-label={t('usage.in')}>
                  {number(row.input_tokens)}
                </Table.Td>
                <Table.Td role="cell" ta="right" data-label={t('usage.out')}>
                  {number(row.output_tokens)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
    </>
  );
}
