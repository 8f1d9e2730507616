import { expect, test } from 'vitest';
import { backoff, isTransient } from './live';
import { ApiProblem, fieldName, offline, problemOf } from './problem';

test('wrong fields are known by the names of their inputs', async () => {
  const body = {
    code: 'invalid-fields',
    title: 'Some fields are not valid',
    errors: [
      { field: '/username', message: 'too short' },
      { field: '/provider/base_url', message: 'not an address' },
    ],
  };
  const problem = await problemOf(new Response(JSON.stringify(body), { status: 422 }));
  expect(problem.code).toBe('invalid-fields');
  expect(problem.fields).toEqual({ username: 'too short', 'provider.base_url': 'not an address' });
  expect(problem.otherFields(['username'])).toEqual(['provider.base_url: not an address']);
});

test('JSON pointers are unescaped and parameter names stay', () => {
  expect(fieldName('/a~1b/c~0d')).toBe('a/b.c~d');
  expect(fieldName('limit')).toBe('limit');
});

test('an answer that is no problem document still has its status', async () => {
  const problem = await problemOf(new Response('<html>', { status: 502 }));
  expect(problem.status).toBe(502);
  expect(problem.code).toBe('unknown');
});

test('only what may go away by itself is tried again', () => {
  expect(isTransient(offline())).toBe(true);
  expect(isTransient(new ApiProblem({ status: 503 }))).toBe(true);
  expect(isTransient(new ApiProblem({ status: 410, code: 'run-gone' }))).toBe(false);
  expect(isTransient(new ApiProblem({ status: 401 }))).toBe(false);
});

test('pauses grow to ten seconds and are spread', () => {
  expect(backoff(0, 0.5)).toBe(500);
  expect(backoff(3, 0.5)).toBe(4000);
  expect(backoff(100, 0.5)).toBe(10_000);
  expect(backoff(0, 0)).toBeLessThan(backoff(0, 1));
});
