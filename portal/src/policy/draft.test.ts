import { expect, test } from 'vitest';
import type { PolicyTest } from '../api/types';
import { asJson, withTest } from './draft';

const one: PolicyTest = {
  name: 'a "name"',
  expect: 'deny',
  request: {
    actor: { role: 'member', breakglass: false },
    action: 'chat.read',
    resource: { kind: 'instance', owner: 'other' },
    approved: false,
  },
};
const said = {
  ...one,
  request: {
    actor: { role: 'member' },
    action: 'chat.read',
    resource: { kind: 'instance', owner: 'other' },
  },
};

test('tests are written without what goes without saying', () => {
  expect(asJson([])).toBe('');
  expect(JSON.parse(asJson([one, one]))).toEqual([said, said]);
  const kept = { ...one, request: { ...one.request, approved: true } };
  expect(JSON.parse(asJson([kept]))[0].request.approved).toBe(true);
});

test('one more comes to the end of the list, however that is written', () => {
  for (const list of ['', '[]', ' [ ] \n', '[\n']) expect(JSON.parse(withTest(list, one))).toEqual([said]);
  expect(JSON.parse(withTest('[{"name": "x"}]\n', one))).toEqual([{ name: 'x' }, said]);
  expect(JSON.parse(withTest(asJson([one]), one))).toEqual([said, said]);
});
