import { expect, test } from 'vitest';
import { safePath } from './session';

test('only paths of our own are followed after signing in', () => {
  expect(safePath('/settings/agent?x=1')).toBe('/settings/agent?x=1');
  for (const path of [
    null,
    '',
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'javascript:x',
  ]) {
    expect(safePath(path)).toBe('/');
  }
});
