import { expect, test } from 'vitest';
import { diffLines, folded } from './diff';

const marks = (before: string, after: string) =>
  diffLines(before, after).map(({ sign, text, line }) => `${sign}${line} ${text}`);

test('what came and went, in order, with its place', () => {
  expect(marks('a\nb\nc\n', 'a\nx\nc\nd\n')).toEqual([' 1 a', '-2 b', '+2 x', ' 3 c', '+4 d']);
  expect(marks('', 'a\n')).toEqual(['+1 a']);
  expect(marks('a', '')).toEqual(['-1 a']);
  expect(marks('a\nb', 'a\nb')).toEqual([' 1 a', ' 2 b']);
  expect(marks('one\ntwo\nthree', 'two\nthree\none')).toEqual(['-1 one', ' 1 two', ' 2 three', '+3 one']);
});

test('texts too different to compare are replaced as a whole', () => {
  const many = (word: string) => Array.from({ length: 2500 }, (_, i) => `${word} ${i}`).join('\n');
  const lines = diffLines(many('old'), many('new'));
  expect(lines.filter((one) => one.sign === '-')).toHaveLength(2500);
  expect(lines.filter((one) => one.sign === '+')).toHaveLength(2500);
});

test('what is far from a change is left out and counted', () => {
  const before = Array.from({ length: 20 }, (_, i) => `line ${i}`).join('\n');
  const shown = folded(diffLines(before, before.replace('line 10', 'changed')));
  expect(shown[0]).toBe(7);
  expect(shown.at(-1)).toBe(6);
  expect(shown).toHaveLength(2 + 3 + 2 + 3);
});
