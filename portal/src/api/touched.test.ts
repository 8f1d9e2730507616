import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { touched } from './touched';
import type { EvidenceView } from './types';

const entry = (action: string, resource_kind: string, resource_id: string, outcome = 'done', values = {}) =>
  ({ action, resource_kind, resource_id, outcome, values }) as EvidenceView;

test('an agent that changes renews the lists and its own page', () => {
  expect(touched(entry('instance.seen', 'instance', 'inst_1', 'ready'), 'user_1')).toEqual([
    ['instances'],
    ['timeline', 'inst_1'],
    ['instance', 'inst_1'],
  ]);
});

test('what was refused changed nothing, and stands in the timeline', () => {
  expect(touched(entry('instance.stop', 'instance', 'inst_1', 'refused'), 'user_1')).toEqual([
    ['timeline', 'inst_1'],
  ]);
  expect(touched(entry('user.create', 'user', '', 'refused'), 'user_1')).toEqual([]);
});

test('a change of oneself is one of who is here', () => {
  expect(touched(entry('user.set_role', 'user', 'user_1'), 'user_1')).toEqual([['users'], ['me']]);
  expect(touched(entry('user.set_role', 'user', 'user_2'), 'user_1')).toEqual([['users']]);
});

test('an accepted invitation is used up, and things without a list renew nothing', () => {
  expect(touched(entry('user.create', 'user', 'user_3'), 'user_1')).toEqual([['users'], ['invitations']]);
  expect(touched(entry('model.use', 'organization', 'org_1'), 'user_1')).toEqual([]);
});

test('whatever is said about a proposal renews what waits, the lists and its own page', () => {
  for (const action of ['create', 'approve', 'reject', 'withdraw', 'settle'])
    expect(touched(entry(`proposal.${action}`, 'proposal', 'prop_1'), 'user_1')).toEqual([['proposals']]);
});

test('steps renew operations, and an end also the agents that it lets go of', () => {
  for (const action of ['step', 'undo', 'cancel', 'resolve'])
    expect(touched(entry(`operation.${action}`, 'operation', 'op_1', 'failed'), 'user_1')).toEqual([
      ['operations'],
    ]);
  expect(touched(entry('operation.settle', 'operation', 'op_1', 'undone'), 'user_1')).toEqual([
    ['operations'],
    ['instances'],
    ['instance'],
  ]);
  expect(touched(entry('instance.change_engine', 'instance', 'inst_1'), 'user_1')).toContainEqual([
    'operations',
  ]);
});

test('a new secret key renews how the keys are, and so does every step of what follows it', () => {
  const rotated = touched(entry('key.rotate', 'settings', ''), 'user_1');
  expect(rotated).toContainEqual(['keys']);
  expect(rotated).toContainEqual(['operations']);
  expect(touched(entry('key.rotate', 'settings', '', 'refused'), 'user_1')).toEqual([]);
  for (const action of ['step', 'settle']) {
    const of = (kind: string) =>
      touched(entry(`operation.${action}`, 'operation', 'op_1', 'done', { kind }), 'user_1');
    expect(of('key.rotate')).toContainEqual(['keys']);
    expect(of('instance.change_engine')).not.toContainEqual(['keys']);
  }
});

test('what breaks, is mended or is looked after renews incidents, and what the checks found', () => {
  for (const action of ['open', 'patch', 'resolve', 'acknowledge'])
    expect(touched(entry(`incident.${action}`, 'incident', 'inc_1'), 'user_1')).toEqual([
      ['incidents'],
      ['checks'],
    ]);
});

test('access rules may change what somebody may do', () => {
  expect(touched(entry('policy.update', 'settings', 'org_1'), 'user_1')).toContainEqual(['policy']);
  expect(touched(entry('policy.reset', 'settings', 'org_1'), 'user_1')).toContainEqual(['me']);
  expect(touched(entry('settings.update', 'settings', 'org_1'), 'user_1')).not.toContainEqual(['me']);
});

test('every key is one that something asks', () => {
  const asked = readFileSync(join(import.meta.dirname, 'queries.ts'), 'utf8');
  const kinds = readFileSync(join(import.meta.dirname, 'touched.ts'), 'utf8');
  const named = [...kinds.matchAll(/\['([a-z-]+)'/g)].map(([, key]) => key);
  expect(named.length).toBeGreaterThan(12);
  for (const key of named) expect(asked).toContain(`queryKey: ['${key}'`);
});
