import { expect, test } from 'vitest';
import { callEvenly, quantile } from '../../../src/cli/bench/even-rate.ts';

test('what is due is sent whether or not anything has been answered, each at its own instant', async () => {
  const dues: number[] = [];
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let isDone = false;
  const load = callEvenly(
    1000,
    () => dues.length >= 20,
    (dueAt) => {
      dues.push(dueAt);
      return answered;
    },
  ).then(() => {
    isDone = true;
  });
  while (dues.length < 20) await new Promise(setImmediate);
  const [first = 0] = dues;
  expect(dues.map((dueAt) => Math.round(dueAt - first))).toEqual(dues.map((_, n) => n));
  await new Promise(setImmediate);
  expect(isDone).toBe(false);
  answer();
  await load;
  expect(isDone).toBe(true);
});

test('quantiles', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([], 0.99)).toBe(0);
});
