import { expect, test } from 'vitest';
import { splitBlocks } from './blocks';

test('paragraphs are cut at empty lines', () => {
  expect(splitBlocks('a\n\nb\nc')).toEqual(['a\n', 'b\nc']);
});

test('a fenced block is never cut, also while it is open', () => {
  expect(splitBlocks('```js\na\n\nb\n```\n\nc')).toEqual(['```js\na\n\nb\n```\n', 'c']);
  expect(splitBlocks('x\n\n```\na\n\nb')).toHaveLength(2);
  expect(splitBlocks('````\n```\n\n```\n````')).toHaveLength(1);
});

test('lists with empty lines between their items stay whole', () => {
  expect(splitBlocks('1. a\n\n2. b\n\n   more\n\nend')).toHaveLength(2);
});

test('a growing text keeps its finished blocks', () => {
  const text = 'a\n\n```js\nx\n\ny\n```\n\nb\n\n- c\n\n- d\n\ne';
  let before: string[] = [];
  for (let end = 1; end <= text.length; end++) {
    const now = splitBlocks(text.slice(0, end));
    // All but the last two of the earlier blocks are settled (the very last line may still become a list).
    for (const [i, block] of before.slice(0, -2).entries()) expect(now[i]).toBe(block);
    before = now;
  }
  expect(before.join('\n').replace(/\n+/g, '\n')).toBe(text.replace(/\n+/g, '\n'));
});
