// The messages: history, then the turn that is going on. Follows the newest word unless the reader scrolled away.
import { ActionIcon, Button, Skeleton, Text, Title, Tooltip } from '@mantine/core';
import { IconArrowDown, IconLoader2, IconMoon, IconPlayerStop } from '@tabler/icons-react';
import { type UseQueryResult, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { api } from '../api/client';
import { asProblem } from '../api/problem';
import { chatSessionsQuery, historyQuery } from '../api/queries';
import type { Attachment, ChatHistory, InstanceView } from '../api/types';
import { t } from '../strings';
import { Empty, ProblemAlert } from '../ui/bits';
import { LiveTurn } from './LiveTurn';
import { Message } from './Message';
import { preloadProse } from './Prose';
import { dismiss, hasQuestion, isOfRun, questionOf, type Run } from './runs';
import { isOperated, isStopped, StartAgent } from './StartAgent';

interface Props {
  agent: InstanceView;
  agentName: string;
  person: string;
  session: string | undefined;
  history: UseQueryResult<ChatHistory>;
  run: Run | undefined;
  asleep: boolean;
  onSay: (text: string, attachments: Attachment[]) => void;
  onEdit: (text: string) => void;
}

/** Pixels from the end within which the view sticks to the newest word. */
const NEAR = 80;

export function Conversation(props: Props) {
  const { history, run, session, agent } = props;
  const scroll = useRef<HTMLElement>(null);
  const column = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const [away, setAway] = useState(false);

  const toEnd = useCallback(() => {
    const box = scroll.current;
    if (box) box.scrollTop = box.scrollHeight;
  }, []);

  // Content grows in many ways (words, highlighting, images of text): follow its size, not its causes.
  useEffect(preloadProse, []);
  useEffect(() => {
    if (!column.current) return;
    const watch = new ResizeObserver(() => stuck.current && toEnd());
    watch.observe(column.current);
    return () => watch.disconnect();
  }, [toEnd]);

  const runId = run?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn brings the view to the end
  useLayoutEffect(() => {
    stuck.current = true;
    setAway(false);
    toEnd();
  }, [runId, toEnd]);

  const onScroll = () => {
    const box = scroll.current;
    if (!box) return;
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    stuck.current = near;
    setAway(!near);
  };

  const messages = (history.data?.messages ?? []).filter((message) => !run || !isOfRun(message, run));
  const question = run && questionOf(run);
  const lastUser = messages.findLast((one) => one.role === 'user');
  const problem = history.error && !history.data ? asProblem(history.error) : undefined;
  const isEmpty = messages.length === 0 && !run;
  // A conversation that nobody has spoken in yet is not an error.
  const unknown = problem?.status === 404;

  return (
    <div className="chat-stage">
      <section
        className="chat-scroll"
        ref={scroll}
        onScroll={onScroll}
        tabIndex={0}
        aria-label={t('chat.messages')}
      >
        <div className="chat-column" ref={column}>
          {session && history.data?.has_more && <Older agent={agent.id} session={session} />}
          {session && !run && history.isPending && !problem && (
            <div aria-busy="true">
              <Skeleton height={44} width="55%" ml="auto" radius="lg" animate={false} />
              <Skeleton height={96} mt="lg" radius="lg" animate={false} />
            </div>
          )}
          {problem &&
            !run &&
            !unknown &&
            problem.status === 409 &&
            (isOperated(agent) ? (
              <Empty
                icon={<IconLoader2 size={36} stroke={1.4} className="spin" aria-hidden />}
                title={t('chat.operated')}
                hint={t('chat.operated.history')}
              />
            ) : isStopped(agent) ? (
              <Empty
                icon={<IconPlayerStop size={36} stroke={1.4} aria-hidden />}
                title={t('chat.stopped')}
                hint={t('chat.stopped.history')}
                action={<StartAgent id={agent.id} />}
              />
            ) : (
              <Sleeping agent={agent.id} session={session ?? ''} />
            ))}
          {problem && !run && !unknown && problem.status !== 409 && (
            <ProblemAlert error={problem} onRetry={() => void history.refetch()} />
          )}
          {isEmpty && (!session || history.data || unknown) && (
            <Welcome person={props.person} agentName={props.agentName} onPick={props.onEdit} />
          )}
          {messages.map((message, i) => (
            <Message
              key={message.id}
              message={message}
              onEdit={message.role === 'user' ? props.onEdit : undefined}
              onRetry={
                !run && i === messages.length - 1 && message.role === 'assistant' && lastUser
                  ? () => props.onSay(lastUser.text, [])
                  : undefined
              }
            />
          ))}
          {run && (
            <LiveTurn
              run={run}
              agentName={props.agentName}
              question={hasQuestion(messages, run) ? undefined : question}
              stopped={isStopped(agent)}
              onRetry={
                (question ?? lastUser) === undefined
                  ? undefined
                  : () => {
                      dismiss(run.agent, run.session);
                      props.onSay((question ?? lastUser)?.text ?? '', run.attachments);
                    }
              }
              onDismiss={() => dismiss(run.agent, run.session)}
            />
          )}
        </div>
      </section>
      {away && (
        <Tooltip label={t('chat.toNewest')}>
          <ActionIcon
            className="to-newest"
            variant="default"
            radius="xl"
            size={40}
            aria-label={t('chat.toNewest')}
            onClick={() => {
              stuck.current = true;
              setAway(false);
              toEnd();
            }}
          >
            <IconArrowDown size={18} />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  );
}

/** Older messages on demand, put in front without a jump. */
function Older({ agent, session }: { agent: string; session: string }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const load = async () => {
    setBusy(true);
    setError(null);
    const { queryKey } = historyQuery(agent, session);
    try {
      const known = client.getQueryData<ChatHistory>(queryKey);
      const older = await api.get<ChatHistory>(
        `/api/v1/chat/sessions/${encodeURIComponent(session)}/history`,
        {
          query: { agent_id: agent, limit: 100, offset: known?.messages.length ?? 0 },
        },
      );
      client.setQueryData<ChatHistory>(queryKey, (now) => {
        if (!now) return older;
        const ids = new Set(now.messages.map((one) => one.id));
        return {
          ...now,
          has_more: older.has_more,
          messages: [...older.messages.filter((one) => !ids.has(one.id)), ...now.messages],
        };
      });
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div style={{ textAlign: 'center' }}>
      <ProblemAlert error={error} />
      <Button variant="subtle" size="xs" loading={busy} onClick={() => void load()}>
        {t('chat.older')}
      </Button>
    </div>
  );
}

/** The history lies in the agent's own instance, which sleeps. */
function Sleeping({ agent, session }: { agent: string; session: string }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const wake = async () => {
    setBusy(true);
    setError(null);
    try {
      const history = await api.get<ChatHistory>(
        `/api/v1/chat/sessions/${encodeURIComponent(session)}/history`,
        {
          query: { agent_id: agent, limit: 100, wake: true },
        },
      );
      client.setQueryData(historyQuery(agent, session).queryKey, history);
      void client.invalidateQueries({ queryKey: chatSessionsQuery(agent).queryKey });
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Empty
        icon={<IconMoon size={36} stroke={1.4} aria-hidden />}
        title={t('chat.asleep')}
        hint={t('chat.asleep.history')}
        action={
          <Button loading={busy} onClick={() => void wake()}>
            {t('chat.wake')}
          </Button>
        }
      />
      <ProblemAlert error={error} />
    </>
  );
}

const IDEAS = ['chat.idea.1', 'chat.idea.2', 'chat.idea.3', 'chat.idea.4'] as const;

function Welcome(props: { person: string; agentName: string; onPick: (text: string) => void }) {
  return (
    <div className="welcome">
      <Title order={2} fz="1.5rem">
        {t('chat.welcome', { name: props.person })}
      </Title>
      <Text c="dimmed">{t('chat.welcome.hint', { agent: props.agentName })}</Text>
      <div className="ideas">
        {IDEAS.map((key) => (
          <button type="button" key={key} className="idea" onClick={() => props.onPick(t(key))}>
            {t(key)}
          </button>
        ))}
      </div>
    </div>
  );
}
