// The runs of this tab. They live outside the pages, so that leaving the chat for the settings stops nothing,
// and they mend themselves: a lost connection is resumed at the last event.
import { useSyncExternalStore } from 'react';
import { api, send } from '../api/client';
import { backoff, isTransient, markLost, openStream, pause } from '../api/live';
import { type ApiProblem, asProblem, offline } from '../api/problem';
import { historyQuery, queryClient } from '../api/queries';
import { socketIsOpen } from '../api/socket';
import { events, type SseEvent } from '../api/sse';
import type { Attachment, AttachmentNote, ChatHistory, ChatMessage } from '../api/types';
import { t } from '../strings';
import { problemWords } from '../ui/bits';
import { chatEvent, emptyTurn, fold, type Turn } from './turn';

export interface Run {
  /** Unique in this tab. */
  id: string;
  agent: string;
  session: string;
  /** What the person said; absent when another tab or a timer began the run. */
  message: string | undefined;
  attachments: Attachment[];
  startedAt: number;
  turn: Turn;
  /** The newest message of the history when the run began. */
  after: string | undefined;
  stopping: boolean;
  /** The conversation began with this message and is named after it. */
  first: boolean;
}

interface Entry {
  run: Run;
  leave: AbortController;
  lastId: string | undefined;
}

const entries = new Map<string, Entry>();
const listeners = new Set<() => void>();
let scheduled = false;

const slot = (agent: string, session: string) => `${agent} ${session}`;

/** At most one redraw per frame, however fast the words come. */
function notify(): void {
  if (scheduled) return;
  scheduled = true;
  const flush = () => {
    scheduled = false;
    for (const listener of listeners) listener();
  };
  if (document.hidden) setTimeout(flush, 50);
  else requestAnimationFrame(flush);
}

