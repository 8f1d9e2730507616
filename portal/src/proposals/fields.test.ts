import { expect, test } from 'vitest';
import { fieldsOf, HIDDEN, runs, shapeOf, textOf } from './fields';

const of = (body: unknown, secrets: string[] = []) => fieldsOf({ body: body as never, secrets });
const named = (body: unknown, secrets?: string[]) =>
  of(body, secrets).map(({ name, shape }) => [name, shape]);

test('short fields come first, then secrets, then what takes room', () => {
  expect(named({ about: 'a\nb', name: 'x', models: ['a'], tools: { web: true } }, ['/api_key'])).toEqual([
    ['name', 'line'],
    ['models', 'list'],
    ['api_key', 'secret'],
    ['about', 'block'],
    ['tools', 'block'],
  ]);
});

test('without a body there is no field', () => {
  expect(of(null)).toEqual([]);
  expect(of({})).toEqual([]);
});

test('a body that is hidden as a whole, and one without names', () => {
  expect(of(null, [''])).toEqual([{ name: null, value: HIDDEN, shape: 'secret' }]);
  expect(named([{ a: 1 }])).toEqual([[null, 'block']]);
});

test('secrets inside stand at their place', () => {
  const [field] = of({ provider: { name: 'x', 'odd/one~': null, keys: [null, null] } }, [
    '/provider/client_secret',
    '/provider/odd~1one~0',
    '/provider/keys/1',
  ]);
  expect(field?.value).toEqual({
    name: 'x',
    'odd/one~': HIDDEN,
    keys: [null, HIDDEN],
    client_secret: HIDDEN,
  });
});

test('a list with a secret in it is not taken for words', () => {
  expect(named({ keys: ['a', null] }, ['/keys/1'])).toEqual([['keys', 'block']]);
});

test('no name is lost, whatever it is', () => {
  expect(named({}, ['/__proto__', '/constructor/x'])).toEqual([
    ['__proto__', 'secret'],
    ['constructor', 'block'],
  ]);
});

test('what was given stays as it is', () => {
  const body = { a: { b: 1 } };
  of(body, ['/a/c']);
  expect(body).toEqual({ a: { b: 1 } });
});

test('shapes and texts', () => {
  expect(shapeOf('x'.repeat(161))).toBe('block');
  expect(shapeOf([])).toBe('list');
  expect(shapeOf([1])).toBe('block');
  expect(shapeOf(false)).toBe('line');
  expect(textOf('a "b"')).toBe('a "b"');
  expect(textOf({ a: 1 })).toBe('{\n  "a": 1\n}');
});

test('characters that are not seen are shown by their numbers', () => {
  expect(runs('plain\r\n\ttext')).toEqual([{ text: 'plain\r\n\ttext' }]);
  expect(runs('a\u202eb\u{e0041}')).toEqual([
    { text: 'a' },
    { text: 'U+202E', unseen: true },
    { text: 'b' },
    { text: 'U+E0041', unseen: true },
  ]);
  expect(runs('\rx')).toEqual([{ text: 'U+000D', unseen: true }, { text: 'x' }]);
  expect(runs('👩‍💻')).toEqual([{ text: '👩‍💻' }]);
});
