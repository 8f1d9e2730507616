import { afterEach, expect, test, vi } from 'vitest';
import { api, setProposedHandler } from './client';
import { Proposed } from './problem';

afterEach(() => vi.unstubAllGlobals());
const answers = (body: unknown, headers: Record<string, string> = {}) =>
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(body), { status: 202, headers }));

test('a change that waits for approval is never taken for its own answer, and is told once', async () => {
  const told: string[] = [];
  setProposedHandler((proposal) => told.push(proposal.id));
  answers({ id: 'prop_1', action: 'provider.create' }, { 'fractal-proposal': 'prop_1' });
  const error = await api.post('/api/v1/providers').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Proposed);
  expect((error as Proposed).proposal.action).toBe('provider.create');
  expect(told).toEqual(['prop_1']);
});

test('a 202 without that header is what it always was', async () => {
  answers({ id: 'inst_1' });
  expect(await api.post('/api/v1/instances')).toEqual({ id: 'inst_1' });
});
