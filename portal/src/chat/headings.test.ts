import { expect, test } from 'vitest';
import { headingsInOrder } from './headings';

const levels = (...depths: number[]) => {
  const tree = { type: 'root', children: depths.map((depth) => ({ type: 'heading', depth })) };
  headingsInOrder()(tree);
  return tree.children.map((one) => one.depth);
};

test('headings never skip a level and stay below the title of the page', () => {
  expect(levels(3, 3, 4)).toEqual([2, 3, 4]);
  expect(levels(1, 2, 6, 2)).toEqual([2, 2, 3, 2]);
  expect(levels()).toEqual([]);
});
