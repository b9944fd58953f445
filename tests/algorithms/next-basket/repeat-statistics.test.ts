import { expect, test } from 'vitest';
import { repeatStatistics } from '../../../src/algorithms/next-basket/repeat-statistics.ts';
import { createUserPast, readUserPast } from '../../../src/algorithms/next-basket/user-past.ts';
import { logOf } from './support.ts';

const log = logOf(3, [[[0, 1], [0], [1]], [[2]]]);

test('chances of a repeat: of an item, and by the baskets since its last purchase', () => {
  const { repeatChance, chanceByAge } = repeatStatistics(log);
  // Second basket: 0 repeats, 1 does not (age 0). Third: 0 does not (age 0), 1 repeats (age 1).
  const overall = 2 / 4;
  expect(repeatChance[0]).toBeCloseTo((1 + 10 * overall) / (2 + 10), 6);
  expect(repeatChance[2]).toBeCloseTo(overall, 6);
  expect(chanceByAge[0]).toBeCloseTo((1 + 10 * overall) / (3 + 10), 6);
  expect(chanceByAge[1]).toBeCloseTo((1 + 10 * overall) / (1 + 10), 6);
});

test('recent shares are of last baskets, with twenty of all', () => {
  const { share, recentShare } = repeatStatistics(log);
  expect(share[0]).toBeCloseTo(2 / 4, 6);
  expect(recentShare[0]).toBeCloseTo((0 + 20 * (2 / 4)) / (2 + 20), 6);
  expect(recentShare[1]).toBeCloseTo((1 + 20 * (2 / 4)) / (2 + 20), 6);
});

test('a user’s past tells count and ages of each item, and forgets the user before', () => {
  const past = createUserPast(3);
  readUserPast(log, 0, past);
  readUserPast(log, 1, past);
  expect([past.baskets, past.bought, [...past.count]]).toEqual([1, [2], [0, 0, 1]]);
  readUserPast(log, 0, past);
  expect([past.baskets, past.purchases, past.repeats, past.firstBasketItems]).toEqual([3, 4, 2, 2]);
  expect([past.count[1], past.age[1], past.firstAge[1], past.previousAge[1]]).toEqual([2, 0, 2, 2]);
});
