import { expect, test } from 'vitest';
import type { IncidentView, Severity } from '../api/types';
import { lasted, standing, worstFirst } from './standing';

const at = (minute: number) => new Date(Date.UTC(2027, 0, 2, 3, minute)).toISOString();
const incident = (id: string, severity: Severity, minute: number) =>
  ({ id, severity, opened_at: at(minute) }) as IncidentView;

test('what does not work stands first, then what is new', () => {
  const list = [
    incident('a', 'attention', 1),
    incident('b', 'failed', 2),
    incident('c', 'attention', 3),
    incident('d', 'failed', 4),
  ];
  expect(worstFirst(list).map((one) => one.id)).toEqual(['d', 'b', 'c', 'a']);
  // The answer of the server is left as it is.
  expect(list[0]?.id).toBe('a');
});

test('that nothing was found is good news only where everything was looked at', () => {
  const looked = (minute: number) => ({ looked_at: at(minute), error: null });
  expect(standing([looked(9), looked(4), looked(7)])).toEqual({ word: 'well', since: at(4) });
  expect(standing([looked(9), { looked_at: null, error: null }])).toEqual({ word: 'waiting' });
  expect(standing([])).toEqual({ word: 'waiting' });
  expect(standing([looked(9), { looked_at: at(2), error: 'no answer' }])).toEqual({ word: 'blind' });
  expect(standing([{ looked_at: null, error: 'no answer' }, looked(1)])).toEqual({ word: 'blind' });
});

test('how long it lasted is known once it is over', () => {
  expect(lasted({ opened_at: at(1), resolved_at: null })).toBeUndefined();
  expect(lasted({ opened_at: at(1), resolved_at: at(13) })).toBe(720_000);
  expect(lasted({ opened_at: at(13), resolved_at: at(1) })).toBe(0);
});
