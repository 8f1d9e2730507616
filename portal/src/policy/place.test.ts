import { expect, test } from 'vitest';
import { coloured } from './colours';
import { lineOf, offsetOf, readTests, testOffsets } from './place';

test('a line and column become an offset, within the text', () => {
  expect(offsetOf('ab\ncd', 2, 2)).toBe(4);
  expect(offsetOf('ab\ncd', 1, 99)).toBe(2);
  expect(offsetOf('ab\ncd', 9, 1)).toBe(3);
  expect(offsetOf('🐙x', 1, 2)).toBe(2);
  expect(lineOf('ab\ncd', 4)).toBe(2);
});

test('tests are a list, and what is none says where', () => {
  expect(readTests(' \n')).toEqual({ tests: [] });
  expect(readTests('[{"name": "a"}]')).toEqual({ tests: [{ name: 'a' }] });
  expect(readTests('{}')).toEqual({ fault: { line: 1, message: '' } });
  expect(readTests('[\n{"name": }\n]')).toMatchObject({ fault: { line: 2 } });
});

test('every test has its place, whatever is written in it', () => {
  const text = '[\n  {"name": "{[ \\" ", "request": {"actor": {}}},\n  {"name": "b"}\n]';
  expect(testOffsets(text).map((at) => lineOf(text, at))).toEqual([2, 3]);
});

test('colours lose no character', () => {
  const text =
    '// note\n@id("x")\nforbid (principal is User, action == Action::"a.b", resource)\nwhen { 3 > 2 };\n"open';
  const pieces = coloured(text);
  expect(pieces.map((one) => one.text).join('')).toBe(text);
  expect(pieces.filter((one) => one.colour === 'effect').map((one) => one.text)).toEqual(['forbid']);
  expect(coloured('x'.repeat(70_000))).toHaveLength(1);
});
