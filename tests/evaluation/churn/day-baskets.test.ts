import { expect, test } from 'vitest';
import { dayBaskets } from '../../../src/evaluation/churn/day-baskets.ts';

test('rows of one day are one basket, days ascend, and money adds up', () => {
  const log = {
    customers: 2,
    customer: Int32Array.of(0, 1, 0, 0),
    day: Int32Array.of(12, 5, 10, 12),
    amount: Float64Array.of(1.5, 4, 2, 3),
  };
  expect(dayBaskets(log)).toEqual([
    [
      { day: 10, amount: 2 },
      { day: 12, amount: 4.5 },
    ],
    [{ day: 5, amount: 4 }],
  ]);
  const { amount: _, ...withoutMoney } = log;
  expect(dayBaskets(withoutMoney)[1]).toEqual([{ day: 5, amount: 0 }]);
});
