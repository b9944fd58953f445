import { expect, test } from 'vitest';
import { fitItemFacts } from '../../../src/algorithms/ranker/item-facts.ts';

const day = 86_400_000;

test('rising, steady and fallen items are told apart, with their ages and prices', () => {
  const now = 200 * day;
  // Item 0 sells daily, item 1 since a week, item 2 until 100 days ago; item 3 never.
  const rows = Array.from({ length: 200 }, (_, d) => [
    [0, d] as const,
    ...(d >= 193 ? [[1, d] as const] : []),
    ...(d < 100 ? [[2, d] as const] : []),
  ]).flat();
  const facts = fitItemFacts(
    { item: Int32Array.from(rows, ([item]) => item), at: Float64Array.from(rows, ([, d]) => d * day) },
    new Int32Array(4),
    Float64Array.of(200, 400, 0, 100),
    now,
  );
  expect(facts.trend[1]).toBeGreaterThan(0.5);
  expect(Math.abs(facts.trend[0]!)).toBeLessThan(0.4);
  expect(facts.trend[2]).toBeLessThan(-1);
  expect([...facts.daysOnSale]).toEqual([200, 7, 200, 0]);
  expect([...facts.daysSinceSold]).toEqual([1, 1, 101, 0]);
  expect(facts.logPrice[1]! - facts.logPrice[0]!).toBeCloseTo(Math.log(400 / 200), 5);
  expect(facts.logPrice[2]).toBeNaN();
  expect(facts.logSales[3]).toBe(0);
  expect(facts.trend.every(Number.isFinite)).toBe(true);
});
