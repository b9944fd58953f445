import { expect, test } from 'vitest';
import { observe } from '../../../src/evaluation/customer-base/observe.ts';
import type { TransactionLog } from '../../../src/evaluation/customer-base/transaction-log.ts';

/** Rows of [customer, day, amount]. */
function logOf(rows: readonly (readonly [number, number, number])[]): TransactionLog {
  return {
    customers: Math.max(...rows.map(([customer]) => customer)) + 1,
    customer: Int32Array.from(rows, ([customer]) => customer),
    day: Int32Array.from(rows, ([, day]) => day),
    amount: Float64Array.from(rows, ([, , amount]) => amount),
  };
}

const period = { calibrationEnd: 70, holdoutEnd: 140, daysPerUnit: 7 };

test('frequency, recency and age of a customer, and what she did after', () => {
  const { purchases, spend, holdout } = observe(
    logOf([
      // In the file's order, not that of time.
      [0, 35, 6],
      [0, 0, 100],
      [0, 0, 50],
      [0, 14, 10],
      [0, 35, 8],
      [0, 71, 5],
      [0, 71, 7],
      [0, 140, 4],
      [0, 141, 1000],
    ]),
    period,
  );
  // Repeat days 14 and 35; from 0 to 35; from 0 to 70: in weeks.
  expect(purchases).toEqual({
    frequency: Float64Array.of(2),
    recency: Float64Array.of(5),
    age: Float64Array.of(10),
  });
  // (10 + 6 + 8) over 2 days; what the first day brought does not count.
  expect(spend?.averageSpend).toEqual(Float64Array.of(12));
  // Days 71 and 140, with 12 and 4.
  expect(holdout).toEqual({
    length: 10,
    lastDay: 141,
    purchases: Float64Array.of(2),
    averageSpend: Float64Array.of(8),
  });
});

test('who came on the last day is in it with no age, who came after is not', () => {
  const { purchases, holdout } = observe(
    logOf([
      [0, 70, 1],
      [1, 71, 1],
      [2, 63, 1],
    ]),
    period,
  );
  expect(purchases.age).toEqual(Float64Array.of(0, 1));
  expect(holdout.purchases).toEqual(Float64Array.of(0, 0));
  expect(holdout.averageSpend).toEqual(Float64Array.of(Number.NaN, Number.NaN));
});

test('a period that the log does not cover is refused', () => {
  expect(() => observe(logOf([[0, 80, 1]]), period)).toThrow('Nobody bought by 1970-03-12');
  expect(() => observe(logOf([[0, 70, 1]]), period)).toThrow('The log ends on 1970-03-12');
});
