import { expect, test } from 'vitest';
import type { ChatEvent } from '../api/types';
import { chatEvent, emptyTurn, fold, type Turn } from './turn';

const play = (...events: ChatEvent[]): Turn => events.reduce(fold, emptyTurn);
const RUN: ChatEvent = { type: 'run', run_id: 'crun_1', session: 's', agent_id: 'inst_1' };

test('words add up, and a replacement forgets those before', () => {
  expect(play(RUN, { type: 'delta', text: 'a' }, { type: 'delta', text: 'b' }).text).toBe('ab');
  expect(play(RUN, { type: 'delta', text: 'a' }, { type: 'delta', text: 'b', replace: true }).text).toBe('b');
});

test('a run that is read again from its start shows nothing twice', () => {
  const turn = play(RUN, { type: 'delta', text: 'a' }, RUN, { type: 'delta', text: 'a' });
  expect(turn.text).toBe('a');
  expect(turn.runId).toBe('crun_1');
});

test('the final text is the whole answer, and a stopped one keeps what was read', () => {
  expect(play(RUN, { type: 'delta', text: 'par' }, { type: 'final', text: 'whole' })).toMatchObject({
    state: 'done',
    text: 'whole',
  });
  expect(play(RUN, { type: 'delta', text: 'par' }, { type: 'final', text: '', aborted: true })).toMatchObject(
    {
      state: 'stopped',
      text: 'par',
    },
  );
});

test('how far the engine is shows until the next thing happens', () => {
  const installing = { phase: 'unpack', packages_done: 3, packages_total: 9, bytes: 10, bytes_total: 99 };
  const waiting = play(RUN, { type: 'status', phase: 'installing', installing });
  expect(waiting).toMatchObject({ phase: 'installing', installing });
  expect(fold(waiting, { type: 'status', phase: 'starting' }).installing).toBeUndefined();
});

test('nothing changes after the end', () => {
  const turn = play(RUN, { type: 'final', text: 'x' });
  expect(fold(turn, { type: 'delta', text: 'y' })).toBe(turn);
  expect(fold(turn, RUN)).toBe(turn);
});

test('a tool keeps what it was asked beside what came of it', () => {
  const turn = play(
    RUN,
    { type: 'tool', id: '1', name: 'exec', phase: 'start', summary: 'ls' },
    { type: 'tool', id: '2', name: 'read', phase: 'start' },
    { type: 'tool', id: '1', name: 'exec', phase: 'failed', summary: 'exit 1' },
  );
  expect(turn.tools).toEqual([
    { id: '1', name: 'exec', phase: 'failed', asked: 'ls', outcome: 'exit 1' },
    { id: '2', name: 'read', phase: 'start', asked: undefined, outcome: undefined },
  ]);
});

test('an approval is replaced by its decision', () => {
  const turn = play(
    RUN,
    { type: 'approval', id: 'a', command: 'rm x' },
    { type: 'approval', id: 'a', command: 'rm x', decision: 'deny' },
  );
  expect(turn.approvals).toEqual([{ id: 'a', command: 'rm x', expiresAt: undefined, decision: 'deny' }]);
});

test('an error ends the turn with cause and remedy', () => {
  const turn = play(RUN, { type: 'error', code: 'timeout', message: 'm', remedy: 'r' });
  expect(turn.state).toBe('failed');
  expect(turn.error).toMatchObject({ code: 'timeout', message: 'm', remedy: 'r' });
});

test('events of a newer server are passed over', () => {
  expect(play(RUN, { type: 'news' } as never).runId).toBe('crun_1');
});

test('the type comes from the data or from the frame, and broken data is nothing', () => {
  expect(chatEvent({ event: 'delta', data: '{"text":"a"}' })).toEqual({ type: 'delta', text: 'a' });
  expect(chatEvent({ event: 'delta', data: '{' })).toBeUndefined();
  expect(chatEvent({ event: 'delta', data: '3' })).toBeUndefined();
});
