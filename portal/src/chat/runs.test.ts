import { expect, test } from 'vitest';
import type { ChatMessage } from '../api/types';
import { hasQuestion, questionOf, type Run, withTurn } from './runs';
import { emptyTurn, type Turn } from './turn';

const said = (
  role: 'user' | 'assistant',
  text: string,
  run: string | null,
  id = `${run} ${role}`,
): ChatMessage => ({
  id,
  role,
  text,
  run_id: run,
  at: null,
  model: null,
  usage: null,
  error: null,
  tools: [],
  attachments: [],
});

const run = (message: string | undefined, turn: Partial<Turn>, after?: string): Run => ({
  id: 'local',
  agent: 'inst_1',
  session: 's',
  message,
  attachments: [],
  startedAt: 0,
  turn: { ...emptyTurn, ...turn },
  after,
  stopping: false,
  first: false,
});

const before = [said('user', 'again', 'crun_1'), said('assistant', 'yes', 'crun_1')];

test('the same words asked before are not taken for the question, also when no message was known yet', () => {
  for (const turn of [{}, { runId: 'crun_2' }]) expect(hasQuestion(before, run('again', turn))).toBe(false);
  const now = [...before, said('user', 'again', 'crun_2')];
  expect(hasQuestion(now, run('again', { runId: 'crun_2' }))).toBe(true);
});

test('a message that names no run is known by its words, among those that are new', () => {
  const old = [said('user', 'again', null, 'm1'), said('assistant', 'yes', null, 'm2')];
  expect(hasQuestion(old, run('again', { runId: 'crun_2' }, 'm2'))).toBe(false);
  const now = [...old, said('user', 'again', null, 'm3')];
  expect(hasQuestion(now, run('again', { runId: 'crun_2' }, 'm2'))).toBe(true);
});

test('who did not ask is told what was asked', () => {
  const asked = { text: 'from elsewhere', files: [{ name: 'red.png', mime_type: 'image/png' }] };
  const followed = run(undefined, { runId: 'crun_2', asked, state: 'done', text: 'an answer' });
  expect(questionOf(followed)).toEqual(asked);
  const history = withTurn({ session: 's', has_more: false, active_run: null, messages: before }, followed);
  expect(history.messages.slice(2)).toMatchObject([
    { role: 'user', text: 'from elsewhere', run_id: 'crun_2', attachments: asked.files },
    { role: 'assistant', text: 'an answer', run_id: 'crun_2' },
  ]);
});
