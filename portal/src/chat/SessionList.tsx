// The conversations of the agent: search, rename, delete, begin anew. Asking never wakes a sleeping agent.
import { ActionIcon, Button, Menu, Skeleton, Text, TextInput } from '@mantine/core';
import {
  IconClock,
  IconDots,
  IconHash,
  IconLoader2,
  IconPencil,
  IconPlus,
  IconSearch,
  IconTrash,
} from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { api } from '../api/client';
import { asProblem } from '../api/problem';
import { chatSessionsQuery } from '../api/queries';
import type { ChatSession } from '../api/types';
import { useAgent } from '../app/session';
import { t } from '../strings';
import { ProblemAlert, Time } from '../ui/bits';
import { isAsleep } from '../ui/StateBadge';
import { useIsRunning } from './runs';
import { isOperated, isStopped, StartAgent } from './StartAgent';

const SessionDialog = lazy(() => import('./SessionDialog'));

export function SessionList({ onPick }: { onPick?: () => void }) {
  const { agent } = useAgent();
  const [params] = useSearchParams();
  const current = params.get('session');
  const [search, setSearch] = useState('');
  const [busy, setBusy] = useState(false);
  const client = useQueryClient();
  const id = agent?.id ?? '';
  const asleep = agent ? isAsleep(agent) : false;
  const awake = agent?.seen === 'ready' || agent?.seen === 'busy';
  const query = useQuery({ ...chatSessionsQuery(id), enabled: !!agent, staleTime: 5_000 });
  const { refetch } = query;

  // Once it is awake its conversations can be listed.
  useEffect(() => {
    if (id && awake) void refetch();
  }, [id, awake, refetch]);

  const problem = query.error && !query.data ? asProblem(query.error) : undefined;
  const needle = search.trim().toLowerCase();
  const sessions = (query.data ?? []).filter(
    (one) => !needle || (one.title ?? one.key).toLowerCase().includes(needle),
  );

  const wake = async () => {
    setBusy(true);
    try {
      const page = await api.get<{ items: ChatSession[] }>('/api/v1/chat/sessions', {
        query: { agent_id: id, wake: true, limit: 200 },
      });
      client.setQueryData(chatSessionsQuery(id).queryKey, page.items);
    } catch {
      void refetch();
    } finally {
      setBusy(false);
    }
  };

  return (
    <nav className="sessions" aria-label={t('nav.conversations')}>
      <div className="sessions-head">
        <Button
          component={Link}
          to={agent ? `/?agent=${agent.id}` : '/'}
          onClick={onPick}
          variant="default"
          fullWidth
          size="sm"
          leftSection={<IconPlus size={16} />}
        >
          {t('chat.new')}
        </Button>
        <TextInput
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          placeholder={t('chat.search')}
          aria-label={t('chat.search')}
          leftSection={<IconSearch size={16} />}
          size="sm"
        />
      </div>
      <div className="sessions-list">
        {query.isPending && agent && !problem && (
          <div aria-busy="true">
            {[0, 1, 2, 3].map((i) => (
              <Skeleton key={i} height={34} mb={4} radius="md" animate={false} />
            ))}
          </div>
        )}
        {problem?.status === 409 && (
          <div className="sessions-note">
            {isOperated(agent) ? (
              <Text size="sm">{t('chat.operated.list')}</Text>
            ) : isStopped(agent) ? (
              <>
                <Text size="sm">{t('chat.stopped.list')}</Text>
                <StartAgent id={id} />
              </>
            ) : (
              <>
                <Text size="sm">{asleep ? t('chat.asleep.list') : t('chat.away.list')}</Text>
                {asleep && (
                  <Button size="xs" variant="default" loading={busy} onClick={() => void wake()}>
                    {t('chat.wake')}
                  </Button>
                )}
              </>
            )}
          </div>
        )}
        {problem && problem.status !== 409 && <ProblemAlert error={problem} onRetry={() => void refetch()} />}
        {query.data && sessions.length === 0 && (
          <Text size="sm" c="dimmed" className="sessions-note">
            {needle ? t('chat.noneFound') : t('chat.noneYet')}
          </Text>
        )}
        {sessions.map((session) => (
          <Item
            key={session.key}
            agent={id}
            session={session}
            active={session.key === current}
            onPick={onPick}
          />
        ))}
      </div>
    </nav>
  );
}

function Item(props: {
  agent: string;
  session: ChatSession;
  active: boolean;
  onPick: (() => void) | undefined;
}) {
  const { session, agent } = props;
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<'rename' | 'delete' | undefined>();
  const running = useIsRunning(agent, session.key) || session.active_run != null;
  const title = session.title || t('chat.untitled');
  return (
    <div className="session" data-active={props.active || undefined}>
      <Link
        to={`/?agent=${agent}&session=${encodeURIComponent(session.key)}`}
        onClick={props.onPick}
        aria-current={props.active ? 'page' : undefined}
      >
        {running ? (
          <IconLoader2 size={14} className="spin" aria-label={t('chat.running')} />
        ) : session.origin === 'cron' ? (
          <IconClock size={14} aria-label={t('chat.origin.cron')} />
        ) : session.origin === 'room' ? (
          <IconHash size={14} aria-label={t('chat.origin.room')} />
        ) : null}
        <span className="session-title">{title}</span>
        <span className="session-time">
          <Time at={session.updated_at} fallback="" />
        </span>
      </Link>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            className="session-menu"
            aria-label={t('chat.sessionMenu', { title })}
          >
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => setDialog('rename')}>
            {t('common.rename')}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconTrash size={16} />}
            color="var(--failed)"
            onClick={() => setDialog('delete')}
          >
            {t('common.delete')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {dialog && (
        <Suspense>
          <SessionDialog
            agent={agent}
            session={session}
            dialog={dialog}
            onClose={() => setDialog(undefined)}
            onDeleted={() => {
              if (props.active) navigate(`/?agent=${agent}`, { replace: true });
            }}
          />
        </Suspense>
      )}
    </div>
  );
}
