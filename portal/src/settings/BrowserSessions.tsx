// Where one is signed in, and ending that.
import { Badge, Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/client';
import { browserSessionsQuery, queryClient } from '../api/queries';
import type { BrowserSessionView } from '../api/types';
import { t } from '../strings';
import { Loaded, PageBody, Time } from '../ui/bits';
import { Confirm } from '../ui/dialogs';

export function BrowserSessions() {
  const query = useQuery(browserSessionsQuery);
  const [ending, setEnding] = useState<BrowserSessionView | undefined>();
  return (
    <PageBody title={t('settings.sessions')} intro={t('sessions.intro')}>
      <Loaded query={query}>
        {(list) => (
          <ul className="rows">
            {list.map((one) => (
              <li className="row" key={one.id}>
                <div className="row-main">
                  <Text fw={600} component="div">
                    {browserName(one.user_agent)}{' '}
                    {one.current && (
                      <Badge variant="light" size="sm" tt="none">
                        {t('sessions.current')}
                      </Badge>
                    )}
                  </Text>
                  <Text size="sm" c="dimmed">
                    {one.address && `${one.address} · `}
                    {t('sessions.used')} <Time at={one.last_used_at} /> · {t('sessions.ends')}{' '}
                    <Time at={one.expires_at} />
                  </Text>
                </div>
                {!one.current && (
                  <Button size="xs" variant="default" onClick={() => setEnding(one)}>
                    {t('sessions.end')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      {ending && (
        <Confirm
          title={t('sessions.end.title', { name: browserName(ending.user_agent) })}
          action={t('sessions.end')}
          danger
          onClose={() => setEnding(undefined)}
          onConfirm={async () => {
            await api.delete(`/api/v1/sessions/${ending.id}`);
            await queryClient.invalidateQueries({ queryKey: browserSessionsQuery.queryKey });
          }}
        >
          {t('sessions.end.hint')}
        </Confirm>
      )}
    </PageBody>
  );
}

/** Browser and system out of the long line that browsers send. */
export function browserName(agent: string | null | undefined): string {
  if (!agent) return t('sessions.unknown');
  const browser =
    [
      ['Edg/', 'Edge'],
      ['OPR/', 'Opera'],
      ['Firefox/', 'Firefox'],
      ['Chrome/', 'Chrome'],
      ['Safari/', 'Safari'],
    ].find(([mark = '']) => agent.includes(mark))?.[1] ?? agent.split(/[ /]/)[0];
  const system = [
    ['Android', 'Android'],
    ['iPhone', 'iPhone'],
    ['iPad', 'iPad'],
    ['Windows', 'Windows'],
    ['Mac OS X', 'macOS'],
    ['Linux', 'Linux'],
  ].find(([mark = '']) => agent.includes(mark))?.[1];
  return system ? t('sessions.browserOn', { browser: browser ?? '', system }) : (browser ?? agent);
}
