import { expect, test } from 'vitest';
import { groupSummary, meanAge, thinOut } from '../../../src/algorithms/customer-base/purchase-summary.ts';
import { summaryOf } from './support.ts';

test('equal customers become one row that counts them, in order of frequency, recency and age', () => {
  const rows = groupSummary(
    summaryOf([
      [2, 5, 9],
      [0, 0, 9],
      [2, 4, 9],
      [0, 0, 9],
      [0, 0, 8],
      [2, 5, 9],
      [0, 0, 9],
    ]),
  );
  expect([...rows.frequency]).toEqual([0, 0, 2, 2]);
  expect([...rows.recency]).toEqual([0, 0, 4, 5]);
  expect([...rows.age]).toEqual([8, 9, 9, 9]);
  expect([...rows.weight]).toEqual([1, 3, 1, 2]);
  expect(rows.customers).toBe(7);
  // (8 + 6 · 9) / 7
  expect(meanAge(rows)).toBeCloseTo(62 / 7, 13);
});

test('thinned out, each row that is left stands for its neighbours too', () => {
  const rows = groupSummary(summaryOf(Array.from({ length: 10 }, (_, i) => [i, 1, 9])));
  const few = thinOut(rows, 4);
  // Every third of ten: 0, 3, 6, 9, each for three.
  expect([...few.frequency]).toEqual([0, 3, 6, 9]);
  expect([...few.weight]).toEqual([3, 3, 3, 3]);
  expect(thinOut(rows, 10)).toBe(rows);
});
