import { expect, test } from 'vitest';
import type { DryRun, ProposalVoteView, Role } from '../api/types';
import { differences, given } from './progress';

const vote = (role: Role, verdict: 'approve' | 'reject' = 'approve', by: object | null = {}) =>
  ({ role, verdict, by }) as ProposalVoteView;

test('a stronger role counts as a weaker one, up to what is demanded', () => {
  const votes = [vote('owner'), vote('admin')];
  expect(given({ role: 'admin', count: 3 }, votes)).toBe(2);
  expect(given({ role: 'owner', count: 2 }, votes)).toBe(1);
  expect(given({ role: 'member', count: 1 }, votes)).toBe(1);
});

test('a rejection is no approval, and who was deleted does not count', () => {
  expect(given({ role: 'admin', count: 1 }, [vote('owner', 'reject')])).toBe(0);
  expect(given({ role: 'admin', count: 1 }, [vote('owner', 'approve', null)])).toBe(0);
});

const run = (values: object, instances: string[] = []) => ({ values, instances }) as unknown as DryRun;

test('differences are told value by value, also what came and went', () => {
  expect(differences(run({ a: 1, b: [2], c: 3 }), run({ a: 1, b: [2, 4], d: 5 }))).toEqual([
    { part: 'value', field: 'b', was: [2], is: [2, 4] },
    { part: 'value', field: 'c', was: 3, is: undefined },
    { part: 'value', field: 'd', was: undefined, is: 5 },
  ]);
});

test('other agents looked at are a difference too', () => {
  expect(differences(run({ a: 1 }, ['x']), run({ a: 1 }, ['x', 'y']))).toEqual([
    { part: 'instances', was: ['x'], is: ['x', 'y'] },
  ]);
  expect(differences(run({ a: 1 }, ['x']), run({ a: 1 }, ['x']))).toEqual([]);
});

test('other steps are a difference too, and none are as good as an empty list of them', () => {
  const stepped = { ...run({}), steps: ['stop', 'switch'] };
  expect(differences(run({}), stepped)).toEqual([{ part: 'steps', was: [], is: ['stop', 'switch'] }]);
  expect(differences(run({}), { ...run({}), steps: [] })).toEqual([]);
});

test('what is made anew each time is no difference', () => {
  const once = { ...run({ name: 'a', expires_at: 1 }), fresh: ['expires_at'] };
  const again = { ...run({ name: 'b', expires_at: 2 }), fresh: ['expires_at'] };
  expect(differences(once, again)).toEqual([{ part: 'value', field: 'name', was: 'a', is: 'b' }]);
});
