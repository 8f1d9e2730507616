import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actionsOf } from './schema';

const schema = readFileSync(join(import.meta.dirname, '../../../policies/fractal.cedarschema'), 'utf8');

test('the actions of the release, with the kinds of things they apply to', () => {
  const actions = new Map(actionsOf(schema).map((one) => [one.name, one.kinds]));
  expect(actions.get('instance.delete')).toEqual(['instance']);
  expect(actions.get('instance.list')).toEqual(['instance', 'organization']);
  expect(actions.get('token.rotate')).toEqual(['api_token']);
  expect(actions.get('policy.update')).toEqual(['settings']);
  expect(actions.size).toBeGreaterThan(60);
});

test('groups of actions and what only gateways do are no questions about people', () => {
  const names = actionsOf(schema).map((one) => one.name);
  for (const name of ['own', 'private', 'model.use', 'agent_config.read']) expect(names).not.toContain(name);
});
