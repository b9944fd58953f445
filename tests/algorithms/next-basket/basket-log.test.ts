import { expect, test } from 'vitest';
import {
  basketOfAge,
  basketShares,
  withoutLastBaskets,
} from '../../../src/algorithms/next-basket/basket-log.ts';
import { logOf } from './support.ts';

const log = logOf(4, [[[0, 1], [2], [3, 0]], [], [[1]]]);

test('without the last baskets the others stay as they are, and short histories are empty', () => {
  expect(withoutLastBaskets(log, 1)).toEqual(logOf(4, [[[0, 1], [2]], [], []]));
  expect(withoutLastBaskets(log, 2)).toEqual(logOf(4, [[[0, 1]], [], []]));
  expect(withoutLastBaskets(log, 9)).toEqual(logOf(4, [[], [], []]));
});

test('age counts baskets from the last one back', () => {
  expect([...basketOfAge(log, 0, 0)]).toEqual([3, 0]);
  expect([...basketOfAge(log, 0, 2)]).toEqual([0, 1]);
  expect([...basketOfAge(log, 0, 3)]).toEqual([]);
  expect([...basketOfAge(log, 1, 0)]).toEqual([]);
});

test('an item’s share is that of all baskets', () => {
  expect([...basketShares(log)]).toEqual([2 / 4, 2 / 4, 1 / 4, 1 / 4]);
});
