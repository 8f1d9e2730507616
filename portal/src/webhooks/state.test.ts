import { expect, test } from 'vitest';
import { standing, standingOf } from './state';

const well = {
  enabled: true,
  last_error: null,
  dead: 0,
  waiting: 0,
  last_delivered_at: '2026-11-24T08:00:00Z',
};
const word = (change: Partial<Parameters<typeof standing>[0]>) => standing({ ...well, ...change }).word;

test('of several things that are true of a webhook the worst is said', () => {
  expect(word({})).toBe('webhook.state.works');
  expect(word({ last_delivered_at: null })).toBe('webhook.state.new');
  expect(word({ waiting: 2 })).toBe('webhook.state.sending');
  expect(word({ waiting: 2, dead: 1 })).toBe('webhook.state.dead');
  expect(word({ waiting: 2, dead: 1, last_error: 'it answered 503' })).toBe('webhook.state.failing');
  expect(word({ enabled: false, last_error: 'it answered 503' })).toBe('webhook.state.paused');
});

test('a message that failed and is tried again is not yet given up', () => {
  expect(standingOf({ state: 'pending' }).tone).toBe('working');
  expect(standingOf({ state: 'pending', last_error: 'it answered 503' }).tone).toBe('attention');
  expect(standingOf({ state: 'dead', last_error: 'it answered 503' }).tone).toBe('failed');
  expect(standingOf({ state: 'delivered' }).tone).toBe('good');
});
