import { expect, test } from 'vitest';
import type { EvidenceView } from '../api/types';
import { filterOf, matches, queryOf } from './filter';

const entry = {
  seq: 7,
  at: '2026-11-20T12:00:00Z',
  actor_kind: 'user',
  actor_id: 'user_1',
  action: 'instance.start',
  resource_kind: 'instance',
  resource_id: 'inst_1',
  outcome: 'done',
} as EvidenceView;

test('an address gives a filter, and nonsense in it gives none', () => {
  const params = new URLSearchParams('actor=user_1&action=instance.&from=2026-11-20&to=soon&seq=3&outcome=+');
  expect(filterOf(params)).toEqual({ actor: 'user_1', action: 'instance.', from: '2026-11-20' });
});

test('days are whole days of the reader, the last one included', () => {
  const query = queryOf({ from: '2026-11-20', to: '2026-11-20', outcome: 'done' });
  expect(query.outcome).toBe('done');
  expect(query.from).toBe(new Date(2026, 10, 20).toISOString());
  expect(query.to).toBe(new Date(2026, 10, 21).toISOString());
  const at = (moment: Date) => matches(query, { ...entry, at: moment.toISOString() });
  expect(at(new Date(2026, 10, 20, 0, 0, 0))).toBe(true);
  expect(at(new Date(2026, 10, 20, 23, 59, 59))).toBe(true);
  expect(at(new Date(2026, 10, 21))).toBe(false);
  expect(at(new Date(2026, 10, 19, 23, 59, 59))).toBe(false);
});

test('an entry matches as the server would say', () => {
  expect(matches({}, entry)).toBe(true);
  expect(matches({ actor: 'user_1', action: 'instance.start', resource_id: 'inst_1' }, entry)).toBe(true);
  expect(matches({ action: 'instance.' }, entry)).toBe(true);
  expect(matches({ action: 'instance' }, entry)).toBe(false);
  expect(matches({ action: 'inst.' }, entry)).toBe(false);
  expect(matches({ actor: 'system' }, entry)).toBe(false);
  expect(matches({ actor: 'system' }, { ...entry, actor_kind: 'system', actor_id: '' })).toBe(true);
  expect(matches({ outcome: 'refused' }, entry)).toBe(false);
});
