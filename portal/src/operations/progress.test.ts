import { expect, test } from 'vitest';
import type { OperationState, OperationStepView, OperationView, StepState } from '../api/types';
import { duration } from '../ui/format';
import { current, engines, generation, goesBack, isMoving, isSomething, took, tookInAll } from './progress';

const at = (second: number) => new Date(Date.UTC(2027, 0, 2, 3, 4, second)).toISOString();
const step = (state: StepState, more: Partial<OperationStepView> = {}) =>
  ({ name: 'stop', state, attempts: 0, ...more }) as OperationStepView;
const operation = (state: OperationState, steps: OperationStepView[], reason: string | null = null) =>
  ({ state, steps, reason }) as OperationView;

test('the present step is the one that is worked on, or that it got stuck in', () => {
  expect(current(operation('running', [step('done'), step('running'), step('pending')]))).toBe(1);
  expect(current(operation('undoing', [step('undoing'), step('undone')]))).toBe(0);
  expect(current(operation('stuck', [step('done'), step('failed')]))).toBe(1);
  expect(current(operation('pending', [step('pending')]))).toBe(-1);
  expect(current(operation('done', [step('done')]))).toBe(-1);
});

test('one that is stuck on its way back is told from one that is stuck forwards', () => {
  expect(goesBack(operation('running', [step('running')]))).toBe(false);
  expect(goesBack(operation('undoing', [step('undoing')], 'cancelled by ada'))).toBe(true);
  expect(goesBack(operation('undone', [step('undone')]))).toBe(true);
  const forwards = [step('done'), step('failed', { error: 'no room' })];
  expect(goesBack(operation('stuck', forwards, 'no room'))).toBe(false);
  expect(goesBack(operation('stuck', forwards, 'cancelled by ada'))).toBe(true);
  const after = step('skipped', { undone_at: at(9) });
  expect(goesBack(operation('stuck', [step('failed', { error: 'x' }), after], 'x'))).toBe(true);
});

test('only what goes on by itself is asked again', () => {
  const states: OperationState[] = ['pending', 'running', 'undoing', 'done', 'undone', 'stuck'];
  expect(states.filter((state) => isMoving(operation(state, [])))).toEqual(['pending', 'running', 'undoing']);
});

test('times are of the direction that the step went last', () => {
  const now = Date.parse(at(30));
  const times = { started_at: at(1), ended_at: at(5) };
  expect(took(step('pending'), false, now)).toBeUndefined();
  expect(took(step('done', times), false, now)).toBe(4000);
  expect(took(step('failed', times), false, now)).toBe(4000);
  expect(took(step('failed', times), true, now)).toBeUndefined();
  expect(took(step('running', { started_at: at(10), ended_at: at(5) }), false, now)).toBe(20_000);
  expect(took(step('undoing', times), true, now)).toBe(25_000);
  expect(took(step('undone', { ...times, undone_at: at(7) }), true, now)).toBe(2000);
  expect(took(step('skipped', { ...times, undone_at: at(8) }), true, now)).toBe(3000);
  // A clock of the server's that is ahead.
  expect(took(step('running', { started_at: at(40) }), false, now)).toBe(0);
  expect(tookInAll({ started_at: at(1), settled_at: at(20) }, now)).toBe(19_000);
  expect(tookInAll({ started_at: at(1) }, now)).toBe(29_000);
  expect(tookInAll({}, now)).toBeUndefined();
});

test('what the steps were given is read only as far as it is known', () => {
  expect(engines({ from_engine_version: '1', engine_version: '2' })).toEqual({ from: '1', to: '2' });
  expect(engines({ engine_version: '2' })).toBeUndefined();
  expect(engines(null)).toBeUndefined();
  expect(generation('key.rotate', { generation: 4 })).toBe(4);
  expect(generation('instance.create', { generation: 4 })).toBeUndefined();
  expect(generation('key.rotate', null)).toBeUndefined();
  expect([null, undefined, {}, []].map(isSomething)).toEqual([false, false, false, false]);
  expect([{ a: null }, 'text', 0].map(isSomething)).toEqual([true, true, true]);
});

test('durations are told in two units at most', () => {
  expect([0, 400, 1400, 59_999, 61_000, 120_000, 3_720_000].map(duration)).toEqual([
    '<1s',
    '<1s',
    '1s',
    '59s',
    '1m 1s',
    '2m',
    '1h 2m',
  ]);
});
