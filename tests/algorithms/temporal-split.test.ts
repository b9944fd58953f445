import { expect, test } from 'vitest';
import { temporalSplit } from '../../src/algorithms/temporal-split.ts';

const day = 86_400_000;

test('test and validation are the last two windows of a long log', () => {
  // 28 days < 20 % of 300 days
  expect(temporalSplit(0, 300 * day)).toEqual({
    validationFrom: (300 - 56) * day,
    testFrom: (300 - 28) * day,
    until: 300 * day,
  });
});

test('the windows of a short log are a share of it', () => {
  // 20 % of 50 days = 10 days
  expect(temporalSplit(10 * day, 60 * day)).toEqual({
    validationFrom: 40 * day,
    testFrom: 50 * day,
    until: 60 * day,
  });
});