function update(entry: Entry, change: Partial<Run>): void {
  entry.run = { ...entry.run, ...change };
  notify();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useRun(agent: string | undefined, session: string | undefined): Run | undefined {
  return useSyncExternalStore(subscribe, () =>
    agent && session ? entries.get(slot(agent, session))?.run : undefined,
  );
}

/** Whether a conversation of this tab is being answered right now. */
export function useIsRunning(agent: string | undefined, session: string): boolean {
  return useSyncExternalStore(
    subscribe,
    () => !!agent && entries.get(slot(agent, session))?.run.turn.state === 'running',
  );
}

function newestMessage(agent: string, session: string): string | undefined {
  return queryClient.getQueryData<ChatHistory>(historyQuery(agent, session).queryKey)?.messages.at(-1)?.id;
}

function begin(
  agent: string,
  session: string,
  message: string | undefined,
  attachments: Attachment[],
): Entry {
  entries.get(slot(agent, session))?.leave.abort();
  const entry: Entry = {
    run: {
      id: crypto.randomUUID?.() ?? String(Math.random()),
      agent,
      session,
      message,
      attachments,
      startedAt: Date.now(),
      turn: emptyTurn,
      after: newestMessage(agent, session),
      stopping: false,
      first: false,
    },
    leave: new AbortController(),
    lastId: undefined,
  };
  entries.set(slot(agent, session), entry);
  notify();
  return entry;
}

/** Sends a message and follows its answer. */
export function say(
  agent: string,
  session: string,
  message: string,
  attachments: Attachment[] = [],
  first = false,
): void {
  const entry = begin(agent, session, message, attachments);
  entry.run = { ...entry.run, first };
  void drive(entry, () =>
    send(
      'POST',
      '/api/v1/chat/stream',
      { agent_id: agent, session, message, ...(attachments.length ? { attachments } : {}) },
      { headers: { accept: 'text/event-stream' }, signal: entry.leave.signal },
    ),
  );
}

/** Follows a run that somebody else began, or this person before a reload. */
export function followRun(agent: string, session: string, runId: string): void {
  const known = entries.get(slot(agent, session))?.run;
  if (known && (known.turn.runId === runId || known.turn.state === 'running')) return;
  const entry = begin(agent, session, undefined, []);
  entry.run = { ...entry.run, turn: { ...emptyTurn, runId } };
  void drive(entry, undefined);
}

async function drive(entry: Entry, open: (() => Promise<Response>) | undefined): Promise<void> {
  const { signal } = entry.leave;
  const key = entry.run;
  const lost = Symbol(key.id);
  let tries = 0;
  let first = open;
  try {
    while (!signal.aborted && entry.run.turn.state === 'running') {
      try {
        const sent = first !== undefined;
        const stream = first ? events(await first()) : await resume(entry);
        first = undefined;
        markLost(lost, false);
        let moves = false;
        for await (const frame of stream) {
          if (signal.aborted) return;
          tries = 0;
          entry.lastId = frame.id ?? entry.lastId;
          const event = chatEvent(frame);
          if (event) update(entry, { turn: fold(entry.run.turn, event) });
          // The request that carried the message would keep a connection to the end of the answer.
          moves = sent && !!entry.run.turn.runId && socketIsOpen();
          if (moves) break;
        }
        if (entry.run.turn.state !== 'running') break;
        if (!moves) throw offline();
      } catch (error) {
        if (signal.aborted) return;
        const problem = asProblem(error);
        // Without a run id nothing is known to have begun: the person decides about sending again.
        if (!entry.run.turn.runId || !isTransient(error)) {
          if (problem.code === 'run-gone' || problem.status === 404) {
            await gone(entry);
            return;
          }
          fail(entry, problem);
          break;
        }
        first = undefined;
        markLost(lost, true);
        await pause(backoff(tries), signal);
        tries += 1;
      }
    }
  } finally {
    markLost(lost, false);
  }
  if (!signal.aborted) await settle(entry);
}

function resume(entry: Entry): Promise<AsyncIterable<SseEvent>> {
  return openStream(`/api/v1/chat/runs/${entry.run.turn.runId}/events`, entry.lastId, entry.leave.signal);
}

function fail(entry: Entry, problem: ApiProblem): void {
  const words = problemWords(problem);
  update(entry, {
    turn: {
      ...entry.run.turn,
      state: 'failed',
      phase: undefined,
      error: {
        code: problem.code,
        message: words.detail ? `${words.title}. ${words.detail}` : words.title,
        remedy: words.remedy,
        provider: undefined,
      },
    },
  });
}

/** The server knows nothing of the run any more: its answer stands in the history, or broke off with a restart. */
async function gone(entry: Entry): Promise<void> {
  const { agent, session } = entry.run;
  const history = await queryClient
    .fetchQuery({ ...historyQuery(agent, session), staleTime: 0 })
    .catch(() => undefined);
  if (entry.leave.signal.aborted) return;
  const answered = history?.active_run || history?.messages.at(-1)?.role === 'assistant';
  if (!answered && entry.run.turn.text) {
    update(entry, {
      turn: {
        ...entry.run.turn,
        state: 'failed',
        phase: undefined,
        error: {
          code: 'run-gone',
          message: t('chat.interrupted'),
          remedy: t('chat.interrupted.remedy'),
          provider: undefined,
        },
      },
    });
  }
  await settle(entry);
}

/** Hands a finished turn over to the history: at once from memory, then as the server tells it. */
async function settle(entry: Entry): Promise<void> {
  const { agent, session, turn } = entry.run;
  const query = historyQuery(agent, session);
  if (turn.state === 'done' || turn.state === 'stopped') {
    queryClient.setQueryData<ChatHistory>(query.queryKey, (history) => withTurn(history, entry.run));
  }
  if (turn.state !== 'failed' && entries.get(slot(agent, session)) === entry) {
    entries.delete(slot(agent, session));
  }
  notify();
  if (turn.state === 'done' && entry.run.first) await name(entry.run);
  void queryClient.invalidateQueries({ queryKey: ['chat-sessions', agent] });
  void queryClient.invalidateQueries({ queryKey: query.queryKey });
  void queryClient.invalidateQueries({ queryKey: ['instances'] });
}

/** The history with a finished turn at its end. */
export function withTurn(history: ChatHistory | undefined, run: Run): ChatHistory {
  const question = questionOf(run);
  const added: ChatMessage[] = [];
  const base = {
    at: new Date(run.startedAt).toISOString(),
    model: null,
    error: null,
    usage: null,
    tools: [],
    attachments: [],
    run_id: run.turn.runId ?? null,
  };
  if (question && !hasQuestion(history?.messages ?? [], run)) {
    const { text, files } = question;
    added.push({ ...base, id: `${run.id}-user`, role: 'user', text, attachments: files });
  }
  added.push({
    ...base,
    id: `${run.id}-assistant`,
    role: 'assistant',
    text: run.turn.text,
    at: new Date().toISOString(),
    usage: run.turn.usage ?? null,
    tools: run.turn.tools.map((tool) => ({
      id: tool.id,
      name: tool.name,
      summary: tool.outcome ?? tool.asked ?? null,
      failed: tool.phase === 'failed',
    })),
  });
  const old = (history?.messages ?? []).filter((one) => !isOfRun(one, run));
  return {
    session: run.session,
    has_more: history?.has_more ?? false,
    active_run: null,
    messages: [...old, ...added],
  };
}

/** What a run answers: as this tab sent it, or as the server tells those who did not. */
export function questionOf(run: Run): { text: string; files: AttachmentNote[] } | undefined {
  if (run.message === undefined) return run.turn.asked;
  return { text: run.message, files: run.attachments };
}

/** Whether the history has the question of a run already. The same words may have been asked before. */
export function hasQuestion(messages: ChatMessage[], run: Run): boolean {
  const users = messages.filter((one) => one.role === 'user');
  if (users.some((one) => one.run_id != null && one.run_id === run.turn.runId)) return true;
  const text = questionOf(run)?.text;
  return newMessages(messages, run).some(
    (one) => one.role === 'user' && one.run_id == null && one.text === text,
  );
}

/** Messages that came into the history since the run began. */
function newMessages(messages: ChatMessage[], run: Run): ChatMessage[] {
  if (run.after === undefined) return messages;
  const at = messages.findIndex((one) => one.id === run.after);
  if (at >= 0) return messages.slice(at + 1);
  // The message was known by an id of this tab until the server told its own: what followed the last question is new
  // unless another turn has answered it.
  const asked = messages.findLastIndex((one) => one.role === 'user');
  const tail = asked < 0 ? [] : messages.slice(asked);
  return tail.some((one) => one.role === 'assistant' && !isOfRun(one, run)) ? [] : tail;
}

export function isOfRun(message: ChatMessage, run: Run): boolean {
  return message.role === 'assistant' && message.run_id != null && message.run_id === run.turn.runId;
}

export async function stop(run: Run): Promise<void> {
  const entry = entries.get(slot(run.agent, run.session));
  if (!entry || entry.run.id !== run.id) return;
  update(entry, { stopping: true });
  if (!run.turn.runId) {
    // Not begun yet: leaving is all there is to do.
    entry.leave.abort();
    entries.delete(slot(run.agent, run.session));
    notify();
    return;
  }
  try {
    await api.post(`/api/v1/chat/runs/${run.turn.runId}/abort`);
  } catch (error) {
    if (asProblem(error).status !== 410 && asProblem(error).status !== 404)
      update(entry, { stopping: false });
  }
}

/** Names a new conversation by its first words; a name that the gateway refuses (taken, for example) is let go. */
async function name(run: Run): Promise<void> {
  const title = firstWords(run.message ?? '');
  if (!title) return;
  await api
    .patch(
      `/api/v1/chat/sessions/${encodeURIComponent(run.session)}`,
      { title },
      { query: { agent_id: run.agent } },
    )
    .catch(() => {});
}

/** The first line, cut between words where it is long. */
export function firstWords(text: string, longest = 60): string {
  const line = text.trim().split('\n', 1)[0]?.trim() ?? '';
  if (line.length <= longest) return line;
  return `${line.slice(0, longest).replace(/\s+\S*$/, '')}…`;
}

/** Takes a failed turn off the screen. */
export function dismiss(agent: string, session: string): void {
  const entry = entries.get(slot(agent, session));
  if (!entry || entry.run.turn.state === 'running') return;
  entries.delete(slot(agent, session));
  notify();
}
