// The entries as a table, on narrow screens as a list. Arrow keys go from entry to entry, Enter opens one.
import { Table, Text } from '@mantine/core';
import type { KeyboardEvent } from 'react';
import { Link, useLocation } from 'react-router';
import type { EvidenceView } from '../api/types';
import { t, tWord } from '../strings';
import { Time } from '../ui/bits';
import { number, short } from '../ui/format';
import { type Names, Outcome, onWhat, who } from './words';

const COLUMNS = [
  ['when', 'evidence.when'],
  ['who', 'evidence.who'],
  ['what', 'evidence.what'],
  ['on', 'evidence.on'],
  ['outcome', 'evidence.outcome.head'],
] as const;

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };

function walk(event: KeyboardEvent<HTMLElement>) {
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('a.entry')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next =
    event.key === 'Home' ? 0 : event.key === 'End' ? links.length - 1 : at + (STEPS[event.key] ?? 0);
  if (at < 0 || next === at || !links[next]) return;
  event.preventDefault();
  links[next].focus();
}

export function Ledger(props: {
  entries: readonly EvidenceView[];
  names: Names;
  selected: number | undefined;
  onOpen: (seq: number) => void;
}) {
  return (
    <Table className="ledger" role="table" fz="sm" onKeyDown={walk} aria-label={t('nav.evidence')}>
      <Table.Thead role="rowgroup">
        <Table.Tr role="row">
          {COLUMNS.map(([column, key]) => (
            <Table.Th role="columnheader" key={column} data-cell={column}>
              {t(key)}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody role="rowgroup">
        {props.entries.map((entry) => (
          <Row key={entry.seq} {...props} entry={entry} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row(props: {
  entry: EvidenceView;
  names: Names;
  selected: number | undefined;
  onOpen: (seq: number) => void;
}) {
  const { entry, names } = props;
  const { search } = useLocation();
  const there = new URLSearchParams(search);
  there.set('seq', String(entry.seq));
  const thing = onWhat(entry, names);
  return (
    <Table.Tr
      role="row"
      data-selected={entry.seq === props.selected || undefined}
      // For the mouse; the keyboard has the link in it.
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest('a')) props.onOpen(entry.seq);
      }}
    >
      <Table.Td role="cell" data-cell="when">
        <Time at={entry.at} />
        <Text size="xs" c="dimmed" className="only-wide">
          #{number(entry.seq)}
        </Text>
      </Table.Td>
      <Table.Td role="cell" data-cell="who">
        <span title={entry.actor_id || undefined}>{who(entry, names)}</span>
        <Text size="xs" c="dimmed" className="only-wide">
          {tWord('via', entry.via)}
        </Text>
      </Table.Td>
      <Table.Td role="cell" data-cell="what">
        <Link className="entry" to={`?${there}`} title={t('evidence.open')}>
          {tWord('action', entry.action)}
        </Link>
        <div className="raw">{entry.action}</div>
      </Table.Td>
      <Table.Td role="cell" data-cell="on">
        {thing.name ?? thing.kind}
        <div className="raw only-wide" title={entry.resource_id || undefined}>
          {entry.resource_id ? short(entry.resource_id) : ''}
        </div>
      </Table.Td>
      <Table.Td role="cell" data-cell="outcome">
        <Outcome outcome={entry.outcome} />
      </Table.Td>
    </Table.Tr>
  );
}
