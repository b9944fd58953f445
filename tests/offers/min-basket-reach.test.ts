import { expect, test } from 'vitest';
import { minBasketReach } from '../../src/offers/min-basket-reach.ts';

test('a minimum that is not above the usual order keeps nobody away', () => {
  expect(minBasketReach(undefined, 2000)).toBe(1);
  expect(minBasketReach(1000, 2000)).toBe(1);
  expect(minBasketReach(2000, 2000)).toBe(1);
  expect(minBasketReach(2001, 2000)).toBeCloseTo(1, 2);
});

test('above it, each usual order more leaves 1 / e of them, and the order that is raised to it brings less on the whole', () => {
  expect(minBasketReach(4000, 2000)).toBeCloseTo(1 / Math.E);
  expect(minBasketReach(6000, 2000)).toBeCloseTo(1 / Math.E ** 2);
  const minimums = Array.from({ length: 200 }, (_, i) => 2000 + 100 * i);
  const brought = minimums.map((minimum) => minimum * minBasketReach(minimum, 2000));
  expect(brought).toEqual([...brought].sort((a, b) => b - a));
  expect(minBasketReach(1e12, 2000)).toBe(0);
  expect(minBasketReach(100, 0)).toBe(0);
});
