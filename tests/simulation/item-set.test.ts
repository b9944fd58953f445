import { expect, test } from 'vitest';
import { ItemSet } from '../../src/simulation/item-set.ts';

test('holds what was added, until it is deleted or the set is cleared', () => {
  const set = new ItemSet(4);
  expect([0, 1, 2, 3].filter((i) => set.has(i))).toEqual([]);
  set.add(1);
  set.add(3);
  set.delete(3);
  expect([0, 1, 2, 3].filter((i) => set.has(i))).toEqual([1]);
  set.clear();
  expect([0, 1, 2, 3].filter((i) => set.has(i))).toEqual([]);
  set.add(2);
  expect([0, 1, 2, 3].filter((i) => set.has(i))).toEqual([2]);
});
