// The log of one's own instance, followed live. Only the owner may read it: logs hold message text.
import { Button, Group, Switch, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useLive } from '../api/live';
import type { LogLineView } from '../api/types';
import { t } from '../strings';
import { Copy } from '../ui/bits';
import { clock } from '../ui/format';

const MOST_LINES = 2000;

export function Logs({ id }: { id: string }) {
  const [lines, setLines] = useState<(LogLineView & { n: number })[]>([]);
  const [follow, setFollow] = useState(true);
  const [search, setSearch] = useState('');
  const box = useRef<HTMLDivElement>(null);
  const next = useRef(0);
  // A stream that begins again sends its newest lines again.
  const seen = useRef(new Set<string>());
  const waiting = useRef<(LogLineView & { n: number })[]>([]);

  // Lines come in bursts: the screen takes them a few times a second.
  useEffect(() => {
    const timer = setInterval(() => {
      if (waiting.current.length === 0) return;
      const fresh = waiting.current;
      waiting.current = [];
      setLines((before) => [...before, ...fresh].slice(-MOST_LINES));
    }, 150);
    return () => clearInterval(timer);
  }, []);

  useLive(`/api/v1/instances/${encodeURIComponent(id)}/logs?follow=true&tail=500`, (event) => {
    if (event.event !== 'line') return;
    if (seen.current.has(event.data)) return;
    seen.current.add(event.data);
    if (seen.current.size > 2 * MOST_LINES) seen.current = new Set([...seen.current].slice(-MOST_LINES));
    waiting.current.push({ ...(JSON.parse(event.data) as LogLineView), n: next.current++ });
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines move the view
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, follow]);

  const needle = search.toLowerCase();
  const shown = needle ? lines.filter((line) => line.text.toLowerCase().includes(needle)) : lines;
  return (
    <>
      <Group mb="sm" gap="md">
        <TextInput
          style={{ flex: 1, minWidth: 180 }}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          placeholder={t('logs.search')}
          aria-label={t('logs.search')}
          leftSection={<IconSearch size={16} />}
        />
        <Switch
          label={t('logs.follow')}
          checked={follow}
          onChange={(event) => setFollow(event.currentTarget.checked)}
        />
        <Copy
          text={shown.map((line) => `${line.at} ${line.source} ${line.text}`).join('\n')}
          label={t('logs.copy')}
        />
        <Button variant="default" size="xs" onClick={() => setLines([])}>
          {t('logs.clear')}
        </Button>
      </Group>
      <section className="logs" ref={box} tabIndex={0} aria-label={t('instance.logs')}>
        {shown.length === 0 && (
          <Text size="sm" c="dimmed">
            {t('logs.none')}
          </Text>
        )}
        {shown.map((line) => (
          <div className="log-line" key={line.n}>
            <time dateTime={line.at}>{clock(line.at)}</time>
            {withoutTime(line.text)}
          </div>
        ))}
      </section>
    </>
  );
}

/** Gateways begin their lines with the time, which stands beside them already. */
function withoutTime(text: string): string {
  return text.replace(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)\s+/, '');
}
