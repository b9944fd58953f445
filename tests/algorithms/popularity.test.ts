import { expect, test } from 'vitest';
import { fitPopularity } from '../../src/algorithms/popularity.ts';

const day = 86_400_000;
const now = 100 * day;

test('a purchase of one half-life ago counts half', () => {
  const purchases = {
    item: Int32Array.of(0, 1),
    at: Float64Array.of(now, now - 10 * day),
    segment: Int32Array.of(0, 0),
  };
  const { shares } = fitPopularity(purchases, 2, [''], now, { halfLifeDays: 10, segmentPriorPurchases: 1 });
  // 1 and 1/2 of 3/2
  expect(shares[0]).toBeCloseTo(1 / 1.5, 6);
  expect(shares[1]).toBeCloseTo(0.5 / 1.5, 6);
});

test('a segment’s shares are its own counts with everybody’s as prior', () => {
  const purchases = {
    item: Int32Array.of(0, 0, 0, 1),
    at: new Float64Array(4).fill(now),
    segment: Int32Array.of(0, 0, 0, 1),
  };
  const { shares } = fitPopularity(purchases, 2, ['', 'north'], now, {
    halfLifeDays: 30,
    segmentPriorPurchases: 4,
  });
  // everybody: 3/4 and 1/4; north: (0 + 4 · 3/4) / (1 + 4) and (1 + 4 · 1/4) / (1 + 4)
  expect([...shares]).toEqual([3 / 4, 1 / 4, 3 / 5, 2 / 5].map(Math.fround));
});

test('without purchases every share is 0', () => {
  const nothing = { item: new Int32Array(0), at: new Float64Array(0), segment: new Int32Array(0) };
  const { shares } = fitPopularity(nothing, 3, ['', 'north'], now, {
    halfLifeDays: 30,
    segmentPriorPurchases: 4,
  });
  expect([...shares]).toEqual([0, 0, 0, 0, 0, 0]);
});
