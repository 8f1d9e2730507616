// The chat: one conversation with one agent. Which, stands in the address.
import { ActionIcon, Button, Menu, Skeleton } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconChevronDown, IconPlus, IconRobot } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { useLive } from '../api/live';
import { chatSessionsQuery, historyQuery, profileQuery } from '../api/queries';
import type { InstanceView, SessionEvent } from '../api/types';
import { HeaderSlot } from '../app/header';
import { useAgent, useMe } from '../app/session';
import { t } from '../strings';
import { Empty, ProblemAlert } from '../ui/bits';
import { isAsleep, StateBadge } from '../ui/StateBadge';
import './chat.css';
import { Composer } from './Composer';
import { Conversation } from './Conversation';
import { newDraftKey, readDraft, writeDraft } from './drafts';
import { followRun, say, useRun } from './runs';

/** A key for a conversation that begins in this browser. */
function newSessionKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(6));
  return `chat-${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

export default function ChatPage() {
  const { agent, agents, isPending, error } = useAgent();
  const [params] = useSearchParams();
  const session = params.get('session') ?? undefined;
  useDocumentTitle(`${t('nav.chat')} · Fractal`);

  if (error && !agent) {
    return (
      <div className="page">
        <ProblemAlert error={error} />
      </div>
    );
  }
  if (isPending) {
    return (
      <div className="chat" aria-busy="true">
        <div className="chat-scroll">
          <div className="chat-column">
            <Skeleton height={48} width="60%" ml="auto" radius="lg" animate={false} />
            <Skeleton height={120} mt="lg" radius="lg" animate={false} />
          </div>
        </div>
      </div>
    );
  }
  if (!agent) {
    return (
      <div className="content">
        <h1 className="visually-hidden">{t('nav.chat')}</h1>
        <Empty
          icon={<IconRobot size={40} stroke={1.4} aria-hidden />}
          title={t('chat.noAgent')}
          hint={t('chat.noAgent.hint')}
          action={
            <Button component={Link} to="/instances?new">
              {t('chat.noAgent.action')}
            </Button>
          }
        />
      </div>
    );
  }
  return <Chat key={`${agent.id} ${session ?? ''}`} agent={agent} agents={agents} session={session} />;
}

function Chat({
  agent,
  agents,
  session,
}: {
  agent: InstanceView;
  agents: InstanceView[];
  session: string | undefined;
}) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const run = useRun(agent.id, session);
  const me = useMe();
  const profile = useQuery(profileQuery);
  const sessions = useQuery({ ...chatSessionsQuery(agent.id), enabled: false });
  // A conversation that began in this tab a moment ago has no history to ask for yet.
  const history = useQuery({
    ...historyQuery(agent.id, session ?? ''),
    enabled: !!session && run?.turn.state !== 'running',
  });
  const draftKey = session ?? newDraftKey(agent.id);
  const [draft, setDraft] = useState(() => readDraft(draftKey));
  const changeDraft = useCallback(
    (text: string) => {
      setDraft(text);
      writeDraft(draftKey, text);
    },
    [draftKey],
  );

  // What happens to the agent elsewhere (a stop, a wake) shows at once.
  useLive(`/api/v1/instances/${agent.id}/events`, (event) => {
    if (event.event !== 'instance') return;
    const view = JSON.parse(event.data) as InstanceView;
    client.setQueryData(['instance', view.id], view);
    client.setQueryData<InstanceView[]>(['instances', false], (list) =>
      list?.map((one) => (one.id === view.id ? view : one)),
    );
  });

  // Another tab, a timer or a room said something in this conversation, perhaps while nobody listened.
  const readAgain = () => void client.invalidateQueries({ queryKey: ['history', agent.id, session] });
  const awake = agent.seen === 'ready' || agent.seen === 'busy';
  useLive(
    session && awake
      ? `/api/v1/chat/sessions/${encodeURIComponent(session)}/events?agent_id=${agent.id}`
      : undefined,
    (frame) => {
      const event = JSON.parse(frame.data) as SessionEvent;
      const type = event.type ?? frame.event;
      if (type === 'run_started' && 'run_id' in event && session) followRun(agent.id, session, event.run_id);
      else readAgain();
    },
    { onAgain: readAgain },
  );

  // A history that could not be read while the agent was away can be read now.
  const { isError, refetch } = history;
  useEffect(() => {
    if (awake && isError) void refetch();
  }, [awake, isError, refetch]);

  // A run that went on while this page was away.
  const active = history.data?.active_run;
  useEffect(() => {
    if (active && session) followRun(agent.id, session, active);
  }, [active, agent.id, session]);

  const submit = (text: string, attachments: Parameters<typeof say>[3]) => {
    const key = session ?? newSessionKey();
    say(agent.id, key, text, attachments, !session);
    changeDraft('');
    if (!session) navigate(`/?agent=${agent.id}&session=${key}`);
  };

  const title = sessions.data?.find((one) => one.key === session)?.title;
  const name = profile.data?.agent_name ?? agent.name;
  return (
    <div className="chat">
      <h1 className="visually-hidden">{session ? title || name : t('nav.chat')}</h1>
      <HeaderSlot.Content>
        {agents.length > 1 ? (
          <Menu position="bottom-start">
            <Menu.Target>
              <Button
                variant="subtle"
                color="gray"
                size="compact-sm"
                rightSection={<IconChevronDown size={14} />}
              >
                {agent.name}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {agents.map((one) => (
                <Menu.Item key={one.id} onClick={() => navigate(`/?agent=${one.id}`)}>
                  {one.name}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        ) : (
          <span className="chat-title">{session ? title || name : name}</span>
        )}
        <StateBadge instance={agent} />
        <ActionIcon
          component={Link}
          to={`/?agent=${agent.id}`}
          className="only-phone"
          variant="subtle"
          color="gray"
          size={44}
          ml="auto"
          aria-label={t('chat.new')}
        >
          <IconPlus size={20} />
        </ActionIcon>
      </HeaderSlot.Content>
      <Conversation
        agent={agent}
        agentName={name}
        person={me?.display_name || me?.username || ''}
        session={session}
        history={history}
        run={run}
        asleep={isAsleep(agent)}
        onSay={submit}
        onEdit={changeDraft}
      />
      <Composer
        key={draftKey}
        draft={draft}
        onDraft={changeDraft}
        onSend={submit}
        run={run}
        agentName={name}
        asleep={isAsleep(agent)}
      />
    </div>
  );
}
